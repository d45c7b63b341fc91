"""hwcloud.refused, assert_ok and assert_called: what they accept, and every line they print."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Run = Callable[..., pytest.RunResult]
HEAD = """
import pytest, requests
LIST = "/v1/{project_id}/cloudservers/detail"
"""


def test_refused_catches_what_the_client_raises(run: Run) -> None:
    result = run(
        HEAD
        + """
@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_it(hwcloud, hwcloud_session):
    with hwcloud.refused("ecs.0110", gate="authorization") as refusal:
        hwcloud_session.get(hwcloud.url("ecs", LIST)).raise_for_status()
    assert (refusal.code, refusal.gate, refusal.status) == ("Ecs.0110", "authorization", 403)
    assert refusal.request_id == "1c1d07572cb568467f65515a2353f3a9"
    assert isinstance(refusal.error, requests.HTTPError)
    assert "refused at authorization" in str(refusal.explanation)
"""
    )
    result.assert_outcomes(passed=1)


def test_refused_with_the_real_sdk(run: Run) -> None:
    pytest.importorskip("huaweicloudsdkecs")
    result = run(
        HEAD
        + """
@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_it(hwcloud):
    from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
    with hwcloud.refused("Ecs.0110", gate="authorization"):
        hwcloud.client(EcsClient).list_servers_details(ListServersDetailsRequest())
"""
    )
    result.assert_outcomes(passed=1)


def test_another_exception_goes_through(run: Run) -> None:
    result = run(
        HEAD
        + """
@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_it(hwcloud, hwcloud_session):
    with pytest.raises(ZeroDivisionError), hwcloud.refused("Ecs.0110"):
        hwcloud_session.get(hwcloud.url("ecs", LIST))
        1 / 0
"""
    )
    result.assert_outcomes(passed=1)


def test_nothing_was_refused(run: Run) -> None:
    result = run(
        HEAD
        + """
@pytest.mark.hwcloud_cassette("success/list-servers")
def test_it(hwcloud, hwcloud_session):
    with hwcloud.refused("Ecs.0110", gate="authorization"):
        hwcloud_session.get(hwcloud.url("ecs", LIST))
""",
        "--tb=short",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "E   AssertionError: hwcloud.refused('Ecs.0110', gate='authorization'): no call in the block was refused",
            "E     calls     GET https://ecs.cn-north-4.myhuaweicloud.com/v1/*/cloudservers/detail -> 200",
        ],
        consecutive=True,
    )


def test_no_call_was_made(run: Run) -> None:
    result = run(
        "def test_it(hwcloud):\n    with hwcloud.refused('Ecs.0110'):\n        pass\n",
        "--tb=short",
    )
    result.stdout.fnmatch_lines(["E   AssertionError: hwcloud.refused('Ecs.0110'): no call was made in the block"])


def test_refused_otherwise_is_explained(run: Run) -> None:
    result = run(
        HEAD
        + """
@pytest.mark.hwcloud_cassette("authentication/token-missing")
def test_it(hwcloud):
    with hwcloud.refused("Ecs.0110"):
        requests.get(hwcloud.url("ecs", LIST))
""",
        "--tb=short",
    )
    result.stdout.fnmatch_lines(
        [
            "E   AssertionError: hwcloud.refused('Ecs.0110'): refused otherwise, APIGW.0301 at authentication",
            "E   hwcloud: refused at authentication: APIGW.0301 (HTTP 401) from *",
        ],
        consecutive=True,
    )
    assert result.stdout.str().count("hwcloud: refused at authentication") == 1


def test_assert_ok(run: Run) -> None:
    result = run(
        HEAD
        + """
@pytest.mark.hwcloud_cassette("success/list-servers")
def test_good(hwcloud, hwcloud_session):
    response = hwcloud_session.get(hwcloud.url("ecs", LIST))
    assert hwcloud.assert_ok(response) is response

@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_bad(hwcloud, hwcloud_session):
    hwcloud.assert_ok(hwcloud_session.get(hwcloud.url("ecs", LIST)))
""",
        "--tb=short",
    )
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines(
        [
            "E   AssertionError: hwcloud.assert_ok: a success was expected, got HTTP 403 Ecs.0110",
            "E   hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs",
        ],
        consecutive=True,
    )
    assert result.stdout.str().count("E   hwcloud: refused at authorization") == 1


def test_assert_called(run: Run) -> None:
    result = run(
        HEAD
        + """
@pytest.fixture
def called(hwcloud, hwcloud_session):
    hwcloud_session.get(hwcloud.url("ecs", LIST))
    return hwcloud

pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")

def test_by_action(called):
    called.assert_called("ecs:cloudServers:list")
    called.assert_called("ECS:CLOUDSERVERS:listServersDetails", times=1)
    called.assert_called("GET ecs /v1/{project_id}/cloudservers/detail", times=1)
    called.assert_called("ecs:servers:list", times=0)

def test_never(called):
    called.assert_called("ecs:servers:list")

def test_too_few(called):
    called.assert_called("ecs:cloudServers:list", times=2)

def test_nothing(hwcloud):
    hwcloud.assert_called("ecs:cloudServers:list")
""",
        "--tb=short",
    )
    result.assert_outcomes(passed=1, failed=3)
    made = "E     made      1 x GET ecs /v1/{project_id}/cloudservers/detail  (ecs:cloudServers:list)"
    result.stdout.fnmatch_lines(
        [
            "E   AssertionError: hwcloud.assert_called('ecs:servers:list'): never called",
            made,
            "E   AssertionError: hwcloud.assert_called('ecs:cloudServers:list', times=2): called 1 time",
            made,
            "E   AssertionError: hwcloud.assert_called('ecs:cloudServers:list'): this test made no calls",
        ]
    )


def test_deny_and_grant_are_for_replay(run: Run) -> None:
    result = run(
        """
        def test_it(hwcloud):
            with hwcloud.deny("ecs:cloudservers:lst"):
                pass
        """,
        "--tb=short",
    )
    result.stdout.fnmatch_lines(
        [
            "E   pytest_hwcloud.run.markers.MarkerError: hwcloud.deny: HWP010 unknown-action ecs:cloudservers:lst: "
            "no such action is documented; did you mean ecs:cloudServers:list?"
        ]
    )
