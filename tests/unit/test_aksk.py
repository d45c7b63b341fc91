"""AkSkAuth: what arrives at a server was signed as it arrived."""

from __future__ import annotations

import io
import string
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import parse_qs, parse_qsl, quote, urlsplit

import pytest
import requests
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import Signer
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud import AkSkAuth
from pytest_hwcloud.cloud.identity import UnknownName
from pytest_hwcloud.cloud.signing.canonical import as_signed
from pytest_hwcloud.cloud.signing.verification import SignatureCheck, verify
from pytest_hwcloud.cloud.tokens import Scope, Token
from pytest_hwcloud.cloud.wire import Request

SK = "s%k'\"\\ $é华"
AUTH = AkSkAuth("ACCESSKEYEXAMPLE0001", SK, project_id="p1")
URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/p/cloudservers/detail"
DATE = "20240102T030405Z"


class Gateway(ThreadingHTTPServer):
    """A strict server: keeps each request and what the verifier says about it. /to/CODE?to=URL answers a redirect."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Door)
        self.seen: list[tuple[Request, SignatureCheck]] = []
        self.url = f"http://127.0.0.1:{self.server_port}"

    @property
    def reasons(self) -> list[str]:
        return [check.reason for _, check in self.seen]


class Door(BaseHTTPRequestHandler):
    server: Gateway

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        headers = {name.lower(): value for name, value in self.headers.items()}
        host = headers["host"]
        request = Request(self.command, f"http://{host}{self.path}", headers, body)
        check = verify(request, secret={AUTH.ak: SK}.get, now=datetime.now(UTC))
        self.server.seen.append((request, check))
        redirect = self.path.startswith("/to/")
        self.send_response(int(self.path[4:7]) if redirect else 200)
        if redirect:
            self.send_header("Location", parse_qs(urlsplit(self.path).query)["to"][0])
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def log_message(self, *_: object) -> None:
        pass


def to(code: int, url: str) -> str:
    return f"/to/{code}?to={quote(url, safe='')}"


@pytest.fixture
def gateway(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gateway]:
    monkeypatch.setenv("NO_PROXY", "*")
    with Gateway() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def prepared(method: str = "GET", url: str = URL, **given: object) -> requests.PreparedRequest:
    return requests.Request(method, url, auth=given.pop("auth", AUTH), **given).prepare()


def by_the_sdk(request: requests.PreparedRequest, auth_header: str) -> str:
    """What the SDK's signer makes of the same request, with the headers that were signed."""
    names = auth_header.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    url = urlsplit(request.url)
    headers = {n.title(): request.headers.get(n, url.netloc).encode("latin-1").decode() for n in names}
    theirs = SdkRequest(
        method=request.method, schema="https", host=url.netloc, resource_path=url.path or "/",
        query_params=parse_qsl(url.query, keep_blank_values=True), header_params=headers, body=request.body,
        signing_algorithm=None, stream=False,
    )  # fmt: skip
    signed = Signer(SimpleNamespace(ak=AUTH.ak, sk=SK)).sign(theirs)
    assert (signed.uri.partition("?")[2]) == url.query
    return str(signed.header_params["Authorization"])


word = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=8) | st.text("aA1-_.~ +/%&=", max_size=8)
segment = st.text(string.ascii_letters + string.digits + "-_~:@!$ +é", min_size=1, max_size=8)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    method=st.sampled_from(["GET", "POST", "PUT", "DELETE"]),
    path=st.lists(segment, max_size=4),
    params=st.lists(st.tuples(word, word), max_size=6),
    payload=st.sampled_from([{}, {"json": {"a": "é"}}, {"data": {"a": "b c"}}, {"data": b"\x00\xff"}, {"data": "té"}]),
    operator=word.map(str.strip).filter(lambda text: as_signed(text) == text),
)
def test_any_prepared_request_is_signed_as_the_sdk_signs_it(method, path, params, payload, operator) -> None:
    url = "https://ecs.example.com:8443/" + "/".join(path)
    request = prepared(method, url, params=params, headers={"X-Operator": operator}, **payload)
    assert request.headers["Authorization"] == by_the_sdk(request, request.headers["Authorization"])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(path=st.lists(segment, max_size=3), params=st.lists(st.tuples(word, word), max_size=5))
def test_any_prepared_request_verifies(path, params) -> None:
    request = prepared("GET", URL + "/" + "/".join(path), params=params)
    headers = {name.lower(): value for name, value in request.headers.items()}
    assert verify(Request("GET", request.url, headers), secret={AUTH.ak: SK}.get, now=datetime.now(UTC)).ok


