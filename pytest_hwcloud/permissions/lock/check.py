"""What is different from the lock: HWP007 lost, HWP008 new, HWP009 widened; each with its cause.

What the code needs is compared for each identity as a whole: a moved call, a renamed test, a further test with the same
need are no difference. What the policies grant is compared by asking them, not by their text.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions.finding import Finding, calls, labelled
from pytest_hwcloud.permissions.lock import cause
from pytest_hwcloud.permissions.lock.comparison import Comparison, healing, tests
from pytest_hwcloud.permissions.lock.model import ALLOWED, Entries, Lock, rows
from pytest_hwcloud.permissions.policies import edit as policy_edit
from pytest_hwcloud.permissions.policies import spellings
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.policy import Policy

_REFUSED = ("missing", "undecided")


def differences(compared: Comparison) -> list[Finding]:
    """All findings, by rule, identity and action."""
    from pytest_hwcloud.permissions.lock.widened import widened

    return [*_lost(compared), *_new(compared), *widened(compared)]


# HWP007


def _lost(compared: Comparison) -> Iterator[Finding]:
    for identity in sorted(compared.state.rights):
        held = compared.old.identities.get(identity)
        if held is None or not held.policies:
            continue
        for action in sorted(compared.old.permissions, key=str.lower):
            broken = _broken(compared, identity, action)
            if broken:
                yield _lost_finding(compared, identity, action, broken)


def _broken(compared: Comparison, identity: str, action: str) -> list[str]:
    """The tests that could do it by the lock and cannot now: seen in this run, or by the policy's decision today."""
    allowed = _tests(compared.old, identity, action, ALLOWED)
    if not allowed:
        return []
    seen = _tests(compared.new, identity, action, _REFUSED)
    if not compared.changed(identity) or compared.now(identity, action):
        return seen
    return sorted({*seen, *(test for test in _unseen(compared, action, allowed))})


def _tests(lock: Lock, identity: str, action: str, statuses: Iterable[str]) -> list[str]:
    need = lock.permissions.get(action)
    return [test for test, entries in need.tests.items() if _has(entries, identity, statuses)] if need else []


def _has(entries: Entries, identity: str, statuses: Iterable[str]) -> bool:
    return any(entry.identity == identity and entry.status in statuses for entry in entries)


def _unseen(compared: Comparison, action: str, allowed: Iterable[str]) -> Iterator[str]:
    """Tests of the lock that did not come to this call: they failed before it, or did not run."""
    records, known = compared.ledger.records, compared.ledger.collected
    files = {test.partition("::")[0] for test in known}
    observed = compared.new.permissions.get(action)
    for test in allowed:
        here = [name for name in known if rows(name) == test] if test.endswith("[*]") else [test]
        if not any(name in known for name in here):
            if test.partition("::")[0] not in files:
                yield test
            continue
        for name in here:
            record = records.get(name)
            if (record is None or record.outcome != "passed") and not (observed and name in observed.tests):
                yield name


def _lost_finding(compared: Comparison, identity: str, action: str, broken: list[str]) -> Finding:
    uses = [use for use in compared.uses.get((identity, action), ()) if not use.expected]
    where = next((use.where for use in uses if use.where), "")
    labels = compared.labels(identity, action)
    was = spellings.decide(compared.was(identity).decide, action, labels)
    why = cause.of_loss(
        was.effect,
        policy_changed=compared.changed(identity),
        policies=compared.policies(identity),
        where=where,
    )
    now = compared.now(identity, action)
    edit = policy_edit.allow(compared.state.rights[identity], action, labels, compared.base)
    otherwise = Phrase("findings.fix-give-policy", identity=identity, action=action)
    return Finding(
        rule="HWP007",
        action=action,
        identity=identity,
        where=edit.place if edit else where,
        detail=why.of(identity),
        cause=why.kind,
        lines=(
            labelled("was", _was(compared.was(identity), action, labels)),
            tests("breaks", broken),
            *(calls(uses) or [labelled("call", label) for label in labels[:1]]),
            labelled("now", compared.said(identity, action, now) if not now else uses[0].reason if uses else ""),
            *healing(edit, otherwise, compared.accept),
        ),
        fix=edit.words if edit else otherwise,
        patch=edit.patch if edit else "",
    )


def _was(policy: Policy, action: str, labels: list[str]) -> str:
    """`allowed by "ecs:*:list*" (statement 1)`, the number as in the lock."""
    decision = spellings.decide(policy.decide, action, labels)
    if decision.policy is None or decision.effect == "deny":
        return Phrase("lock.allowed-then")
    number = int(decision.policy)
    statement = policy.documents[number - 1].statements[0]
    names = [name for way in spellings.ways(action, labels) for one in way for name in spellings.names(one)]
    pattern = cause.pattern_of(names, statement.actions, negated=statement.not_action)
    return Phrase("lock.allowed-by", pattern=pattern, n=number)


# HWP008


def _new(compared: Comparison) -> Iterator[Finding]:
    identities = sorted(compared.new.identities)
    for identity in identities:
        before = compared.old.needed_by(identity)
        for action, needing in sorted(compared.new.needed_by(identity).items(), key=lambda pair: pair[0].lower()):
            if action not in before:
                yield _new_finding(compared, identity, action, needing)


def _new_finding(compared: Comparison, identity: str, action: str, needing: list[str]) -> Finding:
    uses = compared.uses.get((identity, action), [])
    where = next((use.where for use in uses if use.where), "")
    labels = sorted({use.call for use in uses})
    why = cause.of_need(action, labels, compared.old, where)
    edit, otherwise, now = None, "", []
    if identity in compared.state.rights:
        decision = compared.now(identity, action)
        now = [labelled("now", compared.said(identity, action, decision))]
        if not decision:
            edit = policy_edit.allow(compared.state.rights[identity], action, labels, compared.base)
            otherwise = Phrase("findings.fix-give-policy", identity=identity, action=action)
    return Finding(
        rule="HWP008",
        action=action,
        identity=identity,
        where=where,
        detail=why.of(identity),
        cause=why.kind,
        lines=(
            *_then(compared, why),
            *calls(uses),
            tests("needs", needing),
            *now,
            *healing(edit, otherwise, compared.accept),
        ),
        fix=edit.words if edit else otherwise or compared.accept,
        patch=edit.patch if edit else "",
    )


def _then(compared: Comparison, why: cause.Cause) -> Iterator[str]:
    """What the call needed when the lock was written."""
    if why.kind == cause.CATALOGUE:
        names = ", ".join(cause.needed_then(why.what, compared.old))
        yield labelled("was", Phrase(f"lock.needed{'' if names else '-unknown'}", call=why.what, actions=names))
