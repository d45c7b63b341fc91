"""The permission checks in Chinese: exact paragraphs of each rule, and no English left in any form of them."""

from __future__ import annotations

import re

import pytest
from chinese_cases import of_the_rules
from test_chinese import left_over

from pytest_hwcloud.permissions import display
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.rules import RULES
from pytest_hwcloud.texts import Phrase

# ruff: noqa: E501  texts as they stand in the terminal
EXACT = {
    "missing": """\
HWP001 missing-permission（缺少权限）  ecs:cloudServers:list   身份 default
  调用      GET ecs /v1/{project_id}/cloudservers/detail      a.py:9
  判定      deny（隐式）：没有匹配的允许语句（共检查 1 条语句）
              1 allow ecs:*:get* ecs:cloudServers:start  否："list" 不匹配
  处理      iam/r.json：在第 1 条语句中加上 "ecs:cloudServers:list"\
""",
    "unknown place": """\
HWP014 undecidable（无法判定）  ecs:cloudServers:list   身份 default
  调用      GET ecs /v1/{project_id}/cloudservers/detail      a.py:9
  判定      无法判定："ecs:*:list*"（iam/r.json 第 1 条语句）允许它，前提是该授权项在企业项目中生效，并且调用的企业项目是 e1
              1 allow ecs:*:list*  或许：前提是该授权项在企业项目中生效，并且调用的企业项目是 e1
  处理      使它可以判定：写明身份 default 的权限，不要取决于此处未知的内容""",
    "trap": """\
HWP003 stale-marker（标记已失效）  ecs:servers:list   声明于 a.py:5，从未使用
HWP002 undeclared-permission（未声明的权限）  ecs:cloudServers:list   由 GET ecs /v1/{project_id}/cloudservers/detail 使用
  以下权限看起来相似，却并不相同：
    ecs:servers:list       GET /v2.1/{project_id}/servers[/detail]    （Nova，已弃用）
    ecs:cloudServers:list  GET /v1/{project_id}/cloudservers/detail   （5.0：ecs:cloudServers:listServersDetails）
  处理      @pytest.mark.requires_permission("ecs:cloudServers:list")""",
    "swallowed": """\
HWP004 swallowed-denial（拒绝未被察觉）  tms:predefineTags:list   身份 default
  调用      GET tms /v1.0/predefine_tags      a.py:8
  响应      403 TMS.0016 Insufficient permission.
  说明      主动拒绝该权限后，a.py::t 仍然通过
  处理      让测试察觉拒绝：hwcloud.assert_ok(response)、response.raise_for_status()，或对响应中所需的内容进行断言
            若没有这项权限也可以：requires_permission(…, optional=["tms:predefineTags:list"])""",
    "scope": """\
HWP005 scope-mismatch（范围不符）   Token 属于账号 0503dda8…，ECS 是区域级服务，URL 中是项目 05041fff…（cn-north-4）
  响应      400 Common.0018 tenantId in token is not the same with in URL.
  说明      不是缺少权限：身份 default 可以执行 ecs:cloudServers:list（第 1 条语句）
  处理      获取 auth.scope.project.name = "cn-north-4" 的 Token（hwcloud_token(project="cn-north-4")），或使用 AK/SK 签名""",
    "authentication, none": """\
HWP006 authentication-failed（认证失败）  ecs:cloudServers:list   身份 default
  调用      GET ecs /v1/{project_id}/cloudservers/detail      a.py:14
  响应      401 APIGW.0301 x
  说明      不是缺少权限：调用没有通过网关的认证，没有查询任何策略
  处理      携带凭证：hwcloud_session 使用 AK/SK 签名，hwcloud_token() 提供 Token""",
    "unknown action, no guess": """\
HWP010 unknown-action（未知授权项）  ecs:qqqqqqqqq:zzzzzzzzzz   位于 r.json:1，第 1 条语句
  原因      文档中没有这个授权项
  处理      更正 r.json:1 中的名称

HWP017 inert-statement（不生效的语句）  r.json 第 1 条语句   文档中没有它的任何授权项，因此它不适用于任何已知的调用
  处理      从 r.json 中删除第 1 条语句""",
    "unmapped": """\
HWP011 unmapped-call（未收录的调用）  POST ecs /v1/x   权限映射表未收录此调用
  调用      a.py:3
  处理      在项目自己的表中说明它需要什么：hwcloud.yaml 中的 `actions: [extra-actions.yaml]`""",
    "dependency": """\
HWP012 missing-dependency（缺少依赖权限）  vpc:ports:get   身份 default
  调用      GET ecs /v1/{project_id}/cloudservers/detail      a.py:9
  需要      ecs:cloudServers:list，按其文档依赖于此授权项
  判定      deny（隐式）：没有匹配的允许语句（共检查 1 条语句）
  处理      iam/r.json：在单独的一条语句中加上 "vpc:ports:get"\
""",
    "recorded": """\
HWP013 refusal-in-cassette（录制文件中有拒绝）  ecs:cloudServers:list   录制文件 ecs/x
  调用      GET ecs /v1/{project_id}/cloudservers/detail      a.py:14
  响应      403 Ecs.0110 no
  说明      已被录制，而 a.py::t 通过时对此只字未提
  处理      用有权执行此操作的调用者重新录制：ecs/x
            若有意被拒绝，请写明：hwcloud.refused(…)，或在录制文件中写 metadata: {expects: {code: Ecs.0110}}""",
    "old token": """\
HWP015 stale-token（过时的 Token）  ecs:cloudServers:list   身份 default
  调用      GET ecs /v1/{project_id}/cloudservers/detail      a.py:9
  Token     签发早于授权：Token 保留签发时的权限，而该身份此后才有这项权限
  处理      授权后重新获取 Token：hwcloud.token(..., fresh=True)；使用 AK/SK 时授权立即生效""",
    "over": """\
HWP018 over-permission（权限过大）  ecs:cloudServers:list   身份 default
  调用      GET ecs /v1/{project_id}/cloudservers/detail      a.py:9
  判定      allow：iam/r.json 的第 1 条语句
  处理      iam/r.json：从第 1 条语句中去掉 "ecs:cloudServers:list"，或拒绝它""",
    "lost": """\
HWP007 lost-permission（权限丢失）  ecs:cloudServers:list   原因：策略 iam/reader.json
  原来      由 "ecs:*:list*" 允许（第 1 条语句）
  影响      1 个测试：a.py::x
  调用      GET ecs /v1/{project_id}/cloudservers/detail      tests/test_a.py:5
  现在      deny（隐式）：没有匹配的允许语句（共检查 1 条语句）      iam/reader.json
  处理      iam/reader.json:6：在第 1 条语句中加上 "ecs:cloudServers:list"
            --- iam/reader.json
            +++ ./iam/reader.json
            @@ -4,7 +4,8 @@
                 {
                   "Effect": "Allow",
                   "Action": [
            -        "ecs:*:get*"
            +        "ecs:*:get*",
            +        "ecs:cloudServers:list"
                   ]
                 }
               ]
  接受      pytest --hwcloud-lock=update""",
    "new": """\
HWP008 new-permission（新增的权限）  ecs:cloudServers:showServer   原因：代码 tests/test_a.py:5
  调用      GET ecs /v1/{project_id}/cloudservers/{server_id}      tests/test_a.py:5
  需要      1 个测试：a.py::x
  现在      deny（隐式）：没有匹配的允许语句（共检查 1 条语句）      iam/reader.json
  处理      iam/reader.json:6：在第 1 条语句中加上 "ecs:cloudServers:showServer"
            --- iam/reader.json
            +++ ./iam/reader.json
            @@ -4,7 +4,8 @@
                 {
                   "Effect": "Allow",
                   "Action": [
            -        "ecs:*:list*"
            +        "ecs:*:list*",
            +        "ecs:cloudServers:showServer"
                   ]
                 }
               ]
  接受      pytest --hwcloud-lock=update""",
    "no_more_judged": """\
HWP009 widened-policy（策略权限扩大）   原因：策略 iam/reader.json
  原来      依据 iam/reader.json 判定
  现在      身份 default 没有策略：它的调用均不判定
  处理      pytest --hwcloud-policy default=iam/reader.json，或 hwcloud.yaml 中的 `policies:`
  接受      pytest --hwcloud-lock=update""",
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    return dict(of_the_rules(tmp_path_factory.mktemp("rules")))


@pytest.mark.parametrize("name", EXACT)
def test_exact_paragraphs(made: dict[str, list[Finding]], name: str) -> None:
    assert "\n\n".join(display.summary(made[name], "zh")) == EXACT[name]


def test_each_rule_has_an_exact_paragraph() -> None:
    assert set(re.findall(r"^HWP\d+", "\n".join(EXACT.values()), re.M)) == set(RULES) - {
        "HWP019",
        "HWP020",
    }  # said by key: tests/plugin/test_unjudged_calls.py


def test_no_form_of_a_rule_leaves_english(made: dict[str, list[Finding]]) -> None:
    for name, findings in made.items():
        assert findings, name
        text = "\n\n".join(display.summary(findings, "zh"))
        assert left_over(re.sub(r"^  响应.*", "", text, flags=re.M)) == set(), name


def test_the_same_finding_of_many_tests() -> None:
    one = Finding(rule="HWP003", action="a:b:c", test="a.py::x", detail=Phrase("findings.never-used", place="a.py:1"))
    other = Finding(rule="HWP003", action="a:b:c", test="a.py::y", detail=Phrase("findings.never-used", place="a.py:9"))
    assert display.summary([one, other], "zh") == [
        "HWP003 stale-marker（标记已失效）  a:b:c   声明于 a.py:1，从未使用\n  测试      2 个测试：a.py::x · ::y"
    ]


def test_machines_read_english(made: dict[str, list[Finding]]) -> None:
    (finding,) = made["missing"]
    display.summary([finding], "zh")
    assert (finding.detail, finding.text().split("\n")[0]) == (
        "identity default",
        "HWP001 missing-permission  ecs:cloudServers:list   identity default",
    )


def test_every_line_is_a_phrase(made: dict[str, list[Finding]]) -> None:
    """Or nothing but names: rows of a table of actions, and what is pasted."""
    for name, findings in made.items():
        for finding in findings:
            said = (finding.detail, finding.fix, *finding.lines)
            texts_alone = [text for text in said if text and not isinstance(text, Phrase)]
            assert [text for text in texts_alone if not text.startswith(("  ", "@pytest.mark.", "pytest "))] == [], name
