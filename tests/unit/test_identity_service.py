"""IAM's own calls, answered from the identities; read by the clients that the world uses."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta

import pytest
import requests
from clock import Clock
from keystoneauth1 import exceptions as keystone_errors
from keystoneauth1 import session as keystone_session
from keystoneauth1.identity import generic, v3
from requests.adapters import BaseAdapter

from pytest_hwcloud.cloud.identity import Identity, default_identity
from pytest_hwcloud.cloud.tokens import Scope, domain_scope, login_body, project_scope, replay_password
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.gates.gate import Verdict, judge
from pytest_hwcloud.gates.identity_service import answer
from pytest_hwcloud.gates.logins import catalog

PROJECTS = {"cn-north-4": "05041fffa40025702f6dc009cc6f8f33", "cn-north-4_team": "a" * 32, "cn-east-3": "b" * 32}
NOW = datetime(2021, 9, 2, 1, 17, 0, 855000, tzinfo=UTC)
ME = Identity(projects=PROJECTS, ak="AK1", sk="SK1")
AUDITOR = Identity(
    name="auditor", user="auditor", domain="other", domain_id="d" * 32, password="pw", ak="AK2", sk="SK2"
)
IAM = "https://iam.cn-north-4.myhuaweicloud.com"


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def state(clock: Clock) -> CloudState:
    return CloudState({"default": ME, "auditor": AUDITOR}, region="cn-north-4", clock=clock)


def ask(
    state: CloudState, method: str, path: str, headers: Mapping[str, str] | None = None, body: object = None
) -> Answer | None:
    """What IAM says to this call by the default identity."""
    data = b"" if body is None else json.dumps(body).encode()
    verdict = Verdict(identity="default", credential="aksk")
    return answer(Request(method, IAM + path, headers or {}, data), state, verdict)


def said(answered: Answer | None, status: int = 200) -> dict[str, object]:
    assert answered is not None
    assert answered.status == status
    assert answered.header("Server") == "api-gateway"
    assert answered.header("X-Request-Id")
    body = answered.json()
    assert isinstance(body, dict)
    return body


def names(body: dict[str, object]) -> list[str]:
    projects = body["projects"]
    assert isinstance(projects, list)
    return [project["name"] for project in projects]


def test_projects_by_name(state: CloudState) -> None:
    body = said(ask(state, "GET", "/v3/projects?name=cn-north-4"))
    assert body == {
        "links": {"self": f"{IAM}/v3/projects", "previous": None, "next": None},
        "projects": [
            {
                "is_domain": False,
                "description": "",
                "links": {"self": f"{IAM}/v3/projects/{PROJECTS['cn-north-4']}"},
                "enabled": True,
                "id": PROJECTS["cn-north-4"],
                "parent_id": ME.domain_id,
                "domain_id": ME.domain_id,
                "name": "cn-north-4",
            }
        ],
    }


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/v3/projects", list(PROJECTS)),
        ("/v3/auth/projects", list(PROJECTS)),
        ("/v3/projects?name=cn-south-1", []),
        ("/v3/projects?name=", []),
        ("/v3/projects?name=cn-north", []),
        (f"/v3/projects?domain_id={ME.domain_id}", list(PROJECTS)),
        ("/v3/projects?domain_id=another", []),
        ("/v3/projects/?name=cn-east-3&page=1", ["cn-east-3"]),
    ],
)
def test_projects_are_those_of_the_caller(state: CloudState, path: str, found: list[str]) -> None:
    assert names(said(ask(state, "GET", path))) == found


def test_a_sub_project_lies_below_its_regions_project(state: CloudState) -> None:
    (project,) = said(ask(state, "GET", "/v3/projects?name=cn-north-4_team"))["projects"]  # type: ignore[misc]
    assert project["parent_id"] == PROJECTS["cn-north-4"]


def test_domains_and_caller_identity(state: CloudState) -> None:
    (domain,) = said(ask(state, "GET", "/v3/auth/domains"))["domains"]  # type: ignore[misc]
    assert domain == {
        "id": ME.domain_id,
        "name": "example-corp",
        "enabled": True,
        "description": "",
        "links": {"self": f"{IAM}/v3/domains/{ME.domain_id}"},
    }
    url = "https://sts.cn-north-4.myhuaweicloud.com/v5/caller-identity"
    body = said(answer(Request("GET", url), state, Verdict(identity="default")))
    assert body == {
        "account_id": ME.domain_id,
        "principal_urn": f"iam::{ME.domain_id}:user:ci-reader",
        "principal_id": ME.user_id,
    }


def test_everybody_hears_of_their_own(state: CloudState) -> None:
    request = Request("GET", f"{IAM}/v3/auth/domains")
    (domain,) = said(answer(request, state, Verdict(identity="auditor")))["domains"]  # type: ignore[misc]
    assert domain["name"] == "other"


def test_nobody_of_the_run_hears_of_the_stand_in(state: CloudState) -> None:
    request = Request("GET", f"{IAM}/v3/auth/domains", {"x-auth-token": "MIIX"})
    verdict = judge(request, state)
    assert verdict.notes == ("unverified",)
    state.stand_in = "auditor"
    for one in (verdict, None):
        (domain,) = said(answer(request, state, one))["domains"]  # type: ignore[misc]
        assert domain["name"] == "other"


def test_without_a_verdict_the_caller_is_found_out(state: CloudState) -> None:
    token = state.issue(AUDITOR, domain_scope(AUDITOR))
    request = Request("GET", f"{IAM}/v3/auth/domains", {"x-auth-token": token.value})
    (domain,) = said(answer(request, state))["domains"]  # type: ignore[misc]
    assert domain["name"] == "other"
    assert said(answer(Request("GET", f"{IAM}/v3/auth/domains"), state), 401)["error_code"] == "APIGW.0301"


@pytest.mark.parametrize(
    ("method", "url"),
    [
        ("GET", "https://ecs.cn-north-4.myhuaweicloud.com/v3/projects"),
        ("GET", f"{IAM}/v3/users"),
        ("POST", f"{IAM}/v3/projects"),
        ("GET", "https://pypi.org/v3/projects"),
    ],
)
def test_other_calls_are_not_answered(state: CloudState, method: str, url: str) -> None:
    assert answer(Request(method, url), state, Verdict(identity="default")) is None


@pytest.mark.parametrize(
    "host", ["iam.myhuaweicloud.com", "iam.cn-east-3.myhuaweicloud.com", "iam.eu-west-101.myhuaweicloud.eu"]
)
def test_global_and_regional_hosts(state: CloudState, host: str) -> None:
    assert names(said(answer(Request("GET", f"https://{host}/v3/projects"), state, Verdict()))) == list(PROJECTS)


# logins


def test_a_project_login_gives_a_token_that_the_gate_knows(state: CloudState) -> None:
    answered = ask(
        state, "POST", "/v3/auth/tokens?nocatalog=true", body=login_body(ME, project_scope(ME, "cn-north-4"))
    )
    token = said(answered, 201)["token"]
    assert isinstance(token, dict)
    assert token["project"]["id"] == PROJECTS["cn-north-4"]
    assert token["expires_at"] == "2021-09-03T01:17:00.855000Z"
    assert "catalog" not in token
    value = answered.header("X-Subject-Token") if answered else None
    issued = state.token(value or "")
    assert issued is not None
    assert (issued.identity, issued.scope) == ("default", project_scope(ME, "cn-north-4"))
    assert value not in json.dumps(token)


def test_the_catalog_of_a_project_and_of_the_domain(state: CloudState) -> None:
    def services(scope: object) -> dict[str, str]:
        user = {"name": "ci-reader", "password": "x", "domain": {"name": "example-corp"}}
        body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user}}, "scope": scope}}
        catalog = said(ask(state, "POST", "/v3/auth/tokens", body=body), 201)["token"]["catalog"]  # type: ignore[index]
        return {one["type"]: one["endpoints"][0]["url"] for one in catalog}

    project = services({"project": {"name": "cn-north-4"}})
    assert project["compute"] == f"https://ecs.cn-north-4.myhuaweicloud.com/v2.1/{PROJECTS['cn-north-4']}"
    assert project["identity"] == f"{IAM}/v3"
    assert services({"project": {"name": "cn-north-4_team"}})["vpc"].endswith("/v1/" + "a" * 32)
    assert list(services({"domain": {"name": "example-corp"}})) == ["identity"]


def test_a_project_that_is_no_regions_own_lists_iam_alone() -> None:
    entries = catalog(Scope("project", "c" * 32, "sandbox"), IAM)
    assert [entry["name"] for entry in entries] == ["iam"]
    (endpoint,) = entries[0]["endpoints"]  # type: ignore[misc]
    assert (endpoint["region"], endpoint["region_id"], endpoint["interface"]) == ("*", "*", "public")


def user(**changed: object) -> dict[str, object]:
    return {"name": "ci-reader", "password": "x", "domain": {"name": "example-corp"}, **changed}


@pytest.mark.parametrize(
    "who",
    [
        user(),
        user(password=replay_password("default")),
        user(domain={"id": ME.domain_id}),
        {"id": ME.user_id, "password": "x"},
        user(name="auditor", domain={"name": "other"}, password="pw"),
        user(name="auditor", domain={"name": "other"}, password=replay_password("auditor")),
    ],
)
def test_users_who_may_log_in(state: CloudState, who: object) -> None:
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}}}
    token = said(ask(state, "POST", "/v3/auth/tokens", body=body), 201)["token"]
    assert isinstance(token, dict)
    assert "domain" in token  # no scope asked for: the whole account


WRONG = {"error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}}
REQUIRED = {
    "error": {"code": 401, "message": "The request you have made requires authentication.", "title": "Unauthorized"}
}


@pytest.mark.parametrize(
    "who",
    [
        user(name="ci-reder"),
        user(domain={"name": "example"}),
        user(domain={"id": "0"}),
        user(password=""),
        user(name="auditor", domain={"name": "other"}, password="wrong"),
        {"id": "0", "password": "x"},
        None,
    ],
)
def test_users_who_may_not(state: CloudState, who: object) -> None:
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": who}}}}
    assert said(ask(state, "POST", "/v3/auth/tokens", body=body), 401) == WRONG


@pytest.mark.parametrize(
    "scope",
    [{"project": {"name": "cn-south-1"}}, {"project": {}}, {"domain": {"id": "0"}}, {"domain": {"name": "other"}}],
)
def test_scopes_that_the_user_does_not_have(state: CloudState, scope: object) -> None:
    body = {"auth": {"identity": {"methods": ["password"], "password": {"user": user()}}, "scope": scope}}
    assert said(ask(state, "POST", "/v3/auth/tokens", body=body), 401) == REQUIRED


@pytest.mark.parametrize("body", [None, [], {"auth": {}}, {"auth": {"identity": {"methods": []}}}])
def test_what_is_no_login(state: CloudState, body: object) -> None:
    error = {"code": 400, "message": "The request body is invalid", "title": "Bad Request"}
    assert said(ask(state, "POST", "/v3/auth/tokens", body=body), 400) == {"error": error}


def test_a_token_can_be_scoped_anew(state: CloudState, clock: Clock) -> None:
    old = state.issue(ME, domain_scope(ME))
    identity = {"methods": ["token"], "token": {"id": old.value}}
    body = {"auth": {"identity": identity, "scope": {"project": {"name": "cn-east-3"}}}}
    token = said(ask(state, "POST", "/v3/auth/tokens", body=body), 201)["token"]
    assert isinstance(token, dict)
    assert (token["methods"], token["project"]["name"]) == (["token"], "cn-east-3")
    clock.now += timedelta(hours=24)
    assert said(ask(state, "POST", "/v3/auth/tokens", body=body), 401) == REQUIRED


def test_agencies_are_left_to_the_cassette(state: CloudState) -> None:
    identity = {"methods": ["assume_role"], "assume_role": {"domain_name": "x", "agency_name": "y"}}
    assert ask(state, "POST", "/v3/auth/tokens", body={"auth": {"identity": identity}}) is None
    assert ask(state, "POST", "/v3.0/OS-CREDENTIAL/securitytokens", body={"auth": {"identity": identity}}) is None


AGENCY = {"agency_name": "auditor", "domain_name": "other"}


def test_an_agency_that_is_an_identity_of_the_run_gives_a_token(state: CloudState) -> None:
    identity = {"methods": ["assume_role"], "assume_role": AGENCY}
    body = {"auth": {"identity": identity, "scope": {"domain": {"name": "other"}}}}
    given = ask(state, "POST", "/v3/auth/tokens", {"x-auth-token": "t"}, body)
    token = said(given, 201)["token"]
    assert isinstance(token, dict)
    assert (token["methods"], token["user"]["name"], token["domain"]["id"]) == (["assume_role"], "auditor", "d" * 32)
    assert token["assumed_by"]["user"]["name"] == ME.user
    assert given is not None
    issued = state.token(given.header("X-Subject-Token") or "")
    assert issued is not None
    assert issued.identity == "auditor"  # so that the agency's rights are asked, not those of its caller
    assert said(ask(state, "POST", "/v3/auth/tokens", body=body), 401) == REQUIRED


@pytest.mark.parametrize("more", [{}, {"duration_seconds": 86400, "session_user": {"name": "x"}}])
def test_an_agency_gives_temporary_keys(state: CloudState, more: dict[str, object]) -> None:
    body = {"auth": {"identity": {"methods": ["assume_role"], "assume_role": AGENCY | more}}}
    path = "/v3.0/OS-CREDENTIAL/securitytokens"
    credential = said(ask(state, "POST", path, {"authorization": "SDK-HMAC-SHA256 …"}, body), 201)["credential"]
    assert isinstance(credential, dict)
    assert state.by_ak(credential["access"]) is AUDITOR
    assert said(ask(state, "POST", path, body=body), 401)["error_code"] == "APIGW.0301"
    identity = {"methods": ["assume_role"], "assume_role": AGENCY | {"domain_name": "example-corp"}}
    assert ask(state, "POST", path, {"x-auth-token": "t"}, {"auth": {"identity": identity}}) is None


def test_an_agency_gives_temporary_keys_by_sts(state: CloudState) -> None:
    body = {"agency_urn": f"iam::{'d' * 32}:agency:auditor", "agency_session_name": "ci", "duration_seconds": 43200}
    given = said(ask(state, "POST", "/v5/agencies/assume", {"authorization": "SDK-HMAC-SHA256 …"}, body))
    credentials, agency = given["credentials"], given["assumed_agency"]
    assert isinstance(credentials, dict)
    assert isinstance(agency, dict)
    assert agency["urn"] == f"sts::{'d' * 32}:assumed-agency:auditor/ci"
    assert agency["id"].endswith(":ci")
    key = state.key(credentials["access_key_id"])
    assert key is not None
    assert (key.identity, key.sk, key.token) == (
        AUDITOR, credentials["secret_access_key"], credentials["security_token"]
    )  # fmt: skip
    assert credentials["expiration"] == "2021-09-02T13:17:00.855000Z"
    for wrong in ({"agency_urn": f"iam::{'e' * 32}:agency:auditor"}, {"duration_seconds": 43201}):
        assert ask(state, "POST", "/v5/agencies/assume", {"authorization": "x"}, body | wrong) is None


def test_a_token_is_shown_checked_and_taken_back(state: CloudState) -> None:
    token = state.issue(ME, project_scope(ME, "cn-north-4"))
    subject = {"x-auth-token": token.value, "x-subject-token": token.value}
    shown = ask(state, "GET", "/v3/auth/tokens?nocatalog=1", subject)
    assert said(shown)["token"]["project"]["name"] == "cn-north-4"  # type: ignore[index]
    head = ask(state, "HEAD", "/v3/auth/tokens", subject)
    assert head is not None
    assert (head.status, head.body, head.header("X-Subject-Token")) == (200, b"", token.value)
    gone = ask(state, "DELETE", "/v3/auth/tokens", subject)
    assert gone is not None
    assert (gone.status, gone.body) == (204, b"")
    error = {"code": 404, "message": "X-Subject-Token is invalid in the request", "title": "Not Found"}
    for method in ("GET", "DELETE"):
        assert said(ask(state, method, "/v3/auth/tokens", subject), 404) == {"error": error}
    assert said(ask(state, "GET", "/v3/auth/tokens"), 404) == {"error": error}


# temporary access keys


def test_a_temporary_key(state: CloudState) -> None:
    body = {"auth": {"identity": {"methods": ["token"], "token": {"duration_seconds": 3600}}}}
    headers = {"x-auth-token": state.issue(ME, domain_scope(ME)).value}
    credential = said(ask(state, "POST", "/v3.0/OS-CREDENTIAL/securitytokens", headers, body), 201)["credential"]
    assert isinstance(credential, dict)
    assert list(credential) == ["access", "secret", "expires_at", "securitytoken"]
    assert credential["expires_at"] == "2021-09-02T02:17:00.855000Z"
    key = state.key(credential["access"])
    assert key is not None
    assert (key.identity, key.sk, key.token) == (ME, credential["secret"], credential["securitytoken"])


def test_a_temporary_key_for_the_token_in_the_body(state: CloudState) -> None:
    token = state.issue(AUDITOR, domain_scope(AUDITOR))
    identity = {"methods": ["token"], "token": {"id": token.value}}
    path = "/v3.0/OS-CREDENTIAL/securitytokens"
    credential = said(ask(state, "POST", path, body={"auth": {"identity": identity}}), 201)["credential"]
    assert isinstance(credential, dict)
    assert state.by_ak(credential["access"]) is AUDITOR
    assert credential["expires_at"] == "2021-09-02T01:32:00.855000Z"  # 15 minutes unless asked otherwise
    identity["token"] = {"id": "MIIX"}
    assert said(ask(state, "POST", path, body={"auth": {"identity": identity}}), 401)["error_code"] == "APIGW.0301"


@pytest.mark.parametrize("seconds", [899, 86401, "900", 900.5])
def test_a_temporary_key_for_a_time_that_is_not_offered(state: CloudState, seconds: object) -> None:
    body = {"auth": {"identity": {"methods": ["token"], "token": {"duration_seconds": seconds}}}}
    refusal = said(ask(state, "POST", "/v3.0/OS-CREDENTIAL/securitytokens", {"x-auth-token": "t"}, body), 400)
    assert refusal == {"error_msg": "Request body is invalid.", "error_code": "IAM.0011"}


# the clients of the world


class CloudAdapter(BaseAdapter):
    """requests' door to our gates and identity service."""

    def __init__(self, state: CloudState) -> None:
        super().__init__()
        self.state = state
        self.calls: list[str] = []

    def send(self, request: requests.PreparedRequest, *_: object, **__: object) -> requests.Response:
        body = request.body.encode() if isinstance(request.body, str) else request.body or b""
        headers = {name.lower(): value for name, value in request.headers.items()}
        ours = Request(request.method or "", request.url or "", headers, body)
        self.calls.append(f"{ours.method} {ours.url.removeprefix(IAM)}")
        verdict = judge(ours, self.state)
        answered = verdict.answer or answer(ours, self.state, verdict)
        assert answered is not None, ours
        response = requests.Response()
        response.status_code, response.reason = answered.status, answered.reason
        response.headers.update(answered.headers)
        response._content = answered.body
        response.url, response.request = ours.url, request
        return response

    def close(self) -> None:
        pass


