"""`pytest-hwcloud run`: any program against the replayed cloud; what is said, and the exit status."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_hwcloud.commands import cli

HOST = "ecs.cn-north-4.myhuaweicloud.com"
PROJECT = "05041fffa40025702f6dc009cc6f8f33"
PROGRAM = f"""
import http.client, os, sys
from pytest_hwcloud import sign
for path in sys.argv[1:]:
    url = "https://{HOST}/v1/{PROJECT}/" + path
    headers = sign("GET", url, {{}}, b"", ak=os.environ["HUAWEICLOUD_SDK_AK"], sk=os.environ["HUAWEICLOUD_SDK_SK"])
    line = http.client.HTTPSConnection("{HOST}")
    line.request("GET", url[url.index("/v1"):], headers=headers)
    answer = line.getresponse()
    print(answer.status, answer.read().decode())
"""
LIST = "cloudservers/detail"
NONE = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["vpc:*:*"]}]}
Called = Callable[..., tuple[int, str, list[str]]]


@pytest.fixture
def call(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Called:
    """Run the command in an empty folder: exit status, standard output, and the lines of standard error."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "list.py").write_text(PROGRAM)

    def runs(*arguments: str) -> tuple[int, str, list[str]]:
        capfd.readouterr()
        before = dict(os.environ)
        status = cli.run(["run", *arguments])
        assert dict(os.environ) == before
        out, err = capfd.readouterr()
        return status, out, [line for line in err.splitlines() if line.strip()]

    return runs


def listing(*paths: str) -> tuple[str, ...]:
    return "--", sys.executable, "list.py", *paths


NAME = f"{Path(sys.executable).name} list.py"


def test_calls_and_needs_are_told_and_the_output_is_the_programs(call: Called) -> None:
    status, out, told = call("--cassette", "success/list-servers", *listing(LIST))
    assert (status, out[:5], '"count": 8' in out) == (0, "200 {", True)
    assert told == [
        "hwcloud: 1 call, 0 refused",
        "  200  GET ecs /v1/{project_id}/cloudservers/detail  (ecs:cloudServers:list)",
        "  needs ecs:cloudServers:list",
    ]


def test_a_denied_action_is_refused_and_explained(call: Called) -> None:
    status, out, told = call("--cassette", "success/list-servers", "--deny", "ecs:cloudServers:list", *listing(LIST))
    assert (status, out[:4]) == (0, "403 ")  # the program does not mind, and nothing is open: it was asked for
    request = json.loads(out[4:])["request_id"] if "request_id" in out else told[-1].split()[-1]
    assert told == [
        "hwcloud: 1 call, 1 refused",
        "  403  GET ecs /v1/{project_id}/cloudservers/detail  (ecs:cloudServers:list)",
        "  needs ecs:cloudServers:list",
        "hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs",
        f"  call      GET https://{HOST}/v1/05041fff…/cloudservers/detail",
        "  message   do not have the required roles, forbidden to perform this action.",
        "  identity  default (user ci-reader) · AK/SK",
        "  needs     ecs:cloudServers:list  (5.0: ecs:cloudServers:listServersDetails)",
        "  cause     The caller is known to the cloud, but its user, group or token lacks the ECS role or action. "
        "The option --deny refuses it.",
        "  fix       Allow ecs:cloudServers:list for ci-reader in IAM (a policy of one of the user's groups). "
        "With AK/SK no new keys are needed.",
        f"  request   {request}",
    ]


def test_an_unrecorded_call_is_told_to_the_program_and_to_the_user_and_is_status_1(call: Called) -> None:
    status, out, told = call(*listing("never", "never"))
    missing = [
        f"hwcloud: no recorded answer for GET https://{HOST}/v1/{PROJECT}/never",
        f"  record     pytest-hwcloud run --record --cassette NAME -- {NAME} …",
    ]
    assert status == 1
    bodies = [json.loads(line[4:]) for line in out.splitlines() if line.startswith("400 ")]
    assert bodies == [{"error_code": "HWCLOUD.NotRecorded", "error_msg": "\n".join(missing)}] * 2
    assert told == ["hwcloud: 2 calls, 0 refused", "  not recorded  GET ecs /v1/{project_id}/never × 2", *missing]


