"""The sarif report: SARIF 2.1.0 (OASIS), as code scanning services read it; one rule, one result a line.

A result without a place cannot be uploaded to GitHub, so each has one (`Overview.file_of`). Its fingerprints have no
line numbers: an alert stays the same alert when code moves.
"""

from __future__ import annotations

import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import metadata
from urllib.parse import quote

from pytest_hwcloud import texts
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.reports.json_report import dumped, tool
from pytest_hwcloud.permissions.reports.overview import Overview, Row, level
from pytest_hwcloud.rules import RULES, Rule

SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
_ROOT = "%SRCROOT%"  # as CodeQL calls it, so services know it
_INDEX = {rule: index for index, rule in enumerate(RULES)}


def render(shown: Overview) -> str:
    """The whole file."""
    seen: Counter[str] = Counter()
    results = []
    for finding in shown.findings:
        seen[finding.fingerprint] += 1
        results.append(_result(finding, shown, seen[finding.fingerprint]))
    lang = shown.settings.lang
    return _page(_listed([_rule(rule, lang) for rule in RULES.values()]), _listed(results))


def _page(rules: str, results: str) -> str:
    driver = ", ".join(f"{json.dumps(key)}: {dumped(value)}" for key, value in (tool() | _home()).items())
    bases = dumped({_ROOT: {"description": {"text": "pytest's rootdir"}}})
    return (
        f'{{\n"$schema": {json.dumps(SCHEMA)},\n"version": "2.1.0",\n"runs": [{{\n'
        f'"tool": {{"driver": {{{driver}, "rules": {rules}}}}},\n'
        f'"columnKind": "unicodeCodePoints",\n"originalUriBaseIds": {bases},\n"results": {results}\n}}]\n}}\n'
    )


def _listed(rows: list[Row]) -> str:
    return "[\n" + ",\n".join(dumped(row) for row in rows) + "\n]" if rows else "[]"


def _rule(rule: Rule, lang: str) -> Row:
    said = rule.to_dict(lang)
    helped = "\n".join(rule.lines(lang))
    row: Row = {
        "id": rule.id,
        "name": "".join(word.capitalize() for word in rule.name.split("-")),
        "shortDescription": {"text": f"{rule.name}: {said['meaning']}"},
        "fullDescription": {"text": "\n".join(said[key] for key in ("meaning", "example", "fix"))},
        "help": {"text": helped, "markdown": _help_page(rule, lang)},
        "defaultConfiguration": {"level": rule.level},
        "properties": {"tags": ["security", "permissions"]},
    }
    home = _home().get("informationUri")
    return row | {"helpUri": f"{home}#{rule.id.lower()}-{rule.name}"} if home else row


def _help_page(rule: Rule, lang: str) -> str:
    """The rule's paragraph of the guide: a line a label, and the command that shows it at the shell."""
    said = rule.to_dict(lang)
    labels = {key: texts.say_in(lang, f"help.rule-{key}") for key in ("meaning", "example", "fix", "ignore")}
    lines = [f"- **{label}**: {_escaped(said[key])}" for key, label in labels.items()]
    return "\n".join([*lines, "", f"`pytest-hwcloud explain {rule.id}`"])


def _escaped(text: str) -> str:
    return re.sub(r"([\\`*_\[\]<>])", r"\\\1", text)


def _home() -> Row:
    """Where the tool is described, by its package's metadata; a package without an address has none in the report."""
    named = metadata("pytest-hwcloud").get_all("Project-URL") or []
    known = {label.strip().lower(): url.strip() for label, _, url in (entry.partition(",") for entry in named)}
    url = known.get("documentation") or known.get("homepage") or ""
    return {"informationUri": url} if url else {}


def _result(finding: Finding, shown: Overview, number: int) -> Row:
    row: Row = {
        "ruleId": finding.rule,
        "ruleIndex": _INDEX[finding.rule],
        "level": level(finding.rule),
        "message": {"text": finding.text()},
        "locations": [_location(finding, shown)],
        "partialFingerprints": {
            "hwcloudFinding/v1": finding.fingerprint,
            "primaryLocationLineHash": f"{finding.fingerprint}:{number}",  # the only one that GitHub looks at
        },
        "properties": {name: value for name in ("action", "identity", "cause") if (value := getattr(finding, name))},
    }
    if finding.patch and (changes := _changes(finding.patch, shown)):
        row["fixes"] = [{"description": {"text": finding.fix or finding.head}, "artifactChanges": changes}]
    if finding.ignored:
        row["suppressions"] = [{"kind": "external", "status": "accepted", "justification": finding.ignored}]
    return row


def _artifact(file: str) -> Row:
    return {"uri": quote(file), "uriBaseId": _ROOT}


_HUNK = re.compile(r"@@ -(\d+)(?:,\d+)? \+\d+(?:,\d+)? @@")


def _patched(finding: Finding, shown: Overview) -> tuple[str, int] | None:
    """The file and the first line that the finding's patch changes."""
    for file, start, _, _ in _edits(finding.patch):
        return _from_root(file, shown), start
    return None


def _changes(patch: str, shown: Overview) -> list[Row]:
    """The patch as SARIF has it: lines of a file that go, and the text that comes in their place."""
    files: dict[str, list[Row]] = {}
    for file, start, gone, text in _edits(patch):
        region = {"startLine": start, "startColumn": 1, "endLine": start + gone, "endColumn": 1}
        inserted = {"insertedContent": {"text": text}} if text else {}
        files.setdefault(_from_root(file, shown), []).append({"deletedRegion": region, **inserted})
    return [{"artifactLocation": _artifact(file), "replacements": rows} for file, rows in files.items()]


def _edits(patch: str) -> Iterator[tuple[str, int, int, str]]:
    """Of each run of changed lines of a unified diff: the file, its first line, how many lines go, what comes."""
    file, at, gone, text, begun = "", 0, 0, "", False
    for row in [*patch.split("\n"), " "]:
        if row.startswith("--- "):
            file = re.sub(r"^a/", "", row[4:].partition("\t")[0]) if "\n+++ b/" in patch else row[4:].partition("\t")[0]
        elif hunk := _HUNK.match(row):
            at = int(hunk[1])
        elif row.startswith("-") and at:
            gone, begun = gone + 1, True
        elif row.startswith("+") and at:
            text, begun = f"{text}{row[1:]}\n", True
        elif row.startswith("\\"):  # no newline at the end of the file
            text = text.removesuffix("\n")
        elif not row.startswith("+++ "):
            if begun:
                yield file, at, gone, text
                at, gone, text, begun = at + gone, 0, "", False
            at += 1 if at else 0


def _from_root(file: str, shown: Overview) -> str:
    """A file of a patch, which is relative to the folder of the lock, as it lies below pytest's rootdir."""
    path = os.path.join(shown.settings.root, shown.settings.lockfile.parent, file)
    return os.path.relpath(path, shown.settings.root).replace(os.sep, "/")


def _location(finding: Finding, shown: Overview) -> Row:
    file, line = _patched(finding, shown) or shown.file_of(finding)
    physical: Row = {"artifactLocation": _artifact(file)}
    if line:
        physical["region"] = {"startLine": line}
    location: Row = {"physicalLocation": physical}
    if finding.test:
        location["logicalLocations"] = [{"fullyQualifiedName": finding.test, "kind": "function"}]
    return location
