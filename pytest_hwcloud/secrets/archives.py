"""Files inside zip and tar archives, cleaned one by one; an archive in which nothing changes keeps its very bytes."""

from __future__ import annotations

import io
import tarfile
import zipfile
import zlib
from collections.abc import Callable

ZIP = b"PK\x03\x04"
_TAR = slice(257, 262)  # where a tar archive has its magic
_LARGEST, _MOST = 16 << 20, 64 << 20  # bytes of one file, and of all: what is larger is left packed
_BROKEN = (zipfile.BadZipFile, tarfile.TarError, OSError, EOFError, ValueError, zlib.error, RuntimeError)

Clean = Callable[[bytes], bytes]


def is_archive(body: bytes) -> bool:
    """Whether a body is a zip or a tar archive. One packed with gzip is unpacked first."""
    return body.startswith(ZIP) or body[_TAR] == b"ustar"


def rewritten(body: bytes, clean: Clean) -> bytes:
    """The archive with every file cleaned: the same names, order, dates and rights."""
    try:
        return _zip(body, clean) if body.startswith(ZIP) else _tar(body, clean)
    except _BROKEN:  # encrypted, cut off, or in a way to pack that Python does not know
        return body


def _zip(body: bytes, clean: Clean) -> bytes:
    written, changed = io.BytesIO(), False
    with zipfile.ZipFile(io.BytesIO(body)) as old, zipfile.ZipFile(written, "w") as new:
        if sum(info.file_size for info in old.infolist()) > _MOST:
            return body
        new.comment = old.comment
        for info in old.infolist():
            found = old.read(info)
            inner = clean(found) if len(found) <= _LARGEST else found
            changed = changed or inner != found
            new.writestr(info, inner)
    return written.getvalue() if changed else body


def _tar(body: bytes, clean: Clean) -> bytes:
    written, changed = io.BytesIO(), False
    with (
        tarfile.open(fileobj=io.BytesIO(body), mode="r:") as old,
        tarfile.open(fileobj=written, mode="w:", format=tarfile.PAX_FORMAT) as new,
    ):
        for member in old:
            opened = old.extractfile(member) if member.isfile() else None
            if opened is None:
                new.addfile(member)
                continue
            found = opened.read()
            inner = clean(found) if len(found) <= _LARGEST else found
            changed = changed or inner != found
            member.size = len(inner)
            new.addfile(member, io.BytesIO(inner))
    return written.getvalue() if changed else body
