"""The authorization gate: which calls a policy opens, whose rights count, what is answered."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from pytest_hwcloud.cloud.calls.calls import needs
from pytest_hwcloud.cloud.calls.tables import ResourceType
from pytest_hwcloud.cloud.identity import DEFAULT_DOMAIN_ID, DEFAULT_PROJECT_ID, default_identity
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Grant, Rights
from pytest_hwcloud.cloud.tokens import Scope
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.gates import request_context
from pytest_hwcloud.gates.authorization import authorize
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.journal import Exchange
from pytest_hwcloud.permissions import decisions

ME = default_identity()
ECS = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{DEFAULT_PROJECT_ID}/cloudservers"
PROJECT = Scope("project", DEFAULT_PROJECT_ID, "cn-north-4")


def policy(*actions, effect="Allow", version="1.1", **more):
    return Policy.load({"Version": version, "Statement": [{"Effect": effect, "Action": list(actions), **more}]})


def state(*policies):
    rights = {"default": Rights.of(policies)} if policies else {}
    return CloudState({"default": ME}, region="cn-north-4", rights=rights)


def judge(cloud, url=f"{ECS}/detail", method="GET", body=b"", token=None, headers=None):
    request = Request(method, url, headers or {}, body)
    return authorize(request, needs(method, url, body), ME, token, cloud)


def test_a_call_that_the_policy_allows_passes_with_its_decision():
    judgement = judge(state(policy("ecs:*:list*")))
    assert (judgement.effect, judgement.action, judgement.answer) == ("allow", "ecs:cloudServers:list", None)
    assert judgement.decision.statement == 0


def test_a_call_that_it_does_not_allow_gets_the_denial_of_the_service():
    judgement = judge(state(policy("vpc:*:*")))
    assert (judgement.effect, judgement.action, judgement.explicit) == ("deny", "ecs:cloudServers:list", False)
    assert judgement.answer.status == 403
    assert judgement.answer.json()["error"]["code"] == "Ecs.0110"
    assert len(judgement.answer.header("X-Request-Id")) == 32
    assert judgement.injected is None


def test_each_refusal_has_a_request_id_of_its_own():
    cloud = state(policy("vpc:*:*"))
    assert judge(cloud).answer.header("X-Request-Id") != judge(cloud).answer.header("X-Request-Id")


def test_without_a_policy_nothing_is_judged():
    judgement = judge(state())
    assert (judgement.effect, judgement.decision, judgement.answer) == ("unjudged", None, None)


@pytest.mark.parametrize("action", ["ecs:cloudServers:list", "ecs:cloudServers:listServersDetails", "ECS:*:LIST*"])
def test_either_grammar_opens_the_call(action):
    for version in ("1.1", "5.0"):
        assert judge(state(policy(action, version=version))).effect == "allow"


@pytest.mark.parametrize("action", ["ecs:cloudServers:list", "ecs:cloudServers:listServersDetails"])
def test_a_deny_of_either_name_closes_it(action):
    judgement = judge(state(policy("*:*:*"), policy(action, effect="Deny")))
    assert (judgement.effect, judgement.explicit) == ("deny", True)


def test_the_refusal_names_the_action_in_the_grammar_of_the_identity():
    old = judge(state(policy("vpc:*:*")))
    new = judge(state(policy("vpc:*:*", version="5.0")))
    assert (old.action, new.action) == ("ecs:cloudServers:list", "ecs:cloudServers:listServersDetails")
    assert "no identity-based policy allows the ecs:cloudServers:listServersDetails" in new.answer.body.decode()


def test_the_body_decides_which_action_is_asked():
    cloud = state(policy("ecs:cloudServers:start"))
    assert judge(cloud, f"{ECS}/action", "POST", b'{"os-start": {"servers": []}}').effect == "allow"
    assert judge(cloud, f"{ECS}/action", "POST", b'{"os-stop": {"servers": []}}').action == "ecs:cloudServers:stop"


UNKNOWN = [
    (f"{ECS}/action", "POST", b"{}", "the request does not say which"),
    (f"https://ecs.cn-north-4.myhuaweicloud.com/v9/{DEFAULT_PROJECT_ID}/wonders", "GET", b"", "no table knows GET ecs"),
    (f"https://nowhere.cn-north-4.myhuaweicloud.com/v9/{DEFAULT_PROJECT_ID}/x", "GET", b"", "no table knows GET ?"),
    (f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{DEFAULT_PROJECT_ID}/jobs/j", "GET", b"", "no document says which"),
]


@pytest.mark.parametrize(("url", "method", "body", "reason"), UNKNOWN, ids=range(len(UNKNOWN)))
def test_what_no_table_knows_passes_as_unknown(url, method, body, reason):
    judgement = judge(state(policy("vpc:*:*")), url, method, body)
    assert (judgement.effect, judgement.answer, judgement.action) == ("unknown", None, None)
    assert reason in judgement.decision.reason
    assert not judgement.decision


def test_a_call_that_needs_no_permission_is_allowed():
    url = "https://iam.myhuaweicloud.com/v5/authorization-schemas/services/ecs"
    judgement = judge(state(policy("vpc:*:*")), url)
    assert judgement.effect == "allow"
    assert judgement.decision.reason.endswith("is documented as needing no permission")


def test_a_condition_that_nobody_can_decide_passes_as_unknown():
    judgement = judge(state(policy("ecs:*:*", Condition={"Bool": {"g:MFAPresent": ["true"]}})))
    assert (judgement.effect, judgement.answer) == ("unknown", None)
    assert judgement.action == "ecs:cloudServers:list"


def test_a_deny_that_may_hold_makes_an_open_call_unknown():
    maybe = policy(
        "ecs:cloudServers:listServersDetails", effect="Deny", Condition={"Bool": {"g:MFAPresent": ["false"]}}
    )
    assert judge(state(policy("ecs:cloudServers:list"), maybe)).effect == "unknown"


@pytest.mark.parametrize(
    ("condition", "effect"),
    [
        ({"StringEquals": {"g:UserName": ["ci-reader"]}}, "allow"),
        ({"StringEquals": {"g:UserName": ["other"]}}, "deny"),
        ({"StringEquals": {"g:DomainName": ["example-corp"], "g:ProjectName": ["cn-north-4"]}}, "allow"),
        ({"StringEquals": {"g:ServiceName": ["ecs"], "g:RequestedRegion": ["cn-north-4"]}}, "allow"),
        ({"DateLessThan": {"g:CurrentTime": ["2021-01-01T00:00:00Z"]}}, "deny"),
    ],
)
def test_what_replay_knows_of_a_request(condition, effect):
    assert judge(state(policy("ecs:*:*", Condition=condition))).effect == effect


def test_the_clock_of_the_run_is_the_time_of_the_request():
    cloud = CloudState(
        {"default": ME},
        region="cn-north-4",
        rights={
            "default": Rights.of([policy("ecs:*:*", Condition={"DateLessThan": {"g:CurrentTime": ["2021-01-01"]}})])
        },
        clock=lambda: datetime(2020, 1, 1, tzinfo=UTC),
    )
    assert judge(cloud).effect == "allow"


# whose rights


def test_a_token_keeps_the_rights_of_its_issue():
    cloud = state(policy("vpc:*:*"))
    old = cloud.issue(ME, PROJECT)
    cloud.set_rights("default", Rights.of([policy("ecs:*:*")]))
    assert judge(cloud, token=old).effect == "deny"
    assert judge(cloud, token=cloud.issue(ME, PROJECT)).effect == "allow"
    assert judge(cloud).effect == "allow"  # signed: the present rights


def test_a_grant_reaches_signed_calls_and_new_tokens_only():
    cloud = state(policy("vpc:*:*"))
    old = cloud.issue(ME, PROJECT)
    with cloud.grant(["ecs:cloudServers:list"]):
        new = cloud.issue(ME, PROJECT)
        assert judge(cloud).effect == "allow"
        assert judge(cloud).decision.policy == "hwcloud.grant"
        assert judge(cloud, token=old).effect == "deny"
        assert judge(cloud, token=new).effect == "allow"
    assert judge(cloud).effect == "deny"


def test_a_grant_does_not_lift_a_deny():
    cloud = state(policy("ecs:*:*", effect="Deny"))
    with cloud.grant(["ecs:cloudServers:list"]):
        assert judge(cloud).effect == "deny"


@pytest.mark.parametrize("action", ["ecs:cloudServers:list", "ecs:cloudservers:listserversdetails"])
def test_deny_refuses_everybody_in_any_spelling(action):
    cloud = state()
    with cloud.deny([action], request_id="f" * 32):
        judgement = judge(cloud, token=cloud.issue(ME, PROJECT))
    assert (judgement.effect, judgement.injected, judgement.explicit) == ("deny", "f" * 32, True)
    assert judgement.answer.header("X-Request-Id") == "f" * 32
    assert judgement.decision.reason == f"{action} is denied by hwcloud.deny"
    assert judge(cloud).effect == "unjudged"


def test_deny_of_another_action_changes_nothing():
    cloud = state()
    with cloud.deny(["ecs:servers:list"]):
        assert judge(cloud).effect == "unjudged"


def test_deny_comes_before_the_policy_and_before_a_grant():
    cloud = state(policy("*:*:*"))
    with cloud.grant(["ecs:cloudServers:list"]), cloud.deny(["ecs:cloudServers:list"]):
        assert judge(cloud).effect == "deny"


# places and resources


def test_a_grant_on_another_project_does_not_open_the_call():
    other = Rights.of([Grant(policy=policy("ecs:*:*"), on="project", target="0" * 32)])
    cloud = CloudState({"default": ME}, region="cn-north-4", rights={"default": other})
    assert judge(cloud).effect == "deny"


def test_a_global_service_needs_a_grant_on_the_domain():
    tms = "https://tms.myhuaweicloud.com/v1.0/predefine_tags"
    for on, effect in (("projects", "deny"), ("domain", "allow")):
        rights = {"default": Rights.of([Grant(policy=policy("tms:*:*"), on=on)])}
        assert judge(CloudState({"default": ME}, region="cn-north-4", rights=rights), tms).effect == effect


@pytest.mark.parametrize(
    ("query", "headers", "effect"),
    [
        ("?enterprise_project_id=e1", {}, "allow"),
        ("?enterprise_project_id=e2", {}, "deny"),
        ("", {"x-enterprise-project-id": "e1"}, "allow"),
        ("?enterprise_project_id=all_granted_eps", {}, "unknown"),
        ("", {}, "unknown"),
    ],
)
def test_the_enterprise_project_of_a_request(query, headers, effect):
    rights = {"default": Rights.of([Grant(policy=policy("ecs:*:*"), on="enterprise", target="e1")])}
    cloud = CloudState({"default": ME}, region="cn-north-4", rights=rights)
    assert judge(cloud, f"{ECS}/detail{query}", headers=headers).effect == effect


@pytest.mark.parametrize(
    ("query", "headers", "body", "effect"),
    [
        ("", {}, {"server": {"enterprise_project_id": "e1"}}, "allow"),
        ("", {}, {"enterprise_project_id": "e2", "servers": []}, "deny"),
        ("", {}, {"servers": [{"extendparam": {"enterprise_project_id": "e1"}}]}, "allow"),
        ("?enterprise_project_id=e1", {"X-Enterprise-Project-Id": "e1"}, {"enterprise_project_id": "e1"}, "allow"),
        # What contradicts itself is decided by no document: it stays open, whichever of them is granted.
        ("?enterprise_project_id=e1", {}, {"enterprise_project_id": "e2"}, "unknown"),
        ("?enterprise_project_id=e1&enterprise_project_id=e2", {}, None, "unknown"),
        ("?enterprise_project_id=e1", {"x-enterprise-project-id": "e2"}, None, "unknown"),
        ("?enterprise_project_id=all_granted_eps", {}, {"enterprise_project_id": "e1"}, "unknown"),
        ("", {}, {"servers": [{"enterprise_project_id": "e1"}, {"enterprise_project_id": "e2"}]}, "unknown"),
        ("", {}, {"enterprise_project_id": None}, "unknown"),
        ("", {}, {"note": "enterprise_project_id"}, "unknown"),
        ("?enterprise_project_id=", {}, None, "unknown"),
    ],
)
def test_the_enterprise_project_of_query_header_and_body(query, headers, body, effect):
    rights = {"default": Rights.of([Grant(policy=policy("ecs:*:*"), on="enterprise", target="e1")])}
    cloud = CloudState({"default": ME}, region="cn-north-4", rights=rights)
    data = json.dumps(body).encode() if body is not None else None
    asked = judge(cloud, f"{ECS}{query}", headers=headers, method="POST", body=data)
    assert asked.effect == effect
    same = {"g:EnterpriseProjectId": ["e1"]}
    limited = Rights.of([policy("ecs:*:*", Condition={"StringEquals": same})])
    cloud = CloudState({"default": ME}, region="cn-north-4", rights={"default": limited})
    assert judge(cloud, f"{ECS}{query}", headers=headers, method="POST", body=data).effect == effect


OBS = "https://bucket.obs.cn-north-4.myhuaweicloud.com"
RESOURCES = [
    ("GET", f"{OBS}/a/b%20c", f"obs:cn-north-4:{DEFAULT_DOMAIN_ID}:object:bucket/a/b c"),
    ("GET", f"{OBS}/", f"obs:cn-north-4:{DEFAULT_DOMAIN_ID}:bucket:bucket"),
    (
        "GET",
        "https://obs.cn-north-4.myhuaweicloud.com/bucket/key",
        f"obs:cn-north-4:{DEFAULT_DOMAIN_ID}:object:bucket/key",
    ),
    ("GET", "https://obs.cn-north-4.myhuaweicloud.com/", f"obs:cn-north-4:{DEFAULT_DOMAIN_ID}:bucket:*"),
    ("GET", f"{ECS}/detail", "*"),
    ("POST", f"{ECS}/abc/resize", f"ecs:cn-north-4:{DEFAULT_DOMAIN_ID}:instance:abc"),
    ("POST", f"{ECS}/action", None),
    (
        "GET",
        f"https://vpc.cn-north-4.myhuaweicloud.com/v1/{DEFAULT_PROJECT_ID}/vpcs/v",
        f"vpc:cn-north-4:{DEFAULT_DOMAIN_ID}:vpc:v",
    ),
]


@pytest.mark.parametrize(("method", "url", "expected"), RESOURCES, ids=range(len(RESOURCES)))
def test_the_resource_of_a_request(method, url, expected):
    assert request_context.resources(Request(method, url), needs(method, url), ME)[0].older == expected


@pytest.mark.parametrize(("bucket", "effect"), [("bucket/*", "allow"), ("other/*", "deny")])
def test_a_policy_about_one_bucket(bucket, effect):
    cloud = state(policy("obs:object:GetObject", Resource=[f"obs:*:*:object:{bucket}"]))
    judgement = judge(cloud, f"{OBS}/key")
    assert judgement.effect == effect
    assert effect == "allow" or b"<Code>AccessDenied</Code>" in judgement.answer.body


def instance(server: str) -> str:
    return f"ecs:cn-north-4:{DEFAULT_DOMAIN_ID}:instance:{server}"


# The request models of the official SDK: BatchStartServersOption, DeleteServersRequestBody, BatchResizeServersOption,
# ChangeServerChargeModeRequestBody, BatchAttachSharableVolumesOption.
BATCHES = [
    ("POST", "/cloudservers/action", {"os-start": {"servers": [{"id": "a"}, {"id": "b"}]}}, ["a", "b"]),
    ("POST", "/cloudservers/action", {"os-stop": {"servers": [{"id": "a"}, {"id": "a"}], "type": "SOFT"}}, ["a"]),
    ("POST", "/cloudservers/delete", {"delete_volume": True, "servers": [{"id": "a"}]}, ["a"]),
    ("PUT", "/cloudservers/server-name", {"name": "x", "servers": [{"id": "a"}]}, ["a"]),
    ("POST", "/cloudservers/batch-resize", {"resize": {"flavor_ref": "s", "servers": [{"id": "a"}]}}, ["a"]),
    ("POST", "/cloudservers/actions/change-charge-mode", {"server_ids": ["a", "b"], "charge_mode": "m"}, ["a", "b"]),
    ("POST", "/batchaction/attachvolumes/vol", {"serverinfo": [{"server_id": "a", "device": "d"}]}, ["a"]),
    # what names no server, or only half of them, decides nothing
    ("POST", "/cloudservers/action", {"os-start": {"servers": []}}, None),
    ("POST", "/cloudservers/action", {"os-start": {"servers": [{"id": "a"}, {}]}}, None),
    ("POST", "/cloudservers/action", {"os-start": {"servers": "a"}}, None),
    ("POST", "/cloudservers/action", {"os-start": ["a"]}, None),
    ("POST", "/cloudservers/delete", ["a"], None),
]


@pytest.mark.parametrize(("method", "path", "body", "servers"), BATCHES, ids=range(len(BATCHES)))
def test_the_servers_in_the_body_of_a_batch_call(method, path, body, servers):
    url, sent = ECS.removesuffix("/cloudservers") + path, json.dumps(body).encode()
    found = request_context.resources(Request(method, url, {}, sent), needs(method, url, sent), ME)
    assert [one.older for one in found] == ([instance(server) for server in servers] if servers else [None])
    assert all(one.older == one.newer for one in found)


@pytest.mark.parametrize(
    ("servers", "effect"),
    [(["a"], "allow"), (["a", "b"], "allow"), (["a", "c"], "deny"), (["c"], "deny"), ([], "unknown")],
)
@pytest.mark.parametrize("version", ["1.1", "5.0"])
def test_every_server_of_a_batch_call_must_be_allowed(servers, effect, version):
    cloud = state(policy("ecs:*:start", version=version, Resource=["ECS:*:*:instance:a", "ECS:*:*:instance:b"]))
    body = {"os-start": {"servers": [{"id": server} for server in servers]}}
    judgement = judge(cloud, f"{ECS}/action", "POST", json.dumps(body).encode())
    assert judgement.effect == effect
    if version == "5.0" and effect == "deny":
        assert f"on resource {instance('c')}".encode() in judgement.answer.body


# iam.md 2: a 1.1 action without √ for instances only takes Resource *. The 5.0 tables have resource types of their own:
# "ecs:cloudServers:showServer" has none in 1.1 and `instance*` in 5.0 (ecs.yaml, ShowServer).
@pytest.mark.parametrize(
    ("version", "resource", "effect"),
    [
        ("1.1", "ecs:*:*:instance:abc", "deny"),
        ("1.1", "*", "allow"),
        ("5.0", "ecs:*:*:instance:abc", "allow"),
        ("5.0", "ecs:*:*:instance:other", "deny"),
        ("5.0", "*", "allow"),
    ],
)
def test_a_resource_type_that_only_one_grammar_has(version, resource, effect):
    cloud = state(policy("ecs:cloudServers:showServer", version=version, Resource=[resource]))
    assert judge(cloud, f"{ECS}/abc").effect == effect


def test_a_deny_of_5_0_on_one_server_holds_beside_a_1_1_policy():
    deny = policy("ecs:cloudServers:showServer", effect="Deny", version="5.0", Resource=["ecs:*:*:instance:abc"])
    cloud = state(policy("ecs:*:*"), deny)
    assert judge(cloud, f"{ECS}/abc").effect == "deny"
    assert judge(cloud, f"{ECS}/other").effect == "allow"


def test_the_resource_of_a_dependency_is_not_that_of_the_call():
    limited = policy("ecs:*:*", "vpc:*:*", Resource=["ecs:*:*:instance:abc", "vpc:*:*:port:p"])
    cloud, url = state(limited), f"{ECS}/abc/nics"
    request, call = Request("POST", url, {}, b"{}"), needs("POST", url, b"{}")
    decision = authorize(request, call, ME, None, cloud).decision
    exchange = Exchange(request=request, answer=None, identity="default", credential="aksk", decision=decision)
    assert decisions.of_rights(exchange, "ecs:cloudServers:addNics", cloud).effect == "allow"
    assert decisions.of_dependency(exchange, "vpc:ports:create", cloud).effect == "unknown"


DDS = f"https://dds.cn-north-4.myhuaweicloud.com/v3/{DEFAULT_PROJECT_ID}/instances"


@pytest.mark.parametrize(
    ("method", "url", "resource", "effect"),
    [
        ("DELETE", f"{DDS}/abc", "dds:*:*:instance:abc", "allow"),
        ("DELETE", f"{DDS}/abc", "dds:cn-north-4:*:instance:*", "allow"),
        ("DELETE", f"{DDS}/abc", f"dds:*:{DEFAULT_DOMAIN_ID}:instance:abc", "allow"),
        ("DELETE", f"{DDS}/abc", "dds:*:*:instance:xyz", "deny"),
        ("DELETE", f"{DDS}/abc", "dds:*:*:backup:abc", "deny"),
        ("DELETE", f"{DDS}/abc", "dds:cn-south-1:*:instance:abc", "deny"),
        ("DELETE", f"{DDS}/abc", "*", "allow"),
        ("POST", DDS, "dds:*:*:instance:abc", "unknown"),  # the request does not tell which
        ("POST", DDS, "dds:*:*:instance:*", "allow"),
        ("POST", DDS, "dds:*:*:backup:*", "deny"),
        ("POST", DDS, "*", "allow"),
    ],
)
def test_a_urn_template_judges_statements_of_5_0(method: str, url: str, resource: str, effect: str) -> None:
    template = "dds:<region>:<account-id>:instance:<instance-id>"
    call = replace(needs(method, url), resources=(ResourceType(name="instance", template=template, required=True),))
    (asked,) = request_context.resources(Request(method, url), call, ME)
    rights = Rights.of([policy("dds:instance:delete", version="5.0", Resource=[resource])])
    assert rights.decide("dds:instance:delete", resource=asked).effect == effect
