"""Known secrets are found in every spelling and however a repr cut them; nothing else of a text is touched."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote

import pytest
from _pytest._io.saferepr import saferepr
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.cloud.identity import Identity, default_identity
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.journal import Exchange
from pytest_hwcloud.secrets.known_secrets import Secrets

SK = 'Kq8+x/zR"t7Wm2Yb\\5Hn9Dc4Vf6Gj1Ls3Pa0Eo'
TOKEN = "MIIP" + base64.b64encode(bytes(range(256)) * 12).decode()


@pytest.fixture
def secrets() -> Secrets:
    known = Secrets()
    known.add(SK)
    known.add(TOKEN)
    return known


def pieces(secret: str, text: str, length: int = 12) -> list[str]:
    """What of a secret a text shows."""
    return [secret[at : at + length] for at in range(len(secret) - length + 1) if secret[at : at + length] in text]


@pytest.mark.parametrize(
    "spelled",
    [
        SK,
        quote(SK, safe=""),
        json.dumps(SK)[1:-1],
        json.dumps(json.dumps(SK)[1:-1])[1:-1],
        repr(SK)[1:-1],
        base64.b64encode(SK.encode()).decode(),
        SK.encode().hex(),
        TOKEN,
        quote(TOKEN, safe=""),
        TOKEN.replace("/", "\\/"),
    ],
)
def test_secret_is_masked_in_every_spelling(secrets: Secrets, spelled: str) -> None:
    written = secrets.masked(f"before {spelled} after")
    assert written.startswith("before ")
    assert written.endswith(" after")
    assert "***" in written
    assert not pieces(spelled, written)


def test_password_of_basic_auth_is_masked(secrets: Secrets) -> None:
    header = base64.b64encode(f"user:{SK}".encode()).decode()
    assert pieces(header, secrets.masked(f"Authorization: Basic {header}")) == []


def test_only_the_secret_goes(secrets: Secrets) -> None:
    assert secrets.masked(f"sk={SK}&ak=1, again {SK}.") == "sk=***&ak=1, again ***."


@pytest.mark.parametrize("maxsize", [60, 120, 240, 500])
@pytest.mark.parametrize("shift", range(0, 90, 7))
def test_secret_cut_by_saferepr_shows_neither_head_nor_tail(secrets: Secrets, maxsize: int, shift: int) -> None:
    shown = saferepr({"p" * shift: SK, "headers": {"X-Auth-Token": TOKEN}, "more": "x" * shift}, maxsize=maxsize)
    written = secrets.masked(shown)
    for secret in (SK, TOKEN, repr(SK)[1:-1]):
        assert not pieces(secret, written)


def test_piece_out_of_the_middle_is_masked(secrets: Secrets) -> None:
    assert secrets.masked(f"- {TOKEN[500:560]}") == "- ***"


def test_short_common_piece_is_left_alone(secrets: Secrets) -> None:
    text = f"{TOKEN[:10]} is how tokens begin"
    assert secrets.masked(text) == text


def test_values_too_short_to_be_secret_are_left_alone() -> None:
    known = Secrets()
    for value in ("", "sk", "admin", None):
        known.add(value)
    assert known.masked("admin has sk") == "admin has sk"


def test_short_password_is_masked() -> None:
    known = Secrets()
    known.add("s3cret!")
    assert known.masked('{"password2": "s3cret!"}') == '{"password2": "***"}'


def test_secret_of_several_lines_is_masked_line_by_line() -> None:
    known = Secrets()
    known.add("-----BEGIN KEY-----\nabcdefghijklmnop\nqrstuvwxyz012345\n")
    assert known.masked("E   abcdefghijklmnop\nE   qrstuvwxyz012345") == "E   ***\nE   ***"


@pytest.mark.parametrize(
    ("text", "written"),
    [
        (
            "{status_code:403,encoded_authorization_message:XXX0aB3xAAAAAAAAAAAAAAAAAAAAAA== }",
            "{status_code:403,encoded_authorization_message:*** }",
        ),
        ("encoded_auth_msg='XXX0aB3xAAAAAAAAAAAAAAAAAAAAAA'", "encoded_auth_msg='***'"),
        ('"encoded_authorization_message": "XXX0aB3xAAAAAAAAAAAAAAAA"', '"encoded_authorization_message": "***"'),
        ("encoded_authorization_message:None }", "encoded_authorization_message:None }"),
        ("'X-Auth-Token': 'MIIaaaaaaaaaaaaaaaaaaaaaa'", "'X-Auth-Token': '***'"),
        ("X-Subject-Token: MIIaaaaaaaaaaaaaaaaaaaaaa", "X-Subject-Token: ***"),
        ("x-auth-token not found", "x-auth-token not found"),
        ('{"password": "swordfish"}', '{"password": "***"}'),
        (r'"{\"password\": \"swordfish\"}"', r'"{\"password\": \"***\"}"'),
        ("the password policy", "the password policy"),
    ],
)
def test_what_is_secret_by_its_label_is_masked(text: str, written: str) -> None:
    assert Secrets().masked(text) == written


def test_identity_gives_its_keys_but_no_invented_access_key() -> None:
    known = Secrets()
    known.add_identity(Identity(ak="REALACCESSKEY0123456", sk="s" * 20 + "t" * 20, password="swordfish"))
    known.add_identity(invented := default_identity())
    text = f"REALACCESSKEY0123456 {'s' * 20 + 't' * 20} swordfish {invented.ak} {invented.sk}"
    assert known.masked(text) == f"*** *** *** {invented.ak} ***"


def test_environment_gives_keys_tokens_and_passwords() -> None:
    known = Secrets()
    known.add_environment(
        {
            "HUAWEICLOUD_SDK_SK": "value-of-sk",
            "HW_SECRET_KEY": "value-of-secret-key",
            "HW_AUTH_TOKEN": "value-of-token",
            "OS_PASSWORD": "value-of-password",
            "HUAWEICLOUD_SDK_PROJECT_ID": "value-of-project",
            "PATH": "value-of-path",
        }
    )
    text = "value-of-sk value-of-secret-key value-of-token value-of-password value-of-project value-of-path"
    assert known.masked(text) == "*** *** *** *** value-of-project value-of-path"


def test_exchange_gives_its_tokens() -> None:
    known = Secrets()
    sent, brought = "sent-token-0123456789", "brought-token-0123456789"
    request = Request("GET", "https://iam.myhuaweicloud.com/v3/auth/tokens", {"x-auth-token": sent})
    known.add_exchange(Exchange(request=request, answer=Answer(201, {"X-Subject-Token": brought})))
    assert known.masked(f"{sent} {brought}") == "*** ***"


def test_secrets_never_show_in_their_repr(secrets: Secrets) -> None:
    assert repr(secrets) == "<Secrets: 2 values>"


@settings(max_examples=60, deadline=None, derandomize=True)
@given(
    st.text(st.characters(codec="utf-8"), min_size=16, max_size=80),
    st.text(max_size=60),
    st.text(max_size=60),
)
def test_no_whole_secret_survives_whatever_stands_around_it(secret: str, before: str, after: str) -> None:
    known = Secrets()
    known.add(secret)
    assert secret not in known.masked(before + secret + after)


@settings(max_examples=60, deadline=None, derandomize=True)
@given(st.text(max_size=300))
def test_text_without_secrets_stays_as_it_is(text: str) -> None:
    known = Secrets()
    known.add("Zx81-Zx81-Zx81-Zx81-Zx81")
    assert known.masked(text) == text
