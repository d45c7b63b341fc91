"""Tables of the project itself: the format of the shipped facts, checked, and looked up in front of them.

service: dws
scope: regional                                     # or global
endpoint: https://dws.{region}.example.com          # only for a host that is not a documented endpoint
apis:
  - method: GET
    path: /v1.0/{project_id}/clusters
    operation: ListClusters
    actions: [dws:cluster:list]                     # 1.1 names; identity_actions: 5.0 names; required: false for none
    dependencies: [vpc:vpcs:list]
    discriminator: {body_key: restart}              # see observed.py for the tests
    when: {vpc:vpcs:list: [{has: cluster.vpc_id}, when the cluster has a VPC]}
action_aliases: {dws:cluster:listClusters: [dws:cluster:list]}    # name -> further names that allow it
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.calls.request_tests import KINDS
from pytest_hwcloud.cloud.calls.tables import Row
from pytest_hwcloud.cloud.endpoints import Endpoint

if TYPE_CHECKING:
    from pytest_hwcloud.files.yaml_reader import Located

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_LISTS = ("actions", "identity_actions", "dependencies")
_FACTS_ONLY = {
    "counts",
    "notes",
    "renamed_actions",
    "actions_without_api",
    "identity_action_names_seen",
    "sdk_operations",
}
_TOP = {"service", "scope", "endpoint", "apis", "action_aliases", *_FACTS_ONLY}
_API = {
    "method", "path", "operation", "title", "sdk_version", "discriminator", "when", "required", "note", "host",
    "source", "resource_level", "tag_level", "enterprise_project", "iam_project", "identity", "former_actions",
    "former_until", "conditional_actions", "also_documented", "dependencies_source", *_LISTS,
}  # fmt: skip


class TableError(ValueError):
    """A table that cannot be used. file: as given, line: from 1, key: `apis[3].method`."""

    def __init__(self, file: str, line: int, key: str, text: str) -> None:
        super().__init__(f"{file}:{line}: {key + ': ' if key else ''}{text}")
        self.file, self.line, self.key = file, line, key


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtraTable:
    """One table of the project."""

    service: str
    scope: str
    host: re.Pattern[str] | None
    rows: tuple[Row, ...] = field(repr=False)


_ADDED: dict[Path, ExtraTable] = {}


def add(path: Path) -> ExtraTable:
    """Read a table and use it; a second time replaces the first."""
    table, names, spellings = _Reader(path).table()
    _ADDED[path.resolve()] = table
    pairs = _pairs(table.rows)
    both = {
        name: list(dict.fromkeys([*pairs.get(name, ()), *spellings.get(name, ())])) for name in {*pairs, *spellings}
    }
    actions.learn(names, both, _heirs(table.rows, pairs))
    return table


def clear() -> None:
    """Forget all tables of the project."""
    _ADDED.clear()
    actions.forget()


def rows(service: str) -> list[Row]:
    """The rows for a service."""
    return [row for table in _ADDED.values() if table.service == service for row in table.rows]


def services() -> tuple[str, ...]:
    """The services that the project's tables speak of."""
    return tuple(dict.fromkeys(table.service for table in _ADDED.values()))


def locate(host: str) -> Endpoint | None:
    """Service and region of a host, if a table of the project has it as its endpoint."""
    name = host.partition(":")[0].lower()
    for table in _ADDED.values():
        if table.host is not None and (found := table.host.fullmatch(name)):
            return Endpoint(table.service, found.groupdict().get("region"), table.scope)
    return None


def _pairs(found: Iterable[Row]) -> dict[str, list[str]]:
    """The names that open each other: those of calls that need one 1.1 action and one 5.0 action, wherever they do."""
    others: dict[str, list[set[str]]] = {}
    for row in found:
        alone = len(row.actions) == 1 == len(row.identity)
        for name in {*row.actions, *row.identity}:
            others.setdefault(name, []).append({*row.actions, *row.identity} - {name} if alone else set())
    pairs = {name: sorted(set.intersection(*sets)) for name, sets in others.items()}
    return {name: twins for name, twins in pairs.items() if twins}


