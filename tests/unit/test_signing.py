"""sign() makes what the official SDK makes, byte for byte."""

from __future__ import annotations

import base64
import hashlib
import json
import string
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import DerivationAKSKSigner, Signer, SM3Signer
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.cloud.identity import UnknownName
from pytest_hwcloud.cloud.signing import sm3
from pytest_hwcloud.cloud.signing.algorithms import has_signature, sign
from pytest_hwcloud.cloud.signing.canonical import canonical_query, canonical_uri
from pytest_hwcloud.cloud.wire import Request

VECTORS = json.loads((Path(__file__).parents[1] / "facts/sources/signing/vectors.json").read_bytes())["vectors"]
# A typed list cannot be written as a URL: this one is checked by the verifier alone.
AS_URL = [v for v in VECTORS if v.get("deterministic", True) and v["name"] != "query-int-list"]
URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/p/cloudservers/detail"
DATE = "20240102T030405Z"


def body_of(vector: dict) -> bytes | str | None:
    return base64.b64decode(vector["body_base64"]) if "body_base64" in vector else vector.get("body")


@pytest.mark.parametrize("vector", AS_URL, ids=lambda v: v["name"])
def test_vector(vector: dict) -> None:
    sent = sign(
        vector["method"],
        vector["url"],
        vector["headers"],
        body_of(vector),
        ak=vector["ak"],
        sk=vector["sk"],
        algorithm=vector.get("algorithm", "SDK-HMAC-SHA256"),
        region=vector.get("region"),
        service=vector.get("service"),
    )
    assert sent.pop("Authorization") == vector["authorization"]
    assert {name: value.encode("latin-1").decode() for name, value in sent.items()} == vector["sent_headers"]


def test_all_vectors_are_here() -> None:
    assert len(VECTORS) == 92
    assert len(AS_URL) == 87


text = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
word = st.one_of(text, st.text(string.ascii_letters + string.digits + "-_.~ +/%&=:", max_size=12))
paths = st.lists(st.one_of(word, st.just("%2F"), st.just("%e6%a0%87")), max_size=4).map(lambda p: "/" + "/".join(p))
queries = st.lists(st.tuples(st.sampled_from(["a", "a-b", "a.b", "A", "é", "tag", ""]) | word, word), max_size=8)
bodies = st.one_of(
    st.none(),
    st.just(b""),
    st.binary(max_size=64),
    st.dictionaries(text, text, max_size=3).map(lambda d: json.dumps(d, ensure_ascii=False)),
)
types = st.sampled_from(
    [
        None,
        "application/json",
        "application/json;charset=utf8",
        "application/bson",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/octet-stream",
        "Application/JSON",
    ]
)
values = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=16)
extra_headers = st.dictionaries(st.sampled_from(["X-Project-Id", "x-Language", "X_Under", "User-Agent"]), values)
SIGNERS = {"SDK-HMAC-SHA256": Signer, "SDK-HMAC-SM3": SM3Signer, "V11-HMAC-SHA256": DerivationAKSKSigner}


@settings(max_examples=150, deadline=None, derandomize=True)
@given(
    algorithm=st.sampled_from(sorted(SIGNERS)),
    method=st.sampled_from(["GET", "POST", "put", "DELETE"]),
    path=paths,
    query=queries,
    headers=extra_headers,
    content_type=types,
    body=bodies,
    sk=st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=50),
)
def test_any_request_is_signed_as_the_sdk_signs_it(algorithm, method, path, query, headers, content_type, body, sk):
    headers |= {"X-Sdk-Date": DATE} | ({"Content-Type": content_type} if content_type else {})
    request = SdkRequest(
        method=method,
        schema="https",
        host="ecs.example.com:8443",
        resource_path=path.replace("?", "%3F").replace("#", "%23"),
        query_params=list(query),
        header_params=dict(headers),
        body=body,
        signing_algorithm=None,
        stream=False,
    )
    place = {"region": "cn-north-4", "service": "ecs"}
    signer = SIGNERS[algorithm](SimpleNamespace(ak="AK", sk=sk))
    derived = ("ecs", "cn-north-4") if algorithm == "V11-HMAC-SHA256" else ()
    theirs = signer.sign(request, *derived)
    written = "&".join(f"{quote(k, safe='')}={quote(v, safe='')}" for k, v in query)
    url = f"https://ecs.example.com:8443{request.resource_path}" + (f"?{written}" if query else "")
    ours = sign(method, url, headers, body, ak="AK", sk=sk, algorithm=algorithm, **place)
    assert ours == theirs.header_params
    if query:
        assert theirs.uri.partition("?")[2] == canonical_query(written)


def test_given_headers_stay_and_what_is_missing_is_added() -> None:
    sent = sign("GET", URL, {"X-Custom": "1"}, None, ak="AK", sk="SK")
    assert list(sent) == ["X-Custom", "X-Sdk-Date", "Host", "Authorization"]
    assert sent["Host"] == "ecs.cn-north-4.myhuaweicloud.com"
    assert "SignedHeaders=host;x-custom;x-sdk-date," in sent["Authorization"]


def test_an_old_signature_is_replaced_not_signed() -> None:
    first = sign("GET", URL, {"X-Sdk-Date": DATE}, None, ak="AK", sk="SK")
    assert sign("GET", URL, first, None, ak="AK", sk="SK") == first


