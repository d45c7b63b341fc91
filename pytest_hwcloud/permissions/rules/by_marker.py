"""Declared against used: HWP002, HWP003, HWP018, and HWP005 where the marker names a scope."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.policies.rights import Place
from pytest_hwcloud.permissions.declarations import exact_place, is_used, speaks_of
from pytest_hwcloud.permissions.finding import Finding, calls, labelled, of_identity
from pytest_hwcloud.permissions.record import Declaration, TestRecord, Use
from pytest_hwcloud.permissions.rules import fixes, lookalikes
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState


def judge(record: TestRecord, state: CloudState, root: Path) -> Iterator[Finding]:
    """The findings about the markers of one test."""
    if not record.declared:
        return
    test = _Test(record=record, uses=own_uses(record), state=state, root=root)
    yield from _undeclared_and_stale(test)
    for declaration in record.declared:
        if declaration.kind == "denied":
            for action in declaration.actions:
                yield from _over(test, declaration, action)
    yield from _other_scope(test)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Test:
    """A test that is judged. uses: its own. root: where the test files are."""

    record: TestRecord
    uses: Sequence[Use]
    state: CloudState
    root: Path


def own_uses(record: TestRecord) -> list[Use]:
    """The uses of the test: not those of a wider fixture that is not its own but was torn down with it."""
    return [use for use in record.uses if not use.fixture or use.fixture in record.fixtures]


def _undeclared_and_stale(test: _Test) -> Iterator[Finding]:
    record, uses = test.record, test.uses
    missing = undeclared(record, uses)
    stale = [] if record.outcome != "passed" or record.waits else list(stale_actions(record, uses))
    pairs = lookalikes.pairs([action for _, action in stale], missing)
    others = {pairs[one]: row.identity for row, one in stale if one in pairs and actions.same(one, pairs[one])}
    marker = fixes.marker(record.declared, [action for _, action in stale], list(missing))
    for action, used in missing.items():
        twins = [one for one, other in pairs.items() if other == action]
        lines = lookalikes.table(twins, action, used[0]) if twins else [calls(used)[0]]
        fix = marker
        if action in others:
            lines = [calls(used)[0], *lookalikes.identities(others[action], used[0])]
            fix = fixes.identity(others[action])
        yield Finding(
            rule="HWP002",
            action=action,
            identity=used[0].identity,
            test=record.nodeid,
            where=used[0].where or record.place,
            detail=Phrase("findings.used-by", call=used[0].call),
            lines=(*lines, labelled("fix", fix)),
            fix=fix,
            block=action,
        )
    for declaration, action in stale:
        twin = pairs.get(action)
        if twin is None:
            told: tuple[list[str], str] = lookalikes.nearest(action, uses), Phrase("findings.fix-marker", action=action)
        else:
            fix = fixes.identity(others[twin]) if twin in others else marker
            told = _beside(declaration, action, missing[twin][0]), fix
        yield _stale(test, declaration, action, twin or "", told)


def _beside(declaration: Declaration, action: str, use: Use) -> list[str]:
    """A stale action and the use that it was probably written for."""
    if actions.same(use.action, action):
        return [calls([use])[0], *lookalikes.identities(declaration.identity, use)]
    return lookalikes.table([action], use.action, use)


def undeclared(record: TestRecord, uses: Sequence[Use]) -> dict[str, list[Use]]:
    """The actions that no marker of the test speaks of, with their uses; none for a test without such a marker."""
    if record.outcome == "skipped" or not any(row.kind == "requires" for row in record.declared):
        return {}
    found: dict[str, list[Use]] = {}
    for use in uses:
        covered = use.dependency or use.implicit or (use.refused and use.expected)
        names = use.names or (use.action.lower(),)
        if not covered and not any(speaks_of(row, names, use.identity) for row in record.declared):
            found.setdefault(use.action, []).append(use)
    return found


def stale_actions(record: TestRecord, uses: Sequence[Use]) -> Iterator[tuple[Declaration, str]]:
    """What the test's own markers declare and no call needs; of `any_of` the first, if none is used."""
    for declaration in record.declared:
        if declaration.own:
            yield from ((declaration, action) for action in unused(declaration, uses))


