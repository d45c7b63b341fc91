"""What a call needs: method, URL and body to operation, actions and dependencies.

The host names the service, the path finds the documented operation, the body (or query, or header) decides where
several operations share a path. What the request does not decide is never guessed: such a call is not `known`, it has
`candidates`.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from difflib import SequenceMatcher
from pathlib import Path
from typing import TypedDict

from pytest_hwcloud.cloud.calls import project_tables
from pytest_hwcloud.cloud.calls.actions import names, tables_of
from pytest_hwcloud.cloud.calls.paths import (
    PROJECT_NAMES,
    guess_template,
    is_parameter,
    query_keys,
    segments,
    split_url,
)
from pytest_hwcloud.cloud.calls.request_tests import Body, Observed, holds
from pytest_hwcloud.cloud.calls.tables import Group, ResourceType, Row, Table, read, shipped
from pytest_hwcloud.cloud.endpoints import Endpoint, locate, services_at

Verdicts = dict[str, bool | None]  # action or dependency -> holds for this request; None: cannot be seen
_SHORT = 2048  # bytes of a body that is remembered with its answer
_LIMIT = 512  # answers kept for one row: regions times projects
_TABLES: dict[tuple[str, ...], Table] = {}


@dataclass(frozen=True, slots=True)
class Dependency:
    """A further action that holds for some requests only, and for which ones; this request did not show it."""

    action: str
    when: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A call as the documents know it.

    known: an action is documented for it, or that none is needed, and the request determines the operation.
    documented: the operation is, whatever it needs. required: False where it is documented that no permission is
    needed. actions: the 1.1 names, identity_actions: the 5.0 names; either set opens the call. template: the documented
    path, or for an unknown call the path with its ids replaced. candidates: the operations it may be, decided_by: what
    would distinguish them. also: the same call in the SDK packages of other services at its host ("rabbitmq
    CreateUser"). resources: the resource types of 5.0 with their URN templates, condition_keys: its condition keys.
    """

    service: str | None
    region: str | None
    scope: str
    operation: str | None = None
    actions: tuple[str, ...] = ()
    identity_actions: tuple[str, ...] = ()
    dependencies: tuple[str, ...] = ()
    conditional: tuple[Dependency, ...] = ()
    known: bool = False
    documented: bool = False
    required: bool = True
    method: str = "GET"
    template: str = "/"
    project: str | None = None
    access_level: str | None = None
    resource_level: bool | None = None
    resource_types: tuple[str, ...] = ()
    resources: tuple[ResourceType, ...] = ()
    condition_keys: tuple[str, ...] = ()
    enterprise_project: bool | None = None
    candidates: tuple[str, ...] = ()
    decided_by: str = ""
    also: tuple[str, ...] = ()
    note: str = ""

    @property
    def label(self) -> str:
        """`GET ecs /v1/{project_id}/cloudservers/detail`; `?` for an unknown service."""
        return f"{self.method} {self.service or '?'} {self.template}"

    @property
    def mapped(self) -> bool:
        """True where it is documented what this request needs, also if that is nothing."""
        return self.known and bool(self.actions or self.identity_actions or not self.required)

    @property
    def ways(self) -> tuple[tuple[str, ...], ...]:
        """The sets of actions that open the call, 1.1 first: it is allowed if all actions of one of them are."""
        return tuple(dict.fromkeys(way for way in (self.actions, self.identity_actions) if way))

    @property
    def spellings(self) -> frozenset[str]:
        """Every name, in lower case, by which a marker or policy may speak of what this call needs."""
        return frozenset(name.lower() for action in (*self.actions, *self.identity_actions) for name in names(action))

    def named_by(self, action: str) -> bool:
        """True if the action, in any spelling, grammar or alias, is one this call needs."""
        return action.lower() in self.spellings


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One documented operation that needs an action (`nearest_calls`)."""

    label: str
    operation: str
    service: str
    actions: tuple[str, ...]
    identity_actions: tuple[str, ...]


def needs(method: str, url: str, body: Body = None, headers: Mapping[str, str] | None = None) -> Call:
    """What the call needs. body: bytes, text or parsed; None means not shown (another thing than empty)."""
    host, path, query = split_url(url)
    endpoint = locate(host) if host else _NOWHERE
    method = method.upper()
    parts = segments(path)
    table, endpoint = _table(host, endpoint)
    if table is None:
        return _unknown(method, parts, endpoint)
    bucket = None
    if endpoint.service == "obs":
        bucket, parts = _object(endpoint, parts)
    group = table.find(method, parts)
    if group is None:
        return _unknown(method, parts, endpoint, table)
    if group.plain:
        return _answer(group, None, parts, endpoint, table)
    key = (
        (*parts, query, body, bucket, endpoint.region, endpoint.scope)
        if _is_short(body) and not group.by_header
        else None
    )
    call = group.recent.get(key)
    if not isinstance(call, Call):
        call = _answer(group, Observed(body, query_keys(query), {}, headers, bucket, query), parts, endpoint, table)
        if key is not None:
            group.keep(key, call)
    return call


def _is_short(body: Body) -> bool:
    """Whether a request may be remembered: nothing large, nothing that can change under our hands."""
    return body is None or (isinstance(body, (bytes, str)) and len(body) <= _SHORT)


_NOWHERE = Endpoint(None, None, "unknown")


def _table(host: str, endpoint: Endpoint) -> tuple[Table | None, Endpoint]:
    """The table for a host; a project's own table may also name the service of an unknown host."""
    service = endpoint.service
    if service is None:
        endpoint = project_tables.locate(host) or endpoint
        service = endpoint.service
    if service is None:
        return None, endpoint
    services = services_at(host, service)
    table = _TABLES.get(services)
    if table is None:
        own = [row for name in services for row in project_tables.rows(name)]
        table = _TABLES[services] = Table(services, own, {name: project_tables.urns(name) for name in services})
    return (table if table else None), endpoint


