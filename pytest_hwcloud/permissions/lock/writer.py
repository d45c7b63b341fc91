"""The text of a lock: sorted, one test a line, plain wherever YAML reads the same text back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from pytest_hwcloud.files.yaml_text import LONGEST_KEY, readable
from pytest_hwcloud.permissions.lock.model import shown

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.lock.model import Held, Lock, Permission

T = TypeVar("T")
HEAD = "# written by: pytest --hwcloud-lock=update\nversion: 1\n"


def text(lock: Lock) -> str:
    """The whole file."""
    return HEAD + "".join(f"{line}\n" for line in _lines(lock))


def _lines(lock: Lock) -> Iterator[str]:
    if lock.catalogue:
        yield f"catalogue: {readable(lock.catalogue)}"
    yield from _section("identities", lock.identities, _held)
    yield from _section("permissions", lock.permissions, _permission)
    yield from _section("unmapped", lock.unmapped, _tests_only)
    if lock.unjudged:
        yield from _section("unjudged", lock.unjudged, _tests_only)


def _section(name: str, rows: Mapping[str, T], body: Callable[[T], Iterator[str]]) -> Iterator[str]:
    if not rows:
        yield f"{name}: {{}}"
        return
    yield f"{name}:"
    for key, value in _sorted(rows):
        yield _row("  ", key)
        yield from body(value)


def _held(held: Held) -> Iterator[str]:
    inside = ", ".join(f'{readable(file, flow=True)}: "{version}"' for file, version in _sorted(held.policies))
    yield f"    policies: {{{inside}}}"
    yield "    grants:" if held.grants else "    grants: []"
    yield from (f"      - {readable(line)}" for line in held.grants)


def _permission(need: Permission) -> Iterator[str]:
    yield f"    calls: [{', '.join(readable(call, flow=True) for call in sorted(need.calls))}]"
    yield "    tests:" if need.tests else "    tests: {}"
    yield from (_row("      ", test, " " + readable(shown(entries))) for test, entries in sorted(need.tests.items()))


def _tests_only(tests: Iterable[str]) -> Iterator[str]:
    yield from (f"    - {readable(test)}" for test in sorted(tests))


def _sorted(rows: Mapping[str, T]) -> list[tuple[str, T]]:
    return sorted(rows.items(), key=lambda pair: (pair[0].lower(), pair[0]))


def _row(indent: str, key: str, value: str = "") -> str:
    written = readable(key)
    between = f"\n{indent}" if len(written) > LONGEST_KEY else ""
    return f"{indent}{'? ' if between else ''}{written}{between}:{value}"
