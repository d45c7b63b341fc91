"""The reports of a run: json, sarif, md and html files, and annotations for GitHub."""

# No `from __future__ import annotations`: that name is one of this package's own.

import os
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.files.atomic import make_folder, write_whole
from pytest_hwcloud.permissions.reports.github import commands as annotations
from pytest_hwcloud.permissions.reports.overview import Mask, Overview, overview

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.options import Settings
    from pytest_hwcloud.permissions.ledger import Ledger

__all__ = ["ReportError", "annotations", "write_reports"]

_FORMATS = {"json": "json_report", "sarif": "sarif", "md": "markdown", "html": "html"}


class ReportError(OSError):
    """Reports that could not be written; the text has one line a file, naming the file and the reason."""


def write_reports(settings: "Settings", ledger: "Ledger", state: "CloudState", mask: Mask | None = None) -> list[str]:
    """Write every report that was asked for; a line for each. mask: the run's `Secrets.masked`.

    One that cannot be written keeps no other from being written; ReportError at the end names them all.
    """
    if not settings.reports:
        return []
    problems = _shared_files(settings)
    lines = []
    shown = overview(settings, ledger, state, mask)
    for kind, path in dict.fromkeys(settings.reports):
        if path in problems:
            continue
        try:
            lines.append(_one(kind, path, shown))
        except OSError as error:
            reason = error.strerror or error
            problems[path] = texts.say("permissions.report-failed", file=_shown(path), kind=kind, reason=reason)
    if problems:
        raise ReportError("\n".join(problems.values()))
    return lines


def _one(kind: str, path: Path, shown: Overview) -> str:
    render: Callable[[Overview], str] = import_module(f"{__name__}.{_FORMATS[kind]}").render
    text = render(shown)
    make_folder(path.parent)
    write_whole(path, text)
    if not text:
        return texts.say("permissions.report-empty", kind=kind, file=_shown(path))
    findings = texts.say("permissions.report-findings", n=len(shown.open))
    tests = texts.say("permissions.report-tests", n=len(shown.tests))
    return texts.say("permissions.report", kind=kind, file=_shown(path), findings=findings, tests=tests)


def _shared_files(settings: "Settings") -> dict[Path, str]:
    kinds: dict[Path, list[str]] = {}
    for kind, path in dict.fromkeys(settings.reports):
        kinds.setdefault(path, []).append(kind)
    return {
        path: texts.say("permissions.one-file", file=_shown(path), n=len(names), kinds=", ".join(names))
        for path, names in kinds.items()
        if len(names) > 1
    }


def _shown(path: Path) -> str:
    return os.path.relpath(path).replace(os.sep, "/")
