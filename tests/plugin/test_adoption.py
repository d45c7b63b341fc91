"""Ways of adopting the checks, told as a newcomer walks them: each printed way out leads to a green or a true red."""

from __future__ import annotations

import shlex

import pytest
from permission_project import HEAD, Run, heads, policy

ENFORCE, CHECK, UPDATE = "--hwcloud-permissions=enforce", "--hwcloud-lock=check", "--hwcloud-lock=update"
PROGRAM = """
import os
import pytest, requests
from pytest_hwcloud import AkSkAuth

URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"
pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")

def program():
    keys = os.environ.get("HUAWEICLOUD_SDK_AK", "MYDUMMYAK"), os.environ.get("HUAWEICLOUD_SDK_SK", "mydummysk")
    return requests.get(URL, auth=AkSkAuth(*keys))
"""
TEST = "def test_it(hwcloud{fixtures}):\n    program()\n"


def counted(result: pytest.RunResult) -> str:
    return next((line for line in result.outlines if line.startswith("calls: ")), "")


@pytest.mark.parametrize("way", ["fixture", "ini", "hwcloud.yaml"])
@pytest.mark.parametrize("allowed", [True, False])
def test_dummy_keys_are_judged_by_every_way_out_of_hwp019(
    run: Run, pytester: pytest.Pytester, way: str, allowed: bool
) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*" if allowed else "vpc:*:get*",))
    first = run(PROGRAM + TEST.format(fixtures=""), f"--hwcloud-policy={file}", ENFORCE)
    first.assert_outcomes(failed=1)
    assert heads(first) == ["HWP019 foreign-key"]
    if way == "ini":
        pytester.makeini("[pytest]\nhwcloud_env = true\n")
    if way == "hwcloud.yaml":
        pytester.path.joinpath("hwcloud.yaml").write_text(
            "identities:\n  default: {ak: MYDUMMYAK, sk: mydummysk}\n", encoding="utf-8"
        )
    source = PROGRAM + TEST.format(fixtures=", hwcloud_env" if way == "fixture" else "")
    result = run(source, f"--hwcloud-policy={file}", ENFORCE)
    assert counted(result) == "calls: 1 judged by policy"
    assert heads(result) == ([] if allowed else ["HWP001 ecs:cloudServers:list"])
    result.assert_outcomes(passed=int(allowed), failed=int(not allowed))


def test_two_identities_each_judged_by_its_own_policy(run: Run, pytester: pytest.Pytester) -> None:
    policy(pytester.path, "iam/a.json", ("ecs:*:list*",))
    policy(pytester.path, "iam/b.json", ("vpc:*:get*",))
    pytester.path.joinpath("hwcloud.yaml").write_text(
        "identities:\n  default: {policies: [iam/a.json]}\n  auditor: {policies: [iam/b.json]}\n", encoding="utf-8"
    )
    source = HEAD + (
        'pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")\n'
        "def test_a(hwcloud):\n    get(hwcloud)\n"
        '@pytest.mark.hwcloud_identity("auditor")\ndef test_b(hwcloud):\n    get(hwcloud)\n'
    )
    result = run(source, ENFORCE, UPDATE)
    result.assert_outcomes(passed=1, failed=1)
    assert heads(result) == ["HWP001 ecs:cloudServers:list"]
    assert "identity auditor" in result.stdout.str()
    # Who fixes the policy of the other identity has fixed nothing.
    policy(pytester.path, "iam/a.json", ("ecs:*:*",))
    run(source, ENFORCE, CHECK).assert_outcomes(passed=1, failed=1)
    policy(pytester.path, "iam/b.json", ("vpc:*:get*", "ecs:*:list*"))
    policy(pytester.path, "iam/a.json", ("ecs:*:list*",))
    assert run(source, ENFORCE, UPDATE).ret == 0
    assert run(source, ENFORCE, CHECK).ret == 0


