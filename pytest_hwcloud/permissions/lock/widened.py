"""HWP009: what the policies allow beyond the lock, one finding for each pattern that allows it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.permissions.finding import Finding, labelled
from pytest_hwcloud.permissions.lock import cause
from pytest_hwcloud.permissions.lock.comparison import Comparison, healing
from pytest_hwcloud.permissions.lock.model import Held
from pytest_hwcloud.permissions.policies import edit as policy_edit
from pytest_hwcloud.permissions.policies import spellings
from pytest_hwcloud.permissions.policies.diff import compare
from pytest_hwcloud.permissions.policies.edit import Pattern
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.documents import Document
    from pytest_hwcloud.cloud.policies.rights import Rights

_WIDER = ("gained", "gained under conditions", "widened", "changed conditions")
_SHOWN = 3
Group = tuple[str, int, str]  # policy, statement, pattern


def widened(compared: Comparison) -> Iterator[Finding]:
    """All of them, by identity."""
    for identity in sorted(compared.old.identities):
        if identity in compared.state.identities and compared.old.identities[identity].policies:
            if identity not in compared.state.rights:
                yield _unjudged(compared, identity)
            elif compared.changed(identity):
                yield from _patterns(compared, identity)
    for identity in sorted(compared.state.rights.keys() - compared.old.identities.keys()):
        yield _newcomer(compared, identity)


def _unjudged(compared: Comparison, identity: str) -> Finding:
    files = compared.policies(identity)
    fix = Phrase("lock.fix-policy", options=" ".join(f"--hwcloud-policy {identity}={file}" for file in files))
    return Finding(
        rule="HWP009",
        identity=identity,
        detail=cause.Cause(kind=cause.POLICY, what=", ".join(files)).of(identity),
        cause=cause.POLICY,
        lines=(
            labelled("was", Phrase("lock.judged-by", files=", ".join(files))),
            labelled("now", Phrase("lock.no-policy", identity=identity)),
            *healing(None, fix, compared.accept),
        ),
        fix=fix,
    )


def _newcomer(compared: Comparison, identity: str) -> Finding:
    files, granted = compared.policies(identity), compared.new.identities.get(identity, Held()).grants
    known = Phrase("lock.no-identity", identity=identity, file=compared.old.file)
    return Finding(
        rule="HWP009",
        identity=identity,
        where=files[0] if files else "",
        detail=cause.Cause(kind=cause.POLICY, what=", ".join(files)).of(identity),
        cause=cause.POLICY,
        lines=(
            labelled("was", known),
            *(labelled("" if index else "now", line) for index, line in enumerate(granted)),
            *healing(None, "", compared.accept),
        ),
        fix=compared.accept,
    )


def _patterns(compared: Comparison, identity: str) -> Iterator[Finding]:
    rights = compared.state.rights[identity]
    difference = compare(compared.was(identity), Policy.combine(rights.policies))
    groups: dict[Group, list[str]] = {}
    for kind in _WIDER:
        for action in difference.of(kind):
            groups.setdefault(_by(compared, identity, rights, action), []).append(action)
    for (file, statement, pattern), gained in sorted(groups.items()):
        yield _finding(compared, identity, (file, statement, pattern), sorted(gained, key=str.lower))


def _by(compared: Comparison, identity: str, rights: Rights, action: str) -> Group:
    """The pattern that allows it now."""
    decision = rights.decide(action)
    document = compared.document(identity, decision)
    if document is None or decision.statement is None:
        return "", -1, action
    statement = document.statements[decision.statement]
    pattern = cause.pattern_of(actions.names(action), statement.actions, negated=statement.not_action)
    return document.name, statement.index, pattern


def _finding(compared: Comparison, identity: str, group: Group, gained: list[str]) -> Finding:
    name, number, pattern = group
    rights = compared.state.rights[identity]
    document = next((d for d in rights.documents if d.name == name), None)
    before = compared.was(identity).decide(gained[0])
    decision = rights.decide(gained[0])
    why = cause.Cause(kind=cause.POLICY, what=_file(compared, identity, document))
    edit = None
    if document is not None:
        statement, text = document.statements[number], pattern.removeprefix("not ")
        edit = _edit(compared, identity, Pattern(document=document, statement=statement, text=text), gained)
    otherwise = Phrase("lock.fix-take-back")
    return Finding(
        rule="HWP009",
        action=pattern,
        identity=identity,
        where=compared.spot(identity, decision),
        detail=why.of(identity),
        cause=why.kind,
        lines=(
            labelled("gains", _listed(gained)),
            labelled("was", _before(compared, identity, before)),
            labelled("now", compared.said(identity, gained[0], decision)),
            labelled("used", _used(compared, identity, gained)),
            *healing(edit, otherwise, compared.accept),
        ),
        fix=edit.words if edit else otherwise,
        patch=edit.patch if edit else "",
    )


def _file(compared: Comparison, identity: str, document: Document | None) -> str:
    if document is None:
        return ", ".join(compared.policies(identity))
    return policy_edit.shown(document, compared.base)


def _listed(gained: list[str]) -> str:
    shown, more = ", ".join(gained[:_SHOWN]), len(gained) - _SHOWN
    names = Phrase("lock.and-more", names=shown, n=more) if more > 0 else shown
    return Phrase("lock.gained", n=len(gained), actions=names)


def _before(compared: Comparison, identity: str, decision: object) -> str:
    from pytest_hwcloud.cloud.policies.decision import Decision

    assert isinstance(decision, Decision)
    line = compared.old.identities[identity].grants[int(decision.policy) - 1] if decision.policy else ""
    return Phrase(f"lock.was-{decision.effect}{'-by' * bool(line)}", line=repr(line))


def _used(compared: Comparison, identity: str, gained: list[str]) -> str:
    """Whether any test needs what was gained."""
    needed = compared.new.needed_by(identity)
    names = {
        name for action in needed for way in spellings.ways(action, compared.labels(identity, action)) for name in way
    }
    found = [action for action in gained if action in names]
    return Phrase("lock.used", actions=", ".join(found[:_SHOWN])) if found else Phrase("lock.unused")


def _edit(compared: Comparison, identity: str, pattern: Pattern, gained: list[str]) -> policy_edit.Edit | None:
    old, rights = compared.was(identity), compared.state.rights[identity]
    needed = [action for action in compared.new.needed_by(identity) if compared.now(identity, action)]
    before = {action: old.decide(action).effect for action in gained}

    def good(edited: Rights) -> bool:
        back = all(edited.decide(action).effect == effect for action, effect in before.items())
        return back and all(
            spellings.decide(edited.decide, action, compared.labels(identity, action))
            for action in needed
            if spellings.decide(old.decide, action, compared.labels(identity, action))
        )

    return policy_edit.narrow(rights, pattern, compared.old.identities[identity].grants, good, compared.base)
