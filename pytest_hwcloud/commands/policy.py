"""`pytest-hwcloud policy check | lint | diff | minimise | fix`: policies judged at the shell.

A command is a function that adds its parser to the subparsers, listed in _ADD.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Callable, Iterable
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.commands import UsageError, minimise, policy_fix
from pytest_hwcloud.commands.actions import with_tables

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.policy import Decision, Policy

Parsers = argparse._SubParsersAction  # argparse names its own type so
_STDIN = "-"


def add(subparsers: Parsers[argparse.ArgumentParser]) -> None:
    """Mount `policy` and its commands."""
    parser = subparsers.add_parser(
        "policy",
        help=texts.say("policy.help"),
        description=texts.say("policy.description"),
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for mount in _ADD:
        mount(commands)


def _command(
    commands: Parsers[argparse.ArgumentParser], name: str, run: Callable[[argparse.Namespace], int]
) -> argparse.ArgumentParser:
    about = texts.say(f"policy.{name}-help")
    parser = commands.add_parser(name, help=about, description=texts.say("policy.describe", help=about))
    parser.add_argument("--json", action="store_true", help=texts.say("policy.json"))
    parser.set_defaults(run=with_tables(run))
    return parser


def _add_check(commands: Parsers[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "check", check)
    parser.add_argument("files", nargs="+", metavar="FILE", help=texts.say("policy.check-files"))
    parser.add_argument("--action", required=True, action="append", metavar="A", help=texts.say("policy.check-action"))
    parser.add_argument("--resource", metavar="R", help=texts.say("policy.check-resource"))
    parser.add_argument("--context", action="append", default=[], metavar="K=V", help=texts.say("policy.check-context"))


def _add_lint(commands: Parsers[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "lint", lint)
    parser.add_argument("files", nargs="+", metavar="FILE", help=texts.say("policy.lint-files"))


def _add_diff(commands: Parsers[argparse.ArgumentParser]) -> None:
    parser = _command(commands, "diff", diff)
    parser.add_argument("old", metavar="OLD", help=texts.say("policy.diff-old"))
    parser.add_argument("new", metavar="NEW", help=texts.say("policy.diff-new"))


_ADD = (_add_check, _add_lint, _add_diff, minimise.add, policy_fix.add)


def check(args: argparse.Namespace) -> int:
    """Print the decision on each action. Exit code 0: all are allowed; 1: one is denied or unknown."""
    from pytest_hwcloud.cloud.policies.policy import Policy

    asked = list(dict.fromkeys(args.action))
    for action in asked:
        _action(action)
    policy, context = Policy.combine(load(args.files)), _context(args.context)
    decisions = {action: policy.decide(action, resource=args.resource, context=context) for action in asked}
    if args.json:
        found = [_decision_data(action, decision) for action, decision in decisions.items()]
        _print_json(found[0] if len(found) == 1 else {"decisions": found})
    else:
        print("\n".join(texts.one_line(line) for row in decisions.items() for line in _decision_lines(*row)))
    return 0 if all(decisions.values()) else 1


def _action(text: str) -> None:
    from pytest_hwcloud.cloud.calls import actions

    try:
        actions.parse(text, wildcards=False)
    except actions.ActionError as error:
        raise UsageError(texts.say("policy.bad-action", problem=error)) from None


def _context(given: Iterable[str]) -> dict[str, object]:
    from pytest_hwcloud.cloud.policies import conditions

    found: dict[str, list[str]] = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise UsageError(texts.say("policy.no-context", text=item))
        if ":" not in key:
            raise UsageError(f"--context: {texts.say('policies.context_key', key=key, near=f'g:{key}')}")
        if wrong := conditions.misfit(key, value):
            shown = texts.say(f"policies.context_{wrong[0]}", key=key, value=repr(wrong[1]))
            raise UsageError(f"--context: {shown}")
        found.setdefault(key, []).append(value)
    return dict(found)


def load(names: Iterable[str]) -> list[Policy]:
    """The policies that are named. Wrong use, telling every one that cannot be used: without it the answer is wrong."""
    from pytest_hwcloud.cloud.policies.documents import PolicyError, read
    from pytest_hwcloud.cloud.policies.policy import Policy

    found, wrong = [], []
    for file, text in _documents(names):
        try:
            found.append(Policy((read(file, text=text),)))
        except PolicyError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    return found


def _documents(names: Iterable[str]) -> list[tuple[str, str | None]]:
    """Each document: its name, and its text if it comes from standard input. A folder stands for its *.json files."""
    found: dict[str, str | None] = {}
    for name in names:
        if name == _STDIN:
            found.setdefault(texts.say("policy.stdin"), None)
            continue
        if name.startswith("system:") or not os.path.isdir(name):
            found[name] = None
            continue
        inside = sorted(path.as_posix() for path in Path(name).rglob("*.json") if path.is_file())
        if not inside:
            raise UsageError(texts.say("policy.empty-folder", folder=name))
        found.update(dict.fromkeys(inside))
    if _STDIN in names:
        found[texts.say("policy.stdin")] = _standard_input()
    return list(found.items())


def _standard_input() -> str:
    try:
        text = sys.stdin.buffer.read().decode("utf-8-sig") if hasattr(sys.stdin, "buffer") else sys.stdin.read()
    except UnicodeDecodeError:
        raise UsageError(texts.say("policy.stdin-not-utf8")) from None
    if not text.strip():
        raise UsageError(texts.say("policy.stdin-empty"))
    return text


def _decision_data(action: str, decision: Decision) -> dict[str, object]:
    from pytest_hwcloud.cloud.calls import actions

    return {
        "action": action,
        "known": actions.is_known(action),
        "effect": decision.effect,
        "explicit": decision.explicit,
        "policy": decision.policy,
        "statement": decision.statement,
        "reason": decision.reason,
        "nearest": [asdict(entry) for entry in decision.nearest],
    }


def _decision_lines(action: str, decision: Decision) -> list[str]:
    from pytest_hwcloud.cloud.calls import actions
    from pytest_hwcloud.cloud.policies.decision import considered, headline

    language = texts.language()
    lines = [action, _labelled("decision", headline(decision).text(language))]
    if decision.effect != "allow":
        lines += [f"              {texts.in_language(line, language)}" for line in considered(decision)]
    if not actions.is_known(action):
        near = actions.suggest(action)
        guess = texts.say("markers.meant", name=near) if near else ""
        lines.append(_labelled("note", texts.say("policy.undocumented") + guess))
    return lines


def _labelled(label: str, text: str) -> str:
    said = texts.say(f"policy.label-{label}")
    return f"  {said}{' ' * (10 - texts.columns(said))}{text}"


def lint(args: argparse.Namespace) -> int:
    """Print what is wrong with each document. Exit code 1 if anything is, 2 if one cannot be read."""
    from pytest_hwcloud.cloud.policies.documents import PolicyError
    from pytest_hwcloud.permissions.policies.lint import Remark, lint_file

    remarks: list[Remark] = []
    clean: list[str] = []
    wrong: list[str] = []
    for file, text in _documents(args.files):
        try:
            found = lint_file(file, text=text)
        except PolicyError as error:
            wrong.append(str(error))
            continue
        remarks += found
        clean += [] if found else [file]
    if args.json:
        failed: dict[str, object] = {"error": "\n".join(wrong), "errors": wrong} if wrong else {}
        _print_json({"findings": [asdict(remark) for remark in remarks], **failed})
    elif remarks:
        print("\n".join(remark.said(texts.language()) for remark in remarks))
    elif clean:
        print(texts.say("policy.clean", files=", ".join(clean)))
    sys.stdout.flush()
    for text_of_error in wrong:
        print(texts.say("cli.line", text=text_of_error), file=sys.stderr)
    return 2 if wrong else 1 if remarks else 0


def diff(args: argparse.Namespace) -> int:
    """Print the actions gained and lost. Exit code 1 if there are any."""
    from pytest_hwcloud.cloud.policies.policy import Policy
    from pytest_hwcloud.permissions.policies.diff import compare

    if args.old == args.new == _STDIN:
        raise UsageError(texts.say("policy.stdin-twice"))
    wrong: list[str] = []
    sides: list[Policy] = []
    for name in (args.old, args.new):
        try:
            sides.append(Policy.combine(load([name])))
        except UsageError as error:
            wrong.append(str(error))
    if wrong:
        raise UsageError("\n".join(wrong))
    difference = compare(*sides)
    if args.json:
        _print_json(difference.to_dict())
    else:
        print("\n".join(difference.lines()))
    return 1 if difference else 0


def _print_json(data: object) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))
