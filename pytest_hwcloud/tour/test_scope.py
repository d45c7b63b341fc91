"""Is the token for this project? Regional services want a project token, global services a domain token."""

import pytest
import requests


@pytest.mark.hwcloud_cassette("scope/project-token-other-project")
def test_token_of_one_project_and_url_of_another(hwcloud, hwcloud_project_token):
    other_project = "0605767c80d5d5762fe0c0185a2c3f34"
    url = hwcloud.url("ecs", f"/v1/{other_project}/cloudservers/detail")
    with hwcloud.refused("Common.0018", gate="scope"):
        requests.get(url, auth=hwcloud_project_token)


@pytest.mark.hwcloud_cassette("scope/domain-token-on-regional-service")
def test_domain_token_on_a_regional_service(hwcloud, hwcloud_domain_token):
    response = requests.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"), auth=hwcloud_domain_token)
    assert response.json()["error"] == {
        "message": "tenantId in token is not the same with in URL.",
        "code": "Common.0018",
    }


@pytest.mark.hwcloud_cassette("scope/domain-token-on-global-service")
def test_domain_token_on_a_global_service(hwcloud, hwcloud_domain_token):
    response = requests.get(hwcloud.url("tms", "/v1.0/predefine_tags"), auth=hwcloud_domain_token)
    hwcloud.assert_ok(response)


@pytest.mark.hwcloud_cassette("success/aksk-any-scope")
def test_access_keys_have_no_scope(hwcloud, hwcloud_session):
    """AK/SK works for regional and for global services alike."""
    hwcloud.assert_ok(hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")))
    hwcloud.assert_ok(hwcloud_session.get(hwcloud.url("tms", "/v1.0/predefine_tags")))
