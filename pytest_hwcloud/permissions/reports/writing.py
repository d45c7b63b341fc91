"""A report into its file: whole or not at all, with its folders."""

from __future__ import annotations

import os
from contextlib import suppress
from errno import EISDIR, ENOTDIR
from pathlib import Path


class ReportError(OSError):
    """Reports that could not be written; the text has one line a file, naming the file and the reason."""


def write(path: Path, text: str) -> None:
    """Write the file under a temporary name beside it and rename it; OSError leaves no trace."""
    data = text.encode("utf-8", "backslashreplace")  # half of a surrogate pair, out of a parameter's id
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise NotADirectoryError(ENOTDIR, os.strerror(ENOTDIR), str(path.parent)) from None
    if path.is_dir():
        raise IsADirectoryError(EISDIR, os.strerror(EISDIR), str(path))
    if path.exists() and not path.is_file():
        path.write_bytes(data)  # a pipe or a terminal: it cannot be renamed over
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, path)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
