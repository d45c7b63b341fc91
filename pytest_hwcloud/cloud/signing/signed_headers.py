"""Which headers of a prepared request are signed, and their canonical lines around the one that changes: the date."""

from __future__ import annotations

from functools import lru_cache
from typing import NamedTuple

from pytest_hwcloud.cloud.signing.algorithms import HASHED_TYPES
from pytest_hwcloud.cloud.signing.canonical import as_sent, as_signed

# What clients and proxies on the way add or change, and what a redirect changes.
NEVER_SIGNED = frozenset(
    {
        "accept",
        "accept-encoding",
        "authorization",
        "connection",
        "content-length",
        "cookie",
        "expect",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    }
)
DATE = "x-sdk-date"
TOKEN = "x-security-token"
Pairs = tuple[tuple[str, str], ...]


class Frame(NamedTuple):
    """The signed headers of a request, without their date.

    before, after: the canonical text around the date, SignedHeaders included. added: headers to set on the request.
    date: the given one. payload: the value of the content header. hashed: whether bodies of this type are hashed.
    """

    before: str
    after: str
    signed: str
    added: Pairs
    date: str | None
    payload: str | None
    hashed: bool


@lru_cache(maxsize=512)
def frame(given: Pairs, own: Pairs, host: str, content_header: str) -> Frame:
    """The frame of the headers given (names in lower case) and those that belong to the keys (a given one stays)."""
    texts = {name: value if value.__class__ is str and value.isascii() else _text(value) for name, value in given}
    added = [(name, value) for name, value in own if name.lower() not in texts or name.lower() == TOKEN]
    values = {"host": host, **texts, DATE: "", **{name.lower(): value for name, value in added}}
    names = sorted([name for name in values if name not in NEVER_SIGNED and "_" not in name])
    lines = "\n".join([f"{name}:{values[name].strip()}" for name in names])
    before, mark, after = f"\n{lines}\n".partition(f"\n{DATE}:")
    signed, kind = ";".join(names), texts.get("content-type")
    return Frame(
        before=(before + mark).removeprefix("\n"),
        after=f"{after}\n{signed}\n",
        signed=signed,
        added=(*added, *[(n, as_sent(texts[n])) for n in names if n in texts and not texts[n].isascii()]),
        date=texts.get(DATE) if "authorization" not in texts else None,  # the date of an earlier signature is not given
        payload=values.get(content_header),
        hashed=not kind or kind.startswith(HASHED_TYPES),
    )


def _text(value: str | bytes) -> str:  # requests allows bytes
    return as_signed(value.decode("latin-1") if isinstance(value, bytes) else value)
