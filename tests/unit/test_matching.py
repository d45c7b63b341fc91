"""Which requests are the same: queries by their pairs, targets as they were sent, presigned URLs without credentials;
and cassettes with the oddities of real ones."""

import gzip
import http.client

import httpx
import pytest
import requests
import urllib3
from replaying import HOST, entry, replaying, signed, state, tape

from pytest_hwcloud.cassettes.interaction import CassetteError
from pytest_hwcloud.cassettes.request_key import key_of
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.interceptors.cloud_session import CloudSession
from pytest_hwcloud.journal import CURRENT
from pytest_hwcloud.secrets.scrubber import Scrubber

TOKEN = {"X-Auth-Token": "of nobody of the run"}
SAME = [
    ("limit=5&&offset=0", "limit=5&offset=0"),
    ("&limit=5&", "limit=5"),
    ("b=2&a=1", "a=1&b=2"),
    ("a=2&a=1", "a=1&a=2"),
    ("acl", "acl="),
    ("acl&prefix=a%2Fb", "prefix=a/b&acl="),
    ("q=a+b", "q=a%20b"),
    ("q=%e4%ba%91", "q=%E4%BA%91"),
    ("", "&"),
    ("AccessKeyId=A&Expires=1&Signature=x%3D&acl", "acl&AccessKeyId=B&Expires=2&Signature=y"),
    ("AWSAccessKeyId=A&Expires=1&Signature=x", "Signature=z&Expires=2&AWSAccessKeyId=B"),
    (
        "X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=A%2F1&X-Amz-Date=1&X-Amz-Expires=9&X-Amz-SignedHeaders=host"
        "&X-Amz-Signature=1&partNumber=2",
        "partNumber=2&X-Amz-Credential=***&X-Amz-Signature=***",
    ),
]
OTHER = [
    ("limit=5", "limit=6"),
    ("a=1", "a=1&a=1"),
    ("acl", "policy"),
    ("acl", ""),
    ("q=a%2Bb", "q=a+b"),
    ("Signature=x", "Signature=y"),  # no presigned URL: a parameter like any other
    ("AccessKeyId=A&Expires=1&Signature=x&acl", "AccessKeyId=A&Expires=1&Signature=x&policy"),
]


@pytest.mark.parametrize(("one", "other"), SAME)
def test_the_same_query(one, other):
    assert key_of("GET", f"{HOST}/x?{one}") == key_of("GET", f"{HOST}/x?{other}")


@pytest.mark.parametrize(("one", "other"), OTHER)
def test_another_query(one, other):
    assert key_of("GET", f"{HOST}/x?{one}") != key_of("GET", f"{HOST}/x?{other}")


def test_an_encoded_slash_is_no_slash():
    assert key_of("GET", f"{HOST}/a%2Fb") == key_of("GET", f"{HOST}/a%2fb") != key_of("GET", f"{HOST}/a/b")


def test_a_recording_keeps_the_spelling_of_a_path():
    scrubber = Scrubber()
    scrubber.swaps.exchange("a7a7b1c2d3e4f5061728394a5b6c7d8e", "05041fffa40025702f6dc009cc6f8f33")
    for path in ("/x%2Fy/%E4%BA%91/a%20b", "/%7Bid%7D", "/a%2B+b/c:d@e"):
        url = f"{HOST}/v1/a7a7b1c2d3e4f5061728394a5b6c7d8e{path}?Z&b=%2F&c=a+b"
        assert scrubber.url(url) == url.replace("a7a7b1c2d3e4f5061728394a5b6c7d8e", "05041fffa40025702f6dc009cc6f8f33")


def by_http_client(target):
    connection = http.client.HTTPSConnection(HOST.removeprefix("https://"))
    connection.request("GET", target, headers=TOKEN)
    return connection.getresponse().status


CLIENTS = {
    "http.client": by_http_client,
    "requests": lambda target: requests.get(HOST + target, headers=TOKEN).status_code,
    "session": lambda target: CloudSession().get(HOST + target, headers=TOKEN).status_code,
    "urllib3": lambda target: urllib3.request("GET", HOST + target, headers=TOKEN).status,
    "httpx": lambda target: httpx.get(HOST + target, headers=TOKEN).status_code,
}


