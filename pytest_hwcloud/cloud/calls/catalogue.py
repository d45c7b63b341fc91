"""IAM's own catalogue of a service, as `GET /v5/authorization-schemas/services/{service_code}` gives it → a table.

The answer has `operations` (operation id, action, dependent actions), `actions` (name, access level, aliases, resources
with URN templates, condition keys), `resources` (type, URN template), `conditions` and `version` (huaweicloudsdkiam,
GetAuthorizationSchemaV5Response). An operation id is met with the operations of the official SDK packages by its name;
what is met by none, or by several calls, is listed and never guessed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.calls import actions, tables
from pytest_hwcloud.cloud.calls.project_tables import LEVELS
from pytest_hwcloud.cloud.endpoints import hosts_begin_with, service_scope
from pytest_hwcloud.files.yaml_text import readable

_ANSWER = ("version", "actions", "resources", "conditions", "operations")
_OPERATION = ("operation_id", "operation_action", "dependent_actions")
_ACTION = (*("name", "access_level", "permission_only", "description", "aliases", "resources", "condition_keys"),)
_RESOURCE = ("type_name", "urn_template")
_LINK = ("urn_template", "required", "condition_keys")
_CONDITION = ("key", "value_type", "multi_valued", "description")


class SchemaError(ValueError):
    """An answer that is no authorization schema; the message names the place and the error."""


@dataclass(kw_only=True)
class ServiceSchema:
    """The catalogue of one service code, checked.

    operations: id -> (action, dependent actions). met: id -> the one documented call, as service, method, path and
    operation. ignored: fields of the answer that are not read here.
    """

    code: str
    version: str = ""
    actions: dict[str, dict[str, object]] = field(default_factory=dict)
    resources: dict[str, str] = field(default_factory=dict)
    conditions: dict[str, dict[str, object]] = field(default_factory=dict)
    operations: dict[str, tuple[str, tuple[str, ...]]] = field(default_factory=dict)
    met: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    ambiguous: dict[str, list[str]] = field(default_factory=dict)
    ignored: list[str] = field(default_factory=list)

    @property
    def unmatched(self) -> list[str]:
        """The operation ids that are no operation of an official SDK."""
        return [name for name in self.operations if name not in self.met and name not in self.ambiguous]


def read(code: str, answer: object, where: str) -> ServiceSchema:
    """The schema of a service code; SchemaError for an answer of another shape. where: a URL or a file."""
    return _Reader(code, where).schema(answer)


def packages(code: str) -> tuple[str, ...]:
    """The SDK packages whose calls a service code authorizes: of its name, or at hosts that begin with it."""
    return tuple(name for name in tables.shipped() if name == code or hosts_begin_with(name, code))


class _Reader:
    def __init__(self, code: str, where: str) -> None:
        self.code, self.where = code, where
        self.made = ServiceSchema(code=code)

    def schema(self, answer: object) -> ServiceSchema:
        top = self.mapping(answer, "", _ANSWER)
        if not isinstance(top.get("operations"), list) or not isinstance(top.get("actions"), list):
            raise self.error("schema.no-lists")
        self.made.version = str(top.get("version") or "")
        for at, entry in self.entries(top, "resources", _RESOURCE):
            template = self.text(entry, "urn_template", at)
            self.urn_type(template, at)
            self.made.resources[self.text(entry, "type_name", at)] = template
        for at, entry in self.entries(top, "conditions", _CONDITION):
            self.made.conditions[self.text(entry, "key", at)] = {
                "type": str(entry.get("value_type") or "string"),
                "multi_valued": entry.get("multi_valued") is True,
            }
        for at, entry in self.entries(top, "actions", _ACTION):
            self.action(at, entry)
        for at, entry in self.entries(top, "operations", _OPERATION):
            self.operation(at, entry)
        self.meet()
        return self.made

    def action(self, at: str, entry: Mapping[str, object]) -> None:
        """One action: level, aliases, resource types with a star where required, condition keys."""
        name = self.name(entry.get("name"), f"{at}.name")
        level = str(entry.get("access_level") or "").lower()
        found: dict[str, object] = {}
        if level:
            if level not in LEVELS:
                raise self.error("schema.level", at=f"{at}.access_level", value=repr(level), known=", ".join(LEVELS))
            found["level"] = level
        if aliases := self.names(entry, "aliases", at):
            found["aliases"] = sorted(set(aliases))
        types, keys = [], self.strings(entry, "condition_keys", at)
        for place, link in self.entries(entry, "resources", _LINK, at):
            types.append(self.resource_type(link, place) + ("*" if link.get("required") is True else ""))
            keys += self.strings(link, "condition_keys", place)
        if types:
            found["resources"] = sorted(set(types))
        if keys:
            found["conditions"] = sorted(set(keys))
        if entry.get("permission_only") is True:
            found["permission_only"] = True
        if any(name.lower() == known.lower() and found != self.made.actions[known] for known in self.made.actions):
            raise self.error("schema.action-twice", at=at, name=name)
        self.made.actions[name] = found

    def resource_type(self, link: Mapping[str, object], at: str) -> str:
        """The type whose URN template an action names."""
        template = self.text(link, "urn_template", at)
        for name, known in self.made.resources.items():
            if known == template:
                return name
        name = self.urn_type(template, at)
        self.made.resources.setdefault(name, template)
        return name

    def urn_type(self, template: str, at: str) -> str:
        """The resource type in a URN template, which has five parts."""
        parts = template.split(":", 4)
        if len(parts) != 5 or not parts[3]:
            raise self.error("schema.urn", at=f"{at}.urn_template", value=repr(template))
        return parts[3]

    def operation(self, at: str, entry: Mapping[str, object]) -> None:
        name = self.text(entry, "operation_id", at)
        action = self.name(entry.get("operation_action"), f"{at}.operation_action")
        further = tuple(sorted({*self.names(entry, "dependent_actions", at)} - {action}))
        if self.made.operations.setdefault(name, (action, further)) != (action, further):
            raise self.error("schema.twice", at=at, name=name)

    def meet(self) -> None:
        """Find the documented call of each operation id, by its name."""
        known: dict[str, dict[tuple[str, str], tuple[str, str, str, str]]] = {}
        for service in packages(self.code):
            for row in tables.read(service)[1]:
                if row.operation:
                    place = row.method, "/".join("{}" if "{" in part else part for part in row.parts)
                    call = service, row.method, row.template, row.operation
                    known.setdefault(row.operation.lower(), {}).setdefault(place, call)
        for name in self.made.operations:
            calls = list(known.get(name.lower(), {}).values())
            if len(calls) == 1:
                self.made.met[name] = calls[0]
            elif calls:
                self.made.ambiguous[name] = sorted(f"{method} {service} {path}" for service, method, path, _ in calls)

    def entries(
        self, holder: Mapping[str, object], key: str, known: Sequence[str], at: str = ""
    ) -> Iterator[tuple[str, Mapping[str, object]]]:
        """The members of a list of objects, each with its place."""
        listed = holder.get(key)
        place = f"{at}.{key}" if at else key
        if listed is None:
            return
        if not isinstance(listed, list):
            raise self.error("schema.not-list", at=place)
        for index, entry in enumerate(listed):
            yield f"{place}[{index}]", self.mapping(entry, f"{place}[{index}]", known)

    def mapping(self, value: object, at: str, known: Sequence[str]) -> Mapping[str, object]:
        if not isinstance(value, Mapping):
            raise self.error("schema.not-object", at=at or "$")
        kind = at.partition("[")[0]
        for key in value:
            name = f"{kind}.{key}" if kind else str(key)
            if key not in known and name not in self.made.ignored:
                self.made.ignored.append(name)
        return value

    def text(self, entry: Mapping[str, object], key: str, at: str) -> str:
        value = entry.get(key)
        if not isinstance(value, str) or not value.strip():
            raise self.error("schema.no-text", at=f"{at}.{key}")
        return value.strip()

    def strings(self, entry: Mapping[str, object], key: str, at: str) -> list[str]:
        value = entry.get(key) or []
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise self.error("schema.no-texts", at=f"{at}.{key}")
        return list(value)

    def names(self, entry: Mapping[str, object], key: str, at: str) -> list[str]:
        return [self.name(name, f"{at}.{key}[{index}]") for index, name in enumerate(self.strings(entry, key, at))]

    def name(self, value: object, at: str) -> str:
        """One action name; a schema has no patterns."""
        try:
            return str(actions.parse(str(value or ""), wildcards=False))
        except actions.ActionError as error:
            raise self.error("schema.action", at=at, problem=error) from None

    def error(self, key: str, **values: object) -> SchemaError:
        return SchemaError(texts.say(key, where=self.where, code=self.code, **values))


def write(schemas: Iterable[ServiceSchema], policies: Mapping[str, object], *, source: str, date: str) -> str:
    """The text of `hwcloud-actions.yaml`: sorted, one action or call a line, the same bytes for the same answers."""
    lines = [
        "# written by: pytest-hwcloud actions refresh",
        "version: 1",
        f"source: {readable(source)}",
        f"date: {date}",
        "services:",
    ]
    for schema in sorted(schemas, key=lambda schema: schema.code):
        services = sorted({call[0] for call in schema.met.values()} | {_first(schema)})
        services.sort(key=lambda name: name != _first(schema))
        for service in services:
            lines += _table(schema, service, whole=service == services[0])
    if lines[-1] == "services:":
        lines[-1] = "services: []"
    if policies:
        lines.append("policies:")
        lines += [f"  {readable(name)}: {_flow(policies[name])}" for name in sorted(policies, key=str.lower)]
    return "\n".join(lines) + "\n"


def _first(schema: ServiceSchema) -> str:
    """The package that carries the actions of the service code."""
    found = packages(schema.code)
    return schema.code if schema.code in found or not found else found[0]


def _table(schema: ServiceSchema, service: str, whole: bool) -> Iterator[str]:
    scope = service_scope(service)
    yield f"- service: {readable(service)}"
    yield f"  code: {readable(schema.code)}"
    yield f"  scope: {scope if scope in ('regional', 'global') else 'regional'}"
    if whole:
        if schema.version:
            yield f"  schema: {readable(schema.version)}"
        yield from _mapping("resources", schema.resources)
        yield from _mapping("conditions", schema.conditions)
        yield from _mapping("actions", schema.actions) or ["  actions: {}"]
    else:
        yield "  actions: {}"
    calls = sorted((call[2], call[1], name) for name, call in schema.met.items() if call[0] == service)
    yield "  apis:" if calls else "  apis: []"
    for path, method, name in calls:
        action, further = schema.operations[name]
        row: dict[str, object] = {"method": method, "path": path, "operation": schema.met[name][3]}
        row["identity_actions"] = [action]
        if further:
            row["dependencies"] = list(further)
        yield f"  - {_flow(row)}"
    if whole:
        yield from _mapping("unmatched", {name: schema.operations[name][0] for name in schema.unmatched})
        yield from _mapping("ambiguous", schema.ambiguous)


def _mapping(key: str, entries: Mapping[str, object]) -> list[str]:
    if not entries:
        return []
    names = sorted(entries, key=lambda name: (name.lower(), name))
    return [f"  {key}:", *(f"    {readable(name)}: {_flow(entries[name], top=True)}" for name in names)]


def _flow(value: object, top: bool = False) -> str:
    """Plain data on one line. top: a text stands alone, not inside brackets."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{readable(str(key), True)}: {_flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(_flow, value)) + "]"
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    return str(value) if isinstance(value, (int, float)) else readable(str(value), flow=not top)
