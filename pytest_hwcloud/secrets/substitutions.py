"""Known texts and what stands in for them: found in every encoding, replaced in one pass over the text."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Callable, Iterator

from pytest_hwcloud.secrets.encodings import MASK, encodings_of, spellings

# A name is replaced where it stands alone; one that may be an ordinary word only as a whole value.
NAME = r"(?<![\w-]){}(?![\w-])"
SHORT_NAME = r"(?<=[\"'=/:>]){}(?=[\"'&</?]|$)"
SHORTEST = 4  # characters; anything shorter occurs everywhere by chance
_EVERY = 1000  # secrets that are looked for in every encoding; of further ones only as they are
_HEAD = 4  # characters of a spelling by which a place in a text is looked up
_SEARCH, _STEP, _LOOK = 45, 0.06, 95  # ns: a search, what it costs a character, and one look-up, measured


class Swaps:
    """Replaces what it knows. Learning and replacing are safe from any thread; what was learnt first wins.

    A spelling is found by its first four characters, so that the time for a text does not grow with what is known.
    tell: called with every new secret, such as the pass over reports, which must hide it too.
    """

    def __init__(self, tell: Callable[[str], object] | None = None) -> None:
        self._tell = tell
        self._lock = threading.Lock()
        self._table: dict[str, tuple[str, re.Pattern[str] | None]] = {}  # spelling -> replacement, frame
        self._heads: dict[str, tuple[int, ...]] = {}  # first characters -> lengths of the spellings, longest first
        self._short: tuple[str, ...] = ()  # spellings with fewer characters than that
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
            for spelling in spellings(secret) if len(self.secrets) <= _EVERY else {secret, json.dumps(secret)[1:-1]}:
                self._put(spelling, MASK)
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
            for encode in encodings_of(real + stand_in) if len(self._table) < 21 * _EVERY else (str,):
                self._put(encode(real), encode(stand_in), frame)

    def _put(self, spelling: str, replacement: str, frame: str = "{}") -> None:
        if spelling in self._table or not spelling:
            return
        framed = None if frame == "{}" else re.compile(frame.format(re.escape(spelling)))
        self._table[spelling] = replacement, framed
        if len(spelling) < _HEAD:
            self._short = tuple(sorted((*self._short, spelling), key=lambda one: -len(one)))
        else:
            known = self._heads.get(spelling[:_HEAD], ())
            if len(spelling) not in known:
                self._heads[spelling[:_HEAD]] = tuple(sorted((*known, len(spelling)), reverse=True))

    def __call__(self, text: str) -> str:
        """The text with everything known replaced."""
        if not self._table:
            return text
        parts, at = [], 0
        for start, spelling in self._found(text):
            parts += [text[at:start], self._table[spelling][0]]
            at = start + len(spelling)
        return "".join([*parts, text[at:]]) if parts else text

    def touches(self, text: str) -> bool:
        """Whether the text has anything that is known."""
        return next(self._found(text), None) is not None

    def _found(self, text: str) -> Iterator[tuple[int, str]]:
        """Where what is known stands, from left to right; the longest where several begin."""
        done = 0
        shorts = tuple(map(len, self._short))
        for start in self._places(text):
            if start < done:
                continue
            for length in (*self._heads.get(text[start : start + _HEAD], ()), *shorts):
                spelling = text[start : start + length]
                known = self._table.get(spelling)
                if known is not None and (known[1] is None or known[1].match(text, start)):
                    yield start, spelling
                    done = start + length
                    break

    def _places(self, text: str) -> Iterator[int] | list[int]:
        """Where something known can begin, in order."""
        heads, length = self._heads, len(text)
        if len(heads) * (_SEARCH + length * _STEP) < length * _LOOK:
            found = {at for head in list(heads) if head in text for at in _all(head, text)}
        else:
            found = {at for at in range(length - _HEAD + 1) if text[at : at + _HEAD] in heads}
        found.update(at for spelling in self._short if spelling in text for at in _all(spelling, text))
        return sorted(found)


def _all(what: str, text: str) -> Iterator[int]:
    at = text.find(what)
    while at >= 0:
        yield at
        at = text.find(what, at + 1)
