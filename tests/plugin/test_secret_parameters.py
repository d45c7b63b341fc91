"""A secret among the parameters of a test is in no report, no cache and no name of a file."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

ENVIRONMENT = "Env-5ecret+0123456789/abcdefghijklmnop"
PASSWORD, OTHER = "Zk7!pQw9xT2m", "Gänse-Füße#2031"
TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJvbGdhIn0.dozjgNryP4J3jVmNHl0w5N"

SOURCE = f"""
import os
import pytest

@pytest.mark.parametrize("password", [{PASSWORD!r}, {OTHER!r}, "letmein", "${{PASSWORD}}"])
def test_log_in(hwcloud, password):
    assert hwcloud.credentials().sk == password

@pytest.mark.parametrize("header", [{TOKEN!r}], ids=["Bearer {TOKEN}"])
@pytest.mark.requires_permission("ecs:cloudServers:list")
def test_form(hwcloud, hwcloud_session, header):
    hwcloud_session.get(hwcloud.url("ecs", "/v1/{{project_id}}/cloudservers/detail"), headers={{"x-note": header}})

@pytest.mark.parametrize("key", [os.environ["HW_SECRET_KEY"]])
@pytest.mark.parametrize("word", ["NUMBER", "2026-01-01"])
def test_of_no_cloud(key, word):
    assert len(key) == 1

@pytest.fixture(scope="module", params=[{PASSWORD!r}])
def admin_password(request, hwcloud_session):
    return request.param

def test_fixture(admin_password):
    assert not admin_password

class TestGroup:
    @pytest.mark.parametrize("token", [{TOKEN!r}])
    def test_in_class(self, hwcloud, token):
        assert token == 1
"""
NAMES = [
    "test_log_in[password0]", "test_log_in[password1]", "test_log_in[letmein]", "test_log_in[${PASSWORD}]",
    "test_form[Bearer header0]", "test_of_no_cloud[NUMBER-key0]", "test_of_no_cloud[2026-01-01-key",
    "test_fixture[admin_password0]", "TestGroup::test_in_class[token0]",
]  # fmt: skip
REPORTS = ("json", "sarif", "html", "md")


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("HW_SECRET_KEY", ENVIRONMENT)
    pytester.makeini("[pytest]\njunit_logging = all")
    return pytester


def leaks(folder: Path, shown: str) -> list[tuple[str, str]]:
    files = {str(file.relative_to(folder)): file.read_text(errors="replace") for file in folder.rglob("*.*")
             if file.is_file() and file.suffix not in (".py", ".pyc")}  # fmt: skip
    files |= {f"cache {file.name}": file.read_text() for file in folder.glob(".pytest_cache/v/cache/*")}
    texts = {**files, "the terminal": shown, "names of files": "\n".join(files)}
    secrets = (PASSWORD, OTHER, OTHER.encode("unicode_escape").decode(), TOKEN, ENVIRONMENT)
    return [(name, secret) for name, text in texts.items() for secret in secrets if secret in text]


@pytest.mark.parametrize(
    "distributed", [(), pytest.param(("-p", "xdist", "-n", "2"), marks=pytest.mark.extended)], ids=["serial", "xdist"]
)
def test_no_channel_has_a_secret_parameter(suite: pytest.Pytester, distributed: tuple[str, ...]) -> None:
    suite.makepyfile(test_it=SOURCE)
    reports = [f"--hwcloud-report={kind}:report.{kind}" for kind in REPORTS]
    run = suite.runpytest_subprocess if distributed else suite.runpytest_inprocess
    result = run(
        "-p", "hwcloud", "-vrA", "--junitxml=junit.xml", "--hwcloud-permissions=report", *reports, *distributed
    )
    shown = result.stdout.str() + result.stderr.str()
    assert leaks(suite.path, shown) == []
    assert all(name in shown for name in NAMES)
    assert "test_log_in[password0]" in (suite.path / "junit.xml").read_text()
    failed = json.loads((suite.path / ".pytest_cache/v/cache/lastfailed").read_text())
    assert "test_it.py::test_log_in[password0]" in failed


def test_the_new_name_selects_the_test(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_it=SOURCE)
    result = suite.runpytest_inprocess("-p", "hwcloud", "test_it.py::test_log_in[password1]", "--collect-only", "-q")
    assert "test_it.py::test_log_in[password1]" in result.stdout.str()
    assert "1 test collected" in result.stdout.str()
    again = suite.runpytest_inprocess("-p", "hwcloud", "-k", "password0 and test_log_in", "--collect-only", "-q")
    assert "test_it.py::test_log_in[password0]" in again.stdout.str()


def test_an_internal_error_shows_no_key(suite: pytest.Pytester) -> None:
    suite.makeconftest(
        "import os\ndef pytest_runtest_logfinish():\n    raise RuntimeError('broken ' + os.environ['HW_SECRET_KEY'])"
    )
    suite.makepyfile(test_it="def test_cloud(hwcloud): pass")
    result = suite.runpytest_inprocess("-p", "hwcloud")
    shown = result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR> RuntimeError: broken ***" in shown
    assert leaks(suite.path, shown) == []
