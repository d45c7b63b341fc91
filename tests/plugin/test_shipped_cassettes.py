"""Each of the thirteen shipped cassettes answers the same whichever client asks, the SDK included."""

from __future__ import annotations

from collections.abc import Callable

import httpx  # what is imported here stays imported
import huaweicloudsdkecs.v2
import huaweicloudsdktms.v1
import pytest

assert all((httpx, huaweicloudsdkecs, huaweicloudsdktms))

Run = Callable[..., pytest.RunResult]

SUITE = """
import httpx
import pytest
import requests
import urllib3
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion
from huaweicloudsdktms.v1 import ListPredefineTagsRequest, TmsClient
from pytest_hwcloud import AkSkAuth, sign
from pytest_hwcloud.cloud import failures
from pytest_hwcloud.cassettes import library

ECS, TMS = "/v1/{project_id}/cloudservers/detail", "/v1.0/predefine_tags"
OTHER = "/v1/0605767c80d5d5762fe0c0185a2c3f34/cloudservers/detail"
PROJECTS = "https://iam.myhuaweicloud.com/v3/projects?name=cn-north-4"
PLAIN = pytest.mark.parametrize("client", ["requests", "session", "urllib3", "httpx"])

def headers(hwcloud, who, url):
    match who:
        case "nobody":
            return {}
        case "project" | "domain":
            return {"X-Auth-Token": hwcloud.token(domain=who == "domain").value}
        case "garbled":
            return {"X-Auth-Token": "no token at all"}
    ak, sk = keys(hwcloud, who)
    return sign("GET", url, {}, b"", ak=ak, sk=sk)

def keys(hwcloud, who):
    own = hwcloud.credentials()
    wrong = "x" * 40
    return {"keys": (own.ak, own.sk), "wrong sk": (own.ak, wrong), "stranger": ("UNKNOWNKEY0000000000", wrong)}[who]

def get(client, hwcloud, url, given):
    match client:
        case "requests":
            answer = requests.get(url, headers=given)
        case "session":
            session = hwcloud.session()
            session.auth = None
            answer = session.get(url, headers=given)
        case "urllib3":
            with urllib3.PoolManager() as pool:
                answer = pool.request("GET", url, headers=given, retries=False)
            return answer.status, answer.data
        case "httpx":
            answer = httpx.get(url, headers=given)
    return answer.status_code, answer.content

CASES = {
    "authentication/access-key-unknown": ("stranger", PROJECTS, [(401, "APIGW.0301")]),
    "authentication/signature-mismatch": ("wrong sk", PROJECTS, [(401, "APIGW.0301")]),
    "authentication/token-missing": ("nobody", ECS, [(401, "APIGW.0301")]),
    "authentication/token-undecryptable": ("garbled", ECS, [(401, "APIGW.0301")]),
    "authorization/aksk-without-permission": ("keys", ECS, [(403, "Ecs.0110")]),
    "authorization/token-older-than-grant": ("project", ECS, [(403, "Ecs.0110"), (403, "Ecs.0110"), (200, None)]),
    "authorization/token-without-permission": ("project", ECS, [(403, "Ecs.0110")]),
    "scope/domain-token-on-global-service": ("domain", TMS, [(200, None)]),
    "scope/domain-token-on-regional-service": ("domain", ECS, [(400, "Common.0018")]),
    "scope/project-token-other-project": ("project", OTHER, [(400, "Common.0018")]),
    "success/aksk-any-scope": ("keys", ECS, [(200, None)]),
    "success/list-servers": ("keys", ECS, [(200, None)]),
}

@PLAIN
@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.hwcloud_cassette(name)) for name in CASES])
def test_answers(hwcloud, client, name):
    who, path, expected = CASES[name]
    url = path if path.startswith("https") else hwcloud.url("tms" if path is TMS else "ecs", path)
    for status, code in expected:
        heard, body = get(client, hwcloud, url, headers(hwcloud, who, url))
        failure = failures.read(body) if heard >= 400 else None
        assert (heard, failure and failure.code) == (status, code)
    assert {exchange.source for exchange in hwcloud.exchanges} == {name}

@PLAIN
@pytest.mark.hwcloud_cassette("network/dns-failure")
def test_dns(hwcloud, client):
    url = hwcloud.url("ecs", ECS)
    kinds = {"urllib3": urllib3.exceptions.NewConnectionError, "httpx": httpx.ConnectError}
    with pytest.raises(kinds.get(client, requests.ConnectionError)):
        get(client, hwcloud, url, {})

def test_these_are_all():
    assert {*CASES, "network/dns-failure"} == {*library.names()}

SDK = {
    "authentication/access-key-unknown": ("stranger", "Failed to get project id of region"),
    "authentication/signature-mismatch": ("wrong sk", "verify aksk signature fail"),
    "authorization/aksk-without-permission": ("keys", "Ecs.0110"),
    "network/dns-failure": ("keys", "Failed to resolve"),
}

def guide(hwcloud, who):
    builder = EcsClient.new_builder().with_credentials(BasicCredentials(*keys(hwcloud, who)))
    client = builder.with_region(EcsRegion.value_of("cn-north-4")).build()
    return client.list_servers_details(ListServersDetailsRequest())

@pytest.mark.parametrize("name", [pytest.param(name, marks=pytest.mark.hwcloud_cassette(name)) for name in SDK])
def test_sdk_refused(hwcloud, name):
    who, text = SDK[name]
    with pytest.raises(exceptions.SdkException) as caught:
        guide(hwcloud, who)
    assert text in str(caught.value)
    assert hwcloud.explain(caught.value).gate == name.partition("/")[0]

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_sdk_succeeds(hwcloud):
    assert guide(hwcloud, "keys").count == 8

@pytest.mark.hwcloud_cassette("success/aksk-any-scope")
def test_sdk_any_scope(hwcloud):
    assert guide(hwcloud, "keys").count == 8

@pytest.mark.hwcloud_cassette("scope/domain-token-on-global-service")
def test_sdk_global(hwcloud):
    assert hwcloud.client(TmsClient).list_predefine_tags(ListPredefineTagsRequest()).tags is not None
"""


def test_every_cassette_with_every_client(run: Run) -> None:
    result = run(SUITE, "--tb=short", "-Wignore::ImportWarning")
    result.assert_outcomes(passed=12 * 4 + 4 + 1 + 4 + 2 + 1)
