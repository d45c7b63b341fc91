"""What one test needed and declared, as plain data that travels from an xdist worker to the controller."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pytest_hwcloud import texts


@dataclass(frozen=True, kw_only=True)
class Use:
    """One permission that a call of the test needed.

    action: canonical name. call: "GET ecs /v1/{project_id}/cloudservers/detail". where: "file:line" or "".
    verdict: allow, deny, unknown, or "" where the identity has no policy. refused: by the gate or the service.
    dependency: needed through a documented dependency. fixture: "baseid::name" of the wider fixture that called.
    """

    action: str
    call: str
    identity: str = "default"
    where: str = ""
    verdict: str = ""
    policy: str = ""
    statement: int = -1
    reason: str = ""
    nearest: tuple[str, ...] = ()  # lines of the decision for the text of HWP001
    missing: tuple[str, ...] = ()  # condition keys that were not given, where that is why it is unknown
    resource_missing: bool = False  # unknown because the request does not name the resource
    refused: bool = False
    injected: bool = False
    expected: bool = (
        False  # the refusal was asked for (pytest.raises, hwcloud.refused, denied_permission, an assertion)
    )
    code: str = ""
    gate: str = ""
    request_id: str = ""
    credential: str = ""
    phase: str = "call"
    fixture: str = ""
    dependency: bool = False
    resource: str = ""
    names: tuple[str, ...] = ()  # lower case: every name by which a marker may speak of it
    token_scope: str = ""  # project or domain, of a call with a token
    implicit: bool = False  # a look-up that a client made by itself: a need of the identity, not of the test
    outlived: bool = False  # refused, though the identity has the right by now: the token is older than the grant


@dataclass(frozen=True, kw_only=True)
class Declaration:
    """One permission marker of a test. own: on the test, not on its class or module."""

    kind: str
    actions: tuple[str, ...]
    any_of: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    scope: str = ""
    identity: str = ""
    code: str = ""
    own: bool = True
    place: str = ""  # "file:line" of the marked test
    node: str = ""  # id of the class or module that carries it, or of the test


@dataclass(kw_only=True)
class TestRecord:
    """What one test needed, declared, and the proof's results. outcome: passed, failed, skipped, xfailed, error."""

    __test__ = False  # no test class, whatever pytest thinks of its name

    nodeid: str
    place: str = ""
    identity: str = "default"
    outcome: str = ""
    uses: list[Use] = field(default_factory=list)
    unmapped: list[str] = field(default_factory=list)  # labels of calls that no table knows
    open_calls: list[dict[str, str]] = field(default_factory=list)  # the same with identity, where, why
    calls: dict[str, int] = field(default_factory=dict)  # how its calls were judged -> how many (rules.unjudged_calls)
    unjudged: list[dict[str, str]] = field(default_factory=list)  # calls under a policy that none judged: HWP019
    lookups: list[dict[str, str]] = field(default_factory=list)  # calls that a client made by itself: HWP020
    declared: list[Declaration] = field(default_factory=list)
    refusals: list[dict[str, str]] = field(
        default_factory=list
    )  # every refusal: call, code, gate, source, where, expected
    findings: list[dict[str, Any]] = field(default_factory=list)
    proof: dict[str, str] = field(default_factory=dict)  # action -> proved, swallowed, inconclusive
    doubts: dict[str, str] = field(default_factory=dict)  # action -> why its proof is inconclusive
    fixtures: list[str] = field(default_factory=list)  # "baseid::name" of the wider fixtures in the test's closure
    waits: bool = False  # one of these made calls and cleans up only after its last test

    def to_dict(self) -> dict[str, Any]:
        """Plain dicts, lists, texts and numbers only: anything else makes a failing `-n 2` run exit 0."""
        return {
            **vars(self),
            "uses": [texts.plain(vars(use)) for use in self.uses],
            "open_calls": texts.plain(self.open_calls),
            "declared": [texts.plain(vars(declaration)) for declaration in self.declared],
            "findings": texts.plain(self.findings),
            "doubts": texts.plain(self.doubts),
        }

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> TestRecord:
        """The record that `to_dict` wrote."""
        values = dict(found)
        values["uses"] = [_use(row) for row in values.get("uses", ())]
        values["declared"] = [_declaration(row) for row in values.get("declared", ())]
        values["open_calls"] = texts.revived(values.get("open_calls", []))
        values["doubts"] = texts.revived(values.get("doubts", {}))
        return cls(**values)


def _use(row: Mapping[str, Any]) -> Use:
    return Use(**_tuples(row))


def _declaration(row: Mapping[str, Any]) -> Declaration:
    return Declaration(**_tuples(row))


def _tuples(row: Mapping[str, Any]) -> dict[str, Any]:
    return {key: tuple(value) if isinstance(value, list) else value for key, value in texts.revived(row).items()}
