"""What a project keeps although it looks like a secret."""

from __future__ import annotations

import pytest

from pytest_hwcloud.secrets import detector
from pytest_hwcloud.secrets.allowlist import problem_of, without_kept

ODD = "Zq9fH2kLmN4pQrS6tUvWxYz1aBcDeFgHiJkLmNo3"


@pytest.mark.parametrize(
    ("glob", "kept"),
    [
        (ODD, True),
        ("Zq9f*", True),
        ("*mNo3", True),
        ("$.rows[*].note", True),
        ("$.rows[0].note", True),
        ("$.rows[1].note", False),
        ("zq9f*", False),
        ("rows[0].note", False),
    ],
)
def test_by_value_or_by_place(glob: str, kept: bool) -> None:
    found = detector.in_body(f'{{"rows": [{{"note": "{ODD}"}}]}}'.encode(), "answer body")
    assert len(found) == 1
    assert (without_kept(found, ["other", glob]) == []) is kept


def test_a_known_secret_is_never_kept() -> None:
    found = detector.suspicions("it is hunter2-hunter2", "answer reason", ["hunter2-hunter2"])
    assert without_kept(found, ["hunter2*"]) == found


@pytest.mark.parametrize(
    ("glob", "fewest"), [("", 4), ("*", 4), ("***", 4), ("abc*", 4), ("$.*", 2), ("$.a*", 2), ("abcd*", 0), ("$.id", 0)]
)
def test_what_would_keep_anything_is_refused(glob: str, fewest: int) -> None:
    text = f"{glob!r} would keep almost anything; write at least {fewest} characters that are no *"
    assert problem_of(glob) == (text if fewest else None)


def test_a_value_is_never_told() -> None:
    (found,) = detector.suspicions(ODD, "answer body")
    assert ODD not in repr(found) + str(found)
