"""The permission table of a service: loaded when its first call is looked up, indexed by the shape of the path."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

from pytest_hwcloud.cloud.calls.actions import FACTS
from pytest_hwcloud.cloud.calls.paths import Node, is_parameter, project_index, segments
from pytest_hwcloud.cloud.calls.request_tests import Observed, Test, describe, holds

_RECENT = 128
# Services behind one host: their tables are looked up together.
_TOGETHER = {
    "vpc": ("vpc", "eip"),
    "eip": ("eip", "vpc"),
    "kps": ("kms",),
    "csms": ("kms",),
    "cpcs": ("kms",),
    "dms": ("kafka",),
    "rms": ("config",),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """What only some rows say. when: action or dependency -> (test or None, words)."""

    discriminator: Test = field(default_factory=dict)
    when: dict[str, list[object]] = field(default_factory=dict)
    free: bool = False
    level: str | None = None
    types: tuple[str, ...] = ()
    resource: bool | None = None
    enterprise: bool | None = None
    note: str = ""
    title: str = ""


_NOTHING_MORE = More()


def _more(raw: dict[str, Any]) -> More:
    return More(**{**raw, "types": tuple(raw.get("types", ()))})


class Row:
    """One documented operation: method, path template, and the actions it needs."""

    def __init__(self, service: str, raw: Sequence[object], own: bool = False) -> None:
        method, template, operation, actions, identity, dependencies, more = [*raw, *_EMPTY[len(raw) :]]
        self.service = service
        self.own = own  # from a table of the project
        self.method = str(method).upper()
        self.template = str(template)
        self.operation: str | None = operation if isinstance(operation, str) else None
        self.actions = _strings(actions)
        self.identity = _strings(identity)
        self.dependencies = _strings(dependencies)
        self.more = _more(more) if isinstance(more, dict) and more else _NOTHING_MORE
        self.test = self.more.discriminator or None
        self.parts = segments(self.template)
        self.project_at = project_index(self.parts)
        self.built: dict[object, object] = {}  # calls made from this row, so that the same question costs a look-up

    @cached_property
    def precision(self) -> int:
        """How much the discriminator asks for; the host alone chooses nothing."""
        query = self.more.discriminator.get("query")
        keys = 2 * len(query) if isinstance(query, list) else 0
        return keys + len(set(self.more.discriminator) - {"host", "query"})

    @cached_property
    def tests(self) -> list[tuple[str, Test | None]]:
        """The actions and dependencies that hold for some requests only, and the test (None: no request shows it)."""
        return [(name, test) for name, (test, _) in self.more.when.items() if test is None or isinstance(test, dict)]

    def words(self, name: str) -> str:
        """For which requests such an action or dependency holds."""
        return str(self.more.when[name][1])

    @cached_property
    def needs(self) -> tuple[object, ...]:
        """What decides a permission question: rows that agree in it need not be told apart."""
        return (self.actions, self.identity, self.dependencies, repr(self.more.when), self.more.free)

    @property
    def title(self) -> str:
        """The operation, or what else names this row."""
        return self.operation or ", ".join(self.actions) or self.more.title

    def params(self, parts: Sequence[str]) -> dict[str, str]:
        """Parameters of the path by name."""
        return {name[1:-1]: part for name, part in zip(self.parts, parts, strict=False) if is_parameter(name)}


_EMPTY: tuple[object, ...] = ("", "", None, (), (), (), None)


def _strings(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()


class Group:
    """The rows on one method and path shape; mostly one, else told apart by tests on the request."""

    __slots__ = ("by_header", "plain", "recent", "rows")

    def __init__(self) -> None:
        self.recent: dict[object, object] = {}  # answers to the latest requests, so that the same one costs a look-up
        self.rows: list[Row] = []
        self.by_header = False  # whether a header tells rows apart
        self.plain: Row | None = None  # the only row, if it can be answered without looking at the request

    def add(self, row: Row) -> None:
        """Take a row in; one of the project's own tables replaces the shipped ones with its discriminator."""
        mine = row.more.discriminator
        if row.own:
            self.rows = [r for r in self.rows if r.own or r.more.discriminator != mine]
        self.rows.append(row)
        self.by_header = any("header" in r.more.discriminator for r in self.rows)
        alone = len(self.rows) == 1 and not mine and not row.more.when
        self.plain = row if alone else None

    def choose(self, seen: Observed, refining: frozenset[str]) -> list[Row]:
        """The rows this request can mean: one, several that could not be told apart, or none.

        refining: query parameters that choose an operation somewhere in this table; a request with one of them means
        no row that does not ask for it.
        """
        certain: list[Row] = []
        possible: list[Row] = []
        for row in self.rows:
            verdict = row.test is None or holds(row.test, seen)
            if verdict and row.test is not None:
                certain.append(row)
            elif verdict is not False:
                possible.append(row)
        if not certain:
            return possible
        best = max(row.precision for row in certain)
        if not best and seen.query & refining:
            return []
        return [row for row in certain if row.precision == best]

    def keep(self, key: object, answer: object) -> None:
        """Remember an answer; the memory is small and starts anew when full."""
        if len(self.recent) >= _RECENT:
            self.recent.clear()
        self.recent[key] = answer

    def tests(self) -> str:
        """What tells the rows apart, in words."""
        return " | ".join(filter(None, dict.fromkeys(describe(row.more.discriminator) for row in self.rows)))


class Table:
    """All rows that can answer at one host."""

    def __init__(self, name: str, scope: str, rows: Iterable[Row]) -> None:
        self.name = name
        self.scope = scope
        self.rows = list(rows)
        self._roots: dict[str, Node[Group]] = {}
        for row in self.rows:
            self._file(row)

    def _file(self, row: Row) -> None:
        node = self._roots.setdefault(row.method, Node())
        for part in row.parts:
            node = node.child(part, only=len(row.parts) == 1)
        if node.leaf is None:
            node.leaf = Group()
        node.leaf.add(row)

    def find(self, method: str, parts: Sequence[str]) -> Group | None:
        """The group of rows on a method and path, or None."""
        root = self._roots.get(method)
        return root.find(parts) if root is not None else None

    @cached_property
    def refining(self) -> frozenset[str]:
        """The query parameters that choose an operation (OBS sub-resources)."""
        found = (row.more.discriminator.get("query") for row in self.rows)
        return frozenset(str(key) for keys in found if isinstance(keys, list) for key in keys)


@lru_cache(maxsize=1)
def shipped() -> tuple[str, ...]:
    """The services that have a table, sorted."""
    return tuple(sorted(path.stem for path in FACTS.glob("*.json") if path.stem != "actions"))


@lru_cache(maxsize=64)
def read(service: str) -> tuple[str, tuple[Row, ...]]:
    """Scope and rows of one shipped table."""
    data = json.loads((FACTS / f"{service}.json").read_bytes())
    return str(data["scope"]), tuple(Row(service, raw) for raw in data["rows"])


def load(service: str, extra: Iterable[Row] = ()) -> Table | None:
    """The table for the host of a service, with rows of the project's own tables; None if there is neither."""
    names = [name for name in _TOGETHER.get(service, (service,)) if name in shipped()]
    own = list(extra)
    if not names and not own:
        return None
    scopes = [read(name)[0] for name in names]
    rows = [row for name in names for row in read(name)[1]]
    return Table(service, scopes[0] if scopes else "unknown", [*rows, *own])
