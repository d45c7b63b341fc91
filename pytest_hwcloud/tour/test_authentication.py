"""Who is calling? The API gateway decides, and answers with a code that begins with APIGW."""

import pytest
import requests


@pytest.mark.hwcloud_cassette("authentication/token-missing")
def test_call_without_credentials(hwcloud):
    response = requests.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
    assert response.status_code == 401
    assert response.json()["error_code"] == "APIGW.0301"
    assert response.json()["error_msg"].endswith("x-auth-token not found")


@pytest.mark.hwcloud_cassette("authentication/token-undecryptable")
def test_token_that_the_gateway_cannot_read(hwcloud):
    headers = {"X-Auth-Token": "no token at all"}
    with hwcloud.refused("APIGW.0301", gate="authentication") as refusal:
        requests.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"), headers=headers)
    assert refusal.message.endswith("decrypt token fail")


@pytest.mark.hwcloud_cassette("authentication/access-key-unknown")
def test_access_key_that_does_not_exist(hwcloud):
    from pytest_hwcloud import AkSkAuth

    stranger = AkSkAuth("UNKNOWNACCESSKEY0000", "a-secret-key-of-nobody")
    with hwcloud.refused("APIGW.0301") as refusal:
        requests.get("https://iam.myhuaweicloud.com/v3/projects?name=cn-north-4", auth=stranger)
    assert "not exist" in refusal.message


@pytest.mark.hwcloud_cassette("authentication/signature-mismatch")
def test_wrong_secret_key(hwcloud):
    from pytest_hwcloud import AkSkAuth

    mistyped = AkSkAuth(hwcloud.credentials().ak, "not-the-secret-key")
    with hwcloud.refused("APIGW.0301", gate="authentication") as refusal:
        requests.get("https://iam.myhuaweicloud.com/v3/projects?name=cn-north-4", auth=mistyped)
    assert "verify aksk signature fail" in refusal.message


@pytest.mark.hwcloud_cassette("success/list-servers")
def test_a_broken_signature_is_noticed_in_front_of_a_recorded_success(hwcloud):
    """No other recorder sees this: the cassette has 200, but the cloud would not let this call in."""
    from pytest_hwcloud import AkSkAuth

    mistyped = AkSkAuth(hwcloud.credentials().ak, "not-the-secret-key")
    with hwcloud.refused("APIGW.0301", gate="authentication"):
        requests.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"), auth=mistyped)
