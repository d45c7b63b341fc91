"""The four markers: their arguments are checked when tests are collected."""

from __future__ import annotations

import inspect
import os
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud.cloud.calls import actions as names

if TYPE_CHECKING:
    from pytest_hwcloud.run.context import RunContext
    from pytest_hwcloud.run.routers import Routers


class MarkerError(ValueError):
    """A marker with a wrong argument."""


def _hwcloud_cassette(*names: str) -> None: ...
def _requires_permission(
    *actions: str,
    any_of: Iterable[str] = (),
    optional: Iterable[str] = (),
    scope: str | None = None,
    identity: str | None = None,
    reason: str | None = None,
) -> None: ...
def _denied_permission(*actions: str, code: str | None = None, identity: str | None = None) -> None: ...
def _hwcloud_identity(name: str) -> None: ...


_SIGNATURES = {
    function.__name__.lstrip("_"): inspect.signature(function)
    for function in (_hwcloud_cassette, _requires_permission, _denied_permission, _hwcloud_identity)
}


def problems(item: pytest.Item, context: RunContext, routers: Routers) -> Iterator[str]:
    """One line for each marker of this test that cannot be used: where, which, what is wrong, and the way out."""
    for mark in item.iter_markers():
        if mark.name in _SIGNATURES:
            try:
                _check(mark, item, context, routers)
            except (ValueError, TypeError) as error:
                yield f"{place(item)}: @pytest.mark.{mark.name}: {error}"


def place(item: pytest.Item) -> str:
    """tests/test_x.py:12 for a test."""
    file, line, _ = item.location
    return f"{file}:{(line or 0) + 1}"


def _check(mark: pytest.Mark, item: pytest.Item, context: RunContext, routers: Routers) -> None:
    bound = _SIGNATURES[mark.name].bind(*mark.args, **mark.kwargs).arguments
    match mark.name:
        case "hwcloud_cassette":
            _check_cassettes(mark.args, item, routers)
        case "hwcloud_identity":
            context.state.identity(_text("name", bound["name"]))
        case _:
            _check_permission(mark.name, bound, context)


def _check_cassettes(given: tuple[object, ...], item: pytest.Item, routers: Routers) -> None:
    if not given:
        raise MarkerError('name a cassette, for instance "authorization/aksk-without-permission"')
    for name in given:
        routers.tape_path(_text("cassette name", name), item)


def _check_permission(marker: str, bound: dict[str, object], context: RunContext) -> None:
    groups = {key: bound.get(key, ()) for key in ("actions", "any_of", "optional")}
    for key, group in groups.items():
        if isinstance(group, str) or not isinstance(group, Iterable):
            hint = f"; write {key}=[{group!r}]" if isinstance(group, str) else ""
            raise MarkerError(f"{key} is a list of action names, not {group!r}{hint}")
        check_actions("", tuple(group))
    if not any(groups.values()):
        raise MarkerError('name an action, for instance "ecs:cloudServers:list"')
    if bound.get("scope") not in (None, "project", "domain"):
        raise MarkerError(f"scope is 'project' or 'domain', not {bound['scope']!r}")
    if bound.get("identity") is not None:
        context.state.identity(_text("identity", bound["identity"]))


def check_actions(what: str, given: Iterable[object]) -> None:
    """MarkerError for a name that is no action: wrong form, a wildcard (with what it covers), or unknown."""
    for action in given:
        problem = _action_problem(_text("action", action))
        if problem:
            raise MarkerError(f"{what}: {problem}" if what else problem)


def _action_problem(action: str) -> str | None:
    try:
        parsed = names.parse(action)
    except names.ActionError as error:
        return str(error)
    if parsed.wildcard:
        return _expanded(action)
    if names.is_known(action) or not names.all_actions(parsed.service):
        return None  # of a service without a table nothing is known, so nothing is guessed
    guess = names.suggest(action)
    return f"HWP010 unknown-action {action}: no such action is documented" + (
        f"; did you mean {guess}?" if guess else ""
    )


def _expanded(pattern: str) -> str:
    found = names.expand(pattern)
    shown = ", ".join(found[:6]) + (f" and {len(found) - 6} more" if len(found) > 6 else "")
    return f"{pattern}: a marker names actions one by one, wildcards are for policies" + (
        f"; it covers {shown}" if found else ""
    )


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        raise MarkerError(
            f"{what} is a text, not {os.fspath(value) if isinstance(value, os.PathLike) else repr(value)}"
        )
    return value


def identity_of(item: pytest.Item) -> str:
    """The identity of a test: its nearest hwcloud_identity marker, or `default`."""
    mark = item.get_closest_marker("hwcloud_identity")
    return str((*mark.args, *mark.kwargs.values())[0]) if mark else "default"
