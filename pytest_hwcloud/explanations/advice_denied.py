"""Advice on refusals at authorization: which policy refused, what to allow and where. The first rule wins."""

from __future__ import annotations

import re

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.failures import Failure
from pytest_hwcloud.cloud.failures.codes import Entry
from pytest_hwcloud.explanations.circumstances import Advice, Case
from pytest_hwcloud.explanations.policy_verdict import Judged
from pytest_hwcloud.explanations.wording import age

_LACKING = ("none", "injected", "option")  # the code's own cause, that an allow is missing, is right here
_DENY = re.compile(r"with an explicit deny in (?:an?|the) ([\w -]{1,60}) policy")


def by_the_run(case: Case) -> Advice | None:
    """The run's own policies refused: they are the reason, whatever else may look odd."""
    judged, words = case.known.judged, case.words
    if judged is None or case.known.rights_changed_after_token:
        return None
    why = words.say(
        f"judged-{judged.how}",
        policy=judged.policy,
        statement=judged.statement,
        why=texts.in_language(judged.why, words.lang),
        n=judged.looked_at,
        policies=", ".join(judged.policies),
    )
    own = case.cause if judged.how in _LACKING else ""
    good = _good(case) if judged.how == "none" else ""
    if case.known.looked_up:
        asked, way_out = (texts.say_in(words.lang, f"permissions.implicit.{key}") for key in ("cause", "first"))
        return Advice(cause=words.join(asked, own, why), fix=words.join(way_out, _fix(case, judged)))
    return Advice(cause=words.join(own, why, good), fix=_fix(case, judged))


def _fix(case: Case, judged: Judged) -> str:
    values = {"actions": _actions(case), "who": _who(case), "policy": judged.policy, "identity": case.known.identity}
    if judged.how in ("injected", "option"):
        return _grant(case)
    if judged.how == "none":
        where = "file" if judged.files else "listed"
        fix = case.words.say(f"fix-judged-{where}", files=case.words.either(judged.files), **values)
        return case.words.join(fix, _afterwards(case))
    fix = case.words.say(f"fix-judged-{judged.how}", statement=judged.statement, **values)
    return case.words.join(fix, _afterwards(case) if case.known.credential == "token" else "")


def advice(case: Case) -> Advice | None:
    """A refusal by IAM: an explicit deny, a token older than the grant, or a missing permission."""
    if case.failure.gate != "authorization" or not is_policy_denial(case.failure, case.entry):
        return None
    known, words = case.known, case.words
    deny = _DENY.search(case.failure.message)
    if deny:
        return case.say("cause-explicit-deny", "fix-explicit-deny", policy=deny[1])
    if known.rights_changed_after_token:
        old = words.say("issued-before", age=age(known.token_age, words)) if known.token_age is not None else ""
        return Advice(cause=words.say("cause-stale-token", old=old), fix=words.say("fix-stale-token"))
    good = _good(case)
    fix = _grant(case) if _actions(case) else case.fix
    return Advice(cause=words.join(case.cause, good), fix=fix) if good or fix != case.fix else None


def is_policy_denial(failure: Failure, entry: Entry | None) -> bool:
    """Whether a grant in IAM would lift the refusal: not for a gateway's own lists, nor for what is never allowed."""
    if failure.actions or entry is None:
        return True
    return entry.policy


def _good(case: Case) -> str:
    return case.words.say("credentials-good") if case.known.succeeded_elsewhere else ""


def _grant(case: Case) -> str:
    return case.words.join(case.words.say("fix-grant", actions=_actions(case), who=_who(case)), _afterwards(case))


def _actions(case: Case) -> str:
    return ", ".join(case.known.needs or case.failure.actions or case.known.needs_identity)


def _who(case: Case) -> str:
    name = case.known.user or case.known.identity
    return case.words.say("to-user", user=name) if name else case.words.say("to-caller")


def _afterwards(case: Case) -> str:
    """Whether a new token is needed once the permission is there."""
    after = {"token": "then-new-token", "aksk": "no-new-keys"}
    return case.words.say(after.get(case.known.credential or "", "then-new-token-if"))
