"""The gateway's view of a signature."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.cloud.signing.algorithms import SUITES, parsed_date, sign
from pytest_hwcloud.cloud.signing.verification import SignatureCheck, verify
from pytest_hwcloud.cloud.wire import Request

VECTORS = json.loads((Path(__file__).parents[1] / "facts/sources/signing/vectors.json").read_bytes())["vectors"]
URL = "https://iam.myhuaweicloud.com/v3/projects?name=cn-north-4"
DATE = "20240102T030405Z"
NOW = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
KEYS = {"AK": "SK"}


def request_of(vector: dict) -> Request:
    body = base64.b64decode(vector["body_base64"]) if "body_base64" in vector else (vector.get("body") or "").encode()
    headers = {name.lower(): value.encode().decode("latin-1") for name, value in vector["sent_headers"].items()}
    headers["authorization"] = vector["authorization"]
    return Request(vector["method"].upper(), vector.get("sent_url", vector["url"]), headers, body)


def signed(method: str = "GET", url: str = URL, body: bytes = b"", **headers: str) -> Request:
    given_headers = {"X-Sdk-Date": DATE, **{name.replace("_", "-"): value for name, value in headers.items()}}
    sent = sign(method, url, given_headers, body, ak="AK", sk="SK")
    return Request(method, url, {name.lower(): value for name, value in sent.items()}, body)


def with_headers(request: Request, **changes: str | None) -> Request:
    changed = {name.replace("_", "-"): value for name, value in changes.items()}
    merged = {**request.headers, **changed}
    return Request(request.method, request.url, {n: v for n, v in merged.items() if v is not None}, request.body)


def check(request: Request, now: datetime = NOW) -> SignatureCheck:
    return verify(request, secret=KEYS.get, now=now)


def seal(canonical: str, names: str, algorithm: str = "SDK-HMAC-SHA256") -> str:
    """An Authorization over a canonical request that some other SDK made."""
    suite = SUITES[algorithm]
    text = f"{algorithm}\n{DATE}\n{suite.digest(canonical.encode())}"
    return f"{algorithm} Access=AK, SignedHeaders={names}, Signature={suite.seal('AK', b'SK', text, '')}"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vector(vector: dict) -> None:
    found = verify(request_of(vector), secret={vector["ak"]: vector["sk"]}.get, now=parsed_date(vector["x_sdk_date"]))
    assert found == SignatureCheck(
        ok=True,
        ak=vector["ak"],
        reason="",
        canonical=vector["canonical_request"],
        string_to_sign=vector["string_to_sign"],
        signed_at=parsed_date(vector["x_sdk_date"]),
        algorithm=vector.get("algorithm", "SDK-HMAC-SHA256"),
    )


@pytest.mark.parametrize("vector", VECTORS, ids=lambda v: v["name"])
def test_vector_with_another_key(vector: dict) -> None:
    found = verify(request_of(vector), secret={vector["ak"]: "wrong"}.get, now=parsed_date(vector["x_sdk_date"]))
    assert (found.ok, found.reason) == (False, "mismatch")


def test_mismatch_shows_the_request_as_the_gateway_sees_it() -> None:
    found = verify(signed(), secret={"AK": "other"}.get, now=NOW)
    assert found.reason == "mismatch"
    assert found.canonical is not None
    # the guide's own text, with its time and hash
    assert found.canonical.replace("\n", "|") == (
        "GET|/v3/projects/|name=cn-north-4|host:iam.myhuaweicloud.com|x-sdk-date:20240102T030405Z||host;x-sdk-date|"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_unknown_access_key() -> None:
    found = verify(signed(), secret={}.get, now=NOW)
    assert (found.ok, found.reason, found.ak, found.canonical) == (False, "unknown-ak", "AK", None)


@pytest.mark.parametrize(("seconds", "reason"), [(0, ""), (900, ""), (-900, ""), (901, "expired"), (-901, "expired")])
def test_clock(seconds: int, reason: str) -> None:
    found = check(signed(), NOW + timedelta(seconds=seconds))
    assert (found.reason, found.signed_at) == (reason, NOW)


def test_an_expired_signature_need_not_be_right() -> None:
    found = verify(signed(), secret={"AK": "other"}.get, now=NOW + timedelta(hours=1))
    assert found.reason == "expired"


CHANGES = {
    "method": Request("DELETE", URL, signed().headers),
    "path": Request("GET", URL.replace("projects", "users"), signed().headers),
    "query": Request("GET", URL + "&x=1", signed().headers),
    "host": Request("GET", URL, {**signed().headers, "host": "iam.example.com"}),
    "signed header": with_headers(signed(X_Project_Id="a"), x_project_id="b"),
    "missing signed header": with_headers(signed(X_Project_Id="a"), x_project_id=None),
    "body": Request("POST", URL, signed("POST", body=b"{}").headers, b"{ }"),
}


@pytest.mark.parametrize("request_", CHANGES.values(), ids=CHANGES)
def test_a_changed_request_is_refused(request_: Request) -> None:
    assert check(request_).reason == "mismatch"


def test_only_listed_headers_count() -> None:
    request = with_headers(signed(), x_project_id="added later", accept="*/*", x_security_token="t")
    assert check(request).ok


def test_host_that_the_client_adds_later() -> None:
    assert check(with_headers(signed(), host=None)).ok
    with_port = with_headers(signed(url="https://iam.myhuaweicloud.com:443/v3"), host=None)
    assert check(with_port).ok
    assert check(Request("GET", "https://iam.myhuaweicloud.com/v3", with_port.headers)).ok


def test_a_body_that_was_opted_out() -> None:
    request = signed("POST", body=b"a=1", Content_Type="application/x-www-form-urlencoded")
    assert request.headers["x-sdk-content-sha256"] == "UNSIGNED-PAYLOAD"
    assert check(Request("POST", URL, request.headers, b"a=2")).ok


EMPTY = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
OTHER_SDKS = {
    # url path and query, canonical path, canonical query, names, payload line
    "go signs the date alone": ("/v1", "/v1/", "", "x-sdk-date", EMPTY),
    "java and go encode an encoded path": ("/v1/a%20b", "/v1/a%2520b/", "", "x-sdk-date", EMPTY),
    "java sorts encoded names": ("/v1?%C3%A9=1&z=2", "/v1/", "%C3%A9=1&z=2", "x-sdk-date", EMPTY),
    "java keeps the order of values": ("/v1?t=web&t=api", "/v1/", "t=web&t=api", "x-sdk-date", EMPTY),
    "go sorts the values": ("/v1?t=web&t=api", "/v1/", "t=api&t=web", "x-sdk-date", EMPTY),
    "a plus that is one": ("/v1?q=a+b", "/v1/", "q=a%2Bb", "x-sdk-date", EMPTY),
    "a plus that is a blank": ("/v1?q=a+b", "/v1/", "q=a%20b", "x-sdk-date", EMPTY),
    "bytes that are no text": ("/v1/%FF?q=%FF", "/v1/%FF/", "q=%FF", "x-sdk-date", EMPTY),
    "go and java opt out of an empty body": ("/v1", "/v1/", "", "x-sdk-date", "UNSIGNED-PAYLOAD"),
}


@pytest.mark.parametrize(("target", "uri", "query", "names", "payload"), OTHER_SDKS.values(), ids=OTHER_SDKS)
def test_forms_of_other_sdks(target: str, uri: str, query: str, names: str, payload: str) -> None:
    canonical = f"GET\n{uri}\n{query}\nx-sdk-date:{DATE}\n\n{names}\n{payload}"
    headers = {"x-sdk-date": DATE, "authorization": seal(canonical, names)}
    if payload != EMPTY:
        headers["x-sdk-content-sha256"] = payload
    found = check(Request("GET", "https://ecs.cn-north-4.myhuaweicloud.com" + target, headers))
    assert (found.ok, found.canonical) == (True, canonical)


LEGACY = "SDK-HMAC-SHA256 Credential=AK/20240102//ec2/sdk_request, SignedHeaders=host;x-sdk-date, Signature=" + "0" * 64


def test_the_legacy_scoped_form_is_judged_too() -> None:
    found = check(with_headers(signed(), authorization=LEGACY))
    assert (found.ok, found.reason, found.ak) == (False, "mismatch", "AK")
    assert check(with_headers(signed(), authorization=LEGACY.replace("AK/", "XX/"))).reason == "unknown-ak"


GOOD = signed().headers["authorization"]
MALFORMED = {
    "nothing": {"authorization": None},
    "empty": {"authorization": ""},
    "another scheme": {"authorization": "Basic eDp5"},
    "unknown algorithm": {"authorization": GOOD.replace("SHA256", "MD5")},
    "only the algorithm": {"authorization": "SDK-HMAC-SHA256"},
    "no signature": {"authorization": GOOD.partition(", Signature")[0]},
    "no date": {"x_sdk_date": None},
    "no such date": {"x_sdk_date": "20240231T000000Z"},
    "date of words": {"x_sdk_date": "yesterday"},
    "date not signed": {"authorization": GOOD.replace("host;x-sdk-date", "host")},
    "V11 without scope": {"authorization": GOOD.replace("SDK-HMAC", "V11-HMAC").replace("Access", "Credential")},
    "V11 of another day": {
        "authorization": GOOD.replace("SDK-HMAC", "V11-HMAC").replace("Access=AK", "Credential=AK/20240103/r/s")
    },
}


@pytest.mark.parametrize("changes", MALFORMED.values(), ids=MALFORMED)
def test_malformed(changes: dict[str, str | None]) -> None:
    found = check(with_headers(signed(), **changes))
    assert (found.ok, found.reason) == (False, "malformed")


def test_a_url_that_is_none() -> None:
    assert check(Request("GET", "/v3/projects", signed().headers)).reason == "malformed"


anything = st.text(max_size=30)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    algorithm=st.sampled_from([*SUITES, "X", ""]),
    fields=st.dictionaries(st.sampled_from(["Access", "Credential", "SignedHeaders", "Signature", "X"]), anything),
    url=st.one_of(anything, anything.map(lambda t: "https://h/" + t)),
    date=st.sampled_from([DATE, "", "\ud800"]),
    body=st.binary(max_size=8),
)
def test_garbage_is_refused_not_raised(algorithm, fields, url, date, body) -> None:
    authorization = f"{algorithm} " + ", ".join(f"{name}={value}" for name, value in fields.items())
    headers = {"authorization": authorization, "x-sdk-date": date, "\ud800": "\udfff"}
    found = verify(Request("GET", url, headers, body), secret=lambda ak: "SK", now=NOW)
    assert not found.ok
    assert found.reason in ("malformed", "mismatch", "unverifiable")


word = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=100, deadline=None, derandomize=True)
@given(
    algorithm=st.sampled_from(["SDK-HMAC-SHA256", "SDK-HMAC-SM3", "V11-HMAC-SHA256"]),
    path=st.lists(word, max_size=3),
    query=st.lists(st.tuples(word, word), max_size=5),
    body=st.binary(max_size=20),
    kind=st.sampled_from(["application/json", "text/plain"]),
)
def test_what_we_sign_verifies(algorithm, path, query, body, kind) -> None:
    written = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in query)
    url = "https://ecs.cn-north-4.myhuaweicloud.com/" + "/".join(quote(p, safe="") for p in path) + "?" + written
    sent = sign("POST", url, {"X-Sdk-Date": DATE, "Content-Type": kind}, body, ak="AK", sk="SK", algorithm=algorithm)
    request = Request("POST", url, {name.lower(): value for name, value in sent.items()}, body)
    assert check(request).ok
    assert verify(request, secret=lambda ak: "other", now=NOW).reason == "mismatch"
