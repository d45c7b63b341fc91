"""Statements ready to be asked: one Rule each, found through the action index, and the three-valued sum of them.

Each statement that names the action is met, not met, or perhaps met (None): its resource was not given, a condition
key is not known, or something outside the document decides (a Depends, a Principal, a grant whose scope is not
known). A key that was not given is there or is not: where the sum is the same in every such case, that is the answer
(two Deny statements, one for requests with MFA and one for those without). Then, whatever the order: a met Deny
denies; else a met Allow allows, unless a Deny is perhaps met (unknown); else an Allow perhaps met is unknown; else the
implicit deny. Read as deny < unknown < allow, a further Deny can only lower and a further Allow only raise the answer.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import lru_cache
from operator import attrgetter

from pytest_hwcloud.cloud.patterns import ActionIndex, AskedResource, ByGrammar, Resource, ResourcePattern, covers
from pytest_hwcloud.cloud.policies.conditions import PRESENT, Context, fold
from pytest_hwcloud.cloud.policies.documents import Document, Statement
from pytest_hwcloud.texts import Phrase

# Version 1.0 calls IAM "identity", and assuming an agency "assume role" (the IAM user guide: roles, agencies).
_ROLE_NAMES = {"identity:assume role": ("iam:agencies:assume", "iam:tokens:assume")}


def _aliases() -> Mapping[str, tuple[str, ...]]:
    """The names that have aliases, lower case. The few are kept apart so that all others cost one look-up."""
    from pytest_hwcloud.cloud.calls import actions

    return _collected(actions.revision())


@lru_cache(maxsize=1)
def _collected(_: int) -> Mapping[str, tuple[str, ...]]:
    from pytest_hwcloud.cloud.calls import actions

    known = ((name.lower(), actions.names(name)) for name in actions.all_actions())
    return {name: tuple(spelled.lower() for spelled in names[1:]) for name, names in known if len(names) > 1}


def spellings(action: str) -> tuple[str, ...]:
    """The names (lower case) that count for this action: itself, then its aliases."""
    name = action.lower()
    return (name, *_aliases().get(name, ()))


def patterns(statement: Statement, version: str) -> dict[str, str]:
    """The action patterns of a statement (lower case), and how each is written; version 1.0 has other names."""
    found = {action.lower(): action for action in statement.actions}
    if version == "1.0":
        for pattern, written in list(found.items()):
            service, _, rest = pattern.partition(":")
            twins = _ROLE_NAMES.get(pattern, (f"iam:{rest}",)) if service == "identity" else ()
            found.update(dict.fromkeys(twins, written))
    return found


class Rule:
    """One statement, compiled. doubt: why it only perhaps takes effect. plain: it always applies to what it names.

    newer: of version 5.0. elsewhere: where it was granted, if that is not where the question is asked.
    """

    __slots__ = (
        "bare", "denies", "doubt", "elsewhere", "newer", "order", "outside", "patterns", "plain", "resources",
        "statement",
    )  # fmt: skip

    def __init__(self, statement: Statement, version: str, order: int, doubt: str = "", *, elsewhere: str = "") -> None:
        self.statement, self.order, self.elsewhere = statement, order, elsewhere
        self.newer = version == "5.0"
        self.denies = statement.effect == "deny"
        self.patterns = patterns(statement, version)
        self.doubt = doubt or (Phrase("decisions.principal") if statement.principal else "")
        self.outside = statement.not_resource
        listed = tuple(ResourcePattern(text) for text in statement.resources or ())
        everything = not self.outside and any(pattern.everything for pattern in listed)
        self.resources = () if everything else listed
        self.bare = not statement.condition and not self.doubt
        self.plain = self.bare and not self.resources

    def names(self, spelled: tuple[str, ...]) -> bool:
        """Does the statement name the action, by its own name or an alias? NotAction: none of them."""
        named = any(covers(pattern, name) for pattern in self.patterns for name in spelled)
        return named is not self.statement.not_action

    def on_resource(self, resource: Resource | None) -> bool | None:
        """Is the resource one of the statement's? None: it was not given."""
        if not self.resources:
            return True
        if resource is None:
            return False if self.outside and any(pattern.everything for pattern in self.resources) else None
        unsure = False
        for pattern in self.resources:
            covered = pattern.matches(resource)
            if covered:
                return not self.outside
            unsure = unsure or covered is None
        return None if unsure else self.outside

    def met(self, resource: Resource | None, context: Context | None) -> bool | None:
        """Does the statement apply, given that it names the action?"""
        placed = self.on_resource(resource)
        if placed is False:
            return False
        known = context or Context()
        answers = [test.holds(known) for test in self.statement.condition]
        if False in answers:
            return False
        return None if self.doubt or placed is None or None in answers else True


