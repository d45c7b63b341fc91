"""The users of an account and their keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huaweicloudsdkiam.v3 import KeystoneListUsersRequest, ListPermanentAccessKeysRequest

if TYPE_CHECKING:
    from huaweicloudsdkiam.v3 import IamClient


def users(client: IamClient) -> dict[str, str]:
    """Id -> name of all users that may log in."""
    return {user.id: user.name for user in client.keystone_list_users(KeystoneListUsersRequest()).users if user.enabled}


def old_keys(client: IamClient, before: str) -> list[str]:
    """Whose access keys are older than a date (YYYY-MM-DD)."""
    rows = client.list_permanent_access_keys(ListPermanentAccessKeysRequest()).credentials
    named = users(client)
    return sorted(named[row.user_id] for row in rows if row.create_time < before and row.status == "active")
