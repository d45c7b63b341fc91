"""The console script: one parser, its commands mounted from the rooms that know them."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from importlib import import_module

from pytest_hwcloud.commands.errors import UsageError

_COMMANDS = {
    "explain": "explain",
    "needs": "needs",
    "actions": "actions",
    "policy": "policy",
    "cassettes": "cassettes",
    "run": "run",
    "help": "help",
}


def run(arguments: Sequence[str]) -> int:
    """Run one command; 0 clean, 1 a finding or a denial, 2 wrong use or unreadable input."""
    parser = _parser(arguments[0] if arguments else "")
    try:
        parsed = parser.parse_args(arguments)
        code = int(parsed.run(parsed))
        sys.stdout.flush()
        return code
    except UsageError as error:
        print(f"pytest-hwcloud: {error}", file=sys.stderr)
        return 2
    except BrokenPipeError:  # `pytest-hwcloud … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0


def _parser(first: str) -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="pytest-hwcloud",
        description="Explain refusals of Huawei Cloud, judge permissions offline, look after cassettes.",
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    wanted = {first: _COMMANDS[first]} if first in _COMMANDS else _COMMANDS  # one command loads one room
    for module in wanted.values():
        import_module(f"pytest_hwcloud.commands.{module}").add(commands)
    return parser
