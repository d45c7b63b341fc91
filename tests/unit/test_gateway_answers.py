"""Answers of every form through the loopback server: as a client in the process would read them."""

from __future__ import annotations

import gzip
import http.client
import ssl
from collections.abc import Iterator

import pytest

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.gateway.messages import Heard
from pytest_hwcloud.gateway.port import Caller
from pytest_hwcloud.gateway.server import Server

URL = "http://ecs.cn-north-4.myhuaweicloud.com/v1/x"


class Service:
    """Answers everything with one answer, and keeps what it was asked."""

    def __init__(self) -> None:
        self.answers: list[Answer | Heard] = []
        self.asked: list[tuple[Request, bytes]] = []

    def is_cloud(self, host: str) -> bool:
        return True

    def refusal(self, host: str, port: int, caller: Caller) -> str | None:
        return None

    def fault(self, host: str, caller: Caller, kinds: frozenset[str] = frozenset()) -> str | None:
        return None

    def context(self, host: str) -> ssl.SSLContext | None:
        return None

    def distrusted(self) -> ssl.SSLContext | None:
        return None

    def answer(self, request: Request, raw: bytes, caller: Caller) -> Answer | Heard:
        self.asked.append((request, raw))
        return self.answers[0]


@pytest.fixture
def service() -> Service:
    return Service()


@pytest.fixture
def line(service: Service) -> Iterator[http.client.HTTPConnection]:
    server = Server()
    port = server.open(service, Caller())
    connection = http.client.HTTPConnection("127.0.0.1", port.number, timeout=10)
    yield connection
    connection.close()
    server.shutdown()


def ask(
    line: http.client.HTTPConnection, method: str = "GET", body: object = None, **headers: str
) -> tuple[http.client.HTTPResponse, bytes]:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    line.request(method, URL, body, named)  # type: ignore[arg-type]
    answer = line.getresponse()
    return answer, answer.read()


def test_a_coding_goes_to_who_accepts_it(service: Service, line: http.client.HTTPConnection) -> None:
    service.answers = [Answer(200, {"Content-Type": "text/plain"}, b"plain" * 100, coding="gzip")]
    answer, body = ask(line, Accept_Encoding="br, gzip")
    assert (answer.headers["Content-Encoding"], gzip.decompress(body)) == ("gzip", b"plain" * 100)
    answer, body = ask(line)
    assert (answer.headers["Content-Encoding"], body) == (None, b"plain" * 100)


def test_headers_that_came_several_times(service: Service, line: http.client.HTTPConnection) -> None:
    cookies = ("a=1; Expires=Wed, 21 Oct 2026 07:28:00 GMT", "b=2")
    service.answers = [Answer(200, {"Set-Cookie": ", ".join(cookies)}, b"", repeated={"Set-Cookie": cookies})]
    assert ask(line)[0].headers.get_all("Set-Cookie") == list(cookies)


@pytest.mark.parametrize(
    ("answer", "method", "wanted", "stays"),
    [
        (Answer(200, {"Connection": "close", "Keep-Alive": "timeout=5"}, b"x"), "GET", b"x", True),
        (Answer(200, {}, b"in chunks", framing="chunked"), "GET", b"in chunks", True),
        (Answer(200, {}, b"to the end", framing="close"), "GET", b"to the end", False),
        (Answer(200, {}, b"old", protocol="HTTP/1.0"), "GET", b"old", False),
        (Answer(200, {"Content-Length": "1234"}), "HEAD", b"", True),
        (Answer(204, {}), "DELETE", b"", True),
        (Answer(304, {"ETag": '"x"', "Content-Length": "77"}), "GET", b"", True),
        (Answer(299, {}, b"{}"), "GET", b"{}", True),
    ],
)
def test_how_an_answer_ends(
    service: Service, line: http.client.HTTPConnection, answer: Answer, method: str, wanted: bytes, stays: bool
) -> None:
    service.answers = [answer]
    for _ in range(2):
        got, body = ask(line, method)
        assert (got.status, body) == (answer.status, wanted)
        assert (got.headers["Connection"] != "close") is stays
    assert "Keep-Alive" not in got.headers
    if method == "HEAD":
        assert got.headers["Content-Length"] == "1234"


def test_a_body_that_was_cut_off(service: Service, line: http.client.HTTPConnection) -> None:
    service.answers = [Answer(200, {}, b"half of it", missing=10)]
    with pytest.raises(http.client.IncompleteRead) as caught:
        ask(line)
    assert (caught.value.partial, caught.value.expected) == (b"half of it", 10)


@pytest.mark.parametrize("method", ["GET", "HEAD"])
def test_what_a_real_server_said_is_passed_on(service: Service, line: http.client.HTTPConnection, method: str) -> None:
    packed = gzip.compress(b"body") if method == "GET" else b""
    fields = [("Content-Encoding", "gzip"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2"), ("Content-Length", "24"),
              ("Transfer-Encoding", "chunked"), ("Connection", "close")]  # fmt: skip
    service.answers = [Heard(fields=fields, body=packed, answer=Answer(200, {}, b"body", "OK"))]
    for _ in range(2):
        got, body = ask(line, method)
        assert (body, got.headers.get_all("Set-Cookie")) == (packed, ["a=1", "b=2"])
        assert (got.headers["Connection"], got.headers["Content-Encoding"]) == ("keep-alive", "gzip")
        assert got.headers.get_all("Content-Length") == ["24" if method == "HEAD" else str(len(packed))]


def test_a_request_reaches_the_cloud_as_it_came(service: Service, line: http.client.HTTPConnection) -> None:
    service.answers = [Answer(200, {}, b"")]
    ask(line, "POST", iter([b"one ", b"two"]), X_Mixed_Case="a  b", Proxy_Authorization="Basic secret")
    ask(line, "PUT", b"x" * 300_000, Expect="100-continue")
    (first, raw), (second, _) = service.asked
    assert (first.body, second.body) == (b"one two", b"x" * 300_000)
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /v1/x HTTP/1.1"
    assert "X-Mixed-Case: a  b" in lines
    assert (body, "Content-Length: 7" in lines) == (b"one two", True)
    assert [one for one in lines if one.lower().startswith(("proxy-", "transfer-encoding", "expect"))] == []
