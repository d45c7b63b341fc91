"""What the plugin's hooks do with a failure. Loaded at the first failure of a run, not before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pytest

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
    from pytest_hwcloud.explanations import notes, properties

    try:
        for explanation in notes.annotate(call.excinfo.value, journal, state, lang):
            properties.add_to(item.user_properties, explanation)
    except Exception as error:
        # The run must go on, and the test's own failure must be seen: an error of ours is told beside it.
        told = f"This failure could not be explained, which is a bug of pytest-hwcloud: {type(error).__name__}: {error}"
        item.add_report_section(call.when, "hwcloud", told)


def assertrepr_compare(
    config: pytest.Config,
    op: str,
    left: object,
    right: object,
    results: Sequence[list[str] | None] = (),
    lang: str = "en",
) -> list[list[str] | None]:
    """What the hook pytest_assertrepr_compare shall give: the results of the others, ours below the one that counts.

    results: what the other implementations gave, of which pytest shows the first that is not empty.
    """
    from pytest_hwcloud.explanations import assertrepr

    ours = assertrepr.lines(op, left, right, lang)
    if not ours:
        return list(results)
    shown = next((list(result) for result in results if result), [])
    return [assertrepr.composed(config, (op, left, right), shown, ours)]


def terminal_summary(terminalreporter: pytest.TerminalReporter, lang: str = "en") -> None:
    """Write the causes of the run's failures, each once."""
    from pytest_hwcloud.explanations import summary

    reports = [report for outcome in summary.OUTCOMES for report in terminalreporter.stats.get(outcome, ())]
    written = summary.lines(reports, lang)
    if written:
        from pytest_hwcloud.texts import terminal

        width = terminalreporter.config.get_terminal_writer().fullwidth
        terminal.section(terminalreporter, summary.TITLE[lang], width)
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
