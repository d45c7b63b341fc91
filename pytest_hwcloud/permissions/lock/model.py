"""The data of a lock: identities and what they hold, permissions and the tests that need them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from pytest_hwcloud.permissions.lock.entry import DEFAULT, NEEDED, Entries, row, rows

UPDATE = "pytest --hwcloud-lock=update"


class LockError(ValueError):
    """The lock cannot be used; the text is `file:line: key: what is wrong`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one identity holds. policies: file (relative to the lock) -> version. grants: see `grants`."""

    policies: Mapping[str, str] = field(default_factory=dict)
    grants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One needed action. calls: the calls that need it. tests: node id -> who needs it and how (`lock_entry`)."""

    calls: frozenset[str] = frozenset()
    tests: Mapping[str, Entries] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Lock:
    """The whole lock. catalogue: the version of the project's own catalogue of actions, "" without one. unmapped: call
    that no table knows -> its tests. unjudged: call that no policy judged -> its tests (HWP019). file: where it was
    read.
    """

    identities: Mapping[str, Held] = field(default_factory=dict)
    permissions: Mapping[str, Permission] = field(default_factory=dict)
    unmapped: Mapping[str, frozenset[str]] = field(default_factory=dict)
    unjudged: Mapping[str, frozenset[str]] = field(default_factory=dict)
    catalogue: str = ""
    file: str = field(default="", compare=False)

    def needs_of(self, nodeid: str) -> dict[str, Entries]:
        """action -> entries of one test; a row listed by itself is not among all rows together (`[*]`)."""
        for name in (nodeid, *([rows(nodeid)] if row(nodeid) else [])):
            found = {action: need.tests[name] for action, need in self.permissions.items() if name in need.tests}
            if found:
                return found
        return {}

    def needed_by(self, identity: str = DEFAULT) -> dict[str, list[str]]:
        """action -> tests, of what this identity must be allowed."""
        found: dict[str, list[str]] = {}
        for action, need in self.permissions.items():
            tests = [
                t for t, es in need.tests.items() if any(e.identity == identity and e.status in NEEDED for e in es)
            ]
            if tests:
                found[action] = tests
        return found
