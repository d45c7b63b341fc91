"""169.254.169.254 in a replay: closed as on a machine that is no server, or open for a test that wants its keys."""

from __future__ import annotations

CLOSED = """
    import http.client, urllib.request
    import httpx, pytest, requests

    URL = "http://169.254.169.254/openstack/latest/securitykey"

    def test_requests(hwcloud):
        with pytest.raises(requests.ConnectTimeout):
            requests.get(URL, timeout=3)

    def test_httpx(hwcloud):
        with pytest.raises(httpx.ConnectTimeout):
            httpx.get(URL)

    def test_http_client(hwcloud):
        connection = http.client.HTTPConnection("169.254.169.254", timeout=3)
        with pytest.raises(TimeoutError):
            connection.request("GET", "/openstack/latest/securitykey")
"""

OPEN = """
    import requests

    def test_the_sdk_finds_keys_that_the_gate_knows(hwcloud, hwcloud_metadata):
        from huaweicloudsdkcore.auth.internal import MetadataAccessor
        from pytest_hwcloud import AkSkAuth

        assert hwcloud_metadata == "http://169.254.169.254"
        found = MetadataAccessor().get_credential()
        auth = AkSkAuth(found.access, found.secret, security_token=found.security_token)
        answer = requests.get("https://iam.myhuaweicloud.com/v3/projects", auth=auth)
        assert answer.status_code == 200
        assert hwcloud.exchanges[-1].identity == "default"
        key = f"{hwcloud_metadata}/openstack/latest/securitykey"
        door = f"{hwcloud_metadata}/meta-data/latest/api/token"
        token = requests.put(door, headers={"X-Metadata-Token-Ttl-Seconds": "60"}).text
        assert requests.get(key, headers={"X-Metadata-Token": token}).status_code == 200
        assert requests.get(key, headers={"X-Metadata-Token": "forged"}).status_code == 401
        assert requests.put(door).status_code == 400
        assert requests.put(door, headers={"X-Metadata-Token-Ttl-Seconds": "21601"}).status_code == 400
        assert requests.get(f"{hwcloud_metadata}/openstack/latest/meta_data.json").status_code == 404

    def test_and_closed_again(hwcloud):
        import pytest
        with pytest.raises(requests.ConnectTimeout):
            requests.get("http://169.254.169.254/", timeout=3)
"""


def test_closed(run):
    run(CLOSED).assert_outcomes(passed=3)


def test_open_for_a_test_that_wants_it(run):
    run(OPEN).assert_outcomes(passed=2)
