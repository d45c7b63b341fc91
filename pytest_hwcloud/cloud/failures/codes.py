"""The catalogue of Huawei Cloud's error codes. Nothing is read before the first code, then only that code's family."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

FACTS = Path(__file__).parents[1] / "facts" / "errors"
CODE_SHAPE = re.compile(r"[A-Za-z][\w-]{0,40}(?:\.[A-Za-z][\w-]{0,40})?\.\d{3,12}")  # Ecs.0110, SVCSTG.SWR.4039002

_AUTHENTICATION = (
    "authentication", "credential-missing", "credential-not-found", "credential-disabled", "credential-expired",
    "credential-locked", "signature", "clock-skew", "token-invalid", "token-expired",
)  # fmt: skip
_GATES = {
    **dict.fromkeys(_AUTHENTICATION, "authentication"),
    "scope-mismatch": "scope",
    "permission-denied": "authorization",
}
_TELLING = 15  # characters of a message that is looked for inside other words
_NETWORK = {"dns", "tls", "network", "timeout", "endpoint"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What is documented of one code; where a code has several cases, of the case that fits the message."""

    code: str  # as the server writes it
    family: str
    status: tuple[int, ...]
    messages: tuple[str, ...]
    layer: str  # gateway, authorization, service, client-network
    kind: str
    gate: str
    cause: str
    remedy: str
    source: str
    policy: bool = False  # a denial by IAM's policies or roles, which a grant would lift
    variant: int | None = None  # index of the case, None for the code as a whole

    @property
    def key(self) -> str:
        """The name of this entry's text in another language: the code, with the number of the case."""
        return self.code if self.variant is None else f"{self.code}#{self.variant}"


def gate_of(kind: str, layer: str = "service") -> str:
    """Which gate a refusal of this kind belongs to.

    The kind decides, not the HTTP status: permission kinds are the authorization gate, scope the scope gate, everything
    about who is calling the authentication gate, what never got an answer the network gate. The rest is the service:
    also the gateway's throttling and its unknown paths, because there the question is not who may do what.
    """
    if layer == "client-network" and kind in _NETWORK:
        return "network"
    return _GATES.get(kind, "service")


def entry(
    code: str, message: str | None = None, status: int | None = None, *, family: str | None = None
) -> Entry | None:
    """The catalogue's entry of a code, compared without case; None for a code that no table has.

    family: for codes that mean something only in one place, such as IAM's integer codes ("keystone").
    """
    name = code.strip().lower()
    for candidate in (family,) if family else families(name):
        row = rows(candidate).get(_alias(name))
        if row is not None:
            return _choose(candidate, row, message, status)
    return None


def families(code: str) -> tuple[str, ...]:
    """The families whose tables may hold this code."""
    prefixes: Mapping[str, list[str]] = _index()["prefixes"]
    head, dot, _ = code.lower().partition(".")
    if dot:
        return tuple(prefixes.get(head, ()))
    return tuple(prefixes["0000"] if head.isdecimal() else prefixes[""])


def service_of(code: str) -> str | None:
    """The service that a code's prefix names ("Ecs.0110" is "ecs"); None for shared and gateway codes."""
    head, dot, _ = code.lower().partition(".")
    services: Mapping[str, str | None] = _index()["services"]
    if not dot:
        return services.get(code.lower(), "obs" if entry(code) is not None and not head.isdecimal() else None)
    return services.get(head, head)


def is_gateway(code: str | None) -> bool:
    """Whether the API gateway itself answers with this code."""
    return code is not None and code.lower().startswith(("apigw.", "apig.0", "apic.0"))


def cases(entry: Entry) -> list[tuple[str, Entry]]:
    """The documented cases of a code: the text of each, and its own entry."""
    row = rows(entry.family)[entry.code.lower()]
    variants = row.get("variants") or []
    assert isinstance(variants, list)
    found: dict[str, Entry] = {}
    for number, variant in enumerate(variants):
        if variant.get("message"):
            found.setdefault(str(variant["message"]), _entry(entry.family, {**row, **variant}, number))
    return list(found.items())


