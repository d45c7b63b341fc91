"""Files written whole or not at all, and one writer at a time.

A text goes under a temporary name beside the file and is renamed over it: a process killed at any moment leaves the old
file or the new one. A lock is a file beside it that the system releases when its process dies. No library for it: what
is needed is twenty lines, and the lock of `filelock` stays behind as a file in the user's repository.
"""

from __future__ import annotations

import importlib
import itertools
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EISDIR, ENOTDIR
from pathlib import Path
from typing import IO, Any

_COUNTER = itertools.count()
_PAUSE = 0.01  # seconds between two tries, on systems whose lock does not wait by itself


def write_whole(path: Path, content: str, *, durable: bool = False) -> None:
    """Replace the file (UTF-8, lines as given) in one step, keeping its permissions; OSError leaves the old one.

    durable: on the disk, too, before it takes the old one's place. A pipe or a terminal is written to, not replaced.
    """
    if path.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    mode = path.stat().st_mode & 0o777 if path.exists() else None
    if mode is not None and not path.is_file():
        opened = os.open(path, os.O_WRONLY | getattr(os, "O_NONBLOCK", 0))  # a pipe without a reader: an error, no wait
        with open(opened, "wb") as stream:
            os.set_blocking(opened, True)
            stream.write(content.encode("utf-8", "backslashreplace"))
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}-{next(_COUNTER)}.tmp")
    try:
        with open(temporary, "wb") as file:
            file.write(content.encode("utf-8", "backslashreplace"))
            if durable:
                file.flush()
                os.fsync(file.fileno())
        if mode is not None:
            os.chmod(temporary, mode)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise


def make_folder(folder: Path) -> None:
    """Create a folder and those above it; NotADirectoryError where a file is in the way."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), str(folder)) from None


def sweep(path: Path) -> None:
    """Remove what killed processes left beside a file. Call it with the lock held: no other process writes then."""
    for left in path.parent.glob(f".{path.name}.*.tmp"):
        with suppress(OSError):
            left.unlink()


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file against threads and processes; OSError if the folder cannot be used."""
    lock = path.with_name(f".{path.name}.lock")
    while True:
        file = open(lock, "a")  # noqa: SIM115 - closed below, after the file is removed
        try:
            acquire(file)
            if _is_current(file, lock):
                break
        except BaseException:
            file.close()
            raise
        file.close()  # the one before us removed the file; the lock we hold has no effect
    try:
        yield
    finally:
        if os.name == "nt":
            file.close()  # Windows removes no open file
        with suppress(OSError):
            lock.unlink()
        file.close()


def _is_current(file: IO[str], lock: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), os.stat(lock))
    except FileNotFoundError:
        return False


def acquire(file: IO[str], platform: str = sys.platform) -> None:
    """Wait for the exclusive lock of an open file, with what the platform has for it."""
    if platform == "win32":
        msvcrt: Any = importlib.import_module("msvcrt")
        while True:
            try:
                msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
            except OSError:
                time.sleep(_PAUSE)
            else:
                return
    fcntl: Any = importlib.import_module("fcntl")
    fcntl.flock(file, fcntl.LOCK_EX)
