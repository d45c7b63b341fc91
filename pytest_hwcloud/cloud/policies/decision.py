"""What a policy says to one question: allow, deny or unknown, the statement that made it, or why none did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.patterns import AskedResource
    from pytest_hwcloud.cloud.policies.conditions import Context
    from pytest_hwcloud.cloud.policies.evaluation import Judge, Rule


# The question behind a decision (judge, action, resource, context), kept so that its words are made only if read.
Asked: TypeAlias = "tuple[Judge, str, AskedResource, Context | None]"


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


class Decision:
    """The answer to one question; true only for allow.

    effect: "allow", "deny" or "unknown". statement: index from 0 of the statement that decided, in the policy named by
    `policy`; None for the implicit deny and for what no policy decided. explicit: a Deny statement decided.
    """

    __slots__ = ("_asked", "_reason", "_rule", "effect")

    def __init__(
        self, effect: str, rule: Rule | None = None, asked: Asked | None = None, reason: str | None = None
    ) -> None:
        self.effect = effect
        self._rule = rule
        self._asked = asked
        self._reason = reason

    @property
    def statement(self) -> int | None:
        return self._rule.statement.index if self._rule else None

    @property
    def policy(self) -> str | None:
        """The name or file of the policy whose statement decided."""
        return self._rule.statement.policy if self._rule else None

    @property
    def explicit(self) -> bool:
        """Was it a Deny statement (and not the lack of an Allow)?"""
        return self.effect == "deny" and self._rule is not None

    @property
    def perhaps_denied(self) -> bool:
        """Is it unknown because a Deny statement may meet?"""
        return self.effect == "unknown" and self._rule is not None and self._rule.denies

    @property
    def reason(self) -> str:
        """The decision in words."""
        if self._reason is None:
            from pytest_hwcloud.cloud.policies import reasons as why

            self._reason = why.reason(self.effect, self._rule, self._asked) if self._asked else self.effect
        return self._reason

    @property
    def nearest(self) -> tuple[Considered, ...]:
        """The statements that came closest, in the order of their policies; why each did not match."""
        if self._asked is None:
            return ()
        from pytest_hwcloud.cloud.policies import reasons as why

        return why.nearest(self._asked)

    @property
    def considered(self) -> int:
        """How many statements were looked at."""
        return len(self._asked[0].rules) + len(self._asked[0].others) if self._asked else 0

    def because(self, reason: str) -> Decision:
        """The same decision with other words."""
        return Decision(self.effect, self._rule, self._asked, reason)

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


def undecided(reason: str) -> Decision:
    """Unknown, for a reason that lies outside every policy (a call that no table knows)."""
    return Decision("unknown", reason=reason)
