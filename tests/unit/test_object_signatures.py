"""Signatures of OBS and AWS, made by botocore's and the OBS SDK's own signers for random requests, and then forged."""

import hashlib
from datetime import UTC, datetime, timedelta
from urllib.parse import quote, urlsplit

import pytest
from botocore.auth import HmacV1Auth, HmacV1QueryAuth, S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.cloud.signing.objects import check, claim_of
from pytest_hwcloud.cloud.wire import Request

AK, SK = "HWCTESTOBJECTKEY0001", "hwctestsecret-of-objects-0123456789abcdef"
HOST = "obs.cn-north-4.myhuaweicloud.com"
KEYS = st.text(st.sampled_from("abcXYZ019 -_.~/+=&%äé云"), min_size=1, max_size=18).map(
    lambda key: key.strip("/") or "k"
)
QUERIES = st.dictionaries(
    st.sampled_from(
        ["acl", "uploads", "partNumber", "uploadId", "prefix", "versionId", "response-content-type", "max-keys"]
    ),
    st.sampled_from(["", "1", "a/b c", "x+y", "云", "text/plain; charset=utf-8"]),
    max_size=3,
)
BODIES = st.binary(max_size=40)
METHODS = st.sampled_from(["GET", "PUT", "HEAD", "DELETE", "POST"])
EXTRA = st.dictionaries(
    st.sampled_from(["Content-Type", "Content-MD5", "{p}acl", "{p}meta-name", "{p}meta-two"]),
    st.sampled_from(["text/plain", "private", "a b", "x:y"]),
    max_size=3,
)
EXAMPLES = settings(max_examples=120, deadline=None, derandomize=True)


def url_of(key: str, query: dict[str, str], path_style: bool) -> str:
    base = f"https://{HOST}/bucket/" if path_style else f"https://bucket.{HOST}/"
    pairs = "&".join(f"{quote(n, safe='')}={quote(v, safe='')}" if v else quote(n, safe="") for n, v in query.items())
    return base + quote(key, safe="/~") + (f"?{pairs}" if pairs else "")


def ours(prepared: AWSRequest, body: bytes) -> Request:
    headers = {
        name.lower(): value if isinstance(value, str) else value.decode() for name, value in prepared.headers.items()
    }
    return Request(prepared.method, prepared.url, headers, body)


def verdict(request: Request, sk: str = SK, now: datetime | None = None) -> str:
    claim = claim_of(request)
    assert claim is not None
    assert claim.ak == AK
    return check(request, claim, sk, now or datetime.now(UTC)).reason


def assert_held(request: Request) -> None:
    """Right as it is; wrong with another key, method, path or body, and when its time is over."""
    assert verdict(request) == ""
    assert verdict(request, sk=SK + "x") == "mismatch"
    assert verdict(Request("PATCH", request.url, request.headers, request.body)) == "mismatch"
    head, question, query = request.url.partition("?")
    assert verdict(Request(request.method, head + "zz" + question + query, request.headers, request.body)) == "mismatch"
    assert verdict(request, now=datetime.now(UTC) + timedelta(days=9)) in ("skewed", "expired")


@EXAMPLES
@given(METHODS, KEYS, QUERIES, BODIES, EXTRA, st.booleans())
def test_botocore_version_4(method, key, query, body, extra, path_style):
    headers = {name.replace("{p}", "x-amz-"): value for name, value in extra.items()}
    made = AWSRequest(method=method, url=url_of(key, query, path_style), data=body, headers=headers)
    S3SigV4Auth(Credentials(AK, SK), "s3", "cn-north-4").add_auth(made)
    request = ours(made, body)
    assert_held(request)
    if request.headers["x-amz-content-sha256"] != "UNSIGNED-PAYLOAD":
        assert verdict(Request(method, request.url, request.headers, body + b"!")) == "mismatch"


@EXAMPLES
@given(METHODS, KEYS, QUERIES, st.booleans())
def test_botocore_version_4_in_the_query(method, key, query, path_style):
    made = AWSRequest(method=method, url=url_of(key, query, path_style))
    S3SigV4QueryAuth(Credentials(AK, SK), "s3", "cn-north-4", expires=600).add_auth(made)
    assert_held(ours(made, b""))


