"""The ledger: whose calls, which findings are open, which tests are gone."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest

from pytest_hwcloud.config import Ignore
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.record import Declaration, TestRecord, Use

LIST = Use(action="ecs:cloudServers:list", call="GET ecs /v1/{project_id}/cloudservers/detail", where="a.py:1")
SHARED = Use(action="vpc:ports:get", call="GET vpc /v1/{project_id}/ports/{port_id}", fixture="tests::ports")
STALE = Finding(rule="HWP003", action="ecs:servers:list", test="tests/test_a.py::test_x", where="tests/test_a.py:8")


def ignore(**changes: str) -> Ignore:
    values = {"rule": "HWP003", "match": "tests/*", "reason": "known", "until": "2030-01-01", "place": "hwcloud.yaml:2"}
    return Ignore(**{**values, **changes})


def test_a_record_survives_its_journey() -> None:
    record = TestRecord(
        nodeid="a::t",
        uses=[Use(action="a:b:c", call="GET a /", nearest=("1 allow x  no",), names=("a:b:c",), refused=True)],
        declared=[Declaration(kind="requires", actions=("a:b:c",), any_of=("a:b:d",))],
        findings=[STALE.to_dict()],
        unmapped=["GET a /b"],
        fixtures=["::f"],
        proof={"a:b:c": "proved"},
    )
    assert TestRecord.from_dict(record.to_dict()) == record
    assert Finding.from_dict(record.to_dict()["findings"][0]) == STALE


def test_the_calls_of_a_fixture_belong_to_every_test_that_has_it() -> None:
    first = TestRecord(nodeid="t::a", uses=[SHARED, LIST], fixtures=["tests::ports"])
    second = TestRecord(nodeid="t::b", fixtures=["tests::ports"])
    torn_down_here = TestRecord(nodeid="t::c", uses=[SHARED, LIST])
    found = [(record.nodeid, use.action) for record, use in Ledger([torn_down_here, second, first]).attributed()]
    assert found == [
        ("t::a", "ecs:cloudServers:list"),
        ("t::a", "vpc:ports:get"),
        ("t::b", "vpc:ports:get"),
        ("t::c", "ecs:cloudServers:list"),
    ]


def test_a_use_that_was_seen_twice_is_one() -> None:
    again = Use(**{**vars(LIST), "where": "a.py:2", "request_id": "1", "phase": "setup"})
    refused = Use(**{**vars(LIST), "refused": True})
    assert [use for _, use in Ledger([TestRecord(nodeid="t", uses=[LIST, again, refused])]).attributed()] == [
        LIST,
        refused,
    ]


def test_a_test_that_ran_again_counts_once() -> None:
    ledger = Ledger()
    ledger.add(TestRecord(nodeid="t", outcome="failed"))
    ledger.add(TestRecord(nodeid="t", outcome="passed"))
    assert [record.outcome for record in ledger.records.values()] == ["passed"]


def test_the_ledger_is_summed_once_until_a_record_comes(monkeypatch: pytest.MonkeyPatch) -> None:
    sums: list[int] = []

    def counted(ledger: Ledger) -> Iterator[tuple[TestRecord, Use]]:
        sums.append(len(ledger.records))
        return summed(ledger)

    summed = Ledger._pairs
    monkeypatch.setattr(Ledger, "_pairs", counted)
    ledger = Ledger([TestRecord(nodeid="t::a", uses=[SHARED, LIST], fixtures=["tests::ports"])])
    assert sums == []
    for _ in range(2):
        assert [use.action for use in ledger.uses("t::a")] == ["ecs:cloudServers:list", "vpc:ports:get"]
        assert [record.nodeid for record, _ in ledger.attributed()] == ["t::a", "t::a"]
    assert sums == [1]
    ledger.add(TestRecord(nodeid="t::b", fixtures=["tests::ports"]))
    for _ in range(2):
        assert [record.nodeid for record, _ in ledger.attributed()] == ["t::a", "t::a", "t::b"]
    assert sums == [1, 2]


@pytest.mark.parametrize(
    ("given", "ignored"),
    [
        (ignore(), "known"),
        (ignore(match="tests/test_a.py::test_x"), "known"),
        (ignore(match="ecs:servers:*"), "known"),
        (ignore(match="tests/test_a.py"), "known"),
        (ignore(rule="stale-marker"), "known"),
        (ignore(match="tests/test_b*"), ""),
        (ignore(rule="HWP002"), ""),
        (ignore(until="2026-06-01"), "known"),
        (ignore(until="2026-05-31"), ""),
    ],
)
def test_what_an_ignore_covers(given: Ignore, ignored: str) -> None:
    record = TestRecord(nodeid=STALE.test, findings=[STALE.to_dict()])
    ledger = Ledger([record], ignores=[given], today="2026-06-01")
    assert [finding.ignored for finding in ledger.findings] == [ignored]
    assert len(ledger.open) == (not ignored)


def test_the_id_of_a_row_with_brackets_can_be_ignored_as_it_stands() -> None:
    finding = Finding(rule="HWP003", action="a:b:c", test="t.py::test[a-1]")
    ledger = Ledger(run_findings=[finding], ignores=[ignore(match="t.py::test[a-1]")], today="2026-06-01")
    assert ledger.open == []


def test_an_expired_ignore_is_an_error_also_if_it_covers_nothing() -> None:
    ledger = Ledger(ignores=[ignore(until="2026-05-31"), ignore()], today="2026-06-01")
    assert ledger.expired == [
        "hwcloud.yaml:2: the ignore of HWP003 for 'tests/*' ended on 2026-05-31 (known): "
        "correct what it covers, or give it a new date"
    ]


@pytest.mark.parametrize(
    ("roots", "complete", "covered"),
    [
        (("",), True, True),
        (("tests",), True, True),
        (("tests/test_a.py",), True, True),
        (("tests/test_b.py",), True, False),
        (("tests/test_a",), True, False),
        (("",), False, False),
        ((), True, False),
    ],
)
def test_only_a_full_run_of_its_folder_says_that_a_test_is_gone(
    roots: tuple[str, ...], complete: bool, covered: bool
) -> None:
    assert Ledger(roots=roots, complete=complete).covers("tests/test_a.py::test_x") is covered


Project = Callable[..., Ledger]


@pytest.fixture
def ran(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    """The ledger of a run of a small project."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\n")
    marked = "import pytest\n@pytest.mark.requires_permission('ecs:cloudServers:list')\ndef test_{}(): {}\n"
    pytester.mkdir("tests").joinpath("test_a.py").write_text(marked.format("a", "pass") + "def test_plain(): pass\n")
    pytester.path.joinpath("tests", "test_b.py").write_text(marked.format("b", "pass"))
    pytester.path.joinpath("test_c.py").write_text(marked.format("c", "pytest.skip()"))

    def run(*arguments: str) -> Ledger:
        found: list[Ledger] = []

        class Look:
            @pytest.hookimpl(trylast=True)
            def pytest_unconfigure(self, config: pytest.Config) -> None:
                found.append(config.pluginmanager.get_plugin("hwcloud-permissions").ledger)

        pytester.runpytest_inprocess("-p", "hwcloud", *arguments, plugins=[Look()])
        return found[0]

    return run


