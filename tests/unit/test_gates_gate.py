"""The gates together: their order, and what a verdict says."""

from __future__ import annotations

import pytest

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Rights
from pytest_hwcloud.cloud.signing.algorithms import sign
from pytest_hwcloud.cloud.tokens import domain_scope, project_scope
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.gates.gate import ORDER, Verdict, judge, may_replace

PROJECT = "05041fffa40025702f6dc009cc6f8f33"
DETAIL = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/cloudservers/detail"
LIST = "ecs:cloudServers:list"
ME = Identity(ak="AK1", sk="SK1")
AUDITOR = Identity(name="auditor", ak="AK2", sk="SK2")


@pytest.fixture
def state() -> CloudState:
    return CloudState({"default": ME, "auditor": AUDITOR}, region="cn-north-4")


def reader(action: str = LIST, effect: str = "Allow") -> Rights:
    document = {"Version": "1.1", "Statement": [{"Effect": effect, "Action": [action]}]}
    return Rights.of([Policy.load(document)], None)


def signed(identity: Identity = ME, sk: str | None = None, url: str = DETAIL) -> Request:
    headers = sign("GET", url, {}, b"", ak=identity.ak, sk=sk or identity.sk)
    return Request("GET", url, {name.lower(): value for name, value in headers.items()})


def with_token(value: str) -> Request:
    return Request("GET", DETAIL, {"x-auth-token": value})


def test_who_passes_without_a_policy(state: CloudState) -> None:
    assert judge(signed(), state) == Verdict(identity="default", credential="aksk")
    token = state.issue(AUDITOR, project_scope(AUDITOR, PROJECT))
    assert judge(with_token(token.value), state) == Verdict(identity="auditor", credential="token", token=token)
    assert judge(with_token("MIIX"), state) == Verdict(credential="token", notes=("unverified",))


def test_each_gate_refuses(state: CloudState) -> None:
    state.set_rights("default", reader("ecs:cloudServers:create"))
    domain = state.issue(ME, domain_scope(ME))
    project = state.issue(ME, project_scope(ME, PROJECT))
    calls = [Request("GET", DETAIL), with_token(domain.value), with_token(project.value), signed()]
    assert [judge(call, state).gate for call in calls] == ["authentication", "scope", "authorization", "authorization"]


def test_the_first_gate_decides(state: CloudState) -> None:
    state.set_rights("default", reader("ecs:cloudServers:create"))
    domain = state.issue(ME, domain_scope(ME))
    state.revoke(domain.value)
    verdict = judge(with_token(domain.value), state)
    assert (verdict.gate, verdict.token) == ("authentication", domain)
    verdict = judge(signed(sk="wrong"), state)
    assert (verdict.gate, verdict.identity, verdict.credential) == ("authentication", "default", "aksk")


def test_a_denial_by_policy(state: CloudState) -> None:
    state.set_rights("default", reader("ecs:cloudServers:create"))
    verdict = judge(signed(), state)
    assert verdict.answer is not None
    assert verdict.answer.status == 403
    assert verdict.answer.json() == {
        "error": {
            "message": "do not have the required roles, forbidden to perform this action.",
            "code": "Ecs.0110",
        }
    }
    assert verdict.denied_action == LIST
    assert verdict.decision is not None
    assert verdict.decision.effect == "deny"
    assert verdict.injected is None
    assert judge(signed(AUDITOR), state).gate is None  # has no policy, is not judged


def test_an_allowed_call_says_who_allowed_it(state: CloudState) -> None:
    state.set_rights("default", reader())
    verdict = judge(signed(), state)
    assert (verdict.gate, verdict.answer, verdict.denied_action) == (None, None, None)
    assert verdict.decision is not None
    assert (verdict.decision.effect, verdict.decision.statement) == ("allow", 0)


def test_a_token_keeps_the_rights_of_its_time(state: CloudState) -> None:
    state.set_rights("default", reader("ecs:cloudServers:create"))
    old = state.issue(ME, project_scope(ME, PROJECT))
    state.set_rights("default", reader())
    new = state.issue(ME, project_scope(ME, PROJECT))
    assert judge(with_token(old.value), state).gate == "authorization"
    assert judge(with_token(new.value), state).gate is None
    assert judge(signed(), state).gate is None


def test_a_grant_counts_at_once_for_keys_and_later_for_tokens(state: CloudState) -> None:
    state.set_rights("default", reader("ecs:cloudServers:create"))
    old = state.issue(ME, project_scope(ME, PROJECT))
    with state.grant([LIST]):
        new = state.issue(ME, project_scope(ME, PROJECT))
        assert judge(signed(), state).gate is None
        assert judge(with_token(old.value), state).gate == "authorization"
        assert judge(with_token(new.value), state).gate is None
    assert judge(signed(), state).gate == "authorization"


def test_a_denial_counts_for_everybody(state: CloudState) -> None:
    token = state.issue(ME, project_scope(ME, PROJECT))
    stranger = "SDK-HMAC-SHA256 Access=A, SignedHeaders=x-sdk-date, Signature=0"
    calls = [
        signed(),
        signed(AUDITOR),
        with_token(token.value),
        with_token("MIIX"),
        Request("GET", DETAIL, {"authorization": stranger}),
    ]
    with state.deny([LIST], request_id="f" * 32):
        verdicts = [judge(call, state) for call in calls]
        assert [verdict.gate for verdict in verdicts] == ["authorization"] * 5
        assert {verdict.injected for verdict in verdicts} == {"f" * 32}
        assert {verdict.answer.header("X-Request-Id") for verdict in verdicts if verdict.answer} == {"f" * 32}
        assert {verdict.denied_action for verdict in verdicts} == {LIST}
        other = signed(url=f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/cloudservers/flavors")
        assert judge(other, state).gate is None
    assert [judge(call, state).gate for call in calls] == [None] * 5


def test_a_recorded_refusal_is_given_if_it_comes_from_the_same_gate_or_an_earlier_one() -> None:
    assert ORDER == ("network", "authentication", "scope", "authorization")
    allowed = {(recorded, ours) for recorded in (*ORDER, "service") for ours in ORDER if may_replace(recorded, ours)}
    assert allowed == {
        ("network", "network"),
        ("network", "authentication"),
        ("network", "scope"),
        ("network", "authorization"),
        ("authentication", "authentication"),
        ("authentication", "scope"),
        ("authentication", "authorization"),
        ("scope", "scope"),
        ("scope", "authorization"),
        ("authorization", "authorization"),
    }
