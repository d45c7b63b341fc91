"""Failures as the real client libraries show them, over loopback."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable, Iterator

import aiohttp
import httpx
import pytest
import requests
import urllib3
from failure_server import Server, serve

from pytest_hwcloud.cloud.failures import Failure, read

ECS_0110 = {"error": {"message": "do not have the required roles, forbidden to perform this action.", "code": "Ecs.0110"}}
APIGW = {
    "error_msg": "Incorrect IAM authentication information: decrypt token fail",
    "error_code": "APIGW.0301",
    "request_id": "0e812a89eee650de8e1f55cdae28b2c9",
}
NOWHERE = "http://nowhere.invalid/v1/p"
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serve() as running:
        yield running


@pytest.fixture(autouse=True)
def _no_name_resolves(monkeypatch: pytest.MonkeyPatch) -> None:
    real = socket.getaddrinfo

    def getaddrinfo(host: object, *args: object, **kwargs: object) -> object:
        if str(host).endswith(".invalid"):
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return real(host, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)


@pytest.fixture
def closed_port() -> str:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"


def raised(call: Callable[[], object]) -> BaseException:
    try:
        call()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def told(obj: object) -> Failure:
    failure = read(obj)
    assert failure is not None
    return failure


def aio(url: str, raise_for_status: bool = False, **options: object) -> aiohttp.ClientResponse:
    async def call() -> aiohttp.ClientResponse:
        async with aiohttp.ClientSession(raise_for_status=raise_for_status) as session, session.get(url, **options) as response:  # type: ignore[arg-type]
            await response.read()
            return response

    return asyncio.run(call())


# --- answers ---------------------------------------------------------------------------------------------------------

ANSWERS: dict[str, Callable[[str], object]] = {
    "requests": requests.get,
    "httpx": httpx.get,
    "urllib3": lambda url: urllib3.PoolManager().request("GET", url),
    "aiohttp": aio,
}


@pytest.mark.parametrize("client", ANSWERS)
def test_an_answer_object(client, server):
    server.says(403, ECS_0110, {"X-Request-Id": "1c1d07572cb568467f65515a2353f3a9"})
    failure = told(ANSWERS[client](f"{server.url}/v1/p/cloudservers/detail"))
    assert (failure.code, failure.status, failure.gate) == ("Ecs.0110", 403, "authorization")
    assert failure.request_id == "1c1d07572cb568467f65515a2353f3a9"
    assert failure.url == f"{server.url}/v1/p/cloudservers/detail" or (client == "urllib3" and str(failure.url).endswith("detail"))


@pytest.mark.parametrize("client", ANSWERS)
def test_a_successful_answer_is_no_failure(client, server):
    server.says(200, {"count": 8, "servers": []})
    assert read(ANSWERS[client](server.url)) is None


@pytest.mark.parametrize(
    "header",
    ["X-Request-Id", "x-obs-request-id", "x-amz-request-id", "x-openstack-request-id", "x-compute-request-id", "X-IAM-Trace-Id",
     "X-Cff-Request-Id"],
)  # fmt: skip
def test_request_ids_of_every_header(header, server):
    server.says(404, {"itemNotFound": {"message": "gone", "code": 404}}, {header: "the-id"})
    assert told(requests.get(server.url)).request_id == "the-id"


def test_the_request_id_of_the_body_where_no_header_has_it(server):
    server.says(401, APIGW)
    assert told(requests.get(server.url)).request_id == "0e812a89eee650de8e1f55cdae28b2c9"


def test_a_streamed_answer_that_says_its_size_is_read(server):
    server.says(403, ECS_0110)
    with requests.get(server.url, stream=True) as response:
        assert told(response).code == "Ecs.0110"


# --- exceptions of requests, urllib3, httpx, aiohttp -----------------------------------------------------------------


def test_raise_for_status(server):
    server.says(401, APIGW)
    for error in (
        raised(lambda: requests.get(server.url).raise_for_status()),
        raised(lambda: httpx.get(server.url).raise_for_status()),
    ):
        failure = told(error)
        assert (failure.code, failure.kind, failure.method) == ("APIGW.0301", "token-invalid", "GET")
        assert failure.client == type(error).__name__


def test_aiohttp_raise_for_status_keeps_only_status_and_url(server):
    server.says(401, APIGW, {"X-Request-Id": "r1"})
    failure = told(raised(lambda: aio(server.url, raise_for_status=True)))
    assert (failure.code, failure.status, failure.gate, failure.request_id) == (None, 401, "authentication", "r1")
    assert failure.url == f"{server.url}/" or failure.url == server.url


DOWN: dict[str, Callable[[str], object]] = {
    "requests": lambda url: requests.get(url, timeout=3),
    "httpx": lambda url: httpx.get(url, timeout=3),
    "urllib3": lambda url: urllib3.PoolManager(retries=False).request("GET", url, timeout=3),
    "urllib3-retry": lambda url: urllib3.PoolManager(retries=1).request("GET", url, timeout=3),
    "aiohttp": lambda url: aio(url, timeout=aiohttp.ClientTimeout(total=3)),
}


@pytest.mark.parametrize("client", DOWN)
def test_a_name_that_does_not_resolve(client):
    failure = told(raised(lambda: DOWN[client](NOWHERE)))
    assert (failure.gate, failure.kind, failure.fault, failure.code) == ("network", "dns", "dns", None)
    assert failure.host == "nowhere.invalid"


@pytest.mark.parametrize("client", DOWN)
def test_a_refused_connection(client, closed_port):
    failure = told(raised(lambda: DOWN[client](closed_port)))
    assert (failure.gate, failure.kind, failure.fault) == ("network", "network", "connection-refused")
    assert failure.host == "127.0.0.1"


@pytest.mark.parametrize("client", DOWN)
def test_a_connection_closed_without_an_answer(client):
    with serve() as server:
        server.behaviour = "close"
        failure = told(raised(lambda: DOWN[client](server.url)))
    assert (failure.gate, failure.fault) == ("network", "connection-reset")


@pytest.mark.parametrize("client", DOWN)
def test_a_read_timeout(client):
    quick = {
        "requests": lambda url: requests.get(url, timeout=0.05),
        "httpx": lambda url: httpx.get(url, timeout=0.05),
        "urllib3": lambda url: urllib3.PoolManager(retries=False).request("GET", url, timeout=0.05),
        "urllib3-retry": lambda url: urllib3.PoolManager(retries=1).request("GET", url, timeout=0.05),
        "aiohttp": lambda url: aio(url, timeout=aiohttp.ClientTimeout(total=0.05)),
    }
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(8)
        failure = told(raised(lambda: quick[client](f"http://127.0.0.1:{silent.getsockname()[1]}/")))
    assert (failure.gate, failure.kind, failure.fault) == ("network", "timeout", "read-timeout")


@pytest.mark.parametrize("client", DOWN)
def test_tls_to_a_port_that_speaks_plain_http(client, server):
    server.says(200, b"")
    failure = told(raised(lambda: DOWN[client](server.url.replace("http:", "https:"))))
    assert (failure.gate, failure.kind, failure.fault) == ("network", "tls", "tls")


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (socket.gaierror(11001, "getaddrinfo failed"), "dns"),
        (socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution"), "dns"),
        (ConnectionRefusedError(111, "Connection refused"), "connection-refused"),
        (ConnectionResetError(104, "Connection reset by peer"), "connection-reset"),
        (BrokenPipeError(32, "Broken pipe"), "connection-reset"),
        (ssl.SSLCertVerificationError(1, "certificate verify failed"), "tls"),
        (TimeoutError("timed out"), "read-timeout"),
        (requests.exceptions.ConnectTimeout("connect timeout=2"), "connect-timeout"),
        (httpx.ConnectTimeout("timed out"), "connect-timeout"),
        (httpx.ConnectError("[Errno 8] nodename nor servname provided, or not known"), "dns"),
    ],
)
def test_raw_errors(error, fault):
    assert told(error).fault == fault


@pytest.mark.parametrize("error", [FileNotFoundError("x"), ValueError("x"), KeyError("Ecs.0110"), EOFError(), RuntimeError("Ecs.0110")])
def test_errors_that_tell_of_no_call(error):
    assert read(error) is None


def test_groups_causes_and_contexts(server):
    server.says(403, ECS_0110)
    inner = raised(lambda: requests.get(server.url).raise_for_status())
    wrapped = RuntimeError("listing failed")
    wrapped.__cause__ = inner
    assert told(wrapped).code == "Ecs.0110"
    assert told(ExceptionGroup("two", [ValueError("x"), inner])).code == "Ecs.0110"  # type: ignore[type-var]
    hidden = RuntimeError("other")
    hidden.__context__, hidden.__suppress_context__ = inner, True
    assert read(hidden) is None


# --- the official SDK ------------------------------------------------------------------------------------------------


def sdk(server_url: str, project: str | None = "05041fffa40025702f6dc009cc6f8f33") -> object:
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkecs.v2 import EcsClient

    credentials = BasicCredentials("AK", "SK", project)
    return EcsClient.new_builder().with_credentials(credentials).with_endpoint(server_url).build()


def list_servers(server_url: str) -> BaseException:
    from huaweicloudsdkecs.v2 import ListServersDetailsRequest

    client = sdk(server_url)
    return raised(lambda: client.list_servers_details(ListServersDetailsRequest()))  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("status", "body", "code", "kind"),
    [
        (403, ECS_0110, "Ecs.0110", "permission-denied"),
        (401, APIGW, "APIGW.0301", "token-invalid"),
        (401, {"error": {"message": "The X-Auth-Token is invalid!", "code": 401, "title": "Unauthorized"}}, "401", "authentication"),
        (409, {"NeutronError": {"message": "m", "type": "Conflict", "detail": ""}}, "Conflict", "conflict"),
        (403, {"errorMessage": "Forbidden.", "errorCode": "CCE.01403001"}, "CCE.01403001", "permission-denied"),
        (403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>", "AccessDenied", "permission-denied"),
        (400, {"error": {"message": "m", "code": "Ecs.0005", "details": [{"code": "Ecs.0039"}]}}, "Ecs.0005", "invalid-parameter"),
        (502, "<html><title>Bad Gateway</title></html>", None, "dependency"),
    ],
)
def test_sdk_exceptions(server, status, body, code, kind):
    server.says(status, body, {"X-Request-Id": "sdk-id"})
    error = list_servers(server.url)
    failure = told(error)
    assert (failure.code, failure.status, failure.kind, failure.request_id) == (code, status, kind, "sdk-id")
    assert failure.client == type(error).__name__
    alone = type(error)(error.status_code, _Fields(error))  # type: ignore[attr-defined] # without the context that still has the answer
    assert (told(alone).code, told(alone).kind) == (code, kind)
    if code:
        assert told(str(error)).code == code


class _Fields:
    def __init__(self, error: BaseException) -> None:
        for name in ("error_code", "error_msg", "request_id", "encoded_auth_msg"):
            setattr(self, name, getattr(error, name))


def test_sdk_details_are_found_again_behind_the_exception(server):
    server.says(400, {"error": {"message": "m", "code": "Ecs.0005", "details": [{"code": "Ecs.0039"}]}})
    assert [cause.code for cause in told(list_servers(server.url)).causes] == ["Ecs.0039"]


def test_sdk_swallows_429(server):
    server.says(429, {"error_code": "APIGW.0308", "error_msg": "policy user over ratelimit,limit:200,time:5 minute"})
    failure = told(list_servers(server.url))
    assert (failure.status, failure.kind, failure.gate) == (429, "throttling", "service")


def test_sdk_build_hides_the_code_in_its_text(server, monkeypatch):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.exceptions.exceptions import SdkException
    from huaweicloudsdkecs.v2 import EcsClient
    from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion

    monkeypatch.setenv("HUAWEICLOUD_SDK_IAM_ENDPOINT", server.url)
    server.says(401, {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information: ak AKX not exist"}, {"X-Request-Id": "b"})
    builder = EcsClient.new_builder().with_credentials(BasicCredentials("AKX", "SK")).with_region(EcsRegion.value_of("cn-north-4"))
    error = raised(builder.build)
    assert type(error) is SdkException
    failure = told(error)
    assert (failure.code, failure.status, failure.kind, failure.request_id) == ("APIGW.0301", 401, "credential-not-found", "b")
    alone = SdkException(error.error_msg)
    assert (told(alone).code, told(alone).request_id) == ("APIGW.0301", "b")


def test_the_older_sdk_and_its_own_refusals():
    class ApiValueError(ValueError):
        """As huaweicloudsdkcore up to 3.1.106 raised it."""

    old = ApiValueError("Failed to get project id, Incorrect IAM authentication information: verify aksk signature fail")
    assert (told(old).code, told(old).kind) == ("APIGW.0301", "signature")
    none = ApiValueError("No project id found, please specify project_id manually when initializing the credentials.")
    assert (told(none).code, told(none).kind) == ("No project id found", "not-found")


def test_sdk_unknown_region_and_wrong_credentials():
    from huaweicloudsdkcore.auth.credentials import GlobalCredentials
    from huaweicloudsdkecs.v2 import EcsClient
    from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion

    region = told(raised(lambda: EcsRegion.value_of("cn-nowhere-9")))
    assert (region.code, region.gate, region.kind) == ("unsupported region", "network", "endpoint")
    builder = EcsClient.new_builder().with_credentials(GlobalCredentials("a", "b", "c")).with_endpoint("https://x")
    wrong = told(raised(builder.build))
    assert (wrong.code, wrong.gate) == ("credential type error", "scope")


def test_sdk_connection_failures(closed_port, server):
    dns, refused = told(list_servers("http://nowhere.invalid")), told(list_servers(closed_port.rstrip("/")))
    assert (dns.gate, dns.kind, dns.host, dns.client) == ("network", "dns", "nowhere.invalid", "HostUnreachableException")
    assert (refused.fault, refused.client) == ("connection-refused", "ConnectionException")
    server.says(200, b"")
    assert told(list_servers(server.url.replace("http:", "https:"))).kind == "tls"


def test_sdk_answers_that_hide_a_failure(server):
    from huaweicloudsdkecs.v2 import ListServersDetailsRequest

    server.says(202, {"error": {"code": "Common.0024", "message": "exceeds flow over limit"}})
    answer = sdk(server.url).list_servers_details(ListServersDetailsRequest())  # type: ignore[attr-defined]
    assert (told(answer).code, told(answer).status) == ("Common.0024", 202)


# --- keystoneauth1, openstacksdk, OBS ----------------------------------------------------------------------------------


@pytest.mark.parametrize(("status", "body", "code"), [(401, APIGW, "APIGW.0301"), (403, ECS_0110, "Ecs.0110")])
def test_keystoneauth_loses_the_code_and_the_answer_still_has_it(server, status, body, code):
    from keystoneauth1 import noauth, session

    server.says(status, body, {"X-Request-Id": "k"})
    error = raised(lambda: session.Session(auth=noauth.NoAuth()).get(server.url, authenticated=False))
    failure = told(error)
    assert (failure.code, failure.status, failure.request_id, failure.client) == (code, status, "k", type(error).__name__)
    error.response = None  # type: ignore[attr-defined] # as it is after pickling or wrapping
    bare = told(error)
    assert (bare.status, bare.gate) == (status, "authentication" if status == 401 else "authorization")


def test_keystoneauth_connection_failures(closed_port):
    from keystoneauth1 import session

    assert told(raised(lambda: session.Session().get(NOWHERE, authenticated=False))).fault == "dns"
    assert told(raised(lambda: session.Session().get(closed_port, authenticated=False))).fault == "connection-refused"


def test_openstacksdk(server):
    from openstack import exceptions

    server.says(403, ECS_0110)
    error = raised(lambda: exceptions.raise_from_response(requests.get(server.url)))
    assert (told(error).code, told(error).client) == ("Ecs.0110", "ForbiddenException")
    wrong = told(exceptions.SDKException("The username or password is wrong. (HTTP 401)"))
    assert (wrong.status, wrong.gate, wrong.message) == (401, "authentication", "The username or password is wrong.")


def test_obs_never_raises_and_its_result_tells(server):
    from obs import ObsClient

    server.says(
        403,
        "<Error><Code>SignatureDoesNotMatch</Code><Message>Check your key</Message><RequestId>obs-1</RequestId>"
        "<HostId>host-1</HostId></Error>",
    )
    client = ObsClient(access_key_id="a", secret_access_key="b", server=server.url, path_style=True, max_retry_count=0)
    try:
        result = client.getObject("bucket", "key")
    finally:
        client.close()
    failure = told(result)
    assert (failure.code, failure.status, failure.service, failure.request_id) == ("SignatureDoesNotMatch", 403, "obs", "obs-1")
    assert (failure.gate, failure.details["host_id"]) == ("authentication", "host-1")


def test_obs_success_and_obs_without_a_body(server):
    from obs import ObsClient

    client = ObsClient(access_key_id="a", secret_access_key="b", server=server.url, path_style=True, max_retry_count=0)
    try:
        server.says(200, b"")
        assert read(client.headBucket("bucket")) is None
        server.says(404, b"", {"x-obs-request-id": "obs-2"})
        failure = told(client.headBucket("bucket"))
    finally:
        client.close()
    assert (failure.code, failure.status, failure.kind, failure.request_id) == (None, 404, "not-found", "obs-2")
    assert failure.service == "obs"
