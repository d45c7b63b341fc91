"""Tokens, and IAM's bodies for them."""

from __future__ import annotations

import pickle
import threading
from datetime import UTC, datetime, timedelta

import pytest
import requests

from pytest_hwcloud.cloud.identity import Identity, UnknownName
from pytest_hwcloud.cloud.tokens import (
    LIFETIME,
    Scope,
    Token,
    TokenCache,
    TokenError,
    answer_body,
    domain_scope,
    login_body,
    project_scope,
    read_answer,
    read_login,
    replay_password,
)

NOW = datetime(2021, 9, 2, 1, 17, 0, 855000, tzinfo=UTC)
ME = Identity(password="geheim")
PROJECT = Scope("project", "05041fffa40025702f6dc009cc6f8f33", "cn-north-4")
DOMAIN = Scope("domain", "0503dda878000fed0f75c0096d70a960", "example-corp")


def a_token(scope: Scope = PROJECT, issued: datetime = NOW) -> Token:
    return Token(value="MIIX", scope=scope, issued_at=issued, expires_at=issued + LIFETIME, identity="default")


def test_a_token_signs_a_request_in() -> None:
    prepared = requests.Session().prepare_request(requests.Request("GET", "https://ecs.example/", auth=a_token()))
    assert prepared.headers["X-Auth-Token"] == "MIIX"
    assert "Authorization" not in prepared.headers


def test_a_token_never_shows_its_value() -> None:
    token = a_token()
    assert "MIIX" not in repr(token)
    assert "MIIX" not in f"{token} {[token]} {{'t': {token!r}}}"
    assert "cn-north-4" in repr(token)


def test_a_token_compares_by_what_it_is_and_survives_a_pickle() -> None:
    assert a_token() == a_token()
    assert a_token() != a_token(DOMAIN)
    assert pickle.loads(pickle.dumps(a_token())) == a_token()


def test_a_token_lives_for_24_hours() -> None:
    token = a_token()
    assert not token.expired(NOW + timedelta(hours=23, minutes=59))
    assert token.expired(NOW + timedelta(hours=24))


def test_scopes_of_an_identity() -> None:
    assert project_scope(ME, "cn-north-4") == project_scope(ME, PROJECT.id) == PROJECT
    assert domain_scope(ME) == DOMAIN
    with pytest.raises(UnknownName, match=r"unknown project 'cn-north-5'; did you mean 'cn-north-4'"):
        project_scope(ME, "cn-north-5")


@pytest.mark.parametrize("scope", [PROJECT, DOMAIN])
def test_a_login_asks_as_the_guide_does(scope: Scope) -> None:
    assert login_body(ME, scope) == {
        "auth": {
            "identity": {
                "methods": ["password"],
                "password": {"user": {"domain": {"name": "example-corp"}, "name": "ci-reader", "password": "geheim"}},
            },
            "scope": {scope.kind: {"id": scope.id}},
        }
    }


def test_a_login_without_a_configured_password_uses_the_invented_one() -> None:
    login = read_login(login_body(Identity(), PROJECT))
    assert login.password == replay_password("default")
    assert replay_password("default") != replay_password("auditor")
    assert login.password not in repr(login)


def test_a_given_password_wins() -> None:
    assert read_login(login_body(ME, PROJECT, "other")).password == "other"


@pytest.mark.parametrize(
    ("scope", "read"),
    [
        ({"project": {"name": "cn-north-4"}}, ("project", "", "cn-north-4")),
        ({"project": {"name": "cn-north-4", "domain": {"name": "example-corp"}}}, ("project", "", "cn-north-4")),
        ({"project": {"id": "p"}, "domain": {"id": "d"}}, ("project", "p", "")),  # project wins
        ({"domain": {"name": "example-corp"}}, ("domain", "", "example-corp")),
        ({}, ("", "", "")),
        (None, ("", "", "")),
        ("unscoped", ("", "", "")),
    ],
)
def test_scopes_in_a_login(scope: object, read: tuple[str, str, str]) -> None:
    body = {"auth": {"identity": {"methods": ["password"]}, "scope": scope}}
    login = read_login(body)
    assert (login.scope_kind, login.scope_id, login.scope_name) == read


