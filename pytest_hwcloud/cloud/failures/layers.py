"""What terminals, logs and mails put around a text, taken off: colours, boxes, tables, prefixes, escapes, wraps."""

from __future__ import annotations

import csv
import html
import re

_ANSI = re.compile(r"\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)")
_BOX = re.compile(r"^[ \t]*[│┃║╷╵╭╰┌└├]+[ \t]?|[ \t]*[│┃║]+[ \t]*$|^[ \t]*[╭╰┌└├╔╚┏┗┣]?[─━═╌]{3,}.*$", re.MULTILINE)
_PREFIX = re.compile(
    r"^(?:[\w.-]+ +\| +|\d{4}-\d\d-\d\dT[\d:.]+Z? (?:stdout|stderr) [FP] |<\d{1,3}>\d? ?|E\s{2,}|\[pod/[^\]]+\] )",
    re.MULTILINE,
)
_PARTIAL = re.compile(r"^(\S{10,40} (?:stdout|stderr) )P (.*)\n\S{10,40} (?:stdout|stderr) ([FP]) ", re.MULTILINE)
_MOST_PARTS = 100  # of one line that a container's log broke
_RULE = re.compile(r"[-=+|:─┼╪ ]{3,}")
_COLUMNS = re.compile(
    r"(?:error|err)?[ _-]?(?:code|msg|message)|(?:http[ _-]?)?status(?:[ _-]?code)?|(?:x-)?request[ _-]?id|reason"
    r"|错误(?:码|代码|信息|描述|消息)|状态码|请求 ?id",
    re.IGNORECASE,
)
_MOST_LINES = 5000
_WIDTH = 40  # lines of one length from here on are what a terminal broke


def plain(text: str) -> str:
    """The text without colours, frames of boxes, and the prefixes of mails, container logs and pytest's error lines."""
    if "\x1b" in text:
        text = _ANSI.sub("", text)
    if "&quot;" in text or "&#34;" in text:  # as a page or a chat shows a body
        text = html.unescape(text)
    text = _unquoted(text)
    for _ in range(_MOST_PARTS if " P " in text else 0):
        joined = _PARTIAL.sub(r"\1\3 \2", text)
        if joined == text:
            break
        text = joined
    return _PREFIX.sub("", _BOX.sub("", _untabled(_ruled(text))))


def _unquoted(text: str) -> str:
    """A mail's text without the marks of what it quotes; curl's own `>` lines are left alone."""
    lines = [line for line in text.splitlines() if line.strip()]
    if not lines or not all(line.startswith((">", "|>")) for line in lines) or "HTTP/" in text:
        return text
    return re.sub(r"^(?:> ?)+", "", text, flags=re.MULTILINE)


def _ruled(text: str) -> str:
    """Tables whose columns are given by a rule below their names (psql, tabulate), as `label: [value]` lines."""
    lines = text.splitlines()
    for number in range(1, min(len(lines), _MOST_LINES)):
        if not _COLUMN_RULE.fullmatch(lines[number]):
            continue
        starts = [run.start() for run in re.finditer(r"[-=]{2,}", lines[number])]
        spans = list(zip(starts, [*starts[1:], None], strict=True))
        names = [lines[number - 1][start:end].strip(" |") for start, end in spans]
        if not _is_header(names):
            continue
        lines[number - 1] = lines[number] = ""
        for row in range(number + 1, len(lines)):
            values = [lines[row][start:end].strip(" |") for start, end in spans]
            if not all(values[:2]):
                break
            lines[row] = _labelled(names, values)
        return "\n".join(lines)
    return text


_COLUMN_RULE = re.compile(r"\s{0,9}[-=]{2,500}(?:[+ ]{1,3}[-=]{2,500}){1,30}\s{0,9}")


def _untabled(text: str) -> str:
    """Tables, also those of Markdown and CSV, as `label: [value]` lines; other frames of bars are only taken off."""
    lines = text.splitlines()
    if not any(mark in line for mark in "|│┃║," for line in lines[:_MOST_LINES]):
        return text
    written: list[str] = []
    table: list[list[str]] = []
    header: list[str] = []  # of a CSV file
    for line in [*lines[:_MOST_LINES], ""]:
        cells = _cells(line)
        if cells is not None:
            table += [cells] if cells else []
            continue
        if table:
            written += _rows(table)
            table = []
        if not header and _is_header(columns := _csv(line)):
            header = columns
        elif header and len(values := _csv(line)) == len(header):
            line = _labelled(header, values)
        else:
            header = []
        written.append(line)
    return "\n".join([*written[:-1], *lines[_MOST_LINES:]])


