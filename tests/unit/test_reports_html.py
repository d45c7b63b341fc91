"""The html report: self-contained, escaped, a cell for each need, and read by a real browser if there is one."""

from __future__ import annotations

import re
import shutil
import subprocess
from base64 import b64encode
from collections import Counter
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from pathlib import Path

import pytest
from reported import COUNT, MISSING, SHOW, STALE, Ignore, ledger, records, settings, state, use

from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.record import TestRecord
from pytest_hwcloud.permissions.reports import html, matrix
from pytest_hwcloud.permissions.reports.overview import Words, overview
from pytest_hwcloud.rules import RULES

CHROMIUM = shutil.which("chromium")


class Page(HTMLParser):
    """The elements of a page: (tag, attributes), and the text that a reader sees."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.inside = ""
        self.texts: dict[str, list[str]] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.inside = tag
        self.elements.append((tag, {key: value or "" for key, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.texts.setdefault(self.inside, []).append(data.strip())

    def all(self, tag: str, **wanted: str) -> list[dict[str, str]]:
        return [
            have for name, have in self.elements if name == tag and all(have.get(k) == v for k, v in wanted.items())
        ]

    def cells(self) -> list[str]:
        return [row["class"] for row in self.all("td") if "data-c" in row]


def text_of(found: Ledger, lang: str = "en") -> str:
    return html.render(overview(settings(lang=lang), found, state()))


def test_the_page_can_reach_nothing_and_runs_only_its_own_script() -> None:
    text = text_of(ledger())
    page = Page(text)
    (policy,) = [row["content"] for row in page.all("meta") if row.get("http-equiv") == "Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; ")
    for tag in ("style", "script"):
        (content,) = re.findall(f"<{tag}>(.*?)</{tag}>", text, re.DOTALL)
        assert f"'sha256-{b64encode(sha256(content.encode()).digest()).decode()}'" in policy
    reached = [value for _, row in page.elements for key, value in row.items() if key in ("src", "href", "action")]
    assert reached
    assert all(value.startswith("#") for value in reached)
    assert not re.search(r"https?:|//[a-z]|url\(|@import|fetch\(|XMLHttp", text)
    assert not [row for _, row in page.elements if "style" in row or any(key.startswith("on") for key in row)]


def test_every_anchor_exists_once() -> None:
    twice = replace(MISSING, where="tests/test_show.py:20")
    page = Page(text_of(ledger([MISSING, twice, STALE])))
    ids = Counter(row["id"] for _, row in page.elements if row.get("id"))
    assert set(ids.values()) == {1}
    assert {row["href"][1:] for row in page.all("a")} <= set(ids)
    assert sum(name.startswith(f"f-{MISSING.fingerprint}") for name in ids) == 2


def test_each_identity_has_a_table_of_the_tests_and_actions_that_it_used() -> None:
    page = Page(text_of(ledger()))
    assert [row["data-identity"] for row in page.all("section", **{"class": "identity"})] == ["ci-writer", "default"]
    assert page.cells() == ["refused f", "allow", "not_used f", "allow", "unknown f"]
    heads = [text for text in page.texts["div"] if text]
    assert [text for text in heads if ":" in text] == ["cloudServers:showServer", "cloudServers:list", "servers:list"]
    assert "refused, refused at authorization, HWP001" in page.texts["span"]
    assert "allowed, proved" in page.texts["span"]
    assert "declared, not used, HWP003" in page.texts["span"]


def test_a_proof_without_a_verdict_says_why() -> None:
    text = text_of(ledger())
    assert (
        "<li><code>ecs:cloudServers:list</code> inconclusive: the test skips itself when it is &lt;refused&gt;" in text
    )


def test_the_row_of_a_test_carries_what_the_filter_asks_for() -> None:
    rows = Page(text_of(ledger())).all("tr", **{"class": "test"})
    assert [{key: value for key, value in row.items() if key != "class"} for row in rows] == [
        {"data-v": "refused", "data-g": "authorization", "data-p": "unproved", "data-f": "1"},
        {"data-v": "allow", "data-p": "proved", "data-f": "1"},
        {"data-v": "allow", "data-p": "inconclusive", "data-f": "1"},
    ]


def test_the_columns_of_every_row_add_up() -> None:
    rows = [TestRecord(nodeid=f"t.py::t{n}", uses=[use(f"ecs:a{m}:b") for m in range(n)]) for n in range(9)]
    text = text_of(Ledger(rows))
    for row in re.findall("<tr class=test.*?(?=\n|</tbody>)", text):
        spans = [int(width) for width in re.findall("<td class=gap colspan=([0-9]+)", row)]
        assert sum(spans) + len(re.findall("data-c=", row)) + row.count("<td class=rest>") == 9
    assert "<li class=id>t.py::t0" in text  # it needed nothing


@pytest.mark.parametrize(
    ("more", "shown"),
    [
        ({"verdict": "allow"}, "allow"),
        ({"verdict": "unknown"}, "unknown"),
        ({"verdict": ""}, "unjudged"),
        ({"verdict": "deny", "dependency": True}, "deny"),
        ({"verdict": "allow", "refused": True, "gate": "scope"}, "refused"),
        ({"verdict": "deny", "refused": True, "expected": True}, "expected"),
        ({"verdict": "allow", "refused": True, "injected": True}, "expected"),
    ],
)
def test_what_a_cell_says_of_a_call(more: dict[str, object], shown: str) -> None:
    assert matrix.state(use("ecs:a:b", **more)) == shown


def test_the_proof_of_the_scope_stands_with_its_test_and_can_be_filtered() -> None:
    proof = {"ecs:a:b": "proved", "scope:domain-token": "swallowed"}
    text = text_of(Ledger([TestRecord(nodeid="t.py::t", uses=[use("ecs:a:b")], proof=proof)]))
    assert "<li>proof <code>scope:domain-token</code> swallowed" in text
    assert Page(text).all("tr", **{"class": "test"})[0]["data-p"] == "proved swallowed"


def test_of_several_calls_a_cell_shows_the_worst() -> None:
    uses = [use("ecs:a:b"), use("ecs:a:b", call="PUT ecs /x", refused=True, gate="scope"), use("ecs:a:b", verdict="")]
    text = text_of(Ledger([TestRecord(nodeid="t.py::t", uses=uses)]))
    assert Page(text).cells() == ["refused"]
    assert 'title="ecs:a:b: refused, refused at scope">✕③</span>' in text


def test_nothing_in_a_name_becomes_markup() -> None:
    evil = '"><img src=x onerror=alert(1)></script><script>alert(2)</script>'
    found = ledger([replace(MISSING, detail=evil, fix=evil, identity=evil, action=evil)])
    found.add(TestRecord(nodeid=f"t.py::{evil}", uses=[use(evil, call=evil, identity=evil, code=evil, where=evil)]))
    page = Page(text_of(found))
    assert page.all("img") == []
    assert len(page.all("script")) == 1


def test_findings_are_grouped_by_rule_and_ignored_ones_say_why() -> None:
    text = text_of(ledger([MISSING, STALE], ignores=[Ignore(rule="HWP003", match=COUNT, reason="ticket 7")]))
    assert "<b>HWP001</b> missing-permission" in text
    assert re.search('class="finding ignored".*ignored: ticket 7', text, re.DOTALL)
    assert "<b>1</b> finding<" in text
    assert "No findings." in text_of(ledger([]))


def test_the_languages_have_the_same_words_and_rules() -> None:
    assert list(Words("zh")) == list(Words("en"))
    for words in (Words("zh"), {rule.id: rule.meaning_in("zh") for rule in RULES.values()}):
        assert [key for key, word in words.items() if word.isascii() and key != "fixture"] == []
    text = text_of(ledger(), "zh")
    assert '<html lang="zh-CN">' in text
    assert "<h1>测试所需的权限</h1>" in text
    assert "允许, 已验证" in text


def test_the_page_is_for_keyboards_and_readers_too() -> None:
    page = Page(text_of(ledger()))
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("h1")) == len(page.all("main")) == 1
    assert all("scope" in row for row in page.all("th"))
    assert all(row.get("tabindex") == "0" and row["role"] == "region" for row in page.all("div", **{"class": "scroll"}))
    assert page.all("p", id="told")[0]["role"] == "status"
    assert len(page.all("label")) == len(page.all("input")) + len(page.all("select"))


@pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine")
def test_a_browser_runs_the_page_and_counts_its_rows(tmp_path: Path) -> None:
    rows = records() + [TestRecord(nodeid=f"t.py::t{n}", uses=[use(f"ecs:a{n % 7}:b")]) for n in range(100)]
    page = tmp_path / "r.html"
    page.write_text(text_of(Ledger(rows)), encoding="utf-8")
    switches = ("--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run")
    command = [str(CHROMIUM), *switches, f"--user-data-dir={tmp_path / 'profile'}", "--dump-dom", page.as_uri()]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert "103 of 103 rows shown" in done.stdout
    assert SHOW.rpartition("::")[2] in done.stdout


def test_what_is_granted_and_used_and_the_smallest_policy() -> None:
    known = state({"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:*:*", "x:y:z"]}]})
    found = Ledger([TestRecord(nodeid="t.py::a", uses=[use("ecs:cloudServers:list")], identity="default")])
    page = html.render(overview(settings(), found, known))
    assert "1 of 2 grants used by this run" in page
    assert "<li><code>ecs:*:*</code> <span class=id>← ecs:cloudServers:list</span>" in page
    assert "<summary>Granted, not used (1)</summary><ul><li><code>x:y:z</code> <span" in page
    assert "&quot;ecs:cloudServers:list&quot;" in page.partition("class=policy")[2]
