"""Documented calls that look like one that no table knows: another method, another version, a slip in the path."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.calls.paths import PROJECT_NAMES, is_parameter

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.tables import Row

_NEAR = 0.75
_MOST = 3
_WITHIN = 0.1  # of the nearest
_ID = re.compile(r"[0-9a-fA-F]{32}|\{.*\}").fullmatch


def near_misses(rows: Iterable[Row], method: str, parts: Sequence[str]) -> list[str]:
    """Up to three labels, the nearest first; none that is not near."""
    ranked: dict[str, float] = {}
    for row in rows:
        closeness = _alike(row.parts, parts) - (0 if row.method == method else 0.1)
        if closeness >= _NEAR:
            ranked[f"{row.method} {row.service} {row.template}"] = closeness
    best = max(ranked.values(), default=0.0)
    near = [label for label, closeness in ranked.items() if closeness > best - _WITHIN]
    return sorted(near, key=lambda label: (-ranked[label], label))[:_MOST]


def _alike(template: Sequence[str], parts: Sequence[str]) -> float:
    """How much of the path agrees, part by part; a part too much or too little counts as one that differs."""
    if abs(len(template) - len(parts)) > 1:
        return 0.0
    shown = [part if is_parameter(part) else part.lower() for part in template]
    given = [part.lower() for part in parts]
    if len(shown) == len(given):
        return sum(map(_part, shown, given)) / max(len(given), 1)
    longer = max(shown, given, key=len)
    without = [[*longer[:at], *longer[at + 1 :]] for at in range(len(longer))]
    pairs = [(one, given) if longer is shown else (shown, one) for one in without]
    return max(sum(map(_part, *pair)) for pair in pairs) / len(longer)


def _part(one: str, other: str) -> float:
    if one == other:
        return 1.0
    if is_parameter(one):
        return float(_ID(other) is not None) if one in PROJECT_NAMES else 0.5
    return SequenceMatcher(None, one, other, autojunk=False).ratio()
