"""What the tests of the explanations share: refusals as the cloud sends them, and the scopes of two tokens."""

from __future__ import annotations

from typing import NamedTuple

from pytest_hwcloud.cloud.failures import Failure
from pytest_hwcloud.cloud.failures.failure import FailedCall
from pytest_hwcloud.cloud.failures.responses import read_answer
from pytest_hwcloud.cloud.wire import json_answer
from pytest_hwcloud.explanations.circumstances import Circumstances
from pytest_hwcloud.explanations.explanation import Explanation, explain

PROJECT, OTHER = "05041fffa40025702f6dc009cc6f8f33", "0605767cb280d5762fd0c0133b1bdc9b"
DOMAIN = "0503dda778000fed0f75c0096d70a960"
PROJECTS = {"cn-north-4": PROJECT, "cn-east-3": OTHER}
ECS = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/cloudservers/detail"
IAM = "Incorrect IAM authentication information: "
NO_ROLES = "do not have the required roles, forbidden to perform this action."
OTHER_TENANT = "tenantId in token is not the same with in URL."
CANONICAL = "verify aksk signature fail, canonicalRequest:"


class Scope(NamedTuple):
    kind: str
    id: str
    name: str


IN_PROJECT, IN_DOMAIN = Scope("project", PROJECT, "cn-north-4"), Scope("domain", DOMAIN, "example-corp")


def refused(status: int, code: str, message: str, url: str = ECS, method: str = "GET") -> Failure:
    body = {"error_code": code, "error_msg": message, "request_id": "r-1"}
    failure = read_answer(status, {}, json_answer(status, body).body, FailedCall(method, url))
    assert failure is not None
    return failure


def explained(obj: object, known: Circumstances | None = None, lang: str = "en") -> Explanation:
    found = explain(obj, lang, known)
    assert found is not None
    return found
