"""The text of a lock: sorted, one test a line, plain wherever YAML reads the same text back."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, TypeVar

from pytest_hwcloud.permissions.lock.entry import shown

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.lock.lockfile import Held, Lock, Permission

T = TypeVar("T")
HEAD = "# written by: pytest --hwcloud-lock=update\nversion: 1\n"
_PLAIN = re.compile(r"[A-Za-z0-9_./][^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u2028\u2029]*")
_FLOW = re.compile(r"[\[\]{},]")
_WORDS = frozenset(("y", "n", "yes", "no", "true", "false", "on", "off", "null", "nan", "inf"))
_LONGEST_KEY = 900  # YAML reads no key of more than 1024 characters without a `?`


def text(lock: Lock) -> str:
    """The whole file."""
    return HEAD + "".join(f"{line}\n" for line in _lines(lock))


def _lines(lock: Lock) -> Iterator[str]:
    yield from _section("identities", lock.identities, _held)
    yield from _section("permissions", lock.permissions, _permission)
    yield from _section("unmapped", lock.unmapped, _tests_only)


def _section(name: str, rows: Mapping[str, T], body: Callable[[T], Iterator[str]]) -> Iterator[str]:
    if not rows:
        yield f"{name}: {{}}"
        return
    yield f"{name}:"
    for key, value in _sorted(rows):
        yield _row("  ", key)
        yield from body(value)


def _held(held: Held) -> Iterator[str]:
    inside = ", ".join(f'{scalar(file, flow=True)}: "{version}"' for file, version in _sorted(held.policies))
    yield f"    policies: {{{inside}}}"
    yield "    grants:" if held.grants else "    grants: []"
    yield from (f"      - {scalar(line)}" for line in held.grants)


def _permission(need: Permission) -> Iterator[str]:
    yield f"    calls: [{', '.join(scalar(call, flow=True) for call in sorted(need.calls))}]"
    yield "    tests:" if need.tests else "    tests: {}"
    yield from (_row("      ", test, " " + scalar(shown(entries))) for test, entries in sorted(need.tests.items()))


def _tests_only(tests: Iterable[str]) -> Iterator[str]:
    yield from (f"    - {scalar(test)}" for test in sorted(tests))


def _sorted(rows: Mapping[str, T]) -> list[tuple[str, T]]:
    return sorted(rows.items(), key=lambda pair: (pair[0].lower(), pair[0]))


def _row(indent: str, key: str, value: str = "") -> str:
    written = scalar(key)
    between = f"\n{indent}" if len(written) > _LONGEST_KEY else ""
    return f"{indent}{'? ' if between else ''}{written}{between}:{value}"


@lru_cache(maxsize=8192)
def scalar(value: str, flow: bool = False) -> str:
    """A text as YAML: plain if it then reads back as the same text, else in double quotes."""
    if _is_plain(value) and not (flow and _FLOW.search(value)):
        return value
    return json.dumps(value, ensure_ascii=False) if value.isprintable() else f'"{"".join(map(_escaped, value))}"'


def _escaped(char: str) -> str:
    """One character in double quotes. JSON's pairs of surrogates are no YAML."""
    if char.isprintable():
        return f"\\{char}" if char in '"\\' else char
    return f"\\U{ord(char):08X}"


def _is_plain(value: str) -> bool:
    if not _PLAIN.fullmatch(value) or value.endswith((":", " ")) or ": " in value or " #" in value:
        return False
    return value.lower() not in _WORDS and any(char.isalpha() for char in value) and not _number(value)


def _number(value: str) -> bool:
    """Whether YAML may read a number or a date: only digits, signs and the letters that stand in numbers."""
    return re.fullmatch(r"[0-9.][0-9a-fA-FxXoO_.:+eETtZz -]*|\.\w+", value) is not None
