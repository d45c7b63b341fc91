"""`pytest-hwcloud cassettes …`: exact lines and exit codes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import vcr
import yaml

from pytest_hwcloud.cassettes import library
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.commands.cli import run

IAM = "https://iam.cn-north-4.myhuaweicloud.com/v3/auth/tokens"
PASSWORD = "C0rrect-Horse!42"  # made up
LOGIN = {"auth": {"identity": {"password": {"user": {"name": "bob", "password": PASSWORD}}}}}


def vcrpy_cassette() -> dict[str, Any]:
    refusal = {"error": {"code": "Ecs.0110", "message": "no"}, "note": f"tried {PASSWORD}"}
    return {
        "interactions": [
            {
                "request": {
                    "method": "POST",
                    "uri": f"{IAM}?nocatalog=1",
                    "body": json.dumps(LOGIN),
                    "headers": {"User-Agent": ["python"], "X-Auth-Token": ["abcDEF123456"]},
                },
                "response": {
                    "status": {"code": 403, "message": "Forbidden"},
                    "headers": {"Content-Type": ["application/json"]},
                    "body": {"string": json.dumps(refusal)},
                },
            }
        ],
        "version": 1,
    }


@pytest.fixture
def cassette(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = Path("c.yaml")
    path.write_text(yaml.dump(vcrpy_cassette()))
    Path("other.yaml").write_text("a: 1\n")
    return path


def heard(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str]]:
    code = run(["cassettes", *arguments])
    return code, capsys.readouterr().out.splitlines()


def test_scan(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert heard(capsys, "scan", ".") == (
        1,
        [
            f"secret   c.yaml:2: POST {IAM} request header x-auth-token: a secret header (ab…, 12 characters)",
            f"secret   c.yaml:2: POST {IAM} request body $.auth.identity.password.user.password: "
            "a value named password (C0…, 16 characters)",
            f"refusal  c.yaml:2: POST {IAM} was refused at authorization: 403 Ecs.0110",
            "1 cassette: 2 secrets, 1 refusal (pytest-hwcloud cassettes scrub PATH... takes secrets out)",
            "1 other file is no cassette",
        ],
    )


def test_scan_json_notation_and_json_answer(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("j.json").write_text(json.dumps(vcrpy_cassette()))
    code = run(["cassettes", "scan", "j.json", "--json"])
    found = json.loads(capsys.readouterr().out)
    assert code == 1
    assert found["cassettes"] == 1
    assert [(one["file"], one["line"], one["kind"]) for one in found["found"]] == [
        ("j.json", None, "secret"),
        ("j.json", None, "secret"),
        ("j.json", None, "refusal"),
    ]


def test_clean(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    clean = library.root() / "success" / "list-servers.yaml"
    assert heard(capsys, "scan", str(clean)) == (0, ["1 cassette: 0 secrets, 0 refusals"])
    assert heard(capsys, "scrub", str(clean)) == (0, ["1 cassette: nothing to take out"])


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (("scan", "nowhere"), "nowhere: no such file or folder"),
        (("scan", "other.yaml"), "other.yaml: not a cassette: a mapping with the list `interactions` is expected"),
        (
            ("show", "success/list-server"),
            "unknown cassette 'success/list-server'; did you mean 'success/list-servers'?",
        ),
    ],
)
def test_wrong_use(cassette: Path, capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], text: str) -> None:
    assert run(["cassettes", *arguments]) == 2
    assert capsys.readouterr().err.startswith(f"pytest-hwcloud: {text}")


DIFF = [
    "c.yaml",
    f"  interaction 1  POST {IAM}",
    "    - request.body.auth.identity.password.user.password: (16 characters)",
    "    + request.body.auth.identity.password.user.password: ***",
    "    - request.headers.X-Auth-Token: (12 characters)",
    "    + request.headers.X-Auth-Token: ***",
    "    - response.body.string.note: tried (16 characters)",
    "    + response.body.string.note: tried ***",
]


def test_scrub_shows_and_writes_nothing(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = cassette.read_text()
    assert heard(capsys, "scrub", ".") == (
        1,
        [
            *DIFF,
            "1 cassette of 1 would be rewritten; nothing is written without --write",
            "1 other file is no cassette",
        ],
    )
    assert cassette.read_text() == before


def test_scrub_writes(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert heard(capsys, "scrub", "--write", "c.yaml") == (0, [*DIFF, "1 cassette of 1 rewritten"])
    text = cassette.read_text()
    assert PASSWORD not in text
    assert "abcDEF123456" not in text
    expected = yaml.dump(yaml.safe_load(text))
    assert text == expected  # still laid out as vcrpy lays it out
    with vcr.use_cassette(str(cassette), record_mode="none") as loaded:
        assert json.loads(loaded.responses[0]["body"]["string"])["note"] == "tried ***"
    assert heard(capsys, "scrub", "c.yaml") == (0, ["1 cassette: nothing to take out"])
    assert sorted(one.name for one in Path().iterdir()) == ["c.yaml", "other.yaml"]


def test_scrub_keeps_the_notation_of_json(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    Path("j.json").write_text(json.dumps(vcrpy_cassette(), indent=4) + "\n")
    code, _ = heard(capsys, "scrub", "-y", "j.json")
    text = Path("j.json").read_text()
    assert code == 0
    assert text == json.dumps(json.loads(text), indent=4) + "\n"
    assert len(Tape.load(Path("j.json"))) == 1


def test_scrub_says_what_it_cannot_take_out(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = vcrpy_cassette()
    odd["interactions"][0]["response"]["body"]["string"] = "Zq9fH2kLmN4pQrS6tUvWxYz1aBcDeFgHiJkLmNo3"
    cassette.write_text(yaml.dump(odd))
    code, lines = heard(capsys, "scrub", "--write", "c.yaml")
    assert code == 1
    assert lines[-2:] == [
        f"still there, take it out by hand: c.yaml: POST {IAM} answer body line 1: "
        "a secret key (SK) (Zq…, 40 characters)",
        "1 cassette of 1 rewritten",
    ]


def test_a_url_that_changes_is_told(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    odd = vcrpy_cassette()
    odd["interactions"][0]["request"]["uri"] = f"{IAM}?api_key=abcdefghij"
    cassette.write_text(yaml.dump(odd))
    _, lines = heard(capsys, "scrub", "c.yaml")
    assert (
        "    note: the URL changes, and vcrpy matches by URL; let it filter the same (before_record_request)" in lines
    )
    assert f"    - request.uri: {IAM}?api_key=(10 characters)" in lines


def test_show_hides_what_scrub_takes_out(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = heard(capsys, "show", "c.yaml")
    assert code == 0
    assert lines[:4] == ["c.yaml", "", f"1. POST {IAM}?nocatalog=1", "   403 Ecs.0110"]
    assert '     "note": "tried ***"' in lines
    assert PASSWORD not in "".join(lines)


def test_show_a_shipped_one(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = heard(capsys, "show", "network/dns-failure")
    assert code == 0
    assert lines[0] == "network/dns-failure"
    assert "   no answer: dns" in lines


def test_list(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = heard(capsys, "list")
    assert code == 0
    assert [line.split()[0] for line in lines] == list(library.names())
    assert "authentication/token-missing            401 APIGW.0301" in lines
    run(["cassettes", "list", "--json"])
    rows = json.loads(capsys.readouterr().out)
    assert [row["name"] for row in rows] == list(library.names())
    assert all(row["metadata"]["source"] for row in rows)


def test_scan_for_secrets_only_leaves_refusals_alone(capsys: pytest.CaptureFixture[str]) -> None:
    code, lines = heard(capsys, "scan", "--secrets-only", str(library.root()))
    assert (code, lines) == (0, [f"{len(library.names())} cassettes: 0 secrets, 0 refusals"])


def test_a_scrub_that_would_mix_interactions_up_is_refused(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = vcrpy_cassette()
    document["interactions"] *= 2
    document = yaml.safe_load(json.dumps(document))
    for number, one in enumerate(document["interactions"]):
        one["request"]["uri"] = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/x?token=Sup3rS3cret{number}"
    cassette.write_text(before := yaml.dump(document))
    code, lines = heard(capsys, "scrub", "--write", "c.yaml")
    assert (code, lines[-2:]) == (
        1,
        [
            "not rewritten: c.yaml: interactions 1 and 2 differ only in what is taken out of the URL, and the one "
            "would be given for the other; take the secret out by hand, or record anew",
            "0 cassettes of 1 rewritten, 1 left as it is",
        ],
    )
    assert cassette.read_text() == before
    _, lines = heard(capsys, "scrub", "c.yaml")
    assert lines[-1] == "0 cassettes of 1 would be rewritten, 1 left as it is; nothing is written without --write"
    _, lines = heard(capsys, "scrub", "--json", "c.yaml")
    assert json.loads("\n".join(lines))["files"][0]["refused"] == [1, 2]


def test_what_is_kept_is_not_found(cassette: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = vcrpy_cassette()
    (one,) = document["interactions"]
    one["request"] |= {"body": None, "headers": {}}
    one["response"] = {"status": {"code": 200, "message": "OK"}, "headers": {},
                       "body": {"string": json.dumps({"sum": "Zq9fH2kLmN4pQrS6tUvWxYz1aBcDeFgHiJkLmNo3"})}}  # fmt: skip
    cassette.write_text(yaml.dump(document))
    assert heard(capsys, "scan", "c.yaml")[0] == 1
    assert heard(capsys, "scan", "--keep", "$.sum", "c.yaml") == (0, ["1 cassette: 0 secrets, 0 refusals"])
    assert heard(capsys, "scrub", "--keep", "Zq9f*", "c.yaml") == (0, ["1 cassette: nothing to take out"])
    assert run(["cassettes", "scan", "--keep", "*", "c.yaml"]) == 2
    text = "pytest-hwcloud: --keep '*' would keep almost anything; write at least 4 characters that are no *\n"
    assert capsys.readouterr().err == text


def test_show_tells_the_metadata_in_words(capsys: pytest.CaptureFixture[str]) -> None:
    _, lines = heard(capsys, "show", "network/dns-failure")
    assert "  expects: gate network, fault dns" in lines
    assert "  repeat_last: yes" in lines
    _, lines = heard(capsys, "show", "--json", "network/dns-failure")
    assert json.loads("\n".join(lines))["metadata"]["expects"]["fault"] == "dns"


def one_call(body: object, **headers: str) -> dict[str, Any]:
    """A cassette of one call."""
    made = vcrpy_cassette()
    entry = made["interactions"][0]
    entry["request"] = {"method": "GET", "uri": "https://ecs.x/v1", "body": None, "headers": {}}
    entry["response"]["status"] = {"code": 200, "message": "OK"}
    entry["response"]["headers"] = {name.replace("_", "-"): [value] for name, value in headers.items()}
    entry["response"]["body"] = {"string": body if isinstance(body, str) else json.dumps(body)}
    return made


def test_every_file_is_looked_into_and_a_broken_one_hides_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("a.cassette").write_text(yaml.dump(one_call({"rootPwd": PASSWORD})))
    Path("b").write_text(json.dumps(one_call({"x": 1})))
    Path("broken.yaml").write_text("interactions: [\n")
    half = one_call({"x": 1})
    half["interactions"].append({"request": half["interactions"][0]["request"]})
    half["interactions"].append(one_call({"db_root_pwd": PASSWORD})["interactions"][0])
    Path("half.yaml").write_text(yaml.dump(half))
    Path("README.md").write_text("```\ninteractions:\n- x\n```\n")
    Path("picture.png").write_bytes(bytes(range(256)))
    assert run(["cassettes", "scan", "."]) == 2
    heard_ = capsys.readouterr()
    assert heard_.out.splitlines() == [
        "secret   a.cassette:2: GET https://ecs.x/v1 answer body $.rootPwd: a value named rootPwd (C0…, 16 characters)",
        "secret   half.yaml:15: GET https://ecs.x/v1 answer body $.db_root_pwd: "
        "a value named db_root_pwd (C0…, 16 characters)",
        "3 cassettes: 2 secrets, 0 refusals (pytest-hwcloud cassettes scrub PATH... takes secrets out)",
        "2 other files are no cassettes",
        "2 cassettes are broken and were not looked into: repair or delete them",
    ]
    assert heard_.err.splitlines() == [
        "pytest-hwcloud: broken.yaml:2: broken YAML: did not find expected node content",
        "pytest-hwcloud: half.yaml:14: interactions[1].response: an interaction needs a response or a fault",
    ]


def test_cookies_of_firewalls_are_counted_and_no_finding(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    cookies = "HWWAFSESID=8f7e6d5c4b3a; path=/, HWWAFSESTIME=1700000000000; path=/"
    Path("c.yaml").write_text(yaml.dump(one_call({}, Set_Cookie=cookies)))
    assert heard(capsys, "scan", "c.yaml") == (
        0,
        [
            "1 cassette: 0 secrets, 0 refusals",
            "2 cookies of web firewalls and load balancers: no finding, they log nobody in",
        ],
    )
    Path("c.yaml").write_text(yaml.dump(one_call({}, Set_Cookie=cookies + ", session=abcdef123456; path=/")))
    assert heard(capsys, "scan", "c.yaml")[0] == 1


OLD = {  # what the first edition let through: places of a cassette, with the secret in it
    "namespaced": {"OS-EXT-SRV-ATTR:user_data": "IyEvYmluL2Jhc2gKZWNobyByb290OlIwMHRwdyB8IGNocGFzc3dk"},
    "docker": {"auths": {"swr.x": {"auth": "dTpaazchcFF3OXhUMm0="}}},
    "text": {"log": f"requirepass {PASSWORD}"},
    "nested": {"log": f'secret_string={{"u": "{PASSWORD}"}}'},
    "webhook": {"url": "https://open.feishu.cn/open-apis/bot/v2/hook/3f2b8c1d-9a4e-4c6b-8f7d-1e2a3b4c5d6e"},
    "list": {"passwords": [PASSWORD]},
    "sentence": {"message": f"the password {PASSWORD} is too weak"},
}


@pytest.mark.parametrize("body", OLD.values(), ids=OLD)
def test_old_recordings_are_told_and_scrubbing_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], body: dict[str, Any]
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("c.yaml").write_text(yaml.dump(one_call(body)))
    code, lines = heard(capsys, "scan", "c.yaml")
    assert (code, lines[0].startswith("secret   c.yaml:2: GET https://ecs.x/v1 answer body $.")) == (1, True)
    assert heard(capsys, "scrub", "--write", "c.yaml")[0] == 0
    assert heard(capsys, "scan", "c.yaml") == (0, ["1 cassette: 0 secrets, 0 refusals"])
