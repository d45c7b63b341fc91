"""Old cassettes without their secrets: the same file in the same notation; what changes is shown without them, too."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.interaction import CassetteError, Interaction, read_interaction, read_json, read_yaml
from pytest_hwcloud.cassettes.rendering import HEADER, Entry, page, render
from pytest_hwcloud.cassettes.request_key import key_of
from pytest_hwcloud.cassettes.scan import scan
from pytest_hwcloud.cassettes.tape import Tape, read_cassette
from pytest_hwcloud.cloud.wire import Request, child, text
from pytest_hwcloud.files.atomic import locked, write_whole
from pytest_hwcloud.secrets.detector import firewall_cookies
from pytest_hwcloud.secrets.encodings import MASK
from pytest_hwcloud.secrets.field_names import is_secret_header
from pytest_hwcloud.secrets.scrubber import Scrubber

_PASSES = 3  # what is learnt from the last interaction is hidden in the first
_COMPARED = 4000  # characters; of a longer text only the lengths are shown


@dataclass(frozen=True, kw_only=True)
class Change:
    """One place of an interaction (from 1; 0 is the metadata) that is rewritten; before: with the secret left out."""

    interaction: int
    call: str
    place: str
    before: str
    after: str


@dataclass(frozen=True, kw_only=True)
class Rewritten:
    """A cassette as it should be, and what that changes.

    merged: numbers of two interactions that only differ in what is taken out of the URL, so that the one would be given
    for the other; such a file is not rewritten.
    """

    path: Path
    old: str
    new: str
    changes: tuple[Change, ...]
    merged: tuple[int, int] | None = None


def rewritten(path: Path) -> Rewritten:
    """The cassette without its secrets; CassetteError if it is none."""
    try:
        old = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise CassetteError(texts.say("cassettes.unreadable", reason=error), path=path) from None
    is_json = old.lstrip().startswith("{")
    document = _read(old, path, is_json)
    scrubber = Scrubber()
    changed = document
    for _ in range(_PASSES):
        version = scrubber.swaps.version
        changed = _cassette(changed, scrubber)
        if scrubber.swaps.version == version:
            break
    changes = tuple(_changes(document, changed))
    new = _written(changed, path, old, is_json) if changes else old
    return Rewritten(path=path, old=old, new=new, changes=changes, merged=_merged(document, changed))


def _merged(old: dict[str, object], new: dict[str, object]) -> tuple[int, int] | None:
    keys: dict[str, tuple[int, str]] = {}
    for number, (before, after) in enumerate(zip(_keys(old), _keys(new), strict=True), 1):
        first, was = keys.setdefault(after, (number, before))
        if was != before:
            return first, number
    return None


def _keys(document: dict[str, object]) -> list[str]:
    requests = (child(one, "request") for one in _list(document["interactions"]))
    return [key_of(text(one, "method"), text(one, "uri")) for one in requests]


def write(one: Rewritten) -> None:
    """Put the rewritten text in place; CassetteError if somebody changed the file meanwhile, or on a disk error."""
    try:
        with locked(one.path):
            if one.path.read_text(encoding="utf-8") != one.old:
                raise CassetteError(texts.say("cassettes.changed-meanwhile"), path=one.path)
            write_whole(one.path, one.new)
    except OSError as error:
        problem = texts.say("cassettes.unwritable", reason=error.strerror or error)
        raise CassetteError(problem, path=one.path) from error


def _read(text: str, path: Path, is_json: bool) -> dict[str, object]:
    try:
        document = read_json(text, path) if is_json else read_yaml(text, path)
    except json.JSONDecodeError:
        document = read_yaml(text, path)
    if not isinstance(document, dict) or not isinstance(document.get("interactions"), list):
        raise CassetteError(texts.say("cassettes.no-cassette"), path=path)
    return document


def _cassette(document: dict[str, object], scrubber: Scrubber) -> dict[str, object]:
    return {
        key: [_item_without(one, scrubber) for one in value] if isinstance(value, list) else _plain(value, scrubber)
        for key, value in document.items()
    }


def _item_without(item: object, scrubber: Scrubber) -> object:
    if not isinstance(item, dict):
        return item
    sides = ("request", "response")
    return {key: _message(value, scrubber) if key in sides else value for key, value in item.items()}


def _message(message: object, scrubber: Scrubber) -> object:
    if not isinstance(message, dict):
        return message
    found = dict(message)
    for key, value in message.items():
        match key, value:
            case ("uri" | "url", str()):
                found[key] = scrubber.url(value)
            case ("headers", dict()):
                found[key] = {name: _header(str(name), one, scrubber) for name, one in value.items()}
            case ("body" | "content", _):
                found[key] = _body(value, scrubber)
            case ("status", dict()):
                found[key] = _plain(value, scrubber)
    return found


def _header(name: str, value: object, scrubber: Scrubber) -> object:
    match value:
        case list() | tuple():
            return [_header(name, one, scrubber) for one in value]
        case str() if firewall_cookies(name, value):
            return value  # not used to log in
        case bytes():
            return str(_header(name, value.decode("latin-1"), scrubber)).encode("latin-1", errors="replace")
        case str() if is_secret_header(name):
            clean = scrubber.text(value)  # first, so that what it holds is known from now on
            if clean == value and " " not in value:
                scrubber.learn(value)
            return MASK if value else value
        case str():
            return scrubber.header(name, value)
    return value


def _body(value: object, scrubber: Scrubber) -> object:
    match value:
        case str():
            return scrubber.body(value.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")
        case bytes():
            return scrubber.body(value)
        case {"base64_string": str() as text, **rest}:
            raw = base64.b64decode(text)
            clean = scrubber.body(raw)
            return value if clean == raw else {**rest, "base64_string": base64.b64encode(clean).decode()}
        case {"string": inner, **rest}:
            return {**rest, "string": _body(inner, scrubber)}
    return value


def _plain(value: object, scrubber: Scrubber) -> object:
    match value:
        case str():
            return scrubber.text(value)
        case dict():
            return {key: _plain(one, scrubber) for key, one in value.items()}
        case list():
            return [_plain(one, scrubber) for one in value]
    return value


def _written(document: dict[str, object], path: Path, old: str, is_json: bool) -> str:
    if is_json:
        indent = re.match(r"\s*\{\r?\n( +)", old)
        ascii_only = old.isascii()
        text = json.dumps(document, indent=len(indent[1]) if indent else None, ensure_ascii=ascii_only)
        return text + "\n" * old.endswith("\n")
    if old.startswith(HEADER):
        return _in_our_notation(document, path)
    import yaml

    return str(yaml.dump(document, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper)))  # as vcrpy writes it


def _in_our_notation(document: dict[str, object], path: Path) -> str:
    interactions, metadata = document["interactions"], document.get("metadata")
    assert isinstance(interactions, list)
    items = [_item(read_interaction(one, index, path)) for index, one in enumerate(interactions)]
    return page(items, {k: str(v) for k, v in metadata.items()} if isinstance(metadata, dict) else None)


def _item(one: Interaction) -> str:
    request = Request(one.method, one.uri, one.headers, one.body)
    when = datetime.fromisoformat(one.recorded_at) if one.recorded_at else datetime.now(UTC)
    return render(Entry(request=request, answer=one.answer, fault=one.fault, recorded_at=when))


def _changes(old: dict[str, object], new: dict[str, object]) -> Iterator[Change]:
    for key in old:
        if key != "interactions":
            yield from _leaves(old[key], new[key], key, 0, "")
    pairs = zip(_list(old["interactions"]), _list(new["interactions"]), strict=True)
    for number, (before, after) in enumerate(pairs, 1):
        request = after.get("request", {}) if isinstance(after, dict) else {}
        call = f"{request.get('method')} {str(request.get('uri')).partition('?')[0]}"
        yield from _leaves(before, after, "", number, call)


def _leaves(old: object, new: object, place: str, number: int, call: str) -> Iterator[Change]:
    if old == new:
        return
    old, new = _opened(old), _opened(new)
    match old, new:
        case dict(), dict():
            for key in old:
                yield from _leaves(old[key], new.get(key), f"{place}.{key}".lstrip("."), number, call)
        case (list() | tuple(), list() | tuple()):
            for index, (one, other) in enumerate(zip(old, new, strict=False)):
                inner = place if len(old) == 1 else f"{place}[{index}]"
                yield from _leaves(one, other, inner, number, call)
        case _:
            before, after = _shown(old, new)
            yield Change(interaction=number, call=call, place=place, before=before, after=after)


def _opened(value: object) -> object:
    """A JSON body as the document that it is, so that the place of a change can be given."""
    if isinstance(value, bytes):
        try:
            value = value.decode()
        except UnicodeDecodeError:
            return value
    if isinstance(value, str) and value.strip()[:1] in ("{", "["):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value


def _shown(old: object, new: object) -> tuple[str, str]:
    """Both texts in short, with only the length of what is removed."""
    if not isinstance(old, str) or not isinstance(new, str) or len(old) > _COMPARED:
        return f"({_size(old)})", f"({_size(new)})"
    if new == MASK:
        return f"({_size(old)})", MASK
    start = _common(old, new)
    end = _common(old[start:][::-1], new[start:][::-1])
    return f"{old[:start]}({_size(old[start : len(old) - end])}){old[len(old) - end :]}", new


def _common(one: str, other: str) -> int:
    """How many characters both begin with."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(one, other, strict=False)))


def _size(value: object) -> str:
    if not hasattr(value, "__len__"):
        return "1"
    return texts.say("cassettes.bytes" if isinstance(value, bytes) else "cassettes.characters", n=len(value))


def _list(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def left_in(one: Rewritten, keep: Sequence[str] = ()) -> list[str]:
    """What a scan reports of the rewritten text, a line each. keep: globs of what is no secret."""
    tape = Tape(one.path, read_cassette(one.new.encode(), one.path), str(one.path))
    return [f"{hidden.file}: {hidden.text}" for hidden in scan(tape, keep) if hidden.kind == "secret"]
