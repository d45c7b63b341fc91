"""A mock above the interceptors keeps its calls from the cassette: told once where that holds answers for them."""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from pathlib import Path

import aiohttp
import aioresponses
import httpx  # what is imported here stays imported
import pytest
import urllib3

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.replay.player import Player

IMPORTED = (aiohttp, aioresponses, httpx, urllib3)

Run = Callable[..., pytest.RunResult]
URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"
SUITE = """
import asyncio, urllib.request
from unittest import mock

import aiohttp, httpx, pytest, requests, urllib3
from aioresponses import aioresponses

URL = "{URL}"
TOKEN = {"X-Auth-Token": "of nobody"}
pytestmark = pytest.mark.hwcloud_cassette("many.json")

def by_aiohttp(url=URL):
    async def call():
        async with aiohttp.ClientSession() as session, session.get(url, headers=TOKEN) as answer:
            return await answer.json()
    return asyncio.run(call())

def by_async_httpx():
    async def call():
        async with httpx.AsyncClient() as client:
            return await client.get(URL)
    return asyncio.run(call())

def refused(answers, url=URL):
    # this aioresponses makes no answers for the newest aiohttp
    answers.get(url, exception=LookupError("mine"))
    with pytest.raises(LookupError):
        by_aiohttp(url)

@pytest.fixture
def mocked():
    with aioresponses() as answers:
        yield answers

def test_a_fixture(mocked):
    refused(mocked)
    refused(mocked)

def test_a_block():
    with aioresponses() as answers:
        refused(answers)

def test_a_decorator():
    aioresponses()(lambda answers: refused(answers))()

TARGETS = {
    "requests.get": lambda: requests.get(URL),
    "requests.request": lambda: requests.request("GET", URL),
    "requests.api.request": lambda: requests.get(URL),
    "requests.Session.request": lambda: requests.get(URL),
    "requests.Session.send": lambda: requests.Session().send(requests.Request("GET", URL).prepare()),
    "httpx.post": lambda: httpx.post(URL),
    "httpx.Client.send": lambda: httpx.get(URL),
    "httpx.AsyncClient.send": by_async_httpx,
    "urllib3.request": lambda: urllib3.request("GET", URL),
    "urllib3.PoolManager.urlopen": lambda: urllib3.PoolManager().request("GET", URL),
    "urllib.request.urlopen": lambda: urllib.request.urlopen(URL),
    "urllib.request.OpenerDirector.open": lambda: urllib.request.build_opener().open(URL),
}

@pytest.mark.parametrize("target", TARGETS)
def test_patch(target):
    with mock.patch(target, return_value="mine") as replaced:
        assert TARGETS[target]() == "mine"

def test_monkeypatch(monkeypatch):
    monkeypatch.setattr(httpx.Client, "send", lambda client, request, **options: "mine")
    assert httpx.get(URL) == "mine"

def test_monkeypatch_for_a_while(monkeypatch):
    with monkeypatch.context() as own:
        own.setattr(requests.Session, "send", lambda session, request, **options: "mine")
        assert requests.Session().send(requests.Request("GET", URL).prepare()) == "mine"

# Nothing is to be said of these.

def test_silent_a_mock_that_nobody_called():
    with mock.patch("requests.post"):
        pass

def test_silent_what_a_mock_passes_on(hwcloud):
    with aioresponses(passthrough=["https://"]):
        assert by_aiohttp() == {"count": 1}
    with mock.patch("requests.get", wraps=requests.get):
        assert requests.get(URL, headers=TOKEN).json() == {"count": 2}

def test_silent_another_mock(hwcloud, monkeypatch):
    monkeypatch.setattr("os.getcwd", lambda: "/")
    with mock.patch("time.time", return_value=0.0):
        pass

def test_silent_where_the_cassette_of_many_tests_has_answered_something(hwcloud):
    assert requests.get(URL, headers=TOKEN).json() == {"count": 1}
    with aioresponses() as answers:
        refused(answers, "https://example.com/")
"""


