"""A session of ours prepares every call exactly as requests does."""

import io
import json

import pytest
import requests

from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
from pytest_hwcloud.interceptors.cloud_session import CloudSession

URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/p/cloudservers/detail"
DATE = {"X-Sdk-Date": "20251121T100000Z"}


AUTH = AkSkAuth("HST3WSYAMPLE00000000", "x" * 40)


def session_of(kind, **changes):
    session = kind()
    session.auth = AUTH
    session.headers.update(DATE)
    for name, value in changes.items():
        target = getattr(session, name)
        target.update(value) if hasattr(target, "update") else setattr(session, name, value)
    return session


def sent(prepared):
    body = prepared.body
    return {
        "method": prepared.method,
        "url": prepared.url,
        "headers": list(prepared.headers.items()),
        "body": body.getvalue() if isinstance(body, io.BytesIO) else body,
        "cookies": (type(prepared._cookies), dict(prepared._cookies)),
        "hooks": prepared.hooks,
        "position": prepared._body_position,
    }


def hook(response, **_):
    return response


CALLS = {
    "plain": {},
    "post json": {"method": "post", "json": {"name": "ecs-01", "count": 2}},
    "json text": {"method": "PUT", "data": json.dumps({"a": 1}), "headers": {"Content-Type": "application/json"}},
    "form": {"method": "POST", "data": {"a": "1", "b": ["2", "3"]}},
    "file": {"method": "PUT", "data": io.BytesIO(b"content")},
    "delete": {"method": "DELETE"},
    "params": {"params": {"limit": 10, "name": "测试", "empty": None, "tags": ["a", "b"]}},
    "params listed": {"params": [("limit", "10"), ("limit", "20")]},
    "params text": {"params": "limit=1&offset=2"},
    "query and params": {"url": URL + "?z=1", "params": {"a": "x y"}},
    "odd url": {"url": "HTTPS://ECS.cn-north-4.myhuaweicloud.com:443/v1/ä b?q=ü#part"},
    "headers": {"headers": {"x-project-id": "p", "User-Agent": "me"}},
    "header taken away": {"headers": {"Accept-Encoding": None, "User-Agent": None}},
    "header bytes": {"headers": {"X-Language": b"zh-cn"}},
    "cookies": {"cookies": {"a": "1"}},
    "hooks": {"hooks": {"response": [hook]}},
    "own auth": {"auth": ("user", "password")},
}
SESSIONS = {
    "as it comes": {},
    "header none": {"headers": {"Accept": None}},
    "cookie": {"cookies": {"s": "1"}},
    "params": {"params": {"locale": "zh-cn"}},
    "hook": {"hooks": {"response": [hook]}},
}


@pytest.mark.parametrize("changes", SESSIONS.values(), ids=SESSIONS)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_a_call_is_prepared_as_requests_does_it(call, changes):
    options = {"method": "GET", "url": URL, **call}
    ours = session_of(CloudSession, **changes).prepare_request(requests.Request(**options))
    theirs = session_of(requests.Session, **changes).prepare_request(requests.Request(**options))
    assert sent(ours) == sent(theirs)


@pytest.mark.parametrize("url", ["ecs.cn-north-4.myhuaweicloud.com/v1", "https://", "https://*.example.com/"])
def test_a_url_that_is_none_is_refused_as_requests_does_it(url):
    with pytest.raises(requests.exceptions.RequestException) as theirs:
        session_of(requests.Session).prepare_request(requests.Request("GET", url))
    with pytest.raises(type(theirs.value)) as ours:
        session_of(CloudSession).prepare_request(requests.Request("GET", url))
    assert str(ours.value) == str(theirs.value)


def test_without_an_auth_the_netrc_is_read_as_ever(tmp_path, monkeypatch):
    file = tmp_path / "netrc"
    file.write_text("machine ecs.cn-north-4.myhuaweicloud.com login me password secret\n")
    monkeypatch.setenv("NETRC", str(file))
    session = CloudSession()
    prepared = session.prepare_request(requests.Request("GET", URL))
    assert prepared.headers["Authorization"].startswith("Basic ")
