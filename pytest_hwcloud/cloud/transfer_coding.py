"""Bodies without the coding that they travelled in: gzip, deflate, chunks."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping

_TRANSPORT = frozenset(("transfer-encoding", "content-encoding"))


def decoded(headers: Mapping[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of an answer without the coding of the transport (gzip, deflate, chunks)."""
    if _TRANSPORT.isdisjoint(map(str.lower, headers)):
        return dict(headers), body
    kept = {name: value for name, value in headers.items() if name.lower() != "transfer-encoding"}
    codings = [c.strip().lower() for n, v in kept.items() if n.lower() == "content-encoding" for c in v.split(",")]
    if not all(coding in _DECODERS for coding in codings):
        return kept, body  # a coding of which we know nothing: the client may know it
    for coding in reversed(codings):
        body = _DECODERS[coding](body)
    if codings:
        kept = {name: value for name, value in kept.items() if name.lower() != "content-encoding"}
        kept = {name: str(len(body)) if name.lower() == "content-length" else value for name, value in kept.items()}
    return kept, body


def _gunzip(body: bytes) -> bytes:
    try:
        return gzip.decompress(body) if body[:2] == b"\x1f\x8b" else body
    except (OSError, EOFError, zlib.error):
        return body


def _inflate(body: bytes) -> bytes:
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        try:
            return zlib.decompress(body, window)
        except zlib.error:
            continue
    return body


_DECODERS: dict[str, Callable[[bytes], bytes]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "identity": bytes,
    "": bytes,
}
