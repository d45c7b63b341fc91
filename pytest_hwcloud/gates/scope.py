"""The scope gate: is the token for this project, or for the domain if the service is global? AK/SK has no scope.

The guide's rule (chapter 3): a regional service wants a project's token, a global one the domain's. Beside it:

- IAM and STS take both: keystone calls are made with either kind of token, and the official IAM client accepts project,
  domain and plain token credentials (auth.md 3). So does DNS, whose zones belong to the account though its client
  counts as regional.
- OBS passes. At a service whose scope is not documented a project's token passes, unless the URL names another project.
- Without a project in the URL or in X-Project-Id a project's token speaks for its own project, in any region.
- A domain's token at a regional service is refused with or without a project in the URL: the guide says that it passes
  authentication and fails at the service.
- What a global service answers to a project's token is documented for none. TMS and EPS give the code of their own
  table for a caller they do not accept; the others Common.0018, which is documented for a token of the wrong scope.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from pytest_hwcloud.cloud.tokens import Token
from pytest_hwcloud.cloud.wire import Refusal, Request
from pytest_hwcloud.gates import refusals

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.calls import Call

_EITHER = frozenset({"iam", "sts", "dns", "obs"})


def refuse(request: Request, call: Call, token: Token) -> Refusal | None:
    """The refusal of a token that is not for this call; None where it is, or where that is unknown."""
    if call.service in _EITHER:
        return None
    match call.scope, token.scope.kind:
        case "regional", "domain":
            return refusals.other_project(call.service, urlsplit(request.url).path)
        case scope, "project" if scope != "global" and _names_another(request, call, token.scope.id):
            return refusals.other_project(call.service, urlsplit(request.url).path)
        case "global", "project":
            return refusals.not_the_domain(call.service)
    return None


def _names_another(request: Request, call: Call, project: str) -> bool:
    """Whether URL or X-Project-Id name another project than this one. The URL is read as a server reads it: decoded,
    and its `..` followed; what stands where an id belongs is one, whatever its length."""
    found = _project_in(request.url, call) or call.project or request.headers.get("x-project-id")
    return bool(found) and found != project


def _project_in(url: str, call: Call) -> str | None:
    steps: list[str] = []
    for step in unquote(urlsplit(url).path).split("/"):
        if step == "..":
            del steps[-1:]
        elif step not in ("", "."):
            steps.append(step)
    if len(steps) < 2 or not _VERSION(steps[0]) or not _ID(steps[1]):
        return None
    documented = call.template.strip("/").split("/")
    place = documented[1] if call.known and len(documented) > 1 else "{project_id}"
    return steps[1] if place.startswith(("{project", "{tenant")) else None


_VERSION = re.compile(r"v\d[\d.]*").fullmatch
_ID = re.compile(r"[0-9A-Fa-f-]{20,64}").fullmatch
