"""A refusal by the run's own policies names policy and statement, and says where to mend it; in both languages."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pytest_hwcloud.cloud.identity import default_identity
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Grant, Rights
from pytest_hwcloud.cloud.signing.algorithms import sign
from pytest_hwcloud.cloud.tokens import Scope
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.explanations.circumstances import circumstances
from pytest_hwcloud.explanations.explanation import Explanation, explain
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.gates.gate import judge
from pytest_hwcloud.journal import Exchange

IDENTITY = default_identity()
PROJECT = IDENTITY.projects["cn-north-4"]
URL = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/cloudservers/detail"
LACKS = "The caller is known to the cloud, but its user, group or token lacks the ECS role or action. "
LACKS_ZH = "调用者身份已确认，但其用户、用户组或 Token 缺少 ECS 的角色或操作权限。"
GROUP = "for ci-reader in IAM (a policy of one of the user's groups)"
OTHER = {"Effect": "Allow", "Action": ["evs:volumes:list"]}
ALLOW = {"Effect": "Allow", "Action": ["ecs:*:*"]}
DENY = {"Effect": "Deny", "Action": ["ecs:cloudServers:list"]}
BOB = {**ALLOW, "Condition": {"StringEquals": {"g:UserName": ["bob"]}}}
KEYS = " With AK/SK no new keys are needed."
TOKEN = " Then get a new token: this one keeps its old rights."


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name, rows in {
        "other": [OTHER],
        "all": [ALLOW],
        "deny": [ALLOW, DENY],
        "bob": [OTHER, BOB],
    }.items():
        document = {"Version": "1.1", "Statement": rows}
        Path(f"{name}.json").write_text(json.dumps(document))


def file(name: str) -> Policy:
    return Policy.load(str(Path(f"{name}.json").resolve()))


def refusal(rights: Rights, lang: str = "en", *, token: bool = False, denied: bool = False) -> Explanation:
    state = CloudState({"default": IDENTITY}, region="cn-north-4", rights={"default": rights})
    if token:
        value = state.issue(IDENTITY, Scope("project", PROJECT, "cn-north-4")).value
        request = Request("GET", URL, {"x-auth-token": value})
    else:
        signed = sign("GET", URL, {}, b"", ak=IDENTITY.ak, sk=IDENTITY.sk)
        request = Request("GET", URL, {name.lower(): value for name, value in signed.items()})
    if not denied:
        return told(request, state, lang)
    with state.deny(("ecs:cloudServers:list",)):
        return told(request, state, lang)


def told(request: Request, state: CloudState, lang: str) -> Explanation:
    verdict = judge(request, state)
    assert verdict.gate == "authorization"
    exchange = Exchange(
        request=request,
        answer=verdict.answer,
        identity=verdict.identity,
        credential=verdict.credential,
        token=verdict.token,
        gate=verdict.gate,
        source="gate",
        notes=verdict.notes,
        decision=verdict.decision,
        denied_action=verdict.denied_action,
        injected=verdict.injected,
    )
    found = explain(exchange.failure, lang, circumstances(exchange, None, state))
    assert found is not None
    return found


def test_no_statement_allows_it() -> None:
    found = refusal(Rights.of([file("other")]))
    assert found.cause == LACKS + "This run judges by other.json, where no statement allows it (1 looked at)."
    assert found.fix == f"Allow ecs:cloudServers:list {GROUP} and in other.json, by which this run judges.{KEYS}"


def test_no_statement_of_two_policies_allows_it_for_a_token() -> None:
    second = Path("second.json")
    second.write_text(Path("other.json").read_text())
    found = refusal(Rights.of([file("other"), file("second")]), token=True)
    assert (
        found.cause == LACKS + "This run judges by other.json, second.json, where no statement allows it (2 looked at)."
    )
    assert found.fix == (
        f"Allow ecs:cloudServers:list {GROUP} and in one of other.json, second.json, by which this run judges.{TOKEN}"
    )


def test_no_statement_of_a_system_policy_allows_it() -> None:
    found = refusal(Rights.of([Policy.load("system:CDN Domain Viewer")]))
    assert found.cause.startswith(LACKS + "This run judges by system:CDN Domain Viewer, where no statement allows it (")
    assert found.fix == (
        f"Allow ecs:cloudServers:list {GROUP}, and give default a policy with it (hwcloud.yaml or --hwcloud-policy), "
        f"by which this run judges.{KEYS}"
    )


def test_statement_that_names_it_and_does_not_meet_the_call() -> None:
    found = refusal(Rights.of([file("bob")]))
    assert found.cause == "Statement 2 of bob.json names it, but the condition StringEquals g:UserName bob is not met."
    assert found.fix == (
        "Meet what statement 2 of bob.json asks for, or change it there and in IAM so that it allows "
        "ecs:cloudServers:list for this call."
    )


@pytest.mark.parametrize(("token", "after"), [(False, ""), (True, TOKEN)], ids=["AK/SK", "token"])
def test_statement_that_denies_it(token: bool, after: str) -> None:
    found = refusal(Rights.of([file("deny")]), token=token)
    assert found.cause == "Statement 2 of deny.json, by which this run judges, denies it, whatever else allows it."
    assert found.fix == f"Change or take away that deny in deny.json, and in IAM; another allow does not help.{after}"


def test_service_control_policy_that_does_not_allow_it() -> None:
    found = refusal(Rights.of([file("all")], bound=file("other")))
    assert found.cause == (
        "The service control policy other.json, by which this run judges, does not allow it, and no other policy goes "
        "beyond that."
    )
    assert (
        found.fix == "Allow ecs:cloudServers:list in other.json, and in the organization's policy (SCP) by its "
        "administrator."
    )


def test_service_control_policy_that_denies_it() -> None:
    found = refusal(Rights.of([file("all")], bound=file("deny")))
    assert found.cause == "Statement 2 of deny.json, by which this run judges, denies it, whatever else allows it."


def test_policy_that_is_granted_elsewhere() -> None:
    found = refusal(Rights.of([Grant(policy=file("all"), on="domain")]))
    assert (
        found.cause
        == "Statement 1 of all.json names it, but is granted on the domain, which counts for global services only."
    )
    assert found.fix == (
        "Grant ecs:cloudServers:list where the call goes: in IAM, and with `project` or `scope` of the policy in "
        "hwcloud.yaml."
    )


def test_refusal_that_the_test_itself_asked_for() -> None:
    found = refusal(Rights.of([file("all")]), denied=True)
    assert found.cause == LACKS + "In this test hwcloud.deny refuses it."
    assert found.fix == f"Allow ecs:cloudServers:list {GROUP}.{KEYS}"


def test_token_older_than_a_grant_is_told_first() -> None:
    old, new = Rights.of([file("other")]), Rights.of([file("all")])
    state = CloudState({"default": IDENTITY}, region="cn-north-4", rights={"default": old}, clock=lambda: NOON)
    value = state.issue(IDENTITY, Scope("project", PROJECT, "cn-north-4")).value
    state.rights["default"] = new
    found = told(Request("GET", URL, {"x-auth-token": value}), state, "en")
    assert found.fix == "Get a new token; the grant does not reach the old one."


NOON = datetime(2026, 1, 1, 12, tzinfo=UTC)
GROUP_ZH = "在 IAM 中为 ci-reader（所在用户组的策略）允许 ecs:cloudServers:list"
KEYS_ZH = "使用 AK/SK 时无需更换密钥。"


def test_all_of_it_in_chinese() -> None:
    none = refusal(Rights.of([file("other")]), "zh")
    assert none.cause == LACKS_ZH + "本次运行依据 other.json 判定，其中没有语句允许它（查看了 1 条）。"
    assert none.fix == GROUP_ZH + "，并在本次运行所依据的 other.json 中允许。" + KEYS_ZH
    near = refusal(Rights.of([file("bob")]), "zh")
    assert near.cause == "bob.json 的第 2 条语句提到了它，但条件 StringEquals g:UserName bob 不满足。"
    assert near.fix == (
        "满足 bob.json 第 2 条语句的要求；或在该文件和 IAM 中修改它，使其对该调用允许 ecs:cloudServers:list。"
    )
    deny = refusal(Rights.of([file("deny")]), "zh")
    assert deny.cause == "本次运行依据的 deny.json 第 2 条语句拒绝了它，其他允许均无效。"
    assert deny.fix == "在 deny.json 和 IAM 中修改或删除该拒绝；再加允许没有用。"
    bound = refusal(Rights.of([file("all")], bound=file("other")), "zh")
    assert bound.cause == "本次运行依据的服务控制策略 other.json 没有允许它，其他策略不能超出该范围。"
    assert bound.fix == "在 other.json 中允许 ecs:cloudServers:list，并由组织管理员在组织策略（SCP）中允许。"
    elsewhere = refusal(Rights.of([Grant(policy=file("all"), on="domain")]), "zh")
    assert elsewhere.cause == ("all.json 的第 1 条语句提到了它，但授权范围不符：授予在账号上，只对全局级服务有效。")
    assert elsewhere.fix == (
        "在该调用所属的范围授予 ecs:cloudServers:list：在 IAM 中，以及 hwcloud.yaml 中该策略的 project 或 scope。"
    )
    injected = refusal(Rights.of([file("all")]), "zh", denied=True)
    assert injected.cause == LACKS_ZH + "在本测试中由 hwcloud.deny 拒绝。"
    assert injected.fix == GROUP_ZH + "。" + KEYS_ZH
