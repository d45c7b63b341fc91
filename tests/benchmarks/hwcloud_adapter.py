"""pytest-hwcloud as a subject of the benchmarks (the contracts stand in `plugin_subject.py`).

Cassettes are written by our own writer, in the form that users have on disk. Every session signs, and what answers is
the whole plugin: gates, matching, journal.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import requests

from pytest_hwcloud import AkSkAuth, Policy

if TYPE_CHECKING:
    from signing_subjects import Spec

    from pytest_hwcloud.cassettes.rendering import Entry
    from pytest_hwcloud.cassettes.tape import Tape
    from pytest_hwcloud.interceptors.router import Router

RECORDED_AT = datetime(2025, 11, 21, 10, tzinfo=UTC)


def entry(url: str, headers: Mapping[str, str], answer: Mapping[str, Any]) -> Entry:
    """A GET with its answer as the recorder keeps it, without the encoding of the transport."""
    from pytest_hwcloud.cassettes.rendering import Entry
    from pytest_hwcloud.cloud.wire import Answer, Request

    body = answer["body"]
    got = Answer(
        answer["status"], answer["headers"], body.encode() if isinstance(body, str) else body, answer["reason"]
    )
    return Entry(request=Request("GET", url, headers), answer=got, recorded_at=RECORDED_AT)


def write(path: Path, entries: list[Entry], repeat: bool = False) -> None:
    """A cassette as the plugin records it. repeat: its last answer is given again and again."""
    from pytest_hwcloud.cassettes import rendering

    text = rendering.page([rendering.render(one) for one in entries])
    if repeat:
        text = text.replace("version: 1\n", "version: 1\nmetadata:\n  repeat_last: true\n", 1)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


class Replaying:
    """A running cloud test without pytest: its identity, its journal, and the router that answers it."""

    def enter(self, router: Callable[[Any], Router]) -> CloudUser:
        from pytest_hwcloud.gates.cloud_state import CloudState
        from pytest_hwcloud.interceptors import router as route
        from pytest_hwcloud.journal import CURRENT, Journal

        state = CloudState(region="ap-southeast-1")
        CURRENT.journal = Journal("tests/test_bench.py::test_bench")
        route.enter(router(state))
        who = state.identity("default")
        return CloudUser(who.ak, who.sk)

    def leave(self) -> None:
        from pytest_hwcloud.interceptors import router as route
        from pytest_hwcloud.journal import CURRENT

        route.leave()
        CURRENT.journal = None


class CloudUser:
    """The keys of the identity that calls, and the session that the fixture would give it."""

    def __init__(self, ak: str, sk: str) -> None:
        self.ak, self.sk = ak, sk

    def session(self) -> requests.Session:
        from pytest_hwcloud.interceptors.cloud_session import CloudSession

        session = CloudSession()
        session.auth = AkSkAuth(self.ak, self.sk)
        return session


def player(tape: Tape) -> Callable[[Any], Router]:
    """The router of a replayed test with this cassette."""
    from pytest_hwcloud.replay.player import Player

    return lambda state: Player([tape], state, own_path=tape.path)


# 1 ------------------------------------------------------------------------------------------------------------------
def startup() -> dict[str, list[str]]:
    """Start-up: the plugin loaded by the name of its entry point."""
    return {"args": ["-p", "hwcloud"]}


# 2 and 6 ------------------------------------------------------------------------------------------------------------
def suite() -> Any:
    """A signed session through the fixture, gates and journal, and a recorded cassette for each test."""
    from suites import CHECK, Suite, answer, request_headers, url

    def files(root: Path, i: int, module: str, name: str) -> None:
        write(root / "cassettes" / module / f"{name}.yaml", [entry(url(i), request_headers(), answer(i))])

    def test(i: int) -> str:
        return f"def test_{i}(hwcloud_session):\n    r = hwcloud_session.get({url(i)!r})\n{CHECK}"

    note = "AK/SK signature, gates and journal included; cassettes as recorded"
    return Suite(test=test, header="", args=["-p", "hwcloud"], files=files, note=note)


# 3 ------------------------------------------------------------------------------------------------------------------
class Cassette:
    """One cassette of many interactions. Cached: its parsed form lies in the plugin's folder of pytest's cache.

    save counts rendering every interaction and the locked, atomic write. Scrubbing happens call by call while a test
    records and is not counted, as the filters of the peers are not.
    """

    suffix = ".yaml"
    note = "cassette as recorded, signed requests, gates and journal included"

    def __init__(self, *, cached: bool = False) -> None:
        self.cached = cached

    def save(self, path: Path, n: int) -> float:
        from cassette_subjects import answer, request_headers, url

        from pytest_hwcloud.cassettes import rendering, saving

        entries = [entry(url(i), request_headers(), answer(i)) for i in range(n)]
        path.unlink(missing_ok=True)  # it would be added to
        start = time.perf_counter()
        saving.save(path, [rendering.render(one) for one in entries])
        taken = time.perf_counter() - start
        if self.cached:
            time.sleep(0.2)  # a file written this moment is not trusted by its time
            self.load(path)
        return taken

    def load(self, path: Path) -> Tape:
        from pytest_hwcloud.cassettes.tape import Tape

        return Tape.load(path, path.parent / "hwcloud-cache" if self.cached else None)

    def open(self, loaded: Tape, path: Path) -> requests.Session:
        self.replaying = Replaying()
        return self.replaying.enter(player(loaded)).session()

    def close(self) -> None:
        self.replaying.leave()


def cassette() -> Cassette:
    """A cassette read from nothing. (From the cache: cached_adapter.py, named by HWCLOUD_BENCH_ADAPTER.)"""
    return Cassette()


# 4 ------------------------------------------------------------------------------------------------------------------
class Signer:
    """AkSkAuth called on a PreparedRequest."""

    note = "AkSkAuth on a PreparedRequest"

    def __init__(self, ak: str, sk: str) -> None:
        self.auth = AkSkAuth(ak, sk)

    def prepare(self, spec: Spec) -> requests.PreparedRequest:
        url = f"https://{spec.host}{spec.path}"
        return requests.Request(spec.method, url, params=spec.query, headers=spec.headers, data=spec.body).prepare()

    def sign(self, native: requests.PreparedRequest) -> str:
        return str(self.auth(native).headers["Authorization"])


def signer(ak: str, sk: str) -> Signer:
    """Signatures."""
    return Signer(ak, sk)


# 5 ------------------------------------------------------------------------------------------------------------------
class Judging:
    """A policy that is loaded once and asked often."""

    def build(self, document: dict[str, object]) -> Callable[[str, str], bool]:
        return Policy.load(document).asker()


def policy() -> Judging:
    """Decisions."""
    return Judging()


# 7 ------------------------------------------------------------------------------------------------------------------
def call() -> dict[str, Callable[[], Any]]:
    """Whole calls: live, replayed by our session, and the real SDK replayed by us."""
    from bench7_call import CLOUD, CallSubject, Sdk, url

    class Live(CallSubject):
        """A session as the fixture gives it in live mode; the recorder listens, as it does there."""

        live = True

        def open(self, d: Path, n: int) -> Callable[[], int]:
            self.replaying = Replaying()
            self.session = self.replaying.enter(lambda state: listener(d, state)).session()
            return lambda: len(self.session.get(url(self.base, n)).json()["servers"])

        def close(self) -> None:
            self.session.close()
            self.replaying.leave()

    class Replay(CallSubject):
        def open(self, d: Path, n: int) -> Callable[[], int]:
            self.replaying = Replaying()
            session = self.replaying.enter(player(one_call(d, n))).session()
            return lambda: len(session.get(url(CLOUD, n)).json()["servers"])

        def close(self) -> None:
            self.replaying.leave()

    class SdkReplay(Sdk):
        live = False

        def open(self, d: Path, n: int) -> Callable[[], int]:
            self.replaying, self.base = Replaying(), CLOUD
            self.replaying.enter(player(one_call(d, n)))
            counted: Callable[[], int] = super().open(d, n)
            return counted

        def close(self) -> None:
            super().close()
            self.replaying.leave()

    return {"hwcloud live": Live, "hwcloud replay": Replay, "hwcloud replay: SDK": SdkReplay}


def listener(folder: Path, state: Any) -> Router:
    """The router of live mode; the loopback server counts as a cloud host, so that everything is listened to."""
    from pytest_hwcloud.replay.identity_mapping import IdentityMapping
    from pytest_hwcloud.replay.recorder import Recorder, RecorderOptions

    mapping = IdentityMapping(state.identities, state.identities)
    return Recorder(folder / "live.yaml", mapping, options=RecorderOptions(mode="live", hosts=("127.0.0.1",)))


def one_call(folder: Path, n: int) -> Tape:
    """A cassette with one interaction that is answered again and again."""
    import loopback_server
    from bench7_call import CLOUD, url

    from pytest_hwcloud.cassettes.tape import Tape

    body = loopback_server.detail(n)
    headers = {"Content-Type": "application/json", "Content-Length": str(len(body)), "Server": "api-gateway"}
    path = folder / f"hwcloud-{n}.yaml"
    answer = {"status": 200, "reason": "OK", "headers": headers, "body": body}
    write(path, [entry(url(CLOUD, n), {"User-Agent": "huaweicloud-usdk-python/3.0"}, answer)], repeat=True)
    return Tape.load(path)
