"""Where in a JSON text a value stands, asked only when something is wrong with it."""

from __future__ import annotations

import json
import re
from bisect import bisect_left
from functools import lru_cache

_SPACE = re.compile(r"[\s,:]*")
Path = tuple[str | int, ...]


def line(text: str, path: Path) -> int:
    """The line (from 1) of the value at this path, or of the nearest thing above it that exists."""
    return bisect_left(_line_feeds(text), offset(text, path)) + 1


@lru_cache(maxsize=4)
def _line_feeds(text: str) -> tuple[int, ...]:
    """Where the lines end: found once, as thousands of places in one text may be asked for."""
    return tuple(match.start() for match in re.finditer("\n", text))


def offset(text: str, path: Path) -> int:
    """Where the value at this path begins, or the nearest thing above it that exists."""
    place = _skip(text, 0)
    for step in path:
        found = _member(text, place, step) if text[place : place + 1] == "{" else _item(text, place, step)
        if found is None:
            break
        place = found
    return place


def line_of_key(text: str, key: str) -> int:
    """The line of the last place where this key is written."""
    place = text.rfind(json.dumps(key, ensure_ascii=False))
    return text.count("\n", 0, max(place, 0)) + 1


def _skip(text: str, place: int) -> int:
    found = _SPACE.match(text, place)
    return found.end() if found else place


def _after(text: str, place: int) -> int:
    return int(json.JSONDecoder().raw_decode(text, place)[1])


def _member(text: str, place: int, step: str | int) -> int | None:
    place = _skip(text, place + 1)
    while text[place : place + 1] == '"':
        key, place = json.JSONDecoder().raw_decode(text, place)
        place = _skip(text, place)
        if key == step:
            return place
        place = _skip(text, _after(text, place))
    return None


def _item(text: str, place: int, step: str | int) -> int | None:
    if text[place : place + 1] != "[" or not isinstance(step, int):
        return None
    items = _items(text, place)
    return items[step] if step < len(items) else None


@lru_cache(maxsize=4)
def _items(text: str, place: int) -> tuple[int, ...]:
    """Where the items of an array begin: found once, as an array of thousands is asked about each of them."""
    found = []
    place = _skip(text, place + 1)
    while place < len(text) and text[place] != "]":
        found.append(place)
        place = _skip(text, _after(text, place))
    return tuple(found)
