"""Connections out of the loopback server: to hosts that are not the cloud's, and to the cloud in record mode.

A proxy of the user's own is kept in the chain.
"""

from __future__ import annotations

import base64
import select
import socket
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import SplitResult, unquote, urlsplit

from pytest_hwcloud import texts
from pytest_hwcloud.gateway.messages import Malformed, Reader

CONNECTING = 30.0  # seconds
_CHUNK = 64 << 10
_IDLE = 900.0  # seconds after which a tunnel without traffic is closed


@dataclass(frozen=True, kw_only=True)
class Proxies:
    """The proxy settings of a child, as they were before the loopback server was put in front of them."""

    https: str = ""
    http: str = ""
    no_proxy: str = ""

    @classmethod
    def of(cls, environment: Mapping[str, str]) -> Proxies:
        """Those of an environment; the spelling in lower case wins, as with curl and requests."""

        def value(name: str) -> str:
            return environment.get(name) or environment.get(name.upper()) or ""

        every = value("all_proxy")
        return cls(https=value("https_proxy") or every, http=value("http_proxy") or every, no_proxy=value("no_proxy"))

    def of_host(self, host: str, *, tls: bool) -> str:
        """The URL of the proxy for a host; empty for a direct connection."""
        proxy = self.https if tls else self.http
        return "" if not proxy or is_bypassed(host, self.no_proxy) else proxy


NONE = Proxies()


def is_bypassed(host: str, no_proxy: str) -> bool:
    """Whether NO_PROXY names this host: `*`, a name, or the end of a name."""
    name = host.lower().strip("[]")
    entries = (entry.strip().lower().partition(":")[0].lstrip("*").lstrip(".") for entry in no_proxy.split(","))
    if "*" in [entry.strip() for entry in no_proxy.split(",")]:
        return True
    return any(entry and (name == entry or name.endswith("." + entry)) for entry in entries)


def connect(host: str, port: int, proxies: Proxies, *, tunnel: bool) -> tuple[socket.socket, bool]:
    """A connection to a host, and whether a proxy is at its other end. tunnel: ask a proxy for a tunnel. OSError."""
    proxy = proxies.of_host(host, tls=tunnel)
    if not proxy:
        return socket.create_connection((host, port), timeout=CONNECTING), False
    place = _place(proxy, tls=tunnel)
    if place.scheme not in ("http", "https"):
        raise OSError(texts.say("gateway.proxy-scheme", proxy=f"{place.scheme}://{place.hostname}"))
    sock = socket.create_connection(
        (place.hostname or "", place.port or (443 if place.scheme == "https" else 80)), timeout=CONNECTING
    )
    try:
        if place.scheme == "https":
            sock = ssl.create_default_context().wrap_socket(sock, server_hostname=place.hostname)
        if tunnel:
            _ask_for_tunnel(sock, host, port, proxies_credentials(proxies, host, tls=True))
    except BaseException:
        sock.close()
        raise
    return sock, True


def _place(proxy: str, *, tls: bool) -> SplitResult:
    """The proxy's URL in its parts; OSError naming the variable, and not what may be a password in it."""
    try:
        place = urlsplit(proxy if "://" in proxy else f"http://{proxy}")
        if place.hostname and place.port != 0:  # a port that is no number raises
            return place
    except ValueError:
        pass
    variable = "https_proxy" if tls else "http_proxy"
    raise OSError(texts.say("gateway.proxy-no-url", variable=variable)) from None


def proxies_credentials(proxies: Proxies, host: str, *, tls: bool) -> str:
    """The line of the user's credentials at the proxy; empty if there are none."""
    proxy = proxies.of_host(host, tls=tls)
    place = _place(proxy, tls=tls)
    if not place.username:
        return ""
    secret = base64.b64encode(f"{unquote(place.username)}:{unquote(place.password or '')}".encode()).decode()
    return f"Proxy-Authorization: Basic {secret}\r\n"


def _ask_for_tunnel(sock: socket.socket, host: str, port: int, credentials: str) -> None:
    sock.sendall(f"CONNECT {host}:{port} HTTP/1.1\r\nHost: {host}:{port}\r\n{credentials}\r\n".encode("latin-1"))
    try:
        head = Reader(sock).head()
    except Malformed as error:
        raise OSError(texts.say("gateway.proxy-no-http", problem=error)) from None
    if head is None or head.first[1] != "200":
        answer = " ".join(head.first[1:]) if head else texts.say("gateway.proxy-closed")
        raise OSError(texts.say("gateway.proxy-refused", place=f"{host}:{port}", answer=answer))


def relay(one: socket.socket, other: socket.socket) -> None:
    """Carry bytes both ways until both sides have ended, or nothing was sent for a long time."""
    for sock in (one, other):
        sock.settimeout(None)
    open_ways = {one: other, other: one}
    while open_ways:
        ready, _, _ = select.select(list(open_ways), [], [], _IDLE)
        if not ready:
            return
        for source in ready:
            target = open_ways.get(source)
            if target is None:
                continue
            try:
                data = source.recv(_CHUNK)
                if data:
                    target.sendall(data)
                    continue
                target.shutdown(socket.SHUT_WR)
            except OSError:
                return
            del open_ways[source]
