"""The lock: its bytes, how runs are merged into it, and what is said of a broken one."""

from __future__ import annotations

import os
import threading
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from lock_world import LIST, SHOW, TAGS, World, full, part, record, use

from pytest_hwcloud.files import atomic
from pytest_hwcloud.permissions.lock import lockfile, model
from pytest_hwcloud.permissions.lock.accepting import Refused
from pytest_hwcloud.permissions.lock.format import parse, text
from pytest_hwcloud.permissions.lock.model import Entry, Held, Lock, LockError, Permission

A, B = "tests/test_a.py::test_a", "tests/test_b.py::test_b"


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(tmp_path)


def listed(text: str, action: str = "ecs:cloudServers:list") -> dict[str, str]:
    return yaml.safe_load(text)["permissions"][action]["tests"]


def test_the_whole_text(world: World) -> None:
    reader = world.policy(["ecs:*:list*", "ecs:*:get*"], ["tms:*:list*"])
    viewer = world.policy(
        {"Effect": "Deny", "NotAction": ["ecs:*:list*"], "Resource": ["ecs:*:*:instance:b", "ecs:*:*:instance:a"]},
        {"Effect": "Allow", "Action": ["ecs:*:*"], "Condition": {"StringEquals": {"g:UserName": ["y", "x"]}}},
        name="viewer",
        version="5.0",
    )
    wide = {"fixture": "tests::servers"}
    run = full(
        record("tests/test_a.py::test_p[1]", use()),
        record("tests/test_a.py::test_p[2]", use()),
        record("tests/test_a.py::test_q[1]", use()),
        record("tests/test_a.py::test_q[2]", use(), use(SHOW)),
        record(B, use(identity="viewer"), use(TAGS), proof={"tms:predefineTags:list": "proved"}),
        record("tests/test_c.py::test_f", use(**wide), fixtures=["tests::servers"], unmapped=["GET ? /v1/new"]),
        record("tests/test_c.py::test_g", fixtures=["tests::servers"]),
        record("tests/test_c.py::test_nothing"),
    )
    assert world.update(run, world.state(default=reader, viewer=[viewer, "system:ECS ReadOnlyAccess"])) == (
        """\
# written by: pytest --hwcloud-lock=update
version: 1
identities:
  default:
    policies: {iam/reader.json: "1.1"}
    grants:
      - allow ecs:*:get* ecs:*:list*
      - allow tms:*:list*
  viewer:
    policies: {iam/viewer.json: "5.0", system:ECS ReadOnlyAccess: "1.1"}
    grants:
"""
        + "".join(f"      - {line}\n" for line in lockfile.read(world.path).identities["viewer"].grants)
        + """\
permissions:
  ecs:cloudServers:list:
    calls: ["GET ecs /v1/{project_id}/cloudservers/detail", \
"GET ecs /v1/{project_id}/cloudservers/detail as viewer"]
    tests:
      tests/test_a.py::test_p[*]: used
      tests/test_a.py::test_q[1]: used
      tests/test_a.py::test_q[2]: used
      tests/test_b.py::test_b: used as viewer
      tests/test_c.py::test_f: used (fixture servers)
      tests/test_c.py::test_g: used (fixture servers)
  ecs:cloudServers:showServer:
    calls: ["GET ecs /v1/{project_id}/cloudservers/{server_id}"]
    tests:
      tests/test_a.py::test_q[2]: used
  tms:predefineTags:list:
    calls: [GET tms /v1.0/predefine_tags]
    tests:
      tests/test_b.py::test_b: proved
unmapped:
  GET ? /v1/new:
    - tests/test_c.py::test_f
"""
    )
    grants = lockfile.read(world.path).identities["viewer"].grants
    assert 'allow ecs:*:* if {"StringEquals":{"g:UserName":["x","y"]}}' in grants
    assert "deny not ecs:*:list* on ecs:*:*:instance:a ecs:*:*:instance:b" in grants


