"""A project in a region of Open Telekom Cloud: login, scopes and tables work as in the regions of Huawei Cloud."""

from __future__ import annotations

import pytest

SUITE = """
    import requests
    from pytest_hwcloud import needs

    def test_a_token_of_the_region(hwcloud):
        token = hwcloud.token()
        assert (token.scope.kind, token.scope.name) == ("project", REGION)
        url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
        assert url == f"https://ecs.DOMAIN/v1/{token.scope.id}/cloudservers/detail"
        assert needs("GET", url).actions == ("ecs:cloudServers:list",)

    def test_the_wrong_scope_is_refused(hwcloud, hwcloud_domain_token):
        url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
        with hwcloud.refused("Common.0018", gate="scope"):
            requests.get(url, auth=hwcloud_domain_token).raise_for_status()

    def test_iam_answers_there(hwcloud, hwcloud_session):
        answer = hwcloud_session.get("https://IAM.DOMAIN/v3/projects", params={"name": REGION})
        assert answer.json()["projects"][0]["id"] == hwcloud.token().scope.id

    def test_a_login_with_a_password(hwcloud):
        user = {"name": "ci", "password": "Pass-Word-1", "domain": {"name": "corp"}}
        login = {"methods": ["password"], "password": {"user": user}}
        body = {"auth": {"identity": login, "scope": {"project": {"name": REGION}}}}
        answer = requests.post("https://IAM.DOMAIN/v3/auth/tokens", json=body)
        assert answer.status_code == 201
        assert answer.json()["token"]["project"]["name"] == REGION
"""


@pytest.mark.parametrize(
    ("region", "domain", "iam"),
    [
        ("eu-de", "eu-de.otc.t-systems.com", "iam"),
        ("eu-nl", "eu-nl.otc.t-systems.com", "iam"),
        ("eu-ch2", "eu-ch2.sc.otc.t-systems.com", "iam-pub"),
    ],
)
def test_the_regions_of_open_telekom_cloud(pytester: pytest.Pytester, region: str, domain: str, iam: str) -> None:
    pytester.path.joinpath("hwcloud.yaml").write_text(
        f"region: {region}\nidentities:\n  default:\n    user: ci\n    domain: corp\n    domain_id: {'d0' * 16}\n"
        f"    password: Pass-Word-1\n    projects: {{{region}: {'a7' * 16}}}\n"
    )
    pytester.makepyfile(SUITE.replace("DOMAIN", domain).replace("IAM", iam).replace("REGION", repr(region)))
    result = pytester.runpytest("-p", "hwcloud")
    result.assert_outcomes(passed=4)
    result.stdout.fnmatch_lines([f"hwcloud: replay · region {region} · *"])
