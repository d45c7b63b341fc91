"""requires_permission against what a test really calls: declared, used, allowed (permission-checks.md section 4)."""

from __future__ import annotations

import pytest
from permission_project import HEAD, Run, answer, cassette, heads, policy, section

LISTED = HEAD + '@pytest.mark.hwcloud_cassette("success/list-servers")\n'
TRAP = LISTED + (
    '@pytest.mark.requires_permission("ecs:servers:list")\n'
    "def test_counts_servers(hwcloud):\n    assert get(hwcloud).ok\n"
)
TRAP_TEXT = """\
HWP003 stale-marker  ecs:servers:list   declared in test_it.py:13, never used
HWP002 undeclared-permission  ecs:cloudServers:list   used by GET ecs /v1/{project_id}/cloudservers/detail
  these look alike and are different permissions:
    ecs:servers:list       GET /v2.1/{project_id}/servers[/detail]    (Nova, discarded)
    ecs:cloudServers:list  GET /v1/{project_id}/cloudservers/detail   (5.0: ecs:cloudServers:listServersDetails)
  fix       @pytest.mark.requires_permission("ecs:cloudServers:list")"""


def test_the_trap_of_our_own_example_is_one_paragraph(run: Run) -> None:
    result = run(TRAP)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    assert section(result) == TRAP_TEXT


def test_enforce_fails_the_test_with_the_paragraph_and_no_traceback(run: Run) -> None:
    result = run(TRAP, "--hwcloud-permissions=enforce")
    result.assert_outcomes(failed=1)
    assert f"hwcloud permissions: test_it.py::test_counts_servers\n\n{TRAP_TEXT}\n" in result.stdout.str()
    heads = [line for line in TRAP_TEXT.splitlines() if line.startswith("HWP")]
    assert section(result).splitlines() == [*heads, "  tests     1 test: test_it.py::test_counts_servers"]
    assert "get(hwcloud).ok" not in result.stdout.str()
    assert result.stdout.lines[-1] == (
        "hwcloud: exit status 1: 2 permission findings (HWP002, HWP003), permissions enforce"
    )


def test_off_says_nothing(run: Run) -> None:
    result = run(TRAP, "--hwcloud-permissions=off")
    result.assert_outcomes(passed=1)
    assert "HWP" not in result.stdout.str()


@pytest.mark.parametrize(
    "name", ["ecs:cloudServers:list", "ECS:cloudservers:LIST", "ecs:cloudServers:listServersDetails"]
)
def test_every_spelling_declares_the_call(run: Run, name: str) -> None:
    result = run(LISTED + f'@pytest.mark.requires_permission("{name}")\ndef test_it(hwcloud):\n    get(hwcloud)\n')
    result.assert_outcomes(passed=1)
    assert section(result) == ""


def test_without_a_marker_and_without_a_policy_nothing_is_said(run: Run) -> None:
    result = run(LISTED + "def test_it(hwcloud):\n    get(hwcloud)\n")
    assert section(result) == ""


def test_an_action_that_nobody_needs_names_the_nearest_call(run: Run) -> None:
    source = LISTED + (
        '@pytest.mark.requires_permission(\n    "ecs:cloudServers:list",\n    "vpc:ports:get",\n)\n'
        "def test_it(hwcloud):\n    get(hwcloud)\n"
    )
    assert section(run(source)) == (
        "HWP003 stale-marker  vpc:ports:get   declared in test_it.py:15, never used\n"
        "  nearest   GET ecs /v1/{project_id}/cloudservers/detail needs ecs:cloudServers:list      test_it.py:10\n"
        '  fix       take "vpc:ports:get" out of the marker'
    )


def test_a_test_without_calls_needs_nothing(run: Run) -> None:
    result = run(HEAD + '@pytest.mark.requires_permission("ecs:cloudServers:list")\ndef test_it():\n    pass\n')
    assert section(result) == (
        "HWP003 stale-marker  ecs:cloudServers:list   declared in test_it.py:12, never used\n"
        "  calls     none of this test needs a permission\n"
        '  fix       take "ecs:cloudServers:list" out of the marker'
    )


