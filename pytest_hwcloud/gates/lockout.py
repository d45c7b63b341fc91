"""The gateway's lock-out: more than five failures of one access key in a row, and it is refused for five minutes.

Source: devg-apisign/api-sign-0001 (auth.md 1.5). The failure that tips it still gets its own answer; whether a success
ends the row is not documented, "consecutive" says so.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import datetime, timedelta

FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=5)


class Lockout:
    """The failures of each access key; safe from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._until: dict[str, datetime] = {}

    def fail(self, ak: str, now: datetime) -> None:
        """Count one more failure in a row; the sixth locks the key."""
        with self._lock:
            self._failures[ak] = count = self._failures.get(ak, 0) + 1
            if count > FAILURES_ALLOWED:
                self._until[ak] = now + LOCKED_FOR

    def succeed(self, ak: str) -> None:
        """End the row of failures."""
        if self._failures:
            with self._lock:
                self._failures.pop(ak, None)

    def locked(self, ak: str, clock: Callable[[], datetime]) -> bool:
        """Whether the key is locked now; a lock that is over is forgotten, with the failures before it."""
        until = self._until.get(ak)
        if until is None:
            return False
        if clock() < until:
            return True
        with self._lock:
            self._until.pop(ak, None)
            self._failures.pop(ak, None)
        return False

    def clear(self) -> None:
        """Forget all failures and locks."""
        with self._lock:
            self._failures.clear()
            self._until.clear()
