"""Whose rights count: identities of a run, tokens that are older than a grant, and the gates before any policy."""

from __future__ import annotations

import pytest
from permission_project import HEAD, Run, answer, cassette, heads, policy, section

LISTED = HEAD + '@pytest.mark.hwcloud_cassette("success/list-servers")\n'
WANTS = '@pytest.mark.requires_permission("ecs:cloudServers:list")\n'


def test_each_test_is_judged_by_its_own_identity(run: Run, pytester: pytest.Pytester) -> None:
    viewer = policy(pytester.path, "iam/viewer.json", ("ecs:*:list*",))
    writer = policy(pytester.path, "iam/writer.json", ("ecs:cloudServers:start",))
    (pytester.path / "hwcloud.yaml").write_text("identities: {viewer: {}, writer: {}}\n")
    source = LISTED + (
        WANTS + '@pytest.mark.parametrize("who", [\n'
        '    pytest.param("viewer", marks=pytest.mark.hwcloud_identity("viewer")),\n'
        '    pytest.param("writer", marks=pytest.mark.hwcloud_identity("writer")),\n'
        "])\ndef test_it(hwcloud, who):\n    assert hwcloud.identity().name == who\n    get(hwcloud)\n"
    )
    result = run(source, f"--hwcloud-policy=viewer={viewer}", f"--hwcloud-policy=writer={writer}")
    result.assert_outcomes(passed=2)
    assert section(result).splitlines()[0] == "HWP001 missing-permission  ecs:cloudServers:list   identity writer"
    assert section(result).count("HWP") == 1


