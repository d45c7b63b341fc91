"""Beside pytest-recording and plain vcrpy in the same tests: each records and answers its own calls."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import httpx  # noqa: F401  (what is imported first in a run of pytester's is forgotten after it, its patches with it)
import pytest
import vcr  # noqa: F401
from loopback.cloud import REAL, Cloud

from pytest_hwcloud.commands.help import GUIDE
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


# Plugins that may be loaded with ours: the distribution, pytest's name of the plugin, and the options that make it act.
LOADED: dict[str, tuple[str, ...]] = {
    "pytest-xdist": ("xdist", "-n2"),
    "pytest-asyncio": ("asyncio",),
    "anyio": ("anyio",),
    "hypothesis": ("hypothesispytest",),
    "pytest-recording": ("recording",),
    "pytest-vcr": ("vcr",),
    "requests-mock": ("requests_mock",),
    "respx": ("respx",),
    "pytest-httpx": ("pytest_httpx",),
    "pytest-httpserver": ("pytest_httpserver",),
    "pytest-socket": ("socket", "--disable-socket"),
    "pytest-randomly": ("randomly",),
    "pytest-order": ("pytest_order",),
    "pytest-rerunfailures": ("rerunfailures", "--reruns=1"),
    "pytest-repeat": ("pytest_repeat", "--count=2"),
    "pytest-flakefinder": ("flakefinder", "--flake-finder", "--flake-runs=2"),
    "pytest-timeout": ("timeout", "--timeout=60"),
    "pytest-cov": ("pytest_cov", "--cov=."),
    "pytest-benchmark": ("benchmark",),
    "pytest-mock": ("pytest_mock",),
    "pytest-subtests": ("subtests",),
    "pytest-env": ("env",),
    "pytest-sugar": ("sugar",),
    "pytest-rich": ("rich", "--rich"),
    "pytest-html": ("html", "-p", "metadata", "--html=report.html", "--self-contained-html"),
    "pytest-instafail": ("instafail", "--instafail"),
    "pytest-clarity": ("clarity",),
    "pytest-check": ("check",),
    "pytest-github-actions-annotate-failures": ("pytest_github_actions_annotate_failures",),
}
MOCKS = {"responses", "aioresponses"}  # no plugins: tests of the clients use them
PAIR = """
import pytest
LIST = "/v1/{project_id}/cloudservers/detail"

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_green(hwcloud, hwcloud_session):
    assert hwcloud_session.get(hwcloud.url("ecs", LIST)).json()["count"] == 8

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_red(hwcloud, hwcloud_session):
    with hwcloud.deny("ecs:cloudServers:list"):
        assert hwcloud_session.get(hwcloud.url("ecs", LIST)).json()["count"] == 8

def test_plain():
    assert True
"""


def _is_installed(distribution: str) -> bool:
    try:
        metadata(distribution)
    except PackageNotFoundError:
        return False
    return True


@pytest.mark.extended
@pytest.mark.parametrize("distribution", LOADED)
def test_beside_another_plugin_green_stays_green_and_a_refusal_is_explained(
    pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, distribution: str
) -> None:
    if not _is_installed(distribution):
        pytest.skip(f"{distribution} is not installed")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("COLUMNS", "160")
    if "github" in distribution:
        monkeypatch.setenv("GITHUB_ACTIONS", "true")
    pytester.makepyfile(PAIR)
    plugin, *options = LOADED[distribution]
    result = pytester.runpytest_subprocess("-p", "hwcloud", "-p", plugin, *options, "-W", "ignore")
    text = result.stdout.str()
    assert result.ret == 1
    assert "hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs" in text
    twice = distribution in ("pytest-repeat", "pytest-flakefinder")
    assert re.search(r"2 failed.* 4 passed" if twice else r"1 failed.* 2 passed", text)
    if distribution == "pytest-html":
        assert "refused at authorization" in Path(pytester.path, "report.html").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["clients.md", "zh/clients.md"])
def test_the_guide_lists_the_plugins_that_are_tested(page: str) -> None:
    text = (GUIDE / page).read_text(encoding="utf-8")
    listed = re.findall(r"^\| ([\w-]+) \| \d+(?:\.\d+)+ \| ", text, re.MULTILINE)
    assert sorted(listed) == sorted({*LOADED, *MOCKS})
