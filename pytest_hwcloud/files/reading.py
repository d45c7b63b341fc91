"""Files that users name, read whole: only regular ones, up to a size, as UTF-8. What is wrong is one line."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

from pytest_hwcloud import texts

MOST = 16 << 20  # bytes of a file that people write: hwcloud.yaml, a policy, a table of actions


class UnusableFile(ValueError):
    """A file that cannot be read; the message gives the reason, without the file. kind: the key of the reason."""

    def __init__(self, kind: str, **values: object) -> None:
        super().__init__(texts.say(f"files.{kind}", **values))
        self.kind = kind


def exists(path: str | os.PathLike[str]) -> bool:
    """Whether something has this name, be it a folder, a pipe or a link that leads nowhere."""
    try:
        return os.path.lexists(path)
    except (OSError, ValueError):
        return False


def problem(path: str | os.PathLike[str]) -> str | None:
    """Why this is no readable file, or None."""
    try:
        kind = _kind(os.stat(path).st_mode)
    except ValueError:
        return texts.say("files.no-path")
    except OSError as error:
        return str(_unusable(Path(path), error))
    return texts.say(f"files.{kind}") if kind else None


def read_text(path: str | os.PathLike[str], *, most: int = MOST) -> str:
    """The text of a regular file of at most so many bytes; UnusableFile for anything else, without waiting for it."""
    return decoded(read_bytes(path, most=most))


def read_bytes(path: str | os.PathLike[str], *, most: int = MOST) -> bytes:
    """The same as bytes."""
    try:
        # A pipe without a writer would wait for ever, so the kind is asked before the file is opened.
        if kind := _kind(os.stat(path).st_mode):
            raise UnusableFile(kind)
        with open(path, "rb") as opened:
            found = opened.read(most + 1)
    except ValueError as error:
        if isinstance(error, UnusableFile):
            raise
        raise UnusableFile("no-path") from None  # NUL, or a lone surrogate
    except OSError as error:
        raise _unusable(Path(path), error) from None
    if len(found) > most:
        raise UnusableFile("too-large", megabytes=most >> 20)
    return found


def decoded(data: bytes) -> str:
    """UTF-8 text, with or without a byte order mark; UnusableFile naming the line for other bytes."""
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise UnusableFile("no-utf-8", line=line, byte=f"0x{data[error.start]:02x}") from None


def _kind(mode: int) -> str | None:
    if stat.S_ISREG(mode):
        return None
    return "folder" if stat.S_ISDIR(mode) else "no-regular-file"


def _unusable(path: Path, error: OSError) -> UnusableFile:
    if error.errno == errno.ELOOP:
        return UnusableFile("loop")
    if isinstance(error, FileNotFoundError):
        return UnusableFile("dangling" if exists(path) else "missing")
    return UnusableFile("unreadable", reason=error.strerror or type(error).__name__)
