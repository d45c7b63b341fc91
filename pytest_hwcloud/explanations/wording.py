"""The words of the explanations in each language, read from `texts/`; the Chinese texts of codes by family."""

from __future__ import annotations

import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.failures import codes
from pytest_hwcloud.cloud.failures.codes import Entry
from pytest_hwcloud.cloud.failures.failure import Failure

LABELS = ("call", "message", "identity", "needs", "cause", "fix", "texts", "compare", "request")
# Names of OBS codes that are also everyday words of HTTP programs: no evidence of a cloud code in an assertion.
_EVERYDAY = {
    "BadRequest", "InternalError", "InvalidArgument", "InvalidRequest", "MethodNotAllowed", "NotImplemented",
    "PreconditionFailed", "Redirect", "RequestTimeout", "ServiceUnavailable", "TooManyRequests", "Unauthorized",
    "TemporaryRedirect", "PermanentRedirect", "EntityTooLarge",
}  # fmt: skip


@dataclass(frozen=True, eq=False)
class Texts:
    """All words of one language."""

    lang: str
    labels: Mapping[str, str]
    gates: Mapping[str, str]
    phrases: Mapping[str, str]
    kinds: Mapping[str, tuple[str, str]]

    def say(self, phrase: str, /, **values: object) -> str:
        """A phrase with its values filled in."""
        return self.phrases[phrase].format(**values)

    def gate(self, name: str) -> str:
        """A gate's name."""
        return self.gates[name]

    def kind(self, name: str) -> tuple[str, str]:
        """Cause and fix of a kind of failure, for codes that no table has."""
        cause, fix = self.kinds.get(name) or self.kinds["unknown"]
        return cause, fix

    def of(self, entry: Entry) -> tuple[str, str]:
        """Cause and fix of a code in this language."""
        if self.lang == "en":
            return entry.cause, entry.remedy
        own = _own(self.lang, entry.family)
        cause, fix = own.get(entry.key) or own.get(entry.code) or self.kind(entry.kind)
        return cause, fix

    def either(self, names: tuple[str, ...]) -> str:
        """One name, or several of which one will do."""
        return self.say("either", names=", ".join(names)) if len(names) > 1 else "".join(names)

    def join(self, *sentences: str) -> str:
        """Sentences one after the other."""
        return ("" if self.lang == "zh" else " ").join(sentence for sentence in sentences if sentence)


@cache
def load(lang: str) -> Texts:
    """The words of a language; ValueError for one that there is not."""
    if lang not in texts.LANGUAGES:
        raise ValueError(f"unknown language {lang!r}; known: {', '.join(texts.LANGUAGES)}")
    data = json.loads((texts.FOLDER / lang / "explanations.json").read_bytes())
    return Texts(lang, data["labels"], data["gates"], data["phrases"], data["kinds"])


@cache
def _own(lang: str, family: str) -> Mapping[str, tuple[str, str]]:
    path = texts.FOLDER / lang / "codes" / f"{family}.json"
    table: Mapping[str, tuple[str, str]] = json.loads(path.read_bytes()) if path.exists() else {}
    return table


def cells(text: str) -> int:
    """The columns that a text takes in a terminal: a Chinese character takes two."""
    return len(text) + sum(unicodedata.east_asian_width(one) in "WF" for one in text)


def entry_of(failure: Failure) -> Entry | None:
    """The catalogue's entry of a failure."""
    if not failure.code or (failure.details.get("type") and failure.code.isdecimal()):
        return None
    found = codes.entry(failure.code, failure.message, failure.status, family=failure.family)
    if found is not None and found.gate != "authentication" and failure.gate == "authentication":
        return None  # its text speaks of permissions, the message of who is calling
    return found


def is_plain_code(text: str) -> bool:
    """Whether a text is an error code beyond doubt: dotted, or an OBS name as OBS writes it."""
    if codes.CODE_SHAPE.fullmatch(text):
        return True
    if not text.isidentifier() or text in _EVERYDAY or not 6 <= len(text) <= 50:
        return False
    entry = codes.entry(text, family="obs")
    return entry is not None and entry.code == text


def age(seconds: float, words: Texts) -> str:
    """An age in the unit that a reader would choose."""
    if seconds < 90:
        return words.say("seconds", n=round(seconds))
    return (
        words.say("minutes", n=round(seconds / 60)) if seconds < 5400 else words.say("hours", n=round(seconds / 3600))
    )
