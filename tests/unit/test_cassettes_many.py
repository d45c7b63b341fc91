"""`cassettes scan` and `scrub` over many files, odd files and all kinds of secrets; progress on a terminal."""

from __future__ import annotations

import io
import json
import os
import pty
import select
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from planted_secrets import planted, values_of

from pytest_hwcloud.cassettes.interaction import CassetteError
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.commands import cassettes as command
from pytest_hwcloud.commands.cli import run

URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/x"


def call(body: object, url: str = URL) -> dict[str, Any]:
    return {
        "request": {"method": "GET", "uri": url, "body": None, "headers": {}},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": body}},
    }


def cassette(*calls: dict[str, Any]) -> str:
    return yaml.dump({"version": 1, "interactions": list(calls)}, Dumper=yaml.CSafeDumper, allow_unicode=True)


def heard(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, list[str], list[str]]:
    capsys.readouterr()
    code = run(["cassettes", *arguments])
    found = capsys.readouterr()
    return code, found.out.splitlines(), found.err.splitlines()


@pytest.fixture(autouse=True)
def _inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_every_kind_is_told_and_scrubbing_leaves_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    texts = [planted(number)[kind] for number, kind in enumerate(planted(0))]
    Path("all.yaml").write_text(cassette(*(call(text, f"{URL}/{n}") for n, text in enumerate(texts))))
    code, lines, _ = heard(capsys, "scan", "all.yaml", "--json")
    found = json.loads("\n".join(lines))["found"]
    told = {int(one["text"].split()[1].rpartition("/")[2]) for one in found}
    assert (code, told) == (1, set(range(len(texts))))
    assert heard(capsys, "scrub", "--write", "all.yaml")[0] == 0
    left = Path("all.yaml").read_text()
    assert not any(value in left for number in range(len(texts)) for value in values_of(number))
    assert heard(capsys, "scan", "all.yaml")[:2] == (0, ["1 cassette: 0 secrets, 0 refusals"])
    assert heard(capsys, "scrub", "all.yaml")[:2] == (0, ["1 cassette: nothing to take out"])


def test_the_time_grows_with_the_number_of_files(capsys: pytest.CaptureFixture[str]) -> None:
    def spent(folder: str, files: int) -> float:
        for number in range(files):
            path = Path(folder, str(number % 7), f"c{number}.yaml")
            path.parent.mkdir(parents=True, exist_ok=True)
            body = json.dumps({"server": {"id": f"{number:032x}", "adminPass": f"Zk7!pQ{number}w9"}})
            path.write_text(cassette(call(body)))
        begun = time.process_time()
        code, lines, _ = heard(capsys, "scan", folder)
        assert (code, len(lines)) == (1, files + 1)
        code, lines, _ = heard(capsys, "scrub", "--write", folder)
        assert (code, lines[-1]) == (0, f"{files} cassettes of {files} rewritten")
        return time.process_time() - begun

    assert any(spent(f"many{n}", 120) < spent(f"few{n}", 30) * 4 * 2 for n in range(4))  # another may be busy


