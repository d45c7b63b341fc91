"""What a difference from the lock comes from: the code, the policy or the catalogue (permission-checks.md section 6).

Needs, policy and catalogue each have an old and a new state. The old needs and policy are in the lock; the old
catalogue is seen in it, as what each call needed then. The one whose change alone flips the verdict is the cause:

* lost: the old policy, asked today, still allows it -> policy. It does not, though it did by the lock -> it is
  read differently today: catalogue. It cannot decide without the resource or condition of the call -> code, unless the
  policy changed.
* new need: a call that the lock knows is documented with other actions than then -> catalogue; else code.
* widened: the actions are asked of both policies today -> policy.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from pytest_hwcloud.permissions.lock.model import DEFAULT, Lock
from pytest_hwcloud.permissions.policies import spellings
from pytest_hwcloud.texts import Phrase

CODE, POLICY, CATALOGUE = "code", "policy", "catalogue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """kind: code, policy or catalogue. what: the file or place, or the call that is documented differently."""

    kind: str
    what: str = ""

    def __str__(self) -> str:
        return str(self._phrase)

    @property
    def _phrase(self) -> Phrase:
        return Phrase(f"lock.cause-{self.kind}{'-in' if self.what else ''}", what=self.what)

    def of(self, identity: str) -> Phrase:
        """What follows the action in the head line of a finding."""
        cause = self._phrase
        if identity == DEFAULT:
            return Phrase("lock.cause", cause=cause)
        return Phrase("lock.cause-of", identity=identity, cause=cause)


def of_loss(old_effect: str, *, policy_changed: bool, policies: Iterable[str], where: str) -> Cause:
    """Why something is not allowed any more. old_effect: the old policy's decision today."""
    if old_effect == "allow" or (policy_changed and old_effect == "unknown"):
        return Cause(kind=POLICY, what=", ".join(policies)) if policy_changed else Cause(kind=CODE, what=where)
    return Cause(kind=CATALOGUE) if old_effect == "deny" else Cause(kind=CODE, what=where)


def of_need(action: str, labels: Collection[str], old: Lock, where: str) -> Cause:
    """Why something is needed that was not. labels: the calls that need it now."""
    changed = [label for label in sorted(labels) if _documented_anew(action, label, old)]
    if changed and len(changed) == len(labels):
        return Cause(kind=CATALOGUE, what=changed[0])
    return Cause(kind=CODE, what=where)


def needed_then(label: str, old: Lock) -> list[str]:
    """The actions that a call needed when the lock was written."""
    return sorted(action for action, need in old.permissions.items() if label in _labels(need.calls))


def _labels(listed: Iterable[str]) -> set[str]:
    return {call.partition(" as ")[0] for call in listed}


def _documented_anew(action: str, label: str, old: Lock) -> bool:
    """Whether a call of the lock needs this action because that is documented only now, whatever its body."""
    before = needed_then(label, old)
    if label in old.unmapped:
        return True
    if not before or action in before:
        return False
    without = [need for name in before for need in spellings.rows(name, [label]) if action not in need.actions]
    return not without


def pattern_of(names: Iterable[str], actions: Iterable[str], *, negated: bool = False) -> str:
    """The pattern of a statement that speaks of an action, as written."""
    from pytest_hwcloud.cloud.patterns import covers

    listed, spelled = list(actions), list(names)
    if negated:
        return f"not {listed[0]}"
    return next((text for text in listed if any(covers(text, name) for name in spelled)), listed[0])
