"""Unused cassettes, interactions that are not requested, recordings that grew old.

Unused is judged from what was collected, never from what ran: so `-k`, `-m`, skips and node ids on the command line
raise no false alarm. Unplayed is judged only where every test that uses the cassette ran and passed. All that xdist's
workers send is plain data.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes import library
from pytest_hwcloud.cassettes.request_key import parts
from pytest_hwcloud.cassettes.tape import CassetteError, Tape
from pytest_hwcloud.cloud.endpoints import is_cloud_host

_SUFFIXES = (".yaml", ".yml", ".json")
_RECORDED_AT = re.compile(r"""["']?recorded_at["']?: ["']?(\d{4}-\d\d-\d\d)""")
_SHOWN = 3  # unplayed interactions of one cassette that are named


@dataclass(frozen=True, kw_only=True)
class Finding:
    """kind: "unused", "unplayed" or "old". path: the cassette. text: one line for the summary, path in front."""

    kind: str
    path: str
    text: str


class Hygiene:
    """What one process collected and ran; the controller merges what its workers found."""

    def __init__(self, hosts: Sequence[str] = ()) -> None:
        self.hosts = tuple(hosts)
        self.users: dict[str, set[str]] = {}  # cassette → node ids that use it
        self.played: dict[str, set[int]] = {}
        self.sizes: dict[str, int] = {}  # how many interactions the cassettes have that were played
        self.passed: set[str] = set()
        self.fixtures: set[str] = set()
        self.others: set[str] = set()
        self.folders: set[str] = set()  # folders all of whose cassettes may be judged, this level and below

    # collection -----------------------------------------------------------------------------------------------------
    def uses(self, nodeid: str, cassettes: Iterable[Path]) -> None:
        """A collected test, deselected or not, with the cassettes that it would use, recorded or not."""
        for path in cassettes:
            self.users.setdefault(_key(path), set()).add(nodeid)

    def uses_fixtures(self, names: Iterable[str]) -> None:
        """Names of fixtures that collected tests ask for: a cassette of such a name belongs to the fixture."""
        self.fixtures.update(names)

    def leaves(self, cassettes: Iterable[Path]) -> None:
        """What would be the own cassettes of collected tests that are no cloud tests: another recorder's, maybe."""
        self.others.update(map(_key, cassettes))

    def collected(
        self,
        modules: Iterable[Path],
        *,
        arguments: Sequence[str] = (),
        cassette_dir: str = "cassettes",
        python_files: Sequence[str] = ("test_*.py", "*_test.py"),
        root: Path | None = None,
    ) -> None:
        """The test modules that were collected without an error; arguments: the paths and node ids on the command line.

        A module named by a node id was collected in part, and its cassettes are not judged.
        """
        partly = {Path(argument.partition("::")[0]).resolve() for argument in arguments if "::" in argument}
        whole = {Path(module).resolve() for module in modules} - partly
        for folder in {module.parent for module in whole}:
            there = {file for pattern in python_files for file in folder.glob(pattern)}
            cassettes = library.folder_of(folder / "test.py", cassette_dir)
            if there <= whole and cassettes.is_relative_to(folder):  # one folder for all is judged module by module
                self.folders.add(_key(cassettes))
        for module in whole:
            self.folders.add(_key(library.own_cassette(module, "test", cassette_dir, root).parent))

    # the run --------------------------------------------------------------------------------------------------------
    def finished(self, nodeid: str, passed: bool, tapes: Iterable[Tape]) -> None:
        """A test is over. passed: its call passed (not skipped, not expected to fail)."""
        if passed:
            self.passed.add(nodeid)
        for tape in tapes:
            path = _key(tape.path)
            self.sizes[path] = len(tape)
            self.played.setdefault(path, set()).update(tape.played_positions)

    # xdist ----------------------------------------------------------------------------------------------------------
    def to_plain(self) -> dict[str, object]:
        """All of it as lists, texts and numbers, for workeroutput."""
        return {
            "users": {path: sorted(nodeids) for path, nodeids in self.users.items()},
            "played": {path: sorted(positions) for path, positions in self.played.items()},
            "sizes": self.sizes,
            "passed": sorted(self.passed),
            "folders": sorted(self.folders),
            "fixtures": sorted(self.fixtures),
            "others": sorted(self.others),
        }

    def merge(self, plain: Mapping[str, object]) -> None:
        """Take what a worker found."""
        for path, nodeids in _table(plain.get("users")):
            self.users.setdefault(path, set()).update(map(str, nodeids))
        for path, positions in _table(plain.get("played")):
            self.played.setdefault(path, set()).update(int(str(position)) for position in positions)
        sizes = plain.get("sizes")
        self.sizes.update(sizes if isinstance(sizes, dict) else {})
        self.passed.update(map(str, _list(plain.get("passed"))))
        self.folders.update(map(str, _list(plain.get("folders"))))
        self.fixtures.update(map(str, _list(plain.get("fixtures"))))
        self.others.update(map(str, _list(plain.get("others"))))

    # findings -------------------------------------------------------------------------------------------------------
    def findings(self, *, max_age: int | None = None, now: datetime | None = None) -> list[Finding]:
        """Unused cassettes, unplayed interactions and old recordings, by path."""
        found = [*self._unused(), *self._unplayed()]
        if max_age is not None:
            found += self._old(max_age, now or datetime.now(UTC))
        return sorted(found, key=lambda one: (one.path, one.kind))

    def _unused(self) -> Iterable[Finding]:
        there = {
            os.path.join(folder, name)
            for top in self.folders
            for folder, _, names in os.walk(top)
            for name in names
            if name.endswith(_SUFFIXES) and not name.startswith(".")
        }
        for path in there - self.others - self.users.keys() - self.played.keys():
            file = Path(path)
            if not file.is_file():
                continue
            if file.stem.partition("[")[0].rpartition(".")[2] in self.fixtures:
                continue  # a fixture's own, and fixtures are set up for selected tests only
            if not self._is_ours(file):
                continue
            yield Finding(kind="unused", path=str(file), text=texts.say("cassettes.unused", file=_shown(file)))

    def _unplayed(self) -> Iterable[Finding]:
        for path, nodeids in self.users.items():
            if path not in self.played or len(self.played[path]) == self.sizes[path] or not nodeids <= self.passed:
                continue
            file = Path(path)
            if library.name_of(file) or not file.is_file():
                continue
            try:
                tape = Tape.load(file)
            except CassetteError:
                continue  # already reported for its tests
            left = [position for position in self._cloud_calls(tape) if position not in self.played[path]]
            if left:
                yield Finding(kind="unplayed", path=path, text=_unplayed_text(_shown(file), tape, left))

    def _is_ours(self, file: Path) -> bool:
        """Whether it is a cassette of cloud calls, or empty: others keep theirs in the same folders."""
        try:
            tape = Tape.load(file)
        except CassetteError:
            return False
        return not len(tape) or bool(self._cloud_calls(tape))

    def _cloud_calls(self, tape: Tape) -> list[int]:
        cloud = (positions for key, positions in tape.keys.items() if is_cloud_host(parts(key)[2], self.hosts))
        return sorted(position for positions in cloud for position in positions)

    def _old(self, max_age: int, now: datetime) -> Iterable[Finding]:
        for path in self.users:
            days = age(Path(path), now)
            if days is not None and days > max_age and not library.name_of(Path(path)):
                text = texts.say("cassettes.old", file=_shown(Path(path)), days=days, most=max_age)
                yield Finding(kind="old", path=path, text=text)


def age(path: Path, now: datetime) -> int | None:
    """Days since the newest interaction of a cassette was recorded; None if unknown."""
    try:
        dates = _RECORDED_AT.findall(path.read_text(encoding="utf-8", errors="replace"))
    except OSError:
        return None
    return (now.date() - datetime.fromisoformat(max(dates)).date()).days if dates else None


def _unplayed_text(file: str, tape: Tape, left: list[int]) -> str:
    named = [
        texts.say("cassettes.interaction", call=f"{tape[position].method} {tape[position].uri}", number=position + 1)
        for position in left[:_SHOWN]
    ]
    more = [texts.say("cassettes.more", more=len(left) - _SHOWN)] if len(left) > _SHOWN else []
    return texts.say("cassettes.unplayed", file=file, left=len(left), all=len(tape), names=", ".join([*named, *more]))


def _key(path: Path) -> str:
    return os.path.abspath(path)


def _shown(path: Path) -> str:
    return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _table(value: object) -> list[tuple[str, list[object]]]:
    return [(str(key), _list(item)) for key, item in value.items()] if isinstance(value, dict) else []
