"""A cassette that answers: index, order, repeats, bodies, all of vcrpy's spellings, and clear errors."""

import base64
import gzip
import json

import pytest
import yaml
from replaying import HOST, LIST, entry, tape, write

from pytest_hwcloud.cassettes import tape as tapes
from pytest_hwcloud.cassettes.tape import CassetteError, Tape
from pytest_hwcloud.cloud.wire import Request


def get(url=LIST, method="GET", body=b""):
    return Request(method, url, {}, body)


def bodies(made, *requests):
    return [found.answer.body if (found := made.take(request)) else None for request in requests]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "c.yaml"


def test_each_recorded_answer_is_given_once_in_order(file):
    made = tape(file, entry(body="1"), entry(body="2"))
    assert bodies(made, get(), get(), get()) == [b"1", b"2", None]


@pytest.mark.parametrize("metadata", [{"repeat_last": True}, {}])
def test_the_last_answer_repeats_where_the_cassette_or_the_entry_says_so(file, metadata):
    last = entry(body="2") if metadata else entry(body="2", repeat_last=True)
    made = tape(file, entry(body="1"), last, **metadata)
    assert bodies(made, *[get()] * 4) == [b"1", b"2", b"2", b"2"]
    assert made.unplayed == []


def test_the_order_of_the_query_the_default_port_and_the_encoding_do_not_matter(file):
    made = tape(file, entry(f"{HOST}/a%7Eb?x=1&y=%C3%A4%20b"), repeat_last=True)
    same = [f"{HOST}/a~b?y=%c3%a4+b&x=1", f"{HOST}:443/a~b?x=1&y=%C3%A4%20b", f"{HOST.upper()}/a~b?x=1&y=ä%20b"]
    assert [made.take(get(url)) is not None for url in same] == [True] * 3


@pytest.mark.parametrize(
    "request_",
    [
        get(method="POST"),
        get(LIST + "?a="),
        get(LIST + "/"),
        get(LIST.replace("https", "http")),
        get(LIST.replace(".com", ".com:8443")),
        get(LIST.replace("ecs.", "vpc.")),
    ],
)
def test_everything_else_matters(file, request_):
    assert tape(file, entry(), repeat_last=True).take(request_) is None


def test_different_bodies_get_their_own_answers_whatever_the_order(file):
    made = tape(
        file,
        entry(method="POST", sent='{"a": 1, "b": 2}', body="first"),
        entry(method="POST", sent='{"a": 2}', body="second"),
    )
    post = [get(method="POST", body=body) for body in (b'{"a":2}', b'{"b": 2, "a": 1}', b'{"a":2}')]
    assert bodies(made, *post) == [b"second", b"first", None]


def test_a_body_nobody_recorded_takes_what_is_next(file):
    made = tape(file, entry(method="POST", sent="a", body="1"), entry(method="POST", sent="b", body="2"))
    assert bodies(made, *[get(method="POST", body=b"c")] * 3) == [b"1", b"2", None]


def test_peek_gives_what_take_would_give_and_plays_nothing(file):
    made = tape(file, entry(body="1"), entry(body="2"))
    assert made.peek(get()).answer.body == made.peek(get()).answer.body == b"1"
    assert bodies(made, get(), get()) == [b"1", b"2"]
    assert made.peek(get()) is None


def test_unplayed_are_named_in_the_order_of_the_file(file):
    made = tape(file, entry(), entry(f"{HOST}/v1/x"), entry(f"{HOST}/v1/y"))
    made.take(get(f"{HOST}/v1/x"))
    assert [i.index for i in made.unplayed] == [0, 2]
    assert made.unplayed_count == 2


def test_a_fault_stays_and_a_host_that_only_failed_is_dead_for_every_path(file):
    made = tape(file, entry(fault="dns"), entry("https://vpc.cn-north-4.myhuaweicloud.com/v1/x"))
    assert [made.take(get()).fault for _ in range(3)] == ["dns"] * 3
    assert made.take(get(f"{HOST}/other")).fault == "dns"
    assert made.take(get("https://vpc.cn-north-4.myhuaweicloud.com/other")) is None


def test_a_host_that_also_answered_is_not_dead(file):
    made = tape(file, entry(fault="connection-reset"), entry(f"{HOST}/ok"))
    assert made.take(get(f"{HOST}/other")) is None


PACKED = gzip.compress(b'{"count": 8}')