@pytest.mark.parametrize("client", CLIENTS)
@pytest.mark.parametrize("target", ["/v1/a%2Fb", "/v1/x?Z", "/v1/x?Z&a=1&&b=", "/v1/%E4%BA%91?q=a%20b"])
def test_a_target_is_heard_as_it_was_sent(tmp_path, client, target):
    with replaying(tape(tmp_path / "c.yaml", entry(HOST + target)), cloud=state()):
        assert CLIENTS[client](target) == 200
        assert CURRENT.journal.exchanges[-1].url == HOST + target


def test_our_session_sends_a_name_without_a_value_as_it_was_given(tmp_path):
    cloud = state()
    session = CloudSession()
    session.auth = signed(cloud)
    with replaying(tape(tmp_path / "c.yaml", entry(f"{HOST}/v1/x?Z&a=1&b=")), cloud=cloud):
        assert session.get(f"{HOST}/v1/x?b=&a=1&Z").status_code == 200
        assert CURRENT.journal.exchanges[-1].url == f"{HOST}/v1/x?Z&a=1&b="


def test_cassettes_with_the_oddities_of_real_ones(tmp_path):
    packed = gzip.compress(b'{"packed": true}', mtime=0)
    text = f"""
version: 1
interactions:
- request: {{body: null, headers: {{Accept: ['*/*']}}, method: GET, uri: '{HOST}/v1/x?limit=5&&offset=0'}}
  response:
    body: {{string: '{{"a": 1}}'}}
    headers: {{content-type: application/json, Content-Length: ['999'], Set-Cookie: [a=1; Path=/, b=2; Path=/]}}
    status: {{code: 200, message: null}}
- request: {{body: '', headers: {{}}, method: get, uri: '{HOST}:443/v1/packed'}}
  response:
    body: {{string: !!binary {__import__("base64").b64encode(packed).decode()}}}
    headers: {{Content-Encoding: [gzip], Transfer-Encoding: [chunked]}}
    status: {{code: 200, message: OK}}
- request: {{body: null, headers: {{}}, method: GET, uri: '{HOST}/v1/decoded'}}
  response:
    body: {{string: '{{"decoded": true}}'}}
    headers: {{Content-Encoding: [gzip], content-type: [application/json]}}
    status: {{code: 200, message: OK}}
- request: {{body: null, headers: {{}}, method: GET, uri: '{HOST}/v1/old-httpx'}}
  response: {{content: '{{"old": true}}', headers: [], http_version: HTTP/1.1, status_code: 200}}
"""
    (tmp_path / "no_suffix").write_text(text.replace("headers: [], ", "headers: {}, "), encoding="utf-8")
    with replaying(Tape.load(tmp_path / "no_suffix"), cloud=state()):
        first = requests.get(f"{HOST}/v1/x?offset=0&limit=5", headers=TOKEN)
        assert (first.json(), first.headers["Content-Length"], dict(first.cookies)) == (
            {"a": 1},
            "8",
            {"a": "1", "b": "2"},
        )
        assert first.raw.headers.getlist("Set-Cookie") == ["a=1; Path=/", "b=2; Path=/"]
        found = urllib3.request(
            "GET", f"{HOST}/v1/packed", headers={**TOKEN, "Accept-Encoding": "gzip"}, preload_content=False
        )
        assert found.read(decode_content=False) == packed  # the very bytes that were recorded
        assert requests.get(f"{HOST}/v1/decoded", headers=TOKEN).json() == {"decoded": True}
        assert httpx.get(f"{HOST}/v1/old-httpx", headers=TOKEN).json() == {"old": True}


def test_an_entry_without_a_response_is_an_error_only_for_who_asks_for_it(tmp_path):
    broken = {"request": {"method": "GET", "uri": f"{HOST}/v1/broken", "body": None, "headers": {}}}
    with replaying(tape(tmp_path / "c.yaml", entry(f"{HOST}/v1/x"), broken), cloud=state()):
        assert requests.get(f"{HOST}/v1/x", headers=TOKEN).status_code == 200
        with pytest.raises(
            CassetteError, match=r"interactions\[1\].response: an interaction needs a response or a fault"
        ):
            requests.get(f"{HOST}/v1/broken", headers=TOKEN)
