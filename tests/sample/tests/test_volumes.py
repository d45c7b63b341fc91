import pytest
from inventory import volumes

pytestmark = [pytest.mark.hwcloud_identity("viewer"), pytest.mark.hwcloud_cassette("volumes")]


@pytest.fixture
def base(hwcloud):
    return hwcloud.url("evs", "/v2/{project_id}")


@pytest.mark.requires_permission("evs:volumes:list")
class TestAll:
    def test_unattached(self, hwcloud_session, base):
        assert volumes.unattached(hwcloud_session, base) == ["volume-3", "volume-4"]

    def test_size_by_type(self, hwcloud_session, base):
        assert volumes.size_by_type(hwcloud_session, base) == {"SSD": 50, "SAS": 600}


@pytest.mark.requires_permission("evs:volumes:get", scope="project")
@pytest.mark.parametrize(("number", "size"), [(1, 40), (2, 100)])
def test_size(hwcloud, base, hwcloud_project_token, number, size):
    session = hwcloud.session(auth=hwcloud_project_token)
    assert volumes.volume(session, base, f"7000000{number}-016f-4405-94f9-c4d58421ec0{number}")["size"] == size
