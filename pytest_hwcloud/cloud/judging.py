"""Statements ready to be asked: one Rule each, found through the action index, and the three-valued sum of them.

Each statement that names the action is met, not met, or perhaps met (None): its resource was not given, a condition
key is not known, or something outside the document decides (a Depends, a Principal, a grant whose scope is not
known). Then, whatever the order: a met Deny denies; else a met Allow allows, unless a Deny is perhaps met
(unknown); else an Allow perhaps met is unknown; else the implicit deny. Read as deny < unknown < allow, a further
Deny can only lower and a further Allow only raise the answer.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache

from pytest_hwcloud.cloud.conditions import Context
from pytest_hwcloud.cloud.decision import Asked, Decision
from pytest_hwcloud.cloud.documents import Document, Statement
from pytest_hwcloud.cloud.patterns import ActionIndex, Resource, ResourcePattern, covers

_EMPTY: dict[str, object] = {}
# Version 1.0 calls IAM "identity", and assuming an agency "assume role" (reference/iam.md sections 1 and 4).
_ROLE_NAMES = {"identity:assume role": ("iam:agencies:assume", "iam:tokens:assume")}


@lru_cache(65536)
def spellings(action: str) -> tuple[str, ...]:
    """The names (lower case) that count for this action: itself, then its aliases."""
    from pytest_hwcloud.cloud import actions

    return tuple(dict.fromkeys((action.lower(), *(name.lower() for name in actions.names(action)))))


def patterns(statement: Statement, version: str) -> tuple[str, ...]:
    """The action patterns of a statement, lower case, with what version 1.0's own names stand for."""
    lowered = tuple(action.lower() for action in statement.actions)
    if version != "1.0":
        return lowered
    twins = (
        twin
        for action in lowered
        if action.startswith("identity:")
        for twin in _ROLE_NAMES.get(action, (f"iam:{action.partition(':')[2]}",))
    )
    return (*lowered, *twins)


class Rule:
    """One statement, compiled. doubt: why it only perhaps takes effect."""

    __slots__ = ("denies", "doubt", "order", "patterns", "plain", "resources", "statement")

    def __init__(self, statement: Statement, version: str, order: int, doubt: str = "") -> None:
        self.statement, self.order = statement, order
        self.denies = statement.effect == "deny"
        self.patterns = patterns(statement, version)
        self.doubt = doubt or (
            "it is for the Principal it names, and who calls is not known" if statement.principal else ""
        )
        listed = tuple(ResourcePattern(text) for text in statement.resources or ())
        everything = not listed or (not statement.not_resource and any(pattern.everything for pattern in listed))
        self.resources = () if everything else listed
        self.plain = everything and not statement.condition and not self.doubt

    def names(self, spelled: tuple[str, ...]) -> bool:
        """Does the statement name the action, by its own name or an alias? NotAction: none of them."""
        named = any(covers(pattern, name) for pattern in self.patterns for name in spelled)
        return named is not self.statement.not_action

    def on_resource(self, resource: Resource | None) -> bool | None:
        """Is the resource one of the statement's? None: it was not given."""
        if not self.resources:
            return True
        if resource is None:
            return False if self.statement.not_resource and any(p.everything for p in self.resources) else None
        return any(pattern.matches(resource) for pattern in self.resources) is not self.statement.not_resource

    def met(self, resource: Resource | None, context: Context) -> bool | None:
        """Does the statement apply, given that it names the action?"""
        answers = [self.on_resource(resource), *(test.holds(context) for test in self.statement.condition)]
        if False in answers:
            return False
        return None if self.doubt or None in answers else True


class Judge:
    """The statements of one or more policies, pooled. The order of the policies only says which statement is named."""

    __slots__ = ("_index", "_negated", "conditional", "rules")

    def __init__(self, sources: Iterable[tuple[Document, str]]) -> None:
        pairs = [(document, statement, doubt) for document, doubt in sources for statement in document.statements]
        self.rules = tuple(Rule(s, document.version, order, doubt) for order, (document, s, doubt) in enumerate(pairs))
        positive = [rule for rule in self.rules if not rule.statement.not_action]
        self._index = ActionIndex((pattern, rule) for rule in positive for pattern in rule.patterns)
        self._negated = tuple(rule for rule in self.rules if rule.statement.not_action)
        self.conditional = any(rule.statement.condition for rule in self.rules)

    def naming(self, spelled: tuple[str, ...]) -> list[Rule]:
        """The rules that name an action, in no order; one can come twice."""
        find = self._index.find
        found = find(spelled[0])
        for alias in spelled[1:]:
            found += find(alias)
        if self._negated:
            found += [rule for rule in self._negated if rule.names(spelled)]
        return found

    def decide(self, action: str, resource: str | None, context: Context | None) -> Decision:
        """The decision on one question."""
        found = self.naming(spellings(action))
        met = [rule for rule in found if rule.plain]
        perhaps: list[Rule] = []
        if len(met) != len(found):
            asked = None if resource is None else Resource(resource)
            known = context or Context(_EMPTY)
            for rule in found:
                if not rule.plain and (answer := rule.met(asked, known)) is not False:
                    (met if answer else perhaps).append(rule)
        return _sum(met, perhaps, Asked(self, action, resource, context))


def _sum(met: list[Rule], perhaps: list[Rule], asked: Asked) -> Decision:
    denying = [rule for rule in met if rule.denies]
    if denying:
        return _decision("deny", denying, asked)
    maybe_denying = [rule for rule in perhaps if rule.denies]
    if met:
        return _decision("unknown", maybe_denying, asked) if maybe_denying else _decision("allow", met, asked)
    maybe_allowing = [rule for rule in perhaps if not rule.denies]
    return _decision("unknown", maybe_allowing, asked) if maybe_allowing else Decision("deny", asked=asked)


_first: Callable[[Rule], int] = lambda rule: rule.order  # noqa: E731


def _decision(effect: str, rules: list[Rule], asked: Asked) -> Decision:
    rule = rules[0] if len(rules) == 1 else min(rules, key=_first)
    return Decision(effect, rule=rule, asked=asked)
