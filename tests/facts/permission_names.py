"""The index of all action names: spellings, one canonical name each, access levels, and the tables that use them."""

from __future__ import annotations

from collections import Counter, defaultdict


class Names:
    """Documented spellings, found without regard to case; the first one seen is the documented one."""

    def __init__(self) -> None:
        self.documented: dict[str, str] = {}
        self.tables: dict[str, set[str]] = defaultdict(set)

    def add(self, name: str, table: str | None = None) -> str:
        """Take a name in; gives its documented spelling."""
        if "*" not in name and name.count(":") == 2 and " " not in name:
            self.documented.setdefault(name.lower(), name)
        if table:
            self.tables[name.partition(":")[0].lower()].add(table)
        return self.documented.get(name.lower(), name)


def index(files: dict[str, dict], system_policies: dict, listed: dict) -> dict:
    """actions.json: names, canonical (where it is another name), spellings (if more than one), levels, tables.

    listed: the names that documents give for one call (sources/aliases.yaml).
    """
    names = Names()
    for service, data in files.items():
        collect(names, service, data)
    collect_policies(names, system_policies)
    for entry in [*listed["same"], *listed["allows"]]:
        for name in entry.get("names") or [entry["narrow"], entry["broad"]]:
            names.add(name)
    spellings = spell(files)
    heirs = canonical(files, spellings)
    join(listed, spellings, heirs)
    return {
        "names": sorted(names.documented.values(), key=str.lower),
        "canonical": {k.lower(): v for k, v in sorted(heirs.items())},
        "spellings": {k: sorted(v) for k, v in sorted(spellings.items()) if len(v) > 1},
        "levels": levels(files),
        "tables": {k: sorted(v) for k, v in sorted(names.tables.items()) if v != {k}},
    }


def cited(files: dict[str, dict], policies: dict, listed: dict) -> dict[str, object]:
    """action_sources.json: where names were read that no call of a table needs; lower name -> number of a text."""
    found: dict[str, str] = {}
    for data in files.values():
        for other in data.get("actions_without_api") or []:
            for name in other.get("actions") or [other["action"]]:
                found.setdefault(name.lower(), str(other["source"]))
        for api in data["apis"]:
            identity = api.get("identity") or {}
            source = str(identity.get("source") or api["source"])
            further = [*api["dependencies"], *(identity.get("alias") or []), *(identity.get("dependencies") or [])]
            further += [name for extra in api.get("conditional_actions") or [] for name in extra["actions"]]
            for name in [*further, *(api.get("former_actions") or [])]:
                found.setdefault(name.lower(), source)
    for policy in policies["policies"]:
        inside = Names()
        collect_policies(inside, policy.get("document"))
        for name in inside.documented:
            found.setdefault(
                name, f"system policy {policy['name']}, {policy.get('document_source') or policy['source']}"
            )
    for entry in listed["same"]:
        found |= {name.lower(): source for name, source in zip(entry["names"], entry["sources"], strict=True)}
    for entry in listed["allows"]:
        found[entry["broad"].lower()] = entry["sources"][1]
    texts = sorted(set(found.values()))
    return {"texts": texts, "names": {name: texts.index(source) for name, source in sorted(found.items())}}


def collect(names: Names, service: str, data: dict) -> None:
    """Every name of one facts file; the ones that calls need first, so that their spelling wins."""
    for api in data["apis"]:
        for name in [*api["actions"], *api["identity_actions"]]:
            names.add(name, service)
        for extra in api.get("conditional_actions") or []:
            for name in extra["actions"]:
                names.add(name, service)
    for api in data["apis"]:
        identity = api.get("identity") or {}
        for name in [*api["dependencies"], *(identity.get("alias") or []), *(identity.get("dependencies") or [])]:
            names.add(name)
        for name in [n for other in api.get("also_documented") or [] for n in other["actions"]]:
            names.add(name)
        for name in api.get("former_actions") or []:
            names.add(name)
    for other in data.get("actions_without_api") or []:
        for name in other.get("actions") or [other["action"]]:
            names.add(name)
    for name in data.get("identity_action_names_seen") or []:
        names.add(name)


