"""A pass over every finished report that replaces known secrets, wherever pytest prints values."""

from __future__ import annotations

import os
from collections.abc import Generator, Mapping

import pytest

from pytest_hwcloud.journal import CURRENT
from pytest_hwcloud.secrets.known_secrets import Secrets

__all__ = ["Redaction", "Secrets", "redact_report"]

_PARTS = ("longrepr", "sections", "user_properties", "wasxfail", "context")
_DEEPEST = 30


class Redaction:
    """The plugin that redacts the reports of a run; registered once there is a cloud test."""

    def __init__(self, secrets: Secrets) -> None:
        self.secrets = secrets

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[object]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self.redact(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(report, "context"):  # of a subtest: it was given its captured output after it was made
            self.redact(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.redact(report)

    def redact(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Replace every known secret in a report; a report that shows nothing is left alone."""
        if not (report.longrepr or report.sections or getattr(report, "user_properties", None)):
            return
        self.secrets.add_environment(os.environ)
        if CURRENT.journal is not None:
            for exchange in CURRENT.journal.exchanges:
                self.secrets.add_exchange(exchange)
        redact_report(report, self.secrets)


def redact_report(report: pytest.TestReport | pytest.CollectReport, secrets: Secrets) -> None:
    """Replace every known secret in what a report shows: traceback, arguments, locals, messages, captured output."""
    for name in _PARTS:
        value = report.__dict__.get(name)
        if value is not None:
            setattr(report, name, _without(value, secrets, 0))


def _without(value: object, secrets: Secrets, depth: int) -> object:
    """The same value without secrets; containers anew, pytest's own representation objects changed in place."""
    if depth > _DEEPEST:
        return value
    match value:
        case str():
            return secrets.masked(value)
        case list():
            return [_without(one, secrets, depth + 1) for one in value]
        case tuple() if type(value) is tuple:
            return tuple(_without(one, secrets, depth + 1) for one in value)
        case dict():
            return {key: _without(one, secrets, depth + 1) for key, one in value.items()}
    if type(value).__module__.startswith("_pytest."):
        _clean(value, secrets, depth)
    return value


def _clean(shown: object, secrets: Secrets, depth: int) -> None:
    for name, value in _fields(shown).items():
        cleaned = _without(value, secrets, depth + 1)
        if cleaned is not value:
            object.__setattr__(shown, name, cleaned)  # pytest's dataclasses are frozen for users, not for a report


def _fields(shown: object) -> Mapping[str, object]:
    slots = {name: getattr(shown, name) for name in getattr(shown, "__slots__", ()) if hasattr(shown, name)}
    return {**slots, **getattr(shown, "__dict__", {})}
