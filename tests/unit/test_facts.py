"""The facts in the package are those of their sources, rebuilt by one command."""

from __future__ import annotations

import importlib.util
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_hwcloud.cloud.calls import actions, calls, tables

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
    (tmp_path / "cloud/facts/endpoints.json").write_text("{}")
    (tmp_path / "cloud/facts/errors/old.json").write_text("{}")
    (tmp_path / "cloud/facts/denials.json").unlink()
    (tmp_path / "guide/other.md").write_text("")  # not ours
    found = {
        "cloud/facts/denials.json": "new",
        "cloud/facts/endpoints.json": "changed",
        "cloud/facts/errors/old.json": "gone",
    }
    assert build.changes(made, tmp_path) == found
    build.write(made, found, tmp_path)
    assert build.changes(made, tmp_path) == {}


def test_the_command_says_what_would_change() -> None:
    script = str(FACTS / "build.py")
    check = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (check.returncode, check.stdout, check.stderr) == (0, "", "")
    wrong = subprocess.run([sys.executable, script, "--chekc"], capture_output=True, text=True, check=False)
    assert (wrong.returncode, wrong.stderr) == (2, "usage: python tests/facts/build.py [--check]\n")


def test_the_coverage_in_the_guide_is_what_the_tables_say(made: dict[str, str]) -> None:
    page = (build.TARGET / build.COVERAGE).read_text(encoding="utf-8")
    found = {
        cells[1]: [int(cell.strip("*")) for cell in cells[2:7]] for cells in map(_cells, page.splitlines()) if cells
    }
    assert set(found) == {*tables.shipped(), "**all**"}
    for service in tables.shipped():
        rows = tables.read(service)[1]
        silent = sum(not row.documented for row in rows)
        assert (found[service][0], found[service][4]) == (len(rows), silent), service
        assert found[service][1] == sum(bool(row.actions) for row in rows)
        assert found[service][2] == sum(bool(row.identity) for row in rows)
    assert found["**all**"][0] == sum(numbers[0] for name, numbers in found.items() if name != "**all**")


def _cells(line: str) -> list[str]:
    cells = [cell.strip() for cell in line.split("|")]
    return cells if len(cells) == 8 and cells[2].strip("*").isdigit() else []


PAGE = Path(__file__).parents[2] / "pytest_hwcloud" / "guide" / "tables.md"


def test_the_table_in_the_guide_can_be_used(tmp_path: Path) -> None:
    """The example of a hand-written table, as it stands there."""
    (example,) = re.findall(r"(?s)```yaml\n(service: .*?)```", PAGE.read_text(encoding="utf-8"))
    file = tmp_path / "dis.yaml"
    file.write_text(example, encoding="utf-8")
    url = "https://dis.cn-north-4.myhuaweicloud.com/v2/05041fffa40025702f6dc009cc6f8f33/streams"
    calls.add_table(file)
    try:
        assert calls.needs("GET", url).actions == ("dis:streams:list",)
        assert calls.needs("POST", url, {"stream_type": "COMMON"}).dependencies == ()
        assert calls.needs("POST", url, {"obs": {"bucket": "b"}}).dependencies == ("obs:bucket:HeadBucket",)
        assert calls.needs("POST", url + "/s1/action", {"action": "stop"}).actions == ("dis:streams:stop",)
        assert calls.needs("POST", url + "/s1/action", {"action": "start"}).actions == ("dis:streams:start",)
        assert calls.needs("GET", url.rpartition("/")[0] + "/regions").required is False
        assert actions.names("dis:streams:listStreams") == ("dis:streams:listStreams", "dis:streams:list")
    finally:
        calls.clear_tables()
