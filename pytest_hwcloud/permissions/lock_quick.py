"""Reading a lock that is just as the plugin wrote it, without YAML, which takes ten times as long.

It reads without much care, and then looks whether the result, written again, has the same bytes: a text that does is
read right, any other is left to the careful reader.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

from pytest_hwcloud.permissions.lock.entry import Entries, parse
from pytest_hwcloud.permissions.lock.lockfile import Held, Lock, Permission
from pytest_hwcloud.permissions.lock.writer import text

_SCALAR = r'"(?:[^"\\]|\\.)*"|[^",{}\[\]]+'
_CALLS = re.compile(rf"({_SCALAR})(?:, |\]$)")
_POLICIES = re.compile(rf'({_SCALAR}): "([0-9.]+)"')
_DASHES = ("      - ", "    - ")


def parse_written(content: str) -> Lock | None:
    """The lock in a text of our own making; None for any other."""
    try:
        lock = _Sloppy().read(content)
    except (ValueError, LookupError):
        return None
    return lock if text(lock) == content else None


class _Sloppy:
    """What the lines so far have said."""

    def __init__(self) -> None:
        self.held: dict[str, tuple[dict[str, str], list[str]]] = {}
        self.needs: dict[str, tuple[frozenset[str], dict[str, Entries]]] = {}
        self.unmapped: dict[str, list[str]] = {}
        self.section = self.row = ""

    def read(self, content: str) -> Lock:
        for line in content.split("\n")[2:]:
            if line.startswith("      ") and self.section == "permissions":
                test, _, entries = line[6:].rpartition(": ")  # the most frequent line
                self.needs[self.row][1][_word(test)] = _entries(_word(entries))
            else:
                self._line(line)
        return Lock(
            identities={name: Held(policies=held[0], grants=tuple(held[1])) for name, held in self.held.items()},
            permissions={name: Permission(calls=need[0], tests=need[1]) for name, need in self.needs.items()},
            unmapped={call: frozenset(tests) for call, tests in self.unmapped.items()},
        )

    def _line(self, line: str) -> None:
        if line[:1].isalpha():
            self.section = line.partition(":")[0]
        elif line.startswith(_DASHES):
            rows = self.unmapped[self.row] if self.section == "unmapped" else self.held[self.row][1]
            rows.append(_word(line.partition("- ")[2]))
        elif line.startswith("    policies: "):
            self.held[self.row] = ({_word(name): version for name, version in _POLICIES.findall(line[14:])}, [])
        elif line.startswith("    calls: "):
            self.needs[self.row] = (frozenset(map(_word, _CALLS.findall(line[12:]))), {})
        elif line.startswith("  ") and not line.startswith("   "):
            self.row = _word(line[2:-1])
            if self.section == "unmapped":
                self.unmapped[self.row] = []


@lru_cache(maxsize=1024)
def _entries(value: str) -> Entries:
    return parse(value)


def _word(written: str) -> str:
    return str(json.loads(written)) if written.startswith('"') else written
