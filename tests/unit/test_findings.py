"""The rules on hand-made records, and findings as text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Rights
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.permissions import display
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.record import Declaration, TestRecord, Use
from pytest_hwcloud.permissions.rules import fixes, shared_markers
from pytest_hwcloud.permissions.rules.judge import judge, judge_policies

LIST = Use(
    action="ecs:cloudServers:list",
    call="GET ecs /v1/{project_id}/cloudservers/detail",
    where="a.py:9",
    names=("ecs:cloudservers:list", "ecs:cloudservers:listserversdetails"),
)
WANTS = Declaration(kind="requires", actions=("ecs:cloudServers:list",), place="a.py:5", node="a.py::t")
DENIES = replace(WANTS, kind="denied")
STALE = replace(WANTS, actions=("ecs:servers:list",))
MISSING = replace(
    LIST, verdict="deny", reason="deny (implicit): no statement allows it", refused=True, gate="authorization"
)


def record(
    *uses: Use, declared: tuple[Declaration, ...] = (WANTS,), outcome: str = "passed", **more: object
) -> TestRecord:
    return TestRecord(nodeid="a.py::t", outcome=outcome, uses=list(uses), declared=list(declared), **more)


def rules(found: TestRecord, state: CloudState | None = None) -> list[str]:
    return [finding.rule for finding in judge(found, state or CloudState(region="cn-north-4"))]


def allowing(*statements: dict[str, object], version: str = "1.1") -> CloudState:
    policy = Policy.load({"Version": version, "Statement": list(statements)}, name="iam/r.json")
    return CloudState(region="cn-north-4", rights={"default": Rights.of([policy])})


@pytest.mark.parametrize(
    ("found", "wanted"),
    [
        pytest.param(record(LIST), [], id="declared, used"),
        pytest.param(record(), ["HWP003"], id="declared, not used"),
        pytest.param(record(LIST, declared=(STALE,)), ["HWP003", "HWP002"], id="the trap"),
        pytest.param(record(LIST, declared=()), [], id="no marker, no policy"),
        pytest.param(record(MISSING), ["HWP001"], id="declared, used, not allowed"),
        pytest.param(record(MISSING, declared=()), ["HWP001"], id="no marker, not allowed"),
        pytest.param(record(MISSING, declared=(STALE,), outcome="failed"), ["HWP001", "HWP002"], id="neither"),
        pytest.param(record(replace(MISSING, expected=True)), [], id="asked for"),
        pytest.param(record(replace(LIST, verdict="unknown", reason="unknown: x")), ["HWP014"], id="unknown"),
        pytest.param(record(replace(MISSING, outlived=True)), ["HWP015"], id="an old token"),
        pytest.param(record(LIST, declared=(DENIES,)), ["HWP018"], id="denied, allowed"),
        pytest.param(record(replace(MISSING, expected=True), declared=(DENIES,)), [], id="denied, refused"),
        pytest.param(record(outcome="skipped"), [], id="skipped"),
        pytest.param(record(outcome="xfailed"), [], id="expected to fail"),
        pytest.param(record(outcome="failed"), [], id="failed before its call"),
        pytest.param(record(outcome="error"), [], id="failed in its setup"),
        pytest.param(record(declared=(replace(WANTS, own=False),)), [], id="an upper bound"),
        pytest.param(record(LIST, declared=(replace(WANTS, own=False),)), [], id="an upper bound, used"),
        pytest.param(record(LIST, declared=(replace(STALE, own=False),)), ["HWP002"], id="not in the upper bound"),
        pytest.param(record(waits=True), [], id="a fixture still cleans up"),
        pytest.param(record(replace(LIST, fixture="f::x")), ["HWP003"], id="the call of a fixture of others"),
        pytest.param(record(replace(LIST, fixture="f::x"), fixtures=["f::x"]), [], id="the call of its fixture"),
        pytest.param(
            record(LIST, replace(MISSING, action="vpc:ports:get", names=("vpc:ports:get",), dependency=True)),
            ["HWP012"],
            id="a dependency is covered for declaring, not for allowing",
        ),
    ],
)
def test_declared_used_allowed(found: TestRecord, wanted: list[str]) -> None:
    assert rules(found) == wanted


def test_several_markers_add_up() -> None:
    other = replace(LIST, action="vpc:ports:get", names=("vpc:ports:get",))
    second = replace(WANTS, actions=("vpc:ports:get",), own=False)
    assert rules(record(LIST, other, declared=(WANTS, second))) == []


def test_the_marker_to_write_keeps_what_is_right() -> None:
    marker = replace(WANTS, actions=("a:b:c", "a:b:d"), any_of=("a:b:e", "a:b:f"), scope="project")
    assert fixes.marker([marker], ["a:b:d"], ["a:b:g"]) == (
        '@pytest.mark.requires_permission("a:b:c", "a:b:g", any_of=["a:b:e", "a:b:f"], scope="project")'
    )


SHOW = Use(
    action="ecs:cloudServers:list",
    call="GET ecs /v1/{project_id}/cloudservers/detail",
    verdict="deny",
)


@pytest.mark.parametrize(
    ("statements", "version", "wanted"),
    [
        (
            [{"Effect": "Allow", "Action": ["vpc:*:*"]}, {"Effect": "Allow", "Action": ["ecs:cloudServers:get"]}],
            "1.1",
            'iam/r.json: add "ecs:cloudServers:list" to statement 2',
        ),
        (
            [{"Effect": "Allow", "Action": ["vpc:*:*"]}],
            "1.1",
            'iam/r.json: add "ecs:cloudServers:list" in a statement of its own',
        ),
        (
            [
                {
                    "Effect": "Allow",
                    "Action": ["ecs:cloudServers:get"],
                    "Condition": {"Bool": {"g:MFAPresent": ["true"]}},
                }
            ],
            "1.1",
            'iam/r.json: add "ecs:cloudServers:list" in a statement of its own',
        ),
        (
            [{"Effect": "Allow", "Action": ["ecs:cloudServers:showServer"]}],
            "5.0",
            'iam/r.json: add "ecs:cloudServers:listServersDetails" to statement 1',
        ),
    ],
)
def test_the_smallest_edit_of_a_policy(tmp_path: Path, statements: list[object], version: str, wanted: str) -> None:
    import json

    file = tmp_path / "iam" / "r.json"
    file.parent.mkdir()
    file.write_text(json.dumps({"Version": version, "Statement": statements}))
    state = CloudState(region="cn-north-4", rights={"default": Rights.of([Policy.load(file)])})
    assert fixes.policy(SHOW, state, tmp_path) == wanted


def test_a_system_policy_cannot_be_edited() -> None:
    state = CloudState(region="cn-north-4", rights={"default": Rights.of([Policy.load("system:ECS ReadOnlyAccess")])})
    assert fixes.policy(SHOW, state, Path()) == (
        'give identity default a policy that allows "ecs:cloudServers:list" (a system policy cannot be edited)'
    )


def test_a_marker_of_a_class_is_stale_only_if_every_test_ran_and_none_uses_it() -> None:
    shared = replace(WANTS, own=False, node="a.py::T", actions=("ecs:cloudServers:list", "vpc:ports:get"))
    one = TestRecord(nodeid="a.py::T::a", outcome="passed", uses=[LIST], declared=[shared])
    two = TestRecord(nodeid="a.py::T::b", outcome="passed", declared=[shared])
    state = CloudState(region="cn-north-4")

    def found(ledger: Ledger) -> list[str]:
        return [finding.action for finding in shared_markers.late_findings(ledger, state, Path())]

    assert found(Ledger([one, two])) == ["vpc:ports:get"]
    assert found(Ledger([one, replace(two, outcome="skipped")])) == []
    assert found(Ledger([one], collected=["a.py::T::a", "a.py::T::b"])) == []
    assert found(Ledger([one], deselected=["a.py::T::b"])) == []
    assert found(Ledger([one, two], deselected=["a.py::Other::b"])) == ["vpc:ports:get"]
    assert found(Ledger([one, two], roots=())) == []


def test_a_policy_file_of_two_identities_is_read_once(tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text('{"Version": "1.1", "Statement": [\n{"Effect": "Allow", "Action": ["ecs:cloudServers:lst"]}]}')
    rights = Rights.of([Policy.load(file), Policy.load("system:ECS ReadOnlyAccess")])
    state = CloudState(region="cn-north-4", rights={"default": rights, "other": rights})
    found = judge_policies(state, tmp_path)
    assert [(finding.rule, finding.action, finding.where) for finding in found] == [
        ("HWP010", "ecs:cloudServers:lst", "r.json:2"),
        ("HWP017", "r.json statement 1", "r.json:2"),
    ]


@pytest.mark.parametrize(
    ("nodeids", "wanted"),
    [
        (["t/a.py::x"], "t/a.py::x"),
        (["t/a.py::x", "t/a.py::C::y", "t/b.py::z"], "t/a.py::x · ::C::y · t/b.py::z"),
        (["t/a.py::x[1]", "t/a.py::x[2]", "t/a.py::y[1]"], "t/a.py::x[*] (2) · ::y[1]"),
    ],
)
def test_the_names_of_many_tests(nodeids: list[str], wanted: str) -> None:
    assert display.named(nodeids) == wanted


def test_one_paragraph_for_the_same_finding_of_many_tests() -> None:
    first = Finding(rule="HWP003", action="a:b:c", test="a.py::x", detail="declared in a.py:1", lines=("fix       y",))
    other = replace(first, action="a:b:d", test="a.py::x")
    second = replace(first, test="a.py::y", detail="declared in a.py:9")
    assert display.summary([first, other, second]) == [
        "HWP003 stale-marker  a:b:c   declared in a.py:1\n  tests     2 tests: a.py::x · ::y\n  fix       y",
        "HWP003 stale-marker  a:b:d   declared in a.py:1\n  fix       y",
    ]
