"""What a user puts below `send` counts: adapters, retries, mocks, patches; and a recorded fault is met by one try."""

import asyncio
import http.client
import io
import json
import socket
import urllib.request
import warnings
from contextlib import contextmanager
from unittest import mock

import aiohttp
import httpcore
import httpx
import pytest
import requests
import requests_mock
import responses
import respx
import urllib3
from replaying import HOST, LIST, entry, replaying, state, tape, write
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from pytest_hwcloud import texts
from pytest_hwcloud.interceptors.cloud_session import CloudSession
from pytest_hwcloud.journal import CURRENT

TOKEN = {"X-Auth-Token": "of nobody of the run"}
SEQUENCE = (entry(fault="connection-reset"), entry(status=503, body="busy"), entry(body='{"count": 1}'))


@pytest.fixture
def play(tmp_path):
    cloud = state()

    def plays(*entries, **metadata):
        return replaying(tape(tmp_path / "c.yaml", *entries, **metadata), cloud=cloud)

    return plays


def with_retries(session, **options):
    retries = Retry(backoff_factor=0, status_forcelist=[503], allowed_methods=None, **options)
    session.mount("https://", HTTPAdapter(max_retries=retries))
    return session


@pytest.mark.parametrize("client", [CloudSession, requests.Session])
def test_a_fault_belongs_to_one_try_and_retries_play_the_sequence(play, client):
    with play(*SEQUENCE):
        answer = with_retries(client(), total=5).get(LIST, headers=TOKEN)
        assert (answer.status_code, answer.json()) == (200, {"count": 1})
        assert [e.fault or e.status for e in CURRENT.journal.exchanges] == ["connection-reset", 503, 200]
        assert len(answer.raw.retries.history) == 2


@pytest.mark.parametrize("client", [CloudSession, requests.Session])
def test_retries_that_run_out_raise_what_the_last_try_met(play, client):
    with play(*SEQUENCE), pytest.raises(requests.exceptions.RetryError, match="too many 503 error responses"):
        with_retries(client(), total=1).get(LIST, headers=TOKEN)


@pytest.mark.parametrize("client", [CloudSession, requests.Session])
def test_without_retries_each_call_meets_the_next(play, client):
    with play(*SEQUENCE):
        session = client()
        with pytest.raises(requests.ConnectionError):
            session.get(LIST, headers=TOKEN)
        assert [session.get(LIST, headers=TOKEN).status_code for _ in range(2)] == [503, 200]


def test_urllib3_plays_the_sequence(play):
    with play(*SEQUENCE), urllib3.PoolManager() as pool:
        retries = Retry(total=5, status_forcelist=[503], backoff_factor=0)
        assert pool.request("GET", LIST, headers=TOKEN, retries=retries).status == 200


@pytest.mark.parametrize("retries", [0, 1, 3])
def test_httpx_tries_again_where_no_connection_came_about(play, retries):
    faults = (entry(fault="dns"), entry(fault="connection-refused"), entry(body='{"count": 1}'))
    with play(*faults), httpx.Client(transport=httpx.HTTPTransport(retries=retries)) as client:
        if retries < 2:
            with pytest.raises(httpx.ConnectError):
                client.get(LIST, headers=TOKEN)
        else:
            assert client.get(LIST, headers=TOKEN).json() == {"count": 1}
        assert len(CURRENT.journal.exchanges) == min(retries + 1, 3)


def test_aiohttp_tries_a_lost_connection_once_more_as_in_real_life(play):
    async def call():
        async with aiohttp.ClientSession() as session, session.get(LIST, headers=TOKEN) as answer:
            return answer.status

    with play(*SEQUENCE):
        assert asyncio.run(call()) == 503


def test_the_sdk_retries(play):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.http.http_config import HttpConfig
    from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
    from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion

    cloud = state()
    who = cloud.identity("default")
    config = HttpConfig(retry_times=2)
    credentials = BasicCredentials(who.ak, who.sk, next(iter(who.projects.values())))
    builder = EcsClient.new_builder().with_credentials(credentials).with_http_config(config)
    client = builder.with_region(EcsRegion.value_of("cn-north-4")).build()
    with play(entry(fault="connection-reset"), entry(body='{"count": 3, "servers": []}')):
        assert client.list_servers_details(ListServersDetailsRequest()).count == 3


def test_a_mounted_adapter_is_asked_and_may_answer_itself(play):
    class Own(HTTPAdapter):
        asked = 0

        def send(self, request, **kwargs):
            Own.asked += 1
            return super().send(request, **kwargs)

        def build_response(self, req, resp):
            response = super().build_response(req, resp)
            response.headers["X-Built"] = "by the user"
            return response

    with play(entry(body='{"count": 1}')):
        session = CloudSession()
        session.mount(HOST, Own())
        answer = session.get(LIST, headers=TOKEN)
    assert (Own.asked, answer.headers["X-Built"], answer.json()) == (1, "by the user", {"count": 1})


