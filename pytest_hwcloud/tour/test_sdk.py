"""The official SDK, unmodified: the guide's own program (needs huaweicloudsdkecs)."""

import pytest

pytest.importorskip("huaweicloudsdkecs", reason="pip install huaweicloudsdkecs")


def guide(ak, sk):
    """The program of the guide, chapter 3 (AK/SK 权限范围), with the keys as arguments."""
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.exceptions import exceptions
    from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
    from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion

    credentials = BasicCredentials(ak, sk)
    region = EcsRegion.value_of("cn-north-4")
    client = EcsClient.new_builder().with_credentials(credentials).with_region(region).build()
    try:
        print(client.list_servers_details(ListServersDetailsRequest()))
    except exceptions.ClientRequestException as e:
        print(e.status_code)
        print(e.request_id)
        print(e.error_code)
        print(e.error_msg)


@pytest.mark.hwcloud_cassette("success/list-servers")
def test_the_guide_s_program_lists_servers(hwcloud, capsys):
    guide(hwcloud.credentials().ak, hwcloud.credentials().sk)
    assert '"count": 8' in capsys.readouterr().out


@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_the_guide_s_program_is_refused(hwcloud, capsys):
    guide(hwcloud.credentials().ak, hwcloud.credentials().sk)
    assert capsys.readouterr().out.splitlines() == [
        "403",
        "1c1d07572cb568467f65515a2353f3a9",
        "Ecs.0110",
        "do not have the required roles, forbidden to perform this action.",
    ]


@pytest.mark.hwcloud_cassette("success/list-servers")
def test_a_client_in_one_line(hwcloud):
    from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest

    assert hwcloud.client(EcsClient).list_servers_details(ListServersDetailsRequest()).count == 8
