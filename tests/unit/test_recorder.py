"""What the recorder does with exchanges until the test is over."""

from __future__ import annotations

import base64
import socket
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest
import yaml

from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud.failures.network import fault_kind
from pytest_hwcloud.cloud.identity import DEFAULT_PROJECT_ID, default_identity
from pytest_hwcloud.cloud.wire import Answer, Request, json_answer
from pytest_hwcloud.journal import CURRENT, Journal
from pytest_hwcloud.replay.identity_mapping import IdentityMapping
from pytest_hwcloud.replay.recorder import DirtyRecording, Recorder

AK, PROJECT = "QXJ7RT2VNE9LQ4ZK8WDP", "a7" * 16
REPLAYED = default_identity()
REAL = replace(REPLAYED, ak=AK, sk="tZ4mQ8vL2xR7nB5kJ9wC3yH6fD1gS0aPqUeTiOrM", projects={"cn-north-4": PROJECT})
URL = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}/servers"
REPLAYED_URL = URL.replace(PROJECT, DEFAULT_PROJECT_ID)
OK = json_answer(200, {"servers": []}, {"X-Request-Id": "ab" * 16}, "OK")


@pytest.fixture
def mapping() -> IdentityMapping:
    return IdentityMapping({"default": REAL}, {"default": REPLAYED})


@pytest.fixture
def recorder(tmp_path: Path, mapping: IdentityMapping) -> Recorder:
    return Recorder(tmp_path / "c.yaml", mapping)


def get(number: int = 0, **headers: str) -> Request:
    return Request(
        "GET", f"{URL}?n={number}", {"authorization": f"SDK-HMAC-SHA256 Access={AK}, Signature=0", **headers}
    )


def uris(path: Path) -> list[str]:
    return [one["request"]["uri"].partition("?")[2] for one in yaml.safe_load(path.read_text())["interactions"]]


def test_nothing_is_written_before_the_end_or_for_a_failed_test(recorder: Recorder, tmp_path: Path) -> None:
    recorder.heard(get(), OK, time.time())
    assert list(tmp_path.iterdir()) == []
    assert recorder.commit(keep=False) is None
    assert recorder.commit(keep=True) is None
    assert list(tmp_path.iterdir()) == []


def test_what_is_kept_is_kept_once(recorder: Recorder) -> None:
    recorder.heard(get(), OK, time.time())
    assert recorder.commit(keep=True) == recorder.path
    assert recorder.commit(keep=True) is None
    assert uris(recorder.path) == ["n=0"]


def test_the_order_is_that_in_which_calls_began(recorder: Recorder) -> None:
    recorder.heard(get(2), OK, 200.0)
    recorder.heard(get(1), OK, 100.0)
    recorder.commit(keep=True)
    assert uris(recorder.path) == ["n=1", "n=2"]


