"""One part of a signed request changed at a time: the gate refuses every change of what the scheme signs.

Requests are signed by the signers of botocore, of the OBS SDK and of the Huawei Cloud SDK, not by ours.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.config import Config
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.cloud.identity import Identity, default_identity
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.gates.gate import Verdict, judge

OBS = "https://bucket.obs.cn-north-4.myhuaweicloud.com/"
ECS = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/"
WHO, OTHER = default_identity(), default_identity("other")
KEYS = st.text(st.sampled_from("abcXYZ019-_.~é云 "), min_size=1, max_size=12).map(lambda key: key.strip() or "k")
# What every scheme of object stores signs of a query.
QUERIES = st.dictionaries(
    st.sampled_from(["acl", "uploads", "partNumber", "uploadId", "versionId", "response-content-type"]),
    st.sampled_from(["", "1", "a/b c", "x+y", "云"]),
    max_size=3,
)
EXTRA = st.dictionaries(
    st.sampled_from(["Content-Type", "x-amz-acl", "x-amz-meta-name"]),
    st.sampled_from(["text/plain", "private", "a b"]),
    max_size=3,
)
EXAMPLES = settings(max_examples=7, deadline=None, derandomize=True)


def verdict(request: Request) -> Verdict:
    """By a gate that has seen nothing yet: it would lock a key after a few failures."""
    return judge(request, CloudState({"default": WHO, "other": OTHER}, region="cn-north-4"))


def url_of(base: str, key: str, query: dict[str, str]) -> str:
    pairs = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" if v else quote(n, safe="") for n, v in query.items())
    return base + quote(key, safe="/~") + (f"?{pairs}" if pairs else "")


def of_botocore(prepared: AWSRequest, body: bytes = b"") -> Request:
    headers = {name.lower(): value for name, value in prepared.headers.items()}
    return Request(prepared.method, prepared.url, headers, body)


def forged(request: Request, signed: set[str], body: bool, ours: frozenset[str]) -> Iterator[tuple[str, Request]]:
    """Each change of one part. signed: headers; body: whether it is signed; ours: what of the query may be more."""
    method, url, headers, content = request.method, request.url, dict(request.headers), request.body
    yield "method", Request("GET" if method != "GET" else "PUT", url, headers, content)
    head, _, query = url.partition("?")
    tail = f"?{query}" if query else ""
    yield "path", Request(method, f"{head}x{tail}", headers, content)
    yield "path in capitals", Request(method, head.rpartition("/")[0] + "/Q" + tail, headers, content)
    parts = query.split("&") if query else []
    for at, part in enumerate(parts):
        name, _, value = part.partition("=")
        changed = [*parts[:at], f"{name}={value}9", *parts[at + 1 :]]
        yield f"query {name}", Request(method, f"{head}?{'&'.join(changed)}", headers, content)
        left = "&".join(parts[:at] + parts[at + 1 :])
        yield f"query without {name}", Request(method, head + (f"?{left}" if left else ""), headers, content)
    for name in ours - {part.partition("=")[0] for part in parts}:
        yield f"query and {name}", Request(method, f"{head}?{'&'.join([*parts, f'{name}=1'])}", headers, content)
    for name in (signed - {"host"}) & set(headers):  # another host is another URL
        yield f"header {name}", Request(method, url, {**headers, name: headers[name] + "9"}, content)
        yield f"without header {name}", Request(method, url, {k: v for k, v in headers.items() if k != name}, content)
    if body:
        yield "body", Request(method, url, headers, content + b"!")
    authorization = headers.get("authorization", "")
    if authorization:
        last = authorization[-2] if authorization.endswith("=") else authorization[-1]
        other = "A" if last != "A" else "B"
        at = authorization.rindex(last)
        wrong = authorization[:at] + other + authorization[at + 1 :]
        yield "signature", Request(method, url, {**headers, "authorization": wrong}, content)
        another = authorization.replace(WHO.ak, OTHER.ak)
        yield "key", Request(method, url, {**headers, "authorization": another}, content)
        for found in re.findall(r"/(\d{8}|cn-north-4|s3)(?=/)", authorization):
            moved = authorization.replace(f"/{found}/", f"/{found}1/")
            yield f"scope {found}", Request(method, url, {**headers, "authorization": moved}, content)
        for name in signed & set(headers):
            fewer = re.sub(rf"(?<=[=;]){name};|;{name}(?=[,;])", "", authorization)
            if fewer != authorization:
                yield f"unsigned {name}", Request(method, url, {**headers, "authorization": fewer}, content)


def assert_every_change_is_refused(
    request: Request, signed: set[str], *, body: bool = False, ours: frozenset[str] = frozenset()
) -> None:
    good = verdict(request)
    assert (good.gate, good.identity, good.notes) == (None, "default", ())
    for what, changed in forged(request, signed, body, ours):
        found = verdict(changed)
        if found.notes != ("unverified",) or ("ccessKeyId" not in what and "Credential" not in what):  # a key of nobody
            assert found.gate == "authentication", (what, changed.url, dict(changed.headers))


MORE = frozenset({"acl", "policy", "tagging", "x-image-process"})
MORE_OF_AWS = frozenset({"acl", "policy", "tagging"})


@EXAMPLES
@given(st.sampled_from(["GET", "PUT", "HEAD", "DELETE", "POST"]), KEYS, QUERIES, st.binary(max_size=9), EXTRA)
def test_version_4(method: str, key: str, query: dict[str, str], body: bytes, extra: dict[str, str]) -> None:
    for unsigned in (False, True):
        made = AWSRequest(method=method, url=url_of(OBS, key, query), data=body, headers=dict(extra))
        made.context["client_config"] = Config(s3={"payload_signing_enabled": not unsigned})
        S3SigV4Auth(Credentials(WHO.ak, WHO.sk), "s3", "cn-north-4").add_auth(made)
        request = of_botocore(made, body)
        whole = request.headers["x-amz-content-sha256"] != "UNSIGNED-PAYLOAD"
        assert whole is not unsigned
        signed = set(re.search("SignedHeaders=([^,]*)", request.headers["authorization"])[1].split(";"))  # type: ignore[index]
        assert_every_change_is_refused(request, signed, body=whole, ours=MORE | {"anything"})


@EXAMPLES
@given(KEYS, QUERIES)
def test_version_4_in_the_query(key: str, query: dict[str, str]) -> None:
    made = AWSRequest(method="GET", url=url_of(OBS, key, query))
    S3SigV4QueryAuth(Credentials(WHO.ak, WHO.sk), "s3", "cn-north-4", expires=600).add_auth(made)
    request = of_botocore(made)
    assert_every_change_is_refused(request, set(), ours=MORE | {"anything"})
    assert verdict(Request("GET", request.url.replace(WHO.ak, OTHER.ak), request.headers)).gate == "authentication"


@EXAMPLES
@given(st.sampled_from(["GET", "PUT", "HEAD", "DELETE", "POST"]), KEYS, QUERIES, EXTRA)
def test_version_2(method: str, key: str, query: dict[str, str], extra: dict[str, str]) -> None:
    made = AWSRequest(method=method, url=url_of(OBS, key, query), headers=dict(extra))
    made.auth_path = "/bucket" + urlsplit(made.url).path
    HmacV1Auth(Credentials(WHO.ak, WHO.sk)).add_auth(made)
    signed = {"date", "content-type", "content-md5", "x-amz-acl", "x-amz-meta-name"}
    assert_every_change_is_refused(of_botocore(made), signed, ours=MORE_OF_AWS)


@EXAMPLES
@given(KEYS, QUERIES)
def test_version_2_in_the_query(key: str, query: dict[str, str]) -> None:
    made = AWSRequest(method="GET", url=url_of(OBS, key, query))
    made.auth_path = "/bucket" + urlsplit(made.url).path
    HmacV1QueryAuth(Credentials(WHO.ak, WHO.sk), expires=600).add_auth(made)
    assert_every_change_is_refused(of_botocore(made), set(), ours=MORE_OF_AWS)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the OBS SDK's own
@pytest.mark.parametrize("signature", ["obs", "v2", "v4"])
def test_calls_and_links_of_the_obs_sdk(signature: str) -> None:
    from obs import ObsClient

    from pytest_hwcloud.cloud.wire import Answer
    from pytest_hwcloud.interceptors import router

    sent: list[Request] = []

    class Listening:
        offline, hosts = True, ()

        def answer(self, request: Request) -> Answer:
            sent.append(request)
            return Answer(200, {}, b"", "OK")

        def heard(self, request: Request, answer: Answer, started: float) -> None:
            """Nothing is heard."""

        def failed(self, request: Request, error: BaseException) -> None:
            """Nothing fails."""

    client = ObsClient(
        access_key_id=WHO.ak, secret_access_key=WHO.sk, server="https://obs.cn-north-4.myhuaweicloud.com",
        signature=signature, region="cn-north-4", is_signature_negotiation=False,
    )  # fmt: skip
    router.enter(Listening())
    try:
        client.putContent("bucket", "a b/云.txt", content="hello", metadata={"name": "xy"})
        client.getBucketAcl("bucket")
        client.uploadPart("bucket", "k", 1, "u1", content="part")
    finally:
        router.leave()
        client.close()
    # Of what the SDK sends with version 4 it signs the host, the hash and its own headers; the gate holds it to that.
    for request in sent:
        found = re.search("SignedHeaders=([^,]*)", request.headers["authorization"])
        names = {"date", "content-type", "content-md5", "x-obs-meta-name", "x-obs-date", "x-amz-meta-name"}
        assert_every_change_is_refused(request, set(found[1].split(";")) if found else names, ours=MORE_OF_AWS)
    for special, query in ((None, {}), ("acl", {}), (None, {"partNumber": "1", "uploadId": "u"})):
        made = client.createSignedUrl("GET", "bucket", "k", specialParam=special, expires=600, queryParams=query)
        headers = {name.lower(): str(value) for name, value in (made.actualSignedRequestHeaders or {}).items()}
        assert_every_change_is_refused(Request("GET", made.signedUrl, headers), set(), ours=MORE_OF_AWS)


@EXAMPLES
@given(st.sampled_from(["GET", "PUT", "DELETE", "POST"]), KEYS, QUERIES, st.binary(max_size=9))
def test_the_signature_of_the_gateway(method: str, key: str, query: dict[str, str], body: bytes) -> None:
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.sdk_request import SdkRequest
    from huaweicloudsdkcore.signer.signer import Signer

    path = urlsplit(ECS).path + key.replace(" ", "-").replace("é", "e").replace("云", "y")
    pairs = list(query.items())
    headers = {"Content-Type": "application/json", "X-Project-Id": WHO.projects["cn-north-4"]}
    host = urlsplit(ECS).netloc
    made = SdkRequest(method, "https", host, path, [], pairs, headers, body.hex())
    signed = Signer(BasicCredentials(WHO.ak, WHO.sk, "p")).sign(made)
    sent = {name.lower(): value for name, value in signed.header_params.items()}
    url = url_of(ECS, path.removeprefix(urlsplit(ECS).path), query)
    request = Request(method, url, sent, body.hex().encode())
    names = set(re.search("SignedHeaders=([^,]*)", sent["authorization"])[1].split(";"))  # type: ignore[index]
    assert_every_change_is_refused(request, names, body=True, ours=frozenset({"acl", "anything"}))


@pytest.mark.parametrize("late", [timedelta(minutes=16), timedelta(minutes=-16), timedelta(days=400)])
def test_the_time_of_every_scheme_is_looked_at(late: timedelta) -> None:
    identities: dict[str, Identity] = {"default": WHO}
    now = datetime.now(UTC)
    made = AWSRequest(method="GET", url=f"{OBS}k")
    S3SigV4Auth(Credentials(WHO.ak, WHO.sk), "s3", "cn-north-4").add_auth(made)
    four = of_botocore(made)
    made = AWSRequest(method="GET", url=f"{OBS}k")
    made.auth_path = "/bucket/k"
    HmacV1Auth(Credentials(WHO.ak, WHO.sk)).add_auth(made)
    for request in (four, of_botocore(made)):
        found = judge(request, CloudState(identities, region="cn-north-4", clock=lambda: now + late))
        assert found.gate == "authentication"
        assert b"RequestTimeTooSkewed" in (found.answer.body if found.answer else b"")
