"""What comes one after the other: a fault, a 503 and a success through the retries of every client; repeats."""

from __future__ import annotations

import asyncio
import http.client
import json
import urllib.error
import urllib.request

import aiohttp
import botocore.session
import httpx
import pytest
import requests
import urllib3
from botocore.config import Config
from replaying import HOST, LIST, PROJECT, entry, replaying, state, tape
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pytest_hwcloud.cassettes.interaction import FAULTS
from pytest_hwcloud.interceptors.cloud_session import CloudSession
from pytest_hwcloud.journal import CURRENT

TOKEN = {"X-Auth-Token": "of nobody of the run"}
BUCKET = "https://obs.cn-north-4.myhuaweicloud.com"
KEYS = {"Content-Type": ["application/xml"]}
NOTHING = "<ListAllMyBucketsResult><Buckets/></ListAllMyBucketsResult>"


def sequence(url=LIST, fault="connection-reset", body='{"count": 1, "servers": []}', headers=None):
    return [
        entry(url, fault=fault),
        entry(url, status=503, body="busy", headers=headers),
        entry(url, body=body, headers=headers),
    ]


@pytest.fixture
def play(tmp_path):
    cloud = state()

    def plays(*entries, **metadata):
        return replaying(tape(tmp_path / "c.yaml", *entries, **metadata), cloud=cloud)

    plays.who = cloud.identity("default")
    return plays


def heard():
    return [exchange.fault or exchange.status for exchange in CURRENT.journal.exchanges]


def retries(**options):
    return Retry(total=5, backoff_factor=0, status_forcelist=[503], allowed_methods=None, **options)


def by_requests(made=requests.Session):
    with made() as session:
        session.mount("https://", HTTPAdapter(max_retries=retries()))
        return session.get(LIST, headers=TOKEN, timeout=3).json()["count"]


def by_urllib3():
    with urllib3.PoolManager(retries=retries()) as pool:
        return pool.request("GET", LIST, headers=TOKEN, timeout=3).json()["count"]


def by_httpx():
    """httpx itself tries again only where no connection came about; programs bring a transport of their own."""

    class Again(httpx.HTTPTransport):
        def handle_request(self, request):
            for _ in range(5):
                try:
                    response = super().handle_request(request)
                except httpx.TransportError:
                    continue
                if response.status_code != 503:
                    return response
            raise AssertionError

    with httpx.Client(transport=Again()) as client:
        return client.get(LIST, headers=TOKEN).json()["count"]


def by_async_httpx():
    class Again(httpx.AsyncHTTPTransport):
        async def handle_async_request(self, request):
            for _ in range(5):
                try:
                    response = await super().handle_async_request(request)
                except httpx.TransportError:
                    continue
                if response.status_code != 503:
                    return response
            raise AssertionError

    async def call():
        async with httpx.AsyncClient(transport=Again()) as client:
            return (await client.get(LIST, headers=TOKEN)).json()["count"]

    return asyncio.run(call())


def by_aiohttp():
    async def call():
        async with aiohttp.ClientSession(headers=TOKEN) as session:
            for _ in range(5):
                try:
                    async with session.get(LIST) as answer:
                        if answer.status == 200:
                            return (await answer.json())["count"]
                except aiohttp.ClientError:
                    continue
        raise AssertionError

    return asyncio.run(call())


def by_urllib():
    for _ in range(5):
        try:
            with urllib.request.urlopen(urllib.request.Request(LIST, headers=TOKEN)) as answer:
                return json.load(answer)["count"]
        except OSError:  # URLError, HTTPError and what http.client lets through
            continue
    raise AssertionError


def by_http_client():
    connection = http.client.HTTPSConnection("ecs.cn-north-4.myhuaweicloud.com")
    for _ in range(5):
        try:
            connection.request("GET", LIST.removeprefix(HOST), headers=TOKEN)
            answer = connection.getresponse()
        except OSError:
            connection.close()
            continue
        body = answer.read()
        if answer.status == 200:
            return json.loads(body)["count"]
    raise AssertionError


CLIENTS = {
    "session": lambda: by_requests(CloudSession),
    "requests": by_requests,
    "urllib3": by_urllib3,
    "httpx": by_httpx,
    "httpx-async": by_async_httpx,
    "aiohttp": by_aiohttp,
    "urllib": by_urllib,
    "http.client": by_http_client,
}


OFTEN = ("connection-reset", "dns")  # one in the middle of a call, one before it; .ci/run tries all


@pytest.mark.parametrize(
    "fault", [pytest.param(one, marks=[pytest.mark.extended] if one not in OFTEN else []) for one in FAULTS]
)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_fault_a_503_and_a_success_through_the_retries_of_the_client(play, client, fault):
    with play(*sequence(fault=fault)):
        assert CLIENTS[client]() == 1
        assert heard() == [fault, 503, 200]