CALLS = {
    "query of requests": {"params": [("b", "2 x"), ("a", "1+1"), ("a", "0"), ("e", ""), ("é", "ü")]},
    "bare name": {"path": "/v1?acl&b"},
    "odd path": {"path": "/v1/a:b@c/my server/%2F/é/./x/../y"},
    "fragment": {"path": "/v1?b=1&a=2#part"},
    "json": {"method": "POST", "json": {"name": "华为云"}},
    "text": {"method": "POST", "data": "é", "headers": {"Content-Type": "application/json"}},
    "form": {"method": "POST", "data": {"a": "b c"}},
    "file": {"method": "POST", "files": {"f": b"\x00\x01"}},
    "bytes": {"method": "PUT", "data": b"\x00\xff"},
    "stream": {"method": "PUT", "data": io.BytesIO(b"not read twice")},
    "delete": {"method": "DELETE"},
    "cookie": {"cookies": {"c": "1"}},
    "header of utf-8": {"headers": {"X-Operator": "张三".encode()}},
    "header of latin-1": {"headers": {"X-Operator": "é"}},
    "header with blanks": {"headers": {"X-Operator": "a   b "}},
    "own host": {"headers": {"Host": "ecs.cn-north-4.myhuaweicloud.com"}},
    "lower-case content type": {"method": "POST", "data": "hi", "headers": {"content-type": "text/plain"}},
}


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_what_arrives_was_signed_so(call: dict, gateway: Gateway) -> None:
    given_call = dict(call)
    method, path = given_call.pop("method", "GET"), given_call.pop("path", "/v1/p")
    with requests.Session() as session:
        session.request(method, gateway.url + path, auth=AUTH, **given_call)
    assert gateway.reasons == [""]


def test_the_query_goes_out_as_signed() -> None:
    assert prepared(params=[("b", "x y"), ("a", "2"), ("a", "1")]).url == URL + "?a=1&a=2&b=x%20y"


def test_headers_of_a_signed_request() -> None:
    auth = AkSkAuth("AK", "SK", project_id="p", domain_id="d", security_token="t")
    request = prepared(auth=auth, headers={"X-Sdk-Date": DATE, "X_Custom": "1", "Accept": "*/*"})
    assert dict(request.headers) == {
        "X-Sdk-Date": DATE,
        "X_Custom": "1",
        "Accept": "*/*",
        "X-Project-Id": "p",
        "X-Domain-Id": "d",
        "X-Security-Token": "t",
        "Authorization": request.headers["Authorization"],
    }
    signed = request.headers["Authorization"].split(", ")[1]
    assert signed == "SignedHeaders=host;x-domain-id;x-project-id;x-sdk-date;x-security-token"


def test_headers_of_the_call_win_but_not_over_the_token_of_the_keys() -> None:
    auth = AkSkAuth("AK", "SK", project_id="p", security_token="t")
    request = prepared(auth=auth, headers={"x-project-id": "other", "X-Security-Token": "other"})
    assert request.headers["X-Project-Id"] == "other"
    assert request.headers["X-Security-Token"] == "t"


@pytest.mark.parametrize(("algorithm", "name"), [("SDK-HMAC-SHA256", "Sha256"), ("SDK-HMAC-SM3", "Sm3")])
def test_bodies_that_are_not_json_are_opted_out(algorithm: str, name: str) -> None:
    auth = AkSkAuth("AK", "SK", algorithm=algorithm)
    assert prepared("POST", auth=auth, data={"a": "1"}).headers[f"X-Sdk-Content-{name}"] == "UNSIGNED-PAYLOAD"
    assert f"X-Sdk-Content-{name}" not in prepared("POST", auth=auth, json={}).headers
    stream = prepared("POST", auth=auth, data=iter([b"a"]))
    assert stream.headers[f"X-Sdk-Content-{name}"] == "UNSIGNED-PAYLOAD"


def test_v11_of_a_known_host_and_of_another() -> None:
    known = prepared(auth=AkSkAuth("AK", "SK", algorithm="V11-HMAC-SHA256"), headers={"X-Sdk-Date": DATE})
    assert " Credential=AK/20240102/cn-north-4/ecs, " in known.headers["Authorization"]
    auth = AkSkAuth("AK", "SK", algorithm="V11-HMAC-SHA256", region="r", service="s")
    other = prepared(url="https://example.com/", auth=auth, headers={"X-Sdk-Date": DATE})
    assert " Credential=AK/20240102/r/s, " in other.headers["Authorization"]


def test_signing_again_renews_the_date_and_adds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time", lambda: 1_704_164_645)
    request = prepared("POST", json={})
    before, hooks = dict(request.headers), len(request.hooks["response"])
    assert dict(AUTH(request).headers) == before
    monkeypatch.setattr("time.time", lambda: 1_704_164_646)
    after = dict(AUTH(request).headers)
    assert after.keys() == before.keys()
    assert (before["X-Sdk-Date"], after["X-Sdk-Date"]) == ("20240102T030405Z", "20240102T030406Z")
    assert after["Authorization"] != before["Authorization"]
    assert len(request.hooks["response"]) == hooks


