"""A finding of the permission checks, and the lines that several rules write."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any

from pytest_hwcloud import texts
from pytest_hwcloud.permissions.record import Use
from pytest_hwcloud.rules import RULES
from pytest_hwcloud.texts import Phrase

_MOST = 3  # calls that are shown of one action


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding. lines: the labelled lines below the head, as shown in the terminal. test: node id, "" for a policy.

    where: "file:line" of the call, marker or statement. cause: code, policy or catalogue (HWP007 to HWP009).
    action, detail, lines and fix are phrases where they are not names alone: English, and shown in any language.
    """

    rule: str
    action: str = ""
    identity: str = ""
    test: str = ""
    where: str = ""
    detail: str = ""  # what follows the action in the head line
    lines: tuple[str, ...] = ()
    fix: str = ""
    patch: str = ""  # the smallest edit of a policy as a fix: `git apply` or `patch -p0` in the folder of the lock
    cause: str = ""
    ignored: str = ""  # the reason of the ignore that covers it
    block: str = ""  # findings of one test with the same block are shown as one paragraph

    @property
    def name(self) -> str:
        return RULES[self.rule].name

    @property
    def head(self) -> str:
        """`HWP001 missing-permission  ecs:cloudServers:showServer   identity ci-writer`."""
        return self.head_in("en")

    def head_in(self, language: str) -> str:
        """The same in a language; beside the name of the rule then stands its title."""
        title = RULES[self.rule].title_in(language)
        name = self.name + ("" if language == "en" else texts.say_in(language, "findings.title", title=title))
        action = f"  {texts.in_language(self.action, language)}" if self.action else ""
        detail = f"   {texts.in_language(self.detail, language)}" if self.detail else ""
        return f"{self.rule} {name}{action}{detail}"

    @property
    def fingerprint(self) -> str:
        """Stable when lines move: rule, action, identity and test."""
        return hashlib.sha256("\0".join((self.rule, self.action, self.identity, self.test)).encode()).hexdigest()[:32]

    def text(self) -> str:
        """The whole paragraph in English, for machines."""
        return "\n".join([self.head, *(f"  {line}" for line in self.lines)])

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {field.name: texts.plain(getattr(self, field.name)) for field in fields(self)}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Finding:
        """The finding that `to_dict` wrote."""
        values = texts.revived(found)
        return cls(**{**values, "lines": tuple(values.get("lines", ()))})


def labelled(label: str, text: str) -> Phrase:
    """`call      GET ecs …`: a label in a column of ten; no label for a line that continues the one before."""
    return Phrase(f"findings.label-{label or 'more'}", text=text)


def of_identity(identity: str) -> Phrase:
    """`identity ci-writer`."""
    return Phrase("findings.identity", identity=identity) if identity else Phrase("findings.identity-unknown")


def calls(uses: Sequence[Use]) -> list[str]:
    """`call      GET ecs …      tests/test_x.py:14`, one line for each place, the first three."""
    return places([(use.call, use.where) for use in uses])


def places(made: Sequence[tuple[str, str]]) -> list[str]:
    """The same for pairs of a call and where it was made."""
    each = list(dict.fromkeys(made))
    lines = [placed(call, where) for call, where in each[:_MOST]]
    more = [Phrase("permissions.more", n=len(each) - _MOST)] if len(each) > _MOST else []
    return [labelled("" if index else "call", line) for index, line in enumerate([*lines, *more])]


def placed(text: str, where: str) -> str:
    """A call or decision, and where it is."""
    return Phrase("findings.placed", text=text, where=where) if where else text


def decision(use: Use) -> list[str]:
    """The decision, and below it the statements that came closest."""
    return [labelled("decision", use.reason), *(Phrase("findings.below", line=line) for line in use.nearest)]
