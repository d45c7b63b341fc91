"""--hwcloud-prove: the verdicts, what may be seen of the reruns, what is left behind; the same under xdist."""

from __future__ import annotations

import re
from pathlib import Path
from xml.etree import ElementTree

import pytest
from permission_project import HEAD, LIST, Run, answer, cassette, section

LISTED = HEAD + 'pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")\n\n'
ALL = "--hwcloud-prove=all"
ACTION = "ecs:cloudServers:list"
SWALLOWED = """HWP004 swallowed-denial  {action}   identity default
  call      GET ecs /v1/{{project_id}}/cloudservers/detail      test_it.py:{line}
  answer    {answer}
  note      {note}, and test_it.py::test_it passes all the same
  fix       let the test notice the refusal: hwcloud.assert_ok(response), response.raise_for_status(), \
or an assertion on what it needs of the answer"""
OPTIONAL = f'            a need that it can do without: requires_permission(…, optional=["{ACTION}"])'
DENIED = "403 Ecs.0110 do not have the required roles, forbidden to perform this action."


def proof(result: pytest.RunResult) -> list[str]:
    """The lines about the proof."""
    told = section(result).splitlines()
    first = next((i for i, line in enumerate(told) if line.startswith("hwcloud proof")), len(told))
    return told[first:]


def doubted(reason: str, key: str = ACTION) -> list[str]:
    return [
        "hwcloud proof: 0 proved · 1 inconclusive (test_it.py::test_it)",
        "  inconclusive, because",
        f"    {key}  test_it.py::test_it: {reason}",
    ]


NOTICING = {
    "status": "    assert get(hwcloud).status_code == 200\n",
    "ok": "    assert get(hwcloud).ok\n",
    "raise_for_status": "    get(hwcloud).raise_for_status()\n",
    "assert_ok": "    hwcloud.assert_ok(get(hwcloud))\n",
    "body": '    assert get(hwcloud).json()["count"] == 8\n',
    "cause": "    try:\n        get(hwcloud).raise_for_status()\n"
    '    except Exception as error:\n        raise RuntimeError("no list") from error\n',
    "exit": "    if not get(hwcloud).ok:\n        raise SystemExit(3)\n",
    "grant": f'    with hwcloud.grant("{ACTION}"):\n        assert get(hwcloud).ok\n',
}


@pytest.mark.parametrize("body", NOTICING.values(), ids=NOTICING)
def test_a_test_that_notices_is_proved(run: Run, body: str) -> None:
    result = run(LISTED + "def test_it(hwcloud):\n" + body, ALL)
    result.assert_outcomes(passed=1)
    assert section(result) == "hwcloud proof: 1 proved"


def test_a_test_that_passes_when_denied_swallows(run: Run) -> None:
    result = run(LISTED + "def test_it(hwcloud):\n    get(hwcloud)\n", ALL)
    result.assert_outcomes(passed=1)
    assert result.ret == 0
    text = SWALLOWED.format(action=ACTION, line=10, answer=DENIED, note="denied on purpose")
    assert section(result) == f"{text}\n{OPTIONAL}\n\nhwcloud proof: 0 proved · 1 swallowed (test_it.py::test_it)"


