"""One cloud test while it runs; a call that no usable cassette answered fails it, whatever became of the exception."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from types import TracebackType

import pytest

from pytest_hwcloud.cassettes.interaction import CassetteError
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import Scope
from pytest_hwcloud.interceptors import router as route
from pytest_hwcloud.interceptors.mocks import MOCKS
from pytest_hwcloud.interceptors.router import NotRecorded, Router
from pytest_hwcloud.journal import Journal
from pytest_hwcloud.replay.player import Player
from pytest_hwcloud.run.routers import OWN, unrecorded
from pytest_hwcloud.usercode.call_site import is_users


class Case:
    """One cloud test while it runs: its journal and the router that answers its calls."""

    def __init__(self, item: pytest.Item, journal: Journal, router: route.Router, identity: str) -> None:
        self.item, self.journal, self.router, self.identity = item, journal, router, identity
        self.ending = ExitStack()  # what is taken back when the test is over
        self.tokens: set[str] = set()  # values of the tokens that the fixtures gave out
        self.other_scope: Callable[[Identity, Scope], Scope] | None = None  # of the proof: whose token comes instead


CASE = pytest.StashKey[Case]()


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


def tell_of_mocks(case: Case) -> None:
    """The call of a test is over: whether a mock that no interceptor saw took the place of its cassette."""
    router = case.router
    if isinstance(router, Player) and any(tape.unplayed_count for tape in router.tapes):
        MOCKS.look()
        replaced = MOCKS.called()
        if replaced is not None:
            router.hidden(replaced, case.item.stash.get(OWN, None))


def _comes_from(error: BaseException, missing: Exception) -> bool:
    from pytest_hwcloud.cloud.failures.network import chain

    return any(one is missing for one in chain(error))


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
