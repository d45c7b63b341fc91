"""The console script: version, spellings, and one form for every error."""

from __future__ import annotations

import argparse
import json
import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.commands import cli
from pytest_hwcloud.commands.cli import run

WRONG = {
    ("explan", "x"): "unknown command 'explan'; did you mean 'explain'?; pytest-hwcloud --help",
    (): "the following arguments are required: COMMAND; see pytest-hwcloud --help",
    ("needs",): "needs: the following arguments are required: METHOD, URL; see pytest-hwcloud needs --help",
    ("policy", "chekc"): "unknown command 'chekc'; did you mean 'check'?; pytest-hwcloud policy --help",
    (
        "policy",
        "minimize",
        "--grammar",
        "6",
    ): "unknown --grammar '6'; known: 1.1, 5.0; pytest-hwcloud policy minimise --help",
    ("needs", "GET", "https://a", "--bogus"): "unrecognized arguments: --bogus; see pytest-hwcloud --help",
}


@pytest.mark.parametrize("arguments", WRONG, ids=" ".join)
def test_wrong_use_is_one_line(capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...]) -> None:
    assert run(arguments) == 2
    assert capsys.readouterr() == ("", f"pytest-hwcloud: {WRONG[arguments]}\n")


def test_an_error_with_json_is_json_on_standard_output(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["needs", "GET", "foo", "--json"]) == 2
    shown = capsys.readouterr()
    assert json.loads(shown.out) == {"error": shown.err.removeprefix("pytest-hwcloud: ").rstrip("\n")}


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        run(["--version"])
    assert (stopped.value.code, capsys.readouterr().out) == (0, f"pytest-hwcloud {version('pytest-hwcloud')}\n")


def test_the_language_of_errors_is_that_of_the_command(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["help", "--lang", "zh", "--bogus"]) == 2
    assert capsys.readouterr().err == "pytest-hwcloud：未知的参数：--bogus；参见 pytest-hwcloud --help\n"
    assert texts.language() == "en"


def commands(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            for name, below in action.choices.items():
                yield (*path, name)
                yield from commands(below, (*path, name))


PATHS = list(commands(cli._parser("")))


@pytest.mark.parametrize("language", texts.LANGUAGES)
@pytest.mark.parametrize("path", PATHS, ids=" ".join)
def test_every_command_describes_itself_with_an_example_that_is_right(
    capsys: pytest.CaptureFixture[str], path: tuple[str, ...], language: str
) -> None:
    example = texts.say_in(language, f"cli.example-{'-'.join(path)}")
    texts.use(language)
    try:
        with pytest.raises(SystemExit):
            run([*path, "--help"])
        _, _, told = capsys.readouterr().out.partition("\n\n")
        cli._parser("").parse_args(shlex.split(example.partition("pytest-hwcloud ")[2]))
    finally:
        texts.use("en")
    assert not told.startswith(("positional", "options", "usage"))
    assert "".join(told.split()).endswith("".join(example.split()))


def test_the_shell_completes_commands_and_options(tmp_path: Path) -> None:
    pytest.importorskip("argcomplete", reason="the extra completion is not installed")

    def completed(line: str) -> list[str]:
        file = tmp_path / "answer"
        asked = {"COMP_LINE": line, "COMP_POINT": str(len(line)), "COMP_TYPE": "9", "_ARGCOMPLETE": "1", "IFS": "\n"}
        asked |= {"_ARGCOMPLETE_IFS": "\n", "_ARGCOMPLETE_STDOUT_FILENAME": str(file)}
        command = [sys.executable, "-m", "pytest_hwcloud"]
        subprocess.run(command, env=os.environ | asked, check=True, timeout=60, capture_output=True)
        return [word.strip() for word in file.read_text("utf-8").splitlines()]

    assert completed("pytest-hwcloud pol") == ["policy"]
    assert [word for word in sorted(completed("pytest-hwcloud policy ")) if word[0] != "-"] == [
        "check",
        "diff",
        "fix",
        "lint",
        "minimise",
    ]
    assert completed("pytest-hwcloud policy minimise --gr") == ["--grammar"]
