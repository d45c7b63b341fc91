"""What can only be seen while a call is refused: was it asked for, and would a newer token have passed?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from pytest_hwcloud.gates.gate import STALE_TOKEN
from pytest_hwcloud.journal import CURRENT, IMPLICIT, Exchange, Journal
from pytest_hwcloud.usercode.call_site import looked_up_by_client
from pytest_hwcloud.usercode.expected_errors import asked_for


class Watch:
    """Looks at the refused calls of one test. expected: id() of exchanges."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._expected: set[int] = set()

    @contextmanager
    def listening(self) -> Iterator[None]:
        """While the test runs."""
        CURRENT.listeners.append(self._heard)
        try:
            yield
        finally:
            CURRENT.listeners.remove(self._heard)

    def expected(self, exchange: Exchange) -> bool:
        """The refusal was asked for: in pytest.raises or hwcloud.refused, or injected by the test itself."""
        key = id(exchange)
        return bool(exchange.injected) or key in self._expected or key in self._journal.expected

    def outlived(self, exchange: Exchange) -> bool:
        """The token was refused although the identity has the right by now: it is older than the grant."""
        return STALE_TOKEN in exchange.notes

    def _heard(self, exchange: Exchange) -> None:
        if "//iam." in exchange.url and looked_up_by_client(exchange.request.headers.get("user-agent") or ""):
            exchange.notes = (*exchange.notes, IMPLICIT)
        if exchange.fault is None and exchange.gate is None:
            return
        if asked_for():
            self._expected.add(id(exchange))
