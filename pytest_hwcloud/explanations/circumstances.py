"""What the run knows of a refused call: who called and how, with which token, for which project, needing what."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol
from urllib.parse import parse_qs, urlsplit

from pytest_hwcloud.cloud.failures import Failure
from pytest_hwcloud.cloud.failures.codes import Entry
from pytest_hwcloud.cloud.wire import child
from pytest_hwcloud.explanations.policy_verdict import Judged, judged
from pytest_hwcloud.explanations.wording import Texts
from pytest_hwcloud.gates.gate import STALE_TOKEN
from pytest_hwcloud.journal import IMPLICIT, Exchange, Journal

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.identity import Identity
    from pytest_hwcloud.cloud.tokens import Token
    from pytest_hwcloud.gates.cloud_state import CloudState


class ScopeLike(Protocol):
    """What this room needs to know of a token's scope."""

    @property
    def kind(self) -> str: ...
    @property
    def id(self) -> str: ...
    @property
    def name(self) -> str: ...


@dataclass(frozen=True, kw_only=True)
class Circumstances:
    """What the run knows of the failed call; everything may be missing."""

    call: str | None = None  # "GET https://…"
    identity: str | None = None
    user: str | None = None
    key: tuple[str, str] | None = None  # record and live mode: the beginning of the access key, and where it was found
    credential: str | None = None  # "aksk", "token", "none"
    token_scope: ScopeLike | None = None
    token_age: float | None = None  # seconds
    url_project: str | None = None  # project id in the URL
    url_region: str | None = None
    service: str | None = None
    needs: tuple[str, ...] = ()
    needs_identity: tuple[str, ...] = ()  # the same in the grammar 5.0
    operation: str | None = None  # what the call is, where no document names its action
    projects: Mapping[str, str] = field(default_factory=dict)  # name -> id
    domain_id: str | None = None
    rights_changed_after_token: bool = False
    succeeded_elsewhere: bool = False
    canonical_ours: str | None = None
    judged: Judged | None = None  # what the run's own authorization gate decided
    looked_up: bool = False  # a client library made the call by itself
    no_project: tuple[str, str] | None = None  # identity and region of a look-up that the run answered with no project
    after: str | None = None  # "KeyError": the explanation is about the last refused call before it


@dataclass(frozen=True, kw_only=True)
class Advice:
    """What to show to the reader."""

    cause: str
    fix: str
    compare: tuple[str, ...] = ()


@dataclass(frozen=True, kw_only=True)
class Case:
    """All that the rules look at."""

    failure: Failure
    entry: Entry | None
    known: Circumstances
    words: Texts
    cause: str  # the code's own
    fix: str

    @property
    def url(self) -> str:
        return self.failure.url or (self.known.call or "").partition(" ")[2]

    @property
    def service(self) -> str:
        return self.failure.service or self.known.service or self.words.say("the-service")

    def say(self, cause: str, fix: str, /, **values: object) -> Advice:
        """Advice from two phrases that share their values."""
        return Advice(cause=self.words.say(cause, **values), fix=self.words.say(fix, **values))


def url_host(url: str) -> str:
    """The host of a URL; nothing for one that is none, such as `https://[a]b/`."""
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def url_path(url: str) -> str:
    """The path of a URL; nothing for one that is none."""
    try:
        return urlsplit(url).path
    except ValueError:
        return ""


def circumstances(
    exchange: Exchange | None, journal: Journal | None, state: CloudState | None, after: str | None = None
) -> Circumstances:
    """The circumstances of an exchange; without one only what is known anyway."""
    if exchange is None:
        return Circumstances(after=after, no_project=_no_project(journal))
    call, identity, token = exchange.call, _identity(exchange, state), exchange.token
    return Circumstances(
        call=f"{exchange.method} {exchange.url}",
        identity=exchange.identity,
        user=identity.user if identity else None,
        key=(identity.ak[:4], identity.key_source) if identity and identity.key_source else None,
        credential=exchange.credential,
        token_scope=token.scope if token else None,
        token_age=_age(token, state) if token else None,
        url_project=call.project,
        url_region=call.region,
        service=call.service,
        needs=call.actions or _denied(exchange, call.identity_actions),
        needs_identity=call.identity_actions,
        operation=call.operation if not call.known else None,
        projects=identity.projects if identity else {},
        domain_id=identity.domain_id if identity else None,
        looked_up=IMPLICIT in exchange.notes,
        rights_changed_after_token=STALE_TOKEN in exchange.notes,
        succeeded_elsewhere=_succeeded(exchange, journal, state),
        canonical_ours=_canonical(exchange),
        judged=judged(exchange, state, program=bool(journal and journal.command)),
        after=after,
        no_project=_no_project(journal),
    )


def _no_project(journal: Journal | None) -> tuple[str, str] | None:
    """The last look-up of a project by its name, if the run's identity has none of that name."""
    for exchange in reversed(journal.exchanges if journal else ()):
        if url_path(exchange.url) == "/v3/projects" and exchange.source == "identity service":
            name = parse_qs(urlsplit(exchange.url).query).get("name", [""])[0]
            found = child(exchange.answer.json(), "projects") if exchange.answer and exchange.status == 200 else None
            return (exchange.identity or "default", name) if name and found == [] else None
    return None


def _identity(exchange: Exchange, state: CloudState | None) -> Identity | None:
    known: Mapping[str, Identity] = state.identities if state else {}
    return known.get(exchange.identity or "")


def _denied(exchange: Exchange, identity_actions: tuple[str, ...]) -> tuple[str, ...]:
    denied = exchange.denied_action
    return (denied,) if denied and denied not in identity_actions else ()


def _age(token: Token, state: CloudState | None) -> float:
    now = state.clock() if state else datetime.now(UTC)
    return max(0.0, (now - token.issued_at).total_seconds())


def _succeeded(exchange: Exchange, journal: Journal | None, state: CloudState | None) -> bool:
    """Whether the same identity was answered with the same kind of credential elsewhere."""
    others: Iterable[Exchange] = journal.exchanges if journal else ()
    here = any(
        other.identity == exchange.identity and other.credential == exchange.credential and other.failure is None
        for other in others
        if other is not exchange and other.identity is not None
    )
    return here or exchange.identity in getattr(state, "succeeded", ())


def _canonical(exchange: Exchange) -> str | None:
    """The canonical request of the call as it was sent; only where the gateway quotes its own to compare."""
    failure = exchange.failure
    if failure is None or "canonicalrequest" not in failure.message.lower():
        return None
    from pytest_hwcloud.cloud.signing.verification import verify

    now = datetime.now(UTC)
    return verify(exchange.request, secret=lambda ak: "unknown", now=now).canonical
