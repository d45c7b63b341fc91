"""Each client sees its own exception, with the chain that the network would have made."""

import asyncio
import http.client
import socket
import ssl
import urllib.error
import urllib.request

import aiohttp
import httpx
import pytest
import requests
import urllib3
from replaying import LIST, entry, replaying, signed, state, tape

from pytest_hwcloud.cassettes.interaction import FAULTS
from pytest_hwcloud.interceptors.cloud_session import CloudSession
from pytest_hwcloud.interceptors.router import CloudFault

LOWEST = {
    "dns": (socket.gaierror, "[Errno -2] Name or service not known"),
    "connection-refused": (ConnectionRefusedError, "[Errno 111] Connection refused"),
    "connection-reset": (ConnectionResetError, "[Errno 104] Connection reset by peer"),
    "connect-timeout": (TimeoutError, "timed out"),
    "read-timeout": (TimeoutError, "The read operation timed out"),
    "tls": (ssl.SSLCertVerificationError, "CERTIFICATE_VERIFY_FAILED"),
}
REQUESTS = {
    "dns": (requests.ConnectionError, urllib3.exceptions.NameResolutionError),
    "connection-refused": (requests.ConnectionError, urllib3.exceptions.NewConnectionError),
    "connection-reset": (requests.ConnectionError, urllib3.exceptions.ProtocolError),
    "connect-timeout": (requests.ConnectTimeout, urllib3.exceptions.ConnectTimeoutError),
    "read-timeout": (requests.ReadTimeout, urllib3.exceptions.ReadTimeoutError),
    "tls": (requests.exceptions.SSLError, urllib3.exceptions.SSLError),
}


def chain(error):
    """The error and everything below it, also what is only an argument (urllib3 wraps a reset so)."""
    found = []
    while error is not None:
        found.append(error)
        found += [arg for arg in error.args if isinstance(arg, BaseException)]
        found += [error.reason] if isinstance(getattr(error, "reason", None), BaseException) else []
        error = error.__cause__ or error.__context__
    assert not any(isinstance(e, CloudFault) for e in found), "an error of ours is in the chain"
    return found


def headers(cloud):
    return dict(requests.Request("GET", LIST, auth=signed(cloud)).prepare().headers)


@pytest.fixture(params=FAULTS)
def kind(request):
    return request.param


@pytest.fixture
def cloud(tmp_path, kind):
    made = state()
    with replaying(tape(tmp_path / "c.yaml", entry(fault=kind)), cloud=made):
        yield made


def assert_lowest(error, kind):
    lowest, text = LOWEST[kind]
    found = [e for e in chain(error) if type(e) is lowest]
    assert found
    assert text in str(found[-1])


@pytest.mark.parametrize("client", [CloudSession, requests.Session])
def test_requests_and_our_session_raise_the_same(cloud, kind, client):
    session = client()
    session.auth = signed(cloud)
    with pytest.raises(requests.ConnectionError if kind != "read-timeout" else requests.ReadTimeout) as caught:
        session.get(LIST, timeout=3)
    assert type(caught.value) is REQUESTS[kind][0]
    assert any(type(e) is REQUESTS[kind][1] for e in chain(caught.value))
    assert caught.value.request.url == LIST
    assert_lowest(caught.value, kind)


def test_urllib3_raises_its_own(cloud, kind):
    with pytest.raises(urllib3.exceptions.MaxRetryError) as caught, urllib3.PoolManager() as pool:
        pool.request("GET", LIST, headers=headers(cloud), retries=1)
    assert type(caught.value.reason) is REQUESTS[kind][1]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_httpx_raises_its_own(cloud, kind, asynchronous):
    async def call():
        async with httpx.AsyncClient() as client:
            await client.get(LIST, headers=headers(cloud))

    with pytest.raises(httpx.TransportError) as caught:
        asyncio.run(call()) if asynchronous else httpx.get(LIST, headers=headers(cloud))
    expected = {
        "connection-reset": httpx.ReadError,
        "connect-timeout": httpx.ConnectTimeout,
        "read-timeout": httpx.ReadTimeout,
    }
    assert type(caught.value) is expected.get(kind, httpx.ConnectError)
    assert caught.value.request.url == LIST
    assert_lowest(caught.value, kind)


def test_aiohttp_raises_its_own(cloud, kind):
    async def call():
        async with aiohttp.ClientSession() as session:
            await session.get(LIST, headers=headers(cloud))

    with pytest.raises(aiohttp.ClientError) as caught:
        asyncio.run(call())
    expected = {
        "dns": aiohttp.ClientConnectorDNSError,
        "connection-refused": aiohttp.ClientConnectorError,
        "connection-reset": aiohttp.ClientOSError,
        "connect-timeout": aiohttp.ConnectionTimeoutError,
        "read-timeout": aiohttp.SocketTimeoutError,
        "tls": aiohttp.ClientConnectorCertificateError,
    }
    assert type(caught.value) is expected[kind]
    assert_lowest(caught.value, kind)


def test_http_client_and_urllib_raise_what_the_system_says(cloud, kind):
    connection = http.client.HTTPSConnection("ecs.cn-north-4.myhuaweicloud.com")
    with pytest.raises(LOWEST[kind][0]):  # noqa: PT012  (some faults come with the request, some with the answer)
        connection.request("GET", LIST.partition(".com")[2], headers=headers(cloud))
        connection.getresponse()
    at_connect = kind not in ("connection-reset", "read-timeout")
    with pytest.raises(urllib.error.URLError if at_connect else LOWEST[kind][0]) as caught:
        urllib.request.urlopen(urllib.request.Request(LIST, headers=headers(cloud)))
    assert type(getattr(caught.value, "reason", caught.value) if at_connect else caught.value) is LOWEST[kind][0]


SDK = {"dns": "HostUnreachableException", "tls": "SslHandShakeException"}


def test_the_sdk_raises_its_own(cloud, kind):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.exceptions import exceptions
    from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
    from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion

    who = cloud.identity("default")
    credentials = BasicCredentials(who.ak, who.sk, next(iter(who.projects.values())))
    region = EcsRegion.value_of("cn-north-4")
    client = EcsClient.new_builder().with_credentials(credentials).with_region(region).build()
    wanted = requests.ReadTimeout if kind == "read-timeout" else exceptions.ConnectionException
    with pytest.raises((wanted, exceptions.SdkException)) as caught:
        client.list_servers_details(ListServersDetailsRequest())
    assert type(caught.value).__name__ == SDK.get(kind, type(caught.value).__name__)
