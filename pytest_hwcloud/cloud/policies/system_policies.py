"""The system-defined roles and policies, by name: `system:ECS ReadOnlyAccess`."""

from __future__ import annotations

import json
from collections.abc import Mapping
from difflib import get_close_matches
from functools import cache
from pathlib import Path

_FILE = Path(__file__).parents[1] / "facts" / "system_policies.json"
PREFIX = "system:"


@cache
def catalogue() -> Mapping[str, Mapping[str, object]]:
    """Every system policy that a document names: scope, type, depends, and its document where a source shows it."""
    data: dict[str, dict[str, object]] = json.loads(_FILE.read_text(encoding="utf-8"))["policies"]
    return data


def names(*, with_content: bool = False) -> tuple[str, ...]:
    """The names, sorted; only those whose content is documented if asked."""
    return tuple(name for name, entry in sorted(catalogue().items()) if "document" in entry or not with_content)


def find(name: str) -> tuple[str, Mapping[str, object]]:
    """The full name and the document of a system policy; LookupError says what is near or how to get the content."""
    by_fold = {known.lower(): known for known in catalogue()}
    known = by_fold.get(name.strip().lower())
    if known is None:
        near = get_close_matches(name.strip().lower(), by_fold, 1, 0.5)
        guess = f", did you mean {PREFIX + by_fold[near[0]]!r}?" if near else ""
        raise LookupError(f"no such system policy is documented{guess}")
    document = catalogue()[known].get("document")
    if not isinstance(document, Mapping):
        raise LookupError(
            "only its name is documented, not its content;"
            " save the answer of GET /v3/roles/{role_id} to a file and give that"
        )
    return known, document
