"""HWP019: a policy is in force, and a call was judged by none of them. One finding a test and cause.

A key or token that belongs to no identity of the run, credentials of another kind, and a signature that cannot be
checked are findings. An identity without a policy is not: it is counted, and the count is shown.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.gates.authentication import UNVERIFIED
from pytest_hwcloud.permissions.finding import Finding, labelled, places
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.journal import Exchange
    from pytest_hwcloud.permissions.record import TestRecord

JUDGED, UNDECIDED, WITHOUT_POLICY = "judged", "undecided", "without-policy"
FINDINGS = ("foreign-key", "foreign-token", "foreign-scheme", "unchecked-signature")
_FOREIGN = {"aksk": "foreign-key", "token": "foreign-token"}
_BEFORE = ("network", "authentication", "scope")  # refused there, before any policy is asked


def kind_of(exchange: Exchange) -> str:
    """How a call was judged: a cause of `FINDINGS`, or one of the three others; "" for one that no policy is about."""
    if exchange.gate in _BEFORE or exchange.fault is not None or exchange.injected:
        return ""
    if UNVERIFIED in exchange.notes:
        unasked = exchange.call.known and not exchange.call.required
        if unasked:
            return ""
        return "unchecked-signature" if exchange.identity else _FOREIGN.get(exchange.credential, "foreign-scheme")
    if exchange.decision is not None:
        return JUDGED if exchange.decision.effect in ("allow", "deny") else UNDECIDED
    return "" if exchange.credential == "none" else WITHOUT_POLICY


def judge(record: TestRecord) -> Iterator[Finding]:
    """The findings of one test."""
    for cause in FINDINGS:
        rows = [row for row in record.unjudged if row["cause"] == cause]
        if not rows:
            continue
        fix = Phrase(f"permissions.unjudged.{cause}.fix")
        yield Finding(
            rule="HWP019",
            action=cause,
            identity=rows[0]["identity"],
            test=record.nodeid,
            where=rows[0]["where"] or record.place,
            detail=Phrase(f"permissions.unjudged.{cause}.detail"),
            lines=(
                *places([(row["call"], row["where"]) for row in rows]),
                labelled("why", Phrase(f"permissions.unjudged.{cause}.why")),
                labelled("fix", fix),
            ),
            fix=fix,
        )


def count(calls: Mapping[str, int]) -> list[str]:
    """`calls: 41 judged by policy · 3 not judged (3 by an identity without a policy)`; no line without a policy."""
    if not calls:
        return []
    causes = [(cause, calls[cause]) for cause in (*FINDINGS, WITHOUT_POLICY) if calls.get(cause)]
    parts = [texts.say("permissions.calls.judged", n=calls.get(JUDGED, 0))]
    if calls.get(UNDECIDED):
        parts.append(texts.say("permissions.calls.undecided", n=calls[UNDECIDED]))
    if causes:
        reasons = [texts.say(f"permissions.unjudged.{cause}.count", n=number) for cause, number in causes]
        total, between = sum(number for _, number in causes), texts.say("permissions.calls.between")
        parts.append(texts.say("permissions.calls.unjudged", n=total, reasons=between.join(reasons)))
    return [texts.say("permissions.calls.line", parts=" · ".join(parts))]
