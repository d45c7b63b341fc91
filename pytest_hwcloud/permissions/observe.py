"""The record of one test: its markers, and what each of its calls needed, was allowed and got as an answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.journal import IMPLICIT
from pytest_hwcloud.permissions import decisions
from pytest_hwcloud.permissions.declarations import declarations, identity_of, names_of, place, speaks_of
from pytest_hwcloud.permissions.ledger import once
from pytest_hwcloud.permissions.record import Declaration, TestRecord, Use
from pytest_hwcloud.permissions.refusals import refusal
from pytest_hwcloud.permissions.rules.unjudged_calls import FINDINGS, WITHOUT_POLICY, kind_of
from pytest_hwcloud.texts import Phrase
from pytest_hwcloud.usercode.fixtures import definitions

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call
    from pytest_hwcloud.cloud.policies.decision import Decision
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.journal import Exchange, Journal
    from pytest_hwcloud.permissions.refusals import Watch


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What of the run a record needs. fixture_uses: of wider fixtures in this process, which later tests need too.

    under_policy: whether any identity of the run has a policy, so that a call that none judged is worth a word.
    """

    state: CloudState
    fixture_uses: dict[str, list[Use]]
    under_policy: bool = False


def observe(
    item: pytest.Item, journal: Journal, outcome: str, around: Surroundings, watch: Watch | None = None
) -> TestRecord:
    """What the test has done so far. watch: what was seen while its calls were refused."""
    record = TestRecord(
        nodeid=item.nodeid,
        place=place(item),
        identity=identity_of(item),
        outcome=outcome,
        declared=declarations(item),
        fixtures=wider_fixtures(item),
    )
    observer = _Observer(item.config.rootpath, around.state, watch, record)
    for exchange in list(journal.exchanges):
        observer.see(exchange)
        if around.under_policy:
            observer.count(exchange)
    record.uses = once(record.uses)
    _share(record, around.fixture_uses)
    return record


def wider_fixtures(item: pytest.Item) -> list[str]:
    """`baseid::name` of the fixtures of class, module, package or session scope that this test has."""
    used: Mapping[str, object] = getattr(getattr(item, "_request", None), "_fixture_defs", {})  # by getfixturevalue too
    callspec = getattr(item, "callspec", None)
    names = {
        f"{definition.baseid}::{definition.argname}{_row(callspec, definition.argname)}"
        for definition in (*definitions(item), *used.values())
        if isinstance(definition, pytest.FixtureDef) and definition.scope != "function"
    }
    return sorted(names)


def _row(callspec: object, name: str) -> str:
    """Which parameter of a fixture the test has, in the words of the journal (routers.parameter_of)."""
    params: Mapping[str, object] = getattr(callspec, "params", {})
    if name not in params:
        return ""
    value = params[name]
    if isinstance(value, str | int | float | None) and value != "":
        return f"[{value}]"
    return f"[{getattr(callspec, 'indices', {}).get(name, 0)}]"


def _share(record: TestRecord, shared: dict[str, list[Use]]) -> None:
    for use in record.uses:
        if use.fixture:
            shared[use.fixture] = once([*shared.get(use.fixture, ()), use])
    borrowed = [use for name in record.fixtures for use in shared.get(name, ())]
    record.uses = once([*record.uses, *borrowed]) if borrowed else record.uses


