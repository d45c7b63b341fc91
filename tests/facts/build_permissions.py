"""Compile sources/permissions/*.yaml and sources/operations.tsv: what each call is and what it needs.

One file a service, `calls/SERVICE.jsonl`: a head (service, scope, whether any permission is documented, the query
parameters that choose operations), then one line for each method and number of path segments with its rows:
[path, operation, actions, identity actions, dependencies, more], the end left out where empty, and a line with the
sources of the documented calls. `actions.json`: every
action name with what is known about it, so that no table is loaded for a name.
"""

from __future__ import annotations

import json
import re
from collections import defaultdict
from pathlib import Path

import yaml
from permission_names import cited as cited_names
from permission_names import index
from permission_rules import (
    CHOICES,
    DISCRIMINATORS,
    EVS_TAG_TYPES,
    EVS_TAGS,
    NO_PERMISSION,
    NOTES,
    OBS_OPERATIONS,
    OBS_OPTIONAL,
    OBS_QUERIES,
    OWN_PROJECTS,
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
        "keys": identity.get("condition_keys") or [],
        "resource": api.get("resource_level"),
        "enterprise": api.get("enterprise_project"),
        "note": NOTES.get((service, api["operation"]), "" if service == "obs" else short(str(api.get("note") or ""))),
        "title": "" if named(service, api) else api["title"],
    }
    more = {key: value for key, value in more.items() if told(key, value)}
    path = str(api["path"]).partition("?")[0]
    path = path.replace("{{", "{").replace("}}", "}")  # a slip of one source
    result = [api["method"], path, named(service, api), actions, api["identity_actions"], dependencies, more]
    while result[-1] in ([], {}, None):
        result.pop()
    return result


def named(service: str, api: Api) -> object:
    """The operation of the SDK that an entry is."""
    return api["operation"] or (OBS_OPERATIONS.get(str(api["title"])) if service == "obs" else None)


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
    """calls/SERVICE.jsonl, and actions.json with every action name."""
    folder = sources / "permissions"
    permissions = {p.stem: read(p) for p in sorted(folder.glob("*.yaml")) if p.name not in NOT_SERVICES}
    for name, data in permissions.items():
        data["apis"] = choices(name, data)
    check(permissions)
    operations = sdk_operations(sources / "operations.tsv")
    scopes = {name: str(entry["scope"]) for name, entry in read(sources / "endpoints.yaml").items()}
    made = {}
    for name in sorted({*permissions, *operations}):
        data = permissions.get(name, {"apis": [], "scope": scopes.get(name)})
        rows = merge([row(name, api) for api in data["apis"]])
        rows += missing(rows, operations.get(name, []))
        made[f"calls/{name}.jsonl"] = table(name, str(data["scope"]).split()[0], rows, cited(data["apis"]))
    listed = read(sources / "aliases.yaml")
    policies = read(folder / "system_policies.yaml")
    names = index(permissions, policies, listed)
    made["action_sources.json"] = dump(cited_names(permissions, policies, listed)) + "\n"
    made["actions.json"] = dump(names) + "\n"
    return made


def sdk_operations(path: Path) -> dict[str, list[list]]:
    """Service -> [method, path, operation] of every operation of its SDK package."""
    found: dict[str, list[list]] = defaultdict(list)
    for line in path.read_text(encoding="utf-8").splitlines()[1:]:
        service, _, operation, method, template = line.split("\t")
        found[service].append([method, template, operation])
    return found


def missing(rows: list[list], operations: list[list]) -> list[list]:
    """The operations that no row has, each once (versions of a package repeat some)."""
    known = {(r[0], shape(r[1]), r[2] if len(r) > 2 else None) for r in rows}
    added = []
    for method, template, operation in operations:
        key = method, shape(template), operation
        if operation in OBS_QUERIES:
            more = {"discriminator": {"host": "bucket", "query": [OBS_QUERIES[operation]]}}
            added.append([method, template, operation, [], [], [], more])
            continue
        if key not in known:
            known.add(key)
            added.append([method, template, operation])
    return added


def shape(path: str) -> str:
    """The path with its parameters without names."""
    return re.sub(r"\{[^}]*\}", "{}", path.partition("?")[0]).rstrip("/")


def cited(apis: list[Api]) -> dict[str, list[str]]:
    """`METHOD path` -> where it was read what the call needs; nothing for calls of which no document says it."""
    found: dict[str, list[str]] = defaultdict(list)
    for api in apis:
        identity = api.get("identity") or {}
        if api["actions"] or api["identity_actions"] or free(api, identity):
            path = str(api["path"]).partition("?")[0].replace("{{", "{").replace("}}", "}")
            texts = [str(api["source"]), str(identity.get("source") or "")]
            listed = found[f"{api['method']} {path}"]
            listed += [text for text in texts if text and "no action found" not in text and text not in listed]
    return found


def table(service: str, scope: str, rows: list[list], sources: dict[str, list[str]]) -> str:
    """The text of one table."""
    refining = {key for r in rows if len(r) > 6 for key in r[6].get("discriminator", {}).get("query", ())}
    documented = any(len(r) > 3 and (r[3] or r[4:5] not in ([], [[]]) or (r[6:] and r[6].get("free"))) for r in rows)
    head = {"service": service, "scope": scope, "documented": documented, "refining": sorted(refining)}
    head["own_projects"] = service in OWN_PROJECTS
    buckets: dict[str, list[list]] = defaultdict(list)
    for method, template, *rest in rows:
        size = len([part for part in template.split("/") if part])
        buckets[f"{method} {size}"].append([template, *rest])
    lines = [dump({key: value for key, value in head.items() if value})]
    lines += [dump([key, *buckets[key]]) for key in sorted(buckets)]
    every = sorted({text for texts in sources.values() for text in texts})
    if every:
        places = {call: [every.index(text) for text in texts] for call, texts in sorted(sources.items())}
        lines.append(dump(["sources", every, places]))
    return "\n".join(lines) + "\n"


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


def dump(data: object) -> str:
    """JSON without white space."""
    return json.dumps(data, ensure_ascii=False, separators=(",", ":"))