@pytest.mark.parametrize("fault", ["connection-reset", "connection-refused", "connect-timeout", "read-timeout"])
def test_botocore_retries(play, fault):
    url = f"{BUCKET}/"
    with play(*sequence(url, fault, NOTHING, KEYS)):
        client = botocore.session.get_session().create_client(
            "s3",
            endpoint_url=BUCKET,
            region_name="cn-north-4",
            aws_access_key_id=play.who.ak,
            aws_secret_access_key=play.who.sk,
            config=Config(retries={"total_max_attempts": 5, "mode": "standard"}, s3={"addressing_style": "path"}),
        )
        client.meta.events.register("needs-retry.s3.ListBuckets", lambda **_: 0.0 if len(heard()) < 3 else None)
        assert client.list_buckets()["Buckets"] == []
        assert heard() == [fault, 503, 200]


def sdk_client(play, **config):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.http.http_config import HttpConfig
    from huaweicloudsdkecs.v2 import EcsClient
    from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion

    keys = BasicCredentials(play.who.ak, play.who.sk, PROJECT)
    builder = EcsClient.new_builder().with_credentials(keys).with_http_config(HttpConfig(**config))
    return builder.with_region(EcsRegion.value_of("cn-north-4")).build()


def test_the_sdk_tries_again_as_often_as_its_configuration_says(play):
    from huaweicloudsdkecs.v2 import ListServersDetailsRequest

    with play(entry(fault="connection-reset"), entry(fault="connection-refused"), *sequence()[2:]):
        assert sdk_client(play, retry_times=3).list_servers_details(ListServersDetailsRequest()).count == 1
        assert heard() == ["connection-reset", "connection-refused", 200]


def test_the_invoker_of_the_sdk_plays_the_whole_sequence(play):
    from huaweicloudsdkcore.exceptions.exceptions import ConnectionException, ServerResponseException
    from huaweicloudsdkcore.retry.backoff_strategy import BackoffStrategies
    from huaweicloudsdkecs.v2 import ListServersDetailsRequest

    def again(response, error):
        return isinstance(error, (ServerResponseException, ConnectionException))

    with play(*sequence()):
        invoker = sdk_client(play).list_servers_details_invoker(ListServersDetailsRequest())
        assert invoker.with_retry(again, 5, BackoffStrategies.NONE).invoke().count == 1
        assert heard() == ["connection-reset", 503, 200]


def one(client):
    """A function that makes one call and gives the body."""
    if client in ("session", "requests"):
        session = CloudSession() if client == "session" else requests.Session()
        return lambda: session.get(LIST, headers=TOKEN).text
    if client == "urllib3":
        pool = urllib3.PoolManager()
        return lambda: pool.request("GET", LIST, headers=TOKEN).data.decode()
    if client == "httpx":
        return lambda: httpx.get(LIST, headers=TOKEN).text
    if client == "urllib":
        return lambda: urllib.request.urlopen(urllib.request.Request(LIST, headers=TOKEN)).read().decode()

    async def get():
        async with aiohttp.ClientSession() as session, session.get(LIST, headers=TOKEN) as answer:
            return await answer.text()

    return lambda: asyncio.run(get())


@pytest.mark.parametrize("client", ["session", "requests", "urllib3", "httpx", "urllib", "aiohttp"])
@pytest.mark.parametrize(
    ("metadata", "wanted"),
    [({"repeat_last": True}, "1222"), ({"allow_playback_repeats": True}, "1211"), ({}, "12")],
)
def test_what_comes_after_the_last_answer_for_every_client(play, client, metadata, wanted):
    with play(entry(body="1"), entry(body="2"), **metadata) as player:
        call = one(client)
        assert "".join(call() for _ in wanted) == wanted
        if not metadata:
            with pytest.raises(Exception, match="no recorded answer"):
                call()
            player.unrecorded.clear()


@pytest.mark.parametrize("client", ["session", "requests", "urllib3", "httpx", "urllib", "aiohttp"])
def test_one_entry_may_repeat_by_itself(play, client):
    with play(entry(body="1"), entry(body="2", repeat_last=True)):
        call = one(client)
        assert "".join(call() for _ in range(4)) == "1222"


@pytest.mark.parametrize("client", ["session", "requests", "urllib3", "httpx", "urllib", "aiohttp"])
@pytest.mark.parametrize(
    ("metadata", "wanted"), [({"repeat_last": True}, "1222"), ({"allow_playback_repeats": True}, "1211")]
)
def test_recording_what_is_missing_repeats_as_the_replay_does(tmp_path, play, client, metadata, wanted):
    from replaying import write

    from pytest_hwcloud.cassettes.tape import Tape
    from pytest_hwcloud.interceptors import router
    from pytest_hwcloud.replay.identity_mapping import IdentityMapping
    from pytest_hwcloud.replay.recorder import Recorder

    who = {"default": play.who}
    file = write(tmp_path / "c.yaml", entry(body="1"), entry(body="2"), **metadata)
    recorder = Recorder(file, IdentityMapping(who, who), tapes=[Tape.load(file)])
    with router.using(recorder):
        call = one(client)
        assert "".join(call() for _ in wanted) == wanted
    assert recorder.commit(keep=True) is None
    router.leave()
