"""What IAM gives out: tokens for a login, and temporary access keys (auth.md 2.1 and 2.3)."""

from __future__ import annotations

import hmac
import json
from datetime import timedelta

from pytest_hwcloud.cloud.identity import Identity, UnknownName
from pytest_hwcloud.cloud.jsontree import child, text
from pytest_hwcloud.cloud.tokens import (
    TIME_FORMAT,
    Login,
    Scope,
    Token,
    TokenError,
    answer_body,
    domain_scope,
    project_scope,
    read_login,
    replay_password,
)
from pytest_hwcloud.cloud.wire import Answer, Request, json_answer
from pytest_hwcloud.gates import refusals
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.gates.service_catalog import catalog

_SHORTEST, _LONGEST = 900, 86400  # seconds that a temporary access key may live


def log_in(request: Request, state: CloudState, iam_url: str, *, with_catalog: bool) -> Answer | None:
    """`POST /v3/auth/tokens`; None for agencies, which the identities do not have."""
    try:
        login = read_login(_body(request))
    except TokenError:
        return refusals.keystone(400, refusals.BODY_INVALID)
    if "assume_role" in login.methods or "hw_assume_role" in login.methods:
        return None
    identity = _by_token(login, state) if "token" in login.methods else _by_password(login, state)
    if identity is None:
        wrong = refusals.NEEDS_AUTHENTICATION if "token" in login.methods else refusals.WRONG_PASSWORD
        return refusals.keystone(401, wrong)
    scope = _scope(login, identity)
    if scope is None:  # keystone tells nobody that a project does not exist
        return refusals.keystone(401, refusals.NEEDS_AUTHENTICATION)
    token = state.issue(identity, scope)
    return _shown(201, token, identity, login.methods, iam_url if with_catalog else None)


def show(request: Request, state: CloudState, iam_url: str, *, with_catalog: bool) -> Answer:
    """`GET` and `HEAD /v3/auth/tokens`: is the token in X-Subject-Token good, and for what?"""
    token = _subject(request, state)
    if token is None:
        return refusals.keystone(404, refusals.SUBJECT_INVALID)
    shown = _shown(200, token, state.identity(token.identity), ("password",), iam_url if with_catalog else None)
    return Answer(200, shown.headers, b"", shown.reason) if request.method == "HEAD" else shown


def revoke(request: Request, state: CloudState) -> Answer:
    """`DELETE /v3/auth/tokens`."""
    token = _subject(request, state)
    if token is None:
        return refusals.keystone(404, refusals.SUBJECT_INVALID)
    state.revoke(token.value)
    return Answer(204, refusals.iam_headers(), b"", "No Content")


def temporary_key(request: Request, state: CloudState, identity: Identity) -> Answer | None:
    """`POST /v3.0/OS-CREDENTIAL/securitytokens` by token; None for agencies. X-Auth-Token beats the body's token."""
    who = child(_body(request), "auth", "identity")
    methods = child(who, "methods")
    if methods == ["assume_role"]:
        return None
    seconds = child(who, "token", "duration_seconds")
    seconds = _SHORTEST if seconds is None else seconds
    if methods != ["token"] or not isinstance(seconds, int) or not _SHORTEST <= seconds <= _LONGEST:
        return refusals.iam_body_invalid()
    if not (request.headers.get("x-auth-token") or request.headers.get("authorization")):
        token = _valid(text(who, "token", "id"), state)
        if token is None:
            return refusals.no_credentials()
        identity = state.identity(token.identity)
    key = state.issue_key(identity, timedelta(seconds=seconds))
    expires = key.expires_at.strftime(TIME_FORMAT) if key.expires_at else ""
    credential = {"access": key.ak, "secret": key.sk, "expires_at": expires, "securitytoken": key.token}
    return json_answer(201, {"credential": credential}, refusals.iam_headers(), "Created")


def _body(request: Request) -> object:
    try:
        return json.loads(request.body)
    except ValueError:
        return None


def _by_password(login: Login, state: CloudState) -> Identity | None:
    found = next((one for one in state.identities.values() if _is_user(login, one)), None)
    return found if found and _accepts(found, login.password) else None


def _is_user(login: Login, identity: Identity) -> bool:
    if login.user_id:
        return login.user_id == identity.user_id
    domain = login.domain_id == identity.domain_id if login.domain_id else login.domain == identity.domain
    return domain and login.user == identity.user


def _accepts(identity: Identity, password: str) -> bool:
    # Without a configured password every one is right: a replayed program has a real one, which nobody here can know.
    if identity.password is None:
        return bool(password)
    known = (identity.password, replay_password(identity.name))
    return any(hmac.compare_digest(password.encode(), one.encode()) for one in known)


def _by_token(login: Login, state: CloudState) -> Identity | None:
    token = _valid(login.token, state)
    return state.identity(token.identity) if token else None


def _scope(login: Login, identity: Identity) -> Scope | None:
    # No scope: the whole account, the safer reading of two documentations (auth.md 2.1).
    if login.scope_kind == "project":
        try:
            return project_scope(identity, login.scope_id or login.scope_name)
        except UnknownName:
            return None
    named = {login.scope_id, login.scope_name} - {""}
    return domain_scope(identity) if named <= {identity.domain_id, identity.domain} else None


def _subject(request: Request, state: CloudState) -> Token | None:
    return _valid(request.headers.get("x-subject-token", ""), state)


def _valid(value: str, state: CloudState) -> Token | None:
    token = state.token(value)
    return token if token and not token.expired(state.clock()) and not state.revoked(value) else None


def _shown(status: int, token: Token, identity: Identity, methods: tuple[str, ...], iam_url: str | None) -> Answer:
    services = catalog(token.scope, iam_url) if iam_url else None
    body = answer_body(token, identity, methods=methods, catalog=services)
    headers = {"X-Subject-Token": token.value, **refusals.iam_headers()}
    return json_answer(status, body, headers, "Created" if status == 201 else "OK")
