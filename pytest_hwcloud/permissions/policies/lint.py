"""What is wrong with a policy document: unknown actions, statements that can never apply, grammar, limits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.patterns import ActionIndex, covers, wild
from pytest_hwcloud.cloud.policies.documents import Document, PolicyError, Statement, problems, read
from pytest_hwcloud.permissions.policies import lint_grammar
from pytest_hwcloud.permissions.policies.lint_grammar import Path, Problem
from pytest_hwcloud.texts import Phrase


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """One thing found. id: HWP010, HWP017, "grammar" or "limit". statement: from 0. line: None for a system policy."""

    id: str
    name: str
    file: str
    line: int | None
    statement: int | None
    text: str

    def __str__(self) -> str:
        return self.said("en")

    @property
    def about(self) -> tuple[str, str]:
        """Of an unknown action its name, and what is wrong with it."""
        values = self.text.values if isinstance(self.text, Phrase) else {}
        return values.get("name", ""), values.get("why", self.text)

    def said(self, language: str) -> str:
        """The whole line in a language."""
        place = f"{self.file}:{self.line}" if self.line else self.file
        head = self.id if self.id == self.name else f"{self.id} {self.name}"
        kind, number = ("", 0) if self.statement is None else ("-statement", self.statement + 1)
        text = texts.in_language(self.text, language)
        return texts.one_line(texts.say_in(language, f"lint.line{kind}", place=place, head=head, n=number, text=text))


_NAMES = {"HWP010": "unknown-action", "HWP017": "inert-statement"}


def lint_file(file: str, *, text: str | None = None) -> list[Remark]:
    """Everything found in one document, in the order of its lines. PolicyError if it cannot be read at all.

    text: what the file holds, where it has been read already.
    """
    try:
        document = read(file, text=text)
    except PolicyError as error:
        if not error.key and error.statement is None:
            raise
        return [_unreadable(each) for each in problems(file, text=text)]
    return lint(document)


def lint(document: Document) -> list[Remark]:
    """Everything found in a document that was read, in the order of its lines."""
    found = [_remark(document, *problem) for problem in _problems(document)]
    return sorted(found, key=lambda remark: (remark.line or 0, remark.statement or 0))


def _unreadable(error: PolicyError) -> Remark:
    text = (texts.say("policies.key", key=error.key) if error.key else "") + error.problem
    return Remark(id="grammar", name="grammar", file=error.file, line=error.line, statement=error.statement, text=text)


def _remark(document: Document, rule: str, path: Path, text: str) -> Remark:
    number = path[1] if path[:1] == ("Statement",) and len(path) > 1 and isinstance(path[1], int) else None
    line = document.line(path)
    return Remark(id=rule, name=_NAMES.get(rule, rule), file=document.source, line=line, statement=number, text=text)


def _problems(document: Document) -> Iterator[Problem]:
    for check in (*lint_grammar.CHECKS, _unknown_actions, _dead):
        yield from check(document)


def _key(statement: Statement) -> str:
    return "NotAction" if statement.not_action else "Action"


def _unknown_actions(document: Document) -> Iterator[Problem]:
    found = 0
    for statement in document.statements:
        for place, name in enumerate(statement.actions):
            text = _unknown(name, document.version, guess=found < _SUGGESTED)
            if text:
                found += 1
                yield "HWP010", ("Statement", statement.index, _key(statement), place), text


_SUGGESTED = 100  # unknown names of a document that get a "did you mean"; a search through all names each

# Documented, but needed by no call of the tables.
_WITHOUT_CALL = {"iam:agencies:assume", "sts:agencies:assume", "sts::decodeauthorizationmessage"}


def _unknown(name: str, version: str, *, guess: bool = False) -> str | None:
    service = name.partition(":")[0].lower()
    if (version == "1.0" and service == "identity") or name.lower() in _WITHOUT_CALL:
        return None
    if wild(name):
        missing = not wild(service) and actions.all_actions(service) and not actions.covers_any(name)
        return _about(name, "covers-nothing", Phrase("lint.no-documented-action")) if missing else None
    if actions.is_known(name):
        return None
    if not actions.all_actions(service):
        return _about(name, "unknown-action", _meant("no-service", name, guess, service=repr(service)))
    return _about(name, "unknown-action", _meant("no-action", name, guess))


def _about(name: str, key: str, why: Phrase) -> Phrase:
    return Phrase(f"lint.{key}", name=name, why=why)


def _meant(key: str, name: str, guess: bool, **values: str) -> Phrase:
    near = actions.suggest(name) if guess else None
    return Phrase(f"lint.{key}-meant", near=near, **values) if near else Phrase(f"lint.{key}", **values)


def _dead(document: Document) -> Iterator[Problem]:
    """Statements that can never change an answer."""
    first: dict[tuple[str, frozenset[str]], Statement] = {}  # of those that say the same, the first tells it all
    for statement in filter(_is_wide, document.statements):
        first.setdefault((statement.effect, frozenset(map(str.lower, statement.actions))), statement)
    wide = ActionIndex((pattern, statement) for (_, names), statement in first.items() for pattern in names)
    for statement in document.statements:
        covering = _covering(statement, wide)
        tests = (test(statement, document) for test in _DEAD)
        text = (
            _denied_anyway(statement, covering) or _said_before(statement, covering) or next(filter(None, tests), None)
        )
        if text:
            yield "HWP017", ("Statement", statement.index), text


def _is_wide(statement: Statement) -> bool:
    """Does it apply to all that it names, on all resources and without condition?"""
    everywhere = statement.resources is None or (not statement.not_resource and "*" in statement.resources)
    return everywhere and not statement.condition and not statement.principal and not statement.not_action


def _covering(statement: Statement, wide: ActionIndex[Statement]) -> list[Statement]:
    """The wide statements (it may be one of them) that name everything that this one names, in their order."""
    found: dict[int, Statement] | None = None
    for name in () if statement.not_action else statement.actions:
        here = {other.index: other for other in wide.find(name.lower())}
        found = here if found is None else {index: found[index] for index in found.keys() & here.keys()}
        if not found.keys() - {statement.index}:
            return []
    return [found[index] for index in sorted(found)] if found else []


def _denied_anyway(statement: Statement, covering: list[Statement]) -> str | None:
    if statement.effect == "deny":
        return None
    for other in covering:
        if other.effect == "deny":
            return Phrase("lint.denied-anyway", n=other.index + 1)
    return None


def _said_before(statement: Statement, covering: list[Statement]) -> str | None:
    for other in covering:
        if other is statement or other.effect != statement.effect:
            continue
        if other.index < statement.index or not (_is_wide(statement) and _names_all(statement, other)):
            return Phrase(f"lint.repeated-{other.effect}", n=other.index + 1)
    return None


def _names_all(statement: Statement, other: Statement) -> bool:
    exact = {pattern.lower() for pattern in statement.actions}
    wider = [pattern for pattern in statement.actions if wild(pattern)]
    return all(name.lower() in exact or any(covers(pattern, name) for pattern in wider) for name in other.actions)


def _matches_nothing(statement: Statement, document: Document) -> str | None:
    if statement.not_action or any(_unknown(name, document.version) is None for name in statement.actions):
        return None
    return Phrase("lint.unknown-only")


def _no_such_resource(statement: Statement, document: Document) -> str | None:
    particular = statement.resources and not statement.not_resource and "*" not in statement.resources
    if not particular or statement.not_action or any(wild(name) for name in statement.actions):
        return None
    if not all(_without_resource_level(name, document.version) for name in statement.actions):
        return None
    return Phrase("lint.no-resource-level")


@lru_cache(1024)
def _without_resource_level(action: str, version: str) -> bool:
    """By the tables, is a Resource other than * impossible for every call of this action?

    Version 5.0 has other resource types; its tables are known only where they name one.
    """
    from pytest_hwcloud.cloud.calls import tables

    flags = [
        row.more.resource if version != "5.0" or not row.more.types else True
        for service in actions.tables_of(action)
        for row in tables.read(service)[1]
        if action.lower() in (name.lower() for name in (*row.actions, *row.identity))
    ]
    return bool(flags) and all(flag is False for flag in flags)


def _expired(statement: Statement, document: Document) -> str | None:
    from pytest_hwcloud.cloud.policies.conditions import Context, fold

    for test in statement.condition:
        before = test.operator.removesuffix("IfExists") in ("DateLessThan", "DateLessThanEquals")
        if before and fold(test.key) == "g:currenttime" and test.holds(Context()) is False:
            return Phrase("lint.past", test=str(test))
    return None


_DEAD: tuple[Callable[[Statement, Document], str | None], ...] = (
    _matches_nothing,
    _no_such_resource,
    _expired,
)
