"""The metadata service of a server (169.254.169.254): closed in a replay, or the temporary keys of the test's identity.

Source: ECS user guide, "Obtaining Metadata" (securitykey, and the token of version 2 of the service, with its time to
live). As on a server where version 1 is still allowed, a call needs no token; one that it brings must be good. Nothing
else of the service is answered: what a test needs of it belongs into its cassette.
"""

from __future__ import annotations

import json
import secrets
from datetime import timedelta
from urllib.parse import urlsplit

from pytest_hwcloud.cloud.wire import Answer, Request, json_answer
from pytest_hwcloud.gates.cloud_state import CloudState

HOST = "169.254.169.254"
_LIFETIME = timedelta(hours=24)
_LONGEST = 21_600  # seconds that a token of version 2 may be good


def is_metadata(url: str) -> bool:
    """Whether a request goes to the metadata service."""
    return url[7:].startswith(HOST) and urlsplit(url).hostname == HOST


def answer(request: Request, state: CloudState) -> Answer:
    """The answer of the service to a server whose agency is the identity that the test wants (`state.metadata`)."""
    path = urlsplit(request.url).path
    if request.method == "PUT" and path == "/meta-data/latest/api/token":
        return _token(request, state)
    given = request.headers.get("x-metadata-token")
    until = state.metadata_tokens.get(given or "")
    if given is not None and (until is None or state.clock() >= until):
        return _refusal(401, "Unauthorized")
    if request.method == "GET" and path == "/openstack/latest/securitykey":
        key = state.issue_key(state.identity(state.metadata or state.stand_in), _LIFETIME)
        expires = key.expires_at.strftime("%Y-%m-%dT%H:%M:%S.%fZ") if key.expires_at else ""
        names = {"access": key.ak, "secret": key.sk, "securitytoken": key.token, "expires_at": expires}
        return json_answer(200, {"credential": names}, reason="OK")
    return _refusal(404, "Not Found")


def _token(request: Request, state: CloudState) -> Answer:
    seconds = request.headers.get("x-metadata-token-ttl-seconds", "")
    if not seconds.isdecimal() or not 0 < int(seconds[:9]) <= _LONGEST:
        return _refusal(400, "Bad Request")
    token = secrets.token_urlsafe(32)
    state.metadata_tokens[token] = state.clock() + timedelta(seconds=int(seconds))
    return Answer(200, {"Content-Type": "text/plain"}, token.encode(), "OK")


def _refusal(status: int, reason: str) -> Answer:
    return Answer(status, {"Content-Type": "application/json"}, json.dumps({"error": reason.lower()}).encode(), reason)