def test_a_second_call_that_no_marker_names(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "two", answer(), answer("/v1/{project_id}/cloudservers/1ab"))
    source = HEAD + (
        '@pytest.mark.hwcloud_cassette("two")\n@pytest.mark.requires_permission("ecs:cloudServers:list")\n'
        "def test_it(hwcloud):\n    get(hwcloud)\n    get(hwcloud, SHOW)\n    get(hwcloud, SHOW)\n"
    )
    assert section(run(source)) == (
        "HWP002 undeclared-permission  ecs:cloudServers:showServer   "
        "used by GET ecs /v1/{project_id}/cloudservers/{server_id}\n"
        "  call      GET ecs /v1/{project_id}/cloudservers/{server_id}      test_it.py:10\n"
        '  fix       @pytest.mark.requires_permission("ecs:cloudServers:list", "ecs:cloudServers:showServer")'
    )


def test_a_call_that_the_policy_refuses(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "show", answer("/v1/{project_id}/cloudservers/1ab"))
    file = policy(pytester.path, "iam/ci-writer.json", ("ecs:*:list*",), ("ecs:cloudServers:start",))
    source = HEAD + (
        '@pytest.mark.hwcloud_cassette("show")\n@pytest.mark.hwcloud_identity("ci-writer")\n'
        '@pytest.mark.requires_permission("ecs:cloudServers:showServer")\n'
        "def test_show(hwcloud):\n    assert get(hwcloud, SHOW).status_code == 403\n"
    )
    (pytester.path / "hwcloud.yaml").write_text("identities: {ci-writer: {}}\n")
    result = run(source, f"--hwcloud-policy=ci-writer={file}")
    result.assert_outcomes(passed=1)
    assert (
        section(result)
        == """\
HWP001 missing-permission  ecs:cloudServers:showServer   identity ci-writer
  call      GET ecs /v1/{project_id}/cloudservers/{server_id}      test_it.py:10
  decision  deny (implicit): no statement allows it; 2 statements looked at
              1 allow ecs:*:list*             no: "showServer" and its alias "get" do not match
              2 allow ecs:cloudServers:start  no
  fix       iam/ci-writer.json: add "ecs:cloudServers:showServer" to statement 2"""
    )
    result = run(source, f"--hwcloud-policy=ci-writer={file}", "--hwcloud-permissions=enforce")
    result.assert_outcomes(failed=1)


