"""Refused calls: what can only be seen while a call is refused, and the refusal as plain data for its finding."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pytest_hwcloud.gates.gate import STALE_TOKEN
from pytest_hwcloud.journal import CURRENT, IMPLICIT, Exchange, Journal
from pytest_hwcloud.usercode.call_site import looked_up_by_client
from pytest_hwcloud.usercode.expected_errors import asked_for

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState


_LONG = re.compile(r",?\s*canonicalRequest.*", re.DOTALL | re.IGNORECASE)
_KEY = re.compile(r"\b(ak )\S+")


def refusal(exchange: Exchange, where: str, state: CloudState, *, expected: bool) -> dict[str, str]:
    """What was refused, by whom and how. Keys and ids are shortened: the text goes into reports."""
    from pytest_hwcloud.permissions import decisions as deciding

    failure, call = exchange.failure, exchange.call
    needed = deciding.needed(call) if call.mapped else ()
    row = {
        "call": call.label,
        "action": deciding.named(needed[0]) if needed else "",
        "code": (failure.code or "") if failure else "",
        "gate": exchange.gate or "",
        "source": exchange.source,
        "where": where,
        "expected": "yes" if expected else "",
        "injected": "yes" if exchange.injected else "",
        "fixture": exchange.fixture or "",
        "identity": exchange.identity or "",
        "credential": exchange.credential,
        "status": str(exchange.status or ""),
        "message": _brief(failure.message if failure else ""),
    }
    return row | _scope(exchange, needed, state) if exchange.gate == "scope" else row


def _brief(message: str) -> str:
    return _KEY.sub(r"\1***", _LONG.sub("", message)).strip()


def _scope(exchange: Exchange, needed: tuple[str, ...], state: CloudState) -> dict[str, str]:
    from pytest_hwcloud.permissions import decisions as deciding

    call, token = exchange.call, exchange.token
    identity = state.identities.get(exchange.identity or "")
    projects = identity.projects.items() if identity else ()
    name = next((name for name, known in projects if known == call.project), "")
    decisions = [deciding.of_rights(exchange, action, state) for action in needed]
    allowed = bool(decisions) and all(decisions)
    number = decisions[0].statement if allowed and decisions[0] is not None else None
    return {
        "token_scope": token.scope.kind if token else "",
        "token_id": short(token.scope.id) if token else "",
        "service": call.service or "",
        "service_scope": call.scope,
        "project": short(call.project) if call.project else "",
        "project_name": name,
        "allowed": "yes" if allowed else "",
        "statement": str(number + 1) if number is not None else "",
    }


def short(identifier: str) -> str:
    """`05041fff…`."""
    return f"{identifier[:8]}…" if len(identifier) > 8 else identifier


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
