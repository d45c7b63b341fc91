"""The secrets that a run knows, and a text without them: whole, in any encoding, and cut short by somebody's repr."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING
from urllib.parse import quote

from pytest_hwcloud.secrets.encodings import MASK, spellings
from pytest_hwcloud.secrets.field_names import REPORTED, SECRET, hides, is_secret_header, kind_of

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.journal import Exchange

_FOLDERS = ("PWD", "OLDPWD")  # of a shell
_OF_OTHERS = 8  # characters of the value of a variable of somebody else
SHORTEST = 6  # shorter values are too common in ordinary text to be masked
_LONG = 64  # longer values are tokens: they are shown plain, in URLs and in JSON, and never encoded otherwise
_GRAM, _STRIDE = 8, 4  # every piece of a secret of _GRAM + _STRIDE - 1 characters is found
_PIECE = 16  # a piece of this length is masked wherever it stands; a shorter one only beside the cut
_SHARED = 64  # secrets that are looked at for one piece, such as a prefix that all tokens have
_CUT = "..."  # how pytest's saferepr, reprlib and textwrap show that something was left out
_INVENTED = "HWCTEST"  # access keys of replay identities: the same on every machine, and no secret
_TOOLS = ("HUAWEICLOUD_", "HW_", "OS_", "OTC_", "OBS_", "S3_")  # how the variables of the cloud's tools begin
# What is secret by its label, whoever made it: tokens, the encoded denial, passwords in login bodies.
_LABELLED = re.compile(
    rf"""((?:{REPORTED})\W{{1,6}})([\w+/=.%~-]{{16,}})|(\\?["']password\\?["']\s*:\s*\\?["'])((?!\*\*\*)[^"'\\]{{3,}})""",
    re.IGNORECASE,
)


class Secrets:
    """Known secret values. `masked` gives a text without them."""

    def __init__(self) -> None:
        self.read_waiting: Callable[[], object] | None = None  # has what was heard read for secrets, before a masking
        self._values: set[str] = set()
        self._new: list[str] = []
        self._whole: list[str] = []  # longest first
        self._grams: dict[str, list[tuple[str, int]]] = {}

    def __repr__(self) -> str:
        return f"<Secrets: {len(self._values)} values>"

    def add(self, value: str | None) -> None:
        """Mask this value from now on; nothing happens for None and for values shorter than six characters."""
        if value is not None and len(value) >= SHORTEST and value not in self._values:
            self._values.add(value)
            self._new.extend(part for part in (value, *value.splitlines()) if len(part) >= SHORTEST)

    def add_identity(self, identity: Identity) -> None:
        """Mask an identity's keys, password and security token."""
        literal = (sk for _, sk in identity.literal_keys)
        for value in (identity.sk, identity.password, identity.security_token, *literal):
            self.add(value)
        if not identity.ak.startswith(_INVENTED):
            self.add(identity.ak)

    def add_environment(self, environment: Mapping[str, str]) -> None:
        """Mask the keys, tokens and passwords in variables: those of the cloud's tools, and all that are called so."""
        for name, value in environment.items():
            others = len(value) >= _OF_OTHERS and name not in _FOLDERS and hides(name, value)
            ours = name.upper().startswith(_TOOLS) and kind_of(name) == SECRET
            if ours or (others and not os.path.isdir(value)):
                self.add(value)

    def add_exchange(self, exchange: Exchange) -> None:
        """Mask the tokens that a call carried or brought, and the encoded message of a denial."""
        self.add(exchange.failure.encoded_authorization_message if exchange.failure else None)
        answered = exchange.answer.headers if exchange.answer else {}
        for headers in (exchange.request.headers, answered):
            for name, value in headers.items():
                if is_secret_header(name) and len(value) >= _PIECE and " " not in value:
                    self.add(value)

    def masked(self, text: str) -> str:
        """The text with every known secret, and every cut piece of one, replaced by ***."""
        if self.read_waiting is not None:
            self.read_waiting()
        self._index()
        for spelling in self._whole:
            if spelling in text:
                text = text.replace(spelling, MASK)
        spans = list(self._spans(text)) if len(text) >= _GRAM else []
        for start, end in reversed(_joined(spans)):
            text = text[:start] + MASK + text[end:]
        return _without_labelled(text)

    def _index(self) -> None:
        while self._new:
            value = self._new.pop()
            for spelling in spellings(value) if len(value) <= _LONG else _plain_spellings(value):
                if "\n" not in spelling:  # of a value with several lines each is known by itself
                    self._index_one(spelling)

    def _index_one(self, spelling: str) -> None:
        grams = [spelling[at : at + _GRAM] for at in range(len(spelling) - _GRAM + 1)]
        if len(spelling) < _GRAM + _STRIDE - 1 or len(set(grams)) < len(grams):
            # Too short for the pieces to be found, or so repetitive that they do not show where they are from.
            self._whole = sorted({*self._whole, spelling}, key=len, reverse=True)
        for at, gram in enumerate(grams):
            known = self._grams.setdefault(gram, [])
            if len(known) < _SHARED:
                known.append((spelling, at))

    def _spans(self, text: str) -> Iterator[tuple[int, int]]:
        grams, done = self._grams, 0
        for at in range(0, len(text) - _GRAM + 1, _STRIDE):
            found = grams.get(text[at : at + _GRAM])
            if found is None or at < done:
                continue
            shown = [span for secret, inside in found if (span := _shown(text, at, secret, inside))]
            if shown:
                start, done = max(shown, key=lambda span: span[1] - span[0])
                yield start, done


def _without_labelled(text: str) -> str:
    lowered = text.lower()
    if any(word in lowered for word in ("encoded_auth", "-token", "password")):  # far quicker than the expression
        return _LABELLED.sub(_keep_label, text)
    return text


def _plain_spellings(value: str) -> tuple[str, ...]:
    return tuple({value, quote(value, safe=""), value.replace("/", "\\/")})


def _shown(text: str, at: int, secret: str, inside: int) -> tuple[int, int] | None:
    """How far the text around a common piece agrees with the secret; None if that is too little to be it."""
    start, before = at, inside
    while start and before and text[start - 1] == secret[before - 1]:
        start, before = start - 1, before - 1
    end, after = at + _GRAM, inside + _GRAM
    while end < len(text) and after < len(secret) and text[end] == secret[after]:
        end, after = end + 1, after + 1
    long_enough = end - start >= min(_PIECE, len(secret))
    cut = text.startswith(_CUT, end) or text.endswith(_CUT, 0, start)
    return (start, end) if long_enough or cut else None


def _joined(spans: list[tuple[int, int]]) -> list[tuple[int, int]]:
    joined: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if joined and start <= joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _keep_label(match: re.Match[str]) -> str:
    if match[2] is not None and match[2].lower().startswith("none"):
        return match[0]
    return (match[1] or match[3]) + MASK
