"""Known texts and what stands in for them: found in every encoding, replaced in one pass."""

from __future__ import annotations

import re
import threading

from pytest_hwcloud.cloud.masking import ENCODINGS, MASK, spellings

# A name is replaced where it stands alone; one that may be an ordinary word only as a whole value.
NAME = r"(?<![\w-]){}(?![\w-])"
SHORT_NAME = r"(?<=[\"'=/:>]){}(?=[\"'&</?]|$)"
SHORTEST = 4  # characters; anything shorter occurs everywhere by chance


class Swaps:
    """Replaces what it knows. Learning and replacing are safe from any thread; what was learnt first wins."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._table: dict[str, str] = {}
        self._patterns: dict[str, str] = {}
        self._compiled: re.Pattern[str] | None = None
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

    def _put(self, spelling: str, replacement: str, pattern: str) -> None:
        if spelling not in self._table:
            self._table[spelling] = replacement
            self._patterns[spelling] = pattern
            self._compiled = None

    def __call__(self, text: str) -> str:
        """The text with everything known replaced."""
        if not self._table or not text:
            return text
        return self._pattern().sub(lambda match: self._table[match[0]], text)

    def touches(self, text: str) -> bool:
        """Whether the text has anything that is known."""
        return bool(self._table) and self._pattern().search(text) is not None

    def _pattern(self) -> re.Pattern[str]:
        with self._lock:
            if self._compiled is None:  # longest first, so that no half of a longer one is taken
                longest = sorted(self._patterns, key=lambda spelling: -len(spelling))
                self._compiled = re.compile("|".join(self._patterns[spelling] for spelling in longest))
            return self._compiled
