"""The md report: a comment on a pull request. Empty when there is nothing to report.

An empty file, not a line that states it: whatever the file holds becomes a comment, so a pipeline posts it if it has a
size (`[ -s permissions.md ]`), and a report of an earlier run never stays behind. Findings that differ only in their
test are one point. A proof without a verdict is shown beside findings and never alone: it is no change.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from pytest_hwcloud.permissions.display import paragraph
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.reports.overview import Overview, Words, patches
from pytest_hwcloud.permissions.rules import unjudged_calls
from pytest_hwcloud.rules import GROUPS, RULES
from pytest_hwcloud.texts import in_language

MARK = "<!-- pytest-hwcloud: permissions -->"  # by which a pipeline finds its comment again
_LONGEST = 60_000  # characters; a comment on GitHub holds 65536
_TESTS = 5  # named for one point; a larger number is counted


def render(shown: Overview) -> str:
    """The whole file."""
    if all(RULES[finding.rule].level == "note" for finding in shown.open):
        return ""
    words = Words(shown.settings.lang)
    head = words.labelled("title", f"{len(shown.open)} {_plural(words['findings'], len(shown.open))}")
    head = f"{MARK}\n### {head}\n"
    return _cut(head, list(_points(shown, words)), words)


def _points(shown: Overview, words: Words) -> Iterator[tuple[str, int]]:
    """Each block of the page, and how many findings it shows."""
    for group in GROUPS:
        found = sorted((one for one in shown.open if RULES[one.rule].group == group), key=_alike)
        unsure = list(_unsure(shown, words)) if group == "cannot" else []
        if found or unsure:
            yield f"\n**{words[group]}**\n\n", 0
        for _, same in groupby(found, key=_alike):
            findings = list(same)
            yield _point(findings, words, shown.settings.lang), len(findings)
        yield from ((text, 0) for text in unsure)
    yield from ((f"\n{line}\n", 0) for line in unjudged_calls.count(shown.calls))


def _alike(finding: Finding) -> tuple[str, ...]:
    return (finding.rule, finding.action, finding.identity, finding.cause, finding.fix)


def _point(findings: list[Finding], words: Words, lang: str) -> str:
    first = findings[0]
    parts = [f"**{first.rule}** {first.name}"]
    parts += [code(first.action)] if first.action else []
    parts += [f"{words['identity']} {code(first.identity)}"] if first.identity else []
    parts += [words.labelled("cause", code(first.cause))] if first.cause else []
    lines = [f"- {' · '.join(parts)}"]
    tests = _tests([finding.test for finding in findings if finding.test], words)
    lines += [f"  - {text}" for text in (_place(findings), tests) if text]
    if first.fix:
        lines.append(f"  - {words.labelled('fix', code(in_language(first.fix, lang)))}")
    return "\n".join([*lines, *_details(findings, words, lang)]) + "\n"


def _place(findings: list[Finding]) -> str:
    places = sorted({finding.where for finding in findings if finding.where})
    return code(places[0]) if len(places) == 1 else ""


def _tests(tests: list[str], words: Words) -> str:
    names = sorted(set(tests))
    if not names:
        return ""
    shown = ", ".join(code(name) for name in names[:_TESTS])
    rest = f", {words['and_more'].format(len(names) - _TESTS)}" if len(names) > _TESTS else ""
    return words["labelled"].format(f"{len(names)} {_plural(words['tests'], len(names))}", f"{shown}{rest}")


def _details(findings: list[Finding], words: Words, lang: str) -> list[str]:
    text = paragraph(findings[:1], lang=lang)
    if not findings[0].lines:
        return []
    fence = _fence(text, 3)
    block: list[str] = []
    for kind, part in patches(text):
        block += [fence + ("diff" if kind == "patch" else "text"), *part.splitlines(), fence]
    summary = f"<details><summary>{words['details']}</summary>"
    return [f"  {line}".rstrip() for line in (summary, "", *block, "", "</details>")]


def _unsure(shown: Overview, words: Words) -> Iterator[str]:
    found = [
        (row.nodeid, action, row.doubts.get(action, ""))
        for row in shown.tests
        for action, said in row.proof.items()
        if said == "inconclusive"
    ]
    for test, action, reason in found[:_TESTS]:
        why = f"  - {code(in_language(reason, shown.settings.lang))}\n" if reason else ""
        yield f"- {words.labelled('proof', words['inconclusive'])} · {code(action)} · {code(test)}\n{why}"
    if len(found) > _TESTS:
        yield f"- {words['and_more'].format(len(found) - _TESTS)}\n"


def _cut(head: str, points: list[tuple[str, int]], words: Words) -> str:
    """As much as a comment holds, and how many findings were left off."""
    text, size = [head], len(head)
    for number, (block, _) in enumerate(points):
        size += len(block)
        if size > _LONGEST:
            left = sum(count for _, count in points[number:])
            return "".join([*text, f"\n{words['left_off'].format(left)}\n"])
        text.append(block)
    return "".join(text)


def code(text: str) -> str:
    """A code span that holds whatever the text holds, on one line."""
    text = " ".join(text.split()) or " "
    fence = _fence(text, 1)
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


def _fence(text: str, least: int) -> str:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    return "`" * max(least, longest + 1)


def _plural(word: str, count: int) -> str:
    return word[:-1] if count == 1 and word.isascii() and word.endswith("s") else word
