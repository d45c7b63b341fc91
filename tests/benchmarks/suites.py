"""Generated pytest suites: n tests, each replaying one documented failure, in the way of each library.

The failure is API Gateway's APIGW.0301 (HTTP 401), the answer Huawei Cloud
gives when an AK/SK signature does not verify. Every subject's test number i
asks for a URL of its own with a fresh session, and checks the status and the
error code; only the way the answer comes about differs.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from common import has

PER_MODULE = 100
HOST = "https://ecs.ap-southeast-1.myhuaweicloud.com"
PROJECT = "0605767c80d5d5762fe0c0185a2c3f34"


def url(i: int) -> str:
    return f"{HOST}/v1/{PROJECT}/cloudservers/{i:08x}-9a4b-4b2b-b3a5-3b6a0c9d7f11"


def answer(i: int) -> dict:
    body = json.dumps(
        {
            "error_msg": "Incorrect IAM authentication information: verify aksk signature fail, AK:HST3WSYAMPLE00000000",
            "error_code": "APIGW.0301",
            "request_id": f"{i:032x}",
        }
    )
    return {
        "status": 401,
        "reason": "Unauthorized",
        "body": body,
        "headers": {
            "Date": "Fri, 21 Nov 2025 10:00:00 GMT",
            "Content-Type": "application/json",
            "Content-Length": str(len(body)),
            "Connection": "keep-alive",
            "Server": "api-gateway",
            "X-Request-Id": f"{i:032x}",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "SAMEORIGIN",
            "X-Download-Options": "noopen",
            "Strict-Transport-Security": "max-age=31536000; includeSubdomains;",
        },
    }


def request_headers() -> dict:
    return {
        "User-Agent": "python-requests/2.32",
        "Accept-Encoding": "gzip, deflate",
        "Accept": "*/*",
        "Connection": "keep-alive",
    }


CHECK = """\
    assert r.status_code == 401
    assert r.json()["error_code"] == "APIGW.0301"
