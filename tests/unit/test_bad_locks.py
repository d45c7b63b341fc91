"""Locks that cannot be used: one line with file, line, key and the way out; never a traceback, a wait or silence."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_hwcloud.permissions.lock import lockfile

GOOD = """\
version: 1
identities:
  default:
    policies: {iam/r.json: "1.1"}
    grants:
      - allow ecs:*:list*
permissions:
  ecs:cloudServers:list:
    calls: ["GET ecs /v1/{project_id}/cloudservers/detail"]
    tests:
      test_it.py::test_it: used
unmapped: {}
"""
LOCK = "lock.yaml"
UPDATE = "pytest --hwcloud-lock=update"


def problem(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    return lockfile.problem(Path(LOCK))


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (os.mkfifo, "is a pipe, a socket or a device, not a regular file"),
        (os.mkdir, "is a folder, not a file"),
        (lambda name: os.symlink("/dev/zero", name), "is a pipe, a socket or a device, not a regular file"),
        (lambda name: os.symlink("/dev/null", name), "is a pipe, a socket or a device, not a regular file"),
        (lambda name: os.symlink("nowhere.yaml", name), "is a link to a file that does not exist"),
        (lambda name: os.symlink(name, name), "is a link that leads to itself"),
        (
            lambda name: Path(name).write_bytes(b"version: 1\n\xff"),
            "line 2 is not UTF-8 text (byte 0xff); save the file as UTF-8",
        ),
    ],
)
def test_no_readable_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[str], object], said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make(LOCK)
    assert problem(tmp_path, monkeypatch) == f"{LOCK}: {said}; correct it, or delete it and create it again: {UPDATE}"


def test_a_lock_is_no_bigger_than_64_megabytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with open(LOCK, "wb") as file:
        file.truncate((64 << 20) + 1)
    assert problem(tmp_path, monkeypatch).startswith(f"{LOCK}: larger than 64 MB; ")


TEXTS = {
    "empty": ("", 1),
    "blank": ("\n\n", 1),
    "a comment alone": ("# nothing\n", 1),
    "a list": ("- 1\n", 1),
    "a text": ("hello\n", 1),
    "a number": ("5\n", 1),
    "null": ("null\n", 1),
    "no version": (GOOD.replace("version: 1\n", ""), 1),
    "version 2": (GOOD.replace("version: 1", "version: 2"), 1),
    "version true": (GOOD.replace("version: 1", "version: true"), 1),
    "version 1.0": (GOOD.replace("version: 1", "version: 1.0"), 1),
    "version in quotes": (GOOD.replace("version: 1", 'version: "1"'), 1),
    "version of 5,000 digits": (GOOD.replace("version: 1", "version: " + "9" * 5000), 1),
    "a day that is none": (GOOD.replace('"1.1"', "2026-99-99"), 4),
    "a version that is a number": (GOOD.replace('"1.1"', "1.1"), 4),
    "nested 5,000 times": ("[" * 5000, 1),
    "mappings nested": ("a: " + "{a: " * 3000 + "1" + "}" * 3000, 1),
    "a lone surrogate": (GOOD.replace("  ecs:cloudServers:list:", '  "ecs:cloud\\ud800:list":'), 8),
    "a tag": (GOOD + "x: !!python/object/apply:os.system ['id']\n", 13),
    "two documents": (GOOD + "---\n" + GOOD, 13),
    "a conflict": (GOOD.replace("permissions:", "<<<<<<< HEAD\npermissions:"), 7),
    "the middle of a conflict": (GOOD.replace("permissions:", "=======\npermissions:"), 7),
    "tests as a list": (GOOD.replace("test_it.py::test_it: used", "- x"), 10),
    "a misspelt key": (GOOD.replace("tests:", "testz:"), 10),
    "unmapped as a list": (GOOD.replace("unmapped: {}", "unmapped: [a]"), 12),
    "unmapped tests as a text": (GOOD.replace("unmapped: {}", "unmapped: {GET x: y}"), 12),
    "unjudged as a text": (GOOD + "unjudged: x\n", 13),
    "identities as a list": (GOOD.replace("identities:\n  default:", "identities:\n  - default:"), 2),
    "an identity as a text": ("version: 1\nidentities: {default: x}\n", 2),
    "policies as a list": (GOOD.replace('{iam/r.json: "1.1"}', "[iam/r.json]"), 4),
    "grants as a text": ("version: 1\nidentities: {default: {grants: x}}\n", 2),
    "a grant that is none": (GOOD.replace("allow ecs:*:list*", "allowed ecs:*:list*"), 6),
    "a grant without an action": (GOOD.replace("allow ecs:*:list*", "allow"), 6),
    "a grant as a mapping": (GOOD.replace("allow ecs:*:list*", "{allow: x}"), 6),
    "a condition that is none": (GOOD.replace("allow ecs:*:list*", "'allow ecs:*:list* if {\"X\": 3}'"), 6),
    "a broken condition": (GOOD.replace("allow ecs:*:list*", "'allow ecs:*:list* if {\"X\"'"), 6),
    "an action with one colon": (GOOD.replace("  ecs:cloudServers:list:", "  ecs:list:"), 8),
    "an action with three": (GOOD.replace("  ecs:cloudServers:list:", "  ecs:a:b:list:"), 8),
    "a wildcard as an action": (GOOD.replace("  ecs:cloudServers:list:", "  ecs:cloudServers:*:"), 8),
    "a permission as a list": (GOOD.replace("    calls:", "    - calls:").replace("    tests:", "      tests:"), 8),
    "a status that is none": (GOOD.replace(": used", ": fine"), 11),
    "no status": (GOOD.replace(": used", ":"), 11),
    "a status as a number": (GOOD.replace(": used", ": 1"), 11),
    "a number as a test": (GOOD.replace("test_it.py::test_it: used", "1: used"), 11),
    "a key twice": (GOOD + "unmapped: {}\n", 13),
    "an unknown key": (GOOD + "notes: x\n", 13),
    "tabs": (GOOD.replace("  ", "\t"), 3),
    "a brace too few": (GOOD.replace("unmapped: {}", "unmapped: {"), 13),
    "an unknown alias": (GOOD.replace("unmapped: {}", "unmapped: *x"), 12),
}


@pytest.mark.parametrize("name", TEXTS)
def test_one_line_with_the_place_and_the_way_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    text, line = TEXTS[name]
    tmp_path.joinpath(LOCK).write_text(text, encoding="utf-8")
    said = problem(tmp_path, monkeypatch)
    assert said.startswith(f"{LOCK}:{line}: ")
    assert UPDATE in said
    assert "\n" not in said
    assert len(said) < 400
    assert "Error" not in said


@pytest.mark.parametrize("text", [GOOD, "\ufeff" + GOOD, GOOD.replace("\n", "\r\n"), GOOD + "unjudged: {}\n"])
def test_what_is_good_all_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    tmp_path.joinpath(LOCK).write_bytes(text.encode())
    assert problem(tmp_path, monkeypatch) == ""


def test_a_link_to_a_lock_stays_a_link(tmp_path: Path) -> None:
    real, link = tmp_path / "real.yaml", tmp_path / LOCK
    real.write_text(GOOD, encoding="utf-8")
    link.symlink_to(real)
    lockfile.write(link, lockfile.read(link))
    assert link.is_symlink()
    assert real.read_text(encoding="utf-8").startswith("# written by: ")
