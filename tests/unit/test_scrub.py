"""Nothing secret is left of 20 kinds of secrets, in 6 encodings, in every place that a request or an answer has."""

from __future__ import annotations

import base64
import gzip
import html
import json
import random
import re
from collections.abc import Callable
from datetime import UTC, datetime
from urllib.parse import quote, unquote

import pytest

from pytest_hwcloud.cassettes.rendering import Entry, render
from pytest_hwcloud.cassettes.scan import inspect
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.secrets.encodings import spellings
from pytest_hwcloud.secrets.scrubber import Scrubber
from pytest_hwcloud.secrets.shapes import invented_access_key

_RSA = "\n".join(
    (
        "-----BEGIN RSA PRIVATE KEY-----",
        "MIIBOgIBAAJBAKj34GkxFhD90vcNLYLInFEX6Ppy1tPf9Cnzj4p4WGeKLs1Pt8Qu",
        "-----END RSA PRIVATE KEY-----",
    )
)
# kind → the member (or header) that it comes under, and the value; all made up.
SECRETS: dict[str, tuple[str, str]] = {
    "password": ("password", 'P4ss/w0rd+of "olga" & co'),
    "admin password": ("adminPass", "Adm1n!Pass#2024"),
    "secret key": ("secret", "hJ3kL9mN2pQ7rS5tU1vW8xY4zA6bC0dE3fG5hI7j"),
    "IAM token": (
        "token",
        "MIIEdwYJKoZIhvcNAQcCoIIEaDCCBGQCAQExDTALBglghkgBZQMEAgEwggKJBgkqhkiG9w0BBwGgggJ6BIICdnsidG9r",
    ),
    "security token": ("security_token", "gQpjbi1ub3J0aC00TJ8kQ2vR7xW3zB5nM9cD1fH6jL0p"),
    "private key": ("private_key", _RSA),
    "user data": ("user_data", "IyEvYmluL2Jhc2gKZWNobyByb290OlIwMHRwdyB8IGNocGFzc3dk"),
    "authorization message": ("encoded_authorization_message", "XHYsEikSDeeCT9GLL5BNHsHhy7SzmYvV1xw0qfS3vKk"),
    "web token": ("id_token", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvbGdhIn0.dozjgNryP4J3jVmNHl0w5N_XgL0n3I9P"),
    "keystone token": ("auth_token", "gAAAAABk3xYz0Q7w9r8T6y5U4i3O2p1A0s9D8f7G6h5J4k3L2z1X0c9V8b7N6m5"),
    "api key": ("api_key", "ak_live_4f9G2hJ7kL0pQ3sT6vX9zB1nM5"),
    "client secret": ("client_secret", "cs~8Q2w.E4r6T8y0U1i3O5p7A9s2D4f6G8h"),
    "database password": ("db_user_pwd_password", "Db!9xQ#7vL2pW"),
    "passcode": ("passcode", "84629371055"),
    "kubeconfig key": ("client-key-data", "LS0tLS1CRUdJTiBLRVktLS0tLQpxd2VydHkxMjM0NTY3ODkw"),
    "secret string": ("secret_string", '{"user":"root","pin":"Zx9-Cv8-Bn7-Qw6"}'),
    "data key": ("plain_text", "7549d9aea901767bf3c0b3e14b10722eaf6f59053bbd82045d04e075e809a0fe"),
    "cookie": ("Cookie", "session=Kx8Rt2Wq9Zp4Lm7N"),
    "captcha": ("verification_code", "Q8Z7-X6C5-V4B3"),
    "refresh token": ("refresh_token", "rt-9f8e7d6c5b4a39281706f5e4d3c2b1a0"),
}
ENCODINGS: dict[str, Callable[[str], str]] = {
    "plain": str,
    "percent": lambda text: quote(text, safe=""),
    "percent twice": lambda text: quote(quote(text, safe=""), safe=""),
    "JSON": lambda text: "".join(f"\\u{ord(letter):04x}" for letter in text),
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "JSON in JSON": lambda text: json.dumps(json.dumps(text)[1:-1])[1:-1],
}
assert len(SECRETS) == 20
assert len(ENCODINGS) == 6


def places(name: str, written: str, value: str) -> dict[str, tuple[Request, Answer]]:
    """One exchange a place, the secret in that place under its own name."""
    url, ok = (
        "https://ecs.cn-north-4.myhuaweicloud.com/v1/p/x",
        Answer(200, {"Content-Type": "application/json"}, b"{}"),
    )
    get = Request("GET", url)
    in_url = quote(written, safe="%")
    # A text inside JSON carries its own escapes; "JSON" and "JSON in JSON" are written as they are.
    literal = written if written != value else json.dumps(value)[1:-1]
    document = f'{{"list": [{{"{name}": "{literal}", "kept": 1}}]}}'.encode()
    form = f"kept=1&{name}={quote(written, safe='%')}".encode()
    xml = (
        f"<Answer><{name}>{written.replace('&', '&amp;').replace('<', '&lt;')}</{name}><kept>1</kept></Answer>".encode()
    )
    pair = f'{{"tags": [{{"key": "{name}", "value": "{literal}"}}]}}'.encode()
    nested = json.dumps({"message": f'{{"{name}": "{literal}"}}'}).encode()
    return {
        "query": (Request("GET", f"{url}?kept=1&{name}={in_url}"), ok),
        "request header": (Request("GET", url, {name.lower(): written, f"x-{name}": written}), ok),
        "request body": (Request("POST", url, {}, document), ok),
        "request form": (Request("POST", url, {"content-type": "application/x-www-form-urlencoded"}, form), ok),
        "request XML": (Request("POST", url, {}, xml), ok),
        "request gzip": (Request("POST", url, {}, gzip.compress(document)), ok),
        "answer header": (get, Answer(200, {name: written}, b"{}")),
        "answer body": (get, Answer(200, {}, document)),
        "answer pairs": (get, Answer(200, {}, pair)),
        "answer in a text": (get, Answer(200, {}, nested)),
        "answer XML": (get, Answer(200, {}, xml)),
        "answer gzip": (get, Answer(200, {}, gzip.compress(document))),
        "location": (get, Answer(302, {"Location": f"{url}?{name}={in_url}"}, b"")),
    }


def written_down(scrubber: Scrubber, request: Request, answer: Answer) -> str | None:
    """What lands in the file; None if the detector refuses to write it."""
    entry = Entry(
        request=scrubber.request(request),
        answer=scrubber.answer(answer),
        recorded_at=datetime(2026, 1, 1, tzinfo=UTC),
    )
    return None if inspect(entry, list(scrubber.swaps.secrets)) else render(entry)


def shows(text: str, value: str) -> bool:
    """Whether the text gives the value away, in any encoding, looked for without any code of the package."""
    layers, seen = [text], set()
    for _ in range(4):
        grown = []
        for layer in layers:
            grown += [unquote(layer), html.unescape(layer)]
            grown.append(
                re.sub(r"\\u([0-9a-f]{4})", lambda m: chr(int(m[1], 16)), layer)
                .replace('\\"', '"')
                .replace("\\\\", "\\")
                .replace("\\n", "\n")
            )
            for run in re.findall(r"[A-Za-z0-9+/]{12,}={0,2}", layer):
                try:
                    raw = base64.b64decode(run + "=" * (-len(run) % 4))
                    raw = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
                    grown.append(raw.decode())
                except (ValueError, OSError, EOFError):
                    continue
        layers = [layer for layer in dict.fromkeys(grown) if layer not in seen]
        seen.update(layers)
    return any(value in layer for layer in {text, *seen})


@pytest.mark.parametrize("kind", SECRETS)
@pytest.mark.parametrize("encoding", ENCODINGS)
def test_no_secret_in_any_place(kind: str, encoding: str) -> None:
    name, value = SECRETS[kind]
    written = ENCODINGS[encoding](value)
    leaks = []
    for place, (request, answer) in places(name, written, value).items():
        text = written_down(Scrubber(), request, answer)
        assert text is not None  # the scrubber alone took it out; the detector had nothing to refuse
        if shows(text, value):
            leaks.append(place)
    assert leaks == []


@pytest.mark.parametrize("kind", SECRETS)
def test_a_known_secret_is_hidden_under_any_name(kind: str) -> None:
    _, value = SECRETS[kind]
    scrubber = Scrubber()
    scrubber.swaps.hide(value)
    for encode in ENCODINGS.values():
        for request, answer in places("remark", encode(value), value).values():
            text = written_down(scrubber, request, answer)
            assert text is None or not shows(text, value)
            assert text is None or not any(one in text for one in spellings(value))


def test_what_is_no_secret_stays_byte_for_byte() -> None:
    body = (
        b'{"count":1.10, "next_token_count": 3,\n "password_expires_at": "2027-01-01", "key_name": "web",'
        b'"id":"0000aaaa-1111-2222-3333-444455556666","marker":"Basic plan","public_key":"ssh-rsa AAAAB3NzaC1yc2E= me",'
        b'"cert":"-----BEGIN CERTIFICATE-----\\nMIIDdzCCAl+gAwIBAgIEAgAAuTANBgkqhkiG9w0BAQUFADBaMQswCQYDVQQGEwJJRTES\\n'
        b'-----END CERTIFICATE-----","uuid":"05041fffa40025702f6dc009cc6f8f33","secret_name":"x","enabled":true}'
    )
    assert Scrubber().body(body) == body
    url = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/x?limit=1&name=%E4%BA%91+a%2Fb"
    assert Scrubber().url(url) == url


def test_seen_once_gone_everywhere() -> None:
    scrubber = Scrubber()
    scrubber.answer(Answer(200, {}, b'{"adminPass": "Xk9-Lm3!qR"}'))
    assert scrubber.text("log: root / Xk9-Lm3!qR") == "log: root / ***"
    assert scrubber.body(base64.b64encode(b"root:Xk9-Lm3!qR")) == base64.b64encode(b"root:***")


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        ("GET|/v3/|host:iam.x|x-security-token:AbCdEf|host", "GET|/v3/|host:iam.x|x-security-token:***|host"),
        ("https://olga:s3cr3tpw@obs.x/y", "https://***@obs.x/y"),
        ("Authorization: Basic b2xnYTpzM2NyM3Q=", "Authorization: Basic ***"),
        ("ak QXJ7RT2VNE9LQ4ZK8WDP not exist", "ak HWCTEST2D7A2CF6A1FF3 not exist"),
        ("ak xxxxxx not exist", "ak xxxxxx not exist"),
        ("Invalid password: must contain a digit", "Invalid password: must contain a digit"),
        ('{"next_token": "abc"}', '{"next_token": "abc"}'),
        ('{"password": ""}', '{"password": ""}'),
        ('{"token": {"id": "abcdefgh"}}', '{"token": {"id": "***"}}'),
        ('{"passcode": 123456}', '{"passcode": 0}'),
        ('say \\"password\\": \\"he\\\\\\"llo\\" twice', 'say \\"password\\": \\"***\\" twice'),
    ],
)  # fmt: skip
def test_texts(text: str, clean: str) -> None:
    stand_in = invented_access_key("QXJ7RT2VNE9LQ4ZK8WDP")
    assert Scrubber().text(text) == clean.replace("HWCTEST2D7A2CF6A1FF3", stand_in)


