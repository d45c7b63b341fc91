"""Whatever comes in, reading never raises, and explaining what was read does not either."""

# ruff: noqa: E501 - literal messages stay in one piece

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.cloud.failures import Failure, read, read_all
from pytest_hwcloud.cloud.wire import Answer
from pytest_hwcloud.explanations.explanation import explain
from pytest_hwcloud.secrets.shown_text import shown

FUZZ = settings(max_examples=120, deadline=None, derandomize=True)
KEYS = st.sampled_from(
    ["code", "message", "error", "error_code", "error_msg", "errors", "details", "fail", "failure", "sub_jobs", "entities",
     "NeutronError", "itemNotFound", "type", "detail", "title", "status", "job_id", "request_id", "internalError", "x", ""]
)  # fmt: skip
WORDS = st.sampled_from(
    ["Ecs.0110", "APIGW.0301", "401", "", "FAIL", "AccessDenied", "SYS.0202", '{"error":', '{"code":1}', "<Error>", "status_code:",
     "Policy doesn't allow a:b:c to be performed", "verify aksk signature fail, canonicalRequest:|", "ak LTAI not exist",
     "signature time:20260528T092752Z,server time:20260528T094410Z", "policy user over ratelimit,limit:0,time:0 x", "\x00", "{0}"]
)  # fmt: skip
LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20) | WORDS
JSON = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=5), max_leaves=25
)
PIECES = st.sampled_from(
    ["<Error>", "</Error>", "<Code>", "</Code>", "<Message>", "<!DOCTYPE x [", "<!ENTITY a '&b;'>", "&a;", "]>", "<![CDATA[", "]]>",
     "{", "}", '"', "'", ":", ",", "[", "]", "\n", " ", "status_code:", "request_id:", "error_code:", "error_msg:", "Ecs.0110",
     "NoSuchKey", "encoded_authorization_message:", "getaddrinfo failed", "\\", "\ud800", "401 Client Error: x for url: http://a"]
)  # fmt: skip
TEXTS = st.lists(PIECES | st.text(max_size=8), max_size=40).map("".join)


def accepts(obj: object) -> None:
    failure = read(obj)
    assert failure is None or isinstance(failure, Failure)
    for lang, head in (("en", "hwcloud: "), ("zh", "hwcloud：")):
        explanation = explain(failure, lang)
        assert (explanation is None) == (failure is None)
        assert explanation is None or str(explanation).startswith(head)


@FUZZ
@given(JSON)
def test_any_json(value):
    accepts(value)
    accepts(json.dumps(value))


@FUZZ
@given(JSON, st.integers(200, 599), st.dictionaries(st.text(max_size=10), st.text(max_size=10), max_size=3))
def test_any_answer(value, status, headers):
    accepts(Answer(status, headers, json.dumps(value).encode()))


@FUZZ
@given(TEXTS)
def test_any_text(text):
    accepts(text)
    accepts(RuntimeError(text))
    accepts(text.encode("utf-8", "replace"))
    assert all(isinstance(failure, Failure) for failure in read_all(text))


@FUZZ
@given(st.binary(max_size=200))
def test_any_bytes(raw):
    accepts(raw)
    accepts(Answer(500, {"Content-Type": "application/bson"}, raw))
    accepts(Answer(403, {}, len(raw).to_bytes(4, "little") + raw))


@FUZZ
@given(st.text(max_size=300))
def test_any_message_can_be_shown(text):
    assert "\n" not in shown(text)


class Hostile:
    """An object whose attributes cannot be read."""

    def __getattribute__(self, name: str) -> object:
        raise RuntimeError(name)


class Spoilt(Exception):
    """An exception that cannot be printed."""

    def __str__(self) -> str:
        raise ValueError("no")


def test_objects_that_defend_themselves():
    assert read(Hostile()) is None
    assert read(Spoilt()) is None


def test_a_chain_that_bites_its_tail():
    one, two = RuntimeError("a"), RuntimeError("b")
    one.__cause__, two.__cause__ = two, one
    assert read(one) is None


@pytest.mark.extended
def test_huge_bodies():
    assert read(b"a" * 1_000_000) is None
    assert read('{"code":' * 100_000) is None
    assert read("status_code:" * 40_000) is None
    assert read("<Error>" * 40_000) is None
    failure = read(Answer(400, {}, json.dumps({"error_code": "Ecs.0005", "error_msg": "x" * 1_000_000}).encode()))
    assert failure is not None
    assert len(str(explain(failure))) < 2000
