"""What a failure shows of its traceback: the user's frames; those of libraries between them fold into one line."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from _pytest._code.code import ExceptionChainRepr, ExceptionRepr, ReprEntry, ReprEntryNative, ReprTraceback

from pytest_hwcloud import texts
from pytest_hwcloud.usercode.call_site import is_users

_PACKAGE = os.path.join(str(Path(__file__).parents[1]), "")
_OURS = "pytest_hwcloud"
_NAMED = 3  # libraries that the line names
_FAIL = "E"  # how pytest marks the lines of the exception


def fold(report: pytest.TestReport, *, explained: bool) -> None:
    """Fold in place. explained: of an explained failure all libraries, else only what lies in our own functions."""
    longrepr = report.longrepr
    if isinstance(longrepr, ExceptionChainRepr):
        if explained:
            _drop_links(longrepr)
        for number, (traceback, _, _) in enumerate(longrepr.chain):
            _fold(traceback, explained, last=number == len(longrepr.chain) - 1)
    elif isinstance(longrepr, ExceptionRepr):
        only = getattr(longrepr, "reprtraceback", None)
        if isinstance(only, ReprTraceback):
            _fold(only, explained, last=True)


def _drop_links(longrepr: ExceptionChainRepr) -> None:
    """Take out the exceptions that a library raised and wrapped again without a frame of the user's.

    The last of the chain names them, and the explanation gives their meaning.
    """
    *before, last = longrepr.chain
    kept = [link for link in before if not _is_of_libraries(link[0])]
    if len(kept) < len(before):
        longrepr.chain = [*kept, last]


def _is_of_libraries(traceback: ReprTraceback) -> bool:
    entries = [entry for entry in traceback.reprentries if isinstance(entry, ReprEntry)]
    return bool(entries) and all(_library(entry) is not None for entry in entries)


def _fold(traceback: ReprTraceback, explained: bool, *, last: bool) -> None:
    entries = list(traceback.reprentries)
    if not all(isinstance(entry, ReprEntry) and entry.style in ("long", "short") for entry in entries):
        return  # native, line and no: one line or none for each frame anyway
    names = [_library(entry) for entry in entries]  # type: ignore[arg-type]
    if not explained and (not names or names[-1] != _OURS):
        return
    kept: list[ReprEntry | ReprEntryNative] = []
    run: list[tuple[ReprEntry, str]] = []
    for entry, name in zip(entries, names, strict=True):
        if name is None or not (kept or run or explained):
            kept.extend(_closed(kept, run, ends=False))
            run = []
            kept.append(entry)
        else:
            run.append((entry, name))  # type: ignore[arg-type]
    kept.extend(_closed(kept, run, ends=True))
    if kept and (last or len(kept) < len(entries)):
        traceback.reprentries = kept


def _closed(
    kept: Sequence[ReprEntry | ReprEntryNative], run: Sequence[tuple[ReprEntry, str]], *, ends: bool
) -> list[ReprEntry | ReprEntryNative]:
    """Put the line for a run of library frames below the frame before it; gives what has to stand by itself.

    ends: the exception was raised in the last of them, so its lines move to the user's frame.
    """
    if not run:
        return []
    entries = [entry for entry, _ in run]
    names = list(dict.fromkeys(name for _, name in run if name != _OURS))
    line = [f"    {_told(sum(name != _OURS for _, name in run), names)}"] if names else []
    raised = [one for one in entries[-1].lines if one.startswith(_FAIL)] if ends else []
    before = kept[-1] if kept and isinstance(kept[-1], ReprEntry) else None
    if before is None:  # no frame of the user's: only the exception itself
        if not ends:
            return list(entries)
        entries[-1].lines = [*line, *raised]
        return [entries[-1]]
    before.lines = [*before.lines, *line, *raised]
    if ends and before.style == "long" and before.reprfileloc is not None and entries[-1].reprfileloc is not None:
        before.reprfileloc = type(before.reprfileloc)(
            before.reprfileloc.path, before.reprfileloc.lineno, entries[-1].reprfileloc.message
        )
    return []


def _told(count: int, names: Sequence[str]) -> str:
    shown = ", ".join(names[:_NAMED]) + (" …" if len(names) > _NAMED else "")
    return texts.say("run.frames", n=count, names=shown)


def _library(entry: ReprEntry) -> str | None:
    """The library that a frame belongs to; None for the user's own code, and where no file is named."""
    if entry.reprfileloc is None:
        return None
    path = os.path.abspath(entry.reprfileloc.path)
    if path.startswith(_PACKAGE) and not path.startswith(os.path.join(_PACKAGE, "tour", "")):
        return _OURS
    if os.path.basename(path) == "contextlib.py" and not is_users(path):
        return _OURS  # how `with hwcloud.deny(…)` gets to us
    if is_users(path):
        return None
    parts = Path(path).parts
    for folder in ("site-packages", "dist-packages", f"python{sys.version_info[0]}.{sys.version_info[1]}"):
        if folder in parts[:-1]:
            return Path(parts[len(parts) - parts[::-1].index(folder)]).stem
    return Path(path).stem
