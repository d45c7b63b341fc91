"""Bytes of an error body → plain values: JSON, OBS's XML, BSON. Bounded, linear, nothing fetched or expanded."""

from __future__ import annotations

import json
import re
import struct

LIMIT = 4_000_000  # characters of a body that are read at most
DEPTH = 60

_XML_FIELD = re.compile(
    r"<(Code|Message|RequestId|HostId|Resource|RequestTime|ServerTime|MaxAllowedSkewMilliseconds|BucketName|Key"
    r"|EncodedAuthorizationMessage)>([^<]{0,20000})</"
)
XML_ERROR = re.compile(r"<Error(?:\s[^<>]{0,300})?>")
_XML_CDATA = re.compile(r"<!\[CDATA\[([^\]<]{0,20000})\]\]>")
_ENTITIES = {"&lt;": "<", "&gt;": ">", "&quot;": '"', "&apos;": "'", "&amp;": "&"}
_ENTITY = re.compile("|".join(_ENTITIES))


def decode(body: object, content_type: str = "") -> object:
    """The value that a body holds: JSON value, dict of an XML error's fields, or the text itself."""
    if isinstance(body, (bytes, bytearray, memoryview)):
        raw = bytes(body[:LIMIT])
        if "bson" in content_type.lower() or is_bson(raw):
            return bson(raw)
        return decode_text(_text(raw))
    return decode_text(body[:LIMIT]) if isinstance(body, str) else body


def decode_text(text: str) -> object:
    """The JSON value or the fields of the XML error in a text; the stripped text if it is neither."""
    stripped = text.strip().lstrip("\ufeff")
    if stripped[:1] in ("{", "["):
        value = loads(stripped)
        return stripped if value is None else value
    if stripped[:1] == "<":
        return xml_error(stripped) or stripped
    return stripped


def loads(text: str) -> object:
    """The JSON value of a text; None if it is none or nested beyond reason."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


def embedded(text: str) -> object:
    """The JSON object that begins somewhere inside a message ('request nova failed: {"itemNotFound": …}')."""
    start = text.find("{")
    if start < 0 or '"' not in text:
        return None
    try:
        value, _ = json.JSONDecoder().raw_decode(text[start : start + 200_000])
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) and value else None


def xml_error(text: str) -> dict[str, object] | None:
    """The fields of `<Error>…</Error>`, in JSON's names; None if the XML is something else.

    Read by a pattern and not by an XML parser: a DTD is never looked at, so no entity can be defined or followed.
    """
    opened = XML_ERROR.search(text)
    if opened is None:
        return None
    start = opened.start()
    plain = _XML_CDATA.sub(lambda found: found[1], text[start : start + 100_000])
    fields: dict[str, object] = {}
    for name, value in _XML_FIELD.findall(plain):
        fields.setdefault(_snake(name), _ENTITY.sub(lambda found: _ENTITIES[found[0]], value).strip())
    return fields if "code" in fields or "message" in fields else None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def is_bson(raw: bytes) -> bool:
    """Whether the bytes have BSON's frame: their own length first, a zero last."""
    return len(raw) > 5 and raw[-1] == 0 and int.from_bytes(raw[:4], "little") == len(raw)


def bson(raw: bytes) -> object:
    """A BSON document as a dict of texts, numbers, documents and lists; the text of the bytes if it is broken."""
    try:
        return _document(raw, 0, 0)[0]
    except (ValueError, struct.error, IndexError):
        return _text(raw)


def _document(raw: bytes, at: int, depth: int) -> tuple[dict[str, object], int]:
    end = at + int.from_bytes(raw[at : at + 4], "little")
    if depth > DEPTH or end > len(raw) or end < at + 5:
        raise ValueError("no BSON document")
    found: dict[str, object] = {}
    at += 4
    while at < end - 1:
        stop = raw.index(0, at + 1, end)
        name = _text(raw[at + 1 : stop])
        found[name], at = _element(raw[at], raw, stop + 1, depth)
    return found, end


def _element(kind: int, raw: bytes, at: int, depth: int) -> tuple[object, int]:
    match kind:
        case 0x02 | 0x0D | 0x0E:
            end = at + 4 + int.from_bytes(raw[at : at + 4], "little")
            return _text(raw[at + 4 : max(at + 4, end - 1)]), end
        case 0x03 | 0x04:
            inner, end = _document(raw, at, depth + 1)
            return (list(inner.values()) if kind == 0x04 else inner), end
        case 0x01:
            return struct.unpack_from("<d", raw, at)[0], at + 8
        case 0x08:
            return raw[at] == 1, at + 1
        case 0x0A:
            return None, at
        case 0x10:
            return struct.unpack_from("<i", raw, at)[0], at + 4
        case 0x07:
            return raw[at : at + 12].hex(), at + 12
        case 0x09 | 0x11 | 0x12:
            return struct.unpack_from("<q", raw, at)[0], at + 8
    raise ValueError(f"BSON type {kind:#x}")


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "replace")
