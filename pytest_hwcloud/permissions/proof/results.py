"""The results of the proof, in the summary; and on a terminal a line now and then while a long run goes on."""

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
        return [texts.say("proof.wrong-mode", mode=mode)]
    known = list(records)
    permissions, scopes = _found(known, scope=False), _found(known, scope=True)
    told = [texts.say("proof.line", counts=_counts(permissions))]
    if any(scopes.values()):
        told.append(texts.say("proof.line-scope", counts=_counts(scopes)))
    return told + _reasons(known)


def _found(records: Iterable[TestRecord], *, scope: bool) -> Found:
    found: dict[str, list[str]] = {word: [] for word in _WORDS}
    for record in records:
        for key, word in record.proof.items():
            if key.startswith(SCOPE) == scope and word in found:
                found[word].append(record.nodeid)
    return found


def _counts(found: Found) -> str:
    parts = [texts.say(f"proof.{PROVED}", n=len(found[PROVED]))]
    for word in (SWALLOWED, INCONCLUSIVE):
        if found[word]:
            parts.append(texts.say(f"proof.{word}-of", n=len(found[word]), tests=_named(found[word])))
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
        said = texts.in_language(reason, texts.language())
        shown.append(texts.say("proof.reason", what=what, tests=_named([test for _, test in rows]), reason=said))
    more = [texts.say("permissions.more", n=len(shown) - _MOST)] if len(shown) > _MOST else []
    return [texts.say("proof.because"), *(f"    {line}" for line in (*shown[:_MOST], *more))] if shown else []


def _named(tests: Iterable[str]) -> str:
    return str(texts.in_language(named(dict.fromkeys(tests), _NAMES), texts.language()))


class Terminal(Protocol):
    """pytest's terminal reporter, as far as it is needed."""

    isatty: bool

    def write_line(self, line: str) -> None: ...


class Progress:
    """Shows how far the proof has come: on a terminal only, and not before five seconds are over."""

    def __init__(self, terminal: Terminal | None, clock: Callable[[], float] = time.monotonic) -> None:
        self._terminal = terminal if terminal is not None and terminal.isatty else None
        self._clock, self._told = clock, clock()
        self._tests = 0
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
        counts = [texts.say(f"proof.{word}", n=n) for word, n in self._counts.items() if n or word == PROVED]
        return " · ".join([texts.say("proof.so-far", n=self._tests), *counts])
