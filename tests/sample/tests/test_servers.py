from concurrent.futures import ThreadPoolExecutor

import pytest
from huaweicloudsdkecs.v2 import EcsAsyncClient, EcsClient
from inventory import servers

pytestmark = [pytest.mark.hwcloud_identity("viewer")]
WEB, DB, JUMP, GONE = (f"5e0000{n:02x}-016f-4405-94f9-c4d58421ec{n:02x}" for n in (1, 4, 6, 255))


@pytest.fixture
def ecs(hwcloud):
    return hwcloud.client(EcsClient)


@pytest.mark.hwcloud_cassette("servers")
@pytest.mark.requires_permission("ecs:cloudServers:list")
def test_all(ecs):
    assert len(servers.servers(ecs)) == 8


@pytest.mark.requires_permission("ecs:cloudServers:listServersDetails", reason="the name of version 5.0")
@pytest.mark.parametrize("size", [1, 3, 8])
def test_page_by_page(hwcloud, ecs, size):
    assert len({server.id for server in servers.servers(ecs, size)}) == 8
    hwcloud.assert_called("ecs:cloudServers:list", times=-(-8 // size))


@pytest.mark.hwcloud_cassette("servers")
@pytest.mark.requires_permission("ecs:cloudServers:list")
def test_by_status(ecs):
    assert servers.by_status(ecs)["SHUTOFF"] == ["batch-2"]


@pytest.mark.hwcloud_cassette("servers")
@pytest.mark.requires_permission("ecs:cloudServers:showServer")
class TestOneServer:
    @pytest.mark.parametrize(("server_id", "name"), [(WEB, "web-1"), (DB, "db-1")], ids=["web", "db"])
    def test_name(self, ecs, server_id, name):
        assert servers.server(ecs, server_id).name == name

    def test_gone(self, ecs):
        assert servers.server(ecs, GONE) is None

    def test_names_at_once(self, ecs):
        assert servers.names(ecs, [WEB, DB, JUMP]) == ["web-1", "db-1", "jump-1"]

    def test_names_from_threads_of_the_test(self, ecs):
        with ThreadPoolExecutor(max_workers=2) as pool:
            found = [pool.submit(servers.server, ecs, one) for one in (WEB, DB)]
            assert [one.result().name for one in found] == ["web-1", "db-1"]


@pytest.mark.requires_permission("ecs:cloudServers:showServerTags")
def test_owner(ecs):
    assert servers.owner(ecs, WEB) == "ada"


@pytest.mark.requires_permission("ecs:cloudServerFlavors:get")
def test_flavors_or_nothing(ecs):
    assert "" not in servers.flavors(ecs)


@pytest.mark.requires_permission("ecs:cloudServers:list")
def test_count_later(hwcloud):
    assert servers.count_later(hwcloud.client(EcsAsyncClient)) == 8
