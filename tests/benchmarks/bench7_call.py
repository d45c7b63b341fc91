"""7. Whole calls: EcsClient.list_servers_details through the real SDK, live against a loopback server and replayed.

live     over a TCP connection to loopback_server.py (another process on 127.0.0.1)
replay   the answer comes from a cassette with this one interaction, asked for again and again

--breakdown gives the share of each stage inside the SDK; --profile a cProfile of the main thread.
"""

from __future__ import annotations

import contextlib
import gc
import http.client
import json
import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import loopback_server
import plugin_subject
from common import (
    FILLERS,
    HERE,
    Unavailable,
    finish,
    has,
    machine,
    median,
    parser,
    pytest_env,
    ratio,
    sig,
    spread,
    table,
    versions,
    workdir,
)

AK, SK, PROJECT = "HST3WSYAMPLE00000000", "Zx4EXAMPLEexampleEXAMPLEexampleEXAMPLE00", "0605767c80d5d5762fe0c0185a2c3f34"
CLOUD = "https://ecs.ap-southeast-1.myhuaweicloud.com"


class CallSubject:
    """open(dir, n) prepares one call of n servers and returns a function without arguments that makes it and returns how many
    servers it saw; close() undoes everything. `live` says that the server is asked."""

    live = False
    base = ""  # the scheme, host and port to ask

    def open(self, d: Path, n: int):
        raise NotImplementedError

    def close(self) -> None:
        pass


def sdk_client(base: str):
    has("huaweicloudsdkecs")
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.http.http_config import HttpConfig
    from huaweicloudsdkecs.v2 import EcsClient

    return (
        EcsClient.new_builder()
        .with_http_config(HttpConfig.get_default_config())
        .with_credentials(BasicCredentials(AK, SK, PROJECT))
        .with_endpoint(base)
        .build()
    )


class Sdk(CallSubject):
    live = True

    def open(self, d: Path, n: int):
        from huaweicloudsdkecs.v2 import ListServersDetailsRequest

        self.client = sdk_client(self.base)
        return lambda: len(self.client.list_servers_details(ListServersDetailsRequest(limit=n)).servers)

    def close(self) -> None:
        self.client.close()


def url(base: str, n: int) -> str:
    return f"{base}/v1/{PROJECT}/cloudservers/detail?limit={n}"


def vcr_file(path: Path, n: int) -> None:
    from suites import write_vcr_yaml

    body = loopback_server.detail(n)
    write_vcr_yaml(
        path,
        [
            {
                "request": {
                    "method": "GET",
                    "uri": url(CLOUD, n),
                    "body": None,
                    "headers": {"User-Agent": ["huaweicloud-usdk-python/3.0"]},
                },
                "response": {
                    "status": {"code": 200, "message": "OK"},
                    "headers": {
                        "Content-Type": ["application/json"],
                        "Content-Length": [str(len(body))],
                        "Server": ["api-gateway"],
                        "X-Request-Id": ["b" * 32],
                        "Date": ["Fri, 21 Nov 2025 10:00:00 GMT"],
                    },
                    "body": {"string": body.decode()},
                },
            }
        ],
    )


class SdkVcrpy(Sdk):
    live = False

    def open(self, d: Path, n: int):
        import vcr

        path = d / f"vcr-{n}.yaml"
        vcr_file(path, n)
        self.context = vcr.VCR(record_mode="none").use_cassette(str(path), allow_playback_repeats=True)
        self.context.__enter__()
        self.base = CLOUD
        return super().open(d, n)

    def close(self) -> None:
        super().close()
        self.context.__exit__(None, None, None)


class SdkCassetter(Sdk):
    live = False

    def __init__(self, intercept=None) -> None:
        has("cassetter")
        self.intercept = intercept

    def open(self, d: Path, n: int):
        import cassetter

        path = d / f"cassetter-{n}.yaml"
        if not path.exists():
            c = cassetter.Cassette(path, record_mode=cassetter.RecordMode.ALL)
            c.load()
            c.record(
                "GET",
                url(CLOUD, n),
                {"user-agent": ["huaweicloud-usdk-python/3.0"]},
                None,
                200,
                {"content-type": ["application/json"], "server": ["api-gateway"]},
                loopback_server.detail(n),
            )
            c.save()
        self.context = cassetter.use_cassette(path, record_mode="none", intercept=self.intercept)
        self.context.__enter__()
        self.base = CLOUD
        return super().open(d, n)

    def close(self) -> None:
        super().close()
        self.context.__exit__(None, None, None)


