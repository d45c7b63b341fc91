"""AkSkAuth: an auth for requests and httpx that signs the request as it will really be sent."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from requests import PreparedRequest, Response
from requests.auth import AuthBase
from requests.structures import CaseInsensitiveDict

from pytest_hwcloud.cloud.signing import algorithms, redirects
from pytest_hwcloud.cloud.signing.canonical import authority, canonical_query, canonical_uri, split
from pytest_hwcloud.cloud.signing.signed_headers import NEVER_SIGNED, TOKEN, Frame, frame

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_KEEPS_BODY = frozenset({307, 308})
_BODY_HEADERS = ("Content-Length", "Content-Type", "Transfer-Encoding")


@dataclass(frozen=True, slots=True)
class _Target:
    """What a URL gives to its signature, and the URL to send: as in the SDK, the query goes out as it was signed."""

    host: str  # the Host header that the client will send
    resource: str  # canonical path and query, two lines
    url: str


@lru_cache(maxsize=1024)
def _target(url: str) -> _Target:
    head, query, fragment = split(url)
    scheme, host, path = authority(head)
    ordered = canonical_query(query)
    return _Target(
        host=host.removesuffix(_DEFAULT_PORTS.get(scheme, ":")).rstrip("."),
        resource=f"{canonical_uri(path)}\n{ordered}",
        url=f"{head}?{_bare(ordered, query)}{fragment}" if ordered != query else url,
    )


def _bare(ordered: str, query: str) -> str:
    """The ordered query as it is sent: a name that was given without "=" goes out without one."""
    given = {part.partition("=")[0] for part in query.split("&") if "=" not in part}
    if not given:
        return ordered
    return "&".join(part[:-1] if part[:-1] in given and part.endswith("=") else part for part in ordered.split("&"))


def _bytes(body: object) -> bytes | None:
    """The body as it is sent; None for one that streams."""
    match body:
        case None:
            return b""
        case str():
            return body.encode()
        case bytes():
            return body
        case bytearray():
            return bytes(body)
    return None


class AkSkAuth(AuthBase):
    """Signs each request with AK and SK; for temporary keys with their security token. repr shows no key."""

    def __init__(
        self,
        ak: str,
        sk: str,
        *,
        security_token: str | None = None,
        project_id: str | None = None,
        domain_id: str | None = None,
        algorithm: str = algorithms.DEFAULT_ALGORITHM,
        region: str | None = None,
        service: str | None = None,
    ) -> None:
        """region and service: for V11-HMAC-SHA256 only, where the host does not determine them."""
        self._suite = algorithms.suite_named(algorithm)
        if self._suite.curve:
            from pytest_hwcloud.cloud.signing import ec

            ec.require(algorithm)
        self.ak, self._sk = algorithms.checked_keys(ak, sk)
        self.project_id, self.domain_id = project_id, domain_id
        self._scope = region, service
        scopes = {"X-Project-Id": project_id, "X-Domain-Id": domain_id, "X-Security-Token": security_token}
        self._own = tuple((name, value) for name, value in scopes.items() if value)
        self._content_header = self._suite.content_header.lower()

    @property
    def algorithm(self) -> str:
        """The name of the signing algorithm."""
        return self._suite.name

    def __repr__(self) -> str:
        shown = self.ak[:4] if len(self.ak) >= 16 else ""
        return f"AkSkAuth(ak='{shown}…', sk='…', project_id={self.project_id!r}, algorithm={self.algorithm!r})"

    def __call__(self, r: Any) -> Any:
        """Sign the prepared request; one that was signed before gets a new date and signature.

        So a session of requests calls it, and so does a client of httpx, sync or async, with its own request.
        """
        if not hasattr(r, "hooks"):
            return self._httpx(r)
        target = _target(r.url or "")
        r.url = target.url
        body = _bytes(r.body)
        signable = self._frame(r, target.host, body is None)
        date = r.headers["X-Sdk-Date"] = signable.date or algorithms.current_date()
        payload = algorithms.payload_hash(self._suite, b"stream" if body is None else body, signable.payload)
        method = (r.method or "GET").upper()
        canonical = f"{method}\n{target.resource}\n{signable.before}{date}{signable.after}{payload}"
        scope = algorithms.credential_scope(self._suite, date, target.host, *self._scope) if self._suite.scoped else ""
        text = algorithms.string_to_sign(self._suite, canonical, date, scope)
        keys = self.ak, self._sk
        r.headers["Authorization"] = algorithms.authorization(self._suite, keys, text, signable.signed, scope)
        responded = r.hooks["response"]
        if self._redirected not in responded:
            responded.append(self._redirected)
        return r

    def _httpx(self, request: Any) -> Any:
        """Sign a request of httpx. It is sent as it is; a body that streams cannot be hashed."""
        url = str(request.url)
        host = request.headers.get("host") or _target(url).host
        stream = not hasattr(request, "_content")
        body = b"" if stream else request.content
        given = {name: value for name, value in request.headers.items() if name not in NEVER_SIGNED}
        for name in ("authorization", "host", "x-sdk-date", "user-agent"):
            given.pop(name, None)
        own = {name: value for name, value in self._own if name.lower() not in given or name.lower() == TOKEN}
        kind = given.get("content-type", "")
        if stream or (kind and not kind.startswith(algorithms.HASHED_TYPES)):
            given[self._content_header] = algorithms.UNSIGNED_PAYLOAD
        region, service = self._scope
        signed = algorithms.sign(
            request.method,
            url,
            {"Host": host, **{name: value for name, value in given.items() if "_" not in name}, **own},
            body or (b"stream" if stream else b""),
            ak=self.ak,
            sk=self._sk.decode("utf-8", "surrogateescape"),
            algorithm=self.algorithm,
            region=region,
            service=service,
        )
        for name, value in signed.items():
            if name.lower() != "host":
                request.headers[name] = value
        return request

    def _frame(self, r: PreparedRequest, host: str, stream: bool) -> Frame:
        """The headers to sign, set on the request where they were missing."""
        headers, suite = r.headers, self._suite
        if stream:  # cannot be read twice, so it cannot be hashed
            headers[suite.content_header] = algorithms.UNSIGNED_PAYLOAD
        found = frame(tuple(headers.lower_items()), self._own, host, self._content_header)
        if not found.hashed:
            if "Content-Type" in list(headers):  # this spelling only, as in the SDK
                headers[suite.content_header] = algorithms.UNSIGNED_PAYLOAD
            found = frame(tuple(headers.lower_items()), self._own, host, self._content_header)
        if found.date:
            algorithms.parsed_date(found.date)
        for name, value in found.added:
            headers[name] = value
        return found

    def _redirected(self, response: Response, **_: object) -> None:
        """Response hook: what requests sends next is a copy of this request, so that is signed, too."""
        url = redirects.target(response)
        if url is None:
            return
        request = response.request
        response.request = request.copy()  # the history shows what was sent
        if redirects.leaves(request.url, url):
            self._withdraw(request.headers)
        else:
            request.headers.update(self._headers_of_next(request, response, url))

    def _headers_of_next(self, request: PreparedRequest, response: Response, url: str) -> dict[str, str]:
        following = request.copy()
        following.url = url
        redirects.RULES.rebuild_method(following, response)
        if response.status_code not in _KEEPS_BODY:
            following.body = None
            for name in _BODY_HEADERS:
                following.headers.pop(name, None)
        signed = self(following).headers
        return {name: signed[name] for name in ("X-Sdk-Date", "Authorization")}

    def _withdraw(self, headers: CaseInsensitiveDict[str]) -> None:
        """Another host gets neither signature nor token, nor learns for whom the call was."""
        for name in ("Authorization", "X-Sdk-Date", self._suite.content_header, *(name for name, _ in self._own)):
            headers.pop(name, None)
