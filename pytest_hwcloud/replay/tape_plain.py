"""The plain subset of YAML that our writer emits, read without a YAML parser.

A line is `key:`, `key: scalar`, `- scalar` or `key: |` with an indented block. Splitting at `- ` in the first column is
safe, because no scalar of this subset goes on in the next line except a block, which is indented. Whatever is not
plain, or could mean a number, a date or a truth value to YAML, is left to tape_yaml: the same result or none.
"""

from __future__ import annotations

import json
import re

_PLAIN = rb"""[A-Za-z/(~_](?:[^\s:\#]|:(?=\S)|(?<=\S)\#|[ ]+(?=[^\s\#]))*"""
_NUMBER = rb"(?:0|[1-9][0-9]{0,17})"
_DOUBLE = rb'"(?:[^"\\\n]|\\["\\nrt]|\\u(?![dD][89a-fA-F])[0-9a-fA-F]{4})*"'
_SINGLE = rb"'(?:[^'\n]|'')*'"
_SCALAR = rb"(?:" + b"|".join((_DOUBLE, _SINGLE, rb"\[\]|\{\}", _NUMBER + rb"(?=\n)", _PLAIN)) + rb")"
_KEY = rb"""(?:[A-Za-z_][A-Za-z0-9_./-]*|'[^'\n]*')"""
_LINE = re.compile(
    rb"(?P<indent>[ ]{2,})"
    rb"(?:-[ ](?P<item>" + _SCALAR + rb")\n"
    rb"|(?P<key>" + _KEY + rb"):"
    rb"(?:\n|[ ](?:(?P<value>" + _SCALAR + rb")\n"
    rb"|\|(?P<chomp>[+-]?)\n(?P<block>(?:(?P=indent)[ ]+[^\s][^\n]*\n|[ ]*\n)*))))"
)
_SHAPE = re.compile(rb"(?:(?:" + re.sub(rb"\?P<(?!indent)[a-z]+>", b"?:", _LINE.pattern) + rb"))*+")
_plain = re.compile(_PLAIN).fullmatch
_INTERACTIONS = re.compile(rb"(?:\A|\n)interactions:\n(?=- )")
_TRAILER = re.compile(rb"\n(?=[^\s-])")
_METHOD = re.compile(rb"\n    method: ([^\n]+)")
_URI = re.compile(rb"\n    uri: ([^\n]+)")
_FAULT = re.compile(rb"\n  fault: ([^\n]+)|\n    fault: ([^\n]+)")
# Characters that YAML refuses or takes for line breaks; found with the fastest searches that bytes have.
_BAD_ASCII = bytes(c for c in range(0x80) if (c < 0x20 and c != 0x0A) or c == 0x7F)
_BAD_UTF8 = re.compile(rb"\xc2[\x80-\x9f]|\xe2\x80[\xa8\xa9]|\xef\xbb\xbf|\xef\xbf[\xbe\xbf]|\xed[\xa0-\xbf]")
_BAD_HINTS = (b"\xc2", b"\xe2\x80", b"\xef\xbb\xbf", b"\xef\xbf", b"\xed")

_WORDS: dict[bytes, object] = {b"null": None, b"~": None, b"true": True, b"false": False}
# Words that YAML 1.1 reads as truth values or numbers in some spelling of case.
_AMBIGUOUS = re.compile(rb"(?i:yes|no|on|off|true|false|null|y|n|~.*)").fullmatch


class NotPlain(ValueError):  # noqa: N818  (no error, another reader is asked)
    """The text is not in the plain subset: read it as YAML."""


class Plain:
    """A cassette in plain form: the text around the interactions, and where each of them lies in the file."""

    __slots__ = ("fault", "frame", "keys", "spans")

    def __init__(self, frame: bytes, spans: list[int], keys: list[tuple[str, str]], fault: dict[int, object]) -> None:
        self.frame, self.spans, self.keys, self.fault = frame, spans, keys, fault


def split(data: bytes) -> Plain:
    """Find the interactions of a cassette; NotPlain if it is not written in the plain form."""
    if len(data) != len(data.translate(None, _BAD_ASCII)):
        raise NotPlain
    if any(hint in data for hint in _BAD_HINTS) and _BAD_UTF8.search(data):
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
    find = data.find
    while (at := find(b"\n- ", spans[-1], end)) != -1:
        spans.append(at + 1)
    spans.append(end)
    return _checked(data, frame, spans)


