"""HWP019, calls under a policy that none judged, and HWP020, look-ups that a client makes by itself."""

from __future__ import annotations

import json

import huaweicloudsdkecs.v2  # what is imported here stays imported, and a run takes a tenth
import huaweicloudsdkiam.v3
import pytest
from permission_project import HEAD, Run, heads, policy, section

assert all((huaweicloudsdkecs, huaweicloudsdkiam))

ENFORCE = "--hwcloud-permissions=enforce"
LISTED = HEAD + '@pytest.mark.hwcloud_cassette("success/list-servers")\n'
DUMMY = (
    HEAD.replace("import pytest", "import pytest, requests\nfrom pytest_hwcloud import AkSkAuth")
    + """
def ask(hwcloud, **given):
    return requests.get(hwcloud.url("ecs", LIST), **given)

pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")
"""
)
KEYS = 'auth=AkSkAuth("DUMMYAK", "dummysk")'
SDK = """
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion

def listed(hwcloud, project_id=None):
    keys = hwcloud.credentials()
    client = EcsClient.new_builder().with_credentials(BasicCredentials(keys.ak, keys.sk, project_id))
    return client.with_region(EcsRegion.value_of("cn-north-4")).build().list_servers_details(
        ListServersDetailsRequest())

pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")
"""


def counted(result: pytest.RunResult) -> str:
    """The line that says how many calls were judged."""
    return next((line for line in result.outlines if line.startswith(("calls: ", "调用："))), "")


@pytest.mark.parametrize(
    ("given", "cause", "said", "count"),
    [
        (
            KEYS,
            "foreign-key",
            "signed with a key of no identity of the run",
            "1 signed with a key of no identity of the run",
        ),
        (
            'headers={"X-Auth-Token": "MIIabc"}',
            "foreign-token",
            "with a token of no identity of the run",
            "1 with a token of no identity of the run",
        ),
        (
            'headers={"Authorization": "Bearer abc"}',
            "foreign-scheme",
            "with credentials of another kind than token or AK/SK",
            "1 with credentials of another kind than token or AK/SK",
        ),
    ],
)
def test_a_call_that_nobody_judged(
    run: Run, pytester: pytest.Pytester, given: str, cause: str, said: str, count: str
) -> None:
    file = policy(pytester.path, "iam/r.json", ("vpc:*:get*",))
    source = DUMMY + f"def test_it(hwcloud):\n    assert ask(hwcloud, {given}).ok\n"
    result = run(source, f"--hwcloud-policy={file}")
    assert result.ret == 0
    assert heads(result) == [f"HWP019 {cause}"]
    assert section(result).startswith(f"HWP019 unjudged-call  {cause}   {said}\n  call      GET ecs /v1/")
    assert counted(result) == f"calls: 0 judged by policy · 1 not judged ({count})"
    result = run(source, f"--hwcloud-policy={file}", ENFORCE)
    result.assert_outcomes(failed=1)
    assert result.ret == 1


def test_the_whole_paragraph(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("vpc:*:get*",))
    rows = "@pytest.mark.parametrize('n', [1, 2])\n"
    source = DUMMY + f"{rows}def test_it(hwcloud, n):\n    assert ask(hwcloud, {KEYS}).ok\n"
    assert section(run(source, f"--hwcloud-policy={file}")) == (
        "HWP019 unjudged-call  foreign-key   signed with a key of no identity of the run\n"
        "  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:15\n"
        "  why       a policy belongs to an identity, and this access key (AK) belongs to none: no policy was asked\n"
        "  tests     2 tests: test_it.py::test_it[*] (2)\n"
        "  fix       let the program take the keys of the test's identity from the environment (fixture hwcloud_env, "
        "or hwcloud_env = true for all tests), or name its keys in hwcloud.yaml: ak and sk of the identity"
    )


def test_without_a_policy_nobody_expects_a_judge(run: Run) -> None:
    result = run(DUMMY + f"def test_it(hwcloud):\n    assert ask(hwcloud, {KEYS}).ok\n", ENFORCE)
    result.assert_outcomes(passed=1)
    assert (section(result), counted(result)) == ("", "")


def test_an_identity_without_a_policy_is_counted_and_is_no_finding(run: Run, pytester: pytest.Pytester) -> None:
    policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    pytester.path.joinpath("hwcloud.yaml").write_text(
        "identities:\n  default: {policies: [iam/r.json]}\n  auditor: {user: auditor}\n"
    )
    source = LISTED + 'def test_it(hwcloud):\n    get(hwcloud)\n    get(hwcloud, identity="auditor")\n'
    result = run(source, ENFORCE)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert counted(result) == "calls: 1 judged by policy · 1 not judged (1 by an identity without a policy)"


