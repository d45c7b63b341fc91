"""No secret of any kind, in any encoding and any place of a call, is in any file below a project that recorded it.

A suite of a user runs in pytest against the loopback cloud, with real keys and with every kind of client; every file is
read afterwards, caches and JUnit included. The suite reads the secrets from outside of the project, so that none is
there to begin with. Each kind has values of its own, so that it is not hidden by what another one gave away.
"""

from __future__ import annotations

import base64
import gzip
import html
import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote, unquote

import pytest
from clean_answers import clean_answers
from loopback.cloud import REAL, Cloud
from loopback.conftest import secrets_of
from planted_secrets import packed, planted, unpacked, values_of
from secret_cases import ACCESS_KEY, CASES, HOOK, LETTERS, SECRET, TOKEN, clean_forms

from pytest_hwcloud.cassettes.request_key import digest
from pytest_hwcloud.cassettes.tape import Tape

LAYERS: tuple[Callable[[str], str], ...] = (
    lambda text: quote(text, safe=""),
    lambda text: base64.b64encode(text.encode()).decode(),
    lambda text: json.dumps({"a": json.dumps({"b": text})}),
    lambda text: base64.b64encode(gzip.compress(text.encode())).decode(),
)
CLIENTS = ("session", "requests", "httpx", "aiohttp")
SUITE = """
import asyncio, base64, json, os, pathlib, ssl
import httpx, requests
import pytest
from pytest_hwcloud import AkSkAuth
from pytest_hwcloud.cloud.signing.algorithms import sign

SHARES = json.loads(pathlib.Path(os.environ["CASES_OUTSIDE"]).read_text())
TEXT, JSON = {"Content-Type": "text/plain"}, {"Content-Type": "application/json"}

def calls(client):
    for number, (raw, layered) in enumerate(SHARES.get(client, [])):
        raw = base64.b64decode(raw)
        yield "POST", "raw", raw, TEXT, None
        if layered is not None:
            yield "POST", "json", json.dumps({"note": layered, "list": [layered]}).encode(), JSON, None
        if number % 3 == 0 and layered is not None:
            yield "GET", "query", b"", {}, raw.decode()

@pytest.fixture
def url(hwcloud):
    return hwcloud.url("ecs", "/v1/{project_id}/echo/")

@pytest.fixture
def keys(hwcloud):
    found = hwcloud.credentials()
    return {"ak": found.ak, "sk": found.sk}

def test_session(url, hwcloud_session):
    for method, path, body, headers, note in calls("session"):
        hwcloud_session.request(method, url + path, data=body or None, headers=headers, params=note and {"note": note})

def test_requests(url, keys):
    auth = AkSkAuth(keys["ak"], keys["sk"])
    with requests.Session() as session:
        for method, path, body, headers, note in calls("requests"):
            query = note and {"note": note}
            session.request(method, url + path, data=body or None, headers=headers, params=query, auth=auth)

def test_httpx(url, keys):
    with httpx.Client() as client:
        for method, path, body, headers, note in calls("httpx"):
            asked = str(httpx.URL(url + path, params={"note": note} if note else None))
            client.request(method, asked, content=body, headers=sign(method, asked, dict(headers), body, **keys))

def test_aiohttp(url, keys):
    import aiohttp
    async def all_of_them():
        context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        async with aiohttp.ClientSession() as session:
            for method, path, body, headers, _ in calls("aiohttp"):
                signed = sign(method, url + path, dict(headers), body, **keys)
                async with session.request(method, url + path, data=body, headers=signed, ssl=context) as answer:
                    await answer.read()
    asyncio.run(all_of_them())

def test_sdk(url, keys):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.http.http_config import HttpConfig
    from huaweicloudsdkecs.v2 import CreateServersRequest, CreateServersRequestBody, EcsClient, PrePaidServer
    config = HttpConfig.get_default_config()
    config.ssl_ca_cert = os.environ["SSL_CERT_FILE"]
    credentials = BasicCredentials(keys["ak"], keys["sk"], url.split("/")[4])
    builder = EcsClient.new_builder().with_http_config(config).with_credentials(credentials)
    client = builder.with_endpoints([url.partition("/v1/")[0]]).build()
    for raw, _ in SHARES.get("sdk", []):
        value = base64.b64decode(raw).decode()
        server = PrePaidServer(name="web", admin_pass=value, user_data=base64.b64encode(value.encode()).decode(),
                               description="root:" + value, image_ref="i", flavor_ref="f", vpcid="v",
                               nics=[], root_volume=None)
        client.create_servers(CreateServersRequest(body=CreateServersRequestBody(server=server)))
"""


@pytest.fixture
def own_cloud(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("own-cloud")) as cloud:
        cloud.reachable(monkeypatch)
        yield cloud


def echoing(cloud: Cloud) -> None:
    """Whatever is sent comes back, in a body and in a header, and firewalls set their cookies."""
    for name in ("json", "raw"):
        cloud.answers[f"POST /v1/{{id}}/echo/{name}"] = lambda request: (
            200,
            request.body,
            {
                "Content-Type": request.headers.get("content-type", ""),
                "Location": f"https://x/y?next={quote(request.body)}" if len(request.body) < 900 else "/",
                "Set-Cookie": "HWWAFSESID=8f7e6d5c4b3a291807; path=/",
            },
        )
    cloud.answers["GET /v1/{id}/echo/query"] = lambda request: (
        200,
        {"asked": unquote(request.url.partition("=")[2])},
        {},
    )
    cloud.answers["POST /v1.1/{id}/cloudservers"] = lambda request: (
        200,
        {"job_id": "ff80", "log": f"created with {request.body.decode()}"},
        {},
    )


