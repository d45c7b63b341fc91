"""The door for urllib3, and with it for requests, the SDK, openstacksdk and botocore.

vcrpy replaces urllib3's connections by stubs and swaps the real classes back while it works, which is where calls of
other threads escape. The pool's `_make_request` lies just above: no stub, no swap, urllib3's own response, retries,
redirects and errors. The connection objects stay urllib3's own and are never connected.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from io import BytesIO
from typing import Any

from pytest_hwcloud.cloud.transfer_coding import decoded
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.intercept import as_bytes, ask, lower, lowest, read_body
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
        body = options.get("body")
        if body is not None and not isinstance(body, (bytes, str)):
            body = options["body"] = read_body(body)
        request = Request(method, full, lower(options.get("headers") or {}), as_bytes(body))
        answer, fault = ask(router, request)
        if fault is not None:
            raise urllib3_error(fault.kind, pool, conn, url, options.get("timeout"))
        if answer is None:
            return _listen(patch, router, request, (pool, conn, method, url), options)
        return _respond(answer, pool, method, url, options)

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


def _respond(answer: Answer, pool: Any, method: str, url: str, options: Mapping[str, Any]) -> Any:
    from urllib3.response import HTTPResponse

    response = HTTPResponse(
        body=BytesIO(b"" if method == "HEAD" else answer.body),
        headers=answer.headers,
        status=answer.status,
        version=11,
        reason=answer.reason or None,
        preload_content=options.get("preload_content", True),
        decode_content=options.get("decode_content", True),
        original_response=with_cookies(answer),
        request_method=method,
        request_url=url,
        retries=options.get("retries"),
        enforce_content_length=False,  # scrubbing may have changed the length
    )
    response.version_string = "HTTP/1.1"  # an argument since urllib3 2.3 only
    held = options.get("response_conn")
    if held is not None:
        pool._put_conn(held)  # nothing is read from it, so it need not wait for the body
    response._pool = pool
    return response


def with_cookies(answer: Answer) -> Any:
    """requests reads cookies from the response below urllib3's; made only where there are some."""
    if answer.header("Set-Cookie") is None:
        return None
    from pytest_hwcloud.interceptors.http_client import response_of

    response = response_of(answer)
    response.read()
    return response


def _listen(
    patch: Patch, router: Router, request: Request, call: tuple[Any, Any, str, str], options: dict[str, Any]
) -> Any:
    """Let the call through, and tell the router what came back. The body is read here and given on from memory."""
    from urllib3.response import HTTPResponse

    started = time.time()
    pool, connection, *target = call
    # Below the stub of another's vcrpy cassette lies the real connection: what it would record is ours.
    connection = getattr(connection, "real_connection", connection)
    try:
        heard = patch.original(pool, connection, *target, **{**options, "preload_content": False})
        raw = heard.read(decode_content=False)
    except Exception as error:
        router.failed(request, error)
        raise
    headers, body = decoded(dict(heard.headers), raw)
    router.heard(request, Answer(heard.status, headers, body, heard.reason or ""), started)
    response = HTTPResponse(
        body=BytesIO(raw),
        headers=heard.headers,
        status=heard.status,
        version=heard.version,
        reason=heard.reason,
        preload_content=options.get("preload_content", True),
        decode_content=options.get("decode_content", True),
        original_response=heard._original_response,
        request_method=call[2],
        request_url=call[3],
        retries=options.get("retries"),
        enforce_content_length=False,
    )
    response.version_string = getattr(heard, "version_string", "HTTP/1.1")
    response._pool = call[0]
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
