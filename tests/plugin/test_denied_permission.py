"""denied_permission: calls that need these actions must be refused at the authorization gate; negative tests."""

from __future__ import annotations

import pytest
from permission_project import HEAD, Run, heads, policy, section

LISTED = HEAD + '@pytest.mark.hwcloud_cassette("success/list-servers")\n'
REFUSED = HEAD + '@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")\n'
MARK = '@pytest.mark.denied_permission("ecs:cloudServers:list")\n'
CODED = '@pytest.mark.denied_permission("ecs:cloudServers:list", code="{}")\n'
CALL = "def test_it(hwcloud):\n    get(hwcloud)\n"


def test_a_recorded_refusal_is_enough(run: Run) -> None:
    result = run(REFUSED + CODED.format("Ecs.0110") + CALL, "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=1)
    assert section(result) == ""


def test_the_policy_refuses(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:cloudServers:start",))
    result = run(LISTED + MARK + CALL, f"--hwcloud-policy={file}", "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=1)
    assert section(result) == ""


def test_nothing_refuses(run: Run) -> None:
    result = run(LISTED + MARK + CALL)
    result.assert_outcomes(passed=1)
    assert section(result) == (
        "HWP018 over-permission  ecs:cloudServers:list   identity default\n"
        "  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:10\n"
        "  decision  no policy judges identity default, and the answer is no refusal\n"
        "  fix       give the identity a policy (--hwcloud-policy default=FILE), or record the refusal"
    )
    run(LISTED + MARK + CALL, "--hwcloud-permissions=enforce").assert_outcomes(failed=1)


def test_the_policy_allows(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:get*",), ("ecs:*:list*",))
    result = run(LISTED + MARK + CALL, f"--hwcloud-policy={file}")
    assert section(result) == (
        "HWP018 over-permission  ecs:cloudServers:list   identity default\n"
        "  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:10\n"
        "  decision  allow: statement 2 of iam/r.json\n"
        '  fix       iam/r.json: take "ecs:cloudServers:list" out of statement 2, or deny it'
    )


def test_refused_with_another_code(run: Run) -> None:
    result = run(REFUSED + CODED.format("IAM.0003") + CALL)
    assert section(result) == (
        "HWP018 over-permission  ecs:cloudServers:list   identity default\n"
        "  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:10\n"
        "  decision  refused, with Ecs.0110 and not with IAM.0003\n"
        '  fix       code="Ecs.0110" in the marker, or another recording'
    )


def test_a_marker_that_no_call_needs_is_stale_and_the_policy_is_looked_at(run: Run, pytester: pytest.Pytester) -> None:
    source = HEAD + MARK + "def test_it():\n    pass\n"
    assert heads(run(source)) == ["HWP003 ecs:cloudServers:list"]
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",))
    result = run(source, f"--hwcloud-policy={file}")
    assert heads(result) == ["HWP003 ecs:cloudServers:list", "HWP018 ecs:cloudServers:list"]
    assert "  decision  allow: statement 1 of iam/r.json\n" in section(result)


def test_another_gate_is_no_denial(run: Run) -> None:
    source = REFUSED.replace("authorization/aksk-without-permission", "scope/domain-token-on-regional-service") + MARK
    source += "def test_it(hwcloud, hwcloud_domain_token):\n    get(hwcloud, auth=hwcloud_domain_token)\n"
    assert [rule.split()[0] for rule in heads(run(source))] == ["HWP005"]


NEGATIVE = {
    "raises": "    with pytest.raises(Exception):\n        get(hwcloud).raise_for_status()\n",
    "raises-called": "    pytest.raises(Exception, lambda: get(hwcloud).raise_for_status())\n",
    "refused": '    with hwcloud.refused("Ecs.0110"):\n        get(hwcloud)\n',
    "thread": (
        "    from concurrent.futures import ThreadPoolExecutor\n"
        "    with pytest.raises(Exception):\n"
        "        ThreadPoolExecutor(1).submit(lambda: get(hwcloud).raise_for_status()).result()\n"
    ),
    "loop": (
        "    import asyncio\n\n"
        "    async def one():\n"
        "        await asyncio.to_thread(lambda: get(hwcloud).raise_for_status())\n\n"
        "    async def both():\n"
        "        with pytest.raises(Exception):\n            await asyncio.gather(one(), one())\n\n"
        "    asyncio.run(both())\n"
    ),
    "unittest": (
        "    import unittest\n    with unittest.TestCase().assertRaises(Exception):\n"
        "        get(hwcloud).raise_for_status()\n"
    ),
    "injected": '    with hwcloud.deny("ecs:cloudServers:list"):\n        get(hwcloud)\n',
}


@pytest.mark.parametrize("body", list(NEGATIVE.values()), ids=list(NEGATIVE))
def test_a_refusal_that_was_asked_for_is_no_finding(run: Run, pytester: pytest.Pytester, body: str) -> None:
    mark = '@pytest.mark.requires_permission("ecs:cloudServers:list")\n'
    allowed = ("ecs:*:list*",) if "deny" in body else ("ecs:cloudServers:start",)
    file = policy(pytester.path, "iam/r.json", allowed)
    source = LISTED + mark + "def test_it(hwcloud):\n" + body
    result = run(source, f"--hwcloud-policy={file}", "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=1)
    assert section(result) == ""


def test_a_refusal_that_the_code_swallows_is_a_finding(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:cloudServers:start",))
    body = (
        "def test_it(hwcloud):\n    with pytest.raises(ValueError):\n        raise ValueError\n"
        "    try:\n        get(hwcloud).raise_for_status()\n    except Exception:\n        pass\n"
    )
    assert heads(run(LISTED + body, f"--hwcloud-policy={file}")) == ["HWP001 ecs:cloudServers:list"]


def test_what_is_expected_to_fail_is_expected(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:cloudServers:start",))
    body = "@pytest.mark.xfail\ndef test_it(hwcloud):\n    assert get(hwcloud).ok\n"
    result = run(LISTED + body, f"--hwcloud-policy={file}", "--hwcloud-permissions=enforce")
    result.assert_outcomes(xfailed=1)
    assert (section(result), result.ret) == ("", 0)
