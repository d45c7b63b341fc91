"""What policies grant, one line a statement, for the lock; and such lines as a policy again, to be asked offline.

`allow ecs:*:get* ecs:*:list*`, `deny not iam:*:*`, `allow obs:object:GetObject on obs:*:*:object:b/*`,
`allow … on not …`, `allow … if {"StringEquals":{"g:UserName":["x"]}}`. A role of version 1.0 has `1.0` in front, and
`with ["Tenant Guest"]` at its end if a role it depends on is not held. Actions and lines are sorted, doubles left out,
so that an order of statements or actions, or white space, is no difference.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.policies.system_policies import PREFIX

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.documents import Document, Statement
    from pytest_hwcloud.cloud.policies.policy import Policy
    from pytest_hwcloud.cloud.policies.rights import Rights

_TAIL = re.compile(r"(?: if (?P<condition>\{.*\}))?(?: for (?P<principal>\{.*\}))?(?: with (?P<depends>\[.*\]))?$")
_HEAD = re.compile(
    r"(?P<version>1\.0 )?(?P<effect>allow|deny) (?P<negated>not )?(?P<actions>.+?)"
    r"(?: on (?P<outside>not )?(?P<resources>.+))?"
)
_WORD = re.compile(r'"(?:[^"\\]|\\.)*"|\S+')
_RESERVED = frozenset(("on", "if", "for", "with", "not"))


def lines(rights: Rights) -> tuple[str, ...]:
    """The grants of an identity's policies together."""
    held = {document.name.removeprefix(PREFIX).lower() for document in rights.documents}
    return tuple(sorted({text for document in rights.documents for text in of_document(document, held)}))


def of_document(document: Document, held: Iterable[str] = ()) -> Iterator[str]:
    """One line for each statement."""
    missing = sorted(name for name in document.depends if name.lower() not in held)
    listed = document.raw["Statement"]
    for statement, raw in zip(document.statements, listed if isinstance(listed, list) else (), strict=True):
        yield _line(statement, raw, document.version, missing)


def _line(statement: Statement, raw: Mapping[str, object], version: str, missing: list[str]) -> str:
    parts = ["1.0"] if version == "1.0" else []
    parts += [statement.effect, *(["not"] if statement.not_action else []), *_words(statement.actions)]
    if statement.resources is not None and (statement.not_resource or "*" not in statement.resources):
        parts += ["on", *(["not"] if statement.not_resource else []), *_words(statement.resources)]
    if statement.condition:
        parts += ["if", _json(_condition(raw["Condition"]))]
    if statement.principal:
        parts += ["for", _json(raw.get("Principal") or raw.get("NotPrincipal"))]
    return " ".join([*parts, *(["with", _json(missing)] if missing else [])])


def _words(written: Iterable[str]) -> list[str]:
    return [
        text if _plain(text) else _json(text) for text in sorted(set(written), key=lambda text: (text.lower(), text))
    ]


def _plain(text: str) -> bool:
    return text not in _RESERVED and not re.search(r'[\s"]', text)


def _json(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))


def _condition(given: object) -> object:
    """Values as sorted lists: their order and a single text in place of a list mean the same."""
    if not isinstance(given, Mapping):
        return given
    return {
        operator: {
            key: sorted(map(_text, value if isinstance(value, list) else [value])) for key, value in keys.items()
        }
        for operator, keys in given.items()
    }


def _text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def policy(rows: Iterable[str]) -> Policy:
    """The lines as a policy that can be asked; a decision names the number of its line. ValueError for nonsense."""
    from pytest_hwcloud.cloud.policies.documents import read
    from pytest_hwcloud.cloud.policies.policy import Policy

    return Policy([read(_document(text), name=str(number)) for number, text in enumerate(rows, 1)])


def _document(text: str) -> dict[str, object]:
    head, tail = _parts(text)
    depends = [{"catalog": "", "display_name": shown} for shown in json.loads(tail["depends"] or "[]")]
    return {
        "Version": "1.0" if head["version"] else "5.0",
        "Statement": [statement(text)],
        **({"Depends": depends} if depends else {}),
    }


def statement(text: str) -> dict[str, object]:
    """One line as the statement of a policy document."""
    head, tail = _parts(text)
    found: dict[str, object] = {"Effect": head["effect"].capitalize()}
    found["NotAction" if head["negated"] else "Action"] = _unquoted(head["actions"])
    if head["resources"]:
        found["NotResource" if head["outside"] else "Resource"] = _unquoted(head["resources"])
    for key, written in (("Condition", tail["condition"]), ("Principal", tail["principal"])):
        if written:
            found[key] = json.loads(written)
    return found


def _parts(text: str) -> tuple[re.Match[str], re.Match[str]]:
    tail = _TAIL.search(text)
    head = _HEAD.fullmatch(text[: tail.start()]) if tail else None
    if head is None or tail is None:
        raise ValueError(texts.say("lock.bad-grant", text=repr(text)))
    return head, tail


def _unquoted(text: str) -> list[str]:
    return [str(json.loads(word)) if word.startswith('"') else word for word in _WORD.findall(text)]
