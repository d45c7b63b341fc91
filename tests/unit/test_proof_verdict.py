"""What control and denied runs say, what is proved at all, and how it is told. Pure: no test is run here."""

from __future__ import annotations

import pytest

from pytest_hwcloud.cloud.identity import Identity
from pytest_hwcloud.cloud.tokens import Scope
from pytest_hwcloud.cloud.wire import Answer, Request
from pytest_hwcloud.journal import Exchange, Journal
from pytest_hwcloud.permissions.lock.model import Entry, Lock, Permission
from pytest_hwcloud.permissions.proof.plan import Plan, is_proved
from pytest_hwcloud.permissions.proof.proof import SCOPES
from pytest_hwcloud.permissions.proof.rerun import Rerun
from pytest_hwcloud.permissions.proof.results import Progress, lines
from pytest_hwcloud.permissions.proof.verdict import Verdict, doubt, of_denied
from pytest_hwcloud.permissions.record import Declaration, TestRecord, Use

BASE = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33"
LIST, SHOW = "ecs:cloudServers:list", "ecs:cloudServers:get"
TEST = "tests/test_a.py::test_x"


def exchange(path: str = "/cloudservers/detail", status: int = 200, **given: object) -> Exchange:
    request = Request(method="GET", url=BASE + path, headers={}, body=b"")
    return Exchange(request=request, answer=Answer(status=status, headers={}, body=b"{}"), **given)


def ran(outcome: str = "passed", *exchanges: Exchange, refused: tuple[Exchange, ...] = (), **given: object) -> Rerun:
    journal = Journal(TEST, exchanges=[*exchanges, *refused])
    return Rerun(outcome=outcome, journal=journal, refused=list(refused), **given)


@pytest.mark.parametrize(
    ("control", "reason"),
    [
        (ran("passed", exchange()), ""),
        (ran("failed", error="KeyError"), "the control run, with nothing denied, failed (KeyError)"),
        (ran("skipped", error="Skipped"), "the control run, with nothing denied, skipped"),
        (ran(), "the control run, with nothing denied, made 0 calls in place of 1 call"),
        (
            ran("passed", exchange(), exchange()),
            "the control run, with nothing denied, made 2 calls in place of 1 call",
        ),
        (
            ran("passed", exchange(status=404)),
            "the control run, with nothing denied, made other calls or heard other answers",
        ),
        (
            ran("passed", exchange("/flavors")),
            "the control run, with nothing denied, made other calls or heard other answers",
        ),
    ],
)
def test_a_control_run_that_differs_is_a_doubt(control: Rerun, reason: str) -> None:
    assert doubt([exchange()], control) == reason


def test_threads_may_change_places_and_wider_fixtures_call_once() -> None:
    first = [exchange(fixture="tests::servers"), exchange(), exchange("/flavors")]
    assert doubt(first, ran("passed", exchange("/flavors"), exchange())) == ""


REFUSED = exchange(status=403, injected="1c1d")
LOST = exchange("/flavors", source="not recorded")


@pytest.mark.parametrize(
    ("denied", "verdict"),
    [
        (ran("failed", refused=(REFUSED,), caused=True, error="HTTPError"), Verdict("proved")),
        (ran("passed", refused=(REFUSED,)), Verdict("swallowed")),
        (
            ran("failed", refused=(REFUSED,), error="ZeroDivisionError"),
            Verdict(
                "inconclusive",
                "the denied run failed (ZeroDivisionError), and nothing says that the refusal is the cause",
            ),
        ),
        (
            ran("failed", exchange(), error="HTTPError"),
            Verdict("inconclusive", "the call was not made again in the denied run, which failed (HTTPError)"),
        ),
        (ran("passed"), Verdict("inconclusive", "the call was not made again in the denied run, which passed")),
        (
            ran("skipped", refused=(REFUSED,), caused=True),
            Verdict("inconclusive", "the test skips itself when it is refused"),
        ),
        (
            ran("failed", LOST, refused=(REFUSED,), error="NotRecorded"),
            Verdict("inconclusive", "refused, the test goes on to a call that no cassette answers"),
        ),
    ],
)
def test_a_denied_run_proves_only_what_the_refusal_caused(denied: Rerun, verdict: Verdict) -> None:
    assert of_denied(denied) == verdict


def use(action: str = LIST, **given: object) -> Use:
    return Use(action=action, call=f"GET ecs /{action}", names=(action.lower(),), **given)


def record(*uses: Use, declared: tuple[Declaration, ...] = (), **given: object) -> TestRecord:
    return TestRecord(nodeid=TEST, outcome="passed", uses=list(uses), declared=list(declared), **given)


def marker(kind: str = "requires", actions: tuple[str, ...] = (), **given: object) -> Declaration:
    return Declaration(kind=kind, actions=actions, **given)


def test_each_needed_action_is_denied_by_itself() -> None:
    plan = Plan(record(use(), use(), use(SHOW), use("evs:volumes:get", dependency=True)))
    assert (plan.denials, plan.borrowed) == ({LIST: (LIST,), SHOW: (SHOW,)}, {})


@pytest.mark.parametrize(
    "given",
    [
        record(use(refused=True, expected=True)),
        record(use(), use(refused=True, injected=True)),
        record(use(), declared=(marker("denied", (LIST,)),)),
        record(use(), declared=(marker(optional=(LIST.upper(),)),)),
        record(use("")),
    ],
)
def test_what_a_test_wants_refused_or_can_do_without_is_not_proved(given: TestRecord) -> None:
    assert Plan(given).actions == ()


