"""Eight threads, each with its own client: every call is answered, judged and attributed; none escapes."""

from __future__ import annotations

from collections.abc import Callable

import huaweicloudsdkecs.v2  # what is imported here stays imported
import pytest

assert huaweicloudsdkecs.v2.EcsClient

Run = Callable[..., pytest.RunResult]

SUITE = """
import socket
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
from pytest_hwcloud import AkSkAuth

LIST = "/v1/{project_id}/cloudservers/detail"
CALLS, THREADS = 10, 8

def own_session(hwcloud):
    with hwcloud.session() as session:
        return [session.get(hwcloud.url("ecs", LIST)).json()["count"] for _ in range(CALLS)]

def plain_requests(hwcloud):
    keys = hwcloud.credentials()
    with requests.Session() as session:
        session.auth = AkSkAuth(keys.ak, keys.sk)
        return [session.get(hwcloud.url("ecs", LIST)).json()["count"] for _ in range(CALLS)]

def sdk(hwcloud):
    client = hwcloud.client(EcsClient)
    return [client.list_servers_details(ListServersDetailsRequest()).count for _ in range(CALLS)]

@pytest.fixture
def escaped(monkeypatch):
    # below the wall of the plugin: what a socket of this process really tries
    tried = []
    class Socket(socket.socket):
        def connect(self, address):
            tried.append(address)
            raise OSError("no network in this test")
    monkeypatch.setattr(socket, "socket", Socket)
    return tried

@pytest.mark.hwcloud_cassette("list.json")
@pytest.mark.parametrize("client", [own_session, plain_requests, sdk])
def test_eight_threads(hwcloud, client, escaped):
    with ThreadPoolExecutor(THREADS) as pool:
        heard = list(pool.map(lambda _: client(hwcloud), range(THREADS)))
    assert heard == [[8] * CALLS] * THREADS
    assert len(hwcloud.exchanges) == THREADS * CALLS
    assert {exchange.source for exchange in hwcloud.exchanges} == {"cassettes/list.json"}
    assert {exchange.identity for exchange in hwcloud.exchanges} == {"default"}
    assert escaped == []

@pytest.mark.hwcloud_cassette("list.json")
def test_a_refusal_reaches_every_thread(hwcloud, escaped):
    with hwcloud.deny("ecs:cloudServers:list"), ThreadPoolExecutor(THREADS) as pool:
        url = hwcloud.url("ecs", LIST)
        answers = list(pool.map(lambda _: hwcloud.session().get(url).json()["error"]["code"], range(THREADS)))
    assert answers == ["Ecs.0110"] * THREADS
    assert escaped == []

def test_swallowed_in_a_thread(hwcloud):
    def work():
        try:
            hwcloud.session().get(hwcloud.url("ecs", "/v1/{project_id}/flavors"))
        except Exception:
            pass
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()

def test_lookup_in_a_thread(hwcloud):
    met = []
    def work():
        try:
            socket.getaddrinfo("ecs.cn-north-4.myhuaweicloud.com", 443)
        except Exception as error:
            met.append(type(error).__name__)
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert met == ["NetworkBlocked"]
"""
CASSETTE = """
version: 1
metadata: {repeat_last: true}
interactions:
- request: {method: GET, uri: "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/\
detail", body: null, headers: {}}
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [application/json]}
    body: {string: '{"count": 8, "servers": []}'}
"""


def test_no_call_escapes_from_a_thread(run: Run, pytester: pytest.Pytester) -> None:
    (pytester.mkdir("cassettes") / "list.json").write_text(CASSETTE)
    result = run(SUITE, "--tb=short")
    result.assert_outcomes(passed=4, failed=2)
    result.stdout.fnmatch_lines(
        [
            "hwcloud: no recorded answer for GET https://ecs.cn-north-4.myhuaweicloud.com/*/flavors",
            "hwcloud: pytest-hwcloud blocked a connection to ecs.cn-north-4.myhuaweicloud.com:443: in replay mode no "
            "cloud test reaches a cloud host",
        ]
    )
