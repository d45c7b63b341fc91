"""Short summary, JUnit message and whatever reads a report's message begin with the explanation's first line."""

from __future__ import annotations

from collections.abc import Callable
from xml.etree import ElementTree

import pytest

Run = Callable[..., pytest.RunResult]
LINE = "hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs"
FIRST = f"403 Ecs.0110 ecs:cloudServers:list · {LINE}"  # the news in front: a short summary is cut
TESTS = """
import unittest
import pytest

@pytest.fixture
def get(hwcloud):
    url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
    with hwcloud.deny("ecs:cloudServers:list"):
        yield lambda: hwcloud.session().get(url)

def test_a(get):
    assert get().ok

def test_group(get):
    errors = []
    for _ in range(2):
        try:
            get().raise_for_status()
        except Exception as error:
            errors.append(error)
    raise ExceptionGroup("two", errors)

@pytest.fixture
def servers(get):
    get().raise_for_status()

def test_setup(servers):
    pass

class TestCase(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _cloud(self, get):
        self.get = get

    def test_u(self):
        with self.subTest("x"):
            self.assertTrue(self.get().ok)

def test_own(get):
    assert get().status_code == 403
    assert 1 == 2

def test_expected_to_fail(get, request):
    request.applymarker(pytest.mark.xfail(reason="not yet"))
    assert get().ok
"""


@pytest.fixture
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)


def short(result: pytest.RunResult) -> list[str]:
    return [line for line in result.outlines if line.startswith(("FAILED", "ERROR", "SUBFAILED"))]


@pytest.mark.usefixtures("wide")
def test_the_short_summary_carries_the_first_line(run: Run) -> None:
    result = run(TESTS)
    assert short(result) == [
        f"FAILED test_it.py::test_a - {FIRST}",
        f"FAILED test_it.py::test_group - {FIRST}",
        f"SUBFAILED[x] test_it.py::TestCase::test_u - {FIRST}",
        "FAILED test_it.py::test_own - assert 1 == 2",
        f"ERROR test_it.py::test_setup - {FIRST}",
    ]


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("style", ["long", "short", "native", "line", "no", "auto"])
def test_the_short_summary_is_the_same_in_every_style_of_traceback(run: Run, style: str) -> None:
    result = run(TESTS, f"--tb={style}", "-k", "test_a or test_own")
    assert short(result) == [f"FAILED test_it.py::test_a - {FIRST}", "FAILED test_it.py::test_own - assert 1 == 2"]


@pytest.mark.usefixtures("wide")
def test_the_short_summary_in_chinese(run: Run) -> None:
    result = run(TESTS, "--hwcloud-lang=zh", "-k", "test_a")
    line = "403 Ecs.0110 ecs:cloudServers:list · hwcloud：在鉴权（authorization）阶段被拒绝：Ecs.0110（HTTP 403），来自 ecs"  # noqa: E501
    assert short(result) == [f"FAILED test_it.py::test_a - {line}"]


@pytest.mark.usefixtures("wide")
def test_own_errors_of_the_fixture_keep_their_first_line(run: Run) -> None:
    result = run(
        """
        def test_ok(hwcloud):
            with hwcloud.deny("ecs:cloudServers:list"):
                hwcloud.assert_ok(hwcloud.session().get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")))

        def test_refused(hwcloud):
            with hwcloud.deny("ecs:cloudServers:list"), hwcloud.refused("Ecs.0005"):
                hwcloud.session().get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
        """
    )
    assert short(result) == [
        "FAILED test_it.py::test_ok - AssertionError: hwcloud.assert_ok: a success was expected, got HTTP 403 Ecs.0110",
        "FAILED test_it.py::test_refused - AssertionError: hwcloud.refused('Ecs.0005'): refused otherwise, Ecs.0110 at "
        "authorization",
    ]


@pytest.mark.usefixtures("wide")
@pytest.mark.parametrize("style", ["auto", "native", "line"])
def test_failure_by_hand_without_traceback_is_explained_below(run: Run, style: str) -> None:
    result = run(
        """
        import pytest

        def test_a(hwcloud):
            with hwcloud.deny("ecs:cloudServers:list"):
                answer = hwcloud.session().get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
            if not answer.ok:
                pytest.fail("listing failed", pytrace=False)
        """,
        f"--tb={style}",
    )
    text = result.stdout.str().partition("hwcloud: why tests failed")[0]
    shown = [line.strip() for line in text.splitlines()]
    at = shown.index("listing failed")
    assert shown[at + 1].strip("- ") == "hwcloud"
    assert shown[at + 2] == LINE
    assert short(result) == [f"FAILED test_it.py::test_a - {FIRST}"]


@pytest.mark.usefixtures("wide")
def test_in_ci_the_message_has_headline_pytests_own_words_and_explanation(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    text = run(TESTS, "-k", "test_a").stdout.str().partition("short test summary info")[2]
    lines = text.splitlines()
    assert lines[1:4] == [
        f"FAILED test_it.py::test_a - {FIRST}",
        "assert False",
        " +  where False = <Response [403]>.ok",
    ]
    assert [line.split()[0] for line in lines[5:12]] == [
        "call", "message", "identity", "needs", "cause", "fix", "request",
    ]  # fmt: skip
    assert text.count(FIRST) == 1


@pytest.mark.usefixtures("wide")
def test_the_message_in_junit_begins_with_the_first_line(run: Run, pytester: pytest.Pytester) -> None:
    run(TESTS, "--junitxml=junit.xml", "-k", "test_a or test_group")
    messages = [node.attrib["message"] for node in ElementTree.parse(pytester.path / "junit.xml").iter("failure")]
    assert [message.splitlines()[0] for message in messages] == [FIRST, FIRST]
    assert messages[0].splitlines()[1:3] == ["assert False", " +  where False = <Response [403]>.ok"]


@pytest.mark.usefixtures("wide")
def test_secrets_in_the_message_are_masked_all_the_same(run: Run) -> None:
    result = run(
        """
        def test_a(hwcloud):
            url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
            with hwcloud.deny("ecs:cloudServers:list"):
                answer = hwcloud.session().get(url)
            assert answer.ok, hwcloud.credentials().sk
        """,
        "-vv",
    )
    text = result.stdout.str()
    assert FIRST in text
    assert "AssertionError: ***" in text
    from pytest_hwcloud.cloud.identity import replay_secret_key

    assert replay_secret_key("default") not in text
