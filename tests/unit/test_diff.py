"""Two policies compared: actions gained and lost."""

from __future__ import annotations

import pytest

from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.permissions.policies.diff import compare

MFA = {"Bool": {"g:MFAPresent": ["true"]}}


def policy(*statements, name="p"):
    made = [
        {"Effect": effect, "Action": names, **more} for effect, names, *rest in statements for more in [dict(*rest)]
    ]
    return Policy.load({"Version": "1.1", "Statement": made}, name=name)


START, STOP = ["ecs:cloudServers:start"], ["ecs:cloudServers:stop"]


@pytest.mark.parametrize(
    ("old", "new", "kind", "changed"),
    [
        ([("Allow", START)], [("Allow", START + STOP)], "gained", ("ecs:cloudServers:stop",)),
        ([("Allow", START + STOP)], [("Allow", START)], "lost", ("ecs:cloudServers:stop",)),
        ([("Allow", START)], [("Allow", START), ("Deny", START)], "lost", ("ecs:cloudServers:start",)),
        ([], [("Allow", START, {"Condition": MFA})], "gained under conditions", ("ecs:cloudServers:start",)),
        ([("Allow", START, {"Condition": MFA})], [], "lost under conditions", ("ecs:cloudServers:start",)),
        ([("Allow", START, {"Condition": MFA})], [("Allow", START)], "widened", ("ecs:cloudServers:start",)),
        (
            [("Allow", START)],
            [("Allow", START, {"Resource": ["ecs:*:*:instance:a"]})],
            "narrowed",
            ("ecs:cloudServers:start",),
        ),
        (
            [("Allow", START, {"Resource": ["ecs:*:*:instance:a"]})],
            [("Allow", START, {"Resource": ["ecs:*:*:instance:b"]})],
            "changed conditions",
            ("ecs:cloudServers:start",),
        ),
        ([], [("Allow", ["dss:pool:list", "dss:*:zap*"])], "gained", ("dss:*:zap*", "dss:pool:list")),
    ],
)
def test_what_changed(old, new, kind, changed):
    difference = compare(policy(*old), policy(*new))
    assert difference
    assert difference.of(kind) == changed
    assert {group.kind for group in difference.groups} == {kind}


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ([("Allow", START), ("Allow", STOP)], [("Allow", STOP), ("Allow", START)]),
        ([("Allow", START + STOP)], [("Allow", ["ECS:cloudservers:stop"]), ("Allow", START)]),
        ([("Allow", ["ecs:*:*"])], [("Allow", ["ecs:*:*", "ecs:cloudServers:start"])]),
        ([], [("Deny", START)]),
    ],
)
def test_what_makes_no_difference(old, new):
    difference = compare(policy(*old, name="old"), policy(*new, name="new"))
    assert not difference
    assert list(difference.lines()) == [
        f"old -> new  ({len(actions.all_actions())} known actions)",
        "  no action gained or lost",
    ]


def test_a_wildcard_explains_many_in_one_line():
    difference = compare(policy(("Allow", START), name="old"), policy(("Allow", ["ecs:*:get*"]), name="new"))
    gained = difference.of("gained")
    lines = list(difference.lines())
    assert len(gained) > 10
    assert "ecs:cloudServers:showServer" in gained  # through its alias
    assert lines[1] == f"  gained: {len(gained)}"
    assert lines[2].startswith(f"    + ecs:*:get*  {len(gained)} actions (")
    assert lines[3:] == ["  lost: 1", "    - ecs:cloudServers:start  (write)"]


def test_for_machines_each_action_has_its_level():
    data = compare(policy(), policy(("Allow", ["ecs:*:get*", *START]))).to_dict()
    assert {"action": "ecs:cloudServers:start", "access_level": "write"} in data["gained"]
    assert data["groups"] == [{"kind": "gained", "pattern": "ecs:*:get*", "count": len(data["gained"]) - 1}]
    assert data["lost"] == []


def test_everything_gained_is_one_line():
    lines = list(compare(policy(), policy(("Allow", ["*:*:*"]))).lines())
    assert len(lines) == 3
    assert lines[2].startswith(f"    + *:*:*  {len(actions.all_actions())} actions (")
