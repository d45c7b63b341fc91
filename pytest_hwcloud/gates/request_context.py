"""What a policy needs of a request besides its actions: where it takes effect, on which resource, condition keys."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from pytest_hwcloud.cloud.calls.request_tests import Observed
from pytest_hwcloud.cloud.endpoints import locate
from pytest_hwcloud.cloud.patterns import ByGrammar, RequestedResource
from pytest_hwcloud.cloud.policies.rights import ALL_GRANTED, Place

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.cloud.wire import Request

_SCOPES = {"regional": "project", "global": "domain"}


def place(request: Request, call: Call) -> Place:
    """Where the call takes effect."""
    return Place(
        scope=_SCOPES.get(call.scope, "unknown"),
        project_id=call.project,
        enterprise_project=_enterprise_project(request),
        enterprise_level=call.enterprise_project,
    )


def _enterprise_project(request: Request) -> str | None:
    """The enterprise project that query, header or body name; ALL_GRANTED; None if they name none, or several."""
    given = {request.headers.get("x-enterprise-project-id", "")}
    if "enterprise_project_id" in request.url or "enterprise-project-id" in request.url:
        for key, value in parse_qsl(urlsplit(request.url).query):
            given |= {value} if key.replace("-", "_") == "enterprise_project_id" else set()
    if request.body and b"enterprise_project_id" in _bytes(request.body):
        given |= set(_named_inside(Observed(request.body).document, "enterprise_project_id"))
    given.discard("")
    return given.pop() if len(given) == 1 else None


def _bytes(body: object) -> bytes:
    return bytes(body) if isinstance(body, bytes | bytearray) else str(body).encode("utf-8", "surrogatepass")


def _named_inside(document: object, key: str) -> Iterator[str]:
    """The texts under this key anywhere in a document."""
    open_ = [document]
    while open_:
        match open_.pop():
            case Mapping() as found:
                open_ += [value for name, value in found.items() if name != key]
                value = found.get(key)
                yield from [str(value)] if isinstance(value, str | int) else []
            case list() as items:
                open_ += items


def context(request: Request, call: Call, identity: Identity, now: datetime) -> dict[str, object]:
    """The global condition keys that are known in replay, and those that `context:` of the identity gives.

    The others stay unknown. `g:ServiceName` follows from the action that is asked for.
    """
    enterprise = _enterprise_project(request)
    known: dict[str, object] = {
        "g:CurrentTime": now,
        "g:RequestedRegion": call.region,
        "g:ProjectName": next((name for name, known in identity.projects.items() if known == call.project), None),
        "g:EnterpriseProjectId": enterprise if enterprise != ALL_GRANTED else None,
        **of_identity(identity),
    }
    return {key: value for key, value in known.items() if value is not None or key in identity.context}


def of_identity(identity: Identity) -> dict[str, object]:
    """The condition keys that are known of who calls, whatever the call."""
    return {
        "g:DomainName": identity.domain,
        "g:DomainId": identity.domain_id,
        "g:UserName": identity.user,
        "g:UserId": identity.user_id,
        **identity.context,
    }


def resources(request: Request, call: Call, identity: Identity) -> tuple[ByGrammar, ...]:
    """The resources of a call, each of which must be allowed; at least one.

    Statements of 5.0 are about the documented resource types of the call, those of 1.x about the same where the facts
    name the resource, else about what the parameters of the path name (`{instance_id}`: an instance of the service).
    Where the action takes no particular resource by its 1.1 table it is `*` for 1.x statements; 5.0 has other types.
    None: the request alone does not determine it.
    """
    named = _NAMED.get(call.service or "")
    if named:
        found: tuple[str | None, ...] = tuple(named(request, call, identity)) or (None,)
        return tuple(dict.fromkeys(ByGrammar(_older(call, one), _newer(call, one)) for one in found))
    told = _Told(request, call, identity)
    path = told.by_path()
    typed = tuple(told.by_types()) or (path,)
    return tuple(dict.fromkeys(ByGrammar(_older(call, path), _newer(call, one)) for one in typed))


def _older(call: Call, named: str | None) -> str | None:
    return "*" if call.resource_level is False else named


def _newer(call: Call, named: str | None) -> str | None:
    return "*" if call.resource_level is False and not call.resource_types else named


class _Told:
    """The resources that one request is about."""

    def __init__(self, request: Request, call: Call, identity: Identity) -> None:
        self.request, self.call = request, call
        self.account = identity.domain_id
        self.parameters = {
            name[1:-1]: value
            for name, value in _parts(request, call).items()
            if name.startswith("{") and name[1:-1] not in _NO_RESOURCE
        }

    def by_path(self) -> str | None:
        """What the path names; of several the innermost last, as any of them may be the one that counts."""
        call = self.call
        if not call.documented or not call.service:
            return None
        urns = [
            f"{call.service}:{call.region or ''}:{self.account}:{_type(name)}:{value}"
            for name, value in self.parameters.items()
        ]
        return RequestedResource(urns[-1], tuple(urns)) if urns else None

    def by_types(self) -> Iterator[str]:
        """The documented resource types: those that a statement must cover, others where the request names one."""
        for kind in self.call.resources:
            value = self._named(kind.name)
            if value is None and not kind.required and len(self.call.resources) > 1:
                continue
            told = (
                {}
                if value is None
                else dict.fromkeys(("id", "name", _snake(kind.name), f"{_snake(kind.name)}_id"), value)
            )
            region = "" if self.call.scope == "global" else self.call.region
            yield RequestedResource(kind.urn({**self.parameters, **told}, region=region, account=self.account))

    def _named(self, kind: str) -> str | None:
        """The id of a resource type in path, query or body."""
        word = _snake(kind)
        by_name = self.call.service == "iam"  # its URNs end with the name, its paths have the id
        keys = (f"{word}_name",) if by_name else (f"{word}_id", word, f"{word}_name", f"{word}id")
        for key in keys:
            if key in self.parameters:
                return self.parameters[key]
        only = list(self.parameters.values())
        if len(only) == 1 and not by_name and len(self.call.resources) == 1:
            return only[0]
        for key, value in parse_qsl(urlsplit(self.request.url).query) if not by_name else ():
            if key in keys[:1]:
                return value
        body = Observed(self.request.body).document if self.request.body and not by_name else None
        inner = next(iter(body.values())) if isinstance(body, Mapping) and len(body) == 1 else None
        for place in (body, inner):
            if isinstance(place, Mapping):
                for key in keys[:1] if not word.endswith("_id") else (word,):
                    if isinstance(place.get(key), str) and place[key]:
                        return str(place[key])
        return None


_NO_RESOURCE = ("project_id", "domain_id", "tenant_id", "version", "api_version", "region", "region_id")


def _type(parameter: str) -> str:
    """`{security_group_id}`: securityGroup."""
    word = parameter.removesuffix("_id").removesuffix("_name") or parameter
    first, *rest = word.split("_")
    return first + "".join(part.capitalize() for part in rest)


def _snake(kind: str) -> str:
    """securityGroup: security_group."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind).lower()


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
