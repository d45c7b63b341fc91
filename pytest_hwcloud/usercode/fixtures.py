"""The fixtures of a test: the definitions in its closure, in pytest's words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

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
