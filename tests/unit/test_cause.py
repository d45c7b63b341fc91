"""Code, policy or catalogue: which of the three flips the verdict."""

from __future__ import annotations

import pytest
from lock_world import LIST, SHOW

from pytest_hwcloud.permissions.lock import cause
from pytest_hwcloud.permissions.lock.model import Lock, Permission
from pytest_hwcloud.permissions.policies import spellings

ACTION = "POST ecs /v1/{project_id}/cloudservers/action"


@pytest.mark.parametrize(
    ("old_effect", "policy_changed", "said"),
    [
        ("allow", True, "policy iam/a.json, iam/b.json"),
        ("unknown", True, "policy iam/a.json, iam/b.json"),
        ("deny", True, "catalogue"),
        ("deny", False, "catalogue"),
        ("unknown", False, "code t.py:3"),
        ("allow", False, "code t.py:3"),
    ],
)
def test_of_loss(old_effect: str, policy_changed: bool, said: str) -> None:
    found = cause.of_loss(
        old_effect, policy_changed=policy_changed, policies=["iam/a.json", "iam/b.json"], where="t.py:3"
    )
    assert str(found) == said


def lock_of(**calls: str) -> Lock:
    return Lock(permissions={name: Permission(calls=frozenset([call])) for name, call in calls.items()})


def test_of_need() -> None:
    old = Lock(
        permissions={
            "ecs:cloudServers:get": Permission(calls=frozenset([SHOW])),
            "ecs:cloudServers:start": Permission(calls=frozenset([f"{ACTION} as auditor"])),
        },
        unmapped={"GET ? /v1/x": frozenset(["t.py::test"])},
    )
    show = "ecs:cloudServers:showServer"
    assert str(cause.of_need(show, [SHOW], old, "t.py:1")) == f"catalogue {SHOW}"
    assert str(cause.of_need("ecs:cloudServers:list", [LIST], old, "t.py:1")) == "code t.py:1"
    assert str(cause.of_need("ecs:cloudServers:stop", [ACTION], old, "t.py:1")) == "code t.py:1"
    assert str(cause.of_need(show, [SHOW, LIST], old, "t.py:1")) == "code t.py:1"
    assert str(cause.of_need("a:b:c", ["GET ? /v1/x"], old, "t.py:1")) == "catalogue GET ? /v1/x"
    assert cause.needed_then(ACTION, old) == ["ecs:cloudServers:start"]


def test_the_ways_of_a_permission() -> None:
    assert spellings.ways("ecs:cloudServers:list", [LIST]) == (
        ("ecs:cloudServers:list",),
        ("ecs:cloudServers:listServersDetails",),
    )
    assert spellings.spelled("ecs:cloudServers:list", [LIST], "5.0") == ("ecs:cloudServers:listServersDetails",)
    assert spellings.spelled("ecs:cloudServers:list", [LIST], "1.1") == ("ecs:cloudServers:list",)
    assert spellings.spelled("iam:users:listUsersV5", ["GET iam /v5/users"], "5.0") == ("iam:users:listUsersV5",)
