"""The json report: everything, for machines; a line each. Its schema is schema.json beside this file."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from importlib.metadata import version

from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.record import Declaration, Use
from pytest_hwcloud.permissions.reports.overview import IdentityRow, Overview, Row, TestRow, level, place

FORMAT = "pytest-hwcloud report"
VERSION = 1  # grows when a reader of the older form would misread the newer one


def render(shown: Overview) -> str:
    """The whole file."""
    rows: dict[str, object] = {
        "format": FORMAT,
        "version": VERSION,
        "tool": tool(),
        "run": _run(shown),
        "summary": _summary(shown),
        "identities": [_identity(identity) for identity in shown.identities],
        "findings": [_finding(finding) for finding in shown.findings],
        "tests": [_test(row) for row in shown.tests],
    }
    return lines(rows)


def _identity(row: IdentityRow) -> Row:
    plain = asdict(row)
    del plain["grants"]  # of the html report alone
    return plain


def tool() -> Row:
    """Name and version of this plugin."""
    return {"name": "pytest-hwcloud", "version": version("pytest-hwcloud")}


def lines(rows: Mapping[str, object]) -> str:
    """A JSON object with each key, and each entry of its lists, on a separate line; compact below that."""
    parts = [f"{json.dumps(key)}: {_block(value)}" for key, value in rows.items()]
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _block(value: object) -> str:
    if isinstance(value, list) and value:
        return "[\n" + ",\n".join(dumped(item) for item in value) + "\n]"
    return dumped(value)


def dumped(value: object) -> str:
    """One value on one line."""
    return json.dumps(value, ensure_ascii=False, separators=(", ", ": "))


def _run(shown: Overview) -> Row:
    settings = shown.settings
    return {
        "mode": settings.mode,
        "region": settings.region,
        "permissions": settings.permissions,
        "lock": settings.lock,
        "prove": settings.prove,
        "complete": shown.complete,
        "collected": shown.collected,
        "deselected": shown.deselected,
    }


def _summary(shown: Overview) -> Row:
    return {
        "findings": len(shown.open),
        "ignored": len(shown.findings) - len(shown.open),
        "rules": shown.rules,
        "outcomes": shown.outcomes,
        "proof": shown.proofs,
        "calls": dict(shown.calls),
    }


def _finding(finding: Finding) -> Row:
    return {
        "rule": finding.rule,
        "name": finding.name,
        "level": level(finding.rule),
        "action": finding.action,
        "identity": finding.identity,
        "test": finding.test,
        "place": _place(finding.where),
        "cause": finding.cause,
        "head": finding.head,
        "lines": list(finding.lines),
        "fix": finding.fix,
        "ignored": finding.ignored,
        "fingerprint": finding.fingerprint,
    }


def _test(row: TestRow) -> Row:
    return {
        "nodeid": row.nodeid,
        "place": _place(row.place),
        "identity": row.identity,
        "outcome": row.outcome,
        "uses": _distinct(_use(use) for use in row.uses),
        "declared": [_declared(one) for one in row.declared],
        "unmapped": list(row.unmapped),
        "refusals": list(row.refusals),
        "proof": row.proof,
        "doubts": row.doubts,
    }


def _use(use: Use) -> Row:
    return {
        "identity": use.identity,
        "action": use.action,
        "call": use.call,
        "place": _place(use.where),
        "phase": use.phase,
        "fixture": use.fixture,
        "credential": use.credential,
        "dependency": use.dependency,
        "resource": use.resource,
        "verdict": use.verdict,
        "policy": use.policy,
        "statement": use.statement if use.statement >= 0 else None,
        "reason": use.reason,
        "refused": use.refused,
        "gate": use.gate,
        "code": use.code,
        "expected": use.expected,
        "injected": use.injected,
    }


def _declared(one: Declaration) -> Row:
    return {**asdict(one), "place": _place(one.place)}


def _place(text: str) -> Row | None:
    if not text:
        return None
    file, line = place(text)
    return {"file": file, "line": line or None}


def _distinct(rows: Iterable[Row]) -> list[Row]:
    found: list[Row] = []
    for row in rows:
        if not found or found[-1] != row:
            found.append(row)
    return found