def test_binary_bodies_stay_whole() -> None:
    body = bytes(range(256)) * 4
    assert Scrubber().body(body) == body
    assert Scrubber().body(b"\x1f\x8bnot gzip at all\xff") == b"\x1f\x8bnot gzip at all\xff"


@pytest.mark.parametrize("name", [b"sk=", b"SK: ", b'Sk:"', b"pwd=", b"token: "])
def test_what_chance_writes_in_a_binary_body_stays(name: bytes) -> None:
    chance = random.Random(name)
    for _ in range(20):
        before, after = chance.randbytes(2000), chance.randbytes(2000)
        body = before + name + after[:3] + b"\x80\x00" + after
        scrubber = Scrubber()
        assert scrubber.body(body, "application/octet-stream") == body
        assert not scrubber.swaps.secrets


def test_secrets_in_a_binary_body_do_not_stay() -> None:
    chance = random.Random(1)
    before, after = chance.randbytes(2000), b"\x00" + chance.randbytes(2000)
    texts = ["password=Grün-12345!", "\n[db]\nsk: hunter2-hunter2\n", "url=https://me:hunter2x@h/", "密码：hunter2x 完"]
    for text in texts:
        clean = Scrubber().body(before + b"\x00" + text.encode() + after)
        assert clean == before + b"\x00" + Scrubber().text(text).encode() + after
        assert b"***" in clean
    known = Scrubber()
    known.swaps.hide("short-1")
    assert b"short-1" not in known.body(before + b"\x00short-1" + after)


@pytest.mark.parametrize("encoding", ["latin-1", "gb18030", "utf-8"])
def test_a_text_in_another_encoding_is_cleaned_whole(encoding: str) -> None:
    body = "user=müller\npassword=Grün-über-12345\nport=1\n".encode(encoding)
    assert Scrubber().body(body) == "user=müller\npassword=***\nport=1\n".encode(encoding)


def test_a_bomb_of_layers_ends() -> None:
    text = '{"password": "deep secret 1"}'
    for _ in range(12):
        text = json.dumps({"inner": text})
    assert "inner" in Scrubber().text(text)
    assert Scrubber().text("[" * 5000) == "[" * 5000


def test_scrubbing_twice_changes_nothing() -> None:
    for name, value in SECRETS.values():
        for request, answer in places(name, value, value).values():
            scrubber = Scrubber()
            once = scrubber.request(request), scrubber.answer(answer)
            assert (scrubber.request(once[0]), scrubber.answer(once[1])) == once
