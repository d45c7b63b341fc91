"""Bodies and the codings that they travel in: gzip, deflate, and, where their libraries are installed, br and zstd."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

# What comes with a body and can be checked against its bytes. A weak ETag cannot.
_DIGESTS = frozenset(("content-md5", "digest", "content-digest", "repr-digest", "x-obs-content-md5"))
_DIGEST_BEGINNINGS = ("x-amz-checksum-", "x-obs-checksum-", "x-obs-hash-", "x-goog-hash")


def opened(headers: Mapping[str, str], body: bytes) -> tuple[dict[str, str], bytes, str]:
    """Headers and body of an answer without its codings, and which they were, as the header says it.

    A body that cannot be opened here keeps its bytes and its header; one whose header is wrong (a cassette that holds
    the decoded body) loses the header.
    """
    said = next((value for name, value in headers.items() if name.lower() == "content-encoding"), "")
    codings = _codings(said)
    if not codings or not body:
        return dict(headers), body, ""
    rest = {name: value for name, value in headers.items() if name.lower() != "content-encoding"}
    plain: bytes | None = body
    for coding in reversed(codings):
        plain = _DECODERS.get(coding, _unknown)(plain) if plain is not None else None
    if plain is not None:
        return {name: value for name, value in rest.items() if name.lower() != "content-length"}, plain, said
    return (rest, body, "") if _looks_decoded(codings, body) else (dict(headers), body, "")


def decoded(headers: Mapping[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of an answer without its codings."""
    return opened(headers, body)[:2]


def accepts(said: str, coding: str) -> bool:
    """Whether a client with this Accept-Encoding takes a body in these codings."""
    wanted = {part.partition(";")[0].strip().lower() for part in said.split(",")}
    return all({one, one.removeprefix("x-"), "*"} & wanted for one in _codings(coding))


def coded(body: bytes, coding: str) -> bytes | None:
    """The body in these codings; None where it cannot be made here."""
    made: bytes | None = body
    for one in _codings(coding):
        made = _ENCODERS.get(one, _unknown)(made) if made is not None else None
    return made


def has_digest(headers: Mapping[str, str]) -> bool:
    """Whether something in the headers of an answer can be checked against the bytes of its body."""
    for name, value in headers.items():
        low = name.lower()
        if low in _DIGESTS or low.startswith(_DIGEST_BEGINNINGS) or (low == "etag" and not value.startswith("W/")):
            return True
    return False


def is_unread_text(headers: Mapping[str, str]) -> bool:
    """Whether a body of a text type is still in a coding that nobody here could open."""
    found = {name.lower(): value for name, value in headers.items()}
    if not _codings(found.get("content-encoding", "")):
        return False
    kind = found.get("content-type", "").partition(";")[0].strip().lower()
    texts = ("text/", "application/json", "application/xml", "application/x-www-form-urlencoded", "application/yaml")
    return kind.startswith(texts) or kind.endswith(("+json", "+xml"))


def _codings(said: str) -> list[str]:
    return [one for part in said.split(",") if (one := part.strip().lower()) not in ("", "identity")]


def _looks_decoded(codings: list[str], body: bytes) -> bool:
    """Whether these bytes are no gzip and no zlib at all: a cassette of vcrpy that was decoded and kept the header."""
    if not set(codings) <= {"gzip", "x-gzip", "deflate"}:
        return False
    try:
        body.decode()
    except UnicodeDecodeError:
        return False
    return True


def _unknown(body: bytes) -> bytes | None:
    return None


def _gunzip(body: bytes) -> bytes | None:
    try:
        return gzip.decompress(body)
    except (OSError, EOFError, zlib.error):
        return None


def _inflate(body: bytes) -> bytes | None:
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        try:
            return zlib.decompress(body, window)
        except zlib.error:
            continue
    return None


def _library(*names: str) -> Any:
    for name in names:
        try:
            return import_module(name)
        except ImportError:
            continue
    return None


def _unbrotli(body: bytes) -> bytes | None:
    library = _library("brotli", "brotlicffi")
    try:
        return bytes(library.decompress(body)) if library else None
    except library.error:
        return None


def _brotli(body: bytes) -> bytes | None:
    library = _library("brotli", "brotlicffi")
    return bytes(library.compress(body)) if library else None


def _unzstd(body: bytes) -> bytes | None:
    library = _library("compression.zstd", "backports.zstd")
    errors: tuple[type[Exception], ...] = (ValueError, OSError, EOFError)
    if library is not None:
        try:
            return bytes(library.decompress(body))
        except (*errors, library.ZstdError):
            return None
    library = _library("zstandard")
    if library is None:
        return None
    try:
        with library.ZstdDecompressor().stream_reader(body, read_across_frames=True) as reader:
            return bytes(reader.read())
    except (*errors, library.ZstdError):
        return None


def _zstd(body: bytes) -> bytes | None:
    library = _library("compression.zstd", "backports.zstd")
    if library is not None:
        return bytes(library.compress(body))
    library = _library("zstandard")
    return bytes(library.ZstdCompressor().compress(body)) if library else None


_DECODERS: dict[str, Callable[[bytes], bytes | None]] = {
    "gzip": _gunzip,
    "x-gzip": _gunzip,
    "deflate": _inflate,
    "br": _unbrotli,
    "zstd": _unzstd,
}
_ENCODERS: dict[str, Callable[[bytes], bytes | None]] = {
    "gzip": lambda body: gzip.compress(body, mtime=0),
    "x-gzip": lambda body: gzip.compress(body, mtime=0),
    "deflate": zlib.compress,
    "br": _brotli,
    "zstd": _zstd,
}
