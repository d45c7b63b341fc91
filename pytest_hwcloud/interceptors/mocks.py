"""Mocks above the interceptors: where a test replaced what a program calls, no interceptor hears of the call.

aioresponses replaces `ClientSession._request`, mock.patch whatever it is given (`requests.get`, `httpx.Client.send`).
What is in place is looked at whenever unittest.mock has put a patch in place, before pytest's monkeypatch takes its own
back, and at the end of the test's call.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from typing import Any

from pytest_hwcloud.interceptors.patching import Patch

_VERBS = ("get", "post", "put", "patch", "delete", "head", "options")
# Module → class in it ("" for the module itself) → what a program calls. Below these the interceptors see a mock.
_WATCHED: dict[str, dict[str, tuple[str, ...]]] = {
    "requests": {"": ("request", *_VERBS), "Session": ("request", "send", *_VERBS)},
    "requests.api": {"": ("request", *_VERBS)},
    "httpx": {
        "": ("request", "stream", *_VERBS),
        "Client": ("request", "send", "stream", *_VERBS),
        "AsyncClient": ("request", "send", "stream", *_VERBS),
    },
    "aiohttp": {"": ("request",), "ClientSession": ("_request", "request", *_VERBS)},
    "urllib3": {"": ("request",), "PoolManager": ("request", "urlopen")},
    "urllib3.connectionpool": {"HTTPConnectionPool": ("urlopen",)},
    "urllib.request": {"": ("urlopen",), "OpenerDirector": ("open",)},
}
_ABSENT = object()


class _Mocks:
    def __init__(self) -> None:
        self.own: dict[str, dict[str, object]] = {}  # module → name → what a program calls without mocks
        self.found: dict[str, list[object]] = {}  # name → what replaced it since the test began

    def begin(self) -> None:
        """A cloud test begins. What the project replaced before its first one (to trace calls, say) is no mock."""
        self.found.clear()
        for module in _WATCHED:
            if module not in self.own and module in sys.modules:
                self.own[module] = {name: now for name, now in _now(module) if not _is_mock(now)}

    def look(self) -> None:
        """Keep what is replaced now."""
        for module in _WATCHED:
            if module in sys.modules:
                own = self.own.get(module, {})
                for name, now in _now(module):
                    if now is not own.get(name, _ABSENT) and (name in own or not _is_original(now, module)):
                        seen = self.found.setdefault(name, [])
                        if all(now is not one for one in seen):
                            seen.append(now)

    def called(self) -> str | None:
        """The first function that was replaced in this test by something that was called, as far as it tells."""
        for name, seen in self.found.items():
            if any(getattr(one, "called", True) for one in seen):
                return name
        return None


MOCKS = _Mocks()


def _now(module: str) -> Iterator[tuple[str, object]]:
    """`requests.Session.send`, and what stands there."""
    for owner, attributes in _WATCHED[module].items():
        held = getattr(sys.modules[module], owner, None) if owner else sys.modules[module]
        place = f"{module}.{owner}" if owner else module
        for attribute in attributes if held is not None else ():
            now = vars(held).get(attribute, _ABSENT)
            if now is not _ABSENT:
                yield f"{place}.{attribute}", now


def _is_mock(value: object) -> bool:
    return hasattr(value, "assert_called")


def _is_original(value: object, module: str) -> bool:
    """Whether a function of a library that was imported in the middle of a test is its own, or ours over it."""
    code = getattr(value, "__code__", None)
    file = str(getattr(code, "co_filename", "")).replace("\\", "/")
    return not _is_mock(value) and any(f"/{name}/" in file for name in (module.partition(".")[0], "pytest_hwcloud"))


def mock_patches() -> Iterator[Patch]:
    """Where each patch of unittest.mock is put in place: as context, decorator or by start()."""
    from unittest import mock

    entered = getattr(mock, "_patch", None)
    if entered is not None and "__enter__" in vars(entered):
        yield Patch(entered, "__enter__", _looking_after)


def monkeypatch_patches() -> Iterator[Patch]:
    """Where pytest's monkeypatch takes its patches back."""
    import pytest

    yield Patch(pytest.MonkeyPatch, "undo", _looking_before)


def _looking_after(patch: Patch) -> object:
    def enter(self: Any) -> Any:
        __tracebackhide__ = True
        made = patch.original(self)
        MOCKS.look()
        return made

    return enter


def _looking_before(patch: Patch) -> object:
    def undo(self: Any) -> None:
        __tracebackhide__ = True
        MOCKS.look()
        patch.original(self)

    return undo
