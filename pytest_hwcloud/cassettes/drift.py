"""Does the cloud still answer as recorded? Status, code and shape count; values do not."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pytest_hwcloud import texts
from pytest_hwcloud.cloud import failures
from pytest_hwcloud.cloud.wire import Answer

_NAME_OF_DATA = re.compile(r"[0-9a-f]{8}-[0-9a-f-]{27}|[0-9a-fA-F]{16,}|\d[\d.:/-]*|.*[\s/:].*")
_KINDS = {dict: "object", list: "list", str: "text", bool: "truth", int: "number", float: "number"}
_PLACES = ("status", "code", "body")


@dataclass(frozen=True, kw_only=True)
class Drift:
    """One difference between the recording and the live answer. place: "status", "code" or the path of a member."""

    call: str
    place: str
    recorded: str
    live: str

    def __str__(self) -> str:
        place = _say(f"place-{self.place}") if self.place in _PLACES else self.place
        return texts.say("cassettes.drift", call=self.call, place=place, recorded=self.recorded, live=self.live)


def _say(name: str) -> str:
    return texts.say(f"cassettes.drift-{name}")


def compare(call: str, recorded: Answer, live: Answer) -> list[Drift]:
    """What differs in status, error code and shape; an empty list if the recording still holds."""
    if recorded.status != live.status:
        return [Drift(call=call, place="status", recorded=_status(recorded), live=_status(live))]
    codes = _code(recorded), _code(live)
    if codes[0] != codes[1]:
        return [Drift(call=call, place="code", recorded=codes[0] or _say("none"), live=codes[1] or _say("none"))]
    return [Drift(call=call, place=place, recorded=old, live=new) for place, old, new in _shapes(recorded, live)]


def _status(answer: Answer) -> str:
    code = _code(answer)
    return f"{answer.status} {code}" if code else str(answer.status)


def _code(answer: Answer) -> str | None:
    if answer.status < 400:
        return None
    found = failures.read(answer.body) if answer.body else None
    return found.code if found else None


def _shapes(recorded: Answer, live: Answer) -> Iterator[tuple[str, str, str]]:
    try:
        old = recorded.json() if recorded.body else None
    except ValueError:
        old = recorded.body
    try:
        new = live.json() if live.body else None
    except ValueError:
        new = live.body
    if isinstance(old, bytes) != isinstance(new, bytes):
        recorded_as, live_as = ("no-json" if isinstance(one, bytes) else "json" for one in (old, new))
        yield "body", _say(recorded_as), _say(live_as)
    elif not isinstance(old, bytes):
        yield from _differences("$", [old], [new])


def _differences(path: str, old: list[object], new: list[object]) -> Iterator[tuple[str, str, str]]:
    """Compare all values seen at one place. What is null, or empty, or not there at all, shows no shape."""
    before, after = _kinds(old), _kinds(new)
    if before and after and not before & after:
        yield path, _either(before), _either(after)
        return
    yield from _members(path, [v for v in old if isinstance(v, dict)], [v for v in new if isinstance(v, dict)])
    items = [[i for v in side if isinstance(v, list) for i in v] for side in (old, new)]
    if items[0] and items[1]:
        yield from _differences(f"{path}[]", items[0], items[1])


def _members(path: str, old: list[dict[str, object]], new: list[dict[str, object]]) -> Iterator[tuple[str, str, str]]:
    if not old or not new:
        return
    before, after = _by_name(old), _by_name(new)
    for name in sorted(before.keys() | after.keys()):
        here = f"{path}.{name}"
        if name == "*" and not (before.get(name) and after.get(name)):
            continue  # a table of data, empty on one side
        if name not in after:
            if all(name in map(_generic, one) for one in old):  # sometimes absent in the recording too: optional
                yield here, _say("there"), _say("gone")
        elif name not in before:
            yield here, _say("not-there"), _say("new")
        else:
            yield from _differences(here, before[name], after[name])


def _by_name(objects: list[dict[str, object]]) -> dict[str, list[object]]:
    found: dict[str, list[object]] = {}
    for one in objects:
        for name, value in one.items():
            found.setdefault(_generic(name), []).append(value)
    return found


def _generic(name: str) -> str:
    """The name of a member, or * where the name itself is data (an id, an address, a number)."""
    return "*" if _NAME_OF_DATA.fullmatch(name) else name


def _either(kinds: set[str]) -> str:
    return _say("or").join(sorted(_say(kind) for kind in kinds))


def _kinds(values: list[object]) -> set[str]:
    return {_KINDS[type(value)] for value in values if value is not None}
