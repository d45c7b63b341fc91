"""The fast reader gives what YAML gives, or nothing."""

from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from replaying import LIST

from pytest_hwcloud.cassettes import library, plain_yaml
from pytest_hwcloud.cassettes.interaction import from_plain, read_interaction, read_yaml
from pytest_hwcloud.cassettes.plain_yaml import NotPlain, read_entry, split
from pytest_hwcloud.cassettes.tape import CassetteError, Tape, read_cassette
from pytest_hwcloud.cloud.wire import Request

HERE = Path("c.yaml")
WORDS = r"""yes No ON null ~ true 0 00 017 1_000 1.5 1e5 0x1F 0b11 12:30 2026-01-02 .5 .inf = << - ? y n NaN 9 x,y 1c1d
7775eaa6b4bbe593 0e812a a:b a#b a:#b a#:b 'it''s' "\u00e4" "\ud83d" "\x41" [] {} application/json a: :b #b a, 1:2:3"""
SCALARS = st.one_of(
    st.text("ab1.-_:#'\"~ eE0x[]{},&*!|>%@`", min_size=1, max_size=8),
    st.sampled_from(WORDS.split()),
)


def document(scalar: str, key: str = "v", block: str = "") -> bytes:
    return (
        f"version: 1\ninteractions:\n- request:\n    method: GET\n    uri: {LIST}\n"
        f"    headers:\n      X:\n      - {scalar}\n"
        f"    {key}: {scalar}\n  response:\n    status:\n      code: 200\n{block}"
    ).encode()


def same_or_nothing(data: bytes) -> bool:
    """Whether the fast reader reads it; then it must have read what YAML reads."""
    try:
        found = split(data)
        entries = [read_entry(data[a:b]) for a, b in zip(found.spans, found.spans[1:], strict=False)]
        frame = read_yaml(found.frame, HERE)
    except (NotPlain, CassetteError, UnicodeDecodeError):
        return False
    loaded = yaml.load(data, Loader=yaml.CSafeLoader)
    assert {**frame, "interactions": entries} == loaded
    assert found.keys == [(e["request"]["method"], e["request"]["uri"]) for e in loaded["interactions"]]
    return True


@settings(max_examples=300, deadline=None, derandomize=True)
@given(SCALARS, st.sampled_from(["v", "on", "k.k", "a-b", "'q'", "1"]))
def test_a_scalar_is_what_yaml_says_or_is_left_to_yaml(scalar, key):
    same_or_nothing(document(scalar, key))


@pytest.mark.parametrize(
    "scalar", ["application/json", "7775eaa6b4bbe5934e565349bd27c298", "0e812a89", "3", "null", '"a: b"', "'x'", "[]"]
)
def test_what_our_writer_writes_is_read_fast(scalar):
    assert same_or_nothing(document(scalar))


LINES = st.lists(
    st.sampled_from(["", " ", "a", "  b", '"x": {', "- request:", "    method: GET", "#", "a: |", "\t", "é"]),
    max_size=6,
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(LINES, st.sampled_from(["|", "|-", "|+", "|2", ">"]), st.integers(0, 10))
def test_a_block_is_what_yaml_says_or_is_left_to_yaml(lines, style, margin):
    block = f"    body:\n      string: {style}\n" + "".join(f"{' ' * margin}{line}\n" for line in lines)
    same_or_nothing(document("x", block=block))


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.data())
def test_moved_lines_are_read_as_yaml_reads_them_or_not_at_all(data):
    lines = (
        document("x", block="    body:\n      string: |-\n        {\n          1\n        }\n").decode().splitlines()
    )
    for _ in range(data.draw(st.integers(1, 2))):
        at = data.draw(st.integers(2, len(lines) - 1))
        lines[at] = " " * data.draw(st.integers(0, 9)) + lines[at].strip()
    text = "\n".join([*lines, ""]).encode()
    try:
        assert same_or_nothing(text) in (True, False)
    except yaml.YAMLError:  # the fast reader must not read what YAML refuses
        pytest.fail(text.decode())


@settings(max_examples=300, deadline=None, derandomize=True)
@given(SCALARS, LINES, st.sampled_from(["", "# c\n", "\n"]), st.sampled_from(["|", "|-", ">"]))
def test_the_frame_is_what_yaml_says_or_is_left_to_yaml(scalar, lines, head, style):
    block = "".join(f"    {line}\n" for line in lines)
    frame = f"{head}version: 1\nmetadata:\n  a:\n    b: {scalar}\n  c: {style}\n{block}  d: x\n".encode()
    whole = frame + document("x").partition(b"version: 1\n")[2]
    try:
        assert split(whole).frame == frame
        found = plain_yaml.read_frame(frame)
    except (NotPlain, UnicodeDecodeError):
        return
    assert found == yaml.load(frame, Loader=yaml.CSafeLoader)


