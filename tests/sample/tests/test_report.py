import pytest
from inventory import report

pytestmark = [pytest.mark.hwcloud_identity("auditor")]
SUMMARY = "8 servers, 1 of them stopped"


@pytest.mark.requires_permission("ecs:cloudServers:list", scope="project")
def test_summary(hwcloud, hwcloud_project_token):
    assert report.summary(hwcloud_project_token, hwcloud.url("ecs", "/v1/{project_id}")) == SUMMARY


def test_summary_with_keys(hwcloud, hwcloud_session):
    assert report.summary(hwcloud_session.auth, hwcloud.url("ecs", "/v1/{project_id}")) == SUMMARY
