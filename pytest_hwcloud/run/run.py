"""What a pytest run holds once it has a cloud test: identities, the replayed cloud, tokens, secrets."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import options, texts
from pytest_hwcloud.cloud.endpoints import base_url
from pytest_hwcloud.cloud.identity import UnknownName
from pytest_hwcloud.config import ConfigError, Configuration, load_configuration
from pytest_hwcloud.explanations.reporting import Headline
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.interceptors import router as route
from pytest_hwcloud.interceptors.mocks import MOCKS
from pytest_hwcloud.journal import CURRENT, Exchange, Journal
from pytest_hwcloud.run import wider_fixtures
from pytest_hwcloud.run.cassette_checks import CassetteChecks
from pytest_hwcloud.run.context import RunContext, TokenSource, all_rights, policy_labels
from pytest_hwcloud.run.programs import Programs
from pytest_hwcloud.run.routers import Broken, Routers
from pytest_hwcloud.run.running_test import CASE, Case, failing_on_unrecorded, tell_of_mocks
from pytest_hwcloud.secrets.redaction import Redaction, Secrets

if TYPE_CHECKING:
    from pytest_hwcloud.gateway.children import Gateway
    from pytest_hwcloud.permissions.hooks import PermissionChecks
    from pytest_hwcloud.run.hwcloud import Cloud, HwCloud
    from pytest_hwcloud.run.recording import Recording

PERMISSION_MARKS = frozenset(("requires_permission", "denied_permission"))


def start(config: pytest.Config, settings: options.Settings) -> Run:
    """Set the run up; pytest.UsageError for anything wrong in options, hwcloud.yaml or a policy file."""
    before = texts.language()
    texts.use(settings.lang)
    config.add_cleanup(lambda: texts.use(before))  # a run inside another one ends before it
    try:
        return Run(config, settings)
    except (ConfigError, UnknownName) as error:
        raise pytest.UsageError(texts.say("run.error", problem=error)) from None


class Run:
    """One pytest run with cloud tests."""

    def __init__(self, config: pytest.Config, settings: options.Settings) -> None:
        self.config, self.settings = config, settings
        self.configuration: Configuration = load_configuration(settings)
        base_url("ecs", self.configuration.region)  # an unknown region is an error before any test runs
        _use_tables(self.configuration.actions)
        self.secrets = Secrets()
        self.context = self._context()
        self.state = self.context.state
        self.routers = Routers(self.context)
        self.checks: PermissionChecks | None = None
        if self._asks_for_checks():
            self.start_checks()
        self.cassettes = CassetteChecks(config, settings, self.routers)
        self.programs = Programs(self.context)
        self._wide: set[str] = set()  # names of wider fixtures that asked for a fixture of ours by getfixturevalue
        config.pluginmanager.register(self.programs, "hwcloud-programs")
        if settings.mode == "replay":
            config.pluginmanager.register(self.cassettes, "hwcloud-cassettes")

    def _context(self) -> RunContext:
        recording = self._recording()
        identities = recording.identities if recording else self.configuration.replayed
        rights = all_rights(self.configuration)
        state = CloudState(identities, region=self.configuration.region, rights=rights)
        for identity in state.identities.values():
            self.secrets.add_identity(identity)
        self.redaction = Redaction(self.secrets, self.config)
        self.config.pluginmanager.register(self.redaction, "hwcloud-redaction")
        self.config.pluginmanager.register(Headline(), "hwcloud-headline")
        return RunContext(
            config=self.config,
            settings=self.settings,
            configuration=self.configuration,
            state=state,
            secrets=self.secrets,
            tokens=TokenSource(state, self.secrets, replayed=recording is None),
            recording=recording,
            cache_dir=_cache_dir(self.config),
        )

    def _recording(self) -> Recording | None:
        """What record and live mode need; None in replay. ConfigError if there are no credentials."""
        if self.settings.mode == "replay":
            return None
        from pytest_hwcloud.cloud.credentials import MissingCredentials
        from pytest_hwcloud.run.recording import Recording

        try:
            recording = Recording.of(self.config, self.settings, self.configuration, self.secrets.add)
        except MissingCredentials as error:
            raise ConfigError(str(error)) from None
        self.secrets.read_waiting = recording.mapping.read_waiting
        self.config.pluginmanager.register(recording, "hwcloud-recording")
        return recording

    def header(self) -> str:
        """The header line: what is in force."""
        return options.header_line(
            self.settings, self.context.region, list(self.configuration.identities), policy_labels(self.state.rights)
        )

    def _asks_for_checks(self) -> bool:
        """Whether there is something to be checked whatever the tests are; else it is their markers that ask for it."""
        settings = self.settings
        if settings.permissions == "enforce" or settings.lock != "off" or settings.prove != "off" or settings.reports:
            return True
        return bool(self.state.rights or self.configuration.ignores or os.environ.get("GITHUB_ACTIONS"))

    def start_checks(self) -> PermissionChecks | None:
        """The permission checks of the run, from now on; None if they are switched off."""
        settings = self.settings
        if settings.permissions == "off" and settings.lock == settings.prove == "off" and not settings.reports:
            return None
        if self.checks is None:
            from pytest_hwcloud.permissions.hooks import PermissionChecks

            if (
                settings.lock != "off"
                and os.path.lexists(settings.lockfile)
                and not hasattr(self.config, "workerinput")
            ):
                _refuse_broken_lock(settings.lockfile, self.config)
            self.checks = PermissionChecks(self)
            self.config.pluginmanager.register(self.checks, "hwcloud-permissions")
        return self.checks

    def collected(self, items: list[pytest.Item], report: pytest.CollectReport) -> None:
        """Check the markers of collected cloud tests; a wrong one fails the collection of its module or class."""
        self.redaction.rename(items)  # before anything is called after them
        found = self.wrong_markers(items)
        if found:
            report.outcome = "failed"
            report.longrepr = "\n".join(found)
            report.result = []
            return
        self._use(items)

    def changed(self, items: list[pytest.Item], before: list[str], after: list[str]) -> None:
        """Tests that a hook of the project made cloud tests after they were collected, or gave other markers.

        before, after: node ids of all tests before and after such hooks. pytest.UsageError for a wrong marker: there is
        no module left whose collection could fail.
        """
        found = self.wrong_markers(items)
        if found:
            raise pytest.UsageError("\n".join(found))
        known = self.checks
        self._use(items)
        if self.checks is not None and self.checks is not known:  # which came too late to see them
            self.checks.selection.modified(before, after)

    def _use(self, items: list[pytest.Item]) -> None:
        for item in items:
            self.cassettes.use(item)
            if self.checks is None and any(mark.name in PERMISSION_MARKS for mark in item.stash[options.MARKED]):
                self.start_checks()

    def wrong_markers(self, items: list[pytest.Item]) -> list[str]:
        """What is wrong with the markers of these tests, each problem once."""
        from pytest_hwcloud.run.markers import problems

        return list(dict.fromkeys(text for item in items for text in problems(item, self.context, self.routers)))

    def reaches(self, item: pytest.Item) -> bool:
        """Whether a test that names nothing of ours has a wider fixture that asked for something of ours."""
        return bool(self._wide) and not self._wide.isdisjoint(getattr(item, "fixturenames", ()))

    @contextmanager
    def testing_late(self, item: pytest.Item, request: pytest.FixtureRequest | None = None) -> Iterator[None]:
        """The same as testing, for a test that got a marker, or asked for a fixture of ours (request) just now."""
        above: object = request
        while (above := getattr(above, "_parent_request", None)) is not None:
            definition = getattr(above, "_fixturedef", None)
            if definition is not None and definition.scope != "function":
                self._wide.add(definition.argname)
        self._use([item])
        with self.testing(item):
            if os.environ.get("PYTEST_CURRENT_TEST", "").endswith("(call)"):
                item.stash[CASE].journal.phase = "call"
            yield

    def remarked(self, item: pytest.Item) -> None:
        """A running cloud test has got other markers: its calls go by them from now on."""
        from pytest_hwcloud.run.markers import identity_of

        case = item.stash[CASE]
        self.routers.finish(case.router, good=True)  # what fixtures recorded before
        case.router, case.identity = self.routers.of_test(item), identity_of(item)
        self._enter(case)
        self._use([item])
        self._watch(case)

    @contextmanager
    def environment(self, item: pytest.Item) -> Iterator[dict[str, str]]:
        """While it is open, the keys of this test's identity stand in the environment."""
        from pytest_hwcloud.run import environment

        found = environment.variables(self.context.identity(item.stash[CASE].identity), self.context.region)
        with environment.replaced(found):
            yield found

    @contextmanager
    def metadata(self, item: pytest.Item) -> Iterator[str]:
        """While it is open, the metadata address of a server gives keys of this test's identity."""
        from pytest_hwcloud.gates.metadata import HOST

        state = self.context.state
        state.metadata = item.stash[CASE].identity
        try:
            yield f"http://{HOST}"
        finally:
            state.metadata = None

    @contextmanager
    def testing(self, item: pytest.Item) -> Iterator[None]:
        """While this test runs, its calls are answered for it and written into its journal."""
        case = self._begin(item)
        try:
            with case.ending:
                self._watch(case)
                if self.settings.env:
                    case.ending.enter_context(self._keys(case.identity))
                yield
        finally:
            self.programs.end()
            route.pause()
            CURRENT.journal = None
            self.cassettes.played(item, case.router)
            self.state.succeeded.update(e.identity for e in case.journal.exchanges if e.identity and _succeeded(e))
            if self.settings.prove == "off":  # it is not needed any more, and a run may have ten thousand tests
                del item.stash[CASE]

    def _watch(self, case: Case) -> None:
        """Have the checks look at this test, if they are to and do not yet."""
        if self.checks is not None and not self.checks.watches(case.item):
            case.ending.enter_context(self.checks.watching(case.item, case.journal))

    def _keys(self, identity: str) -> AbstractContextManager[None]:
        """hwcloud_env = true: the keys of the identity; what it lacks is reported where a call needs it."""
        from pytest_hwcloud.run import environment

        return environment.replaced(environment.variables(self.state.identity(identity), self.context.region))

    def _begin(self, item: pytest.Item) -> Case:
        from pytest_hwcloud.run.markers import identity_of

        self.state.begin_test()
        return self._enter(Case(item, Journal(item.nodeid), self.routers.of_test(item), identity_of(item)))

    def _enter(self, case: Case) -> Case:
        case.item.stash[CASE] = case
        self.state.stand_in = case.identity  # IAM answers unknown callers as this identity
        CURRENT.journal = case.journal
        route.enter(case.router)
        MOCKS.begin()
        self.programs.begin(case)
        return case

    @contextmanager
    def rerunning(self, item: pytest.Item) -> Iterator[Case]:
        """While the proof runs this test again: with a separate journal and tapes; afterwards all is as it was."""
        before = item.stash[CASE]
        try:
            yield self._begin(item)
        finally:
            self._enter(before)

    @contextmanager
    def calling(self, item: pytest.Item) -> Iterator[None]:
        """The call phase; a call that no cassette answered fails the test even if the code swallowed the exception."""
        case = item.stash[CASE]
        if isinstance(case.router, Broken):
            pytest.fail(str(case.router.error), pytrace=False)
        case.journal.phase = "call"
        try:
            with failing_on_unrecorded(case.router):
                yield
            tell_of_mocks(case)
            if self.checks:
                self.checks.after_call(item)
        finally:
            case.journal.phase = "teardown"

    @contextmanager
    def tearing_down(self, item: pytest.Item) -> Iterator[None]:
        """The teardown phase: the same for the calls of fixtures that clean up."""
        router = item.stash[CASE].router
        with failing_on_unrecorded(router):
            yield
        if self.checks:
            self.checks.after_teardown(item)
        if self.context.recording:
            self.routers.finish(router, good=self.context.recording.is_good(item), test=item.nodeid)

    @contextmanager
    def preparing(self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> Iterator[None]:
        """While a fixture of wider scope is set up: its calls are its own, in its own cassette if it has one."""
        router = self.routers.of_fixture(fixturedef, request)
        with wider_fixtures.preparing(
            router, fixturedef, request, self._cleaned_up, self.routers.fixture_path(fixturedef, request)
        ):
            yield
        self.programs.keep_threads()

    def _cleaned_up(self, router: route.Router, good: bool) -> None:
        """A fixture of wider scope is over. good: it was set up without an error."""
        self.cassettes.played_by_fixture(router)
        self.routers.finish(router, good=good)

    def leave(self) -> None:
        """A test that is no cloud test comes: take everything back that was patched."""
        self.programs.leave()
        route.leave()

    def close(self) -> None:
        """The run is over."""
        self.programs.close()
        route.leave()

    def cloud(self, item: pytest.Item) -> HwCloud:
        """The object behind the fixture `hwcloud`."""
        from pytest_hwcloud.run.hwcloud import HwCloud

        return HwCloud(self.context, item.stash[CASE])

    def shared(self) -> Cloud:
        """The object behind the fixture `hwcloud_shared`."""
        from pytest_hwcloud.run.hwcloud import Cloud

        return Cloud(self.context)

    def gateway(self, item: pytest.Item | None = None) -> Gateway:
        """The object behind `hwcloud_gateway`; without an item the one behind `hwcloud_gateway_shared`."""
        return self.programs.gateway(item.stash[CASE].identity if item is not None else None)

    def claims(self, item: pytest.Item) -> dict[str, Mapping[str, object]]:
        """What the cassettes of a test are about, by their metadata."""
        expected = {tape.name: tape.metadata.get("expects") for tape in getattr(item.stash[CASE].router, "tapes", ())}
        return {name: claim for name, claim in expected.items() if isinstance(claim, Mapping)}

    def given_tokens(self, item: pytest.Item) -> frozenset[str]:
        """The values of the tokens that its fixtures gave to a test."""
        return frozenset(item.stash[CASE].tokens)

    def speaks_of(self, error: BaseException, item: pytest.Item, refused: Sequence[Exchange]) -> bool:
        """Whether a failure of this test, which runs now, is about one of these refused calls."""
        from pytest_hwcloud.run.blame import speaks_of

        return speaks_of(error, item, item.stash[CASE].journal, refused)

    def explain(self, item: pytest.Item, call: pytest.CallInfo[object]) -> None:
        """Put the explanation on the exception of a failed cloud test."""
        from pytest_hwcloud.explanations import reporting

        case = item.stash.get(CASE, None)
        reporting.makereport(item, call, case.journal if case else None, self.state, self.settings.lang)


def _cache_dir(config: pytest.Config) -> Path | None:
    """A folder of pytest's cache for parsed cassettes; None if the cache is switched off or cannot be written."""
    cache = getattr(config, "cache", None)
    try:
        return Path(cache.mkdir("hwcloud")) if cache is not None else None
    except OSError:
        return None


def _succeeded(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status < 300


def _refuse_broken_lock(file: Path, config: pytest.Config) -> None:
    from pytest_hwcloud.permissions.lock import accepting, lockfile

    problem = lockfile.problem(file)
    if problem:
        raise ConfigError(accepting.repeated(problem, config))


def _use_tables(files: Sequence[Path]) -> None:
    """Take the project's tables of actions, in place of those of a run before; ConfigError for a wrong one."""
    known = "pytest_hwcloud.cloud.calls.calls"
    if not files and known not in sys.modules:
        return  # most runs need no table of ours either
    from pytest_hwcloud.cloud.calls.calls import add_table, clear_tables

    clear_tables()
    try:
        for file in files:
            add_table(file)
    except ValueError as error:
        raise ConfigError(_as_written(str(error), file)) from None


def _as_written(text: str, file: Path) -> str:
    """A message with a file as a user would write it from here."""
    return text.replace(str(file), min(os.path.relpath(file), str(file), key=len), 1)
