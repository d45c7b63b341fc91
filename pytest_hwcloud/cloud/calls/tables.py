"""The calls of a service and what they need: read when its first call is looked up, and only the part that is asked.

A shipped table is `facts/calls/SERVICE.jsonl`: a head, then one line for each method and number of path segments with
all its rows, so that a look-up parses one line. A row is [path, operation, actions, identity actions, dependencies,
more], its end left out where empty; `more` has the keys of `More`.

Resources of 5.0 (`Call.resources`, for statements with a `Resource`): each resource type of a call is a `ResourceType`
with its name, whether the documents mark it as required (a statement must cover it), and its URN as a template with the
five parts `service:<region>:<account-id>:type:path`. `ResourceType.urn(parameters, region, account)` fills it in from
the parameters of the path, the region and the account id; what the request does not determine is left as it is, in
angle brackets. So `ecs:cn-north-4:<account-id>:instance:q1w2` is complete once the account is known, and in
`iam::0503dd…:user:<name>` the path is not: only a pattern that covers every path (`*`) covers it for certain.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cache, cached_property, lru_cache
from pathlib import Path
from typing import Any

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.calls.paths import Node, is_parameter, project_index, segments
from pytest_hwcloud.cloud.calls.request_tests import Observed, Test, describe, holds

FACTS = Path(__file__).parents[1] / "facts" / "calls"
_RECENT = 128
_HOLE = re.compile(r"<([^<>]+)>|\{([^{}]+)\}")


@dataclass(frozen=True, slots=True, kw_only=True)
class ResourceType:
    """A resource type on which the action of a call is granted (see the module)."""

    name: str
    template: str
    required: bool = False

    def urn(self, parameters: Mapping[str, str], *, region: str | None = None, account: str | None = None) -> str:
        """The URN of the resource of one request; what is not known stays in angle brackets."""
        told = {name.lower().replace("-", "_"): value for name, value in parameters.items()}
        if region:
            told["region"] = region
        if account:
            told |= {"account_id": account, "domain_id": account}

        def fill(hole: re.Match[str]) -> str:
            name = (hole[1] or hole[2]).strip()
            return told.get(name.lower().replace("-", "_"), f"<{name}>")

        return _HOLE.sub(fill, self.template)


@dataclass(frozen=True, slots=True, kw_only=True)
class More:
    """What only some rows have. when: action or dependency -> (test or None, words)."""

    discriminator: Test = field(default_factory=dict)
    when: dict[str, list[object]] = field(default_factory=dict)
    free: bool = False
    level: str | None = None
    types: tuple[str, ...] = ()
    keys: tuple[str, ...] = ()
    resource: bool | None = None
    enterprise: bool | None = None
    note: str = ""
    title: str = ""


_NOTHING_MORE = More()


def _more(raw: dict[str, Any]) -> More:
    return More(**{**raw, "types": tuple(raw.get("types", ())), "keys": tuple(raw.get("keys", ()))})


class Row:
    """One documented operation: method, path template, and the actions it needs."""

    def __init__(self, service: str, method: str, raw: Sequence[object], given: frozenset[str] | None = None) -> None:
        template, operation, actions, identity, dependencies, more = [*raw, *_EMPTY[len(raw) :]]
        self.service = service
        self.own = given is not None  # from a table of the project
        self.given = given or frozenset()  # what that table states about the call
        self.method = method
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

    def completed(self, other: Row) -> Row:
        """This row of a project with what it does not contain itself taken from a shipped one."""
        lists = {"actions": other.actions, "identity_actions": other.identity, "dependencies": other.dependencies}
        mine = {"actions": self.actions, "identity_actions": self.identity, "dependencies": self.dependencies}
        names = {key: list(mine[key] if key in self.given else lists[key]) for key in lists}
        more = {f.name: getattr(self.more if f.name in self.given else other.more, f.name) for f in fields(More)}
        told = {*names["actions"], *names["dependencies"]}
        more["when"] = {name: test for name, test in more["when"].items() if name in told}
        more["free"] = more["free"] and not (names["actions"] or names["identity_actions"])
        raw = [self.template, self.operation or other.operation, *names.values(), more]
        return Row(self.service, self.method, raw, given=self.given)

    @property
    def documented(self) -> bool:
        """Whether it is documented what the call needs, also if that is nothing."""
        return bool(self.actions or self.identity or self.more.free)

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
        """What decides a permission question: rows that agree in it need not be distinguished."""
        return (self.actions, self.identity, self.dependencies, repr(self.more.when), self.more.free)

    @property
    def title(self) -> str:
        """The operation, or what else names this row."""
        return self.operation or ", ".join(self.actions) or self.more.title

    def params(self, parts: Sequence[str]) -> dict[str, str]:
        """Parameters of the path by name."""
        return {name[1:-1]: part for name, part in zip(self.parts, parts, strict=False) if is_parameter(name)}


_EMPTY: tuple[object, ...] = ("", None, (), (), (), None)


def _strings(value: object) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, (list, tuple)) else ()


class Group:
    """The rows on one method and path shape; mostly one, else distinguished by tests on the request."""

    __slots__ = ("also", "by_header", "plain", "recent", "rows")

    def __init__(self) -> None:
        self.recent: dict[object, object] = {}  # answers to the latest requests, so that the same one costs a look-up
        self.rows: list[Row] = []
        self.also: list[str] = []  # the same call in the SDK packages of other services: "rabbitmq CreateUser"
        self.by_header = False  # whether a header distinguishes rows
        self.plain: Row | None = None  # the only row, if it can be answered without looking at the request

    def add(self, row: Row) -> None:
        """Take a row in; one of the project's own tables replaces the shipped ones with its discriminator."""
        if row.own:
            row = self._instead(row)
        if self._is_new(row):
            self.rows.append(row)
        self.by_header = any("header" in r.more.discriminator for r in self.rows)
        alone = len(self.rows) == 1 and not self.rows[0].test and not self.rows[0].more.when
        self.plain = self.rows[0] if alone else None

    def _instead(self, row: Row) -> Row:
        """Make room for a row of the project: for the operation that it names, else for the call that it describes."""
        theirs = [r for r in self.rows if row.operation and r.operation == row.operation]
        if not theirs:
            alike = [r for r in self.rows if r.more.discriminator == row.more.discriminator]
            theirs = [r for r in alike if not r.own or not (r.operation and row.operation)]
        self.rows = [r for r in self.rows if r not in theirs]
        return row.completed(theirs[0]) if theirs else row

    def _is_new(self, row: Row) -> bool:
        """Whether a row has content: of two services with one call the one whose needs are documented does."""
        if row.own or not self.rows or any(r.own or r.service == row.service for r in self.rows):
            return True
        if row.documented and not any(r.documented for r in self.rows):
            self.also += [f"{r.service} {r.title}" for r in self.rows]
            self.rows = []
            return True
        if row.documented and row.needs not in [r.needs for r in self.rows]:
            return True
        self.also.append(f"{row.service} {row.title}")
        return False

    def choose(self, seen: Observed, refining: frozenset[str]) -> list[Row]:
        """The rows this request can mean: one, several that could not be distinguished, or none.

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
        """Remember an answer; the memory is small and is cleared when full."""
        if len(self.recent) >= _RECENT:
            self.recent.clear()
        self.recent[key] = answer

    def tests(self) -> str:
        """What distinguishes the rows, in words."""
        each = dict.fromkeys(describe(row.more.discriminator) for row in self.rows)
        return texts.joined("requests.apart", [text for text in each if text])


class _File:
    """One shipped table: its head, and its lines as they were read."""

    def __init__(self, service: str) -> None:
        head, *lines = (FACTS / f"{service}.jsonl").read_bytes().splitlines()
        self.service = service
        self.head: dict[str, Any] = json.loads(head)
        self._lines = {line[2 : line.index(b'"', 2)].decode(): line for line in lines}
        self._rows: dict[str, tuple[Row, ...]] = {}
        self._sources: dict[str, list[str]] | None = None

    def rows(self, method: str, size: int) -> tuple[Row, ...]:
        """The rows of one method whose paths have so many segments."""
        key = f"{method} {size}"
        if key not in self._rows:
            line = self._lines.get(key)
            rows = tuple(Row(self.service, method, raw) for raw in json.loads(line)[1:]) if line else ()
            for row in rows if self.head.get("own_projects") else ():
                row.project_at = None
            self._rows[key] = rows
        return self._rows[key]

    def lines(self) -> Iterator[tuple[str, int]]:
        """Method and number of segments of every line."""
        for key in self._lines:
            if key == "sources":
                continue
            method, _, size = key.partition(" ")
            yield method, int(size)

    def sources(self, method: str, template: str) -> list[str]:
        """The source for what a call needs; nothing where it is not documented."""
        line = self._lines.get("sources")
        if line is None:
            return []
        if self._sources is None:
            _, texts, places = json.loads(line)
            self._sources = {call: [texts[index] for index in listed] for call, listed in places.items()}
        return self._sources.get(f"{method} {template}", [])


def sources(service: str, method: str, template: str) -> list[str]:
    """The documents that state what a call of a shipped table needs."""
    file = _file(service)
    return file.sources(method, template) if file else []


@lru_cache(maxsize=1)
def shipped() -> tuple[str, ...]:
    """The services that have a table, sorted."""
    return tuple(sorted(path.stem for path in FACTS.glob("*.jsonl")))


@cache
def _file(service: str) -> _File | None:
    return _File(service) if (FACTS / f"{service}.jsonl").is_file() else None


def read(service: str) -> tuple[str, tuple[Row, ...]]:
    """Scope and all rows of one shipped table."""
    file = _file(service)
    if file is None:
        return "unknown", ()
    return str(file.head["scope"]), tuple(row for key in file.lines() for row in file.rows(*key))


class Table:
    """All rows that can answer at one host: those of the services there, and of the project's own tables."""

    def __init__(
        self,
        services: Sequence[str],
        own: Iterable[Row] = (),
        urns: Mapping[str, Mapping[str, str]] | None = None,
    ) -> None:
        self._urns = urns or {}  # templates of the project, by service and resource type
        self._files = sorted(filter(None, map(_file, services)), key=lambda file: not file.head.get("documented"))
        self._own = list(own)
        self.scope = str(self._files[0].head["scope"]) if self._files else "unknown"
        self.own_projects = any(file.head.get("own_projects") for file in self._files)  # {project_id} is none of IAM
        self._roots: dict[tuple[str, int], Node[Group]] = {}
        self.refining = frozenset(key for file in self._files for key in file.head.get("refining", ()))
        self.refining |= {key for row in self._own for key in queries(row)}

    def __bool__(self) -> bool:
        return bool(self._files or self._own)

    @property
    def rows(self) -> list[Row]:
        """Every row that can answer: one of a project stands in the place of the documented call that it speaks of."""
        if not self._own:
            return [row for file in self._files for row in read(file.service)[1]]
        keys = {key for file in self._files for key in file.lines()} | {(r.method, len(r.parts)) for r in self._own}
        return [row for key in sorted(keys) for group in self._root(key).leaves() for row in group.rows]

    def find(self, method: str, parts: Sequence[str]) -> Group | None:
        """The group of rows on a method and path, or None."""
        return self._root((method, len(parts))).find(parts)

    def _root(self, key: tuple[str, int]) -> Node[Group]:
        root = self._roots.get(key)
        if root is None:
            root = self._roots[key] = self._grow(*key)
        return root

    def _grow(self, method: str, size: int) -> Node[Group]:
        """The tree of the templates of one method and length."""
        root: Node[Group] = Node()
        shipped_rows = [row for file in self._files for row in file.rows(method, size)]
        own = [row for row in self._own if row.method == method and len(row.parts) == size]
        for row in (*shipped_rows, *own):
            node = root
            for index, part in enumerate(row.parts):
                node = node.child(part, leading=index == 0 or (index == 1 and size == 2))  # /v2, /rds/v3
            if node.leaf is None:
                node.leaf = Group()
            node.leaf.add(row)
        return root

    def resources(self, row: Row) -> tuple[ResourceType, ...]:
        """The resource types of a call, with the templates of their URNs."""
        return tuple(self._resource(row.service, name) for name in row.more.types)

    def _resource(self, service: str, text: str) -> ResourceType:
        file = _file(service)
        known = {**(file.head.get("urns", {}) if file else {}), **self._urns.get(service, {})}
        name = text.rstrip("*")
        region = "" if self.scope == "global" else "<region>"
        template = known.get(name) or f"{service}:{region}:<account-id>:{name}:<id>"
        return ResourceType(name=name, template=str(template), required=text.endswith("*"))


def queries(row: Row) -> tuple[str, ...]:
    """The query parameters that choose this row."""
    found = row.more.discriminator.get("query")
    return tuple(map(str, found)) if isinstance(found, list) else ()
