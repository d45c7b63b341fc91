"""Every pytest hook and fixture, each one call into a room. Imports nothing but pytest and the options."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import options

if TYPE_CHECKING:
    import requests

    from pytest_hwcloud.cloud.tokens import Token
    from pytest_hwcloud.gateway.children import Gateway
    from pytest_hwcloud.run.hwcloud import Cloud, HwCloud
    from pytest_hwcloud.run.run import Run

SETTINGS = pytest.StashKey[options.Settings]()
RUN = pytest.StashKey["Run"]()  # made when the first cloud test is collected
CLOUD = options.MARKED  # on an item: it is a cloud test
MARKERS = pytest.StashKey[int]()  # on a running item: how many of its markers were looked at
LATE = pytest.StashKey[ExitStack]()  # on an item that became a cloud test while it ran: what ends with it

FIXTURES = frozenset(
    (
        "hwcloud",
        "hwcloud_session",
        "hwcloud_token",
        "hwcloud_project_token",
        "hwcloud_domain_token",
        "hwcloud_env",
        "hwcloud_metadata",
        "hwcloud_shared",
        "hwcloud_gateway",
        "hwcloud_gateway_shared",
    ),
)


def run_of(config: pytest.Config) -> Run:
    """What this run holds; made on first use, so that a run without cloud tests never loads it."""
    if RUN not in config.stash:
        from pytest_hwcloud.run.run import start

        config.stash[RUN] = start(config, config.stash[SETTINGS])
    return config.stash[RUN]


def pytest_addoption(parser: pytest.Parser) -> None:
    options.add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    settings = config.stash[SETTINGS] = options.read_settings(config)
    for line in options.marker_lines(settings.lang):
        config.addinivalue_line("markers", line)
    if config.getoption("help") and settings.lang != "en":
        options.translate_help(config, settings.lang)
    if settings.asks_for_more_than_replay():
        run_of(config)
    if getattr(config.option, "dist", "no") != "no" and not hasattr(config, "workerinput"):
        config.pluginmanager.register(_Arrivals(config), "hwcloud-arrivals")


class _Arrivals:
    """On an xdist controller, which collects nothing: what a worker sends of its cloud tests starts the run."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if hasattr(report, "hwcloud") and (RUN not in self._config.stash or run_of(self._config).checks is None):
            checks = run_of(self._config).start_checks()
            if checks:
                checks.pytest_runtest_logreport(report)

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: object) -> None:
        output = getattr(node, "workeroutput", None)
        if RUN in self._config.stash or "hwcloud_cassettes" in (output or {}):
            run_of(self._config).cassettes.merge(output)
            run_of(self._config).programs.merge(output)


def pytest_unconfigure(config: pytest.Config) -> None:
    if RUN in config.stash:
        config.stash[RUN].close()


def pytest_report_header(config: pytest.Config) -> str:
    if RUN in config.stash:
        return config.stash[RUN].header()
    return options.header(config.stash[SETTINGS])


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    report = yield
    if report.passed:
        cloud = [node for node in report.result if isinstance(node, pytest.Item) and _is_cloud_test(node)]
        if cloud:
            run_of(collector.config).collected(cloud, report)
    elif report.failed and RUN not in collector.config.stash:
        from pytest_hwcloud.secrets.redaction import redact_early

        redact_early(report, collector.config)
    return report


def _is_cloud_test(item: pytest.Item) -> bool:
    marks = options.own_marks(item)
    if not marks and FIXTURES.isdisjoint(getattr(item, "fixturenames", ())):
        return False
    item.stash[CLOUD] = marks
    return True


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> Generator[None, None, None]:
    collected = [item.nodeid for item in items]
    yield  # hooks of the project add markers here
    before = [item.stash.get(CLOUD, None) for item in items]
    changed = [
        item for item, known in zip(items, before, strict=True) if _is_cloud_test(item) and item.stash[CLOUD] != known
    ]
    if changed:
        run_of(config).changed(changed, collected, [item.nodeid for item in items])


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    item.stash[MARKERS] = len(item.own_markers)
    if CLOUD not in item.stash and not (RUN in item.config.stash and item.config.stash[RUN].reaches(item)):
        if RUN in item.config.stash:
            item.config.stash[RUN].leave()
        try:
            return (yield)
        finally:
            if LATE in item.stash:
                item.stash[LATE].close()
    item.stash[CLOUD] = options.own_marks(item)
    with run_of(item.config).testing(item):
        return (yield)


def _become_cloud_test(request: pytest.FixtureRequest) -> None:
    """A fixture of ours was asked for by getfixturevalue: its test is a cloud test from now on."""
    item = getattr(request, "_pyfuncitem", None)
    if item is None or CLOUD in item.stash:
        return
    item.stash[CLOUD] = options.own_marks(item)
    item.stash[LATE] = ExitStack()
    item.stash[LATE].enter_context(run_of(item.config).testing_late(item, request))


