"""Which router answers a test or a fixture: its cassettes, or the recorder."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.replay import library
from pytest_hwcloud.replay.player import NotRecorded, Player
from pytest_hwcloud.replay.route import Router
from pytest_hwcloud.replay.tape import CassetteError, Tape

if TYPE_CHECKING:
    from pytest_hwcloud.run import Run


class Broken:
    """The router of a test whose cassette cannot be used: every call meets the error, and the test fails with it."""

    offline = True

    def __init__(self, error: CassetteError, hosts: tuple[str, ...]) -> None:
        self.error, self.hosts = error, hosts

    def answer(self, request: Request) -> Answer | None:
        raise self.error

    def heard(self, request: Request, answer: Answer, started: float) -> None:
        """Nothing is sent."""

    def failed(self, request: Request, error: BaseException) -> None:
        """Nothing is sent."""


class Routers:
    """Makes the routers of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._cache_dir: Path | None = run.cache_dir()

    def tape_path(self, name: str, item: pytest.Item) -> Path:
        """The file of a cassette that a marker names; UnknownName or CassetteError if it cannot be."""
        return library.find(name, library.folder_of(item.path, self._run.settings.cassette_dir))

    def own_path(self, item: pytest.Item) -> Path:
        """The file of the test's own cassette, recorded or not."""
        _, _, name = item.nodeid.partition("::")
        return library.own_cassette(item.path, name or item.name, self._run.settings.cassette_dir)

    def of_test(self, item: pytest.Item) -> Router:
        """The router of a test: the cassettes of its markers, or its own."""
        names = [str(name) for mark in item.iter_markers("hwcloud_cassette") for name in mark.args]
        own = self.own_path(item)
        if self._run.settings.mode != "replay":
            return self._live(own, item)
        paths = [self.tape_path(name, item) for name in names]
        return self._player(paths or ([own] if own.is_file() else []), own)

    def of_fixture(self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> Router | None:
        """The router of a fixture of wider scope; None if it has no cassette of its own and none is recorded."""
        own = self._fixture_path(fixturedef, request)
        if self._run.settings.mode != "replay":
            return self._live(own, None)
        return self._player([own], own) if own.is_file() else None

    def _fixture_path(self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> Path:
        # In the folder of the file that defines it, so that the answer is the same whichever test comes first.
        file = Path(fixturedef.func.__code__.co_filename)
        # The index is private in pytest, but the only name of a parameter that is the same on every machine.
        param = f"[{getattr(request, 'param_index', 0)}]" if hasattr(request, "param") else ""
        return library.own_cassette(file, f"{fixturedef.argname}{param}", self._run.settings.cassette_dir)

    def _player(self, paths: list[Path], own: Path) -> Router:
        hosts = self._run.settings.hosts
        try:
            tapes = [Tape.load(path, self._cache_dir, library.name_of(path) or _shown(path, own)) for path in paths]
        except CassetteError as error:
            return Broken(error, hosts)
        return Player(tapes, self._run.state, hosts=hosts, own_path=own)

    def _live(self, own: Path, item: pytest.Item | None) -> Router:
        from pytest_hwcloud.recording import recorder

        return recorder(self._run, own, item)

    def finish(self, item: pytest.Item, router: Router) -> None:
        """The test is over: keep or drop what was recorded."""
        if self._run.settings.mode != "replay":
            from pytest_hwcloud.recording import finish

            finish(self._run, item, router)


def _shown(path: Path, own: Path) -> str:
    base = own.parent.parent
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name


def unrecorded(router: Router) -> list[NotRecorded]:
    """The calls of a test that no cassette answered."""
    return router.unrecorded if isinstance(router, Player) else []
