"""Cause and fix of the traps that people really hit, word for word."""

# ruff: noqa: E501 - literal messages stay in one piece

from __future__ import annotations

import re

import pytest
from explained import (
    CANONICAL,
    DOMAIN,
    IAM,
    IN_DOMAIN,
    IN_PROJECT,
    NO_ROLES,
    OTHER,
    OTHER_TENANT,
    PROJECT,
    PROJECTS,
    explained,
    refused,
)

from pytest_hwcloud.cloud.failures import read
from pytest_hwcloud.cloud.wire import Answer, json_answer
from pytest_hwcloud.explanations.circumstances import Circumstances

# --- the traps ---

TRAPS = {
    "empty project id": (
        refused(404, "APIGW.0101", "The API does not exist", "https://vpc.cn-north-4.myhuaweicloud.com/v1//vpcs", "POST"), None,
        "The project id in the path is empty (note the double slash), so the call names no project.",
        "Give the client its project id: BasicCredentials(ak, sk, project_id), the environment, or hwcloud.url(…).",
    ),
    "placeholder in the path": (
        refused(404, "APIGW.0101", "x", "https://ecs.cn-north-4.myhuaweicloud.com/v1/%7Bproject_id%7D/cloudservers/detail"), None,
        "The project id was never filled in: the path still has its placeholder {project_id}.",
        "Give the client its project id: BasicCredentials(ak, sk, project_id), the environment, or hwcloud.url(…).",
    ),
    "no reason given": (
        refused(401, "APIGW.0301", f"{IAM}Unauthorized"), None,
        "The gateway does not say why: either AK or SK is wrong (or a placeholder), or a temporary key lacks its security "
        "token, or the call names no project.",
        "Check AK, SK, security token and project id together.",
    ),
    "key of Alibaba Cloud": (
        refused(401, "APIGW.0301", f"{IAM}ak LTAI5tExampleKey0001 not exist"), None,
        "The access key id begins with LTAI: it is a key of Alibaba Cloud, which Huawei Cloud does not know.",
        "Use an access key of Huawei Cloud (console: My Credentials, Access Keys).",
    ),
    "key of AWS": (
        refused(401, "APIGW.0301", f"{IAM}Get secretKey failed,ak:AKIAIOSFODNN7EXAMPLE,err:ak not exist"), None,
        "The access key id begins with AKIA: it is a key of AWS, which Huawei Cloud does not know.",
        "Use an access key of Huawei Cloud (console: My Credentials, Access Keys).",
    ),
    "clock slow or request late": (
        refused(401, "APIGW.0301", f"{IAM}calc aksk signature fail:signature expired, signature time:20260528T092752Z,"
                "server time:20260528T094410Z"), None,
        "Signed at 2026-05-28 09:27:52 UTC, judged at 2026-05-28 09:44:10 UTC: 16 min 18 s apart, and 15 min are allowed.",
        "Compare this machine's UTC clock with the server's time: if it is slow, synchronise it (NTP). If it is right, the "
        "request waited after signing: sign right before sending, and sign again for a retry.",
    ),
    "clock ahead, OBS": (
        read(Answer(403, {}, b"<Error><Code>RequestTimeTooSkewed</Code><Message>m</Message><RequestTime>2026-05-29T09:00:00Z"
                    b"</RequestTime><ServerTime>2026-05-28T09:00:00Z</ServerTime></Error>")), None,
        "Signed at 2026-05-29 09:00:00 UTC, judged at 2026-05-28 09:00:00 UTC: 24 h 0 min apart, and 15 min are allowed.",
        "This machine's clock is ahead: synchronise it (NTP) and check that it counts in UTC.",
    ),
    "locked key": (
        refused(401, "APIGW.0301", f"{IAM}AK access failed to reach the limit,forbidden."), None,
        "The access key failed more than five times in a row and is locked for five minutes.",
        "Stop all callers of this key, fix AK and SK, wait five minutes, then try once.",
    ),
    "body signed is not body sent": (
        refused(401, "APIGW.0301", f"{IAM}{CANONICAL}DELETE|/v1/x/||host:a|x-sdk-date:20210902T011700Z||host;x-sdk-date|"
                "44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a"), None,
        "The body signed is not the body sent: one side hashed {} (44136fa3…), the other an empty or different body.",
        "Sign the very bytes that are sent; for a call without a body sign the empty body, not {}.",
    ),
    "wrong SK, nothing of ours known": (
        refused(401, "APIGW.0301", f"{IAM}{CANONICAL}GET|/v3/projects/|a"), None,
        "The signature differs from the one that the gateway computed: either the SK is wrong, or method, path, query, headers "
        "or body changed after signing.",
        "Check the SK first (stray blanks, SK of another AK); then compare the canonical request in the message with the one "
        "the client signed, each bar being a line break.",
    ),
    "endpoint of one region, project of another": (
        refused(404, "VPC.0003", "x"), Circumstances(url_project=OTHER, url_region="cn-north-4", projects=PROJECTS),
        "The endpoint is in cn-north-4, but the project in the URL belongs to cn-east-3.",
        "Use the endpoint of cn-east-3, or the project id of cn-north-4.",
    ),
    "VPC.0007 with AK/SK": (
        refused(400, "VPC.0007", "urlTenantId is not equal tokenTenantId"),
        Circumstances(credential="aksk", url_project=OTHER, url_region="cn-east-3", projects=PROJECTS),
        "Signed with AK/SK, the call counts for the project in X-Project-Id, without that header for the caller's default "
        f"project: that is not the project cn-east-3 ({OTHER}) in the URL.",
        "Send X-Project-Id with the project id of the URL and sign it; if it was sent, the id in the URL is no project of this "
        "account.",
    ),
    "VPC.0007, nothing known": (
        refused(400, "VPC.0007", "urlTenantId is not equal tokenTenantId"), None,
        "The project of the token is not the project in the URL.",
        "Use a token for the project in the URL, or sign with AK/SK and the right X-Project-Id.",
    ),
    "throttled, with its limit": (
        refused(429, "APIGW.0308", "The throttling threshold has been reached: policy user over ratelimit,limit:200,time:5 minute"),
        None,
        "More than 200 calls in 5 min, the limit for one user.",
        "Wait 5 min, then call less often: fewer calls in parallel, cached answers. For cloud services this limit cannot be "
        "raised.",
    ),
    "main account and password": (
        read(json_answer(401, {"error": {"code": 401, "message": "The username or password is wrong.", "title": "Unauthorized"}})),
        None,
        "Either the user name or password is wrong, or this is the main user of an account: newer accounts get no token for it "
        "by password.",
        "Check the account name (domain), IAM user name and password; for a main user create an IAM user and ask for the token "
        "with that, the account name as domain.",
    ),
    "domain id as project id": (
        refused(400, "Common.0018", OTHER_TENANT),
        Circumstances(url_project=DOMAIN, domain_id=DOMAIN, url_region="cn-north-4", projects=PROJECTS, credential="aksk"),
        f"The id in the URL, {DOMAIN}, is the account's (domain id), not a project's.",
        f"Put the project id of the region into the URL. For cn-north-4 that is {PROJECT}.",
    ),
    "token of another project": (
        refused(400, "Common.0018", OTHER_TENANT),
        Circumstances(url_project=OTHER, url_region="cn-east-3", projects=PROJECTS, credential="token", token_scope=IN_PROJECT),
        f"The token is for project cn-north-4 ({PROJECT}), the URL names project cn-east-3 ({OTHER}).",
        'Get a token for the project in the URL: hwcloud.token(project="cn-east-3"), or put the token\'s own project into the '
        "URL, or sign with AK/SK.",
    ),
    "domain token on a regional service": (
        refused(400, "Common.0018", OTHER_TENANT),
        Circumstances(url_project=PROJECT, projects=PROJECTS, credential="token", token_scope=IN_DOMAIN),
        "The token is for the whole account example-corp, but ecs is a regional service and wants a token of the project in the "
        "URL.",
        'Get a project token: hwcloud.token(project="cn-north-4"), or sign with AK/SK.',
    ),
    "project token on a global service": (
        refused(401, "TMS.0003", "Unauthorized user.", "https://tms.myhuaweicloud.com/v1.0/predefine_tags"),
        Circumstances(credential="token", token_scope=IN_PROJECT),
        "tms is a global service, and the token is for the project cn-north-4 only.",
        "Get a token for the account: hwcloud.token(domain=True), or sign with AK/SK.",
    ),
    "token past its day": (
        refused(401, "APIGW.0307", "The token must be updated."),
        Circumstances(credential="token", token_scope=IN_PROJECT, token_age=90_000, url_region="cn-north-4"),
        "The token was issued 25 h ago and is no longer accepted; tokens live 24 hours.",
        "Get a new token for the region in the URL.",
    ),
    "token of another region": (
        refused(401, "APIGW.0307", "The token must be updated."),
        Circumstances(credential="token", token_scope=IN_PROJECT, token_age=900, url_region="cn-east-3"),
        "The token is for project cn-north-4, the URL is in region cn-east-3: the gateway asks for a token of its own region.",
        "Get a new token for the region in the URL.",
    ),
    "token older than the grant": (
        refused(403, "Ecs.0110", NO_ROLES),
        Circumstances(credential="token", token_scope=IN_PROJECT, token_age=600, rights_changed_after_token=True),
        "The token, issued 10 min ago, is older than the present rights: a token keeps the rights it was issued with.",
        "Get a new token; the grant does not reach the old one.",
    ),
    "good credentials, no permission": (
        refused(403, "Ecs.0110", NO_ROLES),
        Circumstances(credential="aksk", user="ci", needs=("ecs:cloudServers:list",), succeeded_elsewhere=True),
        "The caller is known to the cloud, but its user, group or token lacks the ECS role or action. The credentials are good: "
        "the same identity succeeded elsewhere in this run.",
        "Allow ecs:cloudServers:list for ci in IAM (a policy of one of the user's groups). With AK/SK no new keys are needed.",
    ),
    "explicit deny of an organization": (
        refused(403, "PAP5.0001", "User: u is not authorized to perform: ecs:cloudServers:get on resource: x with an explicit "
                "deny in the organization policy."), None,
        "An explicit deny in the organization policy forbids the action, whatever else allows it.",
        "Change or detach that deny (organization); another allow does not help. For an organization's policy (SCP) ask its "
        "administrator.",
    ),
    "VPN answers 401 for a missing permission": (
        refused(401, "VPN.0003", "Insufficient authentication for action vpn:vpnGateways:list"), None,
        "VPN answers a missing permission with 401, although the credentials are valid.",
        "Allow vpn:vpnGateways:list for the caller in IAM. Then, if the call uses a token, get a new one: old tokens keep their "
        "old rights.",
    ),
    "outer job code": (
        read({"job_id": "j", "status": "FAIL", "error_code": "Common.0021", "fail_reason": "CollectInfoTask-fail",
              "entities": {"sub_jobs": [{"error_code": "Ecs.0219", "fail_reason": "No valid host was found."}]}}), None,
        "The outer job failed because one of its sub jobs failed. More exactly, Ecs.0219: Placement failed, often because no "
        "host has room for the flavor.",
        "Try another flavor or zone and read fail_reason of the sub job.",
    ),
    "key pair of another user": (
        refused(400, "Ecs.0314", "the keypair k does not match the user_id u"), None,
        "The key pair is not known for this user: a key pair belongs to the IAM user who made it.",
        "Use a key pair of the calling user, or call as the user who owns it (or with that user's AK/SK).",
    ),
    "a 403 without a code": (
        read(Answer(403, {}, b"")), None,
        "Refused with 403, but without a code that says why: either the caller lacks a permission, or the call is blocked or "
        "throttled, or it went to the wrong region or project.",
        "Read the message and the body of the answer first; check region and project of the URL; only then look at the caller's "
        "policies.",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TRAPS)
def test_trap(name):
    failure, known, cause, fix = TRAPS[name]
    found = explained(failure, known)
    assert found.cause == cause
    assert found.fix == fix


@pytest.mark.parametrize("name", TRAPS)
def test_every_trap_speaks_chinese_too(name):
    failure, known, cause, _fix = TRAPS[name]
    found = explained(failure, known, "zh")
    assert re.search("[\u4e00-\u9fff]", found.cause)
    assert re.search("[\u4e00-\u9fff]", found.fix)
    assert cause not in str(found)


def test_a_wrong_signature_shows_both_canonical_requests_and_the_first_line_that_differs():
    message = f"{IAM}{CANONICAL}GET|/v3/projects/|name=cn-north-4|host:iam.myhuaweicloud.com||host|e3b0"
    ours = "GET\n/v3/projects/\nname=cn-north-5\nhost:iam.myhuaweicloud.com\n\nhost\ne3b0"
    found = explained(refused(401, "APIGW.0301", message), Circumstances(canonical_ours=ours))
    assert found.cause == (
        "What was signed is not what arrived. First difference in line 3: gateway name=cn-north-4, ours name=cn-north-5."
    )
    assert [line for line in found.lines() if line[2:9] == "compare" or line.startswith("     ")] == [
        "  compare       gateway                     ours",
        "             1  GET                         GET",
        "             2  /v3/projects/               /v3/projects/",
        "             3 ≠name=cn-north-4             name=cn-north-5",
        "             4  host:iam.myhuaweicloud.com  host:iam.myhuaweicloud.com",
        "             5",
        "             6  host                        host",
        "             7  e3b0                        e3b0",
    ]


def test_the_same_canonical_request_means_a_wrong_sk():
    found = explained(
        refused(401, "APIGW.0301", f"{IAM}{CANONICAL}GET|/a/|"), Circumstances(canonical_ours="GET\n/a/\n")
    )
    assert found.fix == "Correct the SK (stray blanks, SK of another AK, an SK that was replaced)."
