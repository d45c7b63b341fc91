"""What every report shows: a run's ledger as sorted rows without secrets, absolute paths, times or request ids."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from pytest_hwcloud.cloud.patterns import covers
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.record import Declaration, TestRecord, Use
from pytest_hwcloud.rules import RULES
from pytest_hwcloud.texts import changed, phrases

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.rights import Rights
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.options import Settings
    from pytest_hwcloud.permissions.ledger import Ledger
    from pytest_hwcloud.permissions.lock.model import Lock

Mask = Callable[[str], str]
Row = dict[str, object]


@dataclass(frozen=True, kw_only=True)
class PolicyRow:
    """One policy of an identity; source: a path relative to the rootdir, or `system:NAME`."""

    source: str
    version: str
    statements: int


@dataclass(frozen=True, kw_only=True)
class GrantRow:
    """One action pattern that a statement (from 1) of a policy allows, and the needed actions that it covers."""

    pattern: str
    policy: str
    statement: int
    used: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class IdentityRow:
    """One identity of the run; without policies it is not judged."""

    name: str
    user: str
    policies: tuple[PolicyRow, ...]
    grants: tuple[GrantRow, ...] = ()


@dataclass(frozen=True, kw_only=True)
class TestRow:
    """One test. uses: those of its wider fixtures included."""

    __test__ = False

    nodeid: str
    place: str
    identity: str
    outcome: str
    uses: tuple[Use, ...]
    declared: tuple[Declaration, ...]
    unmapped: tuple[str, ...]
    refusals: tuple[dict[str, str], ...]
    proof: dict[str, str]
    doubts: dict[str, str]  # action -> why its proof is inconclusive

    @property
    def file(self) -> str:
        return self.nodeid.partition("::")[0]


@dataclass(frozen=True, kw_only=True)
class Overview:
    """A whole run. complete: a full green run, nothing left out."""

    settings: Settings
    complete: bool
    collected: int
    deselected: int
    identities: tuple[IdentityRow, ...]
    tests: tuple[TestRow, ...]
    findings: tuple[Finding, ...]
    calls: Mapping[str, int]  # how the calls were judged -> how many; empty without a policy
    needs: Callable[[], Lock] | None = None  # what the run needed, for the smallest policies

    @cached_property
    def open(self) -> tuple[Finding, ...]:
        """The findings that no ignore covers."""
        return tuple(finding for finding in self.findings if not finding.ignored)

    @cached_property
    def rules(self) -> dict[str, int]:
        """How many open findings each rule has."""
        return _counted(finding.rule for finding in self.open)

    @cached_property
    def outcomes(self) -> dict[str, int]:
        return _counted(row.outcome for row in self.tests if row.outcome)

    @cached_property
    def proofs(self) -> dict[str, int]:
        """How many permissions of tests were proved, swallowed, inconclusive."""
        return _counted(verdict for row in self.tests for verdict in row.proof.values())

    def file_of(self, finding: Finding) -> tuple[str, int]:
        """A file that stands for the finding, and its line or 0: the place, else the test's, else the policy's."""
        for text in (finding.where, self._places.get(finding.test, ""), finding.test.partition("::")[0]):
            if text:
                return place(text)
        return self._policies.get(finding.identity, os.path.basename(self.settings.config_file)), 0

    @cached_property
    def _places(self) -> dict[str, str]:
        return {row.nodeid: row.place for row in self.tests}

    @cached_property
    def _policies(self) -> dict[str, str]:
        files = ((row.name, policy.source) for row in self.identities for policy in reversed(row.policies))
        return {name: source for name, source in files if not source.startswith("system:")}


def overview(settings: Settings, ledger: Ledger, state: CloudState, mask: Mask | None = None) -> Overview:
    """The rows of a run; every text has gone through the mask."""
    clean = _Clean(mask, str(settings.root))
    return Overview(
        settings=settings,
        complete=ledger.complete,
        collected=len(ledger.collected or ledger.records),
        deselected=len(ledger.deselected),
        identities=tuple(_identities(state, ledger, clean)),
        tests=tuple(_tests(ledger, clean)),
        findings=tuple(sorted((_finding(found, clean) for found in ledger.findings), key=_finding_order)),
        calls=dict(sorted(ledger.calls.items())),
        needs=lambda: _needs(ledger, state),
    )


def _needs(ledger: Ledger, state: CloudState) -> Lock:
    from pytest_hwcloud.permissions.lock.from_run import needs

    return needs(ledger, {name: state.rights.get(name) for name in state.identities})


def place(text: str) -> tuple[str, int]:
    """`tests/test_it.py:14` as file and line; line 0 where the text has none."""
    file, sign, line = text.rpartition(":")
    return (file, int(line)) if sign and line.isascii() and line.isdigit() else (text, 0)


def level(rule: str) -> str:
    """`error` for what is wrong, `warning` for what wants a decision, `note` for what is only information."""
    return RULES[rule].level


class Words(dict[str, str]):
    """The words of the md and html reports in a language. Names of rules and gates stay as they are."""

    def __init__(self, language: str) -> None:
        super().__init__({name: str(text) for name, text in phrases(language, "report_page").items()})
        self.language = language

    def labelled(self, name: str, value: str) -> str:
        """A word, a colon and what it labels, with the language's own colon."""
        return self["labelled"].format(self[name], value)


