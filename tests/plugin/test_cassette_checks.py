"""What a run says about cassettes that nobody uses, answers that nobody asks for, and recordings that grew old."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]
HOST = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33"
ENTRY = """- request: {{method: GET, uri: '{host}/{path}', body: null, headers: {{}}}}
  response: {{status: {{code: 200, message: OK}}, headers: {{}}, body: {{string: '{{}}'}}}}
  recorded_at: '2020-01-01T00:00:00Z'
"""
SOURCE = f"""
import pytest

def test_one(hwcloud, hwcloud_session):
    assert hwcloud_session.get("{HOST}/a").ok

def test_two(hwcloud, hwcloud_session):
    assert hwcloud_session.get("{HOST}/a").ok

@pytest.mark.skip
def test_skipped(hwcloud):
    pass
"""


def cassette(pytester: pytest.Pytester, name: str, *paths: str) -> Path:
    file = pytester.path / "cassettes" / "test_it" / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    entries = "".join(ENTRY.format(host=HOST, path=path) for path in paths)
    file.write_text(f"version: 1\ninteractions:\n{entries}")
    return file


@pytest.fixture
def project(pytester: pytest.Pytester) -> None:
    cassette(pytester, "test_one", "a")
    cassette(pytester, "test_two", "a", "b")
    cassette(pytester, "test_skipped", "a")
    cassette(pytester, "test_gone", "a")


@pytest.mark.parametrize("workers", [(), ("-p", "xdist", "-n2")])
@pytest.mark.usefixtures("project")
def test_unused_and_unplayed_are_told(run: Run, workers: tuple[str, ...]) -> None:
    result = run(SOURCE, *workers)
    result.assert_outcomes(passed=2, skipped=1)
    result.stdout.fnmatch_lines(
        [
            "*= hwcloud cassettes =*",
            "cassettes/test_it/test_gone.yaml: no collected test uses it",
            "cassettes/test_it/test_two.yaml: 1 of 2 interactions were not asked for: GET */b (interaction 2)",
        ],
        consecutive=True,
    )
    assert result.ret == 0


@pytest.mark.usefixtures("project")
def test_a_part_of_the_suite_accuses_nobody(run: Run) -> None:
    result = run(SOURCE, "-k", "one")
    result.assert_outcomes(passed=1, deselected=2)
    assert "test_two.yaml" not in result.stdout.str()
    assert "test_skipped.yaml" not in result.stdout.str()


@pytest.mark.usefixtures("project")
def test_enforced(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nhwcloud_cassette_checks = enforce\n")
    result = run(SOURCE)
    result.stdout.fnmatch_lines(["The run fails because hwcloud_cassette_checks = enforce."])
    assert result.ret == pytest.ExitCode.TESTS_FAILED


@pytest.mark.usefixtures("project")
def test_off(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nhwcloud_cassette_checks = off\nhwcloud_max_age = 30\n")
    assert "hwcloud cassettes" not in run(SOURCE).stdout.str()


def test_an_old_recording_is_told(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nhwcloud_max_age = 30\n")
    cassette(pytester, "test_one", "a")
    cassette(pytester, "test_two", "a")
    result = run(SOURCE)
    result.stdout.fnmatch_lines(["cassettes/test_it/test_one.yaml: *days*"])


def test_a_wrong_value(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nhwcloud_cassette_checks = maybe\n")
    result = run(SOURCE)
    result.stderr.fnmatch_lines(
        ["ERROR: ini option hwcloud_cassette_checks = 'maybe': choose from report, off, enforce"]
    )


def test_a_cache_that_cannot_be_written_is_done_without(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester, "test_one", "a")
    cassette(pytester, "test_two", "a")
    Path(pytester.path, ".pytest_cache").write_text("in the way\n")
    result = run(SOURCE, "-p", "no:stepwise", "-p", "no:lfplugin", "-p", "no:nfplugin", "-W", "ignore")
    result.assert_outcomes(passed=2, skipped=1)
    run(SOURCE, "-p", "no:cacheprovider").assert_outcomes(passed=2, skipped=1)