def _cells(line: str) -> list[str] | None:
    """The cells of a table's row, none for a rule between rows; None for a line of no table."""
    bare = line.strip()
    if len(bare) > 2 and bare[0] in "|+" and bare[-1] in "|+":
        return [] if _RULE.fullmatch(bare) else [cell.strip() for cell in bare.strip("|").split("|")]
    if len(bare) > 2 and bare[0] in "│┃║" and bare[-1] in "│┃║" and re.search(r"\s[│┃║]\s", bare[1:-1]):
        return [cell.strip() for cell in re.split("[│┃║]", bare.strip("│┃║"))]
    return None


def _rows(table: list[list[str]]) -> list[str]:
    if _is_header(table[0]):
        return [_labelled(table[0], row) for row in _joined(table[1:])]
    if any(len(row) == 2 and _COLUMNS.fullmatch(row[0]) for row in table):
        pairs = _joined([row for row in table if len(row) == 2])
        return [f"{name}: [{value}]" if _COLUMNS.fullmatch(name) else f"{name} {value}" for name, value in pairs]
    return [" ".join(row) for row in table]


def _joined(rows: list[list[str]]) -> list[list[str]]:
    """Rows whose cells were broken over several lines, as one row each."""
    kept: list[list[str]] = []
    for row in rows:
        if kept and row and not row[0] and len(row) == len(kept[-1]):
            kept[-1] = [f"{above} {below}".strip() for above, below in zip(kept[-1], row, strict=True)]
        else:
            kept.append(list(row))
    return kept


def _is_header(cells: list[str]) -> bool:
    return sum(bool(_COLUMNS.fullmatch(cell.strip())) for cell in cells) >= 2


def _labelled(names: list[str], values: list[str]) -> str:
    pairs = zip(names, values, strict=False)
    return ", ".join(f"{name.strip()}: [{value}]" for name, value in pairs if _COLUMNS.fullmatch(name.strip()))


def _csv(line: str) -> list[str]:
    if "," not in line or len(line) > 5000 or line.lstrip()[:1] in "{[<":
        return []
    try:
        return next(csv.reader([line], strict=True), [])
    except csv.Error:
        return []


def unescaped(text: str) -> str | None:
    """The text with one layer of escapes taken off, as a log wrote them; None if it has none."""
    if "\\" not in text:
        return None
    simple = {"\\n": "\n", "\\t": "\t", "\\r": "", '\\"': '"', "\\'": "'", "\\\\": "\\", "\\/": "/"}
    found = re.sub(r"\\(?:[ntr\"'\\/]|u[0-9a-fA-F]{4})", lambda m: simple.get(m[0]) or _character(m[0]), text)
    return found if found != text else None


def _character(escape: str) -> str:
    if len(escape) < 6:
        return ""
    number = int(escape[2:], 16)
    return chr(number) if not 0xD800 <= number <= 0xDFFF else "�"


def unwrapped(text: str) -> str:
    """The text in one line. A hard wrap keeps the blank it broke at; after punctuation there was none.

    Lines of one length that follow each other were broken by a terminal, in the middle of a word.
    """
    lines = text.splitlines()
    broken = _broken_by_terminal(lines)
    parts = []
    for number, line in enumerate(lines):
        follows = lines[number + 1] if number + 1 < len(lines) else ""
        before_broken = number > 0 and number - 1 in broken
        parts.append(line.rstrip("\r") if before_broken else line.strip() if number else line.rstrip())
        if number in broken:
            continue
        if line[-1:].isspace() or not _breaks_inside(line.rstrip(), follows.lstrip()):
            parts.append(" ")
    return "".join(parts).strip()


def _broken_by_terminal(lines: list[str]) -> set[int]:
    """The lines that a terminal broke: two or more of one length with a shorter one behind, or one inside an id."""
    found: set[int] = set()
    start = 0
    for number, line in enumerate(lines):
        same_start = number and line[:6] == lines[number - 1][:6]  # the next entry of a log, not the rest of this line
        if number and (len(line) != len(lines[start]) or same_start):
            if not same_start and number - start >= 2 and len(line) < len(lines[start]) >= _WIDTH:
                found.update(range(start, number))
            start = number
        follows = lines[number + 1] if number + 1 < len(lines) else ""
        head, tail = _HEX_END.search(line), _HEX_START.match(follows)
        if len(line) >= _WIDTH and head and tail and len(head[0]) + len(tail[0]) == 32:
            found.add(number)
    return found


_HEX_END, _HEX_START = re.compile(r"(?<![0-9a-f])[0-9a-f]{1,31}$"), re.compile(r"[0-9a-f]{1,31}(?![0-9a-f])")


def _breaks_inside(line: str, follows: str) -> bool:
    last, first = line[-1:], follows[:1]
    if last in "|-/_.=:":
        return bool(first) and not first.isspace() and (last not in ".:" or first.isdigit() or first == "/")
    return last == "" or first == "|"