class _Clean(dict[str, str]):
    """Text → the same without secrets; remembered, for most texts come many times."""

    def __init__(self, mask: Mask | None, root: str) -> None:
        self.mask, self.root = mask, root

    def __missing__(self, text: str) -> str:
        result = self[text] = self.mask(text) if self.mask else text
        return result

    def phrase(self, text: str) -> str:
        """The same for what may be a phrase, which stays one."""
        return changed(text, self.__getitem__)

    def path(self, text: str) -> str:
        """The same for a path: relative to the rootdir, so that two machines write the same bytes."""
        return self[os.path.relpath(text, self.root).replace(os.sep, "/") if os.path.isabs(text) else text]

    def texts(self, value: object, names: tuple[str, ...], paths: tuple[str, ...] = ()) -> dict[str, str]:
        """The named fields of a value."""
        found = {name: self.phrase(getattr(value, name)) for name in names}
        return found | {name: self.path(getattr(value, name)) for name in paths}


def _identities(state: CloudState, ledger: Ledger, clean: _Clean) -> Iterator[IdentityRow]:
    needed: dict[str, dict[str, set[str]]] = {}  # identity -> action -> all its names
    for record, use in ledger.attributed():
        names = needed.setdefault(use.identity or record.identity, {}).setdefault(use.action, {use.action})
        names.update(use.names)
    for name, identity in sorted(state.identities.items()):
        rights = state.rights.get(name)
        policies = tuple(
            PolicyRow(source=clean.path(one.source), version=one.version, statements=len(one.statements))
            for one in (rights.policies if rights else ())
        )
        grants = tuple(_grants(rights, needed.get(name, {}), clean)) if rights else ()
        yield IdentityRow(name=clean[name], user=clean[identity.user], policies=policies, grants=grants)


def _grants(rights: Rights, needed: Mapping[str, set[str]], clean: _Clean) -> Iterator[GrantRow]:
    for policy in rights.policies:
        for statement in policy.statements:
            for pattern in statement.actions if statement.effect == "allow" and not statement.not_action else ():
                used = sorted(action for action, names in needed.items() if any(covers(pattern, one) for one in names))
                yield GrantRow(
                    pattern=clean[pattern],
                    policy=clean.path(policy.source),
                    statement=statement.index + 1,
                    used=tuple(clean[action] for action in used),
                )


