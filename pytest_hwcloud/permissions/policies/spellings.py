"""The names a permission has in either grammar, and the decision on it: any of its ways allows.

A call needs its 1.1 action, or its 5.0 actions; a permission of the lock is named by the first and listed with the
calls that need it, from which the others follow.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.calls import actions, calls
from pytest_hwcloud.cloud.policies.decision import sum_of_ways

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.decision import Decision

Way = tuple[str, ...]


@lru_cache(maxsize=1024)
def _documented(action: str) -> tuple[calls.Need, ...]:
    """The documented calls of an action. Cached: each look goes through a whole table."""
    return tuple(calls.nearest_calls(action))


def names(action: str) -> Way:
    """Every name that counts for an action in a statement."""
    return actions.names(action)


def rows(action: str, labels: Iterable[str]) -> list[calls.Need]:
    """The documented operations behind the calls of a permission."""
    wanted = set(labels)
    return [need for need in _documented(action) if need.label in wanted]


def ways(action: str, labels: Iterable[str]) -> tuple[Way, ...]:
    """The sets of actions each of which is enough: the permission itself, then the 5.0 actions of its calls.

    Where several operations are one call, only its body showed which was meant: any of them.
    """
    operations: dict[str, dict[Way, None]] = {}  # call -> the 5.0 actions of each operation
    for need in rows(action, labels):
        if need.identity_actions:
            operations.setdefault(need.label, {})[need.identity_actions] = None
    together = itertools.product(*operations.values()) if operations else ()
    return tuple(dict.fromkeys([(action,), *(tuple(dict.fromkeys(sum(one, ()))) for one in together)]))


def heirs(action: str) -> Way:
    """The 5.0 names of a 1.1 action that mean the same; the action itself if it is one of them."""
    service = action.partition(":")[0]
    same = [name for name in actions.all_actions(service) if actions.same(name, action)]
    return tuple(name for name in same if name.lower() != action.lower()) or ((action,) if len(same) < 2 else ())


def spelled(action: str, labels: Iterable[str], grammar: str) -> Way:
    """The names by which a policy of this grammar allows a permission; nothing if it has none there."""
    found = rows(action, labels)
    if grammar == "5.0":
        return tuple(dict.fromkeys(sum((need.identity_actions for need in found), ()))) or _five(action, found)
    older = {name for need in found for name in need.actions}
    if older and action not in older:
        older &= set(actions.names(action))
    return tuple(sorted(older & {action} or older)) or _one(action, found)


def _five(action: str, found: list[calls.Need]) -> Way:
    """A dependency, or a call with a 1.1 name only: its one 5.0 name where it is documented."""
    if any(need.actions for need in found):
        return ()
    return tuple(name for name in heirs(action) if name != action)


def _one(action: str, found: list[calls.Need]) -> Way:
    """A 5.0 name whose call has no 1.1 action: the older name that counts for it, if there is one."""
    if not any(need.identity_actions for need in found):
        return (action,)
    return tuple(name for name in actions.names(action) if name.lower() != action.lower())[:1]


def decide(ask: Callable[[str], Decision], action: str, labels: Iterable[str]) -> Decision:
    """The decision on a permission, summed over its ways as the gate sums them over those of a call."""
    return sum_of_ways([[(name, ask(name)) for name in way] for way in ways(action, labels)])[1]
