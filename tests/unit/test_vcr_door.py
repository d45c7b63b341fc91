"""Every client library is answered with its own types, and the recorder hears what it heard."""

import asyncio
import sys
import threading
import urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import aiohttp
import httpx
import pytest
import requests
import urllib3
from replaying import HOST, LIST, PROJECT, entry, replaying, signed, state, tape

from pytest_hwcloud.interceptors import router
from pytest_hwcloud.interceptors.router import NotRecorded
from pytest_hwcloud.journal import CURRENT

JSON = {"Content-Type": ["application/json"], "X-Request-Id": ["abc"]}


@pytest.fixture
def cloud(tmp_path):
    made = state()
    entries = [
        entry(body='{"count": 8, "servers": []}', headers=JSON),
        entry(f"{HOST}/moved", status=302, headers={"Location": [LIST]}, body=""),
        entry(f"{HOST}/post", method="POST", body="made", status=201),
        entry(f"{HOST}/slow", status=429, body="{}"),
        entry(
            "https://b.obs.cn-north-4.myhuaweicloud.com/key",
            method="PUT",
            body="",
            headers={"x-obs-request-id": ["o1"]},
        ),
    ]
    with replaying(tape(tmp_path / "c.yaml", *entries, repeat_last=True), cloud=made):
        yield made


def headers(cloud, url=LIST, method="GET", **kwargs):
    return dict(requests.Request(method, url, auth=signed(cloud), **kwargs).prepare().headers)


TOKEN = {"X-Auth-Token": "of nobody of the run"}


def by_urllib3(url, heads):
    with urllib3.PoolManager() as pool:
        answer = pool.request("GET", url, headers=heads)
        return answer.status, answer.json(), answer.headers["x-request-id"], isinstance(answer, urllib3.HTTPResponse)


def by_httpx(url, heads):
    answer = httpx.get(url, headers=heads, follow_redirects=True)
    return answer.status_code, answer.json(), answer.headers["x-request-id"], type(answer) is httpx.Response


def by_async_httpx(url, heads):
    async def call():
        async with httpx.AsyncClient(follow_redirects=True) as client:
            answer = await client.get(url, headers=heads)
            return answer.status_code, answer.json(), answer.headers["x-request-id"], type(answer) is httpx.Response

    return asyncio.run(call())


def by_aiohttp(url, heads):
    async def call():
        async with aiohttp.ClientSession(HOST) as session, session.get(url.removeprefix(HOST), headers=heads) as answer:
            return (
                answer.status,
                await answer.json(),
                answer.headers["x-request-id"],
                isinstance(answer, aiohttp.ClientResponse),
            )

    return asyncio.run(call())


def by_urllib(url, heads):
    import json

    with urllib.request.urlopen(urllib.request.Request(url, headers=heads)) as answer:
        return (
            answer.status,
            json.load(answer),
            answer.headers["x-request-id"],
            isinstance(answer, __import__("http").client.HTTPResponse),
        )


CLIENTS = [by_urllib3, by_httpx, by_async_httpx, by_aiohttp, by_urllib]


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("path", [LIST, f"{HOST}/moved"])
def test_a_client_gets_the_recorded_answer_in_its_own_type(cloud, client, path):
    heads = headers(cloud) if path == LIST else TOKEN
    assert client(path, heads) == (200, {"count": 8, "servers": []}, "abc", True)


@pytest.mark.parametrize("client", CLIENTS)
def test_a_call_that_nothing_answers_reaches_the_test_as_it_is(cloud, client):
    with pytest.raises(NotRecorded, match="no recorded answer"):
        client(f"{HOST}/nothing", TOKEN)


@pytest.mark.parametrize("client", CLIENTS[:-1])
def test_the_gates_hold_for_every_client(cloud, client):
    assert client(LIST, {"X-Auth-Token": ""})[0] == 401
    assert CURRENT.journal.exchanges[-1].gate == "authentication"


