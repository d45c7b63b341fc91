"""The door for urllib3, and with it for requests, the SDK, openstacksdk and botocore.

vcrpy replaces urllib3's connections by stubs and swaps the real classes back while it works, which is where calls of
other threads escape. The pool's `_make_request` lies just above: no stub, no swap, urllib3's own response, retries,
redirects and errors. The connection objects stay urllib3's own and are never connected.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors import http_client
from pytest_hwcloud.interceptors.intercept import ask, lower, lowest, read_once
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, Router, host_of

_PORTS = {"https": 443, "http": 80}


def patches() -> Iterator[Patch]:
    """The pool's request, and the tunnel that it would build through a proxy before it."""
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    yield Patch(HTTPConnectionPool, "_make_request", _make_request)
    yield Patch(HTTPSConnectionPool, "_prepare_proxy", _prepare_proxy)


def _make_request(patch: Patch) -> object:
    def make_request(pool: Any, conn: Any, method: str, url: str, **options: Any) -> Any:
        __tracebackhide__ = True  # what the user sees is the client's own traceback
        full = url if "://" in url[:8] else f"{pool.scheme}://{_authority(pool)}{url}"
        router = CURRENT_ROUTER.of(host_of(full))
        if router is None:
            return patch.original(pool, conn, method, url, **options)
        body, options["body"] = read_once(options.get("body"))
        request = Request(method, full, lower(options.get("headers") or {}), body)
        answer, fault = ask(router, request)
        if fault is not None:
            raise urllib3_error(fault.kind, pool, conn, url, options.get("timeout"))
        if answer is None:
            return _listen(patch, router, request, (pool, conn, method, url), options)
        return _respond(answer, request, pool, url, options)

    return make_request


def _prepare_proxy(patch: Patch) -> object:
    def prepare_proxy(pool: Any, conn: Any, *args: Any, **kwargs: Any) -> Any:
        if CURRENT_ROUTER.offline and CURRENT_ROUTER.of(_authority(pool)) is not None:
            return None
        return patch.original(pool, conn, *args, **kwargs)

    return prepare_proxy


def _authority(pool: Any) -> str:
    host = f"[{pool.host}]" if ":" in pool.host else pool.host
    return host if pool.port in (None, _PORTS.get(pool.scheme)) else f"{host}:{pool.port}"


def _respond(answer: Answer, request: Request, pool: Any, url: str, options: Mapping[str, Any]) -> Any:
    from urllib3.response import HTTPResponse

    preload = options.get("preload_content", True)
    response: Any = HTTPResponse(
        **made_of(answer, request, url),
        preload_content=preload,
        decode_content=options.get("decode_content", True),
        retries=options.get("retries"),
    )
    response.version_string = answer.protocol or "HTTP/1.1"  # an argument since urllib3 2.3 only
    response._connection = options.get("response_conn")
    response._pool = pool
    if preload or response._original_response.isclosed():
        response.release_conn()
    return response


def made_of(answer: Answer, request: Request, url: str) -> dict[str, Any]:
    """What urllib3 makes its response of: http.client's, and what is read from that."""
    from urllib3._collections import HTTPHeaderDict

    below = http_client.response_of(answer, request)
    return {
        "body": below,
        "headers": HTTPHeaderDict(below.getheaders()),
        "status": below.status,
        "version": below.version,
        "reason": below.reason,
        "original_response": below,
        "request_method": request.method,
        "request_url": url,
    }


def _listen(
    patch: Patch, router: Router, request: Request, call: tuple[Any, Any, str, str], options: dict[str, Any]
) -> Any:
    """Let the call through and listen to what comes back; the response is urllib3's own, as it made it."""
    started = time.time()
    pool, connection, *target = call
    # Below the stub of another's vcrpy cassette lies the real connection: what it would record is ours.
    connection = getattr(connection, "real_connection", connection)
    preload = options.get("preload_content", True)
    try:
        response = patch.original(pool, connection, *target, **{**options, "preload_content": False})
    except Exception as error:
        router.failed(request, error)
        raise
    below = response._original_response
    if below is not None:
        http_client.listen(router, request, started, below)
    if preload and not response._body:
        response._body = response.read(decode_content=response.decode_content)
    return response


def urllib3_error(kind: str, pool: Any, connection: Any, url: str, timeout: object) -> Exception:
    """What urllib3's connection raises to its pool, which wraps and retries as it does with real ones."""
    from urllib3 import exceptions

    cause = lowest(kind)
    error: Exception = cause
    match kind:
        case "dns":
            error = exceptions.NameResolutionError(connection.host, connection, cause)  # type: ignore[arg-type]
        case "connection-refused":
            error = exceptions.NewConnectionError(connection, f"Failed to establish a new connection: {cause}")
        case "connect-timeout":
            text = f"Connection to {connection.host} timed out. (connect timeout={connection.timeout})"
            error = exceptions.ConnectTimeoutError(connection, text)
        case "read-timeout":
            seconds = getattr(timeout, "read_timeout", None)
            error = exceptions.ReadTimeoutError(pool, url, f"Read timed out. (read timeout={seconds})")
    if error is not cause:
        error.__cause__ = cause
    return error