def test_refused_and_undeclared_is_one_block(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:cloudServers:start",))
    source = LISTED + (
        '@pytest.mark.requires_permission("vpc:ports:get")\ndef test_it(hwcloud):\n    assert get(hwcloud).ok\n'
    )
    result = run(source, f"--hwcloud-policy={file}")
    result.assert_outcomes(failed=1)
    assert (
        section(result)
        == """\
HWP001 missing-permission  ecs:cloudServers:list   identity default
HWP002 undeclared-permission  ecs:cloudServers:list   used by GET ecs /v1/{project_id}/cloudservers/detail
  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:10
  decision  deny (implicit): no statement allows it; 1 statement looked at
              1 allow ecs:cloudServers:start  no
  fix       iam/r.json: add "ecs:cloudServers:list" to statement 1
            @pytest.mark.requires_permission("vpc:ports:get", "ecs:cloudServers:list")"""
    )
    enforced = run(source, f"--hwcloud-policy={file}", "--hwcloud-permissions=enforce")
    enforced.assert_outcomes(failed=1)
    told = enforced.stdout.str()
    assert "\nE         fix       Allow ecs:cloudServers:list" in told  # its own failure, explained
    assert "- hwcloud permissions -" in told
    assert told.count(section(result)) == 1  # below the failure; the summary names and counts
    assert section(enforced).splitlines() == [
        *section(result).splitlines()[:2],
        "  tests     1 test: test_it.py::test_it",
    ]


def test_an_explicit_deny_names_its_statement(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:*",), {"Effect": "Deny", "Action": ["ecs:*:list*"]})
    result = run(LISTED + "def test_it(hwcloud):\n    get(hwcloud)\n", f"--hwcloud-policy={file}")
    assert section(result).splitlines()[2] == (
        '  decision  deny (explicit): denied by "ecs:*:list*" (statement 2 of iam/r.json)'
    )
    assert section(result).splitlines()[-1] == (
        "  fix       iam/r.json: statement 2 denies it, and no other can allow what one denies"
    )


def test_what_cannot_be_decided_is_never_green(run: Run, pytester: pytest.Pytester) -> None:
    statement = {
        "Effect": "Allow",
        "Action": ["ecs:cloudServers:list"],
        "Condition": {"IpAddress": {"g:SourceIp": ["10.0.0.0/8"]}},
    }
    file = policy(pytester.path, "iam/r.json", statement)
    source = LISTED + "def test_it(hwcloud):\n    assert get(hwcloud).ok\n"
    result = run(source, f"--hwcloud-policy={file}", "--hwcloud-permissions=enforce")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert (
        "HWP014 undecidable  ecs:cloudServers:list   identity default\n"
        "  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:10\n"
        '  decision  unknown: allowed by "ecs:cloudServers:list" (statement 1 of iam/r.json) if '
    ) in text
    assert "g:SourceIp is not known" in text


def test_dependencies_are_covered_for_declaring_and_not_for_allowing(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "nova", answer("/v2.1/{project_id}/servers/detail"))
    source = HEAD + (
        '@pytest.mark.hwcloud_cassette("nova")\n@pytest.mark.requires_permission("ecs:servers:list")\n'
        "def test_it(hwcloud):\n    assert get(hwcloud, NOVA).ok\n"
    )
    assert section(run(source)) == ""
    file = policy(
        pytester.path,
        "iam/r.json",
        ("ecs:*:*", "vpc:*:list*", "vpc:*:get*"),
        {"Effect": "Deny", "Action": ["vpc:ports:get"]},
    )
    result = run(source, f"--hwcloud-policy={file}")
    result.assert_outcomes(passed=1)
    assert (
        section(result)
        == """\
HWP012 missing-dependency  vpc:ports:get   identity default
  call      GET ecs /v2.1/{project_id}/servers/detail      test_it.py:10
  needs     ecs:servers:list, which depends on it by its documentation
  decision  deny (explicit): denied by "vpc:ports:get" (statement 2 of iam/r.json)
              1 allow vpc:*:get* vpc:*:list* ecs:*:*  yes
              2 deny vpc:ports:get                    yes
  fix       iam/r.json: statement 2 denies it, and no other can allow what one denies"""
    )


def test_any_of_and_optional(run: Run) -> None:
    mark = "@pytest.mark.requires_permission({})\ndef test_it(hwcloud):\n    get(hwcloud)\n"
    used = 'any_of=["vpc:ports:get", "ecs:cloudServers:list"], optional=["vpc:networks:get"]'
    assert section(run(LISTED + mark.format(used))) == ""
    unused = '"ecs:cloudServers:list", any_of=["vpc:ports:get", "vpc:networks:get"]'
    assert heads(run(LISTED + mark.format(unused))) == ["HWP003 vpc:ports:get"]


def test_markers_of_class_and_module_are_upper_bounds(run: Run) -> None:
    source = HEAD + (
        'pytestmark = [\n    pytest.mark.requires_permission("vpc:ports:get"),\n'
        '    pytest.mark.hwcloud_cassette("success/list-servers"),\n]\n\n'
        '@pytest.mark.requires_permission("ecs:cloudServers:list")\n'
        "class TestServers:\n"
        "    def test_one(self, hwcloud):\n        get(hwcloud)\n"
        "    def test_two(self):\n        pass\n"
    )
    result = run(source)
    result.assert_outcomes(passed=2)
    assert section(result) == (
        "HWP003 stale-marker  vpc:ports:get   declared in test_it.py:13, never used by any of its 2 tests\n"
        "  nearest   GET ecs /v1/{project_id}/cloudservers/detail needs ecs:cloudServers:list      test_it.py:10\n"
        '  fix       take "vpc:ports:get" out of the marker'
    )
    assert run(source, "--hwcloud-permissions=enforce").ret == 1


@pytest.mark.parametrize("selection", [["-k", "two"], ["test_it.py::TestServers::test_two"]])
def test_a_part_of_a_class_does_not_make_its_marker_stale(run: Run, selection: list[str]) -> None:
    source = LISTED + (
        '@pytest.mark.requires_permission("ecs:cloudServers:list")\nclass TestServers:\n'
        "    def test_one(self, hwcloud):\n        get(hwcloud)\n    def test_two(self):\n        pass\n"
    )
    result = run(source, *selection)
    result.assert_outcomes(passed=1, deselected=1 if "-k" in selection else 0)
    assert section(result) == ""


@pytest.mark.parametrize(
    "body",
    [
        '    pytest.skip("not today")',
        '    pytest.xfail("not yet")',
        "    assert 0",
    ],
)
def test_what_did_not_run_to_its_end_is_not_stale(run: Run, body: str) -> None:
    result = run(HEAD + f'@pytest.mark.requires_permission("ecs:cloudServers:list")\ndef test_it():\n{body}\n')
    assert section(result) == ""


@pytest.mark.parametrize("mark", ['skip("never")', "xfail(run=False)", 'skipif(True, reason="here")'])
def test_what_was_not_run_is_not_stale(run: Run, mark: str) -> None:
    marks = f'@pytest.mark.{mark}\n@pytest.mark.requires_permission("ecs:cloudServers:list")\n'
    assert section(run(HEAD + marks + "def test_it():\n    pass\n")) == ""


def test_each_row_of_a_parametrised_test_has_its_own_markers(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "both", answer(), answer("/v2.1/{project_id}/servers/detail"))
    source = HEAD + (
        '@pytest.mark.hwcloud_cassette("both")\n@pytest.mark.parametrize("path", [\n'
        '    pytest.param(LIST, marks=pytest.mark.requires_permission("ecs:cloudServers:list"), id="v1"),\n'
        '    pytest.param(NOVA, marks=pytest.mark.requires_permission("ecs:cloudServers:list"), id="nova"),\n'
        '    pytest.param(NOVA, marks=pytest.mark.requires_permission("ecs:servers:list"), id="right"),\n'
        "])\ndef test_it(hwcloud, path):\n    get(hwcloud, path)\n"
    )
    assert heads(run(source)) == ["HWP003 ecs:cloudServers:list", "HWP002 ecs:servers:list"]


def test_the_same_finding_of_many_tests_is_told_once(run: Run, pytester: pytest.Pytester) -> None:
    source = LISTED + (
        '@pytest.mark.parametrize("page", range(3))\n@pytest.mark.requires_permission("ecs:servers:list")\n'
        "def test_pages(hwcloud, page):\n    get(hwcloud)\n\n"
        '@pytest.mark.hwcloud_cassette("success/list-servers")\n@pytest.mark.requires_permission("ecs:servers:list")\n'
        "def test_counts(hwcloud):\n    get(hwcloud)\n"
    )
    text = section(run(source))
    assert text.count("HWP003") == text.count("HWP002") == 1
    assert "  tests     4 tests: test_it.py::test_counts · ::test_pages[*] (3)\n" in text


def test_a_marker_for_an_identity_speaks_of_its_calls_only(run: Run, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("hwcloud.yaml").write_text("identities: {default: {}, auditor: {user: auditor}}\n")
    source = LISTED + (
        '@pytest.mark.requires_permission("ecs:cloudServers:list", identity="auditor")\n'
        "def test_it(hwcloud):\n    get(hwcloud@)\n"
    )
    assert section(run(source.replace("@)", ', identity="auditor")'))) == ""
    declared = "ecs:cloudServers:listServersDetails"
    assert section(run(source.replace("@)", ")").replace("ecs:cloudServers:list", declared))) == (
        f"HWP003 stale-marker  {declared}   declared in test_it.py:13, never used\n"
        "HWP002 undeclared-permission  ecs:cloudServers:list   "
        "used by GET ecs /v1/{project_id}/cloudservers/detail\n"
        "  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:10\n"
        '  identity  the marker says identity="auditor", the call is made as default\n'
        '  fix       call as auditor (hwcloud.session(identity="auditor")), or take identity= out of the marker'
    )


def test_a_scope_in_the_marker_is_held_against_the_token(run: Run) -> None:
    source = LISTED.replace("list-servers", "aksk-any-scope") + (
        '@pytest.mark.requires_permission("tms:predefineTags:list", scope="project")\n'
        "def test_it(hwcloud, hwcloud_domain_token):\n"
        '    url = hwcloud.url("tms", "/v1.0/predefine_tags")\n'
        "    assert hwcloud.session(auth=hwcloud_domain_token).get(url).ok\n"
    )
    result = run(source)
    result.assert_outcomes(passed=1)
    text = section(result)
    assert text == (
        "HWP005 scope-mismatch  tms:predefineTags:list   "
        'token of a domain, the marker in test_it.py:13 says scope="project"\n'
        "  call      GET tms /v1.0/predefine_tags      test_it.py:16\n"
        "  fix       ask for a token of the project (hwcloud_token(project=…)), or change scope= in the marker"
    )
