"""The findings of the permission checks: one row a rule. What lists rules anywhere reads this table.

A rule's meaning and title are phrases of the area `rules`, `HWP001.meaning` and `HWP001.title`.
"""

from __future__ import annotations

from dataclasses import dataclass

from pytest_hwcloud import texts

GROUPS = ("more", "less", "wider", "cannot", "mend")  # the parts of the md report, in their order


@dataclass(frozen=True, kw_only=True, slots=True)
class Rule:
    """One rule. level: error (a defect), warning (to declare, accept or tidy), note (never fails); group: of GROUPS."""

    id: str
    name: str
    level: str
    group: str

    @property
    def meaning(self) -> str:
        """One clause, in the language of the run."""
        return self.meaning_in(texts.language())

    def meaning_in(self, language: str) -> str:
        """The same in a given language."""
        return texts.say_in(language, f"rules.{self.id}.meaning")

    def to_dict(self, language: str) -> dict[str, str]:
        """The whole rule, as plain data."""
        said = {key: texts.say_in(language, f"rules.{self.id}.{key}") for key in ("title", "meaning", "example", "fix")}
        return {"rule": self.id, "name": self.name, "level": self.level, **said, "ignore": self._ignore(language)}

    def lines(self, language: str) -> list[str]:
        """What a reader at the shell sees: the head, and a labelled line for meaning, example, fix and ignore."""
        said = self.to_dict(language)
        labels = {key: texts.say_in(language, f"help.rule-{key}") for key in ("meaning", "example", "fix", "ignore")}
        width = max(map(texts.columns, labels.values()))
        head = f"{self.id} {self.name}" + (f"（{said['title']}）" if language == "zh" else "")
        return [
            head,
            *(f"  {label}{' ' * (width - texts.columns(label))}  {said[key]}" for key, label in labels.items()),
        ]

    def _ignore(self, language: str) -> str:
        return texts.say_in(language, "help.rule-how", id=self.id)

    def title_in(self, language: str) -> str:
        """The name in the words of a language: `missing permission`."""
        return texts.say_in(language, f"rules.{self.id}.title")


RULES = {
    rule.id: rule
    for rule in (
        Rule(id="HWP001", name="missing-permission", level="error", group="more"),
        Rule(id="HWP002", name="undeclared-permission", level="warning", group="more"),
        Rule(id="HWP003", name="stale-marker", level="warning", group="mend"),
        Rule(id="HWP004", name="swallowed-denial", level="error", group="mend"),
        Rule(id="HWP005", name="scope-mismatch", level="error", group="mend"),
        Rule(id="HWP006", name="authentication-failed", level="error", group="mend"),
        Rule(id="HWP007", name="lost-permission", level="error", group="less"),
        Rule(id="HWP008", name="new-permission", level="warning", group="more"),
        Rule(id="HWP009", name="widened-policy", level="warning", group="wider"),
        Rule(id="HWP010", name="unknown-action", level="error", group="mend"),
        Rule(id="HWP011", name="unmapped-call", level="warning", group="cannot"),
        Rule(id="HWP012", name="missing-dependency", level="error", group="more"),
        Rule(id="HWP013", name="refusal-in-cassette", level="warning", group="mend"),
        Rule(id="HWP014", name="undecidable", level="error", group="cannot"),
        Rule(id="HWP015", name="stale-token", level="warning", group="mend"),
        Rule(id="HWP017", name="inert-statement", level="warning", group="mend"),
        Rule(id="HWP018", name="over-permission", level="error", group="wider"),
        Rule(id="HWP019", name="unjudged-call", level="error", group="cannot"),
        Rule(id="HWP020", name="implicit-call", level="note", group="more"),
    )
}