def through(state: CloudState) -> tuple[requests.Session, CloudAdapter]:
    session, adapter = requests.Session(), CloudAdapter(state)
    session.mount("https://", adapter)
    return session, adapter


@pytest.fixture
def today(state: CloudState) -> CloudState:
    """The same cloud with the clock that foreign clients have."""
    state.clock = lambda: datetime.now(UTC)
    return state


@pytest.mark.parametrize(
    ("plugin", "calls"),
    [
        (v3.Password, ["POST /v3/auth/tokens"]),
        (generic.Password, ["GET /v3", "POST /v3/auth/tokens"]),
    ],
)
def test_keystoneauth_logs_in_and_finds_the_services(today: CloudState, plugin: type, calls: list[str]) -> None:
    auth = plugin(
        auth_url=f"{IAM}/v3",
        username="ci-reader",
        password="x",
        user_domain_name="example-corp",
        project_name="cn-north-4",
        project_domain_name="example-corp",
    )
    session, adapter = through(today)
    keystone = keystone_session.Session(auth=auth, session=session)
    assert keystone.get_project_id() == PROJECTS["cn-north-4"]
    assert keystone.get_user_id() == ME.user_id
    assert today.token(keystone.get_token()) is not None
    url = auth.get_endpoint(keystone, service_type="compute", region_name="cn-north-4", skip_discovery=True)
    assert url == f"https://ecs.cn-north-4.myhuaweicloud.com/v2.1/{PROJECTS['cn-north-4']}"
    assert [call.rstrip("/") for call in adapter.calls] == calls


