"""The two sides of a lock check, and what all its findings have in common."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.policies.decision import headline
from pytest_hwcloud.permissions import display
from pytest_hwcloud.permissions.finding import labelled, placed
from pytest_hwcloud.permissions.lock.cause import pattern_of
from pytest_hwcloud.permissions.lock.model import UPDATE, Held, Lock, Permission, split_call
from pytest_hwcloud.permissions.policies import grant_lines, spellings
from pytest_hwcloud.permissions.policies.edit import Edit, shown_file
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.decision import Decision
    from pytest_hwcloud.cloud.policies.documents import Document
    from pytest_hwcloud.cloud.policies.policy import Policy
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.permissions.ledger import Ledger
    from pytest_hwcloud.permissions.record import Use


@dataclass(kw_only=True)
class Comparison:
    """A lock and a run. base: the folder of the lock, from which files are shown."""

    old: Lock
    new: Lock
    ledger: Ledger
    state: CloudState
    base: Path
    accept: str = UPDATE  # the command that takes this run into the lock

    def changed(self, identity: str) -> bool:
        """Whether the policies of an identity grant something else than those of the lock."""
        return self.old.identities.get(identity, Held()).grants != self.new.identities.get(identity, Held()).grants

    def policies(self, identity: str) -> list[str]:
        """The policy files of an identity in this run; those of the lock if it has none."""
        held = self.new.identities.get(identity, Held()).policies or self.old.identities.get(identity, Held()).policies
        return sorted(held)

    def was(self, identity: str) -> Policy:
        """The policy that the lock remembers."""
        return grant_lines.policy(self.old.identities.get(identity, Held()).grants)

    @cached_property
    def uses(self) -> dict[tuple[str, str], list[Use]]:
        """(identity, action) -> uses of this run; made only if there are findings."""
        found: dict[tuple[str, str], list[Use]] = {}
        for record, use in self.ledger.attributed():
            found.setdefault((use.identity or record.identity, use.action), []).append(use)
        return found

    def labels(self, identity: str, action: str) -> list[str]:
        """The calls of an identity that need an action, of the run and of the lock."""
        listed = (lock.permissions.get(action, Permission()).calls for lock in (self.new, self.old))
        pairs = [split_call(call) for calls in listed for call in calls]
        return sorted({label for name, label in pairs if name == identity})

    def now(self, identity: str, action: str) -> Decision:
        """The decision of this run's policies on an action, whatever the resource."""
        return spellings.decide(self.state.rights[identity].decide, action, self.labels(identity, action))

    def document(self, identity: str, decision: Decision) -> Document | None:
        """The document whose statement decided."""
        rights = self.state.rights.get(identity)
        return next((d for d in rights.documents if d.name == decision.policy), None) if rights else None

    def spot(self, identity: str, decision: Decision) -> str:
        """`iam/x.json:6`, the statement that decided; the first policy of the identity if none did."""
        document = self.document(identity, decision)
        if document is None:
            return next(iter(self.policies(identity)), "")
        line = document.line(("Statement", decision.statement or 0))
        return f"{shown_file(document.source, self.base)}:{line}" if line else document.source

    def said(self, identity: str, action: str, decision: Decision) -> str:
        """The decision in words, with file and line of the statement."""
        document, spot = self.document(identity, decision), self.spot(identity, decision)
        if document is None or decision.effect == "unknown":
            return placed(texts.changed(headline(decision), self._short), spot)
        statement = document.statements[decision.statement or 0]
        names = [
            name
            for way in spellings.ways(action, self.labels(identity, action))
            for one in way
            for name in spellings.names(one)
        ]
        pattern = pattern_of(names, statement.actions, negated=statement.not_action)
        done = "allowed" if decision else "denied"
        return placed(Phrase(f"lock.{done}-by", pattern=pattern, n=statement.index + 1), spot)

    def _short(self, text: str) -> str:
        return text.replace(f"{self.base.as_posix()}/", "")


def canonical(lock: Lock) -> Lock:
    """The lock with today's canonical names: a hand may write another, and an alias may be new."""
    if all(actions.canonical(name) == name for name in lock.permissions):
        return lock
    found: dict[str, Permission] = {}
    for name, need in lock.permissions.items():
        known = found.get(actions.canonical(name), Permission())
        together = Permission(calls=known.calls | need.calls, tests={**known.tests, **need.tests})
        found[actions.canonical(name)] = together
    return replace(lock, permissions=found)


def tests(label: str, nodeids: Iterable[str]) -> str:
    """`breaks    3 tests: tests/test_x.py::test_a · ::test_pages[*] (2)`."""
    return labelled(label, display.counted(sorted(nodeids)))


def healing(edit: Edit | None, otherwise: str, accept: str) -> Iterator[str]:
    """The last line of a paragraph: the smallest edit with its patch, and the command that accepts the change.

    One line of several: what shows findings keeps them together and in this order.
    """
    last = labelled("accept", accept)
    rows: list[str] = [labelled("fix", edit.words if edit else otherwise)] if edit or otherwise else []
    if edit:
        rows.append("\n".join(f"            {row}" for row in edit.patch.split("\n")[:-1]))
    yield texts.joined("findings.lines", [*rows, Phrase("findings.indented", line=last) if rows else last])
