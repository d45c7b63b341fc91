"""What a request tells a policy besides its actions: where it takes effect, on which resource, condition keys."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import parse_qs, unquote, urlsplit

from pytest_hwcloud.cloud.calls.request_tests import Observed
from pytest_hwcloud.cloud.endpoints import locate
from pytest_hwcloud.cloud.patterns import ByGrammar

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.cloud.wire import Request

_SCOPES = {"regional": "project", "global": "domain"}


class Place(TypedDict):
    """The keyword arguments of `Rights.decide` that say where."""

    scope: str
    project_id: str | None
    enterprise_project: str | None
    enterprise_level: bool | None


def place(request: Request, call: Call) -> Place:
    """Where the call takes effect."""
    return Place(
        scope=_SCOPES.get(call.scope, "unknown"),
        project_id=call.project,
        enterprise_project=_enterprise_project(request),
        enterprise_level=call.enterprise_project,
    )


def _enterprise_project(request: Request) -> str | None:
    """The enterprise project that query or header names; None if they name none (the answer may hold any)."""
    given = request.headers.get("x-enterprise-project-id", "")
    if "enterprise_project_id=" in request.url:
        given = parse_qs(urlsplit(request.url).query).get("enterprise_project_id", [given])[0]
    return given if given not in ("", "all_granted_eps") else None


def context(request: Request, call: Call, identity: Identity, now: datetime) -> dict[str, object]:
    """The global condition keys that are known in replay; the others stay unknown."""
    known: dict[str, object] = {
        "g:CurrentTime": now,
        "g:DomainName": identity.domain,
        "g:DomainId": identity.domain_id,
        "g:UserName": identity.user,
        "g:UserId": identity.user_id,
        "g:ServiceName": call.service,
        "g:RequestedRegion": call.region,
        "g:ProjectName": next((name for name, known in identity.projects.items() if known == call.project), None),
        "g:EnterpriseProjectId": _enterprise_project(request),
    }
    return {key: value for key, value in known.items() if value is not None}


def resources(request: Request, call: Call, identity: Identity) -> tuple[ByGrammar, ...]:
    """The resources of a call, each of which must be allowed; at least one.

    Where a 1.1 table says that the action takes no particular resource it is `*` for 1.x statements; 5.0 has resource
    types of its own. None: the request alone does not tell.
    """
    named = _NAMED.get(call.service or "")
    found: tuple[str | None, ...] = (tuple(named(request, call, identity)) if named else ()) or (None,)
    return tuple(dict.fromkeys(ByGrammar(_older(call, one), _newer(call, one)) for one in found))


def _older(call: Call, named: str | None) -> str | None:
    return "*" if call.resource_level is False else named


def _newer(call: Call, named: str | None) -> str | None:
    return "*" if call.resource_level is False and not call.resource_types else named


def _servers(request: Request, call: Call, identity: Identity) -> Iterator[str]:
    """The server in the path, else those in the body of a batch call."""
    server = _parts(request, call).get("{server_id}")
    for each in [server] if server else _batch(Observed(request.body).document):
        yield f"{call.service}:{call.region or ''}:{identity.domain_id}:instance:{each}"


def _batch(document: object) -> list[str]:
    """`{os-start: {servers: [{id}]}}`, `{servers: [{id}]}`, `{server_ids: []}`, `{serverinfo: [{server_id}]}`.

    Nothing if one of the entries names no server: half of a list decides nothing.
    """
    if not isinstance(document, Mapping):
        return []
    inner = next(iter(document.values())) if len(document) == 1 else None
    for place in (document, inner if isinstance(inner, Mapping) else {}):
        for key, name in _LISTS:
            if key in place:
                entries = place[key] if isinstance(place[key], list) else [None]
                found = [entry.get(name) if name and isinstance(entry, Mapping) else entry for entry in entries]
                return [str(one) for one in found] if all(isinstance(one, str) and one for one in found) else []
    return []


# The official SDK's request models: BatchStartServersOption, DeleteServersRequestBody, BatchResizeServersOption, …
_LISTS = (("servers", "id"), ("server_ids", ""), ("serverinfo", "server_id"))


def _obs(request: Request, call: Call, identity: Identity) -> Iterator[str]:
    split = urlsplit(request.url)
    bucket, key = locate(split.hostname or "").bucket, unquote(split.path).lstrip("/")
    if bucket is None:
        bucket, _, key = key.partition("/")
    if not bucket:
        bucket = "*"  # listing all buckets: the guide's sample grants it on obs:*:*:bucket:*
    kind, path = ("object", f"{bucket}/{key}") if key else ("bucket", bucket)
    yield f"obs:{call.region or ''}:{identity.domain_id}:{kind}:{path}"


def _parts(request: Request, call: Call) -> Mapping[str, str]:
    """The names in the documented path and what stands there in the URL."""
    given = urlsplit(request.url).path.strip("/").split("/")
    names = call.template.partition("?")[0].strip("/").split("/")
    return dict(zip(names, map(unquote, given), strict=True)) if len(names) == len(given) else {}


_NAMED: dict[str, Callable[[Request, Call, Identity], Iterator[str]]] = {"ecs": _servers, "bms": _servers, "obs": _obs}
