"""Updates of the lock in every way they are called: what is in it no more is named, or nothing is written.

The rule is checked on the lock itself: whatever the file held before and not after stands in what the run said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from permission_project import HEAD, policy

from pytest_hwcloud.cloud.patterns import covers
from pytest_hwcloud.permissions.lock import lockfile
from pytest_hwcloud.permissions.lock.model import Lock

Run = Callable[..., pytest.RunResult]
LOCK = "hwcloud-permissions.yaml"
UPDATE = "--hwcloud-lock=update"
CASSETTE = '@pytest.mark.hwcloud_cassette("success/list-servers")\n'
ONE = (
    HEAD
    + CASSETTE
    + "def test_list(hwcloud):\n    get(hwcloud)\n\n"
    + CASSETTE
    + '@pytest.mark.hwcloud_identity("auditor")\ndef test_audit(hwcloud):\n    get(hwcloud)\n\n'
    + CASSETTE
    + '@pytest.mark.parametrize("n", [1, 2])\ndef test_rows(hwcloud, n):\n    get(hwcloud)\n'
)
TWO = HEAD + CASSETTE + "def test_other(hwcloud):\n    get(hwcloud)\n"
YAML = "identities:\n  default: {policies: [iam/r.json]}\n  auditor: {policies: [iam/a.json]}\n"


class Project:
    """The folder as it was when the lock was written, and what is done to it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.restore()

    def restore(self) -> None:
        for name, text in {"test_one.py": ONE, "test_two.py": TWO, "hwcloud.yaml": YAML}.items():
            self.write(name, text)
        policy(self.folder, "iam/r.json", ("ecs:*:list*", "vpc:*:get*"), ("evs:*:get*",))
        policy(self.folder, "iam/a.json", ("ecs:*:list*",))
        policy(self.folder, "iam/empty.json")
        policy(self.folder, "iam/other.json", ("ecs:*:*",))
        policy(self.folder, "iam/none.json", {"Effect": "Deny", "Action": ["*:*:*"]})

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def change(self, name: str, old: str, new: str) -> None:
        text = (self.folder / name).read_text(encoding="utf-8")
        assert old in text
        self.write(name, text.replace(old, new))


def renamed(project: Project) -> None:
    project.change("hwcloud.yaml", "auditor", "reviewer")
    project.change("test_one.py", "auditor", "reviewer")


def removed(project: Project) -> None:
    project.write("hwcloud.yaml", YAML.rsplit("  auditor", 1)[0])
    project.change("test_one.py", '@pytest.mark.hwcloud_identity("auditor")\n', "")


def no_policies(project: Project) -> None:
    project.write("hwcloud.yaml", "identities: {auditor: {policies: [iam/a.json]}}\n")


def newer(project: Project) -> None:
    project.change(LOCK, "version: 1", "version: 2")


def conflicting(project: Project) -> None:
    project.change(LOCK, "permissions:\n", "<<<<<<< HEAD\npermissions:\n")


# name -> (what is done to the project, arguments of the run)
WAYS: dict[str, tuple[Callable[[Project], object], list[str]]] = {
    "nothing changed": (lambda p: None, []),
    "an identity is renamed": (renamed, []),
    "an identity is removed": (removed, []),
    "an identity loses its policies": (no_policies, []),
    "hwcloud.yaml is gone": (lambda p: (p.folder / "hwcloud.yaml").unlink(), ["test_two.py"]),
    "another policy in hwcloud.yaml": (lambda p: p.change("hwcloud.yaml", "iam/r.json", "iam/other.json"), []),
    "another policy on the command line": (
        lambda p: p.change("hwcloud.yaml", "policies: [iam/r.json]", "policies: []"),
        ["--hwcloud-policy=iam/other.json"],
    ),
    "a further policy on the command line": (lambda p: None, ["--hwcloud-policy=iam/other.json"]),
    "an empty policy on the command line": (
        lambda p: p.change("hwcloud.yaml", "policies: [iam/r.json]", "policies: []"),
        ["--hwcloud-policy=iam/empty.json"],
    ),
    "a policy that denies all, by name": (
        lambda p: p.change("hwcloud.yaml", "policies: [iam/r.json]", "policies: []"),
        ["--hwcloud-policy", "default=iam/none.json"],
    ),
    "the policy of another identity is named": (
        lambda p: p.change("hwcloud.yaml", "policies: [iam/r.json]", "policies: []"),
        ["--hwcloud-policy=auditor=iam/a.json"],
    ),
    "a narrower policy": (lambda p: policy(p.folder, "iam/r.json", ("ecs:*:list*",)), []),
    "a policy that allows nothing": (
        lambda p: policy(p.folder, "iam/r.json", {"Effect": "Deny", "Action": ["*:*:*"]}),
        [],
    ),
    "an empty policy": (lambda p: policy(p.folder, "iam/r.json"), []),
    "deselected by -k": (lambda p: None, ["-k", "rows"]),
    "deselected by -m": (lambda p: None, ["-m", "nothing"]),
    "deselected by name": (lambda p: None, ["--deselect", "test_one.py::test_list"]),
    "one file": (lambda p: None, ["test_two.py"]),
    "one row": (lambda p: None, ["test_one.py::test_rows[2]"]),
    "an ignored file": (lambda p: None, ["--ignore=test_one.py"]),
    "stopped at the first failure": (
        lambda p: p.change("test_one.py", "def test_list(hwcloud):", "def test_list(x):"),
        ["-x"],
    ),
    "a failing test": (lambda p: p.change("test_one.py", "    get(hwcloud)\n\n", "    assert 0\n\n"), []),
    "a file that cannot be collected": (lambda p: p.write("test_one.py", "import nothing_there\n"), []),
    "and the run goes on": (
        lambda p: p.write("test_one.py", "import nothing_there\n"),
        ["--continue-on-collection-errors"],
    ),
    "skipped": (lambda p: p.change("test_one.py", "    get(hwcloud)\n", "    pytest.skip()\n"), []),
    "a skipped file": (lambda p: p.write("test_one.py", "import pytest\npytest.skip(allow_module_level=True)\n"), []),
    "expected to fail": (lambda p: p.change("test_one.py", "    get(hwcloud)\n", "    pytest.xfail()\n"), []),
    "the call is gone": (lambda p: p.change("test_one.py", "    get(hwcloud)\n", "    pass\n"), []),
    "a test is gone": (lambda p: p.write("test_two.py", ""), []),
    "all tests are gone": (lambda p: [p.write(name, "") for name in ("test_one.py", "test_two.py")], []),
    "a test is renamed": (lambda p: p.change("test_one.py", "test_list", "test_listed"), []),
    "fewer rows": (lambda p: p.change("test_one.py", "[1, 2]", "[1]"), []),
    "only collected": (lambda p: None, ["--collect-only"]),
    "the plugin judges nothing": (lambda p: None, ["--hwcloud-permissions=off"]),
    "a lock of a newer version": (newer, []),
    "a lock in conflict": (conflicting, []),
    "two processes": (lambda p: p.write("test_two.py", ""), ["-p", "xdist", "-n2"]),
}
QUICK = [
    "an identity is renamed",
    "another policy on the command line",
    "a narrower policy",
    "skipped",
    "the call is gone",
]


