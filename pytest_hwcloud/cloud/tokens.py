"""Tokens: who asked, for which scope, how long; and IAM's request and answer bodies of `POST /v3/auth/tokens`.

Bodies and rules: IAM API reference "Obtaining a user token through password authentication" (auth.md 2.1).
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from requests import Response
from requests.auth import AuthBase

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.signing import redirects
from pytest_hwcloud.cloud.wire import child, text

LIFETIME = timedelta(hours=24)
RENEW_BEFORE = timedelta(minutes=30)  # a cached token this close to its end is requested again
TIME_FORMAT = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass(frozen=True, slots=True)
class Scope:
    """What a token is good for: kind is "project" or "domain"."""

    kind: str
    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Token(AuthBase):
    """A scoped token; as `auth=` of requests it sets X-Auth-Token.

    rights: what the identity could do at issue, None if it had no policy then.
    """

    value: str
    scope: Scope
    issued_at: datetime
    expires_at: datetime
    identity: str
    rights: object = field(default=None, compare=False)

    def __call__(self, r: Any) -> Any:
        """Put the token on a request: a prepared one of requests, or one of httpx."""
        r.headers["X-Auth-Token"] = self.value
        if not hasattr(r, "hooks"):
            return r  # httpx follows no redirects unless it is configured to
        responded = r.hooks["response"]
        if self._redirected not in responded:
            responded.append(self._redirected)
        return r

    def _redirected(self, response: Response, **_: object) -> None:
        """Response hook: requests withdraws only Authorization where a redirect leads to another host."""
        url = redirects.target(response)
        if url is not None and redirects.leaves(response.request.url, url):
            request = response.request
            response.request = request.copy()  # the history shows what was sent
            request.headers.pop("X-Auth-Token", None)

    def __repr__(self) -> str:
        """Whose and for what, never the value."""
        return f"<Token of {self.identity} for {self.scope.kind} {self.scope.name}>"

    def expired(self, now: datetime) -> bool:
        """Whether the 24 hours are over."""
        return now >= self.expires_at


class TokenError(ValueError):
    """A body that is no token request, or no token answer; the message names what is missing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Login:
    """What a client asks of `POST /v3/auth/tokens`. Empty text where the body has nothing.

    methods: as sent, "password", "totp", "token", "assume_role" or "application_credential". scope_kind: "project",
    "domain" or "" (absent). agency: its name, of the account `domain` or `domain_id`. key and secret: of an application
    credential, whose user is `user` where it goes by a name.
    """

    methods: tuple[str, ...]
    user: str = ""
    user_id: str = ""
    domain: str = ""
    domain_id: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    scope_kind: str = ""
    scope_id: str = ""
    scope_name: str = ""
    agency: str = ""
    key: str = ""
    secret: str = field(default="", repr=False)


ASSUMING = ("assume_role", "hw_assume_role")  # the second: in the forks of gophercloud
APPLICATION = "application_credential"


def replay_password(name: str) -> str:
    """The invented password of an identity, the same on every machine."""
    return "hwctest-password-" + hashlib.sha256(b"password:" + name.encode()).hexdigest()[:12]


def project_scope(identity: Identity, reference: str) -> Scope:
    """The scope of one of the identity's projects, by name or id; UnknownName if it has none such."""
    project = identity.project(reference)
    return Scope("project", project.id, project.name)


def domain_scope(identity: Identity) -> Scope:
    """The scope of the identity's whole account."""
    return Scope("domain", identity.domain_id, identity.domain)


def login_body(identity: Identity, scope: Scope, password: str | None = None) -> dict[str, object]:
    """The body of a password login: exactly the keys of the guide, the scope by its id."""
    user = {
        "domain": {"name": identity.domain},
        "name": identity.user,
        "password": password or identity.password or replay_password(identity.name),
    }
    methods = {"methods": ["password"], "password": {"user": user}}
    return {"auth": {"identity": methods, "scope": {scope.kind: {"id": scope.id}}}}


