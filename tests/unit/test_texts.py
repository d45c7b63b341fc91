"""Phrases with keys: every language has every key with the same slots, every key is used, every use has a phrase."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from string import Formatter

import pytest

import pytest_hwcloud
from pytest_hwcloud import texts

PACKAGE = Path(pytest_hwcloud.__file__).parent
HERE = PACKAGE / "texts"
SAYING = {"say", "say_in", "Phrase"}
# Areas with a reader of their own, which has tests of its own (a table a code, a kind or a rule).
TABLES = {"explanations"}


def areas(language: str) -> set[str]:
    # Beside the areas lie tables a code, which English has among the facts (cloud/facts).
    return {file.stem for file in (HERE / language).glob("*.json")}


def keys(language: str) -> dict[str, object]:
    return {
        f"{area}.{name}": phrase
        for area in areas(language) - TABLES
        for name, phrase in json.loads((HERE / language / f"{area}.json").read_bytes()).items()
    }


def slots(phrase: object) -> set[str]:
    rows = phrase.values() if isinstance(phrase, dict) else [phrase]
    return {name for row in rows for _, name, _, _ in Formatter().parse(str(row)) if name is not None}


def said() -> Iterator[tuple[str, str, set[str | None]]]:
    """Every literal key of a call of say: (place, key, names of its values; None for `**`).

    A key that is put together begins with a literal area.
    """
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in parsed(file):
            if not isinstance(node, ast.Call):
                continue
            name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            for argument in node.args if name in SAYING else ():
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and "." in argument.value:
                    given = {keyword.arg for keyword in node.keywords}
                    yield f"{file.relative_to(PACKAGE)}:{node.lineno}", argument.value, given


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_language_has_every_area_and_every_key(language: str) -> None:
    assert areas(language) == areas("en")
    assert set(keys(language)) ^ set(keys("en")) == set()


def test_the_slots_of_a_phrase_are_the_same_in_every_language() -> None:
    english = keys("en")
    wrong = [
        (language, key)
        for language in texts.LANGUAGES
        for key, phrase in keys(language).items()
        if slots(phrase) - {"n"} != slots(english[key]) - {"n"}
    ]
    assert wrong == []


def test_every_phrase_that_is_said_is_there() -> None:
    known = keys("en")
    assert [(place, key) for place, key, _ in said() if key not in known] == []


def test_every_slot_of_a_phrase_that_is_said_has_its_value() -> None:
    known = keys("en")
    wrong = [
        (place, key)
        for place, key, given in said()
        if given and None not in given and (slots(known[key]) - given or given - slots(known[key]) - {"n"})
    ]
    assert wrong == []


def test_a_phrase_chooses_by_number_and_fills_its_slots(monkeypatch: pytest.MonkeyPatch) -> None:
    table = {"calls": {"one": "{n} call", "other": "{n} calls"}, "plain": "to {host}"}
    monkeypatch.setattr(texts, "phrases", lambda language, area: table)
    assert [texts.say("x.calls", n=1), texts.say("x.calls", n=2), texts.say("x.plain", host="h")] == [
        "1 call",
        "2 calls",
        "to h",
    ]


def test_an_unknown_language_is_an_error() -> None:
    with pytest.raises(ValueError) as caught:
        texts.use("fr")
    assert str(caught.value) == "unknown language 'fr'; known: en, zh"


# Every text for users is a phrase ------------------------------------------------------------------------------------

# Literals of two words and more that no language changes, by file or folder, and why.
ALLOWED = {
    "cassettes/rendering.py": "the notation of cassettes",
    "cassettes/scan.py": "names of kinds, which are keys of phrases",
    "cloud/failures/": "what clients and services say, to be recognised",
    "cloud/calls/catalogue.py": "the first line of a written table, by which it is known again",
    "cloud/calls/project_tables.py": "an example in the notation of a table",
    "cloud/policies/conditions.py": "errors that ConditionError replaces",
    "cloud/policies/evaluation.py": "the documents' name of an operation",
    "cloud/policies/rights.py": "errors of the one who writes the program",
    "cloud/signing/verification.py": "errors that never leave the file",
    "cloud/tokens.py": "a repr",
    "commands/actions.py": "the first line of a written table",
    "commands/run.py": "a command",
    "explanations/advice": "messages of services, to be recognised",
    "explanations/assertrepr.py": "a line of pytest, to be recognised",
    "explanations/circumstances.py": "a source of an exchange",
    "files/json_lossless.py": "an error that never leaves the file",
    "files/yaml_reader.py": "a message of PyYAML, to be recognised",
    "gates/denials.py": "what services answer",
    "gates/refusals.py": "what services answer",
    "gateway/": "headers and faults of HTTP",
    "interceptors/": "what clients raise",
    "options.py": "signatures of markers",
    "permissions/lock/format.py": "the head of the lock",
    "permissions/observe.py": "a source of an exchange",
    "permissions/policies/edit.py": "a line of git's patches",
    "permissions/policies/diff.py": "keys of the JSON output",
    "permissions/lock/widened.py": "keys of the JSON output",
    "permissions/proof/": "sources of an exchange, names of pytest's reports",
    "permissions/reports/": "HTML, and keys of the JSON output",
    "permissions/rules/": "sources of an exchange, keys",
    "replay/player.py": "sources of an exchange",
    "secrets/": "words to be recognised, and names of kinds, which are keys of phrases",
    "texts/__init__.py": "an error of the one who writes the program",
    "__init__.py": "an error of the one who writes the program",
    "explanations/wording.py": "an error of the one who writes the program",
}
_TWO_WORDS = re.compile(r"[A-Za-z]{2,}['’]?[,;:]? [a-z]{2,}")
_CODE = re.compile(
    r"pytest-hwcloud(?: \w+)+|names\.|signing algorithm|policy document|async def "
)  # commands, keys, code


@cache
def parsed(file: Path) -> list[ast.AST]:
    """Every node of a file; its parts are told apart by their identity, so they are kept."""
    return list(ast.walk(ast.parse(file.read_text(encoding="utf-8"))))


def literals(file: Path) -> Iterator[tuple[int, str]]:
    """The string literals of a file that have two words, without docstrings; f-strings with {} for their values."""
    nodes = parsed(file)
    skipped = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    skipped |= {id(part) for node in nodes if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in nodes:
        if isinstance(node, ast.JoinedStr):
            text = "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in skipped:
            text = node.value
        else:
            continue
        if _TWO_WORDS.search(text) and not _CODE.fullmatch(text):
            yield node.lineno, text


@cache
def loose() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for file in sorted(PACKAGE.rglob("*.py")):
        name = file.relative_to(PACKAGE).as_posix()
        if not name.startswith("tour/"):  # a suite of a user
            found[name] = [f"{name}:{line}: {text[:80]!r}" for line, text in literals(file)]
    return found


def test_every_text_for_users_is_a_phrase() -> None:
    found = [line for name, lines in loose().items() if not name.startswith(tuple(ALLOWED)) for line in lines]
    assert not found, "\n".join(found)


def test_nothing_is_allowed_that_is_not_there() -> None:
    there = [name for name, lines in loose().items() if lines]
    assert [place for place in ALLOWED if not any(name.startswith(place) for name in there)] == []


# Chinese --------------------------------------------------------------------------------------------------------------

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


def sentences(value: object, place: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield place, value
        case dict():
            for key, inner in value.items():
                yield from sentences(inner, f"{place}.{key}")
        case list():
            for inner in value:
                yield from sentences(inner, place)


def chinese() -> Iterator[tuple[str, str]]:
    """Every Chinese text with its place: phrases, tables of codes, pages of the guide without their code."""
    for file in sorted((texts.FOLDER / "zh").rglob("*.json")):
        yield from sentences(json.loads(file.read_bytes()), file.stem)
    for page in sorted(GUIDE.glob("*.md")):
        prose = re.sub(r"^```.*?^```$", "", page.read_text(encoding="utf-8"), flags=re.S | re.M)
        for number, line in enumerate(prose.splitlines(), 1):
            yield f"{page.name}:{number}", line


@pytest.mark.skipif(not CONTRIBUTING.is_file(), reason="not in a checkout")
def test_no_text_has_a_word_that_the_table_rejects() -> None:
    rejected = {wrong: right for right, all_wrong in table().items() for wrong in all_wrong}
    assert len(rejected) > 30
    found = [(place, wrong, text) for place, text in chinese() for wrong in rejected if wrong in text]
    assert not found, "\n".join(f"{place}: {wrong} is {rejected[wrong]}: {text}" for place, wrong, text in found)


@pytest.mark.skipif(not CONTRIBUTING.is_file(), reason="not in a checkout")
def test_every_term_of_the_table_is_used() -> None:
    everything = "\n".join(text for _, text in chinese())
    words = (word for terms in table() for word in re.split(r"[、（）…，/]", terms))
    assert [word for word in words if word and word not in everything] == []


def test_punctuation_in_chinese_is_full_width() -> None:
    halves = re.compile(rf"[{HAN}][,;:?!()](?!//)|[,;?!()](?=[{HAN}])|hwcloud: x?[{HAN}]|\(HTTP")
    wrong = [
        f"{place}: {found[0]}: {text}" for place, text in chinese() if (found := halves.search(_NAMES.sub("x", text)))
    ]
    assert not wrong, "\n".join(wrong)


def test_a_blank_stands_between_chinese_and_latin_letters() -> None:
    close = re.compile(rf"[{HAN}][A-Za-z0-9]|[A-Za-z0-9][{HAN}]")
    wrong = []
    for place, text in chinese():
        bare = text
        for word in TOGETHER:
            bare = bare.replace(word, "、")
        if found := close.search(re.sub(r"\{[^{}]*\}|`[^`]*`", "、", bare)):
            wrong.append(f"{place}: {found[0]}: {text}")
    assert not wrong, "\n".join(wrong)
