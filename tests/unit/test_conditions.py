"""Conditions: parsing, and the corners that the decision table does not reach."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest

from pytest_hwcloud.cloud.policies import conditions
from pytest_hwcloud.cloud.policies.conditions import ConditionError, Context, moment, parse


def holds(condition, **context):
    return [test.holds(Context(context)) for test in parse(condition)]


@pytest.mark.parametrize("name", conditions.OPERATORS)
def test_every_operator_of_the_table_parses_with_its_suffix_and_quantifiers(name):
    value = {"N": "1", "D": "2021-01-01T00:00:00Z", "B": "true", "I": "10.0.0.0/8"}.get(name[0], "x")
    if name in conditions._NULLS:
        value = "true"
    if "IpAddress" in name:
        value = "10.0.0.0/8"
    if name == "Null" or name.startswith("Is"):
        assert conditions.known(name)
        assert not conditions.known(f"{name}IfExists")
        return
    for written in (name, f"{name}IfExists", f"ForAllValues:{name}", f"ForAnyValue:{name}IfExists"):
        (test,) = parse({written: {"k": [value]}})
        assert test.operator == written
        assert str(test) == f"{written} k {value}"


WRONG = [
    ({"StringEqual": {"k": ["v"]}}, "unknown operator, did you mean 'StringEquals'?", ("StringEqual",)),
    ({"ForSome:StringEquals": {"k": ["v"]}}, "unknown operator", ("ForSome:StringEquals",)),
    ({"StringEquals": ["v"]}, "must be an object of condition keys and their values", ("StringEquals",)),
    ({"StringEquals": {}}, "must be an object of condition keys and their values", ("StringEquals",)),
    ({"StringEquals": {"k": []}}, "must be a text or a list of texts", ("StringEquals", "k")),
    ({"StringEquals": {"k": [{}]}}, "must be a text or a list of texts", ("StringEquals", "k")),
    ({"Bool": {"k": ["yes"]}}, "'yes' is no value that Bool can compare", ("Bool", "k")),
    ({"Null": {"k": ["maybe"]}}, "'maybe' is no value that Null can compare", ("Null", "k")),
    ({"DateLessThan": {"k": ["soon"]}}, "'soon' is no value that DateLessThan can compare", ("DateLessThan", "k")),
    ({"IpAddress": {"k": ["10.0.0.0/40"]}}, "'10.0.0.0/40' is no value that IpAddress can compare", ("IpAddress", "k")),
]


@pytest.mark.parametrize(("condition", "text", "keys"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_condition_names_operator_and_key(condition, text, keys):
    with pytest.raises(ConditionError) as caught:
        parse(condition)
    assert str(caught.value).startswith(text)
    assert caught.value.keys == keys


def test_values_may_be_one_text_a_number_or_a_truth():
    assert holds({"StringEquals": {"k": "v"}}, k="v") == [True]
    assert holds({"NumberEquals": {"k": 3}}, k="3") == [True]
    assert holds({"Bool": {"k": True}}, k="TRUE") == [True]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2021-01-01T00:00:00Z", datetime(2021, 1, 1, tzinfo=UTC)),
        ("2021-01-01T00:00:00", datetime(2021, 1, 1, tzinfo=UTC)),
        ("2021-01-01", datetime(2021, 1, 1, tzinfo=UTC)),
        ("2021-01-01T08:00:00+08:00", datetime(2021, 1, 1, 8, tzinfo=timezone(timedelta(hours=8)))),
        ("1609459200", datetime(2021, 1, 1, tzinfo=UTC)),
    ],
)
def test_moments(text, expected):
    assert moment(text) == expected


def test_context_values_of_many_kinds():
    context = Context({"a": True, "b": 5, "c": ["x", 1], "d": None, "e": datetime(2021, 1, 1, tzinfo=UTC)})
    assert [context.get(key) for key in "abcdf"] == [("true",), ("5",), ("x", "1"), (), None]
    assert context.get("e") == ("2021-01-01T00:00:00+00:00",)


def test_the_time_is_known_unless_the_context_says_otherwise():
    (now,) = Context().get("G:currentTime") or ("",)
    assert abs(moment(now) - datetime.now(UTC)) < timedelta(minutes=1)
    assert Context({"g:CurrentTime": "2021-01-01"}).get("g:CurrentTime") == ("2021-01-01",)


def test_several_request_values_without_a_quantifier():
    assert holds({"StringEquals": {"k": ["a"]}}, k=["a", "b"]) == [True]
    assert holds({"StringNotEquals": {"k": ["a"]}}, k=["a", "b"]) == [False]


def test_a_request_value_that_cannot_be_compared_is_unknown():
    assert holds({"NumberLessThan": {"k": ["5"]}}, k="many") == [None]
    assert holds({"IpAddress": {"k": ["10.0.0.0/8"]}}, k="localhost") == [None]
