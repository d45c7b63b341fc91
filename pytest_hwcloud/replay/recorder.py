"""The router of record and live mode: calls go out; what comes back is cleaned, checked and kept until the test ends.

Nothing is written before `commit(keep=True)`; a recording that still looks as if it held a secret is refused there.
"""

from __future__ import annotations

import base64
import hashlib
import json
import threading
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes import library, saving
from pytest_hwcloud.cassettes.drift import Drift, compare
from pytest_hwcloud.cassettes.interaction import CassetteError, Interaction
from pytest_hwcloud.cassettes.recorded_logins import is_login, with_used_catalog
from pytest_hwcloud.cassettes.rendering import Entry, render
from pytest_hwcloud.cassettes.scan import UNREADABLE, described, inspect
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud.failures.network import fault_kind
from pytest_hwcloud.cloud.tokens import TokenError, read_login
from pytest_hwcloud.cloud.transfer_coding import KEPT, is_unread_text
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.interceptors.listening import settle
from pytest_hwcloud.interceptors.router import CloudFault
from pytest_hwcloud.journal import CURRENT, Exchange
from pytest_hwcloud.replay.identity_mapping import IdentityMapping
from pytest_hwcloud.replay.player import PlayedExchange
from pytest_hwcloud.secrets.allowlist import without_kept
from pytest_hwcloud.secrets.detector import KNOWN, Suspicion, firewall_cookies, set_cookies
from pytest_hwcloud.secrets.field_names import REQUEST_IDS
from pytest_hwcloud.secrets.scrubber import Scrubber
from pytest_hwcloud.usercode.call_site import call_site

Where = Callable[[], tuple[str, int] | None]
_LOGIN, _TEMPORARY = "/v3/auth/tokens", "/v3.0/OS-CREDENTIAL/securitytokens"


class DirtyRecording(CassetteError):
    """A recording that was not written, because it looks as if it held secrets. suspicions: which, and where."""

    def __init__(self, suspicions: Sequence[Suspicion], path: Path) -> None:
        self.suspicions = tuple(suspicions)
        from pytest_hwcloud import texts

        lines = [texts.say("cassettes.dirty"), *map(described, suspicions)]
        keepable = [one for one in suspicions if one.kind not in (KNOWN, UNREADABLE)]
        if keepable:
            places = (one.place.rpartition(" ")[2] for one in keepable)
            shown = next((place for place in places if place.startswith("$.")), texts.say("cassettes.dirty-glob"))
            lines.append(texts.say("cassettes.dirty-keep", glob=shown))
        if any(one.kind == KNOWN for one in suspicions):
            lines.append(texts.say("cassettes.dirty-known"))
        if any(one.kind == UNREADABLE for one in suspicions):
            lines.append(texts.say("cassettes.dirty-unreadable"))
        super().__init__("\n  ".join(lines), path=path)


@dataclass
class _Kept:
    started: float
    entry: Entry
    item: str
    version: int
    suspicions: list[Suspicion] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class RecorderOptions:
    """What a run asks of its recorders.

    mode: "record" or "live" (nothing is written). rewrite: replace the cassette, but for what was recorded since
    `since` (aware, UTC). verify: compare live answers with the tapes. hosts: cloud hosts beside the known ones.
    metadata: for the head of the cassette. keep: globs of what is no secret (secrets/allowlist.py).
    """

    mode: str = "record"
    rewrite: bool = False
    since: datetime = field(default_factory=lambda: datetime.now(UTC))
    verify: bool = False
    hosts: Sequence[str] = ()
    metadata: Mapping[str, str] | None = None
    keep: Sequence[str] = ()


