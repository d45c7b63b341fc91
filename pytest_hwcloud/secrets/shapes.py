"""Secrets inside any text: shapes that give themselves away, and `name = value` in the notations that texts use."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import partial
from typing import Protocol
from urllib.parse import unquote_plus

from pytest_hwcloud.secrets.encodings import MASK
from pytest_hwcloud.secrets.field_names import is_secret, is_secret_header

INVENTED = "HWCTEST"  # what every access key of ours begins with


class Learner(Protocol):
    """Who wants to know of the secrets and access keys that a rule finds."""

    def learn(self, secret: str) -> None: ...
    def learn_access_key(self, key: str) -> None: ...


_PRIVATE = re.compile(r"-----BEGIN[A-Z0-9 ]*PRIVATE KEY-----.*?(?:-----END[A-Z0-9 ]*PRIVATE KEY-----|\Z)", re.DOTALL)
_TOKENS = re.compile(
    r"(?<![A-Za-z0-9+/])(?<!-----\n)(?<!-----\r\n)(?<!-----\\n)"  # certificates begin so too, and are public
    r"MII[A-Za-z0-9+/_-]{60,}={0,2}"  # IAM
    r"|(?<![\w-])gAAAA[\w-]{40,}={0,2}"  # keystone
    r"|(?<![\w-])eyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"  # web tokens
)
_BASIC = re.compile(r"(?i)\b(Basic\s+)([A-Za-z0-9+/_-]{4,}={0,2})")
_BEARER = re.compile(r"(?i)\b(Bearer\s+)([\w.~+/-]{12,}=*)")
_SIGNATURE = re.compile(r"(?i)(Signature=)[0-9a-f]{40,}")
_USERINFO = re.compile(r"(?<=://)[^/\s:@\"'<>]+:[^/\s@\"'<>]+(?=@)")
ACCESS_KEY = re.compile(r"(?<![A-Za-z0-9])(?=[A-Z]{0,19}\d)(?=\d{0,19}[A-Z])[A-Z0-9]{20}(?![A-Za-z0-9])")

# Each has a name in group "n" and its value in group "v".
_NOTATIONS = tuple(
    re.compile(pattern, re.DOTALL)
    for pattern in (
        # "password": "…", also inside a text that is itself quoted, once or more
        r"(?P<e>\\*)(?P<q>[\"'])(?P<n>[\w.-]{2,60})(?P=e)(?P=q)\s*[:=]>?\s*(?P=e)(?P=q)"
        r"(?P<v>(?:(?!(?<!\\)(?P=e)(?P=q))(?:\\.|.))*)",
        r"(?<![\w.-])(?P<n>[\w.-]{2,60})=(?P<v>[^\s&;,\"'<>\\|]+)",  # password=…
        r"<(?:\w+:)?(?P<n>[\w.-]{2,60})(?:\s[^<>]*)?>(?P<v>(?:<!\[CDATA\[.*?\]\]>|[^<])+)</",  # <Password>…</
        r"\bname=\"(?P<n>[^\"\r\n]+)\"[^\r\n]*(?:\r?\n[^\r\n]+)*\r?\n\r?\n(?P<v>.*?)(?=\r?\n--)",  # multipart
    )
)
_HINTS = (('"', "'"), ("=",), ("</",), ("name=",))
_HEADER_LINE = re.compile(r"(?m)(?:^|(?<=\|))[ \t]*(?P<n>[\w-]{2,60}):[ \t]*(?P<v>[^|\r\n]+)")


def invented_access_key(real: str) -> str:
    """A stand-in for an access key that no identity of the run has: the same for the same key."""
    return INVENTED + hashlib.sha256(b"access-key:" + real.encode()).hexdigest()[:13].upper()


def apply(text: str, learner: Learner) -> str:
    """The text with every shape and every named secret masked; what was found is told to the learner."""
    for hint, pattern, replace in _RULES:
        if any(word in text for word in hint):
            text = pattern.sub(partial(replace, learner=learner), text)
    for key in set(ACCESS_KEY.findall(text)) if len(text) >= 20 else ():
        if not key.startswith(INVENTED):
            learner.learn_access_key(key)
    return text


def _whole(match: re.Match[str], learner: Learner) -> str:
    learner.learn(match[0])
    return MASK


def _basic(match: re.Match[str], learner: Learner) -> str:
    try:
        raw = base64.b64decode(match[2] + "=" * (-len(match[2]) % 4), altchars=b"-_" if "-" in match[2] else None)
        _, colon, password = raw.decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return match[0]
    if not colon:
        return match[0]  # "Basic plan" is no credential
    learner.learn(password)
    return match[1] + MASK


def _bearer(match: re.Match[str], learner: Learner) -> str:
    if not any(letter.isdigit() for letter in match[2]):
        return match[0]  # "Bearer authentication"
    learner.learn(match[2])
    return match[1] + MASK


def _user_info(match: re.Match[str], learner: Learner) -> str:
    learner.learn(unquote_plus(match[0].partition(":")[2]))
    return MASK


def _named(match: re.Match[str], learner: Learner) -> str:
    return _masked(match, learner) if is_secret(match["n"]) else match[0]


def _header(match: re.Match[str], learner: Learner) -> str:
    return _masked(match, learner) if is_secret_header(match["n"]) else match[0]


def _signed(match: re.Match[str], learner: Learner) -> str:
    return match[1] + MASK


def _masked(match: re.Match[str], learner: Learner) -> str:
    value = match["v"]
    if not value.strip() or MASK in value:
        return match[0]
    learner.learn(unquote_plus(value) if "%" in value else value)
    start = match.start("v") - match.start()
    return match[0][:start] + MASK + match[0][start + len(value) :]


class _Rule(Protocol):
    def __call__(self, match: re.Match[str], /, learner: Learner) -> str: ...


# Words without which a rule cannot apply (a search costs a fiftieth of a pattern), the pattern, and what to do.
_RULES: tuple[tuple[tuple[str, ...], re.Pattern[str], _Rule], ...] = (
    (("PRIVATE KEY",), _PRIVATE, _whole),
    (("MII", "gAAAA", "eyJ"), _TOKENS, _whole),
    (("asic", "ASIC"), _BASIC, _basic),
    (("earer", "EARER"), _BEARER, _bearer),
    (("ignature=", "IGNATURE="), _SIGNATURE, _signed),
    (("://",), _USERINFO, _user_info),
    *((hint, pattern, _named) for hint, pattern in zip(_HINTS, _NOTATIONS, strict=True)),
    ((":",), _HEADER_LINE, _header),
)