def test_a_swallowed_denial_fails_an_enforced_run_and_no_test(run: Run) -> None:
    source = LISTED + "def test_it(hwcloud):\n    get(hwcloud)\n"
    result = run(source, ALL, "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    assert result.stdout.lines[-1] == "hwcloud: exit status 1: 1 permission finding (HWP004), permissions enforce"


INCONCLUSIVE = {
    "another-failure": (
        "N = []\ndef test_it(hwcloud):\n    get(hwcloud)\n    N.append(1)\n    assert len(N) < 3\n",
        "the denied run failed (AssertionError), and nothing says that the refusal is the cause",
    ),
    "control-fails": (
        "N = []\ndef test_it(hwcloud):\n    N.append(1)\n    assert get(hwcloud).ok and len(N) < 2\n",
        "the control run, with nothing denied, failed (AssertionError)",
    ),
    "control-calls-otherwise": (
        "N = []\ndef test_it(hwcloud):\n    N.append(N or get(hwcloud))\n    assert N[0].ok\n",
        "the control run, with nothing denied, made 0 calls in place of 1 call",
    ),
    "goes-elsewhere": (
        "def test_it(hwcloud):\n    assert get(hwcloud).ok or get(hwcloud, SHOW).ok\n",
        "refused, the test goes on to a call that no cassette answers",
    ),
    "skips-itself": (
        'def test_it(hwcloud):\n    if not get(hwcloud).ok:\n        pytest.skip("not allowed")\n',
        "the test skips itself when it is refused",
    ),
    "subtests": (
        'def test_it(hwcloud, subtests):\n    with subtests.test("one"):\n        assert get(hwcloud).ok\n',
        "the fixture subtests reports by itself: the test cannot be run again unseen",
    ),
}


@pytest.mark.parametrize(("body", "reason"), INCONCLUSIVE.values(), ids=INCONCLUSIVE)
def test_in_doubt_the_verdict_is_inconclusive(run: Run, body: str, reason: str) -> None:
    result = run(LISTED + body, ALL)
    assert proof(result) == doubted(reason)
    assert result.ret == 0


def test_the_calls_of_a_wider_fixture_are_denied_at_the_end(run: Run) -> None:
    source = HEAD + (
        "import requests\nfrom pytest_hwcloud import AkSkAuth\n\n"
        '@pytest.fixture(scope="module")\ndef servers():\n'
        '    url = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"\n'
        '    return requests.get(url, auth=AkSkAuth("HWCTESTAK", "x"))\n\n'
        '@pytest.mark.hwcloud_cassette("success/list-servers")\ndef test_it(servers):\n    assert servers.ok\n'
    )
    assert proof(run(source, ALL)) == ["hwcloud proof: 1 proved"]


def test_fixtures_and_class_instances_are_built_anew(run: Run) -> None:
    result = run(
        LISTED
        + """
import unittest

@pytest.fixture
def count(hwcloud):
    return get(hwcloud).json().get("count")

@pytest.fixture
def doubled(count):
    return (count or 0) * 2

def test_value_of_a_fixture(doubled, tmp_path):
    tmp_path.joinpath("kept").touch(exist_ok=False)
    assert doubled == 16

@pytest.fixture
def cleaning(hwcloud):
    yield
    get(hwcloud).raise_for_status()

def test_teardown(cleaning):
    pass

class TestState:
    def test_of_its_own(self, hwcloud):
        assert not hasattr(self, "seen")
        self.seen = get(hwcloud)
        assert self.seen.ok

class TestCase(unittest.TestCase):
    @pytest.fixture(autouse=True)
    def _cloud(self, hwcloud):
        self.cloud = hwcloud

    def setUp(self):
        self.count = get(self.cloud).json().get("count")

    def test_set_up(self):
        self.assertEqual(self.count, 8)

    def test_sub_tests(self):
        for _ in range(2):
            with self.subTest():
                self.assertTrue(get(self.cloud).ok)

class TestAsync(unittest.IsolatedAsyncioTestCase):
    @pytest.fixture(autouse=True)
    def _cloud(self, hwcloud):
        self.cloud = hwcloud

    async def test_async(self):
        self.assertTrue(get(self.cloud).ok)
""",
        ALL,
    )
    result.assert_outcomes(passed=6)
    assert proof(result) == ["hwcloud proof: 6 proved"]


def test_a_denial_that_a_teardown_swallows(run: Run) -> None:
    source = (
        LISTED + "@pytest.fixture\ndef left(hwcloud):\n    yield\n    get(hwcloud)\n\ndef test_it(left):\n    pass\n"
    )
    assert proof(run(source, ALL)) == ["hwcloud proof: 0 proved · 1 swallowed (test_it.py::test_it)"]


EXPECTING = {
    "denied_permission": f'@pytest.mark.denied_permission("{ACTION}")\ndef test_it(hwcloud):\n'
    f'    with hwcloud.deny("{ACTION}"):\n        get(hwcloud)\n',
    "refused": f'def test_it(hwcloud):\n    with hwcloud.deny("{ACTION}"), hwcloud.refused("Ecs.0110"):\n'
    "        get(hwcloud)\n",
    "optional": f'@pytest.mark.requires_permission(optional=["{ACTION}"])\ndef test_it(hwcloud):\n    get(hwcloud)\n',
    "failing": "def test_it(hwcloud):\n    assert not get(hwcloud).ok\n",
    "xfail": "@pytest.mark.xfail\ndef test_it(hwcloud):\n    get(hwcloud)\n",
    "skipped": "@pytest.mark.skip\ndef test_it(hwcloud):\n    get(hwcloud)\n",
}


@pytest.mark.parametrize("body", EXPECTING.values(), ids=EXPECTING)
def test_what_is_not_to_be_proved(run: Run, body: str) -> None:
    assert proof(run(LISTED + body, ALL)) == ["hwcloud proof: 0 proved"]


def test_of_several_that_will_do_the_other_may_not_help(run: Run, pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "two", answer(LIST), answer("/v2.1/{project_id}/servers/detail"))
    source = HEAD + (
        f'@pytest.mark.hwcloud_cassette("two.yaml")\n@pytest.mark.requires_permission(any_of=["{ACTION}", '
        '"ecs:servers:list"])\ndef test_it(hwcloud):\n    assert get(hwcloud).ok or get(hwcloud, NOVA).ok\n'
    )
    assert proof(run(source, ALL)) == ["hwcloud proof: 1 proved"]


def test_tokens_of_another_scope_are_noticed(run: Run) -> None:
    source = LISTED + (
        "def test_it(hwcloud, hwcloud_project_token):\n    assert get(hwcloud, auth=hwcloud_project_token).ok\n"
    )
    assert section(run(source, ALL)) == "hwcloud proof: 1 proved\nhwcloud proof of scope: 2 proved"


def test_tokens_of_another_scope_are_swallowed(run: Run) -> None:
    source = LISTED + "def test_it(hwcloud, hwcloud_token):\n    get(hwcloud, auth=hwcloud_token())\n"
    result = run(source, ALL)
    scope = "400 Common.0018 tenantId in token is not the same with in URL."
    for key, how in (
        ("scope:domain-token", "a token of the domain in place of the project's"),
        ("scope:other-project", "a token of another project"),
    ):
        text = SWALLOWED.format(action=key, line=10, answer=scope, note=f"refused on purpose, with {how}")
        assert text in section(result)
    assert proof(result) == [
        "hwcloud proof: 0 proved · 1 swallowed (test_it.py::test_it)",
        "hwcloud proof of scope: 0 proved · 2 swallowed (test_it.py::test_it)",
    ]


def test_a_scope_that_no_gate_minds_is_not_proved(run: Run) -> None:
    source = HEAD + (
        '@pytest.mark.hwcloud_cassette("scope/domain-token-on-global-service")\n'
        "def test_it(hwcloud, hwcloud_domain_token):\n"
        '    url = hwcloud.url("tms", "/v1.0/predefine_tags")\n'
        "    assert hwcloud.session(auth=hwcloud_domain_token).get(url).ok\n"
    )
    assert section(run(source, ALL)) == "hwcloud proof: 1 proved"


NOISY = """
import logging, warnings

STEPS = []

@pytest.fixture(scope="module")
def wide():
    STEPS.append("up")
    yield
    STEPS.append("down")
    print("STEPS", *STEPS)
    raise ValueError("left behind")

@pytest.mark.filterwarnings("always")
def test_it(hwcloud, wide, record_property):
    STEPS.append("test")
    print("printed")
    logging.getLogger().warning("logged")
    warnings.warn("warned")
    record_property("seen", "once")
    assert get(hwcloud).ok
"""


@pytest.mark.parametrize("options", [(), ("-s", "-o", "log_cli=true")], ids=["captured", "shown"])
def test_only_the_first_run_is_seen(run: Run, pytester: pytest.Pytester, options: tuple[str, ...]) -> None:
    given = ("--junitxml=j.xml", "-o", "junit_family=xunit1", "-vv", *options)
    source = LISTED + NOISY
    plain = run(source, *given)
    junit = _shape(pytester.path / "j.xml")
    proved = run(source, ALL, *given)
    proved.assert_outcomes(passed=1, errors=1, warnings=1)
    assert proof(proved) == ["hwcloud proof: 1 proved"]
    assert _terminal(proved).replace("STEPS up test test test down", "STEPS up test down") == _terminal(plain)
    assert _shape(pytester.path / "j.xml") == junit


def _terminal(result: pytest.RunResult) -> str:
    """What the terminal says, without times, what is in force, and the proof."""
    text = re.sub(r"\d+\.\d\ds|0x\w+|=+", "", result.stdout.str())
    return re.sub(r"\n hwcloud permissions \nhwcloud proof.*| · prove all", "", text)


def _shape(file: Path) -> list[object]:
    found = ElementTree.parse(file).getroot().iter()
    left_out = ("time", "timestamp")
    return [
        (
            e.tag,
            {k: v for k, v in e.items() if k not in left_out},
            re.sub(r"0x\w+", "", e.text or "").replace("test test test", "test"),
        )
        for e in found
    ]


def test_wider_fixtures_are_torn_down_where_they_were(run: Run) -> None:
    result = run(
        LISTED
        + """
STEPS = []

@pytest.fixture(scope="class")
def wide():
    STEPS.append("up")
    yield
    STEPS.append("down")

class TestOne:
    def test_a(self, hwcloud, wide):
        assert get(hwcloud).ok

    def test_b(self, hwcloud, wide):
        assert STEPS == ["up"] and get(hwcloud).ok

def test_after(hwcloud):
    assert STEPS == ["up", "down"] and get(hwcloud).ok
""",
        ALL,
    )
    result.assert_outcomes(passed=3)
    assert proof(result) == ["hwcloud proof: 3 proved"]


def test_both_teardowns_may_fail(run: Run) -> None:
    result = run(
        LISTED
        + """
@pytest.fixture(scope="module")
def wide():
    yield
    raise ValueError("wide")

@pytest.fixture
def own():
    yield
    raise KeyError("own")

def test_it(hwcloud, wide, own):
    assert get(hwcloud).ok
""",
        ALL,
    )
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["*ExceptionGroup: errors during test teardown (2 sub-exceptions)*"])
    assert proof(result) == ["hwcloud proof: 0 proved"]


