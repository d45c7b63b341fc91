"""The catalog of a token's answer: where keystoneauth and openstacksdk find the services.

Form: IAM API reference, "Obtaining a User Token". A global service has region `*`; IAM has the token's as well, or the
run's, because clients that are given a region look for it there. Only the services that OpenStack clients know by a
type of their own are listed; a domain's token lists IAM alone, as everything else here is regional.
"""

from __future__ import annotations

import hashlib

from pytest_hwcloud.cloud.endpoints import base_url
from pytest_hwcloud.cloud.identity import UnknownName
from pytest_hwcloud.cloud.tokens import Scope

# type, name, service of ours, path behind the endpoint
_REGIONAL = (
    ("compute", "nova", "ecs", "/v2.1/{project_id}"),
    ("ecs", "ecs", "ecs", "/v1/{project_id}"),
    ("volumev2", "cinderv2", "evs", "/v2/{project_id}"),
    ("volumev3", "cinderv3", "evs", "/v3/{project_id}"),
    ("network", "neutron", "vpc", ""),
    ("vpc", "vpc", "vpc", "/v1/{project_id}"),
    ("image", "glance", "ims", ""),
)


def catalog(scope: Scope, iam_url: str, region: str = "") -> list[dict[str, object]]:
    """The services for a token of this scope. iam_url: scheme and host of the IAM that was asked. region: the run's."""
    own = scope.name.partition("_")[0] if scope.kind == "project" else ""  # a sub-project is named region_name
    regional = [_entry(kind, name, own, url) for kind, name, url in _regional(scope.id, own)] if own else []
    there = own if regional else region
    return [_entry("identity", "iam", "*", f"{iam_url}/v3", *([there] if there else [])), *regional]


def _regional(project_id: str, region: str) -> list[tuple[str, str, str]]:
    try:
        return [
            (kind, name, base_url(service, region) + path.format(project_id=project_id))
            for kind, name, service, path in _REGIONAL
        ]
    except UnknownName:  # a project that is no region's own
        return []


def _entry(kind: str, name: str, region: str, url: str, *others: str) -> dict[str, object]:
    endpoints = [_endpoint(one, url) for one in (region, *others)]
    return {"type": kind, "id": _id(kind), "name": name, "endpoints": endpoints}


def _endpoint(region: str, url: str) -> dict[str, object]:
    return {"id": _id(url), "interface": "public", "region": region, "region_id": region, "url": url}


def _id(text: str) -> str:
    return hashlib.sha256(b"catalog:" + text.encode()).hexdigest()[:32]
