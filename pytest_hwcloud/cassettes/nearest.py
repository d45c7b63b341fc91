"""The text about a request that no cassette answers: where we looked, what comes nearest, how to record it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from urllib.parse import unquote_plus

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.request_key import key_of, parts
from pytest_hwcloud.cassettes.tape import Interaction, Tape, file_name
from pytest_hwcloud.cloud.calls.calls import needs
from pytest_hwcloud.cloud.endpoints import locate
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.secrets.encodings import MASK
from pytest_hwcloud.secrets.field_names import kind_of

_PROJECT = re.compile(r"/(?:v\d[\w.]*|projects)/([0-9a-f]{32})(?=/|$)")
_OWNER = re.compile(r"(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])")  # the id of a project or an account
_SHOWN = 120  # characters of a value; a path or a query can be as long as it likes

Row = tuple[str, str]


def unrecorded(
    request: Request, tapes: Sequence[Tape], own_path: Path | None, command: str, identities: Sequence[Identity] = ()
) -> str:
    """The text of NotRecorded. It holds the URL without secrets, and never a header or a body.

    command: the one that records what is missing. identities: of the run, the one that calls first; recordings carry
    their ids and no others.
    """
    lines = [texts.say("cassettes.none-recorded", call=f"{request.method} {masked_url(request.url)}")]
    call = needs(request.method, request.url, request.body, request.headers)
    lines += _labelled("operation", [f"{call.service} {call.operation}"] if call.operation else [])
    lines += _labelled("looked", [_looked(tape) for tape in tapes] + _missing(tapes, own_path))
    found = _nearest(request, tapes)
    if found is not None:
        lines += _comparison(request, *found)
    foreign = _foreign_id(request, tapes, found[1] if found else None, identities)
    if foreign is not None:
        return "\n".join([*lines, *_foreign_id_lines(request, *foreign, identities[0], command)])
    return "\n".join([*lines, *_labelled("record", [command])])


def _foreign_id(
    request: Request, tapes: Sequence[Tape], near: Interaction | None, identities: Sequence[Identity]
) -> tuple[str, str] | None:
    """An id in the URL that no recording can hold, and the one that recordings have in its place ("" if unknown).

    The first 32 hex digits of the path are the owner's. In another place an id counts if it is the only difference.
    """
    known = {one for who in identities for one in (who.domain_id, who.user_id, *who.projects.values())}
    if not known:
        return None
    asked = key_of(request.method, request.url)
    if near is not None:
        theirs = key_of(near.method, near.uri)
        if _OWNER.sub("", theirs) == _OWNER.sub("", asked):
            pairs = zip(_OWNER.findall(asked), _OWNER.findall(theirs), strict=True)
            return next(((ours, other) for ours, other in pairs if ours not in known and other in known), None)
    owner = re.match(r"/v\d[\d.]*/([0-9a-f]{32})(?:/|$)", parts(asked)[3])
    if owner is None or owner[1] in known or any(_holds(tape, owner[1]) for tape in tapes):
        return None
    return owner[1], ""


def _holds(tape: Tape, identifier: str) -> bool:
    """Whether a recorded call names this id."""
    return any(identifier in key and identifier in _OWNER.findall(key) for key in tape.keys)


def _foreign_id_lines(request: Request, ours: str, other: str, who: Identity, command: str) -> Iterator[str]:
    place = locate(request.url)
    region = place.region or place.scope
    kind = "domain_id" if other == who.domain_id or place.scope == "global" else "project_id"
    other = other or (who.domain_id if kind == "domain_id" else who.projects.get(region, ""))
    setting = f"domain_id: {ours}" if kind == "domain_id" else f"projects: {{{region}: {ours}}}"
    told = "cassettes.ids" if other else "cassettes.ids-unnamed"
    yield from _labelled("ids", [texts.say(told, ours=ours, other=other, identity=who.name)])
    yield from _labelled("either", [texts.say("cassettes.ids-code", kind=kind)])
    setting = f"identities: {{{who.name}: {{{setting}}}}}"
    yield from _labelled("or", [texts.say("cassettes.ids-config", setting=setting), command])


def masked_url(url: str) -> str:
    """A URL without user and password, and without the values of parameters that are called like secrets."""
    head, mark, query = url.partition("?")
    scheme, separator, rest = head.partition("://")
    host, slash, path = rest.partition("/")
    shown = f"{scheme}{separator}{host.rpartition('@')[2]}{slash}{path}"
    return shown + mark + _masked_query(query)


def _masked_query(query: str) -> str:
    pairs = (pair.partition("=") for pair in query.split("&"))
    return "&".join(
        name + mark + (MASK if mark and kind_of(unquote_plus(name)) else value) for name, mark, value in pairs
    )


def _labelled(label: str, lines: Iterable[str]) -> list[str]:
    head = _padded(texts.say(f"cassettes.label-{label}"), 11)
    return [f"  {' ' * 11 if i else head}{line}" for i, line in enumerate(lines)]


def _padded(text: str, width: int) -> str:
    return text + " " * (width - texts.columns(text))


def _looked(tape: Tape) -> str:
    played = len(tape) - tape.unplayed_count
    return texts.say("cassettes.looked", name=tape.name, n=len(tape), played=played)


def _missing(tapes: Sequence[Tape], own_path: Path | None) -> list[str]:
    if own_path is None or any(tape.path == own_path for tape in tapes):
        return []
    if tapes and not own_path.exists():
        return []  # the marker names the places; a cassette for this test alone is not expected
    return [texts.say("cassettes.not-read" if own_path.exists() else "cassettes.not-there", name=file_name(own_path))]


def _nearest(request: Request, tapes: Sequence[Tape]) -> tuple[Tape, Interaction] | None:
    asked = set(_rows(request.method, request.url))
    found = [(tape, near) for tape in tapes if (near := tape.nearest(request)) is not None]
    return max(found, key=lambda pair: len(asked & set(_rows(pair[1].method, pair[1].uri))), default=None)


def _comparison(request: Request, tape: Tape, near: Interaction) -> list[str]:
    asked, recorded = _rows(request.method, request.url), _rows(near.method, near.uri)
    times = tape.recorded(request)
    if times:
        return _labelled("nearest", [texts.say("cassettes.used-up", name=tape.name, n=times)])
    which = texts.say("cassettes.nearest", number=near.index + 1, name=tape.name, outcome=_outcome(near))
    lines = _labelled("nearest", [which])
    title = texts.say("cassettes.asked")
    width = max(texts.columns(title), *(len(value) for _, value in asked))
    lines.append(f"             {'':<9}{_padded(title, width)}  {texts.say('cassettes.recorded')}")
    for (label, ours), (_, theirs) in zip(asked, recorded, strict=True):
        if ours or theirs:
            differs = "*" if ours != theirs else " "
            row = _padded(texts.say(f"cassettes.row-{label}"), 9)
            lines.append(f"           {differs} {row}{ours or '-':<{width}}  {theirs or '-'}".rstrip())
    return lines


def _rows(method: str, url: str) -> list[Row]:
    """The content of a request, in the cloud's terms."""
    verb, scheme, host, path, query = parts(key_of(method, url))
    place = locate(host)
    project = _project(method, url, path)
    if place.service is None:
        where: list[Row] = [("service", f"{scheme}://{host}"), ("region", "")]
    else:
        where = [("service", place.service), ("region", place.region or place.scope)]
    template = path.replace(project, "{project_id}", 1) if project else path
    rows = [("method", verb), *where, ("project", project), ("path", template)]
    return [(label, _short(value)) for label, value in [*rows, ("query", _masked_query(query))]]


def _project(method: str, url: str, path: str) -> str:
    """The project id of a path: not every id in one is that of a project, as `/v3/users/{user_id}/projects`."""
    found = _PROJECT.search(path)
    return needs(method, url).project or (found[1] if found else "")


def _short(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…"


def _outcome(near: Interaction) -> str:
    if near.fault:
        return texts.say("cassettes.would-fail", fault=near.fault)
    answer = near.answer or Answer(0)
    code = _code(answer)
    return texts.say("cassettes.would-answer", status=f"{answer.status} {code}" if code else answer.status)


def _code(answer: Answer) -> str | None:
    if answer.status < 400:
        return None
    from pytest_hwcloud.cloud import failures

    failure = failures.read(answer.body)
    return failure.code if failure else None
