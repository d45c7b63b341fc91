"""The plain subset of YAML that our writer emits, read without a YAML parser.

A line is `key:`, `key: scalar`, `- scalar` or `key: |` with an indented block. Splitting at `- ` in the first column is
safe, because no scalar of this subset goes on in the next line except a block, which is indented. Whatever is not
plain, or could mean a number, a date or a truth value to YAML, is left to the reader of YAML: the same result or none.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from typing import NamedTuple

_PLAIN_REST = rb"[^\s:#]*+(?:(?::(?=\S)|(?<=\S)#|[ ]++(?=[^\s#]))[^\s:#]*+)*+"
_PLAIN = rb"[A-Za-z/(_]" + _PLAIN_REST
_HEX = rb"(?!0[xXbB])[0-9]+[A-Za-z][0-9A-Za-z]*(?=\n|\Z)"  # an id that begins with a digit, and is no number
_NUMBER = rb"(?:0|[1-9][0-9]{0,17})(?=\n|\Z)"
_DOUBLE = rb'"[^"\\\n]*+(?:\\(?:["\\nrt]|u(?![dD][89a-fA-F])[0-9a-fA-F]{4})[^"\\\n]*+)*+"'
_SINGLE = rb"'(?:[^'\n]|'')*'"
_VALUE = rb"(?:" + b"|".join((_PLAIN, _DOUBLE, _SINGLE, _NUMBER, _HEX)) + rb")"
_SCALAR = rb"(?:" + _VALUE + rb"|\[\]|\{\}|~(?=\n))"
_KEY = rb"[A-Za-z_][A-Za-z0-9_./-]*"
_LINES = re.compile(rb"(?:[ ]{2,}(?:-[ ]" + _SCALAR + rb"|" + _KEY + rb":(?:[ ]" + _SCALAR + rb")?)\n)*+")
_BLOCK = re.compile(rb"([ ]{2,})(" + _KEY + rb"): \|([+-]?)\n")
_BLOCK_ENDS = [re.compile(rb"\n(?=[ ]{0,%d}[^ \n])" % indent) for indent in range(32)]
_MARGIN = re.compile(rb"\n*([ ]+)")
_OUTDENTED = [re.compile(rb"\n(?![ ]{%d}|\n|\Z)" % indent) for indent in range(40)]
_is_plain = re.compile(_PLAIN).fullmatch
_is_hex = re.compile(_HEX).fullmatch
# A whole entry in the order of our writer: most are, and one look at them is enough.
_FIELD = rb"      " + _KEY + rb":\n(?:      - " + _VALUE + rb"\n)++"
_FIELDS = rb"    headers:(?: \{\}\n|\n((?:" + _FIELD + rb")++))"
_TEXT = rb"(" + _VALUE + rb"\n|\|[+-]?\n {%d}(?=[^ \n])[^\n]*+\n(?:(?: {%d}[^\n]*+)?+\n)*+)"
_ENTRY = re.compile(
    rb"- request:\n    method: (GET|POST|PUT|DELETE|PATCH|HEAD|OPTIONS)\n    uri: (https?+:(?=\S)"
    + _PLAIN_REST
    + rb")\n"
    rb"    body: " + _TEXT % (6, 6) + _FIELDS + rb"  response:\n    status:\n      code: ([1-9][0-9][0-9])\n"
    rb"      message: ("
    + _VALUE
    + rb")\n"
    + _FIELDS
    + rb"    body:\n      string: "
    + _TEXT % (8, 8)
    + rb"(?:  coding: ("
    + _VALUE
    + rb")\n)?+(?:  recorded_at: ("
    + _VALUE
    + rb")\n)?+(?=- |\Z)"
)
_split_fields = re.compile(rb"      ([^:\n]++):\n((?:      - [^\n]*+\n)++)").findall
_INTERACTIONS = re.compile(rb"(?:\A|\n)interactions:\n(?=- )")
_TRAILER = re.compile(rb"\n(?=[^\s-])")
_METHOD = re.compile(rb"\n    method: ([^\n]+)")
_URI = re.compile(rb"\n    uri: ([^\n]+)")
_FAULT = re.compile(rb"\n  fault: ([^\n]+)|\n    fault: ([^\n]+)")
# Characters that YAML refuses or takes for line breaks; found with the fastest searches that bytes have.
_BAD_ASCII = bytes(c for c in range(0x80) if (c < 0x20 and c != 0x0A) or c == 0x7F)
_BAD_UTF8 = {
    b"\xc2": re.compile(rb"\xc2[\x80-\x9f]"),
    b"\xe2": re.compile(rb"\xe2\x80[\xa8\xa9]"),
    b"\xef": re.compile(rb"\xef\xbb\xbf|\xef\xbf[\xbe\xbf]"),
}

_WORDS: dict[bytes, object] = {b"null": None, b"~": None, b"true": True, b"false": False}
# Words that YAML 1.1 reads as truth values or nothing, in any case.
_AMBIGUOUS = re.compile(rb"(?i:yes|no|on|off|true|false|null|y|n)").fullmatch


_OPEN = object()  # the value of a key that has none on its line
_GROWING = (list, dict)


class NotPlain(ValueError):
    """The text is not in the plain subset: read it as YAML."""


class Plain:
    """A cassette in plain form: the text around the interactions, and where each of them lies in the file."""

    __slots__ = ("fault", "frame", "keys", "spans")

    def __init__(self, frame: bytes, spans: list[int], keys: list[tuple[str, str]], fault: dict[int, object]) -> None:
        self.frame, self.spans, self.keys, self.fault = frame, spans, keys, fault


class Recorded(NamedTuple):
    """An entry in the order of our writer. headers: names and values, one or more, of the request and the answer."""

    method: str
    uri: str
    body: str
    headers: dict[str, tuple[str, ...]]
    status: int
    reason: str
    answer_headers: dict[str, tuple[str, ...]]
    answer_body: str
    coding: str
    recorded_at: str | None


def split(data: bytes) -> Plain:
    """Find the interactions of a cassette; NotPlain if it is not written in the plain form."""
    if len(data) != len(data.translate(None, _BAD_ASCII)):
        raise NotPlain
    if any(lead in data and bad.search(data) for lead, bad in _BAD_UTF8.items()):
        raise NotPlain
    data.decode()  # a wrong encoding is for the YAML reader to report
    start = _INTERACTIONS.search(data)
    if start is None or not data.endswith(b"\n"):
        raise NotPlain
    head, end = start.end(), len(data)
    trailer = _TRAILER.search(data, data.rfind(b"\n- ", 0, end))
    if trailer and trailer.start() + 1 > head:
        end = trailer.start() + 1
    frame = data[: start.start() + 1] + data[end:]
    spans = [head]
    keys: list[tuple[str, str]] = []
    faults: dict[int, object] = {}
    while (at := spans[-1]) < end:
        entry = _ENTRY.match(data, at, end)
        if entry is not None:
            keys.append((entry[1].decode(), entry[2].decode()))
            spans.append(entry.end())
            continue
        stop = data.find(b"\n- ", at, end) + 1 or end
        spans.append(stop)
        method, uri, fault = _looked_at(b"  " + data[at + 2 : stop])
        keys.append((method, uri))
        if fault is not None:
            faults[len(keys) - 1] = fault
    return Plain(frame, spans, keys, faults)


def _looked_at(entry: bytes) -> tuple[str, str, object]:
    """Method, uri and fault of an entry in any order; NotPlain if one of its lines is not plain."""
    _check_shape(entry)
    methods, uris = _METHOD.findall(entry), _URI.findall(entry)
    if len(methods) != 1 or len(uris) != 1 or not entry.startswith(b"  request:\n"):
        raise NotPlain
    fault = _FAULT.search(entry) if b"fault: " in entry else None
    if fault is None and b"\n  response:\n" not in entry:
        raise NotPlain
    return (
        str(_scalar(methods[0])).upper(),
        str(_scalar(uris[0])),
        None if fault is None else _scalar(fault[1] or fault[2]),
    )


def _check_shape(entry: bytes) -> None:
    """Every line is one of ours. What is in a block is looked at when the entry is read."""
    at, end = 0, len(entry)
    while (at := _LINES.match(entry, at).end()) < end:  # type: ignore[union-attr]  # matches nothing at least
        at = _block_span(entry, at)[1]


def _block_span(entry: bytes, at: int) -> tuple[re.Match[bytes], int]:
    opening = _BLOCK.match(entry, at)
    if opening is None or len(opening[1]) >= len(_BLOCK_ENDS):
        raise NotPlain
    closing = _BLOCK_ENDS[len(opening[1])].search(entry, opening.end() - 1)
    return opening, closing.end() if closing else len(entry)


def read_recorded(data: bytes, start: int, end: int) -> Recorded | None:
    """The entry at this place if it is in the order of our writer; None if another reader has to look at it."""
    match = _ENTRY.match(data, start, end)
    if match is None:
        return None
    method, uri, body, given, code, reason, fields, content, coding, recorded_at = match.groups()
    try:
        headers, answer_headers = _fields(given), _read_fields(fields)
        return Recorded(
            method.decode(),
            uri.decode(),
            _text(body),
            headers,
            int(code),
            _said(reason),
            answer_headers,
            _text(content),
            _said(coding) if coding else "",
            (_said(recorded_at) or None) if recorded_at else None,
        )
    except NotPlain:
        return None


def _read_fields(block: bytes | None) -> dict[str, tuple[str, ...]]:
    if block is None:
        return {}
    pairs = [_field(name, values) for name, values in _split_fields(block)]
    found = dict(pairs)
    if len(found) < len(pairs):
        raise NotPlain
    return found


_fields = lru_cache(maxsize=64)(_read_fields)  # the headers of requests are the same again and again


@lru_cache(maxsize=1024)
def _field(name: bytes, values: bytes) -> tuple[str, tuple[str, ...]]:
    if _AMBIGUOUS(name):
        raise NotPlain
    return name.decode(), tuple([str(_simple(value[8:])) for value in values.split(b"\n")[:-1]])


def _said(raw: bytes) -> str:
    value = _simple(raw)
    return str(value) if value else ""


def _text(raw: bytes) -> str:
    if raw[:1] != b"|":
        value = _simple(raw[:-1])
        if not isinstance(value, str | None):
            raise NotPlain  # no body; the reader of the whole entry reports it
        return value or ""
    chomp, _, block = raw.partition(b"\n")
    return _block(b"\n" + block, chomp[1:])


def read_entry(entry: bytes) -> object:
    """The mapping in one entry (`- request: …`) of a plain cassette; NotPlain if YAML has to read it."""
    entry = b"  " + entry[2:]
    tree = _Tree()
    at, end = 0, len(entry)
    while at < end:
        lines = _LINES.match(entry, at)
        stop = lines.end() if lines else at
        for line in entry[at:stop].split(b"\n")[:-1]:
            tree.add(*_read_line(line))
        if stop == end:
            break
        opening, at = _block_span(entry, stop)
        tree.put(len(opening[1]), opening[2].decode(), _block(entry[opening.end() - 1 : at], opening[3]))
    return tree.root


@lru_cache(maxsize=64)
def read_frame(frame: bytes) -> object:
    """What stands around the interactions: version and metadata. NotPlain if YAML has to read it. Not to be changed."""
    lines = frame.split(b"\n")[:-1]
    while lines and lines[0].startswith(b"#"):
        lines.pop(0)
    text = b"".join([b"  " + line + b"\n" for line in lines])
    _check_shape(text)
    return read_entry(text) if text else {}


@lru_cache(maxsize=4096)
def _read_line(line: bytes) -> tuple[int, str | None, object]:
    """Indent, key (None for an item of a list) and value (_OPEN for none) of a line. Most lines come again."""
    text = line.lstrip(b" ")
    indent = len(line) - len(text)
    if text[:2] == b"- ":
        return indent, None, _scalar(text[2:])
    key, _, value = text.partition(b":")
    if _AMBIGUOUS(key):
        raise NotPlain
    return indent, key.decode(), _scalar(value[1:]) if value else _OPEN


class _Tree:
    """Nested mappings that grow line by line. An open key has no value yet: null, unless something indented follows."""

    __slots__ = ("key", "key_indent", "levels", "list_indent", "root")

    def __init__(self) -> None:
        self.root: dict[str, object] = {}
        self.levels: list[tuple[int, dict[str, object]]] = [(2, self.root)]
        self.key: str | None = None  # the open key, in the innermost mapping
        self.key_indent = self.list_indent = 0

    def add(self, indent: int, key: str | None, value: object) -> None:
        """One line. Empty lists and mappings are new objects: they may grow, and lines are kept."""
        if value.__class__ in _GROWING:
            value = value.__class__()
        if key is None:
            self._append(indent, value)
        else:
            self.put(indent, key, value)

    def put(self, indent: int, key: str, value: object) -> None:
        """A key with its value; with _OPEN the key is open."""
        innermost, mapping = self.levels[-1]
        if indent != innermost:
            mapping = self._mapping(indent)
        if key in mapping:
            raise NotPlain
        if value is _OPEN:
            mapping[key] = None
            self.key, self.key_indent, self.list_indent = key, indent, 0
        else:
            mapping[key] = value
            self.key = None

    def _append(self, indent: int, value: object) -> None:
        key = self.key
        if key is None or indent < self.key_indent or self.list_indent not in (0, indent):
            raise NotPlain
        self.list_indent = indent
        mapping = self.levels[-1][1]
        values = mapping[key]
        if values is None:
            mapping[key] = [value]
        elif isinstance(values, list):
            values.append(value)

    def _mapping(self, indent: int) -> dict[str, object]:
        levels = self.levels
        if self.key is not None and indent > self.key_indent:
            if self.list_indent:
                raise NotPlain
            inner: dict[str, object] = {}
            levels[-1][1][self.key] = inner
            levels.append((indent, inner))
        self.key = None
        while levels[-1][0] > indent:
            levels.pop()
            if not levels:
                raise NotPlain
        if levels[-1][0] != indent:
            raise NotPlain
        return levels[-1][1]


def _block(block: bytes, chomp: bytes) -> str:
    """The text of a literal block, which begins with the line feed before its first line."""
    margin = _MARGIN.match(block)
    if margin is None or len(margin[1]) >= len(_OUTDENTED) or block[margin.end() : margin.end() + 1] in (b"\n", b""):
        raise NotPlain  # empty, or blanks in front that are wider than YAML lets them be
    if _OUTDENTED[len(margin[1])].search(block):
        raise NotPlain
    text = block.replace(b"\n" + margin[1], b"\n")[1:].decode()
    if chomp == b"+":
        return text
    return text.rstrip("\n") + ("" if chomp else "\n")


def _scalar(raw: bytes) -> object:
    if raw == b"[]":
        return []
    return {} if raw == b"{}" else _simple(raw)


@lru_cache(maxsize=1024)
def _simple(raw: bytes) -> object:
    first = raw[:1]
    if first == b'"':
        return json.loads(raw)
    if first == b"'":
        return raw[1:-1].replace(b"''", b"'").decode()
    if raw in _WORDS:
        return _WORDS[raw]
    if raw.isdigit():
        if (first == b"0" and len(raw) > 1) or len(raw) > 18:
            raise NotPlain
        return int(raw)
    if not (_is_plain(raw) or _is_hex(raw)) or _AMBIGUOUS(raw):
        raise NotPlain
    return raw.decode()
