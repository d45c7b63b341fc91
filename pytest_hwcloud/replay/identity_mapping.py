"""From the account that recorded to the identities that replay: access keys, project and domain ids, names.

The identities are configured and known from the start; the rest is learnt from what IAM answers (projects, domains,
logins) and from the project that a URL names, so that a recording made with one account replays on any machine.
"""

from __future__ import annotations

import hashlib
import re
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace

from pytest_hwcloud.cloud.endpoints import locate
from pytest_hwcloud.cloud.identity import DEFAULT_DOMAIN_ID, DEFAULT_PROJECT_ID, Identity
from pytest_hwcloud.cloud.wire import Answer, Request, child, text
from pytest_hwcloud.secrets.substitutions import NAME, SHORT_NAME, Swaps

_ACCESS = re.compile(r"(?:Access|Credential)=([A-Za-z0-9]{8,40})")
_OWNER = re.compile(r"://[^/]+/v\d[\d.]*/([0-9a-f]{32})(?:[/?]|$)")
_GUIDE = (DEFAULT_DOMAIN_ID, DEFAULT_PROJECT_ID)  # the ids of a run without hwcloud.yaml, which are not real
_WORD_FROM = 6  # letters; a shorter name is replaced as a whole value only


class IdentityMapping:
    """What stands in for what, for a whole run.

    live, replay: the identities with their real values and as every machine replays them, under the same names.
    tell: called with every secret that is met, so that reports hide it too.
    """

    def __init__(
        self,
        live: Mapping[str, Identity],
        replay: Mapping[str, Identity],
        tell: Callable[[str], object] | None = None,
    ) -> None:
        self.live, self.replay, self.swaps = live, replay, Swaps(tell)
        self.real_keys = {one.ak for one in live.values() if one.ak} - {one.ak for one in replay.values()}
        self._back = Swaps()
        self._waiting: deque[tuple[Request, Answer]] = deque()
        self._mine = {one for identity in replay.values() for one in (identity.domain_id, *identity.projects.values())}
        self._used: set[str] = set()  # ids that stand for a real one already
        for name, identity in live.items():
            self._identity(identity, replay.get(name, identity))

    def caller(self, request: Request) -> Identity | None:
        """The live identity whose access key signed the request."""
        found = _ACCESS.search(request.headers.get("authorization", ""))
        return next((one for one in self.live.values() if found and one.ak and one.ak == found[1]), None)

    def learn(self, request: Request, answer: Answer | None) -> None:
        """Take the ids and names that this exchange gives away."""
        stand_in = self._stand_in(request)
        for real, wanted in self._owners(request, stand_in):
            self._id(real, wanted)
        if answer is None or locate(request.url).service not in ("iam", "sts") or not answer.body:
            return
        try:
            body = answer.json()
        except ValueError:
            return
        self._projects(body, stand_in)
        self._domains(child(body, "domains"), stand_in)
        self._login(child(body, "token"), stand_in)
        self._id(text(body, "account_id"), stand_in.domain_id)
        self._caller(body, stand_in)

    def hear(self, request: Request, answer: Answer) -> None:
        """Keep this exchange of live mode until its secrets are asked for: most tests never show one."""
        self._waiting.append((request, answer))

    def read_waiting(self) -> None:
        """Learn the secrets of what was heard and not yet read; safe from any thread."""
        if not self._waiting:
            return
        from pytest_hwcloud.secrets.scrubber import Scrubber

        scrubber = Scrubber(self.swaps)
        while self._waiting:
            try:
                request, answer = self._waiting.popleft()
            except IndexError:  # another thread read the last one
                return
            scrubber.request(request)
            scrubber.answer(answer, request.method)

    def back(self, answer: Answer) -> Answer:
        """A recorded answer for a program that runs with the real ids."""
        headers = {name: self._back(value) for name, value in answer.headers.items()}
        try:
            return replace(answer, headers=headers, body=self._back(answer.body.decode()).encode())
        except UnicodeDecodeError:
            return replace(answer, headers=headers)

    def _stand_in(self, request: Request) -> Identity:
        caller = self.caller(request)
        name = caller.name if caller else "default"
        return self.replay.get(name) or next(iter(self.replay.values()), Identity())

    def _identity(self, real: Identity, stand_in: Identity) -> None:
        for secret in (real.sk, real.security_token, real.password):
            self.swaps.hide(secret or "")
        self.swaps.exchange(real.ak, stand_in.ak)
        self._id(real.domain_id, stand_in.domain_id)
        for name, project_id in real.projects.items():
            self._id(project_id, stand_in.projects.get(name, ""))
        self._name(real.user, stand_in.user)
        self._name(real.domain, stand_in.domain)

    def _owners(self, request: Request, stand_in: Identity) -> Iterator[tuple[str, str]]:
        place = locate(request.url)
        owner = stand_in.domain_id if place.scope == "global" else stand_in.projects.get(place.region or "", "")
        found = _OWNER.search(request.url)
        if found:
            yield found[1], owner
        yield request.headers.get("x-project-id", ""), stand_in.projects.get(place.region or "", "")
        yield request.headers.get("x-domain-id", ""), stand_in.domain_id

    def _projects(self, body: object, stand_in: Identity) -> None:
        for project in _items(child(body, "projects")):
            self._id(text(project, "domain_id"), stand_in.domain_id)
            self._id(text(project, "id"), stand_in.projects.get(text(project, "name"), ""))

    def _domains(self, domains: object, stand_in: Identity) -> None:
        for domain in _items(domains):
            self._id(text(domain, "id"), stand_in.domain_id)
            self._name(text(domain, "name"), stand_in.domain)

    def _login(self, token: object, stand_in: Identity) -> None:
        self._id(text(token, "user", "id"), stand_in.user_id)
        self._name(text(token, "user", "name"), stand_in.user)
        self._domains([child(token, "domain"), child(token, "user", "domain")], stand_in)
        self._projects({"projects": [child(token, "project")]}, stand_in)

    def _caller(self, body: object, stand_in: Identity) -> None:
        """`GET /v5/caller-identity`: iam::ACCOUNT:user:NAME."""
        _, kind, name = text(body, "principal_urn").partition(":user:")
        if kind:
            self._id(text(body, "principal_id"), stand_in.user_id)
            self._name(name, stand_in.user)

    def _id(self, real: str, stand_in: str) -> None:
        """Exchange an id; one that no replay identity has a place for gets an invented one, always the same."""
        if not real or real in self._mine:
            if real not in _GUIDE:
                self._used.add(real)
            return
        if not stand_in or stand_in in self._used:
            stand_in = hashlib.sha256(b"hwctest-id:" + real.encode()).hexdigest()[:32]
        if not self.swaps.knows(real):
            self._used.add(stand_in)
            self.swaps.exchange(real, stand_in)
            self._back.exchange(stand_in, real)

    def _name(self, real: str, stand_in: str) -> None:
        if len(real) > 1:
            self.swaps.exchange(real, stand_in, NAME if len(real) >= _WORD_FROM else SHORT_NAME)


def _items(value: object) -> list[object]:
    return value if isinstance(value, list) else []
