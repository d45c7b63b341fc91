"""Grammar and limits of policy documents, by version."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches

from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.patterns import wild
from pytest_hwcloud.cloud.policies.documents import Document, Statement
from pytest_hwcloud.texts import Phrase

Path = tuple[str | int, ...]
Problem = tuple[str, Path, str]  # rule, place, text
_SIZE = 6144
# The strict column of the 1.1 limits, with the code of IAM's validator.
_LIMITS: dict[str, tuple[int, str]] = {
    "statements": (8, "IAM.1028"),
    "actions": (100, "IAM.1033"),
    "resources": (10, "IAM.1040"),
    "operators": (10, "IAM.1050"),
    "keys": (10, "IAM.1054"),
}
_ACTION, _RESOURCE, _VALUE = (128, "IAM.1034"), (1500, "IAM.1042"), (1024, "IAM.1056")


def _statement_grammar(document: Document) -> Iterator[Problem]:
    for statement, raw in _pairs(document):
        place: Path = ("Statement", statement.index)
        for key, versions, text in _ONLY_IN:
            if key in raw and document.version not in versions:
                yield "grammar", (*place, key), Phrase(f"lint.{text}", key=key)
        for key in ("Action", "NotAction", "Resource", "NotResource"):
            if isinstance(raw.get(key), str):
                yield "grammar", (*place, key), Phrase("lint.list", key=key, text=raw[key])


_ONLY_IN = (
    ("NotAction", ("1.1", "5.0"), "not-in-1"),  # IAM.1030: 1.1 has it
    ("NotResource", ("5.0",), "not-in-1"),
    ("Sid", ("5.0",), "not-in-1"),
    ("Principal", (), "trust-only"),
    ("NotPrincipal", (), "trust-only"),
)


def _pairs(document: Document) -> Iterator[tuple[Statement, Mapping[str, object]]]:
    listed = document.raw["Statement"]
    if isinstance(listed, list):
        yield from zip(document.statements, listed, strict=True)


def _no_statement(document: Document) -> Iterator[Problem]:
    if not document.statements:
        yield "grammar", ("Statement",), Phrase("lint.no-statement")


def _action_grammar(document: Document) -> Iterator[Problem]:
    for statement in document.statements:
        key = "NotAction" if statement.not_action else "Action"
        for place, name in enumerate(statement.actions):
            if document.version != "1.0" and (text := _wrong_action(key, name, document.version)):
                yield "grammar", ("Statement", statement.index, key, place), text


def _wrong_action(key: str, name: str, version: str) -> str | None:
    if name.count(":") != 2:
        return Phrase("lint.three-parts", key=key, name=name, version=version)
    if "?" in name:
        return Phrase("lint.only-star", key=key, name=name)
    if wild(name.partition(":")[0]) and not name.startswith("*:"):
        return Phrase("lint.wild-service", key=key, name=name)
    return None


def _resource_grammar(document: Document) -> Iterator[Problem]:
    for statement, raw in _pairs(document):
        key = "NotResource" if statement.not_resource else "Resource"
        if isinstance(raw.get(key), Mapping):
            continue
        for place, text in enumerate(statement.resources or ()):
            if text != "*" and (text.count(":") < 4 or text.startswith("arn:")):
                kind = "arn" if text.startswith("arn:") else "five-parts"
                problem = Phrase(f"lint.{kind}", key=key, text=text)
                yield "grammar", ("Statement", statement.index, key, place), problem


def _condition_grammar(document: Document) -> Iterator[Problem]:
    for statement in document.statements:
        for test in statement.condition:
            path: Path = ("Statement", statement.index, "Condition", test.operator, test.key)
            if problem := _wrong_key(test.key):
                yield "grammar", path, problem
            if "Like" in test.operator and any(wild(value) for value in test.values):
                matching = test.operator.replace("Like", "Match").replace("AnyOf", "")
                text = Phrase("lint.like", operator=test.operator, matching=matching)
                yield "grammar", path, text


# The global keys that the documents name; more may exist, so only what is nearly one of them is reported.
_GLOBAL = (
    *("CurrentTime", "DomainId", "DomainName", "EnterpriseProjectId", "MFAAge", "MFAPresent", "PrincipalTag"),
    *("ProjectName", "RequestTag", "RequestedRegion", "ResourceTag", "ServiceName", "SourceIp", "TagKeys"),
    *("UserId", "UserName"),
)


def _wrong_key(key: str) -> str | None:
    prefix, colon, rest = key.partition(":")
    if not colon or not prefix or not rest:
        return Phrase("lint.key-prefix", key=key, near=f"g:{key.strip(':') or 'UserName'}")
    name = rest.partition("/")[0]
    known = {one.lower(): one for one in _GLOBAL}
    if prefix.lower() != "g" or name.lower() in known:
        return None
    near = get_close_matches(name.lower(), known, 1, 0.8)
    return Phrase("lint.key-unknown", key=key, near=f"g:{known[near[0]]}") if near else None


def _depends(document: Document) -> Iterator[Problem]:
    if "Depends" in document.raw and document.version != "1.0":
        yield "grammar", ("Depends",), Phrase("lint.depends-only-roles")


def _mixed_scopes(document: Document) -> Iterator[Problem]:
    """One custom policy must not name actions of global and of project-level services (two policies are needed)."""
    if document.version != "1.1" or document.source.startswith("system:"):
        return
    scopes: dict[str, str] = {}
    for statement in document.statements:
        for name in statement.actions:
            service = name.partition(":")[0].lower()
            scopes.setdefault(_scope(service), service)
    if "global" in scopes and "regional" in scopes:
        text = Phrase("lint.mixed", global_=scopes["global"], regional=scopes["regional"])
        yield "grammar", ("Statement",), text


def _scope(service: str) -> str:
    from pytest_hwcloud.cloud.endpoints import service_scope

    return service_scope(service) if not wild(service) and actions.all_actions(service) else "unknown"


def _limits(document: Document) -> Iterator[Problem]:
    if document.version != "1.1" or document.source.startswith("system:"):
        return
    size = len(json.dumps(document.raw, ensure_ascii=False, separators=(",", ":")))
    if size > _SIZE:
        yield "limit", (), Phrase("lint.size", n=size, most=_SIZE, code="IAM.1021")
    yield from _over("statements", len(document.statements), ("Statement",))
    for statement in document.statements:
        yield from _statement_limits(statement, ("Statement", statement.index))


def _statement_limits(statement: Statement, place: Path) -> Iterator[Problem]:
    keys: dict[str, int] = {}
    for test in statement.condition:
        keys[test.operator] = keys.get(test.operator, 0) + 1
        yield from _too_long(test.values, _VALUE, (*place, "Condition", test.operator, test.key))
    yield from _over("actions", len(statement.actions), place)
    yield from _over("resources", len(statement.resources or ()), place)
    yield from _over("operators", len(keys), place)
    yield from _over("keys", max(keys.values(), default=0), place)
    yield from _too_long(statement.actions, _ACTION, place)
    yield from _too_long(statement.resources or (), _RESOURCE, place)


def _over(what: str, count: int, path: Path) -> Iterator[Problem]:
    most, code = _LIMITS[what]
    if count > most:
        yield "limit", path, Phrase(f"lint.most-{what}", n=count, most=most, code=code)


def _too_long(texts: tuple[str, ...], limit: tuple[int, str], path: Path) -> Iterator[Problem]:
    most, code = limit
    for text in texts:
        if len(text) > most:
            yield "limit", path, Phrase("lint.too-long", text=text[:40], n=len(text), most=most, code=code)


CHECKS: tuple[Callable[[Document], Iterator[Problem]], ...] = (
    _no_statement,
    _statement_grammar,
    _action_grammar,
    _resource_grammar,
    _condition_grammar,
    _depends,
    _mixed_scopes,
    _limits,
)
