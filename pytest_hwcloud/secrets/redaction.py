"""Known secrets are replaced wherever pytest shows values: reports, warnings, logs, JUnit, internal errors."""

from __future__ import annotations

import linecache
import logging
import os
import warnings
from collections.abc import Callable, Generator, Mapping

import pytest

from pytest_hwcloud.journal import CURRENT, Exchange
from pytest_hwcloud.secrets.item_names import name_without_secrets
from pytest_hwcloud.secrets.known_secrets import Secrets

__all__ = ["Redaction", "Secrets", "redact_report"]

_PARTS = ("longrepr", "sections", "user_properties", "wasxfail", "context")
_DEEPEST = 30


class Redaction:
    """The plugin that redacts what a run shows; registered once there is a cloud test."""

    def __init__(self, secrets: Secrets, config: pytest.Config | None = None) -> None:
        self.secrets = secrets
        self._config = config
        self._seen: set[int] = set()  # exchanges whose secrets are known
        if config is not None:
            self._mask_logs(config)

    @pytest.hookimpl(wrapper=True, trylast=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[object]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        self.redact(report)
        return report

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        # Of a subtest: it was given its captured output after it was made. Of an xfail: it was given its reason.
        if hasattr(report, "context") or hasattr(report, "wasxfail"):
            self.redact(report)
        if report.when == "teardown" and self._config is not None:
            mask_junit(self._config, self._masked)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        self.redact(report)

    @pytest.hookimpl(tryfirst=True)
    def pytest_warning_recorded(self, warning_message: warnings.WarningMessage) -> None:
        """The summary of warnings; threads and destructors that fail end up there, too."""
        mask_warning(warning_message, self._masked)

    @pytest.hookimpl(tryfirst=True)
    def pytest_internalerror(self, excrepr: object) -> None:
        self._learn()
        _without(excrepr, self.secrets, 0)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """What goes into JUnit past the reports: properties of the suite, attributes of a test."""
        mask_junit(session.config, self._masked)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """Keys of the run in the names of any test; those of cloud tests are looked at when they are collected."""
        for item in items:
            if item.name.endswith("]"):
                name_without_secrets(item, self.secrets, by_rule=False)

    def rename(self, items: list[pytest.Item]) -> None:
        """Take the secrets out of the names of collected cloud tests."""
        parametrized = [item for item in items if item.name.endswith("]")]
        if parametrized:
            self._learn()
        for item in parametrized:
            name_without_secrets(item, self.secrets, by_rule=True)

    def pytest_report_collectionfinish(self, config: pytest.Config) -> str | None:
        return unmasked(config)

    def redact(self, report: pytest.TestReport | pytest.CollectReport) -> None:
        """Replace every known secret in a report; a report that shows nothing is left alone."""
        if not any(getattr(report, name, None) for name in ("longrepr", "sections", "user_properties", "wasxfail")):
            return
        self._learn()
        redact_report(report, self.secrets)

    def _learn(self) -> None:
        """Take what the environment and the calls of the running test give away."""
        self.secrets.add_environment(os.environ)
        if CURRENT.journal is None:
            return
        for exchange in CURRENT.journal.exchanges:
            self.secrets.add_exchange(exchange)
            if id(exchange) not in self._seen:
                self._seen.add(id(exchange))
                self._learn_bodies(exchange)

    def _learn_bodies(self, exchange: Exchange) -> None:
        """A password that was sent, a key that was answered: what a recording would mask, a report masks, too."""
        from pytest_hwcloud.secrets.scrubber import Scrubber
        from pytest_hwcloud.secrets.substitutions import Swaps

        scrubber = Scrubber(Swaps(self.secrets.add))
        scrubber.request(exchange.request)
        if exchange.answer is not None:
            scrubber.answer(exchange.answer)

    def _masked(self, text: str) -> str:
        self._learn()
        return self.secrets.masked(text)

    def _mask_logs(self, config: pytest.Config) -> None:
        plugin = config.pluginmanager.get_plugin("logging-plugin")
        for name in ("log_file_handler", "log_cli_handler"):
            handler = getattr(plugin, name, None)
            if isinstance(handler, logging.Handler) and handler.formatter is not None:
                handler.setFormatter(_MaskedLog(handler.formatter, self._masked))


class _MaskedLog(logging.Formatter):
    """Another formatter's lines without secrets: of `--log-file`, and of `log_cli`."""

    def __init__(self, inner: logging.Formatter, masked: Callable[[str], str]) -> None:
        super().__init__()
        self._inner, self._masked = inner, masked

    def format(self, record: logging.LogRecord) -> str:
        return self._masked(self._inner.format(record))

    def __getattr__(self, name: str) -> object:
        return getattr(self._inner, name)


def mask_warning(warning: warnings.WarningMessage, masked: Callable[[str], str]) -> None:
    """Take the secrets out of a warning that is about to be shown: its text, and the line of source below it."""
    text = str(warning.message)
    clean = masked(text)
    if clean != text:
        warning.message = _warning_like(warning.message, clean)
    line = linecache.getline(warning.filename, warning.lineno).strip() if warning.line is None else warning.line
    if (hidden := masked(line)) != line:
        warning.line = hidden


def _warning_like(message: Warning | str, text: str) -> Warning | str:
    """A warning of the same class with this text; the text alone if the class puts its words together by itself."""
    if not isinstance(message, Warning):
        return text
    copy = Warning.__new__(type(message), text)
    try:
        return copy if str(copy) == text else text
    except Exception:  # its own __str__ wants what its own __init__ sets
        return text


def mask_junit(config: pytest.Config, masked: Callable[[str], str]) -> None:
    """Take the secrets out of what a JUnit file holds besides the reports."""
    from _pytest.junitxml import xml_key

    xml = config.stash.get(xml_key, None)
    if xml is None:
        return
    xml.global_properties[:] = [(name, masked(str(value))) for name, value in xml.global_properties]
    for reporter in xml.node_reporters.values():  # those of tests that are not over: the others are text by now
        for name, value in getattr(reporter, "attrs", {}).items():
            if (clean := masked(str(value))) != str(value):
                reporter.attrs[name] = clean


def unmasked(config: pytest.Config) -> str | None:
    """One line if what tests print is shown as they print it; None if all of it is masked."""
    if getattr(config.option, "capture", "fd") not in ("no", "tee-sys"):
        return None
    from pytest_hwcloud import texts

    return texts.say("secrets.not-captured", option=f"--capture={config.option.capture}")


def redact_early(report: pytest.CollectReport, config: pytest.Config) -> None:
    """A collection error ahead of the first cloud test: the keys of the environment are masked all the same."""
    if config.pluginmanager.has_plugin("hwcloud-redaction"):
        return  # it sees the report itself
    secrets = Secrets()
    secrets.add_environment(os.environ)
    redact_report(report, secrets)


def redact_report(report: pytest.TestReport | pytest.CollectReport, secrets: Secrets) -> None:
    """Replace every known secret in what a report shows: traceback, arguments, locals, messages, captured output."""
    for name in _PARTS:
        value = report.__dict__.get(name)
        if value is not None:
            setattr(report, name, _without(value, secrets, 0))


def _without(value: object, secrets: Secrets, depth: int) -> object:
    """The same value without secrets; containers are copied, pytest's own representation objects changed in place."""
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
