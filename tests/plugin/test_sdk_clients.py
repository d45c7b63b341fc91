"""The official SDK and other people's clients as users write them: unmodified, offline, through the gates."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import huaweicloudsdkecs.v2  # what is imported here stays imported, and a run takes a tenth
import huaweicloudsdkevs.v2
import huaweicloudsdkiam.v3
import huaweicloudsdktms.v1
import huaweicloudsdkvpc.v2
import keystoneauth1.session
import obs
import openstack
import pytest

assert all((httpx, huaweicloudsdkecs, huaweicloudsdkevs, huaweicloudsdkiam, huaweicloudsdktms, huaweicloudsdkvpc))
assert all((keystoneauth1, obs, openstack))

Run = Callable[..., pytest.RunResult]

HEAD = """
import pytest
from huaweicloudsdkcore.auth.credentials import BasicCredentials, GlobalCredentials
from huaweicloudsdkcore.exceptions import exceptions
from huaweicloudsdkecs.v2 import EcsAsyncClient, EcsClient, ListServersDetailsRequest
from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion

LIST = ListServersDetailsRequest()

def ecs(ak, sk, project_id=None, region="cn-north-4", kind=EcsClient):
    region = EcsRegion.value_of(region)
    return kind.new_builder().with_credentials(BasicCredentials(ak, sk, project_id)).with_region(region).build()

"""


def test_a_client_finds_its_project_offline_and_in_every_test_anew(run: Run) -> None:
    result = run(
        HEAD
        + """
@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.parametrize("kind", [EcsClient, EcsAsyncClient, EcsClient])
def test_it(hwcloud, kind):
    keys = hwcloud.credentials()
    client = ecs(keys.ak, keys.sk, kind=kind)
    answer = client.list_servers_details_async(LIST).result() if "Async" in kind.__name__ else (
        client.list_servers_details(LIST))
    assert answer.count == 8
    assert [(exchange.call.service, exchange.source) for exchange in hwcloud.exchanges] == [
        ("iam", "identity service"), ("ecs", "success/list-servers")]
"""
    )
    result.assert_outcomes(passed=3)


def test_keys_from_the_environment(run: Run) -> None:
    result = run(
        HEAD
        + """
@pytest.mark.hwcloud_cassette("success/list-servers")
def test_it(hwcloud, monkeypatch):
    keys = hwcloud.credentials()
    monkeypatch.setenv("HUAWEICLOUD_SDK_AK", keys.ak)
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", keys.sk)
    client = EcsClient.new_builder().with_region(EcsRegion.value_of("cn-north-4")).build()
    assert client.list_servers_details(LIST).count == 8
"""
    )
    result.assert_outcomes(passed=1)


def test_a_global_client_finds_its_domain_offline(run: Run) -> None:
    result = run(
        HEAD
        + """
from huaweicloudsdktms.v1 import ListPredefineTagsRequest, TmsClient
from huaweicloudsdktms.v1.region.tms_region import TmsRegion

@pytest.mark.hwcloud_cassette("success/aksk-any-scope")
def test_it(hwcloud):
    keys = hwcloud.credentials()
    builder = TmsClient.new_builder().with_credentials(GlobalCredentials(keys.ak, keys.sk))
    client = builder.with_region(TmsRegion.value_of("cn-north-4")).build()
    assert client.list_predefine_tags(ListPredefineTagsRequest()).total_count == 1
    assert [exchange.call.template for exchange in hwcloud.exchanges] == ["/v3/auth/domains", "/v1.0/predefine_tags"]

@pytest.mark.hwcloud_cassette("success/aksk-any-scope")
def test_both_in_one_line(hwcloud):
    assert hwcloud.client(TmsClient).list_predefine_tags(ListPredefineTagsRequest()).total_count == 1
    assert hwcloud.client(EcsClient).list_servers_details(LIST).count == 8
