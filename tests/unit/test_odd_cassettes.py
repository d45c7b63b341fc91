"""Cassettes as other tools, other systems and other years wrote them: the right value, or one clear line."""

from __future__ import annotations

import json

import pytest
from replaying import LIST, entry, replaying, state

from pytest_hwcloud.cassettes.library import find
from pytest_hwcloud.cassettes.tape import CassetteError, Tape
from pytest_hwcloud.cloud.wire import Request

GET = Request("GET", LIST)


def item(
    body: str = "body: {string: hello}",
    status: str = "status: {code: 200, message: OK}",
    headers: str = "headers: {Content-Type: [text/plain]}",
    url: str = LIST,
) -> str:
    request = f"- request:\n    method: GET\n    uri: '{url}'\n    body: null\n    headers: {{}}\n"
    return f"{request}  response:\n    {status}\n    {headers}\n    {body}\n"


def whole(*items: str, head: str = "version: 1\n") -> str:
    return f"{head}interactions:\n" + "".join(items)


ONE_LINE = (
    f"{{request: {{method: GET, uri: '{LIST}', body: null, headers: {{}}}}, "
    "response: {status: {code: 200, message: OK}, headers: {}, body: {string: hello}}}"
)
JSON = json.dumps({"version": 1, "interactions": [entry(body="hello")]})
SAME = {
    "plain": whole(item()),
    "no version": whole(item(), head=""),
    "another version": whole(item(), head="version: 2\n"),
    "Windows": whole(item()).replace("\n", "\r\n"),
    "old Macintosh": whole(item()).replace("\n", "\r"),
    "BOM": "\ufeff" + whole(item()),
    "BOM, Windows": "\ufeff" + whole(item()).replace("\n", "\r\n"),
    "UTF-16": whole(item()).encode("utf-16"),
    "marks of the document": f"---\n{whole(item())}...\n",
    "comments": "# one\n\n# two\n" + whole(item()).replace("interactions:", "interactions:  # three"),
    "JSON": JSON,
    "JSON with BOM": "\ufeff" + JSON,
    "JSON, Windows": JSON.replace(", ", ",\r\n"),
    "flow": f"{{interactions: [{ONE_LINE}]}}",
    "a list alone": f"- {ONE_LINE}\n",
    "alias": f"interactions:\n- &one {ONE_LINE}\n- *one\n",
    "small method": whole(item()).replace("GET", "get"),
    "base64_string": whole(item("body: {base64_string: aGVsbG8=}")),
    "base64 in lines": whole(item("body:\n      base64_string: |\n        aGVs\n        bG8=")),
    "base64 as bytes": whole(item("body: {base64_string: !!binary YUdWc2JHOD0=}")),
    "encoding base64": whole(item("body: {encoding: base64, string: aGVsbG8=}")),
    "binary": whole(item("body: {string: !!binary aGVsbG8=}")),
    "unicode of Python 2": whole(item("body: {string: !!python/unicode 'hello'}")),
    "BytesIO": whole(item("body: {string: !!python/object/new:_io.BytesIO {state: !!python/tuple [hello, 0, null]}}")),
    "body alone": whole(item("body: hello")),
    "encoding of Ruby": whole(item("body: {encoding: UTF-8, string: hello}")),
    "unknown encoding": whole(item("body: {encoding: ASCII-8BIT, string: hello}")),
    "code as a text": whole(item(status="status: {code: '200', message: OK}")),
    "no headers": whole(item(headers="headers: null")),
    "headers in pairs": whole(item(headers="headers: [[Content-Type, text/plain], [X-A, 1]]")),
    "headers in lines": whole(item(headers='headers: ["Content-Type: text/plain\\r\\n", "X-A: 1"]')),
    "header without a value": whole(item(headers="headers: {X-A: null, X-B: 1}")),
    "packed": whole(
        item(
            "body: {string: !!binary H4sIAAAAAAAAA8tIzcnJBwCGphA2BQAAAA==}",
            headers="headers: {Content-Encoding: [gzip], Content-Length: ['25']}",
        )
    ),
}


@pytest.mark.parametrize("content", SAME.values(), ids=SAME)
def test_the_same_answer_in_every_spelling(tmp_path, content):
    file = tmp_path / "recorded"  # a file without a suffix
    file.write_bytes(content if isinstance(content, bytes) else content.encode())
    assert find("recorded", tmp_path) == file
    answer = Tape.load(file).take(GET).answer
    assert (answer.status, answer.body) == (200, b"hello")
    assert answer.header("X-A") in (None, "1", "")
    assert "None" not in answer.headers.values()


