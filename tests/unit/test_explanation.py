"""What a reader sees: whole explanations, word for word, and the laws that hold for every code."""

# ruff: noqa: E501 - literal messages stay in one piece

from __future__ import annotations

import json
import re

import pytest
from explained import IAM, IN_PROJECT, NO_ROLES, explained, refused

from pytest_hwcloud.cloud.failures import codes
from pytest_hwcloud.cloud.failures.failure import FailedCall, Failure
from pytest_hwcloud.cloud.failures.responses import read_answer
from pytest_hwcloud.cloud.wire import Answer, Request, json_answer
from pytest_hwcloud.explanations import wording
from pytest_hwcloud.explanations.circumstances import Circumstances, circumstances
from pytest_hwcloud.explanations.explanation import code_line, explain
from pytest_hwcloud.journal import Exchange
from pytest_hwcloud.secrets.shown_text import shown, shown_call
from pytest_hwcloud.texts import LANGUAGES

# --- whole texts ---


def test_the_layout_of_the_contract():
    known = Circumstances(
        credential="token",
        token_scope=IN_PROJECT,
        token_age=180,
        identity="default",
        user="ci-reader",
        needs=("ecs:cloudServers:list",),
        needs_identity=("ecs:cloudServers:listServersDetails",),
    )
    assert str(explained(refused(403, "Ecs.0110", NO_ROLES), known)) == (
        "hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs\n"
        "  call      GET https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fff…/cloudservers/detail\n"
        "  message   do not have the required roles, forbidden to perform this action.\n"
        "  identity  default (user ci-reader) · token of project cn-north-4, issued 3 min ago\n"
        "  needs     ecs:cloudServers:list  (5.0: ecs:cloudServers:listServersDetails)\n"
        "  cause     The caller is known to the cloud, but its user, group or token lacks the ECS role or action.\n"
        "  fix       Allow ecs:cloudServers:list for ci-reader in IAM (a policy of one of the user's groups)."
        " Then get a new token: this one keeps its old rights.\n"
        "  request   r-1"
    )


def test_the_layout_in_chinese():
    known = Circumstances(identity="default", user="ci-reader", credential="aksk", needs=("ecs:cloudServers:list",))
    assert str(explained(refused(403, "Ecs.0110", NO_ROLES), known, "zh")) == (
        "hwcloud：在鉴权（authorization）阶段被拒绝：Ecs.0110（HTTP 403），来自 ecs\n"
        "  调用    GET https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fff…/cloudservers/detail\n"
        "  消息    do not have the required roles, forbidden to perform this action.\n"
        "  身份    default（用户 ci-reader） · AK/SK\n"
        "  需要    ecs:cloudServers:list\n"
        "  原因    调用者身份已确认，但其用户、用户组或 Token 缺少 ECS 的角色或操作权限。\n"
        "  处理    在 IAM 中为 ci-reader（所在用户组的策略）允许 ecs:cloudServers:list。使用 AK/SK 时无需更换密钥。\n"
        "  请求ID  r-1"
    )


@pytest.mark.parametrize(
    "known",
    [
        Circumstances(
            identity="default", user="ci", credential="aksk", needs=("ecs:a:b",), needs_identity=("ecs:a:c",)
        ),
        Circumstances(identity="default", user="ci", credential="none", after="KeyError", service="ecs"),
        Circumstances(identity="default", key=("AKEXAMPLE", "hwcloud.yaml"), credential="token", token_age=90.0),
    ],
)
@pytest.mark.parametrize(
    ("status", "code"), [(403, "Ecs.0110"), (401, "APIGW.0301"), (400, "Common.0018"), (500, "Ecs.9999"), (404, "")]
)
def test_the_punctuation_of_an_explanation_in_chinese_is_full_width(known: Circumstances, status: int, code: str):
    first, *rest = str(explained(refused(status, code, "m"), known, "zh")).splitlines()
    ours = [line for line in rest if line.split()[0] not in ("调用", "消息", "原文")]
    assert first.startswith("hwcloud：")
    assert ours
    assert [line for line in (first, *ours) if re.search(r"[(),;?!]|: ", re.sub(r"\w+\([^()]*\)", "", line))] == []