def held(lock: Lock) -> Iterator[str]:
    """What the lock says, each as a text that must stand in the output where it is no more."""
    for name, one in lock.identities.items():
        yield from one.policies
        yield from (word for grant in one.grants for word in grant.split())
        if one.policies:
            yield name
    for action, need in lock.permissions.items():
        yield action
        yield from need.tests


def lost(before: Lock, after: Lock, said: str) -> list[str]:
    kept = set(held(after))
    wider = [word for word in kept if "*" in word]
    gone = [what for what in held(before) if what not in kept and what not in said]
    return [what for what in gone if not any(covers(pattern, what) for pattern in wider)]


def update(run: Run, project: Project, way: str) -> list[str]:
    """What is lost and not said."""
    change, arguments = WAYS[way]
    lock = project.folder / LOCK
    change(project)
    before = lock.read_bytes()
    old = None if lockfile.problem(lock) else lockfile.read(lock)
    result = run(UPDATE, *arguments)
    said = result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in said
    assert result.ret in (0, 1, 2, 4, 5)
    if old is None:
        assert lock.read_bytes() == before
        assert result.ret == pytest.ExitCode.USAGE_ERROR
        return []
    return lost(old, lockfile.read(lock), said)


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\n")
    return lambda *arguments: pytester.runpytest_inprocess("-p", "hwcloud", *arguments)


@pytest.fixture
def project(run: Run, pytester: pytest.Pytester) -> tuple[Project, bytes]:
    made = Project(pytester.path)
    assert run(UPDATE).ret == 0
    return made, pytester.path.joinpath(LOCK).read_bytes()


def all_said(run: Run, project: tuple[Project, bytes], ways: list[str]) -> dict[str, list[str]]:
    made, lock = project
    found = {}
    for way in ways:
        made.restore()
        made.folder.joinpath(LOCK).write_bytes(lock)
        if missing := update(run, made, way):
            found[way] = missing
    return found


def test_some_ways(run: Run, project: tuple[Project, bytes]) -> None:
    assert all_said(run, project, QUICK) == {}


@pytest.mark.extended
def test_every_way(run: Run, project: tuple[Project, bytes]) -> None:
    assert all_said(run, project, [way for way in WAYS if way not in QUICK]) == {}


def test_the_lines(run: Run, project: tuple[Project, bytes]) -> None:
    """Naming another policy takes the old one out, and says so; a missing lock repeats the run's options."""
    made, _ = project
    made.change("hwcloud.yaml", "policies: [iam/r.json]", "policies: []")
    result = run(UPDATE, "--hwcloud-policy=iam/other.json")
    assert [line for line in result.outlines if line.startswith("lock: taken out")] == [
        "lock: taken out, identity default holds policy iam/r.json no more",
        "lock: taken out, identity default is granted no more: allow vpc:*:get*",
        "lock: taken out, identity default is granted no more: allow evs:*:get*",
    ]
    made.restore()
    made.folder.joinpath(LOCK).unlink()
    result = run("--hwcloud-lock=check", "--hwcloud-policy=iam/other.json", "test_two.py")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert (
        f"hwcloud: {LOCK}: no such file;"
        " create it: pytest test_two.py --hwcloud-policy=iam/other.json --hwcloud-lock=update"
    ) in result.outlines


def test_the_lines_in_chinese(run: Run, project: tuple[Project, bytes]) -> None:
    made, _ = project
    for name in ("test_one.py", "test_two.py"):
        made.write(name, made.folder.joinpath(name).read_text().replace("    get(hwcloud)\n", "    pass\n"))
    policy(made.folder, "iam/r.json", ("ecs:*:list*",))
    result = run(UPDATE, "--hwcloud-lang=zh")
    assert [line for line in result.outlines if "已移除" in line][:2] == [
        "锁文件：已移除，不再授予身份 default：allow vpc:*:get*",
        "锁文件：已移除，不再授予身份 default：allow evs:*:get*",
    ]
