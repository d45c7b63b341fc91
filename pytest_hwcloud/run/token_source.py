"""A token from the real IAM, for record and live mode."""

from __future__ import annotations

from pytest_hwcloud.cloud import endpoints
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import Scope, Token, login_body, read_answer


class LoginError(RuntimeError):
    """IAM gave no token; the text says why and what to do."""


def login(identity: Identity, scope: Scope, region: str) -> Token:
    """POST /v3/auth/tokens with user name and password; LoginError if the password is missing or IAM refuses."""
    import requests

    if not identity.password:
        raise LoginError(
            f"identity {identity.name!r} has no password, and a token is asked for with one: "
            "set password: ${HW_USER_PASSWORD} in hwcloud.yaml, or sign with AK/SK (hwcloud.session())"
        )
    url = endpoints.base_url("iam", region) + "/v3/auth/tokens"
    answer = requests.post(url, json=login_body(identity, scope), params={"nocatalog": "true"}, timeout=60)
    if answer.status_code != 201:
        from pytest_hwcloud.explanations.explanation import explain

        raise LoginError(
            f"IAM gave identity {identity.name!r} no token for {scope.kind} {scope.name}\n{explain(answer)}"
        )
    return read_answer(answer.headers.get("X-Subject-Token", ""), answer.json(), identity.name)