def test_a_call_without_an_answer_in_chinese():
    failure = Failure(code=None, status=None, message="m", gate="network", fault="dns", host="ecs.example.com")
    first = str(explain(failure, "zh")).splitlines()[0]
    assert first == "hwcloud：网络（network）无响应：域名无法解析（ecs.example.com）"


def test_the_operation_is_said_where_no_document_names_its_action():
    url = "https://ddm.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/instances"
    body = {"error_code": "DBS.200022", "error_msg": "You do not have the permission."}
    exchange = Exchange(request=Request("GET", url), answer=json_answer(403, body))
    known = circumstances(exchange, None, None)
    assert (known.service, known.operation, known.needs) == ("ddm", "ListInstances", ())
    failure = {"error_code": "Pdp.0001", "error_msg": "Policy doesn't allow it to be performed."}
    english = explain(failure, "en", known)
    assert english is not None
    assert english.needs == (
        "no document names the action of ddm ListInstances; pytest-hwcloud actions refresh asks IAM for it"
    )
    chinese = explain(failure, "zh", known)
    assert chinese is not None
    assert chinese.needs == "没有文档给出 ddm ListInstances 的授权项；可用 pytest-hwcloud actions refresh 向 IAM 查询"


def test_a_network_failure():
    error = explained("socket.gaierror: [Errno 11001] getaddrinfo failed")
    assert error.first_line == "hwcloud: no answer at network: name not resolved"
    import socket

    import requests

    named = requests.ConnectionError(
        "HTTPSConnectionPool(host='ecs.cn-north-4.myhuaweicloud.com', port=443): Failed to resolve"
    )
    named.__cause__ = socket.gaierror(11001, "getaddrinfo failed")
    first, *rest = explained(named).lines()
    assert first == "hwcloud: no answer at network: name not resolved (ecs.cn-north-4.myhuaweicloud.com)"
    assert rest == [
        "  message   HTTPSConnectionPool(host='ecs.cn-north-4.myhuaweicloud.com', port=443): Failed to resolve",
        "  cause     The name ecs.cn-north-4.myhuaweicloud.com could not be resolved: the endpoint or region is misspelt, "
        "or DNS, VPN or proxy do not work.",
        "  fix       Check the spelling of region and endpoint first, then resolve the name by hand "
        "(nslookup ecs.cn-north-4.myhuaweicloud.com), then look at DNS and proxy settings.",
    ]


@pytest.mark.parametrize(
    ("failure", "line"),
    [
        (
            refused(404, "VPC.0003", "x", "https://vpc.cn-north-4.myhuaweicloud.com/v1/p/vpcs"),
            "failed at service: VPC.0003 (HTTP 404) from vpc",
        ),
        (refused(401, "APIGW.0301", "x"), "refused at authentication: APIGW.0301 (HTTP 401) from the API gateway"),
        (refused(400, "Common.0018", "x"), "refused at scope: Common.0018 (HTTP 400) from ecs"),
        (Answer(502, {}, b""), "failed at service: HTTP 502"),
        (
            json_answer(404, {"itemNotFound": {"code": 404, "message": "m"}}),
            "failed at service: itemNotFound (HTTP 404)",
        ),
        ("Ecs.0110", "refused at authorization: Ecs.0110 (HTTP 403) from ecs"),
        ("Pdp.0001", "refused at authorization: Pdp.0001 (HTTP 403)"),
    ],
)
def test_first_lines(failure, line):
    assert explained(failure).first_line == f"hwcloud: {line}"


def test_the_last_refused_call_before_an_innocent_exception_says_so():
    found = explained(refused(403, "Ecs.0110", NO_ROLES), Circumstances(after="KeyError"))
    assert found.first_line == (
        "hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs (the last refused call before this KeyError)"
    )


# --- secrets ---


def test_keys_tokens_and_signatures_are_not_shown():
    assert shown(f"{IAM}ak LTAI5tExampleKey0001 not exist") == f"{IAM}ak LTAI… not exist"
    assert shown("ak xxxxxx not exist") == "ak xxxxxx not exist"
    assert (
        shown("canonicalRequest:GET|/|x-security-token:gQpj9.dz|host:a")
        == "canonicalRequest:GET|/|x-security-token:***|host:a"
    )
    assert shown_call("GET https://b.obs.x/k?AccessKeyId=AK1&Signature=abc%3D&x=1") == (
        "GET https://b.obs.x/k?AccessKeyId=***&Signature=***&x=1"
    )