def test_a_text_in_another_encoding_has_its_bytes(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text(whole(item("body: {encoding: ISO-8859-1, string: zażółć é}"), item("body: {string: é}")), "utf-8")
    made = Tape.load(file)
    assert made.take(GET).answer.body == "zażółć é".encode()  # it does not fit: as it stands in the file
    file.write_text(whole(item("body: {encoding: ISO-8859-1, string: é}")), "utf-8")
    assert Tape.load(file).take(GET).answer.body == b"\xe9"


@pytest.mark.parametrize("content", ["", "  \n\n", "# only\n# comments\n", "---\n", "null\n", "interactions: []\n"])
def test_nothing_is_a_cassette_without_answers(tmp_path, content):
    file = tmp_path / "c.yaml"
    file.write_text(content)
    made = Tape.load(file)
    assert (len(made), made.take(GET), made.unplayed) == (0, None, [])


NO_LIST = "not a cassette: a mapping with the list `interactions` is expected"
WRONG = {
    "version: 1\ninteractions:\n": f": {NO_LIST}",
    "interactions: {a: 1}\n": f": {NO_LIST}",
    "- a\n": f": {NO_LIST}",
    "hello": f": {NO_LIST}",
    "http_interactions: []\n": f": {NO_LIST}",
    whole(item()) + "interactions: []\n": ":12: interactions: given twice",
    JSON.replace('"version": 1', '"interactions": []'): ": interactions: given twice",
    whole(item()) + "---\n" + whole(item()): ":12: a cassette is one YAML document, this file has more",
    "interactions:\n- null\n": ": interactions[0].request: an interaction needs a request",
    "interactions:\n- hello\n": ": interactions[0].request: an interaction needs a request",
    whole(item()).replace("method: GET", "method: 5"): ": interactions[0].request.method: must be a text",
    whole(item(url="x")).replace("uri: 'x'", "uri: null"): ": interactions[0].request.uri: must be a text",
    whole(item()).replace("    uri", "\turi"): ":5: broken YAML: found a tab character that violates indentation",
    whole(item("body: {string: !!python/object/apply:os.system ['true']}")): ":11: python object "
    "'python/object/apply:os.system' is refused; a cassette holds only plain values",
    whole(item("body: {string: 2020-99-99}")): ":11: broken YAML: '2020-99-99' is no timestamp",
}


@pytest.mark.parametrize(("content", "problem"), WRONG.items())
def test_a_file_that_is_no_cassette_is_one_clear_line(tmp_path, content, problem):
    file = tmp_path / "c.yaml"
    file.write_text(content)
    with pytest.raises(CassetteError) as caught:
        Tape.load(file)
    assert str(caught.value) == f"{file}{problem}"


QUOTED = ": write it as a text, in quotes"
BROKEN = {
    "body: {base64_string: '!!!'}": "response.body: broken base64: Only base64 data is allowed",
    "body: {string: [1]}": "response.body: a body cannot be of type list" + QUOTED,
    "body: [1]": "response.body: a body cannot be of type list" + QUOTED,
    "body: {string: {a: 1}}": "response.body: a body cannot be of type dict" + QUOTED,
    "body: {text: hello}": "response.body: a body cannot be of type dict" + QUOTED,
    "body: {string: 12}": "response.body: a body cannot be of type int" + QUOTED,
    "body: {string: 123456789012345678901234567890}": "response.body: a body cannot be of type int" + QUOTED,
    "body: {string: 1.10}": "response.body: a body cannot be of type float" + QUOTED,
    "body: {string: yes}": "response.body: a body cannot be of type bool" + QUOTED,
}


@pytest.mark.parametrize(("body", "problem"), BROKEN.items())
def test_what_is_no_body_is_named_and_the_other_answers_stay(tmp_path, body, problem):
    file = tmp_path / "c.yaml"
    file.write_text(whole(item(body), item(url=f"{LIST}?limit=1&&offset=2")))
    made = Tape.load(file)
    with pytest.raises(CassetteError) as caught:
        made.take(GET)
    assert str(caught.value) == f"{file}: interactions[0].{problem}"
    assert made.take(Request("GET", f"{LIST}?offset=2&limit=1")).answer.body == b"hello"


@pytest.mark.parametrize("code", ["99", "1000", "99999999999999999999999", "200.0", "null", "two hundred", "'20'"])
def test_what_is_no_status_is_named(tmp_path, code):
    file = tmp_path / "c.yaml"
    file.write_text(whole(item(status=f"status: {{code: {code}, message: OK}}")))
    with pytest.raises(CassetteError, match=r"interactions\[0\]\.response\.status\.code: must be a number, not "):
        Tape.load(file).take(GET)


def test_an_entry_without_an_answer_among_others(tmp_path):
    file = tmp_path / "c.yaml"
    lone = f"- request: {{method: GET, uri: '{LIST}?x=1', body: null, headers: {{}}}}\n"
    file.write_text(whole(item(), lone, item(url=f"{LIST}?y=1")))
    made = Tape.load(file)
    with replaying(made, cloud=state()) as player:
        assert [made.take(Request("GET", url)).answer.body for url in (LIST, f"{LIST}?y=1")] == [b"hello"] * 2
        with pytest.raises(CassetteError) as caught:
            player.answer(Request("GET", f"{LIST}?x=1", {"x-auth-token": "x"}))
    assert str(caught.value) == f"{file}: interactions[1].response: an interaction needs a response or a fault"


def test_a_large_odd_file_is_read(tmp_path):
    file = tmp_path / "c.yaml"
    file.write_text(whole(*[item().replace("\n", "\r\n")] * 300))
    assert len(Tape.load(file)) == 300
