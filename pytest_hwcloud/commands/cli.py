"""The console script: one parser, its commands mounted from the rooms that know them."""

from __future__ import annotations

import argparse
import io
import json
import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from importlib.metadata import version
from typing import NoReturn

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.identity import unknown
from pytest_hwcloud.commands import UsageError

_COMMANDS = {
    "explain": "explain",
    "needs": "needs",
    "actions": "actions",
    "policy": "policy",
    "cassettes": "cassettes",
    "run": "run",
    "help": "help",
}


_SPELLED = {"minimize": "minimise"}


class Parser(argparse.ArgumentParser):
    """argparse with our form of an error: one line that names the command, what is wrong, and where help is."""

    def error(self, message: str) -> NoReturn:
        command = self.prog.removeprefix("pytest-hwcloud").strip()
        where = texts.say("cli.command", command=command) if command else ""
        raise UsageError(where + texts.say("cli.wrong", what=message, program=self.prog))

    def _check_value(self, action: argparse.Action, value: object) -> None:
        if action.choices is None or value in action.choices:
            return
        known = [str(choice) for choice in action.choices]
        kind = action.option_strings[0] if action.option_strings else str(action.metavar or action.dest).lower()
        problem = unknown(kind, str(value), known)
        raise UsageError(texts.say("cli.see-help", problem=problem, program=self.prog))


def run(arguments: Sequence[str]) -> int:
    """Run one command; 0 clean, 1 a finding or a denial, 2 wrong use or unreadable input."""
    arguments = [_SPELLED.get(word, word) if number < 2 else word for number, word in enumerate(arguments)]
    before = texts.language()
    for stream in (sys.stdout, sys.stderr):  # a sign that the terminal does not have is escaped, not an error
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        texts.use(_language(arguments, before))
        with _argparse_speaking(texts.language()):
            parsed = _parser(next((word for word in arguments if not word.startswith("-")), "")).parse_args(arguments)
        code = int(parsed.run(parsed))
        sys.stdout.flush()
        return code
    except UsageError as error:
        if "--json" in _ours(arguments):
            print(json.dumps({"error": str(error)}, ensure_ascii=False))
        for line in str(error).splitlines():
            print(line if line.startswith(" ") else texts.say("cli.line", text=line), file=sys.stderr)
        return 2
    except BrokenPipeError:  # `pytest-hwcloud … | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    finally:
        texts.use(before)


def _ours(arguments: Sequence[str]) -> Sequence[str]:
    """The arguments without those of a program that is run."""
    return arguments[: arguments.index("--")] if "--" in arguments else arguments


def _language(arguments: Sequence[str], default: str) -> str:
    """The language that --lang names, before the arguments are parsed: the errors of parsing speak it, too.

    What machines read (--json) is English; only explanations are asked for in a language.
    """
    arguments = _ours(arguments)
    if "--json" in arguments and "explain" not in arguments:
        return texts.LANGUAGES[0]
    for word, following in zip(arguments, [*arguments[1:], ""], strict=False):
        given = following if word == "--lang" else word.removeprefix("--lang=")
        if word.startswith("--lang") and given in texts.LANGUAGES:
            return given
    return default


@contextmanager
def _argparse_speaking(language: str) -> Iterator[None]:
    """Meanwhile argparse takes its texts from here: it looks them up by the function `_` of its module."""
    before, said = vars(argparse)["_"], texts.phrases(language, "argparse")
    vars(argparse)["_"] = lambda text: said.get(text, text)
    try:
        yield
    finally:
        vars(argparse)["_"] = before


def _parser(first: str) -> argparse.ArgumentParser:
    parser = Parser(prog="pytest-hwcloud", description=texts.say("cli.description"), epilog=texts.say("cli.example"))
    _add_language(parser)
    number = f"pytest-hwcloud {version('pytest-hwcloud')}"
    parser.add_argument("--version", action="version", version=number, help=texts.say("cli.version"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    wanted = {first: _COMMANDS[first]} if first in _COMMANDS else _COMMANDS  # one command loads one room
    for module in wanted.values():
        import_module(f"pytest_hwcloud.commands.{module}").add(commands)
    _describe(parser, ())
    if (
        "_ARGCOMPLETE" in os.environ
    ):  # set by the shell while it completes a line: pip install 'pytest-hwcloud[completion]'
        _complete(parser)
    return parser


def _describe(parser: argparse.ArgumentParser, path: tuple[str, ...]) -> None:
    """Give every command below a parser what its --help begins and ends with: a sentence and an example."""
    for action in parser._actions:
        if not isinstance(action, argparse._SubParsersAction):
            continue
        said = {choice.dest: choice.help or "" for choice in action._choices_actions}
        for name, command in action.choices.items():
            below = (*path, name)
            command.description = command.description or said.get(name, "")
            example = texts.say(f"cli.example-{'-'.join(below)}")
            if example not in (command.epilog or ""):
                command.epilog = " ".join(part for part in (command.epilog, example) if part)
            _add_language(command)
            _describe(command, below)


def _add_language(parser: argparse.ArgumentParser) -> None:
    """`--lang`, where the command has none; it was read before, and may stand anywhere."""
    if "--lang" not in parser._option_string_actions:
        about = texts.say("cli.lang")
        parser.add_argument("--lang", choices=texts.LANGUAGES, default=argparse.SUPPRESS, help=about)


def _complete(parser: argparse.ArgumentParser) -> None:
    try:
        import argcomplete
    except ImportError:
        return
    argcomplete.autocomplete(parser)