def _object(endpoint: Endpoint, parts: list[str]) -> tuple[str | None, list[str]]:
    """The bucket of an OBS request (in the host, or first in the path) and its path: nothing, or the key in one."""
    bucket = endpoint.bucket
    if bucket is None and parts:
        bucket, parts = parts[0], parts[1:]
    return bucket, ["/".join(parts)] if parts else []


def _project(row: Row, parts: list[str]) -> str | None:
    if row.project_at is None or row.project_at >= len(parts):
        return None
    found = parts[row.project_at]
    return None if found.startswith("{") else found


def _answer(group: Group, seen: Observed | None, parts: list[str], endpoint: Endpoint, table: Table) -> Call:
    """The call of a group of rows, as far as the request distinguishes them; each answer is made once and kept."""
    rows = [group.rows[0]] if seen is None else group.choose(seen, table.refining)
    first = rows[0] if rows else group.rows[0]
    verdicts: Verdicts = {}
    if seen is not None and first.more.when:
        seen.params = first.params(parts)
        verdicts = {name: holds(test, seen) if test is not None else None for name, test in first.tests}
    project = _project(first, parts)
    key = (endpoint.region, project, endpoint.scope, *map(id, rows), *verdicts.values())
    found = first.built.get(key)
    if not isinstance(found, Call):
        if len(first.built) >= _LIMIT:
            first.built.clear()
        scope = table.scope if endpoint.scope == "unknown" else endpoint.scope
        place = _Place(region=endpoint.region, scope=scope, project=project)
        found = first.built[key] = _build(group, rows, verdicts, table, place)
    return found


class _Place(TypedDict):
    """Where a call is made, as the fields of a `Call`."""

    region: str | None
    scope: str
    project: str | None


def _build(group: Group, rows: list[Row], verdicts: Verdicts, table: Table, place: _Place) -> Call:
    undecided = not rows or any(row.needs != rows[0].needs for row in rows)
    make = _undecided_call if undecided else _known_call
    call = make(group, rows or group.rows, verdicts)
    resources = table.resources(rows[0]) if call.documented else ()
    return replace(call, resources=resources, also=tuple(dict.fromkeys(group.also)), **place)


def _undecided_call(group: Group, rows: list[Row], _: Verdicts) -> Call:
    operations = {row.operation for row in rows}
    return Call(
        service=rows[0].service,
        region=None,
        scope="unknown",
        method=rows[0].method,
        template=rows[0].template,
        operation=operations.pop() if len(operations) == 1 else None,
        candidates=_titles(rows),
        decided_by=group.tests(),
    )


def _titles(rows: list[Row]) -> tuple[str, ...]:
    """The operations that the rows are; of one operation, what it may need."""
    titles = dict.fromkeys(row.title for row in rows)
    needs = dict.fromkeys(", ".join(row.actions or row.identity) for row in rows)
    return tuple(titles if len(titles) > 1 else (need for need in needs if need) if len(needs) > 1 else titles)


def _known_call(_: Group, rows: list[Row], verdicts: Verdicts) -> Call:
    row, more = rows[0], rows[0].more
    several = len(rows) > 1
    open_question = any(r.more.discriminator != more.discriminator for r in rows)  # the body would have decided
    further = [name for name in row.dependencies if name not in row.actions]
    return Call(
        service=row.service,
        region=None,
        scope="unknown",
        operation=None if open_question else row.operation,
        actions=tuple(name for name in row.actions if verdicts.get(name, True) is not False),
        identity_actions=row.identity,
        dependencies=tuple(name for name in further if verdicts.get(name, True)),
        conditional=tuple(Dependency(name, row.words(name)) for name in further if verdicts.get(name, True) is None),
        known=row.documented,
        documented=True,
        required=not more.free,
        method=row.method,
        template=row.template,
        access_level=more.level,
        resource_level=more.resource,
        resource_types=more.types,
        condition_keys=more.keys,
        enterprise_project=more.enterprise,
        candidates=_titles(rows) if several else (),
        note=more.note,
    )


