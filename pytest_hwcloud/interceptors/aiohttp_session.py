"""The door for aiohttp: vcrpy's stub around our cassette, for cloud hosts only."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import client_reqrep
from vcr.stubs.aiohttp_stubs import vcr_request

from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.interceptors.intercept import lower, lowest
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, CloudFault
from pytest_hwcloud.interceptors.vcr_stub import CASSETTE


def patches() -> Iterator[Patch]:
    """The one method through which every call of a session goes."""
    yield Patch(aiohttp.ClientSession, "_request", _request)


def _request(patch: Patch) -> object:
    async def original(self: Any, method: str, url: Any, **options: Any) -> Any:
        return await patch.original(self, method, url, **options)

    played = vcr_request(CASSETTE, original)

    async def request(self: Any, method: str, url: Any, **options: Any) -> Any:
        __tracebackhide__ = True
        full = str(self._build_url(url))
        router = CURRENT_ROUTER.of_url(full)
        if router is None:
            return await patch.original(self, method, url, **options)
        try:
            return await played(self, method, full if router.offline else url, **options)
        except CloudFault as met:
            fault = met
        except aiohttp.ClientConnectionError as error:
            router.failed(Request(method.upper(), full, lower(options.get("headers") or {})), error)
            raise
        raise aiohttp_error(fault, full)  # out here: no error of ours in the chain that the client sees

    return request


def aiohttp_error(fault: CloudFault, url: str) -> Exception:
    """What aiohttp raises."""
    cause = lowest(fault.kind)
    match fault.kind:
        case "dns":
            kind: Any = getattr(aiohttp, "ClientConnectorDNSError", aiohttp.ClientConnectorError)
            error: Exception = kind(_connection_key(url), cause)
        case "connection-refused":
            error = aiohttp.ClientConnectorError(_connection_key(url), cause)
        case "tls":
            error = aiohttp.ClientConnectorCertificateError(_connection_key(url), cause)
        case "connect-timeout":
            error = getattr(aiohttp, "ConnectionTimeoutError", aiohttp.ServerTimeoutError)(
                f"Connection timeout to host {url}"
            )
        case "read-timeout":
            kind = getattr(aiohttp, "SocketTimeoutError", aiohttp.ServerTimeoutError)
            error = kind("Timeout on reading data from socket")
        case _:
            error = aiohttp.ClientOSError(cause.errno, cause.strerror)
    error.__cause__ = cause
    return error


def _connection_key(url: str) -> Any:
    connection_key: Any = client_reqrep.ConnectionKey
    split = urlsplit(url)
    secure = split.scheme == "https"
    known = {"host": split.hostname, "port": split.port or (443 if secure else 80), "is_ssl": secure, "ssl": True}
    return connection_key(**{name: known.get(name) for name in connection_key._fields})
