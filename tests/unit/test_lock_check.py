"""What the lock check says: exact paragraphs, the right cause, and silence where nothing changed."""

from __future__ import annotations

from pathlib import Path

import pytest
from lock_world import LIST, SHOW, TAGS, World, full, part, record, use

from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.lock import lockfile
from pytest_hwcloud.permissions.record import Declaration

A, B = "tests/test_inventory.py::test_counts_servers", "tests/test_b.py::test_b"
PAGES = [f"tests/test_inventory.py::test_pages[{number}]" for number in (1, 2)]


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def texts(found: list[Finding]) -> list[str]:
    return [finding.text() for finding in found]


def denied(call: str = LIST, **more: object):  # type: ignore[no-untyped-def]
    reason = "deny (implicit): no statement allows it; 2 statements looked at"
    return use(call, verdict="deny", refused=True, gate="authorization", reason=reason, **more)


def test_lost_by_the_policy(world: World) -> None:
    reader = world.policy(["ecs:*:get*", "ecs:*:list*"], ["tms:*:list*"], name="ci-reader")
    world.update(full(*(record(name, use()) for name in (A, *PAGES))), world.state(default=reader))
    world.policy(["ecs:*:get*"], ["tms:*:list*"], name="ci-reader")
    run = part(*(record(name, denied(), outcome="failed") for name in (A, *PAGES)))
    (finding,) = world.check(run, world.state(default=reader))
    assert finding.text() == (
        """\
HWP007 lost-permission  ecs:cloudServers:list   cause: policy iam/ci-reader.json
  was       allowed by "ecs:*:list*" (statement 1)
  breaks    3 tests: tests/test_inventory.py::test_counts_servers · ::test_pages[*] (2)
  call      GET ecs /v1/{project_id}/cloudservers/detail      tests/test_a.py:5
  now       deny (implicit): no statement allows it; 2 statements looked at      iam/ci-reader.json
  fix       iam/ci-reader.json:6: add "ecs:cloudServers:list" to statement 1
            --- iam/ci-reader.json
            +++ ./iam/ci-reader.json
            @@ -4,7 +4,8 @@
                 {
                   "Effect": "Allow",
                   "Action": [
            -        "ecs:*:get*"
            +        "ecs:*:get*",
            +        "ecs:cloudServers:list"
                   ]
                 },
                 {
  accept    pytest --hwcloud-lock=update"""
    )
    assert (finding.cause, finding.where, finding.identity) == ("policy", "iam/ci-reader.json:6", "default")
    assert finding.patch.startswith("--- iam/ci-reader.json\n")


def test_lost_by_a_deny(world: World) -> None:
    reader = world.policy(["ecs:*:*"])
    world.update(full(record(A, use())), world.state(default=reader))
    world.policy(["ecs:*:*"], {"Effect": "Deny", "Action": ["ecs:cloudServers:list"]})
    (finding,) = world.check(part(record(A, denied(), outcome="failed")), world.state(default=reader))
    assert finding.head == "HWP007 lost-permission  ecs:cloudServers:list   cause: policy iam/reader.json"
    assert 'now       denied by "ecs:cloudServers:list" (statement 2)      iam/reader.json:10' in finding.lines
    assert finding.fix == 'iam/reader.json:10: remove statement 2: deny "ecs:cloudServers:list"'


def test_a_test_that_failed_before_its_second_call_is_broken_too(world: World) -> None:
    reader = world.policy(["ecs:*:*"], ["tms:*:list*"])
    world.update(full(record(A, use(), use(TAGS)), record(B, use())), world.state(default=reader))
    world.policy(["vpc:*:list*"])
    run = part(record(A, denied(), outcome="failed"), record(B, outcome="passed"))
    found = world.check(run, world.state(default=reader))
    assert [(f.rule, f.action, f.lines[1]) for f in found if f.rule == "HWP007"] == [
        ("HWP007", "ecs:cloudServers:list", "breaks    1 test: tests/test_inventory.py::test_counts_servers"),
        ("HWP007", "tms:predefineTags:list", "breaks    1 test: tests/test_inventory.py::test_counts_servers"),
    ]


