import pytest
import requests
from huaweicloudsdkvpc.v2 import VpcClient
from huaweicloudsdkvpc.v3 import VpcClient as VpcClient3
from inventory import networks

pytestmark = [pytest.mark.hwcloud_identity("viewer")]


@pytest.fixture(scope="module")
def known(viewer):
    session = requests.Session()
    session.auth = viewer.auth
    base = f"https://vpc.cn-north-4.myhuaweicloud.com/v1/{viewer.project_id}"
    return {network.name: network for network in networks.networks(session, base)}


@pytest.mark.requires_permission("vpc:vpcs:list", "vpc:subnets:get")
class TestKnown:
    def test_names(self, hwcloud, known):
        assert sorted(known) == ["vpc-empty", "vpc-live", "vpc-test"]

    @pytest.mark.parametrize(("name", "count"), [("vpc-live", 2), ("vpc-test", 1), ("vpc-empty", 0)])
    def test_subnets(self, hwcloud, known, name, count):
        assert len(known[name].subnets) == count


@pytest.mark.requires_permission("vpc:vpcs:get")
@pytest.mark.parametrize(
    ("number", "cidr"), [(1, "192.168.1.0/24"), (2, "192.168.2.0/24")], ids=["vpc-live", "vpc-test"]
)
def test_cidr(hwcloud, number, cidr):
    vpc_id = f"0c00000{number}-016f-4405-94f9-c4d58421ec0{number}"
    assert networks.cidr(hwcloud.client(VpcClient), vpc_id) == cidr


@pytest.mark.requires_permission("vpc:securityGroups:get")
def test_groups(hwcloud):
    assert networks.groups(hwcloud.client(VpcClient)) == ["sg-db", "sg-web"]


@pytest.mark.requires_permission("vpc:securityGroupRules:get")
def test_open_ports(hwcloud):
    assert networks.open_ports(hwcloud.client(VpcClient3)) == ["443", "80"]
