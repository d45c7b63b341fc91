"""A live request as a recording would have it: what is secret in it is masked, so that it is found under its mask."""

from __future__ import annotations

from functools import lru_cache

from pytest_hwcloud.cloud.masking import MASK


@lru_cache(maxsize=256)
def cleaned_url(url: str) -> str:
    """The URL without the secrets of its query. Called only for a request that was not found as it is."""
    from pytest_hwcloud.replay.scrub import Scrubber

    return Scrubber().url(url) if "?" in url else url


def cleaned_body(body: bytes) -> bytes:
    """The body without its secrets."""
    from pytest_hwcloud.replay.scrub import Scrubber

    return Scrubber().body(body)


def is_masked(body: bytes) -> bool:
    """Whether something was masked in a recorded body."""
    return MASK.encode() in body
