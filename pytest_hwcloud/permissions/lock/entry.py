"""One test's need of one permission, as the lock writes it: `proved`, `used as auditor (fixture servers)`.

used: needed and allowed, or not judged. proved, swallowed, inconclusive: what the proof said of such a need. missing:
needed, and the policy does not allow it. undecided: the policy cannot be asked (a condition, an unknown resource).
granted: allowed by the test's own `hwcloud.grant` only. refused: the test wants it refused. The last two need no
policy. `as NAME` names another identity than `default`, `(fixture NAME)` the wider fixture whose call it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

from pytest_hwcloud import texts

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


def parse(text: str) -> Entries:
    """The entries in such a line; ValueError says what is legal."""
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