def test_the_order_of_tests_and_statements_is_no_difference(world: World) -> None:
    one = world.policy(["ecs:*:get*", "ecs:*:list*"], ["tms:*:list*"])
    run = [record(A, use(), use(TAGS)), record(B, use())]
    text = world.update(full(*run), world.state(default=one))
    world.path.unlink()
    two = world.policy(["tms:*:list*"], ["ecs:*:list*", "ecs:*:get*"])
    run = [record(B, use(where="tests/test_b.py:99")), record(A, use(TAGS), use())]
    assert world.update(full(*run), world.state(default=two)) == text


def test_what_needs_no_policy_says_so(world: World) -> None:
    run = full(
        record("t.py::test_denied", use(verdict="deny", refused=True, expected=True, gate="authorization")),
        record("t.py::test_lacking", use(verdict="deny", refused=True, gate="authorization")),
        record("t.py::test_granted", use(policy="hwcloud.grant")),
        record("t.py::test_unknown", use(verdict="unknown")),
        record("t.py::test_no_token", use(verdict="", refused=True, gate="authentication")),
        record("t.py::test_then_allowed", use(verdict="deny", refused=True, expected=True), use()),
    )
    assert listed(world.update(run)) == {
        "t.py::test_denied": "refused",
        "t.py::test_granted": "granted",
        "t.py::test_lacking": "missing",
        "t.py::test_then_allowed": "used",
        "t.py::test_unknown": "undecided",
    }
    assert lockfile.read(world.path).needed_by() == {
        "ecs:cloudServers:list": ["t.py::test_lacking", "t.py::test_then_allowed", "t.py::test_unknown"]
    }


def test_a_dependency_of_a_refused_call_is_no_need(world: World) -> None:
    refused = use(verdict="deny", refused=True, expected=True)
    depends = use(action="vpc:ports:get", verdict="", dependency=True)
    text = world.update(full(record(A, refused, depends), record(B, use(), depends)))
    assert listed(text, "vpc:ports:get") == {B: "used"}


# merging


def test_a_part_adds_and_deletes_nothing(world: World) -> None:
    world.update(full(record(A, use(), use(SHOW)), record(B, use())))
    text = world.update(part(record(A, use(TAGS)), deselected=[B]))
    assert listed(text) == {A: "used", B: "used"}
    assert listed(text, "ecs:cloudServers:showServer") == {A: "used"}
    assert listed(text, "tms:predefineTags:list") == {A: "used"}


def test_a_full_green_run_drops_what_is_stale(world: World) -> None:
    world.update(full(record(A, use(), use(SHOW), unmapped=["GET ? /x"]), record(B, use())))
    text = world.update(full(record(A, use())))
    assert yaml.safe_load(text)["permissions"] == {"ecs:cloudServers:list": {"calls": [LIST], "tests": {A: "used"}}}
    assert yaml.safe_load(text)["unmapped"] == {}


def test_a_full_run_of_one_folder_leaves_the_others(world: World) -> None:
    world.update(full(record("one/test_a.py::test_a", use()), record("two/test_b.py::test_b", use())))
    from pytest_hwcloud.permissions.ledger import Ledger

    text = world.update(Ledger([record("one/test_c.py::test_c", use())], complete=True, roots=["one"]))
    assert list(listed(text)) == ["one/test_c.py::test_c", "two/test_b.py::test_b"]


def test_a_skipped_test_keeps_its_lines(world: World) -> None:
    world.update(full(record(A, use(), use(SHOW)), record(B, use())))
    text = world.update(full(record(A, outcome="skipped"), record(B, use())))
    assert listed(text, "ecs:cloudServers:showServer") == {A: "used"}
    assert yaml.safe_load(text)["permissions"]["ecs:cloudServers:showServer"]["calls"] == [SHOW]


def test_a_proof_stays_while_the_need_is_the_same(world: World) -> None:
    world.update(full(record(A, use(), proof={"ecs:cloudServers:list": "proved"})))
    assert listed(world.update(full(record(A, use())))) == {A: "proved"}
    assert listed(world.update(full(record(A, use(identity="viewer"))))) == {A: "used as viewer"}


ROWS = [f"t.py::test_p[{number}]" for number in (1, 2, 3)]


