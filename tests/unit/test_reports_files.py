"""Writing reports: whole or not at all, errors in one line, no secrets, the same bytes in any order."""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from reported import COUNT, MISSING, PAGES, SHOW, ledger, records, settings, state, use

from pytest_hwcloud.files.atomic import write_whole
from pytest_hwcloud.permissions.finding import labelled
from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.record import TestRecord
from pytest_hwcloud.permissions.reports import ReportError, write_reports
from pytest_hwcloud.permissions.reports.overview import level, overview, place
from pytest_hwcloud.secrets.known_secrets import Secrets
from pytest_hwcloud.texts import Phrase

KINDS = ("json", "sarif", "md", "html")


@pytest.fixture(autouse=True)
def _here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def written(
    folder: Path, found: Ledger, mask: Callable[[str], str] | None = None, lang: str = "en"
) -> dict[str, bytes]:
    chosen = settings(*((kind, folder / f"report.{kind}") for kind in KINDS), lang=lang)
    write_reports(chosen, found, state(), mask)
    return {kind: (folder / f"report.{kind}").read_bytes() for kind in KINDS}


def test_folders_are_made_and_each_report_gets_a_line(tmp_path: Path) -> None:
    chosen = settings(("json", tmp_path / "out/deep/r.json"), ("md", tmp_path / "r.md"))
    assert write_reports(chosen, ledger(), state()) == [
        f"{report} (4 findings, 3 tests)" for report in ("json report: out/deep/r.json", "md report: r.md")
    ]
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == ["r.json", "r.md"]


def test_without_a_report_nothing_is_written(tmp_path: Path) -> None:
    assert write_reports(settings(), ledger(), state()) == []
    assert list(tmp_path.iterdir()) == []


def test_an_empty_pull_request_report_says_so_and_replaces_the_old_one(tmp_path: Path) -> None:
    target = tmp_path / "r.md"
    target.write_text("of an earlier run")
    assert write_reports(settings(("md", target)), ledger([]), state()) == ["md report: r.md (empty: nothing to tell)"]
    assert target.read_bytes() == b""


def test_what_cannot_be_written_is_named_with_its_reason_and_the_others_are_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    (tmp_path / "folder").mkdir()
    chosen = settings(
        ("json", tmp_path / "file/r.json"), ("html", tmp_path / "folder"), ("sarif", tmp_path / "r.sarif")
    )
    with pytest.raises(ReportError) as caught:
        write_reports(chosen, ledger(), state())
    assert str(caught.value).splitlines() == [
        "file/r.json: the json report cannot be written: Not a directory",
        "folder: the html report cannot be written: Is a directory",
    ]
    assert (tmp_path / "r.sarif").stat().st_size > 0


def test_two_reports_in_one_file_are_an_error_and_neither_is_written(tmp_path: Path) -> None:
    target = tmp_path / "r"
    with pytest.raises(ReportError, match=r"^r: one file cannot hold 2 reports \(json, md\): give each its own$"):
        write_reports(settings(("json", target), ("md", target)), ledger(), state())
    assert not target.exists()


def test_the_same_report_twice_is_one(tmp_path: Path) -> None:
    chosen = settings(("json", tmp_path / "r"), ("json", tmp_path / "r"))
    assert write_reports(chosen, ledger(), state()) == ["json report: r (4 findings, 3 tests)"]


def test_a_full_disk_leaves_the_old_report_and_no_temporary_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "r.json"
    target.write_text("old")

    def full(source: object, goal: object) -> None:
        raise OSError(28, "No space left on device", str(goal))

    monkeypatch.setattr(os, "replace", full)
    with pytest.raises(ReportError, match=r"^r\.json: the json report cannot be written: No space left on device$"):
        write_reports(settings(("json", target)), ledger(), state())
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
    assert target.read_text() == "old"


