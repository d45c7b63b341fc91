"""The proof: a test that passes is run again with each needed permission denied, and must notice.

First an unchanged control run; then one run for each action; then, for a test whose fixtures gave it tokens of a
project, one with the token of its domain and one with that of another project.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import pytest

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import Scope, domain_scope
from pytest_hwcloud.gates.refusals import request_id
from pytest_hwcloud.journal import Exchange
from pytest_hwcloud.permissions.proof import swallowed
from pytest_hwcloud.permissions.proof.plan import Plan, is_proved
from pytest_hwcloud.permissions.proof.rerun import Rerun, rerun
from pytest_hwcloud.permissions.proof.rerun import Run as Rerunning
from pytest_hwcloud.permissions.proof.verdict import INCONCLUSIVE, SWALLOWED, Verdict, doubt, of_denied
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.journal import Exchange
    from pytest_hwcloud.permissions.finding import Finding
    from pytest_hwcloud.permissions.lock.model import Lock
    from pytest_hwcloud.permissions.record import TestRecord


class Run(Rerunning, Protocol):
    """The run, as far as the proof needs it."""

    state: CloudState


@dataclass
class Proof:
    """What the proof of one test said. verdicts: action or `scope:…` -> verdict; doubts: why it is inconclusive.

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


def prove(
    item: pytest.Item,
    run: Run,
    record: TestRecord,
    first: Sequence[Exchange],
    *,
    tokens: frozenset[str] = frozenset(),
    lock: Lock | None = None,
) -> Proof:
    """Prove a test that passed. first: its calls. tokens: what its fixtures gave it. lock: what is proved is left."""
    proof, plan = Proof(), Plan(record)
    scopes = SCOPES if speaks_for_project(first, tokens) else {}
    if lock is not None and is_proved(record, plan, lock):
        return proof
    proof.borrowed = plan.borrowed
    if not plan.denials and not scopes:
        return proof
    reason = unfit(item) or doubt(first, rerun(run, item))
    for action, together in plan.denials.items():
        _deny(item, run, record, proof, action, together, reason)
    for key, other_scope in scopes.items():
        _exchange_token(item, run, record, proof, key, other_scope, reason)
    return proof


def unfit(item: pytest.Item) -> str:
    """Why a test cannot be run again unseen; "" if it can."""
    if "subtests" in getattr(item, "fixturenames", ()):
        return Phrase("proof.subtests")
    if getattr(getattr(item, "obj", None), "is_hypothesis_test", False):
        return Phrase("proof.hypothesis")
    return ""


def _deny(
    item: pytest.Item,
    run: Run,
    record: TestRecord,
    proof: Proof,
    action: str,
    together: tuple[str, ...],
    reason: str,
) -> None:
    if reason:
        proof.say(action, Verdict(INCONCLUSIVE, reason))
        return
    identifier = request_id()
    with run.state.deny(together, request_id=identifier):
        denied = rerun(run, item, lambda exchange: exchange.injected == identifier)
    verdict = of_denied(denied)
    proof.say(action, verdict)
    if verdict.word == SWALLOWED:
        proof.findings.append(swallowed.denial(record, action, denied.refused[0], item.config.rootpath))


def _exchange_token(
    item: pytest.Item,
    run: Run,
    record: TestRecord,
    proof: Proof,
    key: str,
    other_scope: Callable[..., object],
    reason: str,
) -> None:
    if reason:
        proof.say(key, Verdict(INCONCLUSIVE, reason))
        return
    other = rerun(run, item, lambda exchange: exchange.gate == "scope", other_scope)  # type: ignore[arg-type]
    if _is_all_the_same(other):
        return  # no gate minds the scope of these calls: there is nothing to notice
    verdict = of_denied(other)
    proof.say(key, verdict)
    if verdict.word == SWALLOWED:
        proof.findings.append(swallowed.scope(record, key, other.refused[0], item.config.rootpath))


def _is_all_the_same(other: Rerun) -> bool:
    return other.outcome == "passed" and not other.refused


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
