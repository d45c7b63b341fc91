"""Huawei Cloud on 127.0.0.1: TLS under the real host names, logins, signatures, gzip, chunks, redirects, and bad days.

`Cloud.reachable(monkeypatch)` sends every name of the cloud, and port 443, to the server: only name lookup is replaced,
so that URLs, Host headers, signatures and certificates are those of the real thing, for every client library.
"""

from __future__ import annotations

import gzip
import json
import re
import secrets
import socket
import ssl
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import anyio
import pytest
import trustme

from pytest_hwcloud.cloud.endpoints import is_cloud_host
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.signing.verification import verify
from pytest_hwcloud.cloud.wire import Request

REGION = "cn-north-4"
AUTHENTICATION = "Incorrect IAM authentication information: "
NAMES = ("*.myhuaweicloud.com", f"*.{REGION}.myhuaweicloud.com", "*.ap-southeast-1.myhuaweicloud.com")

# The account that records. Nothing of it may ever be found in a cassette.
REAL = Identity(
    name="default",
    user="olga.real-user",
    domain="acme-real-account",
    domain_id="d0d0a1b2c3d4e5f60718293a4b5c6d7e",
    projects={REGION: "a7a7b1c2d3e4f5061728394a5b6c7d8e"},
    ak="QXJ7RT2VNE9LQ4ZK8WDP",
    sk="tZ4mQ8vL2xR7nB5kJ9wC3yH6fD1gS0aPqUeTiOrM",
    password="C0rrect-Horse!battery/42",
)


