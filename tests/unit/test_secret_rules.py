"""Names by rule, notations by kind, and linear time: what is a secret in a text, and what only looks so."""

from __future__ import annotations

import base64
import gzip
import json
import re
import time
import warnings
from collections.abc import Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from clean_answers import clean_answers
from hypothesis import given, settings
from hypothesis import strategies as st
from planted_secrets import packed, planted, unpacked, values_of
from secret_cases import ACCESS_KEY, CASES, HOOK, LETTERS, SECRET, TOKEN, clean_forms, worst_cases

from pytest_hwcloud import secrets
from pytest_hwcloud.cassettes.nearest import masked_url
from pytest_hwcloud.secrets import encodings, shown_text
from pytest_hwcloud.secrets.detector import in_body, marks, suspicions
from pytest_hwcloud.secrets.field_names import hides, is_numeric, is_prose, kind_of
from pytest_hwcloud.secrets.scrubber import Scrubber

FIELDS = [
    tuple(line.split("\t"))
    for line in Path(__file__).with_name("data").joinpath("secret_fields.tsv").read_text().split("\n")[1:-1]
]

SECRETS = (SECRET, TOKEN, HOOK, LETTERS, ACCESS_KEY)


@pytest.mark.parametrize(("name", "verdict"), FIELDS, ids=[name for name, _ in FIELDS])
def test_every_field_of_the_sdks_has_its_verdict(name: str, verdict: str) -> None:
    assert (kind_of(name) or "harmless") == verdict
    assert marks(name) or verdict != "secret"  # the detector has a mind of its own, and knows as much


def test_the_table_is_whole() -> None:
    counts = {
        verdict: sum(1 for _, one in FIELDS if one == verdict)
        for verdict in ("secret", "weak", "access key", "harmless")
    }
    assert (len(FIELDS), counts) == (304, {"secret": 174, "weak": 6, "access key": 10, "harmless": 114})


@pytest.mark.parametrize(
    "name",
    [
        "DB_PASS",
        "rootPwd",
        "password_confirmation",
        "passwords",
        "user[password]",
        "password[0]",
        "spring.datasource.password",
        "pgpassword",
        "SECRET_KEY_BASE",
        "AWS_SECRET_ACCESS_KEY",
        "accessKeySecret",
        "client-key-data",
        "X-Amz-Security-Token",
        "X-Obs-Security-Token",
        "X-Amz-Credential",
        "Signature",
        "X-Apig-AppCode",
        "tls.key",
        "password2",
        "identitytoken",
        "hashed_password",
        ".dockerconfigjson",
        "PGPASSWORD",
        "OS-KSADM:password",
        "kubernetes.io/password",
        "private_key_pem",
        "plain_text_base64",
        "authCode",
        "smsCode",
        "Set-Cookie",
    ],
)
def test_names_of_secrets(name: str) -> None:
    assert kind_of(name) == "secret"
    assert marks(name)


@pytest.mark.parametrize(
    "name",
    [
        "bypass",
        "compass",
        "passed",
        "passenger",
        "passwordless",
        "nextToken",
        "next_page_token",
        "max_tokens",
        "total_tokens",
        "secretName",
        "kms_key_id",
        "public_key",
        "ssh_public_key",
        "error_code",
        "status_code",
        "token_url",
        "secret_arn",
        "key_name",
        "object_key",
        "primaryKey",
        "tokenizer",
        "keyboard",
        "monkey",
        "disk",
        "task",
        "asked",
        "mask",
        "author",
        "authority",
        "codec",
        "cookie_policy",
        "cookieless",
        "signature_algorithm",
        "data",
        "message",
        "code",
        "key",
    ],
)
def test_names_that_only_look_so(name: str) -> None:
    assert kind_of(name) is None
    assert not marks(name)


@pytest.mark.parametrize(
    ("name", "value", "hidden"),
    [
        ("password", "letmein", True), ("password", "true", False), ("password", "${DB_PASS}", False),
        ("password", "must be at least 8 characters", False), ("password", "correct horse battery staple", True),
        ("auth", "NONE", False), ("auth", "dTpaazchcFF3OXhUMm0=", True),
        ("client_token", "0000aaaa-1111-2222-3333-444455556666", False),
        ("client_token", "hvs.CAESIJ2b3c4d5e6f7g8h", True), ("ssh_key", "ssh-rsa AAAAB3NzaC1yc2E= me", False),
        ("forgot_password", "Forgot your password?", False), ("token", "***", False), ("secret", "urn:csms:x", False),
    ],
)  # fmt: skip
def test_the_value_has_its_say(name: str, value: str, hidden: bool) -> None:
    assert hides(name, value) is hidden


