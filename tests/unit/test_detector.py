"""The detector sees what the scrubber could have missed: shapes and names, however wrapped; and little else."""

from __future__ import annotations

import base64
import gzip
import json
from pathlib import Path
from urllib.parse import quote

import pytest

from pytest_hwcloud.cassettes import library
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.secrets import detector
from pytest_hwcloud.secrets.detector import Suspicion, in_body, in_headers, suspicions

TOKEN = "MIIEdwYJKoZIhvcNAQcCoIIEaDCCBGQCAQExDTALBglghkgBZQMEAgEwggKJBgkqhkiG9w0BBwGgggJ6BIICdnsidG9r"
SK = "hJ3kL9mN2pQ7rS5tU1vW8xY4zA6bC0dE3fG5hI7j"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (f"x {TOKEN} y", "an IAM token"),
        ("gAAAAABk3xYz0Q7w9r8T6y5U4i3O2p1A0s9D8f7G6h5J4k3L2z1X0c9V8b7N6m5", "a keystone token"),
        ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvbGdhIn0.dozjgNryP4J3jVmNHl0w5N", "a web token (JWT)"),
        ("key QXJ7RT2VNE9LQ4ZK8WDP.", "an access key (AK)"),
        (f"secret is {SK}", "a secret key (SK)"),
        ("-----BEGIN EC PRIVATE KEY-----\nabc", "a private key (PEM)"),
        (f"Signature={'0a' * 32}", "a signature"),
        ("https://olga:pa55w0rd@host/x", "a password in a URL"),
        ("Basic b2xnYTpzM2NyM3Q=", "credentials of basic auth"),
        ("Bearer 8f7e6d5c4b3a29181706", "a bearer token"),
        ('{"adminPass": "abc"}', "a value named adminPass"),
        ("a=1&db_password=abc", "a value named db_password"),
        ("<Secret>abc</Secret>", "a value named Secret"),
        ("x-security-token: abc", "a value named x-security-token"),
        ("Q2xvdWQ9eT8+IXw7fkA1Nzk4Li9aMz4hKzNaXnN2cTlQ/8d+Rg7hKz1w0P", "a random text"),
    ],
)
def test_each_kind(text: str, kind: str) -> None:
    assert kind in [one.kind for one in suspicions(text, "here")]


@pytest.mark.parametrize(
    "text",
    [
        '{"password": "***", "token": "<token>", "secret": "", "user_data": null, "adminPass": "${ADMIN}"}',
        "05041fffa40025702f6dc009cc6f8f33 0000aaaa-1111-2222-3333-444455556666 e3b0c44298fc1c149afbf4c8996fb92427ae41",
        "HWCTEST1234567890ABC hwctestsecretabcdef0123456789abcdef01234567",
        "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail?limit=1",
        '{"password_expires_at": "2027-01-01", "key_name": "web", "next_token": "", "x": "Bad password: too short"}',
        "-----BEGIN CERTIFICATE-----\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJRTES\n"
        "-----END CERTIFICATE-----",
        "ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC7vbqajDhA9Xc8Rt5yUi4Op3As2Df1Gh0Jk9Lz8Xc7Vb6Nm5 olga",
        "CloudServersDetailOfTheProjectWithAVeryLongNameThatIsPlainCamelCase",
        "the Basic plan for the bearer of this letter",
        "云服务器 " * 40,
    ],
)
def test_what_is_no_secret(text: str) -> None:
    assert suspicions(text, "here") == []


WRAPPINGS = {
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64 twice": lambda text: base64.b64encode(base64.b64encode(text.encode())).decode(),
    "base64 of gzip": lambda text: base64.b64encode(gzip.compress(text.encode())).decode(),
    "hex": lambda text: text.encode().hex(),
    "unicode escapes": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "JSON in JSON": lambda text: json.dumps(json.dumps({"a": text})),
}


@pytest.mark.parametrize("wrapping", WRAPPINGS)
def test_wrapped(wrapping: str) -> None:
    text = WRAPPINGS[wrapping](f"the token {TOKEN}")
    assert "an IAM token" in [one.kind for one in suspicions(text, "here")]
    assert "a known secret" in [
        one.kind for one in suspicions(WRAPPINGS[wrapping]("a quiet word"), "x", ["quiet word"])
    ]


def test_the_place_and_the_wrapping_are_told_and_the_secret_is_not() -> None:
    body = json.dumps({"servers": [{"name": "x"}, {"metadata": {"note": quote(quote(f"k {SK}"))}}]}).encode()
    (found,) = in_body(body, "answer body")
    assert str(found) == (
        "answer body $.servers[1].metadata.note: a secret key (SK) "
        "(hJ…, 40 characters, percent-encoded inside percent-encoded)"
    )
    assert SK not in repr(found)


def test_places_in_other_bodies() -> None:
    assert [one.place for one in in_body(f"one\ntwo {TOKEN}\n".encode(), "body")] == ["body line 2"]
    assert in_body(b"\xff\xfe" + TOKEN.encode(), "body")[0].kind == "an IAM token"
    assert in_body(gzip.compress(b'{"password": "abc"}'), "body")[0].place == "body $.password"
    assert in_body(bytes(range(256)), "body") == []


def test_headers() -> None:
    found = in_headers({"X-Auth-Token": "abcdef", "X-Subject-Token": "***", "Accept": "a/b", "Link": TOKEN}, "request")
    assert found == [
        Suspicion(kind="a secret header", place="request header X-Auth-Token", shown="6 characters"),
        Suspicion(kind="an IAM token", place="request header Link", shown=f"MI…, {len(TOKEN)} characters"),
    ]


def test_no_code_is_shared_with_the_scrubber() -> None:
    source = Path(detector.__file__).read_text()
    assert "pytest_hwcloud" not in source


def test_the_shipped_library_is_clean() -> None:
    from pytest_hwcloud.cassettes.scan import scan

    for name in library.names():
        assert [one for one in scan(Tape.load(library.root() / f"{name}.yaml")) if one.kind == "secret"] == []


def test_it_finds_what_an_empty_scrubber_leaves() -> None:
    from datetime import UTC, datetime

    from pytest_hwcloud.cassettes.rendering import Entry
    from pytest_hwcloud.cassettes.scan import inspect

    entry = Entry(
        request=Request("POST", "https://iam.x/v3?password=abc", {"authorization": "Basic b2xnYTpzM2NyM3Q="}, b"a=1"),
        answer=Answer(201, {"X-Subject-Token": TOKEN}, b"ok", "it is Bearer 8f7e6d5c4b3a29181706"),
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    assert [one.place for one in inspect(entry)] == [
        "POST https://iam.x/v3 request URL",
        "POST https://iam.x/v3 request header authorization",
        "POST https://iam.x/v3 answer header X-Subject-Token",
        "POST https://iam.x/v3 answer reason",
    ]