def test_one_odd_file_hides_no_other(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    deep = "[" * 900 + "]" * 900
    Path("a-good.yaml").write_text(cassette(call('{"password": "Zk7!pQw9"}')))
    Path("b-deep.yaml").write_text(cassette(call(deep)))
    Path("c-doubled.json").write_text('{"interactions": [], "interactions": []}')
    Path("d-binary.yaml").write_bytes(b"interactions:\n- \xff\xfe\x00")
    Path(".hidden").mkdir()
    Path(".hidden/e.yaml").write_text(cassette(call('{"token": "a8Fh3kLq9ZxV2bN7"}')))
    Path(".git").mkdir()
    Path(".git/f.yaml").write_text("interactions: {")
    Path("g-link.yaml").symlink_to("a-good.yaml")
    Path("h-note.txt").write_text("no cassette")
    code, out, err = heard(capsys, "scan", ".")
    assert code == 2
    assert [line.split(":")[0] for line in out[:-3]] == ["secret   a-good.yaml", "secret   .hidden/e.yaml"]
    assert out[-3] == "3 cassettes: 2 secrets, 0 refusals (pytest-hwcloud cassettes scrub PATH... takes secrets out)"
    assert [line.split(":")[1].strip() for line in err] == ["c-doubled.json", "d-binary.yaml"]
    assert "c-doubled.json: interactions: given twice" in err[0]

    def fails(*_: object) -> None:
        raise RecursionError("too deep")

    monkeypatch.setattr("pytest_hwcloud.cassettes.scan.scan", fails)
    code, _, err = heard(capsys, "scan", "a-good.yaml")
    assert (code, err) == (2, ["pytest-hwcloud: a-good.yaml: cannot be looked into: RecursionError: too deep"])


def test_a_pipe_is_no_file(capsys: pytest.CaptureFixture[str]) -> None:
    os.mkfifo("pipe")
    code, _, err = heard(capsys, "scan", "pipe")
    assert (code, err[-1]) == (2, "pytest-hwcloud: pipe: not a file that can be read to its end")


def read(control: int) -> str:
    found = b""
    while select.select([control], [], [], 0.05)[0]:
        found += os.read(control, 10_000)
    return found.decode()


def test_progress_on_a_terminal_and_nowhere_else(monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(5):
        Path(f"c{number}.yaml").write_text(cassette(call('{"password": "Zk7!pQw9"}')))
    monkeypatch.setattr(command, "_PATIENCE", 0.0)
    monkeypatch.setattr(command, "_PAUSE", 0.0)
    monkeypatch.setattr(sys, "stderr", io.StringIO())
    run(["cassettes", "scan", "."])
    assert sys.stderr.getvalue() == ""  # type: ignore[attr-defined]
    control, terminal = pty.openpty()
    with os.fdopen(terminal, "w") as screen:
        monkeypatch.setattr(sys, "stderr", screen)
        run(["cassettes", "scan", "."])
        shown = read(control)
        run(["cassettes", "scrub", "."])
        scrubbed = read(control)
    os.close(control)
    blank = "\r" + " " * 20 + "\r"
    assert shown == "".join(f"\r{number}/5" for number in range(5)) + blank
    assert scrubbed == "".join(f"\r{number}/5{blank}" for number in range(5))  # gone before a line is printed


@pytest.mark.parametrize(
    ("body", "kind"),
    [("[1]", "list"), ("5", "int"), ("true", "bool"), ("1.5", "float"), ("{a: 1}", "dict"),
     ("[[a]]", "list")],
)  # fmt: skip
@pytest.mark.parametrize("side", ["request", "answer"])
def test_a_body_that_is_no_text_is_refused(capsys: pytest.CaptureFixture[str], body: str, kind: str, side: str) -> None:
    sent, string = (body, "ok") if side == "request" else ("null", body)
    Path("c.yaml").write_text(
        f"interactions:\n- request:\n    method: GET\n    uri: {URL}\n    body: {sent}\n    headers: {{}}\n"
        f"  response:\n    status: {{code: 200, message: OK}}\n    headers: {{}}\n    body: {{string: {string}}}\n"
    )
    place = "request.body" if side == "request" else "response.body"
    line = f"c.yaml: interactions[0].{place}: a body cannot be of type {kind}: write it as a text, in quotes"
    with pytest.raises(CassetteError) as caught:
        Tape.load("c.yaml").take(Request("GET", URL))
    assert str(caught.value) == line
    code, _, err = heard(capsys, "scan", "c.yaml")
    assert (code, err) == (2, [f"pytest-hwcloud: c.yaml:2: {line.removeprefix('c.yaml: ')}"])


@pytest.mark.parametrize("text", [
    '{"interactions": [], "interactions": [{}]}',
    '{"interactions": [{"request": {"method": "GET", "method": "PUT", "uri": "https://x/"}}]}',
])  # fmt: skip
def test_a_key_that_is_given_twice_in_json_is_refused(text: str) -> None:
    Path("c.json").write_text(text)
    with pytest.raises(CassetteError, match=r"^c\.json: (interactions|method): given twice$"):
        Tape.load("c.json")


def test_base64_with_other_signs_is_refused() -> None:
    Path("c.yaml").write_text(cassette(call({"base64_string": "aGVsbG8!"})))
    with pytest.raises(CassetteError, match="broken base64"):
        Tape.load("c.yaml").take(Request("GET", URL))


def test_a_path_with_a_secret_is_found_under_its_mask() -> None:
    Path("c.yaml").write_text(cassette(call("one", f"{URL}/invite/***?x=1"), call("two", f"{URL}/apikey/***/items")))
    tape = Tape.load("c.yaml")
    for path, body in (("invite/a8Fh3kLq9ZxV2bN7mW4r?x=1", b"one"), ("apikey/q7Lm2XcV9bTz4KpR8wNd/items", b"two")):
        found = tape.take(Request("GET", f"{URL}/{path}"))
        assert found is not None
        assert found.answer is not None
        assert found.answer.body == body
    assert tape.take(Request("GET", f"{URL}/other/q7Lm2XcV9bTz4KpR8wNd/items")) is None
