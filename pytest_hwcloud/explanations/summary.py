"""Explanations as properties of tests, in plain strings; and from them the causes of a run's failures, each once."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from pytest_hwcloud.explanations import wording
from pytest_hwcloud.explanations.explanation import Explanation, without_newer

# In this order; `gate` is always there and begins the next explanation of the same test.
NAMES = ("gate", "code", "request_id", "status", "needs", "first_line", "cause", "fix")
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

_NAMED, _NAMED_BELOW = 10, 3  # tests named of a cause whose explanation stands above, and below its explanation
_NUMBER = re.compile(r"\b\d{1,5}\b")  # the age of a token differs from test to test and makes no other cause
_FIRST = re.compile(r"(?<=[.!。！])\s?(?=\S)")
OUTCOMES = ("failed", "error")


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
    needs: str = ""
    tests: dict[str, None] = field(default_factory=dict)  # in the order of the run, each once


def causes(reports: Iterable[Reported], lang: str = "en") -> list[Cause]:
    """The causes of these failed reports, the most frequent first."""
    found: dict[tuple[str, ...], Cause] = {}
    for report in reports:
        for told in explanations_in(getattr(report, "user_properties", ())):
            title, why = _title(told, wording.load(lang)), told.get("cause", "")
            # What follows the first sentence is about the one test: what else it did, where its policy lies.
            key = title, told.get("needs", ""), _NUMBER.sub("", _FIRST.split(why)[0])
            needs = without_newer(told.get("needs", ""))
            cause = found.setdefault(key, Cause(title, why, told.get("fix", ""), needs))
            cause.tests[report.nodeid] = None
    titles = Counter(cause.title for cause in found.values())
    for cause in found.values():
        if titles[cause.title] > 1 and cause.needs:
            cause.title = f"{cause.title} · {cause.needs}"
    return sorted(found.values(), key=lambda cause: -len(cause.tests))


def title(lang: str) -> str:
    """What stands over the causes."""
    return wording.load(lang).say("why-failed")


def lines(reports: Iterable[Reported], lang: str = "en", *, above: bool = False) -> list[str]:
    """The summary's lines: one for each cause with the number of its tests, and their names.

    above: the failures stand above with their explanations, so that cause and fix are not repeated.
    """
    return [line for cause in causes(reports, lang) for line in _shown(cause, wording.load(lang), above)]


def _title(told: dict[str, str], words: wording.Texts) -> str:
    code = told.get("code", "")
    named = code and not code.isdecimal()  # 404 alone is not informative; the first line has the name of the fault
    if named:
        return f"{code} · {words.gate(told['gate'])}"
    return re.sub("^hwcloud(?:: |：)", "", told.get("first_line", ""))


def _shown(cause: Cause, words: wording.Texts, above: bool) -> list[str]:
    count, most = len(cause.tests), _NAMED if above else _NAMED_BELOW
    named = list(cause.tests)[:most]
    rest = [words.say("more-tests", n=count - most)] if count > most else []
    head = f"{cause.title} · {words.say('one-test' if count == 1 else 'many-tests', n=count)}"
    if above:
        return [head, *(f"  {text}" for text in (*named, *rest))]
    tests = [(words.say("tests") if not number else "", test) for number, test in enumerate([*named, *rest])]
    labelled = [(words.labels["cause"], cause.cause), (words.labels["fix"], cause.fix), *tests]
    width = max(wording.cells(label) for label, _ in labelled)
    shown = [(f"{label}{' ' * (width - wording.cells(label))}", text) for label, text in labelled if text]
    return [head, *(f"  {label}  {text}" for label, text in shown)]
