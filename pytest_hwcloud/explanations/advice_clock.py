"""The two clocks of a refusal for clock skew."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from pytest_hwcloud.explanations.wording import Texts

_TIMES = re.compile(r"signature time: ?(\d{8}T\d{6}Z), ?server time: ?(\d{8}T\d{6}Z)")
_FORMS = ("%Y%m%dT%H%M%SZ", "%Y-%m-%dT%H:%M:%SZ", "%Y-%m-%dT%H:%M:%S.%fZ", "%a, %d %b %Y %H:%M:%S GMT")


def times(message: str, details: Mapping[str, str]) -> tuple[datetime, datetime] | None:
    """When the request was signed and what the server's clock said, from a gateway's text or OBS's XML."""
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


def shown(when: datetime) -> str:
    """A time as both sides can read it."""
    return when.strftime("%Y-%m-%d %H:%M:%S UTC")


def apart(one: datetime, other: datetime, words: Texts) -> str:
    """The distance of two times in minutes and seconds, or in hours where that is more readable."""
    minutes, seconds = divmod(round(abs((other - one).total_seconds())), 60)
    if minutes >= 120:
        return words.say("apart-hours", hours=minutes // 60, minutes=minutes % 60)
    return words.say("apart", minutes=minutes, seconds=seconds)
