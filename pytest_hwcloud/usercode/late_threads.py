"""Threads that outlive their cloud test: refused from then on, and reported at the end with the test that started them.

A thread is known by the outermost frame of the user's code that was running in it when the test ended: a worker of a
pool that waits for its next task has none, and works for whichever test gives it one.
"""

from __future__ import annotations

import sys
import threading
from dataclasses import dataclass, field
from types import FrameType

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.network_block import NetworkBlocked
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, Router, host_of
from pytest_hwcloud.usercode.call_site import is_users

_OURS = "hwcloud-"  # how the names of our own threads begin


@dataclass(kw_only=True, eq=False)
class LateThread:
    """A thread that was at work when its test ended. As a router it refuses every call."""

    thread: threading.Thread
    frame: FrameType = field(repr=False)
    test: str
    hosts: tuple[str, ...] = ()
    offline: bool = True

    def answer(self, request: Request) -> Answer | None:
        """NetworkBlocked, always."""
        host = host_of(request.url)
        LATE.calls.setdefault((self.test, texts.say("gateway.a_thread", name=self.thread.name), host))
        text = texts.say("gateway.late_thread", name=self.thread.name, test=self.test, host=host)
        raise NetworkBlocked(text, request)

    def heard(self, request: Request, answer: Answer, started: float) -> None:
        """Nothing is sent."""

    def failed(self, request: Request, error: BaseException) -> None:
        """Nothing is sent."""


class LateThreads:
    """Those of this process. calls: (test, thread, host) of the calls that were refused, in order."""

    def __init__(self) -> None:
        self.calls: dict[tuple[str, str, str], None] = {}
        self._threads: dict[int, LateThread] = {}

    def end_of_test(self, test: str, known: set[int]) -> None:
        """Look for threads that the test leaves at work. known: ids of threads that are not the test's."""
        self.prune()
        left = [t for t in threading.enumerate() if id(t) not in known and t.ident not in self._threads]
        left = [t for t in left if t is not threading.current_thread() and not t.name.startswith(_OURS)]
        frames = sys._current_frames() if left else {}
        for thread in left:
            frame = _outermost(frames.get(thread.ident or 0))
            if frame is not None and thread.ident is not None:
                self._threads[thread.ident] = LateThread(
                    thread=thread, frame=frame, test=test, hosts=CURRENT_ROUTER.hosts
                )
        CURRENT_ROUTER.late = self.router if self._threads else None

    def prune(self) -> None:
        """Forget threads that have ended."""
        self._threads = {ident: one for ident, one in self._threads.items() if one.thread.is_alive()}
        CURRENT_ROUTER.late = self.router if self._threads else None

    def router(self) -> Router | None:
        """What refuses the calls of the current thread; None if it belongs to no test that is over."""
        late = self._threads.get(threading.get_ident())
        frame: FrameType | None = sys._getframe(1) if late is not None else None
        while frame is not None and late is not None:
            if frame is late.frame:
                return late
            frame = frame.f_back
        return None


LATE = LateThreads()


def _outermost(frame: FrameType | None) -> FrameType | None:
    found = None
    while frame is not None:
        if is_users(frame.f_code.co_filename):
            found = frame
        frame = frame.f_back
    return found
