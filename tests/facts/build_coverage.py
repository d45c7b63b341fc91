"""The table of what is covered, for the guide: what is known of the calls of each service."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

HEADS = {
    "en": """\
# What is covered

Every operation of the official SDK packages is known by service, scope, operation and path. What a call needs is known
where a public document says it; IAM itself knows the rest, and `pytest-hwcloud actions refresh SERVICE` asks it.

This table is generated (`python tests/facts/build.py`). *1.1*: calls whose action for roles and policies is documented;
*5.0*: whose action for identity policies is; *none needed*: documented as needing no permission; *not documented*: no
document read says what they need (HWP011). A call that is an operation of several requests counts once for each.

| service | calls | 1.1 | 5.0 | none needed | not documented |
|---|---|---|---|---|---|
""",
    "zh": """\
# 覆盖范围

官方 SDK 各软件包的每个操作都已知其服务、作用范围、操作名和路径。调用所需的权限，只有公开文档写明时才是已知的；
其余信息 IAM 自身知道，可用 `pytest-hwcloud actions refresh SERVICE` 查询。

下表为自动生成（`python tests/facts/build.py`）。*1.1*：角色和策略的授权项有文档的调用；
*5.0*：身份策略的授权项有文档的调用；*无需权限*：文档写明不需要权限；*无文档*：没有文档说明需要什么权限（HWP011）。对应多个请求的操作，按请求分别计数。

| 服务 | 调用 | 1.1 | 5.0 | 无需权限 | 无文档 |
|---|---|---|---|---|---|
""",
}
ALL = {"en": "all", "zh": "合计"}


def text(tables: Iterable[str], language: str = "en") -> str:
    """The page. tables: the text of every compiled table."""
    rows = [counts(table) for table in tables]
    total = [sum(int(row[column]) for row in rows) for column in range(1, 6)]
    lines = [line(row) for row in sorted(rows)] + [
        line([f"**{ALL[language]}**", *(f"**{number}**" for number in total)])
    ]
    return HEADS[language] + "\n".join(lines) + "\n"


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
