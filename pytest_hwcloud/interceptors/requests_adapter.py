"""The door for requests: its adapter answers, so that the SDK and every session of others need no pool in a replay.

Whatever urllib3 would do more than hand over the answer (a fault, a retry for the status) is left to urllib3.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from io import BytesIO
from typing import Any

import requests
from requests import cookies
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import get_encoding_from_headers
from urllib3.response import HTTPResponse

from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.intercept import PENDING, as_bytes, ask, lower, pending
from pytest_hwcloud.interceptors.patching import Patch
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, host_of
from pytest_hwcloud.interceptors.urllib3_pool import with_cookies

_extract: Callable[..., None] = cookies.extract_cookies_to_jar  # requests leaves it without types


def patches() -> Iterator[Patch]:
    """The adapter's send. In record and live mode the door of urllib3 below listens."""
    yield Patch(HTTPAdapter, "send", _send)


def _send(patch: Patch) -> object:
    def send(adapter: Any, request: Any, stream: bool = False, *args: Any, **kwargs: Any) -> Any:
        __tracebackhide__ = True
        router = CURRENT_ROUTER.of(host_of(request.url)) if CURRENT_ROUTER.offline else None
        if router is None or PENDING.fault is not None:
            return patch.original(adapter, request, stream, *args, **kwargs)
        asked = Request(request.method, request.url, lower(request.headers), as_bytes(request.body))
        answer, fault = ask(router, asked)
        if answer is not None and not _retries(adapter, request.method, answer):
            return requests_response(request, answer, stream, adapter)
        with pending(fault, answer):
            return patch.original(adapter, request, stream, *args, **kwargs)

    return send


def _retries(adapter: Any, method: str, answer: Answer) -> bool:
    """Whether urllib3 would not hand this answer over but try again."""
    return bool(adapter.max_retries.is_retry(method, answer.status, answer.header("Retry-After") is not None))


def requests_response(
    request: requests.PreparedRequest, answer: Answer, stream: bool, connection: object
) -> requests.Response:
    """An answer as requests' own response. connection: the adapter it would have come from."""
    body = b"" if request.method == "HEAD" else answer.body
    response: Any = requests.Response()
    response.status_code = answer.status
    headers = response.headers = CaseInsensitiveDict(answer.headers)
    response.encoding = _encoding(headers.get("content-type"))
    response.reason = answer.reason
    response.url = request.url or ""
    response.request = request
    response.connection = connection
    response.raw = _Raw(answer, request)
    if stream:
        response.raw.begin(body)
    else:
        response._content = body
        response._content_consumed = True
    if "set-cookie" in headers:
        _extract(response.cookies, request, response.raw)
    done: requests.Response = response
    return done


@lru_cache(maxsize=64)
def _encoding(content_type: str | None) -> str | None:
    found = get_encoding_from_headers(CaseInsensitiveDict({"content-type": content_type} if content_type else {}))
    return found if isinstance(found, str) else None


class _Raw(HTTPResponse):
    """urllib3's response below requests' one. Most tests never look at it, so it is made when one does."""

    def __init__(self, answer: Answer, request: requests.PreparedRequest) -> None:
        self.answer, self.asked = answer, request

    def begin(self, body: bytes) -> None:
        """Become a response with this body still to read."""
        answer, request = self.answer, self.asked
        super().__init__(
            body=BytesIO(body),
            headers=answer.headers,
            status=answer.status,
            version=11,
            reason=answer.reason,
            preload_content=False,
            original_response=with_cookies(answer),
            request_method=request.method,
            request_url=request.path_url,
            enforce_content_length=False,
        )
        self.version_string = "HTTP/1.1"  # an argument since urllib3 2.3 only

    def __getattr__(self, name: str) -> Any:
        if "answer" not in self.__dict__ or "_fp" in self.__dict__:
            raise AttributeError(name)
        self.begin(b"")
        return getattr(self, name)

    @property
    def closed(self) -> bool:
        """Whether everything was read; so it is where nobody looked (and nothing is to be closed when it goes)."""
        return super().closed if "_fp" in self.__dict__ else True
