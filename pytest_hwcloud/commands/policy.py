"""`pytest-hwcloud policy check | lint | diff | minimise`: policies judged at the shell.

A command is a function that adds its parser to the subparsers, listed in _ADD.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable
from dataclasses import asdict
from typing import TYPE_CHECKING

from pytest_hwcloud.commands import minimise
from pytest_hwcloud.commands.actions import with_tables
from pytest_hwcloud.commands.errors import UsageError

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.policy import Decision, Policy

Parsers = argparse._SubParsersAction  # argparse names its own type so
_FILES = "policy documents (JSON), or system policies: 'system:ECS ReadOnlyAccess'"


def add(subparsers: Parsers[argparse.ArgumentParser]) -> None:
    """Mount `policy` and its commands."""
    parser = subparsers.add_parser("policy", help="judge policies offline: check, lint, diff, minimise")
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for mount in _ADD:
        mount(commands)


def _add_check(commands: Parsers[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("check", help="the decision on an action, and which statement made it")
    parser.add_argument("files", nargs="+", metavar="FILE", help=f"{_FILES}; several add up")
    parser.add_argument(
        "--action",
        required=True,
        action="append",
        metavar="A",
        help="service:type:operation, 1.1 or 5.0 name; repeatable, each is judged by itself",
    )
    parser.add_argument("--resource", metavar="R", help="service:region:account:type:path, or *")
    parser.add_argument("--context", action="append", default=[], metavar="K=V", help="a condition key; repeatable")
    parser.add_argument("--json", action="store_true", help="plain data for machines")
    parser.set_defaults(run=with_tables(check))


def _add_lint(commands: Parsers[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("lint", help="unknown actions, dead statements, grammar errors, limits")
    parser.add_argument("files", nargs="+", metavar="FILE", help=f"{_FILES}; each is looked at by itself")
    parser.add_argument("--json", action="store_true", help="plain data for machines")
    parser.set_defaults(run=with_tables(lint))


def _add_diff(commands: Parsers[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser("diff", help="the actions gained and lost, out of all known actions")
    parser.add_argument("old", metavar="OLD", help=_FILES)
    parser.add_argument("new", metavar="NEW", help="the same, later")
    parser.add_argument("--json", action="store_true", help="plain data for machines")
    parser.set_defaults(run=with_tables(diff))


_ADD = (_add_check, _add_lint, _add_diff, minimise.add)


def check(args: argparse.Namespace) -> int:
    """Print the decision on each action. Exit code 0: all are allowed; 1: one is denied or unknown."""
    from pytest_hwcloud.cloud.policies.policy import Policy

    asked = list(dict.fromkeys(args.action))
    for action in asked:
        _action(action)
    policy, context = Policy.combine(load(file) for file in args.files), _context(args.context)
    decisions = {action: policy.decide(action, resource=args.resource, context=context) for action in asked}
    if args.json:
        found = [_decision_data(action, decision) for action, decision in decisions.items()]
        _print_json(found[0] if len(found) == 1 else {"decisions": found})
    else:
        print("\n".join(line for row in decisions.items() for line in _decision_lines(*row)))
    return 0 if all(decisions.values()) else 1


def _action(text: str) -> None:
    from pytest_hwcloud.cloud.calls import actions

    try:
        actions.parse(text, wildcards=False)
    except actions.ActionError as error:
        raise UsageError(f"--action: {error}") from None


def _context(given: Iterable[str]) -> dict[str, object]:
    found: dict[str, list[str]] = {}
    for item in given:
        key, equals, value = item.partition("=")
        if not equals or not key:
            raise UsageError(f"--context: {item!r} is not KEY=VALUE, for instance g:UserName=ci-reader")
        found.setdefault(key, []).append(value)
    return dict(found)


def load(file: str) -> Policy:
    """The policy in a file or of the system; what is wrong with it is wrong use."""
    from pytest_hwcloud.cloud.policies.policy import Policy, PolicyError

    try:
        return Policy.load(file)
    except PolicyError as error:
        raise UsageError(str(error)) from None


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
    from pytest_hwcloud.permissions.decision_text import considered, headline

    lines = [action, f"  decision  {headline(decision)}"]
    if decision.effect != "allow":
        lines += [f"              {line}" for line in considered(decision)]
    if not actions.is_known(action):
        near = actions.suggest(action)
        lines.append(f"  note      no such action is documented{f'; did you mean {near}?' if near else ''}")
    return lines


def lint(args: argparse.Namespace) -> int:
    """Print what is wrong with each document. Exit code 1 if anything is."""
    from pytest_hwcloud.cloud.policies.documents import PolicyError
    from pytest_hwcloud.permissions.policies.lint import lint_file

    try:
        remarks = [remark for file in args.files for remark in lint_file(file)]
    except PolicyError as error:
        raise UsageError(str(error)) from None
    if args.json:
        _print_json({"findings": [asdict(remark) for remark in remarks]})
    else:
        print("\n".join(map(str, remarks)) or f"nothing found in {', '.join(args.files)}")
    return 1 if remarks else 0


def diff(args: argparse.Namespace) -> int:
    """Print the actions gained and lost. Exit code 1 if there are any."""
    from pytest_hwcloud.permissions.policies.diff import compare

    difference = compare(load(args.old), load(args.new))
    if args.json:
        _print_json(difference.to_dict())
    else:
        print("\n".join(difference.lines()))
    return 1 if difference else 0


def _print_json(data: object) -> None:
    print(json.dumps(data, ensure_ascii=False, indent=2))
