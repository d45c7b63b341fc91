"""The parsed form of cassettes, kept beside pytest's own cache: JSON, written atomically, thrown away when in doubt.

A file is a line about the cassette, a line with the index, and the entries, one JSON document each. It counts while the
cassette has the size and the time it had, or else the same sha256. A time so recent that the cassette could have been
written again within it is not trusted, the digest is compared then.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import os
import time
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from pytest_hwcloud import texts

FORMAT = 3
_TICK_NS = 100_000_000  # longer than the clock of any file system that keeps fractions of a second
_COARSE_TICK_NS = 2_100_000_000  # of those that do not


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """A cassette ready to answer. ends: for entry i, ends[i] to ends[i + 1] are its bytes in blob."""

    metadata: dict[str, object]
    index: dict[str, list[int]]
    ends: Sequence[int]
    blob: bytes
    faults: Sequence[int]  # positions of the entries that are faults
    plain: bool  # the entries are plain YAML in the cassette itself, not JSON in the cache


def place(cache_dir: Path, path: Path) -> Path:
    """Where the parsed form of a cassette lies."""
    name = hashlib.sha256(os.fspath(path.resolve()).encode("utf-8", "surrogateescape")).hexdigest()[:32]
    return cache_dir / f"{name}.json"


def load(cache_dir: Path, path: Path, stat: os.stat_result) -> Parsed | None:
    """The parsed form, or None if there is none, or it is old or damaged."""
    try:
        data = place(cache_dir, path).read_bytes()
        head, _, rest = data.partition(b"\n")
        about = json.loads(head)
        if about["format"] != FORMAT or about["crc"] != zlib.crc32(rest):
            return None
        line, _, entries = rest.partition(b"\n")
        content = path.read_bytes() if about["plain"] or not _same_time(about, stat) else None
        if content is not None and not _same(about, stat, content):
            return None
        inner = json.loads(line)
        blob = content if about["plain"] and content is not None else entries
        parsed = Parsed(**inner, blob=blob, plain=about["plain"])
        if content is not None and not _same_time(about, stat) and time.time_ns() - stat.st_mtime_ns > _tick(stat):
            save(cache_dir, path, stat, content, parsed)  # from now on the time is enough
        return parsed
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return None


def _same_time(about: dict[str, Any], stat: os.stat_result) -> bool:
    same: bool = about["size"] == stat.st_size and about["mtime_ns"] == stat.st_mtime_ns
    return same and about["seen_ns"] - stat.st_mtime_ns > _tick(stat)


def _tick(stat: os.stat_result) -> int:
    """Within this time a file could be written twice and keep the same time."""
    return _TICK_NS if stat.st_mtime_ns % 1_000_000_000 else _COARSE_TICK_NS


def _same(about: dict[str, Any], stat: os.stat_result, content: bytes) -> bool:
    return _same_time(about, stat) or str(about["sha256"]) == hashlib.sha256(content).hexdigest()


def save(cache_dir: Path, path: Path, stat: os.stat_result, content: bytes, parsed: Parsed) -> None:
    """Write the parsed form to a temporary name and rename it. A folder that cannot be written is no error."""
    inner = {
        "metadata": parsed.metadata,
        "index": parsed.index,
        "ends": list(parsed.ends),
        "faults": list(parsed.faults),
    }
    with contextlib.suppress(OSError, ValueError, TypeError, RecursionError):
        line = json.dumps(inner, default=plain_value, separators=(",", ":")).encode()
        rest = line + b"\n" + (b"" if parsed.plain else parsed.blob)
        about = {
            "format": FORMAT,
            "cassette": os.fspath(path),
            "size": stat.st_size,
            "mtime_ns": stat.st_mtime_ns,
            "seen_ns": time.time_ns(),
            "sha256": hashlib.sha256(content).hexdigest(),
            "plain": parsed.plain,
            "crc": zlib.crc32(rest),
        }
        _write(place(cache_dir, path), json.dumps(about).encode() + b"\n" + rest)


def _write(target: Path, data: bytes) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.{os.getpid()}.{time.monotonic_ns()}.tmp")
    try:
        temporary.write_bytes(data)
        os.replace(temporary, target)
    finally:
        temporary.unlink(missing_ok=True)


def plain_value(value: object) -> object:
    """JSON for what YAML can hold and JSON cannot: bytes and dates."""
    if isinstance(value, bytes):
        return {"base64_string": base64.b64encode(value).decode()}
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(texts.say("cassettes.no-place", type=type(value).__name__))