def test_numbers_of_codes_are_secrets_and_counts_are_not() -> None:
    assert [is_numeric(name) for name in ("passcode", "pin_code", "password", "token", "tokens", "error_code")] == [
        True, True, True, False, False, False,
    ]  # fmt: skip
    assert (
        Scrubber().body(b'{"passcode": 123456, "tokens": 4096, "a": 1.10}')
        == b'{"passcode": 0, "tokens": 4096, "a": 1.10}'
    )
    assert is_prose("the name of the secret")
    assert not is_prose("correct horse battery staple")


def clean(text: str) -> str:
    return Scrubber().body(text.encode()).decode()


@pytest.mark.parametrize("kind", CASES)
def test_every_notation_is_masked_and_masking_twice_changes_nothing(kind: str) -> None:
    once = clean(CASES[kind])
    assert not any(secret in once for secret in SECRETS)
    assert once != CASES[kind]
    assert clean(once) == once
    assert in_body(once.encode(), "body") == []


@pytest.mark.parametrize("kind", planted(1))
def test_every_planted_kind_is_masked_told_and_masked_once(kind: str) -> None:
    text = planted(1)[kind]
    once = clean(text)
    assert once != text
    assert not any(value in once for value in values_of(1))
    assert clean(once) == once
    assert in_body(once.encode(), "body") == []


@pytest.mark.parametrize("kind", packed(1))
def test_files_in_archives_are_cleaned_and_told(kind: str) -> None:
    body = packed(1)[kind]
    once = Scrubber().body(body)
    assert any("***" in text for text in unpacked(once))
    assert not any(value in text for text in unpacked(once) for value in values_of(1))
    assert len(unpacked(once)) == len(unpacked(body))
    assert Scrubber().body(once) == once
    assert in_body(once, "body") == []
    assert kind == "zip in JSON" or [one.place.split()[1] for one in in_body(body, "body")] == ["file"]


def test_archives_that_cannot_be_read_stay() -> None:
    zipped = packed(1)["zip"]
    for body in (zipped[:-30], zipped[:60], b"PK\x03\x04" + bytes(40), bytes(257) + b"ustar" + bytes(20)):
        assert Scrubber().body(body) == body
        in_body(body, "body")


@pytest.mark.parametrize("form", clean_answers())
def test_clean_answers_stay_and_are_not_refused(form: str) -> None:
    text = clean_answers()[form]
    assert clean(text) == text
    assert in_body(text.encode(), "body") == []


@pytest.mark.parametrize(
    ("url", "masked"),
    [
        ("https://h/account/reset-password/a8Fh3kLq9ZxV2bN7mW4r", "https://h/account/reset-password/***"),
        ("https://h/v1/apikey/a8Fh3kLq9ZxV2bN7mW4r/items?x=1", "https://h/v1/apikey/***/items?x=1"),
        ("https://h/invite/a8Fh3kLq9ZxV2bN7mW4r#x", "https://h/invite/***#x"),
        ("https://h/login/password/Zk7%21pQw9", "https://h/login/password/***"),
        ("https://h/v1/secrets/MyDbSecret2024x/versions", None),
        ("https://h/v3/auth/tokens/0123456789abcdef0123456789abcdef", None),
        ("https://h/token/0000aaaa-1111-2222-3333-444455556666/x", None),
        ("https://h/docs/reset-password/how-to-reset-2026", None),
        ("https://h/static/token/Usage2024Guide7x.html", None),
    ],
)
def test_steps_of_a_path(url: str, masked: str | None) -> None:
    assert Scrubber().url(url) == (masked or url)


