"""Does this text still look as if it held a secret? Knows nothing of the scrubber: it opens every encoding and looks.

Shapes, not names of our own making: tokens, keys, PEM, credentials of basic auth, values under telling names, and plain
disorder (entropy). It would rather refuse a harmless text than pass a secret.
"""

from __future__ import annotations

import base64
import binascii
import gzip
import html
import json
import math
import re
import zlib
from collections import Counter
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, unquote_plus

KNOWN = "a known secret"
_LAYERS = 4
_RANDOM = "a random text"  # told only where nothing better is known
_CLEAN = re.compile(
    r"(?i)^[\W_]*(?:\*{3,}|<[^>]*>|\$?\{[^}]*\}|x{3,}|redacted|masked|hidden|none|null|true|false|undefined)|\*{3}"
    r"|hwctest|redacted|^(?:example|dummy|fake|test|your|placeholder)[-_ ]"
)
_PUBLIC = re.compile(
    r"-----BEGIN (?:CERTIFICATE|PUBLIC KEY|RSA PUBLIC KEY)-----.*?-----END [A-Z ]+-----"
    r"|(?:ssh-(?:rsa|ed25519|dss)|ecdsa-sha2-\S+) AAAA[\w+/=]+",
    re.DOTALL,
)
_SHAPES = {
    "a private key (PEM)": re.compile(r"-----BEGIN[A-Z0-9 ]*PRIVATE KEY-----"),
    "an IAM token": re.compile(r"(?<![A-Za-z0-9+/])MII[A-Za-z0-9+/_-]{60,}"),
    "a keystone token": re.compile(r"(?<![\w-])gAAAA[\w-]{40,}"),
    "a web token (JWT)": re.compile(r"(?<![\w-])eyJ[\w-]{6,}\.[\w-]{6,}\.[\w-]*"),
    "an access key (AK)": re.compile(
        r"(?<![A-Za-z0-9])(?=[A-Z]{0,19}\d)(?=\d{0,19}[A-Z])(?!HWCTEST)[A-Z0-9]{20}(?![A-Za-z0-9])"
    ),
    "a signature": re.compile(r"(?i)Signature=\s*[0-9a-f]{40,}"),
    "a password in a URL": re.compile(r"://[^/\s:@\"'<>*]+:[^/\s@\"'<>*]+@"),
}
_SECRET_KEY = re.compile(r"(?<![A-Za-z0-9+/=_-])[A-Za-z0-9]{40}(?![A-Za-z0-9+/=_-])")
_DISORDER = re.compile(r"[A-Za-z0-9+/_-]{44,}={0,2}")
_BASIC = re.compile(r"(?i)\bbasic\s+([A-Za-z0-9+/=_-]{4,})")
_BEARER = re.compile(r"(?i)\bbearer\s+(?=\S*\d)([\w.~+/=-]{12,})")
_NAME = (
    r"(?:[\w.-]*(?:pass(?:word|wd|phrase)|secret(?:[_-]?(?:access)?[_-]?key)?|private[_-]?key|api[_-]?key"
    r"|(?:auth|subject|security|access|refresh|session|id|bearer)[_-]?token)"
    r"|admin_?pass|(?:os[:_-])?user_?data|encoded_authorization_message|cookie|client[_-]key[_-]data)"
)
_NAMED = (
    re.compile(rf"(?i)[\"'](?P<n>{_NAME})\\*[\"']\s*[:=]>?\s*\\*[\"'](?P<v>[^\"'\\]{{3,}})"),
    re.compile(rf"(?i)(?<![\w-])(?P<n>{_NAME})=(?P<v>[^\s&;,\"'<>\\]{{3,}})"),
    re.compile(rf"(?i)<(?:\w+:)?(?P<n>{_NAME})(?:\s[^<>]*)?>(?P<v>[^<]{{3,}})<"),
    re.compile(rf"(?im)(?:^|\|)[ \t]*(?P<n>{_NAME}):[ \t]*(?P<v>[^\s|\"'{{\[][^\s|]{{2,}})"),
)
# One of these is in each of those names; looked for first, because it costs next to nothing.
_HINTS = ("pass", "secret", "key", "token", "user_data", "userdata", "authorization_message", "cookie")
_SECRET_HEADER = re.compile(r"(?i)token|authorization|cookie|signature|secret|credential|api-?key|password")
_RUN = re.compile(r"[A-Za-z0-9+/_-]{12,}={0,2}")
_ESCAPED = re.compile(r"\\(u[0-9A-Fa-f]{4}|[\"'\\/nrt])")