class Recorder:
    """Lets calls through, listens, and writes the cassette at `path` when the test is over.

    mapping: one for the whole run, so that a secret met in one test is hidden in all. tapes: the cassettes that answer
    what they have (record) or are compared (live with verify).
    """

    offline = False

    def __init__(
        self,
        path: Path,
        mapping: IdentityMapping,
        tapes: Sequence[Tape] = (),
        options: RecorderOptions | None = None,
        where: Where = call_site,
    ) -> None:
        options = options or RecorderOptions()
        self.path, self.tapes = path, tuple(tapes)
        self.mode, self.rewrite, self.verify = options.mode, options.rewrite, options.verify
        self.since, self.metadata = options.since, options.metadata
        self.hosts, self.keep = tuple(options.hosts), tuple(options.keep)
        self.mapping, self.scrubber = mapping, Scrubber(mapping.swaps)
        self.drift: list[Drift] = []
        self.unrecorded: list[str] = []  # verify: calls that no cassette has
        self.compared = 0  # verify: answers that were held against a recording
        self.on_call: Callable[[], None] = lambda: None  # called for every answer of the network
        self.firewall_cookies = 0  # of web firewalls and load balancers, which no recording keeps
        self.lost: list[str] = []  # calls whose failure no cassette can hold
        self._unread: list[tuple[str, str]] = []  # calls with a text in a coding that cannot be read here
        self._where = where
        self._compares = self.mode == "record" or self.verify  # what is heard is kept, or compared with what was kept
        self._kept: list[_Kept] = []
        self._logins: list[Entry] = []
        self._heard: Counter[tuple[str, str]] = Counter()
        self._lock = threading.Lock()

    @property
    def secrets(self) -> frozenset[str]:
        """Every secret met so far, for the pass over the reports."""
        self.mapping.read_waiting()
        return frozenset(self.scrubber.swaps.secrets)

    @property
    def waiting(self) -> int:
        """How many calls wait to be written."""
        return len(self._kept)

    def answer(self, request: Request) -> Answer | None:
        """What the cassette has for this request, when missing calls are recorded; else None: ask the cloud."""
        if self._compares:
            self.mapping.learn(request, None)
        if self.mode != "record" or is_login(request):  # what follows a login needs a real token
            return None
        # The shipped ones are never rewritten: the tests that use them mean their content.
        tapes = [tape for tape in self.tapes if not self.rewrite or library.name_of(tape.path)]
        clean = self.scrubber.request(request) if tapes else request
        for tape in tapes:
            found = tape.take(clean) if tape.recorded(clean) else None
            if found is not None:
                return self._replayed(request, found, tape.name)
        return None

    def _replayed(self, request: Request, found: Interaction, source: str) -> Answer:
        if found.answer is None:
            CURRENT.add(
                Exchange(request=request, fault=found.fault, gate="network", source=source, where=self._where())
            )
            raise CloudFault(found.fault or "", request.url, found.abandoned)
        answer = self.mapping.back(found.answer)
        self._journal(request, answer, source)
        return answer

    def heard(self, request: Request, answer: Answer, started: float) -> None:
        """Take an exchange with the cloud: into the journal, and clean into the recording."""
        self._journal(request, answer, "live")
        self.on_call()
        if not self._compares:
            self.mapping.hear(request, answer)
            return
        self.mapping.learn(request, answer)
        clean_request = self.scrubber.request(request)
        clean_answer = self.scrubber.answer(answer, request.method)
        if self.mode == "live":
            self._compare(clean_request, clean_answer)
            return
        values = (one for name, one in answer.headers.items() if name.lower() == "set-cookie")
        dropped = sum(firewall_cookies("set-cookie", cookie) for value in values for cookie in set_cookies(value))
        with self._lock:
            self.firewall_cookies += dropped
            self._heard[request.method, clean_request.url] += 1
            nth = self._heard[request.method, clean_request.url]
        if answer.body and answer.coding != KEPT and is_unread_text(answer.headers):
            self._unread.append((f"{request.method} {clean_request.url}", answer.header("content-encoding") or ""))
        fixed = with_fixed_digests(answer, with_fixed_ids(clean_request, clean_answer, nth))
        entry = Entry(request=clean_request, answer=fixed, recorded_at=datetime.fromtimestamp(started, UTC))
        if not self._is_login(clean_request, clean_answer):
            self._keep(entry, started)
        elif self.rewrite or not any(tape.recorded(clean_request) for tape in self.tapes):
            self._logins.append(entry)

    def failed(self, request: Request, error: BaseException) -> None:
        """Take a failure of the network; one that a cassette can hold is recorded as a fault.

        A call that its caller gave up (a cancelled task, a timeout around all of it) becomes an abandoned read-timeout.
        """
        kind = fault_kind(error)
        # asyncio's own TimeoutError has no text; that of a socket names what timed out.
        abandoned = type(error).__name__ == "CancelledError" or (type(error) is TimeoutError and not error.args)
        if abandoned and (kind is None or type(error) is not TimeoutError):
            kind = "read-timeout"
        CURRENT.add(
            Exchange(request=request, fault=kind, gate="network" if kind else None, source="live", where=self._where())
        )
        if self.mode != "record":
            return
        clean, now = self.scrubber.request(request), datetime.now(UTC)
        if kind:
            lost = abandoned and kind == "read-timeout"
            self._keep(Entry(request=clean, fault=kind, abandoned=lost, recorded_at=now), now.timestamp())
        else:
            self.lost.append(f"{clean.method} {clean.url.partition('?')[0]} ({type(error).__name__})")

    def commit(self, keep: bool) -> Path | None:
        """Write what was recorded if it is to be kept; the file, or None if nothing was written.

        DirtyRecording if it looks as if it held secrets; CassetteError if the file cannot be written.
        """
        settle(self)
        self.mapping.read_waiting()
        entries = [one.entry for one in self._kept]
        for login in self._logins if keep else ():
            if (needed := with_used_catalog(login, entries)) is not None:
                self._keep(needed, needed.recorded_at.timestamp())
        with self._lock:
            kept, self._kept = sorted(self._kept, key=lambda one: one.started), []
        if not keep or not kept or self.mode != "record":
            return None
        for one in kept:
            self._again(one)
        suspicions = [suspicion for one in kept for suspicion in one.suspicions]
        if suspicions:
            raise DirtyRecording(suspicions, self.path)
        for call, coding in self._unread:
            raise CassetteError(texts.say("wire.unread", call=call, coding=coding), path=self.path)
        since = self.since if self.rewrite else None
        saving.save(self.path, [one.item for one in kept], since=since, metadata=self.metadata)
        return self.path

    def _keep(self, entry: Entry, started: float) -> None:
        version = self.scrubber.swaps.version
        kept = _Kept(started, entry, render(entry), version, self._suspicions(entry))
        with self._lock:
            self._kept.append(kept)

    def _again(self, kept: _Kept) -> None:
        """Clean an entry once more of what was learnt after it."""
        swaps = self.scrubber.swaps
        if kept.version == swaps.version or not (kept.suspicions or swaps.touches(kept.item)):
            return
        entry = kept.entry
        answer = entry.answer and self.scrubber.answer(entry.answer, entry.request.method)
        kept.entry = replace(entry, request=self.scrubber.request(entry.request), answer=answer)
        kept.item, kept.suspicions = render(kept.entry), self._suspicions(kept.entry)

    def _suspicions(self, entry: Entry) -> list[Suspicion]:
        found = inspect(entry, [*self.scrubber.swaps.secrets, *self.mapping.real_keys])
        return without_kept(found, self.keep) if found else found

    def _is_login(self, request: Request, answer: Answer) -> bool:
        """Whether a replay answers this login itself, with a token whose scope the gates know."""
        if request.method != "POST" or answer.status != 201:
            return False
        try:
            login = read_login(json.loads(request.body))
        except (TokenError, ValueError):
            return False
        path = urlsplit(request.url).path
        if path == _TEMPORARY:
            return login.methods == ("token",)
        known = any(
            login.user in (one.user, "") or login.user_id == one.user_id for one in self.mapping.replay.values()
        )
        return path == _LOGIN and set(login.methods) <= {"password", "totp", "token"} and known

    def _compare(self, request: Request, answer: Answer) -> None:
        call = f"{request.method} {request.url}"
        for tape in self.tapes:
            found = tape.take(request)
            if found is not None and found.answer is not None:
                recorded = self.scrubber.answer(found.answer, request.method)
                self.compared += 1
                self.drift += compare(call, recorded, answer)
                return
        self.unrecorded.append(call)

    def _journal(self, request: Request, answer: Answer, source: str) -> None:
        caller = self.mapping.caller(request)
        token = "x-auth-token" in request.headers
        CURRENT.add(
            PlayedExchange(
                request=request,
                answer=answer,
                identity=caller.name if caller else None,
                credential="token" if token else "aksk" if "authorization" in request.headers else "none",
                source=source,
                where=self._where(),
            )
        )


