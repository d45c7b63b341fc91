"""A secret in every spelling: what a text shows in any encoding, `spellings` names."""

from __future__ import annotations

import base64
import html
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.secrets.encodings import ENCODINGS, spellings

SECRETS = ["Hunter2!hunter2", 'P4ss/w0rd+of "olga" & co', "zażółć-云-1\n", "tZ4mQ8vL2xR7nB5kJ9wC3yH6fD1gS0aPqUeTiOrM"]


@pytest.mark.parametrize("secret", SECRETS)
def test_every_encoding_shows_it(secret: str) -> None:
    shown = [
        secret,
        quote(secret, safe=""),
        quote(secret),
        quote_plus(secret),
        quote(quote(secret, safe=""), safe=""),
        json.dumps(secret),
        json.dumps(secret, ensure_ascii=False),
        json.dumps(json.dumps(secret)),
        html.escape(secret),
        repr(secret),
        secret.encode().hex(),
        base64.b64encode(secret.encode()).decode(),
        base64.urlsafe_b64encode(secret.encode()).decode().rstrip("="),
    ]
    assert [text for text in shown if not any(one in text for one in spellings(secret))] == []


@settings(max_examples=100, deadline=None, derandomize=True)
@given(st.text(min_size=8, max_size=40), st.binary(max_size=9), st.binary(max_size=9))
def test_it_is_found_inside_longer_base64(secret: str, before: bytes, after: bytes) -> None:
    text = base64.b64encode(before + secret.encode("utf-8", "replace") + after).decode()
    assert any(one in text for one in spellings(secret.encode("utf-8", "replace").decode()))


def test_longest_first_and_once() -> None:
    for secret in SECRETS:
        found = spellings(secret)
        assert [len(one) for one in found] == sorted(map(len, found), reverse=True)
        assert len(set(found)) == len(found) <= len(ENCODINGS) + 6


def test_edges() -> None:
    assert spellings("") == ()
    assert spellings("half \ud83d pair") == ("half \ud83d pair",)