def _unknown(method: str, parts: list[str], endpoint: Endpoint, table: Table | None = None) -> Call:
    template, project = guess_template(tuple(parts))
    if table is not None and table.own_projects:
        project = None
    return Call(
        service=endpoint.service,
        region=endpoint.region,
        scope=endpoint.scope,
        method=method,
        template=template,
        project=project,
    )


def nearest_calls(action: str) -> list[Need]:
    """The documented operations that need this action, in any of its spellings; those that name it themselves first."""
    key = action.lower()
    found: list[tuple[bool, str, Need]] = []
    for service in dict.fromkeys((*tables_of(action), *project_tables.services())):
        of_project = project_tables.rows(service)
        for row in Table((service,), of_project).rows if of_project else read(service)[1]:
            own = {name.lower() for name in (*row.actions, *row.identity)}
            if key in own or any(key == name.lower() for a in (*row.actions, *row.identity) for name in names(a)):
                found.append((key not in own, row.template, _need(row)))
    return list(dict.fromkeys(need for *_, need in sorted(found, key=lambda entry: entry[:2])))


def _need(row: Row) -> Need:
    return Need(
        label=f"{row.method} {row.service} {row.template}",
        operation=row.title,
        service=row.service,
        actions=row.actions,
        identity_actions=row.identity,
    )


def nearest_templates(method: str, url: str) -> list[str]:
    """Labels of documented calls whose method or path comes near to one that no table knows, the nearest first."""
    host, path, _ = split_url(url)
    table, _ = _table(host, locate(host) if host else _NOWHERE)
    return _near_misses(table.rows, method.upper(), segments(path)) if table is not None else []


def rows_to_paste(call: Call) -> str:
    """The project's table that states what a call needs, to be completed (the action is the reader's to find).

    For a call whose service already has such a table the row under `apis:` is enough.
    """
    from pytest_hwcloud.files.yaml_text import readable

    lines = [f"service: {readable(call.service or '')}"]
    lines += [f"scope: {call.scope}"] if call.scope in ("regional", "global") else []
    return "\n".join([*lines, "apis:", f"  - {row_to_paste(call)}"]) + "\n"


def row_to_paste(call: Call) -> str:
    """The row of such a table: `{method: GET, path: …, operation: …, actions: []}`."""
    from pytest_hwcloud.files.yaml_text import readable

    fields = [f"method: {call.method}", f"path: {readable(call.template, flow=True)}"]
    fields += [f"operation: {readable(call.operation, flow=True)}"] if call.operation else []
    return "{" + ", ".join([*fields, "actions: []"]) + "}"


def services() -> tuple[str, ...]:
    """The services whose calls are known, shipped or the project's own."""
    return tuple(sorted({*shipped(), *project_tables.services()}))


def add_table(path: Path) -> None:
    """Use a table of the project (`actions:` in hwcloud.yaml) as well; TableError names file, line and key."""
    project_tables.add(path)
    _TABLES.clear()


def clear_tables() -> None:
    """Forget the project's own tables (at the start of a run: one process may hold several)."""
    project_tables.clear()
    _TABLES.clear()


# Documented calls that look like one that no table knows: another method, another version, a slip in the path.
_NEAR = 0.75
_MOST = 3
_WITHIN = 0.1  # of the nearest
_ID = re.compile(r"[0-9a-fA-F]{32}|\{.*\}").fullmatch


def _near_misses(rows: Iterable[Row], method: str, parts: Sequence[str]) -> list[str]:
    """Up to three labels, the nearest first; none that is not near."""
    ranked: dict[str, float] = {}
    for row in rows:
        closeness = _alike(row.parts, parts) - (0 if row.method == method else 0.1)
        if closeness >= _NEAR:
            ranked[f"{row.method} {row.service} {row.template}"] = closeness
    best = max(ranked.values(), default=0.0)
    near = [label for label, closeness in ranked.items() if closeness > best - _WITHIN]
    return sorted(near, key=lambda label: (-ranked[label], label))[:_MOST]


def _alike(template: Sequence[str], parts: Sequence[str]) -> float:
    """How much of the path agrees, part by part; a part too much or too little counts as one that differs."""
    if abs(len(template) - len(parts)) > 1:
        return 0.0
    shown = [part if is_parameter(part) else part.lower() for part in template]
    given = [part.lower() for part in parts]
    if len(shown) == len(given):
        return sum(map(_part, shown, given)) / max(len(given), 1)
    longer = max(shown, given, key=len)
    without = [[*longer[:at], *longer[at + 1 :]] for at in range(len(longer))]
    pairs = [(one, given) if longer is shown else (shown, one) for one in without]
    return max(sum(map(_part, *pair)) for pair in pairs) / len(longer)


def _part(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if is_parameter(one):
        return float(_ID(other) is not None) if one in PROJECT_NAMES else 0.5
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
