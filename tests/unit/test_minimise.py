"""The smallest policy: all that is needed, nothing else, within IAM's limits; and the command that prints it."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

import pytest
from lock_world import SHOW, TAGS, World, full, record, use
from reported import settings

from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.patterns import wild
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.commands import cli
from pytest_hwcloud.permissions.lock import lockfile
from pytest_hwcloud.permissions.lock.minimise import minimise
from pytest_hwcloud.permissions.lock.model import Entry, Lock, Permission
from pytest_hwcloud.permissions.policies import lint, spellings
from pytest_hwcloud.permissions.reports import json_report
from pytest_hwcloud.permissions.reports.overview import overview


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> World:
    monkeypatch.chdir(tmp_path)
    return World(tmp_path)


def needing(names: Sequence[str]) -> Lock:
    tests = {"t.py::test": (Entry(),)}
    return Lock(permissions={name: Permission(tests=tests, calls=frozenset([f"GET x /{name}"])) for name in names})


def test_by_identity_and_scope(world: World) -> None:
    refused = use(verdict="deny", refused=True, expected=True, identity="auditor")
    world.update(
        full(
            record("t.py::a", use(), use(TAGS), use(SHOW, policy="hwcloud.grant")),
            record("t.py::b", refused, use(SHOW, identity="auditor")),
        )
    )
    found = lockfile.read(world.path)
    assert [(one.name, one.scope, one.version, one.actions) for one in minimise(found)] == [
        ("default-project", "project", "1.1", ["ecs:cloudServers:list"]),
        ("default-global", "global", "1.1", ["tms:predefineTags:list"]),
    ]
    assert [one.actions for one in minimise(found, "auditor")] == [["ecs:cloudServers:showServer"]]
    assert minimise(found, "nobody") == []


def test_version_5_names_the_actions_of_the_calls_that_were_made(world: World) -> None:
    """`ecs:cloudServers:list` opens calls that are four actions in 5.0; only that of the call is written."""
    groups = "GET ecs /v1/{project_id}/cloudservers/os-server-groups"
    other = use(action="ecs:cloudServers:list", call=groups, identity="auditor")
    world.update(full(record("t.py::a", use(), use(TAGS)), record("t.py::b", other)))
    found = lockfile.read(world.path)
    (policy,) = minimise(found, grammar="5.0")
    assert (policy.scope, policy.version) == ("all", "5.0")
    assert "ecs:cloudServers:listServersDetails" in policy.actions
    assert len(policy.actions) == 2
    assert [one.actions for one in minimise(found, "auditor", "5.0")] == [["ecs:cloudServers:listServerGroups"]]


@pytest.mark.parametrize("grammar", ["1.1", "5.0"])
def test_the_needs_are_allowed_and_nothing_is_wild(grammar: str) -> None:
    names = [name for name in actions.all_actions() if actions.canonical(name) == name]
    found = Lock(
        permissions={
            name: Permission(
                calls=frozenset(need.label for need in spellings.calls.nearest_calls(name)[:1]),
                tests={"t.py::t": (Entry(),)},
            )
            for name in names[::9]
        }
    )
    policies = minimise(found, grammar=grammar)
    together = Policy.combine(Policy.load(one.document) for one in policies)
    assert not any(wild(name) for one in policies for name in one.actions)
    for name, need in found.permissions.items():
        labels = list(need.calls)
        assert spellings.decide(together.decide, name, labels), name


def test_limits(tmp_path: Path) -> None:
    names = [name for name in actions.all_actions() if actions.canonical(name) == name and ":" in name][::2]
    policies = minimise(needing(names))
    assert len({one.name for one in policies}) == len(policies) > 2
    every = [name for one in policies for name in one.actions]
    assert sorted(every) == sorted(set(every))
    for one in policies:
        file = tmp_path / f"{one.name}.json"
        file.write_text(json.dumps(one.document, indent=2))
        assert len(file.read_text()) <= 6144
        assert [str(remark) for remark in lint.lint_file(str(file)) if remark.id in ("limit", "HWP010")] == []


# the command


def test_one_policy_is_the_whole_output(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.update(full(record("t.py::a", use(), use(SHOW), unmapped=["GET ? /x"])))
    assert cli.run(["policy", "minimise"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out) == {
        "Version": "1.1",
        "Statement": [{"Effect": "Allow", "Action": ["ecs:cloudServers:list", "ecs:cloudServers:showServer"]}],
    }
    assert err == (
        "policy 1 of 1: default-project: version 1.1, project-level services (type XA), 2 actions\n"
        "note: no table says what 1 call of the lock needs: GET ? /x\n"
    )


def test_a_file_holds_one_policy(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    """Project-level and global services need two policies; the output is always one document."""
    world.update(full(record("t.py::a", use(), use(TAGS))))
    assert cli.run(["policy", "minimise", "--lock", "./hwcloud-permissions.yaml"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["Statement"] == [{"Effect": "Allow", "Action": ["ecs:cloudServers:list"]}]
    other = "pytest-hwcloud policy minimise --lock=./hwcloud-permissions.yaml --policy=default-global"
    assert err.splitlines() == [
        "policy 1 of 2: default-project: version 1.1, project-level services (type XA), 1 action",
        "note: one file holds one policy: default-global is not printed;"
        f" print it: {other}, or write all of them: --output FOLDER",
    ]
    assert cli.run(shlex.split(other)[1:]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["Statement"] == [{"Effect": "Allow", "Action": ["tms:predefineTags:list"]}]
    assert err == "policy 2 of 2: default-global: version 1.1, global services (type AX), 1 action\n"
    assert cli.run(["policy", "minimise", "--policy", "default-globl"]) == 2
    assert capsys.readouterr().err == (
        "pytest-hwcloud: unknown policy 'default-globl'; did you mean 'default-global'?\n"
    )


def test_in_chinese(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.update(full(record("t.py::a", use(), use(TAGS))))
    assert cli.run(["policy", "--lang", "zh", "minimise"]) == 0
    assert capsys.readouterr().err.splitlines()[1] == (
        "注意：一个文件只含一个策略：未输出 default-global；"
        "输出它：pytest-hwcloud policy minimise --policy=default-global，或写入全部：--output FOLDER"
    )
    Path("default-global.json").write_text("{}")
    assert cli.run(["policy", "--lang", "zh", "minimise", "--output", "."]) == 2
    said = "default-global.json：已存在且内容不同；请删除它，或用 --output 选择其他文件夹"
    assert capsys.readouterr().err == f"pytest-hwcloud：{said}\n"


def test_all_policies_in_a_folder(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.update(full(record("t.py::a", use(), use(TAGS))))
    command = ["policy", "minimise", "--output", "new/iam"]
    assert [cli.run(command), cli.run(command)] == [0, 0]  # what is there already is no obstacle
    assert capsys.readouterr().out.splitlines()[:2] == [
        "new/iam/default-project.json: version 1.1, project-level services (type XA), 1 action",
        "new/iam/default-global.json: version 1.1, global services (type AX), 1 action",
    ]
    for name in ("default-project", "default-global"):
        assert lint.lint_file(f"new/iam/{name}.json") == []
    Path("new/iam/default-global.json").write_text("{}")
    Path("new/iam/default-project.json").unlink()
    assert cli.run(command) == 2
    said = "exists and is another document; remove it, or choose another folder with --output"
    assert capsys.readouterr().err == f"pytest-hwcloud: new/iam/default-global.json: {said}\n"
    assert not Path("new/iam/default-project.json").exists()
    Path("file").write_text("")
    assert cli.run(["policy", "minimise", "--output", "file"]) == 2
    assert capsys.readouterr().err == "pytest-hwcloud: file/default-project.json: cannot be written: File exists\n"


def test_operations_that_are_one_call_to_the_lock(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    call = "POST ecs /v1/{project_id}/cloudservers/{server_id}/tags/action"
    world.update(full(record("t.py::a", use(call, action="ecs:cloudServers:batchSetServerTags"))))
    assert cli.run(["policy", "minimise", "--grammar", "5.0"]) == 0
    out, err = capsys.readouterr()
    both = ["ecs:cloudServers:batchCreateServerTags", "ecs:cloudServers:batchDeleteServerTags"]
    assert json.loads(out)["Statement"] == [{"Effect": "Allow", "Action": both}]
    assert err.splitlines()[1:] == [
        f"note: the lock does not say which of {both[0]}, {both[1]} is needed by {call}: take out what is not"
    ]


def test_json(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    world.update(full(record("t.py::a", use(TAGS))))
    assert cli.run(["policy", "minimise", "--json", "--identity", "default", "--lock", str(world.path)]) == 0
    document = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["tms:predefineTags:list"]}]}
    assert json.loads(capsys.readouterr().out) == {
        "identity": "default",
        "policies": [{"name": "default-global", "scope": "global", "version": "1.1", "document": document}],
        "unmapped": [],
    }


REPORT_IS_MADE = "create it: pytest --hwcloud-report=json:r.json"


def test_from_the_report_of_a_run(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    wanted = use(SHOW, verdict="deny", refused=True, expected=True)
    found = full(record("t.py::a", use(), wanted, unmapped=["GET ? /x"]), record("t.py::b", use(identity="auditor")))
    given = settings()._replace(root=world.path.parent)
    Path("r.json").write_text(json_report.render(overview(given, found, world.state())))
    assert cli.run(["policy", "minimise", "--run", "r.json", "--identity", "default"]) == 0
    out, err = capsys.readouterr()
    assert json.loads(out)["Statement"] == [{"Effect": "Allow", "Action": ["ecs:cloudServers:list"]}]
    assert err.splitlines()[1:] == ["note: no table says what 1 call of the run needs: GET ? /x"]
    assert cli.run(["policy", "minimise", "--run", "r.json"]) == 2
    said = "several identities need something: auditor, default; choose with --identity NAME"
    assert capsys.readouterr().err == f"pytest-hwcloud: {said}\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, f"r.json: no such file; {REPORT_IS_MADE}"),
        ("{", f"r.json: not a json report; {REPORT_IS_MADE}"),
        ("[" * 100_000, f"r.json: not a json report; {REPORT_IS_MADE}"),
        ("[]", f"r.json: not a json report of pytest-hwcloud; {REPORT_IS_MADE}"),
        (
            '{"format": "pytest-hwcloud report", "version": 2}',
            f"r.json: version 2 of the report, not 1; {REPORT_IS_MADE}",
        ),
        (
            '{"format": "pytest-hwcloud report", "version": 1, "tests": [{}]}',
            f"r.json: parts of the report are missing; {REPORT_IS_MADE}",
        ),
    ],
    ids=["none", "broken", "deep", "other", "version", "parts"],
)
def test_what_is_no_report(world: World, capsys: pytest.CaptureFixture[str], text: str | None, said: str) -> None:
    if text is not None:
        Path("r.json").write_text(text)
    assert cli.run(["policy", "minimise", "--run", "r.json"]) == 2
    assert capsys.readouterr().err == f"pytest-hwcloud: {said}\n"


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--lock", "no.yaml"], "no.yaml: no such file; create it: pytest --hwcloud-lock=update"),
        ([], "several identities need something: auditor, default; choose with --identity NAME"),
        (
            ["--identity", "audit"],
            "unknown identity 'audit'; did you mean 'auditor'? (identities of hwcloud-permissions.yaml)",
        ),
        (
            ["--identity", "idle"],
            "hwcloud-permissions.yaml: identity idle needs nothing, and IAM takes no policy without a statement",
        ),
    ],
)
def test_wrong_use(world: World, capsys: pytest.CaptureFixture[str], arguments: list[str], said: str) -> None:
    idle = world.policy(["ecs:*:*"])
    world.update(full(record("t.py::a", use(), use(identity="auditor"))), world.state(idle=idle))
    assert cli.run(["policy", "minimise", *arguments]) == 2
    assert capsys.readouterr().err == f"pytest-hwcloud: {said}\n"
