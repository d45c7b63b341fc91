"""A second judge, written from the documents alone, that the package's own is compared with.

It imports nothing of the package, asks every statement about every question from the beginning, and knows three
answers as sets of what can be true: `YES`, `NO`, `MAYBE`. A question with keys that nobody gave is asked again for each
value that they could have (absent included); the answer is what all of these agree in. Sources: the user guide's pages
on roles, policy syntax and evaluation (1.0 and 1.1), the grammar of identity policies (5.0), the pages on service
control policies and on enterprise projects.
"""

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from fractions import Fraction

YES = frozenset({True})
NO = frozenset({False})
MAYBE = frozenset({True, False})
Truth = frozenset[bool]
Document = Mapping[str, object]


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked: an action, and what the caller knows about the request."""

    action: str
    resource: str | None = None  # None: not known
    facts: Mapping[str, object] = field(default_factory=dict)  # a key that is missing here is not known
    aliases: tuple[str, ...] = ()
    project: str | None = None
    enterprise_project: str | None = None  # None: not known
    is_global: bool = False
    by_enterprise_project: bool | None = None  # does the action's row have the tick? None: no row says so


@dataclass(frozen=True, kw_only=True)
class Grant:
    """A document, and where it was granted."""

    document: Document
    project: str | None = None
    enterprise_project: str | None = None
    scope: str | None = None  # "global", "projects" (all of them), or None: everywhere


def decide(documents: Iterable[Document], question: Question) -> str:
    """`allow`, `deny` or `unknown`, by documents that are granted everywhere."""
    return decide_grants([Grant(document=document) for document in documents], question)


def decide_grants(grants: Iterable[Grant], question: Question) -> str:
    """The answer that every value of the keys which nobody gave leads to, else unknown."""
    grants = list(grants)
    statements = [statement for grant in grants for statement in _statements(grant.document)]
    open_keys = _open_keys(statements, question)
    outcomes = set()
    for values in itertools.product(*map(_possible, open_keys.values())):
        facts = {**question.facts, **dict(zip(open_keys, values, strict=True))}
        outcomes.add(_evaluate(grants, replace(question, facts=facts)))
    return outcomes.pop() if len(outcomes) == 1 else "unknown"


def _evaluate(grants: Iterable[Grant], question: Question) -> str:
    """The rule of the user guide: an applicable Deny, else an applicable Allow, else a refusal."""
    denied, allowed = [], []
    for grant in grants:
        here = _counts(grant, question)
        for statement in _statements(grant.document):
            truth = _all([here, _applies(statement, question)])
            (denied if str(statement["Effect"]).lower() == "deny" else allowed).append(truth)
    outcomes = {"deny" if deny or not allow else "allow" for deny in _any(denied) for allow in _any(allowed)}
    return outcomes.pop() if len(outcomes) == 1 else "unknown"


def _open_keys(statements: Iterable[Mapping[str, object]], question: Question) -> dict[str, list[tuple[str, object]]]:
    """The keys that nobody gave, and what the policies compare each with."""
    found: dict[str, list[tuple[str, object]]] = {}
    for statement in statements:
        if _applies({**statement, "Condition": {}}, question) == NO:
            continue
        for operator, keys in _mapping(statement.get("Condition", {})).items():
            for key, values in _mapping(keys).items():
                if key not in question.facts and key != "g:ServiceName":
                    found.setdefault(key, []).extend((operator, value) for value in _list(values))
    return found


def _possible(compared: list[tuple[str, object]]) -> list[object]:
    """Absent, and enough values of a key to tell the policies' values apart, alone and in pairs."""
    values: dict[str, None] = {}
    for operator, value in compared:
        text = _text(value)
        if "Number" in operator:
            values.update(dict.fromkeys([str(Fraction(text) - 1), text, str(Fraction(text) + 1)]))
        elif "Date" in operator:
            values.update(dict.fromkeys(["0002-01-01T00:00:00Z", text, "9998-01-01T00:00:00Z"]))
        elif "Bool" in operator:
            values.update(dict.fromkeys(["true", "false"]))
        elif "Null" not in operator:
            plain = text.replace("*", "x").replace("?", "y")
            values.update(dict.fromkeys([text, plain, plain.upper(), "none-of-these"]))
    singles = list(values) or ["anything"]
    return [None, *singles, *map(list, itertools.combinations(singles, 2))]


def decide_bounded(grants: Iterable[Grant], bounds: Iterable[Document] | None, question: Question) -> str:
    """A service control policy grants nothing: what it does not allow is refused. None: there is no such policy."""
    answers = {decide_grants(grants, question)} | ({decide(bounds, question)} if bounds else set())
    return "deny" if "deny" in answers else "unknown" if "unknown" in answers else "allow"


def _counts(grant: Grant, question: Question) -> Truth:
    """Does a grant that was given at one place count for this request?"""
    if grant.document["Version"] == "5.0":  # an identity policy is attached to a user or group, at no place
        return YES
    if grant.enterprise_project is not None:
        if question.by_enterprise_project is False:
            return NO
        if question.enterprise_project is not None and question.enterprise_project != grant.enterprise_project:
            return NO
        known = question.by_enterprise_project is True and question.enterprise_project is not None
        return YES if known else MAYBE
    if grant.scope == "global":
        return YES if question.is_global else NO
    if grant.scope == "projects":
        return NO if question.is_global else YES
    if grant.project is not None:
        return YES if not question.is_global and question.project == grant.project else NO
    return YES


