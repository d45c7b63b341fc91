"""One failure of a cloud call, whatever reported it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple


class FailedCall(NamedTuple):
    """The call that failed, as far as it is known. reason: the words beside the status of its answer."""

    method: str | None = None
    url: str | None = None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Failure:
    """What went wrong, as it was reported. The message is the server's own and may name an access key.

    gate: "network", "authentication", "scope", "authorization" or "service". kind: as in the error facts, or "unknown".
    causes: nested failures, the more exact ones. family: the table that knows the code, if the code alone is ambiguous.
    fault: of a call without an answer, one of dns, connection-refused, connection-reset, connect-timeout, read-timeout,
    tls. details: further words of the answer (request_time, server_time, host_id, type, resource …).
    """

    code: str | None
    status: int | None
    message: str
    request_id: str | None = None
    gate: str = "service"
    kind: str = "unknown"
    service: str | None = None
    actions: tuple[str, ...] = ()
    method: str | None = None
    url: str | None = None
    causes: tuple[Failure, ...] = ()
    encoded_authorization_message: str | None = None
    client: str | None = None
    family: str | None = None
    fault: str | None = None
    host: str | None = None
    details: Mapping[str, str] = field(default_factory=dict, hash=False)

    @property
    def root(self) -> Failure:
        """The most exact failure: the first cause of the first cause …, or this one."""
        return self.causes[0].root if self.causes else self
