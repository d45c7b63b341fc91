"""What a request tells a policy besides its actions: where it takes effect, on which resource, condition keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, TypedDict
from urllib.parse import parse_qs, unquote, urlsplit

from pytest_hwcloud.cloud.endpoints import locate

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls import Call
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


def resource(request: Request, call: Call, identity: Identity) -> str | None:
    """The resource of a call: `*` if the action takes no particular one, None if the request alone does not tell."""
    if call.resource_level is False:
        return "*"
    named = _NAMED.get(call.service or "")
    return named(request, call, identity) if named else None


def _server(request: Request, call: Call, identity: Identity) -> str | None:
    server = _parts(request, call).get("{server_id}")
    return f"ecs:{call.region or ''}:{identity.domain_id}:instance:{server}" if server else None


def _obs(request: Request, call: Call, identity: Identity) -> str | None:
    split = urlsplit(request.url)
    bucket, key = locate(split.hostname or "").bucket, unquote(split.path).lstrip("/")
    if bucket is None:
        bucket, _, key = key.partition("/")
    if not bucket:
        bucket = "*"  # listing all buckets: the guide's sample grants it on obs:*:*:bucket:*
    kind, path = ("object", f"{bucket}/{key}") if key else ("bucket", bucket)
    return f"obs:{call.region or ''}:{identity.domain_id}:{kind}:{path}"


def _parts(request: Request, call: Call) -> Mapping[str, str]:
    """The names in the documented path and what stands there in the URL."""
    given = urlsplit(request.url).path.strip("/").split("/")
    names = call.template.partition("?")[0].strip("/").split("/")
    return dict(zip(names, map(unquote, given), strict=True)) if len(names) == len(given) else {}


_NAMED: dict[str, Callable[[Request, Call, Identity], str | None]] = {"ecs": _server, "obs": _obs}