"""


@dataclass
class Suite:
    """How one library runs the replay suite.

    test(i) is the source of test number i; header goes above the tests of a
    module; conftest is written once; files(root, i, module, name) writes what
    test i replays.
    """

    test: Callable[[int], str]
    header: str = "import requests\n"
    conftest: str = ""
    args: list[str] = field(default_factory=list)
    files: Callable[[Path, int, str, str], None] | None = None
    note: str = ""


def write_suite(root: Path, suite: Suite, n: int) -> None:
    (root / "pytest.ini").write_text("[pytest]\n")
    if suite.conftest:
        (root / "conftest.py").write_text(suite.conftest)
    for start in range(0, n, PER_MODULE):
        module = f"test_m{start // PER_MODULE:03d}"
        parts = [suite.header]
        for i in range(start, min(n, start + PER_MODULE)):
            parts.append(suite.test(i))
            if suite.files:
                suite.files(root, i, module, f"test_{i}")
        (root / f"{module}.py").write_text("\n\n".join(parts) + "\n")


# --------------------------------------------------------------------------- cassette writers
def vcr_interaction(i: int) -> dict:
    a = answer(i)
    return {
        "request": {
            "method": "GET",
            "uri": url(i),
            "body": None,
            "headers": {k: [v] for k, v in request_headers().items()},
        },
        "response": {
            "status": {"code": a["status"], "message": a["reason"]},
            "headers": {k: [v] for k, v in a["headers"].items()},
            "body": {"string": a["body"]},
        },
    }


def write_vcr_yaml(path: Path, interactions: list[dict]) -> None:
    import yaml

    dumper = getattr(yaml, "CDumper", yaml.Dumper)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(yaml.dump({"version": 1, "interactions": interactions}, Dumper=dumper))


def betamax_interaction(i: int) -> dict:
    a = answer(i)
    return {
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
            "body": {"encoding": "utf-8", "string": a["body"]},
        },
        "recorded_at": "2025-11-21T10:00:00",
    }


def plain(i: int) -> str:
    return f"def test_{i}():\n    r = requests.get({url(i)!r})\n{CHECK}"


# --------------------------------------------------------------------------- subjects
def trivial() -> Suite:
    return Suite(test=lambda i: f"def test_{i}():\n    pass\n", header="", note="no request at all")


def recording() -> Suite:
    has("pytest_recording")

    def files(root: Path, i: int, module: str, name: str) -> None:
        write_vcr_yaml(root / "cassettes" / module / f"{name}.yaml", [vcr_interaction(i)])

    return Suite(
        test=lambda i: "@pytest.mark.vcr\n" + plain(i),
        header="import pytest\nimport requests\n",
        args=["-p", "pytest_recording.plugin"],
        files=files,
    )


def pytest_vcr() -> Suite:
    has("pytest_vcr")

    def files(root: Path, i: int, module: str, name: str) -> None:
        write_vcr_yaml(root / "cassettes" / f"{name}.yaml", [vcr_interaction(i)])

    return Suite(
        test=lambda i: "@pytest.mark.vcr\n" + plain(i),
        header="import pytest\nimport requests\n",
        args=["-p", "pytest_vcr"],
        files=files,
    )


def raw_vcrpy(serializer: str = "yaml") -> Suite:
    has("vcr")

    def files(root: Path, i: int, module: str, name: str) -> None:
        path = root / "cassettes" / f"{name}.{serializer}"
        if serializer == "yaml":
            write_vcr_yaml(path, [vcr_interaction(i)])
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps({"version": 1, "interactions": [vcr_interaction(i)]}, indent=4) + "\n")

    def test(i: int) -> str:
        return (
            f"def test_{i}():\n    with VCR.use_cassette('test_{i}.{serializer}'):\n"
            f"        r = requests.get({url(i)!r})\n{CHECK}"
        )

    header = (
        "import pathlib\nimport requests\nimport vcr\nVCR = vcr.VCR(record_mode='none', serializer=%r, "
        "cassette_library_dir=str(pathlib.Path(__file__).parent / 'cassettes'))\n" % serializer
    )
    return Suite(test=test, header=header, files=files, note="context manager in the test, no plugin")


def betamax() -> Suite:
    has("betamax")

    def files(root: Path, i: int, module: str, name: str) -> None:
        path = root / "cassettes" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"http_interactions": [betamax_interaction(i)], "recorded_with": "betamax/0.9.0"}))

    def test(i: int) -> str:
        return (
            f"def test_{i}():\n    s = requests.Session()\n    with betamax.Betamax(s, cassette_library_dir=LIB)."
            f"use_cassette('test_{i}', record='none'):\n        r = s.get({url(i)!r})\n{CHECK}"
        )

    return Suite(
        test=test,
        header="import pathlib\nimport betamax\nimport requests\nLIB = str(pathlib.Path(__file__).parent / 'cassettes')\n",
        files=files,
        note="context manager, JSON cassettes",
    )


def responses() -> Suite:
    has("responses")

    def test(i: int) -> str:
        a = answer(i)
        return (
            f"@responses.activate\ndef test_{i}():\n    responses.add('GET', {url(i)!r}, body={a['body']!r}, status=401, "
            f"content_type='application/json')\n    r = requests.get({url(i)!r})\n{CHECK}"
        )

    return Suite(test=test, header="import requests\nimport responses\n", note="answers written in the test, no file")


def requests_mock() -> Suite:
    has("requests_mock")

    def test(i: int) -> str:
        a = answer(i)
        return (
            f"def test_{i}(requests_mock):\n    requests_mock.get({url(i)!r}, text={a['body']!r}, status_code=401)\n"
            f"    r = requests.get({url(i)!r})\n{CHECK}"
        )

    return Suite(
        test=test, args=["-p", "requests_mock.contrib._pytest_plugin"], note="answers written in the test, no file"
    )


def cassetter() -> Suite:
    has("cassetter")

    def files(root: Path, i: int, module: str, name: str) -> None:
        import cassetter as c

        a = answer(i)
        path = root / "cassettes" / module / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        rec = c.Cassette(path, record_mode=c.RecordMode.ALL)
        rec.load()
        rec.record(
            "GET",
            url(i),
            {k.lower(): [v] for k, v in request_headers().items()},
            None,
            a["status"],
            {k.lower(): [v] for k, v in a["headers"].items()},
            a["body"].encode(),
        )
        rec.save()

    return Suite(
        test=lambda i: "@pytest.mark.vcr\n" + plain(i),
        header="import pytest\nimport requests\n",
        args=["-p", "cassetter.pytest_plugin"],
        files=files,
    )


def cassetter_requests() -> Suite:
    s = cassetter()
    s.conftest = (
        "import pytest\n\n@pytest.fixture(scope='module')\ndef vcr_config():\n    return {'intercept': ['requests']}\n"
    )
    s.note = "intercept=['requests']: patches Session.send instead of urllib3"
    return s


NOOP_ADAPTER = """\
import requests
from requests.adapters import BaseAdapter
from requests.structures import CaseInsensitiveDict

class Canned(BaseAdapter):
    def __init__(self, status, headers, body):
        super().__init__()
        self.answer = status, headers, body
    def send(self, request, **kwargs):
        r = requests.Response()
        r.status_code, r.headers, r._content = self.answer[0], CaseInsensitiveDict(self.answer[1]), self.answer[2]
        r.request, r.url, r.encoding = request, request.url, "utf-8"
        return r
    def close(self):
        pass
