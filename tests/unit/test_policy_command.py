"""`pytest-hwcloud policy check | lint | diff`: what the shell shows, for people and machines, and the exit codes."""

from __future__ import annotations

import io
import json
import re

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.commands import cli

WRITER = {
    "Version": "1.1",
    "Statement": [
        {"Effect": "Allow", "Action": ["ecs:*:list*"]},
        {"Effect": "Allow", "Action": ["ecs:cloudServers:start"]},
    ],
}


@pytest.fixture
def shell(tmp_path, monkeypatch, capsys):
    """Runs a command in a folder of policy files; gives exit code, output and error."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments, **files):
        for name, content in files.items():
            text = content if isinstance(content, str) else json.dumps(content)
            (tmp_path / f"{name}.json").write_text(text, encoding="utf-8")
        code = cli.run(["policy", *arguments])
        captured = capsys.readouterr()
        return code, captured.out, captured.err

    return run


def test_check_allowed(shell):
    assert shell("check", "a.json", "--action", "ecs:cloudServers:list", a=WRITER) == (
        0,
        'ecs:cloudServers:list\n  decision  allow: allowed by "ecs:*:list*" (statement 1 of a.json)\n',
        "",
    )


def test_check_of_several_actions_judges_each(shell):
    several = [part for name in ("start", "stop", "start") for part in ("--action", f"ecs:cloudServers:{name}")]
    assert shell("check", "a.json", *several, a=WRITER) == (
        1,
        "ecs:cloudServers:start\n"
        '  decision  allow: allowed by "ecs:cloudServers:start" (statement 2 of a.json)\n'
        "ecs:cloudServers:stop\n"
        "  decision  deny (implicit): no statement allows it; 2 statements looked at\n"
        '              1 allow ecs:*:list*             no: "stop" does not match\n'
        "              2 allow ecs:cloudServers:start  no\n",
        "",
    )
    code, out, _ = shell("check", "a.json", *several, "--json", a=WRITER)
    assert code == 1
    assert [row["effect"] for row in json.loads(out)["decisions"]] == ["allow", "deny"]
    assert shell("check", "a.json", *several[:2], a=WRITER)[0] == 0
    code, _, error = shell("check", "a.json", *several, "--action", "ecs", a=WRITER)
    assert (code, error.partition(":")[0]) == (2, "pytest-hwcloud")


def test_check_denied_says_what_came_closest(shell):
    assert shell("check", "a.json", "--action", "ecs:cloudServers:showServer", a=WRITER) == (
        1,
        "ecs:cloudServers:showServer\n"
        "  decision  deny (implicit): no statement allows it; 2 statements looked at\n"
        '              1 allow ecs:*:list*             no: "showServer" and its alias "get" do not match\n'
        "              2 allow ecs:cloudServers:start  no\n",
        "",
    )


def test_check_denied_explicitly_among_several_files(shell):
    deny = {"Version": "1.1", "Statement": [{"Effect": "Deny", "Action": ["ecs:*:start"]}]}
    code, out, _ = shell("check", "a.json", "b.json", "--action", "ecs:cloudServers:start", a=WRITER, b=deny)
    assert code == 1
    assert out == (
        "ecs:cloudServers:start\n"
        '  decision  deny (explicit): denied by "ecs:*:start" (statement 1 of b.json)\n'
        '              a.json 1 allow ecs:*:list*             no: "start" does not match\n'
        "              a.json 2 allow ecs:cloudServers:start  yes\n"
        "              b.json 1 deny ecs:*:start              yes\n"
    )


def test_check_with_resource_and_context(shell):
    limited = {
        "Version": "1.1",
        "Statement": [
            {
                "Effect": "Allow",
                "Action": ["ecs:cloudServers:start"],
                "Resource": ["ECS:*:*:instance:a"],
                "Condition": {"StringEquals": {"g:UserName": ["alice"]}},
            }
        ],
    }
    asked = ("check", "a.json", "--action", "ecs:cloudServers:start")
    on = ("--resource", "ecs:cn-north-4:acc:instance:a")
    assert shell(*asked, *on, "--context", "g:UserName=alice", a=limited)[0] == 0
    assert shell(*asked, *on, "--context", "g:UserName=bob", "--context", "g:UserName=carol")[0] == 1
    code, out, _ = shell(*asked, *on)
    assert code == 1
    assert "decision  unknown: allowed by" in out
    assert "perhaps: if StringEquals g:UserName alice holds (g:UserName is not known)" in out


def test_check_of_an_unknown_action_says_so(shell):
    code, out, _ = shell("check", "system:Tenant Administrator", "--action", "ecs:cloudServers:lst")
    assert code == 0
    assert out.splitlines()[-1] == "  note      no such action is documented; did you mean ecs:cloudServers:list?"


def test_check_for_machines(shell):
    code, out, _ = shell("check", "a.json", "--action", "ecs:cloudServers:stop", "--json", a=WRITER)
    assert code == 1
    assert json.loads(out) == {
        "action": "ecs:cloudServers:stop",
        "known": True,
        "effect": "deny",
        "explicit": False,
        "policy": None,
        "statement": None,
        "reason": "no statement allows it; 2 statements looked at",
        "nearest": [
            {
                "policy": "a.json",
                "statement": 0,
                "effect": "allow",
                "text": "ecs:*:list*",
                "why": 'no: "stop" does not match',
            },
            {"policy": "a.json", "statement": 1, "effect": "allow", "text": "ecs:cloudServers:start", "why": "no"},
        ],
    }


WRONG = [
    (["check", "nope.json", "--action", "a:b:c"], "nope.json: no such file"),
    (["check", "bad.json", "--action", "a:b:c"], "bad.json:1: not valid JSON: Expecting value"),
    (["check", "a.json", "--action", "ecs"], "--action: 'ecs' is no action: service:type:operation has two colons"),
    (
        ["check", "a.json", "--action", "ecs:cloudServers:list", "--context", "alice"],
        "--context: 'alice' is not KEY=VALUE, for instance g:UserName=ci-reader",
    ),
    (["lint", "bad.json"], "bad.json:1: not valid JSON: Expecting value"),
    (["diff", "a.json", "nope.json"], "nope.json: no such file"),
]


@pytest.mark.parametrize(("arguments", "text"), WRONG, ids=range(len(WRONG)))
def test_wrong_use(shell, arguments, text):
    code, out, err = shell(*arguments, a=WRITER, bad="[")
    assert (code, out) == (2, "")
    assert err.startswith(f"pytest-hwcloud: {text}")
    assert "Traceback" not in err


def test_a_wildcard_is_no_question(shell):
    code, _, err = shell("check", "a.json", "--action", "ecs:cloudServers:st*", a=WRITER)
    assert code == 2
    assert "ecs:cloudServers:st*' is a pattern" in err


def test_lint_clean_and_not(shell):
    assert shell("lint", "a.json", a=WRITER) == (0, "nothing found in a.json\n", "")
    wrong = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:cloudServers:lst"]}]}
    code, out, _ = shell("lint", "a.json", "b.json", b=wrong)
    assert code == 1
    assert out.startswith("b.json:1: HWP010 unknown-action  statement 1: ecs:cloudServers:lst: no such action")
    code, out, _ = shell("lint", "b.json", "--json")
    assert code == 1
    assert json.loads(out)["findings"][0] == {
        "id": "HWP010",
        "name": "unknown-action",
        "file": "b.json",
        "line": 1,
        "statement": 0,
        "text": "ecs:cloudServers:lst: no such action is documented; did you mean ecs:cloudServers:list?",
    }


def test_diff_same_and_not(shell):
    assert shell("diff", "a.json", "b.json", a=WRITER, b=WRITER)[0] == 0
    less = {"Version": "1.1", "Statement": WRITER["Statement"][:1]}
    code, out, _ = shell("diff", "a.json", "b.json", b=less)
    assert code == 1
    assert out.splitlines()[1:] == ["  lost: 1", "    - ecs:cloudServers:start  (write)"]
    code, out, _ = shell("diff", "b.json", "a.json", "--json")
    assert code == 1
    assert json.loads(out)["gained"] == [{"action": "ecs:cloudServers:start", "access_level": "write"}]


WRONG_NAME = {
    "Version": "1.1",
    "Statement": [{"Effect": "Allow", "Action": ["ecs:cloudServers:list", "ecs:cloudServers:lst"]}],
}


def test_lint_goes_on_after_a_bad_file(shell):
    code, out, err = shell("lint", "nope.json", "b.json", "bad.json", "a.json", a=WRITER, b=WRONG_NAME, bad="[")
    assert code == 2
    assert [line.partition("  ")[0] for line in out.splitlines()] == ["b.json:1: HWP010 unknown-action"]
    assert err.splitlines() == [
        "pytest-hwcloud: nope.json: no such file",
        "pytest-hwcloud: bad.json:1: not valid JSON: Expecting value",
    ]
    assert shell("lint", "bad.json", "a.json") == (2, "nothing found in a.json\n", f"{err.splitlines()[1]}\n")
    code, out, again = shell("lint", "nope.json", "b.json", "bad.json", "--json")
    told = json.loads(out)
    assert (code, again, [row["file"] for row in told["findings"]]) == (2, err, ["b.json"])
    assert told["errors"] == [line.removeprefix("pytest-hwcloud: ") for line in err.splitlines()]
    assert told["error"] == "\n".join(told["errors"])


def test_a_folder_stands_for_all_its_policies(shell, tmp_path):
    (tmp_path / "iam" / "deep").mkdir(parents=True)
    assert shell("lint", "iam") == (2, "", "pytest-hwcloud: iam: no policy documents (*.json) in this folder\n")
    (tmp_path / "iam" / "b.json").write_text(json.dumps(WRITER))
    (tmp_path / "iam" / "deep" / "a.json").write_text(json.dumps(WRONG_NAME))
    (tmp_path / "iam" / "note.txt").write_text("no policy")
    code, out, err = shell("lint", "iam", "iam/b.json")
    assert (code, out.partition(":")[0], err) == (1, "iam/deep/a.json", "")
    (tmp_path / "iam" / "deep" / "a.json").write_text(json.dumps(WRITER))
    assert shell("lint", "iam/", "iam/b.json")[1] == "nothing found in iam/b.json, iam/deep/a.json\n"
    assert shell("check", "iam", "--action", "ecs:cloudServers:start")[0] == 0
    assert shell("diff", "iam", "a.json", a=WRITER)[0] == 0


def test_standard_input_is_a_document(shell, monkeypatch):
    def typed(value):
        monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(value)))

    typed(json.dumps(WRONG_NAME).encode())
    code, out, _ = shell("lint", "-", "a.json", a=WRITER)
    assert (code, out.partition("  ")[0]) == (1, "standard input:1: HWP010 unknown-action")
    typed(b"\xef\xbb\xbf" + json.dumps(WRITER).encode())
    assert shell("check", "-", "--action", "ecs:cloudServers:start")[1].endswith("(statement 2 of standard input)\n")
    typed(json.dumps(WRITER).encode())
    assert shell("diff", "-", "a.json")[0] == 0
    typed(b"\n")
    assert shell("lint", "-") == (
        2, "", "pytest-hwcloud: standard input: empty; a policy document (JSON) was expected\n",
    )  # fmt: skip
    typed(b"\xff\xfe")
    assert shell("diff", "-", "a.json")[2] == "pytest-hwcloud: standard input: not UTF-8 text\n"
    assert shell("diff", "-", "-")[2] == "pytest-hwcloud: '-' can stand for one of the two documents only\n"


@pytest.mark.parametrize("arguments", [("check", "--action", "ecs:cloudServers:list"), ("diff",)], ids=" ".join)
def test_every_bad_file_of_one_question_is_told_and_nothing_answered(shell, arguments):
    code, out, err = shell(*arguments[:1], "nope.json", "bad.json", *arguments[1:], bad="[")
    assert (code, out) == (2, "")
    assert err.splitlines() == [
        "pytest-hwcloud: nope.json: no such file",
        "pytest-hwcloud: bad.json:1: not valid JSON: Expecting value",
    ]


@pytest.mark.parametrize("command", ["check", "lint", "diff"])
def test_help_describes_the_command_and_shows_an_example(shell, capsys, command):
    with pytest.raises(SystemExit):
        shell(command, "--help")
    shown = " ".join(capsys.readouterr().out.split())
    assert " ".join(texts.say(f"policy.{command}-help").split()) in shown
    assert "'-' (standard input)" in shown
    assert shown.endswith(" ".join(texts.say(f"cli.example-policy-{command}").split()))


# In Chinese: what people read; what machines read is English.


@pytest.fixture
def chinese():
    texts.use("zh")
    yield
    texts.use("en")


def test_check_in_chinese(shell, chinese):
    assert shell("check", "a.json", "--action", "ecs:cloudServers:stop", a=WRITER) == (
        1,
        "ecs:cloudServers:stop\n"
        "  判定      deny（隐式）：没有匹配的允许语句（共检查 2 条语句）\n"
        '              1 allow ecs:*:list*             否："stop" 不匹配\n'
        "              2 allow ecs:cloudServers:start  否\n",
        "",
    )
    code, out, _ = shell("check", "a.json", "--action", "ecs:cloudServers:stop", "--json", a=WRITER)
    assert (code, json.loads(out)["reason"]) == (1, "no statement allows it; 2 statements looked at")


def test_lint_in_chinese(shell, chinese):
    wrong = {
        "Version": "1.1",
        "Statement": [
            {"Effect": "Allow", "Action": ["ecs:*:list*", "ecs:cloudServers", "ecs:nosuch:thing"]},
            {"Effect": "Allow", "Action": ["ecs:cloudServers:list"]},
        ],
    }
    code, out, err = shell("lint", "a.json", a=wrong)
    assert (code, err) == (1, "")
    assert out.splitlines() == [
        "a.json:1: grammar  第 1 条语句：Action：ecs:cloudServers："
        "1.1 版本的授权项由三部分组成：service:type:operation",
        "a.json:1: HWP010 unknown-action  第 1 条语句：ecs:cloudServers："
        "文档中没有这个授权项；是否应为 ecs:cloudServers:create？",
        "a.json:1: HWP010 unknown-action  第 1 条语句：ecs:nosuch:thing：文档中没有这个授权项",
        "a.json:1: HWP017 inert-statement  第 2 条语句：它不起任何作用：第 1 条语句在所有位置允许了同样的授权项",
    ]


def test_diff_in_chinese(shell, chinese):
    other = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:cloudServers:start"]}]}
    code, out, _ = shell("diff", "a.json", "b.json", a=other, b=other)
    assert (code, out.splitlines()[1:]) == (0, ["  没有新增或丢失的授权项"])
    code, out, _ = shell("diff", "a.json", "b.json", a=WRITER, b=other)
    assert code == 1
    head, kind, row, *_ = out.splitlines()
    assert re.fullmatch(r"a\.json -> b\.json  （已知授权项 \d+ 个）", head)
    assert re.fullmatch(r"  丢失：\d+", kind)
    assert re.fullmatch(r"    - ecs:\*:list\*  \d+ 个授权项（list \d+.*）", row)
