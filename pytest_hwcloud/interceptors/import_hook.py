"""Client libraries that a test imports while it runs: patched as soon as they have been loaded.

Importing httpx and aiohttp ourselves, just in case, would cost every run a third of a second.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import find_spec
from types import ModuleType

Arrived = Callable[[str], None]


class _TellingLoader(Loader):
    """The module's own loader, and a word to us afterwards."""

    def __init__(self, loader: Loader, arrived: Arrived) -> None:
        self.loader, self.arrived = loader, arrived

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        spec = module.__spec__
        if spec is not None:
            spec.loader = module.__loader__ = self.loader  # others find the module as if we were not there
        self.loader.exec_module(module)
        self.arrived(module.__name__)


class Watch(MetaPathFinder):
    """Sits in front of the import system while cloud tests run, and only looks for a handful of names."""

    def __init__(self) -> None:
        self.awaited: Mapping[str, Arrived] = {}
        self._looking: set[str] = set()

    def start(self, awaited: Mapping[str, Arrived]) -> None:
        """Watch for these modules."""
        self.awaited = awaited
        if awaited and self not in sys.meta_path:
            sys.meta_path.insert(0, self)

    def stop(self) -> None:
        """Watch for nothing."""
        if self in sys.meta_path:
            sys.meta_path.remove(self)

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """The module's own spec, with a loader that reports; None for modules that are not awaited."""
        arrived = self.awaited.get(fullname)
        if arrived is None or fullname in self._looking:
            return None
        self._looking.add(fullname)
        try:
            spec = find_spec(fullname)
        finally:
            self._looking.discard(fullname)
        if spec is None or spec.loader is None or not hasattr(spec.loader, "exec_module"):
            return None
        spec.loader = _TellingLoader(spec.loader, arrived)
        return spec


WATCH = Watch()
