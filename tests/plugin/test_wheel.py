"""The wheel: everything that a run needs is inside, nothing else, and it works from there. No network."""

from __future__ import annotations

import configparser
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from zipfile import ZipFile

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("cloud/facts", "cassettes", "texts", "permissions/reports", "tour")
pytestmark = pytest.mark.skipif(not (ROOT / "pyproject.toml").is_file(), reason="not in a checkout")


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ZipFile]:
    backend = pytest.importorskip("hatchling.build", reason="pip install hatchling")
    folder, before = tmp_path_factory.mktemp("wheel"), Path.cwd()
    os.chdir(ROOT)  # a build backend works in the project's folder
    try:
        name = backend.build_wheel(str(folder))
    finally:
        os.chdir(before)
    with ZipFile(folder / name) as opened:
        yield opened


@pytest.fixture(scope="session")
def installed(wheel: ZipFile, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    wheel.extractall(folder)
    return folder


def packed(wheel: ZipFile) -> set[str]:
    return {name for name in wheel.namelist() if not name.endswith("/")}


def tracked() -> set[str]:
    """What the wheel should hold: every source and data file of the package, and the library."""
    kinds = {".py", ".json", ".jsonl", ".md", ".css", ".js", ".cjs", ".html", ".yaml", ".typed"}
    package = ROOT / "pytest_hwcloud"
    files = [p for p in package.rglob("*") if p.is_file() and (p.suffix in kinds or p.name == "py.typed")]
    own = {p.relative_to(ROOT).as_posix() for p in files if not any(part.startswith((".", "__py")) for part in p.parts)}
    library = {f"pytest_hwcloud/{p.relative_to(ROOT).as_posix()}" for p in (ROOT / "cassettes").rglob("*.yaml")}
    return own | library


def test_all_of_the_package_is_inside_and_nothing_else(wheel: ZipFile) -> None:
    inside = {name for name in packed(wheel) if ".dist-info/" not in name}
    assert inside == tracked()
    assert "pytest_hwcloud/py.typed" in inside
    assert (
        len([name for name in inside if name.startswith("pytest_hwcloud/cassettes/") and name.endswith(".yaml")]) == 13
    )
    for folder in FOLDERS:
        assert any(name.startswith(f"pytest_hwcloud/{folder}/") for name in inside), folder


def test_the_metadata(wheel: ZipFile) -> None:
    (name,) = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
    lines = wheel.read(name).decode().splitlines()
    assert {"Name: pytest-hwcloud", "License-Expression: Apache-2.0", "Requires-Python: >=3.11"} <= set(lines)
    needed = {
        line.split()[1].partition(">")[0] for line in lines if line.startswith("Requires-Dist") and ";" not in line
    }
    assert needed >= {"pytest", "requests", "vcrpy", "pluggy", "pyyaml"}
    assert needed <= {"pytest", "requests", "vcrpy", "pluggy", "pyyaml", "urllib3"}
    assert name.replace("METADATA", "licenses/LICENSE") in wheel.namelist()
    points = configparser.ConfigParser()
    points.read_string(wheel.read(name.replace("METADATA", "entry_points.txt")).decode())
    assert dict(points["pytest11"]) == {"hwcloud": "pytest_hwcloud.plugin"}
    assert dict(points["console_scripts"]) == {"pytest-hwcloud": "pytest_hwcloud.__main__:main"}


def test_the_tour_passes_from_the_wheel(installed: Path, tmp_path: Path) -> None:
    """In an empty folder, with the unpacked wheel in front of this checkout."""
    script = (
        "import sys, pytest, pytest_hwcloud\n"
        "from pytest_hwcloud.cassettes import library\n"
        f"assert pytest_hwcloud.__file__.startswith({str(installed)!r})\n"
        f"assert str(library.root()).startswith({str(installed)!r}) and len(library.names()) == 13\n"
        "sys.exit(pytest.main(['-q', '-p', 'hwcloud', '-p', 'no:cacheprovider', '--pyargs', 'pytest_hwcloud.tour',\n"
        "                      '--deselect', 'test_sdk.py', '--strict-markers', '-W', 'error']))\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYTEST", "COV"))}
    environment |= {"PYTHONPATH": str(installed), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["explain", "Ecs.0110"], "hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs"),
        (["cassettes", "show", "network/dns-failure"], "network/dns-failure"),
    ],
)
def test_the_command_works_from_the_wheel(installed: Path, tmp_path: Path, arguments: list[str], shown: str) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pytest_hwcloud", *arguments],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert shown in done.stdout
