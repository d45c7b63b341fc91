"""Compile facts/endpoints.yaml into the form that loads fastest: python tests/facts/build_endpoints.py SOURCE.

A service becomes [scope, {endpoint with "*" for the region: "region region …"}, [further hosts]].
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

import yaml

TARGET = Path(__file__).parents[2] / "pytest_hwcloud" / "cloud" / "facts" / "endpoints.json"


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


def compile_facts(source: Path) -> str:
    """The text of endpoints.json: one service a line, sorted."""
    facts = yaml.safe_load(source.read_text(encoding="utf-8"))
    lines = [f"{json.dumps(name)}: {json.dumps(compile_service(entry))}" for name, entry in sorted(facts.items())]
    derived = {name: e["derived_auth_service_name"] for name, e in facts.items() if "derived_auth_service_name" in e}
    return '{"derived": ' + json.dumps(derived) + ',\n"services": {\n' + ",\n".join(lines) + "\n}}\n"


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit("usage: build_endpoints.py path/to/endpoints.yaml")
    draft = TARGET.with_suffix(".new")
    draft.write_text(compile_facts(Path(sys.argv[1])), encoding="utf-8")
    os.replace(draft, TARGET)
