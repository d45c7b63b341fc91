"""A request and its answer, as every room of the house sees them, whatever client library made the call."""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    """One HTTP answer. headers: names as the server wrote them. body: decoded (never gzip) bytes."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    reason: str = ""

    def header(self, name: str) -> str | None:
        """The value of a header, compared without case."""
        wanted = name.lower()
        return next((value for key, value in self.headers.items() if key.lower() == wanted), None)

    def json(self) -> object:
        """The body as JSON; ValueError if it is none."""
        return json.loads(self.body)


@dataclass(frozen=True, slots=True)
class Refusal(Answer):
    """An answer by which a gate refuses, with what the gate knows of it: nobody has to read it out of the body.

    gate, kind: as in `Failure`. actions: those that the message names. encoded: its authorization message.
    """

    gate: str = ""
    kind: str = ""
    code: str = ""
    message: str = ""
    request_id: str = ""
    actions: tuple[str, ...] = ()
    encoded: str | None = None


def json_answer(status: int, body: object, headers: Mapping[str, str] | None = None, reason: str = "") -> Answer:
    """An answer with a JSON body, as services write it."""
    merged = {"Content-Type": "application/json", **(headers or {})}
    return Answer(status, merged, json.dumps(body, ensure_ascii=False).encode(), reason)
