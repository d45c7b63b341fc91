"""A loopback server that answers as told, and what else the tests of the real client libraries share."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from pytest_hwcloud.cloud.failures import Failure, read

ECS_0110 = {
    "error": {"message": "do not have the required roles, forbidden to perform this action.", "code": "Ecs.0110"}
}
APIGW = {
    "error_msg": "Incorrect IAM authentication information: decrypt token fail",
    "error_code": "APIGW.0301",
    "request_id": "0e812a89eee650de8e1f55cdae28b2c9",
}
NOWHERE = "http://nowhere.invalid/v1/p"


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

        def log_message(self, *args: object) -> None:
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


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture(autouse=True)
def no_name_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def getaddrinfo(host: object, *args: object, **kwargs: object) -> object:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def raised(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def told(obj: object) -> Failure:
    failure = read(obj)
    assert failure is not None
    return failure
