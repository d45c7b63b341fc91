"""Failures of the network that a cassette can hold, raised as each client library would raise them."""

from __future__ import annotations

import errno
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pytest_hwcloud.cloud.wire import Answer

# Raised while the connection is made; the others come while the answer is read.
AT_CONNECT = frozenset({"dns", "connection-refused", "connect-timeout", "tls"})


class CloudFault(Exception):
    """A recorded failure of the network. The doors translate it; no client's user ever sees it."""

    def __init__(self, kind: str, url: str) -> None:
        super().__init__(f"{kind} at {url.partition('?')[0]}")
        self.kind, self.url = kind, url


def _os_error(number: int) -> Callable[[], OSError]:
    return lambda: OSError(number, os.strerror(number))  # OSError picks ConnectionRefusedError and so on itself


_LOWEST: dict[str, Callable[[], OSError]] = {
    "dns": lambda: socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    "connection-refused": _os_error(errno.ECONNREFUSED),
    "connection-reset": _os_error(errno.ECONNRESET),
    "connect-timeout": lambda: TimeoutError("timed out"),
    "read-timeout": lambda: TimeoutError("The read operation timed out"),
    "tls": lambda: _certificate_error(),
}


def _certificate_error() -> ssl.SSLCertVerificationError:
    text = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"
    error = ssl.SSLCertVerificationError(1, text)
    error.verify_code, error.verify_message = 18, "self-signed certificate"
    error.reason, error.library = "CERTIFICATE_VERIFY_FAILED", "SSL"
    return error


def lowest(kind: str) -> OSError:
    """What the operating system or the TLS library says: the error at the bottom of every chain."""
    return _raised(_LOWEST[kind]())


def _raised(error: OSError) -> OSError:
    """The same error with a traceback, as causes in a real chain have one."""
    __tracebackhide__ = True
    try:
        raise error
    except OSError as caught:
        return caught


# urllib3, and so requests and the SDK. Raised inside the pool, which wraps and retries as it does with real ones.


def urllib3_error(kind: str, pool: Any, connection: Any, url: str, timeout: object) -> Exception:
    """What urllib3's connection raises to its pool."""
    from urllib3 import exceptions

    cause = lowest(kind)
    error: Exception = cause
    match kind:
        case "dns":
            error = exceptions.NameResolutionError(connection.host, connection, cause)  # type: ignore[arg-type]
        case "connection-refused":
            error = exceptions.NewConnectionError(connection, f"Failed to establish a new connection: {cause}")
        case "connect-timeout":
            text = f"Connection to {connection.host} timed out. (connect timeout={connection.timeout})"
            error = exceptions.ConnectTimeoutError(connection, text)
        case "read-timeout":
            seconds = getattr(timeout, "read_timeout", None)
            error = exceptions.ReadTimeoutError(pool, url, f"Read timed out. (read timeout={seconds})")
    if error is not cause:
        error.__cause__ = cause
    return error


class _Pending(threading.local):
    fault: CloudFault | None = None  # met by every try of this call
    answer: Answer | None = None  # given to its first try


PENDING = _Pending()


@contextmanager
def pending(fault: CloudFault | None, answer: Answer | None = None) -> Iterator[None]:
    """On this thread the next call through urllib3 meets this (it was found before urllib3 was asked)."""
    PENDING.fault, PENDING.answer = fault, answer
    try:
        yield
    finally:
        PENDING.fault = PENDING.answer = None


# httpx

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
    import httpcore
    import httpx

    name, cause = _HTTPX[fault.kind], lowest(fault.kind)
    middle: Exception = getattr(httpcore, name)(str(cause))
    middle.__cause__ = cause
    error: Exception = getattr(httpx, name)(str(cause), request=request)
    error.__cause__ = middle
    return error


# aiohttp


def aiohttp_error(fault: CloudFault, url: str) -> Exception:
    """What aiohttp raises."""
    import aiohttp

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
    from urllib.parse import urlsplit

    from aiohttp import client_reqrep

    connection_key: Any = client_reqrep.ConnectionKey
    split = urlsplit(url)
    secure = split.scheme == "https"
    known = {"host": split.hostname, "port": split.port or (443 if secure else 80), "is_ssl": secure, "ssl": True}
    return connection_key(**{name: known.get(name) for name in connection_key._fields})