def answer(url: str, body: str) -> dict[str, object]:
    response = {
        "status": {"code": 200, "message": "OK"},
        "headers": {"Content-Type": ["application/json"]},
        "body": {"string": body},
    }
    return {"request": {"method": "GET", "uri": url, "headers": {}, "body": None}, "response": response}


def write(path: Path, *entries: dict[str, object]) -> Path:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"version": 1, "interactions": list(entries)}), encoding="utf-8")
    return path


OWN = """
from unittest import mock

import requests
from test_it import TOKEN, URL

def test_own(hwcloud):
    assert requests.get(URL, headers=TOKEN).json() == {"count": 1}
    with mock.patch("requests.get", return_value="mine"):
        assert requests.get(URL) == "mine"
"""
PATCHED = (
    *("requests.get", "requests.request", "requests.api.request", "requests.Session.request", "requests.Session.send"),
    *("httpx.post", "httpx.Client.send", "httpx.AsyncClient.send", "urllib3.request", "urllib3.PoolManager.urlopen"),
    *("urllib.request.urlopen", "urllib.request.OpenerDirector.open"),
)
CONFTEST = """
import json
TOLD = {}

def pytest_warning_recorded(warning_message, nodeid):
    TOLD.setdefault(nodeid.partition("::")[2], []).append(str(warning_message.message))

def pytest_unconfigure(config):
    config.rootpath.joinpath("told.json").write_text(json.dumps(TOLD))
"""


def words(function: str, file: str = "cassettes/many.json", url: str = URL) -> list[str]:
    return [
        f"hwcloud: the test replaces {function}, so its calls do not reach the cassette '{file}', whose "
        f"answer to GET {url} nobody asked for; the mock counts. Take one of the two out of the test"
    ]


def test_each_way_is_told_once_and_nothing_else(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makepyfile(test_own=OWN)
    pytester.makeconftest(CONFTEST)
    many = [answer("https://example.com/", "{}"), answer(URL, '{"count": 1}'), answer(f"{URL}/other", "{}")]
    write(pytester.path / "cassettes" / "many.json", *many, answer(URL, '{"count": 2}'))
    (pytester.path / "cassettes" / "test_own").mkdir()
    write(pytester.path / "cassettes" / "test_own" / "test_own.yaml", *many)
    result = run(SUITE.replace("{URL}", URL), "-W", "default")
    assert result.ret == 0, result.stdout.str()
    told = json.loads((pytester.path / "told.json").read_text())
    result.assert_outcomes(passed=22, warnings=len(told))
    seen = {name: text for name, text in told.items() if "test_patch[" not in name}
    assert seen == {
        **dict.fromkeys(
            ("test_a_fixture", "test_a_block", "test_a_decorator"), words("aiohttp.ClientSession._request")
        ),
        "test_monkeypatch": words("httpx.Client.send"),
        "test_monkeypatch_for_a_while": words("requests.Session.send"),
        "test_own": words("requests.get", "test_own/test_own.yaml", f"{URL}/other"),
    }
    patched = {name.removeprefix("test_patch[").removesuffix("]"): text for name, text in told.items()}
    assert {name: patched[name] for name in PATCHED} == {name: words(name) for name in PATCHED}


@pytest.mark.parametrize(
    ("language", "wanted"),
    [
        (
            "en",
            "hwcloud: the test replaces httpx.get, so its calls do not reach the cassette 'c', whose answer to "
            f"GET {URL} nobody asked for; the mock counts. Take one of the two out of the test",
        ),
        (
            "zh",
            f"hwcloud：测试替换了 httpx.get，其调用不会到达录制文件“c”，该文件中 GET {URL} 的响应无人请求；"
            "以 mock 为准。请从测试中去掉其中之一",
        ),
    ],
)
def test_the_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, language: str, wanted: str) -> None:
    monkeypatch.setattr(texts._Run, "language", language)
    file = write(tmp_path / "a" / "c.json", answer("https://example.com/", "{}"), answer(f"{URL}?limit=1", "{}"))
    player = Player([Tape.load(file)], CloudState(region="cn-north-4"), own_path=file)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        player.hidden("httpx.get", file)
        player.hidden("httpx.get", file)
    assert [str(one.message) for one in told] == [wanted]
