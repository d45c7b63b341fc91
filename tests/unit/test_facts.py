"""The facts in the package are those of their sources, rebuilt by one command."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

FACTS = Path(__file__).parents[1] / "facts"
_spec = importlib.util.spec_from_file_location("build", FACTS / "build.py")
assert _spec is not None
assert _spec.loader is not None
build = importlib.util.module_from_spec(_spec)
_spec.loader.exec_module(build)


@pytest.fixture(scope="module")
def made() -> dict[str, str]:
    return build.files()


def test_the_package_holds_what_the_sources_make(made: dict[str, str]) -> None:
    assert build.changes(made) == {}, "run: python tests/facts/build.py"


def test_what_differs_is_named_and_written(made: dict[str, str], tmp_path: Path) -> None:
    build.write(made, build.changes(made, tmp_path), tmp_path)
    assert build.changes(made, tmp_path) == {}
    (tmp_path / "endpoints.json").write_text("{}")
    (tmp_path / "errors" / "old.json").write_text("{}")
    (tmp_path / "denials.json").unlink()
    found = {"denials.json": "new", "endpoints.json": "changed", "errors/old.json": "gone"}
    assert build.changes(made, tmp_path) == found
    build.write(made, found, tmp_path)
    assert build.changes(made, tmp_path) == {}


def test_the_command_says_what_would_change() -> None:
    script = str(FACTS / "build.py")
    check = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")
    wrong = subprocess.run([sys.executable, script, "--chekc"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stderr) == (2, "usage: python tests/facts/build.py [--check]\n")
