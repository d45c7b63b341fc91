"""The summary at the end of a run: each cause once, with its tests; properties that any report can carry."""

from __future__ import annotations

import json
from dataclasses import dataclass, field

from pytest_hwcloud.explanations.explanation import Explanation, explain
from pytest_hwcloud.explanations.summary import add_to, causes, explanations_in, lines, properties

DENIED = {"error": {"message": "do not have the required roles, forbidden.", "code": "Ecs.0110"}}
TOKEN = {"error_msg": "Incorrect IAM authentication information: decrypt token fail", "error_code": "APIGW.0301"}


@dataclass
class Report:
    nodeid: str
    user_properties: list[object] = field(default_factory=list)


def explanation(body: object, lang: str = "en") -> Explanation:
    found = explain(body, lang)
    assert found is not None
    return found


def report(nodeid: str, *bodies: object) -> Report:
    kept: list[tuple[str, object]] = [("mine", 1)]
    for body in bodies:
        add_to(kept, explanation(body))
    return Report(nodeid, list(kept))


def test_each_cause_is_written_once_with_its_tests_the_most_frequent_first() -> None:
    denied, token = explanation(DENIED), explanation(TOKEN)
    reports = [report("t.py::token", TOKEN), *(report(f"t.py::denied_{n}", DENIED) for n in range(5))]
    assert lines(reports) == [
        "Ecs.0110 · authorization · 5 tests",
        f"  cause  {denied.cause}",
        f"  fix    {denied.fix}",
        "  tests  t.py::denied_0",
        "         t.py::denied_1",
        "         t.py::denied_2",
        "         … and 2 more",
        "APIGW.0301 · authentication · 1 test",
        f"  cause  {token.cause}",
        f"  fix    {token.fix}",
        "  tests  t.py::token",
    ]


def test_chinese_summary() -> None:
    kept: list[tuple[str, object]] = []
    add_to(kept, explanation(DENIED, "zh"))
    written = lines([Report("t.py::a", list(kept))], "zh")
    assert written[0] == "Ecs.0110 · 鉴权（authorization） · 1 个测试"
    assert written[-1].split() == ["测试", "t.py::a"]


def test_failure_without_a_code_is_titled_by_its_first_line() -> None:
    error = ConnectionError(
        "HTTPSConnectionPool(host='ecs.cn-north-4.myhuaweicloud.com', port=443): getaddrinfo failed"
    )
    found = explanation(error)
    kept: list[tuple[str, object]] = []
    add_to(kept, found)
    (cause,) = causes([Report("t.py::a", list(kept))])
    assert "hwcloud: " + cause.title == found.first_line


def test_number_for_a_code_is_titled_by_the_first_line() -> None:
    missing = {"itemNotFound": {"message": "Instance x could not be found.", "code": 404}}
    (cause,) = causes([report("t.py::a", missing)])
    assert cause.title == "failed at service: itemNotFound (HTTP 404)"


def test_test_that_fails_twice_is_counted_once() -> None:
    twice = report("t.py::a", DENIED)
    (cause,) = causes([twice, twice])
    assert list(cause.tests) == ["t.py::a"]


def test_age_of_a_token_makes_no_other_cause() -> None:
    def stale(nodeid: str, age: int) -> Report:
        cause = f"The token, issued {age} s ago, is older than the present rights."
        return Report(
            nodeid, [("hwcloud.gate", "authorization"), ("hwcloud.code", "Ecs.0110"), ("hwcloud.cause", cause)]
        )

    assert [list(cause.tests) for cause in causes([stale("a", 3), stale("b", 14)])] == [["a", "b"]]


def test_two_causes_of_one_test_are_kept_apart() -> None:
    assert [cause.title for cause in causes([report("t.py::a", DENIED, TOKEN)])] == [
        "Ecs.0110 · authorization",
        "APIGW.0301 · authentication",
    ]


def test_same_explanation_of_a_test_is_kept_once() -> None:
    assert len(explanations_in(report("t.py::a", DENIED, TOKEN, DENIED).user_properties)) == 2


def test_reports_without_explanations_write_nothing() -> None:
    assert lines([Report("t.py::a"), Report("t.py::b", [("other", "x"), "odd", ("hwcloud.code", "orphan")])]) == []


def test_properties_are_plain_strings_and_survive_a_trip_through_json() -> None:
    kept = properties(explanation(DENIED))
    assert kept[:2] == [("hwcloud.gate", "authorization"), ("hwcloud.code", "Ecs.0110")]
    assert all(type(name) is str and type(value) is str for name, value in kept)
    travelled = json.loads(json.dumps(kept))
    assert explanations_in(travelled) == explanations_in(kept)
