"""Comparisons of codes and error bodies get one line for each code, and nothing else gets any."""

from __future__ import annotations

from collections import OrderedDict, namedtuple
from dataclasses import dataclass

import pytest
from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkError
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.explanations.assertrepr import composed, lines

DENIED = (
    "Ecs.0110 · authorization · "
    "The caller is known to the cloud, but its user, group or token lacks the ECS role or action."
)
GATEWAY = (
    "APIGW.0301 · authentication · "
    "The gateway could not establish who is calling: token or AK/SK is missing, wrong, expired or wrongly signed."
)
ILLEGAL = "Ecs.0005 · service · A field of the request is missing, badly formed or inconsistent with another one."
BODY = {"error": {"message": "do not have the required roles", "code": "Ecs.0110"}}
JSON = '{"error_msg": "x-auth-token not found", "error_code": "APIGW.0301", "request_id": "1"}'


@dataclass
class Answer:
    status: int
    code: str


Pair = namedtuple("Pair", "status code")


@pytest.mark.parametrize(
    ("op", "left", "right", "expected"),
    [
        ("==", "APIGW.0301", "Ecs.0110", [GATEWAY, DENIED]),
        ("!=", "Ecs.0110", "Ecs.0110", [DENIED]),
        ("==", "ecs.0110", None, [DENIED]),
        ("==", None, "Ecs.0110", [DENIED]),
        ("in", "Ecs.0110", ["Ecs.0005"], [DENIED, ILLEGAL]),
        ("not in", "Ecs.0110", ("Ecs.0005", "Ecs.0110"), [DENIED, ILLEGAL]),
        ("in", "Ecs.0110", JSON, [DENIED, GATEWAY]),
        ("==", BODY, {"servers": []}, [DENIED]),
        ("==", OrderedDict(BODY), {}, [DENIED]),
        ("==", [BODY, BODY], [], [DENIED]),
        ("==", {"Ecs.0110": 2}, {}, [DENIED]),
        ("==", {"APIGW.0301", "Ecs.0110"}, {"Ecs.0005"}, [GATEWAY, DENIED, ILLEGAL]),
        ("<=", frozenset(["Ecs.0110"]), frozenset(), [DENIED]),
        ("==", Answer(403, "Ecs.0110"), Answer(200, ""), [DENIED]),
        ("==", Pair(403, "Ecs.0110"), Pair(200, ""), [DENIED]),
        ("==", JSON, "", [GATEWAY]),
        ("==", JSON.encode(), b"", [GATEWAY]),
        ("is", ClientRequestException(403, SdkError("1", "Ecs.0110", "no")), None, [DENIED]),
        ("==", str(ClientRequestException(403, SdkError("1", "Ecs.0110", "no"))), "", [DENIED]),
    ],
)
def test_each_code_gets_its_line(op: str, left: object, right: object, expected: list[str]) -> None:
    assert lines(op, left, right) == expected


@pytest.mark.parametrize(
    ("left", "right"),
    [
        (403, 200),
        ("hello", "world"),
        ("report.0301", "report.0302"),
        ("Ecs.01101", "Ecs"),
        ("Forbidden", "Unauthorized"),
        ("see Ecs.0110 in the manual", ""),
        ({"servers": []}, {"servers": [1]}),
        ({"code": 404, "message": "not found"}, {}),
        (Answer, Answer(200, "")),
        (b"\xff\xfe", b""),
        (ValueError("Ecs"), None),
    ],
)
def test_what_is_no_code_gets_none(left: object, right: object) -> None:
    assert lines("==", left, right) == []


def test_lines_are_translated() -> None:
    (line,) = lines("==", "Ecs.0110", None, "zh")
    assert line.startswith("Ecs.0110 · 鉴权（authorization） · ")


def test_no_more_than_four_codes_are_explained() -> None:
    assert len(lines("==", [f"Ecs.000{digit}" for digit in range(1, 8)], [])) == 4


def test_values_that_hold_themselves_end() -> None:
    round_about: list[object] = ["Ecs.0110"]
    round_about.append(round_about)
    assert lines("==", round_about, []) == [DENIED]


class Limits:
    """What `composed` reads of pytest's configuration."""

    def __init__(self, verbosity: int = 0) -> None:
        self.verbosity = verbosity

    def get_verbosity(self, kind: str) -> int:
        assert kind == "assertions"
        return self.verbosity

    def getini(self, name: str) -> None:
        assert name in ("truncation_limit_lines", "truncation_limit_chars")


@pytest.fixture
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)


def shown(own: list[str], ours: list[str], verbosity: int = 0) -> list[str]:
    return composed(Limits(verbosity), ("==", "a", "b"), own, ours)  # type: ignore[arg-type]


@pytest.mark.usefixtures("_no_ci")
def test_short_diff_stays_whole_above_our_lines() -> None:
    own = ["'a' == 'b'", "", "- b", "+ a"]
    assert shown(own, [DENIED]) == [*own, "", DENIED]


@pytest.mark.usefixtures("_no_ci")
def test_long_diff_makes_room_for_our_lines() -> None:
    own = ["[...] == [...]", "", *(f"line {number}" for number in range(30))]
    assert shown(own, [DENIED]) == [*own[:5], "...Full output truncated, use '-vv' to show", "", DENIED]


@pytest.mark.usefixtures("_no_ci")
def test_wide_diff_makes_room_for_our_lines() -> None:
    written = shown(["x == y", "", "- " + "b" * 500, "+ " + "a" * 500], [DENIED, GATEWAY])
    assert written[-2:] == [DENIED, GATEWAY]
    assert sum(map(len, written)) <= 640
    assert all(line.endswith("...") for line in written[2:4])


@pytest.mark.usefixtures("_no_ci")
def test_nothing_is_cut_with_vv() -> None:
    own = ["[...] == [...]", "", *(f"line {number}" for number in range(30))]
    assert shown(own, [DENIED], verbosity=2) == [*own, "", DENIED]


def test_nothing_is_cut_in_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "1")
    own = ["[...] == [...]", "", *(f"line {number}" for number in range(30))]
    assert shown(own, [DENIED]) == [*own, "", DENIED]


def test_without_lines_of_others_the_comparison_itself_is_the_first() -> None:
    assert shown([], [DENIED]) == ["'a' == 'b'", "", DENIED]


_values = st.recursive(
    st.none() | st.integers() | st.text(max_size=30) | st.binary(max_size=30) | st.just("Ecs.0110"),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=80, deadline=None, derandomize=True)
@given(_values, _values)
def test_any_operands_are_survived(left: object, right: object) -> None:
    written = lines("==", left, right)
    assert all(isinstance(line, str) and "\n" not in line for line in written)
    assert len(written) <= 4
