"""The gates before a replayed answer, in order: authentication, scope, authorization; first refusal wins."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, TypedDict

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import Token
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.gates import scope
from pytest_hwcloud.gates.authentication import Caller, authenticate
from pytest_hwcloud.gates.cloud_state import CloudState

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call
    from pytest_hwcloud.cloud.policies.policy import Decision

STALE_TOKEN = "stale-token"  # the note of a refusal that a new token would not meet
ORDER = ("network", "authentication", "scope", "authorization")

# No identity of the run: no policy judges it, but hwcloud.deny and the proof refuse it as they refuse every caller.
_NOBODY = Identity(name="", user="", domain="", domain_id="", projects={})


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The gates' judgement of a call.

    gate, answer: who refused and how (a `Refusal`), both None where the call passes.
    identity: name, None if it is no identity of the run.
    credential: "aksk", "token" or "none". decision: the policy's, where one was asked, also of an allowed call.
    denied_action: the action that was refused. injected: request id of a refusal that hwcloud.deny or the proof made.
    call: what the call is, where a gate had to know.
    """

    gate: str | None = None
    answer: Answer | None = None
    identity: str | None = None
    credential: str = "none"
    token: Token | None = None
    notes: tuple[str, ...] = ()
    decision: Decision | None = None
    denied_action: str | None = None
    injected: str | None = None
    call: Call | None = field(default=None, compare=False)


def judge(request: Request, state: CloudState) -> Verdict:
    """May this request pass?"""
    caller = authenticate(request, state)
    if caller.refusal is not None:
        return Verdict(gate="authentication", answer=caller.refusal, **_who(caller))
    judged = _is_judged(caller, state)
    if caller.token is None and not judged:
        return Verdict(**_who(caller))
    call = _call(request)
    if caller.token is not None:
        answer = scope.refuse(request, call, caller.token)
        if answer is not None:
            return Verdict(gate="scope", answer=answer, call=call, **_who(caller))
    return _authorized(request, call, caller, state) if judged else Verdict(call=call, **_who(caller))


def may_replace(recorded_gate: str, refused_gate: str) -> bool:
    """Whether a recorded refusal is given in place of ours: it is if it comes from the same gate or an earlier one."""
    return recorded_gate in ORDER and ORDER.index(recorded_gate) <= ORDER.index(refused_gate)


def _call(request: Request) -> Call:
    from pytest_hwcloud.cloud.calls.calls import needs

    return needs(request.method, request.url, request.body, request.headers)


def _is_judged(caller: Caller, state: CloudState) -> bool:
    if state.denied:
        return True
    return caller.identity is not None and (
        caller.identity.name in state.rights or (caller.token is not None and caller.token.rights is not None)
    )


def _authorized(request: Request, call: Call, caller: Caller, state: CloudState) -> Verdict:
    from pytest_hwcloud.gates.authorization import authorize

    identity = caller.identity or _NOBODY
    judgement = authorize(request, call, identity, caller.token, state)
    refused = judgement.answer is not None
    verdict = Verdict(
        gate="authorization" if refused else None,
        answer=judgement.answer,
        decision=judgement.decision,
        denied_action=judgement.action if refused else None,
        injected=judgement.injected,
        call=call,
        **_who(caller),
    )
    # A token keeps the rights of its issue: would the rights of now allow the call? Known only at this moment.
    if refused and caller.token is not None and authorize(request, call, identity, None, state).effect == "allow":
        return replace(verdict, notes=(*verdict.notes, STALE_TOKEN))
    return verdict


class _Who(TypedDict):
    """What every verdict knows of the caller."""

    identity: str | None
    credential: str
    token: Token | None
    notes: tuple[str, ...]


def _who(caller: Caller) -> _Who:
    name = caller.identity.name if caller.identity else None
    return _Who(identity=name, credential=caller.credential, token=caller.token, notes=caller.notes)
