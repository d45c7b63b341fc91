"""What the permission checks of a run hold, and how they judge one test: its record, its findings, `enforce`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any

import pytest

from pytest_hwcloud.options import MARKED
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.ledger import Ledger, Selection
from pytest_hwcloud.permissions.record import TestRecord, Use
from pytest_hwcloud.permissions.refusals import Watch

if TYPE_CHECKING:
    from pytest_hwcloud.journal import Journal
    from pytest_hwcloud.permissions.proof.plan import Waiting
    from pytest_hwcloud.permissions.running import Run

MARKS = ("requires_permission", "denied_permission")
CHECKED = pytest.StashKey["Checked"]()


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


class Checks:
    """The checks of a run: one object in each process."""

    def __init__(self, run: Run) -> None:
        self.run, self.settings, self.config = run, run.settings, run.config
        self.worker = hasattr(run.config, "workerinput")
        self.selection = Selection(run.config)
        self.ledger = Ledger(ignores=run.configuration.ignores)
        self.fixture_uses: dict[str, list[Use]] = {}  # of wider fixtures, which later tests find ready
        self.waiting: list[Waiting] = []  # tests with calls of wider fixtures, which are proved at the end
        self.late: list[dict[str, Any]] = []  # what was proved of them, here or on workers
        self.lines: list[str] = []  # for the summary: the lines of lock and reports
        self.refused = False  # an update of the lock that would have lost something
        self.verdict: list[str] = []  # of these the line that counts the findings
        self.errors: list[str] = []  # why the run failed although every test passed

    # one test

    @property
    def judging(self) -> bool:
        """Whether findings count at all."""
        return self.settings.permissions != "off"

    @property
    def under_policy(self) -> bool:
        """Whether policies judge the calls of this run."""
        return self.settings.mode == "replay" and bool(self.run.state.rights)

    @property
    def recording(self) -> bool:
        """Whether every cloud test has a record, with or without markers and policies."""
        return bool(self.settings.reports) or self.settings.lock != "off" or self.settings.prove != "off"

    def wants(self, item: pytest.Item) -> bool:
        """Whether there is anything to do for this test."""
        if self.recording:
            return True
        return self.judging and (bool(self.run.state.rights) or any(m.name in MARKS for m in item.stash[MARKED]))

    @contextmanager
    def watching(self, item: pytest.Item, journal: Journal) -> Iterator[None]:
        """While this test runs, the circumstances of its refused calls are noted."""
        watch = Watch(journal) if self.wants(item) else None
        item.stash[CHECKED] = Checked(journal, watch)
        try:
            with watch.listening() if watch else nullcontext():
                yield
        finally:
            if self.settings.prove == "off" and CHECKED in item.stash:  # what counts is in the ledger by now
                del item.stash[CHECKED]

    def watches(self, item: pytest.Item) -> bool:
        """Whether this test is looked at as it is to be."""
        checked = item.stash.get(CHECKED, None)
        return checked is not None and (checked.watch is not None or not self.wants(item))

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
        from pytest_hwcloud.permissions.observe import Surroundings, observe
        from pytest_hwcloud.permissions.rules.shared_markers import waits

        seen = Surroundings(state=self.run.state, fixture_uses=self.fixture_uses, under_policy=self.under_policy)
        record = observe(item, checked.journal, outcome, seen, checked.watch)
        record.waits = waits(item, self.fixture_uses)
        if record.refusals:
            from pytest_hwcloud.permissions.rules import negative_tests

            negative_tests.mark(record, item)
        for row in record.refusals:
            row["message"] = self.run.secrets.masked(row["message"])
        if self.judging and checked.watch:
            from pytest_hwcloud.permissions.rules.judge import judge

            found = judge(record, self.run.state, self.config.rootpath)
            if record.refusals:
                found += negative_tests.judge(record, item, self.run.claims)
            record.findings = [finding.to_dict() for finding in found]
        return record

    def after_call(self, item: pytest.Item) -> None:
        """The test function came back without an error: under `enforce` its findings fail the test."""
        if not getattr(item, "_excinfo", None):  # unittest keeps its failures there
            item.stash[CHECKED].outcome = "passed"
            self._enforce(item, ending=False)

    def after_teardown(self, item: pytest.Item) -> None:
        """The fixtures cleaned up: what is only known now fails the test as an error of its teardown."""
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
            failed = pytest.fail.Exception(display.failure(item.nodeid, fresh, self.settings.lang), pytrace=False)
            failed.hwcloud_news = display.news(fresh, self.settings.lang)  # type: ignore[attr-defined]
            raise failed

    def _unignored(self, item: pytest.Item, ending: bool) -> list[Finding]:
        from pytest_hwcloud.permissions.rules.shared_markers import may_still_call

        record = self.record(item)
        waiting = not ending and may_still_call(item, item.stash[CHECKED].journal)
        found = Ledger([record], ignores=self.ledger.ignores).open
        return [finding for finding in found if not (waiting and finding.rule == "HWP003")]
