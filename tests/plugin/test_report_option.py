"""--hwcloud-report: the files of a real run; what cannot be written; GitHub's annotations."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from pytest_hwcloud.cloud.identity import replay_secret_key

Run = Callable[..., pytest.RunResult]

POLICY = '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:cloudServers:list"]}]}'
SUITE = """
    import pytest

    def listed(hwcloud):
        return hwcloud.session().get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))

    @pytest.mark.hwcloud_cassette("success/list-servers")
    @pytest.mark.requires_permission("ecs:cloudServers:list")
    def test_declared(hwcloud):
        assert listed(hwcloud).json()["count"] == 8

    @pytest.mark.hwcloud_cassette("success/list-servers")
    @pytest.mark.requires_permission("ecs:servers:list")
    def test_wrongly_declared(hwcloud):
        assert listed(hwcloud).ok

    def test_plain():
        assert True
"""
REPORTS = tuple(f"--hwcloud-report={kind}:out/r.{kind}" for kind in ("json", "sarif", "md", "html"))


@pytest.fixture
def policy(pytester: pytest.Pytester) -> str:
    pytester.path.joinpath("reader.json").write_text(POLICY)
    return "--hwcloud-policy=reader.json"


def files(pytester: pytest.Pytester) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(pytester.path.joinpath("out").iterdir())}


def document(pytester: pytest.Pytester) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files(pytester)["r.json"])
    return found


def test_four_reports_of_one_run_and_a_line_for_each(run: Run, pytester: pytest.Pytester, policy: str) -> None:
    result = run(SUITE, policy, *REPORTS)
    result.assert_outcomes(passed=3)
    assert result.ret == 0
    result.stdout.fnmatch_lines(
        [f"{kind} report: out/r.{kind} (2 findings, 2 tests)" for kind in ("json", "sarif", "md", "html")]
    )
    assert sorted(files(pytester)) == ["r.html", "r.json", "r.md", "r.sarif"]
    found = document(pytester)
    assert [row["nodeid"] for row in found["tests"]] == [
        "test_it.py::test_declared",
        "test_it.py::test_wrongly_declared",
    ]
    assert [(row["rule"], row["action"]) for row in found["findings"]] == [
        ("HWP002", "ecs:cloudServers:list"),
        ("HWP003", "ecs:servers:list"),
    ]
    (use,) = found["tests"][0]["uses"]
    assert (use["action"], use["verdict"], use["policy"]) == ("ecs:cloudServers:list", "allow", "reader.json")
    assert found["identities"][0]["policies"] == [{"source": "reader.json", "version": "1.1", "statements": 1}]


COUNTING = """
    import pytest
    from pytest_hwcloud.permissions.ledger import Ledger

    asked, summed = [], []
    attributed, pairs = Ledger.attributed, Ledger._pairs

    def counted_attributed(ledger):
        asked.append(ledger)
        return attributed(ledger)

    def counted_pairs(ledger):
        summed.append(ledger)
        return pairs(ledger)

    Ledger.attributed, Ledger._pairs = counted_attributed, counted_pairs

    def pytest_unconfigure():
        times = "often" if len(asked) > 4 else len(asked)
        print("asked:", times, "summed:", len(summed), "records:", len(summed[0].records))
"""


@pytest.mark.parametrize("lock", ["update", "check"])
def test_the_ledger_of_a_run_is_summed_once(run: Run, pytester: pytest.Pytester, policy: str, lock: str) -> None:
    pytester.makeconftest(COUNTING)
    result = run(SUITE, policy, f"--hwcloud-lock={lock}", *REPORTS)
    result.stdout.fnmatch_lines(["asked: often summed: 1 records: 2"])


def test_a_report_shows_what_was_used_also_without_policy_marker_or_checks(run: Run, pytester: pytest.Pytester) -> None:
    source = """
        import pytest

        @pytest.mark.hwcloud_cassette("success/list-servers")
        def test_it(hwcloud):
            assert hwcloud.session().get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")).ok
    """
    run(source, "--hwcloud-permissions=off", REPORTS[0])
    (row,) = document(pytester)["tests"]
    assert [(use["action"], use["verdict"]) for use in row["uses"]] == [("ecs:cloudServers:list", "")]


def test_a_run_without_cloud_tests_writes_an_empty_report(run: Run, pytester: pytest.Pytester) -> None:
    assert run("def test_plain(): pass", REPORTS[0], REPORTS[2]).ret == 0
    assert document(pytester)["tests"] == []
    assert files(pytester)["r.md"] == b""


def test_a_report_that_cannot_be_written_fails_the_run_with_one_line(
    run: Run, pytester: pytest.Pytester, policy: str
) -> None:
    pytester.path.joinpath("file").write_text("")
    result = run(SUITE, policy, "--hwcloud-report=json:file/r.json", REPORTS[2])
    assert result.ret == 1
    result.assert_outcomes(passed=3)
    told = [line for line in result.outlines if "file/r.json" in line and "report cannot" in line]
    assert told == ["hwcloud: file/r.json: the json report cannot be written: Not a directory"]
    assert "Traceback" not in result.stdout.str() + result.stderr.str()
    assert sorted(files(pytester)) == ["r.md"]


def test_annotations_stand_at_the_start_of_their_lines_on_github_only(
    run: Run, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "::error" not in run(SUITE, policy).stdout.str()
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    found = [line for line in run(SUITE, policy).outlines if line.startswith("::")]
    assert [line.partition(",line=")[0] for line in found] in (
        ["::error file=test_it.py", "::error file=test_it.py"],
        ["::warning file=test_it.py", "::warning file=test_it.py"],
    )
    assert ["HWP002" in found[0], "HWP003" in found[1]] == [True, True]


def test_a_secret_of_the_run_in_the_name_of_a_test_reaches_no_report_and_no_annotation(
    run: Run, pytester: pytest.Pytester, policy: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = replay_secret_key("default")
    source = SUITE.replace(
        '@pytest.mark.requires_permission("ecs:servers:list")',
        f'@pytest.mark.requires_permission("ecs:servers:list")\n    @pytest.mark.parametrize("hidden", ["{secret}"])',
    ).replace("test_wrongly_declared(hwcloud)", "test_wrongly_declared(hwcloud, hidden)")
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    result = run(source, policy, *REPORTS)
    result.assert_outcomes(passed=3)
    assert [secret in data.decode() for data in files(pytester).values()] == [False] * 4
    assert [row["nodeid"] for row in document(pytester)["tests"]][1] == "test_it.py::test_wrongly_declared[hidden0]"
    assert not [line for line in result.outlines if line.startswith("::") and secret in line]


def test_every_report_that_cannot_be_written_has_its_own_line(run: Run, policy: str) -> None:
    result = run(SUITE, policy, "--hwcloud-report=json:out", "--hwcloud-report=md:out")
    assert result.ret == 1
    told = [line for line in result.outlines if line.startswith("hwcloud: out")]
    assert told == ["hwcloud: out: one file cannot hold 2 reports (json, md): give each its own"]
