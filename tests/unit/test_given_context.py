"""Facts about the caller: `context:` of an identity in hwcloud.yaml, what follows from it, and how it is wrong."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from lock_world import World, record, use

from pytest_hwcloud.commands.cli import run as command
from pytest_hwcloud.config import ConfigError, load_configuration
from pytest_hwcloud.options import Settings
from pytest_hwcloud.permissions.rules import by_policy
from pytest_hwcloud.texts import in_language

Run = Callable[..., pytest.RunResult]
MFA = {
    "Version": "1.1",
    "Statement": [
        {"Effect": "Allow", "Action": ["ecs:*:*"], "Condition": {"Bool": {"g:MFAPresent": ["true"]}}},
    ],
}
TEST = """
import pytest

@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.requires_permission("ecs:cloudServers:list")
def test_it(hwcloud, hwcloud_session):
    hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
"""


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    (pytester.path / "mfa.json").write_text(json.dumps(MFA))
    return pytester.path


@pytest.mark.parametrize(
    ("context", "rule"),
    [("", "HWP014"), ("context: {'g:MFAPresent': true}", ""), ("context: {'g:MFAPresent': false}", "HWP001")],
)
def test_a_fact_decides(run: Run, project: Path, context: str, rule: str) -> None:
    (project / "hwcloud.yaml").write_text(f"identities:\n  default:\n    policies: [mfa.json]\n    {context}\n")
    shown = run(TEST).stdout.str()
    assert [name for name in ("HWP001", "HWP014") if name in shown] == ([rule] if rule else [])


@pytest.mark.parametrize(
    ("language", "fix"),
    [
        (
            "en",
            "  fix       say what is not known of the caller, in hwcloud.yaml: identities: {default: {context:"
            ' {"g:MFAPresent": …}}} (no value: the requests never carry it)',
        ),
        (
            "zh",
            "  处理      在 hwcloud.yaml 中说明调用者的未知信息：identities: {default: {context:"
            ' {"g:MFAPresent": …}}}（不写值：请求从不携带该键）',
        ),
    ],
)
def test_the_finding_says_how_to_give_the_key(run: Run, project: Path, language: str, fix: str) -> None:
    result = run(TEST, "--hwcloud-policy=mfa.json", f"--hwcloud-lang={language}")
    assert fix in result.outlines


@pytest.mark.parametrize(
    ("missing", "resource", "english", "chinese"),
    [
        (
            (),
            True,
            'the request does not name the resource: allow "ecs:cloudServers:list" on all of them (Resource "*"),'
            " or on what the call names",
            '请求未指明资源：请在所有资源上允许 "ecs:cloudServers:list"（Resource "*"），或在该调用指明的资源上允许',
        ),
        (
            ("g:SourceIp", "ecs:VpcId"),
            True,
            "say what is not known of the caller, in hwcloud.yaml: identities: {default: {context:"
            ' {"g:SourceIp": …, "ecs:VpcId": …}}} (no value: the requests never carry it); and the request does not'
            ' name the resource: allow "ecs:cloudServers:list" on all of them (Resource "*"),'
            " or on what the call names",
            "在 hwcloud.yaml 中说明调用者的未知信息：identities: {default: {context:"
            ' {"g:SourceIp": …, "ecs:VpcId": …}}}（不写值：请求从不携带该键）；并且请求未指明资源：请在所有资源上允许'
            ' "ecs:cloudServers:list"（Resource "*"），或在该调用指明的资源上允许',
        ),
    ],
)
def test_the_finding_says_what_would_settle_it(
    tmp_path: Path, missing: tuple[str, ...], resource: bool, english: str, chinese: str
) -> None:
    open_ = use(verdict="unknown", reason="unknown: x", missing=missing, resource_missing=resource)
    (finding,) = by_policy.judge(record("t.py::test", open_), World(tmp_path).state(), tmp_path)
    assert (finding.rule, str(finding.fix), in_language(finding.fix, "zh")) == ("HWP014", english, chinese)


def test_the_verdict_names_the_key_and_how_to_give_it(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["policy", "check", "mfa.json", "--action", "ecs:cloudServers:list"]) == 1
    assert (
        "if Bool g:MFAPresent true holds (g:MFAPresent is not known: give it with --context g:MFAPresent=VALUE, or as "
        "context: of the identity in hwcloud.yaml)"
    ) in capsys.readouterr().out
    given = ["policy", "check", "mfa.json", "--action", "ecs:cloudServers:list", "--context", "g:MFAPresent=true"]
    assert command(given) == 0


@pytest.mark.parametrize(
    ("context", "message"),
    [
        (
            "{MFAPresent: true}",
            "identities.default.context.MFAPresent: 'MFAPresent' is no condition key; it has a prefix, for instance "
            "'g:MFAPresent' or obs:max-keys",
        ),
        (
            "{'g:UserTag/a': {b: c}}",
            "identities.default.context.g:UserTag/a: g:UserTag/a: a text, number or truth is expected, or a list of "
            "them; leave the value empty for a key that is never there",
        ),
    ],
)
def test_a_wrong_context_is_one_line(tmp_path: Path, context: str, message: str) -> None:
    file = tmp_path / "hwcloud.yaml"
    file.write_text(f"identities:\n  default:\n    context: {context}\n")
    with pytest.raises(ConfigError) as caught:
        load_configuration(Settings(config_file=file))
    assert str(caught.value).endswith(f":3: {message}")
