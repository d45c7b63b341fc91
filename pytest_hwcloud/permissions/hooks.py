"""The permission checks of a run as a pytest plugin: observe and judge each test, ship its record, sum up at the end.

A worker (or the only process) judges; the controller (or the only process) holds the ledger, prints and writes.
"""

from __future__ import annotations

from collections.abc import Generator
from functools import cached_property
from typing import TYPE_CHECKING, Any

import pytest

from pytest_hwcloud.permissions.checks import CHECKED, Checks
from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.record import TestRecord

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.proof.results import Progress


class PermissionChecks(Checks):
    """The hooks; a run that has nothing to be checked is without them."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[object]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        checked = item.stash.get(CHECKED, None)
        if checked is not None:
            checked.outcome = _outcome(checked.outcome, report)
            if report.failed and not checked.told and checked.watch and self.settings.permissions == "enforce":
                self._add_section(item, report)
            if report.when == "teardown" and checked.matters:
                self._hand_in(item, report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        if self.settings.prove == "off" or CHECKED not in item.stash:
            return None
        from pytest_hwcloud.permissions.proof.protocol import protocol

        return protocol(self, item, nextitem)

    def _add_section(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """A test that failed by itself shows its findings below its failure."""
        from pytest_hwcloud.permissions import display

        found = Ledger([self.record(item)], ignores=self.ledger.ignores).open
        if found:
            lang = self.settings.lang
            text = "\n\n".join(display.paragraph(block, lang=lang) for block in display.blocks(found))
            report.sections.append((display.title(lang), text))

    def _hand_in(self, item: pytest.Item, report: pytest.TestReport) -> None:
        """On a worker the record travels with the report; a proof still adds to it."""
        record = self.record(item)
        if self.settings.prove != "off":
            from pytest_hwcloud.permissions.proof.protocol import leave_open

            leave_open(self, item, record)
        if self.judging:
            from pytest_hwcloud.permissions.junit import add_properties

            add_properties(report, Ledger([record], ignores=self.ledger.ignores).findings)
        if self.worker or self.settings.prove != "off":
            report.hwcloud = record.to_dict()  # type: ignore[attr-defined]
        else:
            self.ledger.add(record)

    # the whole run

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "teardown":
            self.selection.ended.add(report.nodeid)
        sent: dict[str, Any] | None = getattr(report, "hwcloud", None)
        if sent is not None and not self.worker:
            self.ledger.add(TestRecord.from_dict(sent))
            if self.settings.prove != "off":
                self._progress.add(sent["proof"])

    @cached_property
    def _progress(self) -> Progress:
        from pytest_hwcloud.permissions.proof.results import Progress

        return Progress(self.config.pluginmanager.get_plugin("terminalreporter"))

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        before = [item.nodeid for item in items]
        yield
        self.selection.modified(before, [item.nodeid for item in items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:
        sent = getattr(node, "workeroutput", {}).get("hwcloud")
        if sent is not None or error is not None:
            self.late += (sent or {}).get("late", ())
            self.selection.merge(None if error is not None else sent)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
        if self.waiting:
            from pytest_hwcloud.permissions.proof import wider

            proofs = wider.prove_waiting(self.run, self.waiting, session)
            self.late = wider.sent(proofs, judging=self.judging)
            self.run.leave()
        if self.worker:
            output = {**self.selection.to_dict(), "late": self.late}
            session.config.workeroutput["hwcloud"] = output  # type: ignore[attr-defined]
        else:
            self._finish(session, exitstatus)
        yield
        if self.errors:
            _write_last(session.config, self.errors)

    def _finish(self, session: pytest.Session, exitstatus: int) -> None:
        from pytest_hwcloud.permissions import run_end

        if self.late:
            from pytest_hwcloud.permissions.proof import wider

            wider.received(self.ledger.records, self.late)
        self.ledger.collected = self.selection.collected or set(self.ledger.records)
        self.ledger.deselected = self.selection.deselected
        self.ledger.complete = self.selection.complete(int(exitstatus))
        self.ledger.roots = self.selection.roots()
        run_end.settle(self, int(exitstatus))
        if self.judging:
            from pytest_hwcloud.permissions.junit import add_late_properties

            add_late_properties(self)
        if self.errors:
            from pytest_hwcloud.permissions.junit import add_case

            add_case(self)
        if self.refused:
            session.exitstatus = pytest.ExitCode.USAGE_ERROR
        elif self.errors and int(exitstatus) == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        from pytest_hwcloud.permissions import display

        above = _failures(terminalreporter) if self.settings.permissions == "enforce" else {}
        paragraphs = display.summary(self.ledger.open, self.settings.lang, above) if self.judging else []
        if paragraphs or self.lines:
            from pytest_hwcloud.texts import terminal

            width = terminalreporter.config.get_terminal_writer().fullwidth
            terminal.section(terminalreporter, display.title(self.settings.lang), width)
            for index, text in enumerate([*paragraphs, *(["\n".join(self.lines)] if self.lines else [])]):
                terminal.write(terminalreporter, ("\n" if index else "") + text, width)


def _failures(reporter: pytest.TerminalReporter) -> dict[str, str]:
    """Node ids of the failed tests, and what the terminal showed of each."""
    if reporter.config.getoption("tbstyle", "auto") in ("no", "line"):
        return {}
    shown: dict[str, str] = {}
    for report in (*reporter.getreports("failed"), *reporter.getreports("error")):
        parts = [report.longreprtext, *(text for _, text in report.sections)]
        shown[report.nodeid] = "\n".join([shown.get(report.nodeid, ""), *parts])
    return shown


def _outcome(before: str, report: pytest.TestReport) -> str:
    """passed, failed, skipped, xfailed or error: that of the call, unless setup or teardown spoilt it."""
    if hasattr(report, "wasxfail"):
        return "xfailed" if report.skipped else report.outcome
    if report.when == "call" or (report.when == "setup" and not report.passed):
        return {"failed": "failed" if report.when == "call" else "error"}.get(report.outcome, report.outcome)
    return "error" if report.failed and before in ("", "passed") else before


def _write_last(config: pytest.Config, lines: list[str]) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        for line in lines:
            reporter.write_line(line, red=True)
