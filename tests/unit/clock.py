"""A clock that stands still until a test moves it."""

from __future__ import annotations

from datetime import UTC, datetime

NOW = datetime(2021, 9, 2, 1, 17, tzinfo=UTC)  # the moment of the guide's own signature


class Clock:
    """`clock.now` is what it says."""

    def __init__(self, now: datetime = NOW) -> None:
        self.now = now

    def __call__(self) -> datetime:
        return self.now
