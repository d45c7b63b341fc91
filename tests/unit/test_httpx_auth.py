"""AkSkAuth and Token as `auth=` of httpx, sync and async: the gate checks what they made."""

import asyncio

import httpx
import pytest
from replaying import HOST, LIST, PROJECT, entry, replaying, signed, state, tape

from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
from pytest_hwcloud.cloud.tokens import project_scope
from pytest_hwcloud.journal import CURRENT

CALLS = [
    ("GET", LIST, {}),
    ("GET", f"{HOST}/v1/{PROJECT}/things", {"params": {"b": "x y", "a": ["2", "1"], "name": "云", "plus": "a+b"}}),
    ("GET", f"{HOST}/v1/{PROJECT}/a%20b/%E4%BA%91?flag&z=1&a=", {}),
    ("POST", f"{HOST}/v1/{PROJECT}/things", {"json": {"name": "云"}}),
    ("POST", f"{HOST}/v1/{PROJECT}/things", {"data": {"a": "1"}}),
    ("POST", f"{HOST}/v1/{PROJECT}/things", {"files": {"f": ("n.txt", b"x")}}),
    ("PUT", f"{HOST}/v1/{PROJECT}/things", {"content": b"raw", "headers": {"X-Own": "one  two", "Accept": "a/b"}}),
    ("DELETE", f"{HOST}/v1/{PROJECT}/things/1", {}),
]


def send(asynchronous, method, url, auth, **options):
    async def call():
        async with httpx.AsyncClient(auth=auth) as client:
            return await client.request(method, url, **options)

    if asynchronous:
        return asyncio.run(call())
    with httpx.Client(auth=auth) as client:
        return client.request(method, url, **options)


@pytest.fixture
def play(tmp_path):
    cloud = state()

    def plays(method, url):
        return replaying(tape(tmp_path / "c.yaml", entry(url, method=method), repeat_last=True), cloud=cloud)

    plays.cloud = cloud
    return plays


@pytest.mark.parametrize("algorithm", ["SDK-HMAC-SHA256", "SDK-HMAC-SM3", "V11-HMAC-SHA256"])
@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize(("method", "url", "options"), CALLS)
def test_a_signed_call_passes_the_gate(play, asynchronous, method, url, options, algorithm):
    sent = str(httpx.Request(method, url, params=options.get("params")).url)
    who = play.cloud.identity("default")
    auth = AkSkAuth(who.ak, who.sk, project_id=PROJECT, algorithm=algorithm)
    with play(method, sent):
        answer = send(asynchronous, method, url, auth, **options)
        (exchange,) = CURRENT.journal.exchanges
    assert answer.status_code == 200, answer.text
    assert (exchange.identity, exchange.credential, exchange.gate, exchange.notes) == ("default", "aksk", None, ())
    assert exchange.request.headers["x-project-id"] == PROJECT


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_wrong_key_is_refused(play, asynchronous):
    who = play.cloud.identity("default")
    with play("GET", LIST):
        answer = send(asynchronous, "GET", LIST, AkSkAuth(who.ak, "wrong"))
    assert answer.status_code == 401
    assert "verify aksk signature fail" in answer.json()["error_msg"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_body_that_streams_is_not_hashed(play, asynchronous):
    def parts():
        yield b"one"
        yield b"two"

    async def slow():
        yield b"one"
        yield b"two"

    url = f"{HOST}/v1/{PROJECT}/things"
    with play("POST", url):
        answer = send(asynchronous, "POST", url, signed(play.cloud), content=slow() if asynchronous else parts())
        (exchange,) = CURRENT.journal.exchanges
    assert answer.status_code == 200, answer.text
    assert exchange.request.body == b"onetwo"
    assert exchange.request.headers["x-sdk-content-sha256"] == "UNSIGNED-PAYLOAD"


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_token(play, asynchronous):
    cloud = play.cloud
    token = cloud.issue(cloud.identity("default"), project_scope(cloud.identity("default"), "cn-north-4"))
    with play("GET", LIST):
        assert send(asynchronous, "GET", LIST, token).status_code == 200
        (exchange,) = CURRENT.journal.exchanges
    assert (exchange.identity, exchange.token) == ("default", token)