def with_fixed_digests(heard: Answer, clean: Answer) -> Answer:
    """The clean answer with the digests of its clean body, where they were those of the body that was heard."""
    if heard.body == clean.body:
        return clean
    old, new = hashlib.md5(heard.body), hashlib.md5(clean.body)
    pairs = {
        old.hexdigest(): new.hexdigest(),
        base64.b64encode(old.digest()).decode(): base64.b64encode(new.digest()).decode(),
    }
    headers = dict(clean.headers)
    for name, value in clean.headers.items():
        bare = value.strip('"')
        if name.lower() in ("etag", "content-md5") and bare in pairs:
            headers[name] = value.replace(bare, pairs[bare])
    return replace(clean, headers=headers)


def with_fixed_ids(request: Request, answer: Answer, nth: int) -> Answer:
    """The answer with request ids that are the same in each recording, in headers and body."""
    body, headers = answer.body, dict(answer.headers)
    for name, value in answer.headers.items():
        if name.lower() in REQUEST_IDS and value:
            seed = f"{name.lower()} {request.method} {request.url} {nth}"
            headers[name] = fixed = hashlib.sha256(seed.encode()).hexdigest()[:32]
            body = body.replace(value.encode(), fixed.encode()) if len(value) >= 8 else body
    return replace(answer, headers=headers, body=body)
