"""The html report in a real browser: light and dark, wide and narrow, on paper, by keyboard, and with 1,000 tests."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from browser import CHROMIUM, Tab, browser
from reported import COUNT, MISSING, SHOW, STALE, UNMAPPED, WIDENED, Ignore, ledger, records, settings, state, use

from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.record import TestRecord
from pytest_hwcloud.permissions.reports import html
from pytest_hwcloud.permissions.reports.overview import overview

pytestmark = [
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine"),
    pytest.mark.skipif(os.name == "nt", reason="the pipes of the protocol are numbered files here"),
]
PATCH = (
    "fix       iam/ci-writer.json: add\n            --- iam/ci-writer.json\n            +++ ./iam/ci-writer.json\n"
    '            @@ -1 +1 @@\n            -"ecs:*:get*"\n            +"ecs:*:get*", "ecs:*:list*"\n'
    "  accept    pytest --hwcloud-lock=update"
)
FOUND = [replace(MISSING, lines=(PATCH,)), STALE, WIDENED, UNMAPPED]
# Every element with a text of its own: its contrast with the first background below it (WCAG 2.1, 1.4.3).
CONTRAST = """
(() => {
  const parse = (text) => text.match(/[\\d.]+/g).map(Number);
  const light = ([r, g, b]) => [r, g, b].map((v) => v / 255)
    .map((v) => v <= .03928 ? v / 12.92 : ((v + .055) / 1.055) ** 2.4)
    .reduce((sum, v, at) => sum + v * [.2126, .7152, .0722][at], 0);
  const clear = (element) => (parse(getComputedStyle(element).backgroundColor)[3] ?? 1) === 0;
  const poor = [];
  for (const element of document.querySelectorAll("body *")) {
    if (!element.getClientRects().length || element.matches("script, option, .vh")) continue;
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim())) continue;
    let below = element;
    while (below.parentElement && clear(below)) below = below.parentElement;
    const pair = [getComputedStyle(element).color, getComputedStyle(below).backgroundColor].map(parse).map(light);
    const ratio = (Math.max(...pair) + .05) / (Math.min(...pair) + .05);
    if (ratio < 4.5) poor.push(`${element.outerHTML.slice(0, 80)} ${ratio.toFixed(2)}`);
  }
  return poor;
})()
"""
FOCUS = "document.activeElement.tagName + ' ' + (document.activeElement.name || document.activeElement.className)"


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    with browser(tmp_path_factory.mktemp("browser")) as opened:
        yield opened


def page(folder: Path, found: Ledger, lang: str = "en") -> Path:
    file = folder / "r.html"
    file.write_text(html.render(overview(settings(lang=lang), found, state())), encoding="utf-8")
    return file


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_every_text_can_be_read(tab: Tab, tmp_path: Path, scheme: str) -> None:
    tab.size(1200)
    tab.media(scheme=scheme)
    tab.open(page(tmp_path, ledger(FOUND, ignores=[Ignore(rule="HWP003", match=COUNT)])))
    assert (
        tab.run("getComputedStyle(document.body).backgroundColor")
        == {
            "light": "rgb(255, 255, 255)",
            "dark": "rgb(20, 23, 26)",
        }[scheme]
    )
    assert tab.run(CONTRAST) == []


@pytest.mark.parametrize("lang", ["en", "zh"])
@pytest.mark.parametrize("width", [390, 768, 1200])
def test_the_page_never_scrolls_sideways(tab: Tab, tmp_path: Path, width: int, lang: str) -> None:
    long = replace(MISSING, test="tests/" + "very_long_" * 30 + ".py::test", action="ecs:" + "x" * 200)
    tab.size(width)
    tab.open(page(tmp_path, ledger([*FOUND, long]), lang))
    assert tab.run("innerWidth") == width
    assert tab.run("document.documentElement.scrollWidth <= document.documentElement.clientWidth")


def test_a_chinese_page_has_full_width_punctuation_and_no_letter_upside_down(tab: Tab, tmp_path: Path) -> None:
    tab.size(1200)
    tab.open(page(tmp_path, ledger(FOUND), "zh"))
    said = tab.run("[...document.querySelectorAll('.grants summary, .finding p')].map((e) => e.textContent)")
    assert {"已授予，未使用（1）", "iam/ci-reader.json:9 · 原因：policy"} <= set(said)
    heads = "[...document.querySelectorAll('thead th div')].map((e) => getComputedStyle(e).textOrientation)"
    assert set(tab.run(heads)) == {"sideways"}


def test_the_rows_of_a_patch_have_their_colours(tab: Tab, tmp_path: Path) -> None:
    tab.open(page(tmp_path, ledger(FOUND)))
    assert tab.run("[...document.querySelectorAll('pre ins, pre del')].map((e) => e.tagName + e.textContent)") == [
        'DEL-"ecs:*:get*"',
        'INS+"ecs:*:get*", "ecs:*:list*"',
    ]
    assert tab.run("document.querySelector('pre').textContent").splitlines()[1:] == [
        "  fix       iam/ci-writer.json: add",
        "    --- iam/ci-writer.json",
        "    +++ ./iam/ci-writer.json",
        "    @@ -1 +1 @@",
        '    -"ecs:*:get*"',
        '    +"ecs:*:get*", "ecs:*:list*"',
        "  accept    pytest --hwcloud-lock=update",
    ]


def test_on_paper_it_is_light_and_folds_nothing(tab: Tab, tmp_path: Path) -> None:
    tab.size(800)
    many = [replace(MISSING, test=f"t.py::t{number}", where=f"t.py:{number + 1}") for number in range(30)]
    tab.open(page(tmp_path, ledger(many)))
    folded = "document.querySelectorAll('#findings details:not([open])').length"
    assert tab.run(folded) == 1
    tab.media(media="print", scheme="dark")
    assert tab.run("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert tab.run("getComputedStyle(document.querySelector('form')).display") == "none"
    assert tab.run("getComputedStyle(document.querySelector('.scroll')).overflow") == "visible"
    opened = "document.querySelectorAll('#findings [open]').length"
    tab.run(f"addEventListener('beforeprint', () => {{ window.printed = {opened} }})")
    assert tab.send("Page.printToPDF")["data"].startswith("JVBERi0")  # %PDF-
    assert tab.run("window.printed") == 1
    assert tab.run(folded) == 1
    tab.media()


def test_the_keyboard_reaches_everything(tab: Tab, tmp_path: Path) -> None:
    tab.size(1200)
    tab.media()
    tab.open(page(tmp_path, ledger(FOUND)))
    tab.press("Tab", 9)
    assert tab.run(FOCUS) == "A skip"
    assert tab.run("document.activeElement.getBoundingClientRect().left >= 0")
    assert tab.run("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.press("Tab", 9)
    assert tab.run(FOCUS) == "SUMMARY "
    before = tab.run("document.querySelector('details.rule').open")
    tab.press(" ", 32, " ")
    assert tab.run("document.querySelector('details.rule').open") is (not before)
    seen = []
    for _ in range(40):
        tab.press("Tab", 9)
        seen.append(tab.run(FOCUS))
        if seen[-1].startswith("BODY"):
            break
    for name in ("INPUT search", "SELECT identity", "SELECT proof", "INPUT findings", "BUTTON ", "DIV scroll"):
        assert name in seen
    assert "SUMMARY id" in seen


def test_a_word_typed_into_the_filter_leaves_its_rows(tab: Tab, tmp_path: Path) -> None:
    tab.open(page(tmp_path, ledger(FOUND)))
    tab.run("document.querySelector('input[type=search]').focus()")
    tab.send("Input.insertText", text=SHOW.rpartition("::")[2])
    tab.run("new Promise((done) => setTimeout(done, 200))")
    assert tab.run("document.getElementById('told').textContent") == "1 of 3 rows shown"
    assert tab.run("[...document.querySelectorAll('section.identity')].filter((s) => !s.hidden).length") == 1


def test_a_thousand_tests_cost_a_row_each_and_no_layout_of_their_own(tab: Tab, tmp_path: Path) -> None:
    """What makes the page fast; how long it takes is measured in the benchmarks."""
    rows = [
        TestRecord(nodeid=f"tests/test_{n // 20}.py::test_{n}", uses=[use(f"ecs:a{(n + m) % 40}:b") for m in range(4)])
        for n in range(1000)
    ]
    tab.size(1200)
    tab.open(page(tmp_path, Ledger([*records(), *rows])))
    assert tab.run("document.getElementById('told').textContent") == "1,003 of 1,003 rows shown"
    assert tab.run("document.querySelectorAll('tr.test').length") == 1003
    assert tab.run("document.querySelectorAll('table td').length") < 12 * 1003  # empty cells are one, not a cell each
    assert tab.run("[...document.querySelectorAll('table')].every((t) => getComputedStyle(t).tableLayout === 'fixed')")


def test_the_smallest_policy_is_copied_by_mouse_and_keyboard(tab: Tab, tmp_path: Path) -> None:
    tab.size(1200)
    tab.open(page(tmp_path, Ledger(records())))
    tab.run("document.querySelectorAll('details.policy').forEach((part) => { part.open = true })")
    tab.run("navigator.clipboard.writeText = (text) => { window.copied = text; return Promise.resolve() }")
    tab.run("document.querySelector('button.copy').focus()")
    tab.press("Enter", 13, "\r")
    tab.run("new Promise((done) => setTimeout(done, 50))")
    assert tab.run("document.querySelector('button.copy').textContent") == "Copied"
    assert tab.run("window.copied === document.querySelector('.policy pre').textContent")
    assert tab.run("JSON.parse(window.copied).Version") == "1.1"
    tab.run("navigator.clipboard.writeText = () => Promise.reject(new Error('not allowed'))")
    tab.run("document.execCommand = () => { window.selected = String(getSelection()); return true }")
    tab.run("document.querySelector('button.copy').click()")
    tab.run("new Promise((done) => setTimeout(done, 50))")
    assert tab.run("window.selected.trim() === document.querySelector('.policy pre').textContent.trim()")


def test_a_finding_of_many_tests_is_one_paragraph_with_its_tests(tab: Tab, tmp_path: Path) -> None:
    many = [replace(MISSING, test=f"t.py::t{number}", where=f"t.py:{number + 1}") for number in range(3)]
    tab.open(page(tmp_path, ledger(many)))
    assert tab.run("document.querySelectorAll('.finding').length") == 1
    assert tab.run("[...document.querySelectorAll('.finding li')].map((e) => e.textContent)") == [
        f"t.py::t{number} · t.py:{number + 1}" for number in range(3)
    ]
