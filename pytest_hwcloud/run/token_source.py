"""Tokens of the run's identities: issued by the replayed cloud, or asked of the real IAM in record and live mode."""

from __future__ import annotations

from pytest_hwcloud import texts
from pytest_hwcloud.cloud import endpoints
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import Scope, Token, TokenCache, login_body, read_answer
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.secrets.known_secrets import Secrets


class LoginError(RuntimeError):
    """IAM gave no token; the text says why and what to do."""


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
