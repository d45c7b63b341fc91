"""HWP004: the test passes although its permission was denied, or its token was one of another scope."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions.finding import Finding, labelled
from pytest_hwcloud.permissions.wording import placed

if TYPE_CHECKING:
    from pytest_hwcloud.journal import Exchange
    from pytest_hwcloud.permissions.record import TestRecord

_NOTICE = "hwcloud.assert_ok(response), response.raise_for_status(), or an assertion on what it needs of the answer"
_FIX = f"let the test notice the refusal: {_NOTICE}"
_TOKENS = {
    "scope:domain-token": "with a token of the domain in place of the project's",
    "scope:other-project": "with a token of another project",
}


def denial(record: TestRecord, action: str, refused: Exchange, root: Path) -> Finding:
    """The finding for an action. refused: the first refusal that the test did not notice."""
    optional = labelled("fix", f'a need that it can do without: requires_permission(…, optional=["{action}"])')
    return _finding(record, action, refused, root, "denied on purpose", (optional,))


def scope(record: TestRecord, key: str, refused: Exchange, root: Path) -> Finding:
    """The finding for the scope of its tokens."""
    return _finding(record, key, refused, root, f"refused on purpose, {_TOKENS[key]}", ())


def _finding(
    record: TestRecord, action: str, refused: Exchange, root: Path, how: str, more: tuple[str, ...]
) -> Finding:
    identity = refused.identity or record.identity
    where = _where(refused, root)
    return Finding(
        rule="HWP004",
        action=action,
        identity=identity,
        test=record.nodeid,
        where=where or record.place,
        detail=f"identity {identity}",
        lines=(
            labelled("call", placed(refused.call.label, where)),
            labelled("answer", _answer(refused)),
            labelled("note", f"{how}, and {record.nodeid} passes all the same"),
            labelled("fix", _FIX),
            *more,
        ),
        fix=_FIX,
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
