"""Where a call was made: file and line of the first frame that belongs to the test or to the code under test."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path
from types import FrameType

_PACKAGE = str(Path(__file__).resolve().parents[1])
_TOUR = str(Path(_PACKAGE, "tour"))
_LIBRARIES = tuple(
    {path for name in ("stdlib", "platstdlib", "purelib", "platlib") if (path := sysconfig.get_path(name))}
)
_RUNNER = ("/_pytest/", "/pluggy/")
_KINDS: dict[str, int] = {}  # file name → 0 the user's, 1 of a library, 2 of pytest; asked for every frame


class CallSite(tuple[str, int]):
    """File and line of the user's code that made a call. callers: the user's lines above it, innermost first."""

    callers: tuple[tuple[str, int], ...] = ()


def call_site() -> CallSite | None:
    """File and line of the caller; None where none of its frames is on this thread's stack (the SDK's own threads)."""
    frame: FrameType | None = sys._getframe(1)
    kinds, lines = _KINDS, []
    while frame is not None:
        name = frame.f_code.co_filename
        kind = kinds.get(name)
        if kind is None:
            kind = kinds[name] = _kind(name)
        if kind == 0:
            lines.append((name, frame.f_lineno))
        elif kind == 2:
            break
        frame = frame.f_back
    if not lines:
        return None
    site = CallSite(lines[0])
    if len(lines) > 1:
        site.callers = tuple(lines[1:])
    return site


def _kind(name: str) -> int:
    if any(part in name.replace("\\", "/") for part in _RUNNER):
        return 2
    return int(_is_library(name))


def _is_library(name: str) -> bool:
    if name.startswith("<") or "site-packages" in name:
        return "pytest_hwcloud/tour" not in name.replace("\\", "/")
    if name.startswith(_TOUR):
        return False
    return name.startswith((_PACKAGE, *_LIBRARIES))
