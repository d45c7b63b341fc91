"""The explanation's first line in front of a report's message: there the short summary and annotations show it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from typing import TYPE_CHECKING

import pytest
from _pytest._code.code import ExceptionRepr

if TYPE_CHECKING:
    from pytest_hwcloud.explanations.explanation import Explanation

_OWN = re.compile(r"(?:AssertionError: )?hwcloud[.:]")  # assert_ok and refused say it in their own words


class Headline:
    """The plugin that puts it there; registered once there is a cloud test, after the redaction, which is to see it."""

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[object]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if call.excinfo is not None:
            from pytest_hwcloud.explanations.notes import kept  # a run without a failure explains nothing

            explanations = kept(call.excinfo.value)
            for explanation in reversed(explanations):
                put_first(report, explanation.first_line, explanation.news)
            if report.failed and not item.config.getoption("fulltrace", False):
                from pytest_hwcloud.explanations.frames import fold

                fold(report, explained=bool(explanations))
            if not getattr(call.excinfo.value, "pytrace", True):
                add_below(report, explanations)
        return report


def add_below(report: pytest.TestReport, explanations: Iterable[Explanation]) -> None:
    """Show what pytest leaves out after pytest.fail(pytrace=False): it prints no notes there."""
    if isinstance(report.longrepr, ExceptionRepr):
        for explanation in explanations:
            report.longrepr.addsection("hwcloud", str(explanation))


def put_first(report: pytest.TestReport, line: str, news: str = "") -> None:
    """Move the line to the front of a failure's message; below it come pytest's own words, then the explanation's.

    news: in front of the line, because a short summary is cut at the width of the terminal.
    """
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None and isinstance(crash.message, str) and not _OWN.match(crash.message):
        others = crash.message.split("\n")
        if line in others:
            others.remove(line)
        crash.message = "\n".join([f"{news} · {line}" if news else line, *others])
