"""True to the wire: what a client sees of sixty answers directly, while they are recorded, and when they are replayed.

Each client looks at everything it can: status, reason, headers with their repetition and order, the bytes on the line,
what it makes of them, lengths, how a streamed body ends. The service is a plain server that writes bytes.
"""

from __future__ import annotations

import asyncio
import gzip
import http.client
import io
import json
import os
import ssl
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from hashlib import md5
from pathlib import Path
from typing import Any

import aiohttp
import brotli
import httpx
import pytest
import requests
import urllib3
import zstandard
from loopback.cloud import REGION, Cloud
from loopback.conftest import REPLAYED

from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.interceptors import router
from pytest_hwcloud.interceptors.cloud_session import CloudSession
from pytest_hwcloud.journal import CURRENT, Journal
from pytest_hwcloud.replay.player import Player
from pytest_hwcloud.replay.recorder import Recorder, RecorderOptions

HOST = f"https://ecs.{REGION}.myhuaweicloud.com"
BUCKET = f"https://obs.{REGION}.myhuaweicloud.com"
TOKEN = {"X-Auth-Token": "a token of nobody"}


def trusting() -> aiohttp.TCPConnector:
    """aiohttp reads the certificates that it trusts when it is imported."""
    return aiohttp.TCPConnector(ssl=ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]))


# As a cassette lays JSON out; another layout comes back as this one, where nothing can check the bytes.
JSON = json.dumps({"servers": [{"id": n, "name": f"ecs-{n}", "cost": 1.1} for n in range(40)]}, indent=2).encode()
TIGHT = b'{"a":1,"b":[1,2,3],"c":{"d":null}}'
TEXT = ("zażółć 云服务器\n" * 30).encode()
BINARY = bytes(range(256)) * 9


def etag(body: bytes) -> str:
    return f'"{md5(body).hexdigest()}"'


