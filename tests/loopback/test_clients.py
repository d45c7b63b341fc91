"""Every client library records through the loopback cloud, and replays signed and scoped with the cloud unseen."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import requests
from loopback.cloud import REAL, REGION, Cloud
from loopback.conftest import REPLAYED, secrets_of

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
from pytest_hwcloud.cloud.signing.algorithms import sign
from pytest_hwcloud.interceptors.cloud_session import CloudSession
from pytest_hwcloud.secrets.encodings import spellings

Recording = Callable[..., AbstractContextManager[object]]
ECS = f"https://ecs.{REGION}.myhuaweicloud.com"


def url(who: Identity, path: str = "cloudservers/detail") -> str:
    return f"{ECS}/v1/{who.projects[REGION]}/{path}"


def signed(who: Identity, address: str, method: str = "GET", body: bytes = b"") -> dict[str, str]:
    return sign(method, address, {"Content-Type": "application/json"}, body, ak=who.ak, sk=who.sk)


def by_requests(who: Identity) -> object:
    return requests.get(url(who), auth=AkSkAuth(who.ak, who.sk)).json()


def by_our_session(who: Identity) -> object:
    with CloudSession() as session:
        session.auth = AkSkAuth(who.ak, who.sk)
        return session.get(url(who)).json()


def by_urllib3(who: Identity) -> object:
    import os

    import urllib3

    with urllib3.PoolManager(ca_certs=os.environ["SSL_CERT_FILE"]) as pool:
        return json.loads(pool.request("GET", url(who), headers=signed(who, url(who))).data)


def by_httpx(who: Identity) -> object:
    import httpx

    with httpx.Client() as client:
        return client.get(url(who), headers=signed(who, url(who))).json()


def by_async_httpx(who: Identity) -> object:
    import httpx

    async def get() -> object:
        async with httpx.AsyncClient() as client:
            return (await client.get(url(who), headers=signed(who, url(who)))).json()

    return asyncio.run(get())


def by_aiohttp(who: Identity) -> object:
    import os
    import ssl

    import aiohttp

    async def get() -> object:
        context = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"])
        async with (
            aiohttp.ClientSession() as session,
            session.get(url(who), headers=signed(who, url(who)), ssl=context) as answer,
        ):
            return await answer.json()

    return asyncio.run(get())


def _ecs(who: Identity, asynchronous: bool) -> object:
    import os

    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.http.http_config import HttpConfig
    from huaweicloudsdkecs.v2 import EcsAsyncClient, EcsClient

    config = HttpConfig.get_default_config()
    config.ssl_ca_cert = os.environ["SSL_CERT_FILE"]
    builder = (EcsAsyncClient if asynchronous else EcsClient).new_builder()
    credentials = BasicCredentials(who.ak, who.sk, who.projects[REGION])
    return builder.with_http_config(config).with_credentials(credentials).with_endpoints([ECS]).build()


def by_sdk(who: Identity) -> object:
    from huaweicloudsdkecs.v2 import ListServersDetailsRequest

    found = _ecs(who, False).list_servers_details(ListServersDetailsRequest())  # type: ignore[attr-defined]
    return {"count": found.count, "servers": [{"name": one.name} for one in found.servers]}


def by_async_sdk(who: Identity) -> object:
    from huaweicloudsdkecs.v2 import ListServersDetailsRequest

    request = ListServersDetailsRequest()
    found = _ecs(who, True).list_servers_details_async(request).result()  # type: ignore[attr-defined]
    return {"count": found.count, "servers": [{"name": one.name} for one in found.servers]}


def by_threads(who: Identity) -> object:
    found: list[object] = []
    threads = [threading.Thread(target=lambda: found.append(by_requests(who))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    return found[0]


CLIENTS = [
    by_requests,
    by_our_session,
    by_urllib3,
    by_httpx,
    by_async_httpx,
    by_aiohttp,
    by_sdk,
    by_async_sdk,
    by_threads,
]


@pytest.mark.parametrize("client", CLIENTS)
def test_records_and_replays(
    client: Callable[[Identity], object], recording: Recording, replaying: Recording, cloud: Cloud, tmp_path: Path
) -> None:
    with recording():
        heard = client(REAL)
    assert len(cloud.seen) == (4 if client is by_threads else 1)
    text = (tmp_path / "test.yaml").read_text()
    assert [secret for secret in secrets_of(REAL) for one in spellings(secret) if one in text] == []
    with replaying():
        again = client(REPLAYED)
    assert isinstance(heard, dict)
    assert isinstance(again, dict)
    assert again["count"] == heard["count"] == 2
    assert [one["name"] for one in again["servers"]] == [one["name"] for one in heard["servers"]] == ["ecs-1", "ecs-2"]
