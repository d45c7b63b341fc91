"""The wall behind the cassettes: in a replay no thread looks a cloud host up or connects to it.

Closed as deep as Python reaches: look-ups in the C module (a `getaddrinfo` that was imported before us ends there),
connections, the name in the TLS handshake (which a proxy or a foreign resolver cannot hide), the request to a plain
HTTP proxy, and the entrances of clients that bring their own network stack (uvloop, pycurl, curl_cffi).
"""

from __future__ import annotations

import _socket
import http.client
import re
import socket
import ssl
import sys
from collections.abc import Iterator
from types import ModuleType
from typing import Any

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.endpoints import is_cloud_host
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, NotRecorded

_BY_NAME = ("gethostbyname", "gethostbyname_ex", "gethostbyaddr")
_LOOPBACK = re.compile(r"localhost|::1|127(?:\.\d+){3}").fullmatch
_HOST = re.compile(r"(?:[a-z][a-z0-9+.-]*://)?(?:[^/?#@]*@)?(\[[^\]]*\]|[^/?#:]+)(?::(\d+))?", re.I).match


class NetworkBlocked(NotRecorded):
    """A call came past every door and reached for a cloud host in a replay."""

    @property
    def hwcloud_news(self) -> str:
        """`NetworkBlocked ecs.cn-north-4.myhuaweicloud.com:443`."""
        return f"NetworkBlocked {self.request.url.partition('://')[2]}"


def patches() -> Iterator[Patch]:
    """Name look-up, connect, datagrams and fast open, the handshake, and requests to a proxy."""
    for module in (socket, _socket):
        yield Patch(module, "getaddrinfo", _lookup)
        for name in _BY_NAME:
            yield Patch(module, name, _lookup)
    for name in ("socket", "SocketType"):
        yield Patch(_socket, name, _plain_socket)
    for name in ("connect", "connect_ex"):
        yield Patch(socket.socket, name, _connect)
    yield Patch(socket.socket, "sendto", _sendto)
    if hasattr(socket.socket, "sendmsg"):
        yield Patch(socket.socket, "sendmsg", _sendmsg)
    for name in ("wrap_socket", "wrap_bio"):
        yield Patch(ssl.SSLContext, name, _handshake)
    yield Patch(http.client.HTTPConnection, "putrequest", _putrequest)


def uvloop_patches() -> Iterator[Patch]:
    """uvloop has its own resolver, sockets and child processes, in C."""
    import uvloop

    from pytest_hwcloud.interceptors.child_processes import loop_patches

    yield from loop_patches(uvloop.Loop)
    for name in ("getaddrinfo", "create_connection", "create_datagram_endpoint"):
        yield Patch(uvloop.Loop, name, _uvloop)


def pycurl_patches() -> Iterator[Patch]:
    """libcurl, bound by pycurl: handles are made from a class of ours, also where the name was imported before."""
    recording = sys.modules.get("pytest_recording.network")  # puts an object in the place of the module
    module: Any = getattr(recording, "pycurl", None) or sys.modules["pycurl"]
    original, ours = module.Curl, _curl_class(module)
    for other in [one for one in sys.modules.values() if isinstance(one, ModuleType)]:
        names = [name for name, value in list(vars(other).items()) if value is original]
        yield from (Patch(other, name, lambda patch: ours) for name in names)
    if getattr(recording, "Curl", None) is not None:
        yield Patch(recording.Curl, "__init__", lambda patch: lambda self: setattr(self, "handle", ours()))  # type: ignore


def curl_cffi_patches() -> Iterator[Patch]:
    """libcurl, bound by curl_cffi."""
    from curl_cffi import Curl

    yield Patch(Curl, "setopt", _curl_cffi)


def _lookup(patch: Patch) -> object:
    def lookup(host: Any, *args: Any, **kwargs: Any) -> Any:
        _check(host, args[0] if args else kwargs.get("port"))
        return patch.original(host, *args, **kwargs)

    return lookup


def _connect(patch: Patch) -> object:
    def connect(self: socket.socket, address: Any) -> Any:
        _check_address(address)
        return patch.original(self, address)

    return connect


def _sendto(patch: Patch) -> object:
    def sendto(self: socket.socket, data: Any, *rest: Any) -> Any:
        _check_address(rest[-1] if rest else None)
        return patch.original(self, data, *rest)

    return sendto


