"""Failures as the real client libraries show them, over loopback."""

# ruff: noqa: E501, F811 - literal messages stay in one piece; fixtures are imported by name

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

import aiohttp
import httpx
import pytest
import requests
import urllib3
from failure_server import APIGW, ECS_0110, NOWHERE, closed_port, no_name_resolves, raised, serve, server, told  # noqa: F401

from pytest_hwcloud.cloud.failures import read

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


def aio(url: str, raise_for_status: bool = False, **options: object) -> aiohttp.ClientResponse:
    async def call() -> aiohttp.ClientResponse:
        async with (
            aiohttp.ClientSession(raise_for_status=raise_for_status) as session,
            session.get(url, **options) as response,
        ):  # type: ignore[arg-type]
            await response.read()
            return response

    return asyncio.run(call())


# --- answers ---

ANSWERS: dict[str, Callable[[str], object]] = {
    "requests": requests.get,
    "httpx": httpx.get,
    "urllib3": lambda url: urllib3.PoolManager().request("GET", url),
    "aiohttp": aio,
}


@pytest.mark.parametrize("client", ANSWERS)
def test_an_answer_object(client, server):
    server.says(403, ECS_0110, {"X-Request-Id": "1c1d07572cb568467f65515a2353f3a9"})
    failure = told(ANSWERS[client](f"{server.url}/v1/p/cloudservers/detail"))
    assert (failure.code, failure.status, failure.gate) == ("Ecs.0110", 403, "authorization")
    assert failure.request_id == "1c1d07572cb568467f65515a2353f3a9"
    assert failure.url == f"{server.url}/v1/p/cloudservers/detail" or (
        client == "urllib3" and str(failure.url).endswith("detail")
    )


@pytest.mark.parametrize("client", ANSWERS)
def test_a_successful_answer_is_no_failure(client, server):
    server.says(200, {"count": 8, "servers": []})
    assert read(ANSWERS[client](server.url)) is None


@pytest.mark.parametrize(
    "header",
    ["X-Request-Id", "x-obs-request-id", "x-amz-request-id", "x-openstack-request-id", "x-compute-request-id", "X-IAM-Trace-Id",
     "X-Cff-Request-Id"],
)  # fmt: skip
def test_request_ids_of_every_header(header, server):
    server.says(404, {"itemNotFound": {"message": "gone", "code": 404}}, {header: "the-id"})
    assert told(requests.get(server.url)).request_id == "the-id"


def test_the_request_id_of_the_body_where_no_header_has_it(server):
    server.says(401, APIGW)
    assert told(requests.get(server.url)).request_id == "0e812a89eee650de8e1f55cdae28b2c9"


def test_a_streamed_answer_that_says_its_size_is_read(server):
    server.says(403, ECS_0110)
    with requests.get(server.url, stream=True) as response:
        assert told(response).code == "Ecs.0110"


# --- exceptions of requests, urllib3, httpx, aiohttp ---


def test_raise_for_status(server):
    server.says(401, APIGW)
    for error in (
        raised(lambda: requests.get(server.url).raise_for_status()),
        raised(lambda: httpx.get(server.url).raise_for_status()),
    ):
        failure = told(error)
        assert (failure.code, failure.kind, failure.method) == ("APIGW.0301", "token-invalid", "GET")
        assert failure.client == type(error).__name__


def test_aiohttp_raise_for_status_keeps_only_status_and_url(server):
    server.says(401, APIGW, {"X-Request-Id": "r1"})
    failure = told(raised(lambda: aio(server.url, raise_for_status=True)))
    assert (failure.code, failure.status, failure.gate, failure.request_id) == (None, 401, "authentication", "r1")
    assert failure.url == f"{server.url}/" or failure.url == server.url


