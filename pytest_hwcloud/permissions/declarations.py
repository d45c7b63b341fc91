"""What the permission markers of a test declare, and which uses they are about.

A marker speaks of a use by any spelling of the action, and for the identity if it names one.
"""

from __future__ import annotations

import linecache
from collections.abc import Collection, Iterable, Iterator
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.permissions.record import Declaration

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call
    from pytest_hwcloud.permissions.record import Declaration, Use


MARKS = {"requires_permission": "requires", "denied_permission": "denied"}


def declarations(item: pytest.Item) -> list[Declaration]:
    """The permission markers of a test, its own first."""
    found = []
    for node, mark in item.iter_markers_with_node():
        if mark.name in MARKS:
            found.append(_declaration(item, node, mark))
    return found


def _declaration(item: pytest.Item, node: pytest.Item | pytest.Collector | Any, mark: pytest.Mark) -> Declaration:
    given = mark.kwargs
    return Declaration(
        kind=MARKS[mark.name],
        actions=_names(mark.args),
        any_of=_names(given.get("any_of", ())),
        optional=_names(given.get("optional", ())),
        scope=given.get("scope") or "",
        identity=given.get("identity") or "",
        code=given.get("code") or "",
        own=node is item,
        place=place(item) if node is item else _place_of(node),
        node=node.nodeid,
    )


def _names(given: Any) -> tuple[str, ...]:
    return tuple(str(name).strip() for name in given)


def place(item: pytest.Item) -> str:
    """`tests/test_x.py:12` of a test."""
    file, line, _ = item.location
    return f"{file}:{(line or 0) + 1}"


@lru_cache(maxsize=256)
def _place_of(node: Any) -> str:
    file = Path(node.path)
    shown = file.relative_to(node.config.rootpath) if file.is_relative_to(node.config.rootpath) else file
    line = node.reportinfo()[1] if isinstance(node, pytest.Class) else None
    return f"{shown.as_posix()}:{(line or 0) + 1}"


def exact_place(declaration: Declaration, action: str, root: Path) -> str:
    """The line of the marker that names the action, where the source shows it near what it marks."""
    file, _, number = declaration.place.rpartition(":")
    around = dict(_around(root / file, int(number), own=declaration.own))
    named = [line for line, text in around.items() if action in text]
    return f"{file}:{min(named, key=lambda line: abs(line - int(number)))}" if named else declaration.place


def _around(file: Path, start: int, *, own: bool) -> Iterator[tuple[int, str]]:
    """The lines of a test's decorators; for a class or module all lines, as markers of both may stand anywhere."""
    lines = linecache.getlines(str(file))
    for line, text in enumerate(lines, 1):
        if own and line > start and text.lstrip().startswith(("def ", "async def ")):
            return
        if not own or line >= start:
            yield line, text


def identity_of(item: pytest.Item) -> str:
    """The identity of a test: its nearest hwcloud_identity marker, or `default`."""
    mark = item.get_closest_marker("hwcloud_identity")
    return str((*mark.args, *mark.kwargs.values())[0]) if mark else "default"


def names_of(call: Call | None, action: str) -> frozenset[str]:
    """Every name, in lower case, by which a marker may speak of an action that a call needs.

    A call's 5.0 actions open it alone, so a marker may name them in place of its 1.1 actions. Without a call: of the
    action itself, as of a dependency.
    """
    further = call.identity_actions if call is not None else ()
    return frozenset(name.lower() for one in (action, *further) for name in actions.names(one))


def speaks_of(declaration: Declaration, names: Collection[str], identity: str) -> str | None:
    """The action of the marker that is meant, if any is."""
    if declaration.identity and declaration.identity != identity:
        return None
    for action in listed(declaration):
        if action.lower() in names or actions.canonical(action).lower() in names:
            return action
    return None


def listed(declaration: Declaration) -> tuple[str, ...]:
    """All actions that a marker lists."""
    return (*declaration.actions, *declaration.any_of, *declaration.optional)


def is_used(declaration: Declaration, action: str, uses: Iterable[Use]) -> bool:
    """Whether a use is one that the marker means by this action."""
    spelled = {action.lower(), actions.canonical(action).lower()}
    return any(
        declaration.identity in ("", use.identity) and not spelled.isdisjoint(use.names or (use.action.lower(),))
        for use in uses
    )
