"""`pytest-hwcloud needs`: what is printed, and the exit codes."""

from __future__ import annotations

import io
import json
import sys

import pytest

from pytest_hwcloud.commands.cli import run

PROJECT = "05041fffa40025702f6dc009cc6f8f33"
ECS = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}"


def lines(capsys) -> list[str]:
    return capsys.readouterr().out.splitlines()


def test_a_call_with_two_names(capsys):
    assert run(["needs", "get", f"{ECS}/cloudservers/detail"]) == 0
    assert lines(capsys) == [
        f"GET {ECS}/cloudservers/detail",
        "  service     ecs",
        "  region      cn-north-4",
        "  scope       regional",
        f"  project     {PROJECT}",
        "  path        /v1/{project_id}/cloudservers/detail",
        "  operation   ListServersDetails",
        "  action      ecs:cloudServers:list  (5.0: ecs:cloudServers:listServersDetails)",
        "  level       list",
        "  mapped      yes",
    ]


def test_a_call_with_dependencies_and_an_alias(capsys, tmp_path):
    assert run(["needs", "POST", f"{ECS}/cloudservers"]) == 0
    assert lines(capsys)[6:] == [
        "  operation   CreatePostPaidServers",
        "  action      ecs:cloudServers:createServers  (5.0: the same)",
        "  alias       ecs:cloudServers:create",
        "  may need    vpc:publicIps:create  (when a new elastic IP is created with the server)",
        "  may need    vpc:publicIps:update  (when an existing elastic IP is bound to the server)",
        "  level       write",
        "  mapped      yes",
    ]
    body = tmp_path / "body.json"
    body.write_text('{"server": {"publicip": {"eip": {}}}}')
    assert run(["needs", "POST", f"{ECS}/cloudservers", "--body", str(body)]) == 0
    assert [line for line in lines(capsys) if "vpc" in line] == ["  depends on  vpc:publicIps:create"]


def test_a_call_that_the_body_decides(capsys, monkeypatch):
    url = f"{ECS}/cloudservers/action"
    assert run(["needs", "POST", url]) == 1
    assert lines(capsys)[-3:] == [
        "  mapped      no: the request does not say which operation it is (HWP011)",
        "  one of      BatchRebootServers, BatchStartServers, BatchStopServers",
        "  decided by  body key reboot | body key os-start | body key os-stop",
    ]
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b'{"os-stop": {}}')))
    assert run(["needs", "POST", url, "--body", "-"]) == 0
    assert "  action      ecs:cloudServers:stop  (5.0: the same)" in lines(capsys)


@pytest.mark.parametrize(
    ("url", "code", "last"),
    [
        ("https://evs.cn-north-4.myhuaweicloud.com/v1/p/jobs/x", 0, "yes: documented as needing no permission"),
        (
            f"{ECS}/jobs/1",
            1,
            "no: the operation is known, but no document read says what it needs (HWP011)",
        ),
        (
            "https://example.com/x",
            1,
            "no: no table says what this call needs (HWP011); the project can say it: `actions:` in hwcloud.yaml",
        ),
    ],
)
def test_the_states_of_a_call(capsys, url, code, last):
    assert run(["needs", "GET", url]) == code
    assert next(line for line in lines(capsys) if line.startswith("  mapped")) == f"  mapped      {last}"


def test_an_unknown_path_names_the_nearest(capsys):
    assert run(["needs", "GET", f"{ECS}/cloudserver/detail"]) == 1
    assert lines(capsys)[5:] == [
        "  path        /v1/{project_id}/cloudserver/detail",
        "  mapped      no: no table says what this call needs (HWP011);"
        " the project can say it: `actions:` in hwcloud.yaml",
        "  nearest     GET ecs /v1/{project_id}/cloudservers/detail",
        "              GET ecs /v1.1/{project_id}/cloudservers/detail",
        "",
        "the row for a table of the project (`actions: [FILE]` in hwcloud.yaml), to be completed:",
        "service: ecs",
        "scope: regional",
        "apis:",
        '  - {method: GET, path: "/v1/{project_id}/cloudserver/detail", actions: []}',
    ]
    assert run(["needs", "GET", f"{ECS}/cloudserver/detail", "--json"]) == 1
    assert json.loads(capsys.readouterr().out)["nearest"][0] == "GET ecs /v1/{project_id}/cloudservers/detail"


