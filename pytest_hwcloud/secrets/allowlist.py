"""What is no secret although it looks like one, by the project: `recording: {keep: […]}` in hwcloud.yaml, `--keep`.

A glob (only `*` is special) for the value itself, or, if it begins with `$.`, for its place in a JSON body. A secret
that is known to be one is never kept.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from pytest_hwcloud import texts
from pytest_hwcloud.secrets.detector import KNOWN, Suspicion

FEWEST, FEWEST_OF_PLACE = 4, 2  # letters of a glob that are no `*`: fewer would let anything through


def problem_of(glob: str) -> str | None:
    """What is wrong with a glob, None if nothing is."""
    name = glob.removeprefix("$.")
    fewest = FEWEST if name == glob else FEWEST_OF_PLACE
    if len(name.replace("*", "")) < fewest:
        return texts.say("secrets.kept-too-much", glob=glob, n=fewest)
    return None


def without_kept(suspicions: Iterable[Suspicion], globs: Sequence[str]) -> list[Suspicion]:
    """The suspicions that no glob explains."""
    rules = [(glob.startswith("$."), _pattern(glob)) for glob in globs]
    return [one for one in suspicions if one.kind == KNOWN or not any(_fits(one, *rule) for rule in rules)]


def _fits(one: Suspicion, by_place: bool, pattern: re.Pattern[str]) -> bool:
    return pattern.fullmatch(one.place.rpartition(" ")[2] if by_place else one.value) is not None


def _pattern(glob: str) -> re.Pattern[str]:
    return re.compile(".*".join(map(re.escape, glob.split("*"))), re.DOTALL)
