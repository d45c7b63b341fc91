"""The authentication gate: who is calling? The API gateway decides.

Of two credentials the token counts: which of them the gateway takes is not documented; the official SDK never sends
both, and where IAM documents a choice, X-Auth-Token wins (auth.md 2.3). Keys and tokens of no known identity pass as
`unverified`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_hwcloud.cloud.endpoints import STANDING_FOR, locate
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.signing.verification import SignatureCheck, verify
from pytest_hwcloud.cloud.tokens import Token
from pytest_hwcloud.cloud.wire import Refusal, Request
from pytest_hwcloud.gates import refusals
from pytest_hwcloud.gates.cloud_state import AccessKey, CloudState

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.signing.objects import ObjectClaim

UNVERIFIED = "unverified"

_DEFAULT_PORTS = {"https": ":443", "http": ":80"}
# Everything under these domains is an API; the other cloud domains have web pages too, which ask for nothing.
_API_DOMAINS = (".myhuaweicloud.com", ".myhuaweicloud.cn", ".myhuaweicloud.eu", ".myhwclouds.com", ".otc.t-systems.com")
# Logins carry their credentials in the body or come from an identity provider (IAM and STS API references).
_LOGINS = (
    "/v3/auth/tokens",
    "/v3.0/OS-AUTH/id-token/tokens",
    "/v3.0/OS-FEDERATION/tokens",
    "/v3.0/OS-CREDENTIAL/securitytokens",
)
_LOGIN_PREFIXES = ("/v3/OS-FEDERATION/", "/v5/agencies/assume-with-")
_OBS_SCHEMES = ("OBS ", "AWS ", "AWS4-HMAC-SHA256 ")
# Every algorithm of the gateway begins with one of the first two. A signature that spells it otherwise, or leaves
# the beginning out, is one that cannot be checked: it is refused, and not taken for a credential of a single service.
_ALGORITHMS = ("sdk-", "v11-", "hmac-")
_is_key = re.compile(r"[\w.+=/-]+", re.ASCII).fullmatch
_OWN_TOKENS = "hwctest-token-"  # how the tokens of a replay begin; one that was never issued was forged


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who calls, or the gateway's refusal. credential: "token", "aksk" or "none". identity None: not of the run."""

    credential: str
    identity: Identity | None = None
    token: Token | None = None
    notes: tuple[str, ...] = ()
    refusal: Refusal | None = None


_ANONYMOUS = Caller(credential="none")
_FOREIGN_TOKEN = Caller(credential="token", notes=(UNVERIFIED,))
_FOREIGN_KEY = Caller(credential="aksk", notes=(UNVERIFIED,))
_FOREIGN = Caller(credential="none", notes=(UNVERIFIED,))


def authenticate(request: Request, state: CloudState) -> Caller:
    """Who makes this call, or why the gateway refuses it."""
    headers = request.headers
    value = headers.get("x-auth-token")
    host = headers.get("host")
    if host is not None and not _is_host_of(STANDING_FOR.get(host, host), request.url):
        credential = "token" if value else "aksk" if headers.get("authorization") else "none"
        return Caller(credential=credential, refusal=_another_host(request))
    if value:
        return _by_token(value.strip(), state)
    authorization = headers.get("authorization") or ""
    if authorization[:5].lower().startswith(_ALGORITHMS):
        return _by_signature(request, authorization, state)
    if authorization.startswith(_OBS_SCHEMES) or (not authorization and "?" in request.url):
        from pytest_hwcloud.cloud.signing.objects import claim_of

        claim = claim_of(request)
        if claim is not None:
            return _by_object_signature(request, claim, state)
    return _without_either(request, authorization)


def _is_host_of(host: str, url: str) -> bool:
    """Whether a Host header names the host of the URL; the scheme's own port may be there or not."""
    scheme, _, rest = url.partition("://")
    netloc = re.split("[/?#]", rest, maxsplit=1)[0].rpartition("@")[2].lower()
    port = _DEFAULT_PORTS.get(scheme.lower(), "")
    return host.strip().lower().removesuffix(port).rstrip(".") == netloc.removesuffix(port).rstrip(".")


def _another_host(request: Request) -> Refusal:
    """What was signed for one host is sent to another: the signature cannot be the one for this request."""
    if locate(request.url).service == "obs":
        return refusals.object_signature_mismatch(None, "")
    return refusals.signature_unreadable()


def access_key(authorization: str) -> str | None:
    """The access key id in an Authorization header of Huawei Cloud or OBS; None if it names none."""
    for mark in ("Access=", "Credential="):
        _, found, rest = authorization.partition(mark)
        if found:
            return rest.partition(",")[0].partition("/")[0].strip()
    scheme, _, rest = authorization.partition(" ")
    return rest.partition(":")[0].strip() if scheme in ("OBS", "AWS") and ":" in rest else None


