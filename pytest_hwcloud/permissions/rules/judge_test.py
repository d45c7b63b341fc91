"""The findings of one test, from its record."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.rules import by_gate, by_marker, by_policy, unjudged_calls

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.permissions.record import TestRecord

# Within a paragraph the findings stand in this order (display).
ORDER = ("HWP001", "HWP015", "HWP003", "HWP002")


def judge(record: TestRecord, state: CloudState, root: Path | None = None) -> list[Finding]:
    """Everything that is wrong with the permissions of a test. root: where the test files are, for lines of markers."""
    where = root or Path()
    found = [
        *by_marker.judge(record, state, where),
        *by_policy.judge(record, state, where),
        *by_gate.judge(record),
        *unjudged_calls.judge(record),
    ]
    return sorted(found, key=_order)


def _order(finding: Finding) -> tuple[int, str]:
    return (ORDER.index(finding.rule) if finding.rule in ORDER else len(ORDER), finding.rule)