def _tests(ledger: Ledger, clean: _Clean) -> Iterator[TestRow]:
    uses: dict[str, list[Use]] = {}
    for record, use in ledger.attributed():
        uses.setdefault(record.nodeid, []).append(_use(use, clean))
    for nodeid, record in sorted(ledger.records.items()):
        yield _test(record, sorted(uses.get(nodeid, ()), key=_use_order), clean)


def _test(record: TestRecord, uses: list[Use], clean: _Clean) -> TestRow:
    return TestRow(
        nodeid=clean[record.nodeid],
        place=clean.path(record.place),
        identity=clean[record.identity],
        outcome=record.outcome,
        uses=tuple(uses),
        declared=tuple(_declaration(one, clean) for one in record.declared),
        unmapped=tuple(clean[label] for label in sorted(set(record.unmapped))),
        refusals=tuple(sorted((_refusal(row, clean) for row in record.refusals), key=lambda row: sorted(row.items()))),
        proof={clean[action]: verdict for action, verdict in sorted(record.proof.items())},
        doubts={clean[action]: clean.phrase(reason) for action, reason in sorted(record.doubts.items())},
    )


def _refusal(row: dict[str, str], clean: _Clean) -> dict[str, str]:
    return {key: clean.path(value) if key == "where" else clean[value] for key, value in sorted(row.items())}


_USE_PATHS = ("where", "policy")
_USE_TEXTS = tuple(one.name for one in fields(Use) if one.type == "str" and one.name not in _USE_PATHS)


def _use(use: Use, clean: _Clean) -> Use:
    texts: dict[str, Any] = clean.texts(use, _USE_TEXTS, _USE_PATHS)
    # A refusal's request id is new in every run; the nearest statements are in the findings.
    return replace(use, **{**texts, "request_id": "", "nearest": (), "names": ()})


def _use_order(use: Use) -> tuple[object, ...]:
    return (use.identity, use.action, use.call, use.phase, use.where, use.verdict, use.gate, use.code, use.resource)


def _declaration(one: Declaration, clean: _Clean) -> Declaration:
    names = ("actions", "any_of", "optional")
    lists: dict[str, Any] = {name: tuple(clean[action] for action in getattr(one, name)) for name in names}
    texts: dict[str, Any] = clean.texts(one, ("scope", "identity", "code", "node"), ("place",))
    return replace(one, **lists, **texts)


_FINDING_TEXTS = tuple(one.name for one in fields(Finding) if one.type == "str" and one.name != "where")


def _finding(finding: Finding, clean: _Clean) -> Finding:
    texts: dict[str, Any] = clean.texts(finding, _FINDING_TEXTS, ("where",))
    return Finding(**texts, lines=tuple(clean.phrase(line) for line in finding.lines))


def _finding_order(finding: Finding) -> tuple[object, ...]:
    return (finding.rule, finding.action, finding.identity, finding.test, place(finding.where), finding.lines)


def _counted(values: Iterator[str]) -> dict[str, int]:
    return dict(sorted(Counter(values).items()))


def patches(text: str) -> Iterator[tuple[str, str]]:
    """The parts of a paragraph in their order: ("text", lines) or ("patch", lines), the patch without its indent."""
    rows, start, at = text.split("\n"), 0, 0
    while at < len(rows):
        indent = rows[at].removesuffix(rows[at].lstrip())
        following = rows[at + 1] if at + 1 < len(rows) else ""
        if not (rows[at].startswith(f"{indent}--- ") and following.startswith(f"{indent}+++ ")):
            at += 1
            continue
        end = at
        while end < len(rows) and rows[end].startswith(indent) and rows[end][len(indent) :][:1] in set("+-@ \\"):
            end += 1
        if at > start:
            yield "text", "\n".join(rows[start:at])
        yield "patch", "\n".join(row[len(indent) :] for row in rows[at:end])
        start = at = end
    if start < len(rows):
        yield "text", "\n".join(rows[start:])
