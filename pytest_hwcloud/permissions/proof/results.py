"""What the proof said, in the summary; and on a terminal a line now and then while a long run goes on."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Protocol

from pytest_hwcloud import texts
from pytest_hwcloud.permissions.display import named
from pytest_hwcloud.permissions.proof.verdict import INCONCLUSIVE, PROVED, SWALLOWED

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.record import TestRecord

SCOPE = "scope:"
_WORDS = (PROVED, SWALLOWED, INCONCLUSIVE)
_EVERY = 5.0  # seconds between two lines of progress
_MOST = 10  # reasons that are shown
_NAMES = 5  # tests that are named for one of them
Found = Mapping[str, list[str]]  # verdict -> tests, one for each key


def lines(records: Iterable[TestRecord], mode: str = "replay") -> list[str]:
    """`hwcloud proof: 37 proved · 2 swallowed (…) · 1 inconclusive (…)`, the same of scopes, then the reasons."""
    if mode != "replay":
        return [f"hwcloud proof: nothing was proved: permissions are denied in replay only, this run is in {mode} mode"]
    known = list(records)
    permissions, scopes = _found(known, scope=False), _found(known, scope=True)
    told = [f"hwcloud proof: {_counts(permissions)}"]
    if any(scopes.values()):
        told.append(f"hwcloud proof of scope: {_counts(scopes)}")
    return told + _reasons(known)


def _found(records: Iterable[TestRecord], *, scope: bool) -> Found:
    found: dict[str, list[str]] = {word: [] for word in _WORDS}
    for record in records:
        for key, word in record.proof.items():
            if key.startswith(SCOPE) == scope and word in found:
                found[word].append(record.nodeid)
    return found


def _counts(found: Found) -> str:
    parts = [f"{len(found[PROVED])} proved"]
    for word in (SWALLOWED, INCONCLUSIVE):
        if found[word]:
            parts.append(f"{len(found[word])} {word} ({named(dict.fromkeys(found[word]), _NAMES)})")
    return " · ".join(parts)


def _reasons(records: Iterable[TestRecord]) -> list[str]:
    """The causes, each once: the action, or how many permissions it is about, and the tests."""
    found: dict[str, list[tuple[str, str]]] = {}  # reason -> (action, test)
    for record in records:
        for key, reason in record.doubts.items():
            found.setdefault(reason, []).append((key, record.nodeid))
    shown = []
    for reason, rows in sorted(found.items(), key=lambda pair: -len(pair[1])):
        keys = list(dict.fromkeys(key for key, _ in rows))
        what = keys[0] if len(keys) == 1 else texts.say("permissions.proof.several", n=len(rows))
        shown.append(f"  {what}  {named(dict.fromkeys(test for _, test in rows), _NAMES)}: {reason}")
    more = [f"  and {len(shown) - _MOST} more"] if len(shown) > _MOST else []
    return ["  inconclusive, because", *(f"  {line}" for line in (*shown[:_MOST], *more))] if shown else []


class Terminal(Protocol):
    """pytest's terminal reporter, as far as it is needed."""

    isatty: bool

    def write_line(self, line: str) -> None: ...


class Progress:
    """Tells how far the proof has come: on a terminal only, and not before five seconds are over."""

    def __init__(
        self, terminal: Terminal | None, clock: Callable[[], float] = time.monotonic, lang: str = "en"
    ) -> None:
        self._terminal = terminal if terminal is not None and terminal.isatty else None
        self._clock, self._told = clock, clock()
        self._tests, self._lang = 0, lang
        self._counts = dict.fromkeys(_WORDS, 0)

    def add(self, proof: Mapping[str, str]) -> None:
        """A test was proved."""
        self._tests += 1
        for word in proof.values():
            self._counts[word] = self._counts.get(word, 0) + 1
        if self._terminal is not None and self._clock() - self._told >= _EVERY:
            self._told = self._clock()
            self._terminal.write_line(self.line())

    def line(self) -> str:
        """`hwcloud proof: 120 tests so far · 130 proved · 1 swallowed`."""
        counts = [f"{count} {word}" for word, count in self._counts.items() if count or word == PROVED]
        told = " · ".join([f"hwcloud proof: {self._tests} test{'s' * (self._tests != 1)} so far", *counts])
        if self._lang == "en":
            return told
        from pytest_hwcloud.permissions import translation

        return translation.line(told)
