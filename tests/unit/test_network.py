"""The wall: in a replay no thread reaches a cloud host, all else is untouched, and afterwards nothing is left."""

import asyncio
import http.client
import socket
import ssl
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests
from replaying import LIST, entry, replaying, signed, state, tape

from pytest_hwcloud.interceptors import patching, router
from pytest_hwcloud.interceptors.cloud_session import CloudSession
from pytest_hwcloud.interceptors.network_block import NetworkBlocked
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER

CLOUD = "ecs.cn-north-4.myhuaweicloud.com"


@pytest.fixture
def made(tmp_path):
    return tape(tmp_path / "c.yaml", entry(body='{"count": 8}'), repeat_last=True)


def reach_by_loop():
    async def call():
        await asyncio.get_running_loop().create_connection(asyncio.Protocol, CLOUD, 443)

    asyncio.run(call())


def reach_by_handshake():
    """An address that somebody else resolved, or a proxy's: the name in the handshake gives it away."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ssl.create_default_context().wrap_socket(ours, server_hostname=CLOUD)


def reach_by_connect(method):
    with socket.socket() as made:
        getattr(made, method)((CLOUD, 443))


REACHES = {
    "getaddrinfo": lambda: socket.getaddrinfo(CLOUD, 443),
    "getaddrinfo of bytes": lambda: socket.getaddrinfo(CLOUD.encode(), 443),
    "gethostbyname": lambda: socket.gethostbyname(CLOUD.upper()),
    "create_connection": lambda: socket.create_connection((CLOUD, 443), 1),
    "connect": lambda: reach_by_connect("connect"),
    "connect_ex": lambda: reach_by_connect("connect_ex"),
    "asyncio": reach_by_loop,
    "handshake": reach_by_handshake,
}


@pytest.mark.parametrize("reach", REACHES.values(), ids=REACHES)
def test_every_way_to_a_cloud_host_is_closed(made, reach):
    with replaying(made) as player:
        with pytest.raises(NetworkBlocked) as caught:
            reach()
        assert player.unrecorded == [caught.value]  # so the test fails also where a client swallows it


def test_the_text_says_who_which_host_and_the_ways_out(made):
    with replaying(made), pytest.raises(NetworkBlocked) as caught:
        socket.create_connection((CLOUD, 443))
    assert str(caught.value).splitlines() == [
        f"hwcloud: pytest-hwcloud blocked a connection to {CLOUD}:443: "
        "in replay mode no cloud test reaches a cloud host",
        "  cause      the call was made by a client that is not answered from cassettes, or after its test was over",
        "  fix        make the call within the test, with requests, urllib3, httpx, aiohttp, http.client or the SDK;",
        "             or let it out with --hwcloud-mode=live (nothing is written) or --hwcloud-mode=record",
    ]


def test_loopback_passes_also_where_it_is_a_cloud_host_of_the_run(made):
    with socket.create_server(("127.0.0.1", 0)) as server, replaying(made, hosts=["127.0.0.1", "localhost"]):
        with socket.create_connection(server.getsockname()[:2]):
            pass
        assert socket.getaddrinfo("localhost", 80)


@pytest.mark.parametrize("client", [CloudSession, requests.Session])
def test_eight_threads_with_sessions_of_their_own_and_not_one_call_escapes(made, client):
    cloud, barrier = state(), threading.Barrier(8)

    def work(_):
        barrier.wait()
        counts = []
        for _ in range(20):
            session = client()
            session.auth = signed(cloud)
            counts.append(session.get(LIST).json()["count"])
        return counts

    with replaying(made, cloud=cloud) as player, ThreadPoolExecutor(8) as pool:
        assert [count for counts in pool.map(work, range(8)) for count in counts] == [8] * 160
    assert player.unrecorded == []
    assert made[0].played == 160


def test_the_wall_stands_between_two_tests_and_falls_afterwards(made):
    with replaying(made):
        router.pause()
        with pytest.raises(NetworkBlocked):
            socket.getaddrinfo(CLOUD, 443)
        with pytest.raises(NetworkBlocked):
            requests.get(LIST)
    assert not CURRENT_ROUTER.blocked


def patched():
    return {
        "getaddrinfo": socket.getaddrinfo,
        "connect": vars(socket.socket).get("connect"),
        "wrap": vars(ssl.SSLContext)["wrap_socket"],
        "make": requests.packages.urllib3.connectionpool.HTTPConnectionPool._make_request,
        "adapter": requests.adapters.HTTPAdapter.send,
        "http": http.client.HTTPConnection.connect,
        "https": http.client.HTTPSConnection.connect,
    }


def test_nothing_is_left_when_a_test_that_is_no_cloud_test_comes(made):
    before = patched()
    with replaying(made):
        assert all(now is not before[name] for name, now in patched().items())
    assert patched() == before
    patching.remove()
    assert patched() == before


def test_a_patch_that_somebody_put_over_ours_stays(made, monkeypatch):
    real = socket.getaddrinfo
    with replaying(made):
        theirs = lambda *args, **kwargs: "theirs"  # noqa: E731
        socket.getaddrinfo = theirs
    try:
        assert socket.getaddrinfo is theirs
    finally:
        socket.getaddrinfo = real


def test_another_router_for_a_while(made, tmp_path):
    from pytest_hwcloud.replay.player import Player

    cloud = state()
    other = tape(tmp_path / "other.yaml", entry(body='{"count": 1}'))
    session = CloudSession()
    session.auth = signed(cloud)
    with replaying(made, cloud=cloud):
        with router.using(Player([other], cloud)):
            assert session.get(LIST).json() == {"count": 1}
        assert session.get(LIST).json() == {"count": 8}


def test_a_proxy_in_the_environment_is_not_asked(made, monkeypatch):
    cloud = state()
    for name in ("HTTPS_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    with replaying(made, cloud=cloud):
        assert requests.get(LIST, auth=signed(cloud)).json() == {"count": 8}
