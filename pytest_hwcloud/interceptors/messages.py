"""Requests and answers as HTTP/1.1 writes them: read from what a client sends, written as it will read them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from pytest_hwcloud.cloud import transfer_coding
from pytest_hwcloud.cloud.transfer_coding import ALWAYS, KEPT
from pytest_hwcloud.cloud.wire import Answer, Request, grouped

Fields = list[tuple[str, str]]
_END = b"\r\n\r\n"
_BODILESS = frozenset({204, 304})


def delivered(answer: Answer, request: Request) -> tuple[Fields, bytes]:
    """Headers and body as they go to the client that asked: in the coding it accepts, with the length restated.

    An answer without a body (to HEAD, 204, 304) keeps the length that was recorded with it.
    """
    fields = answer.fields()
    if request.method == "HEAD" or answer.status in _BODILESS or answer.status < 200:
        return [*fields, ("Transfer-Encoding", "chunked")] if answer.framing == "chunked" else fields, b""
    body = answer.body
    if answer.coding and answer.coding != KEPT:
        coding, always = transfer_coding.split(answer.coding)
        if always or transfer_coding.accepts(request.headers.get("accept-encoding", ""), coding):
            made = answer.packed or transfer_coding.coded(body, coding)
            if made is not None:
                body = made
                fields.append(("Content-Encoding", transfer_coding.named(coding)))
    place = next((at for at, (name, _) in enumerate(fields) if name.lower() == "content-length"), -1)
    if answer.framing == "close":
        fields.append(("Connection", "close"))
    elif answer.framing:
        if place >= 0:
            del fields[place]
        fields.append(("Transfer-Encoding", "chunked"))
    elif place < 0:
        fields.append(("Content-Length", str(len(body) + answer.missing)))
    else:
        fields[place] = (fields[place][0], str(len(body) + answer.missing))
    return fields, body


def written(answer: Answer, request: Request) -> bytes:
    """The answer as bytes on the line."""
    fields, body = delivered(answer, request)
    head = [
        f"{'HTTP/1.0' if answer.protocol == 'HTTP/1.0' else 'HTTP/1.1'} {answer.status} {answer.reason}",
        *(f"{name}: {value}" for name, value in fields),
        "",
        "",
    ]
    bodiless = request.method == "HEAD" or answer.status in _BODILESS or answer.status < 200
    if answer.framing == "chunked" and not bodiless:
        body = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
        body += b"" if answer.missing else b"0\r\n\r\n"
    return "\r\n".join(head).encode("latin-1", "replace") + body


def heard(request: Request, status: int, reason: str, fields: Iterable[tuple[str, str]], body: bytes) -> Answer:
    """What the network answered, from its headers and the bytes of its body (without chunks), however much came."""
    headers, repeated = grouped(fields)
    carried = next((value for name, value in headers.items() if name.lower() == "transfer-encoding"), "")
    headers = {name: value for name, value in headers.items() if name.lower() != "transfer-encoding"}
    kept, plain, coding = headers, body, ""
    if request.method != "HEAD":
        kept, plain, coding = transfer_coding.opened(headers, body, heard=True)
    packed = b""
    if coding and coding != KEPT:
        if transfer_coding.has_digest(headers) or not transfer_coding.is_regular(body, coding):
            packed = body  # compressed again it would be another stream, or have another digest
        if not transfer_coding.accepts(request.headers.get("accept-encoding", ""), coding):
            coding += ALWAYS
    framing = "chunked" if "chunked" in carried.lower() else ""
    bodiless = request.method == "HEAD" or status in _BODILESS
    if not framing and not bodiless and not any(name.lower() == "content-length" for name in headers):
        framing = "close"
        kept = {name: value for name, value in kept.items() if name.lower() != "connection"}
    return Answer(status, kept, plain, reason, coding, framing, packed, repeated)


def read_request(data: bytes, base: str) -> Request | None:
    """The request in the bytes that a client wrote; None while a part of it is missing. base: scheme and authority."""
    head, end, body = data.partition(_END)
    if not end:
        return None
    first, *lines = head.decode("latin-1").split("\r\n")
    method, target, _ = first.split(" ", 2)
    headers: dict[str, str] = {}
    for line in lines:
        name, _, value = line.partition(":")
        low = name.lower()
        headers[low] = f"{headers[low]}, {value.strip()}" if low in headers else value.strip()
    whole = _whole(headers, body)
    if whole is None:
        return None
    return Request(method, target if "://" in target[:8] else base + target, headers, whole)


def _whole(headers: Mapping[str, str], body: bytes) -> bytes | None:
    if "chunked" in headers.get("transfer-encoding", "").lower():
        return dechunked(body)
    return body if len(body) >= int(headers.get("content-length") or 0) else None


def dechunked(data: bytes | bytearray) -> bytes | None:
    """The body in chunks, joined; None while its end (the empty chunk and the trailers after it) is missing."""
    parts: list[bytes] = []
    at = 0
    while True:
        end = data.find(b"\r\n", at)
        if end < 0:
            return None
        try:
            size = int(bytes(data[at:end]).partition(b";")[0], 16)
        except ValueError:
            return None
        if not size:
            done = data[end : end + 2] == b"\r\n" and (data[end + 2 : end + 4] == b"\r\n" or data.find(_END, end) >= 0)
            return b"".join(parts) if done else None
        if len(data) < end + 4 + size:
            return None
        parts.append(bytes(data[end + 2 : end + 2 + size]))
        at = end + 4 + size


def arrived(data: bytes | bytearray) -> bytes:
    """As much of a body in chunks as there is."""
    parts: list[bytes] = []
    at = 0
    while (end := data.find(b"\r\n", at)) >= 0:
        try:
            size = int(bytes(data[at:end]).partition(b";")[0], 16)
        except ValueError:
            break
        if not size:
            break
        parts.append(bytes(data[end + 2 : end + 2 + size]))
        at = end + 4 + size
    return b"".join(parts)
