"""The proof: a test that passes is run again with each needed permission denied, and must notice.

First an unchanged control run; then one run for each action; then, for a test whose fixtures gave it tokens of a
project, one with the token of its domain and one with that of another project.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import Scope, domain_scope
from pytest_hwcloud.gates.refusals import request_id
from pytest_hwcloud.journal import Exchange
from pytest_hwcloud.permissions.proof.plan import Plan, is_proved
from pytest_hwcloud.permissions.proof.rerun import Rerun, rerun
from pytest_hwcloud.permissions.proof.verdict import (
    INCONCLUSIVE,
    SWALLOWED,
    Verdict,
    doubt,
    of_denied,
    swallowed_denial,
    swallowed_scope,
)
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.finding import Finding
    from pytest_hwcloud.permissions.lock.model import Lock
    from pytest_hwcloud.permissions.record import TestRecord
    from pytest_hwcloud.permissions.running import Run


@dataclass
class Proof:
    """The result of the proof of one test. verdicts: action or `scope:…` -> verdict; doubts: why it is inconclusive.

    borrowed: action -> the wider fixtures that alone need it, proved at the end of the run (`wider`).
    """

    verdicts: dict[str, str] = field(default_factory=dict)
    doubts: dict[str, str] = field(default_factory=dict)
    findings: list[Finding] = field(default_factory=list)
    borrowed: dict[str, tuple[str, ...]] = field(default_factory=dict)

    def say(self, key: str, verdict: Verdict) -> None:
        """Write a verdict down."""
        self.verdicts[key] = verdict.word
        if verdict.word == INCONCLUSIVE:
            self.doubts[key] = verdict.reason

    def judge(self, key: str, again: Rerun) -> Verdict:
        """The verdict of a run in which something was denied, written down."""
        verdict = of_denied(again)
        self.say(key, verdict)
        return verdict


def prove(
    item: pytest.Item, run: Run, record: TestRecord, first: Sequence[Exchange], lock: Lock | None = None
) -> Proof:
    """Prove a test that passed. first: its calls. lock: what is proved by it is left."""
    proof, plan = Proof(), Plan(record)
    scopes = SCOPES if speaks_for_project(first, run.given_tokens(item)) else {}
    if lock is not None and is_proved(record, plan, lock):
        return proof
    proof.borrowed = plan.borrowed
    if not plan.denials and not scopes:
        return proof
    reason = unfit(item) or doubt(first, rerun(run, item))
    if reason:
        for key in (*plan.denials, *scopes):
            proof.say(key, Verdict(INCONCLUSIVE, reason))
        return proof
    for action, together in plan.denials.items():
        denied = with_denied(run, item, together)
        if proof.judge(action, denied).word == SWALLOWED:
            proof.findings.append(swallowed_denial(record, action, denied.refused[0], item.config.rootpath))
    for key, other_scope in scopes.items():
        other = rerun(run, item, lambda exchange: exchange.gate == "scope", other_scope)
        if other.outcome == "passed" and not other.refused:
            continue  # no gate minds the scope of these calls: there is nothing to notice
        if proof.judge(key, other).word == SWALLOWED:
            proof.findings.append(swallowed_scope(record, key, other.refused[0], item.config.rootpath))
    return proof


def with_denied(run: Run, item: pytest.Item, actions: tuple[str, ...], *, whole: bool = False) -> Rerun:
    """The test run again with these actions denied. whole: with its wider fixtures."""
    identifier = request_id()
    with run.state.deny(actions, request_id=identifier):
        return rerun(run, item, lambda exchange: exchange.injected == identifier, whole=whole)


def unfit(item: pytest.Item) -> str:
    """Why a test cannot be run again unseen; "" if it can."""
    if "subtests" in getattr(item, "fixturenames", ()):
        return Phrase("proof.subtests")
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        return Phrase("proof.hypothesis")
    return ""


OtherScope = Callable[[Identity, Scope], Scope]


def speaks_for_project(exchanges: Iterable[Exchange], tokens: Collection[str]) -> bool:
    """Whether a regional service was called, and not refused, with a project's token that the fixtures gave out."""
    return bool(tokens) and any(
        exchange.token is not None
        and exchange.token.value in tokens
        and exchange.token.scope.kind == "project"
        and exchange.gate is None
        and exchange.call.scope == "regional"
        for exchange in exchanges
        if exchange.fixture is None
    )


def _domain(identity: Identity, scope: Scope) -> Scope:
    return domain_scope(identity) if scope.kind == "project" else scope


def _other_project(identity: Identity, scope: Scope) -> Scope:
    """Another project of the identity; of one that has no other, a project that it does not know."""
    if scope.kind != "project":
        return scope
    for name, number in sorted(identity.projects.items()):
        if number != scope.id:
            return Scope("project", number, name)
    return Scope("project", scope.id[::-1] if scope.id != scope.id[::-1] else f"0{scope.id}", "another-project")


SCOPES: dict[str, OtherScope] = {"scope:domain-token": _domain, "scope:other-project": _other_project}
