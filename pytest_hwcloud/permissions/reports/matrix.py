"""The matrix of the html report: for each identity a table of tests and the actions that they needed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from html import escape
from itertools import groupby

from pytest_hwcloud.gates.gate import ORDER
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.record import Use
from pytest_hwcloud.permissions.reports.overview import Overview, TestRow, Words
from pytest_hwcloud.texts import in_language

GATES = (*ORDER, "service")
SIGNS = {"refused": "✕", "deny": "✕", "unknown": "?", "expected": "✕", "allow": "✓", "unjudged": "·", "not_used": "∅"}
NUMBERS = dict(zip(GATES, "①②③④⑤", strict=True))
PROOFS = {"proved": "●", "swallowed": "○", "inconclusive": "◐"}
_WORST = tuple(SIGNS)  # of several calls a cell shows the first of these


@dataclass(kw_only=True)
class Line:
    """One test in the table of one identity."""

    test: TestRow
    cells: dict[str, list[Use]] = field(default_factory=dict)
    findings: dict[str, list[Finding]] = field(default_factory=dict)  # by action
    unmapped: tuple[str, ...] = ()

    @property
    def proofs(self) -> Mapping[str, str]:
        return self.test.proof


def lines_by_identity(shown: Overview) -> dict[str, list[Line]]:
    """Every test under each identity that it used, declared or has a finding about; a name may be `` (unknown)."""
    found: dict[str, dict[str, Line]] = {}
    tests = {row.nodeid: row for row in shown.tests}
    for row in shown.tests:
        for use in row.uses:
            _line(found, use.identity, row).cells.setdefault(use.action, []).append(use)
        if row.unmapped:
            _line(found, row.identity, row).unmapped = row.unmapped
    for finding in shown.open:
        if finding.test in tests:
            row = tests[finding.test]
            line = _line(found, finding.identity or row.identity, row)
            line.findings.setdefault(finding.action, []).append(finding)
    return {name: [lines[test] for test in tests if test in lines] for name, lines in sorted(found.items())}


def _line(found: dict[str, dict[str, Line]], identity: str, row: TestRow) -> Line:
    lines = found.setdefault(identity, {})
    return lines.get(row.nodeid) or lines.setdefault(row.nodeid, Line(test=row))


def state(use: Use) -> str:
    """The sign in a cell for one call: a key of SIGNS."""
    if use.refused:
        return "expected" if use.expected or use.injected else "refused"
    return use.verdict if use.verdict in SIGNS else "unjudged"


def table(lines: Sequence[Line], anchors: Mapping[int, str], words: Words) -> str:
    """One table. anchors: id() of a finding → the id of its paragraph."""
    actions = sorted({name for line in lines for name in (*line.cells, *line.findings) if name}, key=_by_service)
    if any(line.unmapped for line in lines):
        actions.append("")  # the column of calls that no table knows
    columns = {action: index for index, action in enumerate(actions)}
    head = f"<colgroup><col class=name>{'<col class=action>' * len(actions)}<col class=rest></colgroup>"
    body = "".join(_file(file, list(same), columns, anchors, words) for file, same in groupby(lines, _file_of))
    return f"<table>{head}<thead>{_head(actions, words)}</thead>{body}</table>"


def _file_of(line: Line) -> str:
    return line.test.file


def _by_service(action: str) -> tuple[str, str]:
    service, _, rest = action.partition(":")
    return service.lower(), rest.lower()


def _head(actions: list[str], words: Words) -> str:
    services = "".join(
        f"<th class=service scope=colgroup colspan={len(list(same))}>{escape(name)}"
        for name, same in groupby(actions, lambda action: action.partition(":")[0])
    )
    names = "".join(
        f'<th class=action scope=col title="{_q(name)}"><div>{_short(name, words)}</div>' for name in actions
    )
    corner = f"<th class=corner rowspan=2 scope=col>{words['test']}"
    return f"<tr>{corner}{services}<td rowspan=2>\n<tr>{names}"


def _short(action: str, words: Words) -> str:
    return escape(action.partition(":")[2] or action or words["unmapped"])


def _file(file: str, lines: list[Line], columns: dict[str, int], anchors: Mapping[int, str], words: Words) -> str:
    width = len(columns) + 1
    rows = "".join(_row(line, columns, anchors, words) for line in lines)
    return f"\n<tbody><tr class=file><th scope=rowgroup>{escape(file)}<td colspan={width}>{rows}</tbody>"


def _row(line: Line, columns: dict[str, int], anchors: Mapping[int, str], words: Words) -> str:
    states = {state(use) for uses in line.cells.values() for use in uses}
    gates = {use.gate for uses in line.cells.values() for use in uses if use.refused}
    proofs = {line.proofs.get(action, "unproved") for action in line.cells}
    proofs |= {verdict for name, verdict in line.proofs.items() if name.startswith("scope:")}
    marks = {"v": states, "g": gates, "p": proofs, "f": {"1"} if line.findings else set()}
    data = "".join(f' data-{name}="{" ".join(sorted(values))}"' for name, values in marks.items() if values)
    cells = "".join(_cells(line, columns, words))
    return f"\n<tr class=test{data}><th scope=row>{_name(line, anchors, words)}{cells}"


def _cells(line: Line, columns: dict[str, int], words: Words) -> Iterator[str]:
    """The filled cells, and what is between them as one gap each: a table of 1,000 tests stays light."""
    at = 0
    filled = {*line.cells, *(name for name in line.findings if name), *([""] if line.unmapped else [])}
    for index, action in sorted((columns[name], name) for name in filled):
        if index > at:
            yield _gap(index - at)
        at = index + 1
        yield _cell(line, action, index, words)
    if at < len(columns):
        yield _gap(len(columns) - at)
    yield "<td class=rest>"  # beside the last action there are no columns, and no lines that look like some


def _gap(width: int) -> str:
    return f"<td class=gap colspan={width}>"


def _cell(line: Line, action: str, index: int, words: Words) -> str:
    if not action:
        return _filled("unknown f" if line.findings.get("") else "unknown", "?", (words["unmapped"],), "", index)
    uses = line.cells.get(action, ())
    states = {state(use) for use in uses} or {"not_used"}
    shown = next(name for name in _WORST if name in states)
    gate = next((use.gate for use in uses if use.refused and state(use) == shown), "")
    proof = line.proofs.get(action, "")
    rules = tuple(sorted({finding.rule for finding in line.findings.get(action, ())}))
    signs = SIGNS[shown] + NUMBERS.get(gate, "") + PROOFS.get(proof, "")
    said = (words[shown], *([f"{words['gate']} {gate}"] if gate else ()), *([words[proof]] if proof in PROOFS else ()))
    return _filled(f"{shown} f" if rules else shown, signs, (*said, *rules), action, index)


@lru_cache(maxsize=4096)
def _filled(kinds: str, signs: str, said: tuple[str, ...], action: str, index: int) -> str:
    text = _q(", ".join(said))
    return (
        f'<td class="{kinds}" data-c={index}>'
        f'<span class=sign aria-hidden=true title="{_q(action)}: {text}">{signs}</span><span class=vh>{text}</span>'
    )


def _name(line: Line, anchors: Mapping[int, str], words: Words) -> str:
    test = line.test.nodeid.partition("::")[2] or line.test.nodeid
    items = [_use(use, line, words) for uses in line.cells.values() for use in uses]
    items += [f"<li>{words['unmapped']} <code>{escape(label)}</code>" for label in line.unmapped]
    items += [
        f"<li>{words['proof']} <code>{escape(name)}</code> {words.get(verdict, verdict)}"
        for name, verdict in line.proofs.items()
        if name.startswith("scope:")
    ]
    items += [
        f"<li><code>{escape(name)}</code> {words.labelled('inconclusive', escape(in_language(why, words.language)))}"
        for name, why in line.test.doubts.items()
    ]
    items += [_link(finding, anchors) for same in line.findings.values() for finding in same]
    return f"<details><summary class=id>{escape(test)}</summary><ul>{''.join(items)}</ul></details>"


def _use(use: Use, line: Line, words: Words) -> str:
    proof = line.proofs.get(use.action, "")
    said = [words[state(use)], *([f"{words['gate']} {use.gate}"] if use.gate else ()), use.code, _decided(use)]
    said += [words[proof] if proof in PROOFS else "", words["dependency"] if use.dependency else ""]
    place = [use.call, use.where, f"{words['fixture']} {use.fixture}" if use.fixture else ""]
    first, second = (escape(" · ".join(part for part in parts if part)) for parts in (said, place))
    return f"<li><code>{escape(use.action)}</code> {first}<br><span class=soft>{second}</span>"


def _decided(use: Use) -> str:
    return f"{use.policy} #{use.statement + 1}" if use.policy and use.statement >= 0 else ""


def _link(finding: Finding, anchors: Mapping[int, str]) -> str:
    return (
        f'<li><a href="#{anchors[id(finding)]}">{finding.rule}</a> {finding.name} <code>{escape(finding.action)}</code>'
    )


def _q(text: str) -> str:
    return escape(text, quote=True)
