"""A requests.Session that answers a replay in its own send: no pools, no proxies, no netrc, no patches on the way.

So it does as long as its adapters were not read and nothing below is patched by others (a mock of the test, say);
else a call goes the usual way, and meets adapters, mocks and retries as that of any session.
"""

from __future__ import annotations

import re
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, MutableMapping
from datetime import timedelta
from functools import lru_cache
from time import perf_counter
from typing import Any

import requests
from requests import cookies, hooks, sessions
from requests.adapters import BaseAdapter, HTTPAdapter
from requests.cookies import RequestsCookieJar
from requests.structures import CaseInsensitiveDict
from requests.utils import default_headers

from pytest_hwcloud.cloud.signing import redirects
from pytest_hwcloud.cloud.signing.algorithms import has_signature
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.interceptors.intercept import ask, lower, pending, read_once
from pytest_hwcloud.interceptors.requests_adapter import case_insensitive, requests_response, undisturbed
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER, Router

# requests leaves these without types.
_jar: Callable[..., Any] = cookies.cookiejar_from_dict
_extract: Callable[..., None] = cookies.extract_cookies_to_jar
_dispatch: Callable[..., Any] = hooks.dispatch_hook
_merged: Callable[..., Any] = sessions.merge_setting
_CREDENTIALS = ("Authorization", "X-Auth-Token", "X-Security-Token", "X-Subject-Token")
_ADAPTERS = threading.Lock()
_REDIRECTS = frozenset(requests.models.REDIRECT_STATI)
_LOCAL: Mapping[str, Any] = {"proxies": OrderedDict(), "stream": False, "verify": True, "cert": None}


class CloudSession(requests.Session):
    """The session that fixtures give. In a replay it answers cloud hosts itself; everything else goes the usual way."""

    def __init__(self) -> None:
        # What requests.Session.__init__ does, but for its two pools of connections, which come when they are needed.
        self.headers: Any = default_headers()
        self.auth = None
        self.proxies = {}
        self.hooks = hooks.default_hooks()
        self.params = {}
        self.stream = False
        self.verify = True
        self.cert = None
        self.max_redirects = 30
        self.trust_env = True
        self.cookies = _jar({})
        self._mounted: OrderedDict[str, BaseAdapter] | None = None
        self._environment: dict[str, Mapping[str, Any]] = {}

    def __setstate__(self, state: dict[str, Any]) -> None:
        """A copy, also in another process: requests hands on what it knows, the rest begins as in a new session."""
        self.__init__()  # type: ignore[misc]
        for name, value in state.items():
            setattr(self, name, value)

    def __repr__(self) -> str:
        return f"<session of hwcloud, {self.auth or 'without credentials'}>"

    @property
    def adapters(self) -> MutableMapping[str, BaseAdapter]:
        """The adapters of the session, made when somebody asks."""
        if self._mounted is None:
            with _ADAPTERS:
                if self._mounted is None:
                    self._mounted = OrderedDict([("https://", HTTPAdapter()), ("http://", HTTPAdapter())])
        return self._mounted

    @adapters.setter
    def adapters(self, value: MutableMapping[str, BaseAdapter]) -> None:
        self._mounted = OrderedDict(value)

    def close(self) -> None:
        """Close what was opened."""
        if self._mounted is not None:
            super().close()

    def prepare_request(self, request: requests.Request) -> requests.PreparedRequest:
        """What will be sent."""
        return prepared(self, request) if is_ordinary(self, request) else super().prepare_request(request)

    def merge_environment_settings(self, url: Any, proxies: Any, stream: Any, verify: Any, cert: Any) -> Any:
        """The settings of one call. The environment is read once per host and session, and not at all in a replay."""
        if proxies or stream is not None or verify is not None or cert is not None or not self.trust_env:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        if self.proxies or self.stream or self.verify is not True or self.cert is not None:
            return super().merge_environment_settings(url, proxies, stream, verify, cert)
        if self._player(url) is not None:
            return _LOCAL
        origin = url[: url.find("/", 8)]
        if origin not in self._environment:
            self._environment[origin] = super().merge_environment_settings(url, proxies, stream, verify, cert)
        return self._environment[origin]

    def send(self, request: requests.PreparedRequest, **kwargs: Any) -> requests.Response:
        """Send a prepared request, or answer it."""
        __tracebackhide__ = True
        url = request.url or ""
        router = self._player(url)
        if router is None or self._mounted is not None:
            return super().send(request, **kwargs)  # adapters of the user's own count
        start = perf_counter()
        body, request.body = read_once(request.body)
        asked = Request(request.method or "GET", url, lower(request.headers), body)
        if not undisturbed() or "get_adapter" in vars(self):
            return super().send(request, **kwargs)
        answer, fault = ask(router, asked)
        if fault is not None:
            with pending(fault):  # requests and urllib3 build their own chain of exceptions around it
                return super().send(request, **kwargs)
        if answer is None:
            return super().send(request, **kwargs)
        stream = kwargs.get("stream", self.stream)
        response = requests_response(request, asked, answer, bool(stream), _Adapter(self))
        if "set-cookie" in vars(response.headers)["_store"]:
            _extract(self.cookies, request, response.raw)
        response.elapsed = timedelta(seconds=perf_counter() - start)
        return self._finished(request, response, kwargs)

    def rebuild_auth(self, prepared_request: requests.PreparedRequest, response: requests.Response) -> None:
        """On a redirect to the same host signature and token stay; requests would replace them from ~/.netrc."""
        headers = prepared_request.headers
        if redirects.leaves(response.request.url, prepared_request.url or ""):
            for name in _CREDENTIALS:
                headers.pop(name, None)
        elif "X-Auth-Token" in headers or has_signature(headers):
            return
        super().rebuild_auth(prepared_request, response)  # type: ignore[no-untyped-call]

    def _player(self, url: str) -> Router | None:
        if not CURRENT_ROUTER.offline:
            return None
        begin = url.find("://") + 3
        end = url.find("/", begin)
        return CURRENT_ROUTER.of(url[begin:end] if end > 0 else url[begin:])

    def _finished(
        self, request: requests.PreparedRequest, response: requests.Response, kwargs: dict[str, Any]
    ) -> requests.Response:
        """Hooks, cookies and redirects, as requests does them."""
        follow = kwargs.pop("allow_redirects", True)
        held: Any = request.hooks
        if held["response"]:
            response = _dispatch("response", held, response, **kwargs)
        if response.status_code not in _REDIRECTS or not response.is_redirect:
            return response
        kwargs = {"stream": False, "timeout": None, "verify": True, "cert": None, "proxies": {}, **kwargs}
        if not follow:
            response._next = next(  # type: ignore[attr-defined]
                self.resolve_redirects(response, request, yield_requests=True, **kwargs), None
            )
            return response
        history = [response, *self.resolve_redirects(response, request, **kwargs)]
        last: requests.Response = history.pop()
        last.history = history
        return last


