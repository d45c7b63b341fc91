"""A client of the official SDKs for an identity of the run."""

from __future__ import annotations

import inspect
from importlib import import_module
from typing import Any

from pytest_hwcloud import texts
from pytest_hwcloud.cloud import endpoints
from pytest_hwcloud.cloud.identity import Identity

_PREFIX = "huaweicloudsdk"
_OWN = {"BasicCredentials": "project_id", "GlobalCredentials": "domain_id"}


class SdkMissingError(ImportError):
    """The official SDK is not installed."""


def build_client(client_class: type[Any], identity: Identity, region: str) -> Any:
    """`EcsClient` and its kin, with the identity's keys, project or domain, and the endpoint of the region.

    Also the client of the older OBS SDK (esdk-obs-python), which has a constructor and no builder.
    """
    package = getattr(client_class, "__module__", "").partition(".")[0]
    if package == "obs" and client_class.__name__ == "ObsClient":
        return client_class(
            access_key_id=identity.ak,
            secret_access_key=identity.sk,
            security_token=identity.security_token,
            server=endpoints.base_url("obs", region),
        )
    if not package.startswith(_PREFIX) or not hasattr(client_class, "new_builder"):
        raise TypeError(texts.say("run.no-client-class", given=f"{client_class!r}"))
    builder = client_class.new_builder()
    # The builder accepts several kinds; the SDK keeps their names in a private attribute, the documented one first.
    kinds = list(getattr(builder, "_credential_type", ["BasicCredentials"]))
    kind = next((one for one in kinds if one in _OWN), kinds[0])
    credentials = _credentials(kind, client_class, identity, region)
    base = endpoints.base_url(package.removeprefix(_PREFIX), region)
    return builder.with_credentials(credentials).with_endpoints([base]).build()


def _credentials(kind: str, client_class: type[Any], identity: Identity, region: str) -> object:
    if kind not in _OWN:
        return _special(kind, client_class, identity)
    try:
        core = import_module("huaweicloudsdkcore.auth.credentials")
    except ImportError:
        raise SdkMissingError(texts.say("run.no-sdk")) from None
    place = identity.domain_id if kind == "GlobalCredentials" else identity.project(region).id
    found = getattr(core, kind)(identity.ak, identity.sk, place)
    if identity.security_token:
        found.with_security_token(identity.security_token)
    return found


def _special(kind: str, client_class: type[Any], identity: Identity) -> object:
    """Credentials of one service's own, such as ObsCredentials: a module of its package has the class."""
    package = client_class.__module__.rpartition(".")[0]
    module = package + "." + "".join(f"_{c.lower()}" if c.isupper() else c for c in kind).lstrip("_")
    try:
        made = getattr(import_module(module), kind)
        names = list(inspect.signature(made).parameters)
        values: list[object] = [identity.ak, identity.sk]
        if identity.security_token and len(names) > len(values):
            values.append(identity.security_token)
        return made(*values)
    except (ImportError, AttributeError, TypeError, ValueError):
        raise TypeError(texts.say("run.no-keys-for", client=client_class.__name__, kind=kind)) from None
