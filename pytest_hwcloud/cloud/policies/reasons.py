"""The words of a decision: which statement made it, or why none did and what came closest."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from pytest_hwcloud.cloud.patterns import AskedResource, Resource, covers, glob, wild
from pytest_hwcloud.cloud.policies.conditions import Context, Test, fold
from pytest_hwcloud.cloud.policies.decision import Considered
from pytest_hwcloud.cloud.policies.evaluation import Judge, Rule, seen_by_grammar, spellings

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
            return f"no statement allows it; {_count(self.considered)} looked at"
        place = f"statement {rule.statement.index + 1} of {rule.statement.policy}"
        named = f"{_quoted(rule, spellings(self._asked[1]))} ({place})"
        match self._effect:
            case "allow":
                return f"allowed by {named}"
            case "deny":
                return f"denied by {named}"
            case _:
                unsure = "; and ".join(_open(rule, self._asked, ways=True))
                return f"{'denied' if rule.denies else 'allowed'} by {named} if {unsure}"

    @property
    def nearest(self) -> tuple[Considered, ...]:
        """Up to five statements: those that name the action before those of its service; in order of their policies."""
        spelled = spellings(self._asked[1])
        every = (*self._asked[0].rules, *self._asked[0].others)
        ranked = sorted(every, key=lambda rule: (-_closeness(rule, spelled), rule.order))[:_MOST]
        return tuple(_considered(rule, spelled, self._asked) for rule in sorted(ranked, key=lambda rule: rule.order))

    @property
    def missing(self) -> tuple[str, ...]:
        """The condition keys that nobody gave of the statements that only perhaps apply."""
        keys: dict[str, str] = {}
        for rule in self._perhaps():
            keys |= {fold(test.key): test.key for test in _unsure(rule, self._asked)}
        return tuple(keys.values())

    @property
    def resource_missing(self) -> bool:
        """Does one of these statements depend on a resource that was not told?"""
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


def _count(number: int) -> str:
    return f"{number} statement{'' if number == 1 else 's'}"


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
        kind = "NotResource" if rule.statement.not_resource else "Resource"
        given = _resource(rule, asked)
        which = f"the resource, of which only {given.text} is known," if given else "the resource, which was not given,"
        said.append(f"{which} meets {kind} {_joined(rule.statement.resources or ())}")
    return [
        *said,
        *(
            f"{test} holds ({test.key} is not known{_GIVE.format(key=test.key) if ways else ''})"
            for test in _unsure(rule, asked)
        ),
    ]


_GIVE = ": give it with --context {key}=VALUE, or as context: of the identity in hwcloud.yaml"


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
    """How many parts agree; a pattern with a wildcard that covers service and type says more than another operation."""
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
    if not rule.names(spelled):
        return _not_named(rule, closest, spelled, asked[1])
    if rule.elsewhere:
        return f"no: {rule.elsewhere}"
    context, resource = _known(asked), _resource(rule, asked)
    if rule.on_resource(resource) is False:
        kind = "NotResource" if rule.statement.not_resource else "Resource"
        shown = resource.text if resource else "no resource"
        return f"no: {shown} does not meet {kind} {_joined(rule.statement.resources or ())}"
    for test in rule.statement.condition:
        if test.holds(context) is False:
            return f"no: the condition {test} is not met"
    unsure = _open(rule, asked)
    return f"perhaps: if {'; and '.join(unsure)}" if unsure else "yes"


def _not_named(rule: Rule, closest: str, spelled: tuple[str, ...], action: str) -> str:
    if rule.statement.not_action:
        return "no: NotAction leaves it out"
    if not wild(closest) or not glob(closest.lower().partition(":")[0])(spelled[0].partition(":")[0]):
        return "no"
    own, *aliases = _operations(spelled, action)
    also = f" and its alias{'es' if len(aliases) > 1 else ''} {_joined(aliases)}" if aliases else ""
    return f'no: "{own}"{also} do{"" if aliases else "es"} not match'


def _operations(spelled: tuple[str, ...], action: str) -> list[str]:
    """The last parts of the names, written as documented; whole names where the alias has another service or type."""
    from pytest_hwcloud.cloud.calls import actions

    head = action.lower().rpartition(":")[0]
    shown = {name.lower(): name for name in (*actions.names(action), action)}
    written = [shown.get(name, name) for name in spelled]
    return [name.rpartition(":")[2] if name.lower().rpartition(":")[0] == head else name for name in written]
