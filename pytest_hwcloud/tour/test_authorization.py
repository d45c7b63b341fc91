"""May this identity do this? The service decides, by policy, and answers with its own code."""

import pytest
import requests

LIST = "/v1/{project_id}/cloudservers/detail"


@pytest.mark.hwcloud_cassette("authorization/token-without-permission")
def test_no_permission_with_a_token(hwcloud, hwcloud_project_token):
    with hwcloud.refused("Ecs.0110", gate="authorization"):
        requests.get(hwcloud.url("ecs", LIST), auth=hwcloud_project_token)


@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_no_permission_with_access_keys(hwcloud, hwcloud_session):
    with hwcloud.refused("Ecs.0110", gate="authorization") as refusal:
        hwcloud_session.get(hwcloud.url("ecs", LIST))
    assert refusal.request_id == "1c1d07572cb568467f65515a2353f3a9"


@pytest.mark.hwcloud_cassette("authorization/token-older-than-grant")
def test_token_that_is_older_than_the_grant(hwcloud):
    """A token carries the rights of the moment it was issued: after a grant, ask for a new one."""
    url, old = hwcloud.url("ecs", LIST), hwcloud.token()
    with hwcloud.refused("Ecs.0110"):
        requests.get(url, auth=old)
    # … the administrator grants ecs:cloudServers:list …
    with hwcloud.refused("Ecs.0110"):
        requests.get(url, auth=old)
    hwcloud.assert_ok(requests.get(url, auth=hwcloud.token(fresh=True)))


@pytest.mark.hwcloud_cassette("success/list-servers")
def test_what_a_program_does_when_a_permission_is_taken_away(hwcloud, hwcloud_session):
    url = hwcloud.url("ecs", LIST)
    with hwcloud.deny("ecs:cloudServers:list"), hwcloud.refused("Ecs.0110"):
        hwcloud_session.get(url)
    assert hwcloud_session.get(url).json()["count"] == 8
