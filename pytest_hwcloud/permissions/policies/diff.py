"""Two policies compared: the actions gained and lost, out of all known actions and those that the policies name.

Each action is asked in both, without resource and context: it is allowed, allowed under conditions (unknown) or not.
Many actions under one wildcard of a statement are one line.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.patterns import ANY, glob, wild
from pytest_hwcloud.cloud.policies.evaluation import Rule, spellings
from pytest_hwcloud.cloud.policies.policy import Policy

# (effect before, effect after) -> what happened
_KINDS = {
    ("deny", "allow"): "gained",
    ("deny", "unknown"): "gained under conditions",
    ("unknown", "allow"): "widened",
    ("allow", "unknown"): "narrowed",
    ("unknown", "deny"): "lost under conditions",
    ("allow", "deny"): "lost",
}
_KIND_ORDER = (*_KINDS.values(), "changed conditions")
_SIGNS = {"gained": "+", "gained under conditions": "+", "widened": "+", "changed conditions": "~"}
_FEW = 3  # that many actions are named one by one rather than under a wildcard


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """Actions that changed in the same way. pattern: the wildcard that explains them, None for a single action."""

    kind: str
    actions: tuple[str, ...]
    pattern: str | None = None

    def __str__(self) -> str:
        sign = _SIGNS.get(self.kind, "-")
        if self.pattern is None:
            level = _level(self.actions[0])
            return f"{sign} {self.actions[0]}" + (f"  ({level})" if level else "")
        count = texts.say("diff.actions", n=len(self.actions), levels=_levels(self.actions))
        return f"{sign} {self.pattern}  {count}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What changed from one policy to the other; false if nothing did."""

    old: str
    new: str
    groups: tuple[Group, ...]
    known: int

    def __bool__(self) -> bool:
        return bool(self.groups)

    def of(self, kind: str) -> tuple[str, ...]:
        """The actions that changed in this way."""
        return tuple(sorted(action for group in self.groups if group.kind == kind for action in group.actions))

    def lines(self) -> Iterator[str]:
        """For the terminal, in its language."""
        yield texts.say("diff.head", old=self.old, new=self.new, n=self.known)
        if not self.groups:
            yield f"  {texts.say('diff.nothing')}"
        for kind in _KIND_ORDER:
            groups = [group for group in self.groups if group.kind == kind]
            if groups:
                count = sum(len(group.actions) for group in groups)
                yield f"  {texts.say('diff.' + kind.replace(' ', '-'), n=count)}"
                yield from (f"    {group}" for group in groups)

    def to_dict(self) -> dict[str, object]:
        """For machines: each action with its access level, and the wildcards that explain many."""
        changed = {
            kind: [{"action": action, "access_level": actions.access_level(action)} for action in self.of(kind)]
            for kind in _KIND_ORDER
        }
        groups = [
            {"kind": group.kind, "pattern": group.pattern, "count": len(group.actions)}
            for group in self.groups
            if group.pattern
        ]
        return {"old": self.old, "new": self.new, "known": self.known, **changed, "groups": groups}


def compare(old: Policy, new: Policy) -> Difference:
    """What the new policy allows more and less than the old one."""
    changed: dict[str, list[str]] = {}
    for action in _universe(old, new):
        kind = _kind(action, old, new)
        if kind:
            changed.setdefault(kind, []).append(action)
    groups = [group for kind, names in changed.items() for group in _grouped(kind, names, old, new)]
    return Difference(old=old.name, new=new.name, groups=tuple(groups), known=len(actions.all_actions()))


def _universe(old: Policy, new: Policy) -> Iterator[str]:
    """All known actions, then what only the policies name; a wildcard over nothing known stands for itself."""
    yield from actions.all_actions()
    seen: set[str] = set()
    for statement in (*old.statements, *new.statements):
        for name in statement.actions:
            unknown = not actions.expand(name) if wild(name) else not actions.is_known(name)
            if unknown and name.lower() not in seen:
                seen.add(name.lower())
                yield name


def _kind(action: str, old: Policy, new: Policy) -> str | None:
    before, after = (policy.decide(action).effect for policy in (old, new))
    if before == after == "unknown" and _terms(action, old) != _terms(action, new):
        return "changed conditions"
    return _KINDS.get((before, after))


def _terms(action: str, policy: Policy) -> set[tuple[object, ...]]:
    """What the statements on an action demand, without where they stand."""
    return {
        (
            rule.denies,
            rule.outside,
            frozenset(rule.statement.resources or ()),
            frozenset(map(str, rule.statement.condition)),
        )
        for rule in policy.judge.naming(action.lower())
    }


def _grouped(kind: str, names: Iterable[str], old: Policy, new: Policy) -> Iterator[Group]:
    """The widest wildcards first, each with the actions that no wider one took; the rest one by one."""
    rest = dict.fromkeys(names)
    candidates = _under_wildcards(_wildcards(old, new), list(rest))
    while candidates:
        best = max(candidates, key=lambda pattern: (len(candidates[pattern]), pattern))
        covered = candidates.pop(best)
        if len(covered) <= _FEW:
            break
        yield Group(kind=kind, actions=tuple(name for name in rest if name in covered), pattern=best)
        rest = {name: None for name in rest if name not in covered}
        candidates = {pattern: left for pattern, under in candidates.items() if (left := under - covered)}
    yield from (Group(kind=kind, actions=(name,)) for name in rest)


def _wildcards(old: Policy, new: Policy) -> list[str]:
    rules: list[Rule] = [*old.judge.rules, *new.judge.rules]
    return list(
        {written.lower(): written for rule in rules for written in rule.statement.actions if wild(written)}.values()
    )


def _under_wildcards(patterns: Iterable[str], names: Iterable[str]) -> dict[str, set[str]]:
    """Each pattern with the actions under it, by one of their names; those that cover none are left out."""
    by_service: dict[str, list[tuple[str, str]]] = {}
    for name in names:
        for spelled in spellings(name):
            by_service.setdefault(spelled.partition(":")[0], []).append((spelled, name))
    every = [pair for pairs in by_service.values() for pair in pairs]
    found = {}
    for pattern in patterns:
        service, colon, _ = pattern.lower().partition(":")
        pairs = by_service.get(service, []) if colon and not wild(service) else every
        matches = glob("*" if pattern in ANY else pattern.lower())
        if under := {name for spelled, name in pairs if matches(spelled)}:
            found[pattern] = under
    return found


def _level(action: str) -> str:
    return (actions.access_level(action) or "").replace("_", " ")


def _levels(names: Iterable[str]) -> str:
    counted = Counter(_level(name) or texts.say("diff.no-level") for name in names)
    return texts.say("diff.between").join(f"{level} {count}" for level, count in counted.most_common())
