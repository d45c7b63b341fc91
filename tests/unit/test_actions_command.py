"""`pytest-hwcloud actions list`: what is printed, and what is said where there is nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from pytest_hwcloud.cloud.calls.actions import all_actions, canonical, names, same
from pytest_hwcloud.commands.cli import run


def listed(capsys: pytest.CaptureFixture[str], *arguments: str) -> list[dict[str, object]]:
    assert run(["actions", "list", *arguments, "--json"]) == 0
    return list(json.loads(capsys.readouterr().out))


def test_an_action_with_all_that_is_known_of_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["actions", "list", "ecs:cloudServers:listServersDetails"]) == 0
    assert capsys.readouterr().out.splitlines() == [
        "ecs:cloudServers:listServersDetails  (list)",
        "  calls      GET ecs /v1.1/{project_id}/cloudservers/detail",
        "             GET ecs /v1/{project_id}/availability-zones",
        "             GET ecs /v1/{project_id}/cloudservers/detail",
        "  alias      ecs:cloudServers:list",
        *[
            f"  {'source' if not index else '':<10} {source}"
            for index, source in enumerate(
                listed(capsys, "ecs:cloudServers:listServersDetails")[0]["source"]  # type: ignore[arg-type]
            )
        ],
    ]


def test_every_action_has_a_source(capsys: pytest.CaptureFixture[str]) -> None:
    found = listed(capsys)
    assert [entry["action"] for entry in found] == list(all_actions())
    assert [entry["action"] for entry in found if not entry["source"]] == []


def test_a_service_and_a_pattern(capsys: pytest.CaptureFixture[str]) -> None:
    dcs = [str(entry["action"]) for entry in listed(capsys, "--service", "dcs")]
    assert len(dcs) == len(all_actions("dcs")) == 55
    assert {name.partition(":")[0] for name in dcs} == {"dcs"}
    found = [str(entry["action"]) for entry in listed(capsys, "DCS:instance:*list*")]
    assert found
    assert set(found) <= set(dcs)
    everywhere = {str(entry["action"]) for entry in listed(capsys, "publicips")}
    assert {"vpc:publicIps:list", "eip:publicIps:list"} <= everywhere


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--service", "dcss"], "no service 'dcss' is known; did you mean 'dcs'?"),
        (
            ["--service", "ddm"],
            "no document names an action of 'ddm'; its calls are known, and `pytest-hwcloud actions refresh ddm` asks"
            " IAM for their actions",
        ),
        (
            ["ecs:cloudServer:list"],
            "no known action matches 'ecs:cloudServer:list'; did you mean 'ecs:cloudServers:list'?",
        ),
        (["nothingofthekind"], "no known action matches 'nothingofthekind'"),
    ],
)
def test_nothing_found(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    assert run(["actions", "list", *arguments]) == 1
    out, err = capsys.readouterr()
    assert (out, err) == ("", message + "\n")
    assert run(["actions", "list", *arguments, "--json"]) == 1
    assert capsys.readouterr().out == "[]\n"


def test_a_table_of_the_project_is_its_source(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    table = tmp_path / "mine.yaml"
    table.write_text("service: ddm\napis:\n- {method: GET, path: /v1/x, actions: ['ddm:x:list']}\n")
    (entry,) = listed(capsys, "ddm:*:*", "--table", str(table))
    assert (entry["calls"], entry["source"]) == (["GET ddm /v1/x"], [str(table)])
    assert run(["actions", "list", "--table", "nowhere.yaml"]) == 2
    assert capsys.readouterr().err == "pytest-hwcloud: nowhere.yaml:1: cannot be read: No such file or directory\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("dli:queue:create_queue", "dli:queue:createQueue"),
        ("dli:table:describe_table", "DLI:table:describeTable"),
        ("ces:alarms:put", "ces:alarmsOnOff:put"),
        ("apig:vpcs:get", "apig:vpcChannels:get"),
    ],
)
def test_two_spellings_that_documents_give_for_one_call_are_one_permission(old: str, new: str) -> None:
    assert same(old, new)
    assert canonical(old) == canonical(new)
    assert {name.lower() for name in names(old)} == {name.lower() for name in names(new)}


@pytest.mark.parametrize(
    ("narrow", "broad"),
    [
        ("iam:permissions:grantRoleToGroupOnProject", "iam:permissions:grantRoleToGroup"),
        ("iam:permissions:checkRoleForGroupOnDomain", "iam:permissions:checkRoleForGroup"),
        ("eip:publicIps:list", "vpc:publicIps:list"),
    ],
)
def test_a_broad_name_allows_a_narrow_one_and_not_the_other_way_round(narrow: str, broad: str) -> None:
    assert broad in names(narrow)
    assert narrow not in names(broad)


CATALOGUE = """\
# written by: pytest-hwcloud actions refresh
version: 1
services:
- service: ddm
  code: ddm
  scope: regional
  actions:
    ddm:instance:list: {level: list}
  apis: []
"""


def test_the_policy_commands_know_the_catalogue_of_the_project(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    statement = {"Effect": "Allow", "Action": ["ddm:instances:list"]}
    Path("p.json").write_text(json.dumps({"Version": "1.1", "Statement": [statement]}))
    assert run(["policy", "lint", "p.json"]) == 1
    assert "did you mean" not in capsys.readouterr().out
    Path("hwcloud-actions.yaml").write_text(CATALOGUE)
    assert run(["policy", "lint", "p.json"]) == 1
    assert "did you mean ddm:instance:list?" in capsys.readouterr().out
    run(["policy", "check", "p.json", "--action", "ddm:instance:list"])
    assert "no such action is documented" not in capsys.readouterr().out
    Path("hwcloud-actions.yaml").rename("mine.yaml")
    Path("hwcloud.yaml").write_text("actions: [mine.yaml]\n")
    run(["policy", "check", "p.json", "--action", "ddm:instance:list"])
    assert "no such action is documented" not in capsys.readouterr().out
    Path("mine.yaml").write_text("service: x\n")
    assert run(["policy", "lint", "p.json"]) == 2
    assert capsys.readouterr().err.endswith("mine.yaml:1: apis: must be a list of calls\n")
