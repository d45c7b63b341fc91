"""The interceptor of aiohttp: where its connector would connect, a connection that answers.

Everything above is aiohttp's own: sessions, middlewares, trace configs, retries, redirects, cookies, decoding,
timeouts, connectors that users derive from TCPConnector. A replayed connection speaks the bytes of HTTP; a real one is
listened to. Each serves one call, so that no call finds a connection of another test.
"""

from __future__ import annotations

import asyncio
import sys
import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import aiohttp
from aiohttp import client_reqrep

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.intercept import AT_CONNECT, PATIENCE, ask, lowest
from pytest_hwcloud.interceptors.listening import Head, Hearing
from pytest_hwcloud.interceptors.messages import read_request, written
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, CloudFault, Router

_END = b"\r\n\r\n"


def patches() -> Iterator[Patch]:
    """The one method by which a connector comes to a connection."""
    yield Patch(aiohttp.TCPConnector, "_create_connection", _create_connection)


def _create_connection(patch: Patch) -> object:
    async def create_connection(self: Any, req: Any, traces: Any, timeout: Any) -> Any:
        __tracebackhide__ = True
        router = CURRENT_ROUTER.of(f"{req.url.raw_host}:{req.url.port}") if CURRENT_ROUTER.router is not None else None
        if router is None:
            return await patch.original(self, req, traces, timeout)
        wire = _wire(req)
        answer, fault = ask(router, wire)
        if fault is not None and fault.abandoned:
            await asyncio.sleep(PATIENCE)  # the caller gave up when it was recorded, and does so now
        if fault is not None and fault.kind in AT_CONNECT:
            raise aiohttp_error(fault, wire.url)
        if answer is not None or fault is not None:
            protocol = self._factory()
            protocol.connection_made(_Played(protocol, wire, answer, fault))
            return protocol
        try:
            protocol = await patch.original(self, req, traces, timeout)
        except BaseException as error:  # a cancelled call too
            router.failed(wire, error)
            raise
        _Listener(router, wire, protocol)
        return protocol

    return create_connection


class _Played(asyncio.Transport):
    """The transport of a connection that was never made: it takes the request and gives the recorded answer."""

    def __init__(self, protocol: Any, asked: Request, answer: Answer | None, fault: CloudFault | None) -> None:
        super().__init__({"peername": ("127.0.0.1", 443), "sockname": ("127.0.0.1", 0)})
        self._protocol, self._asked, self._answer, self._fault = protocol, asked, answer, fault
        self._sent = bytearray()
        self._given = self._closed = self._continued = False
        self._base = asked.url[: asked.url.find("/", 8)] if "/" in asked.url[8:] else asked.url

    def write(self, data: Any) -> None:
        """Collect the request; when it is whole, answer."""
        self._sent += data
        if not self._given and (sent := read_request(bytes(self._sent), self._base)) is not None:
            self._given = True
            asyncio.get_running_loop().call_soon(self._give, sent)
        elif not self._given and not self._continued and _END in self._sent:
            head = bytes(self._sent).partition(_END)[0].lower()
            if b"\r\nexpect: 100-continue" in head:  # the client keeps the body back until it gets "100 Continue"
                self._continued = True
                go_on = b"HTTP/1.1 100 Continue\r\n\r\n"
                asyncio.get_running_loop().call_soon(self._protocol.data_received, go_on)

    def writelines(self, pieces: Any) -> None:
        self.write(b"".join(pieces))

    def _give(self, sent: Request) -> None:
        if self._closed:
            return
        if self._answer is not None:
            self._protocol.data_received(written(self._answer, sent))
            if (
                self._answer.framing == "close" or self._answer.missing
            ):  # the end of the connection is the end of the body
                self.close()
        elif self._fault is not None:
            error = aiohttp_error(self._fault, self._asked.url)
            if self._fault.kind == "connection-reset":
                self._closed = True
                self._protocol.connection_lost(error.__cause__)
            else:
                self._protocol.set_exception(error, error.__cause__)

    def is_closing(self) -> bool:
        """Closed for further calls as soon as the answer is given: each call asks for itself."""
        return self._closed or self._given

    def close(self) -> None:
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().call_soon(self._protocol.connection_lost, None)

    abort = close

    def get_protocol(self) -> Any:
        return self._protocol

    def set_protocol(self, protocol: Any) -> None:
        self._protocol = protocol

    def pause_reading(self) -> None:
        """Everything has been given."""

    def resume_reading(self) -> None:
        """Everything has been given."""

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        """Nothing waits to be written."""


