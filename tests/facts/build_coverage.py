"""The table of what is covered, for the guide: what is known of the calls of each service."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

HEAD = """\
# What is covered

Every operation of the official SDK packages is known by service, scope, operation and path. What a call needs is known
where a public document says it; IAM itself knows the rest, and `pytest-hwcloud actions refresh SERVICE` asks it.

This table is generated (`python tests/facts/build.py`). *1.1*: calls whose action for roles and policies is documented;
*5.0*: whose action for identity policies is; *none needed*: documented as needing no permission; *not documented*: no
document read says what they need (HWP011). A call that is an operation of several requests counts once for each.

| service | calls | 1.1 | 5.0 | none needed | not documented |
|---|---|---|---|---|---|
"""


def text(tables: Iterable[str]) -> str:
    """The page. tables: the text of every compiled table."""
    rows = [counts(table) for table in tables]
    total = [sum(int(row[column]) for row in rows) for column in range(1, 6)]
    lines = [line(row) for row in sorted(rows)] + [line(["**all**", *(f"**{number}**" for number in total)])]
    return HEAD + "\n".join(lines) + "\n"


def counts(table: str) -> list[str]:
    """Service, calls, with 1.1, with 5.0, none needed, not documented."""
    head, *lines = map(json.loads, table.splitlines())
    kinds = [kind(row) for row in rows(lines)]
    old, new = sum("1.1" in each for each in kinds), sum("5.0" in each for each in kinds)
    free, silent = sum("free" in each for each in kinds), sum(not each for each in kinds)
    return [head["service"], *map(str, (len(kinds), old, new, free, silent))]


def rows(lines: Iterable[list]) -> Iterator[list]:
    for key, *entries in lines:
        yield from entries if key != "sources" else ()


def kind(row: list) -> set[str]:
    _, _, old, new, _, more = [*row, *[None] * (6 - len(row))]
    found = {name for name, actions in (("1.1", old), ("5.0", new)) if actions}
    return found or ({"free"} if (more or {}).get("free") else set())


def line(cells: list[str]) -> str:
    return "| " + " | ".join(cells) + " |"