def test_bodies_of_every_client_are_heard(cloud):
    url = f"{HOST}/post"
    httpx.post(url, headers=TOKEN, json={"a": 1})
    urllib3.request("POST", url, headers=TOKEN, body=iter([b"ch", b"unks"]))
    urllib.request.urlopen(urllib.request.Request(url, headers=TOKEN, data=b"data", method="POST")).close()

    async def call():
        async with aiohttp.ClientSession() as session:
            await session.post(url, headers=TOKEN, json={"b": 2})

    asyncio.run(call())
    assert [e.request.body for e in CURRENT.journal.exchanges] == [b'{"a":1}', b"chunks", b"data", b'{"b": 2}']


def test_throttling_is_swallowed_by_retries_as_in_real_life(cloud):
    session = requests.Session()
    session.headers.update(TOKEN)
    retries = urllib3.Retry(total=0, status_forcelist=[429])
    session.mount("https://", requests.adapters.HTTPAdapter(max_retries=retries))
    with pytest.raises(requests.exceptions.RetryError, match="too many 429 error responses"):
        session.get(f"{HOST}/slow")


def ecs_client(cloud, asynchronous=False):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkecs.v2 import EcsAsyncClient, EcsClient
    from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion

    who = cloud.identity("default")
    builder = (EcsAsyncClient if asynchronous else EcsClient).new_builder()
    return (
        builder.with_credentials(BasicCredentials(who.ak, who.sk)).with_region(EcsRegion.value_of("cn-north-4")).build()
    )


@pytest.mark.parametrize("asynchronous", [False, True])
def test_the_sdk_finds_its_project_and_gets_its_own_types(cloud, asynchronous):
    from huaweicloudsdkecs.v2 import ListServersDetailsRequest, ListServersDetailsResponse

    client = ecs_client(cloud, asynchronous)
    if asynchronous:
        answer = client.list_servers_details_async(ListServersDetailsRequest()).result()
    else:
        answer = client.list_servers_details(ListServersDetailsRequest())
    assert type(answer) is ListServersDetailsResponse
    assert answer.count == 8
    sources = [e.source for e in CURRENT.journal.exchanges]
    assert sources in (["identity service", "c"], ["c"])  # the SDK keeps the project id of a key for the process
    assert CURRENT.journal.exchanges[-1].request.headers["x-project-id"] == PROJECT


@pytest.mark.filterwarnings("ignore::DeprecationWarning")  # the OBS SDK's own
def test_the_obs_sdk_is_answered_through_http_client(cloud):
    from obs import ObsClient

    who = cloud.identity("default")
    client = ObsClient(
        access_key_id=who.ak,
        secret_access_key=who.sk,
        server="https://obs.cn-north-4.myhuaweicloud.com",
        is_signature_negotiation=False,
    )
    answer = client.putContent("b", "key", content="hello")
    assert (answer.status, answer.requestId) == (200, "o1")
    assert CURRENT.journal.exchanges[-1].request.body == b"hello"
    client.close()


# record and live: the call goes out, the router hears


class Service(BaseHTTPRequestHandler):
    def do_POST(self):
        import gzip

        length = int(self.headers.get("Content-Length") or 0)
        sent = self.rfile.read(length)
        body = gzip.compress(b'{"heard": "' + sent + b'"}')
        self.send_response(200, "Fine")
        for name, value in (("Content-Encoding", "gzip"), ("Content-Length", str(len(body))), ("X-Request-Id", "live")):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.do_POST()

    def log_message(self, *_):
        pass


class Listener:
    offline = False
    hosts = ("127.0.0.1*",)

    def __init__(self):
        self.said, self.errors = [], []

    def answer(self, request):
        return None

    def heard(self, request, answer, started):
        assert started > 1_600_000_000
        self.said.append(
            (request.method, request.body, answer.status, answer.reason, answer.body, answer.header("x-request-id"))
        )
        assert answer.header("Content-Encoding") is None

    def failed(self, request, error):
        self.errors.append((request.url, type(error).__name__))


@pytest.fixture
def listener():
    made = Listener()
    router.enter(made)
    yield made
    router.leave()


@pytest.fixture
def service():
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/x"
        server.shutdown()
        thread.join()


def post_by_requests(url):
    with requests.Session() as session:
        return session.post(url, data=b"me").json()


def post_by_ours(url):
    from pytest_hwcloud.interceptors.cloud_session import CloudSession

    with CloudSession() as session:
        return session.post(url, data=iter([b"me"]), headers={"Content-Length": "2"}).json()