def test_what_no_test_needs_any_more_is_not_lost(world: World) -> None:
    reader = world.policy(["ecs:*:*"], ["tms:*:list*"])
    world.update(full(record(A, use(), use(TAGS))), world.state(default=reader))
    world.policy(["ecs:*:*"])
    assert world.check(full(record(A, use())), world.state(default=reader)) == []


def test_lost_because_the_catalogue_changed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    reader = world.policy(["ecs:*:get*"])
    world.update(full(record(A, use(SHOW))), world.state(default=reader))
    assert world.check(full(record(A, use(SHOW))), world.state(default=reader)) == []
    from pytest_hwcloud.cloud.policies import evaluation

    monkeypatch.setattr(evaluation, "_aliases", dict)
    (finding,) = world.check(part(record(A, denied(SHOW), outcome="failed")), world.state(default=reader))
    assert finding.head == "HWP007 lost-permission  ecs:cloudServers:showServer   cause: catalogue"
    assert finding.lines[0] == "was       allowed, by the documents of that time"


def test_lost_because_the_code_asks_for_another_resource(world: World) -> None:
    reader = world.policy({"Effect": "Allow", "Action": ["ecs:*:*"], "Resource": ["ecs:*:*:instance:a"]})
    world.update(full(record(A, use(SHOW))), world.state(default=reader))
    run = part(record(A, denied(SHOW, where="tests/test_a.py:9"), outcome="failed"))
    (finding,) = world.check(run, world.state(default=reader))
    assert finding.head == "HWP007 lost-permission  ecs:cloudServers:showServer   cause: code tests/test_a.py:9"


# HWP008


def test_new_and_allowed(world: World) -> None:
    reader = world.policy(["ecs:*:get*", "ecs:*:list*"])
    world.update(full(record(A, use())), world.state(default=reader))
    (finding,) = world.check(
        full(record(A, use(), use(SHOW, where="tests/test_inventory.py:14"))), world.state(default=reader)
    )
    assert finding.text() == (
        """\
HWP008 new-permission  ecs:cloudServers:showServer   cause: code tests/test_inventory.py:14
  call      GET ecs /v1/{project_id}/cloudservers/{server_id}      tests/test_inventory.py:14
  needs     1 test: tests/test_inventory.py::test_counts_servers
  now       allowed by "ecs:*:get*" (statement 1)      iam/reader.json:4
  accept    pytest --hwcloud-lock=update"""
    )
    assert finding.patch == ""


def test_new_and_not_allowed(world: World) -> None:
    reader = world.policy(["ecs:*:list*"])
    world.update(full(record(A, use())), world.state(default=reader))
    run = part(record(A, use(), denied(SHOW), outcome="failed"))
    (finding,) = world.check(run, world.state(default=reader))
    assert finding.fix == 'iam/reader.json:6: add "ecs:cloudServers:showServer" to statement 1'
    assert finding.lines[-1].endswith("\n  accept    pytest --hwcloud-lock=update")


def test_new_for_another_identity(world: World) -> None:
    world.update(full(record(A, use())))
    (finding,) = world.check(full(record(A, use(), use(identity="auditor"))))
    assert finding.head == (
        "HWP008 new-permission  ecs:cloudServers:list   identity auditor   cause: code tests/test_a.py:5"
    )


