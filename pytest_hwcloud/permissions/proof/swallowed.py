"""HWP004: the test passes although its permission was denied, or its token was one of another scope."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions.finding import Finding, labelled, of_identity, placed
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.journal import Exchange
    from pytest_hwcloud.permissions.record import TestRecord


def denial(record: TestRecord, action: str, refused: Exchange, root: Path) -> Finding:
    """The finding for an action. refused: the first refusal that the test did not notice."""
    optional = labelled("fix", Phrase("findings.fix-optional", action=action))
    return _finding(record, action, refused, root, (optional,))


def scope(record: TestRecord, key: str, refused: Exchange, root: Path) -> Finding:
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
