"""The replayed cloud of one run: who exists, which tokens and keys were given out, which rights hold."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.identity import Identity, default_identity, unknown
from pytest_hwcloud.cloud.tokens import LIFETIME, Scope, Token

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.rights import Rights

FAILURES_ALLOWED = 5
LOCKED_FOR = timedelta(minutes=5)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Override:
    """Actions that `hwcloud.deny` or `hwcloud.grant` put over the policies. request_id: of a denial's refusals."""

    actions: tuple[str, ...]
    request_id: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessKey:
    """A key pair that the cloud knows. token and expires_at: of temporary keys only."""

    identity: Identity
    ak: str
    sk: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    expires_at: datetime | None = None


def _utc_now() -> datetime:
    return datetime.now(UTC)


class Lockout:
    """The gateway's lock-out: more than five failures of one key in a row, and it is refused for five minutes.

    Source: devg-apisign/api-sign-0001 (auth.md 1.5). The failure that tips it still gets its own answer; whether a
    success ends the row is not documented, hence "consecutive". Safe from any thread.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._failures: dict[str, int] = {}
        self._until: dict[str, datetime] = {}

    def fail(self, ak: str, now: datetime) -> None:
        """Count one more failure in a row; the sixth locks the key."""
        with self._lock:
            self._failures[ak] = count = self._failures.get(ak, 0) + 1
            if count > FAILURES_ALLOWED:
                self._until[ak] = now + LOCKED_FOR

    def succeed(self, ak: str) -> None:
        """End the row of failures."""
        if self._failures:
            with self._lock:
                self._failures.pop(ak, None)

    def locked(self, ak: str, clock: Callable[[], datetime]) -> bool:
        """Whether the key is locked now; a lock that is over is forgotten, with the failures before it."""
        until = self._until.get(ak)
        if until is None:
            return False
        if clock() < until:
            return True
        with self._lock:
            self._until.pop(ak, None)
            self._failures.pop(ak, None)
        return False

    def clear(self) -> None:
        """Forget all failures and locks."""
        with self._lock:
            self._failures.clear()
            self._until.clear()


class CloudState:
    """The cloud as a replayed run sees it; safe from any thread.

    rights: of the identities that have a policy, the others are not judged. clock: aware UTC now.
    stand_in: name of the identity whose account answers callers that belong to no identity of the run.
    """

    def __init__(
        self,
        identities: Mapping[str, Identity] | None = None,
        *,
        region: str,
        rights: Mapping[str, Rights] | None = None,
        clock: Callable[[], datetime] | None = None,
    ) -> None:
        self.identities = dict(identities or {"default": default_identity()})
        self.region = region
        self.clock = clock or _utc_now
        self.rights: dict[str, Rights] = dict(rights or {})
        self.rights_version = 0
        self.denied: list[Override] = []
        self.granted: list[Override] = []
        self.stand_in = "default" if "default" in self.identities else next(iter(self.identities))
        self.metadata: str | None = None  # name of the identity whose keys the metadata service gives; None: closed
        self.metadata_tokens: dict[str, datetime] = {}  # of that service's version 2, and until when they are good
        self.succeeded: set[str] = set()  # names of identities that some call of the run let in
        self._lock = threading.RLock()
        pairs = ((i, ak, sk) for i in self.identities.values() for ak, sk in (*i.literal_keys, (i.ak, i.sk)) if ak)
        self._keys = {ak: AccessKey(identity=identity, ak=ak, sk=sk) for identity, ak, sk in pairs}
        self._tokens: dict[str, Token] = {}
        self._granted_at_issue: dict[str, tuple[Override, ...]] = {}
        self._revoked: set[str] = set()
        self._lockout = Lockout()

    # who there is

    def identity(self, name: str) -> Identity:
        """The identity of this name; UnknownName with the nearest one."""
        if name not in self.identities:
            raise unknown("identity", name, self.identities, texts.say("names.of-run"))
        return self.identities[name]

    def by_ak(self, ak: str) -> Identity | None:
        """The identity that this access key belongs to."""
        key = self._keys.get(ak)
        return key.identity if key else None

    def key(self, ak: str) -> AccessKey | None:
        """The key pair of this access key id, permanent or temporary."""
        return self._keys.get(ak)

    def issue_key(self, identity: Identity, lifetime: timedelta) -> AccessKey:
        """A fresh temporary key pair with its security token."""
        key = AccessKey(
            identity=identity,
            ak="HWCTMP" + secrets.token_hex(7).upper(),
            sk="hwctestsecret" + secrets.token_hex(14)[:27],
            token="hwctest-security-token-" + secrets.token_urlsafe(48),
            expires_at=self.clock() + lifetime,
        )
        with self._lock:
            self._keys[key.ak] = key
        return key

    # tokens

    def issue(self, identity: Identity, scope: Scope) -> Token:
        """A fresh token, 24 hours good, with the rights of this moment."""
        now = self.clock()
        with self._lock:
            token = Token(
                value="hwctest-token-" + secrets.token_urlsafe(96),
                scope=scope,
                issued_at=now,
                expires_at=now + LIFETIME,
                identity=identity.name,
                rights=self.rights.get(identity.name),
            )
            self._tokens[token.value] = token
            self._granted_at_issue[token.value] = tuple(self.granted)
        return token

    def token(self, value: str) -> Token | None:
        """The token with this value, expired and revoked ones too; None if it was not issued here."""
        return self._tokens.get(value)

    def revoke(self, value: str) -> None:
        """Make a token invalid before its time."""
        with self._lock:
            self._revoked.add(value)

    def revoked(self, value: str) -> bool:
        """Whether this token was made invalid."""
        return value in self._revoked

    # rights

    def set_rights(self, name: str, rights: Rights | None) -> None:
        """Give an identity other rights; tokens issued before keep theirs. None: it is not judged any more."""
        with self._lock:
            self.rights_version += 1
            if rights is None:
                self.rights.pop(name, None)
            else:
                self.rights[name] = rights

    def granted_to(self, token: Token | None) -> tuple[Override, ...]:
        """The grants that count for a call: those at the token's issue; for a signed call (None) the present ones."""
        if token is None:
            return tuple(self.granted)
        return self._granted_at_issue.get(token.value, ())

    @contextmanager
    def deny(self, actions: Sequence[str], request_id: str | None = None) -> Iterator[Override]:
        """Refuse these actions inside the block, for every caller and credential."""
        with self._override(self.denied, Override(actions=tuple(actions), request_id=request_id)) as override:
            yield override

    @contextmanager
    def grant(self, actions: Sequence[str]) -> Iterator[Override]:
        """Allow these actions inside the block; tokens issued before keep their rights."""
        with self._override(self.granted, Override(actions=tuple(actions))) as override:
            yield override

    @contextmanager
    def _override(self, overrides: list[Override], override: Override) -> Iterator[Override]:
        with self._lock:
            overrides.append(override)
            self.rights_version += 1
        try:
            yield override
        finally:
            with self._lock:
                overrides.remove(override)
                self.rights_version += 1

    # lock-out of access keys

    def fail(self, ak: str) -> None:
        """Count a failed authentication of this key."""
        self._lockout.fail(ak, self.clock())

    def succeed(self, ak: str) -> None:
        """A right signature ends the row of failures."""
        self._lockout.succeed(ak)

    def locked(self, ak: str) -> bool:
        """Whether this key is refused because of too many failures."""
        return self._lockout.locked(ak, self.clock)

    def begin_test(self) -> None:
        """What a new test must not inherit: the failures of the tests before it."""
        self._lockout.clear()
