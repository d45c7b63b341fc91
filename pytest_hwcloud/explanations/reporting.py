"""What the plugin's hooks do with a failure. Loaded at the first failure of a run, not before."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable, Sequence
from typing import TYPE_CHECKING

import pytest
from _pytest._code.code import ExceptionRepr

from pytest_hwcloud import texts

if TYPE_CHECKING:
    from pytest_hwcloud.explanations.explanation import Explanation
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.journal import Journal

_NO_FAILURE = (pytest.skip.Exception, pytest.xfail.Exception, pytest.exit.Exception, KeyboardInterrupt)


def makereport(
    item: pytest.Item,
    call: pytest.CallInfo[object],
    journal: Journal | None,
    state: CloudState | None,
    lang: str = "en",
) -> None:
    """Before the report is made: the explanation on the exception, its properties on the test."""
    if call.excinfo is None or isinstance(call.excinfo.value, _NO_FAILURE):
        return
    from pytest_hwcloud.explanations import notes, summary

    try:
        for explanation in notes.annotate(call.excinfo.value, journal, state, lang):
            summary.add_to(item.user_properties, explanation)
    except Exception as error:
        # The run must go on, and the test's own failure must be seen: an error of ours is reported beside it.
        told = texts.say_in(lang, "run.unexplained", type=type(error).__name__, error=error)
        item.add_report_section(call.when, "hwcloud", told)


def assertrepr_compare(
    config: pytest.Config,
    comparison: tuple[str, object, object],
    results: Sequence[list[str] | None] = (),
    lang: str = "en",
) -> list[list[str] | None]:
    """What the hook pytest_assertrepr_compare shall give: the results of the others, ours below the one that counts.

    comparison: operator, left side, right side.
    results: what the other implementations gave, of which pytest shows the first that is not empty.
    """
    from pytest_hwcloud.explanations import assertrepr

    ours = assertrepr.lines(*comparison, lang)
    if not ours:
        return list(results)
    shown = next((list(result) for result in results if result), [])
    return [assertrepr.composed(config, comparison, shown, ours)]


def terminal_summary(terminalreporter: pytest.TerminalReporter, lang: str = "en") -> None:
    """Write the causes of the run's failures, each once."""
    from pytest_hwcloud.explanations import summary

    reports = [report for outcome in summary.OUTCOMES for report in terminalreporter.stats.get(outcome, ())]
    above = terminalreporter.config.getoption("tbstyle", "auto") not in ("no", "line")
    written = summary.lines(reports, lang, above=above)
    if written:
        from pytest_hwcloud.texts import terminal

        width = terminalreporter.config.get_terminal_writer().fullwidth
        terminal.section(terminalreporter, summary.title(lang), width)
        for line in written:
            terminal.write(terminalreporter, line, width)


def explain_in_run(
    obj: object, journal: Journal | None, state: CloudState | None, lang: str = "en"
) -> Explanation | None:
    """The explanation of anything, with what the run knows of the call that it came from."""
    from pytest_hwcloud.explanations import linking, notes
    from pytest_hwcloud.explanations.explanation import explain

    evidence = linking.of_value(obj, journal.refused) if journal else None
    return notes.explained(evidence, journal, state, lang) if evidence else explain(obj, lang)


# The headline: the explanation's first line in front of a report's message ------------------------------------------

NEWS = "hwcloud_news"  # an error's own few words for the short summary
_OWN = re.compile(r"(?:AssertionError: )?hwcloud[.:]")  # assert_ok and refused have their own messages


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
            if news := getattr(call.excinfo.value, NEWS, ""):
                put_news(report, news)
            if report.failed and not item.config.getoption("fulltrace", False):
                from pytest_hwcloud.explanations.frames import fold

                fold(report, explained=bool(explanations))
            if not getattr(call.excinfo.value, "pytrace", True):
                add_below(report, explanations)
        return report


def put_news(report: pytest.TestReport, news: str) -> None:
    """Begin a failure's message with what is new in it, for errors of ours that contain the rest."""
    crash = getattr(report.longrepr, "reprcrash", None)
    if crash is not None and isinstance(crash.message, str) and not crash.message.startswith(news):
        crash.message = f"{news}\n{crash.message}"


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
