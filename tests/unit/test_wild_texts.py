"""Pasted texts of every client: one failure gives one explanation, with what the text has and not a word more."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import pytest
import yaml
from wild_texts import BODIES, TEXTS, WRAPPINGS, Row

from pytest_hwcloud.cloud import failures
from pytest_hwcloud.cloud.failures.codes import normal
from pytest_hwcloud.explanations.explanation import explain


@pytest.mark.parametrize("row", TEXTS, ids=[row[0] for row in TEXTS])
def test_a_text_from_the_wild(row: Row) -> None:
    _, text, wanted = row
    found = failures.read_all(text)
    assert [told(one) for one in found] == wanted


MORE: list[dict[str, object]] = yaml.safe_load(Path(__file__).with_name("more_wild_texts.yaml").read_text("utf-8"))


@pytest.mark.parametrize("row", MORE, ids=[str(row["name"]) for row in MORE])
def test_another_text_from_the_wild(row: Mapping[str, object]) -> None:
    found = failures.read_all(str(row["text"]))
    names = ("code", "gate", "status", "message", "request_id", "call")
    values = [{name: value for name, value in zip(names, told(one), strict=True) if value} for one in found]
    assert values == row["failures"]


def told(failure: failures.Failure) -> tuple[str | None, str, int | None, str, str | None, str | None]:
    call = " ".join(part for part in (failure.method, failure.url) if part)
    return failure.code, failure.gate, failure.status, failure.message, failure.request_id, call or None


@pytest.mark.parametrize("body", BODIES)
@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_a_body_in_any_wrapping_is_one_failure(body: str, wrapping: str) -> None:
    text, wanted = BODIES[body]
    assert [told(one) for one in failures.read_all(WRAPPINGS[wrapping].format(text))] == [wanted]


@pytest.mark.parametrize("depth", [1, 2, 3])
@pytest.mark.parametrize("body", ["gateway", "nested", "flat"])
def test_a_body_inside_logs_of_logs_is_one_failure(body: str, depth: int) -> None:
    text, wanted = BODIES[body]
    for _ in range(depth):
        text = json.dumps({"level": "error", "msg": f"call failed: {text}"})
    assert [told(one) for one in failures.read_all(text)] == [wanted]


@pytest.mark.parametrize("row", TEXTS, ids=[row[0] for row in TEXTS])
def test_never_a_word_that_was_not_in_the_text(row: Row) -> None:
    _, text, _ = row
    there = set(normal(text.replace("\\", "").replace("│", " ")).split())
    letters = "".join(text.replace("\\", "").replace("│", "").split())
    for one in failures.read_all(text):
        assert "".join(one.message.split()).replace("\\", "") in letters or set(one.message.split()) <= there
        assert one.request_id is None or one.request_id in text


def test_the_call_of_a_text_names_what_it_needs() -> None:
    url = "https://vpc.cn-north-4.myhuaweicloud.com/v1/0d11e2f3a4b5c6d7e8f901234567abcd/vpcs"
    text = f'Action forbidden: [GET {url}], error message: {{"code":"VPC.0010","message":"Rbac check failed"}}'
    explanation = explain(text)
    assert explanation is not None
    assert explanation.needs == "vpc:vpcs:list"
    assert explanation.news == "403 VPC.0010 vpc:vpcs:list"
