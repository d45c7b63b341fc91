"""The door for http.client, and with it for urllib.request, the OBS SDK and httplib2: a socket that answers.

Only `connect` is patched. What the client writes into the socket is read as a request; what it then reads is the
answer, parsed by http.client itself.
"""

from __future__ import annotations

import http.client
import io
import time
from collections.abc import Iterator, Mapping
from typing import Any

from pytest_hwcloud.cloud.transfer_coding import decoded
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.intercept import AT_CONNECT, ask, lowest
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, CloudFault, Router

_END = b"\r\n\r\n"
_LENGTHS = frozenset({"content-length", "transfer-encoding", "connection"})


def patches() -> Iterator[Patch]:
    """Both ways to connect. urllib3's connections have their own, and their own door."""
    yield Patch(http.client.HTTPConnection, "connect", _connect("http", 80))
    yield Patch(http.client.HTTPSConnection, "connect", _connect("https", 443))


def _connect(scheme: str, port: int) -> Any:
    def make(patch: Patch) -> object:
        def connect(self: Any) -> None:
            host, at = (self._tunnel_host, self._tunnel_port) if self._tunnel_host else (self.host, self.port)
            authority = host if at in (None, port) else f"{host}:{at}"
            router = CURRENT_ROUTER.of(authority)
            # HTTPSConnection.connect begins with HTTPConnection's, which must really connect then
            if router is None or (scheme == "http" and isinstance(self, http.client.HTTPSConnection)):
                patch.original(self)
                return
            if not router.offline:
                patch.original(self)
            self.sock = Line(router, f"{scheme}://{authority}", None if router.offline else self.sock)

        return connect

    return make


class Line:
    """Stands where http.client expects its socket. real: the connected socket in record and live mode."""

    def __init__(self, router: Router, base: str, real: Any) -> None:
        self.router, self.base, self.real = router, base, real
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
        request = _parse(bytes(self.sent), self.base)
        if request is None:
            return
        self.request, self.started = request, time.time()
        self.answer, self.fault = ask(self.router, request)
        if self.fault is not None and self.fault.kind in AT_CONNECT:
            raise lowest(self.fault.kind)
        if self.answer is None and self.fault is None and self.real is not None:
            self.real.sendall(bytes(self.sent))
        self.sent.clear()

    def makefile(self, mode: str = "rb", *args: object, **kwargs: object) -> io.BytesIO:
        """The answer as bytes on the line."""
        if self.fault is not None:
            raise lowest(self.fault.kind)
        answer = self.answer if self.answer is not None else self._heard()
        return io.BytesIO(_written(answer))

    def _heard(self) -> Answer:
        request = self.request
        if request is None or self.real is None:
            raise http.client.ResponseNotReady
        try:
            response = http.client.HTTPResponse(self.real, method=request.method)
            response.begin()
            headers, body = decoded(dict(response.getheaders()), response.read())
        except OSError as error:
            self.router.failed(request, error)
            raise
        answer = Answer(response.status, headers, body, response.reason)
        self.router.heard(request, answer, self.started)
        return answer

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


def response_of(answer: Answer) -> http.client.HTTPResponse:
    """An answer as http.client's own response, its head parsed."""

    class Once:
        def makefile(self, mode: str) -> io.BytesIO:
            return io.BytesIO(_written(answer))

    response = http.client.HTTPResponse(Once())  # type: ignore[arg-type]
    response.begin()
    return response


def _parse(data: bytes, base: str) -> Request | None:
    """The request in these bytes; None while a part of it is missing."""
    head, end, body = data.partition(_END)
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    whole = _whole(headers, body)
    if whole is None:
        return None
    return Request(method, target if "://" in target[:8] else base + target, headers, whole)


def _whole(headers: Mapping[str, str], body: bytes) -> bytes | None:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _joined(body) if body.endswith(b"0" + _END) else None
    return body if len(body) >= int(headers.get("content-length") or 0) else None


def _joined(chunked: bytes) -> bytes:
    parts: list[bytes] = []
    at = 0
    while True:
        line = chunked.index(b"\r\n", at)
        size = int(chunked[at:line].partition(b";")[0], 16)
        if not size:
            return b"".join(parts)
        parts.append(chunked[line + 2 : line + 2 + size])
        at = line + 4 + size


def _written(answer: Answer) -> bytes:
    lines = [f"HTTP/1.1 {answer.status} {answer.reason}"]
    lines += [f"{name}: {value}" for name, value in answer.headers.items() if name.lower() not in _LENGTHS]
    lines += [f"Content-Length: {len(answer.body)}", "", ""]
    return "\r\n".join(lines).encode("latin-1", "replace") + answer.body
