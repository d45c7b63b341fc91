"""What the gateway does with a signature: reads it, asks for the key, looks at the clock, computes it again.

Huawei's own SDKs disagree about the canonical form in four places (order of the query, order of repeated names, an
encoded path, the payload line of an empty body). Every form that one of them produces is accepted.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from itertools import product
from typing import NamedTuple
from urllib.parse import quote, unquote_to_bytes

from pytest_hwcloud.cloud.signing.algorithms import SUITES, Suite, parsed_date, payload_hash, string_to_sign
from pytest_hwcloud.cloud.signing.canonical import (
    as_signed,
    authority,
    canonical_part,
    canonical_query,
    canonical_uri,
    decoded,
    header_block,
    split,
)
from pytest_hwcloud.cloud.wire import Request

MAX_SKEW = timedelta(minutes=15)
_is_hash = re.compile(r"[0-9a-fA-F]{64}").fullmatch
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_Order = Callable[[str], tuple[str, ...]]
_ORDERS: tuple[_Order, ...] = (
    decoded,
    lambda part: decoded(part)[:1],
    lambda part: (part.partition("=")[0],),
    lambda part: (part.partition("=")[0], part.partition("=")[2]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SignatureCheck:
    """The gateway's finding about one signature.

    reason: "" (right), "malformed", "unknown-ak", "expired", "mismatch" or "unverifiable" (a form that cannot be
    computed here: an elliptic curve without the extra `ec`). canonical: the request as the
    gateway sees it, where it came so far.
    """

    ok: bool
    ak: str | None = None
    reason: str = ""
    canonical: str | None = None
    string_to_sign: str | None = None
    signed_at: datetime | None = None
    algorithm: str | None = None


class Claim(NamedTuple):
    """The fields of an Authorization header."""

    suite: Suite
    ak: str
    scope: str  # "date/region/service" of V11, else ""
    names: tuple[str, ...]
    signed: str
    signature: str
    legacy: bool  # SDK-HMAC-SHA256 Credential=AK/date/region/service/sdk_request


def read_claim(authorization: str) -> Claim | None:
    """The parts of an Authorization header; None if it is not one of a known algorithm, or lacks a part."""
    algorithm, _, rest = authorization.strip().partition(" ")
    suite = SUITES.get(algorithm)
    fields = {name.strip(): value.strip() for name, _, value in [field.partition("=") for field in rest.split(",")]}
    credential, _, scope = fields.get("Credential", "").partition("/")
    ak = fields.get("Access") or credential
    signed, signature = fields.get("SignedHeaders", ""), fields.get("Signature", "")
    if suite is None or not ak or not signed or not signature or rest.count("Signature=") != 1:
        return None  # two signatures in one header are none
    legacy = not suite.scoped and "Credential" in fields
    return Claim(suite, ak, scope, _names(signed), signed, signature, legacy)


@lru_cache(maxsize=256)
def _names(signed: str) -> tuple[str, ...]:
    return tuple(signed.lower().split(";"))


def verify(
    request: Request,
    *,
    secret: Callable[[str], str | None],
    now: datetime,
    max_skew: timedelta = MAX_SKEW,
) -> SignatureCheck:
    """Check the signature of a request. secret: the SK of an AK, or None. now: aware. Never raises for bad input."""
    claim = read_claim(request.headers.get("authorization", ""))
    if claim is None:
        return SignatureCheck(ok=False, reason="malformed")
    sk = secret(claim.ak)
    if sk is None:
        return _refused(claim, "unknown-ak")
    if not _computable(claim.suite):
        return _refused(claim, "unverifiable")
    try:
        return _check(request, claim, sk.encode("utf-8", "surrogateescape"), now, max_skew)
    except (MalformedError, UnicodeError):
        return _refused(claim, "malformed")


def _refused(claim: Claim, reason: str) -> SignatureCheck:
    return SignatureCheck(ok=False, ak=claim.ak, reason=reason, algorithm=claim.suite.name)


class MalformedError(ValueError):
    """A request that carries a signature that cannot have been computed for it."""


def _computable(suite: Suite) -> bool:
    if not suite.curve:
        return True
    from pytest_hwcloud.cloud.signing import ec

    return ec.available()


def _check(request: Request, claim: Claim, sk: bytes, now: datetime, max_skew: timedelta) -> SignatureCheck:
    date, signed_at = _signed_date(request, claim)
    forms = _legacy_forms(request, claim) if claim.legacy else _forms(request, claim)
    canonical = next(forms)
    text = _text(claim, canonical, date)
    reason = "expired" if abs(now - signed_at) > max_skew else "" if _matches(claim, sk, text) else "mismatch"
    for other in forms if reason == "mismatch" else ():
        other_text = _text(claim, other, date)
        if _matches(claim, sk, other_text):
            canonical, text, reason = other, other_text, ""
            break
    return SignatureCheck(
        ok=not reason,
        ak=claim.ak,
        reason=reason,
        canonical=canonical,
        string_to_sign=text,
        signed_at=signed_at,
        algorithm=claim.suite.name,
    )


def _text(claim: Claim, canonical: str, date: str) -> str:
    if claim.legacy:
        return f"{claim.suite.name}\n{date}\n{claim.scope}\n{claim.suite.digest(canonical.encode())}"
    return string_to_sign(claim.suite, canonical, date, claim.scope)


def _signed_date(request: Request, claim: Claim) -> tuple[str, datetime]:
    """X-Sdk-Date, which has to be there and to be signed."""
    date = request.headers.get("x-sdk-date", "").strip()
    if "x-sdk-date" not in claim.names:
        raise MalformedError("X-Sdk-Date is not signed")
    if claim.suite.scoped and (claim.scope.count("/") != 2 or not claim.scope.startswith(date[:8] + "/")):
        raise MalformedError("the credential scope is not date/region/service of the signature's day")
    try:
        return date, parsed_date(date)
    except ValueError as error:
        raise MalformedError(str(error)) from None


def _matches(claim: Claim, sk: bytes, text: str) -> bool:
    if claim.suite.curve:
        from pytest_hwcloud.cloud.signing import ec

        return ec.verify(claim.suite.name, claim.ak, sk, text.encode(), claim.signature)
    computed = _legacy_seal(claim, sk, text) if claim.legacy else claim.suite.seal(claim.ak, sk, text, claim.scope)
    return hmac.compare_digest(computed.encode(), claim.signature.encode())


def _forms(request: Request, claim: Claim) -> Iterator[str]:
    """Every canonical request that an SDK may have signed for this one; the Python SDK's (and the gateway's) first."""
    scheme, host, path, query = _parts(request.url)
    values = {name: as_signed(request.headers.get(name, "")) for name in claim.names}
    hosts = [values["host"]] if values.get("host") else _hosts(scheme, host)
    values["host"] = hosts[0]
    given = _said_hash(request, claim)
    payload = payload_hash(claim.suite, request.body, given)

    def form(uri: str, ordered: str, body: str) -> str:
        lines = header_block(claim.names, values)
        return f"{request.method.upper()}\n{uri}\n{ordered}\n{lines}\n\n{claim.signed}\n{body}"

    yield form(canonical_uri(path), canonical_query(query), payload)
    payloads = dict.fromkeys([payload, given or payload, claim.suite.digest(request.body)])
    for values["host"], *parts in product(hosts, _paths(path), _queries(query), payloads):
        yield form(*parts)


def _said_hash(request: Request, claim: Claim) -> str | None:
    """The content header's hash of the body: only if it is signed, and no hash but that of this body."""
    name = claim.suite.content_header.lower()
    given = request.headers.get(name)
    if given is None or not request.body:
        return given
    if name not in claim.names:
        return None
    if _is_hash(given) and given != claim.suite.digest(request.body):
        return None
    return given


