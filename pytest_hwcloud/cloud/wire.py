"""A request and its answer, as every room of the house sees them, whatever client library made the call."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request as it goes out.

    method: upper case. url: absolute, encoded as sent. headers: names in lower case. body: the bytes, b"" for none.
    """

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer.

    headers: names as the server wrote them; the values of a name that came several times are joined by commas, and
    stand one by one in repeated. body: without its codings; coding: the Content-Encoding in which it goes to a client
    that accepts it, with " always" behind it to every client; packed: the body in this coding as it came, where that
    is known. framing: how the end of the body is marked, "chunked", "close", or "" by Content-Length. A body that
    cannot be opened here keeps its bytes and its Content-Encoding.
    missing: how many bytes were still to come when the connection was closed (of a body in chunks: 1). protocol:
    `HTTP/1.0` or `HTTP/2`, "" for HTTP/1.1.
    """

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reason: str = ""
    coding: str = ""
    framing: str = ""
    packed: bytes = field(default=b"", repr=False)
    repeated: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    missing: int = 0
    protocol: str = ""

    def header(self, name: str) -> str | None:
        """The value of a header, compared without case."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)

    def fields(self) -> list[tuple[str, str]]:
        """The headers one by one, a name as often as it came."""
        if not self.repeated:
            return list(self.headers.items())
        return [(name, one) for name, value in self.headers.items() for one in self.repeated.get(name, (value,))]

    def json(self) -> object:
        """The body as JSON; ValueError if it is none."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Refusal(Answer):
    """An answer by which a gate refuses, with what the gate knows of it: it need not be read from the body.

    gate, kind: as in `Failure`. actions: those that the message names. encoded: its authorization message.
    """

    gate: str = ""
    kind: str = ""
    code: str = ""
    message: str = ""
    request_id: str = ""
    actions: tuple[str, ...] = ()
    encoded: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)


def grouped(fields: Iterable[tuple[str, str]]) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    """Headers and repeated as an `Answer` has them; a name in the spelling and at the place where it came first."""
    names: dict[str, str] = {}
    found: dict[str, list[str]] = {}
    for name, value in fields:
        found.setdefault(names.setdefault(name.lower(), name), []).append(value)
    headers = {name: ", ".join(values) for name, values in found.items()}
    return headers, {name: tuple(values) for name, values in found.items() if len(values) > 1}


def json_answer(status: int, body: object, headers: Mapping[str, str] | None = None, reason: str = "") -> Answer:
    """An answer with a JSON body, as services write it."""
    merged = {"Content-Type": "application/json", **(headers or {})}
    return Answer(status, merged, json.dumps(body, ensure_ascii=False).encode(), reason)


def child(tree: object, *keys: str) -> object:
    """What lies under these keys, one below the other; None where the way ends."""
    for key in keys:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def text(tree: object, *keys: str) -> str:
    """The text under these keys; empty where there is none."""
    found = child(tree, *keys)
    return found if isinstance(found, str) else ""
