"""A scratch project whose tests fail next to a secret."""

from __future__ import annotations

from pathlib import Path

import pytest

CONFTEST = """
import base64
import pytest

LONG = "MIIP" + base64.b64encode(bytes(range(256)) * 4).decode()

@pytest.fixture
def sk(hwcloud):
    return hwcloud.credentials().sk

@pytest.fixture
def token(hwcloud, request):
    token = hwcloud.token()
    (request.config.rootpath / f"token-{request.node.name}.txt").write_text(token.value)
    return token

@pytest.fixture
def get(hwcloud):
    session = hwcloud.session()
    url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
    with hwcloud.deny("ecs:cloudServers:list"):
        yield lambda **more: session.get(url, **more)
"""

LEAKS = """
import json, logging, os
from urllib.parse import quote
import pytest
import requests
from conftest import LONG

def test_argument(sk):
    assert not sk

def test_compared(sk):
    assert sk == "expected"

def test_message(sk):
    assert False, f"signed with {sk}"

def test_header(token):
    request = requests.Request("GET", "https://ecs.cn-north-4.myhuaweicloud.com/", auth=token).prepare()
    assert request.headers == {}

def test_printed(sk, token):
    print("key", sk, "token", token.value)
    assert 0

def test_logged(sk, caplog):
    logging.getLogger("app").warning("key %s", sk)
    logging.getLogger("app").error(json.dumps({"sk": sk + '"'}))
    assert 0

def test_failed_by_hand(token):
    pytest.fail("token is " + token.value)

def test_exception(sk):
    raise ValueError({"url": "https://host/?sk=" + quote(sk + "/+", safe="")})

def test_cut(token):
    headers = {"Content-Type": "application/json", "X-Auth-Token": token.value, "padding": "x" * 150}
    assert headers == {"Content-Type": "application/json"}

def test_foreign_token(get):
    answer = get(headers={"X-Auth-Token": LONG}, auth=lambda request: request)
    assert answer.ok, answer.request.headers

def test_environment():
    key = os.environ["HW_SECRET_KEY"]
    assert key is None

def test_subtests(subtests, sk):
    with subtests.test("printing", key=sk):
        print("in a subtest", sk)
        assert 0

def test_encoded_message():
    from huaweicloudsdkcore.exceptions.exceptions import ClientRequestException, SdkError
    raise ClientRequestException(403, SdkError("1", "PAP5.0001", "access denied", "XXX0aB3x" + "Yz" * 12 + "=="))

def test_property(record_property, sk):
    record_property("key", sk)
    assert 0

@pytest.fixture
def broken(sk):
    print(sk)
    yield
    raise RuntimeError(sk)

def test_teardown(broken):
    pass
"""

ENVIRONMENT = "env-secret-0123456789-abcdefghijklmnop"
ENCODED = "XXX0aB3x" + "Yz" * 12 + "=="


def secrets(folder: Path) -> list[str]:
    """Every secret that the inner run knew."""
    from urllib.parse import quote

    from pytest_hwcloud.cloud.identity import replay_secret_key

    sk, tokens = replay_secret_key("default"), [file.read_text() for file in folder.glob("token-*.txt")]
    assert tokens
    namespace: dict[str, str] = {}
    exec("import base64\n" + CONFTEST.split("\n\n")[1], namespace)  # the long token
    return [sk, quote(sk, safe=""), ENVIRONMENT, ENCODED, namespace["LONG"], *tokens]


def leaked(secret: str, text: str) -> list[str]:
    """Pieces of a secret that a text shows, the prefix aside that all invented ones have."""
    pieces = [secret[at : at + 16] for at in range(len(secret) - 15)]
    return [piece for piece in pieces if piece in text and "hwctest" not in piece]


def write_leaks(pytester: pytest.Pytester, *, conftest: str = "") -> None:
    """The test file, the conftest that it needs (and more), and an ini that puts all output into JUnit."""
    pytester.makeini("[pytest]\njunit_logging = all\njunit_family = xunit1")
    pytester.makeconftest(CONFTEST + conftest)
    pytester.makepyfile(test_leaks=LEAKS)


def shows_none(folder: Path, *texts: str) -> None:
    """Every text was masked, and shows no piece of a secret."""
    for shown in texts:
        assert "***" in shown
        assert [leaked(secret, shown) for secret in secrets(folder) if leaked(secret, shown)] == []
