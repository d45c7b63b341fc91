"""Does the host answer? A cassette can hold a fault; the client sees its own exception."""

import socket

import pytest
import requests


@pytest.mark.hwcloud_cassette("network/dns-failure")
def test_name_that_does_not_resolve(hwcloud, hwcloud_session):
    with pytest.raises(requests.ConnectionError) as caught:
        hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
    chain, error = [], caught.value
    while error is not None:
        chain.append(type(error))
        error = error.__cause__ or error.__context__
    assert socket.gaierror in chain


@pytest.mark.hwcloud_cassette("network/dns-failure")
def test_the_same_in_one_line(hwcloud, hwcloud_session):
    with hwcloud.refused(gate="network"):
        hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