def test_a_pipe_is_written_and_not_replaced(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_whole(pipe, "text\n")
        assert os.read(reader, 100) == b"text\n"
        assert pipe.is_fifo()
    finally:
        os.close(reader)


def test_the_bytes_do_not_depend_on_the_order_of_tests_calls_or_findings(tmp_path: Path) -> None:
    first = written(tmp_path / "a", ledger())
    for seed in range(3):
        shuffled = ledger()
        order = list(shuffled.records.items())
        random.Random(seed).shuffle(order)
        shuffled.records = dict(order)
        shuffled.run_findings.reverse()
        for record in shuffled.records.values():
            record.findings.reverse()
            record.uses.reverse()
        assert written(tmp_path / f"b{seed}", shuffled) == first


def test_the_bytes_do_not_depend_on_request_ids_times_or_the_folder_of_the_project(tmp_path: Path) -> None:
    found = ledger()
    moved = found.records[COUNT]
    moved.uses = [
        replace(
            one, request_id="another", where="/project/tests/test_inventory.py:12", policy="/project/iam/ci-reader.json"
        )
        for one in moved.uses
    ]
    assert written(tmp_path / "a", ledger()) == written(tmp_path / "b", found)


def test_no_report_holds_a_secret_of_the_run_however_it_is_written(tmp_path: Path) -> None:
    secret = 'Sk<"&1234567890abcdef'
    secrets = Secrets()
    secrets.add(secret)
    found = ledger([replace(MISSING, lines=(f"call      {secret}",), fix=secret, detail=secret)])
    found.add(TestRecord(nodeid=f"t.py::test_x[{secret}]", uses=[use("ecs:x:y", call=secret, reason=secret)]))
    files = written(tmp_path, found, secrets.masked)
    for text in (data.decode() for data in files.values()):
        assert "1234567890abcdef" not in text
        assert "***" in text


def test_a_secret_in_a_phrase_is_masked_and_the_phrase_stays_one(tmp_path: Path) -> None:
    secrets = Secrets()
    secrets.add("Sk1234567890abcdef")
    note = Phrase("findings.cassette", cassette="Sk1234567890abcdef/x")
    found = ledger([replace(MISSING, lines=(labelled("note", note),), fix=note, detail=note)])
    files = written(tmp_path, found, secrets.masked, lang="zh")
    for text in (data.decode() for data in files.values()):
        assert "1234567890abcdef" not in text
    assert "  - 处理：`录制文件 ***/x`" in files["md"].decode()
    assert json.loads(files["json"])["findings"][0]["fix"] == "cassette ***/x"


def test_half_a_surrogate_pair_in_a_name_is_no_crash(tmp_path: Path) -> None:
    found = ledger([replace(MISSING, detail="\udc80")])
    files = written(tmp_path, found)
    assert json.loads(files["json"])["findings"][0]["head"].endswith("   \udc80")
    assert b"\\udc80" in files["html"]


def test_the_calls_of_a_wider_fixture_belong_to_each_test_that_has_it() -> None:
    rows = records()
    rows[1].fixtures = ["tests::servers"]
    shown = overview(settings(), Ledger(rows), state())
    assert [row.nodeid for row in shown.tests] == [COUNT, PAGES, SHOW]
    assert [one.fixture for one in shown.tests[0].uses] == ["", "tests::servers"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("tests/test_it.py:14", ("tests/test_it.py", 14)),
        ("iam/reader.json", ("iam/reader.json", 0)),
        ("system:ECS ReadOnlyAccess", ("system:ECS ReadOnlyAccess", 0)),
        ("C:/x.py:3", ("C:/x.py", 3)),
    ],
)
def test_a_place_is_a_file_and_perhaps_a_line(text: str, found: tuple[str, int]) -> None:
    assert place(text) == found


def test_what_wants_a_decision_is_a_warning_and_what_is_wrong_an_error() -> None:
    assert [level(rule) for rule in ("HWP001", "HWP003", "HWP009", "HWP014")] == [
        "error",
        "warning",
        "warning",
        "error",
    ]