def _sendmsg(patch: Patch) -> object:
    def sendmsg(self: socket.socket, buffers: Any, ancdata: Any = (), flags: int = 0, address: Any = None) -> Any:
        _check_address(address)
        given = () if address is None else (address,)
        return patch.original(self, buffers, ancdata, flags, *given)

    return sendmsg


def _plain_socket(patch: Patch) -> object:
    """For who takes the class out of the C module."""

    class GuardedSocket(_socket.socket):
        __slots__ = ()

        def connect(self, address: Any) -> None:
            _check_address(address)
            super().connect(address)

        def connect_ex(self, address: Any) -> int:
            _check_address(address)
            return super().connect_ex(address)

        def sendto(self, data: Any, *rest: Any) -> int:
            _check_address(rest[-1] if rest else None)
            return super().sendto(data, *rest)

    return GuardedSocket


def _handshake(patch: Patch) -> object:
    def wrap(self: ssl.SSLContext, *args: Any, **kwargs: Any) -> Any:
        names = (*args, kwargs.get("server_hostname"))
        _check(next((name for name in names if isinstance(name, (str, bytes, bytearray))), None), 443)
        return patch.original(self, *args, **kwargs)

    return wrap


def _putrequest(patch: Patch) -> object:
    """A request with an absolute URL is for a proxy, which would look the host up."""

    def putrequest(self: http.client.HTTPConnection, method: str, url: str, *args: Any, **kwargs: Any) -> Any:
        if "://" in url[:8] and not is_cloud_host(self.host, CURRENT_ROUTER.hosts):
            _check_url(url)
        return patch.original(self, method, url, *args, **kwargs)

    return putrequest


def _uvloop(patch: Patch) -> object:
    def reach(self: Any, *args: Any, **kwargs: Any) -> Any:
        named = (kwargs.get("host"), kwargs.get("server_hostname"), kwargs.get("remote_addr"))
        for one in (*args, *named):
            host = one[0] if isinstance(one, tuple) and one else one
            if isinstance(host, (str, bytes)):
                _check(host, kwargs.get("port"))
        return patch.original(self, *args, **kwargs)

    return reach


def _curl_class(pycurl: Any) -> type[object]:
    class Curl(pycurl.Curl):  # type: ignore[misc]
        def setopt(self, option: int, value: Any) -> Any:
            _check_option(option, value)
            return super().setopt(option, value)

        def setopt_string(self, option: int, value: Any) -> Any:
            _check_option(option, value)
            return super().setopt_string(option, value)

    def _check_option(option: int, value: object) -> None:
        if option in (pycurl.URL, getattr(pycurl, "CURLU", None)):
            _check_url(value if isinstance(value, (str, bytes, bytearray)) else getattr(value, "url", value))

    return Curl


def _curl_cffi(patch: Patch) -> object:
    from curl_cffi import CurlOpt

    def setopt(self: Any, option: int, value: Any) -> Any:
        if option == CurlOpt.URL:
            _check_url(value)
        return patch.original(self, option, value)

    return setopt


def _check_address(address: object) -> None:
    if isinstance(address, tuple) and len(address) >= 2:
        _check(address[0], address[1])


def _check_url(url: object) -> None:
    text = url.decode("latin-1") if isinstance(url, (bytes, bytearray)) else str(url)
    found = _HOST(text.strip())
    if found:
        _check(found[1], found[2] or (80 if text.lower().startswith("http:") else 443))


def _check(host: object, port: object) -> None:
    if not (CURRENT_ROUTER.blocked or CURRENT_ROUTER.late) or not host:
        return
    name = host.decode("latin-1") if isinstance(host, (bytes, bytearray)) else str(host)
    if _is_loopback(name) or not is_cloud_host(name, CURRENT_ROUTER.hosts):
        return
    request = Request("CONNECT", f"https://{name}:{port or 443}")
    late = CURRENT_ROUTER.late() if CURRENT_ROUTER.late is not None else None
    if late is not None:
        late.answer(request)
    if not CURRENT_ROUTER.blocked:
        return
    error = NetworkBlocked(_text(name, port), request)
    unrecorded = getattr(CURRENT_ROUTER.router, "unrecorded", None)
    if isinstance(unrecorded, list):
        unrecorded.append(error)  # the test fails also where the client swallows this
    raise error


def _is_loopback(name: str) -> bool:
    return _LOOPBACK(name) is not None


def _text(host: str, port: object) -> str:
    return texts.say("gateway.blocked", place=f"{host}:{port}" if port else host)
