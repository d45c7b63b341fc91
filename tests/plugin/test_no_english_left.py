"""Under zh nothing but names, codes, paths, code and quotations is English: every option, every command."""

from __future__ import annotations

import json
import os
import re
import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from loopback.cloud import Cloud
from permission_project import HEAD, Run, answer, cassette, policy
from unit.leftover import english

from pytest_hwcloud import texts
from pytest_hwcloud.commands.cli import run as command
from pytest_hwcloud.interceptors import router

NOVA, SHOW = "/v2.1/{project_id}/servers/detail", "/v1/{project_id}/cloudservers/1ab"
ZH = ("--hwcloud-lang=zh", "--tb=short")
REPLAYED = (
    HEAD
    + """
import requests
import socket

@pytest.mark.hwcloud_cassette("some")
def test_not_recorded(hwcloud):
    get(hwcloud, "/v1/{project_id}/never?limit=1")

def test_no_cassette(hwcloud):
    get(hwcloud)

@pytest.mark.hwcloud_cassette("some")
def test_played_out(hwcloud):
    for _ in range(9):
        get(hwcloud, "/v1/{project_id}/once")

@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_refused(hwcloud):
    assert get(hwcloud).ok

@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_refused_otherwise(hwcloud):
    with hwcloud.refused("APIGW.0301"):
        get(hwcloud)

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_not_refused(hwcloud):
    with hwcloud.refused():
        get(hwcloud)

def test_nothing_in_the_block(hwcloud):
    with hwcloud.refused():
        pass

def test_wrong_gate(hwcloud):
    with hwcloud.refused(gate="authorisation"):
        pass

@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_not_ok(hwcloud):
    hwcloud.assert_ok(get(hwcloud))

def test_no_response(hwcloud):
    hwcloud.assert_ok(None)

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_called(hwcloud):
    get(hwcloud)
    hwcloud.assert_called("ecs:cloudServers:list", times=2)

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_never_called(hwcloud):
    get(hwcloud)
    hwcloud.assert_called("ecs:cloudServers:lst")

def test_no_calls(hwcloud):
    hwcloud.assert_called("ecs:cloudServers:list")

def test_scopes(hwcloud):
    hwcloud.token(project="cn-north-4", domain=True)

def test_unknown_domain(hwcloud):
    hwcloud.token(domain="other")

def test_unknown_project(hwcloud):
    hwcloud.token(project="cn-nrth-4")

def test_url(hwcloud):
    hwcloud.url("ecs", "/v1/{server_id}")

def test_service(hwcloud):
    hwcloud.url("esc", "/v1")

def test_region(hwcloud):
    hwcloud.url("ecs", "/v1", region="cn-nort-4")

def test_identity(hwcloud):
    hwcloud.session(identity="auditr")

def test_client(hwcloud):
    hwcloud.client(dict)

def test_deny(hwcloud):
    with hwcloud.deny("ecs:*:list"):
        pass

def test_mocked(hwcloud, requests_mock=None):
    hwcloud.explain("Ecs.0110")
    raise AssertionError("Ecs.0110")

@pytest.mark.hwcloud_cassette("network/dns-failure")
def test_network(hwcloud):
    get(hwcloud)

@pytest.mark.hwcloud_cassette("broken")
def test_broken(hwcloud):
    get(hwcloud)

def test_blocked(hwcloud):
    socket.create_connection(("ecs.cn-north-4.myhuaweicloud.com", 443))

def test_signature(hwcloud):
    from pytest_hwcloud import AkSkAuth
    AkSkAuth("a k", "")

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_code(hwcloud):
    assert get(hwcloud).json() == {"error": {"code": "Ecs.0110", "message": "x"}}
"""
)
JUDGED = (
    HEAD
    + """
@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.requires_permission("ecs:cloudServers:list", "vpc:ports:get", reason="r")
def test_declared(hwcloud):
    get(hwcloud)

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_swallowed(hwcloud):
    get(hwcloud)

@pytest.mark.hwcloud_cassette("some")
def test_unmapped(hwcloud):
    get(hwcloud, "/v1/{project_id}/once")
    get(hwcloud, SHOW)

@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.denied_permission("ecs:cloudServers:list", code="Ecs.0110")
def test_denied(hwcloud):
    with hwcloud.refused("Ecs.0110"):
        get(hwcloud)

@pytest.mark.hwcloud_cassette("authorization/token-without-permission")
def test_refused_in_cassette(hwcloud):
    get(hwcloud, auth=hwcloud.token())
"""
)
MARKERS = (
    "hwcloud_cassette()",
    'hwcloud_cassette("nonesuch")',
    "hwcloud_cassette(3)",
    'hwcloud_cassette("../x")',
    "hwcloud_identity()",
    'hwcloud_identity("auditr")',
    'hwcloud_identity("a", "b")',
    'requires_permission("ecs:*:list")',
    'requires_permission("ecs:cloudServers:lst")',
    "requires_permission()",
    'requires_permission("ecs:cloudServers:list", scope="x")',
    'requires_permission(any_of="ecs:cloudServers:list")',
    "requires_permission(3)",
    'requires_permission("ecs")',
    'denied_permission("ecs:cloudServers:list", kode="x")',
)


