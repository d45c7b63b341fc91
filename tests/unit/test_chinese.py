"""The permission checks in Chinese: every sentence of the rules has its form, and what is a name stays."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_hwcloud
from pytest_hwcloud.permissions import display, translation
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.proof.results import Progress
from pytest_hwcloud.rules import RULES

ROOM = Path(pytest_hwcloud.__file__).parent
SPEAKING = (
    *(f"permissions/{name}.py" for name in (
        "decision_text", "display", "finding", "ledger", "lock/cause", "lock/check", "lock/comparison",
        "lock/lockfile", "lock/widened", "observe", "policies/edit", "policies/lint", "proof/plan",
        "proof/proof", "proof/protocol", "proof/results", "proof/swallowed", "proof/verdict", "rules/by_gate",
        "rules/by_marker", "rules/by_policy", "rules/fixes", "rules/judge_test", "rules/lookalikes",
        "rules/policy_files", "rules/refusal_in_cassette", "rules/shared_markers", "run_end", "wording",
    )),
    "permissions/reports/__init__.py", "cloud/policies/reasons.py", "cloud/policies/rights.py",
    "gates/authorization.py",
)  # fmt: skip
# Literals with a blank that are no sentence of the terminal, or that are put together otherwise there.
NOT_SAID = {
    "gained under conditions", "changed conditions", "identity service", "not recorded", "refused otherwise",
    "Lock | None", "errors during test teardown", "pytest --hwcloud-lock=update", "\\ No newline at end of file",
    ": give it with --context {key}=VALUE, or as context: of the identity in hwcloud.yaml",
    "a grant is on one of", "a grant on", "needs the id of one", "has no target", "hwcloud: exit status 1:",
    "hwcloud permissions", "}} in the cassette", ")), or change scope= in the marker",
    "if the refusal is meant, say so: hwcloud.refused(…), or metadata: {expects: {",
    "ask for a token with auth.scope.domain (hwcloud_token(domain=True)), or sign with AK/SK",
    '" (hwcloud_token(project="', '")), or sign with AK/SK', "(hwcloud_token(",
    ": no such action is documented", ": no action of service", "covers no documented action",
    *(meaning for meaning in (rule.meaning_in('en') for rule in RULES.values())),
}  # fmt: skip
GROUPS: dict[str, list[tuple[str, str]]] = translation.texts()["groups"]  # type: ignore[assignment]
TWO_WORDS = re.compile(r"[A-Za-z]{2,}\W+[A-Za-z]{2,}")
SLOT = re.compile(r"\{\w+(?::\w+|#)?\}")
WORD = re.compile(r"(?<![\w.:/=-])[a-z]{2,}(?![\w.:/=(-])")
WORDS = {word for rows in GROUPS.values() for english, _ in rows for word in WORD.findall(SLOT.sub(" ", english))} - {
    word for rows in GROUPS.values() for _, said in rows for word in WORD.findall(SLOT.sub(" ", said))
}


def left_over(text: str) -> set[str]:
    """The English words of templates that are not in a name: no patch, no quotes, no call, no place."""
    rows = [row for row in text.split("\n") if not re.match(r" {12,14}[-+@ ]", row)]
    bare = re.sub(r'"[^"]*"|`[^`]*`|\'[^\']*\'|HWP\d+ [\w-]+|\b(GET|POST|pytest) .*', " ", "\n".join(rows))
    return {word for word in WORD.findall(bare) if word in WORDS}


def shown(*findings: Finding, tests: tuple[str, ...] = ()) -> str:
    return display.paragraph(findings, tests, "zh")


def test_the_check_sees_a_sentence_that_nobody_translated() -> None:
    finding = Finding(
        rule="HWP003", action="a:b:c", detail="declared in a.py:5, but nobody used it", lines=("fix       do it",)
    )
    assert {"declared", "in"} <= left_over(shown(finding))


def _literals(file: str) -> Iterator[str]:
    tree = ast.parse((ROOM / file).read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield from [node.value.strip()] if " " in node.value and TWO_WORDS.search(node.value) else []


@pytest.mark.parametrize("file", SPEAKING)
def test_every_sentence_in_the_source_is_in_a_template(file: str) -> None:
    english = [SLOT.sub("\0", english) for rows in GROUPS.values() for english, _ in rows]
    known = "\n".join(text.replace("(s)", ending) for text in english for ending in ("", "s"))
    assert [text for text in _literals(file) if text not in known and text not in NOT_SAID] == []


def test_every_slot_is_said() -> None:
    for rows in GROUPS.values():
        for english, said in rows:
            slots = set(re.findall(r"\{(\w+)", english))
            assert slots == set(re.findall(r"\{(\w+)\}", said)), english


SLOTS = re.compile(r"\{(\w+)(?::(\w+)|(#))?\}")


def _sample(group: str) -> tuple[str, str]:
    """A sentence of a group, in English and in Chinese: the first without another in it, or the last."""
    rows = [row for row in GROUPS[group] if not re.search(r"\{\w+:", row[0])]
    return _filled(*(rows or GROUPS[group][::-1])[0])


def _filled(english: str, said: str) -> tuple[str, str]:
    for slot, nested, number in SLOTS.findall(english):
        left, right = _sample(nested) if nested else ("3", "3") if number else ("x-1", "x-1")
        english, said = SLOTS.sub(lambda _, left=left: left, english, count=1), said.replace(f"{{{slot}}}", right)
    return english, said


@pytest.mark.parametrize(("group", "english", "said"), [(g, *row) for g, rows in GROUPS.items() for row in rows])
def test_every_template_is_found_and_leaves_no_english(group: str, english: str, said: str) -> None:
    text, wanted = _filled(english, said)
    assert translation.sentence(group, text.replace("(s)", "")) == wanted
    assert translation.sentence(group, text.replace("(s)", "s")) == wanted
    assert left_over(wanted) == set()


@pytest.mark.parametrize(
    ("english", "wanted"),
    [
        (
            "hwcloud: exit status 1: 2 permission findings (HWP010, HWP017), permissions enforce",
            "hwcloud: 退出状态 1：2 个权限问题（HWP010, HWP017），permissions 为 enforce",
        ),
        (
            "hwcloud proof: 37 proved · 2 swallowed (a.py::x · ::y) · 1 inconclusive (b.py::z)",
            "hwcloud 验证：37 个已验证 · 2 个未被察觉（a.py::x · ::y） · 1 个无定论（b.py::z）",
        ),
        (
            "    ecs:cloudServers:list  b.py::z: the test skips itself when it is refused",
            "    ecs:cloudServers:list  b.py::z：测试被拒绝时会自行跳过",
        ),
        (
            "lock: hwcloud-permissions.yaml updated (3 permissions, 1 test; permissions +1 -2)",
            "锁文件：hwcloud-permissions.yaml 已更新（3 项权限，1 个测试；权限 +1 -2）",
        ),
        ("json report: out/r.json", "json 报告：out/r.json"),
        ("::error file=a.py,line=3::HWP003", "::error file=a.py,line=3::HWP003"),
    ],
)
def test_lines_of_the_end(english: str, wanted: str) -> None:
    assert translation.line(english) == wanted


def test_the_progress_of_a_proof() -> None:
    progress = Progress(None, lambda: 0.0, "zh")
    progress.add({"a:b:c": "proved", "a:b:d": "swallowed"})
    assert progress.line() == "hwcloud 验证：目前 1 个测试 · 1 个已验证 · 1 个未被察觉"


def test_a_failure_has_a_chinese_head() -> None:
    finding = Finding(rule="HWP011", action="GET x /y", detail="no table says what it needs")
    assert display.failure("a.py::t", [finding], "zh") == (
        "hwcloud 权限：a.py::t\n\nHWP011 unmapped-call（未收录的调用）  GET x /y   权限映射表未收录此调用"
    )