def test_a_patched_send_wins_and_the_conflict_is_told_once(play, monkeypatch):
    def own(adapter, request, **kwargs):
        response = requests.Response()
        response.status_code, response._content, response.url = 299, b"mine", request.url
        return response

    with play(entry(body='{"count": 1}')), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        monkeypatch.setattr(HTTPAdapter, "send", own)
        session = CloudSession()
        assert [session.get(LIST, headers=TOKEN).status_code for _ in range(2)] == [299, 299]
        monkeypatch.undo()
        assert session.get(LIST, headers=TOKEN).json() == {"count": 1}
    assert [str(one.message) for one in told] == [
        f"hwcloud: GET {LIST} is answered by a mock or a patch of the test, although the cassette 'c' holds an answer; "
        "the mock counts. Take one of the two out of the test"
    ]


@pytest.mark.filterwarnings("ignore:hwcloud")
@pytest.mark.parametrize("client", [CloudSession, requests.Session])
def test_mocks_of_requests_win(play, client):
    with play(entry(body='{"count": 1}')):
        with responses.RequestsMock() as mock:
            mock.get(LIST, json={"from": "responses"})
            assert client().get(LIST, headers=TOKEN).json() == {"from": "responses"}
        with requests_mock.Mocker() as mock:
            mock.get(LIST, json={"from": "requests-mock"})
            assert client().get(LIST, headers=TOKEN).json() == {"from": "requests-mock"}
        assert client().get(LIST, headers=TOKEN).json() == {"count": 1}


@pytest.mark.filterwarnings("ignore:hwcloud")
def test_mocks_of_httpx_win(play):
    async def call():
        async with httpx.AsyncClient() as client:
            return (await client.get(LIST, headers=TOKEN)).json()

    with play(entry(body='{"count": 1}'), entry(body='{"count": 1}')):
        with respx.mock:
            respx.get(LIST).respond(json={"from": "respx"})
            assert httpx.get(LIST, headers=TOKEN).json() == {"from": "respx"}
            assert asyncio.run(call()) == {"from": "respx"}
        with httpx.Client(
            transport=httpx.MockTransport(lambda request: httpx.Response(200, json={"from": "me"}))
        ) as own:
            assert own.get(LIST).json() == {"from": "me"}
        assert httpx.get(LIST, headers=TOKEN).json() == {"count": 1}
        assert asyncio.run(call()) == {"count": 1}


def test_a_mock_of_aiohttp_wins(play, monkeypatch):
    async def mine(session, method, url, **options):
        return {"from": "me"}

    async def mocked():
        async with aiohttp.ClientSession() as session:
            return await session._request("GET", LIST)

    async def call():
        async with aiohttp.ClientSession() as session, session.get(LIST, headers=TOKEN) as answer:
            return await answer.json()

    with play(entry(body='{"count": 1}')):
        with monkeypatch.context() as patched:  # as aioresponses does it
            patched.setattr(aiohttp.ClientSession, "_request", mine)
            assert asyncio.run(mocked()) == {"from": "me"}
        assert asyncio.run(call()) == {"count": 1}


def test_trace_configs_and_connectors_of_aiohttp_see_the_call(play):
    seen = []

    class Own(aiohttp.TCPConnector):
        async def connect(self, *args, **kwargs):
            seen.append("connect")
            return await super().connect(*args, **kwargs)

    async def call():
        traces = aiohttp.TraceConfig()
        for name in ("on_request_start", "on_connection_create_end", "on_request_end"):

            async def note(session, context, params, name=name):
                seen.append(name)

            getattr(traces, name).append(note)
        session = aiohttp.ClientSession(connector=Own(), trace_configs=[traces])
        async with session, session.get(LIST, headers=TOKEN) as answer:
            return await answer.json()

    with play(entry(body='{"count": 1}')):
        assert asyncio.run(call()) == {"count": 1}
    assert seen == ["on_request_start", "connect", "on_connection_create_end", "on_request_end"]


def test_a_body_that_waits_to_be_asked_for_is_asked_for(play):
    async def call():
        session = aiohttp.ClientSession()
        async with session, session.post(LIST, data=b"body", headers=TOKEN, expect100=True) as answer:
            return await answer.text()

    with play(entry(method="POST", body="taken")):
        assert asyncio.run(asyncio.wait_for(call(), 5)) == "taken"