def test_a_header_that_is_no_ascii_is_sent_once_encoded() -> None:
    request = prepared(headers={"X-Operator": "é", "X-Sdk-Date": DATE})
    assert request.headers["X-Operator"] == "Ã©"
    assert AUTH(request).headers["X-Operator"] == "Ã©"


def test_repr_shows_no_key() -> None:
    text = repr(AkSkAuth("ACCESSKEYEXAMPLE0001", "secret", security_token="token", project_id="p1"))
    assert text == "AkSkAuth(ak='ACCE…', sk='…', project_id='p1', algorithm='SDK-HMAC-SHA256')"
    assert repr(AkSkAuth("SHORT", "secret")) == (
        "AkSkAuth(ak='…', sk='…', project_id=None, algorithm='SDK-HMAC-SHA256')"
    )


def test_wrong_use() -> None:
    with pytest.raises(ValueError, match=r"^the SK is missing: a non-empty text is expected$"):
        AkSkAuth("AK", "")
    with pytest.raises(ValueError, match=r"^the AK is missing or not a key"):
        AkSkAuth(None, "SK")  # type: ignore[arg-type]
    with pytest.raises(UnknownName, match="did you mean 'SDK-HMAC-SM3'"):
        AkSkAuth("AK", "SK", algorithm="SDK-HMAC-SM")


def test_netrc_does_not_replace_the_signature(
    gateway: Gateway, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login user password word\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    with requests.Session() as session:
        session.get(gateway.url)
        session.auth = AUTH
        session.get(gateway.url)
        session.get(gateway.url, auth=AkSkAuth(AUTH.ak, SK))
    assert [r.headers["authorization"].split()[0] for r, _ in gateway.seen] == ["Basic"] + ["SDK-HMAC-SHA256"] * 2
    assert gateway.reasons == ["malformed", "", ""]


@pytest.mark.parametrize("code", [301, 302, 303, 307, 308])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_redirect_to_the_same_host_is_signed_anew(code: int, method: str, gateway: Gateway) -> None:
    with requests.Session() as session:
        answer = session.request(method, gateway.url + to(code, "/v2/%C3%A9?b=2+x&a=1"), auth=AUTH, json={"a": 1})
    assert gateway.reasons == ["", ""]
    assert gateway.seen[1][0].url == gateway.url + "/v2/%C3%A9?b=2+x&a=1"
    assert answer.history[0].request.headers["Authorization"] != answer.request.headers["Authorization"]
    assert answer.history[0].request.headers["Authorization"] == gateway.seen[0][0].headers["authorization"]


def test_a_chain_of_redirects(gateway: Gateway) -> None:
    with requests.Session() as session:
        session.auth = AUTH
        session.get(gateway.url + to(302, to(307, to(301, "/end"))))
    assert gateway.reasons == ["", "", "", ""]


def test_a_redirect_that_the_caller_follows(gateway: Gateway) -> None:
    with requests.Session() as session:
        answer = session.get(gateway.url + to(302, "/end"), auth=AUTH, allow_redirects=False)
        assert answer.next is not None
        session.send(answer.next)
    assert gateway.reasons == ["", ""]


def test_a_token_goes_along_to_the_same_host_only(gateway: Gateway) -> None:
    now = datetime.now(UTC)
    scope = Scope("project", "05041fffa40025702f6dc009cc6f8f33", "cn-north-4")
    token = Token(value="MIIX", scope=scope, issued_at=now, expires_at=now, identity="default")
    there = f"http://localhost:{gateway.server_port}/end"
    with requests.Session() as session:
        answer = session.get(gateway.url + to(302, to(307, there)), auth=token)
    assert [request.headers.get("x-auth-token") for request, _ in gateway.seen] == ["MIIX", "MIIX", None]
    assert [said.request.headers.get("X-Auth-Token") for said in answer.history] == ["MIIX", "MIIX"]


def test_another_host_learns_no_secret(gateway: Gateway) -> None:
    auth = AkSkAuth(AUTH.ak, SK, security_token="token", project_id="p", domain_id="d")
    with requests.Session() as session:
        there = f"http://localhost:{gateway.server_port}/end"
        session.get(gateway.url + to(302, there), auth=auth, headers={"X-Custom": "1"})
    first, second = (request.headers for request, _ in gateway.seen)
    assert gateway.reasons == ["", "malformed"]
    assert first.keys() - second.keys() == {
        "authorization",
        "x-sdk-date",
        "x-project-id",
        "x-domain-id",
        "x-security-token",
    }
    assert second["host"] == f"localhost:{gateway.server_port}"
