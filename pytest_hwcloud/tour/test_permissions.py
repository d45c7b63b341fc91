"""Which permissions does a test need? The marker is checked: declared, used, and allowed by the policy of the run.

Passes as it is, and under iam/reader.json; under iam/lost-list.json both tests fail and name the action that was lost.
"""

import pytest


@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.requires_permission("ecs:cloudServers:list")
def test_counts_servers(hwcloud, hwcloud_session):
    response = hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
    assert response.json()["count"] == 8


@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.requires_permission("ecs:cloudServers:listServersDetails")
def test_the_same_action_under_its_new_name(hwcloud, hwcloud_session):
    response = hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
    hwcloud.assert_called("ecs:cloudServers:list", times=1)
    assert len(response.json()["servers"]) == 8
