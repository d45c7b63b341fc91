"""Compile sources/permissions/*.yaml: what each call needs.

One file a service: {service, scope, rows}; a row is [method, path, operation, actions, identity actions, dependencies,
more], its end left out where empty. `actions.json`: every action name with what is known about it, so that no table is
loaded for a name.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import yaml
from permission_names import index
from permission_rules import (
    CHOICES,
    DISCRIMINATORS,
    EVS_TAG_TYPES,
    EVS_TAGS,
    NO_PERMISSION,
    NOTES,
    OBS_OPTIONAL,
    WHEN,
)

NOT_SERVICES = {"denied_errors.yaml", "system_policies.yaml"}
Api = dict[str, object]


def read(path: Path) -> dict:
    """One facts file."""
    return yaml.load(path.read_text(encoding="utf-8"), getattr(yaml, "CSafeLoader", yaml.SafeLoader))


def choices(service: str, data: dict) -> list[Api]:
    """The entries of a service; one on which documents list several permissions becomes one entry for each of them.

    What tells them apart is a test of CHOICES, else the words of the document, which no request shows.
    """
    found: list[Api] = []
    for api in data["apis"]:
        conditional = [] if service == "obs" else api.get("conditional_actions") or []
        for choice in conditional:
            test = CHOICES.get((service, api["path"], choice["actions"][0])) or {"words": choice["when"]}
            one = {"actions": choice["actions"], "discriminator": test, "conditional_actions": None, "note": None}
            found.append({**api, **one})
        if not conditional:
            found.append(api)
    return found


def discriminator(service: str, api: Api) -> Api:
    """What tells this entry from others on its path: as in the facts, or by the rules."""
    found = dict(api.get("discriminator") or {})
    for name, path, title, rule in DISCRIMINATORS:
        if name == service and str(api["path"]).endswith(path) and str(api["title"]).startswith(title):
            found.update(rule)
    if str(api.get("host", "")).startswith("bucket") or (service == "obs" and "{object_key}" in str(api["path"])):
        found["host"] = "bucket"
    elif "host" in api:
        found["host"] = "service"
    _, _, query = str(api["path"]).partition("?")
    keys = [part.partition("=")[0] for part in query.split("&") if part]
    if keys:
        found["query"] = sorted(set(keys) - OBS_OPTIONAL) or keys
    return found


def when(service: str, api: Api) -> dict[str, list]:
    """Which actions and dependencies hold for some requests only: action -> [test, words]."""
    tests: dict[str, list] = {}
    for name, path, rules in WHEN:
        if name == service and api["path"] == path and api["method"] in ("POST", "PATCH"):
            tests.update(rules)
    if service == "evs" and EVS_TAGS in str(api["path"]):
        for kind, prefix in EVS_TAG_TYPES.items():
            others = [{"param": {"resource_type": other}} for other in EVS_TAG_TYPES if other != kind]
            mine = [a for a in api["actions"] if a.startswith(prefix)]
            tests.update(
                {a: [{"not": {"any": others}}, f"when the tagged resource is one of the {kind}"] for a in mine}
            )
    for extra in api.get("conditional_actions") or []:
        tests.update(_versions(api, extra))
    for name in api["dependencies"]:
        if "*" in name:
            tests[name] = [None, "documented as a pattern; which of its actions is not said"]
    known = {*api["actions"], *api["dependencies"], *_versioned(api)}
    return {name: test for name, test in tests.items() if name in known}


def _versioned(api: Api) -> list[str]:
    return [name for extra in api.get("conditional_actions") or [] for name in extra["actions"]]


def _versions(api: Api, extra: Api) -> dict[str, list]:
    """OBS: with a version id the action of the version is needed in place of the plain one."""
    given: dict = {"text": "<VersionId>"} if "delete" in str(api["path"]) else {"query": ["versionId"]}
    if api["path"] == "/":
        given = {"query": ["versions"]}
    tests = {}
    for name in extra["actions"]:
        if "Version" in name:
            tests[name] = [given, "when a version of the object is named"]
            tests[api["actions"][0]] = [{"not": given}, "when no version of the object is named"]
        else:
            tests[name] = [None, "when the WORM retention is read"]
    return tests


def row(service: str, api: Api) -> list:
    """One entry of the facts in the compiled form."""
    identity = api.get("identity") or {}
    versioned = _versioned(api)
    tests = when(service, api)
    optional = [name for name in versioned if tests[name][0] is None]
    actions = [*api["actions"], *(name for name in versioned if name not in optional)]
    dependencies = [*api["dependencies"], *optional]
    dependencies += [name for name in identity.get("dependencies") or [] if name not in dependencies]
    more = {
        "discriminator": discriminator(service, api),
        "when": tests,
        "free": free(api, identity),
        "level": (identity.get("access_level") or "").lower(),
        "types": identity.get("resource_types") or [],
        "resource": api.get("resource_level"),
        "enterprise": api.get("enterprise_project"),
        "note": NOTES.get((service, api["operation"]), "" if service == "obs" else short(str(api.get("note") or ""))),
        "title": "" if api["operation"] else api["title"],
    }
    more = {key: value for key, value in more.items() if told(key, value)}
    path = str(api["path"]).partition("?")[0]
    path = path.replace("{{", "{").replace("}}", "}")  # a slip of one source
    result = [api["method"], path, api["operation"], actions, api["identity_actions"], dependencies, more]
    while result[-1] in ([], {}, None):
        result.pop()
    return result


def told(key: str, value: object) -> bool:
    """Whether a value says something; that a flag is documented as not supported does."""
    if value is False:
        return key in ("resource", "enterprise")
    return value not in ("", [], {}, None)


def merge(rows: list[list]) -> list[list]:
    """Join a row that has only the operation with one that has only the actions of the same method and path."""
    named = {(r[0], r[1]): r for r in rows if r[2:] and r[2] and len(r) == 3}
    halves = (r for r in rows if len(r) > 3 and r[2] is None and (r[0], r[1]) in named)
    lone = {id(r) for r in halves if len(r) < 7 or "discriminator" not in r[6]}
    for r in rows:
        if id(r) in lone:
            named[r[0], r[1]].extend(
                [*r[3:6], {k: v for k, v in r[6].items() if k != "title"}] if len(r) > 6 else r[3:]
            )
    return [r for r in rows if id(r) not in lone]


def free(api: Api, identity: Api) -> bool:
    """True where the documents say that no permission is needed."""
    if api["actions"] or api["identity_actions"]:
        return False
    return identity.get("required") is False or re.search(NO_PERMISSION, str(api.get("note") or "")) is not None


def short(note: str) -> str:
    """The note where it says something a reader of `needs` can use; cells of a source table are tests already."""
    return "" if note.startswith(("source cell", "documented as")) else note


def files(sources: Path) -> dict[str, str]:
    """permissions/SERVICE.json, and permissions/actions.json with every action name."""
    folder = sources / "permissions"
    read_files = {p.stem: read(p) for p in sorted(folder.glob("*.yaml")) if p.name not in NOT_SERVICES}
    for name, data in read_files.items():
        data["apis"] = choices(name, data)
    check(read_files)
    made = {}
    for name, data in read_files.items():
        rows = merge([row(name, api) for api in data["apis"]])
        made[f"permissions/{name}.json"] = text({"service": name, "scope": str(data["scope"]).split()[0], "rows": rows})
    made["permissions/actions.json"] = text(index(read_files, read(folder / "system_policies.yaml")))
    return made


def check(files: dict[str, dict]) -> None:
    """Entries on one path that need different things must be told apart by something; one that needs an unknown thing
    cannot be told, and its calls stay undecided."""
    for service, data in files.items():
        groups = defaultdict(list)
        for api in data["apis"]:
            key = (api["method"], re.sub(r"\{[^}]*\}", "{}", str(api["path"])), json.dumps(discriminator(service, api)))
            if api["actions"] or api["identity_actions"]:
                groups[key].append((api["actions"], api["identity_actions"]))
        for key, needs in groups.items():
            if any(need != needs[0] for need in needs):
                raise SystemExit(f"{service}: nothing tells apart {key}: {needs}")


def text(data: dict) -> str:
    """Compact JSON, one row a line."""
    lines = [dump(row) for row in data.pop("rows", ())]
    whole = dump(data)
    if lines:
        whole = whole[:-1] + ',"rows":[\n' + ",\n".join(lines) + "\n]}"
    return whole + "\n"


def dump(data: object) -> str:
    """JSON without white space."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
