"""A run as a lock: what its tests needed, by whom, and what its identities hold."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.calls.project_tables import catalogue_version
from pytest_hwcloud.cloud.policies.system_policies import PREFIX
from pytest_hwcloud.permissions.declarations import speaks_of
from pytest_hwcloud.permissions.lock.model import STATUSES, Entries, Entry, Held, Lock, Permission, call_of
from pytest_hwcloud.permissions.policies import grant_lines
from pytest_hwcloud.permissions.rules.unjudged_calls import FINDINGS

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.rights import Rights
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.permissions.ledger import Ledger
    from pytest_hwcloud.permissions.record import TestRecord, Use

_BEFORE = ("network", "authentication", "scope")  # a call refused there asked for no permission
_GRANTED = "hwcloud.grant"


def make(ledger: Ledger, state: CloudState, base: Path) -> Lock:
    """The lock of one run, every row of a parametrised test by itself."""
    return needs(ledger, state.rights, base)


def needs(ledger: Ledger, rights: Mapping[str, Rights | None], base: Path = Path()) -> Lock:
    """The same, with the rights of the identities; None for one whose rights are not known."""
    found: dict[str, dict[str, dict[str, list[tuple[str, str]]]]] = {}  # action, test, identity -> (status, fixture)
    calls: dict[str, set[str]] = {}
    identities = set(rights)
    for record, use in ledger.attributed():
        if not _counts(record, use):
            continue
        identity = use.identity or record.identity
        identities.add(identity)
        calls.setdefault(use.action, set()).add(call_of(identity, use.call))
        seen = found.setdefault(use.action, {}).setdefault(record.nodeid, {}).setdefault(identity, [])
        seen.append((_status(record, use), use.fixture.rpartition("::")[2]))
    return Lock(
        identities={name: _held(rights.get(name), base) for name in identities},
        permissions={
            action: Permission(calls=frozenset(calls[action]), tests={t: _entries(by) for t, by in tests.items()})
            for action, tests in found.items()
        },
        unmapped=_tests_by_call((call, record) for record in ledger.records.values() for call in record.unmapped),
        unjudged=_tests_by_call((call, record) for record in ledger.records.values() for call in _foreign(record)),
        catalogue=catalogue_version() or "",
    )


def _counts(record: TestRecord, use: Use) -> bool:
    """A call refused before the authorization asked for nothing; nor did what a refused call would have needed then."""
    if use.gate in _BEFORE or not use.action or (use.fixture and record.outcome == "skipped"):
        return False
    return not use.dependency or not _all_refused(record, use)


def _all_refused(record: TestRecord, use: Use) -> bool:
    same = [other.refused for other in record.uses if other.call == use.call and not other.dependency]
    return bool(same) and all(same)


def _status(record: TestRecord, use: Use) -> str:
    proof = record.proof.get(use.action)
    if use.policy == _GRANTED:
        return "granted"
    if use.injected or (use.refused and use.expected) or _unwanted(record, use):
        return "refused"
    if proof:
        return proof if proof in STATUSES else "used"
    return {"deny": "missing", "unknown": "undecided"}.get(use.verdict) or _unjudged(use)


def _unwanted(record: TestRecord, use: Use) -> bool:
    """Only denied_permission speaks of it: allowed or not (HWP018), the test is no reason to grant it."""
    if not any(row.kind == "denied" for row in record.declared):
        return False
    names = use.names or (use.action.lower(),)
    return {row.kind for row in record.declared if speaks_of(row, names, use.identity)} == {"denied"}


def _unjudged(use: Use) -> str:
    """It was not judged, or the policy allows it: a refusal is then the recording's, and the test lives with it."""
    return "refused" if use.refused and not use.verdict else "used"


def _entries(by_identity: dict[str, list[tuple[str, str]]]) -> Entries:
    return tuple(sorted(_entry(identity, seen) for identity, seen in by_identity.items()))


def _entry(identity: str, seen: list[tuple[str, str]]) -> Entry:
    """Of several uses the gravest status; a fixture is named where the test makes no such call itself."""
    status = min((status for status, _ in seen), key=STATUSES.index)
    fixtures = {fixture for _, fixture in seen}
    return Entry(identity=identity, status=status, fixture="" if "" in fixtures else ", ".join(sorted(fixtures)))


def _foreign(record: TestRecord) -> list[str]:
    return [row["call"] for row in record.unjudged if row["cause"] in FINDINGS]


def _tests_by_call(rows: Iterable[tuple[str, TestRecord]]) -> dict[str, frozenset[str]]:
    found: dict[str, set[str]] = {}
    for label, record in rows:
        found.setdefault(label, set()).add(record.nodeid)
    return {label: frozenset(tests) for label, tests in found.items()}


def _held(rights: Rights | None, base: Path) -> Held:
    if rights is None:
        return Held()
    return Held(policies=dict(_policies(rights, base)), grants=grant_lines.lines(rights))


def _policies(rights: Rights, base: Path) -> Iterator[tuple[str, str]]:
    for document in rights.documents:
        yield policy_file(document.source, base), document.version


def policy_file(source: str, base: Path) -> str:
    """A policy's file as the lock names it; a system policy by its name."""
    return source if source.startswith(PREFIX) else Path(os.path.relpath(source, base)).as_posix()