def canned_adapter(n: int):
    import requests
    from requests.adapters import BaseAdapter
    from requests.structures import CaseInsensitiveDict

    body = loopback_server.detail(n)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Server": "api-gateway"}

    class Canned(BaseAdapter):
        def send(self, request, **kwargs):
            r = requests.Response()
            r.status_code, r.reason, r.headers, r._content = 200, "OK", CaseInsensitiveDict(headers), body
            r.request, r.url, r.encoding = request, request.url, "utf-8"
            return r

        def close(self) -> None:
            pass

    return Canned()


class SdkCanned(Sdk):
    """LIMIT of a replay through the SDK: its session's adapter returns a constant."""

    live = False

    def open(self, d: Path, n: int):
        self.base = CLOUD
        call = super().open(d, n)
        session = self.client.get_http_client()._session
        session.mount("https://", canned_adapter(n))
        return call


class RequestsSdkSigner(CallSubject):
    """What a test does by hand: requests, signed with the SDK's Signer."""

    live = True

    def open(self, d: Path, n: int):
        import requests
        from huaweicloudsdkcore.auth.credentials import BasicCredentials
        from huaweicloudsdkcore.sdk_request import SdkRequest
        from huaweicloudsdkcore.signer.signer import Signer

        self.session = requests.Session()
        host = self.base.split("://")[1]
        signer = Signer(BasicCredentials(AK, SK, PROJECT))

        def call() -> int:
            q = SdkRequest(
                method="GET",
                schema="http",
                host=host,
                resource_path=f"/v1/{PROJECT}/cloudservers/detail",
                query_params=[("limit", n)],
                header_params={"Content-Type": "application/json", "X-Project-Id": PROJECT},
                body=None,
                stream=False,
                signing_algorithm=None,
            )
            signer.sign(q)
            return len(self.session.get(q.url, headers=q.header_params).json()["servers"])

        return call

    def close(self) -> None:
        self.session.close()


class RequestsSdkSignerVcrpy(RequestsSdkSigner):
    """The same, replayed by vcrpy: what pytest-recording users have."""

    live = False

    def open(self, d: Path, n: int):
        import vcr

        path = d / f"vcrh-{n}.yaml"
        vcr_file(path, n)
        self.context = vcr.VCR(record_mode="none", match_on=("method", "host", "path", "query")).use_cassette(
            str(path), allow_playback_repeats=True
        )
        self.context.__enter__()
        self.base = CLOUD.replace("https", "http")
        return super().open(d, n)

    def close(self) -> None:
        super().close()
        self.context.__exit__(None, None, None)


def lean_auth(base: str):
    import proto

    signer, host = proto.LeanSigner(AK, SK), base.split("://")[1]

    def headers(n: int) -> dict[str, str]:
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        h = {"Content-Type": "application/json", "X-Project-Id": PROJECT, "X-Sdk-Date": date, "Host": host}
        h["Authorization"] = signer.sign("GET", f"/v1/{PROJECT}/cloudservers/detail", [("limit", n)], h, None, date)
        return h

    return headers


class RequestsLean(CallSubject):
    """LIMIT, live: requests without the environment's proxies + the lean signer."""

    live = True

    def open(self, d: Path, n: int):
        import requests

        self.session = requests.Session()
        self.session.trust_env = False
        auth = lean_auth(self.base)
        return lambda: len(self.session.get(url(self.base, n), headers=auth(n)).json()["servers"])

    def close(self) -> None:
        self.session.close()


class ReplayLean(CallSubject):
    """LIMIT, replay: the lean signer + a session that answers in its own send() from an index."""

    def open(self, d: Path, n: int):
        import proto

        item = {
            "method": "GET",
            "url": url(CLOUD, n),
            "status": 200,
            "reason": "OK",
            "headers": {"Content-Type": "application/json"},
            "body": loopback_server.detail(n).decode(),
        }
        path = d / f"lean-{n}.json"
        path.write_text(json.dumps({"interactions": [item]}))
        cassette = proto.IndexedCassette.whole(path)
        key = proto.key("GET", url(CLOUD, n))
        answer = cassette.index[key][0]

        def take(method: str, u: str):
            k = proto.key(method, u)
            return answer if k == key else cassette.index[k].popleft()

        cassette.take = take  # the same answer again and again
        self.session = proto.lean_session(cassette)
        auth = lean_auth(CLOUD)
        return lambda: len(self.session.get(url(CLOUD, n), headers=auth(n)).json()["servers"])


class HttpClient(CallSubject):
    """LIMIT, live: http.client on one connection + the lean signer + json."""

    live = True

    def open(self, d: Path, n: int):
        host = self.base.split("://")[1]
        self.conn = http.client.HTTPConnection(host)
        auth = lean_auth(self.base)
        path = url("", n)

        def call() -> int:
            self.conn.request("GET", path, headers=auth(n))
            return len(json.loads(self.conn.getresponse().read())["servers"])

        return call

    def close(self) -> None:
        self.conn.close()


