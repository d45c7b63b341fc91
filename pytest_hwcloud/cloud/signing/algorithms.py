"""AK/SK signatures: SDK-HMAC-SHA256 and its relatives, byte for byte as the official SDK makes them."""

from __future__ import annotations

import hashlib
import hmac
import re
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.endpoints import derived_service, locate
from pytest_hwcloud.cloud.identity import unknown
from pytest_hwcloud.cloud.signing.canonical import (
    as_sent,
    authority,
    canonical_query,
    canonical_uri,
    header_block,
    split,
)

DEFAULT_ALGORITHM = "SDK-HMAC-SHA256"
UNSIGNED_PAYLOAD = "UNSIGNED-PAYLOAD"
HASHED_TYPES = ("application/json", "application/bson")  # bodies of other types are sent as UNSIGNED-PAYLOAD
DATE_FORMAT = "%Y%m%dT%H%M%SZ"
_DATE = re.compile(r"\d{8}T\d{6}Z", re.ASCII).fullmatch
_AK = re.compile(r"[!-~]+").fullmatch

Seal = Callable[[str, bytes, str, str], str]  # AK, SK, string to sign, credential scope -> signature in hex


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _sm3(data: bytes) -> str:
    from pytest_hwcloud.cloud.signing import sm3  # in Python alone, and rarely asked for

    return sm3.hexdigest(data)


def _hmac_sha256(ak: str, sk: bytes, text: str, scope: str) -> str:
    return hmac.digest(sk, text.encode(), "sha256").hex()


def _hmac_sm3(ak: str, sk: bytes, text: str, scope: str) -> str:
    from pytest_hwcloud.cloud.signing import sm3

    return sm3.hmac_digest(sk, text.encode()).hex()


def _hmac_derived(ak: str, sk: bytes, text: str, scope: str) -> str:
    # HKDF-SHA256 with the AK as salt and one block of output; its hex text is the key.
    extracted = hmac.digest(ak.encode(), sk, "sha256")
    key = hmac.digest(extracted, scope.encode() + b"\x01", "sha256").hex()
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()


def _curve(algorithm: str) -> Seal:
    def seal(ak: str, sk: bytes, text: str, scope: str) -> str:
        from pytest_hwcloud.cloud.signing import ec

        return ec.sign(algorithm, ak, sk, text.encode())

    return seal


@dataclass(frozen=True, slots=True, kw_only=True)
class Suite:
    """One signing algorithm: its hash, the header that carries a payload's hash, and how a signature is made."""

    name: str
    digest: Callable[[bytes], str]
    seal: Seal
    content_header: str = "X-Sdk-Content-Sha256"
    empty: str = hashlib.sha256(b"").hexdigest()  # the hash of no payload
    scoped: bool = False  # Credential=AK/date/region/service in place of Access=AK
    curve: bool = False  # every signature is another one: verify, never compare


_SM3_HEADER, _SM3_EMPTY = "X-Sdk-Content-Sm3", "1ab21d8355cfa17f8e61194831e81a8f22bec8c728fefb747ed035eb5082aa2b"
SUITES: Mapping[str, Suite] = {
    suite.name: suite
    for suite in (
        Suite(name=DEFAULT_ALGORITHM, digest=_sha256, seal=_hmac_sha256),
        Suite(name="SDK-HMAC-SM3", digest=_sm3, seal=_hmac_sm3, content_header=_SM3_HEADER, empty=_SM3_EMPTY),
        Suite(name="V11-HMAC-SHA256", digest=_sha256, seal=_hmac_derived, scoped=True),
        Suite(name="SDK-ECDSA-P256-SHA256", digest=_sha256, seal=_curve("SDK-ECDSA-P256-SHA256"), curve=True),
        Suite(
            name="SDK-SM2-SM3",
            digest=_sm3,
            seal=_curve("SDK-SM2-SM3"),
            content_header=_SM3_HEADER,
            empty=_SM3_EMPTY,
            curve=True,
        ),
    )
}
_SCHEMES = tuple(name + " " for name in SUITES)


def suite_named(algorithm: str) -> Suite:
    """The suite of an algorithm; UnknownName with the nearest one."""
    if algorithm not in SUITES:
        raise unknown("signing algorithm", algorithm, SUITES)
    return SUITES[algorithm]


def has_signature(headers: Mapping[str, str]) -> bool:
    """Whether headers (names in any case) carry an Authorization of one of the algorithms."""
    value = headers.get("authorization") or headers.get("Authorization")
    if value is None:
        value = next((v for name, v in headers.items() if name.lower() == "authorization"), "")
    return value.lstrip().startswith(_SCHEMES)


def checked_keys(ak: str, sk: str) -> tuple[str, bytes]:
    """AK and the bytes of SK; ValueError (that shows neither) for keys that cannot sign."""
    if not isinstance(ak, str) or not _AK(ak) or "," in ak:
        raise ValueError(texts.say("signing.no-ak"))
    if not isinstance(sk, str) or not sk:
        raise ValueError(texts.say("signing.no-sk"))
    return ak, sk.encode("utf-8", "surrogateescape")


