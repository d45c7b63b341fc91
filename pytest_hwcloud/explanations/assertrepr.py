"""Comparisons of error codes and error bodies: pytest's own lines, and below them one line for each code."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields, is_dataclass

import pytest

OPERATORS = frozenset(("==", "!=", "in", "not in", "<", "<=", ">", ">=", "is", "is not"))
_MOST = 4  # codes that get a line
_MANY, _DEEP = 200, 6  # items of a container, levels of nesting that are looked at
_LONGEST = 20_000  # characters of a text that may be an error body
_BODY = re.compile(r"\s*(?:[\[{<]|\w+ - \{status_code:)")  # JSON, XML, or the SDK's exceptions as text
_ROOM = 3  # lines of pytest's own that always stay: its summary line, the blank one and the first of the diff
_FOOTER = ["...", "Full output truncated, use '-vv' to show"]


def lines(op: str, left: object, right: object, lang: str = "en") -> list[str]:
    """One line for each known code in the operands; none for operands without codes."""
    if op not in OPERATORS:
        return []
    found = dict.fromkeys(code for operand in (left, right) for code in _codes(operand, 0))
    if not found:
        return []
    from pytest_hwcloud.explanations.explanation import code_line

    shown = dict.fromkeys(line for code in found if (line := code_line(code, lang)))
    return list(shown)[:_MOST]


def composed(
    config: pytest.Config, comparison: tuple[str, object, object], own: list[str], ours: list[str]
) -> list[str]:
    """pytest's lines (or another plugin's) with ours below, short enough that pytest cuts neither."""
    op, left, right = comparison
    first = own or [f"{_repr(left)} {op} {_repr(right)}"]
    return [*_within(first, ours, *_limits(config)), "", *ours]


def _codes(value: object, depth: int) -> Iterator[str]:
    """Every text in a value that may be a code, and the codes of error bodies."""
    if depth > _DEEP:
        return
    match value:
        case str():
            yield from _in_text(value)
        case bytes() | BaseException():
            yield from _told(value)
        case Mapping():
            for key, one in list(value.items())[:_MANY]:
                yield from _codes(key, depth + 1)
                yield from _codes(one, depth + 1)
        case list() | tuple() | set() | frozenset():
            for one in _sample(value):
                yield from _codes(one, depth + 1)
        case _ if is_dataclass(value) and not isinstance(value, type):
            for field in fields(value):
                yield from _codes(getattr(value, field.name, None), depth + 1)


def _sample(values: Collection[object]) -> list[object]:
    found = list(values)[:_MANY]
    # The order of a set of texts changes from run to run; that of the lines must not.
    return sorted(found, key=str) if isinstance(values, (set, frozenset)) else found


def _in_text(text: str) -> Iterator[str]:
    if (len(text) <= 60 and "." in text) or text.isidentifier():
        yield text
    elif len(text) <= _LONGEST and _BODY.match(text):
        yield from _told(text)


def _told(body: object) -> Iterator[str]:
    from pytest_hwcloud.cloud.failures import read

    failure = read(body)
    waiting = [failure] if failure else []
    while waiting:
        one = waiting.pop(0)
        if one.code:
            yield one.code
        waiting.extend(one.causes)


def _repr(value: object) -> str:
    from reprlib import Repr

    short = Repr()
    short.maxstring = short.maxother = 60
    return short.repr(value)


def _limits(config: pytest.Config) -> tuple[int, int]:
    """Lines and characters that pytest shows of a comparison; 0 for no limit."""
    if config.get_verbosity(pytest.Config.VERBOSITY_ASSERTIONS) >= 2 or os.environ.get("CI") or _is_build():
        return 0, 0
    lines_, characters = config.getini("truncation_limit_lines"), config.getini("truncation_limit_chars")
    return (8 if lines_ is None else int(lines_)), (640 if characters is None else int(characters))


def _is_build() -> bool:
    return bool(os.environ.get("BUILD_NUMBER"))


def _within(own: list[str], ours: list[str], most: int, characters: int) -> list[str]:
    """As many of pytest's own lines as fit above ours."""
    room = max(_ROOM, most - len(ours) - 1) if most else len(own)
    kept = own if len(own) <= room else [*own[: room - 1], "".join(_FOOTER)]
    spare = characters - sum(map(len, ours)) - len(kept[0]) if characters else 0
    if not characters or sum(map(len, kept[1:])) <= spare:
        return kept
    return [kept[0], *_shortened(kept[1:], max(spare, 80))]


def _shortened(kept: list[str], spare: int) -> list[str]:
    each = max(20, spare // max(1, len(kept)) - 3)
    return [line if len(line) <= each else line[:each] + "..." for line in kept]
