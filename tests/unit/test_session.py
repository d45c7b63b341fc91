"""Our own session: requests' own types and habits, without its pools and look-ups in a replay."""

import copy
import pickle
import threading
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import requests
import urllib3
from replaying import HOST, LIST, entry, replaying, signed, state, tape

from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
from pytest_hwcloud.cloud.tokens import project_scope
from pytest_hwcloud.interceptors.cloud_session import CloudSession
from pytest_hwcloud.journal import CURRENT

JSON = {"Content-Type": ["application/json"], "X-Request-Id": ["abc"]}


@pytest.fixture
def cloud(tmp_path):
    made = state()
    entries = [
        entry(body='{"count": 8}', headers=JSON),
        entry(f"{HOST}/latin", body="<p>", headers={"content-type": ["text/html; charset=latin-1"]}),
        entry(f"{HOST}/plain", body="x", headers={"Content-Type": ["text/plain"]}),
        entry(f"{HOST}/moved", status=302, headers={"Location": [LIST]}, body=""),
        entry(f"{HOST}/post", method="POST", body="made", status=201, headers=JSON),
        entry(f"{HOST}/head", method="HEAD", body="not sent", headers=JSON),
        entry(f"{HOST}/cookie", headers={"Set-Cookie": ["sid=1; Path=/"]}),
        entry(f"{HOST}/slow", status=429, headers={"Retry-After": ["1"]}),
    ]
    with replaying(tape(tmp_path / "c.yaml", *entries, repeat_last=True), cloud=made):
        yield made


@pytest.fixture(params=[CloudSession, requests.Session])
def session(cloud, request):
    """Ours, and for comparison requests' own through the door of urllib3: each test holds for both."""
    made = request.param()
    made.auth = signed(cloud)
    return made


def test_the_response_is_requests_own(session):
    answer = session.get(LIST)
    assert type(answer) is requests.Response
    assert (answer.status_code, answer.reason, answer.ok, answer.url, answer.history) == (200, "OK", True, LIST, [])
    assert (answer.encoding, answer.json(), answer.text) == ("utf-8", {"count": 8}, '{"count": 8}')
    assert answer.headers["x-request-id"] == "abc"
    assert isinstance(answer.raw, urllib3.HTTPResponse)
    assert (answer.raw.status, answer.raw.headers["X-Request-Id"], answer.raw.read()) == (200, "abc", b"")
    assert timedelta(0) < answer.elapsed < timedelta(seconds=10)
    assert (answer.request.url, answer.request.method) == (LIST, "GET")
    assert callable(answer.connection.send)
    assert answer.is_redirect is False
    answer.close()


@pytest.mark.parametrize(("path", "encoding"), [("latin", "latin-1"), ("plain", "ISO-8859-1"), ("cookie", None)])
def test_the_encoding_comes_from_the_headers(session, path, encoding):
    assert session.get(f"{HOST}/{path}").encoding == encoding


def test_a_stream_is_read_when_it_is_read(session):
    with session.get(LIST, stream=True) as answer:
        assert b"".join(answer.iter_content(3)) == b'{"count": 8}'
    with session.get(LIST, stream=True) as answer:
        assert answer.raw.read(4) == b'{"co'
    assert list(session.get(LIST, stream=True).iter_lines()) == [b'{"count": 8}']


def test_head_has_no_body(session):
    assert session.head(f"{HOST}/head").content == b""


def test_redirects_are_followed_as_requests_follows_them(session):
    answer = session.get(f"{HOST}/moved")
    assert (answer.json(), [r.status_code for r in answer.history]) == ({"count": 8}, [302])
    stopped = session.get(f"{HOST}/moved", allow_redirects=False)
    assert (stopped.status_code, stopped.history, stopped.next.url) == (302, [], LIST)


@pytest.fixture
def netrc(tmp_path, monkeypatch):
    """~/.netrc has a password for the cloud's host, and one for another."""
    file = tmp_path / "netrc"
    file.write_text(
        f"machine {HOST[8:]} login me password geheim\nmachine elsewhere.example login me password geheim\n"
    )
    monkeypatch.setenv("NETRC", str(file))