def test_rows_that_become_different_are_taken_apart(world: World) -> None:
    assert listed(world.update(full(*(record(row, use()) for row in ROWS)))) == {"t.py::test_p[*]": "used"}
    text = world.update(part(record(ROWS[0], use(), use(SHOW)), collected=ROWS[:1], deselected=ROWS[1:]))
    assert listed(text) == dict.fromkeys(ROWS, "used")
    text = world.update(full(*(record(row, use(), use(SHOW)) for row in ROWS)))
    assert listed(text, "ecs:cloudServers:showServer") == {"t.py::test_p[*]": "used"}


def test_rows_are_not_put_together_while_one_is_not_known(world: World) -> None:
    run = part(*(record(row, use()) for row in ROWS[:2]), collected=ROWS[:2], deselected=ROWS[2:])
    assert list(listed(world.update(run))) == ROWS[:2]
    assert list(listed(world.update(full(*(record(row, use()) for row in ROWS[:2]), record(ROWS[2]))))) == (ROWS[:2])


def test_one_row_by_itself_leaves_the_line_of_all(world: World) -> None:
    from pytest_hwcloud.permissions.ledger import Ledger

    world.update(full(*(record(row, use()) for row in ROWS)))
    single = Ledger([record(ROWS[1], use())], roots=[])
    assert list(listed(world.update(single))) == ["t.py::test_p[*]"]
    other = Ledger([record(ROWS[1], use(), use(SHOW))], roots=[])
    text = world.update(other)
    assert list(listed(text)) == ["t.py::test_p[*]", ROWS[1]]
    needs = lockfile.read(world.path)
    assert list(needs.needs_of(ROWS[1])) == ["ecs:cloudServers:list", "ecs:cloudServers:showServer"]
    assert list(needs.needs_of(ROWS[2])) == ["ecs:cloudServers:list"]


def test_a_part_without_policies_does_not_take_them_away(world: World) -> None:
    reader = world.policy(["ecs:*:list*"])
    world.update(full(record(A, use())), world.state(default=reader))
    world.update(part(record(B, use())), world.state())
    assert lockfile.read(world.path).identities["default"].policies == {"iam/reader.json": "1.1"}
    before = world.path.read_bytes()
    with pytest.raises(Refused):
        world.update(full(record(A, use())), world.state())
    assert world.path.read_bytes() == before


@settings(max_examples=40, deadline=None, derandomize=True)
@given(st.lists(st.lists(st.sampled_from([LIST, SHOW, TAGS]), max_size=3), min_size=1, max_size=6), st.randoms())
def test_parts_in_any_order_are_the_whole(
    tmp_path_factory: pytest.TempPathFactory, needs: list[list[str]], random: object
) -> None:
    records = [record(f"t.py::test_{i // 3}[{i % 3}]", *map(use, calls)) for i, calls in enumerate(needs)]
    names = [one.nodeid for one in records]
    whole = World(tmp_path_factory.mktemp("whole")).update(full(*records))
    world = World(tmp_path_factory.mktemp("parts"))
    random.shuffle(records)  # type: ignore[attr-defined]
    for one in records:
        world.update(part(one, collected=[one.nodeid], deselected=[n for n in names if n != one.nodeid]))
    final = world.update(full(*records))
    assert final == whole


# the file


def test_what_update_says(world: World) -> None:
    def said(*records: object) -> str:
        line = lockfile.update(full(*records), world.state(), world.settings)  # type: ignore[arg-type]
        return line.replace(os.path.relpath(world.path), "LOCK")

    assert said(record(A, use())) == "lock: LOCK written (1 permission, 1 test)"
    assert said(record(A, use())) == "lock: LOCK unchanged (1 permission, 1 test)"
    assert said(record(A, use(TAGS)), record(B, use(SHOW))) == (
        "lock: LOCK updated (2 permissions, 2 tests; permissions +2 -1)\n"
        "lock: taken out, no test needs it as default any more: ecs:cloudServers:list"
    )


