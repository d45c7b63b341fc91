"""Cassettes on disk: read back exactly, added to by many at once, whole after any death of the process."""

from __future__ import annotations

import errno
import json
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import vcr
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.cassettes import saving
from pytest_hwcloud.cassettes.interaction import CassetteError
from pytest_hwcloud.cassettes.rendering import HEADER, Entry, page, render
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.files.json_lossless import laid_out, parse_container, pretty

NOW = datetime(2026, 3, 4, 5, 6, 7, 8000, tzinfo=UTC)
URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/p/servers"


def entry(number: int = 0, body: bytes = b'{"a":1}', when: datetime = NOW) -> Entry:
    request = Request("GET", f"{URL}?n={number}", {"accept": "*/*"})
    return Entry(
        request=request, answer=Answer(200, {"Content-Type": "application/json"}, body, "OK"), recorded_at=when
    )


def item(number: int = 0, **changed: Any) -> str:
    return render(entry(number, **changed))


def numbers(path: Path) -> list[int]:
    return [int(one["request"]["uri"].partition("=")[2]) for one in yaml.safe_load(path.read_text())["interactions"]]


def test_the_text_of_a_cassette() -> None:
    body = '{"count":1.10,"名":"云\\u2028"}'.encode()
    assert page([render(entry(body=body))], {"source": "ECS: API"}) == (
        "# recorded by pytest-hwcloud: secrets are masked, ids are those of the replay identities\n"
        "version: 1\n"
        "metadata:\n"
        '  source: "ECS: API"\n'
        "interactions:\n"
        "- request:\n"
        "    method: GET\n"
        f"    uri: {URL}?n=0\n"
        "    body: null\n"
        "    headers:\n"
        "      accept:\n"
        '      - "*/*"\n'
        "  response:\n"
        "    status:\n"
        "      code: 200\n"
        "      message: OK\n"
        "    headers:\n"
        "      Content-Type:\n"
        "      - application/json\n"
        "    body:\n"
        "      string: |-\n"
        "        {\n"
        '          "count": 1.10,\n'
        '          "名": "\\u4e91\\u2028"\n'
        "        }\n"
        '  recorded_at: "2026-03-04T05:06:07.008Z"\n'
    )


_ODD = list(" \t\n\r#:-{}[]'\"|>%&*!@`,?\\abc01\x85\u2028\u2029\ufeff\xa0\x7f\x00\x1b\ud7ff\ue000\U0001f600中\u3000")
_TEXTS = st.text(
    st.one_of(st.sampled_from(_ODD), st.characters(exclude_categories=["Cs"])), max_size=80
)  # fmt: skip


@settings(max_examples=150, deadline=None, derandomize=True)
@given(_TEXTS, st.sampled_from(["", "x" * 41, "several words " * 4, "null", "1e5"]))
def test_what_is_read_back_is_what_was_meant(odd: str, plain: str) -> None:
    for body in (odd + plain, plain + odd):
        request = Request("POST", odd or "x", {f"X-{odd}": odd}, body.encode())
        one = Entry(request=request, answer=Answer(200, {odd: body}, body.encode(), odd), recorded_at=NOW)
        document = yaml.load(page([render(one)] * 2, {"source": odd}), Loader=yaml.CSafeLoader)
        (first, second) = document["interactions"]
        laid = parse_container(body)
        same = body if laid is None else pretty(laid)
        assert first == second
        assert document["metadata"]["source"] == odd
        assert (first["request"]["body"] or "") == same
        assert first["request"]["uri"] == (odd or "x")
        assert first["request"]["headers"] == {f"X-{odd}": [odd]}
        assert first["response"] == {
            "status": {"code": 200, "message": odd},
            "headers": {odd: [body]},
            "body": {"string": same},
        }


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.binary(min_size=1, max_size=200))
def test_bytes_come_back(raw: bytes) -> None:
    one = Entry(request=Request("PUT", "x", {}, raw), answer=Answer(200, {}, raw), recorded_at=NOW)
    found = yaml.safe_load(page([render(one)]))["interactions"][0]
    for body in (found["request"]["body"], found["response"]["body"]["string"]):
        heard = body.encode() if isinstance(body, str) else body
        assert heard == raw or json.loads(heard) == json.loads(raw)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | _TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXTS, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(_JSON, st.booleans())
