"""Tests that fail next to a secret show none of it, in no mode of pytest and not in JUnit."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from leaking_project import ENVIRONMENT, LEAKS, leaked, secrets, shows_none, write_leaks


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p hwcloud -p no:cacheprovider --junitxml=junit.xml")
    monkeypatch.setenv("HW_SECRET_KEY", ENVIRONMENT)
    write_leaks(pytester)
    return pytester


MODES: list[tuple[str, ...]] = [(), ("--showlocals",), ("--tb=native",), ("-vv",), ("-rA",)]


@pytest.mark.parametrize("options", MODES, ids=lambda options: " ".join(options) or "default")
def test_no_secret_is_shown(suite: pytest.Pytester, options: Sequence[str]) -> None:
    result = suite.runpytest_inprocess(*options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    counts = result.parseoutcomes()
    assert counts["failed"] == LEAKS.count("def test_")  # test_teardown is an error, test_subtests fails twice
    assert counts["errors"] == 1
    shows_none(suite.path, result.stdout.str(), (suite.path / "junit.xml").read_text())


def test_the_same_tests_leak_without_the_plugins_redaction(suite: pytest.Pytester) -> None:
    """So that the test above cannot pass because nothing would have been shown anyway."""
    suite.makepyfile(
        unredacted="""
        def pytest_plugin_registered(plugin, manager):
            if manager.get_name(plugin) == "hwcloud-redaction":
                manager.unregister(plugin)
        """
    )
    suite.syspathinsert()
    result = suite.runpytest_inprocess("-p", "unredacted", "--showlocals")
    shown = result.stdout.str()
    assert all(leaked(secret, shown) for secret in secrets(suite.path) if "%" not in secret)
