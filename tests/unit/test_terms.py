"""Chinese texts keep to the terms of CONTRIBUTING (术语), to full-width punctuation and blanks beside Latin letters."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_hwcloud
from pytest_hwcloud import texts

CONTRIBUTING = Path(__file__).parents[2] / ".github" / "CONTRIBUTING.md"
GUIDE = Path(pytest_hwcloud.__file__).parent / "guide" / "zh"
_NAMES = re.compile(r"`[^`]*`|\{[^{}]*\}|\"[^\"]*\"|“[^”]*”|<[^<>]*>")
HAN = "\u4e00-\u9fff"
TOGETHER = ("请求ID", "项目ID", "账号ID")  # as the documents of the cloud write them


def table() -> dict[str, list[str]]:
    """Term -> what is not written for it."""
    part = CONTRIBUTING.read_text(encoding="utf-8").partition("(术语)")[2]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in re.findall(r"^\|.*\|$", part, re.M)[2:]]
    return {chinese: [word for word in wrong.split("、") if word] for _, chinese, wrong in rows}


def phrases(value: object, place: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield place, value
        case dict():
            for key, inner in value.items():
                yield from phrases(inner, f"{place}.{key}")
        case list():
            for inner in value:
                yield from phrases(inner, place)


def said() -> Iterator[tuple[str, str]]:
    """Every Chinese text with its place: phrases, tables of codes, pages of the guide without their code."""
    for file in sorted((texts.FOLDER / "zh").rglob("*.json")):
        yield from phrases(json.loads(file.read_bytes()), file.stem)
    for page in sorted(GUIDE.glob("*.md")):
        prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
        for number, line in enumerate(prose.splitlines(), 1):
            yield f"{page.name}:{number}", line


@pytest.mark.skipif(not CONTRIBUTING.is_file(), reason="not in a checkout")
def test_no_text_has_a_word_that_the_table_rejects() -> None:
    rejected = {wrong: right for right, all_wrong in table().items() for wrong in all_wrong}
    assert len(rejected) > 30
    found = [(place, wrong, text) for place, text in said() for wrong in rejected if wrong in text]
    assert not found, "\n".join(f"{place}: {wrong} is {rejected[wrong]}: {text}" for place, wrong, text in found)


@pytest.mark.skipif(not CONTRIBUTING.is_file(), reason="not in a checkout")
def test_every_term_of_the_table_is_used() -> None:
    everything = "\n".join(text for _, text in said())
    words = (word for terms in table() for word in re.split(r"[、（）…，/]", terms))
    assert [word for word in words if word and word not in everything] == []


def test_punctuation_in_chinese_is_full_width() -> None:
    halves = re.compile(rf"[{HAN}][,;:?!()](?!//)|[,;?!()](?=[{HAN}])")
    wrong = [
        f"{place}: {found[0]}: {text}" for place, text in said() if (found := halves.search(_NAMES.sub("x", text)))
    ]
    assert not wrong, "\n".join(wrong)


def test_a_blank_stands_between_chinese_and_latin_letters() -> None:
    close = re.compile(rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9][{HAN}]")
    wrong = []
    for place, text in said():
        bare = text
        for word in TOGETHER:
            bare = bare.replace(word, "、")
        if found := close.search(re.sub(r"\{[^{}]*\}|`[^`]*`", "、", bare)):
            wrong.append(f"{place}: {found[0]}: {text}")
    assert not wrong, "\n".join(wrong)
