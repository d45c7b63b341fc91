"""HTTP/1.1 on a socket: what a server and a proxy have to read and write of it, and nothing else."""

from __future__ import annotations

import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors import messages

_MOST_HEAD = 256 << 10  # bytes of a head; more is no request that a client of the cloud writes
_CHUNK = 64 << 10
_WITHOUT_BODY = frozenset((204, 304))
# The headers about how the bytes travelled on one connection.
_OF_CONNECTION = frozenset(("connection", "keep-alive", "proxy-connection"))
_TRAVEL = _OF_CONNECTION | {"content-length", "transfer-encoding"}
_ANY = Request("GET", "http://127.0.0.1/")


class Malformed(ValueError):
    """The bytes are no HTTP/1.1 message. The text names what is wrong."""


@dataclass(frozen=True, kw_only=True)
class Head:
    """A request line or status line with its headers. raw: the bytes as they came. headers: names in lower case."""

    first: tuple[str, str, str]
    headers: Mapping[str, str] = field(repr=False)
    raw: bytes = field(repr=False)

    @property
    def keeps(self) -> bool:
        """Whether the connection stays open after this message."""
        wish = self.headers.get("connection", self.headers.get("proxy-connection", "")).lower()
        version = self.first[2] if self.first[2].startswith("HTTP/") else self.first[0]
        return "close" not in wish and (version == "HTTP/1.1" or "keep-alive" in wish)


class Reader:
    """Reads messages from a socket; what came too early waits for the next one."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock = sock
        self._buffer = bytearray()

    @property
    def waiting(self) -> bytes:
        """What was read and not yet asked for."""
        return bytes(self._buffer)

    def head(self) -> Head | None:
        """The next head; None where the peer closed instead. Malformed for anything else."""
        while (end := self._buffer.find(b"\r\n\r\n")) < 0:
            if len(self._buffer) > _MOST_HEAD:
                raise Malformed(texts.say("gateway.wire-no-end"))
            data = self.sock.recv(_CHUNK)
            if not data:
                if self._buffer.strip():
                    raise Malformed(texts.say("gateway.wire-head-closed"))
                return None
            self._buffer += data
        raw = bytes(self._buffer[: end + 4])
        del self._buffer[: end + 4]
        first, *lines = raw.lstrip(b"\r\n").decode("latin-1").split("\r\n")[:-2] or [""]
        parts = first.split(" ", 2)
        if len(parts) == 2 and parts[0].startswith("HTTP/"):
            parts.append("")  # a status line without a reason
        if len(parts) != 3 or not (parts[0].startswith("HTTP/") or parts[2].startswith("HTTP/1.")):
            raise Malformed(texts.say("gateway.wire-no-http", text=first[:40]))
        return Head(first=(parts[0], parts[1], parts[2]), headers=_headers(lines), raw=raw)

    def body(self, headers: Mapping[str, str], *, to_the_end: bool = False) -> bytes:
        """The body that these headers announce. to_the_end: of an answer, which may end with the connection."""
        if "chunked" in headers.get("transfer-encoding", "").lower():
            return self._chunked()
        length = headers.get("content-length")
        if length is None:
            return self._rest() if to_the_end else b""
        if not length.isdigit():
            raise Malformed(f"content-length {length[:20]!r}")
        return self._exactly(int(length))

    def _exactly(self, count: int) -> bytes:
        while len(self._buffer) < count:
            data = self.sock.recv(max(_CHUNK, count - len(self._buffer)))
            if not data:
                raise Malformed(texts.say("gateway.wire-body-closed"))
            self._buffer += data
        taken = bytes(self._buffer[:count])
        del self._buffer[:count]
        return taken

    def _line(self) -> bytes:
        while (end := self._buffer.find(b"\r\n")) < 0:
            data = self.sock.recv(_CHUNK)
            if not data or len(self._buffer) > _MOST_HEAD:
                raise Malformed(texts.say("gateway.wire-chunk-closed"))
            self._buffer += data
        return self._exactly(end + 2)[:-2]

    def _chunked(self) -> bytes:
        parts: list[bytes] = []
        while True:
            line = self._line()
            try:
                size = int(line.partition(b";")[0].strip(), 16)
            except ValueError:
                raise Malformed(texts.say("gateway.wire-no-size")) from None
            if not size:
                while self._line():  # trailers
                    pass
                return b"".join(parts)
            parts.append(self._exactly(size))
            self._exactly(2)

    def _rest(self) -> bytes:
        while data := self.sock.recv(_CHUNK):
            self._buffer += data
        return self._exactly(len(self._buffer))


def _headers(lines: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        key = name.strip().lower()
        found[key] = f"{found[key]}, {value.strip()}" if key in found else value.strip()
    return found


def written(answer: Answer, request: Request, *, keep: bool) -> tuple[bytes, bool]:
    """An answer as a client in the process of the test would read it, and whether the connection goes on."""
    goes_on = keep and answer.framing != "close" and not answer.missing and answer.protocol != "HTTP/1.0"
    headers = {name: value for name, value in answer.headers.items() if name.lower() not in _OF_CONNECTION}
    if answer.framing != "close":
        headers["Connection"] = "keep-alive" if goes_on else "close"
    whole = replace(answer, headers=headers, reason=answer.reason or _reason(answer.status))
    return messages.written(whole, request), goes_on


def said(answer: Answer) -> bytes:
    """An answer of the server's own, after which the connection is closed."""
    return written(answer, _ANY, keep=False)[0]


def _reason(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


@dataclass(frozen=True, kw_only=True)
class Heard:
    """The answer of a real server. fields and body: as they came, the chunks joined. answer: what is recorded of it."""

    fields: Sequence[tuple[str, str]] = field(repr=False)
    body: bytes = field(repr=False)
    answer: Answer

    def passed_on(self, request: Request, *, keep: bool) -> bytes:
        """The same for the client, its length counted."""
        answer = self.answer
        kept = [(name, value) for name, value in self.fields if name.lower() not in _TRAVEL]
        if request.method == "HEAD":
            kept += [(name, value) for name, value in self.fields if name.lower() == "content-length"]
        elif answer.status not in _WITHOUT_BODY:
            kept.append(("Content-Length", str(len(self.body))))
        kept.append(("Connection", "keep-alive" if keep else "close"))
        lines = [f"HTTP/1.1 {answer.status} {answer.reason}", *(f"{name}: {value}" for name, value in kept), "", ""]
        return "\r\n".join(lines).encode("latin-1", "replace") + self.body


def read_answer(reader: Reader, request: Request) -> Heard:
    """The answer of a real server to a request."""
    head = reader.head()
    while head is not None and head.first[1].startswith("1"):  # 100 Continue
        head = reader.head()
    if head is None:
        raise ConnectionResetError(texts.say("gateway.wire-no-answer"))
    status, reason = int(head.first[1]), head.first[2]
    bodiless = request.method == "HEAD" or status in _WITHOUT_BODY
    body = b"" if bodiless else reader.body(head.headers, to_the_end=True)
    fields = _named(head.raw)
    return Heard(fields=fields, body=body, answer=messages.heard(request, status, reason, fields, body))


def _named(raw: bytes) -> list[tuple[str, str]]:
    lines = raw.decode("latin-1").split("\r\n")[1:-2]
    return [(name.strip(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