def test_event_hooks_and_auth_of_httpx_see_the_call(play):
    seen = []

    class Own(httpx.Auth):
        requires_response_body = True

        def auth_flow(self, request):
            request.headers["X-Auth-Token"] = "of nobody of the run"
            response = yield request
            seen.append(response.json())

    hooks = {
        "request": [lambda request: seen.append("request")],
        "response": [lambda response: seen.append("response")],
    }
    with play(entry(body='{"count": 1}')), httpx.Client(auth=Own(), event_hooks=hooks) as client:
        assert client.get(LIST).json() == {"count": 1}
    assert seen == ["request", "response", {"count": 1}]


@pytest.mark.parametrize(("metadata", "wanted"), [({"repeat_last": True}, [1, 2, 2, 2]),
                                                  ({"allow_playback_repeats": True}, [1, 2, 1, 1])])  # fmt: skip
def test_what_comes_after_the_last_answer(play, metadata, wanted):
    with play(entry(body="1"), entry(body="2"), **metadata):
        session = CloudSession()
        assert [session.get(LIST, headers=TOKEN).json() for _ in wanted] == wanted


ANSWERED_TWICE = (
    f"hwcloud: GET {LIST} is answered by a mock or a patch of the test, although the cassette 'c' holds an answer; "
    "the mock counts. Take one of the two out of the test"
)
MINE = {"from": "me"}


def own_response():
    made = requests.Response()
    made.status_code, made._content, made.url = 200, json.dumps(MINE).encode(), LIST
    return made


def own_pool_response(*args, **kwargs):
    return urllib3.HTTPResponse(body=io.BytesIO(json.dumps(MINE).encode()), status=200, preload_content=False)


@contextmanager
def by_responses():
    with responses.RequestsMock() as mocked:
        mocked.get(LIST, json=MINE)
        yield


@contextmanager
def by_requests_mock():
    with requests_mock.Mocker() as mocked:
        mocked.get(LIST, json=MINE)
        yield


@contextmanager
def by_respx():
    with respx.mock:
        respx.get(LIST).respond(json=MINE)
        yield


def patched(target, **options):
    return lambda: mock.patch(target, **options)


REQUESTS_MOCKS = {
    "responses": by_responses,
    "requests-mock": by_requests_mock,
    "Session.send": patched("requests.Session.send", return_value=own_response()),
    "HTTPAdapter.send": patched("requests.adapters.HTTPAdapter.send", return_value=own_response()),
    "get_adapter": patched(
        "requests.Session.get_adapter", return_value=mock.Mock(send=mock.Mock(return_value=own_response()))
    ),
    "urlopen": patched("urllib3.connectionpool.HTTPConnectionPool.urlopen", side_effect=own_pool_response),
    "_make_request": patched("urllib3.connectionpool.HTTPConnectionPool._make_request", side_effect=own_pool_response),
}
HTTPX_MOCKS = {
    "respx": by_respx,
    "handle_request": patched(  # as pytest-httpx does it
        "httpx.HTTPTransport.handle_request", side_effect=lambda request: httpx.Response(200, json=MINE)
    ),
}
CLIENTS_OF_MOCKS = [
    *((client, name, made) for client in (CloudSession, requests.Session) for name, made in REQUESTS_MOCKS.items()),
    *((httpx.Client, name, made) for name, made in HTTPX_MOCKS.items()),
]


@pytest.mark.parametrize(
    ("client", "mocked"),
    [pytest.param(client, made, id=f"{client.__name__}-{name}") for client, name, made in CLIENTS_OF_MOCKS],
)
def test_a_mock_wins_and_is_told_once_and_only_where_both_would_answer(play, client, mocked):
    with play(entry(body='{"count": 1}')), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with mocked():
            for _ in range(2):
                assert client().get(LIST, headers=TOKEN).json() == MINE
        assert CURRENT.journal.exchanges == []  # nothing was said to the cloud
        assert client().get(LIST, headers=TOKEN).json() == {"count": 1}
    assert [str(one.message) for one in told] == [ANSWERED_TWICE]
    with play(entry(f"{HOST}/other")), warnings.catch_warnings(), mocked():
        warnings.simplefilter("error")
        assert client().get(LIST, headers=TOKEN).json() == MINE


def test_what_a_mock_passes_on_is_answered_and_not_told(play):
    with play(*[entry(body='{"count": 1}')] * 4), warnings.catch_warnings():
        warnings.simplefilter("error")
        with responses.RequestsMock(assert_all_requests_are_fired=False) as mocked:
            mocked.add_passthru(HOST)
            assert CloudSession().get(LIST, headers=TOKEN).json() == {"count": 1}
        with requests_mock.Mocker(real_http=True):
            assert requests.get(LIST, headers=TOKEN).json() == {"count": 1}
        with respx.mock:
            respx.route(host="ecs.cn-north-4.myhuaweicloud.com").pass_through()
            assert httpx.get(LIST, headers=TOKEN).json() == {"count": 1}

            async def call():
                async with httpx.AsyncClient() as client:
                    return (await client.get(LIST, headers=TOKEN)).json()

            assert asyncio.run(call()) == {"count": 1}


