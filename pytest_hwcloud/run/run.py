"""What a pytest run holds once it has a cloud test: identities, the replayed cloud, tokens, secrets."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import options, texts
from pytest_hwcloud.cloud.calls.calls import add_table, clear_tables
from pytest_hwcloud.cloud.endpoints import base_url
from pytest_hwcloud.cloud.identity import Identity, UnknownName
from pytest_hwcloud.cloud.tokens import Scope, Token, TokenCache
from pytest_hwcloud.config import ConfigError, Configuration, load_configuration
from pytest_hwcloud.explanations.headline import Headline
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.interceptors import router as route
from pytest_hwcloud.journal import CURRENT, Exchange, Journal
from pytest_hwcloud.run import wider_fixtures
from pytest_hwcloud.run.cassette_checks import CassetteChecks
from pytest_hwcloud.run.policies import all_rights, policy_labels
from pytest_hwcloud.run.routers import Broken, Routers
from pytest_hwcloud.run.running_test import CASE, Case
from pytest_hwcloud.run.unrecorded import failing_on_unrecorded
from pytest_hwcloud.secrets.redaction import Redaction, Secrets

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.hooks import PermissionChecks
    from pytest_hwcloud.run.hwcloud import HwCloud
    from pytest_hwcloud.run.recording import Recording


def start(config: pytest.Config, settings: options.Settings) -> Run:
    """Set the run up; pytest.UsageError for anything wrong in options, hwcloud.yaml or a policy file."""
    texts.use(settings.lang)
    try:
        return Run(config, settings)
    except (ConfigError, UnknownName) as error:
        raise pytest.UsageError(f"hwcloud: {error}") from None


class Run:
    """One pytest run with cloud tests."""

    def __init__(self, config: pytest.Config, settings: options.Settings) -> None:
        self.config, self.settings = config, settings
        self.configuration: Configuration = load_configuration(settings)
        self.region = self.configuration.region
        base_url("ecs", self.region)  # an unknown region is an error before any test runs
        clear_tables()
        for table in self.configuration.actions:
            _add_table(table)
        self.recording: Recording | None = None
        self.secrets = Secrets()
        self.state = CloudState(self._identities(), region=self.region, rights=all_rights(self.configuration))
        self.routers = Routers(self)
        self._tokens = TokenCache()
        self._hide_secrets()
        self.checks = self._permission_checks()
        self.cassettes = CassetteChecks(config, settings, self.routers)
        if settings.mode == "replay":
            config.pluginmanager.register(self.cassettes, "hwcloud-cassettes")

    def header(self) -> str:
        """The header line: what is in force."""
        return options.header_line(
            self.settings, self.region, list(self.configuration.identities), policy_labels(self.state.rights)
        )

    def _identities(self) -> dict[str, Identity]:
        if self.settings.mode == "replay":
            return dict(self.configuration.identities)
        from pytest_hwcloud.run.credentials import MissingCredentials
        from pytest_hwcloud.run.recording import Recording, live_identities

        try:
            live = live_identities(self.configuration)
        except MissingCredentials as error:
            raise ConfigError(str(error)) from None
        self.recording = Recording.of(self.config, self.settings, self.configuration, live, self.secrets.add)
        self.config.pluginmanager.register(self.recording, "hwcloud-recording")
        return live

    def _hide_secrets(self) -> None:
        for identity in self.state.identities.values():
            self.secrets.add_identity(identity)
        self.config.pluginmanager.register(Redaction(self.secrets), "hwcloud-redaction")
        self.config.pluginmanager.register(Headline(), "hwcloud-headline")

    def _permission_checks(self) -> PermissionChecks | None:
        settings = self.settings
        if settings.permissions == "off" and settings.lock == settings.prove == "off" and not settings.reports:
            return None
        from pytest_hwcloud.permissions.hooks import PermissionChecks

        if settings.lock != "off" and settings.lockfile.exists() and not hasattr(self.config, "workerinput"):
            _refuse_broken_lock(settings.lockfile)
        checks = PermissionChecks(self)
        self.config.pluginmanager.register(checks, "hwcloud-permissions")
        return checks

    def collected(self, items: list[pytest.Item], report: pytest.CollectReport) -> None:
        """Check the markers of collected cloud tests; a wrong one fails the collection of its module or class."""
        from pytest_hwcloud.run.markers import problems

        found = [text for item in items for text in problems(item, self)]
        if found:
            report.outcome = "failed"
            report.longrepr = "\n".join(dict.fromkeys(found))
            report.result = []
            return
        for item in items:
            self.cassettes.use(item)

    @contextmanager
    def testing(self, item: pytest.Item) -> Iterator[None]:
        """While this test runs, its calls are answered for it and written into its journal."""
        case = self._begin(item)
        journal, router = case.journal, case.router
        try:
            with self.checks.watching(item, journal) if self.checks else nullcontext():
                yield
        finally:
            route.pause()
            CURRENT.journal = None
            self.cassettes.played(item, router)
            self.state.succeeded.update(e.identity for e in journal.exchanges if e.identity and _succeeded(e))

    def _begin(self, item: pytest.Item) -> Case:
        from pytest_hwcloud.run.markers import identity_of

        self.state.begin_test()
        return self._enter(Case(item, Journal(item.nodeid), self.routers.of_test(item), identity_of(item)))

    def _enter(self, case: Case) -> Case:
        case.item.stash[CASE] = case
        self.state.stand_in = case.identity  # IAM answers callers that nobody knows as this identity
        CURRENT.journal = case.journal
        route.enter(case.router)
        return case

    @contextmanager
    def rerunning(self, item: pytest.Item) -> Iterator[Case]:
        """While the proof runs this test again: a journal and tapes of its own; afterwards all is as it was."""
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
        if self.recording:
            self.routers.finish(router, good=self.recording.is_good(item))

    @contextmanager
    def preparing(self, fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest) -> Iterator[None]:
        """While a fixture of wider scope is set up: its calls are its own, in its own cassette if it has one."""
        with wider_fixtures.preparing(self.routers, fixturedef, request):
            yield

    def leave(self) -> None:
        """A test that is no cloud test comes: take everything back that was patched."""
        route.leave()

    def close(self) -> None:
        """The run is over."""
        route.leave()

    def cloud(self, item: pytest.Item) -> HwCloud:
        """The object behind the fixture `hwcloud`."""
        from pytest_hwcloud.run.hwcloud import HwCloud

        return HwCloud(self, item.stash[CASE])

    def token(self, identity: Identity, scope: Scope, *, fresh: bool = False) -> Token:
        """A token of this identity and scope: asked for once in a process, and again after its rights changed."""
        key = (identity.name, scope, self.state.rights_version)
        if fresh:
            self._tokens.forget(key)
        token = self._tokens.get(key, self.state.clock(), lambda: self._issue(identity, scope))
        self.secrets.add(token.value)
        return token

    def _issue(self, identity: Identity, scope: Scope) -> Token:
        if self.settings.mode == "replay":
            return self.state.issue(identity, scope)
        from pytest_hwcloud.run.token_source import login

        return login(identity, scope, self.region)

    def claims(self, item: pytest.Item) -> dict[str, Mapping[str, object]]:
        """What the cassettes of a test say in their metadata that they are about."""
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

    def cache_dir(self) -> Path | None:
        """A folder of pytest's cache for parsed cassettes; None if the cache is switched off or cannot be written."""
        cache = getattr(self.config, "cache", None)
        try:
            return Path(cache.mkdir("hwcloud")) if cache is not None else None
        except OSError:
            return None


def _succeeded(exchange: Exchange) -> bool:
    return exchange.status is not None and exchange.status < 300


def _refuse_broken_lock(file: Path) -> None:
    from pytest_hwcloud.permissions.lock import lockfile

    problem = lockfile.problem(file)
    if problem:
        raise ConfigError(problem)


def _add_table(file: Path) -> None:
    try:
        add_table(file)
    except ValueError as error:
        raise ConfigError(str(error)) from None
