import pytest
from huaweicloudsdktms.v1 import TmsClient
from inventory import tags

pytestmark = [pytest.mark.hwcloud_identity("auditor")]
BASE = "https://tms.myhuaweicloud.com/v1.0"
PROJECT = "05041fffa40025702f6dc009cc6f8f33"


@pytest.mark.hwcloud_cassette("tags")
@pytest.mark.requires_permission("tms:predefineTags:list", scope="domain")
def test_with_a_token_of_the_domain(hwcloud_domain_token):
    assert tags.tags(hwcloud_domain_token, BASE) == {"stage": "live", "owner": "ada"}


@pytest.mark.hwcloud_cassette("tags")
@pytest.mark.requires_permission("tms:predefineTags:list")
def test_by_the_sdk(hwcloud):
    assert tags.keys(hwcloud.client(TmsClient)) == ["owner", "stage"]


@pytest.mark.requires_permission("tms:resources:list")
def test_untagged(hwcloud_domain_token):
    assert tags.untagged(hwcloud_domain_token, BASE, PROJECT) == ["batch-1"]
