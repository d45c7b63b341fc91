"""A finding of the permission checks."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pytest_hwcloud.rules import RULES


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One finding. lines: the labelled lines below the head, as shown in the terminal. test: node id, "" for a policy.

    where: "file:line" of the call, marker or statement. cause: code, policy or catalogue (HWP007 to HWP009).
    """

    rule: str
    action: str = ""
    identity: str = ""
    test: str = ""
    where: str = ""
    detail: str = ""  # what follows the action in the head line
    lines: tuple[str, ...] = ()
    fix: str = ""
    patch: str = ""  # the smallest edit of a policy that mends it: `git apply` or `patch -p0` in the folder of the lock
    cause: str = ""
    ignored: str = ""  # the reason of the ignore that covers it
    block: str = ""  # findings of one test with the same block are shown as one paragraph

    @property
    def name(self) -> str:
        return RULES[self.rule].name

    @property
    def head(self) -> str:
        """`HWP001 missing-permission  ecs:cloudServers:showServer   identity ci-writer`."""
        action = f"  {self.action}" if self.action else ""
        detail = f"   {self.detail}" if self.detail else ""
        return f"{self.rule} {self.name}{action}{detail}"

    @property
    def fingerprint(self) -> str:
        """Stable when lines move: rule, action, identity and test."""
        return hashlib.sha256("\0".join((self.rule, self.action, self.identity, self.test)).encode()).hexdigest()[:32]

    def text(self) -> str:
        """The whole paragraph for the terminal."""
        return "\n".join([self.head, *(f"  {line}" for line in self.lines)])

    def to_dict(self) -> dict[str, Any]:
        """Plain data."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, found: Mapping[str, Any]) -> Finding:
        """The finding that `to_dict` wrote."""
        return cls(**{**found, "lines": tuple(found.get("lines", ()))})


def labelled(label: str, text: str) -> str:
    """`call      GET ecs …`: a label in a column of ten."""
    return f"{label:<10}{text}"
