"""One connection to the loopback server, from its first byte to its end: an HTTP proxy that answers for cloud hosts.

Four ways in on one port, distinguished by what the client sends first: CONNECT (and TLS or plain HTTP in the tunnel),
a request with an absolute URL, TLS at once (the host by its SNI), and a request for the host that the port stands for.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
import struct
import time
from collections.abc import Iterator

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.gateway import upstream
from pytest_hwcloud.gateway.messages import Head, Heard, Malformed, Reader, said, written
from pytest_hwcloud.gateway.port import REASONS, Fault, Port

_IDLE = 5.0  # seconds that a connection may wait for its next request: some programs end only when it is closed
_WITHIN = 60.0  # seconds for the rest of a request, and the longest silence of a recorded timeout
_MOST_HELLO = 64 << 10
_ABORT = struct.pack("ii", 1, 0)  # SO_LINGER: close with RST
_LOOPBACK = ("localhost", "127.0.0.1", "::1", "[::1]")
PROBE = "HWCLOUD"  # the method by which a preloaded file asks whether a host can be reached


def serve(connection: socket.socket, port: Port) -> None:
    """One connection, from its first byte to its end. What goes wrong on it is the client's to see."""
    port.connections.add(connection)
    with connection:
        try:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.settimeout(_WITHIN)
            _Conversation(connection, port).run()
        except Fault as fault:
            _fail(connection, fault.kind, port)
        except (OSError, Malformed, ValueError):
            pass
        finally:
            port.connections.discard(connection)


