"""Findings as text: paragraphs for a failed test, and the same grouped for the terminal summary."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby

from pytest_hwcloud import texts
from pytest_hwcloud.permissions.finding import Finding, labelled

TITLE = "hwcloud permissions"
MOST = 10  # tests that a line names
_FIX = labelled("fix", "")


def title(lang: str) -> str:
    """What stands over the findings."""
    if lang == "en":
        return TITLE
    from pytest_hwcloud.permissions import translation

    return translation.title()


def sentence(group: str, text: str, lang: str) -> str:
    """One sentence out of a finding or proof: a `fix`, or why a verdict is missing (`doubtful`)."""
    if lang == "en":
        return text
    from pytest_hwcloud.permissions import translation

    return translation.sentence(group, text) or text


def failure(nodeid: str, findings: Sequence[Finding], lang: str = "en") -> str:
    """The text of a test that fails because of its findings."""
    colon = ": " if lang == "en" else "："
    shown = (paragraph(block, lang=lang) for block in blocks(findings))
    return "\n\n".join([f"{title(lang)}{colon}{nodeid}", *shown])


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
    further = [labelled("", line.removeprefix(_FIX)) for line in fixes[1:]]
    heads, below = [finding.head for finding in block], [*told, *fixes[:1], *further]
    if lang != "en":
        from pytest_hwcloud.permissions import translation

        heads, below = [translation.head(finding) for finding in block], list(translation.lines(below))
    return "\n".join([*heads, *(f"  {line}" for line in below)])


def summary(findings: Iterable[Finding], lang: str = "en") -> list[str]:
    """One paragraph for each finding; the same one of many tests once, with the tests."""
    groups: dict[tuple[tuple[str, str, str], ...], list[list[Finding]]] = {}
    for block in blocks(findings):
        key = tuple((finding.rule, finding.action, finding.identity) for finding in block)
        groups.setdefault(key, []).append(block)
    return [paragraph(same[0], list(_tests(same)), lang) for same in groups.values()]


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
    return " · ".join([*parts, *([texts.say("permissions.more", n=left)] if left else [])])


def counted(nodeids: Sequence[str]) -> str:
    """`12 tests: tests/test_x.py::test_a · ::test_b · and 2 more`: no more than ten names."""
    return f"{len(nodeids)} test{'s' * (len(nodeids) != 1)}: {named(nodeids, MOST)}"


def _counted(name: str, count: int) -> str:
    return f"{name} ({count})" if count > 1 else name