def test_an_ignore_by_cause(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("vpc:*:get*",))
    pytester.path.joinpath("hwcloud.yaml").write_text(
        "ignores:\n  - {rule: HWP019, match: foreign-key, reason: old suite, until: '2999-01-01'}\n"
    )
    source = DUMMY + f"def test_it(hwcloud):\n    assert ask(hwcloud, {KEYS}).ok\n"
    result = run(source, f"--hwcloud-policy={file}", ENFORCE)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert counted(result).startswith("calls: 0 judged by policy · 1 not judged (")


def test_forty_dummy_tests_are_one_paragraph_and_no_pass(run: Run, pytester: pytest.Pytester) -> None:
    """The suite of a newcomer: dummy keys of its own, a policy that allows nothing of what it does."""
    file = policy(pytester.path, "iam/r.json", ("vpc:*:get*",))
    source = DUMMY + "".join(f"def test_{n}(hwcloud):\n    assert ask(hwcloud, {KEYS}).ok\n" for n in range(40))
    result = run(source, f"--hwcloud-policy={file}", ENFORCE)
    result.assert_outcomes(failed=40)
    assert heads(result) == ["HWP019 foreign-key"]
    assert section(result).endswith(" · and 30 more")
    assert counted(result) == (
        "calls: 0 judged by policy · 40 not judged (40 signed with a key of no identity of the run)"
    )


