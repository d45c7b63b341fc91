"""Findings as text: paragraphs for a failed test, and the same grouped for the terminal summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import groupby

from pytest_hwcloud import texts
from pytest_hwcloud.permissions.finding import Finding, labelled
from pytest_hwcloud.texts import Phrase

MOST = 10  # tests that a line names
_FIX = "fix       "


def title(lang: str) -> str:
    """What stands over the findings."""
    return texts.say_in(lang, "permissions.title")


def failure(nodeid: str, findings: Sequence[Finding], lang: str = "en") -> str:
    """The text of a test that fails because of its findings."""
    shown = (paragraph(block, lang=lang) for block in blocks(findings))
    return "\n\n".join([texts.say_in(lang, "permissions.title-of", test=nodeid), *shown])


def news(findings: Sequence[Finding], lang: str = "en") -> str:
    """`HWP003 stale-marker vpc:vpcs:get`, with the number of the others: what a short summary begins with."""
    first = findings[0]
    words = [
        first.rule,
        first.name,
        texts.in_language(first.action, lang),
        f"(+{len(findings) - 1})" if len(findings) > 1 else "",
    ]
    return " ".join(word for word in words if word)


def blocks(findings: Iterable[Finding]) -> list[list[Finding]]:
    """The findings that belong into one paragraph: those of one test and one block."""
    found: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        alone = (finding.fingerprint, finding.detail)
        found.setdefault((finding.test, finding.block) if finding.block else alone, []).append(finding)
    return list(found.values())


def paragraph(block: Sequence[Finding], tests: Sequence[str] = (), lang: str = "en") -> str:
    """The heads, then the lines of all, each once, then the fixes."""
    lines = list(dict.fromkeys(line for finding in block for line in finding.lines))
    fixes = [line for line in lines if line.startswith(_FIX)]
    told = [line for line in lines if line not in fixes]
    if len(tests) > 1:
        told.append(labelled("tests", counted(tests)))
    below = [*told, *fixes[:1], *(_continued(line) for line in fixes[1:])]
    heads = [finding.head_in(lang) for finding in block]
    return "\n".join([*heads, *(f"  {texts.in_language(line, lang)}" for line in below)])


def _continued(fix: str) -> str:
    """A further fix, without its label."""
    if not isinstance(fix, Phrase):
        return labelled("", fix.removeprefix(_FIX))
    first = fix.values.get("first")  # of several lines
    if first is not None:
        return Phrase(fix.key, first=_continued(first), rest=fix.values["rest"])
    return labelled("", fix.values["text"])


def summary(findings: Iterable[Finding], lang: str = "en", above: Mapping[str, str] | None = None) -> list[str]:
    """One paragraph for each finding; the same one of many tests once, with the tests.

    above: node ids and the texts of their failures; findings that stand there are only named and counted.
    """
    groups: dict[tuple[tuple[str, str, str], ...], list[list[Finding]]] = {}
    for block in blocks(findings):
        key = tuple((finding.rule, finding.action, finding.identity) for finding in block)
        groups.setdefault(key, []).append(block)
    return [
        _heads(same, lang) if _stand(same, above or {}, lang) else paragraph(same[0], list(_tests(same)), lang)
        for same in groups.values()
    ]


def _stand(same: Sequence[Sequence[Finding]], above: Mapping[str, str], lang: str) -> bool:
    """Whether each of these findings stands in the failure of its test."""
    if not above:
        return False
    return all(finding.head_in(lang) in above.get(finding.test, "") for block in same for finding in block)


def _heads(same: Sequence[Sequence[Finding]], lang: str) -> str:
    """The heads of findings that stand above, and their tests."""
    bare = [replace(finding, lines=()) for finding in same[0]]
    tests = list(_tests(same))
    return paragraph([*bare[:-1], replace(bare[-1], lines=(labelled("tests", counted(tests)),))], lang=lang)


def _tests(same: Sequence[Sequence[Finding]]) -> Iterator[str]:
    yield from dict.fromkeys(block[0].test for block in same if block[0].test)


def named(nodeids: Iterable[str], most: int | None = None) -> str:
    """`tests/test_x.py::test_a · ::test_pages[*] (2)`: rows of one test together, a file's name once.

    most: how many are named; the rest is counted.
    """
    rows: dict[str, int] = {}
    given = list(nodeids)
    for nodeid in given:
        name, bracket, _ = nodeid.partition("[")
        shown = f"{name}[*]" if bracket else name
        rows[shown] = rows.get(shown, 0) + 1
    single = {f"{nodeid.partition('[')[0]}[*]": nodeid for nodeid in given if "[" in nodeid}
    kept = dict(list(rows.items())[:most])
    whole = [single[name] if count == 1 and name in single else _counted(name, count) for name, count in kept.items()]
    parts: list[str] = []
    for file, group in groupby(whole, key=lambda name: name.partition("::")[0]):
        first, *others = group
        parts += [first, *(other.removeprefix(file) for other in others)]
    left = sum(rows.values()) - sum(kept.values())
    shown = " · ".join(parts)
    return Phrase("findings.tests-more", names=shown, n=left) if left else shown


def counted(nodeids: Sequence[str]) -> str:
    """`12 tests: tests/test_x.py::test_a · ::test_b · and 2 more`: no more than ten names."""
    return Phrase("findings.tests", n=len(nodeids), names=named(nodeids, MOST))


def _counted(name: str, count: int) -> str:
    return f"{name} ({count})" if count > 1 else name