def test_chinese(call: Called) -> None:
    _, out, told = call("--lang", "zh", "--deny", "ecs:cloudServers:list", *listing(LIST, "never"))
    assert out.startswith("403 ")
    assert told[:4] == [
        "hwcloud：2 次调用，1 次被拒绝",
        "  403     GET ecs /v1/{project_id}/cloudservers/detail  (ecs:cloudServers:list)",
        "  未录制  GET ecs /v1/{project_id}/never",
        "  所需权限 ecs:cloudServers:list",
    ]
    assert any(line.endswith("由选项 --deny 拒绝。") for line in told)


def test_an_open_finding_is_status_1_and_stands_in_every_report(call: Called, tmp_path: Path) -> None:
    (tmp_path / "none.json").write_text(json.dumps(NONE))
    reports = [f"--report={kind}:{tmp_path}/report.{kind}" for kind in ("json", "md", "sarif", "html")]
    status, _, told = call("--cassette", "success/list-servers", "--policy", "none.json", *reports, *listing(LIST))
    assert status == 1
    assert "HWP001 missing-permission  ecs:cloudServers:list   identity default" in told
    assert told[-1] == "hwcloud: exit status 1: 1 permission finding (HWP001), permissions enforce"
    found = json.loads((tmp_path / "report.json").read_text())["findings"][0]
    assert (found["test"], found["place"]) == (NAME, {"file": "list.py", "line": 1})
    for kind in ("md", "sarif", "html"):
        assert NAME in (tmp_path / f"report.{kind}").read_text()
    allowed = call("--cassette", "success/list-servers", "--policy", "system:ECS ReadOnlyAccess", *listing(LIST))
    assert (allowed[0], allowed[2][-1]) == (0, "calls: 1 judged by policy")


@pytest.mark.skipif(os.name == "nt", reason="a shell of POSIX")
def test_the_programs_own_status_wins(call: Called) -> None:
    assert call("--", "sh", "-c", "exit 7") == (7, "", ["hwcloud: 0 calls, 0 refused"])
    assert call("--", "sh", "-c", "kill -9 $$")[0] == 128 + 9
    program = f"{sys.executable} list.py never >&2; exit 3"
    assert call("--", "sh", "-c", program)[0] == 3
    # what PYTEST_ADDOPTS and the ini file want of the user's tests is not meant for a program, which sees its own
    os.environ["PYTEST_ADDOPTS"] = "--no-such-option"
    Path("pytest.ini").write_text(
        "[pytest]\naddopts = --cov\nrequired_plugins = pytest-cov\nhwcloud_lock = check\nhwcloud_prove = all\n"
    )
    try:
        found = call("--", "sh", "-c", "env | grep ^PYTEST")
    finally:
        del os.environ["PYTEST_ADDOPTS"]
    names = {line.partition("=")[0] for line in found[1].splitlines()}
    assert found[0] == 0
    assert "PYTEST_ADDOPTS" in names
    assert "PYTEST_DISABLE_PLUGIN_AUTOLOAD" not in names


WRONG = {
    (): "run: name the program behind --, for instance: pytest-hwcloud run --cassette success/list-servers -- npm test",
    ("--",): "run: name the program behind --, for instance: "
    "pytest-hwcloud run --cassette success/list-servers -- npm test",
    ("--cassete", "x", "--", "true"): "unrecognized arguments: --cassete; see pytest-hwcloud --help",
    ("--cassette", "success/list-server", "--", "true"): "--cassette: unknown cassette 'success/list-server'; did you "
    "mean 'success/list-servers'? (shipped, or files under {folder}/cassettes)",
    ("--identity", "nobody", "--", "true"): "--identity: unknown identity 'nobody'; known: default (identities of "
    "this run, hwcloud.yaml)",
    ("--deny", "ecs:nosuch:list", "--", "true"): "--deny: HWP010 unknown-action ecs:nosuch:list: no such action is "
    "documented; did you mean ecs:networks:list?",
    ("--deny", "ecs:cloudServers:list", "--record", "--cassette", "x", "--", "true"): "run: --deny refuses in replay "
    "only, and --record calls the real cloud: use one of them",
    ("--record", "--", "true"): "run: --record needs the cassette to write: --cassette NAME (a file such as "
    "calls.yaml)",
}