class _Conversation:
    def __init__(self, connection: socket.socket, port: Port) -> None:
        self.connection, self.port = connection, port
        self.service, self.caller = port.service, port.caller

    def run(self) -> None:
        if _peeked(self.connection) == b"\x16":
            self._with_tls(self.connection, self.port.host, 443)
            return
        reader = Reader(self.connection)
        while (head := self._head(reader)) is not None:
            if head.first[0] == "CONNECT":
                self._tunnel(reader, head)
                return
            if head.first[0] == PROBE:
                kind = self.service.fault(_place(head.first[1], 443)[0], self.caller, frozenset(REASONS))
                self.connection.sendall(said(Answer(502 if kind else 204, reason=kind or "")))
                return
            base, target = self._target(head)
            if not self._one(self.connection, reader, head, base, target):
                return

    def _head(self, reader: Reader) -> Head | None:
        reader.sock.settimeout(_IDLE)
        try:
            head = reader.head()
        except Malformed as error:
            reader.sock.sendall(said(_text(400, texts.say("run.error", problem=error))))
            return None
        except TimeoutError:
            return None
        reader.sock.settimeout(_WITHIN)
        return head

    def _tunnel(self, reader: Reader, head: Head) -> None:
        host, port = _place(head.first[1], 443)
        if self.port.host and not self.service.is_cloud(host):
            host = self.port.host
        if not self.service.is_cloud(host):
            self._let_out(reader, head, host, port)
            return
        if self._turned_away(self.connection, host, port):
            return
        kind = self.service.fault(host, self.caller)
        if kind in REASONS:
            self.connection.sendall(said(_text(502, REASONS[kind], REASONS[kind])))
            return
        if kind is not None and kind != "tls":
            raise Fault(kind)
        self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
        if kind == "tls":
            self._distrusted(self.connection)
            return
        self.connection.settimeout(_IDLE)
        if _peeked(self.connection) == b"\x16":
            self._with_tls(self.connection, host, port)
        else:
            self._plain(self.connection, f"http://{_authority(host, port, 80)}")

    def _with_tls(self, connection: socket.socket, host: str, port: int) -> None:
        """TLS, with the certificate of the host that the client names; a port for one host is called by its number."""
        named = sni(connection)
        wanted = self.port.host or named or host
        if not self.service.is_cloud(wanted):
            self.service.refusal(wanted, port, self.caller)
            connection.sendall(_alert(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME))
            return
        if self.service.refusal(wanted, port, self.caller) is not None:
            connection.sendall(_alert(ssl.ALERT_DESCRIPTION_ACCESS_DENIED))
            return
        kind = self.service.fault(wanted, self.caller)
        if kind == "tls":
            self._distrusted(connection)
            return
        if kind is not None:
            raise Fault(kind)
        context = self.service.context((named or "127.0.0.1") if self.port.host else wanted)
        if context is None:
            return
        connection.settimeout(_WITHIN)
        with context.wrap_socket(connection, server_side=True) as secure:
            self.port.connections.add(secure)
            try:
                self._plain(secure, f"https://{_authority(wanted, port, 443)}")
            finally:
                self.port.connections.discard(secure)

    def _distrusted(self, connection: socket.socket) -> None:
        context = self.service.distrusted()
        if context is not None:
            with contextlib.suppress(OSError), context.wrap_socket(connection, server_side=True) as secure:
                secure.recv(1)

    def _plain(self, connection: socket.socket, base: str) -> None:
        reader = Reader(connection)
        while (head := self._head(reader)) is not None:
            target = head.first[1]
            target = target if target.startswith("/") else "/" + target.partition("://")[2].partition("/")[2]
            try:
                if not self._one(connection, reader, head, base, target):
                    return
            except Fault as fault:
                _fail(connection, fault.kind, self.port)
                return

    def _target(self, head: Head) -> tuple[str, str]:
        """Scheme and authority, and the target below them."""
        target = head.first[1]
        scheme, separator, rest = target.partition("://")
        if separator and "/" not in scheme:
            authority, slash, path = rest.partition("/")
            host, port = _place(authority, 80)
            if host in _LOOPBACK and port == self.port.number and self.port.host:
                return f"https://{self.port.host}", "/" + path  # a client that sends its endpoint to its proxy
            return f"{scheme}://{authority}", (slash + path) or "/"
        if self.port.host:
            return f"https://{self.port.host}", target
        return f"http://{head.headers.get('host', '')}", target

    def _one(self, connection: socket.socket, reader: Reader, head: Head, base: str, target: str) -> bool:
        """One request and its answer; whether the connection goes on."""
        host, port = _place(base.partition("://")[2], 443 if base.startswith("https") else 80)
        method = head.first[0].upper()
        if not self.service.is_cloud(host):
            self._let_out(reader, head, host, port)
            return False
        if self._turned_away(connection, host, port):
            return False
        if head.headers.get("expect", "").lower() == "100-continue":
            connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = reader.body(head.headers)
        headers = {name: value for name, value in head.headers.items() if name != "proxy-connection"}
        request = Request(method, base + target, headers, body)
        found = self.service.answer(request, _raw(head, target, body), self.caller)
        if isinstance(found, Heard):
            data, keep = found.passed_on(request, keep=head.keeps), head.keeps
        else:
            data, keep = written(found, request, keep=head.keeps)
        connection.sendall(data)
        return keep

    def _turned_away(self, connection: socket.socket, host: str, port: int) -> bool:
        text = self.service.refusal(host, port, self.caller)
        if text is not None:
            connection.sendall(said(_text(403, text)))
        return text is not None

    def _let_out(self, reader: Reader, head: Head, host: str, port: int) -> None:
        """A host that is not the cloud's: through a tunnel, or one request of plain HTTP; refused if it is to be."""
        if host not in _LOOPBACK and self._turned_away(self.connection, host, port):
            return
        tunnel = head.first[0] == "CONNECT"
        try:
            other, proxied = upstream.connect(host.strip("[]"), port, self.caller.proxies, tunnel=tunnel)
        except OSError as error:
            self.connection.sendall(said(_text(502, texts.say("run.error", problem=f"{host}:{port}: {error}"))))
            return
        with other:
            if tunnel:
                self.connection.sendall(b"HTTP/1.1 200 Connection established\r\n\r\n")
            else:
                other.sendall(_forwarded(head, self.caller.proxies, host, to_proxy=proxied))
            if reader.waiting:
                other.sendall(reader.waiting)
            upstream.relay(self.connection, other)


def _peeked(connection: socket.socket) -> bytes:
    return connection.recv(1, socket.MSG_PEEK)


def _place(authority: str, default: int) -> tuple[str, int]:
    name = authority.rpartition("@")[2]
    host, _, port = name.rpartition(":")
    if host and port.isdecimal():
        return host.lower(), int(port)
    return name.lower(), default


