import pytest
from huaweicloudsdkiam.v3 import IamClient
from inventory import people

pytestmark = [pytest.mark.hwcloud_identity("auditor"), pytest.mark.hwcloud_cassette("people")]


@pytest.fixture
def iam(hwcloud):
    return hwcloud.client(IamClient)


@pytest.mark.requires_permission("iam:users:listUsers")
def test_users(iam):
    assert sorted(people.users(iam).values()) == ["ada", "bob"]


@pytest.mark.requires_permission("iam:users:listUsers", "iam:credentials:listCredentials")
def test_old_keys(iam):
    assert people.old_keys(iam, before="2021-01-01") == ["ada"]