@pytest.mark.parametrize(
    "response",
    [
        {"body": {"string": '{"count": 8}'}},
        {"body": {"string": PACKED}, "headers": {"Content-Encoding": ["gzip"], "Content-Length": [str(len(PACKED))]}},
        {"body": {"string": '{"count": 8}'}, "headers": {"content-encoding": "gzip"}},
        {"body": {"base64_string": base64.b64encode(b'{"count": 8}').decode()}},
        {"body": {"string": base64.b64encode(b'{"count": 8}').decode(), "encoding": "base64"}},
    ],
)
def test_answers_are_read_in_every_spelling_of_vcrpy(file, response):
    whole = {"status": {"code": 200, "message": "OK"}, "headers": {}, **response}
    data = {"version": 1, "interactions": [{"request": entry()["request"], "response": whole}]}
    file.write_text(yaml.dump(data))
    answer = Tape.load(file).take(get()).answer
    assert (answer.status, answer.reason, answer.json()) == (200, "OK", {"count": 8})
    assert answer.header("Content-Encoding") is None
    assert answer.header("Content-Length") in (None, "12")


def test_a_cassette_written_by_vcrpy_is_read(file):
    import vcr.request
    from vcr.persisters.filesystem import FilesystemPersister
    from vcr.serializers import yamlserializer

    request = vcr.request.Request("POST", LIST, b"\x00\xff", {"A": "b"})
    response = {
        "status": {"code": 202, "message": "Accepted"},
        "headers": {"Set-Cookie": ["a=1", "b=2"], "Transfer-Encoding": ["chunked"]},
        "body": {"string": bytes(range(256))},
    }
    FilesystemPersister.save_cassette(file, {"requests": [request], "responses": [response]}, yamlserializer)
    found = Tape.load(file).take(get(method="POST"))
    assert (found.body, found.headers) == (b"\x00\xff", {"a": "b"})
    assert found.answer.body == bytes(range(256))
    assert found.answer.headers == {"Set-Cookie": "a=1, b=2"}


def test_json_text_and_an_empty_file_are_cassettes(file):
    assert len(Tape.load(write(file, entry(), entry()))) == 2
    file.write_text(" \n")
    tapes.drop_memory()
    assert len(Tape.load(file)) == 0


def whole(text):
    return f"version: 1\ninteractions:\n{text}"


REQUEST = f"- request:\n    method: GET\n    uri: {LIST}\n    body: null\n    headers: {{}}\n"

WRONG = {
    "- just\n- a list\n": "{file}: not a cassette: a mapping with the list `interactions` is expected",
    "servers: []\n": "{file}: not a cassette: a mapping with the list `interactions` is expected",
    "a: [1\nb: 2\n": "{file}:2: broken YAML: did not find expected ',' or ']'",
    "a: &x [*x]\n": "{file}:1: alias *x has no anchor before it, or is inside it",
    "a: !!python/object/apply:os.system ['true']\n": "{file}:1: python object "
    "'python/object/apply:os.system' is refused; a cassette holds only plain values",
    "a: !secret b\n": "{file}:1: tag '!secret' is refused; a cassette holds only plain values",
    "a: 1\n---\nb: 2\n": "{file}:2: a cassette is one YAML document, this file has more",
    "[" * 5000: "{file}:1: nested deeper than 100 levels",
    "interactions: [3]\n": "{file}: interactions[0].request: an interaction needs a request",
    "interactions: [{request: {method: GET}}]\n": "{file}: interactions[0].request.uri: must be a text",
    whole(REQUEST + "  fault: dsn\n"): "{file}: interactions[0].fault: unknown fault 'dsn'; known: dns, "
    "connection-refused, connection-reset, connect-timeout, read-timeout, tls",
    "metadata: 3\ninteractions: []\n": "{file}: metadata: must be a mapping",
    "a: \x01\n": "{file}: not a text file: control characters are not allowed at position 3; a cassette is YAML ",
    "interactions: [{request: {method: 2026-99-99, uri: x}}]": "{file}:1: broken YAML: '2026-99-99' is no timestamp",
    "{[a]: b}": "{file}:1: broken YAML: a key must be a plain value",
}


@pytest.mark.parametrize(("text", "message"), WRONG.items(), ids=[str(i) for i in range(len(WRONG))])
def test_a_wrong_file_is_one_clear_error(file, text, message):
    file.write_text(text)
    with pytest.raises(CassetteError) as caught:
        Tape.load(file)
    assert str(caught.value).startswith(message.format(file=file))
    assert "\n" not in str(caught.value)


