"""Thirteen kinds of failure explain themselves in every mode of pytest's output; two innocent ones are never blamed."""

from __future__ import annotations

import re
import sys
from collections.abc import Sequence

import huaweicloudsdkcore.client  # noqa: F401  (once for all inner runs: it is large)
import pytest
from explained_project import FIRST, KIND_NAMES, NO_ANSWER, explained, innocent, report_of, sections, write_project


@pytest.fixture(autouse=True)
def _only_our_plugins(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p hwcloud -p no:cacheprovider")


@pytest.fixture
def suite(pytester: pytest.Pytester) -> pytest.Pytester:
    write_project(pytester)
    return pytester


@pytest.mark.parametrize(
    "options",
    [
        (),
        ("--tb=native",),
        ("--assert=plain",),
        ("--show-capture=no",),
    ],
    ids=lambda options: " ".join(options) or "default",
)
def test_every_kind_is_explained_once_and_no_innocent_one(suite: pytest.Pytester, options: Sequence[str]) -> None:
    text = report_of(suite.runpytest_inprocess(*options))
    found = sections(text)
    assert len(KIND_NAMES) == 13
    assert explained(text) == 13
    assert innocent(found)


def test_one_line_per_failure_is_explained(suite: pytest.Pytester) -> None:
    text = report_of(suite.runpytest_inprocess("--tb=line"))
    messages, located = (
        re.compile("^ +hwcloud: ", re.MULTILINE),
        re.compile(r"^\S+:\d+: (?:403 [\w.:, ]+ · )?hwcloud: ", re.MULTILINE),
    )
    assert len(messages.findall(text)) == 13
    assert len(located.findall(text)) == 12  # pytest gives an error of a fixture no such line
    assert explained(text) == 13 + 12


def test_ci_repeats_each_explanation_in_the_short_summary(
    suite: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "1")
    result = suite.runpytest_inprocess()
    failures, _, short = result.stdout.str().partition("short test summary info")
    assert explained(failures) == 13
    assert explained(short) == 13
    assert innocent(sections(failures.partition("= hwcloud: why tests failed")[0]))


def test_optimised_python_explains_as_well(suite: pytest.Pytester) -> None:
    result = suite.run(sys.executable, "-O", "-m", "pytest", "-p", "no:cacheprovider")
    text = report_of(result)
    assert explained(text) == 13
    assert innocent(sections(text))


def test_without_tracebacks_the_summary_names_the_causes(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("--tb=no")
    result.stdout.fnmatch_lines(
        [
            "*= hwcloud: why tests failed =*",
            "Ecs.0110 · authorization · 12 tests",
            "  cause  *",
            "  fix    Allow ecs:cloudServers:list for ci-reader in IAM*",
            "  tests  test_suite.py::test_status",
            "*… and 9 more",
            NO_ANSWER.removeprefix("hwcloud: ") + " · 1 test",
            "  tests  test_suite.py::test_dns",
        ]
    )


def test_the_whole_explanation_stands_below_pytests_own_lines(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("-k", "test_status and not among")
    result.stdout.fnmatch_lines(
        [
            ">       assert response.status_code == 200",
            "E       assert 403 == 200",
            "E        +  where 403 = <Response [[]403[]]>.status_code",
            "E       hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs",
            "E         call      GET https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fff…/cloudservers/detail",
            "E         message   do not have the required roles, forbidden to perform this action.",
            "E         identity  default (user ci-reader) · AK/SK",
            "E         needs     ecs:cloudServers:list  (5.0: ecs:cloudServers:listServersDetails)",
            "E         cause     *",
            "E         fix       Allow ecs:cloudServers:list for ci-reader in IAM*",
            "E         request   *",
        ],
        consecutive=True,
    )


def test_explanations_in_chinese(suite: pytest.Pytester) -> None:
    result = suite.runpytest_inprocess("-k", "test_status and not among", "--hwcloud-lang=zh")
    text = result.stdout.str()
    assert "Ecs.0110 · 鉴权（authorization） · 1 个测试" in text
    assert re.search(r"^E +hwcloud：.*Ecs\.0110", text, re.MULTILINE)
    assert FIRST not in text


def test_unittest_async_and_groups_are_explained(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_suite="""
        import unittest
        import pytest

        class TestServers(unittest.TestCase):
            @pytest.fixture(autouse=True)
            def _cloud(self, session, url):
                self.session, self.url = session, url

            def test_case(self):
                self.assertEqual(self.session.get(self.url).status_code, 200)

            def test_attribute(self):
                self.response = self.session.get(self.url)
                status = self.response.status_code
                self.assertEqual(status, 200)

            def test_case_subtests(self):
                for count in (1, 2):
                    with self.subTest(count=count):
                        self.assertTrue(self.session.get(self.url).ok)

        @pytest.mark.asyncio
        async def test_async(session, url):
            async def list_servers():
                return session.get(url)
            response = await list_servers()
            assert response.ok

        def test_group(session, url):
            errors = []
            for _ in range(2):
                try:
                    session.get(url).raise_for_status()
                except Exception as error:
                    errors.append(error)
            raise ExceptionGroup("both", [*errors, ValueError("own")])
        """
    )
    result = suite.runpytest_inprocess("-p", "asyncio", "-o", "asyncio_default_fixture_loop_scope=function")
    text = report_of(result)
    assert re.search(r"ValueError: own\n[^\n]*hwcloud", text) is None
    counts = {name: section.count(FIRST) for name, section in sections(text).items()}
    assert counts["TestServers.test_case"] == 1
    assert counts["TestServers.test_attribute"] == 1
    assert counts["test_async"] == 1
    assert counts["test_group"] == 2
    assert sum(count for name, count in counts.items() if "test_case_subtests" in name) == 2


def test_refusals_that_the_test_expects_are_silent(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_suite="""
        import pytest, requests

        def test_raises(session, url):
            with pytest.raises(requests.HTTPError):
                session.get(url).raise_for_status()
            assert {}.get("a") == 1

        def test_refused(hwcloud, session, url):
            with hwcloud.refused("Ecs.0110", gate="authorization"):
                session.get(url)
            print({}[url])

        def test_passes(session, url):
            assert session.get(url).status_code == 403

        @pytest.mark.skip
        def test_skipped(session, url):
            assert session.get(url).ok

        def test_skips(session, url):
            if not session.get(url).ok:
                pytest.skip("not allowed here")
        """
    )
    result = suite.runpytest_inprocess()
    result.assert_outcomes(failed=2, passed=1, skipped=2)
    assert not re.search(r"^E +hwcloud: |why tests failed", result.stdout.str(), re.MULTILINE)


def test_fixture_of_a_module_that_fails_gets_one_note_and_counts_every_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_suite="""
        import pytest

        @pytest.fixture
        def denied(hwcloud, url):
            with hwcloud.deny("ecs:cloudServers:list"):
                yield

        ERRORS = []

        @pytest.fixture
        def servers(session, url):
            if not ERRORS:
                try:
                    session.get(url).raise_for_status()
                except Exception as error:
                    ERRORS.append(error)
            raise ERRORS[0]

        @pytest.mark.parametrize("number", range(3))
        def test_it(servers, number):
            pass
        """
    )
    result = suite.runpytest_inprocess()
    assert [section.count(FIRST) for section in sections(report_of(result)).values()] == [1, 1, 1]
    result.stdout.fnmatch_lines(["Ecs.0110 · authorization · 3 tests"])


def test_own_helpers_explain_once(suite: pytest.Pytester) -> None:
    suite.makepyfile(
        test_suite="""
        def test_assert_ok(hwcloud, session, url):
            hwcloud.assert_ok(session.get(url))

        def test_refused_otherwise(hwcloud, session, url):
            with hwcloud.refused("APIGW.0301"):
                session.get(url)
        """
    )
    result = suite.runpytest_inprocess()
    assert [section.count(FIRST) for section in sections(report_of(result)).values()] == [1, 1]
    result.stdout.fnmatch_lines(["Ecs.0110 · authorization · 2 tests"])


def test_other_tests_are_left_alone(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        import sys

        def test_plain():
            body = {"error": {"code": "Ecs.0110", "message": "no"}}
            assert "pytest_hwcloud.explanations.notes" not in sys.modules
            raise KeyError(body["servers"])
        """
    )
    result = pytester.runpytest_subprocess()
    result.assert_outcomes(failed=1)
    assert "KeyError: 'servers'" in result.stdout.str()
    assert "Ecs.0110 ·" not in result.stdout.str()


def test_compared_codes_are_explained_below_pytests_diff_without_any_cloud_test(pytester: pytest.Pytester) -> None:
    pytester.makepyfile(
        """
        def test_code():
            code = "APIGW.0301"
            assert code == "Ecs.0110"

        def test_among():
            assert "Ecs.0110" in ["Ecs.0005"]

        def test_no_code():
            assert "a" == "b"
        """
    )
    result = pytester.runpytest_inprocess()
    found = sections(result.stdout.str())
    gateway, denied = "APIGW.0301 · authentication · ", "Ecs.0110 · authorization · "
    lines = [line[1:].strip() for line in found["test_code"].splitlines() if line.startswith("E")]
    assert lines[:4] == ["AssertionError: assert 'APIGW.0301' == 'Ecs.0110'", "", "- Ecs.0110", "+ APIGW.0301"]
    assert [line.startswith((gateway, denied)) for line in lines[-2:]] == [True, True]
    assert denied in found["test_among"]
    assert " · " not in found["test_no_code"]


def test_other_plugins_comparison_is_kept(pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        """
        def pytest_assertrepr_compare(config, op, left, right):
            return ["codes differ:", f"   {left} / {right}"]
        """
    )
    pytester.makepyfile("""def test_code(): assert "APIGW.0301" == "Ecs.0110" """)
    result = pytester.runpytest_inprocess()
    result.stdout.fnmatch_lines(
        ["E*codes differ:", "E*APIGW.0301 / Ecs.0110", "E*APIGW.0301 · authentication*", "E*Ecs.0110 · authorization*"]
    )
