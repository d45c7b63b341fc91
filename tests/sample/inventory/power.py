"""Servers switched on and off, and marked."""

from __future__ import annotations

from typing import TYPE_CHECKING

from huaweicloudsdkecs.v2 import (
    BatchCreateServerTagsRequest,
    BatchCreateServerTagsRequestBody,
    BatchRebootServersRequest,
    BatchRebootServersRequestBody,
    BatchRebootSeversOption,
    BatchStartServersOption,
    BatchStartServersRequest,
    BatchStartServersRequestBody,
    BatchStopServersOption,
    BatchStopServersRequest,
    BatchStopServersRequestBody,
    DeleteServersRequest,
    DeleteServersRequestBody,
    ServerId,
    ServerTag,
)

from inventory.servers import servers

if TYPE_CHECKING:
    from huaweicloudsdkecs.v2 import EcsClient


def start(client: EcsClient, *ids: str) -> str:
    """The job that starts the servers."""
    option = BatchStartServersOption(servers=[ServerId(one) for one in ids])
    return client.batch_start_servers(BatchStartServersRequest(BatchStartServersRequestBody(option))).job_id


def stop(client: EcsClient, *ids: str) -> str:
    """The job that stops the servers."""
    option = BatchStopServersOption(servers=[ServerId(one) for one in ids], type="SOFT")
    return client.batch_stop_servers(BatchStopServersRequest(BatchStopServersRequestBody(option))).job_id


def reboot(client: EcsClient, *ids: str) -> str:
    """The job that reboots the servers."""
    option = BatchRebootSeversOption(servers=[ServerId(one) for one in ids], type="SOFT")
    return client.batch_reboot_servers(BatchRebootServersRequest(BatchRebootServersRequestBody(option))).job_id


def start_stopped(client: EcsClient) -> str:
    """The job that starts all stopped servers; "" if all of them run."""
    stopped = [server.id for server in servers(client) if server.status == "SHUTOFF"]
    return start(client, *stopped) if stopped else ""


def give(client: EcsClient, server_id: str, owner: str) -> None:
    """Write the owner of a server into its tags."""
    body = BatchCreateServerTagsRequestBody(action="create", tags=[ServerTag(key="owner", value=owner)])
    client.batch_create_server_tags(BatchCreateServerTagsRequest(server_id=server_id, body=body))


def delete(client: EcsClient, *ids: str) -> str:
    """The job that deletes the servers."""
    body = DeleteServersRequestBody(servers=[ServerId(one) for one in ids])
    return client.delete_servers(DeleteServersRequest(body=body)).job_id
