"""Logins in cassettes. A replay answers a login itself, with a token that the gates know; no cassette holds a token.

Only the catalog of services is worth keeping, where a test found a service in it that a replay's own does not list:
then the login is recorded with that part of it, and a replay puts it into the answer with the fresh token.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pytest_hwcloud.cloud.tokens import Scope
from pytest_hwcloud.cloud.wire import Answer, Request, child, text
from pytest_hwcloud.gates.logins import catalog
from pytest_hwcloud.secrets.encodings import MASK

if TYPE_CHECKING:
    from pytest_hwcloud.cassettes.rendering import Entry

PATH = "/v3/auth/tokens"


def is_login(request: Request) -> bool:
    """Whether a token is asked for."""
    return request.method == "POST" and PATH in request.url and urlsplit(request.url).path == PATH


def with_used_catalog(login: Entry, others: Iterable[Entry]) -> Entry | None:
    """The login with the services that the other calls reached; None if a replay finds those without it."""
    body = _body(login.answer)
    found = _services(body)
    hosts = {urlsplit(one.request.url).netloc for one in others} - {urlsplit(login.request.url).netloc}
    used = [service for service in found if hosts & {urlsplit(url).netloc for url in _urls(service)}]
    if login.answer is None or {url for one in used for url in _urls(one)} <= _ours(body, login.request):
        return None
    token = child(body, "token")
    kept = [one for one in found if one in used or text(one, "type") == "identity"]
    return replace(login, answer=_with_catalog(login.answer, token, kept))


def renewed(recorded: Answer, issued: Answer | None) -> Answer:
    """The recorded login with a token that is known in this run; as it is if the run cannot issue one."""
    token = recorded.header("X-Subject-Token")
    if token != MASK or issued is None or issued.status != recorded.status:
        return recorded
    found = _services(_body(recorded))
    return _with_catalog(issued, child(_body(issued), "token"), found) if found else issued


def _with_catalog(answer: Answer, token: object, services: list[object]) -> Answer:
    members = token if isinstance(token, dict) else {}
    body = {"token": {**members, "catalog": services}}
    return replace(answer, body=json.dumps(body, ensure_ascii=False).encode())


def _ours(body: object, request: Request) -> set[str]:
    """The endpoints that the login of a replay lists for the same scope."""
    url = urlsplit(request.url)
    kind = "project" if child(body, "token", "project") else "domain"
    scope = Scope(kind=kind, id=text(body, "token", kind, "id"), name=text(body, "token", kind, "name"))
    return {found for service in catalog(scope, f"{url.scheme}://{url.netloc}") for found in _urls(service)}


def _body(answer: Answer | None) -> object:
    try:
        found: object = answer.json() if answer is not None and answer.body else None
    except ValueError:
        return None
    return found


def _services(body: object) -> list[object]:
    found = child(body, "token", "catalog")
    return found if isinstance(found, list) else []


def _urls(service: object) -> list[str]:
    endpoints = child(service, "endpoints")
    return [text(one, "url") for one in endpoints] if isinstance(endpoints, list) else []
