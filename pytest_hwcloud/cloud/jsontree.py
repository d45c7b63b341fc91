"""Reading JSON of unknown shape: a walk by keys that never raises."""

from __future__ import annotations


def child(tree: object, *keys: str) -> object:
    """What lies under these keys, one below the other; None where the way ends."""
    for key in keys:
        if not isinstance(tree, dict):
            return None
        tree = tree.get(key)
    return tree


def text(tree: object, *keys: str) -> str:
    """The text under these keys; empty where there is none."""
    found = child(tree, *keys)
    return found if isinstance(found, str) else ""
