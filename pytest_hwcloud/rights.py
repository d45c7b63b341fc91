"""The rights of an identity, from the policies that hwcloud.yaml and the command line name."""

from __future__ import annotations

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.policy import Policy
from pytest_hwcloud.cloud.rights import Grant, Rights


def rights_of(identity: Identity) -> Rights:
    """Its policies, each where it was granted, within its bound; PolicyError names file, line, statement and key."""
    everywhere = [Policy.load(policy) for policy in identity.policies]
    placed = [
        Grant(policy=Policy.load(one.policy), on=one.on, target=one.target, group=one.group)
        for one in identity.placed_policies
    ]
    return Rights.of([*everywhere, *placed], Policy.load(identity.bound) if identity.bound else None)
