"""Which router answers a test or a fixture: its cassettes, or the recorder."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes import library
from pytest_hwcloud.cassettes.tape import CassetteError, Tape
from pytest_hwcloud.cloud.identity import UnknownName
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.router import Router
from pytest_hwcloud.options import MARKED
from pytest_hwcloud.replay.player import Player
from pytest_hwcloud.run.context import RunContext
from pytest_hwcloud.usercode.fixtures import project_file

OWN = pytest.StashKey[Path]()  # of an item: where its cassette is


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

    def __init__(self, context: RunContext) -> None:
        self._context = context

    def tape_path(self, name: str, item: pytest.Item) -> Path:
        """The file of a cassette that a marker names, in record mode also a new one; UnknownName or CassetteError."""
        folder = library.folder_of(item.path, self._context.settings.cassette_dir)
        try:
            return library.find(name, folder)
        except UnknownName:
            file = library.new(name, folder) if self._context.settings.mode == "record" else None
            if file is None:
                raise
            return file

    def named_paths(self, item: pytest.Item) -> list[Path]:
        """The files of the cassettes that the markers of a test name."""
        names = [str(name) for mark in item.stash[MARKED] if mark.name == "hwcloud_cassette" for name in mark.args]
        return [self.tape_path(name, item) for name in names]

    def own_path(self, item: pytest.Item) -> Path:
        """The file of the test's own cassette, recorded or not."""
        if OWN not in item.stash:
            _, _, name = item.nodeid.partition("::")
            item.stash[OWN] = self._own(item.path, name or item.name)
        return item.stash[OWN]

    def of_test(self, item: pytest.Item) -> Router:
        """The router of a test: the cassettes of its markers, or its own."""
        paths = self.named_paths(item)
        # A recording goes to the last cassette of the markers that is the user's, and what was recorded is replayed.
        users = [path for path in paths if library.name_of(path) is None]
        return self._router(paths, users[-1] if users else self.own_path(item))

    def of_fixture(self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> Router | None:
        """The router of a fixture of wider scope; None if it has no cassette and none is recorded."""
        own = self.fixture_path(fixturedef, request)
        return self._router([], own) if self._context.recording or _file(own) else None

    def fixture_path(self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> Path:
        """The file of a wider fixture's own cassette, recorded or not."""
        # In the folder of the file that defines it, so that the answer is the same whichever test comes first.
        file = project_file(fixturedef, self._context.settings.root)
        _, _, owner = fixturedef.baseid.partition("::")  # the class, if it is a method
        name = f"{owner}::{fixturedef.argname}" if owner else fixturedef.argname
        return self._own(file, name + parameter_of(request))

    def _own(self, file: Path, name: str) -> Path:
        settings = self._context.settings
        return library.own_cassette(file, name, settings.cassette_dir, settings.root)

    def _router(self, named: list[Path], own: Path) -> Router:
        hosts, recording = self._context.settings.hosts, self._context.recording
        paths = list(dict.fromkeys([*named, own]))
        if recording and recording.writes_anew:  # what was recorded before is of no interest, and may be broken
            paths = [path for path in paths if library.name_of(path)]
        try:
            tapes = [self._tape(path, own, found) for path in paths if (found := _file(path)) is not None]
        except CassetteError as error:
            return Broken(_not_recorded_over(error) if recording else error, hosts)
        if recording:
            return recording.recorder(own, tapes)
        return Player(tapes, self._context.state, hosts=hosts, own_path=own)

    def _tape(self, path: Path, own: Path, found: os.stat_result) -> Tape:
        return Tape.load(path, self._context.cache_dir, library.name_of(path) or _shown(path, own), found)

    def finish(self, router: Router, *, good: bool, test: str = "") -> None:
        """The test or fixture is over: keep or drop what was recorded. test: its node id, "" for a fixture."""
        if self._context.recording:
            from pytest_hwcloud.replay.recorder import Recorder
            from pytest_hwcloud.run.recording import finish

            if isinstance(router, Recorder):
                finish(self._context.recording.tally, router, good, test)


def _not_recorded_over(error: CassetteError) -> CassetteError:
    problem = texts.say("run.not-recorded-over", problem=error.problem)
    return CassetteError(problem, path=error.path, line=error.line, key=error.key)


def parameter_of(request: pytest.FixtureRequest) -> str:
    """`[cn-north-4]` for a fixture with parameters: the value if it is a plain one, which every machine has, else the
    index, which is private in pytest, but all that is left."""
    if not hasattr(request, "param"):
        return ""
    value = request.param
    if isinstance(value, str | int | float | None) and value != "" and not _is_secret(request, value):
        return f"[{value}]"
    return f"[{getattr(request, 'param_index', 0)}]"


def _file(path: Path) -> os.stat_result | None:
    """The `stat` of a file; None if there is none, or something else of this name."""
    try:
        found = os.stat(path)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except OSError as error:
        if error.errno == errno.ELOOP:
            return None
        raise
    return found if stat.S_ISREG(found.st_mode) else None


def _is_secret(request: pytest.FixtureRequest, value: object) -> bool:
    if not isinstance(value, str) or len(value) < 6:
        return False
    from pytest_hwcloud.secrets.item_names import is_secret_parameter

    return is_secret_parameter(str(request.fixturename or ""), value)


def _shown(path: Path, own: Path) -> str:
    if path is own:
        return "/".join(own.parts[-2:])
    base = own.parent.parent
    return path.relative_to(base).as_posix() if path.is_relative_to(base) else path.name


def unrecorded(router: Router) -> list[Exception]:
    """The calls of a test that no cassette answered."""
    return router.unrecorded if isinstance(router, Player) else []
