"""The permission checks in Chinese: every sentence is a phrase with a key, and what is a name stays."""

from __future__ import annotations

import copy
import json
import pickle
import re
from string import Formatter

import execnet
import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.permissions import display
from pytest_hwcloud.permissions.finding import Finding, labelled
from pytest_hwcloud.permissions.proof import results
from pytest_hwcloud.permissions.record import TestRecord, Use
from pytest_hwcloud.texts import Phrase

AREAS = ("decisions", "diff", "findings", "lint", "lock", "minimise", "proof", "reports", "requests")
WORD = re.compile(r"(?<![\w.:/=-])[a-z]{2,}(?![\w.:/=(-])")


def rows(language: str, area: str) -> dict[str, str]:
    """key -> text without its slots, all forms of a number together."""
    read = json.loads((texts.FOLDER / language / f"{area}.json").read_bytes())
    return {key: _bare(phrase) for key, phrase in read.items()}


def _bare(phrase: str | dict[str, str]) -> str:
    forms = [phrase] if isinstance(phrase, str) else [*phrase.values()]
    return " ".join(text for form in forms for text, *_ in Formatter().parse(form))


ENGLISH, CHINESE = (
    {f"{area}.{key}": t for area in AREAS for key, t in rows(lang, area).items()} for lang in ("en", "zh")
)
WORDS = {word for text in ENGLISH.values() for word in WORD.findall(text)} - {
    word for text in CHINESE.values() for word in WORD.findall(text)
}


def left_over(text: str) -> set[str]:
    """The English words of phrases that are not in a name: no patch, no quotes, no call, no place."""
    kept = [row for row in text.split("\n") if not re.match(r" {12,14}[-+@ ]", row)]
    bare = re.sub(r'"[^"]*"|`[^`]*`|\'[^\']*\'|HWP\d+ [\w-]+|\b(GET|POST|pytest) .*', " ", "\n".join(kept))
    return {word for word in WORD.findall(bare) if word in WORDS}


def test_the_check_sees_a_sentence_that_nobody_translated() -> None:
    finding = Finding(
        rule="HWP003", action="a:b:c", detail="declared in a.py:5, but nobody used it", lines=("fix       do it",)
    )
    assert {"declared", "in"} <= left_over(display.paragraph([finding], lang="zh"))


def test_no_chinese_phrase_has_an_english_word() -> None:
    assert {key: found for key, text in CHINESE.items() if (found := left_over(text))} == {}


def test_labels_take_ten_columns_in_every_language() -> None:
    for language in texts.LANGUAGES:
        for key in texts.phrases(language, "findings"):
            if key.startswith("label-"):
                shown = labelled(key.removeprefix("label-").replace("more", ""), "|").text(language)
                assert texts.columns(shown) == 11, (language, key)


# Phrases


REASON = Phrase("decisions.none", n=1)
NESTED = Phrase("findings.placed", text=Phrase("decisions.deny", reason=REASON), where="a.py:3")


def test_a_phrase_is_english_and_is_said_in_any_language() -> None:
    assert NESTED == "deny (implicit): no statement allows it; 1 statement looked at      a.py:3"
    assert NESTED.text("zh") == "deny（隐式）：没有匹配的允许语句（共检查 1 条语句）      a.py:3"
    assert texts.in_language(NESTED, "en") == str(NESTED)
    assert [texts.in_language(value, "zh") for value in ("a name", 3)] == ["a name", 3]


def test_a_phrase_travels_as_plain_data_and_comes_back() -> None:
    sent = execnet.loads(execnet.dumps(texts.plain({"a": [NESTED, "b", 1]})))
    assert sent == {
        "a": [
            {
                "phrase": "findings.placed",
                "values": {
                    "text": {
                        "phrase": "decisions.deny",
                        "values": {"reason": {"phrase": "decisions.none", "values": {"n": 1}}},
                    },
                    "where": "a.py:3",
                },
            },
            "b",
            1,
        ]
    }
    back = texts.revived(sent)
    assert back == {"a": [NESTED, "b", 1]}
    assert back["a"][0].text("zh") == NESTED.text("zh")
    for copied in (copy.deepcopy(NESTED), pickle.loads(pickle.dumps(NESTED))):
        assert copied.text("zh") == NESTED.text("zh")


