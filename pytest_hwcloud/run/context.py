"""What a run holds, below all that needs it: settings, configuration, the cloud and its rights, tokens, secrets."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.cloud import endpoints
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import Scope, Token, TokenCache, login_body, read_answer
from pytest_hwcloud.config import ConfigError, Configuration
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.options import Settings
from pytest_hwcloud.secrets.known_secrets import Secrets

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.policy import Policy
    from pytest_hwcloud.cloud.policies.rights import Rights
    from pytest_hwcloud.run.recording import Recording


class LoginError(RuntimeError):
    """IAM gave no token; the message gives the reason and the way out."""


class TokenSource:
    """Asks once in a process for each identity and scope, and again after the rights changed."""

    def __init__(self, state: CloudState, secrets: Secrets, *, replayed: bool) -> None:
        self._state, self._secrets, self._replayed = state, secrets, replayed
        self._cache = TokenCache()

    def token(self, identity: Identity, scope: Scope, *, fresh: bool = False) -> Token:
        """A token of this identity and scope. fresh: ask again, whatever was given out before."""
        key = (identity.name, scope, self._state.rights_version)
        if fresh:
            self._cache.forget(key)
        token = self._cache.get(key, self._state.clock(), lambda: self._issue(identity, scope))
        self._secrets.add(token.value)
        return token

    def _issue(self, identity: Identity, scope: Scope) -> Token:
        return self._state.issue(identity, scope) if self._replayed else login(identity, scope, self._state.region)


def login(identity: Identity, scope: Scope, region: str) -> Token:
    """POST /v3/auth/tokens with user name and password; LoginError if the password is missing or IAM refuses."""
    import requests

    if not identity.password:
        raise LoginError(texts.say("run.no-password", name=identity.name))
    url = endpoints.base_url("iam", region) + "/v3/auth/tokens"
    answer = requests.post(url, json=login_body(identity, scope), params={"nocatalog": "true"}, timeout=60)
    if answer.status_code != 201:
        from pytest_hwcloud.explanations.explanation import explain

        what = texts.say(f"run.scope-{scope.kind}", name=scope.name)
        head = texts.say("run.no-token", name=identity.name, scope=what)
        raise LoginError(f"{head}\n{explain(answer, texts.language())}")
    return read_answer(answer.headers.get("X-Subject-Token", ""), answer.json(), identity.name)


def all_rights(configuration: Configuration) -> dict[str, Rights]:
    """The rights of each identity that has a policy; the others are not judged. ConfigError for a wrong policy.

    A file is read once, however many identities hold it.
    """
    holding = [one for one in configuration.identities.values() if one.policies or one.placed_policies or one.bound]
    if not holding:
        return {}
    from pytest_hwcloud.cloud.policies.policy import Policy

    load = cache(Policy.load)
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


@dataclass(frozen=True, kw_only=True)
class RunContext:
    """One run. recording: None in replay. cache_dir: a folder of pytest's cache for parsed cassettes, or None."""

    config: pytest.Config
    settings: Settings
    configuration: Configuration
    state: CloudState
    secrets: Secrets
    tokens: TokenSource
    recording: Recording | None = None
    cache_dir: Path | None = None

    @property
    def region(self) -> str:
        """The region of calls that name none."""
        return self.configuration.region

    def identity(self, name: str) -> Identity:
        """The identity of this name, with credentials to call the cloud in record and live mode.

        UnknownName with the nearest name; MissingCredentials where it has none.
        """
        found = self.state.identity(name)
        return self.recording.require(found) if self.recording else found
