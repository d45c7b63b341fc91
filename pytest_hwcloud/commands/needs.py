"""`pytest-hwcloud needs METHOD URL [--body FILE]`: service, region, scope, operation and actions of a call."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.commands import UsageError
from pytest_hwcloud.texts import columns, in_language, language, say

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_EXAMPLE = "https://ecs.cn-north-4.myhuaweicloud.com/v1/{project_id}/cloudservers/detail"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command."""
    parser = subparsers.add_parser(
        "needs", help=say("needs.help"), description=say("needs.about"), epilog=say("needs.codes")
    )
    parser.add_argument("method", metavar="METHOD", help=say("needs.method"))
    parser.add_argument("url", metavar="URL", help=say("needs.url", example=_EXAMPLE))
    parser.add_argument("--body", metavar="FILE", help=say("needs.body"))
    parser.add_argument("--table", metavar="FILE", action="append", default=[], help=say("needs.table"))
    parser.add_argument("--json", action="store_true", help=say("needs.json"))
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what the call needs; 1 if that is not documented."""
    from pytest_hwcloud.cloud.calls import calls
    from pytest_hwcloud.commands.actions import use_tables

    method = _method(arguments.method)
    url = _url(arguments.url)
    body = _body(arguments.body) if arguments.body else None
    try:
        use_tables(arguments.table)
        call = calls.needs(method, url, body)
        near = [] if call.documented or call.candidates else calls.nearest_templates(method, url)
        rows = "" if call.mapped or call.candidates or not call.service else calls.rows_to_paste(call)
    finally:
        calls.clear_tables()
    if arguments.json:
        print(_json(call, near, rows))
    else:
        print("\n".join([*_lines(call, url), *_nearest(near)]))
        if rows:
            print(f"\n{say('needs.rows')}\n{rows}", end="")
    return 0 if call.mapped else 1


def _method(text: str) -> str:
    if text.upper() not in _METHODS:
        raise UsageError(say("needs.bad-method", method=text, known=", ".join(_METHODS)))
    return text.upper()


def _url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in ("http", "https") or not rest.partition("/")[0]:
        raise UsageError(say("needs.bad-url", url=text, example=_EXAMPLE))
    return text


def _body(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(say("needs.unreadable", file=file, reason=error.strerror)) from None


def _json(call: Call, near: list[str], rows: str) -> str:
    found = {"label": call.label, "mapped": call.mapped, **asdict(call), "aliases": _aliases(call), "nearest": near}
    return json.dumps({**found, "rows": rows}, ensure_ascii=False, indent=2)


def _nearest(near: list[str]) -> Iterator[str]:
    """The documented calls that may be meant where no table knows this one."""
    for index, label in enumerate(near):
        yield _line("" if index else say("needs.label-nearest"), label)


def _line(label: str, text: str) -> str:
    return f"  {label}{' ' * (11 - columns(label))} {text}"


def _lines(call: Call, url: str) -> Iterator[str]:
    """The answer for people: one labelled line a fact, lines without content left out."""
    yield f"{call.method} {url}"
    for label, text in _facts(call, url):
        if text:
            yield _line(say(f"needs.label-{label}"), text)


def _facts(call: Call, url: str) -> Iterator[tuple[str, str]]:
    yield "service", call.service or say("needs.unknown-service") + _near_host(url)
    yield "region", call.region or ""
    yield "scope", call.scope if call.scope != "unknown" else ""
    yield "project", call.project or ""
    yield "path", call.template
    yield "operation", _operation(call)
    yield "also", ", ".join(call.also)
    yield from _actions(call)
    for action in call.dependencies:
        yield "depends", action
    for dependency in call.conditional:
        yield "may", f"{dependency.action}  ({dependency.when})"
    yield "level", (call.access_level or "").replace("_", " ")
    for resource in call.resources:
        yield "resource", resource.template
    yield "note", call.note
    yield "mapped", _mapped(call)
    if not call.documented:
        yield "one-of", ", ".join(call.candidates)
        yield "decided", in_language(call.decided_by, language())


def _near_host(url: str) -> str:
    from pytest_hwcloud.cloud.endpoints import nearest_host

    near = nearest_host(url)
    return say("needs.meant-host", host=near) if near else ""


def _operation(call: Call) -> str:
    several = call.documented and call.candidates
    return call.operation or (say("needs.one-of", names=", ".join(call.candidates)) if several else "")


def _actions(call: Call) -> Iterator[tuple[str, str]]:
    """The actions of both grammars, and the other names that allow them."""
    for action in call.actions:
        alone = len(call.actions) == 1 == len(call.identity_actions)
        yield "action", f"{action}  ({_newer(action, call.identity_actions[0])})" if alone else action
    if len(call.actions) != 1 or len(call.identity_actions) != 1:
        for action in call.identity_actions:
            yield "action-5", action
    yield "alias", ", ".join(_aliases(call))


def _aliases(call: Call) -> list[str]:
    """The further names that allow what the call needs."""
    from pytest_hwcloud.cloud.calls.actions import names

    needed = (*call.actions, *call.identity_actions)
    shown = {action.lower() for action in needed}
    return list(dict.fromkeys(n for a in needed for n in names(a) if n.lower() not in shown))


def _newer(action: str, identity_action: str) -> str:
    same = action.lower() == identity_action.lower()
    return say("needs.the-same") if same else say("needs.newer", action=identity_action)


def _mapped(call: Call) -> str:
    if call.mapped:
        return say("needs.mapped" if call.required else "needs.free")
    if call.documented:
        return say("needs.silent")
    return say("needs.open" if call.candidates else "needs.unmapped")
