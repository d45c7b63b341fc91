"""IAM's and STS's own calls, answered from the identities of the run when no cassette has them."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import SplitResult, parse_qs, urlsplit

from pytest_hwcloud.cloud.endpoints import locate
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.wire import Answer, Request, json_answer
from pytest_hwcloud.gates import logins, refusals
from pytest_hwcloud.gates.authentication import authenticate
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.gates.gate import Verdict

_OWN_PROJECTS = re.compile(r"/v3/users/[^/]+/projects/?").fullmatch


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """A call to IAM: the caller, and the parts of the URL."""

    request: Request
    state: CloudState
    identity: Identity
    url: SplitResult

    @property
    def host(self) -> str:
        return f"{self.url.scheme}://{self.url.netloc}"

    def parameter(self, name: str) -> str | None:
        return next(iter(parse_qs(self.url.query, keep_blank_values=True).get(name, ())), None)


def answer(request: Request, state: CloudState, verdict: Verdict | None = None) -> Answer | None:
    """The answer of IAM or STS; None if it is no call of theirs that the identities can answer.

    verdict: the gates' judgement of this request, which must have passed; without it the caller is found out again.
    Callers that are no identity of the run get the stand-in (`CloudState.stand_in`): the program under test may
    bring its own keys.
    """
    if locate(request.url).service not in ("iam", "sts"):
        return None
    url = urlsplit(request.url)
    route = _ROUTES.get((request.method, url.path.rstrip("/")))
    if route is None and request.method == "GET" and _OWN_PROJECTS(url.path):
        route = _projects_of_user
    if route is None:
        return None
    identity, refusal = _caller(request, state, verdict)
    return refusal or route(_Question(request=request, state=state, identity=identity, url=url))


def _caller(request: Request, state: CloudState, verdict: Verdict | None) -> tuple[Identity, Answer | None]:
    if verdict is not None:
        return state.identity(verdict.identity or state.stand_in), None
    caller = authenticate(request, state)
    return caller.identity or state.identity(state.stand_in), caller.refusal


def _ok(body: object) -> Answer:
    return json_answer(200, body, refusals.iam_headers(), "OK")


def _links(question: _Question) -> dict[str, object]:
    return {"self": f"{question.host}{question.url.path}", "previous": None, "next": None}


def _projects(question: _Question) -> Answer:
    wanted = {"name": question.parameter("name"), "domain_id": question.parameter("domain_id")}
    # A list holds the projects that hwcloud.yaml names; that of any other region is found by its name.
    names = [name for name in question.identity.projects if name not in question.identity.derived - {wanted["name"]}]
    found = [
        project
        for project in (_project(question, name) for name in names)
        if all(value is None or project[key] == value for key, value in wanted.items())
    ]
    return _ok({"links": _links(question), "projects": found})


def _projects_of_user(question: _Question) -> Answer | None:
    """`GET /v3/users/{user_id}/projects`, which IAM answers for the caller's own id; another user's is not known."""
    user = question.url.path.split("/")[3]
    return _projects(question) if user == question.identity.user_id else None


def _project(question: _Question, name: str) -> dict[str, object]:
    identity = question.identity
    project_id = identity.projects[name]
    region, separator, _ = name.partition("_")  # a sub-project is named region_name and lies below the region's own
    return {
        "is_domain": False,
        "description": "",
        "links": {"self": f"{question.host}/v3/projects/{project_id}"},
        "enabled": True,
        "id": project_id,
        "parent_id": identity.projects.get(region, identity.domain_id) if separator else identity.domain_id,
        "domain_id": identity.domain_id,
        "name": name,
    }


def _domains(question: _Question) -> Answer:
    identity = question.identity
    domain = {
        "id": identity.domain_id,
        "name": identity.domain,
        "enabled": True,
        "description": "",
        "links": {"self": f"{question.host}/v3/domains/{identity.domain_id}"},
    }
    return _ok({"domains": [domain], "links": _links(question)})


def _caller_identity(question: _Question) -> Answer:
    identity = question.identity
    urn = f"iam::{identity.domain_id}:user:{identity.user}"
    return _ok({"account_id": identity.domain_id, "principal_urn": urn, "principal_id": identity.user_id})


def _version(question: _Question) -> dict[str, object]:
    # huaweicloudDocs/iam, 查询Keystone-API的版本信息.md
    return {
        "status": "stable",
        "updated": "2016-04-04T00:00:00Z",
        "id": "v3.6",
        "links": [{"rel": "self", "href": f"{question.host}/v3/"}],
        "media-types": [{"base": "application/json", "type": "application/vnd.openstack.identity-v3+json"}],
    }


def _versions(question: _Question) -> Answer:
    body = {"versions": {"values": [_version(question)]}}
    return json_answer(300, body, refusals.iam_headers(), "Multiple Choices")


_ROUTES: dict[tuple[str, str], Callable[[_Question], Answer | None]] = {
    ("GET", "/v3/projects"): _projects,
    ("GET", "/v3/auth/projects"): _projects,
    ("GET", "/v3/auth/domains"): _domains,
    ("GET", "/v5/caller-identity"): _caller_identity,
    ("GET", ""): _versions,
    ("GET", "/v3"): lambda question: _ok({"version": _version(question)}),
    ("POST", "/v3/auth/tokens"): lambda q: logins.log_in(
        q.request, q.state, q.identity, q.host, with_catalog=not q.parameter("nocatalog")
    ),
    ("GET", "/v3/auth/tokens"): lambda q: logins.show(
        q.request, q.state, q.host, with_catalog=not q.parameter("nocatalog")
    ),
    ("HEAD", "/v3/auth/tokens"): lambda q: logins.show(q.request, q.state, q.host, with_catalog=False),
    ("DELETE", "/v3/auth/tokens"): lambda q: logins.revoke(q.request, q.state),
    ("POST", "/v5/agencies/assume"): lambda q: logins.assume(q.request, q.state),
    ("POST", "/v3.0/OS-CREDENTIAL/securitytokens"): lambda q: logins.temporary_key(q.request, q.state, q.identity),
}
