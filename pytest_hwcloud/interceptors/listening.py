"""Record and live mode: an answer on its way to the client is listened to, and not one byte of it is changed.

The client reads from the network's own objects; what it reads is copied. The router hears the answer when its body has
come to an end. A small answer and a refusal are fetched at once, so that the journal has them when the client does; the
client still reads them, and meets an error of the network, where it would have without us.
"""

from __future__ import annotations

import io
import time
import weakref
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from typing import Any

from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.interceptors.messages import Fields, arrived, dechunked
from pytest_hwcloud.interceptors.messages import heard as answer_of
from pytest_hwcloud.interceptors.router import Router

_AT_ONCE = 1 << 20  # bytes of a body that is fetched at once
DRAIN_BYTES, _DRAIN_SECONDS = 64 << 20, 10.0  # of a body that its client left unread
_OPEN: weakref.WeakSet[Hearing] = weakref.WeakSet()


@dataclass(frozen=True, slots=True, kw_only=True)
class Head:
    """What of an answer comes before its body.

    framed: the body follows in the chunks of HTTP/1.1, as on the line; else it is the body alone. protocol: `HTTP/1.0`.
    """

    status: int
    reason: str
    fields: Iterable[tuple[str, str]]
    framed: bool = False
    protocol: str = ""


class Hearing:
    """One answer that is being listened to, from its headers to the end of its body."""

    def __init__(self, router: Router, request: Request, started: float, head: Head) -> None:
        self.router, self.request, self.started = router, request, started
        self.status, self.reason = head.status, head.reason
        self.protocol = "" if head.protocol == "HTTP/1.1" else head.protocol
        self.fields: Fields = list(head.fields)
        self.received = bytearray()
        self.over = False
        self.settle: Callable[[], object] | None = None  # fetches the rest, where that can be done without the client
        found = {name.lower(): value for name, value in self.fields}
        self.chunked = head.framed and "chunked" in found.get("transfer-encoding", "").lower()
        length = found.get("content-length", "").strip()
        self.length = int(length) if length.isdigit() and not self.chunked else None
        if request.method == "HEAD" or head.status in (204, 304) or head.status < 200:
            self.length, self.chunked = 0, False
        _OPEN.add(self)
        self._look()

    @property
    def at_once(self) -> bool:
        """Whether the body is fetched before the client asks for it."""
        return self.status >= 400 or (self.length is not None and self.length <= _AT_ONCE)

    def took(self, data: bytes) -> None:
        """The client's library got these bytes of the body."""
        if not self.over:
            self.received += data
            self._look()

    def cut(self) -> None:
        """The connection was closed before the end of the body, or at its end where nothing else marks it."""
        if self.length is not None:
            self.ended(missing=self.length - len(self.received))
        elif self.chunked:
            self.ended(missing=dechunked(self.received) is None)
        else:
            self.ended()

    def ended(self, missing: int = 0) -> None:
        """No more bytes come: what came is the answer. missing: how many should have come."""
        if not self.over:
            self._close()
            body = bytes(self.received)
            if self.chunked:
                whole = dechunked(self.received)
                body = arrived(self.received) if whole is None else whole
            answer = answer_of(self.request, self.status, self.reason, self.fields, body)
            if missing or self.protocol:
                answer = replace(answer, missing=int(missing), protocol=self.protocol)
            self.router.heard(self.request, answer, self.started)

    def failed(self, error: BaseException) -> None:
        """The network failed in the middle of the body, or the client gave it up."""
        if not self.over:
            self._close()
            self.router.failed(self.request, error)

    def _look(self) -> None:
        if self.length is not None:
            if len(self.received) >= self.length:
                self.ended()
        elif self.chunked and self.received.endswith(b"\r\n\r\n") and dechunked(self.received) is not None:
            self.ended()

    def _close(self) -> None:
        self.over = True
        self.settle = None
        _OPEN.discard(self)


def settle(router: Router) -> None:
    """The test is over: bring to an end what its clients left unread. What cannot be fetched any more is as it came."""
    for hearing in [one for one in _OPEN if one.router is router]:
        if hearing.settle is not None:
            hearing.settle()
        hearing.ended()


class Tee(io.RawIOBase):
    """Stands in front of the file that a client reads a body from (http.client's, urllib3's), and copies what it reads.

    source: anything with read1 and close.
    """

    def __init__(self, source: Any, hearing: Hearing) -> None:
        self.source, self.hearing = source, hearing
        self._waiting = bytearray()  # fetched, and not yet read by the client
        self._error: BaseException | None = None
        self._eof = hearing.over
        hearing.settle = self._drain
        if hearing.at_once:
            self._fetch(until=None)

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        """As much as there is, up to the size of the buffer; 0 at the end."""
        if not self._waiting and not self._pull(len(buffer)):
            if self._error is not None:
                error, self._error = self._error, None
                raise error
            return 0
        count = min(len(buffer), len(self._waiting))
        buffer[:count] = self._waiting[:count]
        del self._waiting[:count]
        return count

    def close(self) -> None:
        """The client is done with the body; a part that it left is fetched for the recording."""
        if not self.closed:
            self._drain()
            self.source.close()
        super().close()

    def _pull(self, size: int) -> bool:
        """Fetch some bytes; False at the end or at an error."""
        if self._eof or self._error is not None:
            return False
        hearing = self.hearing
        if hearing.length is not None:
            size = min(size, hearing.length - len(hearing.received))
        try:
            data = self.source.read1(size) if size > 0 else b""
        except Exception as error:
            self._error = error
            hearing.failed(error)
            return False
        if data:
            self._waiting += data
            hearing.took(data)
        if not data or (hearing.over and hearing.length is not None):
            self._eof = True
            hearing.cut() if not data else hearing.ended()
        return bool(data)

    def _fetch(self, until: float | None) -> None:
        left = DRAIN_BYTES
        while left > 0 and not self.hearing.over and (until is None or time.monotonic() < until):
            before = len(self._waiting)
            if not self._pull(1 << 16):
                break
            left -= len(self._waiting) - before

    def _drain(self) -> None:
        if not self.hearing.over:
            self._fetch(time.monotonic() + _DRAIN_SECONDS)
            self.hearing.ended()