def test_an_unknown_host_says_so(capsys):
    run(["needs", "GET", "https://example.com/x"])
    assert lines(capsys)[1] == "  service     unknown: no service has this host"
    run(["needs", "GET", "https://dcss.cn-north-4.myhuaweicloud.com/v1/x"])
    near = "did you mean dcs.cn-north-4.myhuaweicloud.com?"
    assert lines(capsys)[1] == f"  service     unknown: no service has this host; {near}"


def test_the_rows_to_paste_are_a_table(capsys, tmp_path):
    url = "https://ddm.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/instances"
    assert run(["needs", "GET", url, "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["operation"], told["known"], told["documented"]) == ("ListInstances", False, True)
    table = tmp_path / "ddm.yaml"
    table.write_text(told["rows"].replace("actions: []", "actions: [ddm:instance:list]"))
    assert run(["needs", "GET", url, "--table", str(table)]) == 0
    assert "  action      ddm:instance:list" in lines(capsys)


def test_a_call_that_several_packages_have_at_one_host(capsys):
    url = "https://dms.cn-north-4.myhuaweicloud.com/v2/p/instances/i1/users"
    assert run(["needs", "POST", url]) == 0
    told = lines(capsys)
    assert told[1:2] + told[6:9] == [
        "  service     kafka",
        "  operation   CreateInstanceUser",
        "  also        rabbitmq CreateUser, rocketmq CreateUser",
        "  action      dms:instance:modify",
    ]


def test_json(capsys):
    assert run(["needs", "GET", f"{ECS}/cloudservers/detail", "--json"]) == 0
    data = json.loads(capsys.readouterr().out)
    assert data["label"] == "GET ecs /v1/{project_id}/cloudservers/detail"
    assert (data["mapped"], data["known"], data["required"]) == (True, True, True)
    assert (data["service"], data["region"], data["scope"]) == ("ecs", "cn-north-4", "regional")
    assert (data["actions"], data["identity_actions"]) == (
        ["ecs:cloudServers:list"],
        ["ecs:cloudServers:listServersDetails"],
    )
    assert run(["needs", "POST", f"{ECS}/cloudservers", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["conditional"][0]["action"] == "vpc:publicIps:create"


def test_a_table_of_the_project(capsys, tmp_path):
    table = tmp_path / "extra.yaml"
    call = "{method: GET, path: '/v1/{project_id}/x', operation: X, actions: ['dws:x:list']}"
    table.write_text(f"service: dws\napis:\n- {call}\n")
    assert run(["needs", "GET", "https://dws.cn-north-4.myhuaweicloud.com/v1/p/x", "--table", str(table)]) == 0
    assert "  action      dws:x:list" in lines(capsys)
    assert run(["needs", "GET", "https://dws.cn-north-4.myhuaweicloud.com/v1/p/x"]) == 1
    capsys.readouterr()
    table.write_text("service: dws\napis: 3\n")
    assert run(["needs", "GET", "https://x.example/", "--table", str(table)]) == 2
    assert capsys.readouterr().err == f"pytest-hwcloud: {table}:2: apis: must be a list of calls\n"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["GETT", ECS],
            "'GETT' is no HTTP method; use one of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS, then the URL",
        ),
        (
            ["GET", "/v1/x"],
            "'/v1/x' is no URL; write it with its host, for instance "
            "https://ecs.cn-north-4.myhuaweicloud.com/v1/{project_id}/cloudservers/detail",
        ),
        (["GET", ECS, "--body", "/no/such/file"], "/no/such/file: cannot be read: No such file or directory"),
    ],
)
def test_wrong_use(capsys, arguments, message):
    assert run(["needs", *arguments]) == 2
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", f"pytest-hwcloud: {message}\n")
