"""What the terminal shows of the permission checks, in Chinese: finished English lines, said anew by templates.

A template of `texts_zh.json` is an English sentence with slots and the same in Chinese. `{name}` is any text, which
stays as it is (actions, files, calls, codes); `{n#}` a number; `{why:group}` a text that a template of that group has
to say in its turn; `finding(s)` stands for both. A sentence that no template knows stays English.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING
from unicodedata import east_asian_width

from pytest_hwcloud.rules import RULES

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.finding import Finding

_COLUMN = 10  # as `labelled` writes it
_SLOT = re.compile(r"\{(\w+)(?::(\w+)|(#))?\}")
_NUMBER, _ANY = r"\d+", ".+?"
_PLACE = " " * 6  # between a call or decision and where it is
_STATEMENT = re.compile(r"( {12}\S.*?  +)((?:no|yes|perhaps)(?:: .*)?)")


@dataclass(frozen=True, slots=True)
class _Template:
    english: re.Pattern[str]
    chinese: str
    nested: Mapping[str, str]  # slot -> group

    def said(self, text: str) -> str | None:
        """The Chinese sentence; None if this is another one."""
        found = self.english.fullmatch(text)
        if found is None:
            return None
        values = found.groupdict()
        for slot, group in self.nested.items():
            inner = sentence(group, values[slot])
            if inner is None:
                return None
            values[slot] = inner
        return _SLOT.sub(lambda slot: values[slot[1]], self.chinese)


@cache
def texts() -> Mapping[str, Mapping[str, object]]:
    """The file of words and templates."""
    read: Mapping[str, Mapping[str, object]] = json.loads((Path(__file__).parent / "texts_zh.json").read_bytes())
    return read


@cache
def _templates(group: str) -> tuple[_Template, ...]:
    rows: Iterable[tuple[str, str]] = texts()["groups"].get(group, ())  # type: ignore[assignment]
    return tuple(_template(english, chinese) for english, chinese in rows)


def _template(english: str, chinese: str) -> _Template:
    pattern, at = "", 0
    for slot in _SLOT.finditer(english):
        pattern += re.escape(english[at : slot.start()]) + f"(?P<{slot[1]}>{_NUMBER if slot[3] else _ANY})"
        at = slot.end()
    pattern += re.escape(english[at:])
    nested = {slot[1]: slot[2] for slot in _SLOT.finditer(english) if slot[2]}
    return _Template(re.compile(pattern.replace(r"\(s\)", "s?"), re.DOTALL), chinese, nested)


def sentence(group: str, text: str) -> str | None:
    """A sentence in Chinese by the first template of a group that knows it."""
    return next((said for template in _templates(group) if (said := template.said(text)) is not None), None)


def line(text: str) -> str:
    """A line of proof, lock, reports, ignores or exit status; several lines each for itself."""
    return "\n".join(sentence("line", row) or row for row in text.split("\n"))


def title() -> str:
    """What stands over the findings."""
    return str(texts()["title"])


def head(finding: Finding) -> str:
    """`HWP001 missing-permission（缺少权限）  ecs:cloudServers:showServer   身份 ci-writer`."""
    name = f"{finding.name}（{RULES[finding.rule].title_in('zh')}）"
    action = (sentence("action", finding.action) if finding.rule == "HWP017" else None) or finding.action
    detail = sentence("detail", finding.detail) or finding.detail
    return f"{finding.rule} {name}{f'  {action}' * bool(action)}{f'   {detail}' * bool(detail)}"


def lines(english: Iterable[str]) -> Iterator[str]:
    """The lines below a head. A line without a label goes on with the one before."""
    label = ""
    for block in english:
        first, *rest = block.split("\n")
        label = _label(first) or label
        yield "\n".join([_line(first, label), *(_below(row) for row in rest)])


def _label(text: str) -> str:
    word = text[:_COLUMN].rstrip()
    return word if word in texts()["labels"] else ""


def _line(text: str, label: str) -> str:
    statement = _STATEMENT.fullmatch(text)
    if statement:
        return statement[1] + (sentence("statement", statement[2]) or statement[2])
    if not label or not (_label(text) or text.startswith(" " * _COLUMN)):
        return sentence("bare", text) or text
    shown = _padded(str(texts()["labels"][label])) if _label(text) else " " * _COLUMN
    told, gap, place = text[_COLUMN:].partition(_PLACE)
    return f"{shown}{sentence(label, told) or told}{gap}{place}"


def _below(text: str) -> str:
    """A row of a patch as it is, or the last one: `  accept    pytest …`."""
    inner = text.removeprefix("  ")
    return f"  {_line(inner, _label(inner))}" if _label(inner) else text


def _padded(label: str) -> str:
    width = sum(2 if east_asian_width(sign) in "WF" else 1 for sign in label)
    return label + " " * (_COLUMN - width)
