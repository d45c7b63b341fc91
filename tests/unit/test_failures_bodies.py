"""Every documented shape of an error body, read as a bare body and as an answer."""

# ruff: noqa: E501 - literal messages stay in one piece

from __future__ import annotations

import json
import struct

import pytest

from pytest_hwcloud.cloud.failures import read
from pytest_hwcloud.cloud.failures.formats import bson, decode, xml_error
from pytest_hwcloud.cloud.wire import Answer

NEUTRON = {"NeutronError": {"message": "Security group rule already exists.", "type": "Conflict", "detail": ""}}
XML = (
    '<?xml version="1.0" encoding="UTF-8"?><Error><Code>AccessDenied</Code><Message>Access &lt;Denied&gt;</Message>'
    "<Resource>/bucket/key</Resource><RequestId>0000018A2B3C4D5E</RequestId><HostId>aG9zdA==</HostId></Error>"
)
JOB = {
    "job_id": "j1", "status": "FAIL", "error_code": "Common.0021", "fail_reason": "CollectInfoTask-fail",
    "entities": {"sub_jobs": [{"status": "FAIL", "error_code": "Ecs.0219", "fail_reason": "No valid host was found."}]},
}  # fmt: skip
ENCODED = "SAVnN/MxiFQb17ze8bsXPQ=="

# number of the shape, status, body -> code, message, gate, kind, codes of the causes
SHAPES = [
    (1, 401, {"error_msg": "Incorrect IAM authentication information: decrypt token fail", "error_code": "APIGW.0301",
              "request_id": "0e812a89eee650de8e1f55cdae28b2c9"},
     "APIGW.0301", "Incorrect IAM authentication information: decrypt token fail", "authentication", "token-invalid", []),
    (2, 403, {"error_msg": "Policy doesn't allow iam:users:listUsers to be performed.", "error_code": "IAM.0003"},
     "IAM.0003", "Policy doesn't allow iam:users:listUsers to be performed.", "authorization", "permission-denied", []),
    (3, 400, {"error": {"message": "tenantId in token is not the same with in URL.", "code": "Common.0018"}},
     "Common.0018", "tenantId in token is not the same with in URL.", "scope", "scope-mismatch", []),
    (4, 400, {"error": {"message": "request body is illegal.", "code": "Ecs.0005", "details": [{"code": "Ecs.0039"}]}},
     "Ecs.0005", "request body is illegal.", "service", "invalid-parameter", ["Ecs.0039"]),
    (5, 400, {"error": {"code": "Ecs.0611", "message": "batch failed"},
              "internalError": [{"id": "s1", "error_code": "ECS.0614", "error_message": "server not found"}]},
     "Ecs.0611", "batch failed", "service", "invalid-parameter", ["ECS.0614"]),
    (6, 403, {"error": {"error_msg": "No access permissions.", "error_code": "KMS.0307"}},
     "KMS.0307", "No access permissions.", "authorization", "permission-denied", []),
    (7, 400, {"code": "VPC.0101", "message": "Vpc name is invalid."},
     "VPC.0101", "Vpc name is invalid.", "service", "invalid-parameter", []),
    (8, 403, {"request_id": "17e9a1d2", "code": "SMN.0001", "message": "No permission to request resources."},
     "SMN.0001", "No permission to request resources.", "authorization", "permission-denied", []),
    (9, 401, {"error": {"message": "The username or password is wrong.", "code": 401, "title": "Unauthorized"}},
     "401", "The username or password is wrong.", "authentication", "authentication", []),
    (10, 404, {"itemNotFound": {"message": "Volume could not be found.", "code": 404}},
     "404", "Volume could not be found.", "service", "not-found", []),
    (11, 409, NEUTRON, "Conflict", "Security group rule already exists.", "service", "conflict", []),
    (12, 409, {"code": "VPC.0602", "message": json.dumps(NEUTRON)},
     "VPC.0602", "Security group rule already exists.", "service", "internal", ["Conflict"]),
    (13, 403, {"errorMessage": "Forbidden.", "errorCode": "CCE.01403001"},
     "CCE.01403001", "Forbidden.", "authorization", "permission-denied", []),
    (14, 401, {"errorCode": "SVCSTG.SWR.4010000", "errorMsg": "token is invalid"},
     "SVCSTG.SWR.4010000", "token is invalid", "authentication", "token-invalid", []),
    (15, 400, {"errCode": "SFS.TURBO.0015", "errMsg": "do not have the operation permission"},
     "SFS.TURBO.0015", "do not have the operation permission", "authorization", "permission-denied", []),
    (16, 403, {"errCode": "RDS.0015", "externalMessage": "Resource not found or permission denied."},
     "RDS.0015", "Resource not found or permission denied.", "authorization", "permission-denied", []),
    (17, 403, {"error_msg": "access denied: xxx", "error_code": "PAP5.0001", "request_id": "r17",
               "encoded_authorization_message": ENCODED},
     "PAP5.0001", "access denied: xxx", "authorization", "permission-denied", []),
    (18, 200, {"success": [], "failure": [{"api_id": "a", "error_code": "APIG.3002", "error_msg": "no such API"}]},
     "APIG.3002", "no such API", "service", "not-found", []),
    (18, 200, {"fail": [{"id": "p", "error_code": "VPC.0607", "error_msg": "port failed"}]},
     "VPC.0607", "port failed", "service", "conflict", []),
    (19, 400, {"errors": [{"error_code": "DNS.0014", "error_msg": "too many"}, {"error_code": "DNS.0005", "error_msg": "x"}]},
     "DNS.0014", "too many", "service", "throttling", ["DNS.0005"]),
    (19, 400, {"results": [{"error_code": "TMS.0005", "error_msg": "gone"}]}, "TMS.0005", "gone", "service", "not-found", []),
    (20, 200, JOB, "Common.0021", "CollectInfoTask-fail", "service", "internal", ["Ecs.0219"]),
    (22, 403, XML, "AccessDenied", "Access <Denied>", "authorization", "permission-denied", []),
    (23, 403, {"code": "SignatureDoesNotMatch", "message": "no", "request_id": "obs23"},
     "SignatureDoesNotMatch", "no", "authentication", "signature", []),
]  # fmt: skip
IDS = [f"{shape[0]}-{shape[3]}" for shape in SHAPES]