def test_httpcore_by_itself_is_answered_and_meets_faults(play):
    async def call():
        async with httpcore.AsyncConnectionPool() as pool:
            return (await pool.request("GET", LIST, headers=TOKEN)).content

    with play(entry(body="1"), entry(body="2"), entry(fault="dns")):
        assert httpcore.request("GET", LIST, headers=TOKEN).content == b"1"
        assert asyncio.run(call()) == b"2"
        with pytest.raises(httpcore.ConnectError):
            httpcore.request("GET", LIST, headers=TOKEN)


class FakeSocket:
    """A socket that answers by itself, as mocket's does."""

    def __init__(self, *args, **kwargs):
        self.file = io.BytesIO(b'HTTP/1.1 200 OK\r\nContent-Length: 14\r\n\r\n{"from": "me"}')

    def __getattr__(self, name):
        return lambda *args, **kwargs: None

    def makefile(self, *args, **kwargs):
        return self.file


@pytest.mark.parametrize("client", ["urllib3", "requests", "http.client"])
def test_sockets_of_the_test_that_answer_win(play, monkeypatch, client):
    url = LIST.replace("https:", "http:")
    with play(entry(url, body='{"count": 1}')), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        with monkeypatch.context() as own:
            own.setattr(socket, "socket", FakeSocket)
            own.setattr(socket, "create_connection", FakeSocket)
            own.setattr("urllib3.util.connection.create_connection", FakeSocket)
            if client == "urllib3":
                assert urllib3.PoolManager().request("GET", url, headers=TOKEN).json() == MINE
            elif client == "requests":
                assert requests.get(url, headers=TOKEN).json() == MINE
            else:
                connection = http.client.HTTPConnection("ecs.cn-north-4.myhuaweicloud.com")
                connection.request("GET", "/", headers=TOKEN)
                assert json.load(connection.getresponse()) == MINE
        assert requests.get(url, headers=TOKEN).json() == {"count": 1}
    expected = [] if client == "http.client" else [ANSWERED_TWICE.replace("https:", "http:")]
    assert [str(one.message) for one in told] == expected


def test_sockets_that_only_guard_leave_the_cassette_alone(play, monkeypatch):
    class GuardedSocket(socket.socket):  # as pytest-socket does it
        def __new__(cls, *args, **kwargs):
            raise RuntimeError("no network")

    def guard(*args, **kwargs):
        raise RuntimeError("no network")

    for replacement in (GuardedSocket, guard):
        with play(*[entry(body='{"count": 1}')] * 4), monkeypatch.context() as own:
            own.setattr(socket, "socket", replacement)
            assert requests.get(LIST, headers=TOKEN).json() == {"count": 1}
            assert urllib3.PoolManager().request("GET", LIST, headers=TOKEN).json() == {"count": 1}
            assert httpx.get(LIST, headers=TOKEN).json() == {"count": 1}
            asked = urllib.request.Request(LIST, headers=TOKEN)
            assert json.load(urllib.request.urlopen(asked)) == {"count": 1}


TOLD_OF_VCRPY = {
    "en": "hwcloud: the vcrpy cassette {file} holds answers of cloud hosts, which are not played: in a cloud test they "
    "come from the test's own cassettes, through the gates. Name the file in @pytest.mark.hwcloud_cassette",
    "zh": "hwcloud：vcrpy 的录制文件 {file} 中有云主机的响应，但不会被播放：云测试中的响应经过认证和鉴权，"
    "来自测试自身的录制文件。请在 @pytest.mark.hwcloud_cassette 中写明该文件",
}


@pytest.mark.parametrize("language", TOLD_OF_VCRPY)
def test_a_cassette_of_vcrpy_that_holds_the_cloud_is_told_once(play, tmp_path, monkeypatch, language):
    import vcr

    monkeypatch.setattr(texts._Run, "language", language)
    monkeypatch.chdir(tmp_path)
    theirs, other = write(tmp_path / "theirs.yaml", entry(body='{"from": "vcrpy"}')), tmp_path / "other.yaml"
    write(other, entry("https://example.com/"))
    with play(entry(body='{"count": 1}'), entry(body='{"count": 2}')), warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        for count in (1, 2):
            with vcr.use_cassette(str(theirs), record_mode="none"), vcr.use_cassette(str(other)):
                assert requests.get(LIST, headers=TOKEN).json() == {"count": count}
    assert [str(one.message) for one in told] == [TOLD_OF_VCRPY[language].format(file="theirs.yaml")]
