"""The four markers: their arguments are checked when tests are collected."""

from __future__ import annotations

import inspect
import os
from collections.abc import Collection, Iterable, Iterator
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.options import MARKED, near_markers

if TYPE_CHECKING:
    from pytest_hwcloud.run.context import RunContext
    from pytest_hwcloud.run.routers import Routers


_LONGEST, _LONGEST_NAME = 80, 200  # characters of a wrong value, and of a name, that a message shows


class MarkerError(ValueError):
    """A marker with a wrong argument."""


def _hwcloud_cassette(*names: str) -> None: ...
def _requires_permission(
    *actions: str,
    any_of: Iterable[str] = (),
    optional: Iterable[str] = (),
    scope: str | None = None,
    identity: str | None = None,
    reason: str | None = None,
) -> None: ...
def _denied_permission(*actions: str, code: str | None = None, identity: str | None = None) -> None: ...
def _hwcloud_identity(name: str) -> None: ...


_SIGNATURES = {
    function.__name__.lstrip("_"): inspect.signature(function)
    for function in (_hwcloud_cassette, _requires_permission, _denied_permission, _hwcloud_identity)
}


def problems(item: pytest.Item, context: RunContext, routers: Routers) -> Iterator[str]:
    """One line for each marker of this test that cannot be used: where, which, what is wrong, and the way out."""
    for mark in item.stash[MARKED]:
        if mark.name in _SIGNATURES:
            try:
                _check(mark, item, context, routers)
            except ValueError as error:
                yield texts.say("markers.place", place=place(item), marker=mark.name, problem=error)
        else:
            near = near_markers(mark.name)
            known = ", ".join(near or sorted(_SIGNATURES))
            problem = texts.say("markers.misspelt" if near else "markers.no-such", name=known)
            yield texts.say("markers.place", place=place(item), marker=mark.name, problem=problem)


def place(item: pytest.Item) -> str:
    """tests/test_x.py:12 for a test."""
    file, line, _ = item.location
    return f"{file}:{(line or 0) + 1}"


def _check(mark: pytest.Mark, item: pytest.Item, context: RunContext, routers: Routers) -> None:
    bound = _bound(mark)
    match mark.name:
        case "hwcloud_cassette":
            _check_cassettes(mark.args, item, routers)
        case "hwcloud_identity":
            context.state.identity(_cut(_text("name", bound["name"])))
        case _:
            _check_permission(mark.name, bound, context)


def _bound(mark: pytest.Mark) -> dict[str, object]:
    """The arguments of a marker by name; MarkerError, in the language of the run, where they do not fit."""
    signature = _SIGNATURES[mark.name]
    try:
        return signature.bind(*mark.args, **mark.kwargs).arguments
    except TypeError:
        pass
    named = [name for name, one in signature.parameters.items() if one.kind is not one.VAR_POSITIONAL]
    if unexpected := [name for name in mark.kwargs if name not in named]:
        raise MarkerError(texts.say("markers.unexpected", name=unexpected[0]))
    places = [name for name, one in signature.parameters.items() if one.kind is one.POSITIONAL_OR_KEYWORD]
    if twice := [name for name in places[: len(mark.args)] if name in mark.kwargs]:
        raise MarkerError(texts.say("markers.twice", name=twice[0]))
    if len(mark.args) > len(places):
        raise MarkerError(texts.say("markers.too-many"))
    raise MarkerError(texts.say("markers.missing", name=places[len(mark.args)]))


def _check_cassettes(given: tuple[object, ...], item: pytest.Item, routers: Routers) -> None:
    if not given:
        raise MarkerError(texts.say("markers.no-cassette"))
    for name in given:
        routers.tape_path(_text(texts.say("markers.what-cassette"), name), item)


def _check_permission(marker: str, bound: dict[str, object], context: RunContext) -> None:
    groups = {key: bound.get(key, ()) for key in ("actions", "any_of", "optional")}
    for key, group in groups.items():
        if isinstance(group, str) or not isinstance(group, Collection):  # a generator would be read once, or for ever
            said = "markers.write-list" if isinstance(group, str) else "markers.no-list"
            raise MarkerError(texts.say(said, key=key, value=_shown(group)))
        check_actions("", tuple(group))
    if not any(groups.values()):
        raise MarkerError(texts.say("markers.no-action"))
    if bound.get("scope") not in (None, "project", "domain"):
        raise MarkerError(texts.say("markers.no-scope", value=_shown(bound["scope"])))
    for key in ("code", "reason"):
        if bound.get(key) is not None:
            _text(key, bound[key])
    if bound.get("identity") is not None:
        context.state.identity(_cut(_text("identity", bound["identity"])))


def check_actions(what: str, given: Iterable[object]) -> None:
    """MarkerError for a name that is no action: wrong form, a wildcard (with what it covers), or unknown."""
    for action in given:
        problem = _action_problem(_cut(_text(texts.say("markers.what-action"), action)))
        if problem:
            raise MarkerError(texts.say("markers.of", what=what, problem=problem) if what else problem)


def _action_problem(action: str) -> str | None:
    from pytest_hwcloud.cloud.calls import actions as names

    try:
        parsed = names.parse(action)
    except names.ActionError as error:
        return str(error)
    if action != action.strip():
        return texts.say("names.letters", text=action)
    if parsed.wildcard:
        return _expanded(action)
    if names.is_known(action) or not names.all_actions(parsed.service):
        return None  # of a service without a table nothing is known, so nothing is guessed
    guess = names.suggest(action)
    return texts.say("markers.unknown-action", action=action) + (
        texts.say("markers.meant", name=guess) if guess else ""
    )


def _expanded(pattern: str) -> str:
    from pytest_hwcloud.cloud.calls import actions as names

    found = names.expand(pattern)
    shown, more = ", ".join(found[:6]), len(found) - 6
    covered = texts.say("names.and-more", names=shown, more=more) if more > 0 else shown
    return texts.say("markers.wildcard", pattern=pattern) + (
        texts.say("markers.covers", names=covered) if found else ""
    )


def _text(what: str, value: object) -> str:
    if not isinstance(value, str):
        shown = os.fspath(value) if isinstance(value, os.PathLike) else _shown(value)
        raise MarkerError(texts.say("markers.no-text", what=what, value=shown))
    return value


def _cut(name: str) -> str:
    return name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 3]}..."  # none is so long


def _shown(value: object) -> str:
    """A value on one short line, whatever its own `repr` does."""
    try:
        shown = repr(value)
    except Exception:
        shown = f"<{type(value).__name__}>"
    line = texts.one_line(shown)
    return line if len(line) <= _LONGEST else f"{line[: _LONGEST - 3]}..."


def identity_of(item: pytest.Item) -> str:
    """The identity of a test: its nearest hwcloud_identity marker, or `default`."""
    mark = next((mark for mark in item.stash[MARKED] if mark.name == "hwcloud_identity"), None)
    return str((*mark.args, *mark.kwargs.values())[0]) if mark else "default"
