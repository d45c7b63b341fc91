"""A copy of the sample project (tests/sample), changed as its developers would change it, and what a run says of it."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import pytest

SOURCE = Path(__file__).parents[1] / "sample"
Row = tuple[str, str, str, str]  # rule, action, identity, test
_OURS = ("-p", "hwcloud", "-p", "no:cacheprovider")


class Sample:
    """The copy, below the scratch folder of the test."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester, self.path = pytester, Path(pytester.path)
        shutil.copytree(SOURCE, self.path, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", ".*"))
        self.lock = self.path / "hwcloud-permissions.yaml"

    def read(self, name: str) -> str:
        return (self.path / name).read_text(encoding="utf-8")

    def change(self, name: str, old: str, new: str, count: int = 1) -> None:
        """Replace a text that stands there exactly so often."""
        text = self.read(name)
        assert text.count(old) == count, (name, old)
        (self.path / name).write_text(text.replace(old, new), encoding="utf-8")

    def add(self, name: str, text: str) -> None:
        """Write text to the end of a file."""
        (self.path / name).write_text(self.read(name) + text, encoding="utf-8")

    def line(self, name: str, text: str) -> int:
        """The number of the first line that contains the text."""
        return next(number for number, row in enumerate(self.read(name).splitlines(), 1) if text in row)

    def run(self, *arguments: str) -> Said:
        """In this process, which has the SDK loaded."""
        return Said(self, self.pytester.runpytest_inprocess(*_OURS, "--hwcloud-report=json:said.json", *arguments))

    def run_distributed(self, *arguments: str) -> Said:
        """By two workers."""
        workers = ("-p", "xdist", "-n2")
        given = (*_OURS, *workers, "--hwcloud-report=json:said.json", *arguments)
        return Said(self, self.pytester.runpytest_subprocess(*given))

    def check(self, *arguments: str) -> Said:
        """As CI does."""
        return self.run("--hwcloud-permissions=enforce", "--hwcloud-lock=check", *arguments)


class Said:
    """What a run said."""

    def __init__(self, sample: Sample, result: pytest.RunResult) -> None:
        self.result, self.code = result, result.ret
        self.text = "\n".join(result.outlines)
        self.data = json.loads(sample.read("said.json"))
        self.findings: list[dict[str, object]] = self.data["findings"]

    @property
    def rows(self) -> list[Row]:
        """The findings, sorted."""
        keys = ("rule", "action", "identity", "test")
        return sorted((*(str(row[key]) for key in keys),) for row in self.findings)  # type: ignore[misc]

    @property
    def causes(self) -> dict[str, str]:
        """`HWP007 evs:volumes:list` -> `policy iam/viewer.json:12` of the findings that have a cause."""
        return {
            f"{row['rule']} {row['action']}": f"{row['cause']} {row['place']['file']}:{row['place']['line']}"  # type: ignore[index]
            for row in self.findings
            if row["cause"]
        }

    def patch(self) -> str:
        """The first patch that the terminal shows."""
        lines = self.result.outlines
        start = next(number for number, line in enumerate(lines) if line.startswith("            --- "))
        end = next(number for number, line in enumerate(lines) if number > start and not line.startswith(" " * 12))
        return "\n".join(lines[start:end]) + "\n"


def load_sdk() -> None:
    """The SDK stays loaded from one run to the next; for a fixture that comes before pytester, which forgets."""
    for package in ("ecs.v2", "vpc.v2", "vpc.v3", "evs.v2", "tms.v1", "iam.v3"):
        pytest.importorskip(f"huaweicloudsdk{package}")


def copy(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Sample:
    """A fresh copy. Python compares times in seconds: a source that changes twice in one must not be cached."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    return Sample(pytester)
