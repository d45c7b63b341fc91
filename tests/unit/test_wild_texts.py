"""Pasted texts of every client: one failure gives one explanation, with what the text has and not a word more."""

from __future__ import annotations

import pytest
from wild_texts import TEXTS, Row

from pytest_hwcloud.cloud import failures
from pytest_hwcloud.cloud.failures.codes import normal


@pytest.mark.parametrize("row", TEXTS, ids=[row[0] for row in TEXTS])
def test_a_text_from_the_wild(row: Row) -> None:
    _, text, wanted = row
    found = failures.read_all(text)
    assert [
        (
            one.code,
            one.gate,
            one.status,
            one.message,
            one.request_id,
            " ".join(filter(None, (one.method, one.url))) or None,
        )
        for one in found
    ] == wanted


@pytest.mark.parametrize("row", TEXTS, ids=[row[0] for row in TEXTS])
def test_never_a_word_that_was_not_in_the_text(row: Row) -> None:
    _, text, _ = row
    there = set(normal(text.replace("\\", "").replace("│", " ")).split())
    letters = "".join(text.replace("\\", "").replace("│", "").split())
    for one in failures.read_all(text):
        assert "".join(one.message.split()).replace("\\", "") in letters or set(one.message.split()) <= there
        assert one.request_id is None or one.request_id in text
