"""`hwcloud.refused` catches what every client raises for a refusal, and sees one that a client only returns."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

PROJECT = "05041fffa40025702f6dc009cc6f8f33"
ECS = "https://ecs.cn-north-4.myhuaweicloud.com"
REFUSED = {"error": {"message": "do not have the required roles", "code": "Ecs.0110"}}
VERSION = {"version": {"id": "v2.1", "status": "CURRENT", "version": "2.60", "min_version": "2.1", "links": []}}
DENIED = '<?xml version="1.0"?><Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>'

SUITE = """
import asyncio, http.client, urllib.error, urllib.request, warnings
import aiohttp, botocore.exceptions, httpx, pytest, requests, urllib3

URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"
pytestmark = pytest.mark.hwcloud_cassette("refusals")

@pytest.fixture
def headers(hwcloud):
    return {"X-Auth-Token": hwcloud.token().value}

@pytest.fixture
def refused(hwcloud):
    return lambda: hwcloud.refused("Ecs.0110", gate="authorization")

def test_requests(refused, headers):
    with refused() as refusal:
        requests.get(URL, headers=headers).raise_for_status()
    assert type(refusal.error) is requests.HTTPError
    assert (refusal.code, refusal.status, refusal.gate) == ("Ecs.0110", 403, "authorization")

def test_urllib(refused, headers):
    with refused() as refusal:
        urllib.request.urlopen(urllib.request.Request(URL, headers=headers))
    assert type(refusal.error) is urllib.error.HTTPError

def test_httpx(refused, headers):
    with refused() as refusal:
        httpx.get(URL, headers=headers).raise_for_status()
    assert type(refusal.error) is httpx.HTTPStatusError

def test_httpx_in_a_task_group(refused, headers):
    async def one():
        async with httpx.AsyncClient() as client:
            (await client.get(URL, headers=headers)).raise_for_status()
    async def call():
        async with asyncio.TaskGroup() as group:
            group.create_task(one())
    with refused() as refusal:
        asyncio.run(call())
    assert type(refusal.error.exceptions[0]) is httpx.HTTPStatusError

def test_aiohttp(refused, headers):
    async def call():
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            await session.get(URL, headers=headers)
    with refused() as refusal:
        asyncio.run(call())
    assert type(refusal.error) is aiohttp.ClientResponseError

def test_urllib3_raises_nothing(refused, headers):
    with refused() as refusal:
        assert urllib3.PoolManager().request("GET", URL, headers=headers).status == 403
    assert refusal.error is None

def test_http_client_raises_nothing(refused, headers):
    connection = http.client.HTTPSConnection("ecs.cn-north-4.myhuaweicloud.com")
    with refused():
        connection.request("GET", URL.partition(".com")[2], headers=headers)
        assert connection.getresponse().status == 403

def test_the_sdk(refused, hwcloud):
    from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException
    from huaweicloudsdkecs.v2 import EcsAsyncClient, EcsClient, ListServersDetailsRequest
    with refused() as refusal:
        hwcloud.client(EcsClient).list_servers_details(ListServersDetailsRequest())
    assert type(refusal.error) is ClientRequestException
    with refused() as refusal:
        hwcloud.client(EcsAsyncClient).list_servers_details_async(ListServersDetailsRequest()).result()
    assert type(refusal.error) is ClientRequestException

def s3(hwcloud, **keys):
    import botocore.session
    who = hwcloud.credentials()
    keys = {"aws_access_key_id": who.ak, "aws_secret_access_key": who.sk, **keys}
    options = {"endpoint_url": "https://obs.cn-north-4.myhuaweicloud.com", "region_name": "cn-north-4"}
    return botocore.session.get_session().create_client("s3", **options, **keys)

def test_botocore(hwcloud):
    with hwcloud.refused("AccessDenied", gate="authorization") as refusal:
        s3(hwcloud).list_buckets()
    assert isinstance(refusal.error, botocore.exceptions.ClientError)
    with hwcloud.refused("SignatureDoesNotMatch", gate="authentication") as refusal:
        s3(hwcloud, aws_secret_access_key="wrong").list_buckets()
    assert isinstance(refusal.error, botocore.exceptions.ClientError)

@pytest.mark.filterwarnings("ignore:ssl.PROTOCOL_TLS:DeprecationWarning")
def test_the_older_obs_sdk_raises_nothing(hwcloud):
    from obs import ObsClient
    with hwcloud.refused("AccessDenied", gate="authorization") as refusal:
        assert hwcloud.client(ObsClient).listBuckets().status == 403
    assert refusal.error is None

def test_the_obs_sdk(hwcloud):
    from huaweicloudsdkobs.v1 import ListBucketsRequest, ObsClient
    with hwcloud.refused("AccessDenied", gate="authorization") as refusal:
        hwcloud.client(ObsClient).list_buckets(ListBucketsRequest())
    assert type(refusal.error).__name__ == "ClientRequestException"

@pytest.mark.filterwarnings("ignore::Warning:openstack")
def test_openstacksdk(hwcloud, hwcloud_env):
    import openstack
    with hwcloud.refused("Ecs.0110", gate="authorization") as refusal:
        list(openstack.connect(region_name="cn-north-4").compute.servers())
    assert isinstance(refusal.error, openstack.exceptions.ForbiddenException)

def test_keystoneauth(hwcloud, headers):
    import keystoneauth1.exceptions, keystoneauth1.session, keystoneauth1.token_endpoint
    auth = keystoneauth1.token_endpoint.Token(endpoint="https://x", token=headers["X-Auth-Token"])
    with hwcloud.refused("Ecs.0110") as refusal:
        keystoneauth1.session.Session(auth=auth).get(URL)
    assert type(refusal.error) is keystoneauth1.exceptions.http.Forbidden

@pytest.mark.parametrize("chained", [True, False])
def test_an_exception_of_the_code_under_test(refused, headers, chained):
    class Failed(Exception):
        pass
    with refused() as refusal:
        try:
            requests.get(URL, headers=headers).raise_for_status()
        except requests.HTTPError as error:
            if chained:
                raise Failed("no inventory") from error
            raise Failed("no inventory")
    assert type(refusal.error) is Failed
"""


def answer(method: str, url: str, status: int, body: object) -> dict[str, object]:
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "application/xml" if isinstance(body, str) else "application/json"
    headers = {"Content-Type": [kind]}
    response = {"status": {"code": status, "message": ""}, "headers": headers, "body": {"string": text}}
    return {"request": {"method": method, "uri": url, "body": None, "headers": {}}, "response": response}


def test_every_client(run: Callable[..., pytest.RunResult], pytester: pytest.Pytester) -> None:
    obs = "https://obs.cn-north-4.myhuaweicloud.com/"
    entries = [
        answer("GET", f"{ECS}/v1/{PROJECT}/cloudservers/detail", 403, REFUSED),
        answer("GET", f"{ECS}/v2.1", 200, VERSION),
        answer("GET", f"{ECS}/v2.1/{PROJECT}", 200, VERSION),
        answer("GET", f"{ECS}/v2.1/{PROJECT}/servers/detail", 403, REFUSED),
        answer("GET", obs, 403, DENIED),
        answer("HEAD", f"{obs}?apiversion", 200, ""),
    ]
    folder = Path(pytester.mkdir("cassettes"))
    recorded = {"version": 1, "metadata": {"repeat_last": True}, "interactions": entries}
    (folder / "refusals.json").write_text(json.dumps(recorded))
    result = run(SUITE, "-W", "error::DeprecationWarning")
    result.assert_outcomes(passed=15)