class _Adapter(BaseAdapter):
    """What `response.connection` is: sends again through the session (digest authentication does that)."""

    def __init__(self, session: CloudSession) -> None:
        super().__init__()
        self.session = session

    def send(self, request: Any, *args: Any, **kwargs: Any) -> requests.Response:
        kwargs.pop("allow_redirects", None)
        return self.session.send(request, allow_redirects=False, **kwargs)

    def close(self) -> None:
        """Nothing is open."""


def is_ordinary(session: requests.Session, request: requests.Request) -> bool:
    """Whether the call takes nothing from its session but headers and auth, and brings no cookies."""
    plain = (session.params, session.hooks["response"], request.cookies, request.auth)
    return bool(session.auth) and not any(plain) and next(iter(session.cookies), None) is None


def prepared(session: requests.Session, request: requests.Request) -> requests.PreparedRequest:
    """The same as requests' own prepare_request for an ordinary call (held by a test), in half the time."""
    found = requests.PreparedRequest()
    given: Any = request
    found.prepare_method((given.method or "").upper())
    if given.params or not isinstance(given.url, str) or not _is_plain(given.url):
        found.prepare_url(given.url, _merged(given.params, {}) if given.params else None)
    else:
        found.url = given.url
    headers: Any = session.headers
    ready = _ready(headers) if not given.headers and type(headers) is CaseInsensitiveDict else None
    if ready is None:
        if given.headers or None in headers.values():
            headers = _merged(given.headers, headers, dict_class=CaseInsensitiveDict)
        found.prepare_headers(headers)
    else:
        found.headers = case_insensitive(ready)
    found._cookies = RequestsCookieJar()  # type: ignore[attr-defined]
    if found.method != "GET" or given.data or given.files or given.json is not None:
        found.prepare_body(given.data, given.files, given.json)
    found.prepare_auth(session.auth, given.url)
    found.prepare_hooks(given.hooks)
    return found


# A URL that requests sends as it is given.
_is_plain = re.compile(
    r"https?://[a-z][a-z0-9-]*(?:\.[a-z0-9-]+)+(?:/[A-Za-z0-9_~-][A-Za-z0-9_.~-]*)+(?:\?[A-Za-z0-9_.~=&-]+)?", re.ASCII
).fullmatch


def _ready(headers: CaseInsensitiveDict[Any]) -> tuple[tuple[str, str], ...] | None:
    """The headers of a session as they go out; None where requests would change or refuse one of them."""
    try:
        return _checked(tuple(vars(headers)["_store"].values()))
    except TypeError:  # a value that cannot be sent
        return None


@lru_cache(maxsize=64)
def _checked(headers: tuple[tuple[str, Any], ...]) -> tuple[tuple[str, str], ...] | None:
    if not all(isinstance(value, str) for _, value in headers):
        return None
    found = requests.PreparedRequest()
    found.prepare_headers(dict(headers))
    return tuple(found.headers.items())