def read_login(body: object) -> Login:
    """The parsed body of a login; TokenError names the first key that is missing or wrong."""
    who = child(body, "auth", "identity")
    methods = child(who, "methods")
    if not isinstance(methods, list) or not methods or not all(isinstance(one, str) for one in methods):
        raise TokenError("methods" if isinstance(who, dict) else "identity" if child(body, "auth") else "auth")
    agency = next((child(who, name) for name in ASSUMING if name in methods), None)
    application = child(who, APPLICATION) if APPLICATION in methods else None
    user = child(who, "password", "user") or child(application, "user")
    account = child(user, "domain") or agency
    names = ("name", "id") if agency is None else ("domain_name", "domain_id")
    kind = _scope_kind(child(body, "auth", "scope"))
    scope = child(body, "auth", "scope", kind)
    return Login(
        methods=tuple(methods),
        user=text(user, "name"),
        user_id=text(user, "id"),
        domain=text(account, names[0]),
        domain_id=text(account, names[1]),
        password=text(user, "password"),
        token=text(who, "token", "id"),
        scope_kind=kind,
        scope_id=text(scope, "id"),
        scope_name=text(scope, "name"),
        agency=text(agency, "agency_name") or text(agency, "xrole_name"),
        key=text(application, "id") or text(application, "name"),
        secret=text(application, "secret"),
    )


def _scope_kind(scope: object) -> str:
    # Project and domain given: project wins (auth.md 2.1).
    return next((kind for kind in ("project", "domain") if isinstance(child(scope, kind), dict)), "")


def answer_body(
    token: Token,
    identity: Identity,
    *,
    methods: Sequence[str] = ("password",),
    catalog: Sequence[Mapping[str, object]] | None = None,
    assumed_by: Identity | None = None,
) -> dict[str, object]:
    """IAM's answer to a login, without the value, which is in X-Subject-Token.

    catalog None: it is left out. assumed_by: who took on the agency that `identity` is.
    """
    domain = {"id": identity.domain_id, "name": identity.domain}
    scope: dict[str, object] = {"id": token.scope.id, "name": token.scope.name}
    user = _user(identity)
    body: dict[str, object] = {
        "expires_at": token.expires_at.strftime(TIME_FORMAT),
        "issued_at": token.issued_at.strftime(TIME_FORMAT),
        "methods": list(methods),
        "user": user,
        token.scope.kind: scope | {"domain": domain} if token.scope.kind == "project" else scope,
        "roles": [{"id": "0", "name": "te_admin"}],
    }
    if "totp" in methods:
        body["mfa_authn_at"] = body["issued_at"]
    if assumed_by is not None:
        body["assumed_by"] = {"user": _user(assumed_by)}
    if catalog is not None:
        body["catalog"] = list(catalog)
    return {"token": body}


def _user(identity: Identity) -> dict[str, object]:
    domain = {"id": identity.domain_id, "name": identity.domain}
    return {"id": identity.user_id, "name": identity.user, "password_expires_at": "", "domain": domain}


def read_answer(value: str, body: object, identity: str) -> Token:
    """The token of IAM's answer: value is its X-Subject-Token header; TokenError if the body holds no scoped token."""
    found = child(body, "token")
    kind = _scope_kind(found)
    scope = Scope(kind, text(found, kind, "id"), text(found, kind, "name"))
    if not (value and kind and scope.id):
        raise TokenError(texts.say("signing.no-scoped-token"))
    return Token(
        value=value,
        scope=scope,
        issued_at=_moment(text(found, "issued_at")),
        expires_at=_moment(text(found, "expires_at")),
        identity=identity,
    )


def _moment(written: str) -> datetime:
    try:
        return datetime.strptime(written, TIME_FORMAT).replace(tzinfo=UTC)
    except ValueError:
        raise TokenError(texts.say("signing.no-time", text=written)) from None


class TokenCache:
    """Tokens of this process, asked for once a key and again shortly before they expire. Never in a file."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._tokens: dict[Hashable, Token] = {}

    def get(self, key: Hashable, now: datetime, ask: Callable[[], Token]) -> Token:
        """The cached token of this key, or the one that `ask` fetches."""
        with self._lock:
            token = self._tokens.get(key)
            if token is None or token.expired(now + RENEW_BEFORE):
                token = self._tokens[key] = ask()
            return token

    def forget(self, key: Hashable) -> None:
        """Request this token again the next time."""
        with self._lock:
            self._tokens.pop(key, None)

    def clear(self) -> None:
        """Forget every token."""
        with self._lock:
            self._tokens.clear()
