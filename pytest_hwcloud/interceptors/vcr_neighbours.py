"""The door for cassettes of others: while we answer or record a cloud host, vcrpy's own cassettes let its calls pass.

pytest-recording, pytest-vcr and plain vcrpy put their stubs over our doors. Without this they would refuse in a replay
what we answer, and write in a recording what we scrub. For httpx and aiohttp vcrpy keeps what it found when it was
imported and calls that; there our doors take the place of what it kept.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from importlib import import_module
from typing import Any

from vcr import patch as kept
from vcr.cassette import Cassette

from pytest_hwcloud.interceptors.patching import DOORS, Patch, is_outermost, patch_of
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER

_QUESTIONS = (("can_play_response_for", False), ("filter_request", None), ("append", None))
# What vcrpy keeps → the client, and the attribute of it that our door of the client stands for.
_KEPT = {
    "_HttpxHttpTransport_handle_request": ("httpx", "handle_request"),
    "_HttpxAsyncHttpTransport_handle_async_request": ("httpx", "handle_async_request"),
}


def patches() -> Iterator[Patch]:
    """What a stub of vcrpy asks its cassette (our own answers for itself), and what it calls if that has no answer."""
    for method, answer in _QUESTIONS:
        yield Patch(Cassette, method, _passing(answer))
    yield Patch(Cassette, "_load", _load)
    for name, (client, attribute) in _KEPT.items():
        if name in vars(kept):
            _without_ours(name, client, attribute)
            yield Patch(kept, name, _through(client, attribute))


def _without_ours(name: str, client: str, attribute: str) -> None:
    """vcrpy keeps what it finds when it is imported; where that was our patch, let it keep what lies below."""
    found = patch_of(client, attribute)
    if found is not None and vars(kept)[name] is found.ours:
        setattr(kept, name, found.original)


def _passing(answer: object) -> Any:
    def make(patch: Patch) -> object:
        def ask(cassette: Any, request: Any, *args: Any) -> object:
            if CURRENT_ROUTER.of_url(request.uri) is not None:
                return answer
            return patch.original(cassette, request, *args)

        return ask

    return make


def _load(patch: Patch) -> object:
    """A cassette that a replayed test opens may hold answers of cloud hosts: that they are not played is reported."""

    def load(cassette: Any) -> None:
        patch.original(cassette)
        tell = getattr(CURRENT_ROUTER.router, "passed_by", None)
        loaded = getattr(cassette, "_old_interactions", ())  # all of the file; append leaves out what is ours
        if tell is not None and any(CURRENT_ROUTER.of_url(request.uri) is not None for request, _ in loaded):
            tell(str(cassette._path))

    return load


def _through(client: str, attribute: str) -> Any:
    """The client's door once more. Opened when it is used: its own import may be what brought vcrpy here."""

    def make(patch: Patch) -> object:
        @cache
        def opened() -> Any:
            door = import_module(f"pytest_hwcloud.interceptors.{DOORS[client]}")
            return getattr(door, f"_{attribute.lstrip('_')}")(patch)

        def call(*args: Any, **kwargs: Any) -> Any:
            if is_outermost(client, attribute):  # the call came through our door already
                return patch.original(*args, **kwargs)
            return opened()(*args, **kwargs)

        return call

    return make