class Judge:
    """The statements of one or more policies, pooled. Their order only decides which statement is named."""

    __slots__ = ("_aliases", "_index", "_negated", "conditional", "others", "rules")

    def __init__(self, sources: Iterable[tuple[Document, str]], elsewhere: Iterable[tuple[Document, str]] = ()) -> None:
        """elsewhere: documents that do not count where this judge is asked, and where they do; named in the words."""
        pairs = [(document, statement, doubt) for document, doubt in sources for statement in document.statements]
        self.rules = tuple(Rule(s, document.version, order, doubt) for order, (document, s, doubt) in enumerate(pairs))
        others = [(document, statement, place) for document, place in elsewhere for statement in document.statements]
        self.others = tuple(
            Rule(s, document.version, order, elsewhere=place)
            for order, (document, s, place) in enumerate(others, len(self.rules))
        )
        positive = [rule for rule in self.rules if not rule.statement.not_action]
        self._index = ActionIndex((pattern, rule) for rule in positive for pattern in rule.patterns)
        self._aliases = _aliases()
        self._negated = tuple(rule for rule in self.rules if rule.statement.not_action)
        self.conditional = any(rule.statement.condition for rule in self.rules)

    def naming(self, action: str) -> list[Rule]:
        """The rules that name an action (lower case) or an alias of it, in no order; one can come twice."""
        found = self._index.find(action)
        aliases = self._aliases.get(action, ())
        for alias in aliases:
            found += self._index.find(alias)
        if self._negated:
            found += [rule for rule in self._negated if rule.names((action, *aliases))]
        return found

    def answer(self, action: str, resource: AskedResource, context: Context | None) -> tuple[str, Rule | None]:
        """The effect, and the first of the statements that made it."""
        found = self.naming(action.lower())
        if not found:
            return _NOTHING
        if self.conditional:
            context = (context or Context()).about(action)
        effect, rule, perhaps = self._weigh(found, resource, context)
        if effect == "unknown" and perhaps and context is not None:
            return self._in_every_case(found, resource, context, perhaps) or (effect, rule)
        return effect, rule

    def _in_every_case(
        self, found: list[Rule], resource: AskedResource, context: Context, perhaps: list[Rule]
    ) -> tuple[str, Rule | None] | None:
        """The answer that does not depend on whether the request carries the keys that were not given."""
        tests = [test for rule in perhaps for test in rule.statement.condition]
        asking = [test for test in tests if test.null or test.if_exists or test.quantifier]  # whether the key is there
        keys = {fold(test.key): test.key for test in asking if context.get(test.key) is None}
        if not 0 < len(keys) <= _CASES:
            return None
        cases = [context]
        for key in keys.values():
            cases = [case.with_key(key, values) for case in cases for values in ((), PRESENT)]
        answers = [self._weigh(found, resource, case)[:2] for case in cases]
        same = len({effect for effect, _ in answers}) == 1 and answers[0][0] != "unknown"
        return answers[0] if same else None

    def _weigh(
        self, found: list[Rule], resource: AskedResource, context: Context | None
    ) -> tuple[str, Rule | None, list[Rule]]:
        """The sum of the statements that name the action, and those that only perhaps apply."""
        met: list[Rule] = []
        perhaps: list[Rule] = []
        seen: tuple[Resource | None, Resource | None] | None = None
        for rule in found:
            if rule.plain:
                met.append(rule)
                continue
            if seen is None:
                seen = seen_by_grammar(resource)
            asked = seen[rule.newer]
            applies = rule.on_resource(asked) if rule.bare else rule.met(asked, context)
            if applies:
                met.append(rule)
            elif applies is None:
                perhaps.append(rule)
        return (*(_sum(met, perhaps) if met or perhaps else _NOTHING), perhaps)


_CASES = 8  # keys that were not given; each doubles the cases
_NOTHING: tuple[str, Rule | None] = ("deny", None)


def seen_by_grammar(resource: AskedResource) -> tuple[Resource | None, Resource | None]:
    """The resource of a question for statements of version 1.x, and for those of 5.0."""
    if isinstance(resource, ByGrammar):
        older, newer = resource
        return Resource(older) if older is not None else None, Resource(newer) if newer is not None else None
    one = Resource(resource) if resource is not None else None
    return one, one


def _sum(met: list[Rule], perhaps: list[Rule]) -> tuple[str, Rule | None]:
    if denying := [rule for rule in met if rule.denies]:
        return "deny", _first(denying)
    wanted = bool(met)  # against an Allow that is met, a Deny that perhaps is; else an Allow that perhaps is
    open_ = [rule for rule in perhaps if rule.denies is wanted] if perhaps else perhaps
    if open_:
        return "unknown", _first(open_)
    return ("allow", _first(met)) if met else _NOTHING


def _first(rules: list[Rule]) -> Rule:
    return rules[0] if len(rules) == 1 else min(rules, key=attrgetter("order"))
