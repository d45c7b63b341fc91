"""Programs that the tests of a run start: the guard, the gateways, and what was called when its test was over."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Mapping
from importlib.util import find_spec
from typing import TYPE_CHECKING

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.endpoints import base_url
from pytest_hwcloud.cloud.identity import UnknownName
from pytest_hwcloud.config import ConfigError
from pytest_hwcloud.interceptors.child_processes import CHILDREN
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER
from pytest_hwcloud.journal import CURRENT
from pytest_hwcloud.run import environment
from pytest_hwcloud.usercode.late_threads import LATE

if TYPE_CHECKING:
    from pytest_hwcloud.gateway.children import Children, Gateway
    from pytest_hwcloud.run.context import RunContext
    from pytest_hwcloud.run.running_test import Case

OUTPUT = "hwcloud_late"  # key of a worker's output


class Programs:
    """The hooks of one run. Of the room `gateway` nothing is loaded before a test starts its first program."""

    def __init__(self, context: RunContext) -> None:
        self._context, self._settings = context, context.settings
        if self._settings.children == "answer" and find_spec("trustme") is None:
            raise ConfigError(texts.say("gateway.missing_extra"))
        self._children: Children | None = None
        self._case: tuple[str, int] | None = None  # node id and thread of the running test
        self.late: list[tuple[str, str, str]] = []  # test, program, place
        self._threads: set[int] = set()  # ids of the threads that are not the running test's own
        LATE.calls.clear()

    def begin(self, case: Case) -> None:
        """A cloud test begins."""
        self._case = case.item.nodeid, threading.get_ident()
        self.keep_threads()
        CHILDREN.starting = self._starting
        CHILDREN.before_fork, CHILDREN.after_fork = self._before_fork, self._after_fork
        CHILDREN.watch_forks()
        if self._children is not None:
            self._begin(self._children)

    def end(self) -> None:
        """It is over."""
        if self._case is not None and threading.active_count() > 1:
            LATE.end_of_test(self._case[0], self._threads)
        self._case = None
        CHILDREN.starting = CHILDREN.before_fork = CHILDREN.after_fork = None
        if self._children is not None:
            self._children.end()

    def keep_threads(self) -> None:
        """The threads of this moment are not the test's own: they were there before, or a wider fixture has them."""
        self._threads = {id(thread) for thread in threading.enumerate()}

    def leave(self) -> None:
        """A test that is no cloud test comes."""
        LATE.prune()

    def close(self) -> None:
        """The run is over."""
        LATE.prune()
        if self._children is not None:
            self._children.close()
            self._children = None

    @property
    def children(self) -> Children:
        """The room `gateway`, loaded on first use."""
        if self._children is None:
            from pytest_hwcloud.gateway.children import Children

            self._children = Children(self._settings.children, self._settings.hosts)
            self._begin(self._children)
        return self._children

    def _begin(self, children: Children) -> None:
        from pytest_hwcloud.gateway.children import Test

        if self._case is not None:
            nodeid, thread = self._case
            children.begin(Test(nodeid=nodeid, thread=thread, fixture=_fixture))

    def _starting(self, arguments: object, given: Mapping[object, object] | None) -> dict[str, str] | None:
        mode = self._settings.children
        if self._children is None and (mode == "off" or not (CURRENT_ROUTER.offline or mode == "answer")):
            return None
        return self.children.starting(arguments, given)

    def _before_fork(self) -> None:
        if CURRENT_ROUTER.offline:
            self.children.before_fork()

    def _after_fork(self, is_child: bool) -> None:
        if self._children is not None:
            self._children.after_fork(is_child)

    def gateway(self, identity: str | None) -> Gateway:
        """The object behind the fixtures; a failure of the fixture where it cannot be had.

        identity: of the test; None for the gateway of a whole session.
        """
        from pytest_hwcloud.gateway.certificates import MissingExtra

        try:
            gateway = self.children.gateway(_Account(self._context, identity), shared=identity is None)
            gateway.port()
        except MissingExtra as error:
            pytest.fail(texts.say("run.error", problem=error), pytrace=False)
        except (OSError, RuntimeError) as error:  # pytest-socket raises a RuntimeError
            pytest.fail(texts.say("gateway.disabled_sockets", error=error), pytrace=False)
        return gateway

    # what was called when its test was over

    def _collected(self) -> list[tuple[str, str, str]]:
        children = self._children.late if self._children is not None else []
        found = [*self.late, *LATE.calls, *((one.test, one.program, one.place) for one in children)]
        return list(dict.fromkeys(found))

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        late = self._collected()
        output: dict[str, object] | None = getattr(session.config, "workeroutput", None)
        if output is not None:
            output[OUTPUT] = [list(one) for one in late]
        elif late and session.exitstatus == pytest.ExitCode.OK:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def merge(self, output: Mapping[str, object] | None) -> None:
        """Take what a worker found."""
        found = (output or {}).get(OUTPUT)
        for one in found if isinstance(found, list) else ():
            self.late.append((str(one[0]), str(one[1]), str(one[2])))

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        late = self._collected()
        if late:
            terminalreporter.write_sep("=", texts.say("gateway.late_title"), bold=True)
            for test, program, place in late:
                terminalreporter.write_line(texts.say("gateway.late", test=test, program=program, place=place))
            terminalreporter.write_line(texts.say("gateway.late_end"))


class _Account:
    """What a gateway has to know of the run. identity: of the test; None for a whole session."""

    def __init__(self, context: RunContext, identity: str | None) -> None:
        self._context, self._identity = context, identity

    def keys(self, identity: str | None) -> Mapping[str, str]:
        context = self._context
        return environment.variables(
            context.identity(identity or self._identity or context.state.stand_in), context.region
        )

    def without_others(self, environ: Mapping[str, str]) -> dict[str, str]:
        return environment.without_keys(environ)

    def secret(self, ak: str) -> str | None:
        return next((one.sk for one in self._context.state.identities.values() if one.ak == ak), None)

    def hosts(self) -> list[str]:
        """IAM and OBS of the region, and those of the test's cassettes."""
        replayed = self._context.settings.mode == "replay"
        tapes = getattr(CURRENT_ROUTER.router, "tapes", ()) if replayed else ()
        own = []
        for service in ("iam", "obs"):
            with contextlib.suppress(UnknownName):  # a partner's region may have no such service
                own.append(base_url(service, self._context.region).partition("://")[2])
        return list(dict.fromkeys([*own, *(host for tape in tapes for host in sorted(tape.hosts))]))

    def endpoint(self, service: str, region: str | None) -> str:
        return base_url(service, region or self._context.region)


def _fixture() -> str | None:
    return CURRENT.journal.fixture if CURRENT.journal is not None else None
