"""Which policy and statement of this run refused a call: what the authorization gate decided, as plain data."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.decision import Considered, Decision
    from pytest_hwcloud.cloud.policies.rights import Rights
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.journal import Exchange

_SYSTEM = "system:"
_ELSEWHERE = "decisions.granted-on-"
# Why a statement that names the action does not reach the call.
_NOT_MET = ("decisions.condition-not-met", "decisions.resource-", _ELSEWHERE)


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
    near, why = next(((one, why) for one in decision.nearest if (why := _not_met(one))), (None, None))
    if near is None or why is None:
        return Judged(how="none", looked_at=decision.considered, policies=policies)
    return Judged(
        how="elsewhere" if why.key.startswith(_ELSEWHERE) else "near",
        policy=_shown(near.policy),
        statement=near.statement + 1,
        why=why,
        policies=policies,
    )


def _rights(exchange: Exchange, state: CloudState | None) -> Rights | None:
    from pytest_hwcloud.cloud.policies.rights import Rights

    current = state.rights.get(exchange.identity or "") if state else None
    held = exchange.token.rights if exchange.token else current
    return held if isinstance(held, Rights) else None


def _is_bound(decision: Decision) -> bool:
    """Whether what the identity holds would do, and the service control policy has no allow."""
    return decision.policy is None and decision.bounds


def _not_met(one: Considered) -> Phrase | None:
    """What keeps an Allow that names the action from the call."""
    said = one.why.values if isinstance(one.why, Phrase) and one.effect == "allow" else {}
    why = said.get("why")
    return why if isinstance(why, Phrase) and why.key.startswith(_NOT_MET) else None


def _shown(source: str) -> str:
    return os.path.relpath(source) if os.path.isabs(source) else source
