"""The html report: one page that needs nothing else, and can reach nothing else (its own content security policy)."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Iterator, Mapping
from hashlib import sha256
from html import escape
from itertools import groupby
from pathlib import Path

from pytest_hwcloud.permissions.display import paragraph
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.reports import granted, matrix
from pytest_hwcloud.permissions.reports.matrix import GATES, NUMBERS, PROOFS, SIGNS
from pytest_hwcloud.permissions.reports.overview import IdentityRow, Overview, Words, patches
from pytest_hwcloud.permissions.rules import unjudged_calls
from pytest_hwcloud.rules import RULES

_HERE = Path(__file__).parent
_LANGUAGES = {"en": "en", "zh": "zh-CN"}
_PATCH_INDENT = " " * 4
_OPEN = 20  # findings up to which the paragraphs of a rule are unfolded at the start


def render(shown: Overview) -> str:
    """The whole page."""
    words = Words(shown.settings.lang)
    anchors = _anchors(shown.findings)
    body = [
        _header(shown, words),
        "<main>",
        _findings(shown, anchors, words),
        granted.section(shown, words),
        _matrix(shown, anchors, words),
        "</main>",
    ]
    return _page(words["title"], _LANGUAGES[shown.settings.lang], "\n".join(body))


def _page(title: str, language: str, body: str) -> str:
    css, js = ((_HERE / name).read_text(encoding="utf-8") for name in ("page.css", "page.js"))
    own = f"style-src '{_digest(css)}'; script-src '{_digest(js)}'"
    policy = f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"
    return (
        f'<!doctype html>\n<html lang="{language}">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{css}</style>\n</head>\n"
        f"<body>\n{body}\n<script>{js}</script>\n</body>\n</html>\n"
    )


def _digest(text: str) -> str:
    return "sha256-" + b64encode(sha256(text.encode()).digest()).decode()


def _header(shown: Overview, words: Words) -> str:
    settings = shown.settings
    facts = [
        settings.mode,
        settings.region,
        f"permissions {settings.permissions}",
        f"lock {settings.lock}",
        f"prove {settings.prove}",
        words[_extent(shown)],
    ]
    numbers = "".join(_number(*row) for row in _numbers(shown, words))
    return (
        f'<a class=skip href="#matrix">{words["skip"]}</a>\n<header><h1>{words["title"]}</h1>\n'
        f"<p class=soft>pytest-hwcloud · {escape(' · '.join(facts))}</p>\n"
        f"{''.join(f'<p class=soft>{escape(line)}</p>' for line in unjudged_calls.count(shown.calls))}"
        f"<ul class=numbers>{numbers}</ul></header>"
    )


def _extent(shown: Overview) -> str:
    """Whether all tests ran, and were green."""
    if shown.complete:
        return "complete"
    return "partial" if shown.deselected or len(shown.tests) < shown.collected else "not_green"


def _numbers(shown: Overview, words: Words) -> Iterator[tuple[int, str, bool]]:
    yield len(shown.tests), words["tests"], False
    yield len({use.action for row in shown.tests for use in row.uses}), words["actions"], False
    yield len(shown.open), words["findings"], bool(shown.open)
    if ignored := len(shown.findings) - len(shown.open):
        yield ignored, words["ignored"], False
    for verdict, count in shown.proofs.items():
        yield count, words.get(verdict, verdict), verdict == "swallowed"


def _number(count: int, word: str, bad: bool) -> str:
    shown = word.removesuffix("s") if count == 1 else word
    return f"<li{' class=bad' if bad else ''}><b>{count:,}</b> {escape(shown)}"


def _anchors(findings: Iterable[Finding]) -> dict[int, str]:
    seen: dict[str, int] = {}
    found = {}
    for finding in findings:
        number = seen[finding.fingerprint] = seen.get(finding.fingerprint, 0) + 1
        found[id(finding)] = f"f-{finding.fingerprint}" + (f"-{number}" if number > 1 else "")
    return found


def _findings(shown: Overview, anchors: Mapping[int, str], words: Words) -> str:
    rules = [_rule(rule, list(same), anchors, shown) for rule, same in groupby(shown.findings, lambda one: one.rule)]
    text = "\n".join(rules) or f"<p>{words['no_findings']}</p>"
    return f"<section id=findings><h2>{words['findings_title']}</h2>\n{text}\n</section>"


def _rule(rule: str, findings: list[Finding], anchors: Mapping[int, str], shown: Overview) -> str:
    meaning = RULES[rule].meaning_in(shown.settings.lang)
    unfold = " open" if len(findings) <= _OPEN and any(not finding.ignored for finding in findings) else ""
    groups: dict[tuple[str, ...], list[Finding]] = {}
    for finding in findings:
        alone = "" if finding.test else anchors[id(finding)]
        key = (finding.action, finding.identity, finding.cause, finding.ignored, finding.patch, alone)
        groups.setdefault(key, []).append(finding)
    lang = shown.settings.lang
    paragraphs = "".join(_finding(same, [anchors[id(one)] for one in same], lang) for same in groups.values())
    head = f"<b>{rule}</b> {findings[0].name} <span class=soft>· {escape(meaning)} · {len(findings)}</span>"
    return f"<details class=rule{unfold}><summary>{head}</summary>{paragraphs}</details>"


def _finding(same: list[Finding], anchors: list[str], lang: str) -> str:
    """One paragraph for the same finding of one test or of many, each of which has its anchor."""
    words, finding = Words(lang), same[0]
    alone = len(same) == 1
    notes = [escape(part) for part in (finding.test, finding.where) if part] if alone else []
    notes += [words.labelled("cause", escape(finding.cause))] if finding.cause else []
    notes += [words.labelled("ignored", escape(finding.ignored))] if finding.ignored else []
    note = f"<p class=soft>{' · '.join(notes)}</p>" if notes else ""
    kind = "finding ignored" if finding.ignored else "finding"
    rows = zip(["", *anchors[1:]], same, strict=True)
    items = (_test(anchor, one) for anchor, one in rows)
    listed = f"<p class=soft>{len(same):,} {words['tests']}</p><ul class='id tests'>{''.join(items)}</ul>"
    text = _coloured(paragraph([finding], lang=lang))
    return f'\n<div class="{kind}" id="{anchors[0]}"><pre>{text}</pre>{"" if alone else listed}{note}</div>'


def _test(anchor: str, finding: Finding) -> str:
    named = escape(" · ".join(part for part in (finding.test, finding.where) if part))
    return f'<li id="{anchor}">{named}' if anchor else f"<li>{named}"


def _coloured(text: str) -> str:
    """A paragraph, the rows that its patch takes out and puts in as `del` and `ins`."""
    parts = []
    for kind, part in patches(text):
        rows = [escape(row) for row in part.split("\n")]
        parts += [_PATCH_INDENT + _row(row) for row in rows] if kind == "patch" else rows
    return "\n".join(parts)


def _row(row: str) -> str:
    element = {"+": "ins", "-": "del"}.get(row[:1], "")
    return f"<{element}>{row}</{element}>" if element and not row.startswith(("+++ ", "--- ")) else row


def _matrix(shown: Overview, anchors: Mapping[int, str], words: Words) -> str:
    found = matrix.lines_by_identity(shown)
    known = {row.name: row for row in shown.identities}
    tables = [
        f'<section class=identity data-identity="{escape(name or "-")}">{_identity(name, known.get(name), words)}'
        f'<div class=scroll tabindex=0 role=region aria-label="{words["identity"]} {escape(name)}">'
        f"{matrix.table(lines, anchors, words)}</div></section>"
        for name, lines in found.items()
    ]
    return (
        f"<section id=matrix><h2>{words['matrix']}</h2>\n{_form(list(found), words)}\n{_legend(words)}\n"
        + "\n".join(tables)
        + _idle(shown, {line.test.nodeid for lines in found.values() for line in lines}, words)
        + "\n</section>"
    )


def _identity(name: str, row: IdentityRow | None, words: Words) -> str:
    policies = [words["counted"].format(one.source, one.version) for one in row.policies] if row else []
    said = " · ".join(policies) or words["no_policy"]
    shown = escape(name or words["unknown_identity"])
    return f"<h3>{words['identity']} <code>{shown}</code> <span class=soft>{escape(said)}</span></h3>"


def _form(identities: list[str], words: Words) -> str:
    choices = {
        "identity": [(name or "-", name or words["unknown_identity"]) for name in identities],
        "verdict": [(name, words[name]) for name in SIGNS],
        "gate": [(gate, f"{NUMBERS[gate]} {gate}") for gate in GATES],
        "proof": [(name, words[name]) for name in (*PROOFS, "unproved")],
    }
    fields = "".join(_select(name, rows, words) for name, rows in choices.items())
    return (
        f'<form id=filter role=search aria-label="{words["filter"]}">'
        f"<label>{words['search']}<input type=search name=search autocomplete=off></label>{fields}"
        f"<label class=line><input type=checkbox name=findings>{words['only_findings']}</label>"
        f"<button type=reset>{words['reset']}</button></form>"
        f'<p id=told class=soft role=status data-text="{words["shown"]}"></p>'
        f"<noscript><p>{words['no_script']}</p></noscript>"
    )


def _select(name: str, rows: list[tuple[str, str]], words: Words) -> str:
    options = "".join(f'<option value="{escape(value)}">{escape(text)}' for value, text in [("", words["any"]), *rows])
    return f"<label>{words[name]}<select name={name}>{options}</select></label>"


def _legend(words: Words) -> str:
    rows = [(name, sign, words[name]) for name, sign in SIGNS.items()]
    rows += [("unjudged", "".join(NUMBERS.values()), f"{words['gate']} {' · '.join(GATES)}")]
    rows += [("unjudged", sign, words[name]) for name, sign in PROOFS.items()]
    rows += [("f", "&nbsp;", words["with_finding"])]
    items = "".join(f'<li><span class="{kind}">{sign}</span>{escape(text)}' for kind, sign, text in rows)
    return f'<ul class=legend aria-label="{words["legend"]}">{items}</ul>'


def _idle(shown: Overview, busy: set[str], words: Words) -> str:
    names = [row.nodeid for row in shown.tests if row.nodeid not in busy]
    if not names:
        return ""
    items = "".join(f"<li class=id>{escape(name)}" for name in names)
    title = words["counted"].format(words["nothing_needed"], f"{len(names):,}")
    return f"\n<details><summary>{title}</summary><ul>{items}</ul></details>"
