"""Who answers the running cloud test: one router for the process, asked by every door, from any thread."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from pytest_hwcloud.cloud.endpoints import is_cloud_host
from pytest_hwcloud.cloud.wire import Answer, Request


class CloudFault(Exception):
    """A recorded failure of the network. The interceptors translate it; no client's user ever sees it.

    abandoned: a read-timeout that was no error of the client's library: its caller gave the call up (asyncio.wait_for,
    a timeout for the whole call, a cancelled task).
    """

    def __init__(self, kind: str, url: str, abandoned: bool = False) -> None:
        super().__init__(f"{kind} at {url.partition('?')[0]}")
        self.kind, self.url, self.abandoned = kind, url, abandoned


class NotRecorded(Exception):
    """No cassette answers a request of a replayed test. It fails the test also where the code swallows it."""

    def __init__(self, text: str, request: Request) -> None:
        super().__init__(text)
        self.request = request

    @property
    def hwcloud_news(self) -> str:
        """`NotRecorded GET ecs /v1/{project_id}/cloudservers/detail`: what a short summary begins with."""
        from pytest_hwcloud.cloud.calls.calls import needs

        try:
            return f"NotRecorded {needs(self.request.method, self.request.url).label}"
        except ValueError:
            return f"NotRecorded {self.request.method}"


class Router(Protocol):
    """What the doors talk to. The player answers from cassettes; the recorder lets calls through and listens.

    offline: the router answers everything itself, and the network is blocked behind it.
    hosts: further cloud hosts, as globs.
    """

    offline: bool
    hosts: tuple[str, ...]

    def answer(self, request: Request) -> Answer | None:
        """The answer; None lets the request through to the network. Raises CloudFault or NotRecorded."""

    def heard(self, request: Request, answer: Answer, started: float) -> None:
        """The network answered. started: time.time() when the request went out."""

    def failed(self, request: Request, error: BaseException) -> None:
        """The network did not answer."""


_REAL_SOCKET = socket.socket
_METADATA = "169.254.169.254"  # a server's own metadata: closed in a replay, on every machine alike


class Route:
    """The router of the running test, and whether cloud hosts are closed."""

    def __init__(self) -> None:
        self.router: Router | None = None
        self.hosts: tuple[str, ...] = ()
        self.offline = False  # the router answers everything itself
        self.blocked = False  # cloud hosts are closed; stays so between two tests that are replayed
        self.sockets: object = socket.socket  # when the test began
        self.late: Callable[[], Router | None] | None = None  # what refuses threads of tests that are over

    def use(self, router: Router | None) -> None:
        """Take this router for every call from now on; None: calls are not answered."""
        self.router = router
        if router is not None:
            self.sockets = socket.socket
            self.hosts = tuple(getattr(router, "hosts", ()))
            self.offline = self.blocked = bool(getattr(router, "offline", False))

    def mocked(self, made: Callable[[], Request]) -> None:
        """A mock of the test answered this call: it wins, and the router reports if it could have answered."""
        tell = getattr(self.router, "mocked", None)
        if tell is not None:
            request = made()
            if self.of_url(request.url) is not None:
                tell(request)

    def has_fake_sockets(self) -> bool:
        """Whether the running test put its own sockets in place that answer (as mocket does): they win.

        Not meant are sockets that only guard the real ones (pytest-socket), or a function that fails when it is called.
        """
        now = socket.socket
        if now is self.sockets or not self.offline:
            return False
        return isinstance(now, type) and not issubclass(now, _REAL_SOCKET) and "socket" in now.__name__.lower()

    def of(self, host: str) -> Router | None:
        """The router that wants requests to this host (with or without port)."""
        router = self.router
        if self.late is not None:
            router = self.late() or router
        if router is None:
            return None
        wanted = is_cloud_host(host, self.hosts) or (router.offline and host.removesuffix(":80") == _METADATA)
        return router if wanted else None

    def of_url(self, url: str) -> Router | None:
        """The router that wants this request."""
        return self.of(host_of(url)) if self.router is not None or self.late is not None else None


CURRENT_ROUTER = Route()


def host_of(url: str) -> str:
    """Host and port of an absolute URL."""
    return url.partition("://")[2].partition("/")[0].partition("?")[0].rpartition("@")[2]


def enter(router: Router) -> None:
    """A cloud test begins: its calls go to this router. The doors are built once and put in place if they are not."""
    from pytest_hwcloud.interceptors import patching

    patching.forget_sdk_ids()
    CURRENT_ROUTER.use(router)
    patching.install()


def pause() -> None:
    """A cloud test is over: no answers, cloud hosts stay closed if they were, the doors stay for the next one."""
    CURRENT_ROUTER.use(None)


def leave() -> None:
    """A test that is no cloud test comes: everything is as if we had never been here.

    The doors stay while a thread of a cloud test is still at work: they are closed for it alone.
    """
    from pytest_hwcloud.interceptors import patching

    CURRENT_ROUTER.use(None)
    CURRENT_ROUTER.offline = CURRENT_ROUTER.blocked = False
    if CURRENT_ROUTER.late is None:
        patching.remove()


@contextmanager
def using(router: Router) -> Iterator[None]:
    """Another router for a while (a fixture of wider scope that has its own cassette)."""
    before = CURRENT_ROUTER.router
    enter(router)
    try:
        yield
    finally:
        CURRENT_ROUTER.use(before)
