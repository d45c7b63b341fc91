"""Pasted tracebacks, logs and codes."""

# ruff: noqa: E501 - literal messages stay in one piece

from __future__ import annotations

import pytest

from pytest_hwcloud.cloud.failures import read, read_all
from pytest_hwcloud.cloud.failures.layers import unwrapped

# As the guide prints them, its line breaks included (api-troubleshooting-guide, chapter 3).
WRONG_AK = """\
Traceback (most recent call last):
  File "/home/user/.local/lib/python3.7/site-packages/huaweicloudsdkcore/http/http_client.py", line 119, in\x20
response_hook
    resp.raise_for_status()
requests.exceptions.HTTPError: 401 Client Error: Unauthorized for url: https://iam.myhuaweicloud.com/v3/
projects?name=cn-north-4

During handling of the above exception, another exception occurred:

Traceback (most recent call last):
  File "/home/user/.local/lib/python3.7/site-packages/huaweicloudsdkcore/auth/iam_service.py", line 49, in\x20
keystone_list_projects
    raise e
huaweicloudsdkcore.exceptions.exceptions.ClientRequestException: ClientRequestException - {status_code:
401,request_id:3f979354fbec41b3cc0bd28ce7865e20,error_code:APIGW.0301,error_msg:Incorrect IAM\x20
authentication information: ak xxxxxx not exist }
"""
WRONG_SK = """\
huaweicloudsdkcore.exceptions.exceptions.ApiValueError: Failed to get project id, Incorrect IAM\x20
authentication information: verify aksk signature fail, canonicalRequest:GET|/v3/projects/|name=cn-
north-4|host:iam.myhuaweicloud.com|x-sdk-date:20210902T011700Z||host;x-sdk-date|
e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855
"""
NO_NAME = """\
ConnectionException occurred. <urllib3.connection.HTTPSConnection object at 0x01B94268>: Failed to\x20
establish a new connection: [Errno 11001] getaddrinfo failed
Traceback (most recent call last):
  File "C:\\Python38-32\\lib\\urllib3\\connection.py", line 159, in\x20
_new_conn
    conn = connection.create_connection(
socket.gaierror: [Errno 11001] getaddrinfo failed
"""
NO_PERMISSION = """\
403
1c1d07572cb568467f65515a2353f3a9
Ecs.0110
do not have the required roles, forbidden to perform this action.
"""


def test_wrong_ak_is_one_failure_with_the_url_of_the_first_exception():
    (failure,) = read_all(WRONG_AK)
    assert failure.code == "APIGW.0301"
    assert failure.status == 401
    assert failure.request_id == "3f979354fbec41b3cc0bd28ce7865e20"
    assert failure.message == "Incorrect IAM authentication information: ak xxxxxx not exist"
    assert failure.url == "https://iam.myhuaweicloud.com/v3/projects?name=cn-north-4"
    assert (failure.gate, failure.kind) == ("authentication", "credential-not-found")