def test_a_record_brings_its_phrases_to_the_controller() -> None:
    finding = Finding(rule="HWP001", detail=Phrase("findings.identity", identity="a"), lines=(labelled("fix", NESTED),))
    record = TestRecord(
        nodeid="a.py::t",
        uses=[Use(action="a:b:c", call="GET a /", reason=REASON, nearest=(NESTED,))],
        open_calls=[{"call": "GET a /", "why": Phrase("proof.skips-itself")}],
        findings=[finding.to_dict()],
        doubts={"a:b:c": Phrase("proof.goes-on")},
    )
    back = TestRecord.from_dict(execnet.loads(execnet.dumps(record.to_dict())))
    found = Finding.from_dict(back.findings[0])
    said = [back.uses[0].reason, *back.uses[0].nearest, back.open_calls[0]["why"], back.doubts["a:b:c"], *found.lines]
    assert [texts.in_language(text, "zh") for text in (*said, found.detail)] == [
        "没有匹配的允许语句（共检查 1 条语句）",
        "deny（隐式）：没有匹配的允许语句（共检查 1 条语句）      a.py:3",
        "测试被拒绝时会自行跳过",
        "测试被拒绝后继续发出录制文件中没有的调用",
        "处理      deny（隐式）：没有匹配的允许语句（共检查 1 条语句）      a.py:3",
        "身份 a",
    ]


def test_what_a_phrase_holds_can_be_masked() -> None:
    told = Phrase("findings.placed", text=Phrase("findings.cassette", cassette="secret/x"), where="secret.py")
    masked = texts.changed(told, lambda text: text.replace("secret", "***"))
    assert isinstance(masked, Phrase)
    assert (masked, masked.text("zh")) == ("cassette ***/x      ***.py", "录制文件 ***/x      ***.py")


def test_a_secret_across_the_slots_of_a_phrase_is_masked_too() -> None:
    told = Phrase("findings.placed", text="one", where="two")
    masked = texts.changed(told, lambda text: text.replace("one      two", "***"))
    assert (masked, type(masked)) == ("***", str)


def test_several_texts_in_one() -> None:
    assert texts.joined("decisions.names-and", []) == ""
    assert texts.joined("decisions.names-and", ["a"]) == "a"
    said = texts.joined("decisions.names-and", ["a", "b", "c"])
    assert (said, texts.in_language(said, "zh")) == ("a and b and c", "a 和 b 和 c")


# What the end of a run says


def test_the_end_of_a_proof(monkeypatch: pytest.MonkeyPatch) -> None:
    texts.use("zh")
    list_, skips = "ecs:cloudServers:list", Phrase("proof.skips-itself")
    records = [
        TestRecord(nodeid="a.py::x", proof={list_: "proved", "a:b:c": "swallowed"}),
        TestRecord(nodeid="b.py::z", proof={list_: "inconclusive"}, doubts={list_: skips}),
    ]
    assert results.lines(records) == [
        "hwcloud 验证：1 个已验证 · 1 个未被察觉（a.py::x） · 1 个无定论（b.py::z）",
        "  无定论的原因",
        "    ecs:cloudServers:list  b.py::z：测试被拒绝时会自行跳过",
    ]


def test_the_progress_of_a_proof() -> None:
    texts.use("zh")
    progress = results.Progress(None, lambda: 0.0)
    progress.add({"a:b:c": "proved", "a:b:d": "swallowed"})
    assert progress.line() == "hwcloud 验证：目前 1 个测试 · 1 个已验证 · 1 个未被察觉"


@pytest.mark.parametrize(
    ("key", "values", "english", "chinese"),
    [
        (
            "permissions.exit-status",
            {"n": 2, "rules": "HWP010, HWP017"},
            "hwcloud: exit status 1: 2 permission findings (HWP010, HWP017), permissions enforce",
            "hwcloud：退出码 1：2 个权限问题（HWP010, HWP017），permissions 为 enforce",
        ),
        (
            "permissions.ignored",
            {"n": 1, "rules": "HWP003", "file": "hwcloud.yaml"},
            "ignored: 1 permission finding (HWP003), by hwcloud.yaml",
            "已忽略：1 个权限问题（HWP003），依据 hwcloud.yaml",
        ),
        (
            "lock.updated-permissions",
            {"file": "x.yaml", "count": "3 permissions, 1 test", "changes": "+1 -2"},
            "lock: x.yaml updated (3 permissions, 1 test; permissions +1 -2)",
            "锁文件：x.yaml 已更新（3 permissions, 1 test；权限 +1 -2）",
        ),
        (
            "permissions.report",
            {"kind": "json", "file": "r.json", "findings": "x", "tests": "y"},
            "json report: r.json (x, y)",
            "json 报告：r.json（x，y）",
        ),
    ],
)
def test_lines_of_the_end(key: str, values: dict[str, object], english: str, chinese: str) -> None:
    assert [texts.say_in(language, key, **values) for language in ("en", "zh")] == [english, chinese]


def test_a_failure_has_a_chinese_head() -> None:
    finding = Finding(rule="HWP011", action="GET x /y", detail=Phrase("findings.unmapped"))
    assert display.failure("a.py::t", [finding], "zh") == (
        "hwcloud 权限：a.py::t\n\nHWP011 unmapped-call（未收录的调用）  GET x /y   权限映射表未收录此调用"
    )
