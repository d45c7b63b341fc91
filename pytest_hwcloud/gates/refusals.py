"""The literal answers of the gateway and, for a wrong token scope, of the services behind it.

Every text is documented or recorded (auth.md 1.6, 2.1; error-shapes.md; facts/errors); a table row names its source.
Request ids are fresh for each refusal: 32 hex digits, in the header and, where the shape has it, in the body.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime

from pytest_hwcloud.cloud.wire import Answer, Refusal, json_answer

_REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found"}
_SIGNED_AT = "%Y%m%dT%H%M%SZ"


def request_id() -> str:
    """A fresh request id: 32 hex digits."""
    return os.urandom(16).hex()


def refuse(status: int, body: object, identifier: str) -> Answer:
    """A refusal with the headers that everything behind the gateway has."""
    headers = {"Server": "api-gateway", "X-Request-Id": identifier}
    return json_answer(status, body, headers, _REASONS.get(status, ""))


def whole(answer: Answer) -> tuple[int, Mapping[str, str], bytes, str]:
    """What an answer and a `Refusal` made of it have in common."""
    return answer.status, answer.headers, answer.body, answer.reason


def _gateway(code: str, kind: str, message: str) -> Refusal:
    identifier = request_id()
    answer = refuse(401, {"error_msg": message, "error_code": code, "request_id": identifier}, identifier)
    return Refusal(*whole(answer), gate="authentication", kind=kind, code=code, message=message, request_id=identifier)


def _unauthenticated(kind: str, cause: str) -> Refusal:
    return _gateway("APIGW.0301", kind, f"Incorrect IAM authentication information: {cause}")


# Authentication: the gateway. Source: auth.md 1.6, which names the page or recording of each text.


def no_credentials() -> Refusal:
    """Neither a token nor a signature came along (the guide, chapter 3)."""
    return _unauthenticated("credential-missing", "x-auth-token not found")


def token_outdated() -> Refusal:
    """The token is too old, or its owner's rights were taken away since.

    APIGW.0307 and not `token expires, expires_at: …`: the official error code table gives 0307 for a token that is too
    old, IAM's documents for one whose rights changed (iam.md 5); the other text is seen in one FAQ, without the form
    of its time.
    """
    return _gateway("APIGW.0307", "token-expired", "The token must be updated")


def token_undecryptable() -> Refusal:
    """The token is none that IAM made (the guide, chapter 3)."""
    return _unauthenticated("token-invalid", "decrypt token fail")


def access_key_unknown(ak: str) -> Refusal:
    """No such access key, or a temporary one without its security token (the guide, chapter 3)."""
    return _unauthenticated("credential-not-found", f"ak {ak} not exist")


def signature_mismatch(canonical: str | None) -> Refusal:
    """The signature is not the one the gateway computes from its canonical request (the guide, chapter 3)."""
    if canonical is None:
        return _unauthenticated("signature", "verify aksk signature fail")
    return _unauthenticated(
        "signature", f"verify aksk signature fail, canonicalRequest:{canonical.replace(chr(10), '|')}"
    )


def signature_expired(signed_at: datetime, now: datetime) -> Refusal:
    """More than 15 minutes lie between the signature and the gateway's clock (huaweicloud-sdk-java-v3 #44)."""
    times = f"signature time:{signed_at.strftime(_SIGNED_AT)},server time:{now.strftime(_SIGNED_AT)}"
    return _unauthenticated("clock-skew", f"calc aksk signature fail:signature expired, {times}")


def access_key_locked() -> Refusal:
    """Too many failures in a row of this access key (devg-apisign/api-sign-0001)."""
    return _unauthenticated("credential-locked", "AK access failed to reach the limit,forbidden.")


def signature_unreadable() -> Refusal:
    """The Authorization header cannot be read: the terse text, which claims no cause (auth.md 1.6)."""
    return _unauthenticated("authentication", "Unauthorized")


# Authentication: OBS, which checks signatures itself. Codes and statuses: OBS API reference, "Error Codes"; the texts
# are those of S3, whose error table OBS took over; the two times in the answer: huaweicloud-sdk-java-obs #84.


def _object(kind: str, code: str, message: str, **more: str) -> Refusal:
    identifier = request_id()
    parts = {"Code": code, "Message": message, "RequestId": identifier, "HostId": request_id(), **more}
    from xml.sax.saxutils import escape

    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in parts.items())
    body = f'<?xml version="1.0" encoding="UTF-8" standalone="yes"?><Error>{inner}</Error>'.encode()
    headers = {"Server": "OBS", "Content-Type": "application/xml", "x-obs-request-id": identifier}
    answer = Answer(403, headers, body, _REASONS[403])
    names = {"HostId": "host_id", "RequestTime": "request_time", "ServerTime": "server_time"}
    details = {names[name]: text for name, text in parts.items() if name in names}
    return Refusal(
        *whole(answer),
        gate="authentication",
        kind=kind,
        code=code,
        message=message,
        request_id=identifier,
        details=details,
    )


def object_signature_mismatch(ak: str | None, string_to_sign: str) -> Refusal:
    """The signature is not the one OBS computes. string_to_sign: what OBS computes it from, where it came so far."""
    message = "The request signature we calculated does not match the signature you provided. "
    shown = {"AccessKeyId": ak or "", "StringToSign": string_to_sign}
    more = {name: text for name, text in shown.items() if text}
    return _object("signature", "SignatureDoesNotMatch", message + "Check your key and signing method.", **more)


