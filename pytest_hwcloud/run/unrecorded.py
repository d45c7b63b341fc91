"""A call that no usable cassette answered fails its test, whatever the code under test made of the exception."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

import pytest

from pytest_hwcloud.cassettes.interaction import CassetteError
from pytest_hwcloud.interceptors.router import NotRecorded, Router
from pytest_hwcloud.run.routers import unrecorded
from pytest_hwcloud.usercode.call_site import is_users


@contextmanager
def failing_on_unrecorded(router: Router) -> Iterator[None]:
    """In this block: such an error ends at the line of the user's code; a swallowed one fails the test at the end."""
    try:
        yield
    except (NotRecorded, CassetteError) as error:
        unrecorded(router).clear()
        raise error.with_traceback(_users_part(error.__traceback__)) from None
    except Exception as error:
        for missing in unrecorded(router)[:1]:
            if not _comes_from(error, missing):
                error.add_note(str(missing))
        unrecorded(router).clear()
        raise
    missing_calls = list(unrecorded(router))
    unrecorded(router).clear()
    if missing_calls:
        failed = pytest.fail.Exception("\n".join(dict.fromkeys(map(str, missing_calls))), pytrace=False)
        failed.hwcloud_news = getattr(missing_calls[0], "hwcloud_news", "")  # type: ignore[attr-defined]
        raise failed


def _comes_from(error: BaseException | None, missing: Exception) -> bool:
    while error is not None:
        if error is missing:
            return True
        error = error.__cause__ or error.__context__
    return False


def _users_part(trace: TracebackType | None) -> TracebackType | None:
    """The traceback cut after the last line of the user's own code: how requests got to us is of no interest."""
    last, entry = None, trace
    while entry is not None:
        file = entry.tb_frame.f_code.co_filename
        if is_users(file):
            last = entry
        entry = entry.tb_next
    if last is not None:
        last.tb_next = None
    return trace
