"""Compile sources/endpoints.yaml and sources/partner-endpoints.yaml into the form that loads fastest.

A service becomes [scope, {endpoint with "*" for the region: "region region …"}, [further hosts]].
"""

from __future__ import annotations

import json
from pathlib import Path

from build_permissions import read


def template(url: str, region: str) -> str:
    """The endpoint with "*" where a whole label of its host is the region."""
    scheme, _, host = url.partition("://")
    return scheme + "://" + ".".join("*" if label == region else label for label in host.split("."))


def compile_service(entry: dict) -> list:
    """One service: [scope, {template: "region region …"}, [further hosts]]."""
    endpoints: dict[str, list[str]] = {}
    for region, url in sorted(entry["regions"].items()):
        endpoints.setdefault(template(url, region), []).append(region)
    further = {
        template(url, region).partition("://")[2]
        for region, urls in entry.get("extra_endpoints", {}).items()
        for url in urls
    }
    return [entry["scope"], {url: " ".join(regions) for url, regions in sorted(endpoints.items())}, sorted(further)]


def head(text: str) -> dict[str, str]:
    """The plain top-level values of a table of permissions."""
    pairs = (line.split(": ", 1) for line in text.splitlines() if ": " in line and line[:1].isalpha())
    return {key: value.split()[0] for key, value in pairs}


def files(sources: Path) -> dict[str, str]:
    """endpoints.json: one service a line, sorted."""
    facts = read(sources / "endpoints.yaml")
    for cloud in read(sources / "partner-endpoints.yaml").values():
        for name, regions in cloud["services"].items():
            facts[name]["regions"] |= regions
        for name, hosts in cloud.get("hosts", {}).items():
            for host in hosts:
                extra = facts[name].setdefault("extra_endpoints", {})
                extra.setdefault(host.split(".")[1], []).append(f"https://{host}")
    for path in sorted((sources / "permissions").glob("*.yaml")):
        entry = head(path.read_text(encoding="utf-8"))
        if "endpoint" in entry and path.stem not in facts:  # its regions are documented nowhere
            facts[path.stem] = {"scope": entry["scope"], "regions": {"{region}": entry["endpoint"]}}
    lines = [f"{json.dumps(name)}: {json.dumps(compile_service(entry))}" for name, entry in sorted(facts.items())]
    derived = {name: e["derived_auth_service_name"] for name, e in facts.items() if "derived_auth_service_name" in e}
    text = '{"derived": ' + json.dumps(derived) + ',\n"services": {\n' + ",\n".join(lines) + "\n}}\n"
    return {"endpoints.json": text}