@dataclass(frozen=True, kw_only=True)
class Suspicion:
    """What looks like a secret, where it stands, how it is wrapped; `shown` gives no more than two letters away."""

    kind: str
    place: str
    shown: str
    wrapped: tuple[str, ...] = ()
    value: str = field(default="", repr=False, compare=False)  # never told

    def __str__(self) -> str:
        how = f", {' inside '.join(self.wrapped)}" if self.wrapped else ""
        return f"{self.place}: {self.kind} ({self.shown}{how})"


def suspicions(text: str, place: str, known: Collection[str] = ()) -> list[Suspicion]:
    """What in this text looks like a secret, with the place told as given; each thing once."""
    found: dict[str, tuple[str, tuple[str, ...]]] = {}
    for wrapped, layer in _layers(text, ()):
        for kind, value in _hits(layer, known):
            found.setdefault(value, (kind, wrapped))
    return [
        Suspicion(kind=kind, place=place, shown=_shown(value), wrapped=wrapped, value=value)
        for value, (kind, wrapped) in found.items()
        if kind != _RANDOM or not any(value in other or other in value for other in found if other != value)
    ]


def in_headers(headers: Mapping[str, str], place: str, known: Collection[str] = ()) -> list[Suspicion]:
    """What in these headers looks like a secret."""
    found: list[Suspicion] = []
    for name, value in headers.items():
        here = f"{place} header {name}"
        if _SECRET_HEADER.search(name) and len(value) > 2 and not _CLEAN.search(value):
            found.append(Suspicion(kind="a secret header", place=here, shown=_shown(value), value=value))
        else:
            found += suspicions(value, here, known)
    return found


def in_body(body: bytes, place: str, known: Collection[str] = ()) -> list[Suspicion]:
    """What in this body looks like a secret; in JSON the place is the path of the member."""
    text = _text_of(body)
    if text is None:
        found = body.decode("latin-1")
        return suspicions(found, place, known) if _any_shape(found, known) else []
    if not suspicions(text, place, known):
        return []
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return _by_line(text, place, known)
    precise = [one for path, words in _members(document, "$") for one in suspicions(words, f"{place} {path}", known)]
    return precise or suspicions(text, place, known)


def _by_line(text: str, place: str, known: Collection[str]) -> list[Suspicion]:
    lines = [one for n, line in enumerate(text.splitlines(), 1) for one in suspicions(line, f"{place} line {n}", known)]
    return lines or suspicions(text, place, known)


def _members(value: object, path: str) -> Iterator[tuple[str, str]]:
    match value:
        case dict():
            for key, item in value.items():
                here = f"{path}.{key}"
                if isinstance(item, str):  # with its name, which may be what gives it away
                    yield here, json.dumps({key: item}, ensure_ascii=False)[1:-1]
                else:
                    yield from _members(item, here)
        case list():
            for index, item in enumerate(value):
                yield from _members(item, f"{path}[{index}]")
        case str():
            yield path, value


def _layers(text: str, wrapped: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str]]:
    """The text, and every text that it is the encoding of."""
    yield wrapped, text
    if len(wrapped) >= _LAYERS:
        return
    for label, inner in _opened(text):
        if inner != text:
            yield from _layers(inner, (label, *wrapped))