@pytest.mark.parametrize("bad", ["\x85", "\u2028", "\ufeff", "\x07", "\r", "\t", "\x7f", "\ufffe"])
def test_characters_that_yaml_treats_in_its_own_way_are_left_to_it(bad):
    with pytest.raises(NotPlain):
        split(document(f'"a{bad}b"'))


def test_a_quoted_text_that_goes_on_in_the_first_column_does_not_split_the_file():
    trap = document("x") + b'    trap: "\n- request:\n    method: GET\n    uri: https://evil\n  response:\n    x: "\n'
    assert not same_or_nothing(trap)


@pytest.mark.parametrize("name", library.names())
def test_the_shipped_cassettes_are_plain(name):
    content = library.shipped(name).read_bytes()
    assert same_or_nothing(content)
    assert plain_yaml.read_frame(split(content).frame)["metadata"]["made"] == "transcribed"
    assert read_cassette(content, HERE).plain


VALUES = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.text(max_size=6), st.binary(max_size=4), st.floats(allow_nan=False)
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(VALUES, st.sampled_from([None, True, False]))
def test_the_reader_of_events_gives_what_libyaml_s_safe_loader_gives(value, flow):
    text = yaml.dump(value, default_flow_style=flow, allow_unicode=True)
    assert read_yaml(text, HERE) == yaml.load(text, Loader=yaml.CSafeLoader)


def test_the_reader_of_events_knows_merge_keys_and_the_harmless_tags_of_vcrpy():
    text = "base: &b {a: 1, b: 2}\nown: {<<: *b, b: 3}\nmany: {<<: [*b, {c: 4}]}\n"
    text += "t: !!python/tuple [1]\nu: !!python/unicode 'x'\n"
    assert read_yaml(text, HERE) == {
        "base": {"a": 1, "b": 2},
        "own": {"a": 1, "b": 3},
        "many": {"a": 1, "b": 2, "c": 4},
        "t": (1,),
        "u": "x",
    }
    body = "b: !!python/object/new:_io.BytesIO\n  state: !!python/tuple [!!binary aGk=, 0, null]\n"
    assert read_yaml(body, HERE) == {"b": b"hi"}


def test_the_spans_cover_every_entry():
    data = document("x") * 1
    assert plain_yaml.split(data).spans == [data.index(b"- request"), len(data)]


def in_our_order(value: str, name: str, body: str, code: str, coding: str) -> bytes:
    sent = body.replace(" " * 8, " " * 6)
    return (
        f"version: 1\ninteractions:\n- request:\n    method: GET\n    uri: {LIST}\n    body: {sent}\n    headers:\n"
        f"      {name}:\n      - {value}\n      - x\n  response:\n    status:\n      code: {code}\n"
        f"      message: {value}\n    headers:\n      {name}:\n      - {value}\n    body:\n      string: {body}\n"
        f"{coding}  recorded_at: {value}\n"
    ).encode()


@settings(max_examples=250, deadline=None, derandomize=True)
@given(
    SCALARS,
    st.sampled_from(["X-A", "on", "Connection", "transfer-encoding", "Content-Encoding", "'q'"]),
    st.one_of(
        SCALARS,
        st.sampled_from(["null", '""', "|\n        a: b", "|-\n        {\n\n          1}", "|+\n        x\n"]),
    ),
    st.sampled_from(["200", "204", "0", "abc"]),
    st.sampled_from(["", "  coding: gzip\n", "  coding: null\n"]),
)
def test_an_entry_read_at_one_glance_is_what_yaml_and_the_slow_reader_make_of_it(value, name, body, code, coding):
    data = in_our_order(value, name, body, code, coding)
    try:
        found = split(data)
    except (NotPlain, UnicodeDecodeError):
        return
    entry = plain_yaml.read_recorded(data, *found.spans)
    if entry is not None:
        document = yaml.load(data, Loader=yaml.CSafeLoader)["interactions"][0]
        assert from_plain(entry, 0) == read_interaction(document, 0, HERE)


@pytest.mark.parametrize("value", ["application/json", "close", "gzip", '"a: b"', "12", "true"])
@pytest.mark.parametrize("body", ["null", "|-\n        {\n          1}"])
def test_what_our_writer_writes_is_read_at_one_glance(value, body):
    data = in_our_order(value, "Connection", body, "200", "")
    assert plain_yaml.read_recorded(data, *split(data).spans) is not None


def test_a_number_as_a_body_is_told_as_ever(tmp_path):
    path = tmp_path / "c.yaml"
    path.write_bytes(in_our_order("x", "X-A", "12", "200", ""))
    with pytest.raises(CassetteError, match=r"interactions\[0\].*a body cannot be of type int"):
        Tape.load(path).take(Request("GET", LIST))
