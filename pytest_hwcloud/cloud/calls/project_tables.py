"""Tables of the project itself, checked, and looked up in front of the shipped ones.

Written by hand (`actions: [FILE]` in hwcloud.yaml), one service a file:

    service: dws
    scope: regional                                     # or global
    endpoint: https://dws.{region}.example.com          # only for a host that is not a documented endpoint
    apis:
      - method: GET
        path: /v1.0/{project_id}/clusters
        operation: ListClusters
        actions: [dws:cluster:list]                     # 1.1 names; identity_actions: 5.0 names
        dependencies: [vpc:vpcs:list]
        discriminator: {body_key: restart}              # see request_tests.py for the tests
        when: {vpc:vpcs:list: [{has: cluster.vpc_id}, when the cluster has a VPC]}
      - {method: GET, path: /v1.0/version, required: false}           # needs no permission
    action_aliases: {dws:cluster:listClusters: [dws:cluster:list]}    # name -> further names that allow it

or by `pytest-hwcloud actions refresh`, several services a file under `services:`, each also with what IAM's own
catalogue states about its actions, resource types (URN templates) and condition keys (see catalogue.py).

A row speaks of the documented operation that it names, else of the documented call with its discriminator, and takes
from it what it does not contain itself.
"""

from __future__ import annotations

import hashlib
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

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
LEVELS = ("list", "read", "write", "tagging", "permission_management")
_LISTS = ("actions", "identity_actions", "dependencies")
_FACTS_ONLY = {
    "counts",
    "notes",
    "renamed_actions",
    "actions_without_api",
    "identity_action_names_seen",
    "sdk_operations",
}
_CATALOGUED = {"code", "schema", "resources", "conditions", "actions", "unmatched", "ambiguous"}
_TOP = {"service", "scope", "endpoint", "apis", "action_aliases", *_FACTS_ONLY, *_CATALOGUED}
_SEVERAL = {"version", "source", "date", "services", "policies"}
_API = {
    "method", "path", "operation", "title", "sdk_version", "discriminator", "when", "required", "note", "host",
    "source", "resource_level", "tag_level", "enterprise_project", "iam_project", "identity", "former_actions",
    "former_until", "conditional_actions", "also_documented", "dependencies_source", *_LISTS,
}  # fmt: skip
_ACTION = {"level", "aliases", "resources", "conditions", "permission_only"}
_MORE = {"discriminator": "discriminator", "when": "when", "required": "free", "resource_level": "resource"}
_MORE |= {"enterprise_project": "enterprise", "note": "note", "title": "title"}
_Place = tuple[str | int, ...]


class TableError(ValueError):
    """A table that cannot be used. file: as given, line: from 1, key: `apis[3].method`."""

    def __init__(self, file: str, line: int, key: str, text: str) -> None:
        super().__init__(f"{file}:{line}: {key + ': ' if key else ''}{text}")
        self.file, self.line, self.key = file, line, key