def _opened(text: str) -> Iterator[tuple[str, str]]:
    if "%" in text:
        yield "percent-encoded", (unquote_plus if "+" in text else unquote)(text)
    if "\\" in text:
        yield "escaped", _ESCAPED.sub(_unescaped, text)
    if "&" in text and ";" in text:
        yield "HTML-escaped", html.unescape(text)
    for run in _RUN.findall(text):
        for part in {run, *run.split("/")}:
            if len(part) >= 12 and (inner := _decoded(part)) is not None:
                yield inner


def _unescaped(match: re.Match[str]) -> str:
    code = match[1]
    return chr(int(code[1:], 16)) if code[0] == "u" else {"n": "\n", "r": "\r", "t": "\t"}.get(code, code)


def _decoded(run: str) -> tuple[str, str] | None:
    if re.fullmatch(r"(?:[0-9a-fA-F]{2}){8,}", run):
        text = _text_of(bytes.fromhex(run))
        return ("in hex", text) if text and text.isprintable() else None
    bare = run.rstrip("=").replace("-", "+").replace("_", "/")
    try:
        text = _text_of(base64.b64decode(bare + "=" * (-len(bare) % 4), validate=True))
    except (binascii.Error, ValueError):
        return None
    if not text or not all(letter.isprintable() or letter in "\r\n\t" for letter in text):
        return None
    return "in base64", text


def _text_of(raw: bytes) -> str | None:
    if raw.startswith(b"\x1f\x8b"):
        try:
            raw = gzip.decompress(raw)
        except (OSError, EOFError, zlib.error):
            return None
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return None


def _hits(text: str, known: Collection[str]) -> Iterator[tuple[str, str]]:
    if "-----" in text or "ssh-" in text or "ecdsa-" in text:
        text = _PUBLIC.sub(" ", text)
    for secret in known:
        if secret in text:
            yield KNOWN, secret
    for kind, pattern in _SHAPES.items():
        for match in pattern.finditer(text):
            yield kind, match[0]
    lower = text.lower()
    for pattern in _NAMED if any(hint in lower for hint in _HINTS) else ():
        for match in pattern.finditer(text):
            if not _CLEAN.search(match["v"]):
                yield f"a value named {match['n']}", match["v"]
    if "basic" in lower or "bearer" in lower:
        yield from _credentials(text)
    yield from _disorder(text)


def _credentials(text: str) -> Iterator[tuple[str, str]]:
    for match in _BASIC.finditer(text):
        inner = _decoded(match[1])
        if inner and ":" in inner[1] and not _CLEAN.search(inner[1]):
            yield "credentials of basic auth", match[1]
    for match in _BEARER.finditer(text):
        if not _CLEAN.search(match[1]):
            yield "a bearer token", match[1]


def _disorder(text: str) -> Iterator[tuple[str, str]]:
    for match in _SECRET_KEY.finditer(text):
        if _kinds(match[0]) == 3 and _entropy(match[0]) > 4.0:
            yield "a secret key (SK)", match[0]
    for match in _DISORDER.finditer(text):
        run = match[0]
        if run.count("/") < 3 and _kinds(run) == 3 and _entropy(run) > 4.6 and _decoded(run) is None:
            yield _RANDOM, run


def _any_shape(text: str, known: Collection[str]) -> bool:
    return any(secret in text for secret in known) or any(pattern.search(text) for pattern in _SHAPES.values())


def _kinds(text: str) -> int:
    return sum(any(map(test, text)) for test in (str.islower, str.isupper, str.isdigit))


def _entropy(text: str) -> float:
    """Bits a character."""
    return -sum(n / len(text) * math.log2(n / len(text)) for n in Counter(text).values())


def _shown(value: str) -> str:
    return f"{value[:2]}…, {len(value)} characters" if len(value) > 8 else f"{len(value)} characters"