""",
        "-Wignore::ImportWarning",  # the SDK tries dateutil for the times in this answer
    )
    result.assert_outcomes(passed=2)


def test_iam_is_answered_from_the_identities(run: Run) -> None:
    result = run(
        """
        from huaweicloudsdkiam.v3 import (
            IamClient, KeystoneListAuthDomainsRequest, KeystoneListAuthProjectsRequest, KeystoneListProjectsRequest)

        def test_it(hwcloud):
            client = hwcloud.client(IamClient)
            mine, = client.keystone_list_auth_projects(KeystoneListAuthProjectsRequest()).projects
            named, = client.keystone_list_projects(KeystoneListProjectsRequest(name="cn-north-4")).projects
            assert mine.id == named.id == hwcloud.credentials().project_id
            domain, = client.keystone_list_auth_domains(KeystoneListAuthDomainsRequest()).domains
            assert (domain.id, domain.name) == (hwcloud.credentials().domain_id, "example-corp")
        """
    )
    result.assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("client", "call", "url"),
    [
        ("huaweicloudsdkvpc.v2.VpcClient", "list_vpcs", "https://vpc.cn-north-4.myhuaweicloud.com/v1/*/vpcs"),
        ("huaweicloudsdkevs.v2.EvsClient", "list_volumes", "https://evs.cn-north-4.*/cloudvolumes/detail"),
    ],
)
def test_what_is_not_recorded_is_told_in_front_of_the_call(run: Run, client: str, call: str, url: str) -> None:
    module, _, name = client.rpartition(".")
    request = "".join(part.title() for part in call.split("_")) + "Request"
    result = run(
        f"from {module} import {name}, {request}\n\n"
        f"def test_it(hwcloud):\n    hwcloud.client({name}).{call}({request}())\n"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f">       hwcloud.client({name}).{call}({request}())",
            f"E       *NotRecorded: hwcloud: no recorded answer for GET {url}",
            "E         looked in  cassettes/test_it/test_it.yaml (no such file yet)",
            'E         record     pytest --hwcloud-mode=record "test_it.py::test_it"',
            "test_it.py:4: NotRecorded",
        ]
    )


ERRORS = {
    "wrong sk": (
        "success/list-servers",
        "ecs(keys.ak, 'x' * 40, keys.project_id)",
        "hwcloud: refused at authentication: APIGW.0301 (HTTP 401) from the API gateway",
    ),
    "wrong sk, found while looking for the project": (
        "success/list-servers",
        "ecs(keys.ak, 'x' * 40)",
        "hwcloud: refused at authentication: APIGW.0301 (HTTP 401) from the API gateway",
    ),
    "refused": (
        "authorization/aksk-without-permission",
        "ecs(keys.ak, keys.sk)",
        "hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs",
    ),
    "no such project": (
        "success/list-servers",
        "ecs(keys.ak, keys.sk, '0605767c80d5d5762fe0c0185a2c3f34')",
        "*NotRecorded: hwcloud: no recorded answer for GET *",
    ),
    "dns": (
        "network/dns-failure",
        "hwcloud.client(EcsClient)",
        "hwcloud: no answer at network: name not resolved (ecs.cn-north-4.myhuaweicloud.com)",
    ),
}


@pytest.mark.parametrize("case", ERRORS)
def test_a_failing_call_says_why(run: Run, case: str) -> None:
    cassette, client, line = ERRORS[case]
    result = run(
        HEAD
        + f"""
@pytest.mark.hwcloud_cassette({cassette!r})
def test_it(hwcloud):
    keys = hwcloud.credentials()
    {client}.list_servers_details(LIST)
""",
        "--tb=short",
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E   {line}"])
    assert "x" * 40 not in result.stdout.str()


def test_the_async_client_meets_the_same(run: Run) -> None:
    result = run(
        HEAD
        + """
@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_refused(hwcloud):
    with hwcloud.refused("Ecs.0110", gate="authorization") as refusal:
        hwcloud.client(EcsAsyncClient).list_servers_details_async(LIST).result()
    assert isinstance(refusal.error, exceptions.ClientRequestException)

@pytest.mark.hwcloud_cassette("network/dns-failure")
def test_dns(hwcloud):
    with hwcloud.refused(gate="network") as refusal:
        hwcloud.client(EcsAsyncClient).list_servers_details_async(LIST).result()
    assert isinstance(refusal.error, exceptions.HostUnreachableException)
