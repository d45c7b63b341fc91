"""Libraries that keep many interactions in one cassette, behind one interface (used by bench3_cassette.py).

spec(i) is interaction number i: a GET of a URL of its own with a query, answered with a JSON body of about 1 KB.
"""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

from common import has
from suites import HOST, PROJECT, request_headers

HEADERS = {
    "Date": "Fri, 21 Nov 2025 10:00:00 GMT",
    "Content-Type": "application/json",
    "Connection": "keep-alive",
    "Server": "api-gateway",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "SAMEORIGIN",
}


def url(i: int) -> str:
    return f"{HOST}/v1/{PROJECT}/cloudservers/detail?limit=100&offset={i}&status=ACTIVE"


def body(i: int) -> str:
    return json.dumps(
        {
            "count": 1,
            "request_id": f"{i:032x}",
            "servers": [
                {
                    "id": f"{i:08x}-9a4b-4b2b-b3a5-3b6a0c9d7f11",
                    "name": f"ecs-{i:06d}",
                    "status": "ACTIVE",
                    "tenant_id": PROJECT,
                    "created": "2025-11-20T09:00:00Z",
                    "updated": "2025-11-21T09:00:00Z",
                    "key_name": None,
                    "flavor": {"id": "s6.small.1", "name": "s6.small.1", "vcpus": "1", "ram": "1024", "disk": "0"},
                    "addresses": {
                        "vpc": [
                            {
                                "addr": "192.168.0.%d" % (i % 250),
                                "version": "4",
                                "OS-EXT-IPS-MAC:mac_addr": "fa:16:3e:aa:bb:cc",
                                "OS-EXT-IPS:type": "fixed",
                            }
                        ]
                    },
                    "metadata": {
                        "charging_mode": "0",
                        "vpc_id": "3dda7d4b-aec0-4838-a91a-28ab1fd30542",
                        "image_name": "Ubuntu 22.04 server 64bit",
                        "os_bit": "64",
                    },
                    "OS-EXT-AZ:availability_zone": "ap-southeast-1a",
                    "OS-EXT-STS:vm_state": "active",
                    "OS-EXT-STS:power_state": 1,
                    "tags": [f"bench.number={i}"],
                    "description": "\u6d4b\u8bd5 server number %d" % i,
                }
            ],
        },
        ensure_ascii=False,
    )


def answer(i: int) -> dict[str, Any]:
    b = body(i).encode()
    return {
        "status": 200,
        "reason": "OK",
        "headers": {**HEADERS, "X-Request-Id": f"{i:032x}", "Content-Length": str(len(b))},
        "body": b,
    }


class CassetteSubject:
    """One library. Each method may be called in a fresh process.

    save(path, n)     make n interactions in memory (untimed), write them; return the seconds of the write alone
    load(path)        from a file to a cassette that is ready to answer; returned object is kept alive
    open(loaded)      -> session to send with; close() undoes it (patches, adapters)
    """

    suffix = ".yaml"
    note = ""

    def save(self, path: Path, n: int) -> float:
        raise NotImplementedError

    def load(self, path: Path) -> Any:
        raise NotImplementedError

    def open(self, loaded: Any, path: Path):
        raise NotImplementedError

    def close(self) -> None:
        pass


class Vcrpy(CassetteSubject):
    def __init__(self, serializer: str = "yaml") -> None:
        has("vcr")
        self.suffix = "." + serializer
        self.serializer = serializer

    def _vcr(self):
        import vcr

        return vcr.VCR(record_mode="none", serializer=self.serializer)

    def save(self, path: Path, n: int) -> float:
        from vcr.cassette import Cassette
        from vcr.request import Request

        config = self._vcr().get_merged_config(path=str(path))
        keep = ("serializer", "persister", "match_on", "before_record_request", "before_record_response")
        c = Cassette(path=str(path), **{k: config[k] for k in keep})
        for i in range(n):
            a = answer(i)
            c.append(
                Request("GET", url(i), None, request_headers()),
                {
                    "status": {"code": a["status"], "message": a["reason"]},
                    "headers": {k: [v] for k, v in a["headers"].items()},
                    "body": {"string": a["body"]},
                },
            )
        t = time.perf_counter()
        c._save(force=True)
        return time.perf_counter() - t

    def load(self, path: Path) -> Any:
        self.context = self._vcr().use_cassette(str(path))
        return self.context.__enter__()  # loads and patches

    def open(self, loaded: Any, path: Path):
        import requests

        return requests.Session()

    def close(self) -> None:
        self.context.__exit__(None, None, None)