@pytest.mark.parametrize(
    "text",
    [
        "Pässword: Zk7!pQw9xT2m", "pa\u0308ssword=Zk7!pQw9xT2m", "ｐａｓｓｗｏｒｄ＝Zk7!pQw9xT2m",
        "登录密码：Zk7!pQw9xT2m", "管理员密码（root）：Zk7!pQw9xT2m", "密码为：Zk7!pQw9xT2m，请及时修改",
        "API密钥: Zk7!pQw9xT2m", '{"密钥SK": "Zk7!pQw9xT2m"}',
        "пароль: Zk7!pQw9xT2m", "Paßwort: Zk7!pQw9xT2m", "mot de passe : Zk7!pQw9xT2m", "密碼：Zk7!pQw9xT2m",
        '{"motDePasse": "Zk7!pQw9xT2m"}', "<密码>Zk7!pQw9xT2m</密码>", "访问密钥ID：HABCDEFGHIJKLMNOPQRS",
    ],
)  # fmt: skip
def test_names_in_other_languages_and_letters(text: str) -> None:
    once = clean(text)
    assert "Zk7!pQw9xT2m" not in once
    assert "HABCDEFGHIJKLMNOPQRS" not in once
    assert clean(once) == once


LAYERS: dict[str, Callable[[str], str]] = {
    "percent": lambda text: quote(text, safe=""),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "JSON in JSON": lambda text: json.dumps({"a": json.dumps({"b": text})}),
    "base64 in JSON": lambda text: json.dumps({"a": base64.b64encode(text.encode()).decode()}),
    "gzip in base64": lambda text: base64.b64encode(gzip.compress(text.encode())).decode(),
    "percent in JSON in base64": lambda text: base64.b64encode(
        json.dumps({"a": quote(text, safe="")}).encode()
    ).decode(),
    "hex": lambda text: text.encode().hex(),
}


def opened(text: str, depth: int = 0) -> Iterator[str]:
    """Every layer of a text, without any code of the package."""
    from test_scrub import shows

    yield text
    if depth < 1:
        for run in re.findall(r"(?:[0-9a-f]{2}){12,}", text):
            yield bytes.fromhex(run).decode("latin-1")
    del shows


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.parametrize("kind", CASES)
def test_every_notation_in_every_layer(kind: str, layer: str) -> None:
    from test_scrub import shows

    written = clean(LAYERS[layer](CASES[kind]))
    for text in opened(written):
        assert not any(shows(text, secret) for secret in SECRETS)


@pytest.mark.parametrize("form", clean_forms())
def test_clean_forms_stay_byte_for_byte_and_are_not_refused(form: str) -> None:
    text = clean_forms()[form]
    assert clean(text) == text
    assert in_body(text.encode(), "body") == []


def test_a_value_learnt_late_is_masked_earlier_in_the_same_text() -> None:
    assert clean(f'{{"log": "used {SECRET}", "password": "{SECRET}"}}') == '{"log": "used ***", "password": "***"}'
    assert clean(f"used {SECRET}\npassword={SECRET}\n") == "used ***\npassword=***\n"


def test_layout_numbers_order_and_escapes_stay() -> None:
    text = '{ "b" : 1.10,\n\t"a":1e5 , "a": [ -0.0,12345678901234567890 ],"u":"\\u00e4\\/", "password" :  "x9!Kd82ms" }'
    assert clean(text) == text.replace("x9!Kd82ms", "***")


PASSWORDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="\"'\\<>&;,|`{}[]()*$%=:#@/?. "),
    min_size=10,
    max_size=40,
).filter(lambda text: any(map(str.isdigit, text)) and any(map(str.isalpha, text)) and not hides.__call__("x", text))
WRITTEN = st.sampled_from([
    '{{"n": 1, "adminPass": "{}"}}', "password={}&a=1", "<Password>{}</Password>", "export DB_PASS={}\n",
    "--password {} -x",
    "redis://:{}@host:6379", "X-Auth-Token: {}\r\n", "- secret_key: {}\n", "The password is: {}", "requirepass {}",
    "{{'token': '{}'}}", '\\"token\\":\\"{}\\"', "echo 'root:{}' | chpasswd",
])  # fmt: skip


@settings(max_examples=300, deadline=None, derandomize=True)
@given(PASSWORDS, WRITTEN, st.sampled_from([*LAYERS.values(), str]))
def test_no_planted_secret_survives(password: str, notation: str, layer: Callable[[str], str]) -> None:
    from test_scrub import shows

    written = clean(layer(notation.format(password)))
    assert not any(shows(text, password) for text in opened(written))


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text(max_size=200) | st.text("pasword=:\"'{}[]<>&;,|%\\/#@ \n012eyJMI-*", max_size=200))
def test_any_text_is_cleaned_once_and_for_all(text: str) -> None:
    made = Scrubber()
    once = made.text(text)
    assert made.text(once) == once
    suspicions(text, "here")