def answer(status: int, body: object, **headers: str) -> Answer:
    raw = body if isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    return Answer(status, {name.replace("_", "-"): value for name, value in headers.items()}, raw)


@pytest.mark.parametrize(("_number", "status", "body", "code", "message", "gate", "kind", "causes"), SHAPES, ids=IDS)
def test_shape_in_an_answer(_number, status, body, code, message, gate, kind, causes):
    failure = read(answer(status, body))
    assert failure is not None
    told = (failure.code, failure.message, failure.status, failure.gate, failure.kind)
    assert told == (code, message, status, gate, kind)
    assert [cause.code for cause in failure.causes] == causes


@pytest.mark.parametrize(("_number", "_status", "body", "code", "message", "gate", "_kind", "causes"), SHAPES, ids=IDS)
def test_shape_as_bare_body_bytes_and_text(_number, _status, body, code, message, gate, _kind, causes):
    text = body if isinstance(body, str) else json.dumps(body)
    for form in (body, text, text.encode()):
        failure = read(form)
        assert failure is not None
        assert (failure.code, failure.message, failure.gate) == (code, message, gate)
        assert [cause.code for cause in failure.causes] == causes


def test_shape_17_keeps_the_encoded_message_and_the_request_id():
    failure = read(answer(403, SHAPES[16][2]))
    assert failure is not None
    assert (failure.encoded_authorization_message, failure.request_id) == (ENCODED, "r17")


def test_shape_21_a_dry_run_is_a_success():
    body = {
        "error_msg": "Request validation has been passed with dry run...",
        "error_code": "SYS.0202",
        "request_id": "r",
    }
    assert read(answer(202, body)) is None
    assert read(body) is None


def test_shape_22_gives_request_id_host_id_and_both_clocks():
    skewed = XML.replace("AccessDenied", "RequestTimeTooSkewed").replace(
        "<Resource>",
        "<RequestTime>2026-05-28T09:27:52Z</RequestTime><ServerTime>2026-05-28T10:27:52Z</ServerTime><Resource>",
    )
    failure = read(answer(403, skewed))
    assert failure is not None
    assert failure.kind == "clock-skew"
    assert failure.request_id == "0000018A2B3C4D5E"
    assert failure.details["host_id"] == "aG9zdA=="
    assert failure.details["server_time"] == "2026-05-28T10:27:52Z"


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (404, b"", "not-found", "Not Found"),
        (502, b"<html><head><title>502 Bad  Gateway</title></head></html>", "dependency", "502 Bad Gateway"),
        (403, b"", "unknown", "Not Found"),
        (503, b"upstream connect error", "dependency", "upstream connect error"),
    ],
)
def test_shape_24_an_empty_or_html_body(status, body, kind, message):
    failure = read(Answer(status, {}, body, reason="Not Found"))
    assert failure is not None
    assert (failure.code, failure.gate, failure.kind, failure.message) == (None, "service", kind, message)


