"""Which actions of a test are to be proved, and what is denied for each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud.cloud.calls.actions import canonical
from pytest_hwcloud.permissions.proof.verdict import PROVED

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.lock.model import Lock
    from pytest_hwcloud.permissions.record import TestRecord, Use


Fixtures = tuple[str, ...]  # names of wider fixtures, `baseid::name`


@dataclass(frozen=True, kw_only=True)
class Waiting:
    """A test that passed, and the actions that only its wider fixtures need: action -> fixtures."""

    item: pytest.Item
    record: TestRecord
    borrowed: Mapping[str, Fixtures]


class Plan:
    """denials: action -> the actions denied together. borrowed: action -> the wider fixtures that make all its calls.

    An action of which the test expects a refusal is in neither, nor one that a marker calls optional.
    """

    def __init__(self, record: TestRecord) -> None:
        self.denials: dict[str, tuple[str, ...]] = {}
        self.borrowed: dict[str, Fixtures] = {}
        for action, uses in _by_action(record.uses).items():
            if any(use.refused or use.injected for use in uses) or _without(record, uses):
                continue
            if any(not use.fixture for use in uses):
                self.denials[action] = _together(record, action, uses)
            else:
                self.borrowed[action] = tuple(dict.fromkeys(use.fixture for use in uses))

    @property
    def actions(self) -> tuple[str, ...]:
        """All of them."""
        return (*self.denials, *self.borrowed)


def _by_action(uses: Iterable[Use]) -> dict[str, list[Use]]:
    """A documented dependency is not a separate call: nothing can be denied."""
    found: dict[str, list[Use]] = {}
    for use in uses:
        if not use.dependency and use.action:
            found.setdefault(use.action, []).append(use)
    return found


def _without(record: TestRecord, uses: Sequence[Use]) -> bool:
    """Whether the test declares that it can do without the action, or wants it refused."""
    for row in record.declared:
        if _means(row.actions if row.kind == "denied" else row.optional, uses):
            return not (row.kind == "requires" and _means(row.actions, uses))
    return False


def _together(record: TestRecord, action: str, uses: Sequence[Use]) -> tuple[str, ...]:
    """The action; of several of which any one will do, all."""
    others = (one for row in record.declared if _means(row.any_of, uses) for one in row.any_of)
    return tuple(dict.fromkeys((action, *others)))


def _means(listed: Collection[str], uses: Sequence[Use]) -> bool:
    names = {name for use in uses for name in (*use.names, use.action.lower())}
    return any(one.lower() in names or canonical(one).lower() in names for one in listed)


def is_proved(record: TestRecord, plan: Plan, lock: Lock) -> bool:
    """Whether the lock holds just these needs of the test, all proved."""
    entries = lock.needs_of(record.nodeid)
    if {use.action for use in record.uses if use.action} != set(entries):
        return False
    return all(_is_proved(entries[action]) for action in plan.actions)


def _is_proved(entries: Iterable[object]) -> bool:
    return all(status == PROVED for status in _statuses(entries))


def _statuses(entries: Iterable[object]) -> Iterator[str]:
    yield from (str(getattr(entry, "status", "")) for entry in entries)
