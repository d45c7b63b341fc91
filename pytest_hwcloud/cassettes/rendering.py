"""The text of a cassette: YAML that people read and vcrpy plays, made by hand because dumping is forty times slower.

A text body is a literal block, JSON laid out one member a line; what a block cannot carry is a quoted scalar, and what
is no text is base64. Other than that only the plain YAML is used that plain_yaml reads without a parser. What is read
back is exactly what was meant (held by a property test against libyaml).
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import lru_cache

from pytest_hwcloud.cloud.endpoints import locate
from pytest_hwcloud.cloud.transfer_coding import has_digest, named, split
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.files.json_lossless import laid_out
from pytest_hwcloud.files.yaml_text import block, scalar

HEADER = "# recorded by pytest-hwcloud: secrets are masked, ids are those of the replay identities\n"
OPENING = "interactions:\n"
_PRETTY_UP_TO = 1 << 20  # bytes; a larger body stays as it came, laying it out would take seconds


@dataclass(frozen=True, kw_only=True)
class Entry:
    """One interaction as it is written: the request, and the answer or the fault."""

    request: Request
    answer: Answer | None = None
    fault: str | None = None
    abandoned: bool = False
    recorded_at: datetime


def render(entry: Entry) -> str:
    """One item of `interactions:`."""
    request = entry.request
    lines = [
        "- request:",
        f"    method: {scalar(request.method)}",
        f"    uri: {scalar(request.url)}",
        f"    body: {_body(request.body, 6) if request.body else 'null'}",
        *_headers(request.headers),
    ]
    answer = entry.answer
    packed = answer is not None and bool(answer.packed)
    if answer is not None and packed:  # as it came, so that its digest stays true
        headers = {**answer.headers, "Content-Encoding": named(split(answer.coding)[0])}
        answer = replace(answer, headers=headers, body=answer.packed, packed=b"")
    if answer is None:
        lines += [f"  fault: {entry.fault}", "  response: null"]  # vcrpy wants the key
        if entry.abandoned:
            lines.append("  abandoned: true")
    else:
        lines += [
            "  response:",
            "    status:",
            f"      code: {answer.status}",
            f"      message: {scalar(answer.reason)}",
            *_headers(answer.headers, answer.repeated, answer.framing),
            "    body:",
            f"      string: {_body(answer.body, 8, exact=is_exact(request.url, answer.headers))}",
        ]
        if answer.coding and (split(answer.coding)[1] or not packed):
            lines.append(f"  coding: {scalar(answer.coding)}")
        if answer.missing:  # what came of it is played; who only knows faults has the nearest one
            lines += ["  fault: connection-reset", f"  missing: {answer.missing}"]
        if answer.protocol:
            lines.append(f"  protocol: {scalar(answer.protocol)}")
    lines.append(f"  recorded_at: {scalar(moment(entry.recorded_at))}\n")
    return "\n".join(lines)


def page(items: Iterable[str], metadata: Mapping[str, str] | None = None) -> str:
    """The whole cassette of rendered items."""
    head = HEADER + "version: 1\n"
    if metadata:
        head += "metadata:\n" + "".join(f"  {scalar(key)}: {scalar(value)}\n" for key, value in metadata.items())
    several = list(items)
    return "".join([head, OPENING, *several]) if several else head + "interactions: []\n"


def moment(when: datetime) -> str:
    """A time as cassettes write it: UTC, to the millisecond."""
    return when.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _headers(
    headers: Mapping[str, str], repeated: Mapping[str, tuple[str, ...]] | None = None, framing: str = ""
) -> list[str]:
    if not headers and not framing:
        return ["    headers: {}"]
    lines = ["    headers:"]
    several = repeated or {}
    for name, value in headers.items():
        lines.append(_header(name, several.get(name) or (value,)))
    if framing:
        lines += [f"      {'Connection' if framing == 'close' else 'Transfer-Encoding'}:", f"      - {framing}"]
    return lines


@lru_cache(maxsize=4096)
def _header(name: str, values: tuple[str, ...]) -> str:
    return "\n".join([f"      {scalar(name)}:", *(f"      - {scalar(one)}" for one in values)])


def is_exact(url: str, headers: Mapping[str, str]) -> bool:
    """Whether no byte of an answer's body may change: something can check them, or they are an object's."""
    return has_digest(headers) or locate(url).service == "obs"


def _body(body: bytes, indent: int, exact: bool = False) -> str:
    try:
        text = body.decode()
    except UnicodeDecodeError:
        return _binary(body, " " * indent)
    laid = laid_out(text) if len(body) <= _PRETTY_UP_TO and not exact else None
    return block(text if laid is None else laid, indent)


def _binary(body: bytes, margin: str) -> str:
    written = base64.b64encode(body).decode()
    lines = (margin + written[start : start + 76] for start in range(0, len(written), 76))
    return "!!binary |\n" + "\n".join(lines)
