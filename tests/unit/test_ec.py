"""The elliptic-curve algorithms."""

from __future__ import annotations

import json
from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

import pytest
from huaweicloudsdkcore.sdk_request import SdkRequest
from huaweicloudsdkcore.signer.signer import P256SHA256Signer, SM2SM3Signer
from requests import Request as Call

from pytest_hwcloud.cloud.signing import ec
from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
from pytest_hwcloud.cloud.signing.algorithms import parsed_date, sign
from pytest_hwcloud.cloud.signing.verification import verify
from pytest_hwcloud.cloud.wire import Request

VECTORS = json.loads((Path(__file__).parents[1] / "facts/sources/signing/vectors.json").read_bytes())["vectors"]
CURVED = [v for v in VECTORS if not v.get("deterministic", True)]
SIGNERS = {"SDK-ECDSA-P256-SHA256": P256SHA256Signer, "SDK-SM2-SM3": SM2SM3Signer}
URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/p?b=2&a=1"
DATE = "20240102T030405Z"


@pytest.mark.parametrize("vector", CURVED, ids=lambda v: v["name"])
def test_the_private_key_is_that_of_the_sdk(vector: dict) -> None:
    derived = ec.private_key(vector["algorithm"], vector["ak"], vector["sk"].encode())
    assert derived == int(vector["private_key_hex"], 16)


def test_vectors_of_both_algorithms() -> None:
    assert [v["algorithm"] for v in CURVED] == ["SDK-ECDSA-P256-SHA256"] * 2 + ["SDK-SM2-SM3"] * 2


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_the_sdk_accepts_our_signature(algorithm: str) -> None:
    key = SIGNERS[algorithm](SimpleNamespace(ak="AK", sk="SK")).get_signing_key()
    first, second = (ec.sign(algorithm, "AK", b"SK", b"data") for _ in range(2))
    assert first != second
    assert key.verify(bytes.fromhex(first), b"data")
    assert not key.verify(bytes.fromhex(first), b"other")


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_we_accept_the_signature_of_the_sdk(algorithm: str) -> None:
    key = SIGNERS[algorithm](SimpleNamespace(ak="AK", sk="SK")).get_signing_key()
    signature = key.sign(b"data").hex()
    assert ec.verify(algorithm, "AK", b"SK", b"data", signature)
    assert not ec.verify(algorithm, "AK", b"SK", b"other", signature)
    assert not ec.verify(algorithm, "AK", b"wrong", b"data", signature)


@pytest.mark.parametrize("algorithm", SIGNERS)
@pytest.mark.parametrize("signature", ["", "zz", "00", "3006020100020100", "30" * 40])
def test_signatures_that_are_none(algorithm: str, signature: str) -> None:
    assert not ec.verify(algorithm, "AK", b"SK", b"data", signature)


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_a_whole_request(algorithm: str) -> None:
    sent = sign("GET", URL, {"X-Sdk-Date": DATE}, None, ak="AK", sk="SK", algorithm=algorithm)
    request = Request("GET", URL, {name.lower(): value for name, value in sent.items()})
    assert verify(request, secret=lambda ak: "SK", now=parsed_date(DATE)).ok
    assert verify(request, secret=lambda ak: "other", now=parsed_date(DATE)).reason == "mismatch"
    late = parsed_date(DATE) + timedelta(hours=1)
    assert verify(request, secret=lambda ak: "SK", now=late).reason == "expired"


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_the_headers_are_those_of_the_sdk(algorithm: str) -> None:
    headers = {"X-Sdk-Date": DATE, "Content-Type": "text/plain"}
    theirs = SdkRequest(
        method="POST", schema="https", host="ecs.example.com", resource_path="/", query_params=[],
        header_params=dict(headers), body="x", stream=False, signing_algorithm=None,
    )  # fmt: skip
    SIGNERS[algorithm](SimpleNamespace(ak="AK", sk="SK")).sign(theirs)
    ours = sign("POST", "https://ecs.example.com/", headers, "x", ak="AK", sk="SK", algorithm=algorithm)
    expected, got = theirs.header_params.pop("Authorization"), ours.pop("Authorization")
    assert ours == theirs.header_params
    assert got.partition(", Signature=")[0] == expected.partition(", Signature=")[0]


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_without_the_extra_the_error_names_it(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = sign("GET", URL, {"X-Sdk-Date": DATE}, None, ak="AK", sk="SK", algorithm=algorithm)
    monkeypatch.setattr(ec, "find_spec", lambda name: None)
    for use in (
        lambda: sign("GET", URL, {}, None, ak="AK", sk="SK", algorithm=algorithm),
        lambda: AkSkAuth("AK", "SK", algorithm=algorithm),
    ):
        with pytest.raises(ec.MissingExtraError) as caught:
            use()
        assert str(caught.value) == f"{algorithm} needs the extra 'ec': pip install 'pytest-hwcloud[ec]'"
    request = Request("GET", URL, {name.lower(): value for name, value in sent.items()})
    assert verify(request, secret=lambda ak: "SK", now=parsed_date(DATE)).reason == "unverifiable"


@pytest.mark.parametrize("algorithm", SIGNERS)
def test_as_requests_auth(algorithm: str) -> None:
    prepared = Call("GET", URL, auth=AkSkAuth("AK", "SK", algorithm=algorithm)).prepare()
    request = Request("GET", prepared.url, {name.lower(): value for name, value in prepared.headers.items()})
    signed_at = parsed_date(prepared.headers["X-Sdk-Date"])
    assert verify(request, secret=lambda ak: "SK", now=signed_at).ok
