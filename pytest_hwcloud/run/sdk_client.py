"""A client of the official SDK for an identity of the run."""

from __future__ import annotations

from typing import Any

from pytest_hwcloud.cloud import endpoints
from pytest_hwcloud.cloud.identity import Identity

_PREFIX = "huaweicloudsdk"


class SdkMissingError(ImportError):
    """The official SDK is not installed."""


def build_client(client_class: type[Any], identity: Identity, region: str) -> Any:
    """`EcsClient` and its kin, with the identity's keys, project or domain, and the endpoint of the region."""
    service = _service(client_class)
    builder = client_class.new_builder()
    # The first class that the builder accepts is the documented one; the SDK keeps the list in a private attribute.
    kind = getattr(builder, "_credential_type", ["BasicCredentials"])[0]
    base = endpoints.base_url(service, region)
    return builder.with_credentials(_credentials(kind, identity, region)).with_endpoints([base]).build()


def _service(client_class: type[Any]) -> str:
    package = getattr(client_class, "__module__", "").partition(".")[0]
    if not package.startswith(_PREFIX) or not hasattr(client_class, "new_builder"):
        raise TypeError(
            f"hwcloud.client({client_class!r}): a client class of the official SDK is expected, "
            "for instance EcsClient from huaweicloudsdkecs.v2"
        )
    return package.removeprefix(_PREFIX)


def _credentials(kind: str, identity: Identity, region: str) -> object:
    try:
        from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
    except ImportError:
        raise SdkMissingError("hwcloud.client needs the official SDK: pip install 'pytest-hwcloud[sdk]'") from None
    if kind == "GlobalCredentials":
        found = GlobalCredentials(identity.ak, identity.sk, identity.domain_id)
    else:
        found = BasicCredentials(identity.ak, identity.sk, identity.project(region).id)
    if identity.security_token:
        found.with_security_token(identity.security_token)
    return found
