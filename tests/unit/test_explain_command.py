"""`pytest-hwcloud explain`."""

# ruff: noqa: E501 - literal messages stay in one piece

from __future__ import annotations

import argparse
import io
import json
import sys

import pytest
from test_failures_texts import NO_NAME, WRONG_AK

from pytest_hwcloud.commands import UsageError, cli
from pytest_hwcloud.commands import explain as command


@pytest.fixture
def explain(capsys, monkeypatch):
    def runs(*argv: str, stdin: str | bytes = b"") -> tuple[int, str]:
        raw = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(raw)))
        parser = argparse.ArgumentParser()
        command.add(parser.add_subparsers())
        args = parser.parse_args(["explain", *argv])
        return args.run(args), capsys.readouterr().out

    return runs


def test_a_code(explain):
    assert explain("ecs.0110") == (
        0,
        "hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs\n"
        "  cause     The caller is known to the cloud, but its user, group or token lacks the ECS role or action.\n"
        "  fix       Grant the ECS permission in IAM, in the right project, and get a new token because old tokens keep the old "
        "rights.\n"
        "  texts     do not have the required roles, forbidden to perform this action.\n"
        "            Contact the main account to obtain permission.\n",
    )


def test_a_code_in_chinese(explain):
    code, out = explain("VPC.0007", "--lang", "zh")
    assert code == 0
    assert out == (
        "hwcloud：在作用范围（scope）阶段被拒绝：VPC.0007（HTTP 400），来自 vpc\n"
        "  原因    Token 的项目与 URL 中的项目不一致。\n"
        "  处理    使用 URL 中项目的 Token，或使用 AK/SK 签名并携带正确的 X-Project-Id。\n"
        "  原文    urlTenantId is not equal tokenTenantId\n"
        "          Inconsistent tenant IDs.\n"
    )


def test_a_code_with_several_texts_lists_each_with_its_fix(explain):
    code, out = explain("APIGW.0301")
    lines = out.splitlines()
    assert code == 0
    assert lines[2] == (
        "  fix       The text of the answer decides; the known ones stand below. Or paste the whole answer: "
        "pytest-hwcloud explain -"
    )
    assert lines[3] == (
        "  texts     Incorrect IAM authentication information: x-auth-token not found → "
        "Send X-Auth-Token, or sign the request with AK/SK."
    )
    assert all(len(line.partition(" → ")[0]) <= 12 + 120 for line in lines[3:])


def test_several_codes_do_not_mix(explain):
    together = explain("Ecs.0110", "APIGW.0301", "VPC.0007")[1]
    assert together == "\n".join(explain(one)[1] for one in ("Ecs.0110", "APIGW.0301", "VPC.0007"))


@pytest.mark.parametrize("words", [("decrypt token fail",), ("decrypt", "token", "fail"), ("Decrypt Token Fail",)])
def test_a_bare_message(explain, words):
    code, out = explain(*words)
    assert (code, out.splitlines()[0]) == (
        0, "hwcloud: refused at authentication: APIGW.0301 (HTTP 401) from the API gateway"
    )  # fmt: skip
    assert out.splitlines()[1].lower() == "  message   decrypt token fail"
    assert "Get a new token" in out


@pytest.mark.parametrize("text", ["429", "HTTP 429", "http 429"])
def test_a_bare_status(explain, text):
    assert explain(*text.split()) == (
        0,
        "hwcloud: failed at service: HTTP 429\n"
        "  cause     Too many calls in a short time.\n"
        "  fix       Back off and retry with growing pauses; call less in parallel.\n",
    )


def test_a_status_that_is_no_failure(explain):
    with pytest.raises(
        UsageError, match=r"^explain: unknown code '200'; for a body or a traceback use: pytest-hwcloud"
    ):
        explain("200")


def test_a_traceback_on_standard_input(explain):
    code, out = explain("-", stdin=WRONG_AK)
    assert code == 0
    assert out.splitlines()[0] == "hwcloud: refused at authentication: APIGW.0301 (HTTP 401) from the API gateway"
    assert out.splitlines()[-1] == "  request   3f979354fbec41b3cc0bd28ce7865e20"
    assert out.count("hwcloud:") == 1


