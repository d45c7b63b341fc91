"""The decision on each single action of a call, and its words. The gate's own decision is on the call as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, TypedDict

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.endpoints import service_scope
from pytest_hwcloud.cloud.policies.decision import considered, headline, rank

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call
    from pytest_hwcloud.cloud.patterns import AskedResource
    from pytest_hwcloud.cloud.policies.decision import Decision
    from pytest_hwcloud.cloud.policies.rights import Rights
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.journal import Exchange

_SCOPES = {"regional": "project", "global": "domain"}


class Words(TypedDict):
    """The fields of a Use that come from its decision."""

    verdict: str
    policy: str
    statement: int
    reason: str
    nearest: tuple[str, ...]
    missing: tuple[str, ...]
    resource_missing: bool


def needed(call: Call) -> tuple[str, ...]:
    """The actions a call needs: its 1.1 names, or the 5.0 ones where it has no others."""
    return call.actions or call.identity_actions


def named(action: str) -> str:
    """The canonical name."""
    return actions.canonical(action)


def of_action(exchange: Exchange, action: str, state: CloudState) -> Decision | None:
    """The policies' decision on one action of a call; None where none is asked."""
    whole = exchange.decision
    if whole is None or exchange.injected:
        return None
    if len(needed(exchange.call)) == 1 or exchange.denied_action == action:
        return whole
    own = of_rights(exchange, action, state)
    return own if own is not None and (own.effect == "allow" or whole.effect != "allow") else whole


def of_dependency(exchange: Exchange, action: str, state: CloudState) -> Decision | None:
    """The policies' decision on a dependency; no gate asks for it, and on which resource it is is not known."""
    if exchange.decision is None or exchange.injected:
        return None
    return _asked(exchange, action, service_scope(action.partition(":")[0].lower()), state, (None,))


def of_rights(exchange: Exchange, action: str, state: CloudState) -> Decision | None:
    """The policies' decision on an action if the call came so far."""
    from pytest_hwcloud.gates import request_context

    identity = state.identities.get(exchange.identity or "")
    if identity is None:
        return None
    resources = request_context.resources(exchange.request, exchange.call, identity)
    return _asked(exchange, action, exchange.call.scope, state, resources)


def _asked(
    exchange: Exchange, action: str, scope: str, state: CloudState, resources: Sequence[AskedResource]
) -> Decision | None:
    from pytest_hwcloud.gates import request_context

    rights, identity = _rights(exchange, state), state.identities.get(exchange.identity or "")
    if rights is None or identity is None:
        return None
    place = replace(request_context.place(exchange.request, exchange.call), scope=_SCOPES.get(scope, "unknown"))
    context = None
    if rights.conditional:
        context = request_context.context(exchange.request, exchange.call, identity, state.clock())
    asked = resources if rights.about_resources else (None,)
    decisions = [rights.decide(action, place, resource=resource, context=context) for resource in asked]
    return min(decisions, key=rank)


def _rights(exchange: Exchange, state: CloudState) -> Rights | None:
    from pytest_hwcloud.cloud.policies.rights import Rights

    held = state.rights.get(exchange.identity or "") if exchange.token is None else exchange.token.rights
    return held if isinstance(held, Rights) else None


def words(decision: Decision | None, root: Path) -> Words:
    """The decision as plain data; the words only of what is not allowed, as they take time. Paths are from the root."""
    if decision is None:
        return Words(verdict="", policy="", statement=-1, reason="", nearest=(), missing=(), resource_missing=False)
    prefix = f"{root.as_posix()}/"
    told = decision.effect != "allow"

    def shorten(text: str) -> str:
        return text.replace(prefix, "")

    return Words(
        verdict=decision.effect,
        policy=(decision.policy or "").removeprefix(prefix),
        statement=-1 if decision.statement is None else decision.statement,
        reason=texts.changed(headline(decision), shorten) if told else "",
        nearest=tuple(texts.changed(line, shorten) for line in considered(decision)) if told else (),
        missing=decision.missing,
        resource_missing=decision.resource_missing,
    )
