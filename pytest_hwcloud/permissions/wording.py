"""Lines that several rules write."""

from __future__ import annotations

from collections.abc import Sequence

from pytest_hwcloud.permissions.finding import labelled
from pytest_hwcloud.permissions.record import Use

_MOST = 3


def calls(uses: Sequence[Use]) -> list[str]:
    """`call      GET ecs …      tests/test_x.py:14`, one line for each place, the first three."""
    return places([(use.call, use.where) for use in uses])


def places(made: Sequence[tuple[str, str]]) -> list[str]:
    """The same for pairs of a call and where it was made."""
    each = list(dict.fromkeys(made))
    lines = [placed(call, where) for call, where in each[:_MOST]]
    more = [f"and {len(each) - _MOST} more"] if len(each) > _MOST else []
    return [labelled("" if index else "call", line) for index, line in enumerate([*lines, *more])]


def placed(call: str, where: str) -> str:
    """A call and where it was made."""
    return f"{call}      {where}" if where else call


def decision(use: Use) -> list[str]:
    """The decision, and below it the statements that came closest."""
    return [labelled("decision", use.reason), *(" " * 12 + line for line in use.nearest)]
