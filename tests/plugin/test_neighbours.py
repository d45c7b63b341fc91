"""Beside pytest-recording and plain vcrpy in the same tests: each records and answers its own calls."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import httpx  # noqa: F401  (what is imported first in a run of pytester's is forgotten after it, its patches with it)
import pytest
import vcr  # noqa: F401
from loopback.cloud import REAL, Cloud

from pytest_hwcloud.interceptors import router

CALLS = """
import urllib.request

import httpx, pytest, requests, vcr
from pytest_hwcloud import sign

OTHER = "http://127.0.0.1:PORT/hello"

def headers(hwcloud, url):
    keys = hwcloud.credentials()
    return sign("GET", url, {}, b"", ak=keys.ak, sk=keys.sk)

def by_session(hwcloud, url):
    assert requests.get(OTHER).text == "hello"
    assert hwcloud.session().get(url).json()["count"] == 2

def by_httpx(hwcloud, url):
    assert httpx.get(OTHER).text == "hello"
    assert httpx.get(url, headers=headers(hwcloud, url)).json()["count"] == 2

def by_urllib(hwcloud, url):
    assert urllib.request.build_opener().open(OTHER).read() == b"hello"
    asked = urllib.request.Request(url, headers=headers(hwcloud, url))
    assert b'"count": 2' in urllib.request.build_opener().open(asked).read()

@pytest.fixture
def url(hwcloud):
    return hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
"""
RECORDING = (
    CALLS
    + """
@pytest.mark.vcr
@pytest.mark.parametrize("call", [by_session, by_httpx, by_urllib])
def test_both(hwcloud, url, call):
    call(hwcloud, url)
    assert len(hwcloud.exchanges) == 1

@pytest.mark.vcr
def test_theirs():
    assert requests.get(OTHER).text == "hello"
"""
)
ALL_DAY = (
    CALLS
    + """
@pytest.fixture(scope="module", autouse=True)
def all_day():
    with vcr.use_cassette("all-day.yaml", record_mode="MODE"):
        yield

@pytest.mark.parametrize("call", [by_session, by_httpx, by_urllib])
def test_both(hwcloud, url, call):
    call(hwcloud, url)
    assert len(hwcloud.exchanges) == 1
"""
)


class Hello(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "5")
        self.end_headers()
        self.wfile.write(b"hello")

    def log_message(self, *args: object) -> None:
        """Silent."""


@pytest.fixture
def other() -> Iterator[HTTPServer]:
    with HTTPServer(("127.0.0.1", 0), Hello) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        yield server
        server.shutdown()


@pytest.fixture
def cloud(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    with Cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        cloud.reachable(monkeypatch)
        yield cloud
    router.leave()


def run(pytester: pytest.Pytester, *arguments: str) -> pytest.RunResult:
    return pytester.runpytest_inprocess("-p", "hwcloud", "-p", "no:cacheprovider", *arguments)


def is_clean(text: str) -> bool:
    ids = (REAL.ak, REAL.sk, REAL.domain_id, *REAL.projects.values(), "Authorization")
    return not any(secret in text for secret in ids)


def test_pytest_recording(
    pytester: pytest.Pytester, cloud: Cloud, other: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(test_it=RECORDING.replace("PORT", str(other.server_port)))
    with monkeypatch.context() as context:
        cloud.give_credentials(context)
        run(pytester, "-p", "pytest_recording.plugin", "--record-mode=once", "--hwcloud-mode=record").assert_outcomes(
            passed=4
        )
    assert len(cloud.seen) == 3
    files = sorted(Path(pytester.path, "cassettes", "test_it").iterdir())
    assert [file.name for file in files] == [
        "test_both[by_httpx].yaml",
        "test_both[by_session].yaml",
        "test_both[by_urllib].yaml",
        "test_theirs.yaml",
    ]
    texts = [file.read_text() for file in files]
    assert all(map(is_clean, texts))
    assert [text.count("/hello") for text in texts] == [1, 1, 1, 1]
    assert [text.count("uri: https://ecs") for text in texts] == [1, 1, 1, 0]
    other.shutdown()
    other.server_close()
    replayed = run(pytester, "-p", "pytest_recording.plugin", "--block-network")
    replayed.assert_outcomes(passed=4)
    assert len(cloud.seen) == 3
    assert "hwcloud cassettes" not in replayed.stdout.str()  # their interactions and cassettes are none of ours


def test_a_cassette_of_vcrpy_around_a_whole_module(
    pytester: pytest.Pytester, cloud: Cloud, other: HTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytester.makeini("[pytest]\n")
    source = ALL_DAY.replace("PORT", str(other.server_port))
    pytester.makepyfile(test_it=source.replace("MODE", "new_episodes"))
    with monkeypatch.context() as context:
        cloud.give_credentials(context)
        run(pytester, "--hwcloud-mode=record").assert_outcomes(passed=3)
    assert len(cloud.seen) == 3
    theirs = Path(pytester.path, "all-day.yaml").read_text()
    assert "myhuaweicloud" not in theirs
    assert is_clean(theirs)
    for file in Path(pytester.path, "cassettes", "test_it").iterdir():
        assert file.read_text().count("\n- request:") == 1
    pytester.makepyfile(test_it=source.replace("MODE", "none"))
    run(pytester).assert_outcomes(passed=3)
    assert len(cloud.seen) == 3
