"""`pytest-hwcloud needs METHOD URL [--body FILE]`: service, region, scope, operation and actions of a call."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.commands.errors import UsageError

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call

_METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
_EXAMPLE = "https://ecs.cn-north-4.myhuaweicloud.com/v1/{project_id}/cloudservers/detail"
_UNMAPPED = "no: no table says what this call needs (HWP011); the project can say it: `actions:` in hwcloud.yaml"


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command."""
    parser = subparsers.add_parser(
        "needs",
        help="service, region, scope, operation and actions of a call",
        description="What a call needs: service, region, scope, operation, and the actions in both grammars.",
        epilog="Exit code: 0 if it is documented what the call needs, 1 if not, 2 for wrong use.",
    )
    parser.add_argument("method", metavar="METHOD", help="HTTP method")
    parser.add_argument("url", metavar="URL", help=f"for instance {_EXAMPLE}")
    parser.add_argument(
        "--body", metavar="FILE", help="the request body, where it decides the operation (- for standard input)"
    )
    parser.add_argument(
        "--table", metavar="FILE", action="append", default=[], help="a table of the project's own; repeatable"
    )
    parser.add_argument("--json", action="store_true", help="for machines")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Print what the call needs; 1 if no document says it."""
    from pytest_hwcloud.cloud.calls import calls
    from pytest_hwcloud.cloud.calls.project_tables import TableError

    method = _method(arguments.method)
    url = _url(arguments.url)
    body = _body(arguments.body) if arguments.body else None
    try:
        for file in arguments.table:
            calls.add_table(Path(file))
        call = calls.needs(method, url, body)
        near = [] if call.documented or call.candidates else calls.nearest_templates(method, url)
        print(_json(call, near) if arguments.json else "\n".join([*_lines(call, url), *_nearest(near)]))
    except TableError as error:
        raise UsageError(str(error)) from None
    finally:
        if arguments.table:
            calls.clear_tables()
    return 0 if call.mapped else 1


def _method(text: str) -> str:
    if text.upper() not in _METHODS:
        raise UsageError(f"{text!r} is no HTTP method; use one of {', '.join(_METHODS)}, then the URL")
    return text.upper()


def _url(text: str) -> str:
    scheme, separator, rest = text.partition("://")
    if not separator or scheme.lower() not in ("http", "https") or not rest.partition("/")[0]:
        raise UsageError(f"{text!r} is no URL; write it with its host, for instance {_EXAMPLE}")
    return text


def _body(file: str) -> bytes:
    try:
        return sys.stdin.buffer.read() if file == "-" else Path(file).read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: cannot be read: {error.strerror}") from None


def _json(call: Call, near: list[str]) -> str:
    found = {"label": call.label, "mapped": call.mapped, **asdict(call), "nearest": near}
    return json.dumps(found, ensure_ascii=False, indent=2)


def _nearest(near: list[str]) -> Iterator[str]:
    """The documented calls that may be meant where no table knows this one."""
    for index, label in enumerate(near):
        yield f"  {'' if index else 'nearest':<11} {label}"


def _lines(call: Call, url: str) -> Iterator[str]:
    """The answer for people: one labelled line a fact, lines without content left out."""
    yield f"{call.method} {url}"
    for label, text in _facts(call):
        if text:
            yield f"  {label:<11} {text}"


def _facts(call: Call) -> Iterator[tuple[str, str]]:
    yield "service", call.service or "unknown: no service has this host"
    yield "region", call.region or ""
    yield "scope", call.scope if call.scope != "unknown" else ""
    yield "project", call.project or ""
    yield "path", call.template
    yield "operation", _operation(call)
    yield from _actions(call)
    for action in call.dependencies:
        yield "depends on", action
    for dependency in call.conditional:
        yield "may need", f"{dependency.action}  ({dependency.when})"
    yield "level", (call.access_level or "").replace("_", " ")
    yield "note", call.note
    yield "mapped", _mapped(call)
    if not call.documented:
        yield "one of", ", ".join(call.candidates)
        yield "decided by", call.decided_by


def _operation(call: Call) -> str:
    return call.operation or ("one of " + ", ".join(call.candidates) if call.documented and call.candidates else "")


def _actions(call: Call) -> Iterator[tuple[str, str]]:
    """The actions of both grammars, and the other names that allow them."""
    from pytest_hwcloud.cloud.calls.actions import names

    for action in call.actions:
        alone = len(call.actions) == 1 == len(call.identity_actions)
        yield "action", f"{action}  ({_newer(action, call.identity_actions[0])})" if alone else action
    if len(call.actions) != 1 or len(call.identity_actions) != 1:
        for action in call.identity_actions:
            yield "action 5.0", action
    needed = (*call.actions, *call.identity_actions)
    shown = {action.lower() for action in needed}
    yield "alias", ", ".join(dict.fromkeys(n for a in needed for n in names(a) if n.lower() not in shown))


def _newer(action: str, identity_action: str) -> str:
    return "5.0: the same" if action.lower() == identity_action.lower() else f"5.0: {identity_action}"


def _mapped(call: Call) -> str:
    if call.mapped:
        return "yes" if call.required else "yes: documented as needing no permission"
    if call.documented:
        return "no: the operation is known, but no document read says what it needs (HWP011)"
    return "no: the request does not say which operation it is (HWP011)" if call.candidates else _UNMAPPED
