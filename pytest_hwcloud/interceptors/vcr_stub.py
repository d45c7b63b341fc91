"""A vcrpy Cassette that is no file but the running test's router; vcrpy's own stubs for httpx and aiohttp play it.

Importing vcrpy costs a third of a second, so this is loaded when one of those clients is.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable
from typing import Any

from vcr.cassette import Cassette
from vcr.errors import UnhandledHTTPRequestError
from vcr.record_mode import RecordMode
from vcr.request import Request as VcrRequest

from pytest_hwcloud.cloud.transfer_coding import decoded
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.intercept import lower
from pytest_hwcloud.interceptors.router import CURRENT_ROUTER


class RoutedCassette(Cassette):  # type: ignore[misc]
    """Asks the running test's router. One for the process: it keeps nothing but what a request object carries."""

    def __init__(self) -> None:
        super().__init__("hwcloud", record_mode=RecordMode.NEW_EPISODES)

    def can_play_response_for(self, request: VcrRequest) -> bool:
        """Ask the router, once for each request; its refusals and faults are raised here."""
        if not hasattr(request, "hwcloud_answer"):
            wire = wire_request(request)
            router = CURRENT_ROUTER.of_url(wire.url)
            request.hwcloud_wire, request.hwcloud_started = wire, time.time()
            request.hwcloud_answer = router.answer(wire) if router is not None else None
        return request.hwcloud_answer is not None

    def play_response(self, request: VcrRequest) -> dict[str, object]:
        """The answer in vcrpy's form."""
        if not self.can_play_response_for(request):
            raise UnhandledHTTPRequestError(f"no answer for {request.method} {request.uri}")
        answer: Answer = request.hwcloud_answer
        return {
            "status": {"code": answer.status, "message": answer.reason},
            "headers": {name: [value] for name, value in answer.headers.items()},
            "body": {"string": answer.body},
        }

    def append(self, request: VcrRequest, response: dict[str, Any]) -> None:
        """The network answered: tell the router."""
        router = CURRENT_ROUTER.of_url(request.uri)
        if router is None:
            return
        listed = {name: ", ".join(map(str, values)) for name, values in response["headers"].items()}
        headers, body = decoded(listed, response["body"].get("string") or b"")
        status = response["status"]
        wire = getattr(request, "hwcloud_wire", None) or wire_request(request)
        started = getattr(request, "hwcloud_started", time.time())
        router.heard(wire, Answer(status["code"], headers, body, status["message"] or ""), started)

    def find_requests_with_most_matches(self, request: VcrRequest) -> list[tuple[VcrRequest, list[str], list[str]]]:
        """The request itself: the router finds what comes after a redirect."""
        return [(request, [], [])]

    def filter_request(self, request: VcrRequest) -> VcrRequest:
        """Every request counts."""
        return request


CASSETTE = RoutedCassette()


def wire_request(request: VcrRequest) -> Request:
    """vcrpy's request as ours."""
    return Request(request.method.upper(), request.uri, lower(request.headers), _body(request.body))


def _body(body: object) -> bytes:
    match body:
        case None:
            return b""
        case bytes():
            return body
        case str():
            return body.encode()
        case dict() | list():
            return json.dumps(body, default=str).encode()
    if callable(read := getattr(body, "read", None)):
        return _body(read())
    if isinstance(body, Iterable):
        return b"".join(_body(chunk) for chunk in body)
    return b""  # a form of aiohttp's that only aiohttp can write; requests are not matched by it
