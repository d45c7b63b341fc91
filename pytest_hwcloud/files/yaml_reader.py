"""YAML read from the parser's events: with lines, bounded in depth, aliases and size, never running a tag.

PyYAML's own loaders recurse (a document of 200,000 brackets kills the process), keep the last of two equal keys, share
aliased nodes without a bound, and know no lines. Cassettes, hwcloud.yaml, the lock and tables of actions all read here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from io import BytesIO
from typing import Any

import yaml

from pytest_hwcloud import texts

Path = tuple[str | int, ...]
MAX_DEPTH = 100
MAX_ALIASED = 1_000_000  # values that all aliases of a file together may stand for
MAX_BYTES = 256 << 20

_STR = "tag:yaml.org,2002:str"
_PYTHON = "tag:yaml.org,2002:python/"
_MERGE = "tag:yaml.org,2002:merge"
# The tags that vcrpy itself has written, all harmless: text, tuples, and bodies that were files or iterators.
_TEXT_TAGS = frozenset({_STR, f"{_PYTHON}str", f"{_PYTHON}unicode"})
_TUPLE = f"{_PYTHON}tuple"
_FILE = f"{_PYTHON}object/new:_io.BytesIO"
_ITERATOR = f"{_PYTHON}object/apply:builtins.iter"
_PLAIN_CONTAINERS = frozenset({"tag:yaml.org,2002:map", "tag:yaml.org,2002:seq", "!", None})


class LocatedError(ValueError):
    """A document that cannot be used; the text is `file:line: key: what is wrong`.

    problem: what is wrong, without the place. line: from 1, None if it is not known.
    """

    def __init__(self, problem: str, *, file: str, line: int | None = None) -> None:
        self.problem, self.file, self.line = problem, file, line
        super().__init__(f"{file}:{line}: {problem}" if line else f"{file}: {problem}")


@dataclass(frozen=True, kw_only=True)
class Dialect:
    """What a kind of file may hold. name: how its phrases begin. most_aliases: how often `*x` may stand in it."""

    name: str
    containers: frozenset[str | None] = _PLAIN_CONTAINERS
    text_tags: frozenset[str] = frozenset({_STR})
    most_aliases: int | None = None


SETTINGS = Dialect(name="settings", most_aliases=100)  # written by people: hwcloud.yaml, the lock, tables
CASSETTE = Dialect(
    name="cassette", containers=_PLAIN_CONTAINERS | {_TUPLE, _FILE, _ITERATOR}, text_tags=_TEXT_TAGS
)  # written by vcrpy, whichever version


@dataclass(frozen=True, slots=True)
class Located:
    """A parsed document. value: plain dicts, lists and scalars. Where its keys and items stand is asked by path."""

    file: str
    value: object
    places: dict[int, list[tuple[str, int, object]]] = field(repr=False)  # id of a container -> key, line, value

    def error(self, path: Path, text: str) -> LocatedError:
        """The error for one place of this document."""
        return LocatedError(f"{dotted(path)}{text}", file=self.file, line=self.line(path))

    def line(self, path: Path) -> int:
        """The line of the nearest known place at or above this path."""
        line, here = 1, self.value
        for step in path:
            rows = self.places.get(id(here), ())
            row = next((row for row in rows if row[0] == str(step)), None)
            if row is None:
                return line
            _, line, here = row
        return line


def dotted(path: Path) -> str:
    """`identities.default.projects: ` for a path; nothing for the whole document."""
    return "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in path).lstrip(".") + ": " if path else ""


def load(text: str, file: str) -> Located:
    """Parse one document of settings; LocatedError for broken YAML, tags, doubled keys, and alias bombs."""
    reader = _Reader(text, file, SETTINGS)
    return Located(file, reader.read(), reader.places)


def read_cassette_yaml(text: str | bytes, file: str) -> object:
    """The document of a cassette; LocatedError for a broken, dangerous or oversized one."""
    return _Reader(text, file, CASSETTE).read()


class _Open:
    """A mapping or sequence that is being read. lines: of its keys or items."""

    __slots__ = ("anchor", "items", "lines", "mapping", "size", "tag")

    def __init__(self, mapping: bool, tag: str | None, anchor: str | None) -> None:
        self.mapping, self.tag, self.anchor = mapping, tag, anchor
        self.items: list[object] = []
        self.lines: list[int] = []
        self.size = 1


class _Merge:
    """The key `<<`."""


class _Reader:
    def __init__(self, text: str | bytes, file: str, dialect: Dialect) -> None:
        self.text, self.file, self.dialect = text, file, dialect
        self.stack: list[_Open] = []
        self.anchors: dict[str, tuple[object, int]] = {}
        self.aliased = self.aliases = self.documents = 0
        self.result: object = None
        self.places: dict[int, list[tuple[str, int, object]]] = {}
        self.bomb: LocatedError | None = None
        self.loader: Any = None

    def read(self) -> object:
        if len(self.text) > MAX_BYTES:
            raise self.error(texts.say("files.too-large", megabytes=MAX_BYTES >> 20), None)
        # Where yaml was imported a second time in one process, as pytester does it, libyaml's parser still makes events
        # of the first: none of them would be known here.
        fast = getattr(getattr(yaml, "_yaml", None), "ScalarEvent", None) is yaml.ScalarEvent
        base: Any = yaml.CSafeLoader if fast else yaml.SafeLoader
        handlers: dict[type, Callable[[Any], None]] = {
            yaml.ScalarEvent: self.scalar,
            yaml.MappingStartEvent: self.start,
            yaml.SequenceStartEvent: self.start,
            yaml.MappingEndEvent: self.end,
            yaml.SequenceEndEvent: self.end,
            yaml.AliasEvent: self.alias,
            yaml.DocumentStartEvent: self.document,
        }
        try:
            self.loader = loader = base(self.text)
            while loader.check_event():
                event = loader.get_event()
                handle = handlers.get(event.__class__)
                if handle is not None:
                    handle(event)
        except yaml.MarkedYAMLError as why:
            mark = why.problem_mark or why.context_mark
            if "nesting depth" in str(why.problem):  # PyYAML 6.0.4 has its own limit, which is reached before ours
                raise self.error(texts.say("files.too-deep", levels=MAX_DEPTH), mark) from None
            raise self.broken(str(why.problem or why.context), mark) from None
        except yaml.reader.ReaderError as why:
            raise self.unreadable(why) from None
        except yaml.YAMLError as why:
            raise self.broken(" ".join(str(why).split()), None) from None
        if self.bomb is not None:
            raise self.bomb
        return self.result

    # errors -----------------------------------------------------------------------------------------------------------
    def error(self, problem: str, mark: Any) -> LocatedError:
        return LocatedError(problem, file=self.file, line=mark.line + 1 if mark else None)

    def broken(self, detail: str, mark: Any) -> LocatedError:
        return self.error(texts.say(f"files.{self.dialect.name}-broken", detail=detail), mark)

    def refused(self, tag: str, mark: Any) -> LocatedError:
        what = "python" if "python/" in tag else "tag"
        short = tag.removeprefix("tag:yaml.org,2002:")
        return self.error(texts.say(f"files.{self.dialect.name}-{what}", tag=tag, short=short), mark)

    def unreadable(self, why: Any) -> LocatedError:
        phrase = texts.say(f"files.{self.dialect.name}-no-text", reason=why.reason, position=why.position)
        if self.dialect is CASSETTE or not isinstance(self.text, str):
            return LocatedError(phrase, file=self.file)
        return LocatedError(phrase, file=self.file, line=self.text.count("\n", 0, why.position) + 1)

    # events -----------------------------------------------------------------------------------------------------------
    def document(self, event: Any) -> None:
        self.documents += 1
        if self.documents > 1:
            raise self.error(texts.say(f"files.{self.dialect.name}-documents"), event.start_mark)

    def scalar(self, event: Any) -> None:
        value = event.value
        tag = event.tag
        if tag is None or (tag == "!" and event.implicit[1]):
            tag = self.loader.resolve(yaml.ScalarNode, value, event.implicit) if event.implicit[0] else _STR
        if tag not in self.dialect.text_tags:
            value = _Merge() if tag == _MERGE else self.construct(tag, event)
        if event.anchor:
            self.anchors[event.anchor] = (value, 1)
        self.put(value, 1, event)

    def construct(self, tag: str, event: Any) -> object:
        if tag not in yaml.SafeLoader.yaml_constructors:
            raise self.refused(tag, event.start_mark)
        node = yaml.ScalarNode(tag, event.value, event.start_mark, event.end_mark)
        try:
            return self.loader.construct_object(node)
        except (ValueError, OverflowError, LookupError, AttributeError):
            shown = event.value if len(event.value) <= 40 else f"{event.value[:37]}..."
            problem = texts.say("files.no-such-value", value=repr(shown), kind=tag.rpartition(":")[2])
            raise self.broken(problem, event.start_mark) from None

    def start(self, event: Any) -> None:
        if event.tag not in self.dialect.containers:
            raise self.refused(event.tag, event.start_mark)
        if len(self.stack) >= MAX_DEPTH:
            raise self.error(texts.say("files.too-deep", levels=MAX_DEPTH), event.start_mark)
        if self.stack:
            self.stack[-1].lines.append(event.start_mark.line + 1)
        self.stack.append(_Open(event.__class__ is yaml.MappingStartEvent, event.tag, event.anchor))
        if event.anchor:
            self.anchors.pop(event.anchor, None)

    def end(self, _: Any) -> None:
        done = self.stack.pop()
        value = self.mapping(done) if done.mapping else self.sequence(done)
        if done.anchor:
            self.anchors[done.anchor] = (value, done.size)
        if self.stack:
            self.stack[-1].items.append(value)
            self.stack[-1].size += done.size
        else:
            self.result = value

    def sequence(self, done: _Open) -> object:
        if self.dialect is SETTINGS:
            rows = zip(done.lines, done.items, strict=True)
            self.places[id(done.items)] = [(str(index), *row) for index, row in enumerate(rows)]
        return tuple(done.items) if done.tag == _TUPLE else done.items

    def mapping(self, done: _Open) -> object:
        made: dict[object, object] = {}
        merged: dict[object, object] = {}
        rows = []
        items, lines = done.items, done.lines
        try:
            for at in range(0, len(items), 2):
                key, value = items[at], items[at + 1]
                if isinstance(key, _Merge):
                    for base in reversed(value if isinstance(value, list) else [value]):
                        merged.update(base)
                elif key in made:
                    raise self.error(
                        f"{dotted((*self.path(), str(key)))}{texts.say('files.given-twice')}", _At(lines[at])
                    )
                else:
                    made[key] = value
                    rows.append((str(key), lines[at], value))
        except LocatedError:
            raise
        except (TypeError, ValueError):
            raise self.broken(texts.say("files.no-plain-key"), _At(lines[at])) from None
        if merged:
            made = {**merged, **made}
        if self.dialect is SETTINGS:
            self.places[id(made)] = rows
        return made if done.tag not in (_FILE, _ITERATOR) else _python_object(done.tag, made)

    def path(self) -> Path:
        """Where the innermost open container stands, for a message."""
        found: list[str | int] = []
        for level in self.stack:
            if not level.mapping:
                found.append(len(level.items))
            elif level.items:
                found.append(str(level.items[-1]))
        return tuple(found)

    def alias(self, event: Any) -> None:
        self.aliases += 1
        most = self.dialect.most_aliases
        if most is not None and self.aliases > most:
            raise self.error(texts.say("files.too-many-aliases", most=most), event.start_mark)
        if event.anchor not in self.anchors:
            raise self.error(texts.say("files.no-anchor", name=event.anchor), event.start_mark)
        value, size = self.anchors[event.anchor]
        self.aliased += size
        if self.aliased > MAX_ALIASED and self.bomb is None:
            self.bomb = self.error(texts.say("files.alias-bomb", most=f"{MAX_ALIASED:,}"), event.start_mark)
            if most is None:  # else the sentence with the way out comes first
                raise self.bomb
        self.put(value, size, event)

    def put(self, value: object, size: int, event: Any) -> None:
        if not self.stack:
            self.result = value
            return
        top = self.stack[-1]
        top.items.append(value)
        top.lines.append(event.start_mark.line + 1)
        top.size += size


class _At:
    """A mark of which only the line is known."""

    def __init__(self, line: int) -> None:
        self.line = line - 1


def _python_object(tag: str | None, made: dict[object, object]) -> object:
    """The body that a file object or an iterator held, which vcrpy wrote as Python objects."""
    held = made.get("state" if tag == _FILE else "args") or ([],)
    first = held[0] if isinstance(held, (list, tuple)) and held else b""
    if tag == _ITERATOR:
        return list(first) if isinstance(first, (list, tuple)) else []
    return BytesIO(first.encode() if isinstance(first, str) else first if isinstance(first, bytes) else b"").getvalue()
