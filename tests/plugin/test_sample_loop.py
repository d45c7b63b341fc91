"""A project with three identities and 40 tests: its markers, its proof, its smallest policies, a part of its run."""

from __future__ import annotations

import json
import runpy
from pathlib import Path

import pytest
from sample_project import SOURCE, Sample, copy, load_sdk

from pytest_hwcloud.commands import cli

ENFORCE, UPDATE = "--hwcloud-permissions=enforce", "--hwcloud-lock=update"
CLEAN = (0, [])


@pytest.fixture(scope="module")
def sdk() -> None:
    load_sdk()


@pytest.fixture
def sample(sdk: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Sample:
    return copy(pytester, monkeypatch)


def test_what_is_committed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The cassettes are those of their script and hold no secret; the policies are well formed."""
    make = runpy.run_path(str(SOURCE / "make_cassettes.py"))["everything"]
    make.__globals__["FOLDER"] = tmp_path
    make()
    assert texts(SOURCE / "tests" / "cassettes") == texts(tmp_path)
    assert cli.run(["cassettes", "scan", str(tmp_path)]) == 0
    assert cli.run(["policy", "lint", *map(str, sorted((SOURCE / "iam").glob("*.json")))]) == 0


def texts(folder: Path) -> dict[str, str]:
    return {file.relative_to(folder).as_posix(): file.read_text("utf-8") for file in folder.rglob("*.yaml")}


# the markers

MARKERS = """\
HWP003 stale-marker  vpc:securityGroups:get   declared in tests/test_networks.py:42, never used
HWP002 undeclared-permission  vpc:securityGroupRules:get   used by GET vpc /v3/{project_id}/vpc/security-group-rules
  these look alike and are different permissions:
    vpc:securityGroups:get      GET /v3/{project_id}/vpc/security-groups[/{security_group_id}]
    vpc:securityGroupRules:get  GET /v3/{project_id}/vpc/security-group-rules
  fix       @pytest.mark.requires_permission("vpc:securityGroupRules:get")

HWP003 stale-marker  iam:users:listUsers   declared in tests/test_people.py:18, never used
  nearest   GET iam /v3.0/OS-CREDENTIAL/credentials needs iam:credentials:listCredentials      inventory/people.py:20
  fix       take "iam:users:listUsers" out of the marker

HWP002 undeclared-permission  ecs:cloudServers:start   used by POST ecs /v1/{project_id}/cloudservers/action
  call      POST ecs /v1/{project_id}/cloudservers/action      inventory/power.py:34
  fix       @pytest.mark.requires_permission("ecs:cloudServers:list", "ecs:cloudServers:start")

HWP003 stale-marker  evs:snapshots:list   declared in tests/test_volumes.py:12, never used by any of its 2 tests
  nearest   GET evs /v2/{project_id}/cloudvolumes/detail needs evs:volumes:list      inventory/volumes.py:38
  fix       take "evs:snapshots:list" out of the marker
"""


def test_markers_that_no_longer_say_what_is_used(sample: Sample) -> None:
    power, networks, volumes = (f"tests/test_{name}.py" for name in ("power", "networks", "volumes"))
    # An action taken out of a marker; a marker taken away, which leaves nothing to check; one mistaken for another;
    sample.change(power, '"ecs:cloudServers:list", "ecs:cloudServers:start")', '"ecs:cloudServers:list")')
    sample.change(networks, '@pytest.mark.requires_permission("vpc:securityGroups:get")\n', "")
    sample.change(networks, '"vpc:securityGroupRules:get"', '\n    "vpc:securityGroups:get",\n')
    # an action that no test of a class uses; and code that needs less than the marker of its test.
    sample.change(volumes, '"evs:volumes:list")', '"evs:volumes:list", "evs:snapshots:list")')
    sample.change("inventory/people.py", "    named = users(client)\n", "")
    sample.change("inventory/people.py", "named[row.user_id]", "row.user_id[-2:]")
    sample.change("tests/test_people.py", '== ["ada"]', '== ["a1"]')
    said = sample.check("--tb=no")  # without tracebacks the summary has every word
    said.result.assert_outcomes(passed=37, failed=3)
    assert (said.code, said.rows) == (
        1,
        [
            ("HWP002", "ecs:cloudServers:start", "operator", "tests/test_power.py::test_start_stopped"),
            ("HWP002", "vpc:securityGroupRules:get", "viewer", "tests/test_networks.py::test_open_ports"),
            ("HWP003", "evs:snapshots:list", "viewer", "tests/test_volumes.py::TestAll"),
            ("HWP003", "iam:users:listUsers", "auditor", "tests/test_people.py::test_old_keys"),
            ("HWP003", "vpc:securityGroups:get", "viewer", "tests/test_networks.py::test_open_ports"),
        ],
    )
    assert MARKERS in said.text


# the smallest policies

NOT_IN_5 = [
    "evs:volumes:get",
    "evs:volumes:list",
    "vpc:securityGroupRules:get",
    "vpc:securityGroups:get",
    "vpc:subnets:get",
    "vpc:vpcs:get",
    "vpc:vpcs:list",
]
SWITCHES = ["ecs:cloudServers:reboot", "ecs:cloudServers:start", "ecs:cloudServers:stop"]
TAGS = ["tms:predefineTags:list", "tms:resources:list"]
SMALLEST = {
    "1.1": {
        "viewer-project": [
            "ecs:cloudServerFlavors:get",
            "ecs:cloudServers:list",
            "ecs:cloudServers:showServer",
            "ecs:cloudServers:showServerTags",
            *NOT_IN_5,
        ],
        "operator-project": ["ecs:cloudServers:batchSetServerTags", "ecs:cloudServers:list", *SWITCHES],
        "auditor-project": ["ecs:cloudServers:list"],
        "auditor-global": ["iam:credentials:listCredentials", "iam:users:listUsers", *TAGS],
    },
    "5.0": {
        "viewer-5.0": [
            "ecs:cloudServerFlavors:get",
            "ecs:cloudServers:listServersDetails",
            "ecs:cloudServers:showServer",
            "ecs:cloudServers:showServerTags",
        ],
        "viewer-project": NOT_IN_5,
        "operator-5.0": [
            "ecs:cloudServers:batchCreateServerTags",
            "ecs:cloudServers:batchDeleteServerTags",  # the lock cannot tell it from the other: one call, one 1.1 name
            "ecs:cloudServers:listServersDetails",
            *SWITCHES,
        ],
        "auditor-5.0": ["ecs:cloudServers:listServersDetails", "iam::listAccessKeys", *TAGS],
        "auditor-global": ["iam:users:listUsers"],
    },
}


@pytest.mark.parametrize("grammar", ["1.1", "5.0"])
def test_the_smallest_policies(
    sample: Sample, grammar: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(sample.path)
    held: dict[str, dict[str, list[str]]] = {}
    smallest: dict[str, list[str]] = {}
    for identity in ("viewer", "operator", "auditor"):
        capsys.readouterr()
        assert cli.run(["policy", "minimise", "--identity", identity, "--grammar", grammar, "--json"]) == 0
        policies = json.loads(capsys.readouterr().out)["policies"]
        for one in policies:
            (sample.path / f"iam/{one['name']}.json").write_text(json.dumps(one["document"]))
            smallest[one["name"]] = [action for row in one["document"]["Statement"] for action in row["Action"]]
        held[identity] = {"policies": [f"iam/{one['name']}.json" for one in policies]}
    assert smallest == SMALLEST[grammar]
    (sample.path / "hwcloud.yaml").write_text(json.dumps({"identities": held}))
    assert cli.run(["policy", "lint", *(name for row in held.values() for name in row["policies"])]) == 0
    under = sample.run(ENFORCE)
    under.result.assert_outcomes(passed=40)
    assert (under.code, under.rows) == CLEAN


# the proof

SWALLOWED = """\
HWP004 swallowed-denial  ecs:cloudServerFlavors:get   identity viewer
  call      GET ecs /v1/{project_id}/cloudservers/flavors      inventory/servers.py:66
  answer    403 Ecs.0110 do not have the required roles, forbidden to perform this action.
  note      denied on purpose, and tests/test_servers.py::test_flavors_or_nothing passes all the same
  fix       let the test notice the refusal: hwcloud.assert_ok(response), response.raise_for_status(), \
or an assertion on what it needs of the answer
            a need that it can do without: requires_permission(…, optional=["ecs:cloudServerFlavors:get"])

hwcloud proof: 43 proved · 1 swallowed (tests/test_servers.py::test_flavors_or_nothing)
hwcloud proof of scope: 6 proved
"""


def test_the_proof_is_the_committed_lock(sample: Sample) -> None:
    sample.lock.unlink()
    proved = sample.run(ENFORCE, UPDATE, "--hwcloud-prove=all")
    proved.result.assert_outcomes(passed=40)
    test = "tests/test_servers.py::test_flavors_or_nothing"
    assert (proved.code, proved.rows) == (1, [("HWP004", "ecs:cloudServerFlavors:get", "viewer", test)])
    assert SWALLOWED in proved.text
    assert sample.lock.read_bytes() == (SOURCE / sample.lock.name).read_bytes()
    scopes = {row["nodeid"]: row["proof"] for row in proved.data["tests"] if "scope:domain-token" in row["proof"]}
    assert sorted(scopes) == [
        "tests/test_report.py::test_summary",
        "tests/test_volumes.py::test_size[1-40]",
        "tests/test_volumes.py::test_size[2-100]",
    ]
    assert {word for row in scopes.values() for word in row.values()} == {"proved"}


# a part of the run


def test_a_part_touches_only_its_tests(sample: Sample) -> None:
    whole = sample.read(sample.lock.name)
    gone = "      tests/test_gone.py::test_gone: used as viewer\n"
    proved = "      tests/test_servers.py::test_owner: proved as viewer\n"
    given = "      tests/test_power.py::test_give: proved as operator\n"
    sample.change(sample.lock.name, proved, gone)
    sample.change(sample.lock.name, given, given.replace("proved", "used"))
    part = sample.run(ENFORCE, UPDATE, "-k", "test_owner or test_all", "--hwcloud-prove=changed")
    part.result.assert_outcomes(passed=2, deselected=38)
    assert (part.code, part.rows) == CLEAN
    assert sample.lock.read_text() == whole.replace(proved, gone + proved).replace(
        given, given.replace("proved", "used")
    )
