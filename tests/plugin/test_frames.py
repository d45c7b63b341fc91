"""A failing test shows the user's frames; those of client libraries fold into one line, ours are not shown at all."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Run = Callable[..., pytest.RunResult]
REFUSED = """
import pytest
import requests

def servers(hwcloud):
    answer = hwcloud.session().get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
    answer.raise_for_status()
    return answer.json()

@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_it(hwcloud):
    assert servers(hwcloud)["count"] == 8
"""


def failure(result: pytest.RunResult) -> list[str]:
    lines = result.stdout.lines
    start = next(number for number, line in enumerate(lines) if line.startswith("____"))
    end = next(number for number, line in enumerate(lines) if number > start and line.startswith("===="))
    return lines[start + 1 : end]


@pytest.mark.parametrize("style", ["long", "short"])
def test_frames_of_libraries_fold_into_one_line(run: Run, style: str) -> None:
    shown = failure(run(REFUSED, f"--tb={style}"))
    assert "    … 1 frame of requests; --full-trace shows it" in shown
    assert not any("site-packages" in line for line in shown)
    at = shown.index("    … 1 frame of requests; --full-trace shows it")
    assert "raise_for_status()" in shown[at - 1]
    assert shown[at + 1].startswith("E   ")
    assert any("hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs" in line for line in shown[at:])
    if style == "long":
        assert shown[-1] == "test_it.py:6: HTTPError"


def test_full_trace_shows_them_all(run: Run) -> None:
    shown = failure(run(REFUSED, "--full-trace"))
    assert any("models.py" in line for line in shown)
    assert not any("frame of requests" in line for line in shown)


def test_the_same_through_workers(run: Run) -> None:
    shown = failure(run(REFUSED, "-n1", "-p", "xdist"))
    assert "    … 1 frame of requests; --full-trace shows it" in shown


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('hwcloud.url("esc", "/v1/x")', "unknown service 'esc'; did you mean 'ecs'?"),
        ('hwcloud.identity("audtor")', "unknown identity 'audtor'"),
        ("hwcloud.client(dict)", "a client class of the official SDK is expected"),
        ('hwcloud.deny("ecs:*:list").__enter__()', "a marker names actions one by one"),
        ('hwcloud.token(project="nowhere")', "unknown project 'nowhere'"),
    ],
)
def test_wrong_use_of_ours_shows_no_frame_of_ours(run: Run, line: str, message: str) -> None:
    shown = failure(run(f"def test_it(hwcloud):\n    {line}\n"))
    assert any(message in one for one in shown)
    assert not any("pytest_hwcloud/" in one or "contextlib.py" in one for one in shown)
    assert any(one.startswith(">") and line in one for one in shown)


def test_a_failure_that_is_not_explained_is_left_as_it_is(run: Run) -> None:
    shown = failure(run("import json\ndef test_it(hwcloud):\n    json.loads('{')\n"))
    assert any("decoder.py" in line for line in shown)