def post_by_httpx(url):
    return httpx.post(url, content=b"me").json()


def post_by_aiohttp(url):
    async def call():
        async with aiohttp.ClientSession() as session, session.post(url, data=b"me") as answer:
            return await answer.json(content_type=None)

    return asyncio.run(call())


def post_by_urllib(url):
    """It did not ask for gzip and gets it all the same, from the service as from us: the bytes are the service's."""
    import gzip
    import json

    with urllib.request.urlopen(urllib.request.Request(url, data=b"me", method="POST")) as answer:
        body = answer.read()
        return json.loads(gzip.decompress(body) if answer.headers["Content-Encoding"] == "gzip" else body)


POSTS = [post_by_requests, post_by_httpx, post_by_aiohttp, post_by_urllib]


@pytest.mark.parametrize("post", POSTS)
def test_the_router_hears_a_live_answer_once_decoded_and_the_client_gets_it_too(listener, service, post):
    assert post(service) == {"heard": "me"}
    assert listener.said == [("POST", b"me", 200, "Fine", b'{"heard": "me"}', "live")]


@pytest.mark.parametrize("post", POSTS[:3])
def test_the_router_hears_that_nobody_answered(listener, post):
    with pytest.raises((requests.ConnectionError, httpx.ConnectError, aiohttp.ClientConnectionError)):
        post("http://127.0.0.1:1/x")
    assert [url for url, _ in listener.errors] == ["http://127.0.0.1:1/x"]


def test_an_answer_of_the_router_keeps_the_call_from_going_out(listener, service):
    from pytest_hwcloud.cloud.wire import Answer

    listener.answer = lambda request: Answer(203, {"Content-Type": "application/json"}, b'{"from": "tape"}')
    assert [post(service) for post in (*POSTS, post_by_ours)] == [{"from": "tape"}] * 5
    assert listener.said == []


# beside another cassette


def test_calls_to_other_hosts_still_meet_another_vcr_cassette(cloud, service, tmp_path):
    import vcr

    path = tmp_path / "theirs.yaml"
    for _ in range(2):  # record, then replay: either way round, ours inside theirs
        with vcr.use_cassette(str(path)) as theirs:
            assert requests.get(service, timeout=5).status_code == 200
            assert requests.get(LIST, auth=signed(cloud)).json()["count"] == 8
    assert theirs.play_count == 1
    assert [r.uri for r in theirs.requests] == [service]


def test_entering_inside_another_vcr_cassette_leaves_it_its_calls(service, tmp_path):
    import vcr

    with vcr.use_cassette(str(tmp_path / "theirs.yaml")) as theirs:
        with replaying(tape(tmp_path / "c.yaml", entry())):
            requests.get(service, timeout=5)
            httpx.get(service)
        requests.get(service, timeout=5)
    assert len(theirs) >= 2


def test_nothing_heavy_is_loaded_for_requests_and_late_clients_are_still_answered(tmp_path):
    """In a fresh interpreter: a client that the test imports while it runs gets its door then."""
    import subprocess
    import textwrap

    script = textwrap.dedent(
        f"""
        import sys
        sys.path.insert(0, {str(__import__("pathlib").Path(__file__).parent)!r})
        from pathlib import Path
        from replaying import *
        import requests
        cloud = state()
        with replaying(tape(Path({str(tmp_path / "c.yaml")!r}), entry(), repeat_last=True), cloud=cloud):
            requests.get(LIST, auth=signed(cloud))
            assert not {{"vcr", "httpx", "aiohttp", "yaml"}} & set(sys.modules), sorted(sys.modules)
            import httpx
            print(httpx.get(LIST, headers={{"X-Auth-Token": "x"}}).status_code)
            import aiohttp, asyncio
            async def call():
                async with aiohttp.ClientSession() as session:
                    print((await session.get(LIST, headers={{"X-Auth-Token": "x"}})).status)
            asyncio.run(call())
        assert not any(type(f).__name__ == "Watch" for f in sys.meta_path)
        """
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60)
    assert (done.stdout.split(), done.stderr) == (["200", "200"], "")
