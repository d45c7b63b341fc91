"""A policy's answer to one question: allow, deny or unknown, the statement that made it, or why none did."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

from pytest_hwcloud.cloud.policies.documents import Statement
from pytest_hwcloud.texts import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Considered:
    """One statement that was looked at.

    statement: its index from 0. effect: allow or deny. text: its nearest actions. why: `no: …`, `perhaps: …` or `yes`.
    """

    policy: str
    statement: int
    effect: str
    text: str
    why: str


class Reasons(Protocol):
    """The words behind a decision; whoever decided hands them over, and they are made only if read."""

    @property
    def sentence(self) -> str: ...

    @property
    def nearest(self) -> tuple[Considered, ...]: ...

    @property
    def considered(self) -> int: ...

    @property
    def missing(self) -> tuple[str, ...]: ...

    @property
    def resource_missing(self) -> bool: ...


class Decision:
    """The answer to one question; true only for allow.

    effect: "allow", "deny" or "unknown". statement: index from 0 of the statement that decided, in the policy named by
    `policy`; None for the implicit deny and for what no policy decided. explicit: a Deny statement decided.
    """

    __slots__ = ("_reason", "_reasons", "_statement", "bounds", "effect")

    def __init__(
        self,
        effect: str,
        statement: Statement | None = None,
        reasons: Reasons | None = None,
        reason: Callable[[], str] | None = None,
    ) -> None:
        """reason: gives the words of a decision that no statement made, when somebody reads them."""
        self.effect = effect
        self.bounds = False  # whether it is that of a service control policy, which the identity's own would not make
        self._statement = statement
        self._reasons = reasons
        self._reason: str | Callable[[], str] | None = reason

    @property
    def statement(self) -> int | None:
        return self._statement.index if self._statement else None

    @property
    def policy(self) -> str | None:
        """The name or file of the policy whose statement decided."""
        return self._statement.policy if self._statement else None

    @property
    def explicit(self) -> bool:
        """Was it a Deny statement (and not the lack of an Allow)?"""
        return self.effect == "deny" and self._statement is not None

    @property
    def perhaps_denied(self) -> bool:
        """Is it unknown because a Deny statement may meet?"""
        return self.effect == "unknown" and self._statement is not None and self._statement.effect == "deny"

    @property
    def reason(self) -> str:
        """The decision in words: a phrase, which can be shown in any language."""
        if callable(self._reason):
            self._reason = self._reason()
        if self._reason is None:
            self._reason = self._reasons.sentence if self._reasons else self.effect
        return self._reason

    @property
    def nearest(self) -> tuple[Considered, ...]:
        """The statements that came closest, in the order of their policies; why each did not match."""
        return self._reasons.nearest if self._reasons else ()

    @property
    def considered(self) -> int:
        """How many statements were looked at."""
        return self._reasons.considered if self._reasons else 0

    @property
    def missing(self) -> tuple[str, ...]:
        """The condition keys that were not given, as the policies write them, where that is why it is unknown."""
        return self._reasons.missing if self._reasons and self.effect == "unknown" else ()

    @property
    def resource_missing(self) -> bool:
        """Is it unknown because of the resource?"""
        return self._reasons is not None and self.effect == "unknown" and self._reasons.resource_missing

    def bounding(self) -> Decision:
        """The same decision as that of the service control policy that bounds the identity."""
        bound = Decision(
            self.effect, self._statement, self._reasons, lambda: Phrase("decisions.bounded", reason=self.reason)
        )
        bound.bounds = True
        return bound

    def __bool__(self) -> bool:
        return self.effect == "allow"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Decision):
            return NotImplemented
        return (self.effect, self.statement, self.policy) == (other.effect, other.statement, other.policy)

    def __hash__(self) -> int:
        return hash((self.effect, self.statement, self.policy))

    def __repr__(self) -> str:
        return f"Decision({self.effect!r}, statement={self.statement}, policy={self.policy!r}, reason={self.reason!r})"


def undecided(reason: Callable[[], str]) -> Decision:
    """Unknown, for a reason that lies outside every policy (a call that no table knows)."""
    return Decision("unknown", reason=reason)


def headline(decision: Decision) -> Phrase:
    """`deny (implicit): no statement allows it; 2 statements looked at`."""
    return Phrase(f"decisions.{decision.effect}{'-explicit' * decision.explicit}", reason=decision.reason)


def considered(decision: Decision) -> Iterator[str]:
    """One line a statement that came closest, in columns, numbered from 1; its policy's name where there are several.

    `1 allow ecs:*:list*  no: "get" does not match`.
    """
    shown = decision.nearest
    several = len({entry.policy for entry in shown}) > 1
    rows = [(_place(entry, several), f"{entry.effect} {entry.text}", entry.why) for entry in shown]
    places, texts = (max((len(row[column]) for row in rows), default=0) for column in (0, 1))
    for place, text, why in rows:
        yield Phrase("decisions.statement", row=f"{place:<{places}} {text:<{texts}}", why=why)


def _place(entry: Considered, several: bool) -> str:
    number = str(entry.statement + 1)
    return f"{entry.policy} {number}" if several else number


_RANK = {"deny": 0, "unknown": 1, "allow": 2}


def rank(decision: Decision) -> int:
    """How good a decision is for who asks: deny below unknown below allow."""
    return _RANK[decision.effect]


def sum_of_ways(ways: Sequence[Sequence[tuple[str, Decision]]]) -> tuple[str, Decision]:
    """One decision on a call that has several ways, each a set of actions; with the action that made it.

    An explicit deny of any action decides; else the best way, each as good as its worst action. An allow beside which
    a deny stands that perhaps applies is unknown.
    """
    every = [pair for way in ways for pair in way]
    for pair in every:
        if pair[1].explicit:
            return pair
    best = max((min(way, key=_rank_of_pair) for way in ways), key=_rank_of_pair)
    doubted = next((pair for pair in every if pair[1].perhaps_denied), None)
    return doubted if best[1] and doubted else best


def _rank_of_pair(pair: tuple[str, Decision]) -> int:
    return _RANK[pair[1].effect]
