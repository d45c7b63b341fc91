"""The authorization gate: may this identity do what the call needs? The service decides, by policy.

`hwcloud.deny` comes first, for everybody. Then the rights: a token's are those of its issue, a signed call's those of
now, both with what `hwcloud.grant` adds. A call is open if all actions of one of its ways (1.1 or 5.0) are allowed and
no Deny meets it. Only a deny is answered; unknown passes, with the decision recorded.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.policies.decision import Decision, rank, sum_of_ways, undecided
from pytest_hwcloud.cloud.policies.rights import Rights
from pytest_hwcloud.cloud.wire import Refusal, Request
from pytest_hwcloud.gates import request_context
from pytest_hwcloud.gates.denials import Ground, denial
from pytest_hwcloud.gates.refusals import request_id as fresh_request_id
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call
    from pytest_hwcloud.cloud.patterns import ByGrammar
    from pytest_hwcloud.cloud.tokens import Token
    from pytest_hwcloud.gates.cloud_state import CloudState, Override


@dataclass(frozen=True, slots=True, kw_only=True)
class Judgement:
    """The gate's judgement: effect "allow", "deny", "unknown", or "unjudged" (no policy).

    action: the one that decided. answer: of a deny only.
    injected: request id of a refusal by `hwcloud.deny` or the proof. explicit: a Deny statement refused.
    """

    effect: str
    action: str | None = None
    decision: Decision | None = None
    answer: Refusal | None = None
    injected: str | None = None
    explicit: bool = False


def authorize(request: Request, call: Call, identity: Identity, token: Token | None, state: CloudState) -> Judgement:
    """Judge one call of one identity."""
    override = _denied(call, state.denied)
    if override is not None:
        return _injected(call, identity, *override)
    rights = _rights(identity, token, state)
    if rights is None:
        return Judgement(effect="unjudged")
    action, decision, resource = decide(request, call, identity, rights, state)
    answer = None
    if decision.effect == "deny" and action is not None:
        answer = denial(
            call,
            action,
            request_id=fresh_request_id(),
            identity=identity,
            ground=Ground(
                explicit=decision.explicit,
                grammar=rights.grammar,
                resource=(resource or request_context.resources(request, call, identity)[0]).newer,
            ),
        )
    return Judgement(
        effect=decision.effect, action=action, decision=decision, answer=answer, explicit=decision.explicit
    )


def decide(
    request: Request, call: Call, identity: Identity, rights: Rights, state: CloudState
) -> tuple[str | None, Decision, ByGrammar | None]:
    """The decision on a call, the action that made it (None if it needs none, or that is unknown), and the resource.

    Of several resources (the servers of a batch call) the worst decides.
    """
    if not call.ways:
        return None, _without_actions(call), None
    place = request_context.place(request, call)
    context = request_context.context(request, call, identity, state.clock()) if rights.conditional else None
    ways = _by_grammar(call, rights)

    def answer(resource: ByGrammar | None) -> tuple[str, Decision, ByGrammar | None]:
        decide = partial(rights.decide, place=place, resource=resource, context=context)
        return *sum_of_ways([[(action, decide(action)) for action in way] for way in ways]), resource

    if not rights.about_resources:
        return answer(None)
    return min(map(answer, request_context.resources(request, call, identity)), key=lambda found: rank(found[1]))


def _by_grammar(call: Call, rights: Rights) -> list[tuple[str, ...]]:
    """The ways, first the one in whose words this identity's refusals are written."""
    own = call.identity_actions if rights.grammar == "5.0" else call.actions
    return sorted(call.ways, key=lambda way: way != own)


def _without_actions(call: Call) -> Decision:
    if not call.required:
        return Decision("allow", reason=partial(Phrase, "decisions.free", call=call.label))
    if call.documented:
        return undecided(partial(Phrase, "decisions.undocumented", call=call.label))
    if call.candidates:
        names = texts.joined("decisions.either", call.candidates)
        return undecided(partial(Phrase, "decisions.ambiguous", call=call.label, names=names))
    return undecided(partial(Phrase, "decisions.unmapped", call=call.label))


def _rights(identity: Identity, token: Token | None, state: CloudState) -> Rights | None:
    held = state.rights.get(identity.name) if token is None else token.rights
    if not isinstance(held, Rights):
        return None
    granted = state.granted_to(token)
    return held.granting(action for override in granted for action in override.actions) if granted else held


def _denied(call: Call, overrides: Iterable[Override]) -> tuple[str, str | None] | None:
    """The denied action of this call and the request id its refusal shall have; the block opened last decides."""
    for override in reversed(list(overrides)):
        for action in override.actions:
            if call.named_by(action):
                return action, override.request_id
    return None


def _injected(call: Call, identity: Identity, action: str, identifier: str | None) -> Judgement:
    given = identifier or fresh_request_id()
    decision = Decision("deny", reason=partial(Phrase, "decisions.injected", action=action))
    answer = denial(call, action, request_id=given, identity=identity, ground=Ground(explicit=True))
    return Judgement(effect="deny", action=action, decision=decision, answer=answer, injected=given, explicit=True)
