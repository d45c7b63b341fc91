import pytest
from inventory import volumes


@pytest.mark.hwcloud_identity("viewer")
@pytest.mark.requires_permission("evs:volumes:list")
def test_asks_again(hwcloud, hwcloud_session):
    assert len(volumes.volumes(hwcloud_session, hwcloud.url("evs", "/v2/{project_id}"))) == 4
    assert [exchange.status for exchange in hwcloud.exchanges] == [429, 200]
