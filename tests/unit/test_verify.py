"""Drift: status, code and shape; never values, nor what was empty or null on one side."""

from __future__ import annotations

import pytest

from pytest_hwcloud.cassettes.drift import compare
from pytest_hwcloud.cloud.wire import Answer, json_answer


def drift(old: object, new: object) -> list[str]:
    return [str(one) for one in compare("GET x", json_answer(200, old), json_answer(200, new))]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"id": "a", "n": 1}, {"id": "b", "n": 2.5}),
        ({"servers": []}, {"servers": [{"id": "a"}]}),
        ({"next": None}, {"next": "abc"}),
        ({"metadata": {"0000aaaa-1111-2222-3333-444455556666": 1}}, {"metadata": {"10.0.0.1": 2}}),
        ({"addresses": {"3dda7d4b-aec0-4838-a91a-28ab1fd30542": []}}, {"addresses": {}}),
        ({"rows": [{"id": 1, "tag": "x"}, {"id": 2}]}, {"rows": [{"id": 3}]}),
        ({"rows": [1, "a"]}, {"rows": ["b"]}),
        ([], [1]),
    ],
)
def test_noise(old: object, new: object) -> None:
    assert drift(old, new) == []


@pytest.mark.parametrize(
    ("old", "new", "text"),
    [
        ({"n": 1}, {"n": "1"}, "GET x: $.n: recorded a number, live a text"),
        ({"n": 1}, {"n": True}, "GET x: $.n: recorded a number, live true or false"),
        ({"rows": [{"id": 1}]}, {"rows": [{"no": 1, "id": 1}]}, "GET x: $.rows[].no: recorded not there, live new"),
        ({"a": {"b": 1}}, {"a": {}}, "GET x: $.a.b: recorded there, live gone"),
        ({"a": {}}, {"a": []}, "GET x: $.a: recorded an object, live a list"),
        ({"m": {"1": {"x": 1}}}, {"m": {"2": {"x": "y"}}}, "GET x: $.m.*.x: recorded a number, live a text"),
    ],
)
def test_shape(old: object, new: object, text: str) -> None:
    assert drift(old, new) == [text]


def test_status_and_code_come_first() -> None:
    denied = json_answer(403, {"error": {"code": "Ecs.0110", "message": "no"}})
    other = json_answer(403, {"error_code": "PAP5.0001", "error_msg": "access denied"})
    assert str(compare("GET x", json_answer(200, {}), denied)[0]) == "GET x: status: recorded 200, live 403 Ecs.0110"
    assert str(compare("GET x", denied, other)[0]) == "GET x: code: recorded Ecs.0110, live PAP5.0001"
    assert compare("GET x", denied, json_answer(403, {"error": {"code": "Ecs.0110", "message": "nope"}})) == []


def test_json_or_not() -> None:
    assert str(compare("GET x", Answer(200, {}, b"<html>"), json_answer(200, {}))[0]) == (
        "GET x: body: recorded no JSON, live JSON"
    )
    assert compare("GET x", Answer(200, {}, b"<a>"), Answer(200, {}, b"<b>")) == []
    assert compare("GET x", Answer(204), Answer(204)) == []
