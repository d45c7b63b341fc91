"""What the rules of advice look at, and what they give."""

from __future__ import annotations

from dataclasses import dataclass

from pytest_hwcloud.cloud.failures import Failure
from pytest_hwcloud.cloud.failures.codes import Entry
from pytest_hwcloud.explanations.circumstances import Circumstances
from pytest_hwcloud.explanations.wording import Texts


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What to tell the reader."""

    cause: str
    fix: str
    compare: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that the rules look at."""

    failure: Failure
    entry: Entry | None
    known: Circumstances
    words: Texts
    cause: str  # the code's own
    fix: str

    @property
    def url(self) -> str:
        return self.failure.url or (self.known.call or "").partition(" ")[2]

    @property
    def service(self) -> str:
        return self.failure.service or self.known.service or self.words.say("the-service")

    def say(self, cause: str, fix: str, /, **values: object) -> Advice:
        """Advice from two phrases that share their values."""
        return Advice(cause=self.words.say(cause, **values), fix=self.words.say(fix, **values))