def test_several_failures_root_cause_first(explain):
    job = {"status": "FAIL", "job_id": "j", "error_code": "Common.0021", "fail_reason": "CollectInfoTask-fail"}
    job["entities"] = {"sub_jobs": [{"error_code": "Ecs.0219", "fail_reason": "No valid host was found."}]}  # type: ignore[assignment]
    _, out = explain("-", stdin=json.dumps(job))
    assert [line for line in out.splitlines() if line.startswith("hwcloud:")] == [
        "hwcloud: failed at service: Ecs.0219 (HTTP 400) from ecs",
        "hwcloud: failed at service: Common.0021 (HTTP 400)",
    ]


def test_a_network_failure(explain):
    code, out = explain("-", stdin=NO_NAME)
    assert (code, out.splitlines()[0]) == (0, "hwcloud: no answer at network: name not resolved")


def test_json(explain):
    code, out = explain("-", "--json", stdin=b'{"error": {"code": "Ecs.0110", "message": "m"}}')
    (data,) = json.loads(out)
    assert (code, data["code"], data["gate"]) == (0, "Ecs.0110", "authorization")


def test_a_text_without_a_failure(explain):
    assert explain("-", stdin="all went well") == (1, "hwcloud: no failure of a cloud call in this text\n")
    assert explain("-", "--json", stdin=b"\xff\xfe\x00") == (1, "[]\n")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("Esc.0110", "explain: unknown code 'Esc.0110'; did you mean Ecs.0110?"),
        ("zzzzzz", "explain: unknown code 'zzzzzz'; for a body or a traceback use: pytest-hwcloud explain -"),
        ("Ecs.9999", "explain: unknown code 'Ecs.9999'; for a body or a traceback use: pytest-hwcloud explain -"),
        ("Foo.1234", "explain: unknown code 'Foo.1234'; for a body or a traceback use: pytest-hwcloud explain -"),
        (
            "Ecs.0110 VPC.9998",
            "explain: unknown code 'VPC.9998'; for a body or a traceback use: pytest-hwcloud explain -",
        ),
    ],
)
def test_an_unknown_code(explain, code, text):
    with pytest.raises(UsageError) as error:
        explain(*code.split())
    assert str(error.value) == text


def test_an_unknown_code_exits_2_and_in_json_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["explain", "Ecs.9999"]) == 2
    assert cli.run(["explain", "Ecs.9999", "--json"]) == 2
    out, err = capsys.readouterr()
    assert err.splitlines()[0].startswith("pytest-hwcloud: explain: unknown code 'Ecs.9999'; ")
    assert json.loads(out)["error"].startswith("explain: unknown code 'Ecs.9999'; ")


def test_an_unknown_code_in_an_answer_is_still_a_failure(explain):
    code, out = explain("-", stdin='{"error_code": "Ecs.9999", "error_msg": "m"}')
    assert (code, out.splitlines()[0]) == (0, "hwcloud: failed at service: Ecs.9999 from ecs")


def test_an_unknown_number_of_a_known_service_still_gets_its_gate(explain):
    code, out = explain("APIGW.0399")
    assert (code, out.splitlines()[0]) == (0, "hwcloud: refused at authentication: APIGW.0399 from the API gateway")


@pytest.mark.parametrize(
    ("words", "lang", "first"),
    [
        ("Rbac check failed", "en", "hwcloud: refused at authorization: no code"),
        ("no permission to list the volumes", "en", "hwcloud: refused at authorization: no code"),
        ("token has expired for this user", "en", "hwcloud: refused at authentication: no code"),
        ("tenant id of the URL is not the same as the token", "en", "hwcloud: refused at scope: no code"),
        ("当前用户没有权限执行此操作", "zh", "hwcloud：在鉴权（authorization）阶段被拒绝："),
    ],
)
def test_a_message_that_no_table_has_is_explained_by_its_words(
    words: str, lang: str, first: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["explain", words, "--lang", lang]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0].startswith(first)
    assert lines[1].split()[1:] == words.split()