def test_a_required_action_is_proved_also_where_another_marker_calls_it_optional() -> None:
    assert Plan(record(use(), declared=(marker(actions=(LIST,), optional=(LIST,)),))).actions == (LIST,)


def test_of_several_that_will_do_all_are_denied_together() -> None:
    plan = Plan(record(use(), declared=(marker(any_of=(LIST, SHOW)),)))
    assert plan.denials == {LIST: (LIST, SHOW)}


def test_what_only_a_wider_fixture_calls_is_denied_with_the_fixture() -> None:
    plan = Plan(record(use(fixture="tests::servers"), use(SHOW), use(SHOW, fixture="tests::servers")))
    assert (plan.denials, plan.borrowed) == ({SHOW: (SHOW,)}, {LIST: ("tests::servers",)})


def locked(**statuses: str) -> Lock:
    actions = {"list": LIST, "get": SHOW}
    return Lock(
        permissions={actions[k]: Permission(tests={TEST: (Entry(status=status),)}) for k, status in statuses.items()}
    )


@pytest.mark.parametrize(
    ("lock", "proved"),
    [
        (locked(list="proved"), True),
        (locked(list="used"), False),
        (locked(list="inconclusive"), False),
        (locked(list="swallowed"), False),
        (locked(), False),
        (locked(list="proved", get="proved"), False),
    ],
)
def test_changed_proves_what_the_lock_does_not_hold_as_proved(lock: Lock, proved: bool) -> None:
    needs = record(use())
    assert is_proved(needs, Plan(needs), lock) is proved


def identity(**projects: str) -> Identity:
    return Identity(name="default", user="u", domain="corp", domain_id="d0", projects=dict(projects))


def test_tokens_of_another_scope() -> None:
    mine = Scope("project", "aa01", "cn-north-4")
    domain, other = SCOPES["scope:domain-token"], SCOPES["scope:other-project"]
    one, two = identity(**{"cn-north-4": "aa01"}), identity(**{"cn-north-4": "aa01", "cn-east-3": "bb02"})
    assert domain(one, mine) == Scope("domain", "d0", "corp")
    assert other(two, mine) == Scope("project", "bb02", "cn-east-3")
    assert other(one, mine) == Scope("project", "10aa", "another-project")
    whole = Scope("domain", "d0", "corp")
    assert domain(two, whole) == other(two, whole) == whole


def test_the_summary_names_what_is_not_proved_and_why() -> None:
    records = [
        record(proof={LIST: "proved", SHOW: "proved", "scope:domain-token": "proved"}),
        TestRecord(nodeid="tests/test_a.py::test_y[1]", proof={LIST: "swallowed"}),
        TestRecord(nodeid="tests/test_a.py::test_y[2]", proof={LIST: "swallowed"}),
        TestRecord(nodeid="tests/test_a.py::test_z", proof={LIST: "inconclusive"}, doubts={LIST: "who knows"}),
    ]
    assert lines(records) == [
        "hwcloud proof: 2 proved · 2 swallowed (tests/test_a.py::test_y[*] (2)) "
        "· 1 inconclusive (tests/test_a.py::test_z)",
        "hwcloud proof of scope: 1 proved",
        "  inconclusive, because",
        f"    {LIST}  tests/test_a.py::test_z: who knows",
    ]


def test_the_summary_of_nothing_and_of_a_run_that_is_no_replay() -> None:
    assert lines([]) == ["hwcloud proof: 0 proved"]
    assert lines([], "record") == [
        "hwcloud proof: nothing was proved: permissions are denied in replay only, this run is in record mode"
    ]


def test_of_many_reasons_ten_are_shown() -> None:
    doubtful = [
        TestRecord(nodeid=f"t.py::t{i}", proof={LIST: "inconclusive"}, doubts={LIST: f"reason {i}"}) for i in range(12)
    ]
    told = lines(doubtful)
    assert (told[-2], told[-1]) == (f"    {LIST}  t.py::t9: reason 9", "    and 2 more")
    assert len(told) == 13


class Terminal:
    def __init__(self, isatty: bool) -> None:
        self.isatty, self.written = isatty, []

    def write_line(self, line: str) -> None:
        self.written.append(line)


@pytest.mark.parametrize("isatty", [True, False])
def test_progress_is_told_every_five_seconds_on_a_terminal_only(isatty: bool) -> None:
    times = iter((0.0, 1.0, 4.9, 5.0, 5.0, 6.0))
    terminal = Terminal(isatty)
    progress = Progress(terminal, lambda: next(times))
    for proof in ({LIST: "proved"}, {}, {LIST: "swallowed", SHOW: "proved"}, {LIST: "proved"}):
        progress.add(proof)
    told = ["hwcloud proof: 3 tests so far · 2 proved · 1 swallowed"]
    assert terminal.written == (told if isatty else [])


def test_progress_without_a_terminal_reporter_says_nothing() -> None:
    progress = Progress(None, lambda: 0.0)
    progress.add({LIST: "proved"})
    assert progress.line() == "hwcloud proof: 1 test so far · 1 proved"


def test_a_record_carries_its_doubts() -> None:
    kept = record(proof={LIST: "inconclusive"}, doubts={LIST: "why"})
    assert TestRecord.from_dict(kept.to_dict()) == kept