def test_laying_json_out_changes_nothing_that_it_says(value: object, ascii_only: bool) -> None:
    text = json.dumps({"v": value}, ensure_ascii=ascii_only)
    laid = pretty(parse_container(text))
    assert json.loads(laid) == json.loads(text)
    assert pretty(parse_container(laid)) == laid
    assert laid_out(text) == laid_out(laid) == laid


@pytest.mark.parametrize(
    "text",
    [
        ' {"a": 1.10, "a":[ ] , "b" : {\n}, "c": [[], {"d": -0, "e": NaN}, null]}\n',
        '{"a":"{[,:]}","é, \u200b":"x"}',
        '["a\\"b", "\\u00e9"]',
        "[]",
        "[1, 2",
        '{"a" 1}',
        '["a", ]',
        '"a"',
        "[" * 5000 + "]" * 5000,
        '["a\tb"]',
    ],
)
def test_what_is_laid_out_between_its_strings_is_what_the_whole_document_would_be(text: str) -> None:
    document = parse_container(text)
    assert laid_out(text) == (None if document is None else pretty(document))


@pytest.mark.parametrize("text", ['{"a": 1.10, "a": 1E400, "b": -0}', "[123456789012345678901234567890, 0.10]"])
def test_numbers_and_repeated_names_stay_as_written(text: str) -> None:
    assert "".join(pretty(parse_container(text)).split()) == text.replace(" ", "")