class Cloud:
    """The service. seen: every request, as (method, URL). throttled: how many calls of a path are yet answered 429."""

    def __init__(self, folder: Path, identity: Identity = REAL) -> None:
        self.identity, self.folder = identity, folder
        self.seen: list[tuple[str, str]] = []
        self.tokens: dict[str, tuple[str, str]] = {}  # value → scope
        self.throttled: Counter[str] = Counter()
        self.answers: dict[str, Callable[[Request], tuple[int, object, dict[str, str]]]] = {}
        authority = trustme.CA()
        self.ca_file = folder / "ca.pem"
        authority.cert_pem.write_to_path(str(self.ca_file))
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        authority.issue_cert(*NAMES, "127.0.0.1", "localhost").configure_cert(context)
        self.server = _Server(("127.0.0.1", 0), _Handler)
        self.server.cloud, self.server.context = self, context
        self.port = self.server.server_address[1]
        self._thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)

    def __enter__(self) -> Cloud:
        self._thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def stop(self) -> None:
        """Gone: connections are refused from now on."""
        self.server.shutdown()
        self.server.server_close()
        self._thread.join()

    def reachable(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let every cloud host of this process be this server, and every client trust its certificate."""
        real = socket.getaddrinfo

        def look_up(host: Any, port: Any, *args: Any, **kwargs: Any) -> Any:
            name = host.decode() if isinstance(host, bytes) else str(host)
            if not is_cloud_host(name):
                return real(host, port, *args, **kwargs)
            return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", self.port))]

        connect = anyio.connect_tcp

        async def connect_tcp(remote_host: Any, remote_port: int, **options: Any) -> Any:
            """It takes the address of what it looks up, but not the port."""
            if is_cloud_host(str(remote_host)):
                remote_host, remote_port = "127.0.0.1", self.port
            return await connect(remote_host, remote_port, **options)

        monkeypatch.setattr(socket, "getaddrinfo", look_up)
        monkeypatch.setattr(anyio, "connect_tcp", connect_tcp)
        for variable in ("REQUESTS_CA_BUNDLE", "SSL_CERT_FILE", "CURL_CA_BUNDLE"):
            monkeypatch.setenv(variable, str(self.ca_file))
        monkeypatch.setenv("NO_PROXY", "*")

    def give_credentials(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """The account's keys in the environment, as a developer has them."""
        for name, value in {
            "HUAWEICLOUD_SDK_AK": self.identity.ak,
            "HUAWEICLOUD_SDK_SK": self.identity.sk,
            "HUAWEICLOUD_SDK_PROJECT_ID": self.identity.projects[REGION],
            "HUAWEICLOUD_SDK_DOMAIN_ID": self.identity.domain_id,
        }.items():
            monkeypatch.setenv(name, value)

    # what it answers ------------------------------------------------------------------------------------------------
    def answer(self, request: Request) -> tuple[int, object, dict[str, str]]:
        """Status, body (JSON unless it is bytes) and headers."""
        url = urlsplit(request.url)
        route = f"{request.method} {re.sub(r'[0-9a-f]{32}', '{id}', url.path)}"
        if route == "POST /v3/auth/tokens":
            return self.log_in(request)
        if route in ("GET /v3", "GET /v3/"):  # versions are told to anybody
            return 200, {"version": self.version("v3.6", f"{url.scheme}://{url.netloc}/v3/")}, {}
        refusal = self.refusal(request)
        if refusal is not None:
            return refusal
        if self.throttled[route] > 0:
            self.throttled[route] -= 1
            return self.error(
                429, "APIGW.0308", "The throttling threshold has been reached: policy user over ratelimit"
            )
        if route in self.answers:
            return self.answers[route](request)
        match route:
            case "GET /v3/projects" | "GET /v3/auth/projects":
                return 200, {"projects": self.projects(url.query), "links": {}}, {}
            case "GET /v3/auth/domains":
                domain = {"id": self.identity.domain_id, "name": self.identity.domain, "enabled": True}
                return 200, {"domains": [domain], "links": {}}, {}
            case "GET /v2.1/{id}" | "GET /v2.1/{id}/" | "GET /v2.1" | "GET /v2.1/":
                return 200, {"version": self.version("v2.1", f"{url.scheme}://{url.netloc}/v2.1/")}, {}
            case "GET /v2.1/{id}/servers/detail":
                return 200, {"servers": [self.server_row(n) for n in (1, 2)]}, {}
            case "GET /v2/zones":
                return 200, {"zones": [{"id": "2c9e" * 8, "name": "example.com."}], "metadata": {"total_count": 1}}, {}
            case "GET /v1/{id}/cloudservers/detail":
                return 200, {"count": 2, "servers": [self.server_row(n) for n in (1, 2)]}, {}
            case "POST /v1/{id}/cloudservers/action":
                return 200, {"job_id": secrets.token_hex(16), "adminPass": "Gen3rated#" + secrets.token_hex(4)}, {}
            case "GET /v1/{id}/large":
                return 200, {"blob": "lorem ipsum " * 440_000}, {}
            case "GET /v1/{id}/redirect":
                return 302, b"", {"Location": request.url.replace("/redirect", "/cloudservers/detail")}
            case "GET /v1/{id}/html":
                return 502, b"<html><body>502 Bad Gateway</body></html>", {"Content-Type": "text/html"}
            case "GET /v1/{id}/text":
                return 200, ("zażółć 云服务器\n" * 3).encode(), {"Content-Type": "text/plain; charset=utf-8"}
            case "GET /v1/{id}/slow":
                time.sleep(1)
                return 200, {}, {}
        return self.error(404, "APIGW.0101", "The API does not exist or has not been published in the environment")

    def server_row(self, number: int) -> dict[str, object]:
        project = self.identity.projects[REGION]
        return {"id": f"0000000{number}-aaaa-bbbb-cccc-123456789012", "name": f"ecs-{number}", "tenant_id": project,
                "user": self.identity.user, "status": "ACTIVE", "vcpus": 1.10}  # fmt: skip

    def projects(self, query: str) -> list[dict[str, object]]:
        wanted = parse_qs(query).get("name", [REGION])[0]
        row = {"id": self.identity.projects.get(wanted, ""), "name": wanted, "domain_id": self.identity.domain_id}
        return [row] if row["id"] else []

    def log_in(self, request: Request) -> tuple[int, object, dict[str, str]]:
        auth = json.loads(request.body)["auth"]
        user = auth["identity"]["password"]["user"]
        if (user["name"], user["password"]) != (self.identity.user, self.identity.password):
            error = {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}
            return 401, {"error": error}, {}
        domain = {"id": self.identity.domain_id, "name": self.identity.domain}
        kind = next(iter(auth.get("scope", {"domain": {}})))
        project = {"id": self.identity.projects[REGION], "name": REGION, "domain": domain}
        value = "MIIE" + secrets.token_urlsafe(600)
        self.tokens[value] = (kind, project["id"] if kind == "project" else domain["id"])  # type: ignore[assignment]
        now = datetime.now(UTC)
        times = {name: f"{when:%Y-%m-%dT%H:%M:%S.%fZ}" for name, when in
                 (("issued_at", now), ("expires_at", now + timedelta(hours=24)))}  # fmt: skip
        shown = {"id": "5e5e" * 8, "name": self.identity.user, "domain": domain}
        scope = {kind: project if kind == "project" else domain}
        token = {"methods": ["password"], "user": shown, **scope, **times}
        if "nocatalog" not in request.url:
            token["catalog"] = self.catalog()
        return 201, {"token": token}, {"X-Subject-Token": value}

    def version(self, name: str, link: str) -> dict[str, object]:
        links = [{"rel": "self", "href": link}]
        return {"id": name, "status": "CURRENT", "version": "2.60", "min_version": "2.1", "links": links}

    def catalog(self) -> list[dict[str, object]]:
        """The services of the account; `dns` is one that a replay without the recorded catalog does not know."""
        project = self.identity.projects[REGION]
        urls = {
            "identity": "https://iam.myhuaweicloud.com/v3",
            "compute": f"https://ecs.{REGION}.myhuaweicloud.com/v2.1/{project}",
            "dns": f"https://dns.{REGION}.myhuaweicloud.com",
            "workspace": f"https://workspace.{REGION}.myhuaweicloud.com/v2/{project}",
        }
        rows = {kind: {"id": f"{kind}-1", "interface": "public", "region": REGION, "region_id": REGION, "url": url}
                for kind, url in urls.items()}  # fmt: skip
        return [{"id": kind, "type": kind, "name": kind, "endpoints": [row]} for kind, row in rows.items()]

    def refusal(self, request: Request) -> tuple[int, object, dict[str, str]] | None:
        """What the gateway says before any service sees the call."""
        token = request.headers.get("x-auth-token")
        project = re.search(r"/v[\d.]+/([0-9a-f]{32})/", request.url)
        if token is not None:
            if token not in self.tokens:
                return self.error(401, "APIGW.0301", AUTHENTICATION + "decrypt token fail")
            if project and self.tokens[token][1] != project[1]:
                error = {"message": "tenantId in token is not the same with in URL.", "code": "Common.0018"}
                return 400, {"error": error}, {}
            return None
        if "authorization" not in request.headers:
            return self.error(401, "APIGW.0301", AUTHENTICATION + "x-auth-token not found")
        keys = {self.identity.ak: self.identity.sk}
        check = verify(request, secret=keys.get, now=datetime.now(UTC))
        if check.ok:
            return None
        text = {"unknown-ak": f"ak {check.ak} not exist"}.get(
            check.reason, f"verify aksk signature fail, {check.reason}"
        )
        return self.error(401, "APIGW.0301", AUTHENTICATION + text)

    def error(self, status: int, code: str, message: str) -> tuple[int, object, dict[str, str]]:
        return status, {"error_msg": message, "error_code": code, "request_id": ""}, {"Server": "api-gateway"}


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    cloud: Cloud
    context: ssl.SSLContext

    def finish_request(self, request: Any, client_address: Any) -> None:
        try:
            wrapped = self.context.wrap_socket(request, server_side=True)  # in the connection's own thread
        except (ssl.SSLError, OSError):
            return
        with wrapped:
            super().finish_request(wrapped, client_address)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is nobody's business."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body go out apart, and the second would wait for 40 ms
    server: _Server

    def log_message(self, *args: object) -> None:
        """Silent."""

    def _serve(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        headers = {name.lower(): value for name, value in self.headers.items()}
        url = f"https://{self.headers['Host']}{self.path}"
        request = Request(self.command, url, headers, self.rfile.read(length))
        cloud = self.server.cloud
        cloud.seen.append((self.command, url))
        if self.path.split("?")[0].endswith("/reset"):
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.close_connection = True
            return
        status, body, extra = cloud.answer(request)
        raw = body if isinstance(body, bytes) else json.dumps(body).encode()
        self._send(status, raw, extra)

    def _send(self, status: int, raw: bytes, extra: dict[str, str]) -> None:
        request_id = secrets.token_hex(16)
        raw = raw.replace(b'"request_id": ""', f'"request_id": "{request_id}"'.encode())
        headers = {"Content-Type": "application/json", "X-Request-Id": request_id, "Set-Cookie": f"sid={request_id}"}
        headers |= extra
        chunked = "chunked" in self.path
        if "gzip" in self.headers.get("Accept-Encoding", "") and raw:
            raw, headers["Content-Encoding"] = gzip.compress(raw), "gzip"
        self.send_response(status)
        if chunked:
            headers["Transfer-Encoding"] = "chunked"
        else:
            headers["Content-Length"] = str(len(raw) + (100 if "/broken" in self.path else 0))
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(_in_chunks(raw) if chunked else raw)
        if "/broken" in self.path:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_DELETE = do_HEAD = do_PATCH = _serve  # noqa: N815


def _in_chunks(raw: bytes) -> bytes:
    parts = [raw[start : start + 50] for start in range(0, len(raw), 50)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in parts) + b"0\r\n\r\n"
