"""Puts rendered interactions into a cassette file: whole or not at all, and nothing of what others record is lost.

Each save takes the cassette's lock, reads what is there, adds, writes a temporary name beside it and renames. So
threads, xdist workers and other processes add to one file, and a process killed at any moment leaves the old file or
the new one.
"""

from __future__ import annotations

import itertools
import os
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from datetime import datetime
from pathlib import Path
from typing import IO

from pytest_hwcloud.cassettes.interaction import CassetteError, read_interaction
from pytest_hwcloud.cassettes.rendering import HEADER, OPENING, moment, page

_ITEM = re.compile(r"(?m)^- ")
_END = re.compile(r'  recorded_at: "([^"]+)"\n\Z')
_COUNTER = itertools.count()


def save(
    path: Path, items: Sequence[str], *, since: datetime | None = None, metadata: Mapping[str, str] | None = None
) -> None:
    """Add rendered items to the cassette; with `since`, first drop what was recorded before (a rewrite).

    CassetteError on a disk error, or if what is there is no whole cassette (the new items are then in NAME.new.yaml).
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with locked(path):
            _sweep(path)
            try:
                text = _merged(path, items, since, metadata)
            except CassetteError as error:
                spare = path.with_suffix(".new" + path.suffix)
                write_whole(spare, page(items, metadata))
                raise CassetteError(
                    f"{error.problem}. It was left as it is, and the new recording is in {spare.name}: "
                    f"repair or delete {path.name}, or rename the new file to it",
                    path=path,
                    line=error.line,
                    key=error.key,
                ) from None
            write_whole(path, text)
    except OSError as error:
        raise CassetteError(
            f"cannot be written: {error.strerror or error}. What was there before is untouched", path=path
        ) from error


def write_whole(path: Path, text: str) -> None:
    """Write the file under a temporary name and rename it; OSError leaves no trace."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{next(_COUNTER)}.tmp")
    try:
        with open(temporary, "w", encoding="utf-8", newline="\n") as file:
            file.write(text)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def _sweep(path: Path) -> None:
    """Remove what a killed process left; nobody else writes while the lock is ours."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        with suppress(OSError):
            left.unlink()


def _merged(path: Path, items: Sequence[str], since: datetime | None, metadata: Mapping[str, str] | None) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return page(items, metadata)
    except UnicodeDecodeError:
        raise CassetteError("is no cassette (not a text)", path=path) from None
    if not text.strip():
        return page(items, metadata)  # vcrpy: like no cassette
    ours = _own_items(text)
    if ours is None and since is not None and text.startswith(HEADER):
        ours = []  # half a file of ours, and it is written anew
    if ours is None:
        head, old = _foreign_items(path, text)
    else:
        head, old = text[: text.index(OPENING)] if ours else HEADER + "version: 1\n", ours
    if since is not None:
        start = moment(since)
        old = [item for item in old if (found := _END.search(item)) and found[1] >= start]
        head = page((), metadata).removesuffix("interactions: []\n")
    every = [*old, *items]
    return head + (OPENING + "".join(every) if every else "interactions: []\n")


def _own_items(text: str) -> list[str] | None:
    """The items of a cassette that we wrote and that is whole; None for anything else."""
    if not text.startswith(HEADER):
        return None
    if text.endswith("\ninteractions: []\n"):
        return []
    _, found, body = text.partition("\n" + OPENING)
    starts = [match.start() for match in _ITEM.finditer(body)]
    items = [body[start:end] for start, end in itertools.pairwise([*starts, len(body)])]
    whole = found and items and starts[0] == 0 and all(_END.search(item) for item in items)
    return items if whole else None


def _foreign_items(path: Path, text: str) -> tuple[str, list[str]]:
    """Head and items of any other vcrpy cassette, each item in YAML of its own; CassetteError if it is none."""
    import yaml

    from pytest_hwcloud.replay.tape_yaml import read_yaml

    document = read_yaml(text, path)
    interactions = document.get("interactions") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(interactions, list):
        raise CassetteError("is no cassette (no list `interactions`)", path=path)
    for index, interaction in enumerate(interactions):
        read_interaction(interaction, index, path)  # half a file may still be YAML

    def dumped(value: object) -> str:
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        return str(yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True))

    rest = {key: value for key, value in document.items() if key not in ("interactions", "version")}
    head = "version: 1\n" + (dumped(rest) if rest else "")
    return head, [dumped([interaction]) for interaction in interactions]


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a cassette: against threads and processes, released by the system if the process dies."""
    lock = path.with_name(f".{path.name}.lock")
    while True:
        file = open(lock, "a")  # noqa: SIM115 - closed below, after the rename
        _acquire(file)
        if _is_current(file, lock):
            break
        file.close()  # the one before us removed the file; what we hold locks nobody out
    try:
        yield
    finally:
        with suppress(OSError):
            lock.unlink()
        file.close()


def _is_current(file: IO[str], lock: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(lock))
    except FileNotFoundError:
        return False


if sys.platform == "win32":
    import msvcrt
    import time

    def _acquire(file: IO[str]) -> None:
        while True:
            try:
                return msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(0.01)

else:
    import fcntl

    def _acquire(file: IO[str]) -> None:
        fcntl.flock(file, fcntl.LOCK_EX)
