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
_INSIDE: dict[str, bool] = {}  # file name → belongs to a library; asked for every frame of every call


def call_site() -> tuple[str, int] | None:
    """File and line of the caller; None where none of its frames is on this thread's stack (the SDK's own threads)."""
    frame: FrameType | None = sys._getframe(1)
    inside = _INSIDE
    while frame is not None:
        name = frame.f_code.co_filename
        skip = inside.get(name)
        if skip is None:
            skip = inside[name] = _is_library(name)
        if not skip:
            return name, frame.f_lineno
        frame = frame.f_back
    return None


def _is_library(name: str) -> bool:
    if name.startswith("<") or "site-packages" in name:
        return "pytest_hwcloud/tour" not in name.replace("\\", "/")
    if name.startswith(_TOUR):
        return False
    return name.startswith((_PACKAGE, *_LIBRARIES))
