"""The smallest edit of a policy file that allows what was lost or is new, or takes back what was widened.

Edits are tried from the smallest on; the first that does what it should, asked of the edited policies, is taken. A
system policy cannot be edited.
"""

from __future__ import annotations

import difflib
import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.endpoints import service_scope
from pytest_hwcloud.cloud.patterns import covers, wild
from pytest_hwcloud.cloud.policies.documents import Document, PolicyError, Statement, read
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Rights
from pytest_hwcloud.files import json_edit
from pytest_hwcloud.files.json_positions import line
from pytest_hwcloud.permissions.policies import spellings
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.files.json_positions import Path as Place

Test = Callable[[Rights], bool]


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """One edit of one file. words: `iam/x.json:6: add "ecs:cloudServers:list" to statement 1`. patch: unified diff.

    place: `iam/x.json:6`.
    """

    file: Path
    place: str
    words: str
    patch: str


@dataclass(frozen=True, slots=True, kw_only=True)
class _Try:
    """An edited text of one document, and what was done at which place."""

    document: Document
    text: str
    place: Place
    done: str


def allow(rights: Rights, action: str, labels: Iterable[str], base: Path) -> Edit | None:
    """The edit that allows a permission again; None if no edit of these files does."""
    calls = list(labels)

    def allowed(edited: Rights) -> bool:
        return bool(spellings.decide(edited.decide, action, calls))

    return _first(_allowing(rights, action, calls), allowed, rights, base)


def allowing(rights: Rights, action: str, labels: Iterable[str]) -> tuple[Document, str] | None:
    """The document to edit, and its text after the edit; None if no edit of these files allows the permission."""
    calls = list(labels)
    for tried in _allowing(rights, action, calls):
        edited = _with(rights, tried)
        if edited is not None and spellings.decide(edited.decide, action, calls):
            return tried.document, tried.text
    return None


def narrow(rights: Rights, pattern: Pattern, old: Sequence[str], good: Test, base: Path) -> Edit | None:
    """The edit that takes back a widened pattern; None if none does. old: grants of the lock. good: whether it did."""
    return _first(_narrowing(pattern.document, pattern, old), good, rights, base)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pattern:
    """One action pattern as a statement of a document writes it."""

    document: Document
    statement: Statement
    text: str

    @property
    def path(self) -> Place:
        return ("Statement", self.statement.index, "NotAction" if self.statement.not_action else "Action")


def _first(tries: Iterable[_Try], good: Test, rights: Rights, base: Path) -> Edit | None:
    for tried in tries:
        edited = _with(rights, tried)
        if edited is not None and good(edited):
            return _edit(tried, base)
    return None


def _with(rights: Rights, tried: _Try) -> Rights | None:
    """The rights with one document edited."""
    try:
        new = read(json.loads(tried.text), tried.document.name)
    except (PolicyError, ValueError):
        return None
    grants = [
        replace(grant, policy=Policy(new if d is tried.document else d for d in grant.policy.documents))
        for grant in rights.grants
    ]
    return Rights(grants, rights.bound)


# what to try


def _allowing(rights: Rights, action: str, labels: list[str]) -> Iterator[_Try]:
    editable = [document for document in rights.documents if document.text is not None]
    yield from _additions(editable, action, labels)
    for document in editable:
        yield from _undenied(document, action)


def _additions(documents: list[Document], action: str, labels: list[str]) -> Iterator[_Try]:
    """Add the name to the statement that is about what is nearest; else a new statement."""
    found: list[tuple[int, _Try]] = []
    for document in documents:
        names = spellings.spelled(action, labels, "5.0" if document.version == "5.0" else "1.1")
        if not names or not _takes(document, names[0]):
            continue
        for statement in document.statements:
            if statement.effect == "allow" and _is_plain(statement):
                found.append((_nearness(statement, names[0]), _added(document, statement, names)))
        found.append((-1, _new_statement(document, {"Effect": "Allow", "Action": list(names)})))
    yield from (tried for _, tried in sorted(found, key=lambda pair: -pair[0]))


def _is_plain(statement: Statement) -> bool:
    bare = not statement.condition and not statement.not_action and not statement.principal
    return bare and (statement.resources is None or "*" in statement.resources)


def _takes(document: Document, name: str) -> bool:
    """A custom policy of version 1.1 is for global or for project-level services, not for both."""
    scopes = {_scope(action) for statement in document.statements for action in statement.actions} - {"unknown"}
    return document.version == "5.0" or not scopes or _scope(name) in {"unknown", *scopes}


def _scope(action: str) -> str:
    service = action.partition(":")[0]
    return "unknown" if wild(service) else service_scope(service)


def _nearness(statement: Statement, name: str) -> int:
    return max(_alike(action.lower(), name.lower()) for action in statement.actions)


