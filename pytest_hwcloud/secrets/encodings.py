"""How one secret can be spelled in a text: the encodings that URLs, bodies and headers put it through."""

from __future__ import annotations

import base64
import html
import json
from collections.abc import Callable
from functools import lru_cache
from urllib.parse import quote, quote_plus

MASK = "***"
CORE = 8  # base64 characters that must be left of a value hidden inside a longer base64 text, to name it without doubt


def _json(text: str) -> str:
    return json.dumps(text)[1:-1]


def _json_unicode(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)[1:-1]


def _percent(text: str) -> str:
    return quote(text, safe="")


def _lower_hex(text: str) -> str:
    """Percent-encoding with small hex digits, as some clients write it."""
    parts = _percent(text).split("%")
    return "%".join([parts[0], *(part[:2].lower() + part[2:] for part in parts[1:])])


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _base64_url(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode()


# One function an encoding, without loss: a replacement can be spelled the same way as what it replaces.
_OF_BYTES: tuple[Callable[[str], str], ...] = (
    _base64,
    _base64_url,
    lambda text: _base64(text).rstrip("="),
    lambda text: _base64_url(text).rstrip("="),
    lambda text: _percent(_base64(text)),
    lambda text: text.encode().hex(),
    lambda text: text.encode().hex().upper(),
)
ENCODINGS: tuple[Callable[[str], str], ...] = (
    str,
    _percent,
    quote,
    quote_plus,
    _lower_hex,
    lambda text: _percent(_percent(text)),
    lambda text: quote_plus(quote_plus(text)),
    _json,
    _json_unicode,
    lambda text: _json(text).replace("/", "\\/"),
    lambda text: _json(_json(text)),
    lambda text: _percent(_json(text)),
    html.escape,
    lambda text: repr(text)[1:-1],
    *_OF_BYTES,
)


def encodings_of(value: str) -> tuple[Callable[[str], str], ...]:
    """The encodings that can write this value differently: letters and digits have no escapes."""
    return (str, *_OF_BYTES) if value.isascii() and value.isalnum() else ENCODINGS


def _cores(value: str) -> set[str]:
    """What of the value is sure to be seen in the base64 of a longer text, such as `user:password` of basic auth."""
    raw = value.encode()
    found: set[str] = set()
    for shift, spoiled in ((0, 0), (1, 2), (2, 3)):  # bytes before it, and the characters that those bytes spoil
        whole = (shift + len(raw)) // 3 * 4  # characters made of complete groups only
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            core = encode(bytes(shift) + raw)[spoiled:whole].decode()
            if len(core) >= CORE:
                found.add(core)
    return found


@lru_cache(maxsize=512)
def spellings(value: str) -> tuple[str, ...]:
    """Every text that shows `value`: plain, percent-encoded (once, twice), JSON, HTML, base64 (alone or in more), hex.

    Longest first, so that replacing them in this order never leaves half a secret behind.
    """
    if not value:
        return ()
    if not value.isprintable() and any("\ud800" <= letter <= "\udfff" for letter in value):
        return (value,)  # a lone surrogate has no other encoding
    found = {encode(value) for encode in encodings_of(value)} | _cores(value)
    return tuple(sorted(found, key=lambda text: (-len(text), text)))
