"""The needs of a run put into a lock: partial runs add and change, only a full green run takes away.

A test is here its needs: action (or unmapped call) -> entries. All rows of a parametrised test are one line, `[*]`, if
they need the same; to merge they are taken apart and put together again.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions.lock.model import PROOFS, Entries, Entry, Held, Lock, Permission, base, row, rows

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.ledger import Ledger

Needs = dict[str, Entries]  # a call, which is unmapped or (so marked) unjudged, has no entries
_UNJUDGED = "unjudged "


@dataclass(kw_only=True)
class _Run:
    """What of a run matters for the merge. all_rows: whether each row of a test that was collected is known."""

    ran: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    known: frozenset[str] = frozenset()
    all_rows: bool = True
    by_base: dict[str, list[str]] = field(default_factory=dict)


def merge(old: Lock, new: Lock, ledger: Ledger | None = None) -> Lock:
    """The old lock with a run's results. ledger: the run; None: its tests are those of `new`, nothing is deleted."""
    fresh = _by_test(new)
    run = _run(ledger, fresh)
    merged = _expanded(_by_test(old), run)
    kept = {test for test in merged if not _gone(test, run, ledger)}
    whole = ledger is not None and ledger.complete
    result = {test: merged[test] for test in kept}
    for test in run.ran:
        before = merged.get(test) or (merged.get(rows(test), {}) if row(test) else {})
        now = _with_proofs(before, fresh.get(test, {}))
        if test not in run.skipped:
            result[test] = now if whole else _united(before, now)
        elif before or now:
            result[test] = _united(before, now)  # not verified: nothing of it is stale
    return _lock(old, new, _collapsed(result, run), whole=whole, ran=run.ran - run.skipped)


def _by_test(lock: Lock) -> dict[str, Needs]:
    found: dict[str, Needs] = {}
    for action, need in lock.permissions.items():
        for test, entries in need.tests.items():
            found.setdefault(test, {})[action] = entries
    for call, tests in lock.unmapped.items():
        for test in tests:
            found.setdefault(test, {})[call] = ()
    for call, tests in lock.unjudged.items():
        for test in tests:
            found.setdefault(test, {})[_UNJUDGED + call] = ()
    return found


def _run(ledger: Ledger | None, fresh: Mapping[str, Needs]) -> _Run:
    if ledger is None:
        known = frozenset(fresh)
        return _Run(ran=known, known=known, by_base=_grouped(known))
    skipped = frozenset(
        test
        for test, record in ledger.records.items()
        if record.outcome == "skipped" or (record.outcome == "xfailed" and not record.uses)
    )
    known = frozenset((*ledger.collected, *ledger.deselected, *ledger.records))
    return _Run(
        ran=frozenset(ledger.records),
        skipped=skipped,
        known=known,
        all_rows=bool(ledger.roots),
        by_base=_grouped(known),
    )


def _grouped(tests: Iterable[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for test in tests:
        if row(test):
            found.setdefault(base(test), []).append(test)
    return found


def _expanded(by_test: dict[str, Needs], run: _Run) -> dict[str, Needs]:
    """`[*]` as the rows that are known; those listed by themselves are not meant by it."""
    found = dict(by_test)
    for test, needs in by_test.items():
        known = run.by_base.get(base(test), []) if test.endswith("[*]") else []
        if known and run.all_rows:
            del found[test]
        for single in known:
            if single not in by_test:
                found[single] = needs
    return found


def _gone(test: str, run: _Run, ledger: Ledger | None) -> bool:
    """Whether a full green run did not meet this test any more."""
    return ledger is not None and test not in run.known and ledger.covers(test)


def _with_proofs(before: Needs, now: Needs) -> Needs:
    """What an earlier run proved stays proved as long as the need is the same."""
    return {action: tuple(_proved(before.get(action, ()), e) for e in entries) for action, entries in now.items()}


def _proved(before: Entries, now: Entry) -> Entry:
    if now.status != "used":
        return now
    same = (e for e in before if e.status in PROOFS and replace(e, status="used") == now)
    return next(same, now)


def _united(before: Needs, now: Needs) -> Needs:
    found = dict(before)
    for action, entries in now.items():
        by_identity = {entry.identity: entry for entry in (*before.get(action, ()), *entries)}
        found[action] = tuple(sorted(by_identity.values()))
    return found


def _collapsed(by_test: dict[str, Needs], run: _Run) -> dict[str, Needs]:
    """Rows that need the same in one line; a test that needs nothing in none."""
    found = dict(by_test)
    for name, tests in _grouped(by_test).items():
        needs = by_test[tests[0]]
        alike = all(by_test[test] == needs for test in tests[1:])
        missing = set(run.by_base.get(name, ())) - set(tests) - run.skipped
        together = rows(name + "[]")
        if alike and not missing and (together in by_test or (len(tests) > 1 and run.all_rows)):
            for test in tests:
                del found[test]
            found[together] = needs
    return {test: needs for test, needs in found.items() if needs}


def _lock(old: Lock, new: Lock, by_test: Mapping[str, Needs], *, whole: bool, ran: frozenset[str]) -> Lock:
    tests: dict[str, dict[str, Entries]] = {}
    for test, needs in by_test.items():
        for action, entries in needs.items():
            tests.setdefault(action, {})[test] = entries
    ran_lines = ran | {rows(test) for test in ran if row(test)}
    permissions = {
        action: Permission(calls=_calls(action, old, new, fresh_only=whole and not by.keys() - ran_lines), tests=by)
        for action, by in tests.items()
        if " " not in action
    }
    return Lock(
        identities=_identities(old, new, permissions, whole=whole),
        permissions=permissions,
        unmapped={call: frozenset(by) for call, by in tests.items() if " " in call and not call.startswith(_UNJUDGED)},
        unjudged={
            call.removeprefix(_UNJUDGED): frozenset(by) for call, by in tests.items() if call.startswith(_UNJUDGED)
        },
        catalogue=new.catalogue,
    )


def _calls(action: str, old: Lock, new: Lock, *, fresh_only: bool) -> frozenset[str]:
    locks = (new,) if fresh_only else (old, new)
    return frozenset(call for lock in locks for call in lock.permissions.get(action, Permission()).calls)


def _identities(old: Lock, new: Lock, permissions: Mapping[str, Permission], *, whole: bool) -> dict[str, Held]:
    """A full run knows what each identity holds; a part of one may lack the policies, and does not take them away."""
    needed = {entry.identity for need in permissions.values() for entries in need.tests.values() for entry in entries}
    kept = {name: held for name, held in old.identities.items() if not whole or name in needed}
    told = {name: held for name, held in new.identities.items() if whole or held.policies or name not in kept}
    return {**kept, **told}