def collect_policies(names: Names, value: object) -> None:
    """Whole names in the documents of system policies: actions of services that have no table."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key in ("Action", "NotAction", "action"):
                for name in [item] if isinstance(item, str) else item:
                    names.add(str(name))
            else:
                collect_policies(names, item)
    elif isinstance(value, list):
        for item in value:
            collect_policies(names, item)


def aliases(files: dict[str, dict]) -> dict[str, set[str]]:
    """Identity policy (5.0) name -> the 1.1 names that its row gives as alias."""
    found: dict[str, set[str]] = defaultdict(set)
    for data in files.values():
        for name, others in (data.get("action_aliases") or {}).items():
            found[name].update(others)
        for api in data["apis"]:
            for name in api["identity_actions"]:
                found[name].update((api.get("identity") or {}).get("alias") or [])
    return found


def spell(files: dict[str, dict]) -> dict[str, set[str]]:
    """lower name -> the names that open all it opens: its aliases, and what opens each single call that needs it."""
    alias = aliases(files)
    ways: dict[str, list[set[str]]] = defaultdict(list)
    for data in files.values():
        for api in data["apis"]:
            if len(api["actions"]) > 1 or len(api["identity_actions"]) > 1:
                opens: set[str] = set()
            else:
                opens = {*api["actions"], *api["identity_actions"]}
                opens |= {a for name in api["identity_actions"] for a in alias[name]}
            for name in {*api["actions"], *api["identity_actions"]}:
                ways[name].append(opens)
    found: dict[str, set[str]] = defaultdict(set)
    for name in {*ways, *alias}:
        every = set.intersection(*ways[name]) if ways[name] else set()
        found[name.lower()] |= {name, *alias.get(name, set()), *every}
    return found


def join(listed: dict, spellings: dict[str, set[str]], heirs: dict[str, str]) -> None:
    """Two spellings of one permission open the same and have one canonical name; a broad name opens a narrow one."""
    for entry in listed["same"]:
        first, second = entry["names"]
        both = {first, second} | spellings.get(first.lower(), set()) | spellings.get(second.lower(), set())
        for name in (first, second):
            spellings[name.lower()] = set(both)
        heirs[second] = heirs.get(first, first)
    for entry in listed["allows"]:
        spellings.setdefault(entry["narrow"].lower(), {entry["narrow"]}).add(entry["broad"])


def canonical(files: dict[str, dict], spellings: dict[str, set[str]]) -> dict[str, str]:
    """Names whose one spelling is another name: a 5.0 name that is the heir of one 1.1 name.

    Where several 5.0 names share a 1.1 name, the heir is the one that most of its calls need; a draw leaves none.
    """
    legacy = {name for data in files.values() for api in data["apis"] for name in api["actions"]}
    pairs: dict[str, Counter[str]] = defaultdict(Counter)
    for data in files.values():
        for api in data["apis"]:
            if (
                len(api["actions"]) == 1
                and len(api["identity_actions"]) == 1
                and api["identity_actions"][0] not in legacy
            ):
                pairs[api["actions"][0]][api["identity_actions"][0]] += 1
    heirs: dict[str, str] = {}
    for old, news in pairs.items():
        best = news.most_common(2)
        if len(best) == 1 or best[0][1] > best[1][1]:
            heirs[best[0][0]] = old
    users: dict[str, set[str]] = defaultdict(set)
    for name, others in aliases(files).items():
        for other in others:
            users[other].add(name)
    for old, news in users.items():  # a 1.1 name that no table of calls has, only the alias column of one 5.0 name
        if old not in legacy and len(news) == 1 and not news & legacy:
            heirs.setdefault(old, next(iter(news)))
    return {name: heirs.get(other, other) for name, other in heirs.items()}


def levels(files: dict[str, dict]) -> dict[str, str]:
    """lower name -> access level, where the rows that name it agree."""
    seen: dict[str, set[str]] = defaultdict(set)
    for data in files.values():
        for api in data["apis"]:
            level = (api.get("identity") or {}).get("access_level")
            for name in [*api["identity_actions"], *(api["actions"] if level else [])]:
                seen[name.lower()].add((level or "").lower())
    return {name: min(found - {""}) for name, found in sorted(seen.items()) if len(found - {""}) == 1}
