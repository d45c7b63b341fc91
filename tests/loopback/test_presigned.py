"""Presigned URLs: recorded without their credentials, found again with others, and checked like a header."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
import requests
from botocore.auth import S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from loopback.cloud import REAL, REGION, Cloud
from loopback.conftest import REPLAYED

URL = f"https://obs.{REGION}.myhuaweicloud.com/bucket/key?partNumber=2&uploadId=u1"


def presigned(ak: str, sk: str, seconds: int = 600) -> str:
    made = AWSRequest(method="GET", url=URL)
    S3SigV4QueryAuth(Credentials(ak, sk), "s3", REGION, expires=seconds).add_auth(made)
    return str(made.url)


@pytest.mark.parametrize("get", [requests.get, httpx.get])
def test_recorded_and_replayed(
    cloud: Cloud,
    recording: Callable[..., Any],
    replaying: Callable[..., Any],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    get: Callable[..., Any],
) -> None:
    monkeypatch.setattr(cloud, "answer", lambda request: (200, b"an object", {"ETag": '"abc"'}))
    url = presigned(REAL.ak, REAL.sk)
    with recording():
        assert get(url).content == b"an object"
    text = (tmp_path / "test.yaml").read_text()
    for secret in (REAL.ak, REAL.sk, url.rpartition("X-Amz-Signature=")[2]):
        assert secret not in text
    with replaying():
        answer = get(presigned(REPLAYED.ak, REPLAYED.sk))
        assert (answer.content, answer.headers["ETag"]) == (b"an object", '"abc"')


@pytest.mark.parametrize(
    ("sk", "seconds", "code"), [("wrong", 600, "SignatureDoesNotMatch"), (REPLAYED.sk, 0, "Request has expired")]
)
def test_a_wrong_one_is_refused(
    cloud: Cloud,
    recording: Callable[..., Any],
    replaying: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    sk: str,
    seconds: int,
    code: str,
) -> None:
    monkeypatch.setattr(cloud, "answer", lambda request: (200, b"an object", {}))
    with recording():
        requests.get(presigned(REAL.ak, REAL.sk))
    with replaying() as player:
        now = player.state.clock
        monkeypatch.setattr(player.state, "clock", lambda: now() + timedelta(seconds=2))
        answer = requests.get(presigned(REPLAYED.ak, sk, seconds))
        assert answer.status_code == 403
        assert code in answer.text
