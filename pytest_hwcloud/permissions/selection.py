"""Which tests a run was to run, and whether all of them did: only such a run may say that something is gone."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

import pytest

# Options that leave tests out unseen; what stops early (-x) is seen by its missing ends.
_NARROWING = ("keyword", "markexpr", "lf", "deselect", "ignore", "ignore_glob", "collectonly")


class Selection:
    """collected, deselected: node ids. crashed: a worker was lost."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self.collected: set[str] = set()
        self.deselected: set[str] = set()
        self.ended: set[str] = set()
        self.crashed = False

    def modified(self, before: Iterable[str], after: Iterable[str]) -> None:
        """What was there before and after the hooks that choose tests."""
        self.collected |= set(after)
        self.deselected |= set(before) - set(after)

    def to_dict(self) -> dict[str, list[str]]:
        """What a worker sends to the controller."""
        return {"collected": sorted(self.collected), "deselected": sorted(self.deselected)}

    def merge(self, sent: Mapping[str, Iterable[str]] | None) -> None:
        """Take in what a worker sent; nothing means that it did not come to its end."""
        if sent is None:
            self.crashed = True
            return
        self.collected |= set(sent["collected"])
        self.deselected |= set(sent["deselected"])

    def complete(self, exitstatus: int) -> bool:
        """A full green run: nothing left out, everything came to its end, nothing failed."""
        narrowed = any(self._config.getoption(name, None) for name in _NARROWING)
        whole = bool(self.roots()) and not narrowed and not self.crashed and not self.deselected
        return exitstatus == 0 and whole and self.collected <= self.ended

    def roots(self) -> tuple[str, ...]:
        """The files and folders given to pytest, relative to the rootdir; none if a single test or a package was."""
        if self._config.getoption("pyargs", False):
            return ()
        given = [str(argument) for argument in self._config.args]
        return () if any("::" in argument for argument in given) else tuple(self._relative(path) for path in given)

    def _relative(self, path: str) -> str:
        full = Path(self._config.invocation_params.dir, path)
        relative = os.path.relpath(full, self._config.rootpath)
        return "" if relative == "." else Path(relative).as_posix()