def test_netrc_never_replaces_a_signature(netrc, session):
    answer = session.get(LIST)
    assert (answer.status_code, answer.request.headers["Authorization"][:15]) == (200, "SDK-HMAC-SHA256")


@pytest.mark.parametrize("auth", ["keys", "token"])
def test_netrc_never_replaces_signature_or_token_on_a_redirect(netrc, cloud, auth):
    session = CloudSession()
    who = cloud.identity("default")
    token = cloud.issue(who, project_scope(who, "cn-north-4"))
    session.auth = signed(cloud) if auth == "keys" else token
    answer = session.get(f"{HOST}/moved")
    assert (answer.json(), answer.request.url) == ({"count": 8}, LIST)
    if auth == "keys":
        assert answer.request.headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=")
    else:
        assert answer.request.headers["X-Auth-Token"] == token.value
        assert "Authorization" not in answer.request.headers


def test_a_redirect_without_credentials_is_requests_affair(netrc, cloud):
    session = CloudSession()
    session.headers["X-Sdk-Date"] = "20260101T000000Z"
    request = session.prepare_request(requests.Request("GET", "https://elsewhere.example/"))
    response = requests.Response()
    response.request = session.prepare_request(requests.Request("GET", LIST, auth=signed(cloud)))
    session.rebuild_auth(request, response)
    assert request.headers["Authorization"] == "Basic bWU6Z2VoZWlt"


@pytest.mark.parametrize("name", ["Authorization", "X-Auth-Token", "X-Security-Token", "X-Subject-Token"])
def test_another_host_gets_no_credentials(cloud, name):
    session = CloudSession()
    request = requests.Request("GET", "https://elsewhere.example/", headers={name: "secret"}).prepare()
    response = requests.Response()
    response.request = requests.Request("GET", LIST).prepare()
    session.rebuild_auth(request, response)
    assert name not in request.headers


def test_cookies_are_kept(session):
    assert session.get(f"{HOST}/cookie").cookies.get_dict() == {"sid": "1"}
    assert session.cookies.get_dict() == {"sid": "1"}


def test_hooks_see_the_response_and_may_replace_it(session):
    seen = []
    session.hooks["response"].append(lambda r, **kwargs: seen.append((r.status_code, sorted(kwargs))))
    session.get(LIST)
    assert [status for status, _ in seen] == [200]
    assert "allow_redirects" not in seen[0][1]
    other = requests.Response()
    assert session.get(LIST, hooks={"response": lambda r, **_: other}) is other


def test_raise_for_status_says_what_requests_says(session):
    with pytest.raises(requests.HTTPError, match="429 Client Error: OK for url: https://ecs"):
        session.get(f"{HOST}/slow").raise_for_status()


@pytest.mark.parametrize("data", ["text", b"bytes", {"a": "b"}, iter([b"chunks"])])
def test_every_kind_of_body_is_heard(cloud, data):
    session = CloudSession()
    session.auth = None
    session.headers["X-Auth-Token"] = "unknown to the run"
    assert session.post(f"{HOST}/post", data=data).text == "made"
    heard = CURRENT.journal.exchanges[-1].request
    assert heard.body in (b"text", b"bytes", b"a=b", b"chunks")
    assert heard.headers["x-auth-token"] == "unknown to the run"


def test_a_file_is_heard_and_json_is(cloud, tmp_path):
    (tmp_path / "f").write_bytes(b"from a file")
    session = CloudSession()
    session.headers["X-Auth-Token"] = "unknown to the run"
    with (tmp_path / "f").open("rb") as body:
        session.post(f"{HOST}/post", data=body)
    assert CURRENT.journal.exchanges[-1].request.body == b"from a file"
    session.post(f"{HOST}/post", json={"a": 1})
    assert CURRENT.journal.exchanges[-1].request.body == b'{"a": 1}'


def test_it_has_all_that_a_session_has():
    ours, theirs = vars(CloudSession()), vars(requests.Session())
    assert set(theirs) - set(ours) == {"adapters"}  # which is made when somebody asks
    assert {k: ours[k] for k in theirs if k not in ("adapters", "cookies", "hooks")} == {
        k: theirs[k] for k in theirs if k not in ("adapters", "cookies", "hooks")
    }
    assert list(CloudSession().adapters) == list(requests.Session().adapters)


