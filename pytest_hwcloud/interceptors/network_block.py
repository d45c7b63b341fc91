"""The wall behind the cassettes: in a replay no thread looks a cloud host up or connects to it."""

from __future__ import annotations

import re
import socket
import ssl
from collections.abc import Iterator
from typing import Any

from pytest_hwcloud.cloud.endpoints import is_cloud_host
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, NotRecorded

_LOOKUPS = ("getaddrinfo", "gethostbyname", "gethostbyname_ex")
_LOOPBACK = re.compile(r"localhost|::1|127(?:\.\d+){3}").fullmatch


class NetworkBlocked(NotRecorded):
    """A call came past every door and reached for a cloud host in a replay."""


def patches() -> Iterator[Patch]:
    """Name lookup, connect, and the name in the TLS handshake (which a proxy or a foreign resolver cannot hide)."""
    for name in _LOOKUPS:
        yield Patch(socket, name, _lookup)
    for name in ("connect", "connect_ex"):
        yield Patch(socket.socket, name, _connect)
    for name in ("wrap_socket", "wrap_bio"):
        yield Patch(ssl.SSLContext, name, _handshake)


def _lookup(patch: Patch) -> object:
    def lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check(host, args[0] if args else kwargs.get("port"))
        return patch.original(host, *args, **kwargs)

    return lookup


def _connect(patch: Patch) -> object:
    def connect(self: socket.socket, address: Any) -> Any:
        if isinstance(address, tuple) and len(address) >= 2:
            _check(address[0], address[1])
        return patch.original(self, address)

    return connect


def _handshake(patch: Patch) -> object:
    def wrap(self: ssl.SSLContext, *args: Any, **kwargs: Any) -> Any:
        names = (*args, kwargs.get("server_hostname"))
        _check(next((name for name in names if isinstance(name, str)), None), 443)
        return patch.original(self, *args, **kwargs)

    return wrap


def _check(host: object, port: object) -> None:
    if not CURRENT_ROUTER.blocked or not host:
        return
    name = host.decode("latin-1") if isinstance(host, (bytes, bytearray)) else str(host)
    if _is_loopback(name) or not is_cloud_host(name, CURRENT_ROUTER.hosts):
        return
    error = NetworkBlocked(_text(name, port), Request("CONNECT", f"https://{name}:{port or 443}"))
    unrecorded = getattr(CURRENT_ROUTER.router, "unrecorded", None)
    if isinstance(unrecorded, list):
        unrecorded.append(error)  # the test fails also where the client swallows this
    raise error


def _is_loopback(name: str) -> bool:
    return _LOOPBACK(name) is not None


def _text(host: str, port: object) -> str:
    place = f"{host}:{port}" if port else host
    return (
        f"hwcloud: pytest-hwcloud blocked a connection to {place}: in replay mode no cloud test reaches a cloud host\n"
        "  cause      the call was made by a client that is not answered from cassettes, or after its test was over\n"
        "  fix        make the call within the test, with requests, urllib3, httpx, aiohttp, http.client or the SDK;\n"
        "             or let it out with --hwcloud-mode=live (nothing is written) or --hwcloud-mode=record"
    )
