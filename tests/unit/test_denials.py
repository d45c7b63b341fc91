"""Denials: each service's own status, shape, code and message."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
import yaml

from pytest_hwcloud.cloud.calls.calls import Call, needs
from pytest_hwcloud.cloud.identity import default_identity
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.system_policies import names
from pytest_hwcloud.gates import denials
from pytest_hwcloud.gates.denials import Ground, denial

ID = "1c1d07572cb568467f65515a2353f3a9"
PROJECT = "05041fffa40025702f6dc009cc6f8f33"
ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "tests" / "facts" / "sources"


def refuse(url, action, method="GET", **more):
    return denial(needs(method, url), action, request_id=ID, identity=default_identity(), ground=Ground(**more))


LITERAL = [
    (
        f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/cloudservers/detail",
        "ecs:cloudServers:list",
        403,
        {"error": {"message": "do not have the required roles, forbidden to perform this action.", "code": "Ecs.0110"}},
    ),
    (
        f"https://vpc.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/vpcs",
        "vpc:vpcs:list",
        403,
        {"code": "VPC.2201", "message": "Policy doesn't allow vpc:vpcs:list to be performed"},
    ),
    (
        f"https://vpc.cn-north-4.myhuaweicloud.com/v3/{PROJECT}/vpc/vpcs",
        "vpc:vpcs:list",
        403,
        {"error_msg": "Policy doesn't allow vpc:vpcs:list to be performed", "error_code": "VPC.2201", "request_id": ID},
    ),
    (
        f"https://as.cn-north-4.myhuaweicloud.com/autoscaling-api/v1/{PROJECT}/scaling_group",
        "as:groups:list",
        400,
        {"error": {"message": "Policy doesn't allow [as:groups:list] to be performed.", "code": "AS.0031"}},
    ),
    (
        "https://tms.myhuaweicloud.com/v1.0/predefine_tags",
        "tms:predefineTags:list",
        403,
        {
            "error": {
                "error_msg": "You do not have the required permission to perform this operation."
                " The required permission is: tms:predefineTags:list.",
                "error_code": "TMS.2030",
            }
        },
    ),
    (
        "https://eps.myhuaweicloud.com/v1.0/enterprise-projects",
        "eps:enterpriseProjects:list",
        400,
        {
            "error": {
                "error_msg": "You do not have permissions to perform this operation."
                " The required permission is: eps:enterpriseProjects:list",
                "error_code": "EPS.0039",
            }
        },
    ),
    (
        f"https://ces.cn-north-4.myhuaweicloud.com/V1.0/{PROJECT}/alarms",
        "ces:alarms:list",
        403,
        {
            "http_code": "403",
            "message": {"details": "Policy doesn't allow [ces:alarms:list] to be performed", "code": "403"},
        },
    ),
    (
        "https://iam.myhuaweicloud.com/v3/users",
        "iam:users:listUsers",
        403,
        {
            "error": {
                "message": "Policy doesn't allow iam:users:listUsers to be performed.",
                "code": 403,
                "title": "Forbidden",
            }
        },
    ),
    (
        f"https://vpn.cn-north-4.myhuaweicloud.com/v5/{PROJECT}/vpn-gateways",
        "vpn:vpnGateways:list",
        401,
        {"error_msg": "Insufficient authentication for action vpn:vpnGateways:list", "error_code": "VPN.0003"},
    ),
    (
        f"https://deh.cn-north-4.myhuaweicloud.com/v1.0/{PROJECT}/dedicated-hosts",
        "deh:dedicatedHosts:list",
        403,
        {"error": {"message": "Policy doesn't allow deh:dedicatedHosts:list to be performed.", "code": "Pdp.0001"}},
    ),
]


@pytest.mark.parametrize(("url", "action", "status", "body"), LITERAL, ids=[row[1] for row in LITERAL])
def test_the_service_answers_in_its_own_words(url, action, status, body):
    answer = refuse(url, action)
    assert (answer.status, answer.json()) == (status, body)
    assert answer.header("x-request-id") == ID
    assert answer.header("content-type") == "application/json"


def test_the_new_iam_encodes_the_decision():
    body = refuse("https://iam.myhuaweicloud.com/v5/users", "iam:users:listUsersV5").json()
    assert (body["error_code"], body["request_id"]) == ("PAP5.0001", ID)
    assert body["error_msg"] == (
        "access denied: User: iam::0503dda878000fed0f75c0096d70a960:user:ci-reader is not authorized to perform action"
        " iam:users:listUsersV5 on resource * because no identity-based policy allows the iam:users:listUsersV5 action."
    )
    assert re.fullmatch(r"[\w=-]{40,}", body["encoded_authorization_message"])


def test_obs_answers_in_xml_and_a_head_request_gets_no_body():
    url = "https://bucket.obs.cn-north-4.myhuaweicloud.com/key"
    answer = refuse(url, "obs:object:GetObject")
    assert answer.status == 403
    assert answer.body.decode() == (
        '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
        f"<Error><Code>AccessDenied</Code><Message>Access denied.</Message><RequestId>{ID}</RequestId></Error>"
    )
    assert (answer.header("x-obs-request-id"), answer.header("server")) == (ID, "OBS")
    assert refuse(url, "obs:object:GetObject", method="HEAD").body == b""


@pytest.mark.parametrize(
    ("explicit", "end"),
    [
        (False, "because no identity-based policy allows the ecs:cloudServers:start action."),
        (True, "with an explicit deny in an identity-based policy."),
    ],
)
def test_identity_policies_have_a_wording_of_their_own(explicit, end):
    url = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/cloudservers/detail"
    answer = refuse(url, "ecs:cloudServers:start", explicit=explicit, grammar="5.0", resource="ecs:r:a:instance:i")
    assert answer.status == 403
    assert answer.json()["error"] == {
        "message": "User: iam::0503dda878000fed0f75c0096d70a960:user:ci-reader is not authorized to perform action"
        f" ecs:cloudServers:start on resource ecs:r:a:instance:i {end}",
        "code": "Ecs.0110",
    }


@pytest.mark.parametrize("service", denials._facts()["services"])
def test_every_service_row_makes_an_answer_without_holes(service):
    call = Call(service=service, region="cn-north-4", scope="regional", template="/v1/x")
    for grammar in ("1.1", "5.0"):
        answer = denial(call, "a:b:c", request_id=ID, identity=default_identity(), ground=Ground(grammar=grammar))
        assert answer.status in (400, 401, 403)
        assert not re.search(rb"\{\w+\}|%s|xxx", answer.body)
        assert answer.reason


def test_every_code_and_status_is_documented():
    rows = yaml.load((SOURCES / "permissions" / "denied_errors.yaml").read_bytes(), yaml.CSafeLoader)["errors"]
    documented = {
        (row["code"], status) for row in rows for status in (row["http"], *row.get("http_in_other_sources", ()))
    }
    services = json.loads((denials._FILE).read_text(encoding="utf-8"))["services"]
    for row in services.values():
        for entry in (row, *row.get("paths", {}).values()):
            assert (entry["code"], entry["status"]) in documented


def test_every_system_policy_with_content_parses_and_decides():
    known = names(with_content=True)
    assert len(known) == 29
    decided = {name: Policy.load(f"system:{name}").decide("ecs:cloudServers:showServer").effect for name in known}
    assert {name for name, effect in decided.items() if effect == "allow"} == {
        "CES Viewer",
        "CSE Admin",
        "DWS ReadOnlyAccess",
        "ECS CommonOperations",
        "ECS FullAccess",
        "ECS ReadOnlyAccess",
        "GES Viewer",
        "RDS Viewer",
        "Server Administrator",
        "Tenant Administrator",
        "Tenant Guest",
        "VPC Administrator",
    }
    assert set(decided.values()) == {"allow", "deny"}


def test_system_policies_are_found_by_name_only_if_their_content_is_known():
    assert len(names()) == 175
    for text, message in [
        (
            "system:ECS ReadOnly",
            "system:ECS ReadOnly: no such system policy is documented, did you mean 'system:ECS ReadOnlyAccess'?",
        ),
        (
            "system:CCE Administrator",
            "system:CCE Administrator: only its name is documented, not its content;"
            " `pytest-hwcloud actions refresh --policies` reads it from IAM",
        ),
    ]:
        with pytest.raises(ValueError) as caught:
            Policy.load(text)
        assert str(caught.value) == message
