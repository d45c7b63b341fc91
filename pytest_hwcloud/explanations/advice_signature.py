"""A wrong signature: the gateway's canonical request beside ours; and the two clocks of a refusal for clock skew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from pytest_hwcloud.explanations.wording import Texts

EMPTY_OBJECT = "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"  # sha256 of {}
EMPTY_BODY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
_MARK = "canonicalRequest:"
_WIDTH = 44
_SECRET = ("x-security-token:", "x-auth-token:")


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """The result: "unknown" (ours is not known), "same", "line" (that differs first), "braces" or "body"."""

    what: str
    line: int = 0
    theirs: str = ""
    ours: str = ""


def canonical_in(message: str) -> list[str]:
    """The lines of the gateway's canonical request in its message; it writes each line break as a bar."""
    _, mark, rest = message.partition(_MARK)
    return [_masked(line.strip()) for line in rest.strip().split("|")] if mark and rest.strip() else []


def verdict(theirs: list[str], ours: str | None) -> Verdict:
    """Why the signatures differ, as far as the two texts show."""
    if ours is None:
        unsigned_body = theirs[-1] == EMPTY_OBJECT
        no_body = theirs[-1] == EMPTY_BODY and theirs[0] in ("POST", "PUT", "PATCH")
        return Verdict(what="braces" if unsigned_body else "body" if no_body else "unknown")
    mine = _lines(ours)
    for number in range(max(len(theirs), len(mine))):
        left, right = _at(theirs, number), _at(mine, number)
        if left != right:
            last = number == len(theirs) - 1
            what = "braces" if last and EMPTY_OBJECT in (left, right) else "line"
            return Verdict(what=what, line=number + 1, theirs=left or "–", ours=right or "–")
    return Verdict(what="same")


def side_by_side(theirs: list[str], ours: str | None, words: Texts) -> tuple[str, ...]:
    """Both canonical requests, line by line; the lines that differ are marked. Nothing if ours is not known."""
    if ours is None:
        return ()
    mine = _lines(ours)
    width = min(_WIDTH, max(map(len, [*theirs, words.say("gateway")])))
    rows = [f"    {words.say('gateway').ljust(width)}  {words.say('ours')}"]
    for number in range(max(len(theirs), len(mine))):
        left, right = _at(theirs, number), _at(mine, number)
        mark = " " if left == right else "≠"
        rows.append(f"{number + 1:>2} {mark}{_cut(left).ljust(width)}  {_cut(right)}".rstrip())
    return tuple(rows)


def _lines(canonical: str) -> list[str]:
    return [_masked(line.strip()) for line in canonical.split("\n")]


def _masked(line: str) -> str:
    return next((f"{name}***" for name in _SECRET if line.lower().startswith(name)), line)


def _at(lines: list[str], number: int) -> str:
    return lines[number] if number < len(lines) else ""


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else line[: _WIDTH - 1] + "…"


# Clocks ---------------------------------------------------------------------------------------------------------

_TIMES = re.compile(r"signature time: ?(\d{8}T\d{6}Z), ?server time: ?(\d{8}T\d{6}Z)")
_FORMS = ("%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%a, %d %b %Y %H:%M:%S GMT")


def times(message: str, details: Mapping[str, str]) -> tuple[datetime, datetime] | None:
    """When the request was signed and the time of the server's clock, from a gateway's text or OBS's XML."""
    found = _TIMES.search(message)
    texts = found.groups() if found else (details.get("request_time", ""), details.get("server_time", ""))
    signed, server = (_parse(text) for text in texts)
    return (signed, server) if signed and server else None


def _parse(text: str) -> datetime | None:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC)
        except ValueError:
            continue
    return None


def shown_time(when: datetime) -> str:
    """A time as both sides can read it."""
    return when.strftime("%Y-%m-%d %H:%M:%S UTC")


def apart(one: datetime, other: datetime, words: Texts) -> str:
    """The distance of two times in minutes and seconds, or in hours where that is more readable."""
    minutes, seconds = divmod(round(abs((other - one).total_seconds())), 60)
    if minutes >= 120:
        return words.say("apart-hours", hours=minutes // 60, minutes=minutes % 60)
    return words.say("apart", minutes=minutes, seconds=seconds)