@pytest.mark.parametrize("by", [{"application_credential_id": "AK1"},
    {"application_credential_name": "ci", "username": "ci-reader", "user_domain_name": "example-corp"}])  # fmt: skip
def test_keystoneauth_logs_in_with_an_application_credential(today: CloudState, by: dict[str, str]) -> None:
    for secret, good in (("SK1", True), ("SK2", False)):
        auth = v3.ApplicationCredential(f"{IAM}/v3", application_credential_secret=secret, **by)
        keystone = keystone_session.Session(auth=auth, session=through(today)[0])
        if good:
            assert keystone.get_project_id() == PROJECTS["cn-north-4"]
            assert keystone.get_user_id() == ME.user_id
        else:
            with pytest.raises(keystone_errors.Unauthorized):
                keystone.get_token()


def test_keystoneauth_finds_iam_in_the_region_of_the_run_for_the_whole_account(today: CloudState) -> None:
    auth = v3.Password(
        f"{IAM}/v3", username="ci-reader", password="x", user_domain_name="example-corp", domain_name="example-corp"
    )
    keystone = keystone_session.Session(auth=auth, session=through(today)[0])
    for region in ("cn-north-4", "*", None):
        url = auth.get_endpoint(keystone, service_type="identity", region_name=region, skip_discovery=True)
        assert url == f"{IAM}/v3"


