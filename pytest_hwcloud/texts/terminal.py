"""How lines of ours look in a terminal: colour where it has any, wrapped at its width, as they are where it is a file.

Patches and commands are never wrapped: they are copied.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Protocol
from unicodedata import east_asian_width

from pytest_hwcloud.texts import columns

_RULE = re.compile(r"(HWP\d{3})(.*)", re.DOTALL)
_LABELLED = re.compile(r"( {2})(\S+)( {2,}\S.*)", re.DOTALL)
_HANGING = re.compile(r"( *)(?:\S+ {2,}(?=\S))?")
_PATCH = re.compile(r" {10,}(?:([-+])|(@@))")
_COPIED = re.compile(r"( *(?:\S+ {2,})?)(?:pytest |pytest-hwcloud |@pytest|\{)| {10,}[-+@\\ ]")
_CLOSING = "，。；：、）”》！？"  # no row begins with these
_LEAST = 20  # columns of text beside a hanging indent, below which wrapping would only tear a text apart


class Reporter(Protocol):
    """What is used of pytest's TerminalReporter."""

    @property
    def isatty(self) -> object: ...
    @property
    def hasmarkup(self) -> bool: ...
    def write(self, content: str, *, flush: bool = False, **markup: bool) -> None: ...
    def write_line(self, line: str, **markup: bool) -> None: ...
    def write_sep(self, sep: str, title: str | None = None, fullwidth: int | None = None, **markup: bool) -> None: ...


def section(reporter: Reporter, title: str, width: int) -> None:
    """The line above a part of the summary; width: of the terminal. Chinese signs take two columns each."""
    reporter.write_sep("=", title, fullwidth=width - (columns(title) - len(title)), bold=True)


def write(reporter: Reporter, text: str, width: int) -> None:
    """Lines of a summary."""
    for line in text.split("\n"):
        rows = list(wrapped(line, width)) if reporter.isatty else [line]
        for number, row in enumerate(rows):
            if not reporter.hasmarkup:
                reporter.write_line(row)
                continue
            for part, markup in _marked(row) if number == 0 else [(row, "")]:
                reporter.write(part, **({markup: True} if markup else {}))
            reporter.write_line("")


def _marked(line: str) -> list[tuple[str, str]]:
    """The parts of a line, each with pytest's name of its look."""
    if row := _PATCH.match(line):
        return [(line, {"+": "green", "-": "red"}.get(row[1] or "", "cyan"))]
    if rule := _RULE.fullmatch(line):
        return [(rule[1], "bold"), (rule[2], "")]
    if labelled := _LABELLED.fullmatch(line):
        return [(labelled[1], ""), (labelled[2], "light"), (labelled[3], "")]
    return [(line, "")]


def wrapped(line: str, width: int) -> Iterator[str]:
    """The rows of a line: broken at blanks and between Chinese signs, further rows below the text of the first."""
    hanging = _HANGING.match(line)
    start = hanging[0] if hanging else ""
    indent = " " * columns(start)
    if columns(line) <= width or _COPIED.match(line) or width - len(indent) < _LEAST:
        yield line
        return
    row = start
    for piece in _pieces(line[len(start) :]):
        if columns(row + piece.rstrip()) > width and row.strip() and row != indent:
            yield row.rstrip()
            row, piece = indent, piece.lstrip()
        row += piece
    if row.strip():
        yield row.rstrip()


def _pieces(text: str) -> Iterator[str]:
    """What stays together: a word with the blanks before it, a Chinese sign with the closing signs behind it."""
    piece = ""
    for sign in text:
        wide = east_asian_width(sign) in "WF"
        blank = sign == " " and not piece.endswith(" ")
        apart = wide and sign not in _CLOSING
        after = bool(piece) and east_asian_width(piece[-1]) in "WF" and sign not in _CLOSING
        if piece and (blank or apart or after):
            yield piece
            piece = ""
        piece += sign
    if piece:
        yield piece