class _Listener:
    """Copies what goes over a real connection of aiohttp's: the request, then the answer."""

    def __init__(self, router: Router, asked: Request, protocol: Any) -> None:
        self._router, self._asked, self._started = router, asked, time.time()
        self._protocol, self._transport = protocol, protocol.transport
        self._sent, self._head = bytearray(), bytearray()
        self._hearing: Hearing | None = None
        self._over = False
        protocol.force_close()  # one call a connection
        protocol.transport = _Tap(self, protocol.transport)
        self._received, self._lost = protocol.data_received, protocol.connection_lost
        protocol.data_received, protocol.connection_lost = self.data_received, self.connection_lost
        _reroute(self._transport, protocol)

    def data_received(self, data: bytes) -> None:
        self._took(bytes(data))
        self._received(data)

    def connection_lost(self, error: Exception | None) -> None:
        cause = error or self._gave_up()
        if cause is None and self._hearing is not None and not self._over:
            self._over = True
            self._hearing.cut()
        self.closed(cause)
        self._lost(error)

    def write(self, data: Any) -> None:
        self._sent += data

    def closing(self) -> None:
        """The client closes: after the answer, in the middle of it, or because it gave up."""
        self.closed(self._gave_up())

    def _gave_up(self) -> BaseException | None:
        """The exception because of which the client closes, if it does so because of one."""
        found = sys.exception() if sys.version_info >= (3, 11) else sys.exc_info()[1]
        return found if found is not None else self._protocol.exception()

    def closed(self, error: BaseException | None) -> None:
        if self._over:
            return
        if self._hearing is not None:
            self._over = True
            if error is None or (self._hearing.length is None and not self._hearing.chunked):
                self._hearing.ended()
            else:
                self._hearing.failed(error)
        elif error is not None:
            self._over = True
            self._router.failed(self._request(), error)
        else:
            self._over = True
            self._router.failed(self._request(), aiohttp.ServerDisconnectedError())

    def _request(self) -> Request:
        base = self._asked.url[: self._asked.url.find("/", 8)]
        return read_request(bytes(self._sent), base) or self._asked

    def _took(self, data: bytes) -> None:
        if self._hearing is None:
            self._head += data
            while self._hearing is None:
                before, end, data = bytes(self._head).partition(_END)
                if not end:
                    return
                first, *lines = before.decode("latin-1").split("\r\n")
                _, status, reason = f"{first}  ".split(" ", 2)
                if status.isdigit() and 100 <= int(status) < 200:  # 100 Continue, and the like
                    self._head = bytearray(data)
                    continue
                pairs = (line.partition(":") for line in _unfolded(lines))
                head = Head(
                    status=int(status) if status.isdigit() else 0,
                    reason=reason.strip(),
                    fields=[(name, value.strip()) for name, _, value in pairs],
                    framed=True,
                    protocol=first[:8],
                )
                self._hearing = Hearing(self._router, self._request(), self._started, head)
        self._hearing.took(data)
        self._over = self._over or self._hearing.over


def _unfolded(lines: list[str]) -> list[str]:
    """Header lines; one that begins with a blank goes on with the line before it."""
    found: list[str] = []
    for line in lines:
        if line[:1] in (" ", "\t") and found:
            found[-1] += line
        else:
            found.append(line)
    return found


class _Tap:
    """A real transport, and a word to the listener for what is written and when it is closed."""

    def __init__(self, listener: _Listener, transport: Any) -> None:
        self._listener, self._below = listener, transport

    def __getattr__(self, name: str) -> Any:
        return getattr(self._below, name)

    def write(self, data: Any) -> None:
        self._listener.write(data)
        self._below.write(data)

    def writelines(self, pieces: Any) -> None:
        held = list(pieces)
        for piece in held:
            self._listener.write(piece)
        self._below.writelines(held)

    def close(self) -> None:
        self._listener.closing()
        self._below.close()

    def abort(self) -> None:
        self._listener.closing()
        self._below.abort()


def _reroute(transport: Any, protocol: Any) -> None:
    """Loops that keep a protocol's methods (uvloop) take them again."""
    if transport is not None and "uvloop" in type(transport).__module__:
        transport.set_protocol(protocol)


def _wire(req: Any) -> Request:
    """aiohttp's request as ours. A body that only its writer can write out is not known before."""
    url = req.url
    port = f":{url.explicit_port}" if url.explicit_port else ""
    host = f"[{url.raw_host}]" if ":" in (url.raw_host or "") else url.raw_host
    headers: dict[str, str] = {}
    for name, value in req.headers.items():  # a name may come several times
        low = name.lower()
        headers[low] = f"{headers[low]}, {value}" if low in headers else str(value)
    return Request(req.method.upper(), f"{url.scheme}://{host}{port}{url.raw_path_qs}", headers, _body(req))


def _body(req: Any) -> bytes:
    body = getattr(req, "body", None)
    value = getattr(body, "_value", body)
    if isinstance(value, (bytes, bytearray, memoryview)):
        return bytes(value)
    if isinstance(value, str):
        return value.encode(getattr(body, "encoding", None) or "utf-8")
    if value is not None and callable(getattr(value, "read", None)) and callable(getattr(value, "seek", None)):
        place = value.tell()
        content = value.read()
        value.seek(place)
        return content.encode() if isinstance(content, str) else bytes(content)
    return b""


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