DOWN: dict[str, Callable[[str], object]] = {
    "requests": lambda url: requests.get(url, timeout=3),
    "httpx": lambda url: httpx.get(url, timeout=3),
    "urllib3": lambda url: urllib3.PoolManager(retries=False).request("GET", url, timeout=3),
    "urllib3-retry": lambda url: urllib3.PoolManager(retries=1).request("GET", url, timeout=3),
    "aiohttp": lambda url: aio(url, timeout=aiohttp.ClientTimeout(total=3)),
}


@pytest.mark.parametrize("client", DOWN)
def test_a_name_that_does_not_resolve(client):
    failure = told(raised(lambda: DOWN[client](NOWHERE)))
    assert (failure.gate, failure.kind, failure.fault, failure.code) == ("network", "dns", "dns", None)
    assert failure.host == "nowhere.invalid"


@pytest.mark.parametrize("client", DOWN)
def test_a_refused_connection(client, closed_port):
    failure = told(raised(lambda: DOWN[client](closed_port)))
    assert (failure.gate, failure.kind, failure.fault) == ("network", "network", "connection-refused")
    assert failure.host == "127.0.0.1"


@pytest.mark.parametrize("client", DOWN)
def test_a_connection_closed_without_an_answer(client):
    with serve() as server:
        server.behaviour = "close"
        failure = told(raised(lambda: DOWN[client](server.url)))
    assert (failure.gate, failure.fault) == ("network", "connection-reset")


@pytest.mark.parametrize("client", DOWN)
def test_a_read_timeout(client):
    quick = {
        "requests": lambda url: requests.get(url, timeout=0.05),
        "httpx": lambda url: httpx.get(url, timeout=0.05),
        "urllib3": lambda url: urllib3.PoolManager(retries=False).request("GET", url, timeout=0.05),
        "urllib3-retry": lambda url: urllib3.PoolManager(retries=1).request("GET", url, timeout=0.05),
        "aiohttp": lambda url: aio(url, timeout=aiohttp.ClientTimeout(total=0.05)),
    }
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        failure = told(raised(lambda: quick[client](f"http://127.0.0.1:{silent.getsockname()[1]}/")))
    assert (failure.gate, failure.kind, failure.fault) == ("network", "timeout", "read-timeout")


@pytest.mark.parametrize("client", DOWN)
def test_tls_to_a_port_that_speaks_plain_http(client, server):
    server.says(200, b"")
    failure = told(raised(lambda: DOWN[client](server.url.replace("http:", "https:"))))
    assert (failure.gate, failure.kind, failure.fault) == ("network", "tls", "tls")


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (socket.gaierror(11001, "getaddrinfo failed"), "dns"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "dns"),
        (ConnectionRefusedError(111, "Connection refused"), "connection-refused"),
        (ConnectionResetError(104, "Connection reset by peer"), "connection-reset"),
        (BrokenPipeError(32, "Broken pipe"), "connection-reset"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "tls"),
        (TimeoutError("timed out"), "read-timeout"),
        (requests.exceptions.ConnectTimeout("connect timeout=2"), "connect-timeout"),
        (httpx.ConnectTimeout("timed out"), "connect-timeout"),
        (httpx.ConnectError("[Errno 8] nodename nor servname provided, or not known"), "dns"),
    ],
)
def test_raw_errors(error, fault):
    assert told(error).fault == fault


@pytest.mark.parametrize(
    "error", [FileNotFoundError("x"), ValueError("x"), KeyError("Ecs.0110"), EOFError(), RuntimeError("Ecs.0110")]
)
def test_errors_that_tell_of_no_call(error):
    assert read(error) is None


def test_groups_causes_and_contexts(server):
    server.says(403, ECS_0110)
    inner = raised(lambda: requests.get(server.url).raise_for_status())
    wrapped = RuntimeError("listing failed")
    wrapped.__cause__ = inner
    assert told(wrapped).code == "Ecs.0110"
    assert told(ExceptionGroup("two", [ValueError("x"), inner])).code == "Ecs.0110"  # type: ignore[type-var]
    hidden = RuntimeError("other")
    hidden.__context__, hidden.__suppress_context__ = inner, True
    assert read(hidden) is None