def test_wrong_sk_of_an_older_sdk_has_no_code_but_the_text_tells_it():
    (failure,) = read_all(WRONG_SK)
    assert (failure.code, failure.status, failure.kind) == ("APIGW.0301", 401, "signature")
    assert failure.message.endswith(
        "canonicalRequest:GET|/v3/projects/|name=cn-north-4|host:iam.myhuaweicloud.com|x-sdk-date:20210902T011700Z||"
        "host;x-sdk-date|e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    )


def test_name_not_resolved_on_windows():
    (failure,) = read_all(NO_NAME)
    assert (failure.gate, failure.kind, failure.fault) == ("network", "dns", "dns")
    assert failure.message == "[Errno 11001] getaddrinfo failed"


def test_four_printed_lines():
    (failure,) = read_all(NO_PERMISSION)
    assert (failure.status, failure.code) == (403, "Ecs.0110")
    assert failure.request_id == "1c1d07572cb568467f65515a2353f3a9"
    assert failure.message == "do not have the required roles, forbidden to perform this action."


def test_several_failures_each_once_and_the_root_cause_first():
    job = (
        'job: {"job_id": "j", "status": "FAIL", "error_code": "Common.0021", "fail_reason": "CollectInfoTask-fail", "entities": '
        '{"sub_jobs": [{"status": "FAIL", "error_code": "Ecs.0219", "fail_reason": "No valid host was found."}]}}'
    )
    text = f"{job}\nretrying\n{job}\n2026-11-22 ERROR VPC.0007: urlTenantId is not equal tokenTenantId\n{WRONG_AK}"
    assert [failure.code for failure in read_all(text)] == ["Ecs.0219", "Common.0021", "VPC.0007", "APIGW.0301"]


def test_a_network_failure_beside_an_answer():
    text = f"{NO_NAME}\nthen\nServer answered APIGW.0301: read timed out while asking IAM\n"
    assert [(found.code, found.fault) for found in read_all(text)] == [(None, "dns"), ("APIGW.0301", None)]


def test_the_same_code_with_two_request_ids_is_two_failures():
    one = "ClientRequestException - {status_code:403,request_id:%s,error_code:Ecs.0110,error_msg:no roles }"
    assert [found.request_id for found in read_all(f"{one % 'a1'}\n{one % 'b2'}\n{one % 'a1'}")] == ["a1", "b2"]


@pytest.mark.parametrize(
    ("text", "code", "message", "status"),
    [
        ("ClientRequestException - {status_code:400,request_id:None,error_code:Common.0018,error_msg:a, b, c,"
         "encoded_authorization_message:None }", "Common.0018", "a, b, c", 400),
        ("SdkException - Failed to get project id of region 'cn-north-4', ClientRequestException - {status_code:401,"
         "request_id:r,error_code:APIGW.0301,error_msg:Incorrect IAM authentication information: decrypt token fail }",
         "APIGW.0301", "Incorrect IAM authentication information: decrypt token fail", 401),
        ('ClientRequestException - {status_code:409,request_id:r,error_code:409,error_msg:{"NeutronError": {"message": "in use",'
         ' "type": "Conflict", "detail": ""}},encoded_authorization_message:None }', "Conflict", "in use", 409),
        ("E   {'error': {'message': 'no roles', 'code': 'Ecs.0110'}}", "Ecs.0110", "no roles", None),
        ("response was <Error><Code>NoSuchKey</Code><Message>gone</Message></Error>", "NoSuchKey", "gone", None),
        ("{'status': 403, 'errorCode': 'AccessDenied'}", "AccessDenied", "", 403),
        ("WARN Ecs.0614 - server gone", "Ecs.0614", "server gone", None),
        ("ERROR APIGW.0399 new one", "APIGW.0399", "new one", None),
    ],
)  # fmt: skip
def test_pieces_of_text(text, code, message, status):
    failure = read(text)
    assert failure is not None
    assert (failure.code, failure.message, failure.status) == (code, message, status)


def test_the_swallowed_429():
    text = (
        "ClientRequestException - {status_code:429,request_id:,error_code:429,error_msg:HTTPConnectionPool(host='127.0.0.1', "
        "port=1): Max retries exceeded with url: / (Caused by ResponseError('too many 429 error responses')),"
        "encoded_authorization_message:None }"
    )
    failure = read(text)
    assert failure is not None
    assert (failure.gate, failure.kind, failure.family) == ("service", "throttling", "client-network")


@pytest.mark.parametrize(
    ("text", "action"),
    [
        ("Policy doesn't allow ecs:cloudServers:list to be performed.", "ecs:cloudServers:list"),
        ("Policy does not allow [ces:alarms:get] to be performed", "ces:alarms:get"),
        ("Insufficient authentication for action vpn:vpnGateways:list", "vpn:vpnGateways:list"),
        ("The required permission is: tms:predefineTags:list", "tms:predefineTags:list"),
        ("User: u is not authorized to perform: sts::decodeAuthorizationMessage on resource: * because no identity-based "
         "policy allows the sts::decodeAuthorizationMessage action.", "sts::decodeAuthorizationMessage"),
        ("User: u is not authorized to perform action ecs:cloudServers:get on resource x with an explicit deny in an "
         "identity-based policy.", "ecs:cloudServers:get"),
    ],
)  # fmt: skip
def test_an_unknown_code_with_a_denial_names_the_action(text, action):
    failure = read({"error": {"code": "NEW.0001", "message": text}})
    assert failure is not None
    assert (failure.gate, failure.kind, failure.actions) == ("authorization", "permission-denied", (action,))


@pytest.mark.parametrize(
    ("code", "message", "status", "gate", "kind"),
    [
        ("APIGW.0399", "something new", 401, "authentication", "authentication"),
        (
            "APIC.0301",
            "Incorrect IAM authentication information: decrypt token fail",
            401,
            "authentication",
            "token-invalid",
        ),
        ("XYZ.0001", "The token is invalid", 400, "authentication", "authentication"),
        ("XYZ.0001", "project id in token does not match the URL", 400, "scope", "scope-mismatch"),
        ("XYZ.0001", "You do not have permission to do that", 400, "authorization", "permission-denied"),
        ("XYZ.0403", "Forbidden", 403, "service", "unknown"),  # 403 alone is no denial
        ("XYZ.0001", "", 401, "authentication", "authentication"),
        ("XYZ.0001", "no such thing", 404, "service", "not-found"),
        ("XYZ.0001", "slow down", 429, "service", "throttling"),
        ("XYZ.0001", "boom", 599, "service", "internal"),
    ],
)
def test_unknown_codes_get_their_gate_from_prefix_wording_and_status(code, message, status, gate, kind):
    from pytest_hwcloud.cloud.wire import json_answer

    failure = read(json_answer(status, {"error_code": code, "error_msg": message}))
    assert failure is not None
    assert (failure.gate, failure.kind) == (gate, kind)


@pytest.mark.parametrize(
    "text", ["", "hello", "file.12345", "1.0.110", "see https://x.com/a.123", "assert 1 == 2", "{", "<a>", "[", "None"]
)
def test_texts_that_tell_of_no_failure(text):
    assert read(text) is None
    assert read_all(text) == []


def test_unwrapping_keeps_blanks_and_joins_broken_words():
    assert unwrapped("Incorrect IAM \nauthentication") == "Incorrect IAM authentication"
    assert unwrapped("name=cn-\nnorth-4|host|\ne3b0") == "name=cn-north-4|host|e3b0"
    assert unwrapped("APIGW.\n0301 and\nmore") == "APIGW.0301 and more"
