"""YAML of a cassette, read from the parser's events: bounded in depth and in aliases, never running a tag.

PyYAML's own loaders recurse (a document of 200,000 brackets kills the process) and share aliased nodes without a bound.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path
from typing import Any

import yaml

from pytest_hwcloud.cassettes.interaction import CassetteError

MAX_DEPTH = 100
MAX_ALIASED = 1_000_000  # values that all aliases of a file together may stand for
MAX_BYTES = 256 << 20

_STR = "tag:yaml.org,2002:str"
_PYTHON = "tag:yaml.org,2002:python/"
# The tags that vcrpy itself has written, all harmless: text, tuples, and bodies that were files or iterators.
_TEXT_TAGS = {_STR, f"{_PYTHON}str", f"{_PYTHON}unicode"}
_TUPLE = f"{_PYTHON}tuple"
_FILE = f"{_PYTHON}object/new:_io.BytesIO"
_ITERATOR = f"{_PYTHON}object/apply:builtins.iter"
_MERGE = "tag:yaml.org,2002:merge"
_CONTAINERS = {"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", _TUPLE, _FILE, _ITERATOR, "!", None}


class _Open:
    """A mapping or sequence that is being read."""

    __slots__ = ("anchor", "items", "mapping", "size", "tag")

    def __init__(self, mapping: bool, tag: str | None, anchor: str | None) -> None:
        self.mapping, self.tag, self.anchor = mapping, tag, anchor
        self.items: list[object] = []
        self.size = 1


class _Merge:
    """The key `<<`."""


class _Reader:
    def __init__(self, text: str | bytes, path: Path) -> None:
        base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.loader = base(text)
        self.path = path
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[object, int]] = {}
        self.aliased = 0
        self.result: object = None
        self.documents = 0

    def read(self) -> object:
        handlers = {
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.start,
            yaml.SequenceStartEvent: self.start,
            yaml.MappingEndEvent: self.end,
            yaml.SequenceEndEvent: self.end,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document,
        }
        loader = self.loader
        try:
            while loader.check_event():
                event = loader.get_event()
                handle = handlers.get(event.__class__)
                if handle is not None:
                    handle(event)
        except yaml.MarkedYAMLError as why:
            mark = why.problem_mark or why.context_mark
            if "nesting depth" in str(why.problem):  # PyYAML 6.0.4 has a limit of its own, and meets it ahead of ours
                raise self.error(f"nested deeper than {MAX_DEPTH} levels", mark) from why
            raise self.error(f"broken YAML: {why.problem or why.context}", mark) from why
        except yaml.reader.ReaderError as why:
            raise self.error(_unreadable(why), None) from why
        except yaml.YAMLError as why:
            raise self.error(f"broken YAML: {' '.join(str(why).split())}", None) from why
        return self.result

    def error(self, problem: str, mark: Any) -> CassetteError:
        return CassetteError(problem, path=self.path, line=mark.line + 1 if mark else None)

    def document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            raise self.error("a cassette is one YAML document, this file has more", event.start_mark)

    def scalar(self, event: Any) -> None:
        value = event.value
        tag = event.tag
        if tag is None or (tag == "!" and event.implicit[1]):
            tag = self.loader.resolve(yaml.ScalarNode, value, event.implicit) if event.implicit[0] else _STR
        if tag not in _TEXT_TAGS:
            value = _Merge() if tag == _MERGE else self.construct(tag, event)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)
        self.put(value, 1)

    def construct(self, tag: str, event: Any) -> object:
        if tag not in yaml.SafeLoader.yaml_constructors:
            raise self.error(_refused(tag), event.start_mark)
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        try:
            return self.loader.construct_object(node)
        except (ValueError, OverflowError) as why:
            raise self.error(f"broken YAML: {event.value!r} is no {tag.rpartition(':')[2]}", event.start_mark) from why

    def start(self, event: Any) -> None:
        if event.tag not in _CONTAINERS:
            raise self.error(_refused(event.tag), event.start_mark)
        if len(self.stack) >= MAX_DEPTH:
            raise self.error(f"nested deeper than {MAX_DEPTH} levels", event.start_mark)
        self.stack.append(_Open(event.__class__ is yaml.MappingStartEvent, event.tag, event.anchor))
        if event.anchor:
            self.anchors.pop(event.anchor, None)

    def end(self, event: Any) -> None:
        done = self.stack.pop()
        value = self.finished(done, event)
        if done.anchor:
            self.anchors[done.anchor] = (value, done.size)
        self.put(value, done.size)

    def finished(self, done: _Open, event: Any) -> object:
        if not done.mapping:
            return tuple(done.items) if done.tag == _TUPLE else done.items
        made: dict[object, object] = {}
        merged: dict[object, object] = {}
        pairs = iter(done.items)
        try:
            for key, value in zip(pairs, pairs, strict=True):
                if isinstance(key, _Merge):
                    for base in reversed(value if isinstance(value, list) else [value]):
                        merged.update(base)
                else:
                    made[key] = value
        except (TypeError, ValueError) as why:
            raise self.error("broken YAML: a key must be a plain value", event.start_mark) from why
        return _python_object(done.tag, {**merged, **made} if merged else made)

    def alias(self, event: Any) -> None:
        if event.anchor not in self.anchors:
            raise self.error(f"alias *{event.anchor} has no anchor before it, or is inside it", event.start_mark)
        value, size = self.anchors[event.anchor]
        self.aliased += size
        if self.aliased > MAX_ALIASED:
            problem = f"the aliases of this file stand for more than {MAX_ALIASED:,} values (a YAML bomb?)"
            raise self.error(problem, event.start_mark)
        self.put(value, size)

    def put(self, value: object, size: int) -> None:
        if not self.stack:
            self.result = value
            return
        top = self.stack[-1]
        top.items.append(value)
        top.size += size


def _refused(tag: str) -> str:
    what = "python object" if "python/" in tag else "tag"
    return f"{what} {tag.removeprefix('tag:yaml.org,2002:')!r} is refused; a cassette holds only plain values"


def _python_object(tag: str | None, made: dict[object, object]) -> object:
    if tag not in (_FILE, _ITERATOR):
        return made
    held = made.get("state" if tag == _FILE else "args") or ([],)
    first = held[0] if isinstance(held, (list, tuple)) and held else b""
    if tag == _ITERATOR:
        return list(first) if isinstance(first, (list, tuple)) else []
    return BytesIO(first.encode() if isinstance(first, str) else first if isinstance(first, bytes) else b"").getvalue()


def _unreadable(why: Any) -> str:
    return f"not a text file: {why.reason} at position {why.position}; a cassette is YAML in UTF-8"


def read_yaml(text: str | bytes, path: Path) -> object:
    """The document of a YAML text; CassetteError (file, line) for broken, dangerous or oversized ones."""
    if len(text) > MAX_BYTES:
        raise CassetteError(f"larger than {MAX_BYTES >> 20} MB", path=path)
    try:
        return _Reader(text, path).read()
    except yaml.reader.ReaderError as why:  # the reader of characters complains before the first event
        raise CassetteError(_unreadable(why), path=path) from why
    except yaml.YAMLError as why:
        raise CassetteError(f"broken YAML: {' '.join(str(why).split())}", path=path) from why