def test_a_token_that_is_older_than_the_grant(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:cloudServers:start",))
    body = (
        "def test_it(hwcloud, hwcloud_project_token):\n"
        '    with hwcloud.grant("ecs:cloudServers:list"):\n        get(hwcloud, auth=hwcloud_project_token)\n'
    )
    result = run(LISTED + WANTS + body, f"--hwcloud-policy={file}")
    result.assert_outcomes(passed=1)
    assert section(result) == (
        "HWP015 stale-token  ecs:cloudServers:list   identity default\n"
        "  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:10\n"
        "  token     issued before the grant: a token keeps the rights of its issue, "
        "and the identity has this one only since\n"
        "  fix       ask for a new token after the grant: hwcloud.token(..., fresh=True); AK/SK sees a grant at once"
    )


def test_a_token_of_the_wrong_scope(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    source = (
        LISTED + WANTS + ("def test_it(hwcloud, hwcloud_domain_token):\n    get(hwcloud, auth=hwcloud_domain_token)\n")
    )
    result = run(source, f"--hwcloud-policy={file}")
    assert section(result) == (
        "HWP005 scope-mismatch   token of domain 0503dda8…, ECS is a regional service, "
        "the URL names project 05041fff… (cn-north-4)\n"
        "  answer    400 Common.0018 tenantId in token is not the same with in URL.\n"
        "  note      not a missing permission: identity default may do ecs:cloudServers:list (statement 1)\n"
        '  fix       ask for a token with auth.scope.project.name = "cn-north-4" '
        '(hwcloud_token(project="cn-north-4")), or sign with AK/SK'
    )


def test_a_call_without_credentials(run: Run) -> None:
    source = (
        LISTED.replace("success/list-servers", "authentication/token-missing")
        + WANTS
        + ('def test_it(hwcloud):\n    import requests\n    requests.get(hwcloud.url("ecs", LIST))\n')
    )
    result = run(source)
    result.assert_outcomes(passed=1)
    assert section(result) == (
        "HWP006 authentication-failed  ecs:cloudServers:list   identity unknown\n"
        "  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:16\n"
        "  answer    401 APIGW.0301 Incorrect IAM authentication information: x-auth-token not found\n"
        "  note      not a missing permission: the call never got past the gateway, and no policy was asked\n"
        "  fix       send credentials: hwcloud_session signs with AK/SK, hwcloud_token() gives a token"
    )


def test_a_call_that_no_table_knows_and_one_that_the_body_does_not_decide(run: Run, pytester: pytest.Pytester) -> None:
    cassette(
        pytester.path,
        "odd",
        answer("/v9/{project_id}/oddities"),
        answer("/v1/{project_id}/cloudservers/action", method="POST"),
    )
    source = HEAD + (
        '@pytest.mark.hwcloud_cassette("odd")\n@pytest.mark.requires_permission("ecs:cloudServers:list")\n'
        'def test_it(hwcloud):\n    get(hwcloud, "/v9/{project_id}/oddities")\n'
        '    url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/action")\n'
        '    hwcloud.session().post(url, json={"os-dance": {}})\n    raise LookupError\n'
    )
    assert section(run(source)) == (
        "HWP011 unmapped-call  GET ecs /v9/{project_id}/oddities   no table says what it needs\n"
        "  call      test_it.py:10\n"
        '  row       {method: GET, path: "/v9/{project_id}/oddities", actions: []}\n'
        "  fix       say what it needs in a table of the project: `actions: [extra-actions.yaml]` in hwcloud.yaml\n"
        "\n"
        "HWP011 unmapped-call  POST ecs /v1/{project_id}/cloudservers/action   no table says what it needs\n"
        "  call      test_it.py:17\n"
        "  why       it may be BatchRebootServers or BatchStartServers or BatchStopServers; "
        "what decides: body key reboot | body key os-start | body key os-stop\n"
        "  fix       send what tells the operations apart"
    )


def test_a_retry_is_one_use(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "busy", answer(status=429), answer())
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    source = (
        HEAD
        + '@pytest.mark.hwcloud_cassette("busy")\n'
        + WANTS
        + ("def test_it(hwcloud):\n    while get(hwcloud).status_code == 429:\n        pass\n")
    )
    result = run(source, f"--hwcloud-policy={file}", "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=1)
    assert heads(result) == []


GRANTS = """\
identities:
  default: {user: ci, policies: [{policy: iam/r.json, scope: domain}]}
  other:
    projects: {cn-north-1: p1, cn-north-4: p4}
    policies: [{policy: iam/r.json, project: cn-north-1}]
  bound: {user: bound, policies: [iam/r.json], bound: iam/scp.json}
"""
HWP001 = (
    "HWP001 missing-permission  ecs:cloudServers:list   identity {}\n"
    "  call      GET ecs /v1/{{project_id}}/cloudservers/detail      test_it.py:10\n"
    "  decision  deny (implicit): {}\n"
    "              1 allow {}  {}\n"
    "  fix       iam/{}"
)
NONE = "no statement allows it; 1 statement looked at"
THERE = "r.json allows it, but not where the call is made: grant it there as well (hwcloud.yaml)"


def test_a_grant_counts_where_hwcloud_yaml_gives_it(run: Run, pytester: pytest.Pytester) -> None:
    policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    policy(pytester.path, "iam/scp.json", ("vpc:*:*",))
    pytester.path.joinpath("hwcloud.yaml").write_text(GRANTS)
    source = LISTED + (
        '@pytest.mark.parametrize("who", ["default", "other", "bound"])\n'
        "def test_it(hwcloud, who):\n    get(hwcloud, identity=who)\n"
    )
    shown = section(run(source)).split("\n\n")
    bounded = "the service control policy bounds it: no statement allows it; 1 statement looked at"
    domain, project = "granted on the domain, which counts for global services only", "granted on project p1 only"
    assert shown == [
        HWP001.format(
            "bound",
            bounded,
            "vpc:*:*",
            "no",
            'scp.json: allow "ecs:cloudServers:list" in this service control policy too',
        ),
        HWP001.format("default", NONE, "ecs:*:list*", f"no: {domain}", THERE),
        HWP001.format("other", NONE, "ecs:*:list*", f"no: {project}", THERE),
    ]