EXPECTED = Path(__file__).with_name("chinese_lines.txt")  # the exact words, a part a test


def chinese(text: str, folder: Path) -> list[str]:
    """The lines with Chinese in them, each once, without the places of this machine."""
    lines = (line.removeprefix("E   ").rstrip().replace(str(folder), "FOLDER") for line in text.splitlines())
    return list(dict.fromkeys(line for line in lines if any("\u4e00" <= sign <= "\u9fff" for sign in line)))


def compare(part: str, lines: list[str]) -> None:
    """What was said is what stands in the file; HWCLOUD_ACCEPT=1 writes it, to be read before it is committed."""
    parts = dict(re.findall(r"^# (\w+)\n(.*?)(?=^# |\Z)", EXPECTED.read_text(encoding="utf-8"), re.S | re.M))
    if os.environ.get("HWCLOUD_ACCEPT"):
        parts[part] = "".join(f"{line}\n" for line in lines)
        EXPECTED.write_text("".join(f"# {name}\n{text}" for name, text in parts.items()), encoding="utf-8")
    assert lines == parts.get(part, "").splitlines()


def look(result: pytest.RunResult, *, lines: int) -> None:
    """The run said something, in Chinese, and nothing in English."""
    text = result.stdout.str() + "\n" + result.stderr.str()
    assert len([line for line in text.splitlines() if any("\u4e00" <= sign <= "\u9fff" for sign in line)]) >= lines
    assert not (left := "\n".join(english(text))), left


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    folder = Path(pytester.path)
    once = answer("/v1/{project_id}/once")
    cassette(folder, "some", once, answer(SHOW), answer(NOVA, 403, {"error": {"code": "Ecs.0110", "message": "no"}}))
    file = folder / "cassettes" / "some.yaml"
    file.write_text(file.read_text().replace('"repeat_last": true', '"made": "by hand"'))
    (folder / "cassettes" / "broken.yaml").write_text("interactions:\n- request: {method: GET}\n")
    old = json.dumps({"version": 1, "interactions": [{**once, "recorded_at": "2020-01-01T00:00:00Z"}]})
    (folder / "cassettes" / "test_it").mkdir()
    (folder / "cassettes" / "test_it" / "test_gone.yaml").write_text(old)
    (folder / "cassettes" / "test_it" / "test_no_calls.yaml").write_text(old)
    return folder


def test_a_replay_that_fails_in_every_way(run: Run, project: Path) -> None:
    options = ("-o", "hwcloud_max_age=30", "-o", "hwcloud_cassette_checks=enforce", "--hwcloud-permissions=off")
    result = run(REPLAYED, *ZH, *options)
    look(result, lines=80)
    ours = ("AssertionError: hwcloud.", "TypeError: hwcloud.", "ValueError: ", "pytest_hwcloud.", "cassettes/")
    said = [line for line in chinese(result.stdout.str(), project) if line.startswith(ours) and "天前" not in line]
    compare("replay", said)


def test_findings_lock_proof_and_reports(run: Run, pytester: pytest.Pytester, project: Path) -> None:
    file = policy(project, "iam/r.json", ("ecs:*:list*",), ("ecs:cloudServers:list", "ecs:nosuch:thing"))
    reports = [f"--hwcloud-report={kind}:out.{kind}" for kind in ("md", "html")]
    options = (*ZH, f"--hwcloud-policy={file}", *reports)
    look(run(JUDGED, *options, "--hwcloud-lock=update", "--hwcloud-prove=all"), lines=20)
    assert not (left := "\n".join(english((project / "out.md").read_text(encoding="utf-8")))), left
    look(run(JUDGED, *options, "--hwcloud-lock=check", "--hwcloud-permissions=enforce"), lines=20)
    policy(project, "iam/r.json", ("vpc:*:*",))
    look(run(JUDGED, *options, "--hwcloud-lock=check", "--hwcloud-permissions=enforce"), lines=20)


