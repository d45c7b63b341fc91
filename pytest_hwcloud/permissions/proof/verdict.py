"""What a control run and a denied run show. A verdict is `proved` only if nothing else can explain the failure.

A test that passes although its permission was denied, or its token was one of another scope, is a finding (HWP004).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from pytest_hwcloud.journal import Exchange
from pytest_hwcloud.permissions.finding import Finding, labelled, of_identity, placed
from pytest_hwcloud.permissions.proof.rerun import Rerun
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.journal import Exchange
    from pytest_hwcloud.permissions.record import TestRecord


PROVED, SWALLOWED, INCONCLUSIVE = "proved", "swallowed", "inconclusive"


class Verdict(NamedTuple):
    """The verdict, and why it is inconclusive."""

    word: str
    reason: str = ""


def doubt(first: Iterable[Exchange], control: Rerun) -> str:
    """Why nothing can be proved of this test: its unchanged second run differs from the first; "" if it does not."""
    if control.outcome != "passed":
        return of_control(control)
    before, again = _said(first), _said(control.journal.exchanges)
    if before == again:
        return ""
    if before.total() != again.total():
        return Phrase("proof.other-number", again=_calls(again), before=_calls(before))
    return Phrase("proof.other-calls")


def of_control(control: Rerun) -> str:
    """Why nothing can be proved of a test that ran again with its wider fixtures; "" if it passed as before."""
    return "" if control.outcome == "passed" else Phrase("proof.control-ended", ended=_ended(control))


def of_denied(denied: Rerun) -> Verdict:
    """What a run shows in which something was denied on purpose."""
    if not denied.refused:
        return Verdict(INCONCLUSIVE, Phrase("proof.not-again", ended=_ended(denied)))
    if denied.outcome == "passed":
        return Verdict(SWALLOWED)
    if denied.outcome == "skipped":
        return Verdict(INCONCLUSIVE, Phrase("proof.skips-itself"))
    if denied.caused:
        return Verdict(PROVED)
    if any(exchange.source == "not recorded" for exchange in denied.journal.exchanges):
        return Verdict(INCONCLUSIVE, Phrase("proof.goes-on"))
    return Verdict(INCONCLUSIVE, Phrase("proof.other-cause", ended=_ended(denied)))


def _ended(run: Rerun) -> str:
    """`passed`, `failed (ValueError)`."""
    if run.error and run.outcome == "failed":
        return Phrase("proof.ended-failed-with", error=run.error)
    return Phrase(f"proof.ended-{run.outcome}")


def _said(exchanges: Iterable[Exchange]) -> Counter[tuple[object, ...]]:
    """The calls and answers, in any order: threads change places. Calls of wider fixtures are made once only."""
    return Counter((e.call.label, e.status, e.fault, e.gate) for e in exchanges if e.fixture is None)


def _calls(said: Counter[tuple[object, ...]]) -> str:
    return Phrase("proof.calls", n=said.total())


def swallowed_denial(record: TestRecord, action: str, refused: Exchange, root: Path) -> Finding:
    """The finding for an action. refused: the first refusal that the test did not notice."""
    optional = labelled("fix", Phrase("findings.fix-optional", action=action))
    return _finding(record, action, refused, root, (optional,))


def swallowed_scope(record: TestRecord, key: str, refused: Exchange, root: Path) -> Finding:
    """The finding for the scope of its tokens."""
    return _finding(record, key, refused, root)


def _finding(record: TestRecord, action: str, refused: Exchange, root: Path, more: tuple[str, ...] = ()) -> Finding:
    fix, identity = Phrase("findings.fix-notice"), refused.identity or record.identity
    how = action.removeprefix("scope:") if action.startswith("scope:") else "denied"
    where = _where(refused, root)
    return Finding(
        rule="HWP004",
        action=action,
        identity=identity,
        test=record.nodeid,
        where=where or record.place,
        detail=of_identity(identity),
        lines=(
            labelled("call", placed(refused.call.label, where)),
            labelled("answer", _answer(refused)),
            labelled("note", Phrase(f"findings.unnoticed-{how}", test=record.nodeid)),
            labelled("fix", fix),
            *more,
        ),
        fix=fix,
    )


def _where(refused: Exchange, root: Path) -> str:
    if refused.where is None:
        return ""
    file = Path(refused.where[0])
    shown = file.relative_to(root) if file.is_relative_to(root) else file
    return f"{shown.as_posix()}:{refused.where[1]}"


def _answer(refused: Exchange) -> str:
    failure = refused.failure
    told = (failure.code, failure.message) if failure else ()
    return " ".join(text for text in (str(refused.status or ""), *told) if text)
