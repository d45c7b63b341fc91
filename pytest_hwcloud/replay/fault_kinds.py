"""From the exception of any client to the fault that a cassette can hold (contract section 6)."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Iterator

# In this order: the first that any exception of the chain is, or is called.
_TYPES: tuple[tuple[type[BaseException], str], ...] = (
    (socket.gaierror, "dns"),
    (ssl.SSLError, "tls"),
    (ConnectionRefusedError, "connection-refused"),
    (ConnectionResetError, "connection-reset"),
    (BrokenPipeError, "connection-reset"),
)
_NAMES = {
    "NameResolutionError": "dns",
    "ConnectTimeout": "connect-timeout",
    "ConnectTimeoutError": "connect-timeout",
    "ConnectionTimeoutError": "connect-timeout",
    "ReadTimeout": "read-timeout",
    "ReadTimeoutError": "read-timeout",
    "SocketTimeoutError": "read-timeout",
    "ServerTimeoutError": "read-timeout",
    "RemoteDisconnected": "connection-reset",
    "RemoteProtocolError": "connection-reset",
    "ServerDisconnectedError": "connection-reset",
    "IncompleteRead": "connection-reset",
    "ReadError": "connection-reset",
    "TimeoutError": "read-timeout",
}


def fault_kind(error: BaseException) -> str | None:
    """The fault that this failure is; None for one that no cassette can hold (a wrong URL, say)."""
    chain = list(_chain(error))
    for kind, fault in _TYPES:
        if any(isinstance(one, kind) for one in chain):
            return fault
    names = [type(one).__name__ for one in chain]
    return next((fault for name, fault in _NAMES.items() if name in names), None)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """The exception and all that it wraps, in whatever way its library keeps it."""
    seen: set[int] = set()
    waiting: list[object] = [error]
    while waiting:
        one = waiting.pop(0)
        if not isinstance(one, BaseException) or id(one) in seen:
            continue
        seen.add(id(one))
        yield one
        waiting += [
            one.__cause__,
            one.__context__,
            getattr(one, "reason", None),
            getattr(one, "os_error", None),
            *one.args,
        ]
