"""The smallest policy for what an identity needs by the lock: each action by its name, no wildcard.

IAM wants global and project-level services in separate policies (version 1.1), and sets limits to each; what one
policy cannot hold goes into the next. A need that has no name in the grammar asked for goes into a policy of the other.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.endpoints import service_scope
from pytest_hwcloud.permissions.lock.model import DEFAULT, Lock, split_call
from pytest_hwcloud.permissions.policies import spellings

GRAMMARS = ("1.1", "5.0")
# The strict limits of IAM's validator: IAM.1021, IAM.1028, IAM.1033.
SIZE, STATEMENTS, ACTIONS = 6144, 8, 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Minimal:
    """One policy. scope: "project" or "global" (IAM's type XA or AX), "all" for version 5.0."""

    name: str
    scope: str
    version: str
    document: dict[str, object]

    @property
    def actions(self) -> list[str]:
        """The actions it allows."""
        statements = self.document["Statement"]
        assert isinstance(statements, list)
        return [action for statement in statements for action in statement["Action"]]

    @property
    def words(self) -> str:
        """`version 1.1, project-level services (type XA), 3 actions`."""
        services = texts.say(f"minimise.services-{self.scope}")
        return texts.say("minimise.words", version=self.version, services=services, n=len(self.actions))


def minimise(lock: Lock, identity: str = DEFAULT, grammar: str = "1.1") -> list[Minimal]:
    """The policies, project-level services first; none if the identity needs nothing."""
    groups: dict[tuple[str, str], set[str]] = {}
    for action in lock.needed_by(identity):
        version, names = _named(action, _labels(lock, identity, action), grammar)
        for name in names:
            groups.setdefault((version, _scope(name, version)), set()).add(name)
    order = sorted(groups.items(), key=lambda pair: (pair[0][0] != grammar, pair[0][1] == "global", pair[0]))
    return [one for (version, scope), names in order for one in _policies(identity, version, scope, names)]


def undistinguished(lock: Lock, identity: str, granted: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    """(call, actions of version 5.0) where several operations are one call to the lock: all of them were granted."""
    given = set(granted)
    for action in lock.needed_by(identity):
        labels = _labels(lock, identity, action)
        for label in sorted(labels):
            ways_of = {need.identity_actions for need in spellings.rows(action, [label])}
            names = sorted({name for way in ways_of for name in way} & given)
            if len(ways_of) > 1 and len(names) > 1:
                yield label, names


def _labels(lock: Lock, identity: str, action: str) -> list[str]:
    return [label for name, label in map(split_call, lock.permissions[action].calls) if name == identity]


def _named(action: str, labels: list[str], grammar: str) -> tuple[str, spellings.Way]:
    """The version of the policy and the names of the action in it."""
    other = next(version for version in GRAMMARS if version != grammar)
    for version in (grammar, other):
        names = spellings.spelled(action, labels, version)
        if names:
            return version, names
    return "1.1", (action,)


def _scope(action: str, version: str) -> str:
    if version == "5.0":
        return "all"
    return "global" if service_scope(action.partition(":")[0].lower()) == "global" else "project"


def _policies(identity: str, version: str, scope: str, names: Iterable[str]) -> Iterator[Minimal]:
    parts = list(_parts(sorted(names, key=lambda name: (name.lower(), name)), version))
    stem = "-".join((identity, *([scope] if scope != "all" else ["5.0"])))
    for number, part in enumerate(parts, 1):
        name = f"{stem}-{number}" if len(parts) > 1 else stem
        yield Minimal(name=name, scope=scope, version=version, document=_document(version, part))


def _parts(names: list[str], version: str) -> Iterator[list[str]]:
    """As many actions in one policy as the limits let."""
    part: list[str] = []
    for name in names:
        if part and _too_large([*part, name], version):
            yield part
            part = []
        part.append(name)
    yield part


def _too_large(names: list[str], version: str) -> bool:
    if len(names) > STATEMENTS * ACTIONS:
        return True
    return len(json.dumps(_document(version, names), indent=2)) > SIZE


def _document(version: str, names: list[str]) -> dict[str, object]:
    statements = [
        {"Effect": "Allow", "Action": names[start : start + ACTIONS]} for start in range(0, len(names), ACTIONS)
    ]
    return {"Version": version, "Statement": statements}
