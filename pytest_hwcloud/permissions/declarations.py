"""What the permission markers of a test say, each with the test, class or module that carries it."""

from __future__ import annotations

import linecache
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import pytest

from pytest_hwcloud.permissions.record import Declaration

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
