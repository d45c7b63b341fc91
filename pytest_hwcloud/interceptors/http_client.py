"""The interceptor of http.client, and with it of urllib.request, the OBS SDK and httplib2: a socket that answers.

Only `connect` is patched. What the client writes into the socket is read as a request; what it then reads is the
answer, parsed by http.client itself.
"""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Callable, Iterator
from typing import Any

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.intercept import AT_CONNECT, ask, lowest
from pytest_hwcloud.interceptors.listening import Head, Hearing, Tee
from pytest_hwcloud.interceptors.messages import read_request, written
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, CloudFault, Router


def patches() -> Iterator[Patch]:
    """Both ways to connect, and where an answer's head has been read. urllib3's connections have an interceptor."""
    yield Patch(http.client.HTTPConnection, "connect", _connect("http", 80))
    yield Patch(http.client.HTTPSConnection, "connect", _connect("https", 443))
    yield Patch(http.client.HTTPConnection, "send", _send)
    yield Patch(http.client.HTTPResponse, "begin", _begin)


def _connect(scheme: str, port: int) -> Any:
    def make(patch: Patch) -> object:
        def connect(self: Any) -> None:
            host, at = (self._tunnel_host, self._tunnel_port) if self._tunnel_host else (self.host, self.port)
            authority = host if at in (None, port) else f"{host}:{at}"
            router = CURRENT_ROUTER.of(authority)
            # HTTPSConnection.connect begins with HTTPConnection's, which must really connect then
            if router is not None and CURRENT_ROUTER.has_fake_sockets():
                router = None
            if router is None or (scheme == "http" and isinstance(self, http.client.HTTPSConnection)):
                patch.original(self)
                return
            line = Line(router, f"{scheme}://{authority}")

            def dial() -> None:
                try:
                    patch.original(self)
                    line.real = self.sock
                finally:
                    self.sock = line if line.real is not None else None

            if _may_answer(router, authority):
                line.dial = dial
            elif not router.offline:
                try:
                    dial()
                except Exception as error:
                    line.lost(self, error)
                    raise
            self.sock = line

        return connect

    return make


def _may_answer(router: Router, authority: str) -> bool:
    """Whether a recorder has answers of this host already, so that no connection may be needed."""
    return not router.offline and any(authority in tape.hosts for tape in getattr(router, "tapes", ()))


def _send(patch: Patch) -> object:
    def send(self: Any, data: Any) -> None:
        if self.sock is None and isinstance(data, bytes) and CURRENT_ROUTER.router is not None:
            self._hwcloud_head = data  # what a failure to connect is about
        patch.original(self, data)

    return send


def _begin(patch: Patch) -> object:
    def begin(self: Any) -> None:
        line = getattr(self.fp, "line", None)
        if line is None:
            patch.original(self)
            return
        try:
            patch.original(self)
        except Exception as error:
            line.router.failed(line.request, error)
            raise
        listen(line.router, line.request, line.started, self)

    return begin


class _File(io.BufferedReader):
    """The file that http.client reads the network's answer from; it knows its line."""

    line: Line


class Line:
    """Stands where http.client expects its socket. real: the connected socket in record and live mode."""

    def __init__(self, router: Router, base: str, real: Any = None) -> None:
        self.router, self.base, self.real = router, base, real
        self.dial: Callable[[], None] | None = None  # makes the connection, where that waits for what is asked
        self.sent = bytearray()
        self.request: Request | None = None
        self.answer: Answer | None = None
        self.fault: CloudFault | None = None
        self.started = 0.0

    def __getattr__(self, name: str) -> Any:
        if self.real is None:
            raise AttributeError(name)
        return getattr(self.real, name)

    def sendall(self, data: Any) -> None:
        """Collect; when the request is whole, ask for its answer."""
        self.sent += data
        request = read_request(bytes(self.sent), self.base)
        if request is None:
            return
        router = CURRENT_ROUTER.of(self.base.partition("://")[2]) or self.router  # a connection may outlive a test
        self.router = router
        self.request, self.started = request, time.time()
        self.answer, self.fault = ask(router, request)
        sent = bytes(self.sent)
        self.sent.clear()
        if self.fault is not None and self.fault.kind in AT_CONNECT:
            raise lowest(self.fault.kind)
        if self.answer is None and self.fault is None and (self.real is not None or self.dial is not None):
            try:
                if self.real is None and self.dial is not None:
                    self.dial()
                self.real.sendall(sent)
            except Exception as error:
                router.failed(request, error)
                raise

    def makefile(self, mode: str = "rb", *args: object, **kwargs: object) -> Any:
        """The answer as bytes on the line, recorded or from the network."""
        if self.fault is not None:
            raise lowest(self.fault.kind)
        if self.answer is not None and self.request is not None:
            return _file(self.answer, self.request)
        if self.request is None or self.real is None:
            raise http.client.ResponseNotReady
        file = _File(self.real.makefile("rb", buffering=0))
        file.line = self
        return file

    def lost(self, connection: Any, error: Exception) -> None:
        """No connection was made for what the client was about to send."""
        head = getattr(connection, "_hwcloud_head", b"GET / HTTP/1.1\r\n\r\n")
        first, *rest = head.partition(b"\r\n\r\n")[0].split(b"\r\n")
        kept = [line for line in rest if not line.lower().startswith((b"content-length:", b"transfer-encoding:"))]
        request = read_request(b"\r\n".join([first, *kept]) + b"\r\n\r\n", self.base)
        if request is not None:
            self.router.failed(request, error)

    def close(self) -> None:
        """Close the real socket, if there is one."""
        if self.real is not None:
            self.real.close()

    def settimeout(self, value: float | None) -> None:
        """Nothing here takes time."""
        if self.real is not None:
            self.real.settimeout(value)

    def setsockopt(self, *args: object) -> None:
        """Nothing to tune."""
        if self.real is not None:
            self.real.setsockopt(*args)


def listen(router: Router, request: Request, started: float, response: http.client.HTTPResponse) -> Hearing:
    """Listen to the body of an answer of http.client's, whose head has been read."""
    head = Head(
        status=response.status,
        reason=response.reason,
        fields=response.getheaders(),
        framed=True,
        protocol="HTTP/1.0" if response.version == 10 else "",
    )
    hearing = Hearing(router, request, started, head)
    if response.fp is None or response.isclosed():
        hearing.ended()
    else:
        response.fp = io.BufferedReader(Tee(response.fp, hearing))
    return hearing


def _file(answer: Answer, request: Request) -> io.BufferedReader:
    return io.BufferedReader(io.BytesIO(written(answer, request)))


class _Once:
    """A socket that gives one answer."""

    def __init__(self, answer: Answer, request: Request) -> None:
        self._answer, self._request = answer, request

    def makefile(self, mode: str) -> io.BufferedReader:
        return _file(self._answer, self._request)


def response_of(answer: Answer, request: Request) -> http.client.HTTPResponse:
    """An answer as http.client's own response, its head parsed."""
    response = http.client.HTTPResponse(_Once(answer, request), method=request.method)  # type: ignore[arg-type]
    response.begin()
    return response
