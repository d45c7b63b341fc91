"""A run with --hwcloud-lang=zh: the terminal is Chinese, the reports for machines are English."""

from __future__ import annotations

import json

import pytest
from permission_project import HEAD, Run, policy

SOURCE = (
    HEAD
    + '@pytest.mark.hwcloud_cassette("success/list-servers")\n'
    + '@pytest.mark.requires_permission("ecs:cloudServers:list", "vpc:ports:get")\n'
    + "def test_it(hwcloud):\n    get(hwcloud)\n"
)
STALE = """\
HWP003 stale-marker（标记已失效）  vpc:ports:get   声明于 test_it.py:13，从未使用
  最近      GET ecs /v1/{project_id}/cloudservers/detail 需要 ecs:cloudServers:list      test_it.py:10
  处理      从标记中去掉 "vpc:ports:get"
"""
END = f"""\
{STALE}
HWP017 inert-statement（不生效的语句）  iam/r.json 第 2 条语句   它不起任何作用：第 1 条语句在所有位置允许了同样的授权项
  处理      从 iam/r.json 中删除第 2 条语句

hwcloud 验证：0 个已验证
锁文件：hwcloud-permissions.yaml 已写入（1 项权限，1 个测试）
json 报告：out.json（2 个权限问题，1 个测试）
调用：1 个已由策略判定
"""


def test_a_failing_run_in_chinese(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*",), ("ecs:cloudServers:list",))
    options = (f"--hwcloud-policy={file}", "--hwcloud-permissions=enforce", "--hwcloud-report=json:out.json")
    result = run(SOURCE, *options, "--hwcloud-prove=all", "--hwcloud-lock=update", "--hwcloud-lang=zh")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    short = STALE.splitlines()[0] + "\n  测试      1 个测试：test_it.py::test_it\n"
    assert f"hwcloud 权限：test_it.py::test_it\n\n{STALE}" in text
    assert "= hwcloud 权限 =" in text
    assert f"=\n{END.replace(STALE, short)}=" in text
    assert result.stdout.lines[-1] == "hwcloud：退出码 1：2 个权限问题（HWP003, HWP017），permissions 为 enforce"
    report = json.loads(pytester.path.joinpath("out.json").read_text(encoding="utf-8"))
    assert "declared in test_it.py:13, never used" in json.dumps(report)


def test_a_test_that_fails_by_itself_has_its_findings_in_chinese_below(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("vpc:ports:get",))
    source = SOURCE.replace("    get(hwcloud)", "    assert get(hwcloud).ok")
    result = run(source, f"--hwcloud-policy={file}", "--hwcloud-permissions=enforce", "--hwcloud-lang=zh")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "- hwcloud 权限 -" in text
    assert text.count("  判定      deny（隐式）：没有匹配的允许语句（共检查 1 条语句）\n") == 1
    assert "hwcloud permissions" not in text
