"""Command line and ini of pytest, read into one frozen Settings. Imports nothing but pytest."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

CHOICES: dict[str, tuple[str, ...]] = {
    "mode": ("replay", "record", "live"),
    "permissions": ("report", "off", "enforce"),
    "lock": ("off", "check", "update"),
    "prove": ("off", "changed", "all"),
    "lang": ("en", "zh"),
    "record": ("missing", "all"),
}
REPORT_FORMATS = ("json", "sarif", "md", "html")


@dataclass(frozen=True, kw_only=True)
class Settings:
    """What a run was asked to do. Paths are absolute."""

    mode: str = "replay"
    policies: tuple[tuple[str, str], ...] = ()  # (identity name, file)
    permissions: str = "report"
    lock: str = "off"
    prove: str = "off"
    reports: tuple[tuple[str, Path], ...] = ()  # (format, file)
    lang: str = "en"
    region: str = "cn-north-4"
    region_given: bool = False  # on the command line or in the ini, so it wins over hwcloud.yaml
    record: str = "missing"
    verify: bool = False
    config_file: Path = Path("hwcloud.yaml")
    config_given: bool = False
    cassette_dir: str = "cassettes"
    lockfile: Path = Path("hwcloud-permissions.yaml")
    hosts: tuple[str, ...] = ()
    max_age: int | None = None  # days after which a recording is reported
    root: Path = Path(".")