def test_policies_of_two_identities_on_the_command_line(run: Run, pytester: pytest.Pytester) -> None:
    """One policy is changed and accepted by the printed command; the other, widened afterwards, is still seen."""
    a, b = policy(pytester.path, "iam/a.json", ("ecs:*:list*",)), policy(pytester.path, "iam/b.json", ("ecs:*:list*",))
    pytester.path.joinpath("hwcloud.yaml").write_text("identities:\n  default: {}\n  auditor: {}\n", encoding="utf-8")
    source = HEAD + (
        'pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")\n'
        "def test_a(hwcloud):\n    get(hwcloud)\n"
        '@pytest.mark.hwcloud_identity("auditor")\ndef test_b(hwcloud):\n    get(hwcloud)\n'
    )
    options = (f"--hwcloud-policy={a}", f"--hwcloud-policy=auditor={b}", ENFORCE)
    assert run(source, *options, UPDATE).ret == 0
    policy(pytester.path, "iam/a.json", ("ecs:*:list*", "vpc:*:get*"))
    changed = run(source, *options, CHECK)
    assert changed.ret == 1
    assert heads(changed) == ["HWP009 vpc:*:get*"]
    (line,) = {line for line in changed.outlines if line.startswith("  accept    ")}
    program, *command = shlex.split(line.removeprefix("  accept"))
    assert program == "pytest"
    assert run(source, *command).ret == 0
    assert run(source, *options, CHECK).ret == 0
    policy(pytester.path, "iam/b.json", ("ecs:*:*",))
    widened = run(source, *options, CHECK)
    assert widened.ret == 1
    assert [head[:6] for head in heads(widened)] == ["HWP009"]
    assert "auditor" in widened.stdout.str()


@pytest.mark.parametrize(
    ("mark", "files", "said"),
    [
        ('requires_permission("ecs:cloudServers:lst")', {}, "did you mean ecs:cloudServers:list?"),
        ('require_permission("ecs:cloudServers:list")', {}, "did you mean requires_permission?"),
        ('hwcloud_identity("auditr")', {"hwcloud.yaml": "identities: {auditor: {}}\n"}, "did you mean 'auditor'?"),
        ('hwcloud_cassette("success/list-server")', {}, "did you mean 'success/list-servers'?"),
        ('hwcloud_identity("default")', {"hwcloud.yaml": "identites: {}\n"}, "did you mean 'identities'?"),
        (
            'hwcloud_identity("default")',
            {"hwcloud.yaml": "identities: {a: {polices: []}}\n"},
            "did you mean 'policies'?",
        ),
    ],
)
def test_a_typo_is_never_green(
    run: Run, pytester: pytest.Pytester, mark: str, files: dict[str, str], said: str
) -> None:
    for name, text in files.items():
        pytester.path.joinpath(name).write_text(text, encoding="utf-8")
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    source = HEAD + f"@pytest.mark.{mark}\ndef test_it(hwcloud):\n    pass\n"
    result = run(source, f"--hwcloud-policy={file}", ENFORCE, "-Wignore::pytest.PytestUnknownMarkWarning")
    assert result.ret in (pytest.ExitCode.INTERRUPTED, pytest.ExitCode.USAGE_ERROR)
    assert said in result.stdout.str() + result.stderr.str()
    assert "Traceback" not in result.stdout.str() + result.stderr.str()


@pytest.mark.parametrize("configured", [True, False])
def test_a_typo_in_the_name_of_an_identity_is_no_new_identity(
    run: Run, pytester: pytest.Pytester, configured: bool
) -> None:
    file = policy(pytester.path, "iam/r.json", ("vpc:*:get*",))
    if configured:
        pytester.path.joinpath("hwcloud.yaml").write_text("identities:\n  default: {}\n", encoding="utf-8")
    source = HEAD + '@pytest.mark.hwcloud_cassette("success/list-servers")\ndef test_it(hwcloud):\n    get(hwcloud)\n'
    result = run(source, f"--hwcloud-policy=defualt={file}", ENFORCE)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "'defualt'" in result.stderr.str()
    assert "did you mean 'default'?" in result.stderr.str()


def test_a_lock_from_the_first_day_finds_what_the_second_day_breaks(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*", "ecs:*:get*"))
    source = HEAD + '@pytest.mark.hwcloud_cassette("success/list-servers")\ndef test_it(hwcloud):\n    get(hwcloud)\n'
    options = (f"--hwcloud-policy={file}", ENFORCE)
    assert run(source, *options, UPDATE).ret == 0
    assert run(source, *options, CHECK).ret == 0
    policy(pytester.path, "iam/r.json", ("ecs:*:get*",))
    lost = run(source, *options, CHECK)
    assert lost.ret == 1
    assert "HWP007 ecs:cloudServers:list" in heads(lost)
    policy(pytester.path, "iam/r.json", ("ecs:*:*",))
    wider = run(source, *options, CHECK)
    assert wider.ret == 1
    assert [head[:6] for head in heads(wider)] == ["HWP009"]
    assert run(source, CHECK, ENFORCE).ret == 1  # a lock of an identity that nothing judges any more
