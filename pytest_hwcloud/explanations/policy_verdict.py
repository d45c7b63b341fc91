"""Which policy and statement of this run refused a call: what the authorization gate decided, as plain data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.decision import Considered, Decision
    from pytest_hwcloud.cloud.policies.rights import Rights
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.journal import Exchange

_SYSTEM = "system:"
_ELSEWHERE = "no: granted on "
_NOT_MET = ("is not met", "does not meet", _ELSEWHERE)  # a statement names the action, and does not reach the call


@dataclass(frozen=True, kw_only=True)
class Judged:
    """The run's own refusal.

    how: "none" (no statement allows it), "near" (one names it but does not meet the call), "deny" (a statement denies
    it), "bound" (the service control policy), "elsewhere" (one does, granted elsewhere), "injected"
    (hwcloud.deny), "option" (the same for a program of `pytest-hwcloud run`). statement: counted from 1. why: what the
    near statement does not meet. policies: all asked.
    """

    how: str
    policy: str = ""
    statement: int = 0
    why: str = ""
    looked_at: int = 0
    policies: tuple[str, ...] = ()

    @property
    def files(self) -> tuple[str, ...]:
        """The policies that are files of the user's own."""
        return tuple(name for name in self.policies if not name.startswith(_SYSTEM))


def judged(exchange: Exchange, state: CloudState | None, *, program: bool = False) -> Judged | None:
    """What the run's authorization gate decided; None for a refusal that came from elsewhere.

    program: the call is of a program of `pytest-hwcloud run`.
    """
    decision = exchange.decision
    if exchange.source != "gate" or exchange.gate != "authorization" or decision is None or decision.effect != "deny":
        return None
    if exchange.injected:
        return Judged(how="option" if program else "injected")
    rights = _rights(exchange, state)
    policies = tuple(dict.fromkeys(_shown(policy.source) for policy in rights.policies)) if rights else ()
    if rights and rights.bound and _is_bound(decision):
        return Judged(how="bound", policy=_shown(rights.bound.source))
    return _by_policies(decision, policies)


def _by_policies(decision: Decision, policies: tuple[str, ...]) -> Judged:
    if decision.policy is not None and decision.statement is not None:
        place = {"policy": _shown(decision.policy), "statement": decision.statement + 1}
        return Judged(how="deny", policies=policies, **place)  # type: ignore[arg-type]
    near = next((one for one in decision.nearest if _is_near(one)), None)
    if near is None:
        return Judged(how="none", looked_at=decision.considered, policies=policies)
    return Judged(
        how="elsewhere" if near.why.startswith(_ELSEWHERE) else "near",
        policy=_shown(near.policy),
        statement=near.statement + 1,
        why=near.why.removeprefix("no: "),
        policies=policies,
    )


def _rights(exchange: Exchange, state: CloudState | None) -> Rights | None:
    from pytest_hwcloud.cloud.policies.rights import Rights

    current = state.rights.get(exchange.identity or "") if state else None
    held = exchange.token.rights if exchange.token else current
    return held if isinstance(held, Rights) else None


def _is_bound(decision: Decision) -> bool:
    """Whether what the identity holds would do, and the service control policy has no allow."""
    return decision.policy is None and decision.reason.startswith("the service control policy")


def _is_near(one: Considered) -> bool:
    return one.effect == "allow" and any(words in one.why for words in _NOT_MET)


def _shown(source: str) -> str:
    return os.path.relpath(source) if os.path.isabs(source) else source
