"""Policy files that cannot be used: one line with file, line and key, exit code 2; the good files are told, too."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_hwcloud.commands.cli import run

GOOD = '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:*:list*"]}]}'


def document(**changes: object) -> str:
    statement = {"Effect": "Allow", "Action": ["ecs:*:list*"]} | changes
    return json.dumps({"Version": "1.1", "Statement": [{k: v for k, v in statement.items() if v != "absent"}]})


# Text of the file -> what is said after its name.
TEXTS = {
    "": ":1: not valid JSON: Expecting value",
    " ": ":1: not valid JSON: Expecting value",
    "{": ":1: not valid JSON: Expecting property name enclosed in double quotes",
    "{\n'a': 1}": ":2: not valid JSON: Expecting property name enclosed in double quotes",
    GOOD + "x": ":1: not valid JSON: Extra data",
    "[]": ":1: a policy document is a JSON object",
    "3": ":1: a policy document is a JSON object",
    '"text"': ":1: a policy document is a JSON object",
    "null": ":1: a policy document is a JSON object",
    "9" * 5000: ":1: not valid JSON: a number of more than 4,300 digits",
    '{"Version": ' + "9" * 5000 + "}": ":1: not valid JSON: a number of more than 4,300 digits",
    "[" * 100_000: ":1: nested too deeply",
    '{"a":' * 100_000: ":1: nested too deeply",
    '{"Version": "1.1", "Version": "1.1"}': ":1: Version: given twice in one object; only one would count",
}
TEXTS |= {
    "{'Version': '1.1'}": ":1: not valid JSON: Expecting property name enclosed in double quotes",
    "Version: '1.1'\nStatement: []\n": ":1: not valid JSON: Expecting value",
    "// a comment\n" + GOOD: ":1: not valid JSON: Expecting value",
    GOOD.replace("]}]}", "]},]}"): ":1: not valid JSON: ",
    GOOD + "\n" + GOOD: ":2: not valid JSON: Extra data",
    "\ufeff": ":1: not valid JSON: Expecting value",
    '{"Version": "1.1\x01"}': ":1: not valid JSON: Invalid control character at",
    '{"Version": "1.1",\n"Statement": [{"Effect": "Al\tlow"}]}': ":2: not valid JSON: Invalid control character at",
    '{"Version": tru}': ":1: not valid JSON: Expecting value",
    '{"a": "\\x"}': ":1: not valid JSON: Invalid \\escape",
    '{"Version": "1.1", "Statement": [], "a\\u0000b": 1}': ":1: a\\x00b: unknown key; known: Version, Statement",
    '{"Version": "1.1", "Statement": [], "\\ud800": 1}': ":1: \\ud800: unknown key; known: Version, Statement, Depends",
    '{"version": "1.1"}': ":1: version: unknown key, did you mean 'Version'?",
    '{"role": []}': ":1: role: unknown key; known: Version, Statement, Depends",
    '{"Version": ["1.1"], "Statement": []}': ":1: Version: ['1.1'] is unknown; write",
    '{"Version": "1.1 ", "Statement": []}': ":1: Version: '1.1 ' is unknown; write",
    '{"Version": "5", "Statement": []}': ":1: Version: '5' is unknown; write",
    '{"Version": "1.1", "Statement": {"Effect": "Allow"}}': ":1: Statement: must be a list: ",
    '{"Version": "1.1", "Statement": [null]}': ":1: statement 1: must be an object: ",
    '{"Version": "1.1", "Statement": [{}]}': ":1: statement 1: Effect: is missing; write",
    '{"Version": "1.0", "Statement": [], "Depends": [{"name": "x"}]}': ":1: Depends: must be a list of {catalog,",
    document(Effect="Allow "): ":1: statement 1: Effect: 'Allow ' is unknown; write",
    document(Effect=["Allow"]): ":1: statement 1: Effect: ['Allow'] is unknown; write",
    document(Action=[""]): ":1: statement 1: Action: must be a list of texts",
    document(Action=[" "]): ":1: statement 1: Action: ' ' is no action",
    document(Action=["ecs::"]): ":1: statement 1: Action: 'ecs::' is no action",
    document(Action=["ecs:cloudServers:list\n"]): ":1: statement 1: Action: 'ecs:cloudServers:list\\n' is no action",
    document(Action=[["a:b:c"]]): ":1: statement 1: Action: must be a list of texts",
    document(Action=True): ":1: statement 1: Action: must be a list of texts",
    document(Action=["ecs:a:b,ecs:c:d"]): ":1: statement 1: Action: 'ecs:a:b,ecs:c:d' has more than three parts",
    document(Sid=5): ":1: statement 1: Sid: must be a text",
    document(Resource=[""]): ":1: statement 1: Resource: must be a list of texts",
    document(Resource={"url": ["x"]}): ":1: statement 1: Resource: must be a list of texts",
    document(Resource=["*"], NotResource=["*"]): ":1: statement 1: NotResource: Resource and NotResource exclude",
    document(Condition={"": {"g:UserName": ["a"]}}): ":1: statement 1: Condition.: unknown operator",
    document(Condition={"NullIfExists": {"g:UserName": "true"}}): ":1: statement 1: Condition.NullIfExists: unknown",
    document(
        Condition={"ForSomeValues:Bool": {"g:MFAPresent": "true"}}
    ): ":1: statement 1: Condition.ForSomeValues:Bool",
    document(
        Condition={"stringequals": {"g:UserName": "a"}}
    ): ":1: statement 1: Condition.stringequals: unknown operator,",
    document(
        Condition={"StringEquals": {"g:UserName": []}}
    ): ":1: statement 1: Condition.StringEquals.g:UserName: must be",
    document(
        Condition={"StringEquals": {"g:UserName": [["a"]]}}
    ): ":1: statement 1: Condition.StringEquals.g:UserName: must",
    document(
        Condition={"NumberEquals": {"g:MFAAge": "9" * 6000}}
    ): ":1: statement 1: Condition.NumberEquals.g:MFAAge: '999",
    document(
        Condition={"NumberEquals": {"g:MFAAge": ["1e99999"]}}
    ): ":1: statement 1: Condition.NumberEquals.g:MFAAge: '1e9",
    document(
        Condition={"DateLessThan": {"g:CurrentTime": "2026-01-01T00:00:00+99:00"}}
    ): ":1: statement 1: Condition.Date",
    document(
        Condition={"IpAddress": {"g:SourceIp": ["10.0.0.0/33"]}}
    ): ":1: statement 1: Condition.IpAddress.g:SourceIp: '",
}
# Wrong within: lint tells them as findings, check as wrong use.
INSIDE = [
    document(Effect="Permit"),
    document(Effect=3),
    document(Effect="absent"),
    document(Action="absent"),
    document(Action=[]),
    document(Action=[3]),
    document(Action={"a": 1}),
    document(Action=["ecs"]),
    document(Action=["ecs:a:b:c"]),
    document(Action=["a:b:c"], NotAction=["d:e:f"]),
    document(Resource=3),
    document(Resource=[None]),
    document(Condition=[]),
    document(Condition={"StringEqual": {"g:UserName": ["a"]}}),
    document(Condition={"Bool": {"g:MFAPresent": ["perhaps"]}}),
    document(Condition={"DateLessThan": {"g:CurrentTime": ["1e300"]}}),
    document(Condition={"DateLessThan": {"g:CurrentTime": ["2026-99-99"]}}),
    document(Condition={"NumberLessThan": {"obs:max-keys": ["many"]}}),
    document(Condition={"IpAddress": {"g:SourceIp": ["300.1.1.1"]}}),
    document(Condition={"Null": {"g:SourceIp": ["maybe"]}}),
    document(Condition={"StringEquals": {"g:UserName": {}}}),
    document(Condition={"StringEquals": 3}),
    '{"Version": "9.9", "Statement": []}',
    '{"Version": "1.1"}',
    '{"Version": "1.1", "Statement": 3}',
    '{"Version": "1.1", "Statement": [3]}',
    '{"Statement": []}',
    '{"Version": 1.1, "Statement": []}',
    '{"Version": "1.1", "Statment": []}',
]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "good.json").write_text(GOOD)
    return tmp_path


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = run(arguments)
    shown = capsys.readouterr()
    return code, shown.out, shown.err


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_a_broken_text_is_one_line(here: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (here / "bad.json").write_text(text)
    wanted = f"pytest-hwcloud: bad.json{TEXTS[text]}"
    code, _, err = said(capsys, "policy", "check", "bad.json", "--action", "ecs:cloudServers:list")
    assert (code, err.startswith(wanted), err.count("\n")) == (2, True, 1), err
    assert len(err) < 300
    code, _, err = said(capsys, "policy", "diff", "good.json", "bad.json")
    assert (code, err.startswith(wanted), err.count("\n")) == (2, True, 1)


@pytest.mark.parametrize("text", INSIDE, ids=range(len(INSIDE)))
def test_what_is_wrong_within_has_file_and_line(here: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (here / "bad.json").write_text(text)
    code, out, err = said(capsys, "policy", "lint", "bad.json")
    assert code == 1
    assert all(line.startswith("bad.json:1: ") for line in out.splitlines())
    assert "Traceback" not in err


def test_one_bad_file_hides_no_other(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "iam").mkdir()
    (here / "iam" / "a.json").write_text("{")
    (here / "iam" / "b.json").write_text(document(Action=["ecs:cloudServer:list"]))
    (here / "iam" / "c.json").write_text("[]")
    code, out, err = said(capsys, "policy", "lint", "iam", "nope.json")
    assert code == 2
    assert {line.partition(": ")[0] for line in out.splitlines()} == {"iam/b.json:1"}
    assert [line.split(": ")[1] for line in err.splitlines()] == ["iam/a.json:1", "iam/c.json:1", "nope.json"]
    code, _, err = said(capsys, "policy", "check", "iam", "--action", "ecs:cloudServers:list")
    assert (code, len(err.splitlines())) == (2, 2)


def test_a_folder_is_its_policies(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "iam" / "deep").mkdir(parents=True)
    (here / "iam" / "deep" / "a.json").write_text(GOOD)
    assert said(capsys, "policy", "lint", "iam") == (0, "nothing found in iam/deep/a.json\n", "")
    assert said(capsys, "policy", "check", "iam", "--action", "ecs:cloudServers:list")[0] == 0
    assert said(capsys, "policy", "diff", "good.json", "iam")[0] == 0


def test_an_empty_folder_is_no_clean_answer(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "iam").mkdir()
    wanted = (2, "", "pytest-hwcloud: iam: no policy documents (*.json) in this folder\n")
    assert said(capsys, "policy", "lint", "iam") == wanted
    assert said(capsys, "policy", "check", "iam", "--action", "a:b:c") == wanted


def test_standard_input(here: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def given(text: str) -> None:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text.encode())))

    given(document(Effect="Permit"))
    code, out, _ = said(capsys, "policy", "lint", "-")
    assert (code, out) == (
        1,
        'standard input:1: grammar  statement 1: Effect: \'Permit\' is unknown; write "Allow" or "Deny"\n',
    )
    given(GOOD)
    assert said(capsys, "policy", "check", "-", "--action", "ecs:cloudServers:list")[0] == 0
    given("{")
    code, _, err = said(capsys, "policy", "diff", "good.json", "-")
    assert (code, err.startswith("pytest-hwcloud: standard input:1: not valid JSON")) == (2, True)


@pytest.mark.skipif(sys.platform == "win32", reason="needs pipes and devices as files")
@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("pipe", "pipe: is a pipe, a socket or a device, not a regular file"),
        ("/dev/zero", "/dev/zero: is a pipe, a socket or a device, not a regular file"),
        ("loop", "loop: is a link that leads to itself"),
        ("dangling", "dangling: is a link to a file that does not exist"),
        ("a\0b", "a\\0b: no file can have this name (it holds a NUL or a character that is no text)"),
        ("big", "big: larger than 8 MB; IAM takes policies of some thousand characters"),
        ("image", "image: line 1 is not UTF-8 text (byte 0xff); save the file as UTF-8"),
        ("x" * 300, f"{'x' * 300}: cannot be read: File name too long"),
        ("system:ECS ReadOnlyAcess", "system:ECS ReadOnlyAcess: "),
    ],
    ids=lambda value: value[:10].replace("\0", "-"),
)
def test_what_is_no_file_is_not_read(here: Path, capsys: pytest.CaptureFixture[str], name: str, wanted: str) -> None:
    os.mkfifo(here / "pipe")
    (here / "loop").symlink_to("loop")
    (here / "dangling").symlink_to("nowhere")
    (here / "image").write_bytes(b"\xff\xfe\x00")
    with open(here / "big", "wb") as file:
        file.truncate((8 << 20) + 1)
    code, _, err = said(capsys, "policy", "lint", name)
    assert (code, err.startswith(f"pytest-hwcloud: {wanted}"), err.count("\n")) == (2, True, 1)
    code, _, err = said(capsys, "policy", "check", name, "--action", "ecs:cloudServers:list")
    assert (code, err.startswith(f"pytest-hwcloud: {wanted}"), err.count("\n")) == (2, True, 1)


def test_a_terminal_without_the_signs_gets_them_escaped(here: Path) -> None:
    (here / "bad.json").write_text(
        '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:\\ud800:x"]}]}'
    )
    for arguments in (["explain", "Common.0018", "--lang", "zh"], ["policy", "lint", "bad.json"]):
        shown = subprocess.run(
            [sys.executable, "-m", "pytest_hwcloud", *arguments],
            env={**os.environ, "PYTHONIOENCODING": "ascii"},
            capture_output=True,
            check=False,
        )
        assert shown.returncode in (0, 1), shown.stderr
        assert shown.stdout.isascii()
        assert b"Traceback" not in shown.stderr


def test_five_thousand_unknown_actions_are_told(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "bad.json").write_text(document(Action=[f"ecs:cloudServer:list{n}" for n in range(5000)]))
    code, out, _ = said(capsys, "policy", "lint", "bad.json")
    assert code == 1
    assert sum("HWP010" in line for line in out.splitlines()) == 5000


# What is read, and means nothing, or something else than it seems.
DOUBTFUL = {
    document(
        Action=["ecs:cloud\nServers:list"]
    ): "HWP010 unknown-action  statement 1: ecs:cloud\\nServers:list: no such",
    document(
        Action=["ecs:cloudServers:list\u200b"]
    ): "HWP010 unknown-action  statement 1: ecs:cloudServers:list\\u200b: no",
    document(
        Action=["ecs：cloudServers：list"]
    ): "grammar  statement 1: Action: ecs：cloudServers：list: an action of version",
    document(
        Action=["\u0435cs:cloudServers:list"]
    ): "HWP010 unknown-action  statement 1: \u0435cs:cloudServers:list: no action",
    document(Action=["**:**:**"]): "grammar  statement 1: Action: **:**:**: a service name has no wildcard in it",
    document(
        Resource=["arn:aws:s3:::b"]
    ): "grammar  statement 1: Resource: arn:aws:s3:::b: is a resource of AWS; a resource",
    document(
        Condition={"StringEquals": {"UserName": "a"}}
    ): "grammar  statement 1: Condition: 'UserName' is no condition"
    " key: it has a prefix, for instance 'g:UserName' or obs:max-keys",
    document(
        Condition={"StringEquals": {"": "a"}}
    ): "grammar  statement 1: Condition: '' is no condition key: it has a",
    document(Condition={"StringEquals": {"g:UserNme": "a"}}): "grammar  statement 1: Condition: no global condition key"
    " g:UserNme is documented; did you mean g:UserName?",
    document(Condition={"Bool": {"g:MfaPresnt": "true"}}): "grammar  statement 1: Condition: no global condition key"
    " g:MfaPresnt is documented; did you mean g:MFAPresent?",
    GOOD[:-1] + ', "Depends": []}': "grammar  Depends: only roles (version 1.0) have it, and nothing looks at it here",
}


WHOLE = [
    (
        document(Resource=["arn:aws:s3:::b"]),
        "statement 1: Resource: arn:aws:s3:::b: is a resource of AWS; a resource has five parts:"
        " service:region:account:type:path",
        "第 1 条语句：Resource：arn:aws:s3:::b：这是 AWS 的资源；资源由五部分组成：service:region:account:type:path",
    ),
    (
        document(Condition={"StringEquals": {"UserName": "a"}}),
        "statement 1: Condition: 'UserName' is no condition key: it has a prefix, for instance 'g:UserName' or"
        " obs:max-keys",
        "第 1 条语句：Condition：'UserName' 不是条件键：条件键带有前缀，例如 'g:UserName' 或 obs:max-keys",
    ),
    (
        document(Condition={"StringEquals": {"g:UserNme": "a"}}),
        "statement 1: Condition: no global condition key g:UserNme is documented; did you mean g:UserName?",
        "第 1 条语句：Condition：没有记录全局条件键 g:UserNme；是否指 g:UserName？",
    ),
    (
        GOOD[:-1] + ', "Depends": []}',
        "Depends: only roles (version 1.0) have it, and nothing looks at it here",
        "Depends：只有角色（1.0 版本）才有，此处不起作用",
    ),
]


@pytest.mark.parametrize(("text", "english", "chinese"), WHOLE)
def test_whole_lines_in_both_languages(
    here: Path, capsys: pytest.CaptureFixture[str], text: str, english: str, chinese: str
) -> None:
    (here / "bad.json").write_text(text)
    for arguments, line in (((), english), (("--lang", "zh"), chinese)):
        code, out, err = said(capsys, "policy", "lint", "bad.json", *arguments)
        assert (code, err) == (1, "")
        assert f"bad.json:1: grammar  {line}" in out.splitlines()


@pytest.mark.parametrize("text", DOUBTFUL, ids=range(len(DOUBTFUL)))
def test_what_seems_to_say_something_is_told(here: Path, capsys: pytest.CaptureFixture[str], text: str) -> None:
    (here / "bad.json").write_text(text)
    code, out, err = said(capsys, "policy", "lint", "bad.json")
    assert (code, err) == (1, "")
    assert any(line.startswith(f"bad.json:1: {DOUBTFUL[text]}") for line in out.splitlines()), out
    assert all(line.startswith("bad.json:1: ") for line in out.splitlines())


def test_known_keys_are_none(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    keys = ["g:username", "G:MFAPresent", "g:ResourceTag/owner", "g:SourceVpce", "obs:max-keys", "g:PrincipalUrn"]
    (here / "fine.json").write_text(document(Condition={"StringEquals": dict.fromkeys(keys, "a")}))
    assert said(capsys, "policy", "lint", "fine.json") == (0, "nothing found in fine.json\n", "")


def test_many_stars_are_matched_at_once(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Tried in every way, a dozen stars over a text of 60 signs take years."""
    stars = "*a" * 40 + "*b"
    limited = document(
        Action=["ecs:cloudServers:start"],
        Resource=[f"ecs:*:*:instance:{stars}"],
        Condition={"StringMatch": {"g:UserName": [stars]}},
    )
    (here / "stars.json").write_text(limited)
    asked = ["policy", "check", "stars.json", "--action", "ecs:cloudServers:start"]
    for last, code in (("a", 1), ("b", 0)):
        text = "a" * 3000 + last
        facts = ["--resource", f"ecs:r:acc:instance:{text}", "--context", f"g:UserName={text}"]
        assert said(capsys, *asked, *facts)[0] == code
