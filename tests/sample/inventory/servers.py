"""The servers of a project."""

from __future__ import annotations

from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
from huaweicloudsdkecs.v2 import (
    ListFlavorsRequest,
    ListServersDetailsRequest,
    ShowServerRequest,
    ShowServerTagsRequest,
)

if TYPE_CHECKING:
    from huaweicloudsdkecs.v2 import EcsAsyncClient, EcsClient, ServerDetail


def servers(client: EcsClient, size: int = 50) -> list[ServerDetail]:
    """All servers, asked for page by page."""
    found: list[ServerDetail] = []
    page = 1
    while True:
        answer = client.list_servers_details(ListServersDetailsRequest(limit=size, offset=page))
        found += answer.servers
        if len(found) >= answer.count:
            return found
        page += 1


def by_status(client: EcsClient) -> dict[str, list[str]]:
    """Status -> names."""
    found: dict[str, list[str]] = {}
    for server in servers(client):
        found.setdefault(server.status, []).append(server.name)
    return found


def server(client: EcsClient, server_id: str) -> ServerDetail | None:
    """One server; None if there is none of this id."""
    try:
        return client.show_server(ShowServerRequest(server_id=server_id)).server
    except ClientRequestException as error:
        if error.status_code == 404:
            return None
        raise


def names(client: EcsClient, ids: Iterable[str]) -> list[str]:
    """The names of several servers, asked for at once."""
    with ThreadPoolExecutor(max_workers=3) as pool:
        return [found.name for found in pool.map(lambda one: server(client, one), ids) if found]


def owner(client: EcsClient, server_id: str) -> str:
    """Who the tag `owner` names; "" if nobody."""
    tags = client.show_server_tags(ShowServerTagsRequest(server_id=server_id)).tags
    return next((tag.value for tag in tags if tag.key == "owner"), "")


def flavors(client: EcsClient) -> list[str]:
    """The names of all flavors; none if they cannot be had."""
    try:
        return [flavor.name for flavor in client.list_flavors(ListFlavorsRequest()).flavors]
    except ClientRequestException:
        return []


def count_later(client: EcsAsyncClient) -> int:
    """How many servers there are, with the client that does not wait."""
    answer = client.list_servers_details_async(ListServersDetailsRequest(limit=1, offset=1))
    return int(answer.result().count)
