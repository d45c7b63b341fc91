"""Patterns of actions and resources, and the index that finds the statements a question concerns.

An action pattern has one to three parts (`*`, `identity:*`, `ecs:*:get*`), is compared without case, and knows `*`
and `?`. Most patterns are found by a dictionary look-up under their own text; only those with a wildcard inside a
word are tried in turn, and of these only the ones of the service in question.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Generic, NamedTuple, TypeAlias, TypeVar

Match = Callable[[str], bool]
T = TypeVar("T")
ANY = ("*", "*:*:*", "*:*")
_UNTOLD = re.compile(r"<[^<>]*>")


def wild(text: str) -> bool:
    """Has the text a wildcard?"""
    return "*" in text or "?" in text


@lru_cache(4096)
def glob(pattern: str) -> Match:
    """A test for texts: `*` stands for any characters, `?` for one; everything else for itself, case as given."""
    core = pattern.strip("*")
    if wild(core):
        return _scan(pattern)
    match pattern.startswith("*"), pattern.endswith("*") and bool(pattern):
        case False, False:
            return pattern.__eq__
        case False, True:
            return lambda text: text.startswith(core)
        case True, False:
            return lambda text: text.endswith(core)
        case _:
            return lambda text: core in text


def _scan(pattern: str) -> Match:
    if "*" not in pattern:
        single = re.compile("".join("." if c == "?" else re.escape(c) for c in pattern), re.DOTALL)
        return lambda text: single.fullmatch(text) is not None
    head, _, tail = pattern.partition("*")
    if not wild(head) and not wild(tail):
        size = len(pattern) - 1
        return lambda text: len(text) >= size and text.startswith(head) and text.endswith(tail)
    # Each part between two stars is taken where it stands first, for good (in the expression by an atomic group):
    # without that a pattern of a dozen stars tries every way to place them and never ends.
    if "?" not in pattern:  # an expression takes longer to compile than thousands of names to compare
        return _in_order(*_cut(pattern))
    first, *middle, last = ("".join("." if c == "?" else re.escape(c) for c in part) for part in _runs(pattern))
    compiled = re.compile(first + "".join(f"(?>.*?{part})" for part in middle) + ".*" + last, re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None


def _cut(pattern: str) -> tuple[str, list[str], str]:
    first, *middle, last = _runs(pattern)
    return first, middle, last


def _in_order(first: str, middle: list[str], last: str) -> Match:
    begin, end = len(first), len(last)
    if len(middle) == 1:  # ecs:*:list*, the usual one
        part = middle[0]
        return lambda text: (
            text.startswith(first) and text.find(part, begin, len(text) - end) >= 0 and text.endswith(last)
        )

    def matches(text: str) -> bool:
        at = begin
        for part in middle:
            found = text.find(part, at)
            if found < 0:
                return False
            at = found + len(part)
        return at + end <= len(text) and text.startswith(first) and text.endswith(last)

    return matches


def _runs(pattern: str) -> list[str]:
    """What stands between the stars."""
    return re.sub(r"\*+", "*", pattern).split("*")


def covers(pattern: str, action: str) -> bool:
    """Does this action pattern match this action? Without case."""
    return pattern in ANY or glob(pattern.lower())(action.lower())


_RUN, _FEW = 3, 32  # characters; patterns that are tried faster than looked up


class _Patterns(Generic[T]):
    """Entries under patterns that only a comparison finds. Of many patterns, few are compared with an action."""

    __slots__ = ("_by_run", "entries")

    def __init__(self) -> None:
        self.entries: dict[str, list[T]] = {}
        self._by_run: dict[str, list[tuple[Match, list[T]]]] = {}

    def file(self, pattern: str, entry: T) -> None:
        self.entries.setdefault(pattern, []).append(entry)
        self._by_run = {}

    def find(self, action: str) -> Iterator[T]:
        """The entries whose pattern matches an action."""
        by_run = self._by_run = self._by_run or self._filed()
        runs = {action[at : at + _RUN] for at in range(len(action) - _RUN + 1)} if len(self.entries) > _FEW else ()
        for run in ("", *runs):
            for match, entries in by_run.get(run, ()):
                if match(action):
                    yield from entries

    def _filed(self) -> dict[str, list[tuple[Match, list[T]]]]:
        """By three characters that whatever matches must have: those that the fewest patterns share; or under ""."""
        runs = {pattern: _runs_of(pattern) if len(self.entries) > _FEW else set() for pattern in self.entries}
        shared = Counter(run for found in runs.values() for run in found)
        by_run: dict[str, list[tuple[Match, list[T]]]] = {}
        for pattern, entries in self.entries.items():
            rarest = min(runs[pattern], key=lambda run: (shared[run], run), default="")
            by_run.setdefault(rarest, []).append((glob(pattern), entries))
        return by_run


def _runs_of(pattern: str) -> set[str]:
    parts = pattern.replace("?", "*").split("*")
    return {part[at : at + _RUN] for part in parts for at in range(len(part) - _RUN + 1)}


class _Service(Generic[T]):
    """The entries of one service word, by what their patterns leave open."""

    __slots__ = ("every", "exact", "inside", "kinds", "operations")

    def __init__(self) -> None:
        self.exact: dict[str, list[T]] = {}  # type:operation
        self.kinds: dict[str, list[T]] = {}  # type:*
        self.operations: dict[str, list[T]] = {}  # *:operation
        self.every: list[T] = []  # *
        self.inside: _Patterns[T] = _Patterns()  # a wildcard inside a word

    def file(self, pattern: str, entry: T) -> None:
        """Put an entry where its pattern (lower case) belongs."""
        rest = pattern.partition(":")[2]
        kind, colon, operation = rest.rpartition(":")
        if rest in ("*", "*:*"):
            self.every.append(entry)
        elif not wild(rest):
            self.exact.setdefault(rest, []).append(entry)
        elif colon and operation == "*" and not wild(kind):
            self.kinds.setdefault(kind, []).append(entry)
        elif kind == "*" and not wild(operation):
            self.operations.setdefault(operation, []).append(entry)
        else:
            self.inside.file(pattern, entry)


class ActionIndex(Generic[T]):
    """Things filed under action patterns (lower case), found by action name."""

    __slots__ = ("_anywhere", "_loose", "_services")

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._services: dict[str, _Service[T]] = {}
        self._anywhere: list[T] = []
        self._loose: _Patterns[T] = _Patterns()
        for pattern, entry in entries:
            service, colon, _ = pattern.partition(":")
            if pattern in ANY:
                self._anywhere.append(entry)
            elif wild(service) or not colon:
                self._loose.file(pattern, entry)
            else:
                self._services.setdefault(service, _Service()).file(pattern, entry)

    def find(self, action: str) -> list[T]:
        """The entries whose pattern matches this action (lower case); one can come twice."""
        found = self._anywhere.copy()
        name, _, rest = action.partition(":")
        service = self._services.get(name)
        if service is not None:
            kind, _, operation = rest.rpartition(":")
            found += service.exact.get(rest, ())
            found += service.kinds.get(kind, ())
            found += service.operations.get(operation, ())
            found += service.every
            if service.inside.entries:
                found += service.inside.find(action)
        if self._loose.entries:
            found += self._loose.find(action)
        return found


class RequestedResource(str):
    """The URN of what a request is about, as far as the request determines it.

    A part in angle brackets (`<id>`) is not known; `*` alone covers it for certain. candidates: what the path names,
    if it is undocumented on which resource type the action is granted; a statement about one of these types is decided
    by it, one about another type is not.
    """

    __slots__ = ("candidates",)
    candidates: tuple[str, ...]

    def __new__(cls, text: str, candidates: tuple[str, ...] = ()) -> RequestedResource:
        """The URN, and the others that it may be."""
        made = super().__new__(cls, text)
        made.candidates = candidates
        return made


class ByGrammar(NamedTuple):
    """One resource as statements of version 1.x (older) and of 5.0 (newer) see it: they differ in resource types.

    `*`: the action takes no particular one there; None: not known.
    """

    older: str | None
    newer: str | None


AskedResource: TypeAlias = "str | ByGrammar | None"


class Resource:
    """A resource in a question: `service:region:account:type:path`, or any other text."""

    __slots__ = ("candidates", "parts", "text", "untold")

    def __init__(self, text: str) -> None:
        self.text = text
        self.candidates = tuple(map(Resource, text.candidates)) if isinstance(text, RequestedResource) else ()
        self.untold: tuple[int, ...] = ()  # places of the parts that the request does not determine
        self.parts = parts = text.lower().split(":", 4)
        if len(parts) == 5:
            parts[4] = text.split(":", 4)[4]
            if parts[1] == "*":
                parts[1] = ""
            if isinstance(text, RequestedResource):
                self.untold = tuple(place for place, part in enumerate(parts) if _UNTOLD.search(part))


class ResourcePattern:
    """A resource pattern: five parts, each with wildcards; or a whole text such as `/iam/agencies/<id>`.

    Service, region, account and type are compared without case, the path exactly. A question about `*` (a call without
    resource-level authorization) is matched only by `*`.
    """

    __slots__ = ("_tests", "_whole", "everything", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        parts = text.split(":", 4)
        self.everything = text == "*" or parts == ["*"] * 5
        five = len(parts) == 5
        self._tests = tuple(_part_tests(parts)) if five else ()
        self._whole = None if five else glob(text)

    def matches(self, resource: Resource) -> bool | None:
        """Does the pattern cover this resource? None: it depends on what is not known about it."""
        if self.everything:
            return True
        if resource.candidates:
            return self._one_of(resource.candidates)
        if self._whole is not None:
            return resource.text != "*" and self._whole(resource.text)
        parts = resource.parts
        if len(parts) != 5:
            return False
        certain: bool | None = True
        for place, match in self._tests:
            if place in resource.untold:
                certain = None
            elif not match(parts[place]):
                return False
        return certain

    def _one_of(self, candidates: tuple[Resource, ...]) -> bool | None:
        """The path names these, and it is not documented which of them the action is granted on."""
        found = [self.matches(one) for one in candidates]
        if True in found:
            return True
        elsewhere = all(not match(one.parts[at]) for one in candidates for at, match in self._tests if at == 0)
        if self._whole is not None or (elsewhere and any(at == 0 for at, _ in self._tests)):
            return False
        own_type = next((match for at, match in self._tests if at == 3), None)
        return False if own_type is None or any(own_type(one.parts[3]) for one in candidates) else None


def _part_tests(parts: list[str]) -> Iterator[tuple[int, Match]]:
    for place in (4, 3, 0, 1, 2):  # the path is the most exact
        part = parts[place] if place == 4 else parts[place].lower()
        if part != "*":
            yield place, glob(part)
