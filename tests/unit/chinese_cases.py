"""Findings as the rules make them, every rule in every form of its text, for the tests of the Chinese."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import test_findings
from lock_world import SHOW, TAGS, World, full, part, record, use
from test_findings import DENIES, LIST, STALE, WANTS
from test_findings import MISSING as MISSING_IN_WORDS

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.calls.request_tests import describe
from pytest_hwcloud.cloud.policies.decision import considered, headline
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Grant, Place, Rights
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.proof.verdict import swallowed_denial, swallowed_scope
from pytest_hwcloud.permissions.record import TestRecord, Use
from pytest_hwcloud.permissions.rules import by_gate, negative_tests, shared_markers
from pytest_hwcloud.permissions.rules.judge import judge, judge_policies
from pytest_hwcloud.texts import Phrase

REGION = "cn-north-4"
DETAIL = "GET ecs /v1/{project_id}/cloudservers/detail"
ROW = {
    "call": DETAIL, "action": "ecs:cloudServers:list", "code": "Common.0018", "gate": "scope", "source": "gate",
    "where": "a.py:14", "expected": "", "injected": "", "identity": "default", "credential": "token", "status": "400",
    "message": "tenantId in token is not the same with in URL.", "token_scope": "domain", "token_id": "0503dda8…",
    "service": "ecs", "service_scope": "regional", "project": "05041fff…", "project_name": REGION, "allowed": "yes",
    "statement": "1", "fixture": "",
}  # fmt: skip
EXCHANGE = SimpleNamespace(
    identity="default", call=SimpleNamespace(label=TAGS), status=403, where=("a.py", 8),
    failure=SimpleNamespace(code="TMS.0016", message="Insufficient permission."),
)  # fmt: skip
MISSING = replace(MISSING_IN_WORDS, reason=Phrase("decisions.deny", reason=Phrase("decisions.none", n=1)))
LOGIN = replace(LIST, token_scope="domain")


def state(*policies: Policy | Grant, bound: Policy | None = None) -> CloudState:
    return CloudState(region=REGION, rights={"default": Rights.of(policies, bound)} if policies else {})


def policy(*statements: Mapping[str, object], version: str = "1.1", name: str = "iam/r.json") -> Policy:
    return Policy.load({"Version": version, "Statement": list(statements)}, name=name)


def allow(*actions: str, **more: object) -> dict[str, object]:
    return {"Effect": "Allow", "Action": list(actions), **more}


def found(*uses: Use, where: CloudState | None = None, **more: object) -> list[Finding]:
    return judge(test_findings.record(*uses, **more), where or state())  # type: ignore[arg-type]


def gates(**more: str) -> list[Finding]:
    return list(by_gate.judge(TestRecord(nodeid="a.py::t", refusals=[{**ROW, **more}])))


def unmapped(why: str = "") -> list[Finding]:
    row = {"call": "POST ecs /v1/x", "identity": "default", "where": "a.py:3", "why": why, "judged": "yes"}
    return list(by_gate.judge(TestRecord(nodeid="a.py::t", open_calls=[row])))


def decided(where: CloudState, **asked: object) -> Use:
    """A call that was judged by these policies."""
    place = {key: asked.pop(key) for key in ("scope", "project_id") if key in asked}
    decision = where.rights["default"].decide("ecs:cloudServers:list", Place(**place), **asked)  # type: ignore[arg-type]
    told = {"reason": headline(decision), "nearest": tuple(considered(decision))}
    number = -1 if decision.statement is None else decision.statement
    return replace(LIST, verdict=decision.effect, policy=decision.policy or "", statement=number, **told)


def judged(where: CloudState, declared: object = (WANTS,), **asked: object) -> list[Finding]:
    return found(decided(where, **asked), where=where, declared=declared)


def lint(folder: Path, *statements: Mapping[str, object], version: str = "1.1") -> list[Finding]:
    file = folder / "r.json"
    file.write_text(json.dumps({"Version": version, "Statement": list(statements)}))
    return judge_policies(state(Policy.load(file)), folder)


def _told_apart() -> str:
    """What tells the operations of a call apart: body key os-start or os-stop | body os-x.type = x, query ?acl."""
    tests = ({"body_key": ["os-start", "os-stop"]}, {"body": {"os-x.type": "x"}, "query": ["acl"]})
    return texts.joined("requests.apart", [describe(test) for test in tests])


def shared() -> list[Finding]:
    marker = replace(WANTS, own=False, node="a.py::T", actions=("vpc:ports:get",))
    ledger = Ledger(
        [TestRecord(nodeid=f"a.py::T::{name}", outcome="passed", uses=[LIST], declared=[marker]) for name in "ab"]
    )
    return shared_markers.late_findings(ledger, state(), Path())


def recorded(**more: str) -> list[Finding]:
    row = {
        **ROW,
        "source": "ecs/x",
        "gate": "authorization",
        "code": "Ecs.0110",
        "status": "403",
        "message": "no",
        **more,
    }
    return [negative_tests._finding(TestRecord(nodeid="a.py::t"), row)]


def lost(world: World) -> list[Finding]:
    reader = world.policy(["ecs:*:get*", "ecs:*:list*"])
    world.update(full(record("a.py::x", use())), world.state(default=reader))
    world.policy(["ecs:*:get*"])
    run = part(record("a.py::x", use(verdict="deny", refused=True, reason=MISSING.reason), outcome="failed"))
    return world.check(run, world.state(default=reader))


def new(world: World) -> list[Finding]:
    reader = world.policy(["ecs:*:list*"])
    world.update(full(record("a.py::x", use())), world.state(default=reader))
    return world.check(full(record("a.py::x", use(), use(SHOW))), world.state(default=reader))


def widened(world: World) -> list[Finding]:
    reader = world.policy(["ecs:cloudServers:list"])
    world.update(full(record("a.py::x", use())), world.state(default=reader))
    world.policy(["ecs:cloudServers:list", "ecs:cloudServers:delete"])
    return world.check(full(record("a.py::x", use())), world.state(default=reader))


def no_more_judged(world: World) -> list[Finding]:
    reader = world.policy(["ecs:*:list*"])
    world.update(full(record("a.py::x", use())), world.state(default=reader))
    return world.check(full(record("a.py::x", use())), world.state())


def newcomer(world: World) -> list[Finding]:
    world.update(full(record("a.py::x", use())), world.state())
    return world.check(full(record("a.py::x", use())), world.state(auditor=world.policy(["ecs:*:list*"])))


def undenied(world: World) -> list[Finding]:
    deny = {"Effect": "Deny", "Action": ["ecs:cloudServers:delete"]}
    reader = world.policy(["ecs:*:*"], deny)
    world.update(full(record("a.py::x", use())), world.state(default=reader))
    world.policy(["ecs:*:*"])
    return world.check(full(record("a.py::x", use())), world.state(default=reader))


LISTS, OTHER = policy(allow("ecs:*:list*")), policy(allow("ecs:cloudServers:start", "ecs:*:get*"))
MFA = {"Bool": {"g:MFAPresent": ["true"]}}
DENIED = policy(allow("ecs:*:*"), {"Effect": "Deny", "Action": ["ecs:cloudServers:list"]})


def of_the_rules(folder: Path) -> Iterator[tuple[str, list[Finding]]]:
    """Every rule, in every form of its text."""
    yield "missing", judged(state(OTHER))
    yield "denied", judged(state(DENIED))
    yield "bound", judged(state(LISTS, bound=OTHER))
    yield "elsewhere", judged(state(Grant(policy=LISTS, on="project", target="p1")), project_id="p2")
    yield "domain only", judged(state(Grant(policy=LISTS, on="domain")))
    yield "global", judged(state(Grant(policy=LISTS, on="projects")), scope="domain")
    yield "no resource", judged(state(policy(allow("ecs:*:*", Resource=["ecs:*:*:instance:a"]))), resource="ecs:::x:b")
    yield "not action", judged(state(policy({"Effect": "Allow", "NotAction": ["ecs:*:*"]}, version="5.0")))
    yield "not condition", judged(state(policy(allow("ecs:*:*", Condition=MFA))), context={"g:MFAPresent": "false"})
    yield "system", found(MISSING, where=state(Policy.load("system:ECS ReadOnlyAccess")))
    yield "undecided", judged(state(policy(allow("ecs:*:list*", Condition=MFA, Resource=["ecs:*:*:instance:a"]))))
    yield "unknown place", judged(state(Grant(policy=LISTS, on="enterprise", target="e1")))
    yield "unknown scope", judged(state(Grant(policy=LISTS, on="domain")), scope="unknown")
    yield "trap", found(LIST, declared=(STALE,))
    yield "stale, nothing called", found()
    yield "stale, nearest", found(LIST, declared=(replace(WANTS, actions=("ecs:cloudServers:list", "vpc:ports:get")),))
    yield (
        "undeclared",
        found(*(replace(LIST, action="tms:predefineTags:list", names=("x",), where=f"a.py:{n}") for n in range(5))),
    )
    yield "another identity", found(LIST, declared=(replace(WANTS, identity="ci-reader"),))
    yield "shared", shared()
    yield "swallowed", [swallowed_denial(TestRecord(nodeid="a.py::t"), "tms:predefineTags:list", EXCHANGE, Path())]
    for key in ("scope:domain-token", "scope:other-project"):
        yield key, [swallowed_scope(TestRecord(nodeid="a.py::t"), key, EXCHANGE, Path())]
    yield "scope", gates()
    yield "scope, not allowed", gates(allowed="", project_name="")
    yield "scope, global", gates(service_scope="global", token_scope="project", project="", service="iam")
    yield "scope, unknown", gates(token_scope="", statement="")
    yield "scope of the marker", found(LOGIN, declared=(replace(WANTS, scope="project"),))
    for credential in ("none", "token", "aksk"):
        yield (
            f"authentication, {credential}",
            gates(gate="authentication", code="APIGW.0301", status="401", message="x", credential=credential),
        )
    yield "authentication, unknown", gates(gate="authentication", identity="")
    yield "unknown action", lint(folder, allow("ecs:cloudServers:lst", "foo:bar:baz", "ecs:nothing*:*"))
    yield "unknown action, no guess", lint(folder, allow("ecs:qqqqqqqqq:zzzzzzzzzz"))
    yield "inert", lint(folder, allow("ecs:*:list*"), allow("ecs:cloudServers:list"))
    yield "inert, denied", lint(folder, allow("ecs:cloudServers:list"), {"Effect": "Deny", "Action": ["ecs:*:*"]})
    yield (
        "inert, denied twice",
        lint(folder, *({"Effect": "Deny", "Action": [name]} for name in ("ecs:*:*", "ecs:*:list*"))),
    )
    yield (
        "inert, past",
        lint(folder, allow("ecs:*:*", Condition={"DateLessThan": {"g:CurrentTime": ["2020-01-01T00:00:00Z"]}})),
    )
    yield "inert, resource", lint(folder, allow("ecs:cloudServers:list", Resource=["ecs:*:*:instance:a"]))
    yield "unmapped", unmapped()
    yield (
        "unmapped, ambiguous",
        unmapped(Phrase("findings.ambiguous", names=texts.joined("decisions.either", ["A", "B"]), tests=_told_apart())),
    )
    yield "dependency", found(LIST, replace(MISSING, action="vpc:ports:get", dependency=True), where=state(OTHER))
    yield "recorded", recorded()
    yield "recorded, no code", recorded(code="")
    yield "old token", found(replace(MISSING, outlived=True))
    yield "over", judged(state(LISTS), declared=(DENIES,))
    yield "over, not called", found(declared=(DENIES,), where=state(LISTS))
    yield "over, no policy", found(LIST, declared=(DENIES,))
    yield "over, undecided", judged(state(policy(allow("ecs:*:list*", Condition=MFA))), declared=(DENIES,))
    for code in ("", "Ecs.9"):
        use_ = replace(MISSING, verdict="", code=code)
        yield f"over, code {code}", found(use_, declared=(replace(DENIES, code="Ecs.1"),))
    for make in (lost, new, widened, no_more_judged, newcomer, undenied):
        inner = folder / make.__name__
        inner.mkdir()
        yield make.__name__, make(World(inner))
