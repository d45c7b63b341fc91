"""What is known only at the end: stale markers of classes and modules, and of tests whose fixtures clean up late."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud.permissions.declarations import exact_place
from pytest_hwcloud.permissions.finding import Finding, labelled
from pytest_hwcloud.permissions.record import Declaration, TestRecord, Use
from pytest_hwcloud.permissions.rules import lookalikes
from pytest_hwcloud.permissions.rules.by_marker import judge, unused
from pytest_hwcloud.texts import Phrase
from pytest_hwcloud.usercode.fixtures import cleans_up, definitions

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.journal import Journal
    from pytest_hwcloud.permissions.ledger import Ledger

_OURS = frozenset(("hwcloud", "hwcloud_session", "hwcloud_token", "hwcloud_project_token", "hwcloud_domain_token"))


def may_still_call(item: pytest.Item, journal: Journal) -> bool:
    """Whether a fixture of the test may call in its teardown: it cleans up, and has to do with the cloud."""
    called = any(exchange.phase == "setup" for exchange in journal.exchanges)
    return any(called or not _OURS.isdisjoint(one.argnames) for one in definitions(item) if cleans_up(one))


def waits(item: pytest.Item, calling: Collection[str]) -> bool:
    """Whether a wider fixture that made calls cleans up after its last test. calling: the names of such fixtures."""
    if not calling:
        return False
    wider = [one for one in definitions(item) if one.scope != "function" and cleans_up(one)]
    return any(name.partition("[")[0] == f"{one.baseid}::{one.argname}" for one in wider for name in calling)


def late_findings(ledger: Ledger, state: CloudState, root: Path) -> list[Finding]:
    """The findings about markers that had to wait for the last test."""
    uses: dict[str, list[Use]] = {}
    for record, use in ledger.attributed():
        uses.setdefault(record.nodeid, []).append(use)
    return [*_of_tests(ledger, uses, state, root), *_of_nodes(ledger, uses, root)]


def _of_tests(ledger: Ledger, uses: dict[str, list[Use]], state: CloudState, root: Path) -> Iterator[Finding]:
    for nodeid, record in sorted(ledger.records.items()):
        if record.waits:
            told = {Finding.from_dict(row).fingerprint for row in record.findings}
            whole = replace(record, uses=uses.get(nodeid, []), waits=False)
            yield from (one for one in judge(whole, state, root) if one.fingerprint not in told)


def _of_nodes(ledger: Ledger, uses: dict[str, list[Use]], root: Path) -> Iterator[Finding]:
    for declaration, below in _shared(ledger).items():
        if _all_ran(ledger, declaration.node, below):
            made = [use for record in below for use in uses.get(record.nodeid, [])]
            for action in unused(declaration, made):
                yield _stale(declaration, action, below, made, root)


def _shared(ledger: Ledger) -> dict[Declaration, list[TestRecord]]:
    """The markers of classes and modules, with the tests below."""
    found: dict[Declaration, list[TestRecord]] = {}
    for _, record in sorted(ledger.records.items()):
        for declaration in record.declared:
            if not declaration.own:
                found.setdefault(declaration, []).append(record)
    return found


def _all_ran(ledger: Ledger, node: str, below: list[TestRecord]) -> bool:
    """Whether every test below ran to its end: one that did not may be the one that needs the action."""

    def inside(nodeid: str) -> bool:
        return nodeid.startswith((f"{node}::", f"{node}/")) or node in ("", ".")

    there = {nodeid for nodeid in ledger.collected if inside(nodeid)}
    left_out = any(inside(nodeid) for nodeid in ledger.deselected)
    ran = {record.nodeid for record in below if record.outcome == "passed"}
    return bool(ledger.roots) and not left_out and bool(ran) and there <= ran


def _stale(declaration: Declaration, action: str, below: list[TestRecord], made: list[Use], root: Path) -> Finding:
    place, count = exact_place(declaration, action, root), len(below)
    fix = Phrase("findings.fix-marker", action=action)
    return Finding(
        rule="HWP003",
        action=action,
        identity=declaration.identity or below[0].identity,
        test=declaration.node,
        where=place,
        detail=Phrase("findings.never-used-by-tests", place=place, n=count),
        lines=(*lookalikes.nearest(action, made), labelled("fix", fix)),
        fix=fix,
    )
