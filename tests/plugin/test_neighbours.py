"""Beside pytest-recording and vcrpy in one suite: cloud hosts are ours, everything else is theirs."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import pytest_recording.plugin  # what is imported here stays imported
import vcr

assert pytest_recording.plugin
assert vcr

Run = Callable[..., pytest.RunResult]

THEIRS = """
version: 1
interactions:
- request: {method: GET, uri: "http://shop.example/price", body: null, headers: {}}
  response: {status: {code: 200, message: OK}, headers: {Content-Type: [text/plain]}, body: {string: "42"}}
"""
SUITE = """
import socket

import pytest
import requests
import vcr

LIST = "/v1/{project_id}/cloudservers/detail"
ours = pytest.mark.hwcloud_cassette("success/list-servers")

@pytest.mark.vcr
def test_theirs():
    assert requests.get("http://shop.example/price").text == "42"

@ours
def test_ours(hwcloud, hwcloud_session):
    assert hwcloud_session.get(hwcloud.url("ecs", LIST)).json()["count"] == 8

@pytest.mark.vcr
def test_theirs_again():
    assert requests.get("http://shop.example/price").text == "42"

@ours
@pytest.mark.vcr
@pytest.mark.parametrize("client", ["session", "requests"])
def test_both(hwcloud, hwcloud_session, client):
    get = hwcloud_session.get if client == "session" else (
        lambda url: requests.get(url, headers={"X-Auth-Token": hwcloud.token().value}))
    assert requests.get("http://shop.example/price").text == "42"
    assert get(hwcloud.url("ecs", LIST)).json()["count"] == 8
    assert [exchange.call.service for exchange in hwcloud.exchanges] == ["ecs"]

@ours
def test_a_cassette_of_vcrpy_inside(hwcloud, hwcloud_session):
    with vcr.use_cassette("cassettes/test_it/test_theirs.yaml", record_mode="none"):
        assert requests.get("http://shop.example/price").text == "42"
        assert hwcloud_session.get(hwcloud.url("ecs", LIST)).json()["count"] == 8
    with hwcloud.deny("ecs:cloudServers:list"), hwcloud.refused("Ecs.0110"):
        requests.get(hwcloud.url("ecs", LIST), headers={"X-Auth-Token": hwcloud.token().value})

@ours
@pytest.mark.block_network
def test_with_the_network_blocked(hwcloud, hwcloud_session):
    assert hwcloud_session.get(hwcloud.url("ecs", LIST)).json()["count"] == 8

@pytest.mark.block_network
def test_the_others_block_is_theirs():
    with socket.socket() as line, pytest.raises(RuntimeError, match="Network is disabled"):
        line.connect(("127.0.0.1", 9))

def test_nothing_of_ours_is_left():
    assert socket.getaddrinfo.__module__ == "socket"
    assert "pytest_hwcloud" not in repr(requests.adapters.HTTPAdapter.send)
"""


def suite(run: Run, pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    folder = Path(pytester.mkdir("cassettes")) / "test_it"
    folder.mkdir()
    for name in ("test_theirs", "test_theirs_again", "test_both[session]", "test_both[requests]"):
        (folder / f"{name}.yaml").write_text(THEIRS)
    return run(SUITE, "-p", "recording", "-p", "no:cacheprovider", *arguments)


@pytest.mark.parametrize("arguments", [[], ["--record-mode=none"], ["--disable-recording", "-k", "test_ours"]])
def test_one_suite(run: Run, pytester: pytest.Pytester, arguments: list[str]) -> None:
    result = suite(run, pytester, *arguments)
    result.assert_outcomes(**({"passed": 1, "deselected": 8} if "-k" in arguments else {"passed": 9}))


def test_their_cassettes_stay_as_they_are(run: Run, pytester: pytest.Pytester) -> None:
    suite(run, pytester)
    files = sorted((pytester.path / "cassettes").rglob("*.yaml"))
    assert len(files) == 4
    assert {file.read_text() for file in files} == {THEIRS}


def test_their_call_without_an_answer_stays_theirs(run: Run, pytester: pytest.Pytester) -> None:
    suite(run, pytester, "-k", "nothing")
    pytester.makepyfile(
        test_it="""
        import pytest
        import requests

        @pytest.mark.vcr
        def test_both_1(hwcloud):
            requests.get("http://shop.example/other")
        """
    )
    (pytester.path / "cassettes/test_it/test_both_1.yaml").write_text(THEIRS)
    result = pytester.runpytest_inprocess("-p", "hwcloud", "-p", "recording", "-p", "no:cacheprovider", "--tb=line")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "CannotOverwriteExistingCassetteException" in text
    assert "no recorded answer" not in text