STOPS = (
    LISTED + "N = []\ndef test_it(hwcloud):\n    N.append(get(hwcloud))\n    if len(N) == 2:\n"
    "        {ending}\n\ndef test_never():\n    pass\n"
).replace


def test_an_exit_in_a_rerun_ends_the_run(run: Run) -> None:
    result = run(STOPS("{ending}", 'pytest.exit("enough")'), ALL)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*_pytest.outcomes.Exit: enough*"])


def test_an_interrupt_in_a_rerun_ends_the_run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makepyfile(test_it=STOPS("{ending}", "raise KeyboardInterrupt"))
    result = pytester.runpytest_subprocess("-p", "hwcloud", ALL)
    assert result.ret == pytest.ExitCode.INTERRUPTED
    result.stdout.fnmatch_lines(["*KeyboardInterrupt*"])


def test_stopping_at_the_first_failure(run: Run) -> None:
    source = LISTED + (
        "def test_a(hwcloud):\n    assert get(hwcloud).ok\n\ndef test_b(hwcloud):\n    assert not get(hwcloud).ok\n\n"
        "def test_c(hwcloud):\n    assert get(hwcloud).ok\n"
    )
    result = run(source, ALL, "-x")
    result.assert_outcomes(passed=1, failed=1)
    assert proof(result) == ["hwcloud proof: 1 proved"]