class Betamax(CassetteSubject):
    suffix = ".json"

    def __init__(self) -> None:
        has("betamax")

    def save(self, path: Path, n: int) -> float:
        from betamax.cassette import Cassette
        from betamax.cassette.interaction import Interaction

        path.unlink(missing_ok=True)  # it would load what is there and add to it
        c = Cassette(path.stem, "json", cassette_library_dir=str(path.parent), record_mode="all")
        for i in range(n):
            a = answer(i)
            c.interactions.append(
                Interaction(
                    {
                        "request": {
                            "method": "GET",
                            "uri": url(i),
                            "body": {"encoding": "utf-8", "string": ""},
                            "headers": {k: [v] for k, v in request_headers().items()},
                        },
                        "response": {
                            "status": {"code": a["status"], "message": a["reason"]},
                            "url": url(i),
                            "headers": {k: [v] for k, v in a["headers"].items()},
                            "body": {"encoding": "utf-8", "string": a["body"].decode()},
                        },
                        "recorded_at": "2025-11-21T10:00:00",
                    }
                )
            )
        t = time.perf_counter()
        c._save_cassette()
        return time.perf_counter() - t

    def load(self, path: Path) -> Any:
        import betamax
        import requests

        self.session = requests.Session()
        self.recorder = betamax.Betamax(self.session, cassette_library_dir=str(path.parent)).use_cassette(
            path.stem, record="none"
        )
        return self.recorder.current_cassette

    def open(self, loaded: Any, path: Path):
        self.recorder.start()
        return self.session

    def close(self) -> None:
        self.recorder.stop()


class Cassetter(CassetteSubject):
    def __init__(self, intercept: list[str] | None = None, suffix: str = ".yaml") -> None:
        has("cassetter")
        self.intercept, self.suffix = intercept, suffix

    def save(self, path: Path, n: int) -> float:
        import cassetter

        c = cassetter.Cassette(path, record_mode=cassetter.RecordMode.ALL)
        c.load()
        for i in range(n):
            a = answer(i)
            c.record(
                "GET",
                url(i),
                {k.lower(): [v] for k, v in request_headers().items()},
                None,
                a["status"],
                {k.lower(): [v] for k, v in a["headers"].items()},
                a["body"],
            )
        t = time.perf_counter()
        c.save()
        return time.perf_counter() - t

    def load(self, path: Path) -> Any:
        import cassetter

        self.context = cassetter.use_cassette(path, record_mode="none", intercept=self.intercept)
        return self.context.__enter__()

    def open(self, loaded: Any, path: Path):
        import requests

        return requests.Session()

    def close(self) -> None:
        self.context.__exit__(None, None, None)


class Responses(CassetteSubject):
    suffix = ".none"
    note = "registered in memory, no file"

    def __init__(self) -> None:
        has("responses")

    def save(self, path: Path, n: int) -> float:
        path.write_text(str(n))
        return float("nan")

    def load(self, path: Path) -> Any:
        import responses

        r = responses.RequestsMock(assert_all_requests_are_fired=False)
        for i in range(int(path.read_text())):
            a = answer(i)
            r.add("GET", url(i), body=a["body"], status=a["status"], content_type="application/json")
        self.mock = r
        return r

    def open(self, loaded: Any, path: Path):
        import requests

        self.mock.start()
        return requests.Session()

    def close(self) -> None:
        self.mock.stop(allow_assert=False)


class Indexed(CassetteSubject):
    """LIMIT: one JSON file parsed whole, a dict from (method, URL) to its answers, an adapter of the session."""

    suffix = ".json"

    def save(self, path: Path, n: int) -> float:
        data = {"interactions": [{"method": "GET", "url": url(i), **answer(i), "body": body(i)} for i in range(n)]}
        t = time.perf_counter()
        path.write_text(json.dumps(data, ensure_ascii=False))
        return time.perf_counter() - t

    def load(self, path: Path) -> Any:
        import proto

        return proto.IndexedCassette.whole(path)

    def open(self, loaded: Any, path: Path):
        import proto

        return proto.session(loaded)


class IndexedLean(Indexed):
    """LIMIT: the same cassette, answered in the session's own send(), without the environment's proxies."""

    def open(self, loaded: Any, path: Path):
        import proto

        return proto.lean_session(loaded)


class Lazy(Indexed):
    """LIMIT: a sidecar with one index line and one JSON document per interaction, parsed only when it is asked for."""

    suffix = ".jsonl"

    def save(self, path: Path, n: int) -> float:
        import proto

        items = [{"method": "GET", "url": url(i), **answer(i), "body": body(i)} for i in range(n)]
        t = time.perf_counter()
        proto.write_sidecar(path, items)
        return time.perf_counter() - t

    def load(self, path: Path) -> Any:
        import proto

        return proto.IndexedCassette.lazy(path)

    def open(self, loaded: Any, path: Path):
        import proto

        return proto.lean_session(loaded)


def hwcloud() -> CassetteSubject:
    import plugin_subject

    return plugin_subject.cassette()


REGISTRY = {
    "vcrpy (yaml)": lambda: Vcrpy("yaml"),
    "vcrpy (json)": lambda: Vcrpy("json"),
    "betamax": Betamax,
    "cassetter": Cassetter,
    "cassetter (requests)": lambda: Cassetter(["requests"]),
    "cassetter (requests, toml)": lambda: Cassetter(["requests"], ".toml"),
    "responses": Responses,
    "limit: JSON + dict": Indexed,
    "limit: JSON + dict, own send": IndexedLean,
    "limit: lazy sidecar, own send": Lazy,
    "hwcloud": hwcloud,
}
