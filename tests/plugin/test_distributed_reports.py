"""Under xdist everything arrives: explanations, properties in JUnit, and no secret. One run, because it costs most."""

from __future__ import annotations

import re

import pytest
from explained_project import CONFTEST, KIND_NAMES, TRAP_NAMES, explained, innocent, junit, report_of, sections
from explained_project import write_tests as write_explained
from leaking_project import ENVIRONMENT, LEAKS, shows_none, write_leaks


@pytest.fixture
def result(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.RunResult:
    """Both scratch projects in one run."""
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p hwcloud -p xdist -p no:cacheprovider")
    monkeypatch.setenv("HW_SECRET_KEY", ENVIRONMENT)
    write_leaks(pytester, conftest=CONFTEST)
    write_explained(pytester)
    return pytester.runpytest_subprocess("-n2", "--showlocals", "--junitxml=junit.xml")


def test_everything_arrives(pytester: pytest.Pytester, result: pytest.RunResult) -> None:
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    found = sections(report_of(result))
    assert sum(explained(part) for part in found.values() if "test_suite.py:" in part) == 13
    assert innocent(found)
    # Twelve of the thirteen kinds, and the leaking test whose call is refused.
    result.stdout.fnmatch_lines(["*why tests failed*", "Ecs.0110 · authorization · 13 tests"])
    properties_arrive(pytester)
    counts = result.parseoutcomes()
    assert counts["failed"] == LEAKS.count("def test_") + len(KIND_NAMES) - 1 + len(TRAP_NAMES) + 1
    assert counts["errors"] == 2  # the fixture that is refused, the teardown that leaks
    shows_none(pytester.path, result.stdout.str(), (pytester.path / "junit.xml").read_text())


def properties_arrive(pytester: pytest.Pytester) -> None:
    cases = junit(pytester.path / "junit.xml")
    for name in KIND_NAMES:
        messages, properties = cases[name]
        assert any("hwcloud: " in message for message in messages), name
        assert properties["hwcloud.gate"] == ("network" if name == "test_dns" else "authorization"), name
        assert properties.get("hwcloud.code") == (None if name == "test_dns" else "Ecs.0110"), name
        assert (name == "test_dns") or re.fullmatch("[0-9a-f]{32}", properties["hwcloud.request_id"]), name
    for name in TRAP_NAMES:
        messages, properties = cases[name]
        assert not properties, name
        assert not any("hwcloud: " in message for message in messages), name
