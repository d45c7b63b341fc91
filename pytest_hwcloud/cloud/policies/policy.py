"""Policies: load a document, ask for its decisions. Versions 1.0, 1.1 and 5.0; several policies pool their statements.

`decide(action, resource=None, context=None)`. resource: `service:region:account:type:path`; `"*"` for a call
without resource-level authorization, which only `Resource: *` covers; None if it is not known, then a statement
about particular resources is perhaps met. context: condition keys and values; see `conditions`. How the statements
add up: `evaluation`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from pytest_hwcloud.cloud.patterns import AskedResource
from pytest_hwcloud.cloud.policies.conditions import Context
from pytest_hwcloud.cloud.policies.decision import Considered, Decision, undecided
from pytest_hwcloud.cloud.policies.documents import Document, PolicyError, Statement, read
from pytest_hwcloud.cloud.policies.evaluation import Judge
from pytest_hwcloud.cloud.policies.reasons import Reasons

__all__ = ["Considered", "Decision", "Document", "Policy", "PolicyError", "Statement", "undecided"]
_REMEMBERED = 8192


def decide(judge: Judge, action: str, resource: AskedResource, context: Context | None) -> Decision:
    """The decision of a judge on one question, with the reasons behind it."""
    effect, rule = judge.answer(action, resource, context)
    reasons = Reasons(effect, rule, (judge, action, resource, context))
    return Decision(effect, rule.statement if rule else None, reasons)


class _Memo(dict[tuple[str, str | None], Decision]):
    """Decisions made before; bounded, so that a question about each of a million objects does not fill the memory."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self._judge = judge

    def __missing__(self, question: tuple[str, str | None]) -> Decision:
        decision = decide(self._judge, question[0], question[1], None)
        if not self._judge.conditional:  # a condition may be about the time
            if len(self) >= _REMEMBERED:
                self.clear()
            self[question] = decision
        return decision


class Policy:
    """One policy document, or several that one identity holds at once."""

    __slots__ = ("_judge", "_memo", "documents")

    def __init__(self, documents: Iterable[Document]) -> None:
        self.documents = tuple(documents)
        self._judge: Judge | None = None
        self._memo: _Memo | None = None

    @classmethod
    def load(cls, source: str | Path | Mapping[str, object], *, name: str | None = None) -> Policy:
        """The policy in a JSON file, in a dict, or the system's (`system:ECS ReadOnlyAccess`); else PolicyError."""
        return cls((read(source, name),))

    @classmethod
    def combine(cls, policies: Iterable[Policy]) -> Policy:
        """The policies of one identity together."""
        return cls(document for policy in policies for document in policy.documents)

    @property
    def name(self) -> str:
        """The file or name; several are joined by a plus sign."""
        return " + ".join(document.name for document in self.documents)

    @property
    def version(self) -> str:
        """The grammar: 1.0, 1.1 or 5.0; the highest of several."""
        return max((document.version for document in self.documents), default="1.1")

    @property
    def source(self) -> str:
        """Where it was read from: a path, `system:…`, or `policy document`."""
        return " + ".join(document.source for document in self.documents)

    @property
    def statements(self) -> tuple[Statement, ...]:
        """The statements of all documents."""
        return tuple(statement for document in self.documents for statement in document.statements)

    @property
    def judge(self) -> Judge:
        """The statements ready to be asked; made at the first question."""
        if self._judge is None:
            self._judge = Judge((document, "") for document in self.documents)
        return self._judge

    def decide(
        self, action: str, *, resource: str | None = None, context: Mapping[str, object] | None = None
    ) -> Decision:
        """May this action be done? The decision names the statement, or what came closest."""
        if context:
            return decide(self.judge, action, resource, Context(context))
        memo = self._memo
        if memo is None:
            memo = self._memo = _Memo(self.judge)
        return memo[action, resource]

    def asker(self) -> Callable[[str, str], bool]:
        """`(action, resource) -> allowed?` for very many questions without context."""
        memo = _Allowed(self.judge)

        def allowed(action: str, resource: str) -> bool:
            return memo[action, resource]

        return allowed

    def __repr__(self) -> str:
        return f"Policy({self.name!r}, {len(self.statements)} statements)"


class _Allowed(dict[tuple[str, str], bool]):
    """As _Memo, but keeps only the yes or no."""

    def __init__(self, judge: Judge) -> None:
        super().__init__()
        self._judge = judge

    def __missing__(self, question: tuple[str, str]) -> bool:
        allowed = self._judge.answer(question[0], question[1], None)[0] == "allow"
        if not self._judge.conditional:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[question] = allowed
        return allowed
