"""Where a redirect leads, and whether credentials go along."""

from __future__ import annotations

import pytest
import requests

from pytest_hwcloud.cloud.signing import redirects

HERE = "https://ecs.cn-north-4.myhuaweicloud.com/v1/a"


def answered(status: int, location: str | None) -> requests.Response:
    response = requests.Response()
    response.status_code, response.url = status, HERE
    if location is not None:
        response.headers["Location"] = location
    return response


@pytest.mark.parametrize(
    ("status", "location", "target"),
    [
        (302, "/v2/b", "https://ecs.cn-north-4.myhuaweicloud.com/v2/b"),
        (307, "https://else.example/x y", "https://else.example/x%20y"),
        (302, None, None),
        (200, "/v2/b", None),
    ],
)
def test_the_next_url(status: int, location: str | None, target: str | None) -> None:
    assert redirects.target(answered(status, location)) == target


@pytest.mark.parametrize(
    ("url", "leaves"),
    [
        ("https://ecs.cn-north-4.myhuaweicloud.com/v2/b", False),
        ("https://ecs.cn-north-4.myhuaweicloud.com:443/", False),
        ("https://ecs.cn-north-4.myhuaweicloud.com:8443/", True),
        ("http://ecs.cn-north-4.myhuaweicloud.com/", True),
        ("https://ecs.cn-east-3.myhuaweicloud.com/", True),
    ],
)
def test_credentials_stay_with_their_host(url: str, leaves: bool) -> None:
    assert redirects.leaves(HERE, url) is leaves
