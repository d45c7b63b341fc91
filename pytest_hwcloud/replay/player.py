"""The router of a replay: gates first, then the recorded answer, then the identities, and else a clear refusal."""

from __future__ import annotations

import os
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes import recorded_logins
from pytest_hwcloud.cassettes.tape import CassetteError, Interaction, Tape
from pytest_hwcloud.cloud.endpoints import is_cloud_host
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.gates import metadata
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.gates.gate import ORDER, Verdict, judge, may_replace
from pytest_hwcloud.interceptors.router import CloudFault, NotRecorded
from pytest_hwcloud.journal import CURRENT, Exchange
from pytest_hwcloud.usercode.call_site import call_site

Where = Callable[[], tuple[str, int] | None]


class AnsweredTwice(UserWarning):
    """A mock of the test and a cassette would both answer the same call."""


class PlayedExchange(Exchange):
    """An exchange with a recorded answer: which gate refused is read from the answer, but only when somebody asks."""

    _gate: str | None = None
    _read = False

    @property
    def gate(self) -> str | None:
        """The gate that refused, by the recorded answer; None for a success or a failure of the service."""
        if not self._read:
            self._read = True
            if self.status is not None and self.status >= 300 and self.failure is not None:
                self._gate = self.failure.gate if self.failure.gate in ORDER else None
        return self._gate

    @gate.setter
    def gate(self, value: str | None) -> None:
        self._gate, self._read = value, value is not None


