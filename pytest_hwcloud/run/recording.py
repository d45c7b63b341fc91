"""Record and live mode: the recorders of one run, and what happens with a recording when its test is over."""

from __future__ import annotations

import hashlib
import os
import threading
import time
import warnings
from collections.abc import Callable, Generator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field
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
from pytest_hwcloud.replay.recorder import Recorder, RecorderOptions
from pytest_hwcloud.texts import terminal

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.config import Configuration
    from pytest_hwcloud.options import Settings

SINCE = "hwcloud_since"  # key of a worker's input
GOOD = pytest.StashKey[bool]()  # the test passed, failed as expected, or skipped itself


TALLY = "hwcloud_tally"  # key of a worker's output
_NAMED, _EVERY = 3, 1.0  # dropped tests that are named; seconds between two lines of progress


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
    tally: Tally = field(default_factory=lambda: Tally())
    progress: Progress | None = None

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
        mapping = IdentityMapping(live, replay, tell=tell)
        progress = Progress(config) if settings.mode == "record" else None
        return cls(settings, live, mapping, _since(config), configuration.keep, progress=progress)

    @property
    def writes_anew(self) -> bool:
        """Whether the cassettes are rewritten, not completed."""
        return self.settings.mode == "record" and self.settings.record == "all"

    def recorder(self, own: Path, tapes: Sequence[Tape]) -> Recorder:
        """The router of a test or a wider fixture whose cassette is `own`."""
        options = RecorderOptions(
            mode=self.settings.mode,
            rewrite=self.writes_anew,
            since=self.since,
            verify=self.settings.verify,
            hosts=self.settings.hosts,
            keep=self.keep,
        )
        recorder = Recorder(own, self.mapping, tapes, options)
        if self.progress is not None:
            recorder.on_call = self.progress.add
        return recorder

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput[SINCE] = self.since.isoformat()

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[TALLY] = self._whole().to_dict()

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        sent = getattr(node, "workeroutput", {}).get(TALLY)
        if sent is not None:
            self.tally.merge(Tally(**{**sent, "masked": set(sent["masked"])}))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        for line in self._whole().lines(self.settings):
            terminal.write(terminalreporter, line, terminalreporter.config.get_terminal_writer().fullwidth)

    def _whole(self) -> Tally:
        """The tally with what was masked: digests, which let workers' secrets be counted once and reveal none."""
        key = self.since.isoformat().encode()[:64]
        met = self.mapping.swaps.secrets if self.settings.mode == "record" else ()
        self.tally.masked |= {hashlib.blake2b(one.encode(), key=key, digest_size=8).hexdigest() for one in met}
        return self.tally

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


@dataclass
class Tally:
    """What a run recorded or compared, for the line at its end. dropped: node ids of tests, or files of fixtures."""

    written: dict[str, int] = field(default_factory=dict)  # file -> calls
    kept: list[str] = field(default_factory=list)  # files that had every answer already
    dropped: list[str] = field(default_factory=list)
    masked: set[str] = field(default_factory=set)  # digests of secrets
    compared: int = 0
    differ: int = 0
    firewall_cookies: int = 0  # that recordings of this run left out

    def to_dict(self) -> dict[str, object]:
        """Plain data for the controller."""
        return {**vars(self), "masked": sorted(self.masked)}

    def merge(self, other: Tally) -> None:
        """Take what a worker counted."""
        for path, calls in other.written.items():
            self.written[path] = self.written.get(path, 0) + calls
        self.kept += other.kept
        self.dropped += other.dropped
        self.masked |= other.masked
        self.compared += other.compared
        self.differ += other.differ
        self.firewall_cookies += other.firewall_cookies

    def lines(self, settings: Settings) -> list[str]:
        """What was written, what stayed, what was dropped and why, and what to do next."""
        if settings.mode == "record":
            return [*self._recorded(), *self._cookies()]
        return [texts.say("run.verified", n=self.compared, differ=self.differ)] if settings.verify else []

    def _recorded(self) -> list[str]:
        kept = set(self.kept) - self.written.keys()
        calls, written = sum(self.written.values()), len(self.written)
        parts = [texts.say("run.recorded", n=written, calls=calls, masked=len(self.masked))]
        parts += [texts.say("run.recorded-kept", n=len(kept))] if kept else []
        if self.dropped:
            named = ", ".join(self.dropped[:_NAMED]) + (" …" if len(self.dropped) > _NAMED else "")
            parts.append(texts.say("run.recorded-dropped", n=len(self.dropped), tests=named))
        line = " · ".join(parts)
        folder = os.path.commonpath([os.path.dirname(path) or "." for path in self.written]) if self.written else ""
        return [line, *([texts.say("run.recorded-next", folder=folder or ".")] if self.written else [])]

    def _cookies(self) -> list[str]:
        count = self.firewall_cookies
        return [texts.say("run.firewall-cookies", n=count)] if count else []


class Progress:
    """Shows on a terminal how many calls were recorded, as long as a person waits for more than a second."""

    def __init__(self, config: pytest.Config, clock: Callable[[], float] = time.monotonic) -> None:
        self._plugin = config.pluginmanager.get_plugin  # asked late: pytest's terminal is configured after this
        self._clock, self._told, self._calls = clock, clock(), 0

    def add(self) -> None:
        """The network answered a call."""
        self._calls += 1
        if self._clock() - self._told < _EVERY:
            return
        reporter: Any = self._plugin("terminalreporter")
        if not getattr(reporter, "isatty", False):
            return
        if threading.current_thread() is not threading.main_thread():
            return  # what another thread writes now might stand in the middle of a line
        self._told = self._clock()
        capture: Any = self._plugin("capturemanager")
        with capture.global_and_fixture_disabled() if capture else nullcontext():
            reporter.write_line(texts.say("run.recording-so-far", n=self._calls))


class NotRecordable(UserWarning):
    """A call of a recorded test ended in a way that no cassette can hold."""


def finish(tally: Tally, recorder: Recorder, good: bool, test: str = "") -> None:
    """Keep the recording of a good test; fail the test if it cannot be kept, or if the cloud drifted from it."""
    problem = _committed(tally, recorder, good, test)
    if problem is not None:
        pytest.fail(texts.say("run.error", problem=problem), pytrace=False)
    for call in recorder.lost:
        warnings.warn(texts.say("wire.not-recorded", call=call), NotRecordable, stacklevel=2)
    if recorder.drift or recorder.unrecorded:
        tally.differ += len(recorder.drift) + len(recorder.unrecorded)
        pytest.fail(_drifted(recorder, test), pytrace=False)


def _committed(tally: Tally, recorder: Recorder, good: bool, test: str) -> CassetteError | None:
    calls, path = recorder.waiting, os.path.relpath(recorder.path)
    tally.compared += recorder.compared
    try:
        if recorder.commit(good) is not None:
            tally.firewall_cookies += recorder.firewall_cookies
            tally.written[path] = tally.written.get(path, 0) + calls
        elif recorder.mode == "record" and calls and not good:
            tally.dropped.append(test or path)
        elif good:
            tally.kept += [os.path.relpath(tape.path) for tape in recorder.tapes if tape.path == recorder.path]
    except CassetteError as error:
        tally.dropped.append(test or path)
        return error
    return None


def _drifted(recorder: Recorder, test: str) -> str:
    lines = [str(one) for one in recorder.drift]
    lines += [texts.say("run.not-in-recording", call=call) for call in recorder.unrecorded]
    head = texts.say("run.drifted", file=os.path.relpath(recorder.path))
    return "\n  ".join([head, *dict.fromkeys(lines), texts.say("run.record-again", test=f' "{test}"' if test else "")])