def _heirs(found: Iterable[Row], pairs: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """5.0 name -> 1.1 name, of those that open each other and no third."""
    return {
        name: row.actions[0]
        for row in found
        for name in row.identity
        if name not in row.actions and pairs.get(name) == list(row.actions) and pairs.get(row.actions[0]) == [name]
    }


class _Reader:
    """Checks one file, key by key."""

    def __init__(self, path: Path) -> None:
        from pytest_hwcloud.files.yaml_reader import LocatedError, load

        self.file = str(path)
        try:
            self.document: Located = load(path.read_text(encoding="utf-8"), self.file)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "not UTF-8 text"
            raise TableError(self.file, 1, "", f"cannot be read: {reason}") from None
        except LocatedError as error:
            raise TableError(self.file, error.line or 1, "", error.problem) from None

    def table(self) -> tuple[ExtraTable, set[str], dict[str, list[str]]]:
        """The table, the action names in it, and their aliases."""
        top = self.mapping(self.document.value, (), _TOP)
        service = self.text(top.get("service"), ("service",)).lower()
        scope = str(top.get("scope", "regional")).partition(" ")[0]
        if scope not in ("regional", "global"):
            self.fail(("scope",), f"{scope!r} is neither 'regional' nor 'global'")
        apis = top.get("apis")
        if not isinstance(apis, list) or not apis:
            self.fail(("apis",), "must be a list of calls")
        made = tuple(self.row(service, api, index) for index, api in enumerate(apis))
        table = ExtraTable(service=service, scope=scope, host=self.endpoint(top.get("endpoint")), rows=made)
        names = {name for row in made for name in (*row.actions, *row.identity, *row.dependencies) if "*" not in name}
        return table, names, self.aliases(top.get("action_aliases") or {})

    def endpoint(self, value: object) -> re.Pattern[str] | None:
        """The host of the endpoint, `{region}` as a part of it."""
        if value is None:
            return None
        host = self.text(value, ("endpoint",)).partition("://")[2].partition("/")[0].partition(" ")[0]
        if not host:
            self.fail(("endpoint",), "must be a URL such as https://dws.{region}.myhuaweicloud.com")
        return re.compile(re.escape(host.lower()).replace(r"\{region\}", r"(?P<region>[a-z0-9-]+)"))

    def aliases(self, value: object) -> dict[str, list[str]]:
        """Name -> further names that allow it."""
        found = self.mapping(value, ("action_aliases",), None)
        return {name: self.actions(others, ("action_aliases", name)) for name, others in found.items()}

    def row(self, service: str, value: object, index: int) -> Row:
        """One call."""
        at = ("apis", index)
        api = self.mapping(value, at, _API)
        method = self.text(api.get("method"), (*at, "method")).upper()
        if method not in _METHODS:
            self.fail((*at, "method"), f"{api['method']!r} is no HTTP method; use one of {', '.join(_METHODS)}")
        path = self.text(api.get("path"), (*at, "path"))
        if not path.startswith("/") or path.count("{") != path.count("}"):
            self.fail((*at, "path"), f"{path!r} is no path template such as /v1/{{project_id}}/servers/{{server_id}}")
        lists = [self.actions(api.get(key, []), (*at, key)) for key in _LISTS]
        more = {
            "discriminator": self.test(api.get("discriminator") or {}, (*at, "discriminator")),
            "when": self.when(api.get("when") or {}, (*at, "when")),
            "free": api.get("required") is False,
            "resource": api.get("resource_level"),
            "enterprise": api.get("enterprise_project"),
            "note": str(api.get("note") or ""),
            "title": str(api.get("title") or ""),
        }
        operation = api.get("operation")
        return Row(service, method, [path, str(operation) if operation else None, *lists, more], own=True)

    def when(self, value: object, at: tuple[str | int, ...]) -> dict[str, list[object]]:
        """action -> [test, words]."""
        found: dict[str, list[object]] = {}
        for name, item in self.mapping(value, at, None).items():
            if not isinstance(item, list) or len(item) != 2:
                self.fail((*at, name), "must be [test, words], for instance [{has: cluster.vpc}, when it has a VPC]")
            if item[0] is not None:
                self.test(item[0], (*at, name))
            found[name] = item
        return found

    def test(self, value: object, at: tuple[str | int, ...]) -> dict[str, object]:
        """A test on the request (see observed.py)."""
        found = self.mapping(value, at, set(KINDS))
        for kind, item in found.items():
            if not isinstance(item, KINDS[kind]):
                self.fail((*at, kind), f"has the wrong type ({type(item).__name__})")
        return found

    def actions(self, value: object, at: tuple[str | int, ...]) -> list[str]:
        """A list of action names."""
        if not isinstance(value, list):
            self.fail(at, f"must be a list of actions, not {type(value).__name__}")
        for index, name in enumerate(value):
            try:
                actions.parse(str(name))
            except actions.ActionError as error:
                self.fail((*at, index), str(error))
        return [str(name) for name in value]

    def mapping(self, value: object, at: tuple[str | int, ...], known: set[str] | None) -> dict[str, object]:
        """A mapping whose keys are all known."""
        if not isinstance(value, Mapping):
            self.fail(at, f"must be a mapping, not {type(value).__name__}")
        for key in value:
            if known is not None and key not in known:
                self.fail((*at, str(key)), f"unknown key; known: {', '.join(sorted(known - _FACTS_ONLY))}")
        return {str(key): item for key, item in value.items()}

    def text(self, value: object, at: tuple[str | int, ...]) -> str:
        """A text that must be there."""
        if not isinstance(value, str) or not value.strip():
            self.fail(at, "is missing" if value is None else "must be a text")
        return value.strip()

    def fail(self, at: tuple[str | int, ...], text: str) -> NoReturn:
        """Raise for one place."""
        from pytest_hwcloud.files.yaml_reader import dotted

        raise TableError(self.file, self.document.line(at), dotted(at).removesuffix(": "), text)
