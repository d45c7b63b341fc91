"""Predefined tags, and what carries no tag: a global service, asked with a token of the domain or with keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

import requests
from huaweicloudsdktms.v1 import ListPredefineTagsRequest

if TYPE_CHECKING:
    from huaweicloudsdktms.v1 import TmsClient
    from requests.auth import AuthBase


def tags(auth: AuthBase, base: str) -> dict[str, str]:
    """Key -> value. base: https://tms.myhuaweicloud.com/v1.0"""
    answer = requests.get(f"{base}/predefine_tags", auth=auth, timeout=30)
    answer.raise_for_status()
    return {row["key"]: row["value"] for row in answer.json()["tags"]}


def keys(client: TmsClient) -> list[str]:
    """The keys of the predefined tags, by the SDK."""
    return sorted(tag.key for tag in client.list_predefine_tags(ListPredefineTagsRequest()).tags)


def untagged(auth: AuthBase, base: str, project: str) -> list[str]:
    """The names of the servers without any tag."""
    body = {"resource_types": ["ecs"], "project_id": project, "without_any_tag": True}
    answer = requests.post(f"{base}/resource-instances/filter", json=body, auth=auth, timeout=30)
    answer.raise_for_status()
    return [row["resource_name"] for row in answer.json()["resources"]]
