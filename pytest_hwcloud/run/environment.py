"""The keys of an identity in the environment, under every name that programs for the cloud read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.endpoints import base_url
from pytest_hwcloud.cloud.tokens import replay_password

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.identity import Identity

# What else stands in these families would mix another user's keys, project or place with those of the identity.
_FAMILIES = re.compile(
    r"HUAWEICLOUD_SDK_(?!REGION_|IAM_ENDPOINT$).+|HW_.+|OS_.+"
    r"|OBS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SECURITY_TOKEN)"
    r"|AWS_(?:ACCESS_KEY_ID|SECRET_ACCESS_KEY|SESSION_TOKEN|SECURITY_TOKEN|PROFILE|DEFAULT_PROFILE"
    r"|SHARED_CREDENTIALS_FILE|CONFIG_FILE|CREDENTIAL_EXPIRATION|ROLE_.+|WEB_IDENTITY_.+|CONTAINER_.+)"
)


def variables(identity: Identity, region: str) -> dict[str, str]:
    """Name to value. A variable without a value, such as the project of a region that has none, is left out."""
    project = identity.projects.get(region, "")
    token = identity.security_token or ""
    password = identity.password or (replay_password(identity.name) if _is_invented(identity) else "")
    found = {
        "HUAWEICLOUD_SDK_AK": identity.ak,
        "HUAWEICLOUD_SDK_SK": identity.sk,
        "HUAWEICLOUD_SDK_SECURITY_TOKEN": token,
        "HUAWEICLOUD_SDK_PROJECT_ID": project,
        "HUAWEICLOUD_SDK_DOMAIN_ID": identity.domain_id,
        "HW_ACCESS_KEY": identity.ak,
        "HW_SECRET_KEY": identity.sk,
        "HW_SECURITY_TOKEN": token,
        "HW_REGION_NAME": region,
        "HW_PROJECT_ID": project,
        "HW_DOMAIN_ID": identity.domain_id,
        "HW_DOMAIN_NAME": identity.domain,
        "OBS_ACCESS_KEY_ID": identity.ak,
        "OBS_SECRET_ACCESS_KEY": identity.sk,
        "OBS_SECURITY_TOKEN": token,
        "AWS_ACCESS_KEY_ID": identity.ak,
        "AWS_SECRET_ACCESS_KEY": identity.sk,
        "AWS_SESSION_TOKEN": token,
        "OS_AUTH_URL": base_url("iam", region) + "/v3",
        "OS_USERNAME": identity.user,
        "OS_PASSWORD": password,
        "OS_USER_DOMAIN_NAME": identity.domain,
        "OS_PROJECT_NAME": region if project else "",
        "OS_PROJECT_ID": project,
        "OS_REGION_NAME": region,
        "OS_IDENTITY_API_VERSION": "3",
    }
    return {name: value for name, value in found.items() if value}


def _is_invented(identity: Identity) -> bool:
    from pytest_hwcloud.cloud.identity import replay_access_key

    return identity.ak == replay_access_key(identity.name)


def without_keys(environ: Mapping[str, str]) -> dict[str, str]:
    """A copy without the variables of these families."""
    return {name: value for name, value in environ.items() if not _FAMILIES.fullmatch(name)}


@contextmanager
def replaced(given: Mapping[str, str], environ: MutableMapping[str, str] = os.environ) -> Iterator[None]:
    """In this block these variables stand alone in their families; afterwards all is as it was."""
    before = {name: value for name, value in environ.items() if _FAMILIES.fullmatch(name)}
    for name in before:
        del environ[name]
    environ.update(given)
    try:
        yield
    finally:
        for name in [name for name in environ if _FAMILIES.fullmatch(name)]:
            del environ[name]
        environ.update(before)
