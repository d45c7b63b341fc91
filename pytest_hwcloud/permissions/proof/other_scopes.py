"""Tokens of another scope, in place of those that a test asks for: the second half of the proof."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import Scope, domain_scope
from pytest_hwcloud.journal import Exchange

OtherScope = Callable[[Identity, Scope], Scope]


def speaks_for_project(exchanges: Iterable[Exchange], tokens: Collection[str]) -> bool:
    """Whether a regional service was called, and not refused, with a project's token that the fixtures gave out."""
    return bool(tokens) and any(
        exchange.token is not None
        and exchange.token.value in tokens
        and exchange.token.scope.kind == "project"
        and exchange.gate is None
        and exchange.call.scope == "regional"
        for exchange in exchanges
        if exchange.fixture is None
    )


def _domain(identity: Identity, scope: Scope) -> Scope:
    return domain_scope(identity) if scope.kind == "project" else scope


def _other_project(identity: Identity, scope: Scope) -> Scope:
    """Another project of the identity; of one that has no other, a project that it does not know."""
    if scope.kind != "project":
        return scope
    for name, number in sorted(identity.projects.items()):
        if number != scope.id:
            return Scope("project", number, name)
    return Scope("project", scope.id[::-1] if scope.id != scope.id[::-1] else f"0{scope.id}", "another-project")


SCOPES: dict[str, OtherScope] = {"scope:domain-token": _domain, "scope:other-project": _other_project}