def _applies(statement: Mapping[str, object], question: Question) -> Truth:
    names = [question.action, *question.aliases]
    names += ["identity" + name[3:] for name in names if name.lower().startswith("iam:")]  # as roles call the service
    if "NotAction" in statement:
        named = not any(_action(str(pattern), name) for pattern in _list(statement["NotAction"]) for name in names)
    else:
        named = any(_action(str(pattern), name) for pattern in _list(statement["Action"]) for name in names)
    if not named:
        return NO
    parts = [YES]
    if "Resource" in statement:
        parts.append(_any(_resource(str(pattern), question.resource) for pattern in _list(statement["Resource"])))
    if "NotResource" in statement:
        inside = _any(_resource(str(pattern), question.resource) for pattern in _list(statement["NotResource"]))
        parts.append(_not(inside))
    if NO in parts:
        return NO
    for operator, keys in _mapping(statement.get("Condition", {})).items():
        for key, values in _mapping(keys).items():
            parts.append(_condition(operator, key, _list(values), question))
    return _all(parts)


def _action(pattern: str, action: str) -> bool:
    """Roles write `*` and `identity:*`; policies write three parts, and the letter case never counts."""
    wanted, given = pattern.lower().split(":"), action.lower().split(":")
    if len(wanted) < 3 and wanted[-1] == "*":
        wanted += ["*"] * (3 - len(wanted))
    return len(wanted) == len(given) and all(_glob(one, other) for one, other in zip(wanted, given, strict=True))


def _resource(pattern: str, resource: str | None) -> Truth:
    """Five parts, and a `*` stays within its part; the name of the service is written in either case."""
    if pattern == "*" or pattern.split(":", 4) == ["*"] * 5:
        return YES
    if resource is None:
        return MAYBE
    wanted, given = pattern.split(":", 4), resource.split(":", 4)
    wanted[0], given[0] = wanted[0].lower(), given[0].lower()
    matches = len(wanted) == len(given) and all(_glob(one, other) for one, other in zip(wanted, given, strict=True))
    return YES if matches else NO


def _condition(operator: str, key: str, wanted: Sequence[object], question: Question) -> Truth:
    facts = {"g:ServiceName": question.action.split(":")[0], **question.facts}
    if key not in facts:
        return MAYBE
    fact = facts[key]
    present = fact is not None and fact != []
    if operator == "Null":
        return _known(any((str(value).lower() == "true") != present for value in wanted))
    if operator.endswith("IfExists"):
        if not present:
            return YES
        operator = operator.removesuffix("IfExists")
    given = [] if fact is None else _list(fact)
    quantifier, _, name = operator.rpartition(":")
    holds = _operator(name)
    if quantifier == "ForAllValues":
        return _known(all(holds(value, wanted) for value in given))
    if quantifier == "ForAnyValue":
        return _known(any(holds(value, wanted) for value in given))
    if not present:
        return MAYBE if "Not" in name else NO  # no page says what a negated operator makes of a key that is absent
    return _known(all(holds(value, wanted) for value in given))


def _operator(name: str) -> Callable[[object, Sequence[object]], bool]:
    """One value of the request against all of the policy: one must fit, or none where the operator is negated."""
    negated = "Not" in name
    plain = name.replace("Not", "")
    fits = {
        "StringEquals": lambda one, two: one == two,
        "StringEqualsIgnoreCase": lambda one, two: one.lower() == two.lower(),
        "StringMatch": lambda one, two: _glob(two, one, single=True),
        "StringStartWith": lambda one, two: one.lower().startswith(two.lower()),  # without a remark: no case
        "StringEndWith": lambda one, two: one.lower().endswith(two.lower()),
        "NumberEquals": lambda one, two: Fraction(one) == Fraction(two),
        "NumberLessThan": lambda one, two: Fraction(one) < Fraction(two),
        "NumberLessThanEquals": lambda one, two: Fraction(one) <= Fraction(two),
        "NumberGreaterThan": lambda one, two: Fraction(one) > Fraction(two),
        "NumberGreaterThanEquals": lambda one, two: Fraction(one) >= Fraction(two),
        "DateLessThan": lambda one, two: _moment(one) < _moment(two),
        "DateLessThanEquals": lambda one, two: _moment(one) <= _moment(two),
        "DateGreaterThan": lambda one, two: _moment(one) > _moment(two),
        "DateGreaterThanEquals": lambda one, two: _moment(one) >= _moment(two),
        "Bool": lambda one, two: one.lower() == two.lower(),
    }[plain]
    return lambda value, wanted: any(fits(_text(value), _text(one)) for one in wanted) != negated


def _glob(pattern: str, text: str, *, single: bool = False) -> bool:
    if not pattern:
        return not text
    if pattern[0] == "*":
        return any(_glob(pattern[1:], text[start:], single=single) for start in range(len(text) + 1))
    if not text or (pattern[0] != text[0] and not (single and pattern[0] == "?")):
        return False
    return _glob(pattern[1:], text[1:], single=single)


def _moment(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _text(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _statements(document: Document) -> list[Mapping[str, object]]:
    return [_mapping(statement) for statement in _list(document["Statement"])]


def _mapping(value: object) -> Mapping[str, object]:
    assert isinstance(value, Mapping)
    return value


def _list(value: object) -> list[object]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _known(value: bool) -> Truth:
    return YES if value else NO


def _all(truths: Iterable[Truth]) -> Truth:
    truths = list(truths)
    return NO if NO in truths else MAYBE if MAYBE in truths else YES


def _any(truths: Iterable[Truth]) -> Truth:
    return _not(_all([_not(truth) for truth in truths]))


def _not(truth: Truth) -> Truth:
    return frozenset(not value for value in truth)