def test_wrong_markers(run: Run, project: Path) -> None:
    source = "import pytest\n" + "".join(
        f"class Test{number}:\n    @pytest.mark.{marker}\n    def test_it(self, hwcloud): pass\n"
        for number, marker in enumerate(MARKERS)
    )
    result = run(source, *ZH)
    look(result, lines=len(MARKERS))
    compare("markers", [line for line in chinese(result.stdout.str(), project) if line.startswith("test_it.py")])


OPTIONS = """
--hwcloud-policy=none.json
--hwcloud-policy=auditr=iam/x.json
--hwcloud-policy==
--hwcloud-report=x
--hwcloud-region=cn-nort-4
--hwcloud-verify
--hwcloud-record=all
--hwcloud-mode=record
-ohwcloud_max_age=x
-ohwcloud_config=none.yaml
-ohwcloud_mode=x
-ohwcloud_env=x
"""


def test_wrong_options(run: Run, project: Path) -> None:
    said = []
    for option in OPTIONS.strip().splitlines():
        result = run("def test_it(hwcloud): pass", *ZH, option)
        look(result, lines=1)
        said += chinese(result.stderr.str(), project)
    compare("options", said)


CONFIGURATIONS = r"""
identities: 3
identitis: {}
identities: {a: {polices: []}}
identities: {a: {policies: [none.json]}}
identities: {a: {ak: 3}}
identities: {a: {ak: x}}
identities: {a: {ak: 'x y', sk: z}}
a: [
{}: 3
region: [1]
ignores: [{rule: HWP999}]
ignores: [{rule: HWP001, match: '*', reason: x, until: soon}]
actions: [none.yaml]
recording: {keep: ['*']}
identities: {a: {context: {x: 1}}}
x: !!python/name:os.system
identities: {a: {policies: [{policy: x.json}]}}
region: cn-nort-4
region: a\nregion: b
"""


def test_wrong_configurations(pytester: pytest.Pytester, run: Run, project: Path) -> None:
    found, said = [], []
    for text in CONFIGURATIONS.strip().splitlines():
        (project / "hwcloud.yaml").write_text(text.replace("\\n", "\n"))
        result = run("def test_it(hwcloud): pass", *ZH)
        assert result.ret == 4, text
        found += list(english(result.stderr.str()))
        said += chinese(result.stderr.str(), project)
    assert not found, "\n".join(found)
    compare("configurations", said)


