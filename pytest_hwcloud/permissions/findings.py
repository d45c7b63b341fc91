"""The findings of one test, from its record (contract section 11)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions import rules_declared, rules_gates, rules_policy
from pytest_hwcloud.permissions.finding import Finding

if TYPE_CHECKING:
    from pytest_hwcloud.gates.state import CloudState
    from pytest_hwcloud.permissions.record import TestRecord

# Within a paragraph the findings stand in this order (display).
ORDER = ("HWP001", "HWP015", "HWP003", "HWP002")


def judge(record: TestRecord, state: CloudState, root: Path | None = None) -> list[Finding]:
    """Everything that is wrong with the permissions of a test. root: where the test files are, for lines of markers."""
    where = root or Path()
    found = [
        *rules_declared.judge(record, state, where),
        *rules_policy.judge(record, state, where),
        *rules_gates.judge(record),
    ]
    return sorted(found, key=_order)


def _order(finding: Finding) -> tuple[int, str]:
    return (ORDER.index(finding.rule) if finding.rule in ORDER else len(ORDER), finding.rule)