def test_tests_that_are_no_cloud_tests_run_once(run: Run) -> None:
    source = LISTED + "N = []\ndef test_it(hwcloud):\n    assert get(hwcloud).ok\n"
    plain = "N = []\n\ndef test_plain():\n    N.append(1)\n\ndef test_once():\n    assert N == [1]\n"
    Path("test_plain.py").write_text(plain)
    result = run(source, ALL)
    result.assert_outcomes(passed=3)
    assert proof(result) == ["hwcloud proof: 1 proved"]


def test_changed_proves_only_what_the_lock_does_not_hold(run: Run) -> None:
    source = LISTED + "def test_a(hwcloud):\n    assert get(hwcloud).ok\n"
    further = source + "\ndef test_b(hwcloud):\n    assert get(hwcloud).ok\n"
    changed = ("--hwcloud-prove=changed", "--hwcloud-lock=update")
    assert proof(run(source, *changed))[0] == "hwcloud proof: 1 proved"
    lock = Path("hwcloud-permissions.yaml").read_text()
    assert "test_it.py::test_a: proved\n" in lock
    assert proof(run(source, *changed))[0] == "hwcloud proof: 0 proved"
    assert Path("hwcloud-permissions.yaml").read_text() == lock
    assert proof(run(further, *changed))[0] == "hwcloud proof: 1 proved"
    lock = Path("hwcloud-permissions.yaml").read_text()
    assert lock.count(": proved\n") == 2


def test_the_lock_holds_every_verdict(run: Run) -> None:
    source = LISTED + (
        "def test_a(hwcloud):\n    assert get(hwcloud).ok\n\ndef test_b(hwcloud):\n    get(hwcloud)\n\n"
        "def test_c(hwcloud):\n    if not get(hwcloud).ok:\n        pytest.skip()\n"
    )
    run(source, ALL, "--hwcloud-lock=update")
    lock = Path("hwcloud-permissions.yaml").read_text()
    found = [line.strip().removeprefix("test_it.py::") for line in lock.splitlines() if "test_it.py::" in line]
    assert found == ["test_a: proved", "test_b: swallowed", "test_c: inconclusive"]


def test_off_and_setup_show_prove_nothing(run: Run) -> None:
    source = LISTED + "def test_it(hwcloud):\n    get(hwcloud)\n"
    assert section(run(source)) == ""
    assert proof(run(source, ALL, "--setup-show")) == ["hwcloud proof: 0 proved"]


RERUNS = """
class Reruns:
    @staticmethod
    def get_reruns_count(item):
        return 1 if item.get_closest_marker("flaky") else None


def pytest_configure(config):
    config.addinivalue_line("markers", "flaky: run again when it fails")
    config.pluginmanager.register(Reruns(), "rerunfailures")
"""


def test_what_pytest_rerunfailures_runs_has_no_verdict(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(RERUNS)
    source = LISTED + (
        "@pytest.mark.flaky\ndef test_it(hwcloud):\n    assert get(hwcloud).ok\n\n"
        "@pytest.mark.flaky\ndef test_red(hwcloud):\n    assert not get(hwcloud).ok\n"
    )
    result = run(source, ALL)
    result.assert_outcomes(passed=1, failed=1)
    assert proof(result) == doubted("pytest-rerunfailures runs the test: it cannot be run again unseen")