def _authority(host: str, port: int, default: int) -> str:
    return host if port == default else f"{host}:{port}"


def _text(status: int, text: str, reason: str = "") -> Answer:
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return Answer(status, headers, text.encode() + b"\n", reason)


def _raw(head: Head, target: str, body: bytes) -> bytes:
    """The request as an origin server reads it: the target below the host, all else as it came, the body whole."""
    lines = [line for line in head.raw.decode("latin-1").split("\r\n")[1:] if line]
    skipped = ("proxy-", "transfer-encoding:", "content-length:", "connection:", "keep-alive:", "expect:")
    kept = [line for line in lines if not line.lower().startswith(skipped)]
    if body or "content-length" in head.headers or "transfer-encoding" in head.headers:
        kept.append(f"Content-Length: {len(body)}")
    text = "\r\n".join([f"{head.first[0]} {target} HTTP/1.1", *kept, "Connection: close", "", ""])
    return text.encode("latin-1") + body


def _forwarded(head: Head, proxies: upstream.Proxies, host: str, *, to_proxy: bool) -> bytes:
    """One request of plain HTTP for its server, or for the user's own proxy. The connection ends with its answer."""
    method, target, _ = head.first
    if not to_proxy and "://" in target:
        target = "/" + target.partition("://")[2].partition("/")[2]
    lines = [line for line in head.raw.decode("latin-1").split("\r\n")[1:] if line]
    kept = [line for line in lines if not line.lower().startswith(("proxy-", "connection:", "keep-alive:"))]
    if to_proxy and (credentials := upstream.proxies_credentials(proxies, host, tls=False)):
        kept.append(credentials.strip())
    return "\r\n".join([f"{method} {target} HTTP/1.1", *kept, "Connection: close", "", ""]).encode("latin-1")


def sni(connection: socket.socket) -> str:
    """The host name in the TLS hello that waits on a connection; empty if it has none. Nothing is taken away."""
    hello = _waiting_hello(connection)
    try:
        at = 9 + 2 + 32  # record header and handshake header, version, random
        at += 1 + hello[at]  # session id
        at += 2 + int.from_bytes(hello[at : at + 2], "big")  # cipher suites
        at += 1 + hello[at]  # compression methods
        end = at + 2 + int.from_bytes(hello[at : at + 2], "big")
        at += 2
        while at + 4 <= end:
            kind, length = int.from_bytes(hello[at : at + 2], "big"), int.from_bytes(hello[at + 2 : at + 4], "big")
            if kind == 0:  # server_name: list length, name type, name length, name
                size = int.from_bytes(hello[at + 7 : at + 9], "big")
                return hello[at + 9 : at + 9 + size].decode("ascii", "replace").lower()
            at += 4 + length
    except IndexError:
        pass
    return ""


def _waiting_hello(connection: socket.socket) -> bytes:
    """The first record on the line, as far as it comes within a second."""
    for _ in _ticks(1.0):
        data = connection.recv(_MOST_HELLO, socket.MSG_PEEK)
        if len(data) >= 5 and len(data) >= 5 + int.from_bytes(data[3:5], "big"):
            return data
        if not data:
            break
    return data


def _alert(description: int) -> bytes:
    """A fatal alert of TLS, for a client that gets no handshake."""
    return bytes((0x15, 3, 1, 0, 2, 2, description))


def _fail(connection: socket.socket, kind: str, port: Port) -> None:
    """Let the client meet a fault of the network: silence for the timeouts, an aborted connection for the others."""
    if kind in ("connect-timeout", "read-timeout"):
        for _ in _ticks(_WITHIN):
            if not port.open or _is_gone(connection):
                break
    with contextlib.suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _ABORT)


def _ticks(seconds: float) -> Iterator[None]:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        yield
        time.sleep(0.02)


def _is_gone(connection: socket.socket) -> bool:
    """Whether the client has given up: closed, or sent a close_notify in TLS."""
    try:
        connection.setblocking(False)
        return socket.socket.recv(connection, 1, socket.MSG_PEEK) in (b"", b"\x15")  # of a TLS socket its raw bytes
    except (BlockingIOError, InterruptedError):
        return False
    except OSError:
        return True
