"""An explanation as properties of the test, for JUnit, xdist and the summary. Plain strings only."""

from __future__ import annotations

from collections.abc import Iterable

from pytest_hwcloud.explanations.explanation import Explanation

# In this order; `gate` is always there and begins the next explanation of the same test.
NAMES = ("gate", "code", "request_id", "status", "first_line", "cause", "fix")
PREFIX = "hwcloud."

Property = tuple[str, str]


def properties(explanation: Explanation) -> list[Property]:
    """The properties of one explanation; what has no content is left out."""
    values = ((name, getattr(explanation, name)) for name in NAMES)
    return [(PREFIX + name, str(value)) for name, value in values if value not in (None, "")]


def add_to(kept: list[tuple[str, object]], explanation: Explanation) -> None:
    """Put an explanation's properties on a test, if they are not there yet (a subtest's stay for the next one)."""
    new = properties(explanation)
    if not any(kept[at : at + len(new)] == new for at in range(len(kept))):
        kept.extend(new)


def explanations_in(kept: Iterable[object]) -> list[dict[str, str]]:
    """The explanations in a report's user_properties, each a dict by name; properties of others are passed over."""
    found: list[dict[str, str]] = []
    for pair in kept:
        if not isinstance(pair, (tuple, list)) or len(pair) != 2 or not str(pair[0]).startswith(PREFIX):
            continue
        name, value = str(pair[0]).removeprefix(PREFIX), str(pair[1])
        if name == "gate":
            found.append({})
        if found:
            found[-1][name] = value
    return found
