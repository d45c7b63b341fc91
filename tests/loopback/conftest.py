"""A cloud on loopback, a recorder against it, and a player of what it recorded."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from loopback.cloud import REAL, REGION, Cloud

from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud.identity import Identity, default_identity
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.interceptors import router
from pytest_hwcloud.journal import CURRENT, Journal
from pytest_hwcloud.replay.identity_mapping import IdentityMapping
from pytest_hwcloud.replay.player import Player
from pytest_hwcloud.replay.recorder import Recorder, RecorderOptions

REPLAYED = default_identity()


@pytest.fixture(scope="session")
def shared_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as cloud:
        yield cloud


@pytest.fixture
def cloud(shared_cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    shared_cloud.seen.clear()
    shared_cloud.throttled.clear()
    shared_cloud.answers.clear()
    shared_cloud.reachable(monkeypatch)
    yield shared_cloud
    router.leave()


@pytest.fixture
def mapping() -> IdentityMapping:
    return IdentityMapping({"default": REAL}, {"default": REPLAYED})


@pytest.fixture
def recording(
    cloud: Cloud, tmp_path: Path, mapping: IdentityMapping
) -> Callable[..., AbstractContextManager[Recorder]]:
    """with recording("name") as recorder: calls inside are recorded into name.yaml."""

    @contextmanager
    def record(name: str = "test", tapes: Sequence[Tape] = (), **options: object) -> Iterator[Recorder]:
        recorder = Recorder(tmp_path / f"{name}.yaml", mapping, tapes, RecorderOptions(**options))  # type: ignore[arg-type]
        CURRENT.journal = Journal(f"test::{name}")
        try:
            with router.using(recorder):
                yield recorder
        finally:
            CURRENT.journal = None
        recorder.commit(keep=True)

    return record


@pytest.fixture
def replaying(tmp_path: Path, cloud: Cloud) -> Callable[..., AbstractContextManager[Player]]:
    """with replaying("name") as player: calls inside are answered from name.yaml and judged, the cloud unseen."""

    @contextmanager
    def play(name: str = "test") -> Iterator[Player]:
        cloud.seen.clear()
        state = CloudState({"default": REPLAYED}, region=REGION)
        player = Player([Tape.load(tmp_path / f"{name}.yaml")], state)
        with router.using(player):
            yield player
        assert cloud.seen == []

    return play


def secrets_of(identity: Identity) -> list[str]:
    """What of the recording account must never be in a file."""
    ids = [identity.domain_id, *identity.projects.values()]
    return [identity.ak, identity.sk, identity.password or "", identity.user, identity.domain, *ids]
