"""Patterns of actions and resources, and the index that finds the statements a question concerns.

An action pattern has one to three parts (`*`, `identity:*`, `ecs:*:get*`), is compared without case, and knows `*`
and `?`. Most patterns are found by a dictionary look-up under their own text; only those with a wildcard inside a
word are tried in turn, and of these only the ones of the service in question.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from typing import Generic, TypeVar

Match = Callable[[str], bool]
T = TypeVar("T")
ANY = ("*", "*:*:*", "*:*")


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
    head, _, tail = pattern.partition("*")
    if not wild(head) and not wild(tail):
        size = len(pattern) - 1
        return lambda text: len(text) >= size and text.startswith(head) and text.endswith(tail)
    parts = {"*": ".*", "?": "."}
    runs = re.sub(r"\*+", "*", pattern)
    compiled = re.compile("".join(parts.get(char) or re.escape(char) for char in runs), re.DOTALL)
    return lambda text: compiled.fullmatch(text) is not None


def covers(pattern: str, action: str) -> bool:
    """Does this action pattern match this action? Without case."""
    return pattern in ANY or glob(pattern.lower())(action.lower())


class ActionIndex(Generic[T]):
    """Things filed under action patterns (lower case), found by action name."""

    def __init__(self, entries: Iterable[tuple[str, T]]) -> None:
        self._keyed: dict[str, list[T]] = {}
        self._inside: dict[str, list[tuple[Match, T]]] = {}  # by service word
        self._loose: list[tuple[Match, T]] = []
        for pattern, entry in entries:
            self._file(pattern, entry)
        self._anywhere = tuple(self._keyed.pop("*", ()))

    def _file(self, pattern: str, entry: T) -> None:
        service, colon, rest = pattern.partition(":")
        if pattern in ANY:
            self._keyed.setdefault("*", []).append(entry)
        elif wild(service) or not colon:
            self._loose.append((glob(pattern), entry))
        elif _by_look_up(rest):
            self._keyed.setdefault(f"{service}:*:*" if rest == "*" else pattern, []).append(entry)
        else:
            self._inside.setdefault(service, []).append((glob(pattern), entry))

    def find(self, action: str) -> list[T]:
        """The entries whose pattern matches this action (lower case)."""
        service, _, rest = action.partition(":")
        kind, _, operation = rest.rpartition(":")
        get = self._keyed.get
        found = [
            *get(action, ()),
            *get(f"{service}:{kind}:*", ()),
            *get(f"{service}:*:{operation}", ()),
            *get(f"{service}:*:*", ()),
            *self._anywhere,
        ]
        for match, entry in self._inside.get(service, ()):
            if match(action):
                found.append(entry)
        for match, entry in self._loose:
            if match(action):
                found.append(entry)
        return found


def _by_look_up(rest: str) -> bool:
    """Is `rest` (after the service) literal, `*`, `type:*`, `*:operation` or `*:*`?"""
    kind, colon, operation = rest.rpartition(":")
    if not colon:
        return rest == "*" or not wild(rest)
    return (kind == "*" or not wild(kind)) and (operation == "*" or not wild(operation))


class Resource:
    """A resource in a question: `service:region:account:type:path`, or any other text."""

    __slots__ = ("parts", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        self.parts = _parts(text)


def _parts(text: str) -> tuple[str, ...] | None:
    parts = text.split(":", 4)
    if len(parts) != 5:
        return None
    service, region, account, kind, path = parts
    return service.lower(), "" if region == "*" else region.lower(), account.lower(), kind.lower(), path


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

    def matches(self, resource: Resource) -> bool:
        """Does the pattern cover this resource?"""
        if self.everything:
            return True
        if resource.text == "*":
            return False
        if self._whole is not None:
            return self._whole(resource.text)
        parts = resource.parts
        if parts is None:
            return False
        return all(match(parts[place]) for place, match in self._tests)


def _part_tests(parts: list[str]) -> Iterator[tuple[int, Match]]:
    for place, part in sorted(enumerate(parts), key=lambda item: -item[0]):  # the path tells most
        if part != "*":
            yield place, glob(part if place == 4 else part.lower())