NAMES = st.sampled_from(
    ["password", "userPwd", "id", "count", "token", "tokens", "value", "name", "密码", "next_token", "x"]
)
PLAIN: Any = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=30) | PASSWORDS
VALUES: Any = PLAIN
for _ in range(3):
    VALUES = PLAIN | st.lists(VALUES, max_size=3) | st.dictionaries(NAMES, VALUES, max_size=3)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(VALUES, st.sampled_from([None, 1, 4]), st.booleans())
def test_only_texts_and_codes_of_a_document_change(document: object, indent: int | None, plain: bool) -> None:
    written = json.dumps(document, indent=indent, ensure_ascii=plain)
    once = clean(written)
    assert clean(once) == once
    if isinstance(document, (dict, list)):
        assert skeleton(once) == skeleton(written)


def skeleton(text: str) -> str:
    """A document with every text cut short, and numbers that are passwords left out: they become 0."""
    found = re.sub(r'(?i)("(?:password|userPwd)": )-?\d[\d.eE+-]*', r"\1N", text)
    return re.sub(r'"(?:[^"\\]|\\.)*"(\s*:)?', lambda one: one[0] if one[1] else '""', found)


def test_messages_ask_the_same_rule() -> None:
    url = "https://h/p?db_pwd=a&appCode=b&next_token=c&AccessKeyId=d&X-Amz-Credential=e&%70assword=f&x=g"
    masked = "https://h/p?db_pwd=***&appCode=***&next_token=c&AccessKeyId=***&X-Amz-Credential=***&%70assword=***&x=g"
    assert masked_url(url) == masked
    assert shown_text.shown_call(f"GET {url}") == f"GET {masked}"
    said = "sent x-vault-token:abc12345|host and signing-secret:abc12345, token:expired"
    assert shown_text.shown(said) == "sent x-vault-token:***|host and signing-secret:*** token:expired"


def test_half_surrogates_and_odd_bytes_raise_nothing() -> None:
    for text in ("\ud800", "password=\ud800abc", '{"password": "\ud800abc"}', "%ED%A0%80%41", "&#xd800;&quot;"):
        Scrubber().text(text)
        suspicions(text, "here")
    for body in (b"\xff\xfep\x00=\x00", b"\x78\x9c\x00", b"\x1f\x8b\x08", b"\x28\xb5\x2f\xfd", bytes(range(256))):
        Scrubber().body(body)
        in_body(body, "here")


ROOM = [import_module(module.name) for module in iter_modules(secrets.__path__, f"{secrets.__name__}.")]


def expressions() -> Iterator[tuple[str, re.Pattern[str]]]:
    for module in ROOM:
        for name, value in vars(module).items():
            for index, one in enumerate(
                value.values() if isinstance(value, dict) else value if isinstance(value, tuple) else [value]
            ):
                if isinstance(one, re.Pattern) and isinstance(one.pattern, str):
                    yield f"{module.__name__}.{name}[{index}]", one


def nested(tree: Any, inside: bool = False) -> Iterator[str]:
    """Unbounded repetitions that give characters back, inside another unbounded repetition that does."""
    for operation, argument in tree:
        name = str(operation)
        if name in ("MAX_REPEAT", "MIN_REPEAT"):
            unbounded = int(argument[1]) > 10_000
            if unbounded and inside:
                yield name
            yield from nested(argument[2], inside or unbounded)
        elif name in ("POSSESSIVE_REPEAT", "ATOMIC_GROUP"):
            yield from nested(argument[2] if name == "POSSESSIVE_REPEAT" else argument, False)
        elif name == "SUBPATTERN":
            yield from nested(argument[3], inside)
        elif name == "BRANCH":
            for branch in argument[1]:
                yield from nested(branch, inside)
        elif name in ("ASSERT", "ASSERT_NOT"):
            yield from nested(argument[1], inside)


def test_no_expression_repeats_a_repetition() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sre_parse
    found = dict(expressions())
    assert len(found) > 60
    assert [name for name, one in found.items() if list(nested(sre_parse.parse(one.pattern, one.flags)))] == []


