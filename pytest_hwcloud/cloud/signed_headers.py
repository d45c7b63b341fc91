"""Which headers of a prepared request are signed, and their canonical lines around the one that changes: the date."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from pytest_hwcloud.cloud.canonical import as_sent, as_signed
from pytest_hwcloud.cloud.signing import HASHED_TYPES

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
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
    texts = {name: _text(value) for name, value in given}
    added = {name: value for name, value in own if name.lower() not in texts or name.lower() == TOKEN}
    values = {"host": host, **texts, **{name.lower(): value for name, value in added.items()}, DATE: ""}
    names = sorted(name for name in values if name not in NEVER_SIGNED and "_" not in name)
    signed, at = ";".join(names), names.index(DATE)
    return Frame(
        before="".join(_lines(names[:at], values)) + f"{DATE}:",
        after="\n" + "".join(_lines(names[at + 1 :], values)) + f"\n{signed}\n",
        signed=signed,
        added=(*added.items(), *((n, as_sent(texts[n])) for n in names if n in texts and not texts[n].isascii())),
        date=texts.get(DATE) if "authorization" not in texts else None,  # the date of an earlier signature is not given
        payload=values.get(content_header),
        hashed=texts.get("content-type", "").startswith(HASHED_TYPES) or not texts.get("content-type"),
    )


def _lines(names: list[str], values: dict[str, str]) -> Iterator[str]:
    return (f"{name}:{values[name].strip()}\n" for name in names)


def _text(value: str | bytes) -> str:  # requests allows bytes
    return as_signed(value.decode("latin-1") if isinstance(value, bytes) else value)