def _alike(one: str, other: str) -> int:
    """How many leading letters are the same."""
    pairs = zip(one, other, strict=False)
    return next((index for index, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def _added(document: Document, statement: Statement, names: Iterable[str]) -> _Try:
    text, path = document.text or "", (*document.base, "Statement", statement.index, "Action")
    there = {action.lower() for action in statement.actions}
    further = [name for name in names if name.lower() not in there]
    for name in further:
        text = json_edit.append(text, path, name)
    done = Phrase("lock.edit-add", actions=_quoted(further), n=statement.index + 1)
    return _Try(document=document, text=text, place=path, done=done)


def _new_statement(document: Document, statement: dict[str, object]) -> _Try:
    path = (*document.base, "Statement")
    effect, named = str(statement["Effect"]).lower(), statement.get("Action") or statement.get("NotAction")
    done = Phrase("lock.edit-new", effect=effect, actions=_quoted(named if isinstance(named, list) else ()))
    return _Try(document=document, text=json_edit.append(document.text or "", path, statement), place=path, done=done)


def _undenied(document: Document, action: str) -> Iterator[_Try]:
    for statement in document.statements:
        if statement.effect == "deny" and not statement.not_action:
            for text in statement.actions:
                if not wild(text) and any(covers(text, name) for name in spellings.names(action)):
                    yield _without(document, Pattern(document=document, statement=statement, text=text))


def _without(document: Document, pattern: Pattern) -> _Try:
    """One action less; a statement that named only this one goes as a whole."""
    number, text = pattern.statement.index, document.text or ""
    if len(pattern.statement.actions) == 1:
        path: Place = (*document.base, "Statement")
        named = {"effect": pattern.statement.effect, "actions": _quoted([pattern.text])}
        done = Phrase("lock.edit-remove", n=number + 1, **named)
        return _Try(document=document, text=json_edit.remove(text, path, number), place=(*path, number), done=done)
    path = (*document.base, *pattern.path)
    index = pattern.statement.actions.index(pattern.text)
    done = Phrase("lock.edit-take-out", actions=_quoted([pattern.text]), n=number + 1)
    return _Try(document=document, text=json_edit.remove(text, path, index), place=(*path, index), done=done)


def _narrowing(document: Document, pattern: Pattern, old: Sequence[str]) -> Iterator[_Try]:
    from pytest_hwcloud.permissions.policies import grant_lines as grants

    if document.text is None:
        return
    before = [statement for text in old for statement in grants.policy([text]).statements]
    present = {name.lower() for statement in document.statements for name in statement.actions}
    narrower = [a for s in before if s.effect == "allow" for a in s.actions if _under(pattern.text, a, present)]
    if narrower:
        yield _replaced(document, pattern, list(dict.fromkeys(narrower)))
    yield _without(document, pattern)
    now = set(grants.of_document(document))
    for text in old:
        if text.startswith("deny ") and text not in now:
            yield _new_statement(document, grants.statement(text))


def _under(pattern: str, action: str, present: set[str]) -> bool:
    return action.lower() not in present and action.lower() != pattern.lower() and covers(pattern, action)


def _replaced(document: Document, pattern: Pattern, names: list[str]) -> _Try:
    path = (*document.base, *pattern.path)
    text = document.text or ""
    index = pattern.statement.actions.index(pattern.text)
    start, _ = json_edit.extent(text, path)
    place = (*path, index) if text[start] == "[" else path
    text = json_edit.replace(text, place, names[0])
    for name in names[1:]:
        text = json_edit.append(text, path, name)
    named = {"actions": _quoted(names), "old": _quoted([pattern.text])}
    done = Phrase("lock.edit-replace", n=pattern.statement.index + 1, **named)
    return _Try(document=document, text=text, place=place, done=done)


def _quoted(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


# the edit as a patch


def _edit(tried: _Try, base: Path) -> Edit:
    shown = shown_file(tried.document.source, base)
    place = f"{shown}:{line(tried.document.text or '', tried.place)}"
    words = Phrase("lock.edit", place=place, done=tried.done)
    return Edit(file=Path(tried.document.source), place=place, words=words, patch=_diff(tried, shown))


def shown(document: Document, base: Path) -> str:
    """The file of a document, or the name of a system policy."""
    return document.source if document.text is None else shown_file(document.source, base)


def shown_file(source: str, base: Path) -> str:
    """A file as seen from the folder of the lock."""
    return Path(os.path.relpath(source, base)).as_posix()


def _diff(tried: _Try, shown: str) -> str:
    """`git apply`, `patch -p0` and `patch -p1` all find the file: the one strips `./`, the other nothing."""
    raw = tried.document.disk or (tried.document.text or "").encode()  # a text that was given has no file
    old, new = as_on_disk(raw, tried.text)
    return diff(old, new, shown)


def diff(old: str, new: str, shown: str) -> str:
    """A unified diff of two texts, line ends as they are."""
    rows = difflib.unified_diff(_lines(old), _lines(new), shown, f"./{shown}")
    return "".join(row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n" for row in rows)


def as_on_disk(raw: bytes, text: str) -> tuple[str, str]:
    """The text of a file as it is, and the edited one with the same line ends and byte order mark.

    text: edited, with `\\n` as its line end. A line that stays keeps its own end, a new one gets the most frequent.
    """
    old = raw.decode("utf-8")
    rows = re.findall(r"[^\r\n]*(?:\r\n|\r|\n)|[^\r\n]+", old.removeprefix(_MARK))
    ends = [row[len(row.rstrip("\r\n")) :] for row in rows]
    usual = max(dict.fromkeys(filter(None, ends)), key=ends.count, default="\n")
    plain = [row[: len(row) - len(end)] + ("\n" if end else "") for row, end in zip(rows, ends, strict=True)]
    edited = re.findall(r"[^\n]*\n|[^\n]+", text)
    new: list[str] = []
    for kind, start, end, first, last in difflib.SequenceMatcher(None, plain, edited, autojunk=False).get_opcodes():
        if kind == "equal":
            new += rows[start:end]
        else:
            new += [row.removesuffix("\n") + usual if row.endswith("\n") else row for row in edited[first:last]]
    return old, (_MARK if old.startswith(_MARK) else "") + "".join(new)


_MARK = "\ufeff"


def _lines(text: str) -> list[str]:
    return [row + "\n" for row in text.split("\n")[:-1]] + ([text.split("\n")[-1]] if not text.endswith("\n") else [])
