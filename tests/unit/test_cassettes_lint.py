"""Each shipped cassette loads with plain vcrpy, is what it claims, holds no secret, and can be replayed."""

import json
import re

import pytest
import requests
from replaying import replaying, signed, state

from pytest_hwcloud.cassettes import library
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud import failures
from pytest_hwcloud.cloud.tokens import Scope
from pytest_hwcloud.interceptors.cloud_session import CloudSession
from pytest_hwcloud.journal import CURRENT

NAMES = library.names()
# What the guide prints, word for word.
GUIDE = {
    "authentication/token-missing": (
        "Incorrect IAM authentication information: x-auth-token not found",
        "7775eaa6b4bbe5934e565349bd27c298",
    ),
    "authentication/token-undecryptable": (
        "Incorrect IAM authentication information: decrypt token fail",
        "0e812a89eee650de8e1f55cdae28b2c9",
    ),
    "authentication/access-key-unknown": (
        "Incorrect IAM authentication information: ak xxxxxx not exist",
        "3f979354fbec41b3cc0bd28ce7865e20",
    ),
    "authentication/signature-mismatch": (
        "Incorrect IAM authentication information: verify aksk signature fail, canonicalRequest:GET|/v3/projects/|"
        "name=cn-north-4|host:iam.myhuaweicloud.com|x-sdk-date:20210902T011700Z||host;x-sdk-date|"
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        None,
    ),
    "scope/project-token-other-project": ("tenantId in token is not the same with in URL.", None),
    "scope/domain-token-on-regional-service": ("tenantId in token is not the same with in URL.", None),
    "authorization/token-without-permission": (
        "do not have the required roles, forbidden to perform this action.",
        None,
    ),
    "authorization/aksk-without-permission": (
        "do not have the required roles, forbidden to perform this action.",
        "1c1d07572cb568467f65515a2353f3a9",
    ),
}
DOMAIN = {"scope/domain-token-on-regional-service", "scope/domain-token-on-global-service"}
TOKEN = {"scope/project-token-other-project", "authorization/token-without-permission"}
STRANGER = {n for n in NAMES if n.startswith("authentication/")}


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def made(name):
    return Tape.load(library.shipped(name), name=name)


def test_plain_vcrpy_loads_it_and_gives_the_same(name, made):
    from vcr.persisters.filesystem import FilesystemPersister
    from vcr.serializers import yamlserializer

    asked, answered, metadata = FilesystemPersister.load_cassette(library.shipped(name), yamlserializer)
    assert metadata == made.metadata
    for i, (request, response) in enumerate(zip(asked, answered, strict=True)):
        assert (request.method, request.uri) == (made[i].method, made[i].uri)
        if made[i].answer:
            assert response["body"]["string"] == made[i].answer.body
            assert response["status"]["code"] == made[i].answer.status


def test_it_says_where_it_comes_from_and_how_it_was_made(name, made):
    about = made.metadata
    assert about["source"] == "华为云《API常见问题定位指导》"
    assert re.match(r"[23] (API 基础知识|常见问题定位指导), \S", about["section"])
    assert (about["made"], about["repeat_last"]) == ("transcribed", True)
    assert about["claim"]
    assert about["transcribed"]
    assert about["reconstructed"]
    assert set(about["expects"]) >= {"code", "status", "gate"}


def test_its_first_interaction_is_what_it_claims(name, made):
    expects, first = made.metadata["expects"], made[0]
    if first.fault:
        assert (expects["fault"], expects["gate"], expects["status"]) == (first.fault, "network", None)
        return
    failure = failures.read(first.answer.body) if first.answer.status >= 400 else None
    assert first.answer.status == expects["status"]
    assert (failure.code if failure else None) == expects["code"]
    assert (failure.gate if failure else None) == expects["gate"]
    assert json.loads(first.answer.body)
    assert re.fullmatch(r"[0-9a-f]{32}", first.answer.header("X-Request-Id"))


@pytest.mark.parametrize("name", GUIDE)
def test_the_words_and_ids_are_the_guide_s(name, made):
    message, request_id = GUIDE[name]
    for i in range(len(made)):
        body = made[i].answer.json()
        assert message in (body.get("error_msg"), body.get("error", {}).get("message"))
        assert request_id in (None, made[i].answer.header("X-Request-Id"))
        assert body.get("request_id", request_id) in (request_id, made[i].answer.header("X-Request-Id"))


def test_the_list_begins_as_in_the_guide_and_has_eight_servers():
    body = Tape.load(library.shipped("success/list-servers"))[0].answer.body.decode()
    assert body.startswith(
        '{\n    "count": 8,\n    "servers": [\n        {\n            "fault": null,\n'
        '            "id": "78ccc986-016f-4405-94f9-c4d58421eca7",\n            "name": "cce-612884-06913",\n'
        '            "addresses": {\n                "377a7782-72e4-4db2-96b7-841d5d6f18a8": [\n                    {\n'
    )
    servers = json.loads(body)["servers"]
    assert len({s["id"] for s in servers}) == len({s["name"] for s in servers}) == json.loads(body)["count"] == 8


def test_the_grant_is_a_sequence_and_the_end_of_it_stays():
    made = Tape.load(library.shipped("authorization/token-older-than-grant"))
    assert made.metadata["expects"]["sequence"] == [made[i].answer.status for i in range(3)] == [403, 403, 200]


def test_it_holds_no_secret(name):
    text = library.shipped(name).read_text("utf-8")
    assert not re.search(r"(?i)authorization:|x-auth-token:|x-security-token:|x-subject-token|set-cookie", text)
    assert not re.search(r"\bMII[A-Za-z0-9+/-]{20,}|PRIVATE KEY|Signature=|\b[A-Z0-9]{20}\b|\b[A-Za-z0-9]{40}\b", text)


def auth_for(name, cloud):
    who = cloud.identity("default")
    project = Scope("project", next(iter(who.projects.values())), "cn-north-4")
    if name in DOMAIN:
        return cloud.issue(who, Scope("domain", who.domain_id, who.domain))
    return cloud.issue(who, project) if name in TOKEN else signed(cloud)


def test_it_replays_for_the_default_identity_as_often_as_one_likes(name, made):
    """Each recorded answer is the one that is given: the gates agree with the recording."""
    cloud, session = state(), CloudSession()
    if name in STRANGER:
        session.headers["X-Auth-Token"] = "" if name.endswith("missing") else "a token of nobody of the run"
    else:
        session.auth = auth_for(name, cloud)
    with replaying(made, cloud=cloud) as player:
        for i in [*range(len(made)), len(made) - 1]:
            if made[i].fault:
                with pytest.raises(requests.ConnectionError):
                    session.get(made[i].uri)
            else:
                answer = session.get(made[i].uri)
                assert (answer.status_code, answer.content) == (made[i].answer.status, made[i].answer.body)
            assert CURRENT.journal.exchanges[-1].source == name
    assert (made.unplayed, player.unrecorded) == ([], [])