@dataclass(frozen=True, slots=True, kw_only=True)
class ActionFacts:
    """A table's row for an action. aliases: further names that allow it; resources: types, `*` for required ones."""

    name: str
    level: str | None = None
    aliases: tuple[str, ...] = ()
    resources: tuple[str, ...] = ()
    conditions: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectTable:
    """The content of one file of the project about one service."""

    file: str
    service: str
    scope: str
    host: re.Pattern[str] | None
    rows: tuple[Row, ...] = field(repr=False)
    actions: Mapping[str, ActionFacts] = field(repr=False, default_factory=dict)
    aliases: Mapping[str, Sequence[str]] = field(repr=False, default_factory=dict)
    urns: Mapping[str, str] = field(repr=False, default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectFile:
    """One file: its tables, the system policies in it, and its version if it is a catalogue."""

    name: str
    tables: tuple[ProjectTable, ...]
    policies: Mapping[str, Mapping[str, object]] = field(repr=False, default_factory=dict)
    version: str | None = None


_ADDED: dict[Path, ProjectFile] = {}


def add(path: Path) -> ProjectFile:
    """Read a file of tables and use it; a second time replaces the first."""
    found = _Reader(path).file_of_tables()
    _ADDED[path.resolve()] = found
    _learn()
    return found


def clear() -> None:
    """Forget all tables of the project."""
    _ADDED.clear()
    actions.forget()


def tables() -> list[ProjectTable]:
    """All tables of the project."""
    return [table for file in _ADDED.values() for table in file.tables]


def rows(service: str) -> list[Row]:
    """The rows for a service."""
    return [row for table in tables() if table.service == service for row in table.rows]


def services() -> tuple[str, ...]:
    """The services that the project's tables speak of."""
    return tuple(dict.fromkeys(table.service for table in tables()))


def urns(service: str) -> dict[str, str]:
    """Resource type -> URN template, of a service."""
    return {name: urn for table in tables() if table.service == service for name, urn in table.urns.items()}


def locate(host: str) -> Endpoint | None:
    """Service and region of a host, if a table of the project has it as its endpoint."""
    name = host.partition(":")[0].lower()
    for table in tables():
        if table.host is not None and (found := table.host.fullmatch(name)):
            return Endpoint(table.service, found.groupdict().get("region"), table.scope)
    return None


def catalogue_version() -> str | None:
    """The version of the catalogue in use, for the lock: `hwcloud-actions.yaml 5f0c…`; None if there is none.

    It changes with the content of the catalogue and not with the day on which it was written.
    """
    found = [f"{file.name} {file.version}" for file in _ADDED.values() if file.version]
    return ", ".join(sorted(found)) or None


def system_policies() -> dict[str, Mapping[str, object]]:
    """System policies that a catalogue brings: name -> document."""
    return {name: document for file in _ADDED.values() for name, document in file.policies.items()}


def described(action: str) -> ActionFacts | None:
    """The row of a project's table about an action, in any letter case."""
    key = action.lower()
    for table in tables():
        for name, facts in table.actions.items():
            if name.lower() == key:
                return facts
    return None


def _learn() -> None:
    """Take the names of all tables in: aliases of 5.0 names, and the 5.0 names that are heirs of one 1.1 name."""
    actions.forget()
    every = tables()
    found = [row for table in every for row in table.rows]
    pairs = _pairs(found)
    names = {n for row in found for n in (*row.actions, *row.identity, *row.dependencies) if "*" not in n}
    spellings: dict[str, list[str]] = {name: list(twins) for name, twins in pairs.items()}
    for table in every:
        names |= set(table.actions)
        for name, others in table.aliases.items():
            spellings[name] = list(dict.fromkeys([*spellings.get(name, ()), *others]))
    heirs = _heirs(found, pairs) | _successors(every)
    levels = {n: facts.level for table in every for n, facts in table.actions.items() if facts.level}
    actions.learn(names, spellings, heirs, levels)


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


def _successors(every: Iterable[ProjectTable]) -> dict[str, str]:
    """5.0 name -> 1.1 name, where a catalogue gives the one as the only alias of the other and of no second name."""
    aliases = {name: list(facts.aliases) for table in every for name, facts in table.actions.items() if facts.aliases}
    users: dict[str, list[str]] = {}
    for name, others in aliases.items():
        for other in others:
            users.setdefault(other.lower(), []).append(name)
    own = {name.lower() for table in every for name in table.actions}
    return {
        name: others[0]
        for name, others in aliases.items()
        if len(others) == 1
        and len(users[others[0].lower()]) == 1
        and others[0].lower() not in own
        and not actions.is_documented(others[0])  # it may open more than this one
    }


class _Reader:
    """Checks one file, key by key."""

    def __init__(self, path: Path) -> None:
        from pytest_hwcloud import texts
        from pytest_hwcloud.files.yaml_reader import LocatedError, load

        self.say = texts.say
        self.file = str(path)
        self.name = path.name
        if path.exists() and not path.is_file():
            raise TableError(self.file, 1, "", self.say("tables.unreadable", reason=self.say("tables.no-file")))
        try:
            self.text_of_file = path.read_text(encoding="utf-8")
            self.document: Located = load(self.text_of_file, self.file)
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else self.say("tables.not-utf8")
            raise TableError(self.file, 1, "", self.say("tables.unreadable", reason=reason)) from None
        except LocatedError as error:
            line, _, text = str(error).removeprefix(self.file + ":").partition(": ")
            raise TableError(self.file, int(line), "", text) from None

    def file_of_tables(self) -> ProjectFile:
        """The tables in the file."""
        if not isinstance(self.document.value, Mapping) or "services" not in self.document.value:
            return ProjectFile(name=self.name, tables=(self.table(self.document.value, (), {}),))
        top = self.mapping(self.document.value, (), _SEVERAL)
        entries = top["services"]
        if not isinstance(entries, list):
            self.fail(("services",), self.say("tables.not-services"))
        shared: dict[str, ActionFacts] = {}
        found = tuple(self.table(entry, ("services", index), shared) for index, entry in enumerate(entries))
        lines = (line for line in self.text_of_file.splitlines() if not line.startswith("date:"))
        version = hashlib.sha256("\n".join(lines).encode()).hexdigest()[:12]
        return ProjectFile(name=self.name, tables=found, policies=self.policies(top), version=version)

    def policies(self, top: Mapping[str, object]) -> dict[str, Mapping[str, object]]:
        """Name -> document of a system policy."""
        found = self.mapping(top.get("policies") or {}, ("policies",), None)
        return {name: self.mapping(document, ("policies", name), None) for name, document in found.items()}

    def table(self, value: object, at: _Place, shared: dict[str, ActionFacts]) -> ProjectTable:
        """One table. shared: the actions of the tables before it, which one service code has in common."""
        top = self.mapping(value, at, _TOP)
        service = self.text(top.get("service"), (*at, "service")).lower()
        scope = str(top.get("scope", "regional")).partition(" ")[0]
        if scope not in ("regional", "global"):
            self.fail((*at, "scope"), self.say("tables.scope", value=repr(scope)))
        apis = top.get("apis")
        if not isinstance(apis, list) or not (apis or "actions" in top):
            self.fail((*at, "apis"), self.say("tables.no-calls"))
        known = self.action_facts(top.get("actions") or {}, (*at, "actions"))
        shared.update(known)
        made = tuple(self.row(service, api, (*at, "apis", index), shared) for index, api in enumerate(apis))
        aliases = self.aliases(top.get("action_aliases") or {}, (*at, "action_aliases"))
        aliases |= {name: list(facts.aliases) for name, facts in known.items() if facts.aliases}
        return ProjectTable(
            file=self.file,
            service=service,
            scope=scope,
            host=self.endpoint(top.get("endpoint"), (*at, "endpoint")),
            rows=made,
            actions=known,
            aliases=aliases,
            urns=self.urns(top.get("resources") or {}, (*at, "resources")),
        )

    def endpoint(self, value: object, at: _Place) -> re.Pattern[str] | None:
        """The host of the endpoint, `{region}` as a part of it."""
        if value is None:
            return None
        host = self.text(value, at).partition("://")[2].partition("/")[0].partition(" ")[0]
        if not host:
            self.fail(at, self.say("tables.endpoint", example="https://dws.{region}.myhuaweicloud.com"))
        return re.compile(re.escape(host.lower()).replace(r"\{region\}", r"(?P<region>[a-z0-9-]+)"))

    def aliases(self, value: object, at: _Place) -> dict[str, list[str]]:
        """Name -> further names that allow it."""
        found = self.mapping(value, at, None)
        return {name: self.actions(others, (*at, name)) for name, others in found.items()}

    def urns(self, value: object, at: _Place) -> dict[str, str]:
        """Resource type -> URN template."""
        found = {name: self.text(urn, (*at, name)) for name, urn in self.mapping(value, at, None).items()}
        for name, urn in found.items():
            if urn.count(":") < 4:
                self.fail((*at, name), self.say("tables.urn", value=repr(urn)))
        return found

    def action_facts(self, value: object, at: _Place) -> dict[str, ActionFacts]:
        """Name -> the file's entry for the action."""
        made: dict[str, ActionFacts] = {}
        for name, entry in self.mapping(value, at, None).items():
            self.actions([name], at, named=name)
            facts = self.mapping(entry or {}, (*at, name), _ACTION)
            level = facts.get("level")
            if level is not None and level not in LEVELS:
                self.fail((*at, name, "level"), self.say("tables.level", value=repr(level), known=", ".join(LEVELS)))
            made[name] = ActionFacts(
                name=name,
                level=str(level) if level else None,
                aliases=tuple(self.actions(facts.get("aliases") or [], (*at, name, "aliases"))),
                resources=tuple(self.strings(facts.get("resources") or [], (*at, name, "resources"))),
                conditions=tuple(self.strings(facts.get("conditions") or [], (*at, name, "conditions"))),
            )
        return made

    def row(self, service: str, value: object, at: _Place, known: Mapping[str, ActionFacts]) -> Row:
        """One call."""
        api = self.mapping(value, at, _API)
        method = self.text(api.get("method"), (*at, "method")).upper()
        if method not in METHODS:
            problem = self.say("tables.method", value=repr(api["method"]), known=", ".join(METHODS))
            self.fail((*at, "method"), problem)
        path = self.text(api.get("path"), (*at, "path"))
        if not path.startswith("/") or path.count("{") != path.count("}"):
            example = "/v1/{project_id}/servers/{server_id}"
            self.fail((*at, "path"), self.say("tables.path", value=repr(path), example=example))
        lists = [self.actions(api.get(key, []), (*at, key)) for key in _LISTS]
        facts = [known[name] for name in lists[1] if name in known]
        more = {
            "discriminator": self.test(api.get("discriminator") or {}, (*at, "discriminator")),
            "when": self.when(api.get("when") or {}, (*at, "when")),
            "free": api.get("required") is False,
            "resource": api.get("resource_level"),
            "enterprise": api.get("enterprise_project"),
            "note": str(api.get("note") or ""),
            "title": str(api.get("title") or ""),
            "level": facts[0].level if len(facts) == 1 else None,
            "types": tuple(dict.fromkeys(name for one in facts for name in one.resources)),
            "keys": tuple(dict.fromkeys(key for one in facts for key in one.conditions)),
        }
        given = {key for key in _LISTS if key in api} | {_MORE[key] for key in _MORE if key in api}
        given |= {"level", "types", "keys"} if facts else set()
        operation = api.get("operation")
        raw = [path, str(operation) if operation else None, *lists, more]
        return Row(service, method, raw, given=frozenset(given))

    def when(self, value: object, at: _Place) -> dict[str, list[object]]:
        """action -> [test, words]."""
        found: dict[str, list[object]] = {}
        for name, item in self.mapping(value, at, None).items():
            if not isinstance(item, list) or len(item) != 2:
                example = "[{has: cluster.vpc}, when it has a VPC]"
                self.fail((*at, name), self.say("tables.when", example=example))
            if item[0] is not None:
                self.test(item[0], (*at, name))
            found[name] = item
        return found

    def test(self, value: object, at: _Place) -> dict[str, object]:
        """A test on the request (see request_tests.py)."""
        found = self.mapping(value, at, set(KINDS))
        for kind, item in found.items():
            if not isinstance(item, KINDS[kind]):
                self.fail((*at, kind), self.say("tables.type", type=type(item).__name__))
            if kind == "not":
                self.test(item, (*at, kind))
            for index, inner in enumerate(item if kind == "any" and isinstance(item, list) else ()):
                self.test(inner, (*at, kind, index))
        return found

    def actions(self, value: object, at: _Place, named: str | None = None) -> list[str]:
        """A list of action names."""
        if not isinstance(value, list):
            self.fail(at, self.say("tables.not-actions", type=type(value).__name__))
        for index, name in enumerate(value):
            try:
                actions.parse(str(name))
            except actions.ActionError as error:
                self.fail((*at, named or index), str(error))
        return [str(name) for name in value]

    def strings(self, value: object, at: _Place) -> list[str]:
        """A list of texts."""
        if not isinstance(value, list):
            self.fail(at, self.say("tables.not-list", type=type(value).__name__))
        return [self.text(item, (*at, index)) for index, item in enumerate(value)]

    def mapping(self, value: object, at: _Place, known: set[str] | None) -> dict[str, object]:
        """A mapping whose keys are all known."""
        if not isinstance(value, Mapping):
            self.fail(at, self.say("tables.not-mapping", type=type(value).__name__))
        for key in value:
            if known is not None and key not in known:
                hidden = _FACTS_ONLY | _CATALOGUED if known is _TOP else set()
                names = ", ".join(sorted(known - hidden))
                self.fail((*at, str(key)), self.say("tables.unknown-key", known=names))
        return {str(key): item for key, item in value.items()}

    def text(self, value: object, at: _Place) -> str:
        """A text that must be there."""
        if not isinstance(value, str) or not value.strip():
            self.fail(at, self.say("tables.missing" if value is None else "tables.not-text"))
        return value.strip()

    def fail(self, at: _Place, text: str) -> NoReturn:
        """Raise for one place."""
        from pytest_hwcloud.files.yaml_reader import dotted

        raise TableError(self.file, self.document.line(at), dotted(at).removesuffix(": "), text)
