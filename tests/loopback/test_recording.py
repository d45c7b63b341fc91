"""What a recorder keeps of a cloud that behaves like the real one, and how that replays."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import vcr
import yaml
from loopback.cloud import REAL, REGION, Cloud
from loopback.conftest import REPLAYED
from loopback.test_clients import url

from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
from pytest_hwcloud.cloud.tokens import domain_scope, login_body, project_scope
from pytest_hwcloud.replay.recorder import DirtyRecording, Recorder
from pytest_hwcloud.secrets.encodings import spellings

Recording = Callable[..., AbstractContextManager[Recorder]]
Replaying = Callable[..., AbstractContextManager[Any]]
IAM = f"https://iam.{REGION}.myhuaweicloud.com"


def get(who: Identity, path: str = "cloudservers/detail", **options: Any) -> requests.Response:
    return requests.get(url(who, path), auth=AkSkAuth(who.ak, who.sk), **options)


def log_in(who: Identity, scope: Any) -> requests.Response:
    body = login_body(who, scope)
    return requests.post(f"{IAM}/v3/auth/tokens?nocatalog=true", json=body)


def interactions(path: Path) -> list[dict[str, Any]]:
    return yaml.safe_load(path.read_text())["interactions"]


@pytest.mark.parametrize("path", ["cloudservers/detail?chunked=1", "text", "html", "redirect"])
def test_answers_of_every_form_replay_as_they_were(recording: Recording, replaying: Replaying, path: str) -> None:
    with recording():
        first = get(REAL, path)
    with replaying():
        again = get(REPLAYED, path)
    same = first.text.replace(REAL.projects[REGION], REPLAYED.projects[REGION]).replace(REAL.user, REPLAYED.user)
    if first.headers["Content-Type"] == "application/json":
        assert again.json() == requests.models.complexjson.loads(same)
    else:
        assert again.text == same
    assert again.status_code == first.status_code
    assert len(again.history) == len(first.history)


def test_only_headers_that_matter_are_kept(recording: Recording, tmp_path: Path) -> None:
    with recording():
        get(REAL)
    (one,) = interactions(tmp_path / "test.yaml")
    assert sorted(one["request"]["headers"]) == ["accept"]
    assert sorted(one["response"]["headers"]) == ["Content-Type", "Server", "Set-Cookie", "X-Request-Id"]
    assert one["response"]["headers"]["Set-Cookie"] == ["sid=***"]  # that there is one, the client sees in a replay too


def test_two_recordings_differ_in_the_time_alone(recording: Recording, tmp_path: Path) -> None:
    for name in ("one", "two"):
        with recording(name):
            get(REAL)
            get(REAL)
    one, two = ((tmp_path / f"{name}.yaml").read_text().splitlines() for name in ("one", "two"))
    assert {line.split(":")[0].strip() for line, other in zip(one, two, strict=True) if line != other} <= {
        "recorded_at"
    }
    ids = [one["response"]["headers"]["X-Request-Id"][0] for one in interactions(tmp_path / "one.yaml")]
    assert len(set(ids)) == 2
    assert all(len(one) == 32 for one in ids)


def test_a_large_answer_is_whole(recording: Recording, replaying: Replaying) -> None:
    with recording():
        first = get(REAL, "large").json()
    assert len(first["blob"]) > 5_000_000
    with replaying():
        assert get(REPLAYED, "large").json() == first


def test_logins_are_left_to_the_identities(recording: Recording, replaying: Replaying, tmp_path: Path) -> None:
    with recording() as recorder:
        token = log_in(REAL, project_scope(REAL, REGION)).headers["X-Subject-Token"]
        heard = requests.get(url(REAL), headers={"X-Auth-Token": token}).json()
    assert token in recorder.secrets
    assert [one["request"]["method"] for one in interactions(tmp_path / "test.yaml")] == ["GET"]
    assert not any(one in (tmp_path / "test.yaml").read_text() for one in spellings(token))
    with replaying():
        token = log_in(REPLAYED, project_scope(REPLAYED, REGION)).headers["X-Subject-Token"]
        again = requests.get(url(REPLAYED), headers={"X-Auth-Token": token})
        wrong = log_in(REPLAYED, domain_scope(REPLAYED)).headers["X-Subject-Token"]
        refused = requests.get(url(REPLAYED), headers={"X-Auth-Token": wrong})
    assert again.json()["count"] == heard["count"]
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "Common.0018")


def test_a_wrong_password_is_recorded_without_it(recording: Recording, replaying: Replaying, tmp_path: Path) -> None:
    wrong = replace(REAL, password="Wr0ng/password+1")
    with recording():
        assert log_in(wrong, domain_scope(REAL)).status_code == 401
    assert not any(one in (tmp_path / "test.yaml").read_text() for one in spellings("Wr0ng/password+1"))
    (one,) = interactions(tmp_path / "test.yaml")
    assert '"password": "***"' in one["request"]["body"]
    with replaying():
        assert log_in(REPLAYED, domain_scope(REPLAYED)).status_code == 401


def test_throttled_then_served(recording: Recording, replaying: Replaying, cloud: Cloud) -> None:
    cloud.throttled["GET /v1/{id}/cloudservers/detail"] = 2
    with recording():
        assert [get(REAL).status_code for _ in range(3)] == [429, 429, 200]
    with replaying():
        assert [get(REPLAYED).status_code for _ in range(3)] == [429, 429, 200]


def test_a_refusal_is_kept_and_says_the_stand_in(recording: Recording, replaying: Replaying) -> None:
    stranger = replace(REAL, ak="NXS8KD2PWQ7LM4VB9ZTC")
    with recording():
        assert get(stranger).json()["error_msg"].endswith("ak NXS8KD2PWQ7LM4VB9ZTC not exist")
    with replaying():
        text = get(REPLAYED).json()["error_msg"]
    assert text.startswith("Incorrect IAM authentication information: ak HWCTEST")


def test_a_generated_password_is_in_no_file(recording: Recording, tmp_path: Path) -> None:
    address = url(REAL, "cloudservers/action")
    with recording():
        made = requests.post(address, json={"os-start": {}}, auth=AkSkAuth(REAL.ak, REAL.sk)).json()["adminPass"]
        requests.post(address, data=f"the password is {made}", auth=AkSkAuth(REAL.ak, REAL.sk))
    assert made.startswith("Gen3rated#")
    assert not any(one in (tmp_path / "test.yaml").read_text() for one in spellings(made))


@pytest.mark.parametrize(
    ("path", "fault"), [("reset", "connection-reset"), ("broken", "connection-reset"), ("slow", "read-timeout")]
)
def test_a_failure_of_the_network_is_recorded(
    recording: Recording, replaying: Replaying, tmp_path: Path, path: str, fault: str
) -> None:
    with recording(), pytest.raises(requests.RequestException):
        get(REAL, path, timeout=0.3)
    (one,) = interactions(tmp_path / "test.yaml")
    assert one["fault"] == fault
    with replaying(), pytest.raises(requests.RequestException):
        get(REPLAYED, path, timeout=0.3)


def test_missing_is_recorded_and_the_rest_replayed(recording: Recording, cloud: Cloud, tmp_path: Path) -> None:
    with recording():
        get(REAL)
    cloud.seen.clear()
    with recording(tapes=[Tape.load(tmp_path / "test.yaml")]):
        old = get(REAL).json()
        get(REAL, "text")
    assert [address for _, address in cloud.seen] == [url(REAL, "text")]
    assert old["servers"][0]["tenant_id"] == REAL.projects[REGION]  # the program runs with the real ids
    assert [one["request"]["uri"] for one in interactions(tmp_path / "test.yaml")] == [
        url(REPLAYED),
        url(REPLAYED, "text"),
    ]


def test_one_connection_of_http_client_has_recorded_answers_and_new_ones(
    recording: Recording, cloud: Cloud, tmp_path: Path
) -> None:
    host = urlsplit(url(REAL)).netloc

    def ask(connection: http.client.HTTPSConnection, path: str) -> bytes:
        headers = AkSkAuth(REAL.ak, REAL.sk)(requests.Request("GET", url(REAL, path)).prepare()).headers
        connection.request("GET", urlsplit(url(REAL, path)).path, headers=headers)
        return connection.getresponse().read()

    with recording(), closing(http.client.HTTPSConnection(host)) as connection:
        first = json.loads(ask(connection, "cloudservers/detail"))
    cloud.seen.clear()
    known = Tape.load(tmp_path / "test.yaml")
    with recording(tapes=[known]), closing(http.client.HTTPSConnection(host)) as connection:
        assert len(json.loads(ask(connection, "cloudservers/detail"))["servers"]) == len(first["servers"])
        assert cloud.seen == []
        text = ask(connection, "text")
    assert [address for _, address in cloud.seen] == [url(REAL, "text")]
    assert text == get(REAL, "text").content
    assert len(interactions(tmp_path / "test.yaml")) == 2
    # Where nothing listens, that is met when the connection is needed, and recorded.
    nowhere = http.client.HTTPSConnection(host)
    with recording("other", tapes=[known]), pytest.MonkeyPatch.context() as patched:
        patched.setattr(nowhere, "_create_connection", refusing)
        with pytest.raises(ConnectionRefusedError):
            ask(nowhere, "none")
    assert [one.get("fault") for one in interactions(tmp_path / "other.yaml")] == ["connection-refused"]


def refusing(*args: object, **kwargs: object) -> None:
    raise ConnectionRefusedError(111, "Connection refused")


def test_a_rewrite_drops_what_was_there(recording: Recording, tmp_path: Path) -> None:
    with recording():
        get(REAL)
        get(REAL, "text")
    time.sleep(0.01)
    started = datetime.now(UTC)
    for path in ("html", "text"):  # two tests of the new run share the cassette
        with recording(rewrite=True, since=started):
            get(REAL, path)
    assert [one["request"]["uri"] for one in interactions(tmp_path / "test.yaml")] == [
        url(REPLAYED, "html"),
        url(REPLAYED, "text"),
    ]


def test_live_mode_writes_nothing_and_verify_tells_the_drift(
    recording: Recording, cloud: Cloud, tmp_path: Path
) -> None:
    with recording():
        get(REAL)
        get(REAL, "html")
    before = (tmp_path / "test.yaml").read_bytes()
    tape = Tape.load(tmp_path / "test.yaml")
    with recording(mode="live", verify=True, tapes=[tape]) as same:
        get(REAL)
        get(REAL, "html")
    assert same.drift == []
    servers = {"count": "2", "servers": [{"id": "x", "name": "y", "status": "ACTIVE"}]}
    cloud.answers["GET /v1/{id}/cloudservers/detail"] = lambda request: (200, servers, {})
    cloud.answers["GET /v1/{id}/html"] = lambda request: cloud.error(503, "APIGW.0613", "unavailable")
    with recording(mode="live", verify=True, tapes=[Tape.load(tmp_path / "test.yaml")]) as other:
        get(REAL)
        get(REAL, "html")
        get(REAL, "text")
    ours = url(REPLAYED)
    assert list(map(str, other.drift)) == [
        f"GET {ours}: $.count: recorded a number, live a text",
        f"GET {ours}: $.servers[].tenant_id: recorded there, live gone",
        f"GET {ours}: $.servers[].user: recorded there, live gone",
        f"GET {ours}: $.servers[].vcpus: recorded there, live gone",
        f"GET {url(REPLAYED, 'html')}: status: recorded 502, live 503 APIGW.0613",
    ]
    assert other.unrecorded == [f"GET {url(REPLAYED, 'text')}"]
    assert (tmp_path / "test.yaml").read_bytes() == before


def test_plain_vcrpy_plays_it(recording: Recording, tmp_path: Path) -> None:
    with recording():
        get(REAL)
        get(REAL, "text")
    with vcr.use_cassette(str(tmp_path / "test.yaml"), record_mode="none") as cassette:
        assert requests.get(url(REPLAYED)).json()["count"] == 2
        assert "云服务器" in requests.get(url(REPLAYED, "text")).text
    assert cassette.all_played


def test_what_looks_dirty_is_not_written(cloud: Cloud, recording: Recording, tmp_path: Path) -> None:
    odd = "Zq9fH2kLmN4pQrS6tUvWxYz1aBcDeFgHiJkLmNo3"
    cloud.answers["GET /v1/{id}/cloudservers/detail"] = lambda request: (200, {"rows": [{"note": odd}]}, {})
    with pytest.raises(DirtyRecording) as refused, recording():
        get(REAL)
    assert str(refused.value) == (
        f"{tmp_path / 'test.yaml'}: not written, the recording may hold secrets:\n"
        f"  GET {url(REPLAYED)} answer body $.rows[0].note: a secret key (SK) (Zq…, 40 characters)\n"
        '  what is no secret can be kept, in hwcloud.yaml: recording: {keep: ["$.rows[0].note"]}'
    )
    assert list(tmp_path.iterdir()) == []
    for keep in ("$.rows[*].note", "Zq9f*"):
        with recording(keep=[keep]):
            get(REAL)
    assert odd in (tmp_path / "test.yaml").read_text()


def test_plain_vcrpy_reads_a_fault(recording: Recording, tmp_path: Path) -> None:
    with recording(), pytest.raises(requests.RequestException):
        get(REAL, "reset")
    with recording():
        get(REAL)
    with vcr.use_cassette(str(tmp_path / "test.yaml"), record_mode="none"):  # it leaves out what has no response
        assert requests.get(url(REPLAYED)).json()["count"] == 2


def test_a_request_is_found_under_its_mask(recording: Recording, replaying: Replaying, tmp_path: Path) -> None:
    with recording():
        get(REAL, "text?password=Wr0ng/password%2B1&n=1")
        for name in ("one", "two"):
            body = {"name": name, "adminPass": f"Secr3t-{name}!"}
            requests.post(url(REAL, "cloudservers/action"), json=body, auth=AkSkAuth(REAL.ak, REAL.sk))
    assert "text?n=1&password=***" in (tmp_path / "test.yaml").read_text()
    jobs = [one["response"]["body"]["string"] for one in interactions(tmp_path / "test.yaml")[1:]]
    with replaying():
        assert get(REPLAYED, "text?password=An0ther-one!&n=1").status_code == 200
        for name, job in (("two", jobs[1]), ("one", jobs[0])):
            body = {"name": name, "adminPass": f"An0ther-{name}!"}
            answer = requests.post(
                url(REPLAYED, "cloudservers/action"), json=body, auth=AkSkAuth(REPLAYED.ak, REPLAYED.sk)
            )
            assert answer.json() == requests.models.complexjson.loads(job)


def test_a_fault_in_the_cassette_is_met_in_record_mode_too(recording: Recording, cloud: Cloud, tmp_path: Path) -> None:
    with recording(), pytest.raises(requests.RequestException):
        get(REAL, "reset")
    cloud.seen.clear()
    with recording(tapes=[Tape.load(tmp_path / "test.yaml")]):
        with pytest.raises(requests.ConnectionError):
            get(REAL, "reset")
        assert cloud.seen == []
        assert get(REAL).status_code == 200  # a host that failed once is asked again
