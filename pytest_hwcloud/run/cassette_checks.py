"""Unused cassettes, unplayed interactions and old recordings, shown at the end of a run; correct under -k and xdist."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.usage import Hygiene
from pytest_hwcloud.interceptors.router import Router
from pytest_hwcloud.replay.player import Player
from pytest_hwcloud.run.routers import Routers
from pytest_hwcloud.texts import terminal

if TYPE_CHECKING:
    from pytest_hwcloud.options import Settings

OUTPUT = "hwcloud_cassettes"  # key of a worker's output


class CassetteChecks:
    """The hooks. A worker collects and ships plain data, the controller (or the only process) reports."""

    def __init__(self, config: pytest.Config, settings: Settings, routers: Routers) -> None:
        self.config, self.settings, self.routers = config, settings, routers
        self.hygiene = Hygiene(settings.hosts)
        self.cloud: set[str] = set()  # node ids of the collected cloud tests
        self._passed = ""  # node id of the test whose call passed just now
        self.incomplete = False  # a worker crashed: what it played is not known

    def use(self, item: pytest.Item) -> None:
        """A collected cloud test, whether it will be selected or not."""
        self.cloud.add(item.nodeid)
        self.hygiene.uses(item.nodeid, [*self.routers.named_paths(item), self.routers.own_path(item)])
        self.hygiene.uses_fixtures(getattr(item, "fixturenames", ()))

    def played(self, item: pytest.Item, router: Router) -> None:
        """A test is over."""
        if isinstance(router, Player):
            self.hygiene.finished(item.nodeid, item.nodeid == self._passed, router.tapes)

    def played_by_fixture(self, router: Router) -> None:
        """A fixture of wider scope is over."""
        if isinstance(router, Player):
            self.hygiene.finished("", False, router.tapes)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        # First, so that what others deselect still counts as a user of its cassette.
        self.hygiene.leaves(self.routers.own_path(item) for item in items if item.nodeid not in self.cloud)
        self.hygiene.collected(
            {item.path for item in items},
            arguments=config.args,
            cassette_dir=self.settings.cassette_dir,
            python_files=[str(pattern) for pattern in config.getini("python_files")],
            root=self.settings.root,
        )

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.when == "call":
            self._passed = report.nodeid if report.passed else ""

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[OUTPUT] = self.hygiene.to_plain()
        elif self.settings.cassette_checks == "enforce" and self.lines() and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        lines = self.lines()
        if lines:
            width = terminalreporter.config.get_terminal_writer().fullwidth
            terminal.section(terminalreporter, texts.say("run.cassettes-title"), width)
            for line in lines:
                terminal.write(terminalreporter, line, width)
            if self.settings.cassette_checks == "enforce":
                terminal.write(terminalreporter, texts.say("run.cassettes-enforced"), width)

    def lines(self) -> list[str]:
        """One line a finding; none where the checks are off, or not all of the run is known."""
        if self.incomplete or self.settings.cassette_checks == "off" or self.config.option.collectonly:
            return []
        return [finding.text for finding in self.hygiene.findings(max_age=self.settings.max_age)]

    def merge(self, output: dict[str, object] | None) -> None:
        """Take what a worker found; None for one that crashed."""
        found = (output or {}).get(OUTPUT)
        if isinstance(found, dict):
            self.hygiene.merge(found)
        elif output is None:
            self.incomplete = True
