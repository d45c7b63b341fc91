"""The account that recorded becomes the replay identity, everywhere and in every encoding."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from urllib.parse import quote

from pytest_hwcloud.cloud.identity import DEFAULT_DOMAIN_ID, DEFAULT_PROJECT_ID, Identity, default_identity
from pytest_hwcloud.cloud.wire import Answer, Request, json_answer
from pytest_hwcloud.replay.identity_mapping import IdentityMapping
from pytest_hwcloud.secrets.scrubber import Scrubber

PROJECT, DOMAIN, AK = "a7" * 16, "d0" * 16, "QXJ7RT2VNE9LQ4ZK8WDP"
REPLAYED = default_identity()
REAL = replace(
    REPLAYED,
    ak=AK,
    sk="tZ4mQ8vL2xR7nB5kJ9wC3yH6fD1gS0aPqUeTiOrM",
    user="olga müller",
    domain="acme-account",
    domain_id=DOMAIN,
    projects={"cn-north-4": PROJECT},
)
ECS = "https://ecs.cn-north-4.myhuaweicloud.com"
IAM = "https://iam.cn-north-4.myhuaweicloud.com"


def mapping(real: Identity = REAL) -> IdentityMapping:
    return IdentityMapping({"default": real}, {"default": REPLAYED})


def signed(url: str, **headers: str) -> Request:
    return Request(
        "GET", url, {"authorization": f"SDK-HMAC-SHA256 Access={AK}, SignedHeaders=host, Signature=ab", **headers}
    )


def test_everywhere_in_every_encoding() -> None:
    swaps = mapping().swaps
    for encode in (str, quote, json.dumps, lambda text: quote(quote(text)), lambda text: text.encode().hex()):
        for real, stand_in in ((PROJECT, DEFAULT_PROJECT_ID), (DOMAIN, DEFAULT_DOMAIN_ID), (AK, REPLAYED.ak)):
            assert swaps(f"x {encode(real)} y") == f"x {encode(stand_in)} y"
        assert swaps(f" {encode('olga müller')} ") == f" {encode('ci-reader')} "
    inside = base64.b64encode(f"{AK}:{REAL.sk}".encode()).decode()
    assert Scrubber(swaps).text(inside) == base64.b64encode(f"{REPLAYED.ak}:***".encode()).decode()


def test_a_name_inside_a_longer_word_stays() -> None:
    swaps = mapping(replace(REAL, user="reader", domain="api")).swaps
    assert swaps("readers are not reader but reader-2") == "readers are not ci-reader but reader-2"
    assert swaps('{"domain": "api", "x": "an api call", "url": "/api/v1"}') == (
        '{"domain": "example-corp", "x": "an api call", "url": "/example-corp/v1"}'
    )


def test_ids_are_learnt_from_what_iam_answers() -> None:
    unknown = replace(REAL, domain_id=DEFAULT_DOMAIN_ID, projects={"cn-north-4": DEFAULT_PROJECT_ID})
    one = mapping(unknown)
    rows = [
        {"id": PROJECT, "name": "cn-north-4", "domain_id": DOMAIN},
        {"id": "b1" * 16, "name": "eu-west-0", "domain_id": DOMAIN},
    ]
    one.learn(signed(f"{IAM}/v3/projects"), json_answer(200, {"projects": rows}))
    assert one.swaps(PROJECT) == DEFAULT_PROJECT_ID
    assert one.swaps(DOMAIN) == DEFAULT_DOMAIN_ID
    invented = one.swaps("b1" * 16)
    assert invented != "b1" * 16
    assert len(invented) == 32
    assert one.swaps("b1" * 16) == invented


def test_a_login_teaches_user_and_scope() -> None:
    unknown = replace(REAL, domain_id=DEFAULT_DOMAIN_ID, projects={"cn-north-4": DEFAULT_PROJECT_ID})
    one = mapping(unknown)
    user = {"id": "c3" * 16, "name": "somebody-else", "domain": {"id": DOMAIN, "name": "her-account"}}
    token = {"user": user, "project": {"id": PROJECT, "name": "cn-north-4", "domain": {"id": DOMAIN}}}
    one.learn(Request("POST", f"{IAM}/v3/auth/tokens"), json_answer(201, {"token": token}))
    assert one.swaps(f"{'c3' * 16} somebody-else her-account {PROJECT} {DOMAIN}") == (
        f"{REPLAYED.user_id} ci-reader example-corp {DEFAULT_PROJECT_ID} {DEFAULT_DOMAIN_ID}"
    )


def test_the_project_of_a_url_stands_for_the_region_of_its_host() -> None:
    one = mapping(replace(REAL, projects={"cn-north-4": DEFAULT_PROJECT_ID}))
    one.learn(Request("GET", f"{ECS}/v1/{PROJECT}/cloudservers/detail"), None)
    assert one.swaps(PROJECT) == DEFAULT_PROJECT_ID


def test_another_project_than_the_known_one_stays_another() -> None:
    one = mapping()
    one.learn(Request("GET", f"{ECS}/v1/{'e9' * 16}/cloudservers/detail"), None)
    assert one.swaps("e9" * 16) not in ("e9" * 16, DEFAULT_PROJECT_ID)


def test_ids_of_hwcloud_yaml_are_kept() -> None:
    replayed = replace(REPLAYED, domain_id=DOMAIN, projects={"cn-north-4": PROJECT})
    one = IdentityMapping({"default": REAL}, {"default": replayed})
    one.learn(signed(f"{ECS}/v1/{PROJECT}/x"), None)
    assert one.swaps(f"{PROJECT} {DOMAIN} {AK}") == f"{PROJECT} {DOMAIN} {REPLAYED.ak}"


def test_the_caller_is_found_by_its_access_key() -> None:
    one = mapping()
    assert one.caller(signed(ECS)) == REAL
    assert one.caller(Request("GET", ECS)) is None


def test_back_to_the_real_ids() -> None:
    answer = one = mapping().back(Answer(200, {"Location": DEFAULT_PROJECT_ID}, DEFAULT_PROJECT_ID.encode()))
    assert (answer.headers["Location"], one.body.decode()) == (PROJECT, PROJECT)
    assert mapping().back(Answer(200, {}, b"\xff")).body == b"\xff"


def test_who_the_caller_is_gives_the_name_away() -> None:
    found = mapping(replace(REAL, user="somebody-else"))
    url = "https://sts.cn-north-4.myhuaweicloud.com/v5/caller-identity"
    told = {"account_id": DOMAIN, "principal_urn": f"iam::{DOMAIN}:user:olga.real", "principal_id": "e5" * 16}
    found.learn(signed(url), json_answer(200, told))
    assert found.swaps(json.dumps(told)) == json.dumps(
        {
            "account_id": DEFAULT_DOMAIN_ID,
            "principal_urn": f"iam::{DEFAULT_DOMAIN_ID}:user:ci-reader",
            "principal_id": REPLAYED.user_id,
        }
    )