class _Observer:
    """Reads exchanges into a record."""

    def __init__(self, root: Path, state: CloudState, watch: Watch | None, record: TestRecord) -> None:
        self.root, self.state, self.watch, self.record = root, state, watch, record

    def see(self, exchange: Exchange) -> None:
        """One call: what it needed, or that this is unknown; and its refusal."""
        call = exchange.call
        implicit = IMPLICIT in exchange.notes
        if implicit:
            row = {"call": call.label, "identity": exchange.identity or "", "where": self._where(exchange)}
            self.record.lookups.append(row)
        expected = bool(exchange.gate) and self._expected(exchange, call)
        if not call.mapped:
            if (
                exchange.source != "identity service" and not implicit
            ):  # what one asks IAM about oneself is open to everybody
                self._unmapped(exchange, call)
        elif call.required:
            self.record.uses.extend(self._uses(exchange, call, expected))
        if exchange.gate:
            where = self._where(exchange)
            self.record.refusals.append(refusal(exchange, where, self.state, expected=expected))

    def count(self, exchange: Exchange) -> None:
        """How the call was judged; a row for one that no policy judged."""
        kind = kind_of(exchange)
        if kind:
            self.record.calls[kind] = self.record.calls.get(kind, 0) + 1
        if kind in FINDINGS or kind == WITHOUT_POLICY:
            where = self._where(exchange)
            row = {"cause": kind, "call": exchange.call.label, "identity": exchange.identity or "", "where": where}
            self.record.unjudged.append(row)

    def _unmapped(self, exchange: Exchange, call: Call) -> None:
        if call.label not in self.record.unmapped:
            self.record.unmapped.append(call.label)
            why = _ambiguity(call) if call.candidates else ""
            row = {"call": call.label, "identity": exchange.identity or "", "where": self._where(exchange), "why": why}
            if call.service and not call.candidates:
                from pytest_hwcloud.cloud.calls.calls import row_to_paste

                row["row"] = row_to_paste(call)
            self.record.open_calls.append({**row, "judged": "yes" if exchange.decision is not None else ""})

    def _expected(self, exchange: Exchange, call: Call) -> bool:
        if self.record.outcome == "xfailed" or exchange.injected or (self.watch and self.watch.expected(exchange)):
            return True
        denied = [declaration for declaration in self.record.declared if declaration.kind == "denied"]
        names = frozenset(name for action in decisions.needed(call) for name in names_of(call, action))
        return exchange.gate == "authorization" and any(_denies(row, names, exchange.identity or "") for row in denied)

    def _uses(self, exchange: Exchange, call: Call, expected: bool) -> Iterator[Use]:
        for action in decisions.needed(call):
            decision = decisions.of_action(exchange, action, self.state)
            yield self._use(exchange, action, decision, expected=expected)
        for action in call.dependencies:
            decision = None if exchange.gate else decisions.of_dependency(exchange, action, self.state)
            yield self._use(exchange, action, decision, dependency=True)

    def _use(
        self,
        exchange: Exchange,
        action: str,
        decision: Decision | None,
        *,
        expected: bool = False,
        dependency: bool = False,
    ) -> Use:
        call, refused = exchange.call, bool(exchange.gate) and not dependency
        failure = exchange.failure if refused else None
        return Use(
            action=decisions.named(action),
            call=call.label,
            identity=exchange.identity or "",
            where=self._where(exchange),
            **decisions.words(decision, self.root),
            refused=refused,
            injected=bool(exchange.injected) and not dependency,
            expected=expected,
            code=(failure.code or "") if failure else "",
            gate=(exchange.gate or "") if refused else "",
            request_id=(failure.request_id or "") if failure else "",
            credential=exchange.credential,
            phase=exchange.phase,
            fixture=exchange.fixture or "",
            dependency=dependency,
            names=tuple(sorted(names_of(None if dependency else call, action))),
            implicit=IMPLICIT in exchange.notes and not dependency,
            token_scope=exchange.token.scope.kind if exchange.token else "",
            outlived=refused and self.watch is not None and self.watch.outlived(exchange),
        )

    def _where(self, exchange: Exchange) -> str:
        return "" if exchange.where is None else f"{_shown(exchange.where[0], self.root)}:{exchange.where[1]}"


def _ambiguity(call: Call) -> Phrase:
    names = texts.joined("decisions.either", call.candidates)
    return Phrase("findings.ambiguous", names=names, tests=call.decided_by)


@lru_cache(maxsize=256)
def _shown(name: str, root: Path) -> str:
    file = Path(name)
    return (file.relative_to(root) if file.is_relative_to(root) else file).as_posix()


def _denies(declaration: Declaration, names: frozenset[str], identity: str) -> bool:
    return speaks_of(declaration, names, identity) is not None
