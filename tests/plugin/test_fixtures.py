"""The fixtures, as a user has them in a test."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]
CONFIG = """
identities:
  default:
    user: ci-reader
    domain: example-corp
    projects: {cn-north-4: 05041fffa40025702f6dc009cc6f8f33, cn-east-3: 1504e5cfa40025702f6dc009cc6f8f34}
  auditor: {user: auditor}
"""


def test_a_session_signs_and_is_answered_from_the_cassette(run: Run) -> None:
    result = run(
        """
        import pytest

        @pytest.mark.hwcloud_cassette("success/list-servers")
        def test_it(hwcloud, hwcloud_session):
            response = hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
            assert response.json()["count"] == 8
            assert response.request.headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=")
            exchange, = hwcloud.exchanges
            assert (exchange.method, exchange.status, exchange.failure, exchange.gate) == ("GET", 200, None, None)
            assert (exchange.identity, exchange.source) == ("default", "success/list-servers")
            assert exchange.call.operation == "ListServersDetails"
            assert exchange.where[0].endswith("test_it.py") and exchange.where[1] == 5
        """
    )
    result.assert_outcomes(passed=1)


def test_tokens_have_a_scope_and_are_asked_for_once(run: Run) -> None:
    result = run(
        """
        from datetime import timedelta

        def test_it(hwcloud, hwcloud_token, hwcloud_project_token, hwcloud_domain_token):
            project = hwcloud_token(project="cn-north-4")
            assert project is hwcloud_project_token is hwcloud.token()
            assert project is hwcloud.token(project="05041fffa40025702f6dc009cc6f8f33")
            scope = project.scope
            assert (scope.kind, scope.id, scope.name) == ("project", "05041fffa40025702f6dc009cc6f8f33", "cn-north-4")
            assert hwcloud_token(domain=True) is hwcloud_domain_token is hwcloud_token(domain="example-corp")
            assert hwcloud_domain_token.scope.kind == "domain"
            assert project.expires_at - project.issued_at == timedelta(hours=24)
            assert project.issued_at.tzinfo is not None and project.identity == "default"
            assert project.value not in repr(project)
            assert hwcloud.token(fresh=True).value != project.value
        """
    )
    result.assert_outcomes(passed=1)


def test_urls_are_made_of_endpoint_region_and_ids(run: Run, pytester: pytest.Pytester) -> None:
    Path(pytester.path, "hwcloud.yaml").write_text(CONFIG)
    result = run(
        """
        def test_it(hwcloud):
            url = hwcloud.url
            assert url("ecs", "/v1/{project_id}/x") == (
                "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/x")
            assert url("ecs", "/v1/{project_id}/x", region="cn-east-3") == (
                "https://ecs.cn-east-3.myhuaweicloud.com/v1/1504e5cfa40025702f6dc009cc6f8f34/x")
            assert url("tms", "/v1.0/predefine_tags") == "https://tms.myhuaweicloud.com/v1.0/predefine_tags"
            assert url("iam", "/v3/domains/{domain_id}").endswith("/v3/domains/0503dda878000fed0f75c0096d70a960")
        """
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            'hwcloud.url("esc", "/x")',
            "E   pytest_hwcloud.cloud.identity.UnknownName: unknown service 'esc'; did you mean 'ecs'?*",
        ),
        (
            'hwcloud.token(project="cn-east-33")',
            "E   pytest_hwcloud.cloud.identity.UnknownName: unknown project 'cn-east-33'*"
            "(projects of identity 'default', hwcloud.yaml)",
        ),
        (
            'hwcloud.url("ecs", "/v1/{project_id}/servers/{server_id}")',
            "E   ValueError: hwcloud.url('ecs', '/v1/{project_id}/servers/{server_id}'): {server_id} is not filled in; "
            "only {project_id} and {domain_id} are known, write other ids into the path",
        ),
        (
            'hwcloud.token(project="cn-north-4", domain=True)',
            "E   ValueError: hwcloud.token(project='cn-north-4', domain=True): a token has one scope; "
            "give project for regional services, or domain=True for global ones",
        ),
        (
            'hwcloud.identity("defualt")',
            "E   pytest_hwcloud.cloud.identity.UnknownName: unknown identity 'defualt'; did you mean 'default'? "
            "(identities of this run, hwcloud.yaml)",
        ),
        (
            "hwcloud.client(int)",
            "E   TypeError: hwcloud.client(<class 'int'>): a client class of the official SDK is expected, "
            "for instance EcsClient from huaweicloudsdkecs.v2",
        ),
    ],
)
def test_wrong_use_is_one_clear_line(run: Run, call: str, message: str) -> None:
    result = run(f"def test_it(hwcloud):\n    {call}\n", "--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([message.replace("[", "[[]")])


def test_credentials_are_there_and_never_shown(run: Run) -> None:
    result = run(
        """
        def test_it(hwcloud):
            found = hwcloud.credentials("default")
            assert found.project_id == "05041fffa40025702f6dc009cc6f8f33" and found.region == "cn-north-4"
            assert found.domain_id == "0503dda878000fed0f75c0096d70a960" and found.security_token is None
            assert found.ak not in repr(found) and found.sk not in repr(found)
            assert hwcloud.identity().ak == found.ak and found.ak not in repr(hwcloud.identity())
        """
    )
    result.assert_outcomes(passed=1)


def test_the_identity_of_a_test(run: Run, pytester: pytest.Pytester) -> None:
    Path(pytester.path, "hwcloud.yaml").write_text(CONFIG)
    result = run(
        """
        import pytest

        @pytest.mark.hwcloud_identity("auditor")
        def test_it(hwcloud):
            assert hwcloud.identity().user == "auditor"
            assert hwcloud.token().identity == "auditor"
            assert hwcloud.credentials("default").ak != hwcloud.credentials().ak
        """
    )
    result.assert_outcomes(passed=1)


def test_plain_tests_are_left_alone(run: Run, pytester: pytest.Pytester) -> None:
    result = run(
        """
        import socket

        def test_cloud(hwcloud):
            assert hwcloud.exchanges == []

        def test_plain():
            assert socket.getaddrinfo.__module__ == "socket"
            assert "hwcloud" not in repr(socket.socket.connect)
        """
    )
    result.assert_outcomes(passed=2)
