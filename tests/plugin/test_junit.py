"""Findings in JUnit XML, which every CI shows: properties of tests, and a failing case for the whole run."""

from __future__ import annotations

from xml.etree import ElementTree

import pytest
from permission_project import HEAD, Run, policy

ENFORCE = "--hwcloud-permissions=enforce"
LISTED = HEAD + '@pytest.mark.hwcloud_cassette("success/list-servers")\n'
STALE = LISTED + '@pytest.mark.requires_permission("ecs:cloudServers:list", "vpc:ports:get")\n'
CALL = "def test_it(hwcloud):\n    get(hwcloud)\n"
Case = tuple[str, str, list[str], str]


def cases(pytester: pytest.Pytester) -> list[Case]:
    """Class, name, properties and failure text of every test case."""
    (suite,) = ElementTree.parse(pytester.path / "out.xml").getroot()
    rows = suite.findall("testcase")
    assert int(suite.attrib["tests"]) == len(rows)
    assert int(suite.attrib["failures"]) == len([row for row in rows if row.find("failure") is not None])
    return [
        (
            row.attrib["classname"],
            row.attrib["name"],
            [one.attrib["value"] for one in row.iter("property")],
            getattr(row.find("failure"), "text", None) or "",
        )
        for row in rows
    ]


@pytest.mark.parametrize("further", [(), ("-p", "xdist", "-n2")])
def test_a_finding_is_a_property_of_its_test_under_report_too(
    run: Run, pytester: pytest.Pytester, further: tuple[str, ...]
) -> None:
    result = run(STALE + CALL, "--junitxml=out.xml", *further)
    assert result.ret == 0
    assert cases(pytester) == [
        ("test_it", "test_it", ["HWP003 stale-marker  vpc:ports:get   declared in test_it.py:13, never used"], "")
    ]


def test_enforced_it_fails_the_case_of_its_test_alone(run: Run, pytester: pytest.Pytester) -> None:
    run(STALE + CALL, "--junitxml=out.xml", ENFORCE)
    ((_, name, properties, failure), *rest) = cases(pytester)
    assert name == "test_it"
    assert [text[:6] for text in properties] == ["HWP003"]
    assert "HWP003 stale-marker  vpc:ports:get" in failure
    assert rest == []  # the run fails too, but there is nothing that the test does not tell


def test_a_finding_of_the_run_is_a_failing_case_of_its_own(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*", "ecs:cloudServers:lst"))
    result = run(LISTED + CALL, "--junitxml=out.xml", f"--hwcloud-policy={file}", ENFORCE)
    assert result.ret == 1
    result.assert_outcomes(passed=1)
    (own, (owner, name, _, failure)) = cases(pytester)
    assert own[2:] == ([], "")
    assert (owner, name) == ("hwcloud", "permissions")
    assert failure.startswith("HWP010 unknown-action  ecs:cloudServers:lst   in iam/r.json:1, statement 1\n")
    assert failure.endswith("hwcloud: exit status 1: 1 permission finding (HWP010), permissions enforce")
    run(LISTED + CALL, "--junitxml=out.xml", f"--hwcloud-policy={file}")
    assert [row[1] for row in cases(pytester)] == ["test_it"]


def test_a_swallowed_denial_is_seen_although_its_test_passes(run: Run, pytester: pytest.Pytester) -> None:
    result = run(LISTED + CALL, "--junitxml=out.xml", "--hwcloud-prove=all", ENFORCE)
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    (own, ours) = cases(pytester)
    assert [text[:6] for text in own[2]] == ["HWP004"]
    assert ours[3].startswith("HWP004 swallowed-denial  ecs:cloudServers:list   identity default\n")


def test_a_lock_that_cannot_be_read_is_a_failing_case(run: Run, pytester: pytest.Pytester) -> None:
    result = run(LISTED + CALL, "--junitxml=out.xml", "--hwcloud-lock=check")
    assert result.ret == 1
    assert cases(pytester)[1][3].startswith("hwcloud: hwcloud-permissions.yaml: no such file; create it: ")


def test_an_ignored_finding_is_no_property(run: Run, pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("hwcloud.yaml").write_text(
        "ignores:\n  - {rule: HWP003, match: '*', reason: in work, until: '2999-01-01'}\n"
    )
    run(STALE + CALL, "--junitxml=out.xml", ENFORCE)
    assert cases(pytester) == [("test_it", "test_it", [], "")]


def test_without_junit_nothing_changes(run: Run) -> None:
    assert run(STALE + CALL, ENFORCE).parseoutcomes() == {"failed": 1}


@pytest.mark.parametrize("further", [(), ("-p", "xdist", "-n2")])
def test_what_is_found_after_a_test_is_a_property_of_it_all_the_same(
    run: Run, pytester: pytest.Pytester, further: tuple[str, ...]
) -> None:
    """The call of a module's fixture is denied when the module has ended."""
    source = HEAD + (
        'pytestmark = pytest.mark.hwcloud_cassette("success/list-servers")\n'
        '@pytest.fixture(scope="module")\ndef answer(hwcloud_shared):\n'
        '    return hwcloud_shared.session().get(hwcloud_shared.url("ecs", LIST))\n\n'
        "class TestIt:\n"
        "    def test_sees(self, answer):\n        assert answer.status_code\n"
        '    @pytest.mark.parametrize("n", ["a.b", "c d"])\n    def test_swallows(self, answer, n):\n        pass\n'
    )
    options = ("--junitxml=out.xml", "--junitprefix=ci", "--hwcloud-prove=all", *further)
    assert run(source, *options).ret == 0
    found = {name: [text[:6] for text in properties] for owner, name, properties, _ in cases(pytester)}
    assert found == {"test_sees": ["HWP004"], "test_swallows[a.b]": ["HWP004"], "test_swallows[c d]": ["HWP004"]}
