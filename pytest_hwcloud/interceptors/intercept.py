"""How every interceptor asks: the request in our form, the router's answer, or the fault that the client is to meet."""

from __future__ import annotations

import errno
import io
import os
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, CloudFault, Router

# Raised while the connection is made; the others come while the answer is read.
AT_CONNECT = frozenset({"dns", "connection-refused", "connect-timeout", "tls"})
PATIENCE = 60.0  # seconds that an abandoned call is left without an answer; its caller gives it up before


def ask(router: Router, request: Request) -> tuple[Answer | None, CloudFault | None]:
    """The router's answer, or the fault that a client is to meet; neither: let the call through."""
    PENDING.asked += 1
    if PENDING.fault is not None or PENDING.answer is not None:
        answer, fault = PENDING.answer, PENDING.fault
        PENDING.answer = PENDING.fault = None
        return answer, fault
    if CURRENT_ROUTER.has_fake_sockets():
        CURRENT_ROUTER.mocked(lambda: request)
        return None, None
    try:
        return router.answer(request), None
    except CloudFault as fault:
        return None, fault  # raised outside of this block: no error of ours in the chain that the client sees


class _Pending(threading.local):
    fault: CloudFault | None = None  # met by the first try of this call; the next one asks again
    answer: Answer | None = None  # likewise
    asked = 0  # how often a router was asked on this thread


PENDING = _Pending()


@contextmanager
def pending(fault: CloudFault | None, answer: Answer | None = None) -> Iterator[None]:
    """On this thread the next call through urllib3 meets this (it was found before urllib3 was asked)."""
    PENDING.fault, PENDING.answer = fault, answer
    try:
        yield
    finally:
        PENDING.fault = PENDING.answer = None


# the request


def lower(headers: Mapping[Any, Any]) -> dict[str, str]:
    """Headers with names in lower case and texts as values."""
    return {
        (k if isinstance(k, str) else k.decode("latin-1")).lower(): v if v.__class__ is str else _text(v)
        for k, v in headers.items()
    }


def _text(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def as_bytes(body: object) -> bytes:
    """The body of a request as it goes out."""
    if not body:
        return b""
    return body.encode() if isinstance(body, str) else body if isinstance(body, bytes) else read_body(body)


def read_body(body: Any) -> bytes:
    """A file or an iterator of chunks, read to its end."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body)
    if hasattr(body, "read"):
        content = body.read()
        return content.encode() if isinstance(content, str) else bytes(content)
    return b"".join(chunk.encode() if isinstance(chunk, str) else bytes(chunk) for chunk in body)


def read_once(body: Any) -> tuple[bytes, Any]:
    """The bytes of a body, and a body that sends them as this one would have: a file as a file, chunks as chunks."""
    if not body:
        return b"", body
    if isinstance(body, (bytes, bytearray, memoryview)):
        return bytes(body), body
    if isinstance(body, str):
        return body.encode(), body  # urllib3 writes UTF-8
    if hasattr(body, "read"):
        if hasattr(body, "seek") and hasattr(body, "tell"):
            place = body.tell()
            content = read_body(body)
            body.seek(place)
            return content, body
        content = read_body(body)
        return content, io.BytesIO(content)
    chunks = [chunk.encode() if isinstance(chunk, str) else bytes(chunk) for chunk in body]
    return b"".join(chunks), iter(chunks)


# the fault


def lowest(kind: str) -> OSError:
    """The error of the operating system or the TLS library: the error at the bottom of every chain."""
    __tracebackhide__ = True
    try:
        raise _LOWEST[kind]()  # with a traceback, as causes in a real chain have one
    except OSError as caught:
        return caught


def _os_error(number: int) -> Callable[[], OSError]:
    return lambda: OSError(number, os.strerror(number))  # OSError picks ConnectionRefusedError and so on itself


def _certificate_error() -> ssl.SSLCertVerificationError:
    text = "[SSL: CERTIFICATE_VERIFY_FAILED] certificate verify failed: self-signed certificate"
    error = ssl.SSLCertVerificationError(1, text)
    error.verify_code, error.verify_message = 18, "self-signed certificate"
    error.reason, error.library = "CERTIFICATE_VERIFY_FAILED", "SSL"
    return error


_LOWEST: dict[str, Callable[[], OSError]] = {
    "dns": lambda: socket.gaierror(socket.EAI_NONAME, "Name or service not known"),
    "connection-refused": _os_error(errno.ECONNREFUSED),
    "connection-reset": _os_error(errno.ECONNRESET),
    "connect-timeout": lambda: TimeoutError("timed out"),
    "read-timeout": lambda: TimeoutError("The read operation timed out"),
    "tls": _certificate_error,
}
