"""The proof of calls that only a wider fixture makes: its scope runs again on its own, after the real run."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from permission_project import HEAD, Run, heads, section

ALL = "--hwcloud-prove=all"
URL = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"
CASSETTE = 'pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")\n'


def fixture(body: str, scope: str = "module") -> str:
    return (
        HEAD
        + "import requests\nfrom pytest_hwcloud import AkSkAuth\n"
        + CASSETTE
        + f"LOG = []\nURL = {URL!r}\n\n"
        + 'def ask():\n    return requests.get(URL, auth=AkSkAuth("HWCTESTAK", "x"))\n\n'
        + f'@pytest.fixture(scope="{scope}")\ndef servers():\n{body}\n'
    )


STRICT = """    answer = ask()
    answer.raise_for_status()
    LOG.append('up')
    yield answer
    LOG.append('down')
"""
LOOSE = "    return ask()\n"


def proof(result: pytest.RunResult) -> list[str]:
    return [line for line in section(result).split("\n") if re.match(r"hwcloud proof|  inc|    \w", line)]


@pytest.mark.parametrize("scope", ["class", "module", "package", "session"])
@pytest.mark.parametrize("further", [(), ("-p", "xdist", "-n2")])
def test_a_fixture_that_fails_when_refused_proves_it_for_all_its_tests(
    run: Run, scope: str, further: tuple[str, ...]
) -> None:
    source = fixture(STRICT, scope) + "def test_a(servers):\n    pass\n\ndef test_b(servers):\n    assert servers.ok\n"
    result = run(source, ALL, *further)
    result.assert_outcomes(passed=2)
    assert proof(result) == ["hwcloud proof: 2 proved"]


def test_a_fixture_that_lets_the_refusal_through_is_up_to_each_test(run: Run) -> None:
    source = fixture(LOOSE) + "def test_a(servers):\n    pass\n\ndef test_b(servers):\n    assert servers.ok\n"
    result = run(source, ALL, "--hwcloud-permissions=enforce", "--hwcloud-lock=update")
    result.assert_outcomes(passed=2)
    assert result.ret == 1
    assert heads(result) == ["HWP004 ecs:cloudServers:list"]
    assert proof(result) == ["hwcloud proof: 1 proved · 1 swallowed (test_it.py::test_a)"]
    lock = Path("hwcloud-permissions.yaml").read_text(encoding="utf-8")
    assert "      test_it.py::test_a: swallowed (fixture servers)\n" in lock
    assert "      test_it.py::test_b: proved (fixture servers)\n" in lock


def test_several_workers_prove_what_one_process_proves(run: Run) -> None:
    """The fixture lives once in each worker, and is run again in each: proof, findings and lock are the same."""
    tests = "def test_a(servers):\n    pass\n\ndef test_b(servers):\n    assert servers.ok\n\n"
    tests += "def test_c(servers):\n    assert servers.json()['count']\n\ndef test_d(hwcloud):\n    assert ask().ok\n"
    seen = []
    for further in ((), ("-p", "xdist", "-n2")):
        Path("hwcloud-permissions.yaml").unlink(missing_ok=True)
        result = run(fixture(LOOSE) + tests, ALL, "--hwcloud-permissions=enforce", "--hwcloud-lock=update", *further)
        result.assert_outcomes(passed=4)
        assert result.ret == 1
        seen.append((proof(result), heads(result), Path("hwcloud-permissions.yaml").read_text(encoding="utf-8")))
    assert seen[0] == seen[1]
    assert seen[0][:2] == (
        ["hwcloud proof: 3 proved · 1 swallowed (test_it.py::test_a)"],
        ["HWP004 ecs:cloudServers:list"],
    )


def test_the_real_fixture_is_gone_before_its_scope_runs_again(run: Run) -> None:
    """A fixture that may live once at a time: a table, a port, a lock."""
    only = "    assert LOG[-1:] != ['up']\n" + STRICT
    source = fixture(only) + "def test_a(servers):\n    pass\n\ndef test_b():\n    assert LOG == ['up']\n"
    result = run(source + "\ndef test_c(servers):\n    assert LOG == ['up']\n", ALL)
    result.assert_outcomes(passed=3)
    assert proof(result) == ["hwcloud proof: 2 proved"]


def test_a_fixture_that_can_be_built_only_once_says_so(run: Run) -> None:
    source = fixture("    assert not LOG, 'built before'\n" + STRICT) + "def test_a(servers):\n    pass\n"
    result = run(source, ALL)
    result.assert_outcomes(passed=1)
    assert proof(result) == [
        "hwcloud proof: 0 proved · 1 inconclusive (test_it.py::test_a)",
        "  inconclusive, because",
        "    ecs:cloudServers:list  test_it.py::test_a: the control run, with nothing denied, failed (AssertionError)",
    ]


def test_parametrised_fixtures_run_with_their_row(run: Run) -> None:
    source = (
        fixture(STRICT)
        .replace('scope="module")', 'scope="module", params=["a", "b"])')
        .replace("def servers()", "def servers(request)")
    )
    result = run(source + "def test_a(servers):\n    assert servers.ok\n", ALL)
    result.assert_outcomes(passed=2)
    assert proof(result) == ["hwcloud proof: 2 proved"]


def test_nothing_is_seen_of_it(run: Run) -> None:
    loud = "    print('NOISE')\n    import warnings\n    warnings.warn('NOISE')\n" + STRICT
    source = fixture(loud) + "def test_a(servers):\n    print('NOISE')\n"
    result = run(source, ALL, "-rA", "-W", "ignore")
    result.assert_outcomes(passed=1)
    assert result.stdout.str().count("NOISE") == 2  # captured of the real run, shown by -rA
    assert proof(result) == ["hwcloud proof: 1 proved"]


def test_a_run_that_is_stopped_proves_nothing_of_them(run: Run) -> None:
    source = fixture(STRICT) + "def test_a(servers):\n    pass\n\ndef test_b():\n    assert False\n"
    result = run(source, ALL, "-x")
    result.assert_outcomes(passed=1, failed=1)
    assert proof(result)[-1] == (
        "    ecs:cloudServers:list  test_it.py::test_a: "
        "the run was stopped before the scope of the fixture could run again"
    )


def test_many_swallowed_are_named_by_cause(run: Run) -> None:
    tests = "".join(f"def test_{n}(servers):\n    pass\n\n" for n in range(30))
    result = run(fixture(LOOSE) + tests, ALL)
    assert proof(result) == [
        "hwcloud proof: 0 proved · 30 swallowed "
        "(test_it.py::test_0 · ::test_1 · ::test_10 · ::test_11 · ::test_12 · and 25 more)"
    ]
    assert heads(result) == ["HWP004 ecs:cloudServers:list"]
    assert "  tests     30 tests: test_it.py::test_0 · " in section(result)
    assert section(result).count("and 20 more\n") == 1
