"""The requests and answers of the running test, in order, from any thread."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.wire import Answer, Refusal, Request

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call
    from pytest_hwcloud.cloud.failures import Failure
    from pytest_hwcloud.cloud.policies.policy import Decision
    from pytest_hwcloud.cloud.tokens import Token

IMPLICIT = "implicit"  # the note of a call that a client library made by itself, to find what it was not given


@dataclass(eq=False, kw_only=True)
class Exchange:
    """One call of a test and what came back.

    identity: name of the identity that called, None if unknown. gate: the gate that refused, or None.
    source: cassette name, "gate", "identity service" or "live". where: file and line of the code that made the call.
    """

    request: Request
    answer: Answer | None = None
    fault: str | None = None  # a fault kind (dns, tls, …) that was raised in place of an answer
    identity: str | None = None
    credential: str = "none"  # "aksk", "token" or "none"
    token: Token | None = None
    gate: str | None = None
    source: str = "live"
    where: tuple[str, int] | None = None
    notes: tuple[str, ...] = ()  # such as "unverified"
    decision: Decision | None = None
    denied_action: str | None = None
    injected: str | None = None  # request id of a refusal that hwcloud.deny or the proof injected
    phase: str = "call"  # setup, call, teardown
    fixture: str | None = None  # the fixture of wider scope that was being set up
    judged: Call | None = field(default=None, repr=False)  # the call as the gates saw it, where they had to look

    @property
    def method(self) -> str:
        return self.request.method

    @property
    def url(self) -> str:
        return self.request.url

    @property
    def status(self) -> int | None:
        """The HTTP status, None if no answer came."""
        return self.answer.status if self.answer else None

    @cached_property
    def failure(self) -> Failure | None:
        """What a gate knows of its refusal, or what `explain` reads from the answer; None for a success."""
        if isinstance(self.answer, Refusal):
            return _known(self.answer, self.request)
        from pytest_hwcloud.cloud import failures

        return failures.read_exchange(self)

    @cached_property
    def call(self) -> Call:
        """What this call is and which actions it needs; asked for only where the gates did not."""
        if self.judged is not None:
            return self.judged
        from pytest_hwcloud.cloud.calls.calls import needs

        return needs(self.request.method, self.request.url, self.request.body, self.request.headers)


def _known(refusal: Refusal, request: Request) -> Failure:
    from pytest_hwcloud.cloud.endpoints import locate
    from pytest_hwcloud.cloud.failures.failure import Failure

    server = refusal.header("Server")
    return Failure(
        code=refusal.code,
        status=refusal.status,
        message=refusal.message,
        request_id=refusal.request_id,
        gate=refusal.gate,
        kind=refusal.kind,
        service=locate(request.url).service,
        actions=refusal.actions,
        method=request.method,
        url=request.url,
        encoded_authorization_message=refusal.encoded,
        details={**({"server": server} if server else {}), **refusal.details},
    )


@dataclass(eq=False)
class Journal:
    """The exchanges of one test. Appending is safe from any thread."""

    nodeid: str
    exchanges: list[Exchange] = field(default_factory=list)
    phase: str = "setup"
    fixture: str | None = None
    expected: set[int] = field(
        default_factory=set
    )  # id() of exchanges whose refusal the test asked for (hwcloud.refused)
    command: str = ""  # where a program of `pytest-hwcloud run` stands for the test: the command that records it

    def add(self, exchange: Exchange) -> Exchange:
        exchange.phase, exchange.fixture = self.phase, self.fixture
        self.exchanges.append(exchange)
        return exchange

    @property
    def record_with(self) -> str:
        """The command that records what this test lacks."""
        return self.command or f'pytest --hwcloud-mode=record "{self.nodeid}"'

    @property
    def refused(self) -> list[Exchange]:
        """The exchanges that failed, oldest first."""
        return [e for e in self.exchanges if e.fault or e.gate or e.failure is not None]


class Current:
    """The journal of the test that runs now: one for the process, so that calls from any thread find their test."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self.journal: Journal | None = None
        self.listeners: list[Callable[[Exchange], None]] = []

    def add(self, exchange: Exchange) -> None:
        """Write an exchange into the running test's journal and inform the listeners."""
        with self._lock:
            if self.journal is not None:
                self.journal.add(exchange)
        for listener in self.listeners:
            listener(exchange)


CURRENT = Current()