def test_adapters_can_be_mounted_and_the_session_pickled():
    session = CloudSession()
    special = requests.adapters.HTTPAdapter(max_retries=3)
    session.mount("https://special/", special)
    assert session.get_adapter("https://special/x") is special
    assert session.get_adapter("https://other/x") is session.adapters["https://"]
    assert pickle.loads(pickle.dumps(session)).get_adapter("https://special/x").max_retries.total == 3
    session.close()


def test_no_pool_is_made_and_no_proxy_looked_up_in_a_replay(cloud, monkeypatch):
    monkeypatch.setattr(requests.sessions, "get_environ_proxies", lambda *_, **__: pytest.fail("looked up"))
    monkeypatch.setattr(requests.sessions, "get_netrc_auth", lambda *_, **__: pytest.fail("looked up"))
    session = CloudSession()
    session.auth = signed(cloud)
    session.get(LIST)
    assert session._mounted is None


class Echo(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"hi")

    def log_message(self, *_):
        pass


@pytest.fixture
def service():
    with ThreadingHTTPServer(("127.0.0.1", 0), Echo) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_other_hosts_pass_untouched_in_a_replay(cloud, service, session):
    with session:
        assert session.get(service).text == "hi"
    assert CURRENT.journal.exchanges == []


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda one: pickle.loads(pickle.dumps(one))])
@pytest.mark.parametrize("offline", [True, False])
def test_a_copy_calls_where_no_replay_answers(service, tmp_path, again, offline):
    original = CloudSession()
    original.headers["X-Own"], original.verify = "kept", False
    if offline:
        with replaying(tape(tmp_path / "c.yaml")), again(original) as session:
            assert session.get(service).text == "hi"
    else:
        with again(original) as session:
            assert session.get(service).text == "hi"
    assert (session.headers["X-Own"], session.verify) == ("kept", False)
    assert vars(session).keys() >= vars(CloudSession()).keys()


def test_the_environment_is_read_once_per_host_outside_of_a_replay(service, monkeypatch):
    looked = []
    monkeypatch.setattr(requests.sessions, "get_environ_proxies", lambda *_, **__: looked.append(1) or {})
    with CloudSession() as session:
        assert [session.get(service + path).text for path in ("a", "b")] == ["hi", "hi"]
        assert len(looked) == 1
        session.get(service, verify=False)
        assert len(looked) == 2


def test_a_session_says_whose_it_is_and_shows_no_key() -> None:
    session = CloudSession()
    assert repr(session) == "<session of hwcloud, without credentials>"
    session.auth = AkSkAuth("AKIDEXAMPLE123456789", "a-secret-key")
    assert "AkSkAuth" in repr(session)
    assert "a-secret-key" not in repr(session)
    assert "AKIDEXAMPLE123456789" not in repr(session)


@pytest.mark.parametrize(
    "url",
    [LIST, f"{HOST}/v1/a/../b", f"{HOST}//v1", HOST, f"{HOST}/a%2fb?x=ä y", f"{HOST}:443/v1?", "http://1.2.3.4/x"],
)
@pytest.mark.parametrize(
    "given",
    [
        {},
        {"headers": {"X-Own": "1", "User-Agent": None}},
        {"params": {"limit": 2}},
        {"method": "POST"},
        {"method": "PUT", "json": []},
        {"data": {"a": "b"}},
    ],
)
def test_what_goes_out_is_what_requests_prepares(url, given):
    found = []
    for session in (CloudSession(), requests.Session()):
        session.auth, session.headers["X-Other"] = (lambda request: request), "2"
        made = session.prepare_request(requests.Request(**{"method": "get", "url": url, **given}))
        found.append((made.method, made.url, list(made.headers.items()), made.body, made.hooks, list(made._cookies)))
    assert found[0] == found[1]


@pytest.mark.parametrize("value", [7, ["x"], "a\nb"])
def test_a_header_that_cannot_be_sent_is_refused_as_by_requests(value):
    session = CloudSession()
    session.auth, session.headers["X-Own"] = (lambda request: request), value
    with pytest.raises(requests.exceptions.InvalidHeader):
        session.prepare_request(requests.Request("GET", LIST))