def chunks(body: bytes, size: int = 100, trailer: bytes = b"") -> bytes:
    parts = [body[at : at + size] for at in range(0, len(body), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n" + trailer + b"\r\n"


def whole(body: bytes, *headers: str, status: str = "200 OK", kind: str = "application/json") -> bytes:
    lines = [f"HTTP/1.1 {status}", f"Content-Type: {kind}", *headers, f"Content-Length: {len(body)}", "", ""]
    return "\r\n".join(lines).encode() + body


def pieces(body: bytes, *headers: str, kind: str = "application/json", trailer: bytes = b"") -> bytes:
    lines = ["HTTP/1.1 200 OK", f"Content-Type: {kind}", *headers, "Transfer-Encoding: chunked", "", ""]
    return "\r\n".join(lines).encode() + chunks(body, trailer=trailer)


def old(body: bytes, *headers: str) -> bytes:
    """An answer of HTTP/1.0, which ends with the connection."""
    return bare("200 OK", "Content-Type: text/plain", *headers, "Connection: close").replace(b"/1.1", b"/1.0") + body


def raw_deflate(body: bytes) -> bytes:
    writer = zlib.compressobj(wbits=-15)
    return writer.compress(body) + writer.flush()


def bare(status: str, *headers: str) -> bytes:
    return "\r\n".join([f"HTTP/1.1 {status}", *headers, "", ""]).encode()


CODED = {
    "gzip": gzip.compress(JSON, mtime=0),
    "x-gzip": gzip.compress(JSON, mtime=0),
    "deflate": zlib.compress(JSON),
    "br": brotli.compress(JSON),
    "zstd": zstandard.compress(JSON),
}
ANSWERS: dict[str, bytes] = {
    # lengths and chunks
    "/json": whole(JSON),
    "/json-in-chunks": pieces(JSON),
    "/json-with-trailers": pieces(JSON, "Trailer: X-Checksum", trailer=b"X-Checksum: 12\r\n"),
    "/empty": whole(b""),
    "/empty-in-chunks": pieces(b""),
    "/text": whole(TEXT, kind="text/plain; charset=utf-8"),
    "/text-in-chunks": pieces(TEXT, kind="text/plain; charset=utf-8"),
    "/latin": whole("zaé".encode("latin-1"), kind="text/plain; charset=iso-8859-1"),
    "/no-charset": whole("zaé".encode(), kind="text/plain"),
    "/binary": whole(BINARY, kind="application/octet-stream"),
    "/binary-in-chunks": pieces(BINARY, kind="application/octet-stream"),
    "/newlines": whole(b"\r\n\n \n", kind="text/plain"),
    "/one-line": whole(b"x" * 5000, kind="text/plain"),
    "/number": whole(b"12345678901234567890.10"),
    "/null": whole(b"null"),
    "/large": whole(b"lorem ipsum " * 9_000, kind="text/plain"),
    "/large-in-chunks": pieces(b"lorem ipsum " * 9_000, kind="text/plain"),
    "/until-the-end": bare("200 OK", "Content-Type: text/plain", "Connection: close") + b"until the end",
    "/http-1.0": old(b"until the end"),
    "/http-1.0-gzip": old(CODED["gzip"], "Content-Encoding: gzip"),
    "/http-1.0-empty": old(b""),
    "/too-short": bare("200 OK", "Content-Type: text/plain", "Content-Length: 500", "Connection: close") + b"only this",
    "/chunks-without-end": bare("200 OK", "Transfer-Encoding: chunked", "Connection: close") + b"3\r\nabc\r\n",
    "/events": pieces(b"data: 1\n\ndata: 2\n\n", kind="text/event-stream"),
    "/chunk-extension": bare("200 OK", "Transfer-Encoding: chunked") + b"3;a=b\r\nabc\r\n0\r\n\r\n",
    # statuses
    "/continue": b"HTTP/1.1 100 Continue\r\n\r\n" + whole(b"{}"),
    "/early-hints": b"HTTP/1.1 103 Early Hints\r\nLink: </a>; rel=preload\r\n\r\n" + whole(b"{}"),
    "/no-content-with-length": bare("204 No Content", "Content-Length: 0"),
    "/created": whole(b"made", "Location: /json", status="201 Created"),
    "/accepted": whole(b"", status="202 Accepted"),
    "/no-content": bare("204 No Content"),
    "/partial": whole(b"abc", "Content-Range: bytes 0-2/10", status="206 Partial Content"),
    "/not-modified": bare("304 Not Modified", 'ETag: "abc"', "Content-Length: 2048"),
    "/moved": bare("302 Found", "Location: /json", "Content-Length: 0"),
    "/moved-for-good": whole(b"moved", "Location: /moved", status="308 Permanent Redirect", kind="text/plain"),
    "/bad": whole(b"Common.0018", status="400 Bad Request"),
    "/forbidden": whole(b"X.1: no", status="403 Forbidden"),
    "/missing": whole(b"<html><title>404</title></html>", status="404 Not Found", kind="text/html"),
    "/gone-in-chunks": pieces(b"gone").replace(b"200 OK", b"410 Gone"),
    "/busy": whole(b"busy", "Retry-After: 3", status="503 Service Unavailable", kind="text/plain"),
    "/odd-reason": whole(b"", status="299 Something Else Entirely"),
    "/no-reason": whole(b"").replace(b"200 OK", b"200 "),
    "/unknown-status": whole(b"?", status="460 Odd"),
    # headers
    "/repeated": whole(b"{}", "X-Many: one", "X-Many: two", "Link: <a>; rel=next", "x-many: three"),
    "/cookies": whole(
        b"{}", "Vary: Accept, Cookie", "Cache-Control: no-store", "Expires: Thu, 01 Jan 1970 00:00:00 GMT"
    ),
    "/own-headers": whole(b"{}", "X-Own-Thing: value", "X-Total: 12", "Content-Language: zh-CN", 'ETag: W/"1"'),
    "/folded": whole(b"{}", "X-Folded: one\r\n  two"),
    "/not-ascii": whole(b"{}").replace(b"\r\n\r\n", "\r\nX-Name: 云服务器\r\n\r\n".encode(), 1),
    "/odd-headers": whole(b"{}", "X-Empty:", "X-Colon: a:b:c", "X-Tab: a\tb", "X-Long: " + "y" * 3000),
    # bytes with a digest
    "/with-etag": whole(TIGHT, f"ETag: {etag(TIGHT)}"),
    "/with-md5": whole(JSON, "Content-MD5: 1B2M2Y8AsgTpgAmY7PhCfg=="),
    "/with-digest": whole(TIGHT, "Digest: sha-256=abc"),
    "/gzip-with-etag": whole(CODED["gzip"], "Content-Encoding: gzip", f"ETag: {etag(CODED['gzip'])}"),
    # codings
    **{f"/{name}": whole(body, f"Content-Encoding: {name}") for name, body in CODED.items()},
    **{f"/{name}-in-chunks": pieces(body, f"Content-Encoding: {name}") for name, body in CODED.items()},
    "/gzip-refused": whole(gzip.compress(b"X.1 is refused", mtime=0), "Content-Encoding: gzip", status="403 Forbidden"),
    "/gzip-empty": whole(b"", "Content-Encoding: gzip"),
    "/raw-deflate": whole(raw_deflate(JSON), "Content-Encoding: deflate"),
    "/gzip-of-two-members": whole(CODED["gzip"] + gzip.compress(b" ", mtime=0), "Content-Encoding: gzip"),
    "/gzip-cut-short": whole(CODED["gzip"][:-9], "Content-Encoding: gzip"),
    "/gzip-and-br": whole(brotli.compress(CODED["gzip"]), "Content-Encoding: gzip, br"),
    "/no-gzip-at-all": whole(JSON, "Content-Encoding: gzip"),
    "/identity": whole(JSON, "Content-Encoding: identity"),
    "/unknown-coding": whole(BINARY, "Content-Encoding: rot13", kind="application/octet-stream"),
}
BROKEN = {"/no-gzip-at-all", "/too-short", "/chunks-without-end"}  # the client raises, each its own
HEADS = ["/json", "/gzip", "/not-modified", "/missing", "/json-in-chunks", "/with-etag"]
CALLS = [("GET", path) for path in ANSWERS] + [("HEAD", path) for path in HEADS]
NOISE = {"date", "connection", "keep-alive"}
BODY = {"content-length", "content-encoding", "transfer-encoding"}
CODINGS = "gzip, deflate, br, zstd"


class Service:
    """Writes the bytes of ANSWERS, whatever is asked. Stands for the handler of the loopback cloud's server."""

    def __init__(self, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
        handler = cloud.server.RequestHandlerClass
        monkeypatch.setattr(handler, "_serve", Service._serve)
        for method in ("GET", "HEAD", "POST", "PUT"):
            monkeypatch.setattr(handler, f"do_{method}", Service._serve)

    @staticmethod
    def _serve(self: Any) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        self.rfile.read(length)
        raw = ANSWERS[self.path.partition("?")[0].removeprefix("/bucket")]
        head, _, body = raw.partition(b"\r\n\r\n")
        self.wfile.write(head + b"\r\n\r\n" + (b"" if self.command == "HEAD" else body))
        if b"Connection: close" in head:
            self.close_connection = True


@pytest.fixture
def modes(cloud: Cloud, tmp_path: Path, mapping: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Any]:
    """modes(call): what call() gives directly, while it is recorded, and replayed with the service gone."""
    Service(cloud, monkeypatch)

    def run(call: Callable[[], Any]) -> tuple[Any, Any, Any]:
        file = tmp_path / "c.yaml"
        file.unlink(missing_ok=True)
        direct = call()
        recorder = Recorder(file, mapping)
        with router.using(recorder):
            recorded = call()
        recorder.commit(keep=True)
        cloud.seen.clear()
        player = Player([Tape.load(file)], CloudState({"default": REPLAYED}, region=REGION))
        CURRENT.journal = Journal("t::t")
        try:
            with router.using(player):
                replayed = call()
        finally:
            CURRENT.journal = None
        return direct, recorded, replayed

    return run


def pairs(found: Any) -> list[tuple[str, str]]:
    """Headers that count, in their order; a name's values together, and what tells how the body comes at the end."""
    listed = [(name.lower(), value) for name, value in found if name.lower() not in NOISE]
    first = {name: at for at, (name, _) in reversed(list(enumerate(listed)))}
    return sorted(listed, key=lambda pair: (pair[0] in BODY, pair[0] if pair[0] in BODY else "", first[pair[0]]))


# what each client sees


def by_requests(method: str, url: str, session: type[requests.Session] = requests.Session) -> dict[str, Any]:
    with session() as client:
        client.headers.update({**TOKEN, "Accept-Encoding": CODINGS})
        answer = client.request(method, url)
        return {
            "status": (answer.status_code, answer.reason, answer.ok, answer.url, answer.encoding),
            "headers": pairs(answer.headers.items()),
            "raw headers": pairs(answer.raw.headers.items()),
            "history": [(one.status_code, one.url, one.content) for one in answer.history],
            "content": answer.content,
            "length": answer.raw.length_remaining,
            "closed": (answer.raw.closed, answer.raw.read(), answer._content_consumed),
            "version": (answer.raw.version, answer.raw.status, answer.raw.reason),
        }


def by_session(method: str, url: str) -> dict[str, Any]:
    return by_requests(method, url, CloudSession)


def by_requests_stream(method: str, url: str, session: type[requests.Session] = requests.Session) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    with session() as client:
        client.headers.update({**TOKEN, "Accept-Encoding": CODINGS})

        def get() -> requests.Response:
            return client.request(method, url, stream=True, allow_redirects=False)

        with get() as answer:
            seen["iter_content(None)"] = b"".join(answer.iter_content(chunk_size=None))
        with get() as answer:
            seen["iter_content"] = b"".join(answer.iter_content(chunk_size=700))
        with get() as answer:
            seen["iter_lines"] = list(answer.iter_lines())
        with get() as answer:
            seen["raw.read"] = answer.raw.read(decode_content=False)
            seen["raw.closed"] = (answer.raw.closed, answer.raw.read(), answer.raw.tell())
        with get() as answer:
            seen["raw.stream(None)"] = b"".join(answer.raw.stream(None, decode_content=False))
        with get() as answer:
            seen["part"] = answer.raw.read(5, decode_content=False)
        with get() as answer:
            seen["unread"] = answer.status_code
        with get() as answer:
            seen["readinto"] = readinto(answer.raw)
        with get() as answer:
            seen["read1"] = b"".join(iter(lambda: answer.raw.read1(5000), b""))
        with get() as answer:
            seen["length"] = answer.raw.length_remaining
            seen["content"] = answer.content
    return seen


def by_session_stream(method: str, url: str) -> dict[str, Any]:
    return by_requests_stream(method, url, CloudSession)


def readinto(file: Any) -> bytes:
    found = bytearray()
    buffer = bytearray(3333)
    while count := file.readinto(buffer):
        found += buffer[:count]
    return bytes(found)


def by_urllib3(method: str, url: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    with urllib3.PoolManager() as pool:
        options: dict[str, Any] = {
            "headers": {**TOKEN, "Accept-Encoding": CODINGS},
            "redirect": False,
            "retries": False,
        }
        answer = pool.request(method, url, **options)
        seen["status"] = (answer.status, answer.reason, answer.version)
        seen["headers"] = pairs(answer.headers.iteritems())
        seen["data"] = (answer.data, answer.length_remaining, answer.closed)
        for name, read in {
            "raw": lambda one: one.read(decode_content=False),
            "stream": lambda one: b"".join(one.stream(None)),
            "stream(64)": lambda one: b"".join(one.stream(64, decode_content=False)),
            "read1": lambda one: b"".join(iter(lambda: one.read1(10_000), b"")),
            "readinto": readinto,
            "drain": lambda one: (one.drain_conn(), one.closed, one.isclosed()),
            "wrapped": lambda one: io.BufferedReader(one).read(),
        }.items():
            answer = pool.request(method, url, preload_content=False, **options)
            seen[name] = read(answer)
            answer.close()
            answer.release_conn()
    return seen


def by_http_client(method: str, url: str) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    host, slash, path = url.removeprefix("https://").partition("/")
    for name, read in {
        "read": lambda one: one.read(),
        "read(7)": lambda one: (one.read(7), one.isclosed()),
        "read1": lambda one: b"".join(iter(lambda: one.read1(1000), b"")),
        "readinto": readinto,
        "readline": lambda one: list(iter(one.readline, b"")),
        "peek": lambda one: one.length == 0 or one.peek()[:3],
    }.items():
        connection = http.client.HTTPSConnection(host)
        connection.request(method, slash + path, headers=TOKEN)
        answer = connection.getresponse()
        seen["status"] = (answer.status, answer.reason, answer.version)
        seen["headers"] = pairs(answer.getheaders())
        seen["length"] = (answer.length, answer.will_close and "close" in answer.getheader("Connection", ""))
        seen[name] = read(answer)
        connection.close()
    return seen


def by_urllib(method: str, url: str) -> dict[str, Any]:
    try:
        answer: Any = urllib.request.urlopen(urllib.request.Request(url, headers=TOKEN, method=method))
    except urllib.error.HTTPError as error:
        answer = error
    with answer:
        return {
            "status": (answer.status, answer.reason, answer.url),
            "headers": pairs(answer.headers.items()),
            "body": answer.read(),
            "closed": answer.read(),
        }


def _httpx(answer: httpx.Response) -> dict[str, Any]:
    return {
        "status": (answer.status_code, answer.reason_phrase, str(answer.url), answer.http_version, answer.encoding),
        "headers": pairs(answer.headers.multi_items()),
        "raw headers": [(a.lower(), b) for a, b in answer.headers.raw if a.lower().decode() not in NOISE] and None,
        "content": answer.content,
        "history": [(one.status_code, one.content) for one in answer.history],
        "downloaded": answer.num_bytes_downloaded,
        "closed": (answer.is_closed, answer.is_stream_consumed),
    }


def by_httpx(method: str, url: str) -> dict[str, Any]:
    with httpx.Client(headers={**TOKEN, "Accept-Encoding": CODINGS}, follow_redirects=True) as client:
        seen = _httpx(client.request(method, url))
        with client.stream(method, url) as answer:
            seen["raw"] = b"".join(answer.iter_raw())
        with client.stream(method, url) as answer:
            seen["bytes"] = b"".join(answer.iter_bytes(77))
        with client.stream(method, url) as answer:
            seen["part"] = next(answer.iter_raw(4), b"")
        with client.stream(method, url) as answer:
            seen["unread"] = answer.status_code
        return seen


def by_async_httpx(method: str, url: str) -> dict[str, Any]:
    async def call() -> dict[str, Any]:
        async with httpx.AsyncClient(headers={**TOKEN, "Accept-Encoding": CODINGS}) as client:
            seen = _httpx(await client.request(method, url))
            async with client.stream(method, url) as answer:
                seen["raw"] = b"".join([part async for part in answer.aiter_raw()])
            async with client.stream(method, url) as answer:
                seen["lines"] = [line async for line in answer.aiter_lines()]
            async with client.stream(method, url) as answer:
                seen["part"] = [part async for part in answer.aiter_raw(4)][:1]
            async with client.stream(method, url) as answer:
                seen["unread"] = answer.status_code
            return seen

    return asyncio.run(call())


def by_aiohttp(method: str, url: str) -> dict[str, Any]:
    async def call() -> dict[str, Any]:
        seen: dict[str, Any] = {}
        options: dict[str, Any] = {"headers": {**TOKEN, "Accept-Encoding": CODINGS}, "allow_redirects": False}
        async with aiohttp.ClientSession(connector=trusting()) as session:
            async with session.request(method, url, **options) as answer:
                body = await answer.read()
                seen["status"] = (answer.status, answer.reason, answer.version, str(answer.url), answer.method)
                seen["headers"] = pairs(answer.headers.items())
                seen["raw headers"] = pairs(
                    (a.decode(), b.decode("utf-8", "surrogateescape")) for a, b in answer.raw_headers
                )
                seen["body"] = body
                seen["length"] = (answer.content_length, answer.content_type, answer.charset, answer.content.at_eof())
            async with session.request(method, url, **options) as answer:
                seen["any"] = b"".join([part async for part in answer.content.iter_any()])
            async with session.request(method, url, **options) as answer:
                seen["chunked"] = [len(part) async for part in answer.content.iter_chunked(512)][:-1] and None
                seen["end"] = await answer.content.read()
            async with session.request(method, url, **options) as answer:
                seen["part"] = (await answer.content.read(3))[:3]
            async with session.request(method, url, **options) as answer:
                seen["unread"] = answer.status
        session = aiohttp.ClientSession(connector=trusting(), auto_decompress=False)
        async with session, session.request(method, url, **options) as answer:
            seen["raw"] = await answer.read()
        return seen

    return asyncio.run(call())


CLIENTS = {
    "requests": by_requests,
    "session": by_session,
    "requests-stream": by_requests_stream,
    "session-stream": by_session_stream,
    "urllib3": by_urllib3,
    "http.client": by_http_client,
    "urllib": by_urllib,
    "httpx": by_httpx,
    "httpx-async": by_async_httpx,
    "aiohttp": by_aiohttp,
}


KINDS = ("session-stream", "http.client", "httpx", "aiohttp")


def guarded(call: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    try:
        return call()
    except Exception as error:
        return {"error": (type(error).__name__, str(error)[:60])}


# What is odd is looked at by one client of each kind; .ci/run looks with all of them.
ODD = {"/raw-deflate", "/gzip-of-two-members", "/gzip-cut-short", "/gzip-and-br", "/no-gzip-at-all", "/http-1.0",
       "/http-1.0-gzip", "/http-1.0-empty", "/too-short", "/chunks-without-end", "/events", "/chunk-extension",
       "/continue", "/early-hints", "/no-content-with-length", "/folded", "/not-ascii"}  # fmt: skip
RARE = {"/gzip-and-br", "/http-1.0-gzip", "/http-1.0-empty", "/chunk-extension", "/continue", "/not-ascii", "/events"}
CASES = [
    pytest.param(client, method, path, id=f"{method}-{path}-{client}", marks=marks)
    for method, path in CALLS
    for client in CLIENTS
    for marks in [[pytest.mark.extended] if path in RARE or (path in ODD and client not in KINDS) else []]
]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of TLS that a loop leaves open
@pytest.mark.parametrize(("client", "method", "path"), CASES)
def test_a_client_sees_the_same_directly_recorded_and_replayed(
    modes: Callable[..., Any], client: str, method: str, path: str
) -> None:
    url = HOST + path
    direct, recorded, replayed = modes(lambda: guarded(lambda: CLIENTS[client](method, url)))
    assert "error" not in direct or path in BROKEN or "content-encoding" in str(direct["error"])  # aiohttp has no zstd
    assert recorded == direct
    assert replayed == direct


@pytest.mark.parametrize("client", ["requests", "session", "urllib3", "http.client", "httpx", "aiohttp"])
def test_json_in_another_layout_comes_back_with_its_values_and_its_new_length(
    modes: Callable[..., Any], client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWERS, "/layout", whole(b'{"a":1,  "b":[1.10]}'))
    direct, recorded, replayed = modes(lambda: CLIENTS[client]("GET", HOST + "/layout"))
    assert recorded == direct
    body = next(replayed[key] for key in ("content", "data", "read", "body") if key in replayed)
    body = body[0] if isinstance(body, tuple) else body
    assert body == b'{\n  "a": 1,\n  "b": [\n    1.10\n  ]\n}'
    assert ("content-length", str(len(body))) in replayed["headers"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of TLS that a loop leaves open
@pytest.mark.parametrize("client", CLIENTS)
def test_an_object_comes_back_to_the_byte(
    modes: Callable[..., Any], client: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ANSWERS, "/object.json", whole(b'{"a":1,  "b":[1.10]}\n'))
    direct, recorded, replayed = modes(lambda: CLIENTS[client]("GET", BUCKET + "/bucket/object.json"))
    assert "error" not in direct
    assert recorded == direct
    assert replayed == direct


LIVE = ["/json", "/gzip", "/br-in-chunks", "/repeated", "/not-modified", "/http-1.0", "/too-short"]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of TLS that a loop leaves open
@pytest.mark.parametrize("client", KINDS)
@pytest.mark.parametrize("path", LIVE)
def test_live_mode_changes_nothing_and_writes_nothing(
    cloud: Cloud, tmp_path: Path, mapping: Any, monkeypatch: pytest.MonkeyPatch, client: str, path: str
) -> None:
    Service(cloud, monkeypatch)
    direct = guarded(lambda: CLIENTS[client]("GET", HOST + path))
    recorder = Recorder(tmp_path / "c.yaml", mapping, options=RecorderOptions(mode="live"))
    with router.using(recorder):
        assert guarded(lambda: CLIENTS[client]("GET", HOST + path)) == direct
    assert recorder.commit(keep=True) is None
    assert list(tmp_path.glob("*.yaml")) == []
