"""The permission checks of a run as a pytest plugin: observe and judge each test, ship its record, sum up at the end.

A worker (or the only process) judges; the controller (or the only process) holds the ledger, prints and writes.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator, Mapping
from contextlib import contextmanager, nullcontext
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol

import pytest

from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.record import TestRecord, Use
from pytest_hwcloud.permissions.refusal_watch import Watch
from pytest_hwcloud.permissions.selection import Selection

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.journal import Journal
    from pytest_hwcloud.options import Settings
    from pytest_hwcloud.permissions.ledger import Ignored
    from pytest_hwcloud.permissions.proof.results import Progress

MARKS = ("requires_permission", "denied_permission")
CHECKED = pytest.StashKey["Checked"]()


class Configuration(Protocol):
    """What hwcloud.yaml says, as far as the checks need it."""

    @property
    def ignores(self) -> tuple[Ignored, ...]: ...


class Masking(Protocol):
    """What knows the secrets of the run."""

    def masked(self, text: str) -> str: ...


class Run(Protocol):
    """The run that the checks belong to."""

    config: pytest.Config
    settings: Settings
    state: CloudState

    def claims(self, item: pytest.Item) -> Mapping[str, Mapping[str, object]]: ...

    @property
    def configuration(self) -> Configuration: ...

    @property
    def secrets(self) -> Masking: ...


class Checked:
    """What is known of one test while it runs."""

    def __init__(self, journal: Journal, watch: Watch | None) -> None:
        self.journal, self.watch = journal, watch
        self.outcome = ""
        self.told: set[str] = set()  # fingerprints of the findings that failed the test
        self.last: tuple[tuple[int, str], TestRecord] | None = None  # the record as it was, and of how many calls

    @property
    def matters(self) -> bool:
        """Whether it needs a record: itself, or for a wider fixture that other tests have too."""
        return self.watch is not None or any(exchange.fixture for exchange in self.journal.exchanges)


class PermissionChecks:
    """The hooks. One object in each process of a run."""

    def __init__(self, run: Run) -> None:
        self.run, self.settings, self.config = run, run.settings, run.config
        self.worker = hasattr(run.config, "workerinput")
        self.selection = Selection(run.config)
        self.ledger = Ledger(ignores=run.configuration.ignores)
        self.fixture_uses: dict[str, list[Use]] = {}  # of wider fixtures, which later tests find ready
        self.lines: list[str] = []  # for the summary: what lock and reports say
        self.errors: list[str] = []  # why the run failed although every test passed

    # one test

    @property
    def judging(self) -> bool:
        """Whether findings count at all."""
        return self.settings.permissions != "off"

    @property
    def recording(self) -> bool:
        """Whether every cloud test has a record, with or without markers and policies."""
        return bool(self.settings.reports) or self.settings.lock != "off" or self.settings.prove != "off"

    def wants(self, item: pytest.Item) -> bool:
        """Whether there is anything to do for this test."""
        if self.recording:
            return True
        return self.judging and (bool(self.run.state.rights) or any(m.name in MARKS for m in item.iter_markers()))

    @contextmanager
    def watching(self, item: pytest.Item, journal: Journal) -> Iterator[None]:
        """While this test runs, the circumstances of its refused calls are noted."""
        watch = Watch(journal) if self.wants(item) else None
        item.stash[CHECKED] = Checked(journal, watch)
        with watch.listening() if watch else nullcontext():
            yield

    def record(self, item: pytest.Item) -> TestRecord:
        """The record of a test as far as it has come, judged."""
        checked = item.stash[CHECKED]
        outcome = "passed" if checked.told else checked.outcome  # a test that its findings failed is judged as it was
        key = (len(checked.journal.exchanges), outcome)
        if checked.last is None or checked.last[0] != key:
            checked.last = key, self._judged(item, checked, outcome)
        record = checked.last[1]
        record.outcome = checked.outcome
        return record

    def _judged(self, item: pytest.Item, checked: Checked, outcome: str) -> TestRecord:
        from pytest_hwcloud.permissions.observe import observe
        from pytest_hwcloud.permissions.rules.shared_markers import waits

        record = observe(item, checked.journal, self.run.state, outcome, watch=checked.watch, shared=self.fixture_uses)
        record.waits = waits(item, self.fixture_uses)
        if record.refusals:
            from pytest_hwcloud.permissions.rules import negative_tests

            negative_tests.mark(record, item)
        for row in record.refusals:
            row["message"] = self.run.secrets.masked(row["message"])
        if self.judging and checked.watch:
            from pytest_hwcloud.permissions.rules.judge_test import judge

            found = judge(record, self.run.state, self.config.rootpath)
            if record.refusals:
                from pytest_hwcloud.permissions.rules import refusal_in_cassette

                found += refusal_in_cassette.judge(record, item, self.run.claims)
            record.findings = [finding.to_dict() for finding in found]
        return record

    def after_call(self, item: pytest.Item) -> None:
        """The test function came back without an error: under `enforce` its findings fail the test."""
        if not getattr(item, "_excinfo", None):  # unittest keeps its failures there
            item.stash[CHECKED].outcome = "passed"
            self._enforce(item, ending=False)

    def after_teardown(self, item: pytest.Item) -> None:
        """The fixtures cleaned up: what only now can be said fails the test as an error of its teardown."""
        if item.stash[CHECKED].outcome == "passed":
            self._enforce(item, ending=True)

    def _enforce(self, item: pytest.Item, *, ending: bool) -> None:
        if self.settings.permissions != "enforce" or item.stash[CHECKED].watch is None:
            return
        from pytest_hwcloud.permissions import display

        found = self._unignored(item, ending)
        told = item.stash[CHECKED].told
        fresh = [finding for finding in found if finding.fingerprint not in told]
        if fresh:
            told |= {finding.fingerprint for finding in fresh}
            pytest.fail(display.failure(item.nodeid, fresh, self.settings.lang), pytrace=False)

    def _unignored(self, item: pytest.Item, ending: bool) -> list[Finding]:
        from pytest_hwcloud.permissions.rules.shared_markers import may_still_call

        record = self.record(item)
        waiting = not ending and may_still_call(item, item.stash[CHECKED].journal)
        found = Ledger([record], ignores=self.ledger.ignores).open
        return [finding for finding in found if not (waiting and finding.rule == "HWP003")]

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
        if self.worker or self.settings.prove != "off":
            report.hwcloud = record.to_dict()  # type: ignore[attr-defined]
        else:
            self.ledger.add(record)

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_protocol(self, item: pytest.Item, nextitem: pytest.Item | None) -> bool | None:
        if self.settings.prove == "off" or CHECKED not in item.stash:
            return None
        from pytest_hwcloud.permissions.proof.protocol import protocol

        return protocol(self, item, nextitem)

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

        return Progress(self.config.pluginmanager.get_plugin("terminalreporter"), lang=self.settings.lang)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> Generator[None, None, None]:
        before = [item.nodeid for item in items]
        yield
        self.selection.modified(before, [item.nodeid for item in items])

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object, error: object) -> None:
        sent = getattr(node, "workeroutput", {}).get("hwcloud")
        if sent is not None or error is not None:
            self.selection.merge(None if error is not None else sent)

    @pytest.hookimpl(wrapper=True, tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
        if self.worker:
            session.config.workeroutput["hwcloud"] = self.selection.to_dict()  # type: ignore[attr-defined]
        else:
            self._finish(session, exitstatus)
        yield
        if self.errors:
            _write_last(session.config, self.errors)

    def _finish(self, session: pytest.Session, exitstatus: int) -> None:
        from pytest_hwcloud.permissions import run_end as ending

        self.ledger.collected = self.selection.collected or set(self.ledger.records)
        self.ledger.deselected = self.selection.deselected
        self.ledger.complete = self.selection.complete(int(exitstatus))
        self.ledger.roots = self.selection.roots()
        ending.settle(self, int(exitstatus))
        if self.errors and int(exitstatus) == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        from pytest_hwcloud.permissions import display

        paragraphs = display.summary(self.ledger.open, self.settings.lang) if self.judging else []
        if paragraphs or self.lines:
            terminalreporter.write_sep("=", display.title(self.settings.lang), bold=True)
            for index, text in enumerate([*paragraphs, *(["\n".join(self.lines)] if self.lines else [])]):
                terminalreporter.write_line(("\n" if index else "") + text)


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