@pytest.mark.parametrize(
    ("arguments", "complete", "roots", "left_out"),
    [
        ([], True, ("",), 0),
        (["tests"], True, ("tests",), 0),
        (["tests/test_a.py"], True, ("tests/test_a.py",), 0),
        (["tests/test_a.py::test_a"], False, (), 0),
        (["-k", "a"], False, ("",), 2),
        (["-m", "not nothing"], False, ("",), 0),
        (["--deselect", "test_c.py::test_c"], False, ("",), 1),
        (["--ignore", "tests"], False, ("",), 0),
        (["-x", "--hwcloud-permissions=enforce"], False, ("",), 0),
    ],
)
def test_a_run_knows_whether_it_was_full(
    ran: Project, arguments: list[str], complete: bool, roots: tuple[str, ...], left_out: int
) -> None:
    ledger = ran(*arguments)
    assert (ledger.complete, ledger.roots, len(ledger.deselected)) == (complete, roots, left_out)


def test_what_ran_is_recorded_and_plain_tests_are_not(ran: Project) -> None:
    ledger = ran()
    assert ledger.collected == {
        "test_c.py::test_c",
        "tests/test_a.py::test_a",
        "tests/test_a.py::test_plain",
        "tests/test_b.py::test_b",
    }
    assert {nodeid: record.outcome for nodeid, record in ledger.records.items()} == {
        "test_c.py::test_c": "skipped",
        "tests/test_a.py::test_a": "passed",
        "tests/test_b.py::test_b": "passed",
    }
