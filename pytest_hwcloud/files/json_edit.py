"""Small edits of a JSON text that leave everything else as it is written: white space, order, line ends."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

from pytest_hwcloud.files.json_positions import Path, offset

_BLANK = re.compile(r"\s*")
_COMMA = re.compile(r"\s*,\s*")


def extent(text: str, path: Path) -> tuple[int, int]:
    """Where the value at this path begins and ends."""
    start = offset(text, path)
    return start, json.JSONDecoder().raw_decode(text, start)[1]


def replace(text: str, path: Path, value: object) -> str:
    """The text with another value there."""
    start, end = extent(text, path)
    return text[:start] + _dumped(value) + text[end:]


def append(text: str, path: Path, value: object) -> str:
    """The text with one more item in the list at this path; a single text there becomes a list."""
    start, end = extent(text, path)
    if text[start] != "[":
        return f"{text[:start]}[{text[start:end]}, {_dumped(value)}]{text[end:]}"
    items = list(_items(text, start))
    if not items:
        return text[: start + 1] + _dumped(value) + text[end - 1 :]
    between = _between(text, start, items)
    written = _laid_out(value, text[slice(*items[-1])], between)
    return text[: items[-1][1]] + between + written + text[items[-1][1] :]


def remove(text: str, path: Path, index: int) -> str:
    """The text without one item of the list at this path."""
    items = list(_items(text, offset(text, path)))
    if len(items) == 1:
        start, end = items[0]
    elif index < len(items) - 1:
        start, end = items[index][0], items[index + 1][0]
    else:
        start, end = items[index - 1][1], items[index][1]
    return text[:start] + text[end:]


def _items(text: str, start: int) -> Iterator[tuple[int, int]]:
    place = _skip(text, start + 1)
    while text[place] != "]":
        end = json.JSONDecoder().raw_decode(text, place)[1]
        yield place, end
        comma = _COMMA.match(text, end)
        place = comma.end() if comma else _skip(text, end)


def _skip(text: str, place: int) -> int:
    blank = _BLANK.match(text, place)
    return blank.end() if blank else place


def _between(text: str, start: int, items: list[tuple[int, int]]) -> str:
    """What stands between two items: as between the last two, or as in front of the only one."""
    if len(items) > 1:
        return text[items[-2][1] : items[-1][0]]
    front = text[start + 1 : items[0][0]]
    return "," + (front if "\n" in front else " ")


def _laid_out(value: object, model: str, between: str) -> str:
    """A value written over as many lines as the item before it."""
    if "\n" not in model or not isinstance(value, dict):
        return _dumped(value)
    indent = between.rpartition("\n")[2]
    inner = re.search(r"\n([ \t]*)", model)
    step = (inner[1] if inner else "").removeprefix(indent) or "  "
    newline = "\r\n" if "\r\n" in model else "\n"
    rows = [f"{indent}{step}{json.dumps(key)}: {_dumped(item)}" for key, item in value.items()]
    return "{" + newline + f",{newline}".join(rows) + newline + indent + "}"


def _dumped(value: object) -> str:
    return json.dumps(value, ensure_ascii=False)
