"""A suite of a user: recorded against the cloud with real keys, replayed with the cloud gone and no keys at all."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback.cloud import REAL, Cloud
from loopback.conftest import secrets_of

from pytest_hwcloud.secrets.encodings import spellings

SUITE = """
import pytest
import requests

def test_our_session(hwcloud, hwcloud_session):
    answer = hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
    assert answer.json()["count"] == 2
    assert answer.json()["servers"][0]["tenant_id"] == hwcloud.credentials().project_id

def test_the_sdk(hwcloud):
    from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
    found = hwcloud.client(EcsClient).list_servers_details(ListServersDetailsRequest())
    assert [one.name for one in found.servers] == ["ecs-1", "ecs-2"]

def test_refused_as_expected(hwcloud):
    url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
    with hwcloud.refused("APIGW.0301", gate="authentication"):
        requests.get(url).raise_for_status()

def test_fails(hwcloud, hwcloud_session):
    assert hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/text")).status_code == 201
"""


@pytest.fixture
def own_cloud(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("own-cloud")) as cloud:
        cloud.reachable(monkeypatch)
        yield cloud


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", "hwcloud", "-p", "no:cacheprovider", *arguments)


def cassettes(pytester: pytest.Pytester) -> list[str]:
    return sorted(path.relative_to(pytester.path).as_posix() for path in Path(pytester.path).rglob("*.yaml"))


def test_record_then_replay(pytester: pytest.Pytester, own_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(test_suite=SUITE)
    with monkeypatch.context() as context:
        own_cloud.give_credentials(context)
        recorded = run(pytester, "--hwcloud-mode=record")
    recorded.assert_outcomes(passed=3, failed=1)
    assert cassettes(pytester) == [
        "cassettes/test_suite/test_our_session.yaml",
        "cassettes/test_suite/test_refused_as_expected.yaml",
        "cassettes/test_suite/test_the_sdk.yaml",
    ]
    for name in cassettes(pytester):
        text = Path(pytester.path, name).read_text()
        known = [secret for secret in secrets_of(REAL) if secret != REAL.user]  # its name was never told to the run
        assert [secret for secret in known for one in spellings(secret) if one in text] == []
    report = "\n".join(recorded.outlines + recorded.errlines)
    assert [secret for secret in (REAL.sk, REAL.password or "") if secret in report] == []
    own_cloud.seen.clear()
    replayed = run(pytester, "--deselect", "test_suite.py::test_fails")
    replayed.assert_outcomes(passed=3, deselected=1)
    assert own_cloud.seen == []


def test_without_credentials_nothing_starts(
    pytester: pytest.Pytester, own_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(test_suite=SUITE)
    result = run(pytester, "--hwcloud-mode=record")
    result.stderr.fnmatch_lines(
        ["*identity 'default' has no credentials, and record and live mode call the real cloud*"]
    )
    assert own_cloud.seen == []
    assert cassettes(pytester) == []


def test_rewrite_and_live_with_verify(
    pytester: pytest.Pytester, own_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(test_suite=SUITE.partition("def test_the_sdk")[0])
    own_cloud.give_credentials(monkeypatch)
    run(pytester, "--hwcloud-mode=record").assert_outcomes(passed=1)
    (name,) = cassettes(pytester)
    before = Path(pytester.path, name).read_text()
    run(pytester, "--hwcloud-mode=record", "--hwcloud-record=all").assert_outcomes(passed=1)
    after = Path(pytester.path, name).read_text()
    assert after != before
    assert len(after.splitlines()) == len(before.splitlines())
    run(pytester, "--hwcloud-mode=live", "--hwcloud-verify").assert_outcomes(passed=1)
    row = {"count": 2, "servers": [{"id": "x", "tenant_id": REAL.projects["cn-north-4"]}]}
    own_cloud.answers["GET /v1/{id}/cloudservers/detail"] = lambda request: (200, row, {})
    drifted = run(pytester, "--hwcloud-mode=live", "--hwcloud-verify")
    assert drifted.ret == 1
    drifted.stdout.fnmatch_lines(["*$.servers[[][]].name: recorded there, live gone*"])
    assert Path(pytester.path, name).read_text() == after