def test_keystoneauth_understands_the_refusal(today: CloudState) -> None:
    auth = v3.Password(f"{IAM}/v3", username="nobody", password="x", user_domain_name="example-corp")
    keystone = keystone_session.Session(auth=auth, session=through(today)[0])
    with pytest.raises(keystone_errors.Unauthorized, match=r"The username or password is wrong\. \(HTTP 401\)"):
        keystone.get_token()


def test_the_official_sdk_finds_project_and_domain(today: CloudState, monkeypatch: pytest.MonkeyPatch) -> None:
    credentials = pytest.importorskip("huaweicloudsdkcore.auth.credentials")
    from huaweicloudsdkcore.exceptions.exceptions import SdkException
    from huaweicloudsdkcore.http.http_client import HttpClient
    from huaweicloudsdkcore.http.http_config import HttpConfig

    monkeypatch.setattr(credentials.Credentials, "_CACHE", {})
    client = HttpClient(HttpConfig.get_default_config(), None, None, logging.getLogger("sdk"))
    adapter = CloudAdapter(today)
    client._session.mount("https://", adapter)
    with client.executor:
        basic = credentials.BasicCredentials("AK1", "SK1").process_auth_params(client, "cn-north-4")
        assert basic.project_id == PROJECTS["cn-north-4"]
        everywhere = credentials.GlobalCredentials("AK2", "SK2").process_auth_params(client, "cn-north-4")
        assert everywhere.domain_id == AUDITOR.domain_id
        with pytest.raises(SdkException) as caught:
            credentials.BasicCredentials("AK1", "SK1").process_auth_params(client, "cn-south-1")
    text = r"Failed to get project id of region .cn-south-1., X-IAM-Trace-Id=[0-9a-f]{32}\. Confirm that the project"
    assert re.match(text, caught.value.error_msg)
    assert adapter.calls[:2] == ["GET /v3/projects?name=cn-north-4", "GET /v3/auth/domains"]


def test_the_version_documents(state: CloudState) -> None:
    versions = said(ask(state, "GET", "/"), 300)["versions"]
    assert isinstance(versions, dict)
    version = said(ask(state, "GET", "/v3"))["version"]
    assert versions["values"] == [version]
    assert isinstance(version, dict)
    assert (version["id"], version["links"]) == ("v3.6", [{"rel": "self", "href": f"{IAM}/v3/"}])


def test_the_default_identity_of_a_fresh_machine() -> None:
    state = CloudState({"default": default_identity()}, region="cn-north-4")
    body = said(answer(Request("GET", f"{IAM}/v3/projects?name=cn-north-4"), state, Verdict()))
    assert names(body) == ["cn-north-4"]


def test_the_projects_of_the_callers_own_user(state: CloudState) -> None:
    own = ask(state, "GET", f"/v3/users/{ME.user_id}/projects")
    assert said(own) == said(ask(state, "GET", "/v3/projects")) | {"links": said(own)["links"]}
    assert ask(state, "GET", f"/v3/users/{'0' * 32}/projects") is None
