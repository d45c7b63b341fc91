"""Is the token for this project, or for the domain if the service is global? Literal answers, service by service."""

from __future__ import annotations

import re

import pytest

from pytest_hwcloud.cloud.calls.calls import needs
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import domain_scope, project_scope
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.gates.scope import refuse

HERE, ELSEWHERE = "05041fffa40025702f6dc009cc6f8f33", "b" * 32
ME = Identity(projects={"cn-north-4": HERE, "cn-east-3": ELSEWHERE})
DETAIL = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{HERE}/cloudservers/detail"
TAGS = "https://tms.myhuaweicloud.com/v1.0/predefine_tags"
TENANT = "tenantId in token is not the same with in URL."
COMMON = {"error": {"message": TENANT, "code": "Common.0018"}}


def ask(token_of: str, url: str, headers: dict[str, str] | None = None) -> Answer | None:
    """The scope gate's answer to a token of this project, or of the "domain"."""
    state = CloudState({"default": ME}, region="cn-north-4")
    scope = domain_scope(ME) if token_of == "domain" else project_scope(ME, token_of)
    request = Request("GET", url, headers or {})
    return refuse(request, needs("GET", url), state.issue(ME, scope))


def host(service: str, path: str) -> str:
    return f"https://{service}.cn-north-4.myhuaweicloud.com{path}"


@pytest.mark.parametrize(
    ("token_of", "url"),
    [
        ("cn-north-4", DETAIL),
        ("cn-east-3", DETAIL.replace(HERE, ELSEWHERE)),
        ("cn-east-3", host("vpc", "/v2.0/networks")),  # no project in the URL: the token's own counts
        ("cn-east-3", host("ims", "/v2/cloudimages")),
        ("domain", TAGS),
        ("domain", "https://iam.myhuaweicloud.com/v3/projects"),
        ("cn-north-4", "https://iam.myhuaweicloud.com/v3/projects"),
        ("cn-north-4", host("iam", "/v3/auth/tokens")),
        ("domain", host("dns", "/v2/zones")),
        ("cn-north-4", host("dns", "/v2/zones")),
        ("domain", host("sts", "/v5/caller-identity")),
        ("domain", "https://my-bucket.obs.cn-north-4.myhuaweicloud.com/key"),
        ("domain", host("brandnew", f"/v1/{HERE}/things")),  # nobody says what scope it has
    ],
)
def test_tokens_that_fit(token_of: str, url: str) -> None:
    assert ask(token_of, url) is None


@pytest.mark.parametrize(
    ("token_of", "url", "status", "body"),
    [
        ("cn-east-3", DETAIL, 400, COMMON),  # the guide, chapter 3: token and project do not match
        ("domain", DETAIL, 400, COMMON),  # the guide, chapter 3: the domain's token at a regional service
        ("domain", host("ims", "/v2/cloudimages"), 400, COMMON),
        ("cn-east-3", host("evs", f"/v2/{HERE}/cloudvolumes/detail"), 400, COMMON),
        (
            "cn-east-3",
            host("vpc", f"/v1/{HERE}/vpcs"),
            400,
            {"code": "VPC.0007", "message": "urlTenantId is not equal tokenTenantId"},
        ),
        (
            "domain",
            host("vpc", f"/v3/{HERE}/vpc/vpcs"),
            400,
            {"error_msg": "urlTenantId is not equal tokenTenantId", "error_code": "VPC.0007"},
        ),
        (
            "cn-east-3",
            host("as", f"/autoscaling-api/v1/{HERE}/scaling_group"),
            400,
            {"error": {"message": "Incorrect ProjectID.", "code": "AS.0008"}},
        ),
        (
            "cn-east-3",
            host("dcs", f"/v2/{HERE}/instances"),
            401,
            {"error_code": "DCS.1004", "error_msg": "Project ID does not match the token."},
        ),
        (
            "cn-east-3",
            host("kms", f"/v1.0/{HERE}/kms/list-keys"),
            403,
            {"error": {"error_msg": "URIs in URL and X-Auth-Token do not match.", "error_code": "KMS.0321"}},
        ),
        ("cn-north-4", TAGS, 401, {"error": {"error_msg": "Unauthorized user.", "error_code": "TMS.0003"}}),
        (
            "cn-north-4",
            "https://eps.myhuaweicloud.com/v1.0/enterprise-projects",
            401,
            {"error": {"error_msg": "Unauthorized user.", "error_code": "EPS.0003"}},
        ),
        ("cn-north-4", "https://cdn.myhuaweicloud.com/v1.0/cdn/domains", 400, COMMON),
    ],
)
def test_tokens_that_do_not(token_of: str, url: str, status: int, body: dict[str, object]) -> None:
    answer = ask(token_of, url)
    assert answer is not None
    said = answer.json()
    assert isinstance(said, dict)
    identifier = answer.header("X-Request-Id") or ""
    assert re.fullmatch("[0-9a-f]{32}", identifier)
    assert said.pop("request_id", identifier) == identifier
    assert (answer.status, said) == (status, body)
    assert (answer.header("Server"), answer.header("Content-Type")) == ("api-gateway", "application/json")


def test_the_newer_vpc_calls_name_the_request() -> None:
    answer = ask("cn-east-3", host("vpc", f"/v3/{HERE}/vpc/vpcs"))
    assert answer is not None
    assert b'"request_id"' in answer.body


def test_the_project_header_counts_where_the_url_names_none() -> None:
    url = host("ims", "/v2/cloudimages")
    assert ask("cn-north-4", url, {"x-project-id": HERE}) is None
    assert ask("cn-north-4", url, {"x-project-id": ELSEWHERE}) is not None
    assert ask("cn-north-4", DETAIL, {"x-project-id": ELSEWHERE}) is None


@pytest.mark.parametrize(
    "path",
    [
        f"/v1/{HERE}/../{ELSEWHERE}/cloudservers/detail",
        f"/v1/{HERE}/%2e%2e/{ELSEWHERE}/cloudservers/detail",
        f"/v1//{ELSEWHERE}/cloudservers/detail",
        f"/v1/{HERE[:-1]}/cloudservers/detail",
        f"/v1/{HERE.upper()}/cloudservers/detail",
        f"/v1/{HERE[:8]}-{HERE[8:12]}-{HERE[12:16]}-{HERE[16:20]}-{HERE[20:]}/cloudservers/detail",
        f"/v1/{HERE}0/cloudservers/detail",
    ],
)
def test_a_project_in_another_spelling_is_another_project(path: str) -> None:
    answer = ask("cn-north-4", host("ecs", path))
    assert answer is not None
    assert answer.json() == COMMON


@pytest.mark.parametrize("token_of", ["cn-east-3"])
@pytest.mark.parametrize("service", ["brandnew", "another-one"])
def test_a_token_of_another_project_at_a_service_that_no_table_knows(token_of: str, service: str) -> None:
    answer = ask(token_of, host(service, f"/v1/{HERE}/things"))
    assert answer is not None
    assert (answer.status, answer.json()) == (400, COMMON)
    assert ask("cn-north-4", host(service, f"/v1/{HERE}/things")) is None
    assert ask("cn-north-4", host(service, "/v1/0123456789abcdef-thing/things")) is None