def test_an_unchanged_lock_is_not_written(world: World) -> None:
    world.update(full(record(A, use())))
    os.utime(world.path, (1, 1))
    world.update(full(record(A, use())))
    assert world.path.stat().st_mtime == 1


def test_runs_at_once_lose_nothing(world: World) -> None:
    names = [f"t.py::test_{number}" for number in range(12)]
    state = world.state()
    threads = [
        threading.Thread(target=lockfile.update, args=(part(record(name, use())), state, world.settings))
        for name in names
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(listed(world.path.read_text())) == sorted(names)
    assert os.listdir(world.folder) == ["hwcloud-permissions.yaml"]


def test_a_full_disk_leaves_the_old_lock(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before = world.update(full(record(A, use())))

    def full_disk(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic.os, "fsync", full_disk)
    monkeypatch.chdir(world.folder)
    with pytest.raises(LockError) as error:
        world.update(full(record(B, use(SHOW))))
    assert str(error.value) == (
        "hwcloud-permissions.yaml: cannot be written: No space left on device; the lock is as it was"
    )
    assert world.path.read_text() == before
    assert os.listdir(world.folder) == ["hwcloud-permissions.yaml"]


def test_a_folder_that_is_not_there(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(world.folder)
    with pytest.raises(LockError, match=r"^no/lock.yaml: cannot be written: No such file or directory$"):
        lockfile.write(Path("no/lock.yaml"), Lock())


# reading


GOOD = """\
# written by: pytest --hwcloud-lock=update
version: 1
identities:
  default:
    policies: {iam/ci-reader.json: "1.1"}
    grants:
      - allow ecs:*:get* ecs:*:list*
permissions:
  ecs:cloudServers:list:
    calls: [GET ecs /v1/{project_id}/cloudservers/detail]
    tests:
      tests/test_inventory.py::test_counts_servers: proved
unmapped: {}
"""


def test_the_example_of_the_contract_is_read(world: World) -> None:
    world.path.write_text(GOOD)
    found = lockfile.read(world.path)
    assert found.permissions == {
        "ecs:cloudServers:list": Permission(
            calls=frozenset([LIST]), tests={"tests/test_inventory.py::test_counts_servers": (Entry(status="proved"),)}
        )
    }
    assert found.identities["default"].grants == ("allow ecs:*:get* ecs:*:list*",)


END = " (correct it, or delete the file and create it again: pytest --hwcloud-lock=update)"


TEST = "permissions.ecs:cloudServers:list.tests.tests/test_inventory.py::test_counts_servers"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("version: 1", "version: 7", "2: version: 7: this pytest-hwcloud reads version 1"),
        ("version: 1", "", "1: version: None: this pytest-hwcloud reads version 1"),
        (
            "unmapped: {}",
            "wrong: {}",
            "13: wrong: unknown key; known: version, catalogue, identities, permissions, unmapped, unjudged",
        ),
        (": proved", ": [1]", f"12: {TEST}: a text is expected, not a list; put it in quotes"),
        (
            ": proved",
            ": maybe",
            f"12: {TEST}: 'maybe' is none of missing, undecided, used, proved, swallowed, inconclusive, granted, "
            "refused, with ' as IDENTITY' and ' (fixture NAME)' if so",
        ),
        (
            "  ecs:cloudServers:list:",
            "  ecs-list:",
            "9: permissions.ecs-list: no action: service:type:operation has two colons",
        ),
        (
            "allow ecs",
            "perhaps ecs",
            "7: identities.default.grants[0]: 'perhaps ecs:*:get* ecs:*:list*' is no grant; it reads: "
            "allow ACTION… [on RESOURCE…] [if {CONDITION}]",
        ),
        ("unmapped: {}", "unmapped: {", "14: not valid YAML: did not find expected node content"),
        ("unmapped: {}", "version: 1", "13: version: given twice"),
    ],
)
def test_nonsense_is_named_with_its_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, old: str, new: str, said: str
) -> None:
    monkeypatch.chdir(tmp_path)
    assert old in GOOD
    Path("lock.yaml").write_text(GOOD.replace(old, new))
    with pytest.raises(LockError) as error:
        lockfile.read(Path("lock.yaml"))
    assert str(error.value) == f"lock.yaml:{said}{END}"
    before = Path("lock.yaml").read_bytes()
    with pytest.raises(LockError):
        lockfile.write(Path("lock.yaml"), Lock())
    assert Path("lock.yaml").read_bytes() == before


