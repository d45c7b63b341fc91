"""The values that expressions name in a frame, found without running any of the user's code."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import FrameType

_MANY = 50  # elements of a container that are looked at
_MISSING = object()


def named(nodes: Iterator[ast.AST], frame: FrameType, among: frozenset[str]) -> Iterator[object]:
    """The values of these names, of their plain attributes and constant subscripts; of `self.r.ok` that of `self.r`."""
    inner: set[int] = set()
    for node in nodes:
        if id(node) in inner:
            continue
        chain = _chain(node)
        if chain and chain[0].id in among:
            name, links = chain
            inner.update(map(id, (name, *links)))
            yield from _values(name.id, links, frame)


def temporaries(frame: FrameType) -> Iterator[object]:
    """What pytest's assertion rewriting left of the sub-expressions of the assert that failed."""
    # Rewriting sets them to None after each assert that passed, so that they are this assert's.
    for name, value in frame.f_locals.items():
        if name.startswith("@py_assert") and value is not None:
            yield from opened(value)


def opened(value: object) -> Iterator[object]:
    """A value, and the elements of a list, tuple, set or dict."""
    yield value
    if isinstance(value, (list, tuple, set, frozenset)):
        yield from list(value)[-_MANY:]
    elif isinstance(value, dict):
        yield from list(value.values())[-_MANY:]


def _chain(node: ast.AST) -> tuple[ast.Name, list[ast.AST]] | None:
    """`a.b[0].c` as its name and the three links behind it; None for anything else."""
    links: list[ast.AST] = []
    while isinstance(node, (ast.Attribute, ast.Subscript)):
        links.append(node)
        node = node.value
    if not isinstance(node, ast.Name) or not isinstance(node.ctx, ast.Load):
        return None
    return node, links[::-1]


def _values(name: str, links: list[ast.AST], frame: FrameType) -> Iterator[object]:
    value = frame.f_locals.get(name, frame.f_globals.get(name, _MISSING))
    for link in links:
        deeper = _step(value, link)
        if deeper is _MISSING:
            break
        if not isinstance(value, (list, tuple, dict)):  # of a container only what is picked from it
            yield value
        value = deeper
    if value is not _MISSING:
        yield from opened(value)


def _step(value: object, link: ast.AST) -> object:
    """One link further, by plain look-up only: no property and no __getattr__ runs."""
    if isinstance(link, ast.Attribute):
        try:
            return object.__getattribute__(value, "__dict__").get(link.attr, _MISSING)
        except AttributeError:
            return _MISSING
    assert isinstance(link, ast.Subscript)
    try:
        key = ast.literal_eval(link.slice)
        return value[key] if isinstance(value, (list, tuple, dict)) else _MISSING
    except (ValueError, LookupError, TypeError, SyntaxError):
        return _MISSING