@EXAMPLES
@given(METHODS, KEYS, QUERIES, EXTRA)
def test_botocore_version_2(method, key, query, extra):
    headers = {name.replace("{p}", "x-amz-"): value for name, value in extra.items()}
    url = url_of(key, query, True)
    made = AWSRequest(method=method, url=url, headers=headers)
    made.auth_path = urlsplit(url).path
    HmacV1Auth(Credentials(AK, SK)).add_auth(made)
    assert_held(ours(made, b""))


@EXAMPLES
@given(METHODS, KEYS, QUERIES)
def test_botocore_version_2_in_the_query(method, key, query):
    url = url_of(key, query, True)
    made = AWSRequest(method=method, url=url)
    made.auth_path = urlsplit(url).path
    HmacV1QueryAuth(Credentials(AK, SK), expires=600).add_auth(made)
    assert_held(ours(made, b""))


@pytest.fixture(scope="module")
def obs_clients():
    from obs import ObsClient

    made = {}
    for signature in ("obs", "v2", "v4"):
        for path_style in (False, True):
            if signature == "obs" and path_style:
                continue  # the SDK itself falls back to v2
            made[signature, path_style] = ObsClient(
                access_key_id=AK, secret_access_key=SK, server=f"https://{HOST}", signature=signature,
                path_style=path_style, region="cn-north-4", is_signature_negotiation=False,
            )  # fmt: skip
    yield made
    for client in made.values():
        client.close()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the OBS SDK's own
@pytest.mark.parametrize("signature", [("obs", False), ("v2", False), ("v2", True), ("v4", False), ("v4", True)])
def test_signed_urls_of_the_obs_sdk(obs_clients, signature):
    client = obs_clients[signature]
    for key, special, query in (
        ("a/b c.txt", None, {}),
        ("云.json", "acl", {}),
        ("k", "uploads", {"x-image-process": "image/resize,w_100"}),
        ("p", None, {"partNumber": "1", "uploadId": "u/1"}),
    ):
        made = client.createSignedUrl("GET", "bucket", key, specialParam=special, expires=600, queryParams=query)
        headers = {name.lower(): value for name, value in (made.actualSignedRequestHeaders or {}).items()}
        headers.pop("host", None)
        assert_held(Request("GET", made.signedUrl, headers))


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("signature", [("obs", False), ("v2", False), ("v2", True), ("v4", False), ("v4", True)])
def test_calls_of_the_obs_sdk(obs_clients, signature):
    """Through the wire: what the SDK sends is what OBS checks."""
    from pytest_hwcloud.interceptors import router

    sent = []

    class Listening:
        offline, hosts = True, ()

        def answer(self, request):
            from pytest_hwcloud.cloud.wire import Answer

            sent.append(request)
            return Answer(200, {}, b"", "OK")

    client = obs_clients[signature]
    router.enter(Listening())
    try:
        client.putContent("bucket", "a b/云.txt", content="hello", metadata={"name": "x y"})
        client.getObjectMetadata("bucket", "k")
        client.listObjects("bucket", prefix="a/b", max_keys=3)
        client.getBucketAcl("bucket")
        client.listBuckets()
        client.uploadPart("bucket", "k", 1, "u1", content="part")
        client.deleteObject("bucket", "a+b=c&d")
    finally:
        router.leave()
    assert len(sent) == 7
    for request in sent:
        assert_held(request)


