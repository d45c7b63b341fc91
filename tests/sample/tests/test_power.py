import pytest
from huaweicloudsdkecs.v2 import EcsClient
from inventory import power

pytestmark = [pytest.mark.hwcloud_identity("operator")]
JOB = "ff808082739334d80173941ec8d30c1b"
WEB, BATCH = (f"5e0000{n:02x}-016f-4405-94f9-c4d58421ec{n:02x}" for n in (1, 8))
NEEDS = pytest.mark.requires_permission


@pytest.mark.parametrize(
    "switch",
    [
        pytest.param(power.start, marks=NEEDS("ecs:cloudServers:start"), id="start"),
        pytest.param(power.stop, marks=NEEDS("ecs:cloudServers:stop"), id="stop"),
        pytest.param(power.reboot, marks=NEEDS("ecs:cloudServers:reboot"), id="reboot"),
    ],
)
def test_switch(hwcloud, switch):
    assert switch(hwcloud.client(EcsClient), BATCH) == JOB


@pytest.mark.requires_permission("ecs:cloudServers:list", "ecs:cloudServers:start")
def test_start_stopped(hwcloud):
    assert power.start_stopped(hwcloud.client(EcsClient)) == JOB


@pytest.mark.requires_permission("ecs:cloudServers:batchCreateServerTags")
def test_give(hwcloud):
    power.give(hwcloud.client(EcsClient), WEB, "ada")


@pytest.mark.hwcloud_identity("viewer")
@pytest.mark.denied_permission("ecs:cloudServers:start", code="Ecs.0110")
def test_viewer_starts_nothing(hwcloud):
    with hwcloud.refused("Ecs.0110", gate="authorization"):
        power.start(hwcloud.client(EcsClient), BATCH)


@pytest.mark.denied_permission("ecs:cloudServers:delete")
def test_operator_deletes_nothing(hwcloud):
    with hwcloud.refused(gate="authorization"):
        power.delete(hwcloud.client(EcsClient), BATCH)
