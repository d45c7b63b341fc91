"""The door for requests: its adapter answers, so that the SDK and every session of others need no pool in a replay.

Whatever urllib3 would do more than hand over the answer (a fault, a retry for the status) is left to urllib3, and with
it every call that meets an adapter, a mock or a patch of the user's on its way.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any

import requests
from requests import cookies
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.response import HTTPResponse

from pytest_hwcloud.cloud.wire import Answer, Request, grouped
from pytest_hwcloud.interceptors.intercept import PENDING, ask, lower, pending, read_once
from pytest_hwcloud.interceptors.messages import Fields, delivered
from pytest_hwcloud.interceptors.patching import Patch, patch_of
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, host_of
from pytest_hwcloud.interceptors.urllib3_pool import made_of

_extract: Callable[..., None] = cookies.extract_cookies_to_jar  # requests leaves it without types


def patches() -> Iterator[Patch]:
    """The adapter's send. In record and live mode the door of urllib3 below listens."""
    below = patch_of("urllib3.connectionpool", "_make_request")
    ours = [Patch(HTTPAdapter, "send", _send), Patch(requests.Session, "request", _request)]
    _BELOW[:] = [
        *((vars(owner), name, vars(owner)[name]) for owner, name in _FOREIGN),
        *((vars(one.target), one.attribute, one.ours) for one in (*ours, below) if one is not None),
    ]
    yield from ours


# What a call goes through below a session, as it is without mocks and patches of others.
_FOREIGN = (
    (requests.Session, "get_adapter"),
    (requests.Session, "send"),
    (HTTPAdapter, "build_response"),
    (HTTPConnectionPool, "urlopen"),
)
_BELOW: list[tuple[Mapping[str, object], str, object]] = []


def undisturbed() -> bool:
    """Whether a call from a session to our interceptor meets no other patch, nor one below it."""
    for now, name, wanted in _BELOW:
        if now.get(name) is not wanted:
            return False
    return bool(_BELOW)


def _request(patch: Patch) -> object:
    """Where a mock answers in place of the router, it is informed."""

    def request(session: Any, method: Any, url: Any, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        if not CURRENT_ROUTER.offline or (undisturbed() and "get_adapter" not in vars(session)):
            return patch.original(session, method, url, *args, **kwargs)
        asked, made = PENDING.asked, None
        try:
            response = patch.original(session, method, url, *args, **kwargs)
            made = getattr(response, "request", None)
            return response
        finally:
            if PENDING.asked == asked:  # a mock that passes the call on would have come to us
                target = str(getattr(made, "url", None) or url)
                CURRENT_ROUTER.mocked(lambda: Request(str(method).upper(), target))

    return request


def _send(patch: Patch) -> object:
    def send(adapter: Any, request: Any, stream: bool = False, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        router = CURRENT_ROUTER.of(host_of(request.url)) if CURRENT_ROUTER.offline else None
        if router is None or PENDING.fault is not None or not _is_plain(adapter):
            return patch.original(adapter, request, stream, *args, **kwargs)
        body, request.body = read_once(request.body)
        asked = Request(request.method, request.url, lower(request.headers), body)
        answer, fault = ask(router, asked)
        if answer is not None and not _retries(adapter, request.method, answer):
            return requests_response(request, asked, answer, stream, adapter)
        with pending(fault, answer):
            return patch.original(adapter, request, stream, *args, **kwargs)

    return send


def _is_plain(adapter: Any) -> bool:
    """Whether nothing of the user's would see the call between this adapter and urllib3's pool."""
    return type(adapter) is HTTPAdapter and undisturbed()


def _retries(adapter: Any, method: str, answer: Answer) -> bool:
    """Whether urllib3 would not hand this answer over but try again."""
    return bool(adapter.max_retries.is_retry(method, answer.status, answer.header("Retry-After") is not None))


def requests_response(
    request: requests.PreparedRequest, asked: Request, answer: Answer, stream: bool, connection: object
) -> requests.Response:
    """An answer as requests' own response. connection: the adapter it would have come from."""
    fields, body = delivered(answer, asked)
    response: Any = requests.Response()
    response.status_code = answer.status
    headers = response.headers = _headers(fields)
    response.encoding = _encoding(headers.get("content-type"))
    response.reason = answer.reason
    response.url = request.url or ""
    response.request = request
    response.connection = connection
    response.raw = _Raw(answer, asked, request.path_url)
    packed = "content-encoding" in vars(headers)["_store"]  # opening it is for the client, where it can
    if stream or answer.missing or packed:
        response.raw.begin()
        if not stream:
            response.content  # noqa: B018 - what comes packed is opened as far as this client can
    else:
        response._content = body
        response._content_consumed = True
    if "set-cookie" in vars(headers)["_store"]:
        _extract(response.cookies, request, response.raw)
    done: requests.Response = response
    return done


def case_insensitive(pairs: Iterable[tuple[str, str]]) -> CaseInsensitiveDict[str]:
    """requests' own mapping of these headers, filled at once: its constructor takes ten times as long."""
    found: CaseInsensitiveDict[str] = CaseInsensitiveDict.__new__(CaseInsensitiveDict)
    vars(found)["_store"] = OrderedDict([(name.lower(), (name, value)) for name, value in pairs])
    return found


def _headers(fields: Fields) -> CaseInsensitiveDict[str]:
    found = case_insensitive(fields)
    return found if len(found) == len(fields) else case_insensitive(grouped(fields)[0].items())


@lru_cache(maxsize=64)
def _encoding(content_type: str | None) -> str | None:
    found = get_encoding_from_headers(CaseInsensitiveDict({"content-type": content_type} if content_type else {}))
    return found if isinstance(found, str) else None


class _Raw(HTTPResponse):
    """urllib3's response below requests' one. Most tests never look at it, so it is made when one does."""

    def __init__(self, answer: Answer, asked: Request, path: str) -> None:
        self.answer, self.asked, self.path = answer, asked, path

    def begin(self) -> None:
        """Become a response with the body still to read."""
        super().__init__(**made_of(self.answer, self.asked, self.path), preload_content=False, decode_content=False)
        self.version_string = self.answer.protocol or "HTTP/1.1"  # an argument since urllib3 2.3 only

    def __getattr__(self, name: str) -> Any:
        if "answer" not in self.__dict__ or "_fp" in self.__dict__:
            raise AttributeError(name)
        if name == "_original_response" and self.answer.header("set-cookie") is None:
            return None  # requests looks there for cookies after each call
        self.begin()
        self.read()  # requests has read it
        return getattr(self, name)

    @property
    def closed(self) -> bool:
        """Whether everything was read; also where nothing was read (and nothing is to be closed when it goes)."""
        return super().closed if "_fp" in self.__dict__ else True
