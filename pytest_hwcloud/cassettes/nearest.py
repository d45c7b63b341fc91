"""The text about a request that no cassette answers: where we looked, what comes nearest, how to record it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from pytest_hwcloud.cassettes.request_key import key_of, parts
from pytest_hwcloud.cassettes.tape import Interaction, Tape, file_name
from pytest_hwcloud.cloud.calls.calls import needs
from pytest_hwcloud.cloud.endpoints import locate
from pytest_hwcloud.cloud.wire import Answer, Request

_PROJECT = re.compile(r"(?<=/)[0-9a-f]{32}(?=/|$)")
_SECRET_NAME = re.compile(r"(?i)token|secret|passw|signature|credential|access_?key|accesskeyid|sign$|^(?:ak|sk)$")
_SHOWN = 120  # characters of a value; a path or a query can be as long as it likes

Row = tuple[str, str]


def unrecorded(request: Request, tapes: Sequence[Tape], own_path: Path | None, nodeid: str | None) -> str:
    """The text of NotRecorded. It holds the URL without secrets, and never a header or a body."""
    lines = [f"hwcloud: no recorded answer for {request.method} {masked_url(request.url)}"]
    call = needs(request.method, request.url, request.body, request.headers)
    lines += _labelled("operation", [f"{call.service} {call.operation}"] if call.operation else [])
    lines += _labelled("looked in", [_looked(tape) for tape in tapes] + _missing(tapes, own_path))
    found = _nearest(request, tapes)
    if found is not None:
        lines += _comparison(request, *found)
    command = f'pytest --hwcloud-mode=record "{nodeid}"' if nodeid else "pytest --hwcloud-mode=record"
    return "\n".join([*lines, *_labelled("record", [command])])


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
        name + mark + ("***" if mark and _SECRET_NAME.search(name) else value) for name, mark, value in pairs
    )


def _labelled(label: str, texts: Iterable[str]) -> list[str]:
    return [f"  {label if not i else '':<11}{text}" for i, text in enumerate(texts)]


def _looked(tape: Tape) -> str:
    played = len(tape) - tape.unplayed_count
    return f"{tape.name} ({len(tape)} recorded, {played} played)"


def _missing(tapes: Sequence[Tape], own_path: Path | None) -> list[str]:
    if own_path is None or any(tape.path == own_path for tape in tapes):
        return []
    if tapes and not own_path.exists():
        return []  # the marker says where to look; a cassette of the test's own is not expected
    return [f"{file_name(own_path)} ({'not read' if own_path.exists() else 'no such file yet'})"]


def _nearest(request: Request, tapes: Sequence[Tape]) -> tuple[Tape, Interaction] | None:
    asked = set(_rows(request.method, request.url))
    found = [(tape, near) for tape in tapes if (near := tape.nearest(request)) is not None]
    return max(found, key=lambda pair: len(asked & set(_rows(pair[1].method, pair[1].uri))), default=None)


def _comparison(request: Request, tape: Tape, near: Interaction) -> list[str]:
    asked, recorded = _rows(request.method, request.url), _rows(near.method, near.uri)
    times = tape.recorded(request)
    if times:
        why = f"recorded {times} time{'s' if times > 1 else ''}, and played as often already"
        return _labelled("nearest", [f"the same request in {tape.name}: {why}"])
    lines = _labelled("nearest", [f"number {near.index + 1} of {tape.name}, {_outcome(near)}"])
    width = max(len("asked"), *(len(value) for _, value in asked))
    lines.append(f"             {'':<9}{'asked':<{width}}  recorded")
    for (label, ours), (_, theirs) in zip(asked, recorded, strict=True):
        if ours or theirs:
            differs = "*" if ours != theirs else " "
            lines.append(f"           {differs} {label:<9}{ours or '-':<{width}}  {theirs or '-'}".rstrip())
    return lines


def _rows(method: str, url: str) -> list[Row]:
    """What a request says, in the words of the cloud."""
    verb, scheme, host, path, query = parts(key_of(method, url))
    place = locate(host)
    project = _PROJECT.search(path)
    if place.service is None:
        where: list[Row] = [("service", f"{scheme}://{host}"), ("region", "")]
    else:
        where = [("service", place.service), ("region", place.region or place.scope)]
    template = path.replace(project[0], "{project_id}", 1) if project else path
    rows = [("method", verb), *where, ("project", project[0] if project else ""), ("path", template)]
    return [(label, _short(value)) for label, value in [*rows, ("query", _masked_query(query))]]


def _short(value: str) -> str:
    return value if len(value) <= _SHOWN else f"{value[: _SHOWN - 1]}…"


def _outcome(near: Interaction) -> str:
    if near.fault:
        return f"would have failed with the fault {near.fault}"
    answer = near.answer or Answer(0)
    code = _code(answer)
    return f"would have answered {answer.status}{f' {code}' if code else ''}"


def _code(answer: Answer) -> str | None:
    if answer.status < 400:
        return None
    from pytest_hwcloud.cloud import failures

    failure = failures.read(answer.body)
    return failure.code if failure else None