def _checked(data: bytes, frame: bytes, spans: list[int]) -> Plain:
    keys: list[tuple[str, str]] = []
    faults: dict[int, object] = {}
    shaped = _SHAPE.fullmatch
    for index in range(len(spans) - 1):
        entry = b"  " + data[spans[index] + 2 : spans[index + 1]]
        if not shaped(entry) or b"\n  response:" not in entry:
            raise NotPlain
        methods, uris = _METHOD.findall(entry), _URI.findall(entry)
        if len(methods) != 1 or len(uris) != 1 or not entry.startswith(b"  request:\n"):
            raise NotPlain
        keys.append((str(_scalar(methods[0])).upper(), str(_scalar(uris[0]))))
        if b"fault: " in entry and (fault := _FAULT.search(entry)):
            faults[index] = _scalar(fault[1] or fault[2])
    return Plain(frame, spans, keys, faults)


def read_entry(entry: bytes) -> object:
    """The mapping in one entry (`- request: …`) of a plain cassette; NotPlain if YAML has to read it."""
    text = b"  " + entry[2:]
    root: dict[str, object] = {}
    stack: list[tuple[int, dict[str, object]]] = [(2, root)]
    pending: tuple[int, dict[str, object], str] | None = None  # a key without a value yet: null, or what follows
    at = 0
    while at < len(text):
        line = _LINE.match(text, at)
        if line is None:
            raise NotPlain
        at = line.end()
        indent = len(line["indent"])
        if line["item"] is not None:
            _append(pending, indent, _scalar(line["item"]))
            continue
        if pending is not None and indent > pending[0] and pending[1][pending[2]] is None:
            opened: dict[str, object] = {}
            pending[1][pending[2]] = opened
            stack.append((indent, opened))
        while stack and stack[-1][0] > indent:
            stack.pop()
        if not stack or stack[-1][0] != indent:
            raise NotPlain
        pending = _put(line, indent, stack[-1][1])
    return root


def _put(line: re.Match[bytes], indent: int, mapping: dict[str, object]) -> tuple[int, dict[str, object], str] | None:
    raw = line["key"]
    if _AMBIGUOUS(raw):
        raise NotPlain
    key = (raw[1:-1] if raw[:1] == b"'" else raw).decode()
    if key in mapping:
        raise NotPlain
    if line["value"] is not None:
        mapping[key] = _scalar(line["value"])
    elif line["block"] is not None:
        mapping[key] = _block(line["block"], line["chomp"])
    else:
        mapping[key] = None
        return indent, mapping, key
    return None


def _append(pending: tuple[int, dict[str, object], str] | None, indent: int, value: object) -> None:
    if pending is None or indent < pending[0]:
        raise NotPlain
    held = pending[1][pending[2]]
    if held is None:
        pending[1][pending[2]] = _List((value,), indent)
    elif isinstance(held, _List) and held.indent == indent:
        held.append(value)
    else:
        raise NotPlain


class _List(list[object]):
    """A sequence that remembers the column of its dashes."""

    def __init__(self, values: tuple[object, ...], indent: int) -> None:
        super().__init__(values)
        self.indent = indent


def _block(block: bytes, chomp: bytes) -> str:
    lines = block.split(b"\n")[:-1]
    first = next((line for line in lines if line.strip(b" ")), None)
    if first is None:
        raise NotPlain
    indent = len(first) - len(first.lstrip(b" "))
    margin = b" " * indent
    for line in lines:
        if line is first:
            break
        if len(line) > indent:  # a blank line before the text, wider than it: YAML refuses that
            raise NotPlain
    if any(not line.startswith(margin) and line.strip(b" ") for line in lines):
        raise NotPlain
    text = b"\n".join([line[indent:] for line in lines]).decode()
    if chomp == b"+":
        return text + "\n"
    return text.rstrip("\n") + ("" if chomp else "\n")


def _scalar(raw: bytes) -> object:
    first = raw[:1]
    if first == b'"':
        return json.loads(raw)
    if first == b"'":
        return raw[1:-1].replace(b"''", b"'").decode()
    if raw in _WORDS:
        return _WORDS[raw]
    if raw == b"[]":
        return []
    if raw == b"{}":
        return {}
    if first.isdigit():
        if not raw.isdigit() or (first == b"0" and len(raw) > 1):
            raise NotPlain
        return int(raw)
    if not _plain(raw) or _AMBIGUOUS(raw):
        raise NotPlain
    return raw.decode()