class RawSocket(CallSubject):
    """PHYSICAL LIMIT, live: the same bytes over a socket and back, nothing built, nothing parsed."""

    live = True

    def open(self, d: Path, n: int):
        host, port = self.base.split("://")[1].split(":")
        self.sock = socket.create_connection((host, int(port)))
        self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        h = lean_auth(self.base)(n)
        ask = (
            f"GET {url('', n)} HTTP/1.1\r\n".encode()
            + b"".join(f"{k}: {v}\r\n".encode() for k, v in h.items())
            + b"\r\n"
        )
        size = len(loopback_server.answer("200 OK", loopback_server.detail(n)))
        buf = bytearray(size)

        def call() -> int:
            self.sock.sendall(ask)
            got = 0
            while got < size:
                got += self.sock.recv_into(memoryview(buf)[got:])
            return n

        return call

    def close(self) -> None:
        self.sock.close()


class JsonOnly(CallSubject):
    """PHYSICAL LIMIT, replay: json.loads of the answer."""

    def open(self, d: Path, n: int):
        body = loopback_server.detail(n)
        return lambda: len(json.loads(body)["servers"])


REGISTRY = {
    "live: SDK": Sdk,
    "live: requests + SDK signer": RequestsSdkSigner,
    "live limit: requests + lean": RequestsLean,
    "live limit: http.client + lean": HttpClient,
    "live limit: raw socket": RawSocket,
    "replay: SDK + vcrpy": SdkVcrpy,
    "replay: SDK + cassetter": SdkCassetter,
    "replay: SDK + cassetter (requests)": lambda: SdkCassetter(["requests"]),
    "replay: requests + SDK signer + vcrpy": RequestsSdkSignerVcrpy,
    "replay limit: SDK + canned adapter": SdkCanned,
    "replay limit: own send + lean signer": ReplayLean,
    "replay limit: json.loads": JsonOnly,
}