def streaming(body_chunks, *, trailer=None, unsigned=False):
    """An upload in signed chunks, as Amazon's documents have it (written from them, apart from the code under test)."""
    import hmac

    now = datetime.now(UTC)
    stamp, scope = now.strftime("%Y%m%dT%H%M%SZ"), f"{now:%Y%m%d}/cn-north-4/s3/aws4_request"
    kind = "STREAMING-UNSIGNED-PAYLOAD-TRAILER" if unsigned else "STREAMING-AWS4-HMAC-SHA256-PAYLOAD"
    kind += "-TRAILER" if trailer and not unsigned else ""
    size = sum(map(len, body_chunks))
    headers = {"host": f"bucket.{HOST}", "x-amz-content-sha256": kind, "x-amz-date": stamp,
               "x-amz-decoded-content-length": str(size)}  # fmt: skip
    if trailer:
        headers["x-amz-trailer"] = trailer[0]

    def mac(key, text):
        return hmac.new(key, text.encode(), hashlib.sha256)

    key = f"AWS4{SK}".encode()
    for part in scope.split("/"):
        key = mac(key, part).digest()
    names = ";".join(sorted(headers))
    block = "".join(f"{name}:{headers[name]}\n" for name in sorted(headers))
    canonical = f"PUT\n/k\n\n{block}\n{names}\n{kind}"
    seed = mac(key, f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}").hexdigest()
    body, previous, empty = b"", seed, hashlib.sha256(b"").hexdigest()
    for chunk in [*body_chunks, b""]:
        if unsigned:
            body += f"{len(chunk):x}\r\n".encode() + chunk + (b"\r\n" if chunk else b"")
            continue
        hashed = hashlib.sha256(chunk).hexdigest()
        previous = mac(key, f"AWS4-HMAC-SHA256-PAYLOAD\n{stamp}\n{scope}\n{previous}\n{empty}\n{hashed}").hexdigest()
        body += f"{len(chunk):x};chunk-signature={previous}\r\n".encode() + chunk
        body += b"\r\n" if chunk or not trailer else b""
    if trailer:
        line = f"{trailer[0]}:{trailer[1]}"
        body += f"{line}\r\n".encode()
        if not unsigned:
            hashed = hashlib.sha256(f"{line}\n".encode()).hexdigest()
            sealed = mac(key, f"AWS4-HMAC-SHA256-TRAILER\n{stamp}\n{scope}\n{previous}\n{hashed}").hexdigest()
            body += f"x-amz-trailer-signature:{sealed}\r\n".encode()
        body += b"\r\n"
    headers["authorization"] = f"AWS4-HMAC-SHA256 Credential={AK}/{scope}, SignedHeaders={names}, Signature={seed}"
    return Request("PUT", f"https://bucket.{HOST}/k", headers, body)


CRC = ("x-amz-checksum-crc32", "DUoRhQ==")  # of b"hello world"


@pytest.mark.parametrize(("trailer", "unsigned"), [(None, False), (CRC, False), (CRC, True)])
def test_uploads_in_chunks(trailer, unsigned):
    request = streaming([b"hello", b" world"], trailer=trailer, unsigned=unsigned)
    assert verdict(request) == ""
    for old, new in ((b"hello", b"jello"), (b"world", b"worl!")):
        assert verdict(Request("PUT", request.url, request.headers, request.body.replace(old, new))) == "mismatch"
    assert verdict(Request("PUT", request.url, request.headers, request.body[:20])) in ("mismatch", "malformed")
    assert verdict(Request("PUT", request.url, request.headers, b"plain")) in ("mismatch", "malformed")


@pytest.mark.parametrize("headers", [
    {"authorization": "OBS nonsense"},
    {"authorization": f"OBS {AK}:"},
    {"authorization": f"AWS4-HMAC-SHA256 Credential={AK}, SignedHeaders=, Signature=a",
     "x-amz-date": "20260101T000000Z"},
    {"authorization": f"AWS4-HMAC-SHA256 Credential={AK}/x/y/z/aws4_request, SignedHeaders=host, Signature=a",
     "x-amz-date": "yesterday"},
    {"authorization": f"AWS {AK}:sig", "date": "no date"},
])  # fmt: skip
def test_what_cannot_be_read_is_malformed(headers):
    request = Request("GET", f"https://bucket.{HOST}/k", headers)
    claim = claim_of(request)
    assert claim is not None
    assert check(request, claim, SK, datetime.now(UTC)).reason == "malformed"


def test_a_signature_needs_its_date():
    request = Request("GET", f"https://bucket.{HOST}/k", {"authorization": f"OBS {AK}:sig"})
    assert verdict(request) == "no-date"
