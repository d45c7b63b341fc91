"""A small replayed cloud for the tests of the replay: cassettes as text, a router that is in force for a block."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.interceptors import router
from pytest_hwcloud.journal import CURRENT, Journal
from pytest_hwcloud.replay.player import Player

PROJECT = "05041fffa40025702f6dc009cc6f8f33"
HOST = "https://ecs.cn-north-4.myhuaweicloud.com"
LIST = f"{HOST}/v1/{PROJECT}/cloudservers/detail"


def entry(url=LIST, body="{}", status=200, *, method="GET", sent=None, fault=None, headers=None, **extra):
    """One interaction as vcrpy would load it."""
    request = {"method": method, "uri": url, "body": sent, "headers": {}}
    response = {
        "status": {"code": status, "message": "OK"},
        "headers": headers or {"Content-Type": ["application/json"]},
        "body": {"string": body},
    }
    return {"request": request, **({"fault": fault} if fault else {"response": response}), **extra}


def write(path: Path, *entries, **metadata) -> Path:
    """A cassette file (JSON, which is YAML)."""
    path.write_text(json.dumps({"version": 1, "metadata": metadata, "interactions": list(entries)}), encoding="utf-8")
    return path


def tape(path: Path, *entries, **metadata) -> Tape:
    return Tape.load(write(path, *entries, **metadata))


def state() -> CloudState:
    return CloudState(region="cn-north-4")


def signed(cloud: CloudState) -> AkSkAuth:
    who = cloud.identity("default")
    return AkSkAuth(who.ak, who.sk)


@contextmanager
def replaying(*tapes: Tape, cloud: CloudState | None = None, **options) -> Iterator[Player]:
    """The tapes answer cloud hosts while the block runs, and the journal listens."""
    player = Player(tapes, cloud or state(), **options)
    before, CURRENT.journal = CURRENT.journal, Journal("tests/test_x.py::test_y")
    router.enter(player)
    try:
        yield player
    finally:
        router.leave()
        CURRENT.journal = before
