"""What users read, by key: a folder a language, a JSON file an area, loaded when its first phrase is needed.

A key is `area.name`; its phrase is a text with `{slots}`, or `{"one": …, "other": …}` chosen by the value `n`.
`say` gives a text in the language of the run. A `Phrase` is said later, by whoever shows it: findings and proofs travel
between processes, and one run writes a Chinese terminal and an English report of them.
A new language is a folder with the same files and its name in `LANGUAGES`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
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


class Phrase(str):
    """A phrase with its values: as a str in English, `text` in any language. A value may be a phrase itself.

    Whatever makes a new str of it (`replace`, an f-string) has the English only; `changed` keeps the phrase.
    """

    key: str
    values: Mapping[str, Any]

    def __new__(cls, key: str, /, **values: object) -> Phrase:
        made = super().__new__(cls, say_in("en", key, **values))
        made.key, made.values = key, values
        return made

    def text(self, language: str) -> str:
        """The text in a language."""
        return say_in(language, self.key, **{name: in_language(value, language) for name, value in self.values.items()})

    def changed(self, change: Callable[[str], str]) -> str:
        """The phrase with its texts changed (paths shortened, secrets masked), also where it is only as a whole."""
        made = Phrase(self.key, **{name: _changed(value, change) for name, value in self.values.items()})
        whole = change(str(made))
        return made if whole == made else whole

    def __deepcopy__(self, memo: object) -> Phrase:
        return self

    def __reduce__(self) -> tuple[Callable[[object], object], tuple[object]]:
        return revived, (plain(self),)


def in_language(value: Any, language: str) -> Any:
    """A phrase as text in a language; anything else, names and numbers, as it is."""
    return value.text(language) if isinstance(value, Phrase) else value


def changed(text: str, change: Callable[[str], str]) -> str:
    """A text changed by a function; a phrase stays one."""
    return text.changed(change) if isinstance(text, Phrase) else change(text)


def _changed(value: object, change: Callable[[str], str]) -> object:
    return changed(value, change) if isinstance(value, str) else value


def joined(key: str, parts: Sequence[str]) -> str:
    """Several texts in one, by a phrase with the slots `first` and `rest`; one text as it is, "" for none."""
    whole = parts[-1] if parts else ""
    for part in reversed(parts[:-1]):
        whole = Phrase(key, first=part, rest=whole)
    return whole


def plain(value: Any) -> Any:
    """A phrase, or lists and dicts with phrases in them, as str, int, list and dict, which every channel takes."""
    if isinstance(value, Phrase):
        return {"phrase": value.key, "values": plain(value.values)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    return [plain(item) for item in value] if isinstance(value, (list, tuple)) else value


def revived(value: Any) -> Any:
    """What `plain` made, with its phrases again; tuples have become lists."""
    if isinstance(value, Mapping):
        if value.keys() == {"phrase", "values"}:
            return Phrase(value["phrase"], **revived(value["values"]))
        return {key: revived(item) for key, item in value.items()}
    return [revived(item) for item in value] if isinstance(value, list) else value


@cache
def phrases(language: str, area: str) -> Mapping[str, _Phrase]:
    """All phrases of an area: name -> text, or the texts for one and for several."""
    read: Mapping[str, _Phrase] = json.loads((FOLDER / language / f"{area}.json").read_bytes())
    return read


def columns(text: str) -> int:
    """How many columns of a terminal a text takes: Chinese signs take two."""
    return sum(2 if east_asian_width(sign) in "WF" else 1 for sign in text)


def one_line(text: str) -> str:
    """A text as one line of a terminal: line ends, control characters and lone surrogates as escapes."""
    return text if text.isprintable() else "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)