def object_key_unknown(ak: str) -> Refusal:
    """No such access key, or a temporary one without its security token."""
    message = "The OBS Access Key Id you provided does not exist in our records."
    return _object("credential-not-found", "InvalidAccessKeyId", message, AccessKeyId=ak)


def object_time_skewed(signed_at: datetime, now: datetime) -> Refusal:
    """More than 15 minutes lie between the signature and OBS's clock."""
    form = "%Y-%m-%dT%H:%M:%SZ"
    message = "The difference between the request time and the current time is too large."
    times = {"RequestTime": signed_at.strftime(form), "ServerTime": now.strftime(form)}
    return _object("clock-skew", "RequestTimeTooSkewed", message, **times)


def object_link_expired() -> Refusal:
    """The time of a presigned URL is over."""
    return _object("signature", "AccessDenied", "Request has expired")


def object_without_date() -> Refusal:
    """A signature needs the time at which it was made."""
    return _object("signature", "AccessDenied", "AWS authentication requires a valid Date or x-amz-date header")


# Scope: the service behind the gateway.

_Shape = Callable[[str, str, str], object]


def _nested(code: str, message: str, _: str) -> object:
    return {"error": {"message": message, "code": code}}


def _nested_error_code(code: str, message: str, _: str) -> object:
    return {"error": {"error_msg": message, "error_code": code}}


def _flat(code: str, message: str, _: str) -> object:
    return {"code": code, "message": message}


def _flat_error_code(code: str, message: str, _: str) -> object:
    return {"error_code": code, "error_msg": message}


def _like_gateway(code: str, message: str, identifier: str) -> object:
    return {"error_msg": message, "error_code": code, "request_id": identifier}


@dataclass(frozen=True, slots=True)
class _Mismatch:
    status: int
    code: str
    message: str
    shape: _Shape

    def refusal(self) -> Refusal:
        identifier = request_id()
        answer = refuse(self.status, self.shape(self.code, self.message, identifier), identifier)
        return Refusal(
            *whole(answer),
            gate="scope",
            kind="scope-mismatch",
            code=self.code,
            message=self.message,
            request_id=identifier,
        )


# The guide, chapter 3: ECS's answer to another project's token and to the domain's. Others: where no own code is known.
_COMMON = _Mismatch(400, "Common.0018", "tenantId in token is not the same with in URL.", _nested)
_VPC = "urlTenantId is not equal tokenTenantId"  # facts/errors/vpc.yaml; seen in Huawei/DockerMachineDriver4OTC #18
_OTHER_PROJECT = {
    "vpc": _Mismatch(400, "VPC.0007", _VPC, _flat),  # shapes 7 (v1) and 1 (v3) of error-shapes.md
    "vpc v3": _Mismatch(400, "VPC.0007", _VPC, _like_gateway),
    "eip": _Mismatch(400, "VPC.0007", _VPC, _flat),  # opentelekomcloud-docs/elastic-ip has the same table
    "as": _Mismatch(
        400, "AS.0008", "Incorrect ProjectID.", _nested
    ),  # facts/errors/cross-service.yaml, as are the next two
    "dcs": _Mismatch(401, "DCS.1004", "Project ID does not match the token.", _flat_error_code),
    "kms": _Mismatch(403, "KMS.0321", "URIs in URL and X-Auth-Token do not match.", _nested_error_code),
}
# Global services, which want a domain's token: the code of their own tables for a caller they do not accept, shape 6.
_NOT_THE_DOMAIN = {
    "tms": _Mismatch(401, "TMS.0003", "Unauthorized user.", _nested_error_code),  # facts/errors/tms.yaml
    "eps": _Mismatch(401, "EPS.0003", "Unauthorized user.", _nested_error_code),  # facts/errors/cross-service.yaml
}


def other_project(service: str | None, path: str) -> Refusal:
    """A regional service got a token of another project, or of the domain."""
    key = "vpc v3" if service == "vpc" and path.startswith("/v3/") else service or ""
    return _OTHER_PROJECT.get(key, _COMMON).refusal()


def not_the_domain(service: str | None) -> Refusal:
    """A global service got a project's token."""
    return _NOT_THE_DOMAIN.get(service or "", _COMMON).refusal()


# IAM's keystone calls.

WRONG_PASSWORD = "The username or password is wrong."  # huaweicloud ansible-collection-cloud #209
NEEDS_AUTHENTICATION = (
    "The request you have made requires authentication."  # opentelekomcloud-docs/identity-access-management
)
SUBJECT_INVALID = "X-Subject-Token is invalid in the request"  # huaweicloudDocs/iam 校验Token的有效性.md
BODY_INVALID = "The request body is invalid"  # facts/errors/keystone.yaml


def iam_headers() -> dict[str, str]:
    """The headers of IAM's answers: its trace id beside the gateway's request id (error-shapes.md 2)."""
    return {"Server": "api-gateway", "X-Request-Id": request_id(), "X-IAM-Trace-Id": request_id()}


def keystone(status: int, message: str) -> Answer:
    """A refusal in the shape of IAM's keystone calls: an integer code and a title."""
    return refuse(status, {"error": {"code": status, "message": message, "title": _REASONS[status]}}, request_id())


def iam_body_invalid() -> Answer:
    """IAM's v3.0 calls cannot use the body (opentelekomcloud-docs/identity-access-management, error codes)."""
    return refuse(400, {"error_msg": "Request body is invalid.", "error_code": "IAM.0011"}, request_id())
