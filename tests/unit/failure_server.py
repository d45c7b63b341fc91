"""A loopback server that answers as told, for failures seen through the real client libraries."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Server:
    """Where it listens and what it says. A body may be text, bytes or JSON; behaviour "close" answers nothing."""

    def __init__(self) -> None:
        self.url = ""
        self.status = 200
        self.headers: Mapping[str, str] = {}
        self.body: object = b""
        self.behaviour = ""

    def says(self, status: int, body: object, headers: Mapping[str, str] | None = None) -> Server:
        self.status, self.body, self.headers = status, body, headers or {}
        return self

    def raw(self) -> bytes:
        if isinstance(self.body, bytes):
            return self.body
        return (self.body if isinstance(self.body, str) else json.dumps(self.body)).encode()


@contextmanager
def serve() -> Iterator[Server]:
    """A server on a free port of this machine for as long as the block lasts."""
    server = Server()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length") or 0))
            if server.behaviour == "close":
                self.close_connection = True
                return
            raw = server.raw()
            self.send_response(server.status)
            kind = "application/xml" if raw[:1] == b"<" else "application/json"
            for name, value in ({"Content-Type": kind} | dict(server.headers)).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(raw)

        do_GET = do_POST = do_HEAD = do_PUT = do_DELETE = answer  # noqa: N815

        def log_message(self, format: str, *args: object) -> None:
            """Quiet."""

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    server.url = f"http://127.0.0.1:{http.server_port}"
    thread = threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        http.server_close()
        thread.join(5)
