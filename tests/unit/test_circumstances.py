"""What the run knows of a refused call is told to the explanation, and nothing that it does not know."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta

import pytest

from pytest_hwcloud.cloud.identity import DEFAULT_PROJECT_ID, default_identity
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Rights
from pytest_hwcloud.cloud.signing.algorithms import sign
from pytest_hwcloud.cloud.tokens import Scope, Token
from pytest_hwcloud.cloud.wire import Answer, Request, json_answer
from pytest_hwcloud.explanations.circumstances import circumstances
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.gates.gate import judge
from pytest_hwcloud.journal import Exchange, Journal

URL = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{DEFAULT_PROJECT_ID}/cloudservers/detail"
DENIED = json_answer(403, {"error": {"code": "Ecs.0110", "message": "do not have the required roles"}})
START = datetime(2026, 1, 1, tzinfo=UTC)
NOTHING = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["evs:volumes:list"]}]}
SCOPE = Scope("project", DEFAULT_PROJECT_ID, "cn-north-4")


@pytest.fixture
def state() -> CloudState:
    identities = {"default": default_identity()}
    rights = {"default": Rights.of([Policy.load(NOTHING)])}
    return CloudState(identities, region="cn-north-4", rights=rights, clock=lambda: START)


def exchange(
    answer: Answer | None = DENIED, token: Token | None = None, *, notes: tuple[str, ...] = (), gate: str | None = None
) -> Exchange:
    credential = "token" if token else "aksk"
    request = Request("GET", URL)
    return Exchange(
        request=request, answer=answer, identity="default", credential=credential, token=token, notes=notes, gate=gate
    )


def by_token(state: CloudState, token: Token) -> Exchange:
    """The exchange that a replay makes of a call with this token."""
    request = Request("GET", URL, {"x-auth-token": token.value})
    verdict = judge(request, state)
    return Exchange(
        request=request,
        answer=verdict.answer,
        identity=verdict.identity,
        credential=verdict.credential,
        token=verdict.token,
        gate=verdict.gate,
        notes=verdict.notes,
    )


def test_call_and_caller_are_told(state: CloudState) -> None:
    known = circumstances(exchange(), None, state)
    assert known.call == f"GET {URL}"
    assert (known.identity, known.user, known.credential) == ("default", "ci-reader", "aksk")
    assert (known.service, known.url_region, known.url_project) == ("ecs", "cn-north-4", DEFAULT_PROJECT_ID)
    assert known.needs == ("ecs:cloudServers:list",)
    assert known.needs_identity == ("ecs:cloudServers:listServersDetails",)
    assert known.projects == {"cn-north-4": DEFAULT_PROJECT_ID}


def test_scope_and_age_of_the_token_are_told(state: CloudState) -> None:
    token = state.issue(state.identity("default"), SCOPE)
    state.clock = lambda: START + timedelta(minutes=3)
    known = circumstances(exchange(token=token), None, state)
    assert (known.token_scope, known.token_age) == (SCOPE, 180.0)
    assert not known.rights_changed_after_token


def test_token_older_than_the_rights_of_its_identity_is_told(state: CloudState) -> None:
    token = state.issue(state.identity("default"), SCOPE)
    assert not circumstances(by_token(state, token), None, state).rights_changed_after_token
    state.set_rights("default", Rights.of([Policy.load("system:ECS ReadOnlyAccess")]))
    assert circumstances(by_token(state, token), None, state).rights_changed_after_token


def test_rights_that_changed_and_still_refuse_the_call_are_not_blamed(state: CloudState) -> None:
    token = state.issue(state.identity("default"), SCOPE)
    state.set_rights(
        "default",
        Rights.of([Policy.load({"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["vpc:*:*"]}]})]),
    )
    refused = by_token(state, token)
    assert refused.gate == "authorization"
    assert not circumstances(refused, None, state).rights_changed_after_token


def test_token_older_than_a_grant_is_told_after_the_grant_ended(state: CloudState) -> None:
    token = state.issue(state.identity("default"), SCOPE)
    with state.grant(["ecs:cloudServers:list"]):
        refused = by_token(state, token)
    assert refused.status == 403
    assert circumstances(refused, None, state).rights_changed_after_token


def test_signed_call_has_no_token_to_be_old(state: CloudState) -> None:
    with state.grant(["ecs:cloudServers:list"]):
        assert not circumstances(exchange(), None, state).rights_changed_after_token


def test_success_of_the_same_credential_is_told(state: CloudState) -> None:
    refused = exchange()
    answered = exchange(json_answer(200, {"servers": []}))
    assert not circumstances(refused, Journal("t", [refused]), state).succeeded_elsewhere
    assert circumstances(refused, Journal("t", [answered, refused]), state).succeeded_elsewhere


def test_canonical_request_is_told_where_the_gateway_quotes_its_own(state: CloudState) -> None:
    headers = sign("GET", URL, {}, b"", ak="HWCTESTAK", sk="wrong")
    request = Request("GET", URL, {name.lower(): value for name, value in headers.items()})
    body = {"error_code": "APIGW.0301", "error_msg": "verify aksk signature fail, canonicalRequest:GET|/|"}
    quoted = Exchange(request=request, answer=Answer(401, {}, json.dumps(body).encode()))
    canonical = circumstances(quoted, None, state).canonical_ours
    assert canonical is not None
    assert canonical.startswith("GET\n/v1/")
    assert circumstances(exchange(), None, state).canonical_ours is None


def test_without_an_exchange_nothing_is_told(state: CloudState) -> None:
    known = circumstances(None, None, state, after="KeyError")
    assert (known.call, known.identity, known.needs, known.after) == (None, None, (), "KeyError")
