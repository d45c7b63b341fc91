"""The doors: each place where a client library would reach for the network, patched once, put in place, taken back."""

from __future__ import annotations

import sys
from collections.abc import Callable
from importlib import import_module
from types import BuiltinFunctionType
from typing import Any

_ABSENT = object()

Make = Callable[["Patch"], object]


class Patch:
    """One attribute that is ours while cloud tests run. `original` is what was there before, maybe another's patch."""

    __slots__ = ("attribute", "before", "make", "ours", "target")

    def __init__(self, target: Any, attribute: str, make: Make) -> None:
        self.target, self.attribute, self.make = target, attribute, make
        self.before: object = vars(target).get(attribute, _ABSENT)
        self.ours = make(self)

    @property
    def original(self) -> Any:
        """What would run without us."""
        if self.before is not _ABSENT:
            return self.before
        return next(vars(k)[self.attribute] for k in self.target.__mro__[1:] if self.attribute in vars(k))

    def put(self) -> None:
        """Put ours in place, on top of what is there now."""
        now = vars(self.target).get(self.attribute, _ABSENT)
        if now is not self.ours:
            self.before = now
            setattr(self.target, self.attribute, self.ours)

    def take_back(self) -> None:
        """Restore what was there, unless somebody else put a patch over ours."""
        if vars(self.target).get(self.attribute, _ABSENT) is not self.ours:
            return
        if self.before is _ABSENT:
            delattr(self.target, self.attribute)
        else:
            setattr(self.target, self.attribute, self.before)


# Module of a client → our module that has its patches(), or another function of it. A client that is not imported
# is patched when it is.
DOORS = {
    "socket": "network_block",
    "uvloop": "network_block:uvloop_patches",
    "pycurl": "network_block:pycurl_patches",
    "curl_cffi": "network_block:curl_cffi_patches",
    "http.client": "http_client",
    "urllib3.connectionpool": "urllib3_pool",
    "requests.adapters": "requests_adapter",
    "httpx": "httpx_transport",
    "aiohttp": "aiohttp_connector",
    "vcr.cassette": "vcr_neighbours",
    "unittest.mock": "mocks:mock_patches",
    "pytest": "mocks:monkeypatch_patches",
    "os": "child_processes:os_patches",
    "subprocess": "child_processes:subprocess_patches",
    "_posixsubprocess": "child_processes:fork_exec_patches",
    "multiprocessing.util": "child_processes:multiprocessing_patches",
    "multiprocessing.popen_forkserver": "child_processes:forkserver_patches",
}
_AT_ONCE = ("socket", "http.client", "urllib3.connectionpool")


class _Doors:
    def __init__(self) -> None:
        self.built: dict[str, list[Patch]] = {}
        self.by_name: list[Patch] = []
        self.installed = False
        self._looked = 0  # at so many modules

    def build(self, module: str) -> list[Patch]:
        if module not in self.built:
            name, _, function = DOORS[module].partition(":")
            door = import_module(f"pytest_hwcloud.interceptors.{name}")
            self.built[module] = list(getattr(door, function or "patches")())
        return self.built[module]

    def arrived(self, module: str) -> None:
        """A client library was imported while cloud tests run."""
        for patch in self.build(module) if self.installed else ():
            patch.put()

    def imported_by_name(self) -> None:
        """Patch built-in functions also where a module has imported them by name, as `from os import system` does."""
        modules = list(sys.modules.values())
        if len(modules) == self._looked:
            return
        new, self._looked = modules[self._looked :] or modules, len(modules)
        patches = [patch for patches in self.built.values() for patch in patches]
        wanted = {id(one.before): one for one in patches if isinstance(one.before, BuiltinFunctionType)}
        names = frozenset(one.attribute for one in wanted.values())
        targets = {id(one.target) for one in patches}
        for module in new:
            held = getattr(module, "__dict__", {})
            if type(held.get("__loader__")).__name__ == "AssertionRewritingHook":
                found = [name for name, value in list(held.items()) if id(value) in wanted]  # a test may rename them
            elif names.isdisjoint(held) or id(module) in targets:
                continue
            else:
                found = [name for name in names if id(held.get(name)) in wanted]
            self.by_name += [Patch(module, name, wanted[id(held[name])].make) for name in found]


_ALL = _Doors()


def install() -> None:
    """Put every door in place. Cheap if they are."""
    if _ALL.installed:
        return
    from pytest_hwcloud.interceptors.import_hook import WATCH

    _ALL.installed = True
    for module in DOORS:
        if module in _AT_ONCE or module in sys.modules:
            _ALL.arrived(module)
    _ALL.imported_by_name()
    for patch in _ALL.by_name:
        patch.put()
    WATCH.start({module: _ALL.arrived for module in DOORS if module not in _ALL.built})


def patch_of(module: str, attribute: str) -> Patch | None:
    """Our patch of this attribute of a client, if it was built."""
    return next((patch for patch in _ALL.built.get(module, ()) if patch.attribute == attribute), None)


def is_outermost(module: str, attribute: str) -> bool:
    """Whether our patch of this attribute of a client is in place, with no other over it."""
    found = patch_of(module, attribute)
    return found is not None and vars(found.target).get(attribute) is found.ours


def remove() -> None:
    """Take every door back. Cheap if none is in place."""
    if not _ALL.installed:
        return
    from pytest_hwcloud.interceptors.import_hook import WATCH

    _ALL.installed = False
    WATCH.stop()
    for patches in (_ALL.by_name, *_ALL.built.values()):
        for patch in reversed(patches):
            patch.take_back()


# Module, class and attribute; the second is how older versions have it.
_SDK_MEMORY = (
    ("huaweicloudsdkcore.auth.credentials", "Credentials", "_CACHE"),
    ("huaweicloudsdkcore.auth.cache", "AuthCache", "_cache_dict"),
)


def forget_sdk_ids() -> None:
    """Empty the memory of the official SDK, if it is loaded.

    It keeps the project and domain ids that it found for as long as the process lives: what a test calls and needs
    would depend on the order of the tests. Each test begins without that memory, as if it ran alone.
    """
    for module, owner, attribute in _SDK_MEMORY:
        if module in sys.modules:
            memory = getattr(getattr(sys.modules[module], owner, None), attribute, None)
            if isinstance(memory, dict):
                memory.clear()
