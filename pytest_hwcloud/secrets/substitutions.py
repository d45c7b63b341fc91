"""Known texts and what stands in for them: found in every encoding, replaced in one pass."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable

from pytest_hwcloud.secrets.encodings import ENCODINGS, MASK, spellings

# A name is replaced where it stands alone; one that may be an ordinary word only as a whole value.
NAME = r"(?<![\w-]){}(?![\w-])"
SHORT_NAME = r"(?<=[\"'=/:>]){}(?=[\"'&</?]|$)"
SHORTEST = 4  # characters; anything shorter occurs everywhere by chance


class Swaps:
    """Replaces what it knows. Learning and replacing are safe from any thread; what was learnt first wins.

    tell: called with every new secret, such as the pass over reports, which must hide it too.
    """

    def __init__(self, tell: Callable[[str], object] | None = None) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._table: dict[str, str] = {}
        self._patterns: dict[str, str] = {}
        self._spellings: tuple[str, ...] = ()
        self._compiled: dict[tuple[str, ...], re.Pattern[str]] = {}
        self.secrets: set[str] = set()

    @property
    def version(self) -> int:
        """Grows with every text learnt."""
        return len(self._table)

    def hide(self, secret: str) -> None:
        """Replace this secret by the mask from now on, however it is spelled."""
        if len(secret) < SHORTEST or secret == MASK or secret in self.secrets:
            return
        with self._lock:
            self.secrets.add(secret)
            for spelling in spellings(secret):
                self._put(spelling, MASK, re.escape(spelling))
            self._sort()
        if self._tell is not None:
            self._tell(secret)

    def knows(self, text: str) -> bool:
        """Whether exactly this text is replaced already."""
        return text in self._table

    def exchange(self, real: str, stand_in: str, frame: str = "{}") -> None:
        """Replace `real` by `stand_in`, spelled the same way; frame: the pattern around it (NAME, SHORT_NAME)."""
        if real == stand_in or not real or real in self._table:
            return
        with self._lock:
            for encode in ENCODINGS:
                self._put(encode(real), encode(stand_in), frame.format(re.escape(encode(real))))
            self._sort()

    def _put(self, spelling: str, replacement: str, pattern: str) -> None:
        if spelling not in self._table:
            self._table[spelling] = replacement
            self._patterns[spelling] = pattern

    def _sort(self) -> None:
        """Longest first, so that no half of a longer one is taken. A new tuple: others may be reading the old one."""
        self._spellings = tuple(sorted(self._patterns, key=lambda one: -len(one)))

    def __call__(self, text: str) -> str:
        """The text with everything known replaced."""
        there = self._there(text)
        return self._pattern(there).sub(lambda match: self._table[match[0]], text) if there else text

    def touches(self, text: str) -> bool:
        """Whether the text has anything that is known."""
        there = self._there(text)
        return bool(there) and self._pattern(there).search(text) is not None

    def _there(self, text: str) -> tuple[str, ...]:
        """The spellings that occur at all: a plain search each costs a fraction of one pattern of all of them."""
        return tuple([spelling for spelling in self._spellings if spelling in text])

    def _pattern(self, there: tuple[str, ...]) -> re.Pattern[str]:
        found = self._compiled.get(there)
        if found is None:
            found = self._compiled[there] = re.compile("|".join(self._patterns[spelling] for spelling in there))
        return found
