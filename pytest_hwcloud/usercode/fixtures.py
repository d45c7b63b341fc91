"""The fixtures of a test: the definitions in its closure, in pytest's words."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from pathlib import Path

import pytest


def definitions_by_name(item: pytest.Item) -> Mapping[str, list[pytest.FixtureDef[object]]]:
    """Name -> the definitions that may be meant by it, the outermost first; empty for a test without a closure."""
    found: Mapping[str, object] = getattr(getattr(item, "_fixtureinfo", None), "name2fixturedefs", {})
    return {
        name: [one for one in several if isinstance(one, pytest.FixtureDef)]
        for name, several in found.items()
        if isinstance(several, tuple | list)
    }


def definitions(item: pytest.Item) -> Iterator[pytest.FixtureDef[object]]:
    """All of them."""
    for several in definitions_by_name(item).values():
        yield from several


def cleans_up(definition: pytest.FixtureDef[object]) -> bool:
    """Whether a fixture of the user's has a teardown."""
    return _is_users_generator(definition.func, definition.argname.startswith("_xunit"))


@lru_cache(maxsize=1024)
def _is_users_generator(function: Callable[..., object], by_class: bool) -> bool:
    inner = inspect.unwrap(function)
    module = getattr(inner, "__module__", "") or ""
    if module.startswith(("_pytest", "pytest_hwcloud")) and not by_class:
        return False
    return inspect.isgeneratorfunction(inner) or inspect.isasyncgenfunction(inner)


def project_file(definition: pytest.FixtureDef[object], root: Path) -> Path:
    """The file of the project that a fixture belongs to: its own, or conftest.py for one of an installed plugin."""
    code = getattr(inspect.unwrap(definition.func), "__code__", None)
    file = Path(code.co_filename if code else "")
    return file if file.is_relative_to(root) and "site-packages" not in file.parts else root / "conftest.py"
