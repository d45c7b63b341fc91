"""keystoneauth1 and openstacksdk: logins with a catalog, recorded and replayed."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import yaml
from loopback.cloud import REAL, REGION
from loopback.conftest import REPLAYED, secrets_of
from loopback.test_clients import url

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.secrets.encodings import spellings

Recording = Callable[..., AbstractContextManager[Any]]


def account(who: Identity) -> dict[str, str]:
    names = {"user_domain_name": who.domain, "project_domain_name": who.domain, "project_name": REGION}
    iam = f"https://iam.{REGION}.myhuaweicloud.com/v3"
    return {"auth_url": iam, "username": who.user, "password": who.password or "any", **names}


def session(who: Identity) -> Any:
    from keystoneauth1 import session
    from keystoneauth1.identity import v3

    return session.Session(auth=v3.Password(**account(who)))


def servers(who: Identity) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import openstack

        connection = openstack.connect(**account(who), region_name=REGION, app_name="x", app_version="1")
        return [server.name for server in connection.compute.servers()]


def by_absolute_url(who: Identity) -> object:
    return session(who).get(url(who)).json()["count"]


def by_a_service_that_the_replay_knows_only_from_the_recording(who: Identity) -> object:
    return session(who).get("/v2/zones", endpoint_filter={"service_type": "dns"}).json()["zones"][0]["name"]


@pytest.mark.parametrize(
    ("call", "found", "logins"),
    [
        (by_absolute_url, 2, 0),
        (servers, ["ecs-1", "ecs-2"], 0),
        (by_a_service_that_the_replay_knows_only_from_the_recording, "example.com.", 1),
    ],
)
def test_records_and_replays(
    call: Callable[[Identity], object],
    found: object,
    logins: int,
    recording: Recording,
    replaying: Recording,
    tmp_path: Path,
) -> None:
    with recording() as recorder:
        assert call(REAL) == found
    text = (tmp_path / "test.yaml").read_text()
    tokens = [secret for secret in recorder.secrets if secret.startswith("MII")]
    assert tokens
    assert [secret for secret in [*secrets_of(REAL), *tokens] for one in spellings(secret) if one in text] == []
    recorded = yaml.safe_load(text)["interactions"]
    assert [one["request"]["method"] for one in recorded].count("POST") == logins
    with replaying():
        assert call(REPLAYED) == found


def test_a_recorded_login_brings_only_the_services_that_were_called(
    recording: Recording, replaying: Recording, tmp_path: Path
) -> None:
    with recording():
        by_a_service_that_the_replay_knows_only_from_the_recording(REAL)
    login = next(
        one
        for one in yaml.safe_load((tmp_path / "test.yaml").read_text())["interactions"]
        if "auth" in str(one["request"]["body"])
    )
    body = yaml.safe_load(login["response"]["body"]["string"])
    assert [service["type"] for service in body["token"]["catalog"]] == ["identity", "dns"]
    assert login["response"]["headers"]["X-Subject-Token"] == ["***"]
    with replaying() as player:
        replayed = session(REPLAYED)
        token = replayed.get_token()
        assert player.state.token(token).scope.kind == "project"  # the gates hold for it


def test_the_login_is_asked_again_when_missing_calls_are_recorded(
    recording: Recording, replaying: Recording, tmp_path: Path
) -> None:
    from pytest_hwcloud.cassettes.tape import Tape

    with recording():
        by_a_service_that_the_replay_knows_only_from_the_recording(REAL)
    before = len(Tape.load(tmp_path / "test.yaml"))
    with recording(tapes=[Tape.load(tmp_path / "test.yaml")]):
        found = session(REAL)
        assert found.get("/v2/zones", endpoint_filter={"service_type": "dns"}).status_code == 200
        assert found.get(url(REAL)).status_code == 200
    assert len(Tape.load(tmp_path / "test.yaml")) == before + 1