def payload_hash(suite: Suite, body: bytes, given: str | None) -> str:
    """The last line of the canonical request. An empty body counts as empty whatever is in the content header."""
    if not body:
        return suite.empty
    return given or suite.digest(body)


def authorization(suite: Suite, keys: tuple[str, bytes], text: str, signed: str, scope: str) -> str:
    """The Authorization header. keys: as `checked_keys` returns them. text: the string to sign."""
    ak, sk = keys
    signature = suite.seal(ak, sk, text, scope)
    credential = f"Credential={ak}/{scope}" if suite.scoped else f"Access={ak}"
    return f"{suite.name} {credential}, SignedHeaders={signed}, Signature={signature}"


def string_to_sign(suite: Suite, canonical: str, date: str, scope: str = "") -> str:
    """What the key seals: algorithm, time, (scope,) and the hash of the canonical request."""
    hashed = suite.digest(canonical.encode())
    return f"{suite.name}\n{date}\n{scope}\n{hashed}" if suite.scoped else f"{suite.name}\n{date}\n{hashed}"


def credential_scope(suite: Suite, date: str, host: str, region: str | None, service: str | None) -> str:
    """V11's "date/region/service"; what is not given is taken from the host, "globe" for a global service."""
    if not suite.scoped:
        return ""
    place = locate(host)
    region = region or ("globe" if place.scope == "global" else place.region)
    service = service or (derived_service(place.service) if place.service else None)
    if not region or not service:
        raise ValueError(texts.say("signing.no-scope", algorithm=suite.name, host=host))
    return f"{date[:8]}/{region}/{service}"


_clock: list[tuple[int, str]] = [(0, "19700101T000000Z")]  # the last second and its text; one assignment, any thread


def current_date() -> str:
    """X-Sdk-Date of this second."""
    second, text = _clock[0]
    now = int(time.time())
    if now != second:
        text = time.strftime(DATE_FORMAT, time.gmtime(now))
        _clock[0] = now, text
    return text


@lru_cache(maxsize=64)
def parsed_date(text: str) -> datetime:
    """X-Sdk-Date as an aware datetime; ValueError if it is none."""
    if not _DATE(text):
        raise ValueError(texts.say("signing.no-date", text=text))
    parts = (text[:4], text[4:6], text[6:8], text[9:11], text[11:13], text[13:15])
    year, month, day, hour, minute, second = map(int, parts)  # strptime would compile its expressions first
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC)


def _text(value: object) -> str:
    return (value.decode("latin-1") if isinstance(value, bytes) else str(value)).strip()


def _completed(headers: Mapping[str, str], suite: Suite, host: str) -> dict[str, str]:
    """The headers to sign: those given, X-Sdk-Date, Host, and the opt-out for bodies that are not hashed."""
    sent = {name: _text(value) for name, value in headers.items() if name.lower() != "authorization"}
    kind = sent.get("Content-Type")  # this spelling only, as in the SDK
    if kind and not kind.startswith(HASHED_TYPES):
        sent[suite.content_header] = UNSIGNED_PAYLOAD
    given = {name.lower() for name in sent}
    if "x-sdk-date" not in given:
        sent["X-Sdk-Date"] = current_date()
    if "host" not in given:
        sent["Host"] = host
    return sent


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str] | None,
    body: bytes | str | None,
    *,
    ak: str,
    sk: str,
    algorithm: str = DEFAULT_ALGORITHM,
    region: str | None = None,
    service: str | None = None,
) -> dict[str, str]:
    """The headers to send: those given (each is signed, but names with "_"), X-Sdk-Date, Host and Authorization."""
    suite = suite_named(algorithm)
    keys = checked_keys(ak, sk)
    head, query, _ = split(url)
    _, host, path = authority(head)
    sent = _completed(headers or {}, suite, host)
    values = {name.lower(): value for name, value in sent.items()}
    date = values["x-sdk-date"]
    parsed_date(date)
    names = tuple(sorted(name.lower() for name in sent if "_" not in name))
    payload = payload_hash(suite, body.encode() if isinstance(body, str) else body or b"", _content(values, suite))
    signed = ";".join(names)
    canonical = (
        f"{method.upper()}\n{canonical_uri(path)}\n{canonical_query(query)}\n"
        f"{header_block(names, values)}\n\n{signed}\n{payload}"
    )
    scope = credential_scope(suite, date, host, region, service)
    ready = {name: as_sent(value) for name, value in sent.items()}
    ready["Authorization"] = authorization(suite, keys, string_to_sign(suite, canonical, date, scope), signed, scope)
    return ready


def _content(values: Mapping[str, str], suite: Suite) -> str | None:
    return values.get(suite.content_header.lower())
