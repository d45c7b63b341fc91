"""The console script: version, spellings, and one form for every error."""

from __future__ import annotations

import json
from importlib.metadata import version

import pytest

from pytest_hwcloud import texts
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
    assert capsys.readouterr().err == "pytest-hwcloud: unrecognized arguments: --bogus；参见 pytest-hwcloud --help\n"
    assert texts.language() == "en"
