"""One writer at a time, and a file that is either the old or the new one, never half of one."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

_PATIENCE = 30.0  # seconds to wait for another run on systems without flock


@contextmanager
def exclusive(path: Path) -> Iterator[None]:
    """No other run reads and writes this lock meanwhile; LockError if the folder cannot be used."""
    try:
        handle = _acquire(path)
    except OSError as error:
        raise _unwritable(path, error) from None
    try:
        yield
    finally:
        _release(path, handle)


def _acquire(path: Path) -> int:
    """The folder itself is locked, so that nothing is left behind; where that is not possible, a file beside it."""
    try:
        import fcntl
    except ImportError:  # Windows
        return _create(path.with_name(path.name + ".lock"))
    handle = os.open(path.parent, os.O_RDONLY)
    fcntl.flock(handle, fcntl.LOCK_EX)
    return handle


def _create(beside: Path) -> int:
    end = time.monotonic() + _PATIENCE
    while True:
        try:
            return os.open(beside, os.O_CREAT | os.O_EXCL | os.O_RDWR)
        except FileExistsError:
            if time.monotonic() > end:
                raise
            time.sleep(0.05)


def _release(path: Path, handle: int) -> None:
    os.close(handle)
    if os.name == "nt":
        with suppress(OSError):
            path.with_name(path.name + ".lock").unlink()


def replace_text(path: Path, content: str) -> None:
    """Write to a temporary name beside it, then take its place; LockError leaves the old file as it was."""
    temporary = ""
    try:
        handle, temporary = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".new", dir=path.parent)
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, path.stat().st_mode & 0o777 if path.exists() else 0o666 & ~_umask())
        os.replace(temporary, path)
    except OSError as error:
        raise _unwritable(path, error) from None
    finally:
        with suppress(OSError):
            os.unlink(temporary)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask


def _unwritable(path: Path, error: OSError) -> ValueError:
    from pytest_hwcloud.permissions.lock.lockfile import LockError

    state = "; the lock is as it was" if path.exists() else ""
    return LockError(f"{os.path.relpath(path)}: cannot be written: {error.strerror}{state}")
