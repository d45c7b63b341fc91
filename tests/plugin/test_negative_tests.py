"""A green test that asserts its refusal is a negative test: no finding, and no need in the lock; and the tour."""

from __future__ import annotations

from pathlib import Path

import pytest
from permission_project import HEAD, Run, policy, section

ACTION = "ecs:cloudServers:list"
SOURCE = (
    HEAD
    + """
import unittest, requests
pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")

def test_status(hwcloud):
    assert get(hwcloud).status_code == 403

def test_code(hwcloud):
    assert get(hwcloud).json()["error"]["code"] == "Ecs.0110"

def test_not_ok(hwcloud):
    assert not get(hwcloud).ok

@pytest.fixture
def wanted():
    return 403

def test_fixture(hwcloud, wanted):
    assert get(hwcloud).status_code == wanted

def test_scope(hwcloud, hwcloud_domain_token):
    assert get(hwcloud, auth=hwcloud_domain_token).json()["error"]["code"] == "Common.0018"

def test_no_credentials(hwcloud):
    assert requests.get(hwcloud.url("ecs", LIST)).status_code == 401
"""
)
SILENT = (
    HEAD
    + f"""
import requests
pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")

def listed(hwcloud, **given):
    answer = get(hwcloud, **given)
    return [] if answer.status_code in (400, 401, 403) else answer.json()["servers"]

def test_the_code_swallows_it(hwcloud):
    assert listed(hwcloud) == []

def test_another_code(hwcloud):
    assert get(hwcloud).status_code != 404

@pytest.mark.requires_permission("{ACTION}")
def test_declared(hwcloud):
    assert get(hwcloud).status_code == 403

def test_scope(hwcloud, hwcloud_domain_token):
    assert listed(hwcloud, auth=hwcloud_domain_token) == []

def test_no_credentials(hwcloud):
    assert requests.get(hwcloud.url("ecs", LIST)) is not None
"""
)
ENFORCE = "--hwcloud-permissions=enforce"


@pytest.fixture
def narrow(pytester: pytest.Pytester) -> str:
    return f"--hwcloud-policy={policy(pytester.path, 'p.json', ('tms:predefineTags:list',))}"


def test_an_asserted_refusal_is_no_finding_and_no_need(run: Run, narrow: str, pytester: pytest.Pytester) -> None:
    result = run(SOURCE, narrow, ENFORCE, "--hwcloud-lock=update")
    result.assert_outcomes(passed=6)
    assert section(result) == "lock: hwcloud-permissions.yaml written (1 permission, 4 tests)"
    lock = Path("hwcloud-permissions.yaml").read_text()
    needs = [line.strip() for line in lock.splitlines() if "::" in line]
    assert needs == [f"test_it.py::test_{name}: refused" for name in ("code", "fixture", "not_ok", "status")]


def test_a_refusal_that_only_the_code_knows_or_a_marker_contradicts_is_a_finding(run: Run, narrow: str) -> None:
    result = run(SILENT, narrow, ENFORCE, "--tb=no")  # without tracebacks the summary has every word
    result.assert_outcomes(failed=5)
    assert section(result).replace("test_it.py::", "") == (
        f"""\
HWP001 missing-permission  {ACTION}   identity default
  call      GET ecs /v1/{{project_id}}/cloudservers/detail      test_it.py:10
  decision  deny (implicit): no statement allows it; 1 statement looked at
              1 allow tms:predefineTags:list  no
  tests     3 tests: test_another_code · ::test_declared · ::test_the_code_swallows_it
  fix       p.json: add "{ACTION}" in a statement of its own

HWP006 authentication-failed  {ACTION}   identity unknown
  call      GET ecs /v1/{{project_id}}/cloudservers/detail      test_it.py:34
  answer    401 APIGW.0301 Incorrect IAM authentication information: x-auth-token not found
  note      not a missing permission: the call never got past the gateway, and no policy was asked
  fix       send credentials: hwcloud_session signs with AK/SK, hwcloud_token() gives a token

HWP005 scope-mismatch   token of domain 0503dda8…, ECS is a regional service, the URL names project 05041fff… \
(cn-north-4)
  answer    400 Common.0018 tenantId in token is not the same with in URL.
  note      not a missing permission: the scope of the token is looked at before any policy
  fix       ask for a token with auth.scope.project.name = "cn-north-4" (hwcloud_token(project="cn-north-4")), \
or sign with AK/SK"""
    )


def test_the_tour_is_green_when_enforced(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    allowing = policy(pytester.path, "p.json", ("ecs:*:list*", "tms:*:list*", "iam:*:list*"))
    options = (f"--hwcloud-policy={allowing}", ENFORCE, "--hwcloud-lock=update", "--hwcloud-prove=all")
    tour = ("-p", "hwcloud", "--pyargs", "pytest_hwcloud.tour", f"--rootdir={pytester.path}")
    result = pytester.runpytest_inprocess(*tour, *options)
    assert result.ret == 0
    told, _, rest = section(result).partition("\n\n")
    assert told.startswith("HWP020 implicit-call  iam:projects:listProjects   identity default\n")
    assert rest.splitlines() == [
        "hwcloud proof: 9 proved",
        "hwcloud proof of scope: 2 proved",
        "lock: hwcloud-permissions.yaml written (3 permissions, 11 tests)",
    ]


def test_a_refusal_that_a_test_expects_loads_no_asyncio(pytester: pytest.Pytester) -> None:
    """46 ms of every run were spent on what only a test with an event loop needs."""
    import subprocess
    import sys

    pytester.makepyfile(
        test_it="""
        import sys
        import pytest

        LIST = "/v1/{project_id}/cloudservers/detail"

        @pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
        @pytest.mark.requires_permission("ecs:cloudServers:list")
        def test_it(hwcloud, hwcloud_session):
            with hwcloud.refused("Ecs.0110"):
                hwcloud_session.get(hwcloud.url("ecs", LIST)).raise_for_status()
            assert "asyncio" not in sys.modules
        """
    )
    command = [sys.executable, "-m", "pytest", "-q", "-p", "hwcloud"]
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, cwd=pytester.path, capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stdout
