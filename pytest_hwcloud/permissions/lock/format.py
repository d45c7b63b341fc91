"""The text of a lock: read, with one clear error for what a hand or a merge made of it; and written.

Written sorted, one test a line, plain wherever YAML reads the same text back.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, TypeVar

from pytest_hwcloud import texts
from pytest_hwcloud.files.yaml_reader import Located, LocatedError, load
from pytest_hwcloud.files.yaml_text import LONGEST_KEY, readable
from pytest_hwcloud.permissions.lock.model import (
    UPDATE,
    Entries,
    Held,
    Lock,
    LockError,
    Permission,
    parse_entries,
    shown,
)
from pytest_hwcloud.permissions.policies import grant_lines

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.lock.model import Held, Lock, Permission


_CONFLICT = re.compile(r"^(<<<<<<<|=======|>>>>>>>|\|\|\|\|\|\|\|)( |$)", re.MULTILINE)
# `calls: [GET ecs /v1/{project_id}/x]`, as a hand writes it: YAML would take the braces for a mapping.
_BARE_CALLS = re.compile(r"^(\s+calls: )\[([^\"'\n]*[{}][^\"'\n]*)\]\s*$", re.MULTILINE)
_TOP = ("version", "catalogue", "identities", "permissions", "unmapped", "unjudged")
Path = tuple[str | int, ...]


def parse(text: str, file: str) -> Lock:
    """The lock in a text; LockError."""
    conflict = _CONFLICT.search(text)
    if conflict:
        line = text.count("\n", 0, conflict.start()) + 1
        values = {"place": f"{file}:{line}", "mark": repr(conflict[1]), "command": UPDATE}
        raise LockError(texts.say("lock.conflict", **values))
    try:
        return _lock(load(_BARE_CALLS.sub(_quoted, text), file))
    except LocatedError as error:
        raise LockError(texts.say("lock.broken", error=error, command=UPDATE)) from None


def _quoted(match: re.Match[str]) -> str:
    return match[1] + "[" + ", ".join(f'"{call}"' for call in re.split(r",\s*", match[2])) + "]"


def _lock(document: Located) -> Lock:
    top = _mapping(document, document.value, ())
    for key in top:
        if key not in _TOP:
            raise document.error((key,), texts.say("lock.unknown-key", known=", ".join(_TOP)))
    if type(top.get("version")) is not int or top["version"] != 1:
        raise document.error(("version",), texts.say("lock.version", version=repr(top.get("version"))))
    held = _mapping(document, top.get("identities"), ("identities",))
    needs = _mapping(document, top.get("permissions"), ("permissions",))
    unmapped, unjudged = (
        {
            call: frozenset(_texts(document, row, (key, call)))
            for call, row in _mapping(document, top.get(key), (key,)).items()
        }
        for key in ("unmapped", "unjudged")
    )
    return Lock(
        identities={name: _held(document, row, ("identities", name)) for name, row in held.items()},
        permissions={name: _permission(document, row, ("permissions", name)) for name, row in needs.items()},
        unmapped=unmapped,
        unjudged=unjudged,
        catalogue=_text(document, top["catalogue"], ("catalogue",)) if "catalogue" in top else "",
        file=document.file,
    )


def _held(document: Located, row: object, path: Path) -> Held:
    found = _mapping(document, row, path, ("policies", "grants"))
    policies = _mapping(document, found.get("policies"), (*path, "policies"))
    grants = _texts(document, found.get("grants"), (*path, "grants"))
    for index, text in enumerate(grants):
        _grant(document, text, (*path, "grants", index))
    versions = {name: _text(document, version, (*path, "policies", name)) for name, version in policies.items()}
    return Held(policies=versions, grants=tuple(grants))


def _grant(document: Located, text: str, path: Path) -> None:
    try:
        grant_lines.policy([text])
    except ValueError as error:
        reason = str(error).removeprefix("1: ")
        raise document.error(path, reason) from None
    statement = grant_lines.statement(text)
    words = statement.get("Action") or statement.get("NotAction")
    if any(str(word) in ("if", "on") or "{" in str(word) for word in (words if isinstance(words, list) else ())):
        raise document.error(path, texts.say("permissions.lock.broken-grant", line=repr(text)))  # the words of a rest


def _permission(document: Located, row: object, path: Path) -> Permission:
    if str(path[-1]).count(":") != 2:
        raise document.error(path, texts.say("lock.no-action"))
    if "*" in str(path[-1]):
        raise document.error(path, texts.say("permissions.lock.wildcard"))
    found = _mapping(document, row, path, ("calls", "tests"))
    tests = _mapping(document, found.get("tests"), (*path, "tests"))
    return Permission(
        calls=frozenset(_texts(document, found.get("calls"), (*path, "calls"))),
        tests={test: _entries(document, value, (*path, "tests", test)) for test, value in tests.items()},
    )


def _entries(document: Located, value: object, path: Path) -> Entries:
    try:
        return parse_entries(_text(document, value, path))
    except LocatedError:
        raise
    except ValueError as error:
        raise document.error(path, str(error)) from None


def _mapping(document: Located, value: object, path: Path, legal: tuple[str, ...] = ()) -> Mapping[str, object]:
    if value is None and path:
        return {}
    if not isinstance(value, dict):
        raise document.error(path, texts.say("lock.no-mapping", found=_shown(value)))
    for key in value:
        if not isinstance(key, str):
            raise document.error((*path, str(key)), texts.say("lock.no-text-key"))
        if legal and key not in legal:
            raise document.error((*path, key), texts.say("lock.unknown-key", known=", ".join(legal)))
    return value


def _texts(document: Located, value: object, path: Path) -> list[str]:
    if not isinstance(value, list) and value is not None:
        raise document.error(path, texts.say("lock.no-list", found=_shown(value)))
    return [_text(document, item, (*path, index)) for index, item in enumerate(value or ())]


def _text(document: Located, value: object, path: Path) -> str:
    if not isinstance(value, str):
        raise document.error(path, texts.say("lock.no-text", found=_shown(value)))
    return value


def _shown(value: object) -> str:
    kind = {dict: "mapping", list: "list", type(None): "nothing"}.get(type(value))
    return texts.say(f"lock.found-{kind}") if kind else repr(value)


T = TypeVar("T")
HEAD = "# written by: pytest --hwcloud-lock=update\nversion: 1\n"


def text(lock: Lock) -> str:
    """The whole file."""
    return HEAD + "".join(f"{line}\n" for line in _lines(lock))


def _lines(lock: Lock) -> Iterator[str]:
    if lock.catalogue:
        yield f"catalogue: {readable(lock.catalogue)}"
    yield from _section("identities", lock.identities, _held_lines)
    yield from _section("permissions", lock.permissions, _permission_lines)
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


def _held_lines(held: Held) -> Iterator[str]:
    inside = ", ".join(f'{readable(file, flow=True)}: "{version}"' for file, version in _sorted(held.policies))
    yield f"    policies: {{{inside}}}"
    yield "    grants:" if held.grants else "    grants: []"
    yield from (f"      - {readable(line)}" for line in held.grants)


def _permission_lines(need: Permission) -> Iterator[str]:
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
