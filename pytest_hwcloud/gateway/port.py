"""A port of the loopback server: who is behind it, and what a service has to know to answer there."""

from __future__ import annotations

import socket
import ssl
from dataclasses import dataclass, field
from typing import Protocol

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.gateway import upstream
from pytest_hwcloud.gateway.messages import Heard
from pytest_hwcloud.usercode.call_site import CallSite

REASONS = {"dns": "Name or service not known", "connection-refused": "Connection refused"}
AT_CONNECT = frozenset(REASONS) | {"connect-timeout", "tls"}  # met before a request can be sent


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who is behind a port: the program and the line of the test that started it, as far as they are known.

    test: the node id. proxies: the program's own proxy settings. shared: started by a fixture of wider scope.
    """

    program: str = ""
    command: object = field(default=None, repr=False)
    where: CallSite | None = None
    test: str = ""
    proxies: upstream.Proxies = upstream.NONE
    shared: bool = False


class Fault(Exception):
    """A recorded failure of the network that the client is to meet."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.kind = kind


class Service(Protocol):
    """What is served on a port."""

    def is_cloud(self, host: str) -> bool:
        """Whether the service decides about this host."""

    def refusal(self, host: str, port: int, caller: Caller) -> str | None:
        """The text by which a host is turned away before any request is read; None if it is answered or let out."""

    def fault(self, host: str, caller: Caller, kinds: frozenset[str] = AT_CONNECT) -> str | None:
        """The kind of fault that every call to this host meets, if it is one of these."""

    def context(self, host: str) -> ssl.SSLContext | None:
        """The server's side of TLS for a host; None if the service does not speak TLS."""

    def distrusted(self) -> ssl.SSLContext | None:
        """The same with a certificate that no client trusts."""

    def answer(self, request: Request, raw: bytes, caller: Caller) -> Answer | Heard:
        """The answer to a request. raw: head and body as they came. Raises Fault."""


class Port:
    """A listening port: who is behind it, what is served, and the host that it stands for (empty: a proxy)."""

    def __init__(self, service: Service, caller: Caller, host: str = "") -> None:
        self.service, self.caller, self.host = service, caller, host
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.socket.setblocking(False)
        self.number: int = self.socket.getsockname()[1]
        self.connections: set[socket.socket] = set()
        self.open = True

    @property
    def url(self) -> str:
        """The URL of the proxy."""
        return f"http://127.0.0.1:{self.number}"