def test_ours_is_read_without_a_parser_and_equal(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    bodies = [
        b'{"a": "b"}',
        b"plain",
        "zażółć 云服务器, more than forty letters of it\n".encode(),
        b"",
        b"x: y\n- z\n" * 9,
    ]
    saving.save(path, [item(n, body=body) for n, body in enumerate(bodies)])
    tape = Tape.load(path)
    assert tape._parsed.plain
    heard = [one.answer.body for one in (tape[n] for n in range(len(tape))) if one.answer]
    assert heard == [b'{\n  "a": "b"\n}', *bodies[1:]]
    assert tape[0].recorded_at == "2026-03-04T05:06:07.008Z"


def test_plain_vcrpy_loads_it(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    saving.save(
        path,
        [item(1), render(Entry(request=Request("PUT", URL, {}, b"\xff\x00"), answer=Answer(204), recorded_at=NOW))],
    )
    with vcr.use_cassette(str(path), record_mode="none") as cassette:
        assert [one.uri for one in cassette.requests] == [f"{URL}?n=1", URL]
        assert cassette.requests[1].body == b"\xff\x00"
        assert cassette.responses[0]["body"]["string"] == b'{\n  "a": 1\n}'


def test_saving_again_adds_and_keeps_what_people_wrote(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "c.yaml"
    saving.save(path, [item(1)], metadata={"source": "x"})
    path.write_text(path.read_text().replace("- request:", "# by hand\n- request:"))
    saving.save(path, [item(2)])
    assert numbers(path) == [1, 2]
    assert yaml.safe_load(path.read_text())["metadata"] == {"source": "x"}
    assert [one.name for one in path.parent.iterdir()] == ["c.yaml"]


def test_a_cassette_of_vcrpy_is_added_to(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    theirs = {
        "request": {"method": "GET", "uri": f"{URL}?n=7", "body": None, "headers": {}},
        "response": {"status": {"code": 200, "message": "OK"}, "headers": {}, "body": {"string": "a\nb"}},
    }
    path.write_text(yaml.dump({"interactions": [theirs], "version": 1}))
    saving.save(path, [item(8)])
    assert numbers(path) == [7, 8]
    assert yaml.safe_load(path.read_text())["interactions"][0] == theirs


def test_a_rewrite_keeps_only_what_this_run_recorded(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    saving.save(path, [item(1, when=NOW - timedelta(days=1)), item(2, when=NOW)])
    saving.save(path, [item(3)], since=NOW)
    assert numbers(path) == [2, 3]


def test_nothing_recorded_is_still_a_cassette(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    saving.save(path, [])
    assert path.read_text() == HEADER + "version: 1\ninteractions: []\n"
    saving.save(path, [item(1)])
    assert numbers(path) == [1]


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (page([item(1), item(2)])[:-60], ""),
        ("name: value\n", "is no cassette (no list `interactions`)"),
        ("{broken: [", ""),
        ("- a\n- b\n", "is no cassette (no list `interactions`)"),
    ],
)
def test_half_a_file_or_another_format_is_left_alone(tmp_path: Path, content: str, problem: str) -> None:
    path = tmp_path / "c.yaml"
    path.write_text(content)
    with pytest.raises(CassetteError) as error:
        saving.save(path, [item(3)])
    assert str(error.value).startswith(str(path))
    assert problem in str(error.value)
    assert str(error.value).endswith(
        ". It was left as it is, and the new recording is in c.new.yaml: "
        "repair or delete c.yaml, or rename the new file to it"
    )
    assert path.read_text() == content
    assert numbers(tmp_path / "c.new.yaml") == [3]


def test_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.yaml"
    saving.save(path, [item(1)])
    real = open

    def full(file: Any, *args: Any, **options: Any) -> Any:
        opened = real(file, *args, **options)
        if str(file).endswith(".tmp"):
            opened.close()
            return real("/dev/full", "wb")
        return opened

    monkeypatch.setattr("builtins.open", full)
    with pytest.raises(CassetteError) as error:
        saving.save(path, [item(2, body=b"x" * 100_000)])
    assert str(error.value) == f"{path}: cannot be written: No space left on device. What was there before is untouched"
    assert numbers(path) == [1]
    assert [one.name for one in tmp_path.iterdir()] == ["c.yaml"]


def test_a_read_only_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "c.yaml"

    def refuse(file: Any, *args: Any, **options: Any) -> Any:  # permissions do not stop root, who may run this
        raise PermissionError(errno.EACCES, "Permission denied", str(file))

    monkeypatch.setattr("builtins.open", refuse)
    with pytest.raises(CassetteError) as error:
        saving.save(path, [item(1)])
    assert str(error.value) == f"{path}: cannot be written: Permission denied. What was there before is untouched"


def test_threads_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    threads = [threading.Thread(target=saving.save, args=(path, [item(n)])) for n in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(numbers(path)) == list(range(20))


# Run in a process of their own: forking one that has threads is not done.
_MANY = """
import os, sys
from pathlib import Path
from pytest_hwcloud.cassettes import saving
path, item = Path(sys.argv[1]), sys.argv[2]
children = []
for start in (0, 10, 20, 30):
    children.append(os.fork())
    if children[-1] == 0:
        for number in range(start, start + 10):
            saving.save(path, [item.replace("n=0", f"n={number}")])
        os._exit(0)
for child in children:
    os.waitpid(child, 0)
"""
_KILLED = """
import os, random, signal, sys, time
from pathlib import Path
from pytest_hwcloud.cassettes import saving
from pytest_hwcloud.cassettes.tape import Tape
path, item, size, dice, whole = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), random.Random(6), 0
for kill in range(50):
    child = os.fork()
    if child == 0:
        while True:
            saving.save(path, [item])
    time.sleep(dice.uniform(0.001, 0.05))
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    if path.exists():
        tape = Tape.load(path)
        assert len(tape) and all(len(tape[n].answer.body) == size for n in range(len(tape)))
        whole += 1
        if len(tape) > 60:
            path.unlink()
saving.save(path, [item])
print(whole)
"""


def _script(script: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)], capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_processes_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    _script(_MANY, path, item())
    assert sorted(numbers(path)) == list(range(40))
    assert [one.name for one in tmp_path.iterdir()] == ["c.yaml"]


@pytest.mark.skipif(sys.platform == "win32", reason="needs fork")
def test_killed_at_any_moment_every_cassette_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "c.yaml"
    assert int(_script(_KILLED, path, item(body=b"x" * 50_000), 50_000)) > 20
    assert [one.name for one in tmp_path.iterdir()] == ["c.yaml"]  # what the dead left is swept up
