"""Record and live mode: the recorders of one run, and what happens with a recording when its test is over."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.tape import CassetteError, Tape
from pytest_hwcloud.cloud.credentials import live_identities as with_live_keys
from pytest_hwcloud.cloud.credentials import require
from pytest_hwcloud.config import live_secrets
from pytest_hwcloud.replay.identity_mapping import IdentityMapping
from pytest_hwcloud.replay.recorder import Recorder

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.config import Configuration
    from pytest_hwcloud.options import Settings

SINCE = "hwcloud_since"  # key of a worker's input
COOKIES = "hwcloud_firewall_cookies"  # key of its output
GOOD = pytest.StashKey[bool]()  # the test passed, failed as it said it would, or skipped itself


def live_identities(configuration: Configuration) -> dict[str, Identity]:
    """The identities with their real keys; MissingCredentials or ConfigError if they cannot be had."""
    given = configuration.identities
    return with_live_keys(given, lambda name: live_secrets(configuration, name), configuration.region)


def _since(config: pytest.Config) -> datetime:
    """When the run began: for xdist's workers the controller's word, so that none drops what another just recorded."""
    told: str | None = getattr(config, "workerinput", {}).get(SINCE)
    return datetime.fromisoformat(told) if told else datetime.now(UTC)


Tell = Callable[[str], None]  # takes each secret that is met while recording, for the pass over the reports


@dataclass
class Recording:
    """What all recorders of a run share: one mapping of identities, so that a secret met once is hidden everywhere."""

    settings: Settings
    identities: Mapping[str, Identity]  # with their real keys
    mapping: IdentityMapping
    since: datetime
    keep: tuple[str, ...] = ()
    firewall_cookies: int = 0  # that recordings of this run left out

    @classmethod
    def of(
        cls,
        config: pytest.Config,
        settings: Settings,
        configuration: Configuration,
        tell: Tell,
    ) -> Recording:
        """MissingCredentials or ConfigError if the identities' keys cannot be had."""
        live = live_identities(configuration)
        replay = configuration.replayed
        return cls(settings, live, IdentityMapping(live, replay, tell=tell), _since(config), configuration.keep)

    @property
    def writes_anew(self) -> bool:
        """Whether the cassettes are rewritten, not completed."""
        return self.settings.mode == "record" and self.settings.record == "all"

    def recorder(self, own: Path, tapes: Sequence[Tape]) -> Recorder:
        """The router of a test or a wider fixture whose cassette is `own`."""
        return Recorder(
            own,
            self.mapping,
            mode=self.settings.mode,
            rewrite=self.writes_anew,
            since=self.since,
            tapes=tapes,
            verify=self.settings.verify,
            hosts=self.settings.hosts,
            keep=self.keep,
        )

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[SINCE] = self.since.isoformat()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[COOKIES] = self.firewall_cookies

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        self.firewall_cookies += getattr(node, "workeroutput", {}).get(COOKIES, 0)

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        if self.firewall_cookies:
            terminalreporter.write_line(texts.say("run.firewall-cookies", n=self.firewall_cookies))

    def require(self, identity: Identity) -> Identity:
        """The identity itself, if it has credentials to call the cloud with; MissingCredentials if not."""
        return require(identity)

    def is_good(self, item: pytest.Item) -> bool:
        """Whether this test ended as it wanted: what a skipped one asked before is asked in replay too."""
        return item.stash.get(GOOD, False)

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(
        self, item: pytest.Item, call: pytest.CallInfo[object]
    ) -> Generator[None, pytest.TestReport, pytest.TestReport]:
        report = yield
        if report.when == "call" or (report.when == "setup" and report.skipped):
            item.stash[GOOD] = report.passed or report.skipped or hasattr(report, "wasxfail")
        return report


class NotRecordable(UserWarning):
    """A call of a recorded test ended in a way that no cassette can hold."""


def finish(recording: Recording, recorder: Recorder, good: bool) -> None:
    """Keep the recording of a good test; fail the test if it cannot be kept, or if the cloud drifted from it."""
    problem = _committed(recording, recorder, good)
    if problem is not None:
        pytest.fail(texts.say("run.error", problem=problem), pytrace=False)
    for call in recorder.lost:
        warnings.warn(texts.say("wire.not-recorded", call=call), NotRecordable, stacklevel=2)
    if recorder.drift or recorder.unrecorded:
        pytest.fail(_drifted(recorder), pytrace=False)


def _committed(recording: Recording, recorder: Recorder, good: bool) -> CassetteError | None:
    try:
        if recorder.commit(good) is not None:
            recording.firewall_cookies += recorder.firewall_cookies
    except CassetteError as error:
        return error
    return None


def _drifted(recorder: Recorder) -> str:
    lines = [str(one) for one in recorder.drift]
    lines += [texts.say("run.not-in-recording", call=call) for call in recorder.unrecorded]
    head = texts.say("run.drifted", file=os.path.relpath(recorder.path))
    return "\n  ".join([head, *dict.fromkeys(lines), texts.say("run.record-again")])
