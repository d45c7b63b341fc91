"""What the controller knows at the end of a run: the record of every test, which tests were to run, and all findings.

Only a run in which all of them did may report that something is gone (`Selection.complete`).
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import InitVar, dataclass, field, fields, replace
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from operator import attrgetter
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.record import TestRecord, Use
from pytest_hwcloud.rules import RULES

if TYPE_CHECKING:
    from pytest_hwcloud.config import Ignore


@dataclass(kw_only=True)
class Ledger:
    """The records of a run.

    given: the records that are known already. collected: node ids of the tests that were to run. deselected: those that
    were left out. complete: a full green run, nothing left out, no test without its end. roots: the files and folders
    that were collected, relative to the rootdir, "" for all. run_findings: findings about policies, and about markers
    of classes and modules. today: YYYY-MM-DD.
    """

    given: InitVar[Iterable[TestRecord] | Mapping[str, TestRecord]] = field(default=(), kw_only=False)
    records: dict[str, TestRecord] = field(init=False)
    collected: Collection[str] = ()
    deselected: Collection[str] = ()
    complete: bool = False
    roots: Iterable[str] = ("",)
    run_findings: list[Finding] = field(default_factory=list)
    ignores: Sequence[Ignore] = ()
    today: str = ""
    _attributed: list[tuple[TestRecord, Use]] | None = field(default=None, init=False, repr=False)

    def __post_init__(self, given: Iterable[TestRecord] | Mapping[str, TestRecord]) -> None:
        every = given.values() if isinstance(given, Mapping) else given
        self.records = {record.nodeid: record for record in every}
        self.collected = set(self.collected) or set(self.records)
        self.deselected = set(self.deselected)
        self.roots = tuple(self.roots)
        self.run_findings = list(self.run_findings)
        self.today = self.today or datetime.now(UTC).date().isoformat()

    def add(self, record: TestRecord) -> None:
        """Take in the record of one test; of a test that ran again the last counts."""
        self.records[record.nodeid] = record
        self._attributed = None

    def covers(self, nodeid: str) -> bool:
        """Whether this run would have run the test if it still existed: what is not there then is gone."""
        file = nodeid.partition("::")[0]
        return self.complete and any(root in ("", ".", file) or file.startswith(f"{root}/") for root in self.roots)

    def attributed(self) -> list[tuple[TestRecord, Use]]:
        """Every use with its test, by node id; the calls of a wider fixture belong to every test that has it.

        Summed once: rules, lock and reports ask when all tests are over.
        """
        if self._attributed is None:
            self._attributed = list(self._pairs())
        return self._attributed

    def _pairs(self) -> Iterator[tuple[TestRecord, Use]]:
        shared: dict[str, list[Use]] = {}
        for record in self.records.values():
            for use in record.uses:
                if use.fixture:
                    shared.setdefault(use.fixture, []).append(use)
        for _, record in sorted(self.records.items()):
            own = [use for use in record.uses if not use.fixture]
            borrowed = [use for name in sorted(set(record.fixtures)) for use in shared.get(name, ())]
            yield from ((record, use) for use in once((*own, *borrowed)))

    def uses(self, nodeid: str) -> list[Use]:
        """The uses of one test, those of its wider fixtures included."""
        return [use for record, use in self.attributed() if record.nodeid == nodeid]

    @property
    def findings(self) -> list[Finding]:
        """All findings, tests by node id, then those of the run; those that are ignored have the reason."""
        found = [Finding.from_dict(row) for _, record in sorted(self.records.items()) for row in record.findings]
        return [self._ignored(finding) for finding in (*found, *self.run_findings)]

    @property
    def open(self) -> list[Finding]:
        """The findings that no ignore covers."""
        return [finding for finding in self.findings if not finding.ignored]

    @property
    def failing(self) -> list[Finding]:
        """Those of them that fail a run under `enforce`."""
        return [finding for finding in self.open if RULES[finding.rule].level != "note"]

    @property
    def calls(self) -> dict[str, int]:
        """How the calls of all tests were judged -> how many (`rules.unjudged_calls`); empty without a policy."""
        found: Counter[str] = Counter()
        for record in self.records.values():
            found.update(record.calls)
        return dict(found)

    @property
    def expired(self) -> list[str]:
        """One line for each ignore whose date has passed: an error, whatever it covered."""
        return [
            texts.say(
                "permissions.ignore-ended",
                place=ignore.place,
                rule=ignore.rule,
                match=repr(ignore.match),
                day=ignore.until,
                reason=ignore.reason,
            )
            for ignore in self.ignores
            if ignore.until < self.today
        ]

    def _ignored(self, finding: Finding) -> Finding:
        for ignore in self.ignores:
            if ignore.until >= self.today and covers(ignore, finding):
                return replace(finding, ignored=ignore.reason)
        return finding


def covers(ignore: Ignore, finding: Finding) -> bool:
    """Whether an ignore is about this finding: its rule, and the glob on its test, action, or file."""
    if ignore.rule.upper() not in (finding.rule, finding.name.upper()):
        return False
    named = (finding.test, finding.action, finding.where.rpartition(":")[0])
    return any(text and (text == ignore.match or fnmatchcase(text, ignore.match)) for text in named)


def once(uses: Iterable[Use]) -> list[Use]:
    """Each use once: a retry, a second call of the same fixture on another worker and a moved line are no new use."""
    found: dict[object, Use] = {}
    for use in uses:
        found.setdefault(_same(use), use)
    return list(found.values())


# The use without what may differ between two calls that are the same use.
_same = attrgetter(*(f.name for f in fields(Use) if f.name not in ("where", "request_id", "phase", "nearest")))


# Options that leave tests out unseen; what stops early (-x) is seen by its missing ends.
_NARROWING = ("keyword", "markexpr", "lf", "deselect", "ignore", "ignore_glob", "collectonly")


class Selection:
    """collected, deselected: node ids. crashed: a worker was lost."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.collected: set[str] = set()
        self.deselected: set[str] = set()
        self.ended: set[str] = set()
        self.crashed = False

    def modified(self, before: Iterable[str], after: Iterable[str]) -> None:
        """What was there before and after the hooks that choose tests."""
        self.collected |= set(after)
        self.deselected |= set(before) - set(after)

    def to_dict(self) -> dict[str, list[str]]:
        """What a worker sends to the controller."""
        return {"collected": sorted(self.collected), "deselected": sorted(self.deselected)}

    def merge(self, sent: Mapping[str, Iterable[str]] | None) -> None:
        """Take in what a worker sent; nothing means that it did not come to its end."""
        if sent is None:
            self.crashed = True
            return
        self.collected |= set(sent["collected"])
        self.deselected |= set(sent["deselected"])

    def complete(self, exitstatus: int) -> bool:
        """A full green run: nothing left out, everything came to its end, nothing failed."""
        narrowed = any(self._config.getoption(name, None) for name in _NARROWING)
        whole = bool(self.roots()) and not narrowed and not self.crashed and not self.deselected
        return exitstatus == 0 and whole and self.collected <= self.ended

    def roots(self) -> tuple[str, ...]:
        """The files and folders given to pytest, relative to the rootdir; none if a single test or a package was."""
        if self._config.getoption("pyargs", False):
            return ()
        given = [str(argument) for argument in self._config.args]
        return () if any("::" in argument for argument in given) else tuple(self._relative(path) for path in given)

    def _relative(self, path: str) -> str:
        full = Path(self._config.invocation_params.dir, path)
        relative = os.path.relpath(full, self._config.rootpath)
        return "" if relative == "." else Path(relative).as_posix()
