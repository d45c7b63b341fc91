"""A json report read back: what a run needed, as a lock that was never written to a file."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.lock.from_run import needs
from pytest_hwcloud.permissions.lock.model import Lock
from pytest_hwcloud.permissions.record import Declaration, TestRecord, Use
from pytest_hwcloud.permissions.reports.json_report import FORMAT, VERSION

_MAKE = "make it: pytest --hwcloud-report=json:{}"
Row = Mapping[str, Any]


class UnreadableReport(ValueError):
    """The file is no report of ours, or of another version; the text says which file and what to do."""


def lock_of(path: Path) -> Lock:
    """The needs of the run that a report tells of."""
    shown = os.path.relpath(path)
    report = _read(path, shown)
    try:
        records = list(_records(report))
        names = [row["name"] for row in report["identities"]]
    except (KeyError, TypeError, AttributeError):
        raise UnreadableReport(f"{shown}: parts of the report are missing; {_MAKE.format(shown)}") from None
    return needs(Ledger(records), dict.fromkeys(names))


def _read(path: Path, shown: str) -> Row:
    make = _MAKE.format(shown)
    try:
        report: object = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise UnreadableReport(f"{shown}: no such file; {make}") from None
    except OSError as error:
        raise UnreadableReport(f"{shown}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError):
        raise UnreadableReport(f"{shown}: not a json report; {make}") from None
    if not isinstance(report, dict) or report.get("format") != FORMAT:
        raise UnreadableReport(f"{shown}: not a json report of pytest-hwcloud; {make}")
    if report.get("version") != VERSION:
        raise UnreadableReport(f"{shown}: version {report.get('version')!r} of the report, not {VERSION}; {make}")
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
