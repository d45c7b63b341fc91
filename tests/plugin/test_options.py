"""Options, their ini twins, the header line, and what a wrong value says."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]
CLOUD_TEST = "def test_it(hwcloud):\n    pass\n"
POLICY = '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:*:list*"]}]}'


def test_the_header_says_what_is_in_force(run: Run) -> None:
    result = run("def test_it(): pass")
    result.stdout.fnmatch_lines(
        ["hwcloud: replay · region cn-north-4 · identities default · no policy · permissions report"]
    )


def test_the_header_names_policies_with_their_statements(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "reader.json").write_text(POLICY)
    (pytester.path / "hwcloud.yaml").write_text("identities: {default: {}, auditor: {}}\n")
    result = run(
        CLOUD_TEST,
        "--hwcloud-policy=reader.json",
        "--hwcloud-policy=auditor=system:ECS ReadOnlyAccess",
        "--hwcloud-permissions=enforce",
        "--hwcloud-region=cn-east-3",
    )
    result.stdout.fnmatch_lines(
        [
            "hwcloud: replay · region cn-east-3 · identities default, auditor · "
            "policy reader.json (default, 1 statement), system:ECS ReadOnlyAccess (auditor, * statement*) "
            "· permissions enforce"
        ]
    )


def test_every_option_has_an_ini_twin_and_the_command_line_wins(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "reader.json").write_text(POLICY)
    pytester.makeini(
        "[pytest]\nhwcloud_region = cn-east-3\nhwcloud_permissions = enforce\nhwcloud_policy = reader.json\n"
    )
    result = run(CLOUD_TEST, "--hwcloud-permissions=off")
    result.stdout.fnmatch_lines(
        [
            "hwcloud: replay · region cn-east-3 · identities default · policy reader.json (default, 1 statement) "
            "· permissions off"
        ]
    )


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--hwcloud-policy=auditor="],
            "ERROR: --hwcloud-policy 'auditor=': write [[]IDENTITY=[]]FILE, for instance auditor=iam/auditor.json",
        ),
        (
            ["--hwcloud-report=xml:out.xml"],
            "ERROR: --hwcloud-report 'xml:out.xml': write FORMAT:PATH, FORMAT one of json, sarif, md, html",
        ),
        (
            ["--hwcloud-region=cn-nroth-4", "--hwcloud-policy=a.json"],
            "ERROR: hwcloud: *cn-nroth-4*did you mean 'cn-north-4'?*",
        ),
        (["--hwcloud-policy=none.json"], "ERROR: hwcloud: *none.json*"),
    ],
)
def test_a_wrong_value_stops_the_run_with_one_line(run: Run, arguments: list[str], message: str) -> None:
    Path("a.json").write_text(POLICY)
    result = run(CLOUD_TEST, *arguments)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([message])
    assert "Traceback" not in result.stderr.str() + result.stdout.str()


def test_a_wrong_choice(run: Run) -> None:
    result = run(CLOUD_TEST, "--hwcloud-mode=rewind")
    result.stderr.fnmatch_lines(["*argument --hwcloud-mode: invalid choice: 'rewind' (choose from*"])


def test_a_wrong_choice_in_the_ini(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nhwcloud_mode = rewind\n")
    result = run(CLOUD_TEST)
    result.stderr.fnmatch_lines(["ERROR: ini option hwcloud_mode = 'rewind': choose from replay, record, live"])


def test_a_wrong_hwcloud_yaml_stops_the_run(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.path / "hwcloud.yaml").write_text("regoin: x\n")
    result = run("def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: hwcloud: hwcloud.yaml:1: regoin: unknown key 'regoin'; did you mean 'region'?"]
    )


def test_switched_off(pytester: pytest.Pytester) -> None:
    pytester.makepyfile("def test_it(): pass")
    result = pytester.runpytest_inprocess("-p", "no:hwcloud", "-p", "no:asyncio")
    result.assert_outcomes(passed=1)
    assert "hwcloud:" not in result.stdout.str()
