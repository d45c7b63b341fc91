"""What a gate knows of its refusal is what the readers of foreign answers find in it, and nobody has to read it."""

from datetime import UTC, datetime

import pytest

from pytest_hwcloud.cloud.calls.calls import needs
from pytest_hwcloud.cloud.failures.failure import FailedCall
from pytest_hwcloud.cloud.failures.responses import headers_of, read_answer
from pytest_hwcloud.cloud.identity import default_identity
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.gates import denials, refusals
from pytest_hwcloud.journal import Exchange

PROJECT = "05041fffa40025702f6dc009cc6f8f33"
NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
GATEWAY = {
    "none": refusals.no_credentials(),
    "outdated": refusals.token_outdated(),
    "unknown": refusals.access_key_unknown("HWCTESTAK"),
    "mismatch": refusals.signature_mismatch("GET\n/\n"),
    "bare": refusals.signature_mismatch(None),
    "expired": refusals.signature_expired(NOW, NOW),
    "locked": refusals.access_key_locked(),
    "unreadable": refusals.signature_unreadable(),
}
KEYS = ("code", "status", "message", "request_id", "gate", "kind", "service", "actions", "method", "url", "details")


def both(answer, url, method="GET"):
    known = Exchange(request=Request(method, url), answer=answer).failure
    read = read_answer(answer.status, headers_of(answer), answer.body, FailedCall(method, url, answer.reason))
    return {key: (getattr(known, key), getattr(read, key)) for key in KEYS}


def assert_same(found, *but):
    assert {key: pair for key, pair in found.items() if pair[0] != pair[1] and key not in but} == {}


@pytest.mark.parametrize("name", GATEWAY)
def test_the_gateway(name):
    assert_same(both(GATEWAY[name], f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/cloudservers"))


@pytest.mark.parametrize("service", ["ecs", "vpc", "eip", "as", "dcs", "kms"])
def test_another_projects_token(service):
    url = f"https://{service}.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/things"
    assert_same(both(refusals.other_project(service, "/v1/x"), url))


@pytest.mark.parametrize("service", ["tms", "eps"])
def test_the_scope_gate_knows_better_than_the_code(service):
    """Their own tables call the code an authentication failure; which gate it was only the gate can say."""
    found = both(refusals.not_the_domain(service), f"https://{service}.myhuaweicloud.com/v1.0/x")
    assert (found["gate"], found["kind"]) == (("scope", "authentication"), ("scope-mismatch", "authentication"))
    assert_same(found, "gate", "kind")


@pytest.mark.parametrize("service", denials._facts()["services"])
def test_a_denial_of_every_service(service):
    host = "myhuaweicloud.com" if service == "default" else f"{service}.cn-north-4.myhuaweicloud.com"
    url = f"https://{host}/v1/{PROJECT}/things"
    for grammar in ("1.1", "5.0"):
        answer = denials.denial(
            needs("GET", url),
            "a:b:c",
            request_id="1" * 32,
            identity=default_identity(),
            ground=denials.Ground(grammar=grammar),
        )
        found = both(answer, url)
        assert (answer.gate, answer.kind) == ("authorization", "permission-denied")
        assert_same(found, "gate", "kind")
