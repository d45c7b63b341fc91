"""JSON without loss: numbers as written, members in their order and repeated, any text printable.

A recording may format a body differently, but never change its content; `json` alone would turn 1.10 into 1.1.
"""

from __future__ import annotations

import json
import re
from functools import lru_cache
from json.encoder import encode_basestring, encode_basestring_ascii


class Numeral(str):
    """A number, or NaN and its kin, as it was written."""

    __slots__ = ()


class Members(list[tuple[str, object]]):
    """The members of an object, in order, repeated names included."""

    __slots__ = ()


_DECODER = json.JSONDecoder(object_pairs_hook=Members, parse_float=Numeral, parse_int=Numeral, parse_constant=Numeral)
_CHECKER = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=str)
_TOKEN = re.compile(r"[{\[]\s*[}\]]|[{}\[\],:]|[^\s{}\[\],:]+")  # of what is no string
_WORDS = {True: "true", False: "false", None: "null"}


def parse(text: str) -> object:
    """The JSON document of this text; ValueError if it is none (or nested beyond all reason)."""
    try:
        return _DECODER.decode(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def parse_container(text: str) -> Members | list[object] | None:
    """The object or list that this text is; None for anything else."""
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] not in ("{}", "[]"):
        return None
    try:
        found = parse(stripped)
    except ValueError:
        return None
    return found if isinstance(found, list) else None


def pretty(value: object) -> str:
    """The document with one member a line, indented by two, letters of any script readable."""
    return _laid(value, "\n")


def laid_out(text: str) -> str | None:
    """`pretty` of the object or list that this text is; None for anything else.

    A text without escapes, as most are, is only checked, and then laid out by what stands between its strings.
    """
    stripped = text.strip()
    if stripped[:1] + stripped[-1:] not in ("{}", "[]"):
        return None
    if "\\" in stripped or not stripped.replace("\n", "").isprintable():
        document = parse_container(stripped)
        return None if document is None else pretty(document)
    try:
        _CHECKER.decode(stripped)
    except (ValueError, RecursionError):
        return None
    parts, depth = stripped.split('"'), 0
    for at in range(0, len(parts), 2):
        parts[at], depth = _laid_between(parts[at], depth)
    return '"'.join(parts)


@lru_cache(maxsize=4096)
def _laid_between(part: str, depth: int) -> tuple[str, int]:
    """What stands between two strings of a document, laid out; and how deep the document is after it."""
    laid = ""
    for token in _TOKEN.findall(part):
        if token in ("{", "["):
            depth += 1
            laid += f"{token}\n{'  ' * depth}"
        elif token in ("}", "]"):
            depth -= 1
            laid += f"\n{'  ' * depth}{token}"
        elif token[0] in "{[":  # empty
            laid += token[0] + token[-1]
        else:
            laid += {",": f",\n{'  ' * depth}", ":": ": "}.get(token, token)
    return laid, depth


def compact(value: object) -> str:
    """The document in one line."""
    match value:
        case Members():
            return "{" + ", ".join(f"{quoted(k)}: {compact(v)}" for k, v in value) + "}"
        case list():
            return "[" + ", ".join(map(compact, value)) + "]"
    return _scalar(value)


def _laid(value: object, margin: str) -> str:
    if value.__class__ is str:
        return quoted(value)  # what most values are, and so asked first
    inner = margin + "  "
    match value:
        case Members() if value:
            return "{" + ",".join([f"{inner}{quoted(key)}: {_laid(item, inner)}" for key, item in value]) + margin + "}"
        case list() if value:
            return "[" + ",".join([inner + _laid(item, inner) for item in value]) + margin + "]"
        case Members():
            return "{}"
        case list():
            return "[]"
    return _scalar(value)


def _scalar(value: object) -> str:
    if isinstance(value, Numeral):
        return str(value)
    return quoted(value) if isinstance(value, str) else _WORDS[bool(value) if value is not None else None]


def quoted(text: str) -> str:
    """A JSON string; letters that are not printable (line separators, half surrogates …) are escaped."""
    return encode_basestring(text) if text.isprintable() else encode_basestring_ascii(text)
