"""Tests that fail next to a secret show none of it: in no mode of pytest's output, not under xdist and not in JUnit."""

from __future__ import annotations

from collections.abc import Sequence
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


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    for name in ("CI", "BUILD_NUMBER"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p hwcloud -p xdist -p no:cacheprovider --junitxml=junit.xml")
    monkeypatch.setenv("HW_SECRET_KEY", ENVIRONMENT)
    pytester.makeini("[pytest]\njunit_logging = all\njunit_family = xunit1")
    pytester.makeconftest(CONFTEST)
    pytester.makepyfile(test_leaks=LEAKS)
    return pytester


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


MODES: list[tuple[str, ...]] = [(), ("--showlocals",), ("--tb=native",), ("-vv",), ("-rA",), ("-n2", "--showlocals")]


@pytest.mark.parametrize("options", MODES, ids=lambda options: " ".join(options) or "default")
def test_no_secret_is_shown(suite: pytest.Pytester, options: Sequence[str]) -> None:
    run = suite.runpytest_subprocess if "-n2" in options else suite.runpytest_inprocess
    result = run(*options)
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    counts = result.parseoutcomes()
    assert counts["failed"] == LEAKS.count("def test_")  # test_teardown is an error, test_subtests fails twice
    assert counts["errors"] == 1
    junit = (suite.path / "junit.xml").read_text()
    for shown in (result.stdout.str(), junit):
        assert "***" in shown
        assert [leaked(secret, shown) for secret in secrets(suite.path) if leaked(secret, shown)] == []


def test_the_same_tests_leak_without_the_plugins_redaction(suite: pytest.Pytester) -> None:
    """So that the test above cannot pass because nothing would have been shown anyway."""
    suite.makepyfile(
        unredacted="""
        def pytest_plugin_registered(plugin, manager):
            if manager.get_name(plugin) == "hwcloud-redaction":
                manager.unregister(plugin)
        """
    )
    suite.syspathinsert()
    result = suite.runpytest_inprocess("-p", "unredacted", "--showlocals")
    shown = result.stdout.str()
    assert all(leaked(secret, shown) for secret in secrets(suite.path) if "%" not in secret)
