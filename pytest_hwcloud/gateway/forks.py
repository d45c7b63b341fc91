"""Forks of the process that runs the tests: their calls are answered by the parent and reach its journal.

A fork has the patched clients and a copy of everything, but its calls would not be seen. So it asks its parent: each
process hands one end of a socket pair over to it, through a socket that all forks share.
"""

from __future__ import annotations

import contextlib
import os
import pickle
import select
import socket
import threading
from typing import Any, Protocol

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.tape import CassetteError
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.network_block import NetworkBlocked
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, CloudFault, NotRecorded, Router
from pytest_hwcloud.journal import CURRENT, Exchange
from pytest_hwcloud.usercode.call_site import CallSite, call_site, speaking_for

_PATIENCE = 60.0  # seconds that a fork waits for its parent


class Children(Protocol):
    """Knows which test runs, and hears of calls that come too late."""

    @property
    def running(self) -> str | None:
        """The node id of the test that runs."""

    def called_late(self, test: str, program: str, place: str) -> None:
        """A cloud host was called for a test that is over."""


class Forks:
    """The parent's side, and what a fork does when it begins."""

    def __init__(self, children: Children) -> None:
        self._children = children
        self._bell, self._ring = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._lines: list[socket.socket] = []
        self._thread: threading.Thread | None = None
        self._end: tuple[socket.socket, socket.socket] = socket.socketpair()

    def pause(self) -> None:
        """A fork comes: no thread of ours may run then."""
        if self._thread is not None and self._thread is not threading.current_thread():
            self._end[1].send(b"x")
            self._thread.join()
            self._thread = None

    def resume(self) -> None:
        """Listen again."""
        if self._thread is None:
            self._thread = threading.Thread(target=self._listen, name="hwcloud-forks", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """The run is over."""
        self.pause()
        for one in (self._bell, self._ring, *self._end, *self._lines):
            one.close()

    def begin_child(self) -> None:
        """In a fork: from now on the parent answers."""
        test = self._children.running
        for line in self._lines:
            line.close()
        self._thread, self._lines = None, []
        if test is not None and CURRENT_ROUTER.router is not None:
            CURRENT_ROUTER.use(Parent(CURRENT_ROUTER.router, self._ring, test))

    def _listen(self) -> None:
        while True:
            ready, _, _ = select.select([self._end[0], self._bell, *self._lines], [], [])
            for one in ready:
                if one is self._end[0]:
                    one.recv(16)
                    return
                if one is self._bell:
                    self._lines += _received(one)
                elif not self._served(one):
                    self._lines.remove(one)
                    one.close()

    def _served(self, line: socket.socket) -> bool:
        """One question of a fork; whether it may have more."""
        try:
            asked = _read(line)
            if asked is None:
                return False
            _write(line, self._answer(*asked))
        except (OSError, pickle.PickleError, EOFError):
            return False
        return True

    def _answer(self, test: str, request: Request, where: CallSite | None) -> tuple[str, object, object]:
        router = CURRENT_ROUTER.router
        if self._children.running != test or router is None:
            self._children.called_late(test, texts.say("gateway.a_fork"), request.url)
            return "over", None, None
        before = len(CURRENT.journal.exchanges) if CURRENT.journal else 0
        with speaking_for(where):
            try:
                kind, found = "answer", router.answer(request)
            except CloudFault as fault:
                kind, found = "fault", fault.kind  # type: ignore[assignment]
            except (NotRecorded, CassetteError) as error:
                kind, found = "unrecorded", str(error)  # type: ignore[assignment]
        added = CURRENT.journal.exchanges[before:] if CURRENT.journal else []
        return kind, found, next((_portable(one) for one in added if one.request is request), None)


class Parent:
    """The router of a fork: it asks the parent, and keeps its own journal besides."""

    offline = True

    def __init__(self, own: Router, bell: socket.socket, test: str) -> None:
        self.own, self.hosts, self.test = own, tuple(own.hosts), test
        self.unrecorded: list[Exception] = getattr(own, "unrecorded", [])
        self._bell = bell
        self._line: tuple[int, socket.socket] | None = None
        self._lock = threading.Lock()

    def answer(self, request: Request) -> Answer | None:
        """The parent's answer; NetworkBlocked if the test is over or the parent gone."""
        with self._lock:
            try:
                line = self._connected()
                _write(line, (self.test, request, call_site()))
                told = _read(line)
            except OSError:
                told = None
        kind, found, exchange = told or ("over", None, None)
        if isinstance(exchange, Exchange):
            CURRENT.add(exchange)
        if kind == "fault":
            raise CloudFault(str(found), request.url)
        if kind == "unrecorded":
            error = NotRecorded(str(found), request)
            self.unrecorded.append(error)
            raise error
        if kind == "over":
            raise NetworkBlocked(texts.say("gateway.fork_over", url=request.url.partition("?")[0]), request)
        return found if isinstance(found, Answer) else None

    def heard(self, request: Request, answer: Answer, started: float) -> None:
        """Nothing is sent."""

    def failed(self, request: Request, error: BaseException) -> None:
        """Nothing is sent."""

    def _connected(self) -> socket.socket:
        if self._line is None or self._line[0] != os.getpid():  # a fork of the fork has a separate line
            ours, theirs = socket.socketpair()
            ours.settimeout(_PATIENCE)
            try:
                socket.send_fds(self._bell, [b"x"], [theirs.fileno()])
            except OSError:
                ours.close()
                raise
            finally:
                theirs.close()
            self._line = os.getpid(), ours
        return self._line[1]


def _portable(exchange: Exchange) -> Exchange:
    """An exchange that can be pickled: without the decision, if that cannot."""
    try:
        pickle.dumps(exchange)
        return exchange
    except Exception:  # whatever a policy holds
        return Exchange(
            request=exchange.request,
            answer=exchange.answer,
            fault=exchange.fault,
            identity=exchange.identity,
            credential=exchange.credential,
            gate=exchange.gate,
            source=exchange.source,
            where=exchange.where,
            notes=exchange.notes,
            denied_action=exchange.denied_action,
        )


def _received(bell: socket.socket) -> list[socket.socket]:
    with contextlib.suppress(OSError):
        _, handles, _, _ = socket.recv_fds(bell, 16, 8)
        return [socket.socket(fileno=handle) for handle in handles]
    return []


def _write(line: socket.socket, message: object) -> None:
    data = pickle.dumps(message)
    line.sendall(len(data).to_bytes(4, "big") + data)


def _read(line: socket.socket) -> Any:
    """The next message; None where the other side has ended."""
    head = _exactly(line, 4)
    data = _exactly(line, int.from_bytes(head, "big")) if head else b""
    return pickle.loads(data) if data else None


def _exactly(line: socket.socket, count: int) -> bytes:
    parts = bytearray()
    while len(parts) < count:
        data = line.recv(count - len(parts))
        if not data:
            return b""
        parts += data
    return bytes(parts)
