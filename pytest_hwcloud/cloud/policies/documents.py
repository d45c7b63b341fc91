"""Reading a policy document: versions 1.0 (roles), 1.1 (policies) and 5.0 (identity and service control policies).

What no grammar allows raises PolicyError with file, line, statement and key. What the grammars write as a list
(Action, Resource) may also be one text here; `policy lint` reports it.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from difflib import get_close_matches
from functools import partial
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.policies import conditions, system_policies
from pytest_hwcloud.files import json_positions, reading

VERSIONS = ("1.0", "1.1", "5.0")
MOST_BYTES = 8 << 20
_TOP = ("Version", "Statement", "Depends")
_KEYS = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition", "Principal", "NotPrincipal")
Path_ = tuple[str | int, ...]
# In place of what is wrong, to find what else is.
_RIGHT: dict[str, object] = {"Version": "1.1", "Statement": [], "Effect": "Allow", "Action": ["a:b:c"]}


class PolicyError(ValueError):
    """A policy document that cannot be used. The text is `file:line: statement N: key: what is wrong`, N from 1."""

    def __init__(
        self, text: str, *, file: str, line: int | None = None, statement: int | None = None, key: str = ""
    ) -> None:
        where = texts.say("policies.statement", number=statement + 1) if statement is not None else ""
        where += texts.say("policies.key", key=key) if key else ""
        place = f"{file}:{line}" if line else file
        super().__init__(texts.one_line(texts.say("policies.place", place=place, where=where, problem=text)))
        self.file, self.line, self.statement, self.key, self.problem = file, line, statement, key, text


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """One statement as written. index: its place in its policy, from 0."""

    effect: str  # "allow" or "deny"
    actions: tuple[str, ...]
    not_action: bool = False
    resources: tuple[str, ...] | None = None  # None: all
    not_resource: bool = False
    condition: tuple[conditions.Test, ...] = ()
    sid: str | None = None
    principal: bool = False
    index: int = 0
    policy: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """A parsed policy document.

    text: the content of its file, each line ended by a line feed. disk: the bytes of the file.
    """

    version: str
    statements: tuple[Statement, ...]
    name: str
    source: str
    depends: tuple[str, ...] = ()
    raw: Mapping[str, object] = field(default_factory=dict, repr=False)
    text: str | None = field(default=None, repr=False)
    base: Path_ = ()  # where in its file the document begins
    disk: bytes = field(default=b"", repr=False)

    def line(self, path: Path_) -> int | None:
        """The line of a place in the document; None if it was not read from a file."""
        return None if self.text is None else json_positions.line(self.text, (*self.base, *path))


def read(source: str | Path | Mapping[str, object], name: str | None = None, *, text: str | None = None) -> Document:
    """The document in a file, in a dict, or of a system policy (`system:NAME`); PolicyError if it cannot be used.

    text: what the file holds, where it has been read already (standard input).
    """
    if isinstance(source, Mapping):
        return _Reader(source, name or "policy document").document()
    if not isinstance(source, (str, os.PathLike)):  # open() would take a number for a file that is open already
        raise TypeError(texts.say("policies.not-a-policy", given=repr(source)[:100]))
    if str(source).startswith(system_policies.PREFIX):
        return _system(str(source))
    file = Path(source).as_posix() if isinstance(source, Path) else source
    if text is not None:
        return _Reader(_json(text, file), file, text).document(name)
    data = _bytes(file)
    text = _text(data, file)
    found = _Reader(_json(text, file), file, text).document(name)
    return replace(found, disk=data)


def problems(file: str, *, text: str | None = None) -> list[PolicyError]:
    """Everything that no grammar allows in a file, in its order; PolicyError if it is no JSON object at all."""
    text = _text(_bytes(file), file) if text is None else text
    return list(_Reader(_json(text, file), file, text).problems())


def _system(reference: str) -> Document:
    try:
        known, document = system_policies.find(reference.removeprefix(system_policies.PREFIX))
    except LookupError as error:
        raise PolicyError(str(error.args[0]), file=reference) from None
    return _Reader(document, system_policies.PREFIX + known).document()


def _bytes(file: str) -> bytes:
    try:
        return reading.read_bytes(file, most=MOST_BYTES)
    except reading.UnusableFile as error:
        raise _unusable(file, error) from None


def _text(data: bytes, file: str) -> str:
    try:
        return reading.decoded(data).replace("\r\n", "\n").replace("\r", "\n")
    except reading.UnusableFile as error:
        raise _unusable(file, error) from None


def _unusable(file: str, error: reading.UnusableFile) -> PolicyError:
    told = texts.say(f"policies.{error.kind}", most=MOST_BYTES >> 20) if error.kind in _OWN_WORDS else str(error)
    return PolicyError(told, file=file.replace("\0", "\\0"))


_OWN_WORDS = ("folder", "too-large")  # where the message is more exact for a policy than for any file


def _json(text: str, file: str) -> Mapping[str, object]:
    try:
        value = json.loads(text, object_pairs_hook=_no_doubles)
    except _DoubledError as error:
        line = json_positions.line_of_key(text, error.key)
        raise PolicyError(texts.say("policies.given-twice"), file=file, line=line, key=error.key) from None
    except json.JSONDecodeError as error:
        raise PolicyError(texts.say("policies.no-json", reason=error.msg), file=file, line=error.lineno) from None
    except RecursionError:
        raise PolicyError(texts.say("policies.too-deep"), file=file, line=1) from None
    except ValueError:
        raise PolicyError(texts.say("policies.huge-number"), file=file, line=1) from None
    if not isinstance(value, dict):
        raise PolicyError(texts.say("policies.no-object"), file=file, line=1)
    return value


def _foreign(raw: Mapping[str, object]) -> str | None:
    """The phrase for a document of another kind: what is attached to a bucket, or what another cloud wrote."""
    listed = raw.get("Statement")
    statements = listed if isinstance(listed, list) else [listed]
    if any(isinstance(one, Mapping) and ("Principal" in one or "NotPrincipal" in one) for one in statements):
        return "bucket-policy"
    return "aws-policy" if raw.get("Version") in ("2008-10-17", "2012-10-17") else None


class _DoubledError(Exception):
    def __init__(self, key: str) -> None:
        self.key = key


def _no_doubles(pairs: list[tuple[str, object]]) -> dict[str, object]:
    seen: dict[str, object] = {}
    for key, value in pairs:
        if key in seen:
            raise _DoubledError(key)
        seen[key] = value
    return seen


class _Reader:
    """One document on its way in."""

    def __init__(self, raw: Mapping[str, object], file: str, text: str | None = None) -> None:
        self.file, self.text = file, text
        self.name: str | None = None
        self.base: Path_ = ()
        self.raw = self.whole = self._unwrap(raw)

    def _unwrap(self, raw: Mapping[str, object]) -> Mapping[str, object]:
        # GET /v3/roles/{id} and POST /v3.0/OS-ROLE/roles wrap the document: {"role": {"display_name": …,
        # "policy": {…}}}
        for key in ("role", "policy"):
            inner = raw.get(key)
            if "Statement" not in raw and isinstance(inner, Mapping):
                shown = inner.get("display_name")
                self.name = shown if isinstance(shown, str) else self.name
                self.base, raw = (*self.base, key), inner
        return raw

    def error(self, text: str, path: Path_, key: str = "") -> PolicyError:
        line = json_positions.line(self.text, (*self.base, *path)) if self.text is not None else None
        number = next((part for part in path if isinstance(part, int)), None) if path[:1] == ("Statement",) else None
        return PolicyError(text, file=self.file, line=line, statement=number, key=key)

    def document(self, name: str | None = None) -> Document:
        raw = self.raw
        self._known(raw, _TOP, ())
        version = raw.get("Version")
        if version not in VERSIONS:
            said = _foreign(self.whole) or ("no-version" if version is None else "unknown-version")
            raise self.error(texts.say(f"policies.{said}", value=repr(version)), ("Version",), "Version")
        statements = raw.get("Statement")
        if not isinstance(statements, list):
            said = "no-statements" if statements is None else "statements-no-list"
            raise self.error(texts.say(f"policies.{said}"), ("Statement",), "Statement")
        label = name or self.name or self.file
        return Document(
            version=str(version),
            statements=tuple(
                self._statement(item, index, label, str(version)) for index, item in enumerate(statements)
            ),
            name=label,
            source=self.file,
            depends=self._depends(raw.get("Depends", [])),
            raw=raw,
            text=self.text,
            base=self.base,
        )

    def problems(self) -> Iterator[PolicyError]:
        """Each error: what was wrong is reported once and then taken as right, so that it hides nothing behind it."""
        given = self.raw.get("Statement")
        statements = given if isinstance(given, list) else []
        # Without its statements: those are read one by one below.
        top = {**self.raw, "Statement": []} if isinstance(given, list) else dict(self.raw)
        yield from self._each(top, self._top)
        for index, item in enumerate(statements):
            reading = partial(self._statement, index=index, policy="", version="")
            yield from self._each(dict(item) if isinstance(item, Mapping) else item, reading)

    def _top(self, raw: Mapping[str, object]) -> Document:
        self.raw = raw
        return self.document()

    @staticmethod
    def _each(item: object, reading: Callable[..., object]) -> Iterator[PolicyError]:
        """Every error of one object, which is a copy: `item` is corrected on the way."""
        while True:
            try:
                reading(item)
                return
            except PolicyError as error:
                yield error
                key = error.key.partition(".")[0]
            if not isinstance(item, dict) or not key:
                return
            plain = key.removeprefix("Not")
            for name in (key, plain, f"Not{plain}"):
                item.pop(name, None)
            if plain in _RIGHT:
                item[plain] = _RIGHT[plain]

    def _known(self, item: Mapping[str, object], keys: Iterable[str], path: Path_) -> None:
        for key in item:
            if key not in keys:
                near = get_close_matches(str(key).capitalize(), list(keys), 1, 0.5)
                known = texts.say("policies.known", names=", ".join(keys))
                guess = texts.say("policies.meant", name=near[0]) if near else known
                raise self.error(texts.say("policies.unknown-key") + guess, (*path, key), str(key))

    def _depends(self, given: object) -> tuple[str, ...]:
        if not isinstance(given, list):
            raise self.error(texts.say("policies.depends"), ("Depends",), "Depends")
        shown = [item.get("display_name") if isinstance(item, Mapping) else None for item in given]
        if not all(isinstance(item, str) for item in shown):
            raise self.error(texts.say("policies.depends"), ("Depends",), "Depends")
        return tuple(str(item) for item in shown)

    def _statement(self, item: object, index: int, policy: str, version: str) -> Statement:
        path: Path_ = ("Statement", index)
        if not isinstance(item, Mapping):
            raise self.error(texts.say("policies.statement-no-object"), path)
        self._known(item, _KEYS, path)
        effect = item.get("Effect")
        if not isinstance(effect, str) or effect.lower() not in ("allow", "deny"):
            said = "no-effect" if effect is None else "unknown-effect"
            raise self.error(texts.say(f"policies.{said}", value=repr(effect)), (*path, "Effect"), "Effect")
        actions, not_action = self._one_of(item, "Action", "NotAction", path)
        resources, not_resource = self._one_of(item, "Resource", "NotResource", path)
        if actions is None:
            raise self.error(texts.say("policies.no-action"), path, "Action")
        if not isinstance(item.get("Sid", ""), str):
            raise self.error(texts.say("policies.sid-no-text"), (*path, "Sid"), "Sid")
        return Statement(
            effect=effect.lower(),
            actions=self._actions(actions, path, "NotAction" if not_action else "Action"),
            not_action=not_action,
            resources=resources,
            not_resource=not_resource,
            condition=self._condition(item.get("Condition", {}), path),
            sid=item.get("Sid"),
            principal="Principal" in item or "NotPrincipal" in item,
            index=index,
            policy=policy,
        )

    def _one_of(
        self, item: Mapping[str, object], key: str, other: str, path: Path_
    ) -> tuple[tuple[str, ...] | None, bool]:
        if key in item and other in item:
            raise self.error(texts.say("policies.exclude", one=key, other=other), (*path, other), other)
        negated = other in item
        used = other if negated else key
        return (self._texts(item[used], (*path, used), used) if used in item else None), negated

    def _texts(self, value: object, path: Path_, key: str) -> tuple[str, ...]:
        if (
            key == "Resource" and isinstance(value, Mapping) and list(value) == ["uri"]
        ):  # agencies: {"uri": ["/iam/agencies/…"]}
            value, path = value["uri"], (*path, "uri")
        items = [value] if isinstance(value, str) else value
        if not isinstance(items, list) or not items or not all(isinstance(text, str) and text for text in items):
            raise self.error(texts.say("policies.no-texts"), path, key)
        return tuple(items)

    def _actions(self, actions: tuple[str, ...], path: Path_, key: str) -> tuple[str, ...]:
        for place, action in enumerate(actions):
            if action.count(":") > 2:
                raise self.error(texts.say("policies.too-many-parts", action=action), (*path, key, place), key)
            if action != action.strip() or action.endswith(":"):
                raise self.error(texts.say("policies.is-no-action", action=action), (*path, key, place), key)
        return actions

    def _condition(self, given: object, path: Path_) -> tuple[conditions.Test, ...]:
        path = (*path, "Condition")
        if not isinstance(given, Mapping):
            raise self.error(texts.say("policies.no-condition"), path, "Condition")
        try:
            return conditions.parse(given)
        except conditions.ConditionError as error:
            raise self.error(str(error), (*path, *error.keys), ".".join(("Condition", *error.keys))) from None
