"""VPCs, their subnets, and who may come in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import requests
from huaweicloudsdkvpc.v2 import ListSecurityGroupsRequest, ShowVpcRequest
from huaweicloudsdkvpc.v3 import ListSecurityGroupRulesRequest

if TYPE_CHECKING:
    from huaweicloudsdkvpc.v2 import VpcClient
    from huaweicloudsdkvpc.v3 import VpcClient as VpcClient3


@dataclass(frozen=True)
class Network:
    """A VPC with the names of its subnets."""

    name: str
    cidr: str
    subnets: tuple[str, ...]


def networks(session: requests.Session, base: str) -> list[Network]:
    """All VPCs. base: the endpoint with version and project, as https://vpc.…/v1/0504…"""
    vpcs = _rows(session, f"{base}/vpcs", "vpcs")
    subnets = list(_rows(session, f"{base}/subnets", "subnets"))
    return [
        Network(vpc["name"], vpc["cidr"], tuple(row["name"] for row in subnets if row["vpc_id"] == vpc["id"]))
        for vpc in vpcs
    ]


def _rows(session: requests.Session, url: str, key: str) -> Iterator[dict[str, str]]:
    answer = session.get(url, timeout=30)
    answer.raise_for_status()
    yield from answer.json()[key]


def cidr(client: VpcClient, vpc_id: str) -> str:
    """The address range of one VPC."""
    return client.show_vpc(ShowVpcRequest(vpc_id=vpc_id)).vpc.cidr


def groups(client: VpcClient) -> list[str]:
    """The names of the security groups."""
    return sorted(group.name for group in client.list_security_groups(ListSecurityGroupsRequest()).security_groups)


def open_ports(client: VpcClient3) -> list[str]:
    """The ports that the whole world may reach."""
    rules = client.list_security_group_rules(ListSecurityGroupRulesRequest()).security_group_rules
    return sorted(r.multiport for r in rules if r.direction == "ingress" and r.remote_ip_prefix == "0.0.0.0/0")