def bson_document(fields: dict[str, object]) -> bytes:
    body = b""
    for name, value in fields.items():
        key = name.encode() + b"\0"
        match value:
            case str():
                text = value.encode() + b"\0"
                body += b"\x02" + key + struct.pack("<i", len(text)) + text
            case int():
                body += b"\x10" + key + struct.pack("<i", value)
            case dict():
                body += b"\x03" + key + bson_document(value)
    return struct.pack("<i", len(body) + 5) + body + b"\0"


def test_shape_25_bson():
    raw = bson_document({"error": {"code": "Ecs.0110", "message": "no roles"}, "n": 7})
    assert decode(raw) == {"error": {"code": "Ecs.0110", "message": "no roles"}, "n": 7}
    failure = read(answer(403, raw, Content_Type="application/bson"))
    assert failure is not None
    assert (failure.code, failure.message) == ("Ecs.0110", "no roles")


def test_broken_bson_is_text():
    assert bson(b"\x20\0\0\0\x02ab") == " \0\0\0\x02ab"


def test_code_and_message_printed_the_wrong_way_round():
    failure = read({"error": {"code": "request body is illegal.", "message": "Ecs.0005"}})
    assert failure is not None
    assert (failure.code, failure.message) == ("Ecs.0005", "request body is illegal.")


def test_cloud_eye_wraps_the_message_in_an_object():
    body = {
        "http_code": "403",
        "message": {"details": "Policy doesn't allow [ces:alarms:get] to be performed", "code": "403"},
    }
    failure = read(answer(403, body))
    assert failure is not None
    assert (failure.gate, failure.actions) == ("authorization", ("ces:alarms:get",))


def test_ecs_1000_wraps_a_nova_fault():
    inner = 'request nova failed: {"itemNotFound": {"message": "Instance not found", "code": 404}}'
    failure = read(answer(400, {"error": {"code": "Ecs.1000", "message": inner}}))
    assert failure is not None
    assert (failure.code, failure.causes[0].message, failure.causes[0].kind) == (
        "Ecs.1000",
        "Instance not found",
        "not-found",
    )


def test_a_failure_with_http_202():
    failure = read(answer(202, {"error": {"code": "Common.0024", "message": "exceeds flow over limit"}}))
    assert failure is not None
    assert (failure.code, failure.status, failure.kind) == ("Common.0024", 202, "throttling")


@pytest.mark.parametrize(
    "body",
    [
        {"count": 8, "servers": [{"fault": {"message": "No valid host", "code": 500}, "status": "ERROR"}]},
        {"code": "0", "message": "success"},
        {"code": 200, "message": "OK"},
        {"error_code": None, "error_msg": None, "status": "ok"},
        {"job_id": "j", "status": "SUCCESS", "error_code": None, "fail_reason": None},
        {"success": [{"id": "a"}], "failure": []},
        {"code": "abc", "message": "hello"},
        {"vpcs": []},
        {"errors": []},
        {"errors": [{"code": "required", "message": "field"}]},
        [],
        [1, 2, 3],
        "just words",
        b"\xff\xfe",
        {},
    ],
)
def test_ordinary_data_is_no_failure(body):
    assert read(body) is None
    if isinstance(body, (dict, list)):
        assert read(answer(200, body)) is None


@pytest.mark.parametrize(
    "obj", [None, 0, 401, 403.0, True, object(), print, type, ("a", "b"), {"a": {1: 2}}, AssertionError("Ecs.0110")]
)
def test_objects_that_tell_of_no_failure(obj):
    assert read(obj) is None


def test_entities_of_xml_are_never_followed():
    evil = (
        '<?xml version="1.0"?><!DOCTYPE Error [<!ENTITY x SYSTEM "file:///etc/passwd"><!ENTITY a "&x;&x;">]>'
        "<Error><Code>NoSuchKey</Code><Message>&x;&a;</Message></Error>"
    )
    assert xml_error(evil) == {"code": "NoSuchKey", "message": "&x;&a;"}


def test_deep_nesting_is_bounded():
    deep: object = {"error": {"code": "Ecs.0110", "message": "m"}}
    for _ in range(5000):
        deep = {"a": deep}
    assert read(deep) is None
    assert read('{"a":' * 100_000 + "1" + "}" * 100_000) is None
