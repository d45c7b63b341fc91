"""Signers behind one interface (used by bench4_signing.py).

A spec is neutral: method, host, path, query pairs, headers, body bytes. prepare() turns it into the library's own
request object (not timed), sign() signs that object (timed) and returns the Authorization value. Signing the same
object again must be possible and must do the whole work again.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from common import has

AK, SK = "HST3WSYAMPLE00000000", "Zx4EXAMPLEexampleEXAMPLEexampleEXAMPLE00"
DATE = "20251121T100000Z"


@dataclass
class Spec:
    method: str
    host: str
    path: str
    query: list[tuple[str, str]]
    body: bytes
    headers: dict[str, str] = field(
        default_factory=lambda: {"Content-Type": "application/json", "X-Project-Id": "0605767c80d5d5762fe0c0185a2c3f34"}
    )


def spec(body_bytes: int, params: int, number: int | None = None) -> Spec:
    """With a number, the path and every query value are this request's own (nothing repeats but the names)."""
    words = [
        "limit",
        "marker",
        "name",
        "status",
        "enterprise_project_id",
        "not-tags",
        "tags",
        "flavor",
        "ip_eq",
        "offset",
    ]
    query = [
        (
            f"{words[i % 10]}{'' if i < 10 else i}",
            ["100", "ecs 01/prod", "ACTIVE", "a=b", "0605767c-80d5-d576", "\u6d4b\u8bd5"][i % 6],
        )
        for i in range(params)
    ]
    path = "/v1/0605767c80d5d5762fe0c0185a2c3f34/cloudservers/detail"
    if number is not None:
        query = [(k, f"{v}{number}-{i}") for i, (k, v) in enumerate(query)]
        path = f"/v1/0605767c80d5d5762fe0c0185a2c3f34/cloudservers/{number:08x}-9a4b-4b2b-b3a5-3b6a0c9d7f11"
    return Spec(
        "POST" if body_bytes else "GET",
        "ecs.ap-southeast-1.myhuaweicloud.com",
        path,
        query,
        (b'{"a":"0123456789"}' * (body_bytes // 18 + 1))[:body_bytes],
    )


class SignerSubject:
    note = ""

    def prepare(self, s: Spec) -> Any:
        raise NotImplementedError

    def sign(self, native: Any) -> Any:
        raise NotImplementedError


class HuaweiSdk(SignerSubject):
    """huaweicloudsdkcore.signer.signer.Signer.sign on an SdkRequest."""

    def __init__(self) -> None:
        has("huaweicloudsdkcore")
        from huaweicloudsdkcore.auth.credentials import BasicCredentials
        from huaweicloudsdkcore.signer.signer import Signer

        self.signer = Signer(BasicCredentials(AK, SK, "p"))

    def prepare(self, s: Spec):
        from huaweicloudsdkcore.sdk_request import SdkRequest

        return SdkRequest(
            method=s.method,
            schema="https",
            host=s.host,
            resource_path=s.path,
            query_params=list(s.query),
            header_params=dict(s.headers),
            body=s.body,
            stream=False,
            signing_algorithm=None,
        ), dict(s.headers)

    def sign(self, native):
        request, headers = native
        request.header_params = dict(headers)  # as after building; sign() adds to it
        return self.signer.sign(request).header_params["Authorization"]


class HuaweiSdkFixedDate(HuaweiSdk):
    """The same with X-Sdk-Date given (the SDK then parses it with strptime)."""

    def sign(self, native):
        request, headers = native
        request.header_params = {**headers, "X-Sdk-Date": DATE}
        return self.signer.sign(request).header_params["Authorization"]


class Botocore(SignerSubject):
    def __init__(self) -> None:
        has("botocore")
        from botocore.auth import SigV4Auth
        from botocore.credentials import Credentials

        self.auth = SigV4Auth(Credentials(AK, SK), "ec2", "eu-west-1")

    def prepare(self, s: Spec):
        from botocore.awsrequest import AWSRequest

        return AWSRequest(
            method=s.method, url=f"https://{s.host}{s.path}", params=s.query, headers=s.headers, data=s.body
        )

    def sign(self, native):
        self.auth.add_auth(native)  # removes the Authorization and X-Amz-Date of the time before
        return native.headers["Authorization"]


class Aws4auth(SignerSubject):
    """requests-aws4auth: SigV4 as a requests auth object, on a PreparedRequest."""

    def __init__(self) -> None:
        has("requests_aws4auth")
        from requests_aws4auth import AWS4Auth

        self.auth = AWS4Auth(AK, SK, "eu-west-1", "ec2")

    def prepare(self, s: Spec):
        import requests

        return requests.Request(
            s.method, f"https://{s.host}{s.path}", params=s.query, headers=s.headers, data=s.body
        ).prepare()

    def sign(self, native):
        for h in ("Authorization", "x-amz-date", "x-amz-content-sha256"):
            native.headers.pop(h, None)
        return self.auth(native).headers["Authorization"]


class Lean(SignerSubject):
    """LIMIT with canonicalisation: proto.LeanSigner; gives the SDK's signature byte for byte."""

    note = "repeated words, paths and header shapes computed once; the date once a second"

    def __init__(self) -> None:
        import proto

        self.signer = proto.LeanSigner(AK, SK)

    def prepare(self, s: Spec):
        return s

    def sign(self, s: Spec, date: str | None = None):
        if date is None:
            import time

            now = int(time.time())
            if now != getattr(self, "_second", None):
                self._second = now
                self._date = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(now))
            date = self._date
        headers = dict(s.headers)
        headers["X-Sdk-Date"] = date
        headers["Host"] = s.host
        return self.signer.sign(s.method, s.path, s.query, headers, s.body, date)


class Hashes(SignerSubject):
    """PHYSICAL LIMIT: only the digests, over the same number of bytes."""

    note = "sha256(body) + sha256(canonical request) + hmac.digest(string to sign); no text is built"

    def prepare(self, s: Spec):
        q = "&".join(f"{quote(k, safe='~')}={quote(v, safe='~')}" for k, v in sorted(s.query))
        head = f"content-type:application/json\nhost:{s.host}\nx-project-id:0605767c80d5d5762fe0c0185a2c3f34\nx-sdk-date:{DATE}\n"
        canonical = (
            f"{s.method}\n{s.path}/\n{q}\n{head}\ncontent-type;host;x-project-id;x-sdk-date\n{'0' * 64}".encode()
        )
        return s.body, canonical, f"SDK-HMAC-SHA256\n{DATE}\n{'0' * 64}".encode()

    def sign(self, native):
        body, canonical, to_sign = native
        if body:
            hashlib.sha256(body).hexdigest()
        hashlib.sha256(canonical).hexdigest()
        return hmac.digest(SK.encode(), to_sign, "sha256").hex()


def hwcloud() -> SignerSubject:
    import plugin_subject

    return plugin_subject.signer(AK, SK)


REGISTRY = {
    "Huawei SDK": HuaweiSdk,
    "Huawei SDK (date given)": HuaweiSdkFixedDate,
    "botocore SigV4": Botocore,
    "requests-aws4auth": Aws4auth,
    "limit: lean signer": Lean,
    "limit: digests only": Hashes,
    "hwcloud": hwcloud,
}


def check() -> None:
    """The lean signer gives the SDK's own signature, for every cell that is measured."""
    sdk, lean = HuaweiSdkFixedDate(), Lean()
    for body in (0, 1 << 10, 1 << 20):
        for params in (0, 10, 50):
            s = spec(body, params)
            a, b = sdk.sign(sdk.prepare(s)), lean.sign(lean.prepare(s), DATE)
            assert a == b, (body, params, a, b)
    for number in (0, 7, 4711):
        s = spec(0, 50, number)
        assert sdk.sign(sdk.prepare(s)) == lean.sign(lean.prepare(s), DATE)
