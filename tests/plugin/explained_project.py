"""A scratch project: thirteen tests that fail because of the cloud, and two that fail for reasons of their own."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest

CONFTEST = """
import pytest

@pytest.fixture
def session(hwcloud):
    with hwcloud.deny("ecs:cloudServers:list"):
        yield hwcloud.session()

@pytest.fixture
def url(hwcloud):
    return hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
"""

KINDS = """
import pytest

def fetch(session, url):
    response = session.get(url)
    response.raise_for_status()
    return response.json()

def sdk_client(hwcloud):
    from huaweicloudsdkcore.auth.credentials import BasicCredentials
    from huaweicloudsdkcore.client import Client, ClientBuilder
    keys = BasicCredentials(hwcloud.credentials().ak, hwcloud.credentials().sk, hwcloud.credentials().project_id)
    return ClientBuilder(Client).with_credentials(keys).with_endpoints([hwcloud.url("ecs", "")]).build()

def test_status(session, url):
    response = session.get(url)
    assert response.status_code == 200

def test_unbound_status(session, url):
    assert session.get(url).status_code == 200

def test_status_among(session, url):
    response = session.get(url)
    assert response.status_code in (200, 202)

def test_ok(session, url):
    response = session.get(url)
    assert response.ok

def test_truth(session, url):
    response = session.get(url)
    assert response

def test_raise_for_status(session, url):
    session.get(url).raise_for_status()

def test_helper(session, url):
    assert fetch(session, url)["count"] == 8

def test_key_in_body(session, url):
    response = session.get(url)
    assert "servers" in response.json()

def test_key_error(session, url):
    assert len(session.get(url).json()["servers"]) == 8

def test_dns(hwcloud, url):
    hwcloud.session().get(url)

def test_sdk(session, hwcloud):
    sdk_client(hwcloud).do_http_request("GET", "/v1/{project_id}/cloudservers/detail", header_params={})

@pytest.fixture
def servers(session, url):
    response = session.get(url)
    assert response.status_code == 200
    return response.json()["servers"]

def test_fixture(servers):
    assert servers

def test_subtests(subtests, session, url):
    with subtests.test("listing"):
        assert session.get(url).status_code == 200
"""

TRAPS = """
def test_unrelated(session, url):
    assert 1 == 2

def test_unrelated_after_expected_denial(session, url):
    response = session.get(url)
    assert response.status_code == 403
    assert 1 == 2
"""

DNS = """
version: 1
interactions:
- request:
    method: GET
    uri: https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail
    body: null
    headers: {}
  fault: dns
"""

KIND_NAMES = re.findall(r"def (test_\w+)", KINDS)
TRAP_NAMES = re.findall(r"def (test_\w+)", TRAPS)
FIRST = "hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs"
NO_ANSWER = "hwcloud: no answer at network: name not resolved (ecs.cn-north-4.myhuaweicloud.com)"


def write_project(pytester: pytest.Pytester) -> None:
    """The test file, its conftest and the cassette of the name that does not resolve."""
    pytester.makeconftest(CONFTEST)
    write_tests(pytester)


def write_tests(pytester: pytest.Pytester) -> None:
    """The same without the conftest."""
    pytester.makepyfile(test_suite=KINDS + TRAPS)
    cassette = pytester.path / "cassettes" / "test_suite" / "test_dns.yaml"
    cassette.parent.mkdir(parents=True)
    cassette.write_text(DNS)


def report_of(result: pytest.RunResult) -> str:
    """The failures themselves: without the summaries below them."""
    return result.stdout.str().partition("= hwcloud: why tests failed")[0]


def explained(text: str) -> int:
    return text.count(FIRST) + text.count(NO_ANSWER)


def sections(text: str) -> dict[str, str]:
    """The sections of the report by name of the test."""
    parts = re.split(r"^_{3,} (.+) _{3,}$", text, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def innocent(found: dict[str, str]) -> bool:
    return not any(re.search(r"hwcloud: (refused|no answer)", found[name]) for name in TRAP_NAMES)


def junit(path: Path) -> dict[str, tuple[list[str], dict[str, str]]]:
    """Messages and properties of each test case."""
    cases: dict[str, tuple[list[str], dict[str, str]]] = {}
    for case in ElementTree.parse(path).iter("testcase"):
        messages = [item.get("message", "") for tag in ("failure", "error") for item in case.iter(tag)]
        properties = {item.get("name", ""): item.get("value", "") for item in case.iter("property")}
        known, more = cases.setdefault(case.get("name", ""), ([], {}))
        known.extend(messages)
        more.update(properties)
    return cases
