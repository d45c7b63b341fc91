"""The door for httpx, sync and async: vcrpy's stubs around our cassette, for cloud hosts only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpcore
import httpx
from vcr.stubs.httpx_stubs import vcr_handle_async_request, vcr_handle_request

from pytest_hwcloud.interceptors.intercept import lower, lowest
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, CloudFault, Router
from pytest_hwcloud.interceptors.vcr_stub import CASSETTE


def patches() -> Iterator[Patch]:
    """The two transports that reach for the network."""
    yield Patch(httpx.HTTPTransport, "handle_request", _handle_request)
    yield Patch(httpx.AsyncHTTPTransport, "handle_async_request", _handle_async_request)


def _router(request: Any) -> Router | None:
    return CURRENT_ROUTER.of(request.url.netloc.decode("ascii")) if CURRENT_ROUTER.router is not None else None


def _handle_request(patch: Patch) -> object:
    played = vcr_handle_request(CASSETTE, lambda self, request: patch.original(self, request), httpx)

    def handle_request(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        router = _router(request)
        if router is None:
            return patch.original(self, request)
        try:
            return played(self, request)
        except CloudFault as met:
            fault = met
        except httpx.TransportError as error:
            router.failed(_wire(request), error)
            raise
        raise httpx_error(fault, request)  # out here: no error of ours in the chain that the client sees

    return handle_request


def _handle_async_request(patch: Patch) -> object:
    async def original(self: Any, request: Any) -> Any:
        return await patch.original(self, request)

    played = vcr_handle_async_request(CASSETTE, original, httpx)

    async def handle_async_request(self: Any, request: Any) -> Any:
        __tracebackhide__ = True
        router = _router(request)
        if router is None:
            return await patch.original(self, request)
        try:
            return await played(self, request)
        except CloudFault as met:
            fault = met
        except httpx.TransportError as error:
            router.failed(_wire(request), error)
            raise
        raise httpx_error(fault, request)  # out here: no error of ours in the chain that the client sees

    return handle_async_request


def _wire(request: Any) -> Any:
    from pytest_hwcloud.cloud.wire import Request

    return Request(request.method, str(request.url), lower(request.headers), request.content)


_HTTPX = {
    "dns": "ConnectError",
    "connection-refused": "ConnectError",
    "connection-reset": "ReadError",
    "connect-timeout": "ConnectTimeout",
    "read-timeout": "ReadTimeout",
    "tls": "ConnectError",
}


def httpx_error(fault: CloudFault, request: Any) -> Exception:
    """What httpx raises; httpcore's own error and the lowest one are its causes."""
    name, cause = _HTTPX[fault.kind], lowest(fault.kind)
    middle: Exception = getattr(httpcore, name)(str(cause))
    middle.__cause__ = cause
    error: Exception = getattr(httpx, name)(str(cause), request=request)
    error.__cause__ = middle
    return error
