"""The ways around the reports by which pytest shows values: warnings, logs, JUnit, xfail, collection, xdist."""

from __future__ import annotations

import pytest
from leaking_project import leaked

from pytest_hwcloud.cloud.identity import replay_secret_key

ENVIRONMENT = "Env-5ecret+0123456789/abcdefghijklmnop"
OTHERS = "tok_Zx81qVw9Lm2Nb4Kj7"
PASSWORD = "Ans-wered!Pa55word-of-a-call"
SK = replay_secret_key("default")

SOURCE = """
import logging, threading, warnings
import pytest

PASSWORD = "Ans-wered!Pa55word-" + "of-a-call"

@pytest.fixture
def sk(hwcloud):
    return hwcloud.credentials().sk

def test_warns(sk):
    warnings.warn(f"used {sk}")

class OwnWarning(UserWarning):
    def __init__(self, key, more):
        super().__init__(key, more)
        self.key = key
    def __str__(self):
        return f"own {self.key}"

def test_warns_with_a_class_of_its_own(sk):
    warnings.warn(OwnWarning(sk, 2))

@pytest.mark.filterwarnings("default::pytest.PytestUnhandledThreadExceptionWarning")
def test_thread(sk):
    def fails():
        raise RuntimeError(f"in a thread {sk}")
    thread = threading.Thread(target=fails)
    thread.start()
    thread.join()

@pytest.mark.filterwarnings("default::pytest.PytestUnraisableExceptionWarning")
def test_unraisable(sk):
    class Broken:
        def __del__(self):
            raise RuntimeError(f"in a destructor {sk}")
    Broken()

def test_xfail(sk):
    pytest.xfail(reason=f"known with {sk}")

@pytest.mark.xfail(reason="of a mark")
def test_xfail_that_fails(sk):
    assert sk == 1

def test_skips(sk):
    pytest.skip(f"skipped with {sk}")

def test_logs(sk):
    logging.getLogger("app").warning("key %s", sk)

def test_property_of_the_suite(record_testsuite_property, sk):
    record_testsuite_property("key", sk)

@pytest.mark.filterwarnings("ignore:record_xml_attribute")
def test_attribute(record_xml_attribute, sk):
    record_xml_attribute("key", sk)

def test_what_was_sent(hwcloud):
    try:
        hwcloud.session().post(
            hwcloud.url("ecs", "/v1/{project_id}/cloudservers"), json={"server": {"adminPass": PASSWORD}}
        )
    except Exception:
        pass
    print("was sent", PASSWORD)
    assert 0
"""

OPTIONS = ("-rA", "--junitxml=junit.xml", "--log-file=run.log", "-p", "no:cacheprovider")


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> pytest.Pytester:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    monkeypatch.setenv("PYTEST_ADDOPTS", "-p hwcloud")
    monkeypatch.setenv("HW_SECRET_KEY", ENVIRONMENT)
    monkeypatch.setenv("CI_DEPLOY_TOKEN", OTHERS)
    pytester.makeini("[pytest]\njunit_logging = all\njunit_family = xunit1")
    return pytester


def shows_none(pytester: pytest.Pytester, shown: str) -> None:
    files = [file.read_text(errors="replace") for file in pytester.path.iterdir() if file.suffix in (".xml", ".log")]
    assert "***" in shown
    for secret in (SK, ENVIRONMENT, OTHERS, PASSWORD):
        assert [leaked(secret, text) for text in (shown, *files) if leaked(secret, text)] == []


@pytest.mark.parametrize("distributed", [(), ("-p", "xdist", "-n", "2")], ids=["serial", "xdist"])
def test_no_channel_shows_a_secret(suite: pytest.Pytester, distributed: tuple[str, ...]) -> None:
    suite.makepyfile(test_it=SOURCE)
    result = suite.runpytest_subprocess(*OPTIONS, *distributed)
    counts = result.parseoutcomes()
    assert (counts["failed"], counts["xfailed"], counts["skipped"]) == (1, 2, 1)
    shown = result.stdout.str() + result.stderr.str()
    for told in ("used ***", "own ***", "in a thread ***", "in a destructor ***", "known with ***", "skipped with ***"):
        assert told in shown
    shows_none(suite, shown)
    junit = (suite.path / "junit.xml").read_text()
    if not distributed:
        assert '<property name="key" value="***" />' in junit
        assert 'key="***"' in junit
        assert "key ***" in (suite.path / "run.log").read_text()


def test_lines_of_a_live_log_are_masked(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_it=SOURCE)
    result = suite.runpytest_subprocess("-o", "log_cli=true", "-k", "test_logs")
    result.stdout.fnmatch_lines(["*key ****"])
    shows_none(suite, result.stdout.str())


@pytest.mark.parametrize("kind", ["import", "conftest"])
def test_a_collection_error_shows_no_key_of_the_environment(suite: pytest.Pytester, kind: str) -> None:
    wrong = "import os\nraise RuntimeError(os.environ['HW_SECRET_KEY'] + ' ' + os.environ['CI_DEPLOY_TOKEN'])\n"
    if kind == "import":
        suite.makepyfile(test_a=wrong, test_b="def test_cloud(hwcloud): pass")
    else:
        suite.makepyfile(**{"sub/conftest": wrong, "sub/test_a": "def test_a(): pass"})
    result = suite.runpytest_subprocess("--junitxml=junit.xml", "-p", "no:cacheprovider")
    assert result.ret != 0
    shows_none(suite, result.stdout.str() + result.stderr.str())


def test_what_cannot_be_masked_is_said_once(suite: pytest.Pytester) -> None:
    suite.makepyfile(test_it="def test_cloud(hwcloud): pass", test_other="def test_other(): pass")
    line = "hwcloud: --capture=no: what tests print is shown as it is, secrets in it are not masked"
    assert suite.runpytest_subprocess("-s").stdout.str().count(line) == 1
    assert line not in suite.runpytest_subprocess().stdout.str()
    assert line not in suite.runpytest_subprocess("-s", "test_other.py").stdout.str()
