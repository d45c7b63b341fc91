"""Annotations of GitHub Actions: one workflow command a finding, shown at its line of the pull request.

Format and escapes: GitHub, "Workflow commands for GitHub Actions", and actions/toolkit's `command`.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions.reports.overview import Mask, place
from pytest_hwcloud.rules import RULES

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.finding import Finding
    from pytest_hwcloud.permissions.ledger import Ledger

_TEXT = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A"})
_PROPERTY = str.maketrans({"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"})


def commands(ledger: Ledger, level: str = "error", mask: Mask | None = None, root: Path | None = None) -> list[str]:
    """One line for each open finding. level: error, warning or notice. root: what relative places are relative to."""
    base = os.path.abspath(root or ".")
    found = sorted(ledger.findings, key=lambda finding: (finding.rule, place(_where(finding, ledger)), finding.text()))
    return [
        _command(_level(finding, level), finding, _where(finding, ledger), base, mask)
        for finding in found
        if not finding.ignored
    ]


def _level(finding: Finding, level: str) -> str:
    return "notice" if RULES[finding.rule].level == "note" else level


def _where(finding: Finding, ledger: Ledger) -> str:
    record = ledger.records.get(finding.test)
    return finding.where or (record.place if record else "") or finding.test.partition("::")[0]


def _command(level: str, finding: Finding, where: str, base: str, mask: Mask | None) -> str:
    mask = mask or str
    file, line = place(where)
    given = {"file": _from_workspace(file, base), "line": str(line) if line else ""}
    title = {"title": f"{finding.rule} {finding.name}"}
    shown = ",".join(f"{key}={mask(value).translate(_PROPERTY)}" for key, value in (given | title).items() if value)
    return f"::{level} {shown}::{mask(_text(finding)).translate(_TEXT)}"


def _text(finding: Finding) -> str:
    """What is the matter in one line, of which test, and the fix: the log has the whole paragraph."""
    said = finding.head.removeprefix(f"{finding.rule} {finding.name}").strip()
    meaning = RULES[finding.rule].meaning_in("en")
    named = [part for part in (" ".join(said.split()), finding.test if finding.test not in said else "") if part]
    sentence = f"{' · '.join(named)}: {meaning}" if named else meaning
    return f"{sentence}. Fix: {finding.fix.splitlines()[0]}" if finding.fix else f"{sentence}."


def _from_workspace(file: str, base: str) -> str:
    """The file as the runner knows it: relative to the checkout, which may lie above pytest's rootdir."""
    workspace = os.environ.get("GITHUB_WORKSPACE")
    if not file or file.startswith("system:"):
        return ""
    path = os.path.join(base, file)
    if not workspace or not Path(path).is_relative_to(os.path.abspath(workspace)):
        return file
    return os.path.relpath(path, workspace).replace(os.sep, "/")
