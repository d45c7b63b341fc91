"""Texts as YAML: scalars on one line, and literal blocks. What is written reads back as exactly the same text.

Two notations, because two kinds of files are written: `scalar` keeps to what the quick reader of cassettes takes,
`readable` leaves plain whatever YAML itself takes for the same text, as a file that people read needs it.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache

LONGEST_KEY = 900  # YAML reads no key of more than 1024 characters without a `?`
_WORDS = frozenset(["y", "n", "yes", "no", "on", "off", "true", "false", "null", "nan", "inf"])
_PLAIN = re.compile(r"[A-Za-z/][\w./:;=?&%@+~()!$-]*", re.ASCII)
_PRINTABLE = re.compile("[\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]*")
_ESCAPE = re.compile('["\\\\]|[^\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]')
_SHORT = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_READABLE = re.compile(r"[A-Za-z0-9_./][^\x00-\x1f\x7f-\x9f\ud800-\udfff\ufeff\u2028\u2029]*")
_FLOW = re.compile(r"[\[\]{},?]")
_NUMBER = re.compile(r"[0-9.][0-9a-fA-FxXoO_.:+eETtZz -]*|\.\w+")  # or a date


@lru_cache(maxsize=4096)
def scalar(text: str) -> str:
    """The text on one line: bare if it is made of letters of URLs and YAML takes it for a text, else in quotes."""
    if _PLAIN.fullmatch(text) and text[-1] != ":" and text.lower() not in _WORDS:
        return text
    text = text.encode(errors="backslashreplace").decode()  # half a surrogate pair is no character of YAML
    return '"' + _ESCAPE.sub(_escaped, text) + '"'


def _escaped(match: re.Match[str]) -> str:
    return _SHORT.get(match[0]) or f"\\u{ord(match[0]):04x}"


def block(text: str, indent: int) -> str:
    """The text as a literal block where one can carry it, else as a quoted scalar."""
    bare = text.rstrip("\n")
    ends = len(text) - len(bare)
    fits = (
        len(bare) > 40
        and bare[0] not in " \t\n"
        and "\n\t" not in bare
        and _is_printable(text)
        and not (ends > 1 and not bare)
    )
    if not fits:
        return scalar(text)
    margin = " " * indent
    laid = margin + bare.replace("\n", "\n" + margin)
    if "\n\n" in bare:
        laid = re.sub(rf"(?m)^{margin}$", "", laid)  # an empty line stays empty
    return f"|{('-', '', '+')[min(ends, 2)]}\n{laid}" + "\n" * max(ends - 1, 0)


def _is_printable(text: str) -> bool:
    # What Python calls printable is so to YAML, and found much quicker; the expression knows a few characters more.
    return text.replace("\n", "").isprintable() or _PRINTABLE.fullmatch(text) is not None


@lru_cache(maxsize=8192)
def readable(text: str, flow: bool = False) -> str:
    """The text plain if YAML then reads it back as the same text, else in double quotes. flow: inside [ ] or { }."""
    if _is_readable(text) and not (flow and _FLOW.search(text)):
        return text
    if text.isprintable():
        return json.dumps(text, ensure_ascii=False)
    return f'"{"".join(map(_shown, text))}"'


def _shown(char: str) -> str:
    """One character in double quotes. JSON's pairs of surrogates are no YAML."""
    if char.isprintable():
        return f"\\{char}" if char in '"\\' else char
    return f"\\U{ord(char):08X}"


def _is_readable(text: str) -> bool:
    if not _READABLE.fullmatch(text) or text.endswith((":", " ")) or ": " in text or " #" in text:
        return False
    return text.lower() not in _WORDS and any(char.isalpha() for char in text) and not _NUMBER.fullmatch(text)
