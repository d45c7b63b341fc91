"""A test with its proof: the ordinary protocol, but the proof runs before its wider fixtures are torn down.

Setup and call are reported as they end, so that `-x` is obeyed. The teardown is in two parts with the proof between
them, and one report: down to the parent of the test, so that each rerun sets up its function fixtures again; and
to what the next test needs.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import call_and_report, check_interactive_exception

from pytest_hwcloud import texts
from pytest_hwcloud.permissions.checks import CHECKED, Checked, Checks
from pytest_hwcloud.permissions.junit import add_properties
from pytest_hwcloud.permissions.proof.plan import Plan, Waiting, is_proved
from pytest_hwcloud.permissions.proof.proof import Proof, prove
from pytest_hwcloud.permissions.proof.verdict import INCONCLUSIVE
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.lock.model import Lock
    from pytest_hwcloud.permissions.record import TestRecord
    from pytest_hwcloud.permissions.running import Run

# Options that show or stop at each run of a test: a rerun would be seen.
_SEEN = ("setuponly", "setupshow", "setupplan", "trace")
_LOCK = pytest.StashKey["Lock | None"]()


def protocol(checks: Checks, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
    """Run the test, prove its permissions if it passes, and report it once. None: tests of this run are not proved."""
    if not _proves(checks, item) or _others_rerun(item):
        return None
    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    if not getattr(item, "_request", True):
        item._initrequest()  # type: ignore[attr-defined]
    try:
        _phases(checks, item, nextitem)
    finally:
        if hasattr(item, "_request"):
            item._request, item.funcargs = False, None  # type: ignore[attr-defined]
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
    return True


def _proves(checks: Checks, item: pytest.Item) -> bool:
    return checks.settings.mode == "replay" and not any(item.config.getoption(name, None) for name in _SEEN)


def _others_rerun(item: pytest.Item) -> bool:
    """Whether pytest-rerunfailures runs this test, with its own protocol."""
    count = getattr(item.config.pluginmanager.get_plugin("rerunfailures"), "get_reruns_count", None)
    return bool(count is not None and count(item))


def leave_open(checks: Checks, item: pytest.Item, record: TestRecord) -> None:
    """A test that passed in the hands of another plugin has no verdict."""
    if record.outcome != "passed" or not _proves(checks, item) or not _others_rerun(item):
        return
    plan, lock = Plan(record), _lock(item.config, checks.run)
    if lock is None or not is_proved(record, plan, lock):
        record.proof = dict.fromkeys(plan.actions, INCONCLUSIVE)
        record.doubts = dict.fromkeys(plan.actions, Phrase("proof.rerunfailures"))


def _phases(checks: Checks, item: pytest.Item, nextitem: pytest.Item | None) -> None:
    passed = call_and_report(item, "setup").passed and _is_plain_pass(call_and_report(item, "call"))
    if item.session.shouldfail or item.session.shouldstop:
        call_and_report(item, "teardown", nextitem=None)
    elif passed:
        _Ending(checks, item).run(nextitem)
    else:
        call_and_report(item, "teardown", nextitem=nextitem)


def _is_plain_pass(report: pytest.TestReport) -> bool:
    return report.passed and not hasattr(report, "wasxfail")


class _Ending:
    """The end of a test that passed: its own teardown, the proof, the teardown of wider fixtures, the report."""

    def __init__(self, checks: Checks, item: pytest.Item) -> None:
        self.checks, self.item, self.checked = checks, item, item.stash[CHECKED]

    def run(self, nextitem: pytest.Item | None) -> None:
        """All of it. A test that fails in its own teardown is not proved."""
        own = self._own()
        proof = self._prove() if own.excinfo is None else Proof()
        if proof.borrowed:
            record = self.checks.record(self.item)
            self.checks.waiting.append(Waiting(item=self.item, record=record, borrowed=proof.borrowed))
        call = self._with_wider(own, nextitem)
        report = self.item.ihook.pytest_runtest_makereport(item=self.item, call=call)
        _attach(report, proof, judging=self.checks.judging)
        self.item.ihook.pytest_runtest_logreport(report=report)
        if check_interactive_exception(call, report):
            self.item.ihook.pytest_exception_interact(node=self.item, call=call, report=report)

    def _own(self) -> pytest.CallInfo[None]:
        hook = self.item.ihook.pytest_runtest_teardown
        return self._timed(lambda: hook(item=self.item, nextitem=self.item.parent))

    def _prove(self) -> Proof:
        item, run, checked = self.item, self.checks.run, self.checked
        record, exchanges = self.checks.record(item), list(checked.journal.exchanges)
        item.stash[CHECKED] = Checked(checked.journal, None)  # a rerun is not judged
        try:
            return prove(item, run, record, exchanges, _lock(item.config, run))
        finally:
            item.stash[CHECKED] = checked

    def _with_wider(self, own: pytest.CallInfo[None], nextitem: pytest.Item | None) -> pytest.CallInfo[None]:
        state, needed = self.item.session._setupstate, nextitem.listchain() if nextitem else []
        if list(state.stack) == needed[: len(state.stack)]:
            return own

        def teardown() -> None:
            with self.checks.run.tearing_down(self.item), _captured(self.item):
                state.teardown_exact(nextitem)

        return _joined(own, self._timed(teardown))

    def _timed(self, phase: Callable[[], None]) -> pytest.CallInfo[None]:
        ends = [pytest.exit.Exception, *([] if self.item.config.getoption("usepdb") else [KeyboardInterrupt])]
        return pytest.CallInfo.from_call(phase, when="teardown", reraise=tuple(ends))


def _joined(own: pytest.CallInfo[None], wider: pytest.CallInfo[None]) -> pytest.CallInfo[None]:
    """Two teardowns as one, without the time between them."""
    excinfo = own.excinfo or wider.excinfo
    if own.excinfo is not None and wider.excinfo is not None:
        excinfo = _group(own.excinfo.value, wider.excinfo.value)
    return pytest.CallInfo(
        result=None,
        excinfo=excinfo,
        start=own.start,
        stop=own.start + own.duration + wider.duration,
        duration=own.duration + wider.duration,
        when="teardown",
        _ispytest=True,
    )


def _group(*errors: BaseException) -> pytest.ExceptionInfo[BaseException]:
    try:
        raise BaseExceptionGroup("errors during test teardown", errors)
    except BaseExceptionGroup:
        return pytest.ExceptionInfo.from_current()


def _captured(item: pytest.Item) -> AbstractContextManager[None]:
    manager = item.config.pluginmanager.getplugin("capturemanager")
    return manager.item_capture("teardown", item) if manager is not None else nullcontext()


def _attach(report: pytest.TestReport, proof: Proof, *, judging: bool) -> None:
    record: dict[str, Any] | None = getattr(report, "hwcloud", None)
    if record is not None:
        record |= {"proof": proof.verdicts, "doubts": texts.plain(proof.doubts)}
        found = proof.findings if judging else []
        record["findings"] += [finding.to_dict() for finding in found]
        add_properties(report, found)


def _lock(config: pytest.Config, run: Run) -> Lock | None:
    """The lock that `changed` compares with, read once; None if there is none that can be used, or all is proved."""
    if run.settings.prove != "changed":
        return None
    if _LOCK not in config.stash:
        from pytest_hwcloud.permissions.lock import lockfile
        from pytest_hwcloud.permissions.lock.model import LockError

        try:
            config.stash[_LOCK] = lockfile.read(run.settings.lockfile)
        except LockError:
            config.stash[_LOCK] = None  # its errors are reported by --hwcloud-lock
    return config.stash[_LOCK]
