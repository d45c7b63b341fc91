"""The smallest edit that heals a finding: of a marker, or of a policy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.policies.system_policies import PREFIX
from pytest_hwcloud.permissions.finding import of_identity
from pytest_hwcloud.permissions.record import Declaration, Use
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.documents import Document, Statement
    from pytest_hwcloud.cloud.policies.rights import Rights
    from pytest_hwcloud.gates.cloud_state import CloudState


def marker(declared: Sequence[Declaration], stale: Sequence[str], missing: Sequence[str]) -> str:
    """The marker that the test should have: what it declares and uses, and what it only uses."""
    own = [row for row in declared if row.own and row.kind == "requires"]
    kept = own[0] if len(own) == 1 and not own[0].identity else None
    names = [name for name in kept.actions if name not in stale] if kept else []
    shown = [f'"{name}"' for name in dict.fromkeys((*names, *missing))]
    return f"@pytest.mark.requires_permission({', '.join([*shown, *_keywords(kept)])})"


def identity(declared: str) -> str:
    """For a marker about an identity that makes no such call."""
    return Phrase("findings.fix-identity", identity=declared)


def _keywords(declaration: Declaration | None) -> Iterator[str]:
    for key in ("any_of", "optional"):
        listed = getattr(declaration, key, ())
        if listed:
            yield f"{key}=[{', '.join(f'{name!r}' for name in listed)}]".replace("'", '"')
    if declaration is not None and declaration.scope:
        yield f'scope="{declaration.scope}"'


def policy(use: Use, state: CloudState, root: Path) -> str:
    """The edit of a policy that allows the action of this use."""
    rights = state.rights.get(use.identity)
    own = [document for document in rights.documents if document.source and not _is_system(document)] if rights else []
    if use.verdict == "deny" and use.statement >= 0:
        return Phrase("findings.fix-denied", file=use.policy, n=use.statement + 1)
    if rights is not None and use.verdict == "deny" and (other := _not_in_the_document(use, rights, root)):
        return other
    if not own:
        return Phrase("findings.fix-give-policy-system", identity=use.identity, action=use.action)
    document, statement = _best(own, use.action)
    name = _in_grammar(use, document.version)
    file = shown(document.source, root)
    if statement is None:
        return Phrase("findings.fix-add-apart", file=file, action=name)
    return Phrase("findings.fix-add", file=file, action=name, n=statement.index + 1)


def _not_in_the_document(use: Use, rights: Rights, root: Path) -> str:
    """The edit where the policies allow it already: of the bound, or of where they are granted."""
    if rights.bound is not None and not rights.bound.decide(use.action):
        return Phrase("findings.fix-bound", file=shown(rights.bound.source, root), action=use.action)
    elsewhere = [grant for grant in rights.grants if grant.on != "everywhere" and grant.policy.decide(use.action)]
    if not elsewhere:
        return ""
    files = list(dict.fromkeys(shown(grant.policy.source, root) for grant in elsewhere))
    return Phrase("findings.fix-elsewhere", files=texts.joined("decisions.names-and", files), n=len(files))


def _is_system(document: Document) -> bool:
    return document.source.startswith(PREFIX)


def shown(source: str, root: Path) -> str:
    """The path of a policy from the rootdir."""
    return source.removeprefix(f"{root.as_posix()}/")


def _best(documents: Sequence[Document], action: str) -> tuple[Document, Statement | None]:
    """The Allow without condition whose actions are most like this one, else the first policy."""
    fitting = [
        (_closeness(statement, action), document, statement)
        for document in documents
        for statement in document.statements
        if statement.effect == "allow" and not statement.not_action and _is_plain(statement)
    ]
    best = max(fitting, key=lambda row: row[0], default=None)
    return (best[1], best[2]) if best and best[0] else (documents[0], None)


def _is_plain(statement: Statement) -> bool:
    everywhere = statement.resources is None or (not statement.not_resource and "*" in statement.resources)
    return everywhere and not statement.condition and not statement.principal


def _closeness(statement: Statement, action: str) -> int:
    """How many leading parts of one of its actions are the same, in letters: no wildcard, which is not specific."""
    wanted = action.lower().split(":")
    return max(_leading(written.lower().split(":"), wanted) for written in statement.actions)


def _leading(parts: Sequence[str], wanted: Sequence[str]) -> int:
    same = [one == other for one, other in zip(parts, wanted, strict=False)]
    return same.index(False) if False in same else len(same)


def _in_grammar(use: Use, version: str) -> str:
    """The name of the action in the words of a policy of this version."""
    if version != "5.0":
        return use.action
    from pytest_hwcloud.cloud.calls.calls import nearest_calls

    named = [need for need in nearest_calls(use.action) if need.label == use.call and need.identity_actions]
    return named[0].identity_actions[0] if named else use.action


def over(use: Use, declaration: Declaration, state: CloudState, root: Path) -> tuple[str, str]:
    """For HWP018: why the call was not refused as the marker demands, and what to do."""
    if use.refused:
        told = {"code": use.code, "wanted": declaration.code}
        return (
            Phrase(f"findings.refused-otherwise{'' if use.code else '-without-code'}", **told),
            Phrase("findings.fix-code", code=use.code),
        )
    if use.verdict == "allow" and use.policy:
        number = use.statement + 1
        place = {"file": use.policy, "n": number}
        return (
            Phrase("findings.allowed-by-statement", **place),
            Phrase("findings.fix-take-out", action=actions.canonical(use.action), **place),
        )
    if use.verdict:
        return use.reason or use.verdict, Phrase("findings.fix-refuse", identity=use.identity)
    return (
        Phrase("findings.no-judge", who=of_identity(use.identity)),
        Phrase("findings.fix-judge", identity=use.identity or "default"),
    )
