"""Failures as the official SDK, keystoneauth1, openstacksdk and the OBS SDK show them, over loopback."""

# ruff: noqa: F811 - fixtures are imported by name

from __future__ import annotations

import pytest
import requests
from failure_server import APIGW, ECS_0110, NOWHERE, closed_port, no_name_resolves, raised, server, told  # noqa: F401

from pytest_hwcloud.cloud.failures import read

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")


# --- the official SDK ---


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
        (
            401,
            {"error": {"message": "The X-Auth-Token is invalid!", "code": 401, "title": "Unauthorized"}},
            "401",
            "authentication",
        ),
        (409, {"NeutronError": {"message": "m", "type": "Conflict", "detail": ""}}, "Conflict", "conflict"),
        (403, {"errorMessage": "Forbidden.", "errorCode": "CCE.01403001"}, "CCE.01403001", "permission-denied"),
        (403, "<Error><Code>AccessDenied</Code><Message>no</Message></Error>", "AccessDenied", "permission-denied"),
        (
            400,
            {"error": {"message": "m", "code": "Ecs.0005", "details": [{"code": "Ecs.0039"}]}},
            "Ecs.0005",
            "invalid-parameter",
        ),
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
    server.says(
        401,
        {"error_code": "APIGW.0301", "error_msg": "Incorrect IAM authentication information: ak AKX not exist"},
        {"X-Request-Id": "b"},
    )
    builder = (
        EcsClient.new_builder()
        .with_credentials(BasicCredentials("AKX", "SK"))
        .with_region(EcsRegion.value_of("cn-north-4"))
    )
    error = raised(builder.build)
    assert type(error) is SdkException
    failure = told(error)
    assert (failure.code, failure.status, failure.kind, failure.request_id) == (
        "APIGW.0301",
        401,
        "credential-not-found",
        "b",
    )
    alone = SdkException(error.error_msg)
    assert (told(alone).code, told(alone).request_id) == ("APIGW.0301", "b")


def test_the_older_sdk_and_its_own_refusals():
    class ApiValueError(ValueError):
        """As huaweicloudsdkcore up to 3.1.106 raised it."""

    old = ApiValueError(
        "Failed to get project id, Incorrect IAM authentication information: verify aksk signature fail"
    )
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
    assert (dns.gate, dns.kind, dns.host, dns.client) == (
        "network",
        "dns",
        "nowhere.invalid",
        "HostUnreachableException",
    )
    assert (refused.fault, refused.client) == ("connection-refused", "ConnectionException")
    server.says(200, b"")
    assert told(list_servers(server.url.replace("http:", "https:"))).kind == "tls"


def test_sdk_answers_that_hide_a_failure(server):
    from huaweicloudsdkecs.v2 import ListServersDetailsRequest

    server.says(202, {"error": {"code": "Common.0024", "message": "exceeds flow over limit"}})
    answer = sdk(server.url).list_servers_details(ListServersDetailsRequest())  # type: ignore[attr-defined]
    assert (told(answer).code, told(answer).status) == ("Common.0024", 202)


# --- keystoneauth1, openstacksdk, OBS ---


@pytest.mark.parametrize(("status", "body", "code"), [(401, APIGW, "APIGW.0301"), (403, ECS_0110, "Ecs.0110")])
def test_keystoneauth_loses_the_code_and_the_answer_still_has_it(server, status, body, code):
    from keystoneauth1 import noauth, session

    server.says(status, body, {"X-Request-Id": "k"})
    error = raised(lambda: session.Session(auth=noauth.NoAuth()).get(server.url, authenticated=False))
    failure = told(error)
    assert (failure.code, failure.status, failure.request_id, failure.client) == (
        code,
        status,
        "k",
        type(error).__name__,
    )
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
    assert (failure.code, failure.status, failure.service, failure.request_id) == (
        "SignatureDoesNotMatch",
        403,
        "obs",
        "obs-1",
    )
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