def test_a_yaml_bomb_is_refused_before_it_expands(file):
    layers = "\n".join(f"l{n}: &l{n} [{', '.join([f'*l{n - 1}'] * 9)}]" for n in range(1, 10))
    file.write_text(f"l0: &l0 [x, x]\n{layers}\n")
    with pytest.raises(CassetteError, match=r"stand for more than 1,000,000 values \(a YAML bomb\?\)"):
        Tape.load(file)


def test_aliases_as_vcrpy_writes_them_are_fine(file):
    shared = {"Content-Type": ["application/json"]}
    data = {
        "interactions": [{**entry(body=str(n)), "response": {**entry()["response"], "headers": shared}} for n in (1, 2)]
    }
    file.write_text(yaml.dump(data))
    assert "*id001" in file.read_text()
    assert Tape.load(file).take(get()).answer.headers == {"Content-Type": "application/json"}


@pytest.mark.parametrize(
    ("response", "key"),
    [
        ("null", "response: an interaction needs a response or a fault"),
        ("{status: 200}", "response.status: must be a mapping, not int"),
        ("{status: {code: yes}}", "response.status.code: must be a number, not True"),
        ("{status: {code: 200}, body: {base64_string: a}}", "response.body: broken base64: "),
        ("{status: {code: 200}, body: 3}", "response.body: a body cannot be of type int"),
    ],
)
def test_a_wrong_answer_is_named_when_it_is_asked_for(file, response, key):
    file.write_text(whole(REQUEST + f"  response: {response}\n"))
    made = Tape.load(file)
    with pytest.raises(CassetteError) as caught:
        made.take(get())
    assert str(caught.value).startswith(f"{file}: interactions[0].{key}")


def test_a_missing_file_and_a_folder_are_clear_errors(tmp_path):
    with pytest.raises(CassetteError, match=r"no\.yaml: cannot be read: No such file or directory"):
        Tape.load(tmp_path / "no.yaml")
    with pytest.raises(CassetteError, match="cannot be read: Is a directory"):
        Tape.load(tmp_path)


def test_ten_thousand_polls_of_one_url_are_answered_in_order(file):
    made = tape(file, *(entry(body=str(n)) for n in range(10_000)))
    assert bodies(made, *[get()] * 10_001) == [*(str(n).encode() for n in range(10_000)), None]


def test_ten_thousand_posts_with_two_bodies_are_answered_by_body(file):
    made = tape(file, *(entry(method="POST", sent="ab"[n % 2], body=str(n)) for n in range(4_000)))
    answers = bodies(made, *[get(method="POST", body=b"b")] * 2_001)
    assert answers == [*(str(n).encode() for n in range(1, 4_000, 2)), None]


def test_eight_threads_share_a_tape_without_loss(file):
    from concurrent.futures import ThreadPoolExecutor

    made = tape(file, *(entry(body=str(n)) for n in range(400)))
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda _: made.take(get()).answer.body, range(400)))
    assert sorted(found, key=int) == [str(n).encode() for n in range(400)]


def test_the_key_of_the_nearest_request_prefers_the_same_path(file):
    made = tape(
        file, entry("https://vpc.cn-north-4.myhuaweicloud.com/v1/x/vpcs"), entry(LIST + "?limit=5"), entry(f"{HOST}/z")
    )
    assert made.nearest(get(LIST + "?limit=6")).index == 1
    assert made.nearest(get("https://vpc.cn-north-4.myhuaweicloud.com/v1/x/ports")).index == 0
    assert tape(file).nearest(get()) is None


def test_the_same_file_is_read_once_and_a_new_one_anew(file, monkeypatch):
    write(file, entry(body="1"))
    first = Tape.load(file)
    monkeypatch.setattr(tapes, "read_cassette", lambda *_: pytest.fail("read again"))
    assert bodies(Tape.load(file), get()) == bodies(first, get()) == [b"1"]
    monkeypatch.undo()
    other = write(file.with_name("other"), entry(body="22"))
    other.replace(file)
    assert bodies(Tape.load(file), get()) == [b"22"]


def test_json_of_a_broken_kind_is_reported_as_yaml(file):
    file.write_text(json.dumps({"interactions": []})[:-1])
    with pytest.raises(CassetteError, match="broken YAML"):
        Tape.load(file)