"""
    )
    result.assert_outcomes(passed=2)


def test_openstacksdk_and_keystoneauth_log_in_offline(run: Run) -> None:
    result = run(
        """
        import openstack
        from keystoneauth1 import exceptions, session
        from keystoneauth1.identity import v3
        import pytest

        AUTH = "https://iam.cn-north-4.myhuaweicloud.com/v3"

        def password(hwcloud):
            who = hwcloud.identity()  # in a replay no one knows the real password: any is right
            return dict(auth_url=AUTH, username=who.user, password="geheim", user_domain_name=who.domain,
                        project_name="cn-north-4", project_domain_name=who.domain)

        @pytest.mark.hwcloud_cassette("success/list-servers")
        def test_keystoneauth(hwcloud):
            made = session.Session(auth=v3.Password(**password(hwcloud)))
            assert made.get_project_id() == hwcloud.credentials().project_id
            url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
            assert made.get(url).json()["count"] == 8

        def test_openstack(hwcloud):
            cloud = openstack.connection.Connection(auth=password(hwcloud), identity_api_version="3")
            assert cloud.current_project_id == hwcloud.credentials().project_id
            assert len(cloud.auth_token) > 20
        """
    )
    result.assert_outcomes(passed=2)


def test_httpx_and_obs(run: Run) -> None:
    result = run(
        """
        import httpx
        import pytest
        from obs import ObsClient

        @pytest.mark.hwcloud_cassette("scope/domain-token-on-regional-service")
        def test_httpx(hwcloud, hwcloud_domain_token):
            url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
            with hwcloud.refused("Common.0018", gate="scope"):
                httpx.get(url, headers={"X-Auth-Token": hwcloud_domain_token.value})

        @pytest.mark.hwcloud_cassette("network/dns-failure")
        def test_httpx_dns(hwcloud):
            with pytest.raises(httpx.ConnectError):
                httpx.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))

        def test_obs(hwcloud):
            keys = hwcloud.credentials()
            client = ObsClient(access_key_id=keys.ak, secret_access_key=keys.sk, max_retry_count=0,
                               server="https://obs.cn-north-4.myhuaweicloud.com")
            client.listBuckets()
        """
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["*no recorded answer for HEAD https://obs.cn-north-4.myhuaweicloud.com/?apiversion"])


@pytest.mark.parametrize("client", ["requests", "httpx", "hwcloud.session()"])
def test_a_fault_shows_no_frame_of_the_plugin(run: Run, client: str) -> None:
    result = run(
        f"""
        import httpx
        import pytest
        import requests

        @pytest.mark.hwcloud_cassette("network/dns-failure")
        def test_it(hwcloud):
            url = hwcloud.url("ecs", "/v1/{{project_id}}/cloudservers/detail")
            {client}.get(url)
        """
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["E * no answer at network: name not resolved (ecs.cn-north-4.myhuaweicloud.com)"])
    assert "pytest_hwcloud/" not in result.stdout.str()


def test_a_region_that_the_run_does_not_know_is_no_matter_of_the_console(run: Run) -> None:
    result = run("""
    def test_it(hwcloud):
        from huaweicloudsdkcore.auth.credentials import BasicCredentials
        from huaweicloudsdkcore.region.region import Region
        from huaweicloudsdkecs.v2 import EcsClient

        keys, far = hwcloud.credentials(), Region("xx-far-9", "https://ecs.xx-far-9.myhuaweicloud.com")
        EcsClient.new_builder().with_credentials(BasicCredentials(keys.ak, keys.sk)).with_region(far).build()
    """)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            "*  cause     The identity default of this run has no project in region xx-far-9: hwcloud.yaml names none, "
            "and the replay knows no region of that name.",
            "*  fix       Check the spelling of the region; or name the project in hwcloud.yaml (identities: {default: "
            "{projects: {xx-far-9: …}}}), or pass project_id to the credentials.",
        ]
    )