KEY = "HPUAABCDEFGHIJKL1234"


@pytest.mark.parametrize(
    ("message", "line"),
    [
        (f"ak {KEY} not exist", "ak HPUA… not exist"),
        (f"ak [{KEY}] is frozen", "ak [HPUA…] is frozen"),
        ("ak:LTAI5tAbCdEfGhIjKlMnOpQr", "ak:LTAI…"),
        (f'{{"AccessKeyId":"{KEY}"}}', '{"AccessKeyId":"HPUA…"}'),
        (f"<AWSAccessKeyId>{KEY}</AWSAccessKeyId>", "<AWSAccessKeyId>HPUA…</AWSAccessKeyId>"),
        (f"The access key id '{KEY}' does not exist", "The access key id 'HPUA…' does not exist"),
        (f"SDK-HMAC-SHA256 Access={KEY}, SignedHeaders=host", "SDK-HMAC-SHA256 Access=HPUA…, SignedHeaders=host"),
        (f"Credential={KEY}/20240101", "Credential=HPUA…/20240101"),
        (f"OBS {KEY}:c2ln", "OBS HPUA…:c2ln"),
        (f"the key {KEY} of the user", "the key HPUA… of the user"),
        ("access key does not exist", "access key does not exist"),
        ("ak is null, access denied", "ak is null, access denied"),
        ("request 0000018F1A2B3C4D5E6F", "request 0000018F1A2B3C4D5E6F"),
    ],
)
def test_no_access_key_is_shown_in_full(message, line):
    assert shown(message) == line


def test_no_access_key_is_shown_in_full_by_any_part_of_an_explanation():
    url = f"https://b.obs.cn-north-4.myhuaweicloud.com/k?AWSAccessKeyId={KEY}&x-obs-credential={KEY}%2F2024"
    body = {
        "error_msg": f"ak {KEY} not exist",
        "error_code": "APIGW.0301",
        "details": [{"code": "A.1", "message": KEY}],
    }
    failure = read_answer(401, {}, json.dumps(body).encode(), FailedCall("GET", url))
    found = explained(failure)
    assert found.call == "GET https://b.obs.cn-north-4.myhuaweicloud.com/k?AWSAccessKeyId=***&x-obs-credential=***"
    assert KEY not in json.dumps(found.to_dict())
    assert KEY not in str(found)


def test_long_messages_are_cut():
    assert len(shown("x" * 5000)) == 701


# --- laws ---

EVERY = [tuple(name.split("/", 1)) for name in codes.all_codes()]


def entries() -> list[codes.Entry]:
    """Every code, and every case of the codes that have several."""
    found = []
    for family, code in EVERY:
        row = codes.rows(family)[code.lower()]
        found.append(codes._entry(family, row, None))
        variants = row.get("variants") or []
        found += [codes._entry(family, {**row, **case}, number) for number, case in enumerate(variants)]  # type: ignore[arg-type, dict-item]
    return found


def test_all_codes_have_their_own_cause_and_fix_in_both_languages():
    assert len(EVERY) >= 1498
    chinese = wording.load("zh")
    for entry in entries():
        assert entry.cause
        assert entry.remedy
        own = wording._own("zh", entry.family).get(entry.key)
        assert own is not None, entry.key
        assert all(re.search("[\u4e00-\u9fff]", text) and text.endswith("。") for text in own), (entry.key, own)
        assert chinese.of(entry) == tuple(own)


def test_no_permission_is_advised_for_authentication_or_scope_and_no_key_for_a_denial():
    permission = re.compile(r"\b(?:permissions?|grant|grants|polic(?:y|ies))\b|授予|权限|策略", re.IGNORECASE)
    keys = re.compile(r"\bAK\b|\bSK\b|password|clock|签名时间|时钟|密码", re.IGNORECASE)
    shared = {"ces.0017", "AccessDenied"}  # one code for both: the text says so
    for entry in entries():
        for lang in LANGUAGES:
            words = " ".join(wording.load(lang).of(entry))
            if entry.gate in ("authentication", "scope"):
                assert not permission.search(words), (entry.key, words)
            if entry.gate == "authorization" and entry.code not in shared:
                assert not keys.search(words), (entry.key, words)


