"""Accepting a run into the lock: the printed command takes back what it complains of, and nothing is lost unseen."""

from __future__ import annotations

import os
import shlex

import pytest
from permission_project import HEAD, Run, policy

ENFORCE, CHECK, UPDATE = "--hwcloud-permissions=enforce", "--hwcloud-lock=check", "--hwcloud-lock=update"
LISTED = HEAD + '@pytest.mark.hwcloud_cassette("success/list-servers")\ndef test_it(hwcloud):\n    get(hwcloud)\n'
LOCK = "hwcloud-permissions.yaml"


def lock(pytester: pytest.Pytester) -> str:
    return pytester.path.joinpath(LOCK).read_text(encoding="utf-8")


def accept(result: pytest.RunResult) -> list[str]:
    """The printed command, as a shell would take it apart, without the name of the program."""
    (line,) = {line.strip() for line in result.outlines if line.startswith("  accept    ")}
    program, *arguments = shlex.split(line.removeprefix("accept"))
    assert program == "pytest"
    return arguments


def test_the_accept_line_repeats_the_options_and_accepts(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/my reader.json", ("ecs:*:list*",))
    run(LISTED, f"--hwcloud-policy={file}", UPDATE)
    policy(pytester.path, "iam/my reader.json", ("ecs:*:list*", "vpc:*:get*"))
    checked = run(LISTED, "--hwcloud-policy", file, ENFORCE, CHECK, "--hwcloud-report=json:out.json")
    assert checked.ret == 1
    command = accept(checked)
    assert command == [f"--hwcloud-policy={file}", ENFORCE, UPDATE]
    accepted = run(LISTED, *command)
    assert accepted.ret == 0
    assert "      - allow ecs:*:list* vpc:*:get*\n" in lock(pytester)
    assert run(LISTED, f"--hwcloud-policy={file}", ENFORCE, CHECK).ret == 0
    # And afterwards a wider policy is still seen.
    policy(pytester.path, "iam/my reader.json", ("ecs:*:list*", "vpc:*:get*", "evs:*:get*"))
    widened = run(LISTED, f"--hwcloud-policy={file}", ENFORCE, CHECK)
    assert widened.ret == 1
    assert "HWP009 widened-policy  evs:*:get*" in widened.stdout.str()


def test_an_update_without_the_policy_writes_nothing(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    run(LISTED, f"--hwcloud-policy={file}", UPDATE)
    before = lock(pytester)
    result = run(LISTED, UPDATE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert lock(pytester) == before
    assert result.outlines[-3:] == [
        f"hwcloud: {LOCK}: not written, the run would take out of it what nobody named:",
        "hwcloud:   identity default would lose its policy iam/r.json",
        "hwcloud: if it is meant, name the policy that counts: pytest --hwcloud-lock=update "
        "--hwcloud-policy=IDENTITY=FILE; an identity that is gone is taken out of the file by hand",
    ]
    assert run(LISTED, f"--hwcloud-policy={file}", UPDATE).ret == 0


@pytest.mark.parametrize("named", [False, True])
def test_grants_that_shrink_to_nothing(run: Run, pytester: pytest.Pytester, named: bool) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",), ("vpc:*:get*",))
    pytester.path.joinpath("hwcloud.yaml").write_text(f"identities:\n  default: {{policies: [{file}]}}\n")
    source = HEAD + "def test_it(hwcloud):\n    assert hwcloud.url('ecs', LIST)\n"
    run(source, UPDATE)
    before = lock(pytester)
    policy(pytester.path, file, {"Effect": "Deny", "Action": ["ecs:*:*"]})
    result = run(source, UPDATE, *([f"--hwcloud-policy={file}"] if named else []))
    if named:
        assert result.ret == 0
        assert "allow" not in lock(pytester)
    else:
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        assert lock(pytester) == before
        lost = "hwcloud:   identity default would lose all its grants (2): iam/r.json allows nothing any more"
        assert lost in result.outlines


def test_an_identity_that_is_gone_is_not_dropped_in_silence(run: Run, pytester: pytest.Pytester) -> None:
    policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    both = "identities:\n  default: {policies: [iam/r.json]}\n  auditor: {policies: [iam/r.json]}\n"
    pytester.path.joinpath("hwcloud.yaml").write_text(both)
    run(LISTED, UPDATE)
    pytester.path.joinpath("hwcloud.yaml").write_text("identities:\n  default: {policies: [iam/r.json]}\n")
    checked = run(LISTED, CHECK)
    assert checked.ret == 0
    assert (
        f"lock: {LOCK} knows identity auditor, which this run does not have: nothing of it is compared"
        in checked.outlines
    )
    result = run(LISTED, UPDATE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "hwcloud:   identity auditor would lose its policy iam/r.json" in result.outlines


def test_check_says_which_policy_the_run_lacks(run: Run, pytester: pytest.Pytester) -> None:
    one, two = (
        policy(pytester.path, "iam/a.json", ("ecs:*:list*",)),
        policy(pytester.path, "iam/b.json", ("vpc:*:get*",)),
    )
    run(LISTED, f"--hwcloud-policy={one}", f"--hwcloud-policy={two}", UPDATE)
    checked = run(LISTED, f"--hwcloud-policy={one}", CHECK)
    assert f"lock: {LOCK} knows policy iam/b.json of identity default, which this run does not have" in checked.outlines


def test_a_test_that_is_gone_is_told(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    options = (f"--hwcloud-policy={file}", UPDATE)
    run(LISTED.replace("test_it", "test_old"), *options)
    result = run(LISTED, *options)
    assert "lock: taken out, the test is gone: test_it.py::test_old" in result.outlines
    assert result.ret == 0
    assert "test_old" not in lock(pytester)


def test_a_part_of_the_tests_takes_nothing_away(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    source = LISTED + LISTED.removeprefix(HEAD).replace("test_it", "test_other")
    run(source, f"--hwcloud-policy={file}", UPDATE)
    before = lock(pytester)
    assert run(source, UPDATE, "-k", "other").ret == 0
    assert lock(pytester) == before


def test_a_refused_update_in_chinese(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    run(LISTED, f"--hwcloud-policy={file}", UPDATE)
    result = run(LISTED, UPDATE, "--hwcloud-lang=zh")
    assert result.outlines[-3:-1] == [
        f"hwcloud：{LOCK}：未写入，本次运行会从中移除未被指明的内容：",
        "hwcloud：  身份 default 会失去策略 iam/r.json",
    ]


@pytest.mark.parametrize("how", [CHECK, UPDATE])
@pytest.mark.parametrize("kind", ["pipe", "link to itself", "link to nothing", "device"])
def test_a_lock_that_is_no_file_ends_the_run_before_a_test(
    run: Run, pytester: pytest.Pytester, kind: str, how: str
) -> None:
    lock = pytester.path / LOCK
    if kind == "pipe":
        os.mkfifo(lock)
    else:
        lock.symlink_to({"link to itself": LOCK, "link to nothing": "nowhere.yaml", "device": "/dev/zero"}[kind])
    result = run(LISTED, how)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    (line,) = [line for line in [*result.outlines, *result.errlines] if LOCK in line]
    assert line.startswith(f"ERROR: hwcloud: {LOCK}: is a ")
    assert line.endswith("; correct it, or delete it and create it again: pytest --hwcloud-lock=update")
    assert not pytester.path.joinpath("nowhere.yaml").exists()
