"""Which marker speaks of which use: by any spelling of the action, and for the identity if the marker names one."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.calls import actions

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call
    from pytest_hwcloud.permissions.record import Declaration, Use


def names_of(call: Call | None, action: str) -> frozenset[str]:
    """Every name, in lower case, by which a marker may speak of an action that a call needs.

    A call's 5.0 actions open it alone, so a marker may name them in place of its 1.1 actions. Without a call: of the
    action itself, as of a dependency.
    """
    further = call.identity_actions if call is not None else ()
    return frozenset(name.lower() for one in (action, *further) for name in actions.names(one))


def speaks_of(declaration: Declaration, names: Collection[str], identity: str) -> str | None:
    """The action of the marker that is meant, if any is."""
    if declaration.identity and declaration.identity != identity:
        return None
    for action in listed(declaration):
        if action.lower() in names or actions.canonical(action).lower() in names:
            return action
    return None


def listed(declaration: Declaration) -> tuple[str, ...]:
    """All actions that a marker lists."""
    return (*declaration.actions, *declaration.any_of, *declaration.optional)


def is_used(declaration: Declaration, action: str, uses: Iterable[Use]) -> bool:
    """Whether a use is one that the marker means by this action."""
    spelled = {action.lower(), actions.canonical(action).lower()}
    return any(
        declaration.identity in ("", use.identity) and not spelled.isdisjoint(use.names or (use.action.lower(),))
        for use in uses
    )