def test_what_a_test_wants_refused_is_no_need_when_a_wider_policy_allows_it(world: World) -> None:
    reader = world.policy(["tms:*:list"])
    wanted = [Declaration(kind="denied", actions=("ecs:cloudServers:list",))]
    refused = denied(expected=True)
    world.update(full(record(A, refused, declared=wanted)), world.state(default=reader))
    world.policy(["tms:*:list", "ecs:cloudServers:list"])
    state = world.state(default=reader)
    found = world.check(part(record(A, use(), declared=wanted, outcome="failed")), state)
    assert [(finding.rule, finding.cause) for finding in found] == [("HWP009", "policy")]
    wanted.append(Declaration(kind="requires", actions=("ecs:cloudServers:list",)))
    found = world.check(full(record(A, use(), declared=wanted)), state)
    assert [(finding.rule, finding.cause) for finding in found] == [("HWP008", "code"), ("HWP009", "policy")]


def test_new_because_the_catalogue_changed(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.update(full(record(A, use(action="ecs:cloudServers:get", call=SHOW))))
    (finding,) = world.check(full(record(A, use(SHOW))))
    assert finding.head == f"HWP008 new-permission  ecs:cloudServers:showServer   cause: catalogue {SHOW}"
    assert finding.lines[0] == f"was       {SHOW} needed ecs:cloudServers:get"


def test_a_call_that_no_table_knew_and_now_one_does(world: World) -> None:
    world.update(full(record(A, unmapped=[LIST])))
    (finding,) = world.check(full(record(A, use())))
    assert finding.cause == "catalogue"
    assert finding.lines[0] == f"was       {LIST} needed unknown (no table knew the call)"


def test_another_body_is_code_and_not_the_catalogue(world: World) -> None:
    label = "POST ecs /v1/{project_id}/cloudservers/action"
    world.update(full(record(A, use(action="ecs:cloudServers:start", call=label))))
    run = full(
        record(A, use(action="ecs:cloudServers:start", call=label), use(action="ecs:cloudServers:stop", call=label))
    )
    (finding,) = world.check(run)
    assert (finding.action, finding.cause) == ("ecs:cloudServers:stop", "code")


# HWP009


def test_widened_by_a_wildcard(world: World) -> None:
    reader = world.policy(["ecs:cloudServers:list"])
    world.update(full(record(A, use())), world.state(default=reader))
    world.policy(["ecs:cloudServers:*"])
    (finding,) = world.check(full(record(A, use())), world.state(default=reader))
    gained = [name for name in actions.expand("ecs:cloudServers:*") if not actions.same(name, "ecs:cloudServers:list")]
    assert finding.head == "HWP009 widened-policy  ecs:cloudServers:*   cause: policy iam/reader.json"
    assert finding.lines[0].startswith("gains     ")
    assert int(finding.lines[0].split()[1]) > len(gained) / 2
    assert finding.lines[1:4] == (
        "was       denied",
        'now       allowed by "ecs:cloudServers:*" (statement 1)      iam/reader.json:4',
        "used      by no test of this run",
    )
    assert finding.fix == (
        'iam/reader.json:7: put "ecs:cloudServers:list" in place of "ecs:cloudServers:*" in statement 1'
    )


def test_widened_by_a_dropped_deny(world: World) -> None:
    reader = world.policy(["ecs:*:*"], {"Effect": "Deny", "Action": ["ecs:cloudServers:delete"]})
    world.update(full(record(A, use())), world.state(default=reader))
    world.policy(["ecs:*:*"])
    (finding,) = world.check(full(record(A, use())), world.state(default=reader))
    assert finding.lines[1] == "was       denied by 'deny ecs:cloudServers:delete'"
    assert finding.fix == 'iam/reader.json:3: add a statement: deny "ecs:cloudServers:delete"'


def test_widened_and_needed(world: World) -> None:
    reader = world.policy(["ecs:*:list*"])
    world.update(full(record(A, use())), world.state(default=reader))
    world.policy(["ecs:*:list*", "tms:predefineTags:list"])
    found = world.check(full(record(A, use(), use(TAGS))), world.state(default=reader))
    assert [finding.rule for finding in found] == ["HWP008", "HWP009"]
    assert "used      by tests: tms:predefineTags:list" in found[1].lines


def test_a_policy_that_is_gone_judges_nothing(world: World) -> None:
    reader = world.policy(["ecs:*:list*"])
    world.update(full(record(A, use())), world.state(default=reader))
    assert texts(world.check(full(record(A, use(verdict=""))), world.state())) == [
        """\
HWP009 widened-policy   cause: policy iam/reader.json
  was       judged by iam/reader.json
  now       identity default has no policy: none of its calls is judged
  fix       pytest --hwcloud-policy default=iam/reader.json, or `policies:` in hwcloud.yaml
  accept    pytest --hwcloud-lock=update"""
    ]


def test_a_new_identity_with_a_policy(world: World) -> None:
    world.update(full(record(A, use())))
    auditor = world.policy(["ecs:*:list*"], name="auditor")
    assert texts(world.check(full(record(A, use())), world.state(auditor=auditor)))[0].splitlines() == [
        "HWP009 widened-policy   identity auditor   cause: policy iam/auditor.json",
        f"  was       no identity auditor in {lockfile.read(world.path).file}",
        "  now       allow ecs:*:list*",
        "  accept    pytest --hwcloud-lock=update",
    ]


# silence


def test_nothing_changed(world: World) -> None:
    reader = world.policy(["ecs:*:get*", "ecs:*:list*"], ["tms:*:list*"])
    world.update(full(record(A, use()), record(B, use(TAGS))), world.state(default=reader))
    reader.write_text('{"Statement": [{"Action": ["tms:*:list*"], "Effect": "Allow"},\n\n\n{"Action": ["ecs:*:list*",'
                      '"ecs:*:get*"], "Effect": "Allow"}], "Version": "1.1"}')  # fmt: skip
    renamed = full(record("tests/test_new_name.py::test_b", use(TAGS, where="x.py:99")), record(A, use(), use()))
    assert world.check(renamed, world.state(default=reader)) == []
    assert world.check(part(record(A, use())), world.state(default=reader)) == []


def test_the_same_under_other_words(world: World) -> None:
    """Two statements in place of one, and a wildcard in place of all it covers, allow the same."""
    reader = world.policy(["tms:predefineTags:list", "tms:predefineTags:*"])
    world.update(full(record(A, use(TAGS))), world.state(default=reader))
    world.policy(["tms:predefineTags:*"], ["tms:predefineTags:list"])
    assert world.check(full(record(A, use(TAGS))), world.state(default=reader)) == []


def test_a_name_of_the_other_grammar_in_the_lock(world: World) -> None:
    world.update(full(record(A, use())))
    world.path.write_text(
        world.path.read_text().replace("ecs:cloudServers:list:", "ecs:cloudServers:listServersDetails:")
    )
    assert world.check(full(record(A, use()))) == []


def test_a_deny_that_perhaps_applies_leaves_the_lock_as_undecided_as_the_gate() -> None:
    """One sum for gate, findings and lock: an allow beside such a deny is no allow."""
    from pytest_hwcloud import Policy
    from pytest_hwcloud.cloud.policies.decision import sum_of_ways

    policy = Policy.load(
        {
            "Version": "5.0",
            "Statement": [
                {"Effect": "Allow", "Action": ["ecs:*:*"]},
                {
                    "Effect": "Deny",
                    "Action": ["ecs:cloudServers:stop"],
                    "Condition": {"StringEquals": {"g:Unknown": ["x"]}},
                },
            ],
        }
    )
    ways = [[(name, policy.decide(name))] for name in ("ecs:cloudServers:list", "ecs:cloudServers:stop")]
    assert [pairs[0][1].effect for pairs in ways] == ["allow", "unknown"]
    name, decision = sum_of_ways(ways)
    assert (name, decision.effect) == ("ecs:cloudServers:stop", "unknown")
    assert sum_of_ways(ways[:1])[1].effect == "allow"
