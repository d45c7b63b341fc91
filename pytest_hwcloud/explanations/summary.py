"""Explanations as properties of tests, in plain strings; and from them the causes of a run's failures, each once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pytest_hwcloud.explanations import wording
from pytest_hwcloud.explanations.explanation import Explanation

# In this order; `gate` is always there and begins the next explanation of the same test.
NAMES = ("gate", "code", "request_id", "status", "first_line", "cause", "fix")
PROPERTY = "hwcloud."

Property = tuple[str, str]


def properties(explanation: Explanation) -> list[Property]:
    """The properties of one explanation; what has no content is left out."""
    values = ((name, getattr(explanation, name)) for name in NAMES)
    return [(PROPERTY + name, str(value)) for name, value in values if value not in (None, "")]


def add_to(kept: list[tuple[str, object]], explanation: Explanation) -> None:
    """Put an explanation's properties on a test, if they are not there yet (a subtest's stay for the next one)."""
    new = properties(explanation)
    if not any(kept[at : at + len(new)] == new for at in range(len(kept))):
        kept.extend(new)


def explanations_in(kept: Iterable[object]) -> list[dict[str, str]]:
    """The explanations in a report's user_properties, each a dict by name; properties of others are passed over."""
    found: list[dict[str, str]] = []
    for pair in kept:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not str(pair[0]).startswith(PROPERTY):
            continue
        name, value = str(pair[0]).removeprefix(PROPERTY), str(pair[1])
        if name == "gate":
            found.append({})
        if found:
            found[-1][name] = value
    return found


# The causes at the end of a run -------------------------------------------------------------------------------------

_NAMED = 3  # tests named below a cause
_WORDS = {
    "en": {"one": "1 test", "many": "{count} tests", "tests": "tests", "more": "… and {count} more"},
    "zh": {"one": "1 个测试", "many": "{count} 个测试", "tests": "测试", "more": "…另有 {count} 个"},
}
_AGE = re.compile(r"\b\d{1,5}\b")  # the age of a token differs from test to test and makes no other cause
OUTCOMES = ("failed", "error")
TITLE = {"en": "hwcloud: why tests failed", "zh": "hwcloud：测试失败的原因"}


class Reported(Protocol):
    """What is read of a report."""

    nodeid: str
    user_properties: Sequence[object]


@dataclass
class Cause:
    """One cause, and the tests that failed for it."""

    title: str
    cause: str
    fix: str
    tests: dict[str, None] = field(default_factory=dict)  # in the order of the run, each once


def causes(reports: Iterable[Reported]) -> list[Cause]:
    """The causes of these failed reports, the most frequent first."""
    found: dict[tuple[str, str], Cause] = {}
    for report in reports:
        for told in explanations_in(getattr(report, "user_properties", ())):
            title = _title(told)
            why = told.get("cause", "")
            cause = found.setdefault((title, _AGE.sub("", why)), Cause(title, why, told.get("fix", "")))
            cause.tests[report.nodeid] = None
    return sorted(found.values(), key=lambda cause: -len(cause.tests))


def lines(reports: Iterable[Reported], lang: str = "en") -> list[str]:
    """The summary's lines: a title with the number of tests for each cause, what it means, what to do, which tests."""
    return [line for cause in causes(reports) for line in _shown(cause, lang)]


def _title(told: dict[str, str]) -> str:
    code = told.get("code", "")
    named = code and not code.isdecimal()  # 404 alone says nothing; the first line has the name of the fault
    return f"{code} · {told['gate']}" if named else told.get("first_line", "").removeprefix("hwcloud: ")


def _shown(cause: Cause, lang: str) -> list[str]:
    words, labels = _WORDS[lang], wording.load(lang).labels
    count, named = len(cause.tests), list(cause.tests)[:_NAMED]
    rest = [words["more"].format(count=count - _NAMED)] if count > _NAMED else []
    tests = [(words["tests"] if not number else "", test) for number, test in enumerate([*named, *rest])]
    labelled = [(labels["cause"], cause.cause), (labels["fix"], cause.fix), *tests]
    width = max(len(label) for label, _ in labelled)
    head = f"{cause.title} · {words['one' if count == 1 else 'many'].format(count=count)}"
    return [head, *(f"  {label.ljust(width)}  {text}" for label, text in labelled if text)]