def _legacy_forms(request: Request, claim: Claim) -> Iterator[str]:
    """The scoped form of older clients (DIS and PLAS documents, gophertelekomcloud): blanks in headers are folded, and
    a POST without a body signs its query in place of a body."""
    for form in _forms(request, claim):
        yield form
        head, _, rest = form.partition(f"\n\n{claim.signed}\n")
        method, uri, query, *lines = head.split("\n")
        folded = [f"{name}:{' '.join(value.split())}" for name, _, value in (line.partition(":") for line in lines)]
        yield "\n".join([method, uri, query, *folded, "", claim.signed, rest])
        yield "\n".join([method, uri.rstrip("/") or "/", query, *folded, "", claim.signed, rest])
        if method == "POST" and not request.body:
            hashed = claim.suite.digest(query.encode())
            yield "\n".join([method, uri, "", *folded, "", claim.signed, hashed])


def _legacy_seal(claim: Claim, sk: bytes, text: str) -> str:
    key = b"SDK" + sk
    for part in claim.scope.split("/"):
        key = hmac.digest(key, part.encode(), "sha256")
    return hmac.digest(key, text.encode(), "sha256").hex()


def _parts(url: str) -> tuple[str, str, str, str]:
    head, query, _ = split(url)
    try:
        return *authority(head), query
    except ValueError as error:
        raise MalformedError(str(error)) from None


def _hosts(scheme: str, host: str) -> list[str]:
    """Host as clients send it by default: without the default port; and with it, as the SDK signs it."""
    port = _DEFAULT_PORTS.get(scheme, "")
    bare = host.removesuffix(port) if port else host
    return [bare, bare + port]


def _paths(path: str) -> list[str]:
    """Decoded once (Python), byte for byte (Node), or encoded as it stands (Go, Java)."""
    as_it_stands = quote(path, safe="/~")
    exact = quote(unquote_to_bytes(path), safe="/~")
    return list(
        dict.fromkeys([canonical_uri(path), *(p if p.endswith("/") else p + "/" for p in (exact, as_it_stands))])
    )


def _queries(query: str) -> list[str]:
    """By decoded name and value, by decoded or encoded name in the order given, by encoded name and value."""
    forms: dict[str, None] = {}
    for text in dict.fromkeys([query.replace("+", "%20"), query.replace("+", "%2B")]):
        parts = [canonical_part(part) for part in text.split("&") if part]
        for order in _ORDERS:
            forms["&".join(sorted(parts, key=order))] = None
    return list(forms)
