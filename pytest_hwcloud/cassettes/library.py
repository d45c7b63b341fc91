"""Where cassettes lie: the shipped library, the cassettes of the user, and the one that belongs to a test."""

from __future__ import annotations

import hashlib
import os
import re
from difflib import get_close_matches
from functools import cache, lru_cache
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.interaction import CassetteError
from pytest_hwcloud.cloud.identity import unknown

_PACKAGE = Path(__file__).resolve().parents[1]
_SUFFIXES = (".yaml", ".yml", ".json")
_MAX_BYTES = 110  # of a file name without its ending; file systems allow 255, archives and URLs less
_MAX_NAME = 240  # of a path in the marker
_UNSAFE = re.compile(r"[^\w.\-\[\]=+@ ,]+")


@cache
def root() -> Path:
    """The folder of the shipped cassettes: inside the package once installed, at the top of the repository before."""
    inside = _PACKAGE / "cassettes"
    return inside if (inside / "success").is_dir() else _PACKAGE.parent / "cassettes"


@cache
def names() -> tuple[str, ...]:
    """The names of the shipped cassettes, as `authentication/token-missing`, sorted."""
    return tuple(sorted(p.relative_to(root()).with_suffix("").as_posix() for p in root().glob("*/*.yaml")))


def shipped(name: str) -> Path | None:
    """The file of a shipped cassette, None if the library has none of this name."""
    return root() / f"{name}.yaml" if name in names() else None


def name_of(path: Path) -> str | None:
    """The library's name of a file, None if it is not of the library."""
    if not os.fspath(path).startswith(os.fspath(root())):
        return None
    return path.relative_to(root()).with_suffix("").as_posix() if path.is_relative_to(root()) else None


def find(name: str, folder: Path) -> Path:
    """The file behind a name in the marker: a shipped cassette, or a path relative to the cassette folder of the test.

    UnknownName (with the nearest) if there is none; CassetteError if it climbs out of the folder.
    """
    found = shipped(name)
    if found is not None:
        return found
    inside = _inside(name, folder)
    for candidate in (inside, *(inside.with_name(inside.name + suffix) for suffix in _SUFFIXES)):
        if candidate.is_file():
            return _inside(candidate.relative_to(folder).as_posix(), folder)  # a link may lead out of it
    raise unknown("cassette", name, [*names(), *_local_names(folder)], texts.say("names.of-library", folder=folder))


def new(name: str, folder: Path) -> Path | None:
    """The file that a recording under this name goes to; None if the name looks like a misspelt shipped one.

    CassetteError if it climbs out of the folder, or asks for a format that is not written.
    """
    inside = _inside(name, folder)
    if inside.suffix == ".json":
        raise CassetteError(texts.say("cassettes.yaml-only", name=inside.stem), path=inside)
    if get_close_matches(name, names(), n=1, cutoff=0.8):
        return None
    return inside if inside.suffix in _SUFFIXES else inside.with_name(f"{inside.name}.yaml")


def _inside(name: str, folder: Path) -> Path:
    surrogate = any("\ud800" <= letter <= "\udfff" for letter in name)  # no file can be called so
    if not name.strip() or "\0" in name or surrogate or len(name.encode("utf-8", "replace")) > _MAX_NAME:
        raise CassetteError(texts.say("cassettes.no-name", name=name[:80]), path=folder)
    path = folder / name.replace("\\", "/")
    if not path.resolve().is_relative_to(folder.resolve()):
        raise CassetteError(texts.say("cassettes.outside", name=name), path=folder)
    return path


def _local_names(folder: Path) -> list[str]:
    if not folder.is_dir():
        return []
    return [p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.suffix in _SUFFIXES and p.is_file()]


def folder_of(test_file: Path, cassette_dir: str = "cassettes") -> Path:
    """The cassette folder of a test: beside its file, or below hwcloud_cassette_dir (absolute)."""
    return test_file.parent / cassette_dir


def own_cassette(test_file: Path, test_name: str, cassette_dir: str = "cassettes", root: Path | None = None) -> Path:
    """The cassette of a test's own: `cassettes/<test module>/<test name>.yaml` beside the test file.

    test_name: what follows the file in the node id (`TestServers::test_list[cn-north-4]`). Names that had to be
    changed or cut carry a digest of the whole: two tests never share a file, a name never depends on other tests.
    root: of the project; one folder for the cassettes of all test files keeps their own folders apart.
    """
    return _own_folder(test_file, cassette_dir, root) / f"{file_stem(test_name)}.yaml"


@lru_cache(maxsize=256)
def _own_folder(test_file: Path, cassette_dir: str, root: Path | None) -> Path:
    folder = folder_of(test_file, cassette_dir)
    return folder / _below(folder, test_file.parent, root) / test_file.stem


def _below(folder: Path, tests: Path, root: Path | None) -> Path:
    """What keeps test files of the same name apart in one folder for all of them: where in the project they lie."""
    if root is None or not tests.is_relative_to(root) or Path(os.path.normpath(folder)).is_relative_to(tests):
        return Path()
    return tests.relative_to(root)


def file_stem(test_name: str) -> str:
    """A file name for a test: its own where that is possible, else as near as possible with a digest."""
    function, bracket, parameters = test_name.partition("[")
    plain = function.replace("::", ".") + bracket + parameters
    safe = _UNSAFE.sub("-", plain).strip(" .") or "test"
    if safe == plain and len(safe.encode()) <= _MAX_BYTES:
        return safe
    digest = hashlib.sha256(test_name.encode("utf-8", "surrogateescape")).hexdigest()[:8]
    return f"{safe.encode()[: _MAX_BYTES - 9].decode(errors='ignore')}-{digest}"