def _by_token(value: str, state: CloudState) -> Caller:
    token = state.token(value)
    if token is None:
        forged = value.lower().startswith(_OWN_TOKENS)
        return Caller(credential="token", refusal=refusals.token_undecryptable()) if forged else _FOREIGN_TOKEN
    identity = state.identities[token.identity]
    old = token.expired(state.clock()) or state.revoked(value)
    return Caller(
        credential="token", identity=identity, token=token, refusal=refusals.token_outdated() if old else None
    )


def _by_signature(request: Request, authorization: str, state: CloudState) -> Caller:
    ak = access_key(authorization)
    key = state.key(ak) if ak else None
    if ak and key is None:
        return _FOREIGN_KEY
    if key is None:
        return Caller(credential="aksk", refusal=refusals.signature_unreadable())
    now = state.clock()
    refusal = _refuse_key(request, key, state, now)
    if refusal is not None:
        return Caller(credential="aksk", identity=key.identity, refusal=refusal)
    return _checked(verify(request, secret=lambda _: key.sk, now=now), key, state, now)


def _refuse_key(request: Request, key: AccessKey, state: CloudState, now: datetime) -> Refusal | None:
    if state.locked(key.ak):
        return refusals.access_key_locked()
    if key.expires_at and (now >= key.expires_at or request.headers.get("x-security-token") != key.token):
        return refusals.access_key_unknown(key.ak)
    return None


def _checked(check: SignatureCheck, key: AccessKey, state: CloudState, now: datetime) -> Caller:
    if check.ok:
        state.succeed(key.ak)
        return Caller(credential="aksk", identity=key.identity)
    if check.reason == "unverifiable":  # a form that cannot be computed here: not known to be wrong
        return Caller(credential="aksk", identity=key.identity, notes=(UNVERIFIED,))
    state.fail(key.ak)
    return Caller(credential="aksk", identity=key.identity, refusal=_refuse_signature(check, now))


def _refuse_signature(check: SignatureCheck, now: datetime) -> Refusal:
    if check.reason == "expired" and check.signed_at:
        return refusals.signature_expired(check.signed_at, now)
    if check.reason == "mismatch":
        return refusals.signature_mismatch(check.canonical)
    return refusals.signature_unreadable()


def _by_object_signature(request: Request, claim: ObjectClaim, state: CloudState) -> Caller:
    """OBS checks its signatures itself, and answers in its own words."""
    from pytest_hwcloud.cloud.signing.objects import check

    key = state.key(claim.ak)
    if key is None and _is_key(claim.ak):
        return _FOREIGN_KEY
    if key is None or locate(request.url).service not in ("obs", None):  # no scheme of the gateway's
        refusal = refusals.signature_unreadable() if key else refusals.object_signature_mismatch(None, "")
        return Caller(credential="aksk", identity=key.identity if key else None, refusal=refusal)
    now = state.clock()
    if key.expires_at and (now >= key.expires_at or claim.token != key.token):
        return Caller(credential="aksk", identity=key.identity, refusal=refusals.object_key_unknown(claim.ak))
    found = check(request, claim, key.sk, now)
    refused: Refusal | None = None
    match found.reason:
        case "mismatch" | "malformed":
            refused = refusals.object_signature_mismatch(claim.ak, found.string_to_sign)
        case "skewed":
            refused = refusals.object_time_skewed(found.signed_at or now, now)
        case "expired":
            refused = refusals.object_link_expired()
        case "no-date":
            refused = refusals.object_without_date()
    if refused is not None and request.method == "HEAD":
        refused = replace(refused, body=b"")
    return Caller(credential="aksk", identity=key.identity, refusal=refused)


def _without_either(request: Request, authorization: str) -> Caller:
    # Basic is what requests makes of ~/.netrc; the gateway knows no such scheme (auth.md 4.2). Others, such as Bearer
    # and the AppCode header, are credentials of single services.
    scheme = authorization.partition(" ")[0].lower()
    if (scheme and scheme != "basic") or "x-apig-appcode" in request.headers:
        return _FOREIGN
    if _needs_none(request):
        return _ANONYMOUS
    return Caller(credential="none", refusal=refusals.no_credentials())


def _needs_none(request: Request) -> bool:
    url = urlsplit(request.url)
    if is_version_root(request.method, url.path):
        return True
    endpoint = locate(request.url)
    match endpoint.service:
        case "iam" | "sts":
            return is_login(request.method, url.path)
        case "obs":  # public objects and buckets; links that are signed in the query
            return True
        case None:
            return not _is_api_host(url.hostname or "")
    return False


def is_version_root(method: str, path: str) -> bool:
    """Whether a call only asks which versions there are: GET `/` or `/v3`."""
    name = path.strip("/")
    return method == "GET" and (not name or (name[0] == "v" and name[1:].replace(".", "").isdigit()))


def is_login(method: str, path: str) -> bool:
    """Whether a call to IAM or STS brings its credentials in its body."""
    return method == "POST" and (path in _LOGINS or path.startswith(_LOGIN_PREFIXES))


def _is_api_host(host: str) -> bool:
    return ("." + host).endswith(_API_DOMAINS)
