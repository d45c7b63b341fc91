"""A json report read back: what a run needed, as a lock that was never written to a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pytest_hwcloud import texts
from pytest_hwcloud.files.reading import UnusableFile, exists, read_text
from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.lock.from_run import needs
from pytest_hwcloud.permissions.lock.model import Lock
from pytest_hwcloud.permissions.record import Declaration, TestRecord, Use
from pytest_hwcloud.permissions.reports.json_report import FORMAT, VERSION

_MOST = 256 << 20  # bytes of a report
Row = Mapping[str, Any]


class UnreadableReport(ValueError):
    """The file is no report of ours, or of another version; the message names the file and the way out."""


def lock_of(path: Path) -> Lock:
    """The needs of the run that a report describes."""
    shown = os.path.relpath(path)
    report = _read(path, shown)
    try:
        records = list(_records(report))
        names = [row["name"] for row in report["identities"]]
    except (KeyError, TypeError, AttributeError):
        raise UnreadableReport(texts.say("reports.incomplete", file=shown)) from None
    return needs(Ledger(records), dict.fromkeys(names))


@dataclass(frozen=True, kw_only=True)
class Missing:
    """What an identity was not allowed in a run. policies: their files or names. actions: action -> its calls."""

    identity: str
    policies: tuple[str, ...]
    actions: Mapping[str, tuple[str, ...]]


def missing_of(path: Path) -> list[Missing]:
    """What the findings of a report miss: HWP001, HWP007 and HWP008 of what is not allowed; by identity."""
    shown = os.path.relpath(path)
    report = _read(path, shown)
    try:
        denied: dict[str, dict[str, dict[str, None]]] = {}
        named = {(row["identity"], row["action"]) for row in report["findings"] if row["rule"] in _ALLOWABLE}
        for record in _records(report):
            for use in record.uses:
                if (use.identity, use.action) in named:
                    denied.setdefault(use.identity, {}).setdefault(use.action, {})[use.call] = None
        for identity, action in sorted(named):
            denied.setdefault(identity, {}).setdefault(action, {})
        held = {row["name"]: tuple(one["source"] for one in row["policies"]) for row in report["identities"]}
        return [
            Missing(
                identity=identity,
                policies=held.get(identity, ()),
                actions={action: tuple(calls) for action, calls in sorted(actions.items())},
            )
            for identity, actions in sorted(denied.items())
        ]
    except (KeyError, TypeError, AttributeError):
        raise UnreadableReport(texts.say("reports.incomplete", file=shown)) from None


_ALLOWABLE = ("HWP001", "HWP007", "HWP008", "HWP012")


def _read(path: Path, shown: str) -> Row:
    try:
        report: object = json.loads(read_text(path, most=_MOST))
    except UnusableFile as error:
        kind = "unusable" if exists(path) else "missing"
        raise UnreadableReport(texts.say(f"reports.{kind}", file=shown, reason=error)) from None
    except (ValueError, RecursionError):
        raise UnreadableReport(texts.say("reports.no-json", file=shown)) from None
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise UnreadableReport(texts.say("reports.foreign", file=shown))
    if report.get("version") != VERSION:
        values = {"found": repr(report.get("version")), "known": VERSION}
        raise UnreadableReport(texts.say("reports.version", file=shown, **values))
    return report


def _records(report: Row) -> Iterator[TestRecord]:
    for row in report["tests"]:
        yield TestRecord(
            nodeid=row["nodeid"],
            identity=row["identity"],
            outcome=row["outcome"],
            uses=[Use(**{name: use[name] for name in _USE}) for use in row["uses"]],
            declared=[_declared(one) for one in row["declared"]],
            unmapped=row["unmapped"],
            proof=row["proof"],
            fixtures=sorted({use["fixture"] for use in row["uses"]} - {""}),
        )


_USE = (
    *("identity", "action", "call", "phase", "fixture", "credential", "dependency", "resource", "verdict", "policy"),
    *("reason", "refused", "gate", "code", "expected", "injected"),
)


def _declared(row: Row) -> Declaration:
    actions, any_of, optional = (tuple(row[name]) for name in ("actions", "any_of", "optional"))
    return Declaration(kind=row["kind"], identity=row["identity"], actions=actions, any_of=any_of, optional=optional)