def test_a_login_by_user_id_and_passcode() -> None:
    user = {"id": "u1", "password": "x"}
    identity = {"methods": ["password", "totp"], "password": {"user": user}, "totp": {"user": {"passcode": "123456"}}}
    login = read_login({"auth": {"identity": identity}})
    assert (login.methods, login.user_id, login.password) == (("password", "totp"), "u1", "x")


def test_a_login_by_token() -> None:
    assert read_login({"auth": {"identity": {"methods": ["token"], "token": {"id": "t"}}}}).token == "t"


@pytest.mark.parametrize(
    ("body", "missing"),
    [
        (None, "auth"),
        ([], "auth"),
        ({"auth": {}}, "auth"),
        ({"auth": {"scope": {}}}, "identity"),
        ({"auth": {"identity": []}}, "identity"),
        ({"auth": {"identity": {}}}, "methods"),
        ({"auth": {"identity": {"methods": "password"}}}, "methods"),
        ({"auth": {"identity": {"methods": [1]}}}, "methods"),
        ({"auth": {"identity": {"methods": []}}}, "methods"),
    ],
)
def test_what_is_no_login_names_the_key(body: object, missing: str) -> None:
    with pytest.raises(TokenError) as caught:
        read_login(body)
    assert str(caught.value) == missing


def test_the_answer_of_a_project_login() -> None:
    domain = {"id": DOMAIN.id, "name": "example-corp"}
    assert answer_body(a_token(), ME) == {
        "token": {
            "expires_at": "2021-09-03T01:17:00.855000Z",
            "issued_at": "2021-09-02T01:17:00.855000Z",
            "methods": ["password"],
            "user": {"id": ME.user_id, "name": "ci-reader", "password_expires_at": "", "domain": domain},
            "project": {"id": PROJECT.id, "name": "cn-north-4", "domain": domain},
            "roles": [{"id": "0", "name": "te_admin"}],
        }
    }


def test_the_answer_of_a_domain_login_has_no_project() -> None:
    token = answer_body(a_token(DOMAIN), ME, methods=("password", "totp"), catalog=[{"type": "identity"}])["token"]
    assert isinstance(token, dict)
    assert token["domain"] == {"id": DOMAIN.id, "name": "example-corp"}
    assert "project" not in token
    assert token["mfa_authn_at"] == token["issued_at"]
    assert token["catalog"] == [{"type": "identity"}]


@pytest.mark.parametrize("scope", [PROJECT, DOMAIN])
def test_an_answer_read_back_is_the_token(scope: Scope) -> None:
    token = a_token(scope)
    assert read_answer("MIIX", answer_body(token, ME), "default") == token


@pytest.mark.parametrize(
    ("value", "body", "text"),
    [
        ("", {"token": {}}, "the answer holds no scoped token"),
        ("MIIX", None, "the answer holds no scoped token"),
        ("MIIX", {"token": {"user": {}}}, "the answer holds no scoped token"),
        ("MIIX", {"token": {"project": {"name": "n"}}}, "the answer holds no scoped token"),
        ("MIIX", {"token": {"project": {"id": "p"}, "issued_at": "gestern"}}, "not a time of IAM: 'gestern'"),
    ],
)
def test_what_is_no_answer_to_a_login(value: str, body: object, text: str) -> None:
    with pytest.raises(TokenError) as caught:
        read_answer(value, body, "default")
    assert str(caught.value) == text


def test_a_cache_asks_once_a_key_and_again_near_the_end() -> None:
    cache, asked = TokenCache(), []

    def get(key: str, now: datetime) -> Token:
        def ask() -> Token:
            asked.append(key)
            return a_token(issued=now)

        return cache.get(key, now, ask)

    first = get("a", NOW)
    assert get("a", NOW + timedelta(hours=23)) is first
    get("b", NOW)
    assert asked == ["a", "b"]
    assert get("a", NOW + timedelta(hours=23, minutes=45)).issued_at > NOW
    assert asked == ["a", "b", "a"]
    cache.forget("b")
    assert get("b", NOW) is get("b", NOW)
    assert asked == ["a", "b", "a", "b"]
    cache.clear()
    get("b", NOW)
    assert asked == ["a", "b", "a", "b", "b"]


def test_eight_threads_ask_once() -> None:
    cache, asked, start = TokenCache(), [], threading.Barrier(8)

    def run() -> None:
        start.wait()
        cache.get("key", NOW, lambda: asked.append(1) or a_token())  # type: ignore[func-returns-value]

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert asked == [1]