class Player:
    """Answers from tapes, the first that has an answer left. Every call and answer goes into the running journal.

    own_path: where a recording of this test would lie. unrecorded: the errors of the requests that nothing answered.
    """

    offline = True

    def __init__(
        self,
        tapes: Sequence[Tape],
        state: CloudState,
        *,
        hosts: Sequence[str] = (),
        own_path: Path | None = None,
        where: Where = call_site,
    ) -> None:
        self.tapes = tuple(tapes)
        self.state = state
        self.hosts = tuple(hosts)
        self.own_path = own_path
        self.unrecorded: list[Exception] = []
        self._where = where
        self._told_of_mocks = False
        self._passed_by: set[str] = set()

    def mocked(self, request: Request) -> None:
        """A mock of the test answers this call; where a cassette holds an answer too, the test is warned, once."""
        found = next((tape for tape in self.tapes if not self._told_of_mocks and tape.peek(request)), None)
        if found is not None:
            self._told_of_mocks = True
            call = f"{request.method} {request.url.partition('?')[0]}"
            warnings.warn(texts.say("wire.answered-twice", call=call, cassette=found.name), AnsweredTwice, stacklevel=2)

    def hidden(self, replaced: str, own: Path | None) -> None:
        """A mock in place of this function kept calls from us: one warning, if a cassette seems to have their answers.

        It is taken to have them if it is the test's own (that file) and holds a request that was not made, or if it is
        another and was not asked at all: a cassette of many tests need not be played whole.
        """
        for tape in self.tapes:
            if self._told_of_mocks or (tape.played_positions and tape.path != own):
                continue
            left = tape.never_asked(lambda host: is_cloud_host(host, self.hosts))
            if left is not None:
                self._told_of_mocks = True
                call = f"{left.method} {left.uri.partition('?')[0]}"
                words = texts.say("wire.hidden", function=replaced, call=call, cassette=tape.name)
                warnings.warn(words, AnsweredTwice, stacklevel=2)

    def passed_by(self, file: str) -> None:
        """A cassette of vcrpy's holds answers of cloud hosts, which are answered here; the test is warned, once.

        Not where it is one file with ours, as pytest-recording has it.
        """
        ours = {os.path.abspath(path) for path in (*(tape.path for tape in self.tapes), self.own_path) if path}
        if file not in self._passed_by and os.path.abspath(file) not in ours:
            self._passed_by.add(file)
            warnings.warn(texts.say("wire.vcrpy", file=os.path.relpath(file)), AnsweredTwice, stacklevel=2)

    def answer(self, request: Request) -> Answer:
        """The answer to a request; raises CloudFault for a recorded fault and NotRecorded if there is none."""
        where = self._where()
        tape, interaction = self._take(request)
        if interaction is None and metadata.is_metadata(request.url):
            if self.state.metadata is None:  # as on a machine that is no server of the cloud
                raise CloudFault("connect-timeout", request.url)
            return metadata.answer(request, self.state)
        if interaction is not None and interaction.fault is not None:
            fault = Exchange(
                request=request, fault=interaction.fault, gate="network", source=tape.name if tape else "", where=where
            )
            CURRENT.add(fault)
            raise CloudFault(interaction.fault, request.url, interaction.abandoned)
        verdict = judge(request, self.state)
        exchange = self._exchange(request, verdict, tape, interaction)
        exchange.where = where
        CURRENT.add(exchange)
        if exchange.answer is None:
            raise self._not_recorded(request)
        return exchange.answer

    def heard(self, request: Request, answer: Answer, started: float) -> None:
        """Nothing is heard in a replay."""

    def failed(self, request: Request, error: BaseException) -> None:
        """Nothing fails in a replay but what is recorded."""

    def _take(self, request: Request) -> tuple[Tape | None, Interaction | None]:
        try:
            for tape in self.tapes:
                interaction = tape.take(request)
                if interaction is not None:
                    return tape, interaction
        except CassetteError as error:  # an interaction is read when it is asked for
            self.unrecorded.append(error)
            raise
        return None, None

    def _exchange(
        self, request: Request, verdict: Verdict, tape: Tape | None, interaction: Interaction | None
    ) -> Exchange:
        recorded = None
        if tape is not None and interaction is not None:
            recorded = _exchange(PlayedExchange, request, interaction.answer, tape.name, verdict)
        if verdict.answer is not None and verdict.gate is not None:
            refused = _exchange(Exchange, request, verdict.answer, "gate", verdict)
            return recorded if recorded is not None and _replaces(recorded, verdict) else refused
        if recorded is not None:
            if recorded.answer is not None and recorded_logins.is_login(request):
                issued = _asked_of_iam(request, self.state, verdict)
                recorded.answer = recorded_logins.renewed(recorded.answer, issued)
            return recorded
        answer = _asked_of_iam(request, self.state, verdict)
        source = "identity service" if answer else "not recorded"
        return _exchange(PlayedExchange, request, answer, source, verdict)

    def _not_recorded(self, request: Request) -> NotRecorded:
        journal = CURRENT.journal
        command = journal.record_with if journal is not None else "pytest --hwcloud-mode=record"
        own = None if journal is not None and journal.command else self.own_path  # a program has no cassette
        callers = sorted(self.state.identities.values(), key=lambda one: one.name != self.state.stand_in)
        from pytest_hwcloud.cassettes.nearest import unrecorded

        text = unrecorded(request, self.tapes, own, command, callers)
        for identity in self.state.identities.values():
            for secret in filter(None, (identity.sk, identity.security_token, identity.password)):
                text = text.replace(secret, "***")
        error = NotRecorded(text, request)
        self.unrecorded.append(error)
        return error


def _asked_of_iam(request: Request, state: CloudState, verdict: Verdict) -> Answer | None:
    from pytest_hwcloud.gates import identity_service  # only for what no cassette answers

    return identity_service.answer(request, state, verdict)


def _replaces(recorded: Exchange, verdict: Verdict) -> bool:
    """Whether the recorded refusal is given in place of the gate's. A refusal that the test itself asked for is not."""
    if verdict.injected is not None or recorded.gate is None or verdict.gate is None:
        return False
    return may_replace(recorded.gate, verdict.gate)


def _exchange(kind: type[Exchange], request: Request, answer: Answer | None, source: str, verdict: Verdict) -> Exchange:
    ours = source == "gate"
    return kind(
        request=request,
        answer=answer,
        identity=verdict.identity,
        credential=verdict.credential,
        token=verdict.token,
        gate=verdict.gate if ours else None,
        source=source,
        notes=verdict.notes,
        decision=verdict.decision,
        denied_action=verdict.denied_action,
        judged=verdict.call,
        injected=verdict.injected if ours else None,
    )