def test_the_count_is_the_same_across_workers(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    source = DUMMY + f"def test_a(hwcloud):\n    ask(hwcloud, {KEYS})\ndef test_b(hwcloud):\n    get(hwcloud)\n"
    result = run(source, f"--hwcloud-policy={file}", "-p", "xdist", "-n2")
    assert counted(result) == (
        "calls: 1 judged by policy · 1 not judged (1 signed with a key of no identity of the run)"
    )
    assert heads(result) == ["HWP019 foreign-key"]


def test_in_chinese(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("vpc:*:get*",))
    source = DUMMY + f"def test_it(hwcloud):\n    assert ask(hwcloud, {KEYS}).ok\n"
    result = run(source, f"--hwcloud-policy={file}", "--hwcloud-lang=zh")
    assert (
        "HWP019 unjudged-call（未判定的调用）  foreign-key   使用了不属于本次运行任何身份的密钥签名" in result.outlines
    )
    assert "  原因      策略属于身份，而此访问密钥（AK）不属于任何身份：没有查询任何策略" in result.outlines
    assert counted(result) == "调用：0 个已由策略判定 · 1 个未判定（1 个使用了不属于本次运行任何身份的密钥签名）"


# HWP020


def test_a_look_up_of_the_client_is_told_once_and_never_fails(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",), ("iam:*:list*",))
    marker = '@pytest.mark.requires_permission("ecs:cloudServers:list")\n'
    tests = "".join(f"{marker}def test_{n}(hwcloud):\n    listed(hwcloud)\n" for n in "ab")
    result = run(SDK + tests, f"--hwcloud-policy={file}", ENFORCE, "--hwcloud-lock=update")
    result.assert_outcomes(passed=2)
    assert result.ret == 0
    assert section(result) == (
        "HWP020 implicit-call  iam:projects:listProjects   identity default\n"
        "  call      GET iam /v3/projects      test_it.py:9\n"
        "  note      the client asks IAM for this by itself: a need of the identity, not of the test\n"
        "  tests     2 tests: test_it.py::test_a · ::test_b\n"
        "  fix       give the client the project id, and nothing is looked up: "
        "BasicCredentials(ak, sk, project_id), or HUAWEICLOUD_SDK_PROJECT_ID in the environment (hwcloud_env sets it)\n"
        "\n"
        "lock: hwcloud-permissions.yaml written (2 permissions, 2 tests)"
    )
    lock = pytester.path.joinpath("hwcloud-permissions.yaml").read_text(encoding="utf-8")
    assert "  iam:projects:listProjects:\n    calls: [GET iam /v3/projects]\n" in lock


def test_a_refused_look_up_is_one_missing_permission_of_the_run(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    tests = "def test_a(hwcloud):\n    listed(hwcloud)\ndef test_b(hwcloud):\n    listed(hwcloud)\n"
    result = run(SDK + tests, f"--hwcloud-policy={file}", ENFORCE)
    result.assert_outcomes(failed=2)
    assert heads(result) == ["HWP001 iam:projects:listProjects", "HWP020 iam:projects:listProjects"]
    assert section(result).count("give the client the project id") == 2
    told = result.stdout.str()
    assert (
        "cause     The client library made this call by itself, to find a project or domain id that it was not given. "
        in told
    )
    assert "fix       Give the client its project id (BasicCredentials(ak, sk, project_id), " in told
    assert result.stdout.str().count("hwcloud permissions: test_it.py") == 0


def test_with_a_project_id_nothing_is_looked_up(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    tests = "def test_a(hwcloud):\n    listed(hwcloud, hwcloud.credentials().project_id)\n"
    result = run(SDK + tests, f"--hwcloud-policy={file}", ENFORCE)
    result.assert_outcomes(passed=1)
    assert heads(result) == []


def test_the_users_own_list_of_projects_is_a_need_of_the_test(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    source = HEAD + (
        '@pytest.mark.requires_permission("ecs:cloudServers:list")\n'
        "def test_it(hwcloud):\n"
        '    hwcloud.session().get("https://iam.cn-north-4.myhuaweicloud.com/v3/projects?name=cn-north-4")\n'
    )
    result = run(source, f"--hwcloud-policy={file}")
    assert "HWP001 iam:projects:listProjects" in heads(result)
    assert "HWP002 iam:projects:listProjects" in heads(result)
    assert not any(head.startswith("HWP020") for head in heads(result))


def test_the_reports_know_both_rules(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",), ("iam:*:list*",))
    options = (f"--hwcloud-policy={file}", "--hwcloud-report=json:out.json", "--hwcloud-report=sarif:out.sarif")
    run(SDK + "def test_a(hwcloud):\n    listed(hwcloud)\n", *options)
    report = json.loads(pytester.path.joinpath("out.json").read_text(encoding="utf-8"))
    assert [(row["rule"], row["level"]) for row in report["findings"]] == [("HWP020", "note")]
    results = json.loads(pytester.path.joinpath("out.sarif").read_text(encoding="utf-8"))["runs"][0]["results"]
    assert [(row["ruleId"], row["level"]) for row in results] == [("HWP020", "note")]


def test_the_lock_and_the_reports_carry_what_nobody_judged(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    reports = [f"--hwcloud-report={kind}:out.{kind}" for kind in ("json", "md", "html")]
    source = DUMMY + f"def test_it(hwcloud):\n    assert ask(hwcloud, {KEYS}).ok\n"
    result = run(source, f"--hwcloud-policy={file}", "--hwcloud-lock=update", *reports)
    assert (
        pytester.path.joinpath("hwcloud-permissions.yaml")
        .read_text(encoding="utf-8")
        .endswith(
            "unmapped: {}\nunjudged:\n  GET ecs /v1/{project_id}/cloudservers/detail:\n    - test_it.py::test_it\n"
        )
    )
    report = json.loads(pytester.path.joinpath("out.json").read_text(encoding="utf-8"))
    assert report["summary"]["calls"] == {"foreign-key": 1}
    for kind in ("md", "html"):
        assert counted(result) in pytester.path.joinpath(f"out.{kind}").read_text(encoding="utf-8")
    # A run that judges the call takes the row away again.
    run(source.replace(KEYS, "auth=hwcloud.session().auth"), f"--hwcloud-policy={file}", "--hwcloud-lock=update")
    lock = pytester.path.joinpath("hwcloud-permissions.yaml").read_text(encoding="utf-8")
    assert "unjudged" not in lock


def test_a_comment_with_notes_alone_is_none(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",), ("iam:*:list*",))
    run(SDK + "def test_a(hwcloud):\n    listed(hwcloud)\n", f"--hwcloud-policy={file}", "--hwcloud-report=md:out.md")
    assert pytester.path.joinpath("out.md").read_text(encoding="utf-8") == ""


def test_a_look_up_in_chinese(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",), ("iam:*:list*",))
    result = run(SDK + "def test_a(hwcloud):\n    listed(hwcloud)\n", f"--hwcloud-policy={file}", "--hwcloud-lang=zh")
    told = result.stdout.str()
    assert "HWP020 implicit-call（客户端自动发起的调用）  iam:projects:listProjects   身份 default\n" in told
    assert "  说明      由客户端自行向 IAM 查询：是身份的需要，不是测试的需要\n" in told
    assert "  处理      为客户端指定项目 ID 即可免去查询：BasicCredentials(ak, sk, project_id)，" in told
