"""`--hwcloud-lock` as a user has it: written, checked, in parts, at once, and when something is in the way."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
import requests  # noqa: F401  (pytester takes back what a run imports: what is here before is imported once)
import vcr  # noqa: F401

import pytest_hwcloud.run.run  # noqa: F401
from pytest_hwcloud.commands import cli
from pytest_hwcloud.permissions import observe, run_end  # noqa: F401
from pytest_hwcloud.permissions.lock import check, minimise, widened  # noqa: F401
from pytest_hwcloud.permissions.rules import judge  # noqa: F401
from pytest_hwcloud.rules import RULES

SOURCE = """
import pytest

URL = "/v1/{project_id}/cloudservers/detail"

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_counts_servers(hwcloud, hwcloud_session):
    assert hwcloud_session.get(hwcloud.url("ecs", URL)).json()["count"] == 8

@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.parametrize("page", [1, 2])
def test_pages(hwcloud, hwcloud_session, page):
    assert hwcloud_session.get(hwcloud.url("ecs", URL)).json()["count"] == 8

@pytest.mark.hwcloud_cassette("success/aksk-any-scope")
def test_tags(hwcloud, hwcloud_session):
    assert hwcloud_session.get(hwcloud.url("tms", "/v1.0/predefine_tags")).ok

@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
@pytest.mark.hwcloud_identity("viewer")
@pytest.mark.denied_permission("ecs:cloudServers:list")
def test_viewer_may_not(hwcloud, hwcloud_session):
    with hwcloud.refused("Ecs.0110"):
        hwcloud_session.get(hwcloud.url("ecs", URL)).raise_for_status()

def test_without_cloud():
    pass
"""
CONFIG = """
identities:
  default: {policies: [iam/ci-reader.json]}
  viewer: {policies: [iam/viewer.json]}
"""
LOCK = """\
# written by: pytest --hwcloud-lock=update
version: 1
identities:
  default:
    policies: {iam/ci-reader.json: "1.1"}
    grants:
      - allow ecs:*:get* ecs:*:list*
      - allow tms:*:list*
  viewer:
    policies: {iam/viewer.json: "1.1"}
    grants:
      - allow tms:*:list*
permissions:
  ecs:cloudServers:list:
    calls: ["GET ecs /v1/{project_id}/cloudservers/detail", \
"GET ecs /v1/{project_id}/cloudservers/detail as viewer"]
    tests:
      test_it.py::test_counts_servers: used
      test_it.py::test_pages[*]: used
      test_it.py::test_viewer_may_not: refused as viewer
  tms:predefineTags:list:
    calls: [GET tms /v1.0/predefine_tags]
    tests:
      test_it.py::test_tags: used
unmapped: {}
"""

WIDE = """
import pytest, requests
from pytest_hwcloud import AkSkAuth

@pytest.fixture(scope="module")
def servers(request):
    from pytest_hwcloud.plugin import run_of
    identity = run_of(request.config).state.identity("default")
    url = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"
    return requests.get(url, auth=AkSkAuth(identity.ak, identity.sk)).json()

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_one(hwcloud, servers):
    assert servers["count"] == 8

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_two(hwcloud, servers):
    assert servers["count"] == 8
"""
WIDE_LINES = """\
      test_wide.py::test_one: used (fixture servers)
      test_wide.py::test_two: used (fixture servers)
