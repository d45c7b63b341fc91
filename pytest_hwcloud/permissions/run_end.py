"""The end of a run on the controller: findings about policies and shared markers, lock, reports, the exit status."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import texts

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.checks import Checks


def settle(checks: Checks, exitstatus: int) -> None:
    """Fill the ledger's run findings, run lock and reports, and give the reason if the run fails."""
    if checks.config.getoption("collectonly", False) or exitstatus == pytest.ExitCode.USAGE_ERROR:
        return
    if checks.judging:
        from pytest_hwcloud.permissions.rules import implicit_calls
        from pytest_hwcloud.permissions.rules.judge import judge_policies
        from pytest_hwcloud.permissions.rules.shared_markers import late_findings

        state, root = checks.run.state, checks.config.rootpath
        checks.ledger.run_findings += late_findings(checks.ledger, state, root)
        checks.ledger.run_findings += judge_policies(state, root)
        checks.ledger.run_findings += implicit_calls.findings(checks.ledger)
    _proof(checks)
    _lock(checks)
    _reports(checks)
    if checks.judging:
        from pytest_hwcloud.permissions.rules import unjudged_calls

        checks.lines += _ignored(checks)
        checks.lines += unjudged_calls.count(checks.ledger.calls)
        checks.errors += [texts.say("run.error", problem=line) for line in checks.ledger.expired]
    if checks.settings.permissions == "enforce" and exitstatus in (0, 1):
        checks.verdict = _verdict(checks)
        checks.errors += checks.verdict


def _proof(checks: Checks) -> None:
    if checks.settings.prove != "off":
        from pytest_hwcloud.permissions.proof import results

        records = (record for _, record in sorted(checks.ledger.records.items()))
        checks.lines += results.lines(records, checks.settings.mode)


def _lock(checks: Checks) -> None:
    settings, ledger, state = checks.settings, checks.ledger, checks.run.state
    if settings.lock == "off":
        return
    from pytest_hwcloud.permissions.lock import accepting, lockfile
    from pytest_hwcloud.permissions.lock.model import LockError

    try:
        if settings.lock == "check":
            accept = accepting.command(checks.config)
            ledger.run_findings += lockfile.check(ledger, state, settings, accept, checks.lines)
        else:
            named = accepting.named_identities(checks.config)
            checks.lines += lockfile.update(ledger, state, settings, named).split("\n")
    except accepting.Refused as error:
        checks.refused = True
        checks.errors += [texts.say("run.error", problem=line) for line in str(error).split("\n")]
    except (LockError, OSError) as error:
        checks.errors.append(texts.say("run.error", problem=accepting.repeated(_said(error), checks.config)))


def _reports(checks: Checks) -> None:
    if not checks.settings.reports and not os.environ.get("GITHUB_ACTIONS"):
        return
    from pytest_hwcloud.permissions import reports

    mask = checks.run.secrets.masked
    try:
        checks.lines += reports.write_reports(checks.settings, checks.ledger, checks.run.state, mask)
    except OSError as error:
        checks.errors += [texts.say("run.error", problem=line) for line in _said(error).splitlines()]
    if os.environ.get("GITHUB_ACTIONS"):
        level = "error" if checks.settings.permissions == "enforce" else "warning"
        checks.lines += reports.annotations(checks.ledger, level, mask=mask, root=checks.settings.root)


def _said(error: Exception) -> str:
    if isinstance(error, OSError) and error.filename:
        return texts.say("lock.unwritable", file=os.path.relpath(error.filename), reason=error.strerror)
    return str(error)


def _ignored(checks: Checks) -> list[str]:
    hidden = [finding.rule for finding in checks.ledger.findings if finding.ignored]
    if not hidden:
        return []
    file, rules = os.path.relpath(checks.settings.config_file), ", ".join(sorted(set(hidden)))
    return [texts.say("permissions.ignored", n=len(hidden), rules=rules, file=file)]


def _verdict(checks: Checks) -> list[str]:
    found = checks.ledger.failing
    if not found:
        return []
    rules = ", ".join(sorted({finding.rule for finding in found}))
    return [texts.say("permissions.exit-status", n=len(found), rules=rules)]
