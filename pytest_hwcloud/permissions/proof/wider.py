"""The proof of calls that only wider fixtures make: the scope runs again on its own, at the end of the run.

By then every fixture of the real run is torn down, so that building one again disturbs no test. Each waiting test is
run once unchanged and once for each action denied, its wider fixtures set up again for each. A fixture that fails by
itself when it is refused fails for every test that has it: one of them is enough.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.permissions.checks import CHECKED, Checked
from pytest_hwcloud.permissions.proof.plan import Fixtures, Waiting
from pytest_hwcloud.permissions.proof.proof import Proof, unfit, with_denied
from pytest_hwcloud.permissions.proof.rerun import rerun
from pytest_hwcloud.permissions.proof.verdict import (
    INCONCLUSIVE,
    PROVED,
    SWALLOWED,
    Verdict,
    of_control,
    of_denied,
    swallowed_denial,
)
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.record import TestRecord
    from pytest_hwcloud.permissions.running import Run


def prove_waiting(run: Run, waiting: Sequence[Waiting], session: pytest.Session) -> dict[str, Proof]:
    """The proofs by node id. All real fixtures are torn down; nothing is proved of a run that was stopped."""
    noticed: set[tuple[str, Fixtures]] = set()
    if session.shouldstop or session.shouldfail or session._setupstate.stack:
        return {one.item.nodeid: _open(one, Phrase("permissions.proof.stopped")) for one in waiting}
    return {one.item.nodeid: _prove(run, one, noticed) for one in waiting}


def _open(one: Waiting, reason: str) -> Proof:
    proof = Proof()
    for action in one.borrowed:
        proof.say(action, Verdict(INCONCLUSIVE, reason))
    return proof


def _prove(run: Run, one: Waiting, noticed: set[tuple[str, Fixtures]]) -> Proof:
    proof, item = Proof(), one.item
    left = []
    for action, fixtures in one.borrowed.items():
        if (action, fixtures) in noticed:
            proof.say(action, Verdict(PROVED))
        else:
            left.append(action)
    if not left:
        return proof
    checked = item.stash[CHECKED]
    item.stash[CHECKED] = Checked(checked.journal, None)  # a rerun is not judged
    try:
        reason = unfit(item) or of_control(rerun(run, item, whole=True))
        for action in left:
            denied = None if reason else with_denied(run, item, (action,), whole=True)
            verdict = Verdict(INCONCLUSIVE, reason) if denied is None else of_denied(denied)
            proof.say(action, verdict)
            if denied is not None and verdict.word == PROVED and denied.in_setup:
                noticed.add((action, one.borrowed[action]))
            if denied is not None and verdict.word == SWALLOWED:
                root = item.config.rootpath
                proof.findings.append(swallowed_denial(one.record, action, denied.refused[0], root))
    finally:
        item.stash[CHECKED] = checked
        if hasattr(item, "_request"):
            item._request, item.funcargs = False, None  # type: ignore[attr-defined]
    return proof


def sent(proofs: Mapping[str, Proof], *, judging: bool) -> list[dict[str, Any]]:
    """The proofs as plain rows, which travel from a worker to the controller."""
    return [
        {
            "nodeid": nodeid,
            "proof": dict(proof.verdicts),
            "doubts": texts.plain(proof.doubts),
            "findings": [finding.to_dict() for finding in proof.findings if judging],
        }
        for nodeid, proof in proofs.items()
    ]


def received(records: Mapping[str, TestRecord], rows: Iterable[Mapping[str, Any]]) -> None:
    """Add such rows to the records of their tests."""
    for row in rows:
        record = records.get(str(row["nodeid"]))
        if record is not None:
            record.proof |= row["proof"]
            record.doubts |= texts.revived(row["doubts"])
            record.findings += row["findings"]
