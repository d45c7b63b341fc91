"""The rights of the identities, from the policies that hwcloud.yaml and the command line name."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cache
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.config import ConfigError, Configuration

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.cloud.policies.policy import Policy
    from pytest_hwcloud.cloud.policies.rights import Rights


def all_rights(configuration: Configuration) -> dict[str, Rights]:
    """The rights of each identity that has a policy; the others are not judged. ConfigError for a wrong policy.

    A file is read once, however many identities hold it.
    """
    from pytest_hwcloud.cloud.policies.policy import Policy

    load = cache(Policy.load)
    holding = [one for one in configuration.identities.values() if one.policies or one.placed_policies or one.bound]
    found = {identity.name: _rights(identity, load) for identity in holding}
    return {name: rights for name, rights in found.items() if rights.grants}  # a bound alone grants nothing to judge by


def _rights(identity: Identity, load: Callable[[str], Policy]) -> Rights:
    """Its policies, each where it was granted, within its bound."""
    from pytest_hwcloud.cloud.policies.policy import PolicyError
    from pytest_hwcloud.cloud.policies.rights import Grant, Rights

    try:
        everywhere = [load(policy) for policy in identity.policies]
        placed = [
            Grant(policy=load(one.policy), on=one.on, target=one.target, group=one.group)
            for one in identity.placed_policies
        ]
        return Rights.of([*everywhere, *placed], load(identity.bound) if identity.bound else None)
    except PolicyError as error:
        shown = min(os.path.relpath(error.file), error.file, key=len)  # as the user wrote it, more or less
        raise ConfigError(shown + str(error).removeprefix(error.file)) from None


def policy_labels(rights: Mapping[str, Rights]) -> list[str]:
    """`iam/reader.json (default, 2 statements)` for each policy, for the header line."""
    return [
        _label(name, policy.source, len(policy.statements)) for name, one in rights.items() for policy in one.policies
    ]


def _label(identity: str, source: str, count: int) -> str:
    shown = source if source.startswith("system:") else os.path.relpath(source)
    return texts.say("run.policy-label", policy=shown, identity=identity, n=count)