def test_both_languages_have_the_same_phrases_with_the_same_places():
    english, chinese = wording.load("en"), wording.load("zh")
    assert english.phrases.keys() == chinese.phrases.keys()
    assert english.kinds.keys() == chinese.kinds.keys()
    assert english.labels.keys() == chinese.labels.keys() == set(wording.LABELS)
    places = re.compile(r"(?<!\{)\{(\w+)\}")
    for name, phrase in english.phrases.items():
        assert set(places.findall(phrase)) == set(places.findall(chinese.phrases[name])), name


def test_every_kind_has_its_words():
    kinds = {entry.kind for entry in entries()} | {"unknown", "forbidden"}
    assert kinds <= wording.load("en").kinds.keys()


# --- the rest ---


def test_nothing_to_explain():
    assert explain({"count": 8}) is None
    assert explain("hello") is None
    assert explain(json_answer(200, {"servers": []})) is None


def test_an_unknown_language_is_named():
    with pytest.raises(ValueError, match=r"^unknown language 'fr'; known: en, zh$"):
        explain("Ecs.0110", "fr")


def test_plain_data():
    data = explained(refused(403, "Ecs.0110", NO_ROLES)).to_dict()
    assert (data["code"], data["status"], data["gate"], data["kind"], data["service"]) == (
        "Ecs.0110", 403, "authorization", "permission-denied", "ecs",
    )  # fmt: skip
    assert (data["actions"], data["causes"], data["compare"], data["request_id"]) == ([], [], [], "r-1")
    assert list(data) == [
        "code", "status", "gate", "kind", "service", "message", "request_id", "call", "identity", "needs", "cause", "fix",
        "first_line", "lang", "actions", "texts", "compare", "causes",
    ]  # fmt: skip
    assert json.loads(json.dumps(data)) == data


def test_nested_failures_are_explained_too():
    found = explained({"error": {"code": "Ecs.0005", "message": "m", "details": [{"code": "Ecs.0039"}]}})
    assert [cause.cause for cause in found.causes] == ["The fixed IP lies outside the subnet's range."]


@pytest.mark.parametrize(
    ("lang", "named"),
    [("en", " The part behind it calls it SecurityGroupInUse."), ("zh", "其后端给出的错误是 SecurityGroupInUse。")],
)
def test_nested_failure_that_no_table_knows_is_named(lang, named):
    inner = json.dumps({"NeutronError": {"message": "in use", "type": "SecurityGroupInUse", "detail": ""}})
    assert explained({"code": "VPC.0602", "message": inner}, lang=lang).cause.endswith(named)


@pytest.mark.parametrize(
    ("code", "line"),
    [
        ("ecs.0110", "Ecs.0110 · authorization · The caller is known to the cloud, but its user, group or token lacks the ECS "
         "role or action."),
        ("NoSuchKey", "NoSuchKey · service · No object has this key."),
        ("APIGW.0307", "APIGW.0307 · authentication · The token is too old, or was issued for another region's API."),
        ("nosuchkey", None),
        ("Unauthorized", None),
        ("hello", None),
        ("Ecs.9999", None),
        ("", None),
        ("1.110", None),
    ],
)  # fmt: skip
def test_code_line(code, line):
    assert code_line(code) == line


def test_code_line_in_chinese():
    assert code_line("NoSuchKey", "zh") == "NoSuchKey · 服务（service） · 没有该名称的对象。"


def test_needs_are_shown_only_where_the_authorization_gate_refused():
    known = Circumstances(needs=("ecs:cloudServers:list",))
    assert explained(refused(401, "APIGW.0301", IAM), known).needs is None
    assert explained(refused(400, "Common.0018", "x"), known).needs is None
    assert explained(refused(403, "Ecs.0110", "x"), known).needs == "ecs:cloudServers:list"