def unused(declaration: Declaration, uses: Sequence[Use]) -> Iterator[str]:
    """The actions of a marker that none of these uses needs."""
    for action in declaration.actions:
        if not is_used(declaration, action, uses):
            yield action
    if declaration.any_of and not any(is_used(declaration, action, uses) for action in declaration.any_of):
        yield declaration.any_of[0]


def _stale(test: _Test, declaration: Declaration, action: str, block: str, told: tuple[list[str], str]) -> Finding:
    place, (lines, fix) = exact_place(declaration, action, test.root), told
    return Finding(
        rule="HWP003",
        action=action,
        identity=test.record.identity,
        test=test.record.nodeid,
        where=place,
        detail=Phrase("findings.never-used", place=place),
        lines=(*lines, labelled("fix", fix)),
        fix=fix,
        block=block,
    )


def _over(test: _Test, declaration: Declaration, action: str) -> Iterator[Finding]:
    made = [use for use in test.uses if not use.dependency and is_used(declaration, action, [use])]
    passed = [use for use in made if not use.refused]
    otherwise = [use for use in made if use.gate == "authorization" and _other_code(declaration, use)]
    for group in (passed, otherwise):
        if group:
            told = fixes.over(group[0], declaration, test.state, test.root)
            yield _over_finding(test.record, action, group, told)
    if not made and test.record.outcome == "passed":
        yield from _allowed_anyway(test, declaration, action)


def _other_code(declaration: Declaration, use: Use) -> bool:
    return bool(declaration.code) and use.code.lower() != declaration.code.lower()


def _over_finding(record: TestRecord, action: str, group: Sequence[Use], told: tuple[str, str]) -> Finding:
    use, (decision, fix) = group[0], told
    return Finding(
        rule="HWP018",
        action=action,
        identity=use.identity,
        test=record.nodeid,
        where=use.where or record.place,
        detail=of_identity(use.identity),
        lines=(*calls(group), labelled("decision", decision), labelled("fix", fix)),
        fix=fix,
    )


def _allowed_anyway(test: _Test, declaration: Declaration, action: str) -> Iterator[Finding]:
    """The test makes no such call, but by the policy it would pass."""
    record, state, root = test.record, test.state, test.root
    identity = declaration.identity or record.identity
    rights = state.rights.get(identity)
    decision = rights.decide(action, Place(scope="unknown")) if rights is not None else None
    if decision:
        statement = -1 if decision.statement is None else decision.statement
        policy = (decision.policy or "").removeprefix(f"{root.as_posix()}/")
        use = Use(action=action, call="", identity=identity, verdict="allow", policy=policy, statement=statement)
        text, fix = fixes.over(use, declaration, state, root)
        yield Finding(
            rule="HWP018",
            action=action,
            identity=identity,
            test=record.nodeid,
            where=record.place,
            detail=of_identity(identity),
            lines=(labelled("decision", text), labelled("fix", fix)),
            fix=fix,
        )


def _other_scope(test: _Test) -> Iterator[Finding]:
    """A marker with `scope=` speaks of calls with a token; AK/SK has no scope."""
    told: set[tuple[str, str]] = set()
    for declaration in test.record.declared:
        for use in test.uses:
            differs = declaration.scope and use.token_scope not in ("", declaration.scope) and use.gate != "scope"
            spoken = differs and not use.dependency and speaks_of(declaration, use.names, use.identity)
            if spoken and (spoken, use.token_scope) not in told:
                told.add((spoken, use.token_scope))
                yield _scope(test.record, declaration, spoken, use, test.root)


def _scope(record: TestRecord, declaration: Declaration, action: str, use: Use, root: Path) -> Finding:
    place = exact_place(declaration, action, root)
    argument = "domain=True" if declaration.scope == "domain" else "project=…"
    wanted, given = (Phrase(f"decisions.scope-{scope}") for scope in (declaration.scope, use.token_scope))
    fix = Phrase("findings.fix-scope-of-marker", kind=wanted, call=f"hwcloud_token({argument})")
    return Finding(
        rule="HWP005",
        action=action,
        identity=use.identity,
        test=record.nodeid,
        where=use.where or place,
        detail=Phrase("findings.scope-of-marker", kind=given, place=place, scope=declaration.scope),
        lines=(*calls([use]), labelled("fix", fix)),
        fix=fix,
    )
