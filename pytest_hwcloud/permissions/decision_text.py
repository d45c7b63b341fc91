"""A decision in words: what it is, and the statements that came closest (permission-checks.md section 7)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.decision import Considered, Decision


def headline(decision: Decision) -> str:
    """`deny (implicit): no statement allows it; 2 statements looked at`."""
    kind = {"deny": " (explicit)" if decision.explicit else " (implicit)"}.get(decision.effect, "")
    return f"{decision.effect}{kind}: {decision.reason}"


def considered(decision: Decision) -> Iterator[str]:
    """One line a statement, in columns, numbered from 1; with the policy's name where there are several."""
    shown = decision.nearest
    several = len({entry.policy for entry in shown}) > 1
    rows = [(_place(entry, several), f"{entry.effect} {entry.text}", entry.why) for entry in shown]
    places, texts = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    for place, text, why in rows:
        yield f"{place:<{places}} {text:<{texts}}  {why}"


def _place(entry: Considered, several: bool) -> str:
    number = str(entry.statement + 1)
    return f"{entry.policy} {number}" if several else number