def example(tree: Any, length: int) -> str:
    """A text that an expression follows for long: each repetition as often as there is room for."""
    found = ""
    for operation, argument in tree:
        match str(operation):
            case "LITERAL":
                found += chr(argument)
            case "NOT_LITERAL":
                found += "b" if chr(argument) == "a" else "a"
            case "ANY":
                found += "a"
            case "IN":
                found += letter_of(argument)
            case "MAX_REPEAT" | "MIN_REPEAT" | "POSSESSIVE_REPEAT":
                one = example(argument[2], length)
                most = min(int(argument[1]), length // max(len(one), 1))
                found += one * max(int(argument[0]), most)
            case "SUBPATTERN":
                found += example(argument[3], length)
            case "ATOMIC_GROUP":
                found += example(argument, length)
            case "BRANCH":
                found += example(argument[1][-1], length)
    return found[: 4 * length]


def letter_of(members: list[tuple[object, Any]]) -> str:
    """A letter that a class of letters has."""
    from re import compile as made

    for letter in "a1A -/=:\"'\n\t.é":
        for operation, argument in members:
            match str(operation):
                case "LITERAL" if chr(argument) == letter:
                    return letter
                case "RANGE" if argument[0] <= ord(letter) <= argument[1]:
                    return letter
                case "CATEGORY":
                    kind = {"DIGIT": r"\d", "SPACE": r"\s", "WORD": r"\w"}[str(argument).rpartition("_")[2]]
                    if (made(kind).match(letter) is None) == ("NOT" in str(argument)):
                        return letter
                case "NEGATE" if made("[ -~]").match(letter):
                    return "a"
    first = members[0]
    return (
        chr(first[1] if str(first[0]) == "LITERAL" else first[1][0]) if str(first[0]) in ("LITERAL", "RANGE") else "a"
    )


def test_each_expression_takes_linear_time_for_its_own_worst_case() -> None:
    """Its own example without the end, so that it has to give up, again and again; four times as much of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        import sre_parse
    slow = []
    for name, one in expressions():
        seed = example(sre_parse.parse(one.pattern, one.flags), 250)
        text = (seed[:-1] + "\x00" + seed[:3]) * (20_000 // (len(seed) + 3) + 1)
        if all(spent_on(one, text[:20_000]) > max(spent_on(one, text[:5_000]), 0.01) * 12 for _ in range(5)):
            slow.append(name)
    assert slow == []


def spent_on(pattern: re.Pattern[str], text: str) -> float:
    begun = time.process_time()
    for _ in pattern.finditer(text):
        pass
    return time.process_time() - begun


SMALL, LARGE = 15_000, 60_000
HARD = list(worst_cases(1000))


def spent(body: bytes, work: Callable[[bytes], object]) -> float:
    """Seconds of this process, the better of two tries."""
    tries = []
    for _ in range(2):
        encodings.spellings.cache_clear()  # which is large enough for the small body only
        begun = time.process_time()
        work(body)
        tries.append(time.process_time() - begun)
    return min(tries)


@pytest.mark.parametrize("kind", HARD)
def test_the_time_is_linear_in_the_size(kind: str) -> None:
    """Four times the text takes four times as long, not sixteen times; tiny times say nothing."""
    small, large = worst_cases(SMALL)[kind].encode(), worst_cases(LARGE)[kind].encode()
    for work in (lambda body: Scrubber().body(body), lambda body: in_body(body, "body")):
        most = (len(large) / len(small)) * 2.5
        assert any(spent(large, work) < max(spent(small, work), 0.02) * most for _ in range(5))  # another may be busy


# What chance writes into a picture or an archive: a step that ends in Ak, /bot, the first letters of a key.
LOOKS = [
    "/sbmHAk/3w43qn0bWvDlLsJVqQU1hi+",
    "/BotgJtlbUdYLOJDCqv5nDEyjKNoyQ5Kog5lyZt5nJst+",
    "/myToken/a8Fh3kLq9ZxV2bN7mW4r/",
]


@pytest.mark.parametrize("look", [*LOOKS, "_MIIB0WpdOcZ"])
def test_base64_of_random_bytes_is_no_secret(look: str) -> None:
    random = Random(look)
    encode = base64.urlsafe_b64encode if look.startswith("_") else base64.b64encode
    long = "".join(encode(random.randbytes(900)).decode() + look for _ in range(6))
    lines = "\n".join(long[at : at + 76] for at in range(0, len(long), 76))
    wrapped = (lines, lines + "\n", json.dumps({"file": lines})) if encode is base64.b64encode else ()
    for text in (long, f'{{"image": "{long}"}}', *wrapped):
        body = text.encode()
        assert Scrubber().body(body) == body
        assert list(in_body(body, "body")) == []
