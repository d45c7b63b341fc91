"""What is suggested for a call that no table knows."""

from __future__ import annotations

import pytest

from pytest_hwcloud.cloud.calls.calls import nearest_templates, needs

PROJECT = "05041fffa40025702f6dc009cc6f8f33"
ECS = "https://ecs.cn-north-4.myhuaweicloud.com"
DETAIL = "GET ecs /v1/{project_id}/cloudservers/detail"
CASES = [
    ("GET", f"{ECS}/v1/{PROJECT}/cloudserver/detail", [DETAIL]),
    ("GET", f"{ECS}/v1/{PROJECT}/CloudServers/detail", [DETAIL]),
    ("GET", f"{ECS}/v1/cloudservers/detail", [DETAIL]),
    ("GET", f"{ECS}/v1/{PROJECT}/x/cloudservers/detail", [DETAIL]),
    ("GET", "https://iam.myhuaweicloud.com/v3/user", ["GET iam /v3/users"]),
    ("POST", "https://tms.myhuaweicloud.com/v1.0/predefine_tags", ["GET tms /v1.0/predefine_tags"]),
    ("GET", f"{ECS}/nothing/of/the/kind", []),
    ("GET", f"{ECS}/x", []),
    ("GET", "https://dws.cn-north-4.myhuaweicloud.com/v1/clusters", []),
    ("GET", "https://example.com/v1/clusters", []),
]


@pytest.mark.parametrize(("method", "url", "first"), CASES)
def test_the_nearest_documented_calls(method, url, first):
    assert not needs(method, url).known
    found = nearest_templates(method, url)
    assert found[:1] == first
    assert len(found) <= 3
