"""The loopback server: one thread accepts for all ports, and each connection has its own thread."""

from __future__ import annotations

import contextlib
import selectors
import socket
import threading

from pytest_hwcloud.gateway.conversation import serve
from pytest_hwcloud.gateway.port import Caller, Port, Service


class Server:
    """All ports of this process. The thread that accepts starts with the first port and sleeps without calls."""

    def __init__(self) -> None:
        self._selector: selectors.BaseSelector | None = None
        self._wake: tuple[socket.socket, socket.socket] | None = None
        self._lock = threading.Lock()
        self._ports: set[Port] = set()
        self._thread: threading.Thread | None = None
        self._stop = False

    def open(self, service: Service, caller: Caller, host: str = "") -> Port:
        """A new port on 127.0.0.1."""
        port = Port(service, caller, host)
        with self._lock:
            if self._selector is None:
                self._selector, self._wake = selectors.DefaultSelector(), socket.socketpair()
                for end in self._wake:
                    end.setblocking(False)
                self._selector.register(self._wake[0], selectors.EVENT_READ, None)
            self._selector.register(port.socket, selectors.EVENT_READ, port)
            self._ports.add(port)
            self._start()
        self._ring()
        return port

    def close(self, port: Port) -> None:
        """This port is no longer used: it is closed, and so are its connections."""
        port.open = False
        with self._lock:
            self._ports.discard(port)
            if self._selector is not None and port.socket.fileno() >= 0:
                with contextlib.suppress(KeyError):
                    self._selector.unregister(port.socket)
        port.socket.close()
        for connection in list(port.connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._ring()

    def pause(self) -> None:
        """End the accepting thread for a moment: a process with threads must not fork."""
        thread = self._thread
        if thread is not None and thread.is_alive() and thread is not threading.current_thread():
            self._stop = True
            self._ring()
            thread.join()
            self._thread = None

    def resume(self) -> None:
        """Accept again."""
        with self._lock:
            if self._selector is not None:
                self._start()

    def forget(self) -> None:
        """In a forked child: the ports are the parent's."""
        for port in self._ports:
            port.socket.close()
        self._ports = set()
        self._selector = self._wake = self._thread = None
        self._lock = threading.Lock()

    def shutdown(self) -> None:
        """Close everything."""
        for port in list(self._ports):
            self.close(port)
        self.pause()
        with self._lock:
            if self._selector is not None:
                self._selector.close()
            for end in self._wake or ():
                end.close()
            self._selector = self._wake = None

    def _start(self) -> None:
        if self._thread is None:
            self._stop = False
            self._thread = threading.Thread(target=self._accept, name="hwcloud-gateway", daemon=True)
            self._thread.start()

    def _ring(self) -> None:
        if self._wake is not None:
            with contextlib.suppress(OSError):
                self._wake[1].send(b"x")

    def _accept(self) -> None:
        selector = self._selector
        while selector is not None and not self._stop:
            try:
                ready = selector.select()
            except OSError:
                return
            for key, _ in ready:
                if key.data is None:
                    with contextlib.suppress(OSError):
                        key.fileobj.recv(4096)  # type: ignore[union-attr]
                    continue
                try:
                    connection, _ = key.data.socket.accept()
                except OSError:
                    continue
                threading.Thread(target=serve, args=(connection, key.data), name="hwcloud-gateway", daemon=True).start()