def test_no_headers_at_all() -> None:
    assert has_signature(sign("GET", URL, None, None, ak="AK", sk="SK"))


@pytest.mark.parametrize(
    ("written", "canonical"),
    [
        ("", ""),
        ("b=2&a=1", "a=1&b=2"),
        ("a=b c&a=b+a", "a=b%20a&a=b%20c"),
        ("acl", "acl="),
        ("a=1&&b", "a=1&b="),
        ("a=b=c", "a=b%3Dc"),
        ("a-b=1&a=2", "a=2&a-b=1"),
        ("q=%7e%41%2f", "q=~A%2F"),
        ("q=%FF", "q=%FF"),
        ("q=50%zz", "q=50%25zz"),
        ("a=\u00e9", "a=%C3%A9"),
        ("a%2F=1&a-=2", "a-=2&a%2F=1"),
    ],
)
def test_canonical_query(written: str, canonical: str) -> None:
    assert canonical_query(written) == canonical


@pytest.mark.parametrize(
    ("path", "uri"), [("/", "/"), ("/v1", "/v1/"), ("/v1/", "/v1/"), ("/a%2Fb", "/a/b/"), ("/a:b", "/a%3Ab/")]
)
def test_canonical_uri(path: str, uri: str) -> None:
    assert canonical_uri(path) == uri


def test_v11_takes_region_and_service_from_the_host() -> None:
    def scope(url: str) -> str:
        sent = sign("GET", url, {"X-Sdk-Date": DATE}, None, ak="AK", sk="SK", algorithm="V11-HMAC-SHA256")
        return sent["Authorization"].partition("Credential=")[2].partition(",")[0]

    assert scope(URL) == "AK/20240102/cn-north-4/ecs"
    assert scope("https://tms.myhuaweicloud.com/v1.0") == "AK/20240102/globe/tms"
    assert scope("https://iotda.cn-north-4.myhuaweicloud.com/v5") == "AK/20240102/cn-north-4/iotdm"


REFUSED = {
    "relative": ({"url": "/v1"}, "an absolute URL is needed to sign a request (https://host/path), not '/v1'"),
    "no AK": ({"ak": ""}, "the AK is missing or not a key: visible ASCII without blanks and commas is expected"),
    "AK of two lines": (
        {"ak": "A\nX-Evil: 1"},
        "the AK is missing or not a key: visible ASCII without blanks and commas is expected",
    ),
    "no SK": ({"sk": ""}, "the SK is missing: a non-empty text is expected"),
    "date": (
        {"headers": {"X-Sdk-Date": "today"}},
        "X-Sdk-Date 'today' is not a UTC time like 20240102T030405Z",
    ),
    "V11 anywhere": (
        {"url": "https://example.com/", "algorithm": "V11-HMAC-SHA256"},
        "V11-HMAC-SHA256 signs for a region and a service: give region= and service= for host 'example.com'",
    ),
}


@pytest.mark.parametrize(("wrong", "text"), REFUSED.values(), ids=REFUSED)
def test_wrong_use(wrong: dict, text: str) -> None:
    call = {"method": "GET", "url": URL, "headers": {}, "body": None, "ak": "AK", "sk": "SK"} | wrong
    with pytest.raises(ValueError) as caught:
        sign(**call)
    assert str(caught.value) == text


def test_unknown_algorithm() -> None:
    with pytest.raises(UnknownName) as caught:
        sign("GET", URL, {}, None, ak="AK", sk="SK", algorithm="SDK-HMAC-SHA265")
    assert str(caught.value) == "unknown signing algorithm 'SDK-HMAC-SHA265'; did you mean 'SDK-HMAC-SHA256'?"


def test_an_sk_with_bytes_of_no_encoding_signs() -> None:
    assert has_signature(sign("GET", URL, {}, None, ak="AK", sk="a\udcff%'\"\n b"))


@pytest.mark.parametrize(
    ("headers", "signed"),
    [
        ({"authorization": "SDK-HMAC-SHA256 Access=AK"}, True),
        ({"Authorization": "V11-HMAC-SHA256 Credential=AK"}, True),
        ({"AUTHORIZATION": "SDK-SM2-SM3 Access=AK"}, True),
        ({"Authorization": "Basic eDp5"}, False),
        ({"Authorization": ""}, False),
        ({}, False),
    ],
)
def test_has_signature(headers: dict[str, str], signed: bool) -> None:
    assert has_signature(headers) is signed
    assert has_signature(Request("GET", URL, headers).headers) is signed


@pytest.mark.parametrize("size", [0, 1, 3, 55, 56, 63, 64, 65, 200])
def test_sm3_in_python(size: int) -> None:
    if not sm3.NATIVE:
        pytest.skip("OpenSSL without SM3")
    data = bytes(range(256))[:size]
    assert sm3.pure_digest(data) == hashlib.new("sm3", data).digest() == sm3.digest(data)
    assert sm3.pure_hmac(data, data) == sm3.hmac_digest(data, data)


def test_sm3_published_value() -> None:
    # GB/T 32905-2016, example 1
    assert sm3.pure_digest(b"abc").hex() == "66c7f0f462eeedd9d1f2d46bdc10e4e24167c4875cf2f7a2297da02b8f4ba8e0"
