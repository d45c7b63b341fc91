"""Is this a negative test? How its source treats a refusal that it got, in two strengths.

A sign: the code or status of the refusal in the source of the test or of the functions and fixtures it uses, a word
such as "denied", an assertion that the answer is not ok. An assertion: the same code or status, or "not ok", in the
test or its fixtures themselves; code that it calls does not count, which may swallow the refusal. A recorded refusal
with a sign is no finding (HWP013), and a refusal that a green test asserts is none of any rule, unless a marker of the
test declares that it needs the permission.

HWP013: a test is green although a call of it was answered with a recorded refusal that was not asked for. Asked for is
what is marked so in the record (pytest.raises, hwcloud.refused, denied_permission), what the cassette claims
(`metadata.expects`, as the shipped ones do), and what the test shows any sign of. A call that was answered at last (a
retry with a new token) is no finding. In doubt there is none.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from functools import lru_cache
from types import FunctionType

import pytest

from pytest_hwcloud.permissions.declarations import speaks_of
from pytest_hwcloud.permissions.finding import Finding, labelled, placed
from pytest_hwcloud.permissions.record import TestRecord, Use
from pytest_hwcloud.texts import Phrase
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


Claims = Callable[[pytest.Item], Mapping[str, Mapping[str, object]]]

_GATES = ("authentication", "scope", "authorization")
_OURS = ("gate", "identity service", "not recorded", "live")  # sources that are no cassette


def judge(record: TestRecord, item: pytest.Item, claims: Claims) -> Iterator[Finding]:
    """The findings of a test that passed. claims: cassette -> what it is about by its metadata."""
    if record.outcome != "passed":
        return
    answered = {use.call for use in record.uses if not use.refused}
    rows = [row for row in record.refusals if _is_recorded(row) and not row["expected"] and row["call"] not in answered]
    for row in {(row["source"], row["code"], row["call"]): row for row in reversed(rows)}.values():
        if not _claimed(row, claims(item)) and not shows_a_sign(row, item):
            yield _finding(record, row)


def _is_recorded(row: Row) -> bool:
    return row["gate"] in _GATES and row["source"] not in _OURS and not row["injected"]


def _claimed(row: Row, claims: Mapping[str, Mapping[str, object]]) -> bool:
    expects = claims.get(row["source"], {})
    said = {str(value).lower() for value in expects.values()}
    return row["code"].lower() in said or row["status"] in said


def _finding(record: TestRecord, row: Row) -> Finding:
    sign = f"code: {row['code']}" if row["code"] else f"status: {row['status']}"
    fix = Phrase("findings.fix-record-again", cassette=row["source"])
    answer = " ".join(text for text in (row["status"], row["code"], row["message"]) if text)
    return Finding(
        rule="HWP013",
        action=row["action"],
        identity=row["identity"] or record.identity,
        test=record.nodeid,
        where=row["where"] or record.place,
        detail=Phrase("findings.cassette", cassette=row["source"]),
        lines=(
            labelled("call", placed(row["call"], row["where"])),
            labelled("answer", answer),
            labelled("note", Phrase("findings.unnoticed-recorded", test=record.nodeid)),
            labelled("fix", fix),
            labelled("fix", Phrase("findings.fix-claim", sign=sign)),
        ),
        fix=fix,
    )
