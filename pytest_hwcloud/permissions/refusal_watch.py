"""What can only be seen while a call is refused: was it asked for, and would a newer token have passed?"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_hwcloud.journal import CURRENT, Exchange, Journal
from pytest_hwcloud.usercode.expected_errors import asked_for

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState


class Watch:
    """Looks at the refused calls of one test. expected, outlived: id() of exchanges."""

    def __init__(self, journal: Journal, state: CloudState) -> None:
        self._journal, self._state = journal, state
        self._expected: set[int] = set()
        self._outlived: set[int] = set()

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
        return id(exchange) in self._outlived

    def _heard(self, exchange: Exchange) -> None:
        if exchange.fault is None and exchange.gate is None:
            return
        if asked_for():
            self._expected.add(id(exchange))
        if exchange.token is not None and exchange.gate == "authorization" and not exchange.injected:
            self._compare(exchange)

    def _compare(self, exchange: Exchange) -> None:
        identity = self._state.identities.get(exchange.identity or "")
        if identity is None or exchange.decision is None:
            return
        from pytest_hwcloud.gates.authorization import authorize

        present = authorize(exchange.request, exchange.call, identity, None, self._state)
        if present.effect == "allow":
            self._outlived.add(id(exchange))
