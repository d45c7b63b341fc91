"""Files on disk: YAML with lines, texts as YAML, and files that are written whole."""

from __future__ import annotations

import os
import sys
import types
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.files import atomic
from pytest_hwcloud.files.atomic import locked, sweep, write_whole
from pytest_hwcloud.files.yaml_reader import LocatedError, load, read_cassette_yaml
from pytest_hwcloud.files.yaml_text import block, readable, scalar

DOCUMENT = """\
region: x
identities:
  a:
    policies:
      - one
      - {two: 2}
  b: [1, [2,
    3]]
same: &s {k: v}
again: *s
"""


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1), (("identities",), 2), (("identities", "a", "policies", 0), 5), (("identities", "a", "policies", 1), 6),
        (("identities", "a", "policies", 1, "two"), 6), (("identities", "b", 1, 1), 8), (("again", "k"), 9),
        (("identities", "a", "none", "below"), 3), (("none",), 1),
    ],
)  # fmt: skip
def test_every_place_has_its_line(path: tuple[str | int, ...], line: int) -> None:
    assert load(DOCUMENT, "f.yaml").line(path) == line


def test_the_error_of_a_place() -> None:
    error = load(DOCUMENT, "f.yaml").error(("identities", "a", "policies", 1, "two"), "is wrong")
    assert str(error) == "f.yaml:6: identities.a.policies[1].two: is wrong"
    assert (error.line, error.problem) == (6, "identities.a.policies[1].two: is wrong")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-99, 99) | st.text(max_size=12) | st.dates(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=200, deadline=None, derandomize=True)
@given(PLAIN)
def test_what_yaml_dumps_is_read_as_yaml_reads_it(value: object) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    assert load(text, "f").value == read_cassette_yaml(text, "f") == yaml.safe_load(text)


WRONG = {
    "a: 2026-99-99\n": "f:1: not valid YAML: '2026-99-99' is no timestamp",
    "b: 1\na: " + "1" * 5000: f"f:2: not valid YAML: '{'1' * 37}...' is no int",
    "a: 0o8\nb: !!int x\n": "f:2: not valid YAML: 'x' is no int",
    "a: \x01\n": "f:1: not valid YAML: control characters are not allowed (character 3)",
    "x: 1\na:\n  b: 1\n  c:\n    - d: 1\n      d: 2\n": "f:6: a.c[0].d: given twice",
    "[" * 5000: "f:1: nested deeper than 100 levels",
    "a: " + "{a: " * 200 + "1" + "}" * 200: "f:1: nested deeper than 100 levels",
    "a: 1\n---\nb: 1\n": "f:2: not valid YAML: one document is expected, this file has more",
    "a: *x\n": "f:1: alias *x has no anchor before it, or is inside it",
    "? [a]\n: b\n": "f:1: not valid YAML: a key must be a plain value",
    "a: !x b\n": "f:1: could not determine a constructor for the tag '!x': only plain YAML is read, no tags",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=range(len(WRONG)))
def test_a_wrong_document_is_one_line(text: str, message: str) -> None:
    with pytest.raises(LocatedError) as caught:
        load(text, "f")
    assert str(caught.value) == message


def test_the_depth_has_our_sentence_whatever_pyyaml_says(monkeypatch: pytest.MonkeyPatch) -> None:
    """PyYAML 6.0.4 stops at a depth of its own, with words of its own."""

    class Limited(yaml.SafeLoader):
        def check_event(self, *choices: object) -> bool:
            raise yaml.MarkedYAMLError(problem="exceeded max nesting depth", problem_mark=self.get_mark())

    monkeypatch.setattr(yaml, "CSafeLoader", Limited)
    with pytest.raises(LocatedError) as caught:
        load("a: 1", "f")
    assert str(caught.value) == "f:1: nested deeper than 100 levels"


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=60))
def test_every_text_is_written_so_that_yaml_reads_it(text: str) -> None:
    for written in (f"k: {scalar(text)}\n", f"k: {block(text * 3, 2)}\n", f"k: {readable(text)}\n"):
        assert yaml.safe_load(written)["k"] in (text, text * 3)
    assert yaml.safe_load(f"[{readable(text, flow=True)}]") == [text]


def test_a_file_is_replaced_with_its_permissions_and_nothing_is_left_beside_it(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    write_whole(file, "one\r\n\ud800")
    assert file.read_bytes() == b"one\r\n\\ud800"
    file.chmod(0o600)
    write_whole(file, "two", durable=True)
    assert (file.read_text(), file.stat().st_mode & 0o777, os.listdir(tmp_path)) == ("two", 0o600, ["a.yaml"])
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, "x")


def test_a_failed_write_leaves_the_old_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "a.yaml"
    write_whole(file, "one")

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_disk)
    with pytest.raises(OSError, match="No space left"):
        write_whole(file, "two", durable=True)
    assert (file.read_text(), os.listdir(tmp_path)) == ("one", ["a.yaml"])


def test_what_a_killed_process_left_is_swept(tmp_path: Path) -> None:
    file = tmp_path / "a.yaml"
    write_whole(file, "one")
    (tmp_path / ".a.yaml.77-0.tmp").write_text("half")
    (tmp_path / ".b.yaml.77-0.tmp").write_text("of another file")
    with locked(file):
        sweep(file)
    assert sorted(os.listdir(tmp_path)) == [".b.yaml.77-0.tmp", "a.yaml"]


def test_windows_waits_for_its_lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tries: list[int] = []

    def locking(descriptor: int, mode: int, size: int) -> None:
        tries.append(mode)
        if len(tries) < 3:
            raise OSError(13, "Permission denied")

    windows = types.SimpleNamespace(LK_NBLCK=2, locking=locking)
    monkeypatch.setitem(sys.modules, "msvcrt", windows)  # type: ignore[arg-type]
    monkeypatch.setattr(atomic, "_PAUSE", 0)
    with open(tmp_path / "lock", "a") as file:
        atomic.acquire(file, "win32")
    assert tries == [2, 2, 2]


def test_the_lock_of_a_folder_that_is_not_there_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), locked(tmp_path / "no" / "a.yaml"):
        pass
