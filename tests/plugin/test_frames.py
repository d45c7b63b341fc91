"""A failing test shows the user's frames; those of client libraries fold into one line, ours are not shown at all."""

from __future__ import annotations

import re
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


MISUSE = [
    ("hwcloud.url(None, '/v1')", "hwcloud.url(service) must be a string, not None"),
    ("hwcloud.url('ecs', 5)", "hwcloud.url(path) must be a string, not 5"),
    ("hwcloud.url('ecs', '/v1/{server_id}')", "{server_id} is not filled in"),
    ("hwcloud.url('ecs', '/v1', region='cn-nrth-4')", "did you mean 'cn-north-4'?"),
    ("hwcloud.identity(5)", "identity must be a string, not 5"),
    ("hwcloud.session('nobody')", "unknown identity 'nobody'"),
    ("hwcloud.session(auth='tok')", "hwcloud.session(auth=str): a Token is expected"),
    ("hwcloud.session(identiy='x')", "unexpected keyword argument 'identiy'"),
    ("hwcloud.token(5)", "hwcloud.token(project) must be a string, not 5"),
    ("hwcloud.token('cn-north-4', True)", "a token has one scope"),
    ("hwcloud.token(domain='other')", "unknown domain 'other'"),
    ("hwcloud.credentials('zz')", "unknown identity 'zz'"),
    ("hwcloud.client(None)", "a client class of the official SDK is expected"),
    ("hwcloud.refused(gate='autorization')", "did you mean 'authorization'?"),
    ("hwcloud.refused(5)", "hwcloud.refused(code) must be a string, not 5"),
    ("hwcloud.assert_ok(None)", "hwcloud.assert_ok(None): a response is expected"),
    ("hwcloud.assert_ok(200)", "hwcloud.assert_ok(200): a response is expected"),
    ("hwcloud.assert_called(5)", "hwcloud.assert_called(what) must be a string, not 5"),
    ("hwcloud.deny().__enter__()", "hwcloud.deny(): name at least one action"),
    ("hwcloud.deny(5).__enter__()", "action must be a string, not 5"),
    ("hwcloud.grant('ecs:cloudServers:lst').__enter__()", "did you mean ecs:cloudServers:list?"),
    ("hwcloud_token(project='nope')", "unknown project 'nope'"),
    ("hwcloud_shared.url('esc', '/')", "did you mean 'ecs'?"),
    ("hwcloud_shared.session('no')", "unknown identity 'no'"),
    ("pytest_hwcloud.sign('GET', 'x', {}, b'', ak='a', sk='b')", "an absolute URL is needed"),
    ("pytest_hwcloud.AkSkAuth('a', None)", "the SK is missing"),
    ("pytest_hwcloud.AkSkAuth('a', 'b', algorithm='x')", "unknown signing algorithm 'x'"),
    ("pytest_hwcloud.Policy.load('none.json')", "none.json: no such file"),
    ("pytest_hwcloud.Policy.load(5)", "Policy.load(5): a path, a dict or system:NAME is expected"),
    ("pytest_hwcloud.Policy.load({})", "Version: is missing"),
    ("pytest_hwcloud.explain('x', lang='fr')", "unknown language 'fr'"),
]


@pytest.mark.parametrize("style", ["long", "short"])
def test_each_call_of_ours_in_wrong_use_says_what_is_wrong_at_the_users_line(run: Run, style: str) -> None:
    body = "".join(
        f"def test_{n}(hwcloud, hwcloud_token, hwcloud_shared):\n    {line}\n" for n, (line, _) in enumerate(MISUSE)
    )
    text = run(f"import pytest_hwcloud\n{body}", f"--tb={style}").stdout.str()
    parts = re.split(r"^_{3,} test_(\d+) _{3,}$", text.partition("short test summary")[0], flags=re.MULTILINE)
    shown = dict(zip(map(int, parts[1::2]), parts[2::2], strict=True))
    for number, (line, message) in enumerate(MISUSE):
        section = shown[number]
        assert line in section
        assert message in section
        assert not re.search(r"pytest_hwcloud/|site-packages|contextlib\.py|--full-trace", section), section
