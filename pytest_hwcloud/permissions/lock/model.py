"""The data of a lock: identities and what they hold, permissions and the tests that need them.

One test's need of one permission is written `proved`, or `used as auditor (fixture servers)`. used: needed and allowed,
or not judged. proved, swallowed, inconclusive: the proof's result for it. missing: needed, and the policy does
not allow it. undecided: the policy cannot be asked (a condition, an unknown resource). granted: allowed by the test's
own `hwcloud.grant` only. refused: the test wants it refused. The last two need no policy. `as NAME` names another
identity than `default`, `(fixture NAME)` the wider fixture whose call it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from pytest_hwcloud import texts

UPDATE = "pytest --hwcloud-lock=update"
PROOFS = ("proved", "swallowed", "inconclusive")
ALLOWED = ("used", *PROOFS)
NEEDED = ("missing", "undecided", *ALLOWED)
STATUSES = (*NEEDED, "granted", "refused")  # of several uses by one test the first counts
DEFAULT = "default"
_WORDS = "|".join(STATUSES)
_ENTRY = re.compile(rf"({_WORDS})(?: as (.+?))?(?: \(fixture (.+)\))?")
_BETWEEN = re.compile(rf", (?=(?:{_WORDS})(?: |,|$))")


@dataclass(frozen=True, slots=True, kw_only=True, order=True)
class Entry:
    """What one test needs as one identity. fixture: names of the wider fixtures that make the call, or ""."""

    identity: str = DEFAULT
    status: str = "used"
    fixture: str = ""

    def __str__(self) -> str:
        shown = f" as {self.identity}" if self.identity != DEFAULT else ""
        return f"{self.status}{shown}{f' (fixture {self.fixture})' if self.fixture else ''}"


Entries = tuple[Entry, ...]


def shown(entries: Iterable[Entry]) -> str:
    """The entries of a test in one line."""
    return ", ".join(str(entry) for entry in sorted(entries))


def parse_entries(text: str) -> Entries:
    """The entries in such a line; the ValueError names what is legal."""
    found = [_ENTRY.fullmatch(part) for part in _BETWEEN.split(text)]
    if not all(found):
        raise ValueError(texts.say("lock.bad-entry", text=repr(text), known=", ".join(STATUSES)))
    entries = (Entry(status=m[1], identity=m[2] or DEFAULT, fixture=m[3] or "") for m in found if m)
    return tuple(sorted(entries))


def call_of(identity: str, label: str) -> str:
    """A call as the lock lists it: another identity than `default` is named."""
    return label if identity == DEFAULT else f"{label} as {identity}"


def split_call(text: str) -> tuple[str, str]:
    """Identity and label of a listed call."""
    label, _, identity = text.partition(" as ")
    return identity or DEFAULT, label


def base(nodeid: str) -> str:
    """The node id of a test without the row of its parametrisation."""
    return nodeid[: nodeid.index("[", _function(nodeid))] if row(nodeid) else nodeid


def row(nodeid: str) -> bool:
    """Whether this is one row of a parametrised test, or all of them (`[*]`)."""
    return nodeid.endswith("]") and "[" in nodeid[_function(nodeid) :]


def rows(nodeid: str) -> str:
    """The name for all rows of a test together."""
    return f"{base(nodeid)}[*]"


def _function(nodeid: str) -> int:
    """Where the name of the function begins; a `[` before it belongs to a folder."""
    head = nodeid.partition("[")[0]
    return max(head.rfind("::"), nodeid.find(".py::"), 0)


class LockError(ValueError):
    """The lock cannot be used; the text is `file:line: key: what is wrong`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What one identity holds. policies: file (relative to the lock) -> version. grants: see `grants`."""

    policies: Mapping[str, str] = field(default_factory=dict)
    grants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Permission:
    """One needed action. calls: the calls that need it. tests: node id -> who needs it and how (`Entry`)."""

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