@pytest.fixture
def cloud(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with Cloud(tmp_path) as found:
        found.reachable(monkeypatch)
        found.give_credentials(monkeypatch)
        yield found
    router.leave()


def test_record_live_and_verify(run: Run, cloud: Cloud, pytester: pytest.Pytester) -> None:
    source = HEAD + "def test_it(hwcloud):\n    get(hwcloud)\n"
    look(run(source, *ZH, "--hwcloud-mode=record"), lines=1)
    cloud.answers["GET /v1/{id}/cloudservers/detail"] = lambda request: (403, {"error": {"code": "Ecs.0110"}}, {})
    look(run(source, *ZH, "--hwcloud-mode=live", "--hwcloud-verify"), lines=4)
    secret = {"servers": [{"blob": "-----BEGIN PRIVATE KEY-----", "note": "Zk9QW3xR7tYb2LmN8vCd5hJs1gAf4eUo6iPrKq0w"}]}
    cloud.answers["GET /v1/{id}/cloudservers/detail"] = lambda request: (200, secret, {})
    look(run(source, *ZH, "--hwcloud-mode=record", "--hwcloud-record=all"), lines=2)
    denied = HEAD + "def test_it(hwcloud):\n    with hwcloud.deny('ecs:cloudServers:list'):\n        get(hwcloud)\n"
    look(run(denied, *ZH, "--hwcloud-mode=live"), lines=2)


def test_help_and_markers(run: Run, pytester: pytest.Pytester) -> None:
    ours = run("", *ZH, "--help").stdout.str().partition("华为云（pytest-hwcloud）:")[2].partition("\n\n")[0]
    assert ours.count("--hwcloud-") == 11
    assert list(english(ours)) == []
    lines = [line for line in run("", *ZH, "--markers").stdout.lines if "hwcloud_" in line or "_permission" in line]
    assert len(lines) == 4
    assert list(english("\n".join(lines))) == []


COMMANDS = r"""
policy lint iam/r.json
policy lint none.json iam/bad.json
policy lint iam/all.json
policy check iam/r.json --action ecs:cloudServers:list
policy check iam/r.json --action vpc:ports:gt
policy diff iam/r.json iam/s.json
policy check iam/s.json --action ecs:cloudServers:list --context x
policy minimise
policy minimise --lock none.yaml
policy lint 'system:ECS ReadOnlyAcces'
explain Ecs.0110 APIGW.0301
explain Ecs.011
explain HWP004
explain HWP999
explain
explain - --bogus
needs GET https://ecs.cn-north-4.myhuaweicloud.com/v1/p/cloudservers/detail
needs GET x
needs GTE x
needs
needs GET https://ecs.cn-north-4.myhuaweicloud.com/v1/p/nowhere
needs GET https://esc.cn-north-4.myhuaweicloud.com/
needs POST https://ecs.cn-north-4.myhuaweicloud.com/v1/p/cloudservers/action
needs GET https://x.y/ --body none
actions list ecs:*:lst
actions list dcs
actions list --service esc
actions refresh --from none
actions refresh 'a b'
actions refresh
policy lint empty
policy check iam/r.json --action x
policy diff - -
policy minimise --grammar 6
cassettes list
cassettes show success/list-servers
cassettes show none
cassettes show network/dns-failure
cassettes scan cassettes
cassettes scan none
cassettes scrub cassettes
cassettes scrub cassettes --write
cassettes scan cassettes --keep '*'
cassettes
help
help nowhere
run
run --cassette none -- true
run --deny x -- true
run -- no-such-program
run --policy none.json -- true
explan
--help
explain --help
needs --help
actions --help
actions list --help
actions refresh --help
policy --help
policy check --help
policy lint --help
policy diff --help
policy minimise --help
cassettes --help
cassettes list --help
cassettes show --help
cassettes scan --help
cassettes scrub --help
run --help
help --help
"""


OURS = ("needs", "actions", "help", "explan", "cassettes")  # what others say has its exact words elsewhere


def test_every_command(project: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(project)
    policy(project, "iam/r.json", ("ecs:*:list*",), ("ecs:cloudServers:list", "ecs:nosuch:thing"))
    policy(
        project,
        "iam/s.json",
        {"Effect": "Deny", "Action": ["ecs:*:*"], "Condition": {"Bool": {"g:MFAPresent": "true"}}},
    )
    (project / "iam" / "bad.json").write_text('{"Version": "2", "Statement": [{"Efect": 1, "Action": "a"}]}')
    policy(
        project, "iam/all.json", ("*:*:*",), ("ecs:*:*", "obs:bucket:list"), {"Effect": "Deny", "Action": ["ecs:*:*"]}
    )
    (project / "empty").mkdir()
    leaking = answer("/v1/{project_id}/once", body={"password": "Zk9QW3xR7tYb", "access": "x"})
    leaking["request"]["headers"] = {"Authorization": ["Bearer abcdefgh1234567890"]}
    cassette(project, "leaking", leaking)
    found, said = [], []
    for line in ("", *COMMANDS.strip().splitlines()):
        words = shlex.split(line)
        before = [*words[: words.index("--")], "--lang", "zh", *words[words.index("--") :]] if "--" in words else None
        with suppress(SystemExit):  # --help
            command(before or [*words, "--lang", "zh"])
        out, err = capfd.readouterr()
        assert (out + err).strip(), line
        if words[:2] == ["cassettes", "show"]:  # what the file itself says of its origin
            out = "\n".join(row for row in out.splitlines() if not row.startswith("  "))
        found += [f"{line}: {text}" for text in english(out + err)]
        if words[:1] and words[0] in OURS and "--help" not in words:
            said += [f"$ {line}", *chinese(out + err, project)]
    assert texts.language() == "en"
    assert not found, "\n".join(found)
    compare("commands", said)


JSON = """
needs GET https://ecs.cn-north-4.myhuaweicloud.com/v1/p/nowhere --json
needs GTE x --json
policy lint iam/r.json --json
policy check iam/r.json --action vpc:ports:gt --json
policy minimise --json
cassettes scan cassettes --json
cassettes scrub cassettes --json
actions list --service esc --json
"""


def test_what_machines_read_is_english(project: Path, capfd: pytest.CaptureFixture[str]) -> None:
    policy(project, "iam/r.json", ("ecs:*:list*",), ("ecs:cloudServers:list", "ecs:nosuch:thing"))
    for line in JSON.strip().splitlines():
        command([*shlex.split(line), "--lang", "zh"])
        out, err = capfd.readouterr()
        json.loads(out)
        assert chinese(out + err, project) == [], line


def test_english_would_be_found() -> None:
    sentences = [
        phrase
        for area in ("cassettes", "run", "config", "markers", "gateway", "wire", "expectations", "policies")
        for phrase in texts.phrases("en", area).values()
        if isinstance(phrase, str) and len(re.findall(r"\b[a-z]{3,}\b", phrase)) > 4
    ]
    missed = [phrase for phrase in sentences if not list(english(phrase))]
    assert len(sentences) > 100
    assert len(missed) < len(sentences) / 15, missed  # those of few words between their slots
