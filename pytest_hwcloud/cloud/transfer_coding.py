"""Bodies and the codings that they travel in: gzip, deflate, and, where their libraries are installed, br and zstd."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

ALWAYS = " always"  # behind a coding: the service sends it unasked
KEPT = "kept"  # in place of a coding: the header names one, the body never had it, and both go out as they came
# What comes with a body and can be checked against its bytes. A weak ETag cannot.
_DIGESTS = frozenset(("content-md5", "digest", "content-digest", "repr-digest", "x-obs-content-md5"))
_DIGEST_BEGINNINGS = ("x-amz-checksum-", "x-obs-checksum-", "x-obs-hash-", "x-goog-hash")


def opened(headers: Mapping[str, str], body: bytes, *, heard: bool = False) -> tuple[dict[str, str], bytes, str]:
    """Headers and body of an answer without its codings, and the header's names of them.

    A deflate without the frame of zlib is called `deflate;raw`. A body that cannot be opened here keeps its bytes and
    its header. One whose header is wrong loses the header in a cassette, which holds the decoded body; heard from the
    network it is `KEPT`.
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
        if codings == ["deflate"] and not _has_zlib_frame(body):
            said += ";raw"
        return {name: value for name, value in rest.items() if name.lower() != "content-length"}, plain, said
    if not _looks_decoded(codings, body):
        return dict(headers), body, ""
    return (dict(headers), body, KEPT) if heard else (rest, body, "")


def decoded(headers: Mapping[str, str], body: bytes) -> tuple[dict[str, str], bytes]:
    """Headers and body of an answer without its codings."""
    return opened(headers, body)[:2]


def accepts(said: str, coding: str) -> bool:
    """Whether a client with this Accept-Encoding takes a body in these codings."""
    wanted = {part.partition(";")[0].strip().lower() for part in said.split(",")}
    return all({one, one.removeprefix("x-"), "*"} & wanted for one in _codings(named(coding)))


def split(coding: str) -> tuple[str, bool]:
    """The coding of an `Answer`, and whether it goes to clients that do not accept it."""
    return coding.removesuffix(ALWAYS), coding.endswith(ALWAYS)


def named(coding: str) -> str:
    """A coding as the header names it."""
    return coding.removesuffix(";raw")


def is_regular(body: bytes, coding: str) -> bool:
    """Whether a coded body is one whole stream, which can be made again; else clients differ in what they read."""
    if _codings(coding) not in (["gzip"], ["x-gzip"]):
        return True
    reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
    reader.decompress(body)
    return reader.eof and not reader.unused_data.startswith(b"\x1f\x8b")


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
    """Whether a body of a text type is still in a coding that could not be opened here."""
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
    """All members, as far as they came; what follows them and is none is left out, as urllib3 does it."""
    parts, rest = [], body
    while rest.startswith(b"\x1f\x8b"):
        reader = zlib.decompressobj(16 + zlib.MAX_WBITS)
        try:
            parts.append(reader.decompress(rest))
        except zlib.error:
            return None
        rest = reader.unused_data
    return b"".join(parts) if parts else None


def _inflate(body: bytes) -> bytes | None:
    for window in (zlib.MAX_WBITS, -zlib.MAX_WBITS):
        try:
            return zlib.decompress(body, window)
        except zlib.error:
            continue
    return None


def _has_zlib_frame(body: bytes) -> bool:
    return len(body) > 1 and body[0] & 15 == 8 and (body[0] << 8 | body[1]) % 31 == 0


def _raw_deflate(body: bytes) -> bytes:
    writer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return writer.compress(body) + writer.flush()


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
    "deflate;raw": _raw_deflate,
    "br": _brotli,
    "zstd": _zstd,
}