def opened(text: str) -> set[str]:
    """Every layer of a text, without any code of the package."""
    seen: set[str] = set()
    layers = {text}
    for _ in range(4):
        grown = set()
        for layer in layers - seen:
            seen.add(layer)
            grown |= {unquote(layer), html.unescape(layer)}
            grown.add(layer.replace('\\"', '"').replace("\\\\", "\\").replace("\\n", "\n"))
            for run in re.findall(r"[A-Za-z0-9+/]{12,}={0,2}", layer):
                try:
                    raw = base64.b64decode(run + "=" * (-len(run) % 4))
                    grown.add((gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw).decode())
                except (ValueError, OSError, EOFError):
                    continue
        layers = grown
    return seen


def files_of(pytester: pytest.Pytester) -> dict[str, str]:
    found = (path for path in Path(pytester.path).rglob("*") if path.is_file())
    return {path.relative_to(pytester.path).as_posix(): path.read_bytes().decode("latin-1") for path in found}


Shares = dict[str, list[tuple[str, str | None]]]


def record(
    pytester: pytest.Pytester, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, outside: Path, shares: Shares
) -> pytest.RunResult:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    outside.write_text(json.dumps(shares))
    monkeypatch.setenv("CASES_OUTSIDE", str(outside))
    echoing(cloud)
    cloud.give_credentials(monkeypatch)
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(test_suite=SUITE)
    return pytester.runpytest_inprocess("-p", "hwcloud", "--hwcloud-mode=record", "--junitxml=junit.xml", "-q")


def written(body: bytes) -> str:
    return base64.b64encode(body).decode()


def kinds() -> tuple[Shares, list[str]]:
    """All kinds, shared among the clients, each with values of its own; and these values."""
    texts: list[str] = []
    values: list[str] = [ACCESS_KEY]
    for number, text in enumerate(CASES.values()):
        own = (
            f"Zk7!pQ{number:03}w9xT2m",
            f"a8Fh3k{number:03}q9ZxV2bN7",
            f"{HOOK[:-3]}{number:03x}",
            f"Qz4vRk{number:03}Nd",
        )
        for old, new in zip((SECRET, TOKEN, HOOK, LETTERS), own, strict=True):
            text = text.replace(old, new)
        texts.append(text)
        values += [*own, SECRET, TOKEN]
    for number, kind in enumerate(planted(0)):
        texts.append(planted(number)[kind])
        values += values_of(number)
    shares: Shares = {client: [] for client in (*CLIENTS, "sdk")}
    for number, text in enumerate(texts):
        layer = LAYERS[number // len(CLIENTS) % len(LAYERS)]
        layered = layer(text) if number % 3 else None  # tests/unit/test_secret_rules.py has every layer of every kind
        shares[CLIENTS[number % len(CLIENTS)]].append((written(text.encode()), layered))
    for number in (901, 902, 903):
        shares["sdk"].append((written(values_of(number)[0].encode()), None))
        values += values_of(number)
    return shares, list(dict.fromkeys(values))


def test_no_kind_in_no_encoding_is_in_any_file(
    pytester: pytest.Pytester,
    own_cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    shares, values = kinds()
    for number, body in enumerate(packed(900).values()):
        shares[CLIENTS[number]].append((written(body), None))
    result = record(pytester, own_cloud, monkeypatch, tmp_path_factory.mktemp("outside") / "cases.json", shares)
    result.assert_outcomes(passed=5)
    posts = sum(2 if layered else 1 for client in CLIENTS for _, layered in shares[client])
    cookies = f"hwcloud: {posts} cookies of web firewalls and load balancers were not recorded"
    assert result.stdout.str().count(cookies) == 1
    found = files_of(pytester)
    assert sum(name.endswith(".yaml") for name in found) == 5
    assert not any("HWWAFSES" in text for text in found.values())
    keys = [secret for secret in secrets_of(REAL) if secret != REAL.user]
    leaks = []
    for name, text in found.items():
        layers = "\n".join(opened(text))
        leaks += [(name, secret) for secret in (*values, *keys) if secret in layers]
    assert leaks == []
    archives = 0
    for client in CLIENTS[:3]:
        tape = Tape.load(Path(pytester.path) / "cassettes" / "test_suite" / f"test_{client}.yaml")
        texts = [text for text in unpacked(tape[len(tape) - 1].body) if "***" in text]
        archives += len(texts)
        assert not any(value in text for text in texts for value in values_of(900))
    assert archives == 3


def test_clean_answers_are_recorded_as_they_came(
    pytester: pytest.Pytester,
    own_cloud: Cloud,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    forms = [*clean_forms().values(), *clean_answers().values()]
    shares: Shares = {"session": [(written(text.encode()), None) for text in forms]}
    result = record(pytester, own_cloud, monkeypatch, tmp_path_factory.mktemp("outside") / "cases.json", shares)
    result.assert_outcomes(passed=5)
    tape = Tape.load(Path(pytester.path) / "cassettes" / "test_suite" / "test_session.yaml")
    answers = [tape[at].answer for at in range(len(tape))]
    assert len(answers) == len(forms)
    assert [digest(answer.body) for answer in answers if answer] == [digest(text.encode()) for text in forms]
