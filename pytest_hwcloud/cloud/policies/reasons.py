"""The words of a decision: which statement made it, or why none did and what came closest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.patterns import AskedResource, Resource, covers, glob, wild
from pytest_hwcloud.cloud.policies.conditions import Context, Test, fold
from pytest_hwcloud.cloud.policies.decision import Considered
from pytest_hwcloud.cloud.policies.evaluation import Judge, Rule, seen_by_grammar, spellings
from pytest_hwcloud.texts import Phrase

_MOST = 5
_SHOWN = 3
# The question behind a decision: judge, action, resource, context.
Asked: TypeAlias = tuple[Judge, str, AskedResource, Context | None]


class Reasons:
    """What stands behind one answer of a judge, put into words when somebody reads them."""

    __slots__ = ("_asked", "_effect", "_rule")

    def __init__(self, effect: str, rule: Rule | None, asked: Asked) -> None:
        self._effect, self._rule, self._asked = effect, rule, asked

    @property
    def sentence(self) -> str:
        """One sentence without a full stop."""
        rule = self._rule
        if rule is None:
            return Phrase("decisions.none", n=self.considered)
        statement = rule.statement
        pattern = _quoted(rule, spellings(self._asked[1]))
        named = Phrase("decisions.named", pattern=pattern, n=statement.index + 1, policy=statement.policy)
        match self._effect:
            case "allow":
                return Phrase("decisions.allowed-by", named=named)
            case "deny":
                return Phrase("decisions.denied-by", named=named)
            case _:
                unsure = texts.joined("decisions.open-and", _open(rule, self._asked, ways=True))
                done = "denied" if rule.denies else "allowed"
                return Phrase(f"decisions.{done}-if", named=named, open=unsure)

    @property
    def nearest(self) -> tuple[Considered, ...]:
        """Up to five statements: those that name the action before those of its service; in order of their policies."""
        spelled = spellings(self._asked[1])
        every = (*self._asked[0].rules, *self._asked[0].others)
        ranked = sorted(every, key=lambda rule: (-_closeness(rule, spelled), rule.order))[:_MOST]
        return tuple(_considered(rule, spelled, self._asked) for rule in sorted(ranked, key=lambda rule: rule.order))

    @property
    def missing(self) -> tuple[str, ...]:
        """The condition keys that were not given of the statements that only perhaps apply."""
        keys: dict[str, str] = {}
        for rule in self._perhaps():
            keys |= {fold(test.key): test.key for test in _unsure(rule, self._asked)}
        return tuple(keys.values())

    @property
    def resource_missing(self) -> bool:
        """Does one of these statements depend on a resource that is not known?"""
        return any(rule.on_resource(_resource(rule, self._asked)) is None for rule in self._perhaps())

    def _perhaps(self) -> list[Rule]:
        judge, action, resource, context = self._asked
        known = (context or Context()).about(action)
        seen = seen_by_grammar(resource)
        denied = self._rule is not None and self._rule.denies
        naming = {rule.order: rule for rule in judge.naming(action.lower()) if rule.denies is denied}
        return [rule for _, rule in sorted(naming.items()) if rule.met(seen[rule.newer], known) is None]

    @property
    def considered(self) -> int:
        """How many statements were looked at."""
        return len(self._asked[0].rules) + len(self._asked[0].others)


def _quoted(rule: Rule, spelled: tuple[str, ...]) -> str:
    if rule.statement.not_action:
        return f"NotAction {_joined(rule.statement.actions)}"
    named = [written for pattern, written in rule.patterns.items() if any(covers(pattern, name) for name in spelled)]
    return f'"{named[0] if named else rule.statement.actions[0]}"'


def _joined(texts: Iterable[str]) -> str:
    items = list(texts)
    return ", ".join(f'"{text}"' for text in items[:_SHOWN]) + (", …" if len(items) > _SHOWN else "")


def _open(rule: Rule, asked: Asked, *, ways: bool = False) -> list[str]:
    """What would have to be known for this statement to be sure. ways: and how to give it."""
    said = [rule.doubt] if rule.doubt else []
    if rule.on_resource(_resource(rule, asked)) is None:
        given = _resource(rule, asked)
        if given:
            said.append(Phrase("decisions.resource-in-part", resource=given.text, **_listed(rule)))
        else:
            said.append(Phrase("decisions.resource-missing", **_listed(rule)))
    way = "-give" if ways else ""
    unsure = _unsure(rule, asked)
    return [*said, *(Phrase(f"decisions.key-missing{way}", test=str(test), key=test.key) for test in unsure)]


def _listed(rule: Rule) -> dict[str, str]:
    """The resources of a statement as it writes them."""
    kind = "NotResource" if rule.statement.not_resource else "Resource"
    return {"kind": kind, "patterns": _joined(rule.statement.resources or ())}


def _unsure(rule: Rule, asked: Asked) -> list[Test]:
    """The tests of a statement that are about something which is not known."""
    context = _known(asked)
    return [test for test in rule.statement.condition if test.holds(context) is None]


def _known(asked: Asked) -> Context:
    return (asked[3] or Context()).about(asked[1])


def _resource(rule: Rule, asked: Asked) -> Resource | None:
    return seen_by_grammar(asked[2])[rule.newer]


def _closeness(rule: Rule, spelled: tuple[str, ...]) -> int:
    if rule.names(spelled):
        return 100
    return max(_alike(pattern, name) for pattern in rule.patterns for name in spelled)


def _alike(pattern: str, name: str) -> int:
    """How many parts agree; a pattern with a wildcard that covers service and type is nearer than another operation."""
    pairs = list(zip(pattern.split(":"), name.split(":"), strict=False))
    same = [glob(part)(given) for part, given in pairs]
    leading = same.index(False) if False in same else len(same)
    return leading * 10 + sum(same) + (5 if leading >= 2 and wild(pattern) else 0)


def _considered(rule: Rule, spelled: tuple[str, ...], asked: Asked) -> Considered:
    statement = rule.statement
    ranked = sorted(statement.actions, key=lambda text: -max(_alike(text.lower(), name) for name in spelled))
    text = (
        ("NotAction " if statement.not_action else "") + " ".join(ranked[:_SHOWN]) + (" …" if ranked[_SHOWN:] else "")
    )
    return Considered(
        policy=statement.policy,
        statement=statement.index,
        effect=statement.effect,
        text=text,
        why=_why(rule, ranked[0], spelled, asked),
    )


def _why(rule: Rule, closest: str, spelled: tuple[str, ...], asked: Asked) -> str:
    """`no`, `no: …`, `perhaps: if …` or `yes`."""
    if not rule.names(spelled):
        return _not_named(rule, closest, spelled, asked[1])
    if rule.elsewhere:
        return _no(rule.elsewhere)
    context, resource = _known(asked), _resource(rule, asked)
    if rule.on_resource(resource) is False:
        if resource is None:
            return _no(Phrase("decisions.resource-none", **_listed(rule)))
        return _no(Phrase("decisions.resource-differs", resource=resource.text, **_listed(rule)))
    for test in rule.statement.condition:
        if test.holds(context) is False:
            return _no(Phrase("decisions.condition-not-met", test=str(test)))
    unsure = _open(rule, asked)
    if not unsure:
        return Phrase("decisions.yes")
    return Phrase("decisions.perhaps", open=texts.joined("decisions.open-and", unsure))


def _no(why: str) -> Phrase:
    return Phrase("decisions.no-because", why=why)


def _not_named(rule: Rule, closest: str, spelled: tuple[str, ...], action: str) -> str:
    if rule.statement.not_action:
        return _no(Phrase("decisions.not-action"))
    if not wild(closest) or not glob(closest.lower().partition(":")[0])(spelled[0].partition(":")[0]):
        return Phrase("decisions.no")
    own, *aliases = _operations(spelled, action)
    if not aliases:
        return _no(Phrase("decisions.does-not-match", own=own))
    return _no(Phrase("decisions.does-not-match-alias", own=own, n=len(aliases), names=_joined(aliases)))


def _operations(spelled: tuple[str, ...], action: str) -> list[str]:
    """The last parts of the names, written as documented; whole names where the alias has another service or type."""
    from pytest_hwcloud.cloud.calls import actions

    head = action.lower().rpartition(":")[0]
    shown = {name.lower(): name for name in (*actions.names(action), action)}
    written = [shown.get(name, name) for name in spelled]
    return [name.rpartition(":")[2] if name.lower().rpartition(":")[0] == head else name for name in written]
