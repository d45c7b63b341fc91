"""What users read, by key: a folder a language, a JSON file an area, loaded when its first phrase is needed.

A key is `area.name`; its phrase is a text with `{slots}`, or `{"one": …, "other": …}` chosen by the value `n`.
A new language is a folder with the same files and its name in `LANGUAGES`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from unicodedata import east_asian_width

LANGUAGES = ("en", "zh")
FOLDER = Path(__file__).parent
_Phrase = str | Mapping[str, str]


class _Run:
    language = LANGUAGES[0]


def use(language: str) -> None:
    """Speak this language from now on in this process; ValueError for one that there is not."""
    if language not in LANGUAGES:
        raise ValueError(f"unknown language {language!r}; known: {', '.join(LANGUAGES)}")
    _Run.language = language


def language() -> str:
    """The language of the run, `en` until `use` was called."""
    return _Run.language


def say(key: str, /, **values: object) -> str:
    """The phrase of a key in the language of the run, its values filled in. KeyError for an unknown key."""
    return say_in(_Run.language, key, **values)


def say_in(language: str, key: str, /, **values: object) -> str:
    """The phrase of a key in a given language."""
    area, _, name = key.partition(".")
    phrase = phrases(language, area)[name]
    if not isinstance(phrase, str):
        phrase = phrase["one" if values["n"] == 1 else "other"]
    return phrase.format(**values) if values else phrase


@cache
def phrases(language: str, area: str) -> Mapping[str, _Phrase]:
    """All phrases of an area: name -> text, or the texts for one and for several."""
    read: Mapping[str, _Phrase] = json.loads((FOLDER / language / f"{area}.json").read_bytes())
    return read


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese signs take two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)
