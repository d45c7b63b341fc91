"""Calls that their caller gives up: recorded as a read-timeout, and given up again when they are replayed."""

from __future__ import annotations

import asyncio
import gc
import http.client
import os
import ssl
import time
import urllib.request
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import aiohttp
import httpx
import pytest
import requests
import urllib3
from loopback.cloud import REAL, REGION, Cloud
from loopback.conftest import REPLAYED

from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.interceptors import router

URL = f"https://ecs.{REGION}.myhuaweicloud.com/v1/{REAL.projects[REGION]}/slow"
TOKEN = {"X-Auth-Token": "a token of nobody"}
# A client whose call is cancelled leaves its transport to the collector once its loop is closed.
pytestmark = pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collected_here() -> Iterator[None]:
    """What these clients left is collected here, where it is no news, and not in a later test, where it would be."""
    yield
    gc.collect()


def trusting() -> aiohttp.TCPConnector:
    """aiohttp reads the certificates that it trusts when it is imported."""
    return aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]))


def stuck(cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    """The service takes its time over every call."""

    def serve(self: Any) -> None:
        time.sleep(0.6)
        self.close_connection = True

    monkeypatch.setattr(cloud.server.RequestHandlerClass, "do_GET", serve)


async def _aiohttp(url: str, **options: Any) -> int:
    async with (
        aiohttp.ClientSession(connector=trusting(), **options) as session,
        session.get(url, headers=TOKEN) as answer,
    ):
        return answer.status


async def _httpx(url: str, **options: Any) -> int:
    async with httpx.AsyncClient(**options) as client:
        return (await client.get(url, headers=TOKEN)).status_code


async def _cancelled(call: Any) -> int:
    task = asyncio.ensure_future(call)
    await asyncio.sleep(0.2)
    task.cancel()
    return await task


async def _within(call: Any) -> int:
    async with asyncio.timeout(0.2):
        return await call


def _http_client(url: str) -> int:
    connection = http.client.HTTPSConnection(urlsplit(url).netloc, timeout=0.2)
    connection.request("GET", urlsplit(url).path, headers=TOKEN)
    return connection.getresponse().status


WAYS: dict[str, tuple[Callable[[str], Any], type[BaseException]]] = {
    "aiohttp total": (
        lambda url: asyncio.run(_aiohttp(url, timeout=aiohttp.ClientTimeout(total=0.2))),
        asyncio.TimeoutError,
    ),
    "aiohttp sock_read": (
        lambda url: asyncio.run(_aiohttp(url, timeout=aiohttp.ClientTimeout(sock_read=0.2))),
        aiohttp.SocketTimeoutError,
    ),
    "aiohttp wait_for": (lambda url: asyncio.run(asyncio.wait_for(_aiohttp(url), 0.2)), asyncio.TimeoutError),
    "aiohttp cancelled": (lambda url: asyncio.run(_cancelled(_aiohttp(url))), asyncio.CancelledError),
    "httpx wait_for": (lambda url: asyncio.run(asyncio.wait_for(_httpx(url), 0.2)), asyncio.TimeoutError),
    "httpx cancelled": (lambda url: asyncio.run(_cancelled(_httpx(url))), asyncio.CancelledError),
    "httpx async read": (lambda url: asyncio.run(_httpx(url, timeout=0.2)), httpx.ReadTimeout),
    "httpx read": (lambda url: httpx.get(url, headers=TOKEN, timeout=0.2), httpx.ReadTimeout),
    "requests read": (lambda url: requests.get(url, headers=TOKEN, timeout=0.2), requests.ReadTimeout),
    "httpx timeout()": (lambda url: asyncio.run(_within(_httpx(url))), TimeoutError),
    "aiohttp timeout()": (lambda url: asyncio.run(_within(_aiohttp(url))), TimeoutError),
    "urllib read": (
        lambda url: urllib.request.urlopen(urllib.request.Request(url, headers=TOKEN), timeout=0.2),
        TimeoutError,
    ),
    "http.client read": (_http_client, TimeoutError),
    "urllib3 read": (
        lambda url: urllib3.request("GET", url, headers=TOKEN, timeout=0.2, retries=False),
        urllib3.exceptions.ReadTimeoutError,
    ),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of loops that end in mid-handshake
@pytest.mark.parametrize("way", WAYS)
def test_a_call_that_is_given_up_is_kept_and_given_up_again(
    cloud: Cloud,
    recording: Callable[..., Any],
    replaying: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    way: str,
) -> None:
    stuck(cloud, monkeypatch)
    call, error = WAYS[way]
    with recording(), pytest.raises(error):
        call(URL)
    text = (tmp_path / "test.yaml").read_text()
    assert text.count("fault: read-timeout") >= 1
    assert ("abandoned: true" in text) == (way.split()[1] in ("total", "wait_for", "cancelled", "timeout()"))
    with replaying(), pytest.raises(error):
        call(URL.replace(REAL.projects[REGION], REPLAYED.projects[REGION]))


def test_what_no_cassette_can_hold_is_told(tmp_path: Path, mapping: Any) -> None:
    from pytest_hwcloud.replay.recorder import Recorder
    from pytest_hwcloud.run.recording import NotRecordable, Tally, finish

    recorder = Recorder(tmp_path / "c.yaml", mapping)
    with router.using(recorder):
        recorder.failed(Request("GET", f"https://ecs.{REGION}.myhuaweicloud.com/x?a=1"), RuntimeError("odd"))
    router.leave()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        finish(Tally(), recorder, good=True)
    assert [(one.category, str(one.message)) for one in told] == [
        (
            NotRecordable,
            f"hwcloud: GET https://ecs.{REGION}.myhuaweicloud.com/x (RuntimeError) was not recorded: a cassette cannot "
            "hold how it ended. In a replay the call will find no answer",
        )
    ]


def test_a_text_in_a_coding_that_cannot_be_read_is_not_written(tmp_path: Path, mapping: Any) -> None:
    from pytest_hwcloud.cassettes.interaction import CassetteError
    from pytest_hwcloud.cloud.wire import Answer
    from pytest_hwcloud.replay.recorder import Recorder

    recorder = Recorder(tmp_path / "c.yaml", mapping)
    answer = Answer(200, {"Content-Type": "application/json", "Content-Encoding": "rot13"}, b"{}", "OK")
    recorder.heard(Request("GET", f"https://ecs.{REGION}.myhuaweicloud.com/x"), answer, time.time())
    with pytest.raises(CassetteError) as caught:
        recorder.commit(keep=True)
    assert str(caught.value) == (
        f"{tmp_path / 'c.yaml'}: not written: the answer to GET https://ecs.{REGION}.myhuaweicloud.com/x is a text in "
        "the coding 'rot13', which cannot be read here, so nothing tells whether it holds secrets. Install what reads "
        "it (brotli for br, zstandard for zstd), or let the program not accept it"
    )
    assert not (tmp_path / "c.yaml").exists()