def test_threads_lose_nothing(recorder: Recorder) -> None:
    threads = [threading.Thread(target=recorder.heard, args=(get(n), OK, float(n))) for n in range(40)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    recorder.commit(keep=True)
    assert uris(recorder.path) == [f"n={n}" for n in range(40)]


def test_a_secret_met_late_is_hidden_in_what_came_before(recorder: Recorder) -> None:
    late = "Gen3rated#9f8e"
    early = json_answer(200, {"log": f"set {late}", "b": base64.b64encode(f"root:{late}".encode()).decode()})
    recorder.heard(get(1), early, 1.0)
    recorder.heard(get(2), json_answer(200, {"adminPass": late}), 2.0)
    recorder.commit(keep=True)
    body = Tape.load(recorder.path)[0].answer
    assert body is not None
    assert body.json() == {"log": "set ***", "b": base64.b64encode(b"root:***").decode()}


def test_a_secret_of_one_test_is_hidden_in_the_next(
    recorder: Recorder, mapping: IdentityMapping, tmp_path: Path
) -> None:
    recorder.heard(get(), json_answer(200, {"adminPass": "Gen3rated#9f8e"}), 1.0)
    following = Recorder(tmp_path / "d.yaml", mapping)
    following.heard(get(), json_answer(200, {"log": "Gen3rated#9f8e"}), 2.0)
    following.commit(keep=True)
    assert "Gen3rated" not in following.path.read_text()
    assert "Gen3rated#9f8e" in following.secrets


def test_tokens_in_headers_are_known_from_then_on(recorder: Recorder) -> None:
    token = "MIIE" + "aB3" * 40
    recorder.heard(get(**{"x-auth-token": token}), json_answer(200, {"echo": token}), 1.0)
    recorder.commit(keep=True)
    assert token not in recorder.path.read_text()


def test_every_secret_is_told_to_who_hides_it_in_reports(tmp_path: Path) -> None:
    told: list[str] = []
    mapping = IdentityMapping({"default": REAL}, {"default": REPLAYED}, tell=told.append)
    Recorder(tmp_path / "c.yaml", mapping).heard(get(), json_answer(200, {"adminPass": "Gen3rated#9f8e"}), 1.0)
    assert told == [REAL.sk, "Gen3rated#9f8e"]


def test_request_ids_are_fixed_in_headers_and_body(recorder: Recorder) -> None:
    for when in (1.0, 2.0):
        answer = json_answer(
            401, {"error_code": "APIGW.0301", "request_id": f"{when:032}"}, {"X-Request-Id": f"{when:032}"}
        )
        recorder.heard(get(), answer, when)
    recorder.commit(keep=True)
    tape = Tape.load(recorder.path)
    answers = [tape[n].answer for n in (0, 1)]
    ids = [one.header("X-Request-Id") for one in answers if one]
    assert ids == [one.json()["request_id"] for one in answers if one]  # type: ignore[index]
    assert len(set(ids)) == 2


def test_the_journal_hears_all(recorder: Recorder) -> None:
    CURRENT.journal = Journal("test")
    try:
        recorder.heard(get(), json_answer(403, {"error": {"code": "Ecs.0110", "message": "no"}}), 1.0)
        recorder.failed(get(), ConnectionRefusedError())
        heard, failed = CURRENT.journal.exchanges
    finally:
        CURRENT.journal = None
    assert (heard.identity, heard.credential, heard.gate, heard.source) == ("default", "aksk", "authorization", "live")
    assert heard.url == f"{URL}?n=0"  # the journal is told what was really said
    assert (failed.fault, failed.gate) == ("connection-refused", "network")


def test_the_length_of_a_head_answer_is_its_content(recorder: Recorder) -> None:
    recorder.heard(Request("HEAD", URL), Answer(200, {"Content-Length": "4711", "Date": "now"}), 1.0)
    recorder.commit(keep=True)
    answer = Tape.load(recorder.path)[0].answer
    assert answer is not None
    assert answer.headers == {"Content-Length": "4711"}


@pytest.mark.parametrize(
    ("error", "fault"),
    [
        (socket.gaierror(-2, "x"), "dns"),
        (ConnectionRefusedError(), "connection-refused"),
        (ConnectionResetError(), "connection-reset"),
        (TimeoutError(), "read-timeout"),
        (ValueError("no host"), None),
    ],
)
def test_faults(error: BaseException, fault: str | None) -> None:
    wrapped = RuntimeError("wrapped", error)
    assert fault_kind(error) == fault
    assert fault_kind(wrapped) == fault


def test_a_wrong_url_is_no_fault(recorder: Recorder, tmp_path: Path) -> None:
    recorder.failed(get(), ValueError("no host"))
    assert recorder.commit(keep=True) is None
    assert DEFAULT_PROJECT_ID in recorder.scrubber.url(URL)


@pytest.mark.parametrize(
    ("answer", "lines"),
    [
        (
            json_answer(200, {"note": "hJ3kL9mN2pQ7rS5tU1vW8xY4zA6bC0dE3fG5hI7j"}),
            [
                f"GET {REPLAYED_URL} answer body $.note: a secret key (SK) (hJ…, 40 characters)",
                'what is no secret can be kept, in hwcloud.yaml: recording: {keep: ["$.note"]}',
            ],
        ),
        (
            Answer(200, {"Content-Type": "text/plain", "Content-Encoding": "odd"}, b"\x01\x02\xff\xfe\x03"),
            [
                f"GET {REPLAYED_URL} answer body: a text that cannot be read (Content-Encoding: odd)",
                "install the library of the coding (brotli, zstandard), or have the client not accept it "
                "(Accept-Encoding: gzip)",
            ],
        ),
    ],
)
def test_a_refusal_names_call_place_kind_and_a_way_out(recorder: Recorder, answer: Answer, lines: list[str]) -> None:
    recorder.heard(get(), answer, 1.0)
    with pytest.raises(DirtyRecording) as caught:
        recorder.commit(keep=True)
    assert str(caught.value).split("\n  ") == [
        f"{recorder.path}: not written, the recording may hold secrets:",
        *lines,
    ]
    assert not recorder.path.exists()
