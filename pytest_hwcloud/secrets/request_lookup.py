"""A live request as a recording would have it: what is secret in it is masked, so that it is found under its mask."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote

from pytest_hwcloud.secrets.encodings import MASK

_TRACES = (quote(MASK, safe="~"), "HWCTEST")  # the mask in a key of tape_index, and how invented access keys begin


def has_masked(keys: Iterable[str]) -> bool:
    """Whether something was masked in one of these keys; if not, no cleaned URL is among them."""
    return any(trace in key for key in keys for trace in _TRACES)


@lru_cache(maxsize=256)
def cleaned_url(url: str) -> str:
    """The URL without its secrets. Called only for a request that was not found as it is."""
    from pytest_hwcloud.secrets.scrubber import Scrubber

    return Scrubber().url(url)


def cleaned_body(body: bytes) -> bytes:
    """The body without its secrets."""
    from pytest_hwcloud.secrets.scrubber import Scrubber

    return Scrubber().body(body)


def is_masked(body: bytes) -> bool:
    """Whether something was masked in a recorded body."""
    return MASK.encode() in body
