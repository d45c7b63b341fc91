"""The system-defined roles and policies, by name: `system:ECS ReadOnlyAccess`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.calls import project_tables

_FILE = Path(__file__).parents[1] / "facts" / "system_policies.json"
PREFIX = "system:"


@cache
def _documented() -> Mapping[str, Mapping[str, object]]:
    data: dict[str, dict[str, object]] = json.loads(_FILE.read_text(encoding="utf-8"))["policies"]
    return data


def catalogue() -> Mapping[str, Mapping[str, object]]:
    """Every known system policy: scope, type, depends, and its document where a source or the project has it."""
    own = project_tables.system_policies()
    known = _documented()
    return (
        {**known, **{name: {**known.get(name, {}), "document": text} for name, text in own.items()}} if own else known
    )


def names(*, with_content: bool = False) -> tuple[str, ...]:
    """The names, sorted; only those whose content is documented if asked."""
    return tuple(name for name, entry in sorted(catalogue().items()) if "document" in entry or not with_content)


def find(name: str) -> tuple[str, Mapping[str, object]]:
    """The full name and the document of a system policy; LookupError with what is near or how to get it."""
    by_fold = {known.lower(): known for known in catalogue()}
    known = by_fold.get(name.strip().lower())
    if known is None:
        near = get_close_matches(name.strip().lower(), by_fold, 1, 0.5)
        guess = texts.say("policies.meant", name=PREFIX + by_fold[near[0]]) if near else ""
        raise LookupError(texts.say("policies.undocumented-system") + guess)
    document = catalogue()[known].get("document")
    if not isinstance(document, Mapping):
        raise LookupError(texts.say("policies.system-name-only"))
    return known, document