def by_message(text: str) -> tuple[Entry, str] | None:
    """The entry whose documented message stands in a text, and the message as the text has it; the longest one."""
    sought = normal(text).lower()
    within: dict[str, tuple[str, str]] = {}  # code -> family and message that has the text in it
    best: tuple[int, str, str, str] | None = None  # length, family, code, message
    owners: dict[str, set[str]] = {}  # a short message -> the codes that have it
    for family in _index()["families"]:
        for row in rows(family).values():
            variants = row.get("variants") or []
            assert isinstance(variants, list)
            for variant in variants:
                pattern = variant.get("pattern")
                if pattern and (hit := re.search(str(pattern), normal(text))) and len(hit[0]) >= _TELLING:
                    within.setdefault(str(row["code"]), (family, str(variant["message"])))
            for message in (*row["messages"], *(one["message"] for one in variants if one.get("message"))):  # type: ignore[misc]
                plain = normal(str(message)).lower()
                if len(sought) >= _TELLING and sought in plain:
                    within.setdefault(str(row["code"]), (family, str(message)))
                if plain == sought:
                    owners.setdefault(plain, set()).add(str(row["code"]))
                long_enough = len(plain) >= 2 * _TELLING if plain != sought else len(plain) > 3
                if long_enough and plain in sought and (best is None or len(plain) > best[0]):
                    best = len(plain), family, str(row["code"]), str(message)
    whole = owners.get(sought, set())
    if whole and (len(whole) > 1 or len(sought) < _TELLING):
        gateway = sorted(code for code in whole if code.startswith("APIGW."))
        found = entry(gateway[0], text) if gateway else None
        return (found, normal(text)) if found else None
    if best is None:
        return _only(within, text)
    at = sought.find(normal(best[3]).lower())
    written = normal(text)[at : at + best[0]]
    found = entry(best[2], written, family=best[1])
    return (found, written) if found else None


def is_message(text: str) -> bool:
    """Whether a text is, word for word, the documented message of some code."""
    sought = normal(text).lower()
    messages = (
        str(message)
        for family in _index()["families"]
        for row in rows(family).values()
        for message in (*row["messages"], *(one.get("message") or "" for one in row.get("variants") or ()))  # type: ignore[misc, attr-defined]
    )
    return bool(sought) and any(normal(message).lower() == sought for message in messages)


def _only(within: Mapping[str, tuple[str, str]], text: str) -> tuple[Entry, str] | None:
    """Of several codes with the same words the gateway's of today, else none."""
    code = next(iter(within)) if len(within) == 1 else next((one for one in within if one.startswith("APIGW.")), "")
    if not code:
        return None
    family, message = within[code]
    found = entry(code, message, family=family)
    return (found, normal(text)) if found else None


def all_codes() -> tuple[str, ...]:
    """Every code of the catalogue, with its family before a slash: "ecs/Ecs.0110"."""
    return tuple(f"{name}/{row['code']}" for name in _index()["families"] for row in rows(name).values())


@cache
def rows(family: str) -> Mapping[str, Mapping[str, object]]:
    """The table of one family, by code in lower case."""
    table: Mapping[str, Mapping[str, object]] = json.loads((FACTS / f"{family}.json").read_bytes())
    return table


@cache
def _index() -> dict:  # type: ignore[type-arg]
    loaded: dict[str, object] = json.loads((FACTS / "index.json").read_bytes())
    return loaded


def _alias(code: str) -> str:
    head, dot, rest = code.partition(".")
    return f"{_index()['aliases'].get(head, head)}{dot}{rest}"


def _choose(family: str, row: Mapping[str, object], message: str | None, status: int | None) -> Entry:
    variants = row.get("variants") or []
    assert isinstance(variants, list)
    chosen = _variant(variants, message, status)
    merged = {**row, **variants[chosen]} if chosen is not None else row
    return _entry(family, merged, chosen)


def _variant(variants: list[Mapping[str, object]], message: str | None, status: int | None) -> int | None:
    """The case that fits: by pattern, by the same text, or by the HTTP status if only one case has it."""
    text = normal(message or "")
    for number, variant in enumerate(variants):
        pattern = variant.get("pattern")
        same = text.lower() == normal(str(variant["message"])).lower()
        if text and (re.search(str(pattern), text, re.IGNORECASE) if pattern else same):
            return number
    fitting = [number for number, variant in enumerate(variants) if status and variant["status"] == [status]]
    return fitting[0] if len(fitting) == 1 and "pattern" not in variants[fitting[0]] else None


def _entry(family: str, row: Mapping[str, object], variant: int | None) -> Entry:
    kind, layer = str(row["kind"]), str(row["layer"])
    return Entry(
        code=str(row["code"]),
        family=family,
        status=tuple(row["status"]),  # type: ignore[arg-type]
        messages=tuple(row["messages"]),  # type: ignore[arg-type]
        layer=layer,
        kind=kind,
        gate=str(row.get("gate") or gate_of(kind, layer)),
        cause=str(row["cause"]),
        remedy=str(row["remedy"]),
        source=str(row["source"]),
        policy=bool(row.get("policy")),
        variant=variant,
    )


def normal(message: str) -> str:
    """A message without what differs from client to client: line breaks, doubled blanks, the closing full stop."""
    return " ".join(message[:4000].split()).rstrip(". ")