"""


def policy(*patterns: list[str]) -> str:
    rows = [{"Effect": "Allow", "Action": row} for row in patterns]
    return json.dumps({"Version": "1.1", "Statement": rows}, indent=2) + "\n"


class Project:
    """A project with a lock to be."""

    def __init__(self, pytester: pytest.Pytester) -> None:
        self.pytester, self.path = pytester, Path(pytester.path)
        self.lock = self.path / "hwcloud-permissions.yaml"
        (self.path / "iam").mkdir()
        self.reader = self.path / "iam" / "ci-reader.json"
        self.reader.write_text(policy(["ecs:*:get*", "ecs:*:list*"], ["tms:*:list*"]))
        (self.path / "iam" / "viewer.json").write_text(policy(["tms:*:list*"]))
        (self.path / "hwcloud.yaml").write_text(CONFIG)
        pytester.makeini("[pytest]\n")
        self.source(SOURCE)

    def source(self, text: str, name: str = "test_it") -> None:
        self.pytester.makepyfile(**{name: text})

    def run(self, *arguments: str) -> pytest.RunResult:
        return self.pytester.runpytest_inprocess("-p", "hwcloud", "-p", "no:cacheprovider", *arguments)

    def run_outside(self, *arguments: str) -> pytest.RunResult:
        """In a process of its own: with xdist, or where a process dies."""
        alone = ("-p", "hwcloud", "-p", "xdist", "-p", "no:cacheprovider")
        return self.pytester.runpytest_subprocess(*alone, *arguments)

    def update(self, *arguments: str) -> pytest.RunResult:
        return self.run("--hwcloud-lock=update", *arguments)

    def check(self, *arguments: str) -> pytest.RunResult:
        return self.run("--hwcloud-lock=check", *arguments)


@pytest.fixture
def project(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Project:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    return Project(pytester)


def found(result: pytest.RunResult) -> list[str]:
    """The head lines of all findings."""
    return [line for line in result.outlines if line.partition(" ")[0] in RULES]


def test_written_then_quiet(project: Project) -> None:
    result = project.update()
    result.assert_outcomes(passed=6)
    result.stdout.fnmatch_lines(["lock: hwcloud-permissions.yaml written (2 permissions, 4 tests)"])
    assert project.lock.read_text() == LOCK
    result = project.check("--hwcloud-permissions=enforce")
    assert (result.ret, found(result)) == (0, [])


def test_the_same_bytes_under_xdist_and_in_any_order(project: Project) -> None:
    project.source(WIDE, "test_wide")
    project.source("def pytest_collection_modifyitems(items):\n    items.reverse()\n", "conftest")
    project.update().assert_outcomes(passed=8)
    serial = project.lock.read_text()
    assert serial.replace(WIDE_LINES, "") == LOCK
    project.lock.unlink()
    project.run_outside("-n2", "--hwcloud-lock=update").assert_outcomes(passed=8)
    assert project.lock.read_text() == serial


BROKEN = """\
HWP007 lost-permission  ecs:cloudServers:list   cause: policy iam/ci-reader.json
  was       allowed by "ecs:*:list*" (statement 1)
  breaks    3 tests: test_it.py::test_counts_servers · ::test_pages[*] (2)
  call      GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:7
            GET ecs /v1/{project_id}/cloudservers/detail      test_it.py:12
  now       deny (implicit): no statement allows it; 2 statements looked at      iam/ci-reader.json
  fix       iam/ci-reader.json:6: add "ecs:cloudServers:list" to statement 1
            --- iam/ci-reader.json
            +++ ./iam/ci-reader.json
            @@ -4,7 +4,8 @@
                 {
                   "Effect": "Allow",
                   "Action": [
            -        "ecs:*:get*"
            +        "ecs:*:get*",
            +        "ecs:cloudServers:list"
                   ]
                 },
                 {
  accept    pytest --hwcloud-lock=update
"""


def test_a_broken_policy(project: Project) -> None:
    project.lock.write_text(LOCK)
    project.reader.write_text(policy(["ecs:*:get*"], ["tms:*:list*"]))
    result = project.check()
    assert BROKEN in "\n".join(result.outlines)
    assert [line.split()[0] for line in found(result)] == ["HWP001", "HWP007"]
    assert project.lock.read_text() == LOCK


def test_the_patch_of_the_terminal_mends_it(project: Project) -> None:
    project.lock.write_text(LOCK)
    project.reader.write_text(policy(["ecs:*:get*"], ["tms:*:list*"]))
    shown = project.check().outlines
    start = shown.index("            --- iam/ci-reader.json")
    patch = "\n".join(shown[start : shown.index("  accept    pytest --hwcloud-lock=update")]) + "\n"
    subprocess.run(["patch", "-p0"], input=patch, text=True, cwd=project.path, check=True, capture_output=True)
    project.check().assert_outcomes(passed=6)


NEW_CALL = """
import pytest

@pytest.mark.hwcloud_cassette("success/list-servers", "success/aksk-any-scope")
def test_more(hwcloud, hwcloud_session):
    hwcloud_session.get(hwcloud.url("tms", "/v1.0/predefine_tags"))
"""


def test_a_test_more_with_the_same_need_is_no_difference(project: Project) -> None:
    project.lock.write_text(LOCK)
    project.source(NEW_CALL, "test_new")
    project.source(SOURCE.replace("import pytest", "\n\nimport pytest"))
    result = project.check("--hwcloud-permissions=enforce")
    assert (result.ret, found(result)) == (0, [])


@pytest.mark.parametrize(("permissions", "code"), [("enforce", 1), ("report", 0), ("off", 0)])
def test_a_new_need(project: Project, permissions: str, code: int) -> None:
    lines = LOCK.splitlines(keepends=True)
    start = next(index for index, line in enumerate(lines) if line.startswith("  tms:"))
    project.lock.write_text("".join(lines[:start] + lines[start + 4 :]))
    result = project.check(f"--hwcloud-permissions={permissions}")
    assert result.ret == code
    if permissions == "off":
        assert found(result) == []
        return
    paragraph = f"""\
HWP008 new-permission  tms:predefineTags:list   cause: code test_it.py:16
  call      GET tms /v1.0/predefine_tags      test_it.py:16
  needs     1 test: test_it.py::test_tags
  now       allowed by "tms:*:list*" (statement 2)      iam/ci-reader.json:11
  accept    pytest --hwcloud-permissions={permissions} --hwcloud-lock=update
"""
    assert paragraph in "\n".join(result.outlines)
    assert len(found(result)) == 1
    if permissions == "enforce":
        assert "hwcloud: exit status 1: 1 permission finding (HWP008), permissions enforce" in result.outlines


def test_a_wider_policy(project: Project) -> None:
    project.lock.write_text(LOCK)
    project.reader.write_text(policy(["ecs:*:get*", "ecs:*:list*", "ecs:cloudServers:start"], ["tms:*:list*"]))
    result = project.check("--hwcloud-permissions=enforce")
    assert result.ret == 1
    assert found(result) == ["HWP009 widened-policy  ecs:cloudServers:start   cause: policy iam/ci-reader.json"]
    result.stdout.fnmatch_lines(
        [
            "  gains     *",
            "  was       denied",
            '  now       allowed by "ecs:cloudServers:start" (statement 1)      iam/ci-reader.json:4',
            "  used      by no test of this run",
            '  fix       iam/ci-reader.json:9: remove "ecs:cloudServers:start" from statement 1',
        ]
    )


def test_a_part_touches_only_what_ran(project: Project) -> None:
    project.lock.write_text(LOCK)
    project.source(SOURCE.replace("def test_tags", "def test_labels"))
    project.update("-k", "counts or labels")
    assert "      test_it.py::test_labels: used\n      test_it.py::test_tags: used\n" in project.lock.read_text()
    project.update("test_it.py::test_pages[2]")
    assert "      test_it.py::test_pages[*]: used\n" in project.lock.read_text()
    project.update()
    assert project.lock.read_text() == LOCK.replace("test_tags", "test_labels")


def test_a_red_run_deletes_nothing(project: Project) -> None:
    project.lock.write_text(LOCK)
    project.source("def test_red():\n    assert False\n", "test_red")
    project.source(SOURCE.replace("def test_tags", "def test_labels"))
    project.update()
    assert "      test_it.py::test_labels: used\n      test_it.py::test_tags: used\n" in project.lock.read_text()


def test_a_crashed_worker_deletes_nothing(project: Project) -> None:
    project.lock.write_text(LOCK)
    head = "def test_tags(hwcloud, hwcloud_session):"
    project.source(SOURCE.replace(head, f"{head}\n    import os; os._exit(3)"))
    result = project.run_outside("-n2", "--max-worker-restart=0", "--hwcloud-lock=update")
    assert result.ret == 1
    assert project.lock.read_text() == LOCK


def test_two_runs_at_once_lose_nothing(project: Project) -> None:
    command = [sys.executable, "-m", "pytest", "-p", "hwcloud", "-p", "no:cacheprovider", "--hwcloud-lock=update"]
    runs = [
        subprocess.Popen([*command, "-k", words], cwd=project.path, stdout=subprocess.DEVNULL)
        for words in ("counts or pages", "tags or viewer")
    ]
    assert [run.wait() for run in runs] == [0, 0]
    assert project.lock.read_text() == LOCK


def test_no_lock_to_check(project: Project) -> None:
    result = project.check()
    assert result.ret == 1
    assert (
        result.outlines[-1]
        == "hwcloud: hwcloud-permissions.yaml: no such file; create it: pytest --hwcloud-lock=update"
    )


@pytest.mark.parametrize("what", ["check", "update"])
def test_a_lock_with_a_conflict_is_an_error_and_stays(project: Project, what: str) -> None:
    text = LOCK.replace("      - allow tms", "<<<<<<< HEAD\n      - allow tms", 1)
    project.lock.write_text(text)
    result = project.run(f"--hwcloud-lock={what}")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        "ERROR: hwcloud: hwcloud-permissions.yaml:8: merge conflict marker '<<<<<<<': take either side, then: "
        "pytest --hwcloud-lock=update"
    ) in result.errlines
    assert project.lock.read_text() == text


def test_a_folder_that_cannot_be_written(project: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tests may run as root, whom no mode keeps out: the system's answer is played."""

    def refuse(*_: object) -> None:
        raise PermissionError(13, "Permission denied")

    project.lock.write_text(LOCK.replace(": used", ": proved"))
    monkeypatch.setattr(os, "replace", refuse)
    project.source(SOURCE.replace("def test_tags", "def test_labels"))
    result = project.update()
    assert result.ret == 1
    assert result.outlines[-1] == (
        "hwcloud: hwcloud-permissions.yaml: cannot be written: Permission denied; the lock is as it was"
    )
    assert project.lock.read_text() == LOCK.replace(": used", ": proved")


def test_the_suite_is_green_under_the_smallest_policy(project: Project, capsys: pytest.CaptureFixture[str]) -> None:
    project.update()
    os.chdir(project.path)
    capsys.readouterr()
    assert cli.run(["policy", "minimise", "--json"]) == 0
    policies = json.loads(capsys.readouterr().out)["policies"]
    assert [one["document"]["Statement"][0]["Action"] for one in policies] == [
        ["ecs:cloudServers:list"],
        ["tms:predefineTags:list"],
    ]
    files = [project.path / "iam" / f"{one['name']}.json" for one in policies]
    for file, one in zip(files, policies, strict=True):
        file.write_text(json.dumps(one["document"]))
    names = ", ".join(f"iam/{file.name}" for file in files)
    (project.path / "hwcloud.yaml").write_text(CONFIG.replace("iam/ci-reader.json", names))
    result = project.run("--hwcloud-permissions=enforce")
    assert result.ret == 0
    result.assert_outcomes(passed=6)