@contextlib.contextmanager
def running_server():
    proc = subprocess.Popen(
        [sys.executable, str(HERE / "loopback_server.py"), "--max-seconds", "600"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield f"http://127.0.0.1:{int(proc.stdout.readline())}"
    finally:
        proc.stdin.close()  # it ends by itself
        try:
            proc.wait(5)
        except subprocess.TimeoutExpired:
            proc.kill()


def measure(subjects: dict[str, CallSubject], d: Path, n: int, rounds: int, batch_s: float) -> dict[str, list[float]]:
    names = list(subjects)
    loops: dict[str, int] = {}
    out: dict[str, list[float]] = {k: [] for k in names}
    for r in range(-1, rounds):
        k = r % len(names)
        for name in names[k:] + names[:k]:
            call = subjects[name].open(d, n)
            try:
                assert call() == n, name
                if r < 0:
                    for _ in range(20):
                        call()
                    t = time.perf_counter()
                    for _ in range(20):
                        call()
                    loops[name] = max(5, int(batch_s * 20 / (time.perf_counter() - t)))
                    continue
                for _ in range(3):
                    call()
                gc.collect()
                gc.disable()
                m = loops[name]
                t = time.perf_counter()
                for _ in range(m):
                    call()
                out[name].append((time.perf_counter() - t) / m)
            finally:
                gc.enable()
                subjects[name].close()
    return out


def breakdown(base: str, d: Path, n: int, calls: int = 400) -> str:
    """Median microseconds of each stage of a call through the SDK, by wrapping its methods (not cProfile)."""
    rows = []
    for label, cls in (("live", Sdk), ("vcrpy", SdkVcrpy), ("canned adapter", SdkCanned)):
        s = cls()
        s.base = base
        call = s.open(d, n)
        client = s.client
        http = client.get_http_client()
        marks: dict[str, list[float]] = {}

        def wrap(obj, attr: str, key: str):
            real = getattr(obj, attr)

            def timed(*a, **k):
                t = time.perf_counter()
                try:
                    return real(*a, **k)
                finally:
                    marks.setdefault(key, []).append(time.perf_counter() - t)

            setattr(obj, attr, timed)

        for _ in range(30):
            call()
        creds = client.get_credentials()
        wrap(client, "_list_servers_details_http_info", "request model -> dict")
        wrap(creds, "sign_request", "sign (in a worker thread)")
        wrap(http._session, "get", "requests session.get")
        adapter = http._session.get_adapter(s.base)
        wrap(adapter, "send", "of which adapter.send")
        wrap(client, "sync_response_handler", "answer -> model objects")
        real_build = client.build_future_request

        class Waiting:
            def __init__(self, future, t):
                self.future, self.t = future, t

            def result(self):
                r = self.future.result()
                marks.setdefault("build + submit + wait for the thread", []).append(time.perf_counter() - self.t)
                return r

        def build(*a, **k):
            t = time.perf_counter()
            return Waiting(real_build(*a, **k), t)

        client.build_future_request = build
        total = []
        for _ in range(calls):
            t = time.perf_counter()
            call()
            total.append(time.perf_counter() - t)
        s.close()
        all_us = median(total) * 1e6
        rows.append([label, "whole call", sig(all_us), "100%"])
        for k, v in marks.items():
            rows.append([label, k, sig(median(v) * 1e6), f"{median(v) * 1e8 / all_us:.0f}%"])
    return table(["", f"stage ({n} servers)", "us (median)", "share"], rows)


def profile(base: str, d: Path, n: int, calls: int = 500) -> str:
    import cProfile
    import io
    import pstats

    out = []
    for label, cls in (("live", Sdk), ("vcrpy", SdkVcrpy)):
        s = cls()
        s.base = base
        call = s.open(d, n)
        for _ in range(20):
            call()
        pr = cProfile.Profile()
        pr.enable()
        for _ in range(calls):
            call()
        pr.disable()
        s.close()
        for order in ("tottime", "cumtime"):
            buf = io.StringIO()
            pstats.Stats(pr, stream=buf).strip_dirs().sort_stats(order).print_stats(28)
            out.append(
                f"SDK {label}, {n} servers, {calls} calls, main thread, by {order}\n```\n"
                + "\n".join(l for l in buf.getvalue().splitlines() if l.strip())
                + "\n```\n"
            )
    return "\n".join(out)


def main() -> None:
    ap = parser(__doc__, "bench7_call")
    ap.add_argument("--servers", default="1,10", help="how many servers an answer lists")
    ap.add_argument("--breakdown", action="store_true")
    ap.add_argument("--profile", action="store_true")
    args = ap.parse_args()
    if os.environ.get(f"BENCH_FILLER_{FILLERS - 1:02d}") is None:  # the environment is part of what is measured
        os.execve(sys.executable, [sys.executable, *sys.argv], pytest_env())
    sizes = [int(x) for x in args.servers.split(",")]
    rounds = 1 if args.quick else args.rounds or 7
    with workdir("call") as d, running_server() as base:
        if args.breakdown:
            print("\n\n".join(breakdown(base, d, n) for n in sizes))
            return
        if args.profile:
            print("\n".join(profile(base, d, n) for n in sizes))
            return
        registry = dict(REGISTRY)
        try:
            registry.update(plugin_subject.call())
        except Unavailable as why:
            if args.subject and any(s.startswith("hwcloud") for s in args.subject):
                sys.exit(f"subject hwcloud is not available: {why}")
            print(f"  (left out: hwcloud: {why})", file=sys.stderr)
        always = ("live: SDK", "replay: SDK + vcrpy", "live limit: raw socket", "replay limit: own send + lean signer")
        subjects = {}
        for name, make in registry.items():
            if not args.subject or name in always or any(s in name for s in args.subject):
                try:
                    subjects[name] = make()
                    subjects[name].base = base
                except Unavailable as why:
                    print(f"  (left out: {name}: {why})", file=sys.stderr)
        data = {
            "machine": machine(),
            "versions": versions(
                "huaweicloudsdkcore", "huaweicloudsdkecs", "vcrpy", "cassetter", "requests", "urllib3"
            ),
            "cells": {},
        }
        rows = []
        for n in sizes:
            for s in subjects.values():
                s.base = base
            t = measure(subjects, d, n, rounds, 0.02 if args.quick else 0.25)
            data["cells"][str(n)] = t
            for name, v in t.items():
                live = subjects[name].live
                peer = "live: SDK" if live else "replay: SDK + vcrpy"
                lim = "live limit: raw socket" if live else "replay limit: own send + lean signer"
                rows.append(
                    [n, name, sig(1 / median(v)), spread(v, 1e-6), sig(ratio(v, t[peer])), sig(ratio(v, t[lim]))]
                )
            print(f"  {n} servers done", file=sys.stderr)
    out = [
        "### 7. Whole calls",
        "",
        f"list_servers_details, {rounds} interleaved rounds; calls per second (median). Live ratios: to the SDK and to the raw socket; "
        "replay ratios: to the SDK through vcrpy and to the lean replay.",
        "",
        table(["servers", "subject", "calls/s", "us per call", "/ SDK peer", "/ limit"], rows),
    ]
    finish(args, data, "\n".join(out))


if __name__ == "__main__":
    main()
