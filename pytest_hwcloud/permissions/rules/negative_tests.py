"""Is this a negative test? What its source says of a refusal that it got, in two strengths.

A sign: the code or status of the refusal in the source of the test or of the functions and fixtures it uses, a word
such as "denied", an assertion that the answer is not ok. An assertion: the same code or status, or "not ok", in the
test or its fixtures themselves; code that it calls does not count, which may swallow the refusal. A recorded refusal
with a sign is no finding (HWP013), and a refusal that a green test asserts is none of any rule, unless a marker of the
test says that it needs the permission.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from types import FunctionType

import pytest

from pytest_hwcloud.permissions.declarations import speaks_of
from pytest_hwcloud.permissions.record import TestRecord, Use
from pytest_hwcloud.usercode.call_site import is_users
from pytest_hwcloud.usercode.fixtures import definitions

Row = Mapping[str, str]

_NOT_OK = r"\bnot .*\.ok\b|\.ok (?:is|==) False|assertFalse\(.*\.ok\b"
_ASSERTED = re.compile(_NOT_OK)
_SIGNS = re.compile(
    r"deny|denied|denial|forbid|refus|unauthori|reject|\braises\b|assertRaises|explain\("
    rf"|{_NOT_OK}|assertFalse|status_code *(?:!=|>)|assert.*(?:error|fail)",
    re.IGNORECASE,
)
_DEEPEST = 3  # functions called by functions called by the test


def mark(record: TestRecord, item: pytest.Item) -> None:
    """Refusals of a green test that it asserts are expected ones from now on."""
    if record.outcome != "passed":
        return
    own = ""
    for row in record.refusals:
        if not row["expected"]:
            own = own or _own(item)
            if _is_asserted(row, own) and not _is_declared(record, row):
                row["expected"] = "yes"
    asked = {_key(row) for row in record.refusals if row["expected"]}
    record.uses = [replace(use, expected=True) if use.refused and _of(use) in asked else use for use in record.uses]


def _is_asserted(row: Row, own: str) -> bool:
    return bool(_ASSERTED.search(own)) or _has(row, own)


def _is_declared(record: TestRecord, row: Row) -> bool:
    uses = [use for use in record.uses if use.refused and _of(use) == _key(row)]
    needed = [one for one in record.declared if one.kind == "requires"]
    return any(speaks_of(one, use.names, use.identity) is not None for one in needed for use in uses)


def _key(row: Row) -> tuple[str, ...]:
    return row["call"], row["gate"], row["code"], row["identity"]


def _of(use: Use) -> tuple[str, ...]:
    return use.call, use.gate, use.code, use.identity


def shows_a_sign(row: Row, item: pytest.Item) -> bool:
    """Whether the test shows any sign that it knows of this refusal."""
    own = _own(item)
    return bool(_SIGNS.search(own)) or _has(row, own + "".join(map(_source, _called(list(_functions(item))))))


def _has(row: Row, source: str) -> bool:
    """Whether its code or status is in a source."""
    return any(re.search(rf"\b{re.escape(sign)}\b", source) for sign in (row["code"], row["status"]) if sign)


def _own(item: pytest.Item) -> str:
    return "\n".join([item.name, *(_source(function) for function in _functions(item))])


def _functions(item: pytest.Item) -> Iterator[FunctionType]:
    """The test and what prepares it: its own fixtures, setUp."""
    kind = getattr(item, "cls", None)
    given = [getattr(item, "function", None), *(getattr(kind, name, None) for name in ("setUp", "setup_method"))]
    given += [one.func for one in definitions(item)]
    for function in given:
        plain = inspect.unwrap(getattr(function, "__func__", function)) if function is not None else None
        if isinstance(plain, FunctionType) and is_users(plain.__code__.co_filename):
            yield plain


def _called(functions: list[FunctionType]) -> Iterator[FunctionType]:
    """The user's functions, and the methods of the user's classes, that these name."""
    seen, level = set(functions), functions
    for _ in range(_DEEPEST):
        found = {one for function in level for one in _named(function)} - seen
        seen |= found
        yield from found
        level = list(found)


def _named(function: FunctionType) -> Iterator[FunctionType]:
    for name in function.__code__.co_names:
        value = function.__globals__.get(name)
        members = vars(value).values() if isinstance(value, type) else (value,)
        yield from (one for one in members if isinstance(one, FunctionType) and is_users(one.__code__.co_filename))


@lru_cache(maxsize=256)
def _source(function: FunctionType) -> str:
    try:
        return inspect.getsource(function)
    except (OSError, TypeError, SyntaxError):
        return ""