def _look_again(item: pytest.Item) -> None:
    """Whether a hook or a fixture gave the running test markers of ours since it began."""
    if len(item.own_markers) == item.stash.get(MARKERS, None):
        return
    item.stash[MARKERS] = len(item.own_markers)
    marks = options.own_marks(item)
    if not marks or item.stash.get(CLOUD, None) == marks:
        return
    run, before, item.stash[CLOUD] = run_of(item.config), item.stash.get(CLOUD, None), marks
    wrong = run.wrong_markers([item])
    if wrong:
        if before is None:
            del item.stash[CLOUD]
        pytest.fail("\n".join(wrong), pytrace=False)
    if before is None:
        item.stash[LATE] = ExitStack()
        item.stash[LATE].enter_context(run.testing_late(item))
    else:
        run.remarked(item)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_call(item: pytest.Item) -> Generator[None, None, None]:
    _look_again(item)
    if CLOUD in item.stash:
        with run_of(item.config).calling(item):
            result = yield
            _fail_if_marked_too_late(item)
            return result
    try:
        result = yield
    except BaseException:
        if CLOUD not in item.stash:
            raise
        with run_of(item.config).calling(item):
            raise
    if CLOUD in item.stash:  # since a moment ago
        with run_of(item.config).calling(item):
            pass
    _fail_if_marked_too_late(item)
    return result


def _fail_if_marked_too_late(item: pytest.Item) -> None:
    """A marker that the body of a test gave to itself: its calls went by without it."""
    added = item.own_markers[item.stash.get(MARKERS, 0) :]
    name = next((mark.name for mark in added if mark.name in options.MARKS), None)
    if name is not None:
        from pytest_hwcloud import texts

        pytest.fail(texts.say_in(item.config.stash[SETTINGS].lang, "markers.too-late", name=name), pytrace=False)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_teardown(item: pytest.Item) -> Generator[None, None, None]:
    if CLOUD not in item.stash:
        return (yield)
    with run_of(item.config).tearing_down(item):
        return (yield)


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    if fixturedef.argname in FIXTURES:
        _become_cloud_test(request)
    elif fixturedef.scope == "function" and request._pyfuncitem is not None:
        _look_again(request._pyfuncitem)
    if fixturedef.scope == "function" or RUN not in request.config.stash:
        return (yield)
    with request.config.stash[RUN].preparing(fixturedef, request):
        return (yield)


def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[object]) -> None:
    # Ordinary and not a wrapper: after unittest has filled call.excinfo, before the report is made.
    if call.excinfo is not None and CLOUD in item.stash:
        run_of(item.config).explain(item, call)


@pytest.hookimpl(wrapper=True)
def pytest_assertrepr_compare(
    config: pytest.Config, op: str, left: object, right: object
) -> Generator[None, list[list[str] | None], list[list[str] | None]]:
    # A wrapper: pytest's own lines, or those of whichever plugin answers first, stay, and ours come below.
    results = yield
    from pytest_hwcloud.explanations import reporting

    return reporting.assertrepr_compare(config, (op, left, right), results, config.stash[SETTINGS].lang)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    if any(terminalreporter.stats.get(outcome) for outcome in ("failed", "error")):
        from pytest_hwcloud.explanations import reporting

        reporting.terminal_summary(terminalreporter, config.stash[SETTINGS].lang)


@pytest.fixture
def hwcloud(request: pytest.FixtureRequest) -> HwCloud:
    """The cloud as this test sees it: sessions, tokens, URLs, SDK clients, and its requests and answers."""
    return run_of(request.config).cloud(request.node)


@pytest.fixture
def hwcloud_session(request: pytest.FixtureRequest) -> requests.Session:
    """A requests.Session that signs with the AK/SK of the test's identity."""
    return run_of(request.config).cloud(request.node).session()


@pytest.fixture
def hwcloud_token(hwcloud: HwCloud) -> object:
    """A factory of scoped tokens: hwcloud_token(project="cn-north-4"), hwcloud_token(domain=True)."""
    return hwcloud.token


@pytest.fixture
def hwcloud_project_token(hwcloud: HwCloud) -> Token:
    """A token scoped to the project of the run's region."""
    return hwcloud.token()


@pytest.fixture
def hwcloud_domain_token(hwcloud: HwCloud) -> Token:
    """A token scoped to the domain (account), for global services."""
    return hwcloud.token(domain=True)


@pytest.fixture
def hwcloud_env(request: pytest.FixtureRequest) -> Iterator[dict[str, str]]:
    """The keys of the test's identity in the environment, under every name that programs for the cloud read."""
    with run_of(request.config).environment(request.node) as variables:
        yield variables


@pytest.fixture
def hwcloud_metadata(hwcloud: HwCloud, request: pytest.FixtureRequest) -> Iterator[str]:
    """The metadata address of a server answers, with temporary keys of the test's identity (replay only)."""
    with run_of(request.config).metadata(request.node) as address:
        yield address


@pytest.fixture(scope="session")
def hwcloud_shared(request: pytest.FixtureRequest) -> Cloud:
    """The cloud for fixtures of wider scope: session, token, url, credentials, client, identity and explain."""
    return run_of(request.config).shared()


@pytest.fixture
def hwcloud_gateway(hwcloud: HwCloud, request: pytest.FixtureRequest) -> Gateway:
    """A loopback server that answers cloud hosts for other processes, as the test itself is answered."""
    return run_of(request.config).gateway(request.node)


@pytest.fixture(scope="session")
def hwcloud_gateway_shared(request: pytest.FixtureRequest) -> Gateway:
    """The same for programs that serve many tests: it answers as the test that runs when a call is made."""
    return run_of(request.config).gateway()