@pytest.mark.parametrize(("mark", "line"), [("<<<<<<< HEAD", 2), ("=======", 13), (">>>>>>> theirs", 13)])
def test_a_merge_conflict(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mark: str, line: int) -> None:
    monkeypatch.chdir(tmp_path)
    place = "version: 1" if line == 2 else "unmapped: {}"
    Path("lock.yaml").write_text(GOOD.replace(place, f"{mark}\n{place}"))
    with pytest.raises(LockError) as error:
        lockfile.read(Path("lock.yaml"))
    shown = repr(mark.split()[0])
    assert str(error.value) == (
        f"lock.yaml:{line}: merge conflict marker {shown}: take either side, then: pytest --hwcloud-lock=update"
    )


def test_no_lock_and_no_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(LockError, match=r"^lock.yaml: no such file; create it: pytest --hwcloud-lock=update$"):
        lockfile.read(Path("lock.yaml"))
    assert lockfile.problem(Path("lock.yaml")).startswith("lock.yaml: no such file")
    Path("lock.yaml").write_bytes(b"\xff")
    with pytest.raises(
        LockError,
        match=r"^lock.yaml: line 1 is not UTF-8 text .*; correct it, or delete it and create it again: ",
    ):
        lockfile.read(Path("lock.yaml"))


ANY = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
NAMES = st.one_of(
    ANY,
    st.sampled_from(["yes", "1.1", "2024-01-01", "a: b", "a #b", "[x]", "12:30:45", "null", "0x1F", "1_0", "x" * 1100]),
)
ENTRIES = st.lists(
    st.builds(Entry, identity=st.sampled_from(["default", "auditor"]), status=st.sampled_from(model.STATUSES)),
    min_size=1,
    max_size=1,
).map(tuple)
LOCKS = st.builds(
    Lock,
    identities=st.dictionaries(
        NAMES,
        st.builds(Held, policies=st.dictionaries(ANY, st.just("1.1")), grants=st.just(("allow a:b:c",))),
        max_size=2,
    ),
    permissions=st.dictionaries(
        st.sampled_from(["a:b:c", "sts::x"]),
        st.builds(
            Permission, calls=st.frozensets(NAMES, max_size=3), tests=st.dictionaries(NAMES, ENTRIES, max_size=3)
        ),
    ),
    unmapped=st.dictionaries(NAMES, st.frozensets(NAMES, min_size=1, max_size=3), max_size=2),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(LOCKS)
def test_what_is_written_is_read(found: Lock) -> None:
    assert parse(text(found), "x") == found


@pytest.mark.parametrize(
    ("entries", "text"),
    [
        ((Entry(),), "used"),
        ((Entry(status="proved", identity="a b"),), "proved as a b"),
        ((Entry(fixture="f, g"),), "used (fixture f, g)"),
        ((Entry(identity="aud", fixture="f"), Entry(status="refused")), "used as aud (fixture f), refused"),
    ],
)
def test_entries(entries: tuple[Entry, ...], text: str) -> None:
    assert model.shown(entries) == text
    assert model.parse_entries(text) == entries


@pytest.mark.parametrize(
    ("nodeid", "base"),
    [
        ("t.py::test_a", "t.py::test_a"),
        ("t.py::test_a[1]", "t.py::test_a"),
        ("t.py::T::test_a[a::b[c]]", "t.py::T::test_a"),
        ("d[1]/t.py::test_a", "d[1]/t.py::test_a"),
        ("d[1]/t.py::test_a[x]", "d[1]/t.py::test_a"),
    ],
)
def test_rows_of_a_test(nodeid: str, base: str) -> None:
    assert model.base(nodeid) == base
    assert model.row(nodeid) is (nodeid != base)
