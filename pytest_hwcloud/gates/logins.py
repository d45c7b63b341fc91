"""What IAM and STS give out: tokens for a login, and temporary access keys.

Forms: IAM API reference, "Obtaining a User Token", "Obtaining an Agency Token", "Obtaining Temporary Access Keys"; STS
API reference, AssumeAgency. An agency is an identity of the run that has the agency's name: it has separate rights.
An application credential is Keystone's (no page of IAM's reference has it): its id is an identity's AK, its secret the
SK.
"""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from typing import TypeGuard

from pytest_hwcloud.cloud.endpoints import base_url
from pytest_hwcloud.cloud.identity import Identity, UnknownName
from pytest_hwcloud.cloud.tokens import (
    APPLICATION,
    ASSUMING,
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
from pytest_hwcloud.cloud.wire import Answer, Request, child, json_answer, text
from pytest_hwcloud.gates import refusals
from pytest_hwcloud.gates.cloud_state import AccessKey, CloudState

_SHORTEST, _LONGEST = 900, 86400  # seconds that a temporary access key may live
_ASSUMED, _LONGEST_ASSUMED = 3600, 43200  # of an agency's in STS


def log_in(request: Request, state: CloudState, caller: Identity, iam_url: str, *, with_catalog: bool) -> Answer | None:
    """`POST /v3/auth/tokens`; None for an agency that is no identity of the run. caller: who takes an agency on."""
    try:
        login = read_login(_body(request))
    except TokenError:
        return refusals.keystone(400, refusals.BODY_INVALID)
    assumed_by = None
    if set(ASSUMING) & set(login.methods):
        assumed_by, identity = caller, _agency(login.agency, login.domain, login.domain_id, state)
        if identity is None:
            return None
        if not _has_credentials(request):
            return refusals.keystone(401, refusals.NEEDS_AUTHENTICATION)
    elif APPLICATION in login.methods:
        identity = _by_application_credential(login, state)
    else:
        identity = _by_token(login, state) if "token" in login.methods else _by_password(login, state)
    if identity is None:
        wrong = refusals.NEEDS_AUTHENTICATION if "token" in login.methods else refusals.WRONG_PASSWORD
        return refusals.keystone(401, wrong)
    scope = _scope(login, identity, state.region)
    if scope is None:  # keystone never reports that a project does not exist
        return refusals.keystone(401, refusals.NEEDS_AUTHENTICATION)
    token = state.issue(identity, scope)
    services = catalog(scope, iam_url, state.region) if with_catalog else None
    body = answer_body(token, identity, methods=login.methods, catalog=services, assumed_by=assumed_by)
    return _shown(201, token, body)


def show(request: Request, state: CloudState, iam_url: str, *, with_catalog: bool) -> Answer:
    """`GET` and `HEAD /v3/auth/tokens`: is the token in X-Subject-Token good, and for what?"""
    token = _subject(request, state)
    if token is None:
        return refusals.keystone(404, refusals.SUBJECT_INVALID)
    services = catalog(token.scope, iam_url, state.region) if with_catalog else None
    shown = _shown(200, token, answer_body(token, state.identity(token.identity), catalog=services))
    return Answer(200, shown.headers, b"", shown.reason) if request.method == "HEAD" else shown


def revoke(request: Request, state: CloudState) -> Answer:
    """`DELETE /v3/auth/tokens`."""
    token = _subject(request, state)
    if token is None:
        return refusals.keystone(404, refusals.SUBJECT_INVALID)
    state.revoke(token.value)
    return Answer(204, refusals.iam_headers(), b"", "No Content")


def temporary_key(request: Request, state: CloudState, identity: Identity) -> Answer | None:
    """`POST /v3.0/OS-CREDENTIAL/securitytokens`, by token or by agency; None for an agency that is no identity.

    X-Auth-Token beats the body's token.
    """
    who = child(_body(request), "auth", "identity")
    methods = child(who, "methods")
    assuming = methods == ["assume_role"]
    seconds = child(who, "assume_role" if assuming else "token", "duration_seconds")
    seconds = _SHORTEST if seconds is None else seconds
    if not (assuming or methods == ["token"]) or not _is_lifetime(seconds, _LONGEST):
        return refusals.iam_body_invalid()
    agency = None
    if assuming:
        names = [text(who, "assume_role", name) for name in ("agency_name", "domain_name", "domain_id")]
        agency = _agency(names[0], names[1], names[2], state)
        if agency is None:
            return None
    if not _has_credentials(request):
        token = _valid(text(who, "token", "id"), state) if agency is None else None
        if token is None:
            return refusals.no_credentials()
        identity = state.identity(token.identity)
    identity = agency or identity
    key = state.issue_key(identity, timedelta(seconds=seconds))
    credential = {"access": key.ak, "secret": key.sk, "expires_at": _end(key), "securitytoken": key.token}
    return json_answer(201, {"credential": credential}, refusals.iam_headers(), "Created")


def assume(request: Request, state: CloudState) -> Answer | None:
    """STS `POST /v5/agencies/assume`; None for an agency that is no identity of the run."""
    body = _body(request)
    account, _, name = text(body, "agency_urn").removeprefix("iam::").partition(":agency:")
    seconds = child(body, "duration_seconds")
    seconds = _ASSUMED if seconds is None else seconds
    identity = _agency(name, "", account, state)
    if not _is_lifetime(seconds, _LONGEST_ASSUMED) or identity is None:
        return None
    key = state.issue_key(identity, timedelta(seconds=seconds))
    session = text(body, "agency_session_name")
    return json_answer(
        200,
        {
            "source_identity": text(body, "source_identity") or None,
            "assumed_agency": {
                "urn": f"sts::{account}:assumed-agency:{name}/{session}",
                "id": f"{identity.user_id}:{session}",
            },
            "credentials": {
                "access_key_id": key.ak,
                "secret_access_key": key.sk,
                "security_token": key.token,
                "expiration": _end(key),
            },
        },
        refusals.iam_headers(),
        "OK",
    )


def _end(key: AccessKey) -> str:
    return key.expires_at.strftime(TIME_FORMAT) if key.expires_at else ""


def _is_lifetime(seconds: object, longest: int) -> TypeGuard[int]:
    return isinstance(seconds, int) and not isinstance(seconds, bool) and _SHORTEST <= seconds <= longest


def _has_credentials(request: Request) -> bool:
    return bool(request.headers.get("x-auth-token") or request.headers.get("authorization"))


def _agency(name: str, domain: str, domain_id: str, state: CloudState) -> Identity | None:
    """The identity that an agency of this account is."""
    for identity in state.identities.values():
        account = identity.domain_id == domain_id if domain_id else not domain or identity.domain == domain
        if name and account and name in (identity.name, identity.user):
            return identity
    return None


def _body(request: Request) -> object:
    try:
        return json.loads(request.body)
    except ValueError:
        return None


def _by_password(login: Login, state: CloudState) -> Identity | None:
    found = next((one for one in state.identities.values() if _is_user(login, one)), None)
    return found if found and _accepts(found, login.password) else None


def _by_application_credential(login: Login, state: CloudState) -> Identity | None:
    key = state.key(login.key)
    if key is None:  # by its name, then, which is the user's own choice
        user = next((one for one in state.identities.values() if _is_user(login, one)), None)
        key = state.key(user.ak) if user is not None else None
    good = key is not None and hmac.compare_digest(login.secret.encode(), key.sk.encode())
    return key.identity if key is not None and good else None


def _is_user(login: Login, identity: Identity) -> bool:
    if login.user_id:
        return login.user_id == identity.user_id
    domain = login.domain_id == identity.domain_id if login.domain_id else login.domain == identity.domain
    return domain and login.user == identity.user


def _accepts(identity: Identity, password: str) -> bool:
    # Without a configured password every one is right: a replayed program has a real one, which is not known here.
    if identity.password is None:
        return bool(password)
    known = (identity.password, replay_password(identity.name))
    return any(hmac.compare_digest(password.encode(), one.encode()) for one in known)


def _by_token(login: Login, state: CloudState) -> Identity | None:
    token = _valid(login.token, state)
    return state.identity(token.identity) if token else None


def _scope(login: Login, identity: Identity, region: str) -> Scope | None:
    if APPLICATION in login.methods and not login.scope_kind:  # it is of one project, and is sent without a scope
        return project_scope(identity, region) if region in identity.projects else domain_scope(identity)
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


def _shown(status: int, token: Token, body: object) -> Answer:
    headers = {"X-Subject-Token": token.value, **refusals.iam_headers()}
    return json_answer(status, body, headers, "Created" if status == 201 else "OK")


# the catalog of services

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