"""


def noop_adapter() -> Suite:
    a = answer(0)
    head = "from conftest import Canned\nimport requests\n" + f"H = {a['headers']!r}\nB = {a['body'].encode()!r}\n"
    return Suite(
        test=lambda i: (
            f"def test_{i}():\n    s = requests.Session()\n    s.mount('https://', Canned(401, H, B))\n"
            f"    r = s.get({url(i)!r})\n{CHECK}"
        ),
        header=head,
        conftest=NOOP_ADAPTER,
        note="LIMIT: requests with an adapter that returns a constant",
    )


def noop_adapter_file() -> Suite:
    def files(root: Path, i: int, module: str, name: str) -> None:
        a = answer(i)
        path = root / "cassettes" / f"{name}.json"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(
            json.dumps(
                {
                    "interactions": [
                        {
                            "method": "GET",
                            "uri": url(i),
                            "status": a["status"],
                            "headers": a["headers"],
                            "body": a["body"],
                        }
                    ]
                }
            )
        )

    head = "import json, pathlib\nfrom conftest import Canned\nimport requests\nLIB = str(pathlib.Path(__file__).parent / 'cassettes')\n"

    def test(i: int) -> str:
        return (
            f"def test_{i}():\n    with open(LIB + '/test_{i}.json', 'rb') as f:\n        c = json.load(f)['interactions'][0]\n"
            f"    assert c['method'] == 'GET' and c['uri'] == {url(i)!r}\n"
            f"    s = requests.Session()\n    s.mount('https://', Canned(c['status'], c['headers'], c['body'].encode()))\n"
            f"    r = s.get({url(i)!r})\n{CHECK}"
        )

    return Suite(test=test, header=head, conftest=NOOP_ADAPTER, files=files, note="LIMIT + one JSON file read per test")


def noop_adapter_lean() -> Suite:
    s = noop_adapter()
    s.conftest += (
        "\nimport pytest\n@pytest.fixture(scope='session')\ndef lean():\n    s = requests.Session()\n    s.trust_env = False\n"
        f"    s.mount('https://', Canned(401, {answer(0)['headers']!r}, {answer(0)['body'].encode()!r}))\n    return s\n"
    )
    s.test = lambda i: f"def test_{i}(lean):\n    r = lean.get({url(i)!r})\n{CHECK}"
    s.header = ""
    s.note = "LIMIT with one session per run and trust_env=False"
    return s


def prototype() -> Suite:
    """LIMIT: what a plugin has to do and no more: a fixture that reads the test's own cassette and gives a fresh session which
    signs every request and answers from the cassette (proto.py)."""
    s = noop_adapter_file()
    here = str(Path(__file__).resolve().parent)
    s.conftest = f"""\
import sys, time
import pytest
sys.path.insert(0, {here!r})

@pytest.fixture(scope="session")
def _hw():
    import json
    import requests
    import proto
    from collections import deque
    signer = proto.LeanSigner("HST3WSYAMPLE00000000", "Zx4EXAMPLEexampleEXAMPLEexampleEXAMPLE00")

    def auth(r):
        head, _, query = r.url.partition("?")
        _, _, host, path = head.split("/", 3)
        date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime())
        r.headers["Host"], r.headers["X-Sdk-Date"] = host, date
        r.headers["Authorization"] = signer.sign(r.method, "/" + path, [], {{"Host": host, "X-Sdk-Date": date}}, r.body, date)
        return r

    def make(path):
        index = {{}}
        with open(path, "rb") as f:
            for i in json.load(f)["interactions"]:
                index.setdefault(proto.key(i["method"], i["uri"]), deque()).append({{**i, "reason": "Unauthorized"}})
        s = proto.lean_session(proto.IndexedCassette(index))
        s.auth = auth
        return s
    return make

@pytest.fixture
def hw(request, _hw):
    return _hw(f"{{request.node.path.parent}}/cassettes/{{request.node.name}}.json")
"""
    s.header = ""
    s.test = lambda i: f"def test_{i}(hw):\n    r = hw.get({url(i)!r})\n{CHECK}"
    s.note = "LIMIT: fixture + file + index + AK/SK signature + own send (proto.py)"
    return s


def hwcloud() -> Suite:
    import plugin_subject

    return plugin_subject.suite()


REGISTRY: dict[str, Callable[[], Suite]] = {
    "trivial": trivial,
    "pytest-recording": recording,
    "pytest-vcr": pytest_vcr,
    "vcrpy (yaml)": raw_vcrpy,
    "vcrpy (json)": lambda: raw_vcrpy("json"),
    "betamax": betamax,
    "cassetter": cassetter,
    "cassetter (requests)": cassetter_requests,
    "responses": responses,
    "requests-mock": requests_mock,
    "limit: canned adapter": noop_adapter,
    "limit: canned + JSON file": noop_adapter_file,
    "limit: canned, one lean session": noop_adapter_lean,
    "limit: prototype, signed": prototype,
    "hwcloud": hwcloud,
}
