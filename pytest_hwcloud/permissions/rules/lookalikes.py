"""Two actions that look alike and are different permissions: found, and laid side by side."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from difflib import SequenceMatcher
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions.finding import labelled, placed
from pytest_hwcloud.permissions.record import Use
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Need

_ALIKE = 0.6  # share of the names that agrees


def pairs(stale: Sequence[str], missing: Iterable[str]) -> dict[str, str]:
    """For each stale action the undeclared one it was probably written for; none of them twice."""
    ranked = sorted(((_alike(a, b), a, b) for a in stale for b in missing), key=lambda row: (-row[0], row[1], row[2]))
    found: dict[str, str] = {}
    for closeness, one, other in ranked:
        if closeness >= _ALIKE and one not in found and other not in found.values():
            found[one] = other
    return found


def _alike(one: str, other: str) -> float:
    a, b = one.lower(), other.lower()
    if a.partition(":")[0] != b.partition(":")[0]:
        return 0.0
    return SequenceMatcher(None, a, b, autojunk=False).ratio()


def nearest(action: str, uses: Sequence[Use]) -> list[str]:
    """What the test really needs that comes nearest to a stale action."""
    made = [use for use in uses if not use.dependency]
    if not made:
        return [labelled("calls", Phrase("findings.no-calls"))]
    use = max(made, key=lambda use: _alike(action, use.action))
    return [labelled("nearest", placed(Phrase("findings.needs", call=use.call, action=use.action), use.where))]


def identities(declared: str, use: Use) -> list[str]:
    """The marker speaks of one identity, and another one calls."""
    kind = "" if use.identity else "-unknown"
    return [labelled("identity", Phrase(f"findings.other-identity{kind}", declared=declared, identity=use.identity))]


def table(stale: Sequence[str], action: str, use: Use) -> list[str]:
    """`these look alike …` and a line for each action with its calls."""
    rows = [*(_stale_row(one, use) for one in stale), _used_row(action, use)]
    first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
    return [Phrase("findings.alike"), *(_row(f"  {row[0]:<{first}}  {row[1]:<{second}}", row[2]) for row in rows)]


def _row(columns: str, remark: str) -> str:
    return Phrase("findings.alike-row", columns=columns, remark=remark) if remark else columns.rstrip()


def _used_row(action: str, use: Use) -> tuple[str, str, str]:
    need = next((need for need in _needs(action) if need.label == use.call), None)
    return action, _without_service(use.call), _remark(need, action)


def _stale_row(action: str, use: Use) -> tuple[str, str, str]:
    documented = [need for need in _needs(action) if need.operation != action]
    if not documented:
        return action, "", ""
    need = max(documented, key=lambda need: SequenceMatcher(None, need.label, use.call, autojunk=False).ratio())
    return action, _without_service(_merged(need, documented)), _remark(need, action)


def _needs(action: str) -> Sequence[Need]:
    from pytest_hwcloud.cloud.calls.calls import nearest_calls

    return nearest_calls(action)


def _merged(need: Need, others: Sequence[Need]) -> str:
    """`…/servers[/detail]` for two calls of which one continues the other."""
    labels: Mapping[str, None] = dict.fromkeys(other.label for other in others)
    for label in labels:
        if need.label.startswith(f"{label}/"):
            return f"{label}[{need.label.removeprefix(label)}]"
        if label.startswith(f"{need.label}/"):
            return f"{need.label}[{label.removeprefix(need.label)}]"
    return need.label


def _without_service(label: str) -> str:
    method, _, rest = label.partition(" ")
    return f"{method} {rest.partition(' ')[2]}"


def _remark(need: Need | None, action: str) -> str:
    if need is None:
        return ""
    if need.operation.startswith("Nova"):
        return Phrase("findings.alike-nova")
    fifth = [name for name in need.identity_actions if name.lower() != action.lower()]
    return Phrase("findings.alike-newer", names=", ".join(fifth)) if fifth else ""