@pytest.mark.parametrize("arguments", WRONG)
def test_wrong_use_is_status_2_and_names_the_way_out(call: Called, arguments: tuple[str, ...], tmp_path: Path) -> None:
    told = WRONG[arguments].format(folder=tmp_path)
    assert call(*arguments) == (2, "", [f"pytest-hwcloud: {told}"])


CHINESE = {
    ("--",): "run：请在 -- 之后给出要运行的程序，例如：pytest-hwcloud run --cassette success/list-servers -- npm test",
    ("--record", "--", "true"): "run：--record 需要指定要写入的录制文件：--cassette NAME（例如 calls.yaml）",
    (
        "--record",
        "--cassette",
        "x",
        "--deny",
        "ecs:cloudServers:list",
        "--",
        "true",
    ): "run：--deny 仅在回放模式下拒绝调用，而 --record 会调用真实的华为云：请只使用其中之一",
}


@pytest.mark.parametrize("arguments", CHINESE)
def test_wrong_use_in_chinese(call: Called, arguments: tuple[str, ...]) -> None:
    assert call("--lang", "zh", *arguments) == (2, "", [f"pytest-hwcloud：{CHINESE[arguments]}"])


def test_options_of_the_run_that_cannot_be_used(call: Called, tmp_path: Path) -> None:
    assert call("--policy", "no.json", "--", "true") == (
        2, "", ["ERROR: hwcloud: no.json: no such file"]
    )  # fmt: skip
    assert call("--record", "--cassette", "x", "--", "true")[0] == 2


def test_a_command_that_cannot_be_run(call: Called, tmp_path: Path) -> None:
    assert call("--", "no-such-program") == (127, "", ["pytest-hwcloud: no-such-program: command not found"])
    (tmp_path / "plain").write_text("x")
    assert call("--", "./plain") == (126, "", ["pytest-hwcloud: ./plain: cannot be run: Permission denied"])
    assert call("--lang", "zh", "--", "./plain")[2] == ["pytest-hwcloud：./plain：无法运行：Permission denied"]
    assert call("--lang", "zh", "--", "no-such-program")[2] == ["pytest-hwcloud：no-such-program：未找到该命令"]


@pytest.mark.skipif(os.name == "nt", reason="signals of POSIX")
def test_standard_input_is_the_programs_and_a_signal_ends_it(tmp_path: Path) -> None:
    code = "import signal, sys\nsignal.signal(signal.SIGTERM, lambda *_: sys.exit(9))\nprint(input(), flush=True)\n"
    code += "signal.pause()"
    command = [sys.executable, "-m", "pytest_hwcloud", "run", "--", sys.executable, "-c", code]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, cwd=tmp_path, text=True, **pipes) as process:  # type: ignore[call-overload]
        process.stdin.write("hello\n")
        process.stdin.flush()
        assert process.stdout.readline() == "hello\n"
        process.send_signal(signal.SIGTERM)
        assert process.communicate(timeout=30)[1].strip() == "hwcloud: 0 calls, 0 refused"
    assert process.returncode == 9


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_a_program_that_waits_for_a_silent_cloud_decides_itself_how_long(call: Called, tmp_path: Path) -> None:
    cassette = tmp_path / "silent.yaml"
    request = f"{{method: GET, uri: 'https://{HOST}/v1/x', body: null, headers: {{}}}}"
    cassette.write_text(f"interactions:\n- request: {request}\n  fault: read-timeout\nversion: 1\n")
    before = time.monotonic()
    status, _, told = call("--cassette", str(cassette), "--", "curl", "-sm", "0.5", f"https://{HOST}/v1/x")
    assert (status, told[:2]) == (28, ["hwcloud: 1 call, 1 refused", "  read-timeout  GET ecs /v1/x"])
    assert time.monotonic() - before < 10
