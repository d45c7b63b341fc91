"""The rooms of the house: arrows point one way, and a run without cloud tests loads three modules of ours."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pytest_hwcloud

PACKAGE = Path(pytest_hwcloud.__file__).parent
ROOMS = {
    "cloud": set(),
    "journal": {"cloud"},
    "gates": {"cloud"},
    "replay": {"gates", "cloud", "journal", "cli_errors"},
    "explanations": {"cloud", "journal", "gates", "cli_errors"},
    "permissions": {"cloud", "journal", "gates", "cli_errors", "options"},
    "config": {"cloud", "options", "permissions", "replay"},  # it checks what an ignore or `keep` may name
    "running": {
        "config",
        "markers",
        "options",
        "fixture",
        "permissions",
        "explanations",
        "replay",
        "gates",
        "cloud",
        "journal",
    },
}
FOREIGN = {"cloud": {"pytest", "vcr", "socket", "_pytest"}, "gates": {"pytest", "vcr", "_pytest"}}


def imports(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names if node.module == "pytest_hwcloud")


def files(room: str) -> list[Path]:
    single = PACKAGE / f"{room}.py"
    return [single] if single.is_file() else sorted((PACKAGE / room).rglob("*.py"))


@pytest.mark.parametrize("room", ROOMS)
def test_arrows_point_one_way(room: str) -> None:
    allowed = ROOMS[room] | {room}
    wrong = [
        f"{file.relative_to(PACKAGE)}: {name}"
        for file in files(room)
        for name in imports(file)
        if name.startswith("pytest_hwcloud.") and name.split(".")[1] not in allowed
    ]
    assert wrong == []


@pytest.mark.parametrize("room", FOREIGN)
def test_what_the_cloud_is_knows_no_pytest_and_no_vcr(room: str) -> None:
    wrong = [
        f"{file.relative_to(PACKAGE)}: {name}"
        for file in files(room)
        for name in imports(file)
        if name.split(".")[0] in FOREIGN[room]
    ]
    assert wrong == []


PROBE = """
import sys, pytest
before = set(sys.modules)
code = pytest.main(["-q", "-p", "hwcloud", "-p", "no:cacheprovider", "test_plain.py"])
ours = sorted(name for name in sys.modules if name.split(".")[0] == "pytest_hwcloud")
foreign = sorted({"requests", "vcr", "yaml", "urllib3"} & {name.split(".")[0] for name in set(sys.modules) - before})
print("LOADED", int(code), ours, foreign)
"""


def test_a_run_without_cloud_tests_loads_three_modules_of_ours_and_none_of_others(tmp_path: Path) -> None:
    (tmp_path / "test_plain.py").write_text("def test_plain():\n    assert True\n")
    (tmp_path / "probe.py").write_text(PROBE)
    environment = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PATH": "/usr/bin:/bin"}
    found = subprocess.run(
        [sys.executable, "probe.py"], cwd=tmp_path, capture_output=True, text=True, env=environment, check=True
    )
    wanted = "LOADED 0 ['pytest_hwcloud', 'pytest_hwcloud.options', 'pytest_hwcloud.plugin'] []"
    assert found.stdout.splitlines()[-1] == wanted
