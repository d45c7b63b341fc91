"""`policy fix`: the printed patch applies with git in any shape of file, and heals all that a run missed."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from lock_world import ACTIONS, LIST, SHOW, World, full, record, use
from reported import settings

from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.commands import cli
from pytest_hwcloud.permissions.policies import spellings
from pytest_hwcloud.permissions.reports import json_report
from pytest_hwcloud.permissions.reports.overview import overview
from pytest_hwcloud.permissions.rules import by_policy

VOLUMES = "GET evs /v2/{project_id}/cloudvolumes/detail"
WANTED = {**ACTIONS, VOLUMES: "evs:volumes:list"}
PLAIN = json.dumps(
    {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:servers:get", "vpc:vpcs:list"]}]}, indent=2
)
SHAPES = {
    "spaces": PLAIN + "\n",
    "no final line end": PLAIN,
    "tabs": json.dumps(json.loads(PLAIN), indent="\t") + "\n",
    "one line": json.dumps(json.loads(PLAIN)),
    "dense": json.dumps(json.loads(PLAIN), separators=(",", ":")) + "\n",
    "CRLF": PLAIN.replace("\n", "\r\n") + "\r\n",
    "CRLF, no final line end": PLAIN.replace("\n", "\r\n"),
    "mixed line ends": PLAIN.replace("\n", "\r\n", 3) + "\n",
    "CR": PLAIN.replace("\n", "\r"),
    "byte order mark": "\ufeff" + PLAIN + "\n",
    "blank lines after it": PLAIN + "\n\n\n",
    "of the API": json.dumps({"role": {"display_name": "x", "policy": json.loads(PLAIN)}}, indent=1) + "\n",
    "5.0": PLAIN.replace('"1.1"', '"5.0"').replace("Effect", 'Sid": "a",\n      "Effect'),
}
NAMES = ["reader.json", "iam/reader.json", "iam/the reader.json", "策略/只读.json", "./a/../iam/r.json", "-r.json"]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(name: str, text: str = PLAIN) -> Path:
    file = Path(name)
    Path(name.partition("/")[0] if "/" in name else ".").mkdir(exist_ok=True)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(text.encode())
    return file


def report(files: Sequence[Path | str], calls: Sequence[str], path: str = "r.json") -> str:
    """The json report of a run that made these calls and was refused them."""
    world = World(Path.cwd())
    state = world.state(default=list(files))
    uses = [use(call, verdict="deny", refused=True, action=WANTED[call], identity="default") for call in calls]
    rows = record("t.py::test", *uses, outcome="failed")
    rows.findings = [finding.to_dict() for finding in by_policy.judge(rows, state, world.folder)]
    given = settings()._replace(root=world.folder)
    Path(path).write_text(json_report.render(overview(given, full(rows), state)))
    return path


def apply(patch: str, folder: Path | None = None) -> None:
    done = subprocess.run(["git", "apply", "-"], input=patch.encode(), cwd=folder, capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("text", SHAPES.values(), ids=SHAPES)
def test_one_patch_heals_everything_in_any_shape_of_file(
    folder: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    file = write("iam/x.json", text)
    calls = [LIST, SHOW] if "5.0" in text else [LIST, SHOW, VOLUMES]  # no document has a 5.0 name for the last
    assert cli.run(["policy", "fix", report([file], calls)]) == 0
    patch, err = capsys.readouterr()
    assert err == ""
    before = file.read_bytes()
    apply(patch)
    after = file.read_bytes()
    policy = Policy.load(file)
    assert all(spellings.decide(policy.decide, WANTED[call], [call]) for call in calls)
    kept = [line for line in before.splitlines(keepends=True) if line in after.splitlines(keepends=True)]
    assert len(kept) >= len(before.splitlines()) - 2  # the line before the new one gets a comma, the last a line end
    file.write_bytes(before)
    assert cli.run(["policy", "fix", "r.json", "--write"]) == 0
    assert capsys.readouterr().out == "iam/x.json: written\n"
    assert file.read_bytes() == after
    assert cli.run(["policy", "fix", "r.json"]) == 0
    assert capsys.readouterr() == ("", "nothing to change: the policies allow what the report misses\n")


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("repository", [True, False])
def test_files_with_any_name(folder: Path, capsys: pytest.CaptureFixture[str], name: str, repository: bool) -> None:
    if repository:
        subprocess.run(["git", "init", "-q"], check=True)
    file = write(name)
    assert cli.run(["policy", "fix", report([file], [LIST])]) == 0
    apply(capsys.readouterr().out)
    assert Policy.load(file).decide("ecs:cloudServers:list")


def test_from_any_folder(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """`git apply` takes no file above the folder it runs in: that is said, and --write does it."""
    subprocess.run(["git", "init", "-q"], check=True)
    file = write("iam/x.json")
    report(["iam/x.json"], [LIST])
    before = file.read_bytes()
    monkeypatch.chdir(folder / "iam")
    assert cli.run(["policy", "fix", "../r.json"]) == 0
    apply(capsys.readouterr().out)
    assert Policy.load(folder / file).decide("ecs:cloudServers:list")
    (folder / file).write_bytes(before)
    (folder / "other").mkdir()
    monkeypatch.chdir(folder / "other")
    assert cli.run(["policy", "fix", "../r.json"]) == 1
    said = "lies outside this folder, where git apply takes no file"
    assert capsys.readouterr() == (
        "",
        f"pytest-hwcloud: ../iam/x.json: {said}; run the command in that folder, or let it write: --write\n",
    )
    assert cli.run(["policy", "fix", "../r.json", "--write"]) == 0
    assert Policy.load(folder / file).decide("ecs:cloudServers:list")


def test_several_files_and_what_no_edit_heals(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each action goes where its like stand; a Deny with a wildcard and a policy of the system are not edited."""
    servers, volumes = write("a.json"), write("b.json", PLAIN.replace("ecs:servers", "evs:volumes"))
    assert cli.run(["policy", "fix", report([servers, volumes], [VOLUMES, LIST]), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["file"] for row in found["patches"]] == ["a.json", "b.json"]
    assert ["evs:volumes:list" in row["patch"] for row in found["patches"]] == [False, True]
    denied = json.dumps({"Version": "1.1", "Statement": [{"Effect": "Deny", "Action": ["ecs:*:*"]}]})
    for held in ([write("c.json", denied)], ["system:AOM Viewer"]):
        assert cli.run(["policy", "fix", report(held, [LIST])]) == 1
        said = "identity default: no edit of its policies allows ecs:cloudServers:list; give it a policy of its own"
        assert capsys.readouterr() == ("", f"pytest-hwcloud: {said}\n")
    assert cli.run(["policy", "fix", "r.json", "--lang", "zh"]) == 1
    said = "身份 default：修改其策略无法允许 ecs:cloudServers:list；请为其单独授予策略"
    assert capsys.readouterr().err.endswith(f"{said}\n")


def test_the_other_lines_in_both_languages(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def lines(*arguments: str) -> list[str]:
        cli.run(["policy", "fix", *arguments])
        shown = capsys.readouterr()
        return (shown.out + shown.err).splitlines()

    file = write("iam/x.json")
    text = file.read_text()
    report(["iam/x.json"], [LIST])
    (folder / "other").mkdir()
    monkeypatch.chdir(folder / "other")
    assert lines("../r.json", "--lang", "zh") == [
        "pytest-hwcloud：../iam/x.json：位于当前文件夹之外，git apply 不接受这样的文件；"
        "请在该文件夹中运行，或用 --write 直接写入"
    ]
    monkeypatch.chdir(folder)

    def refused(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    with monkeypatch.context() as closed:
        closed.setattr("pytest_hwcloud.files.atomic.write_whole", refused)
        said = ["iam/x.json: cannot be written: Permission denied", "iam/x.json：无法写入：Permission denied"]
        assert lines("r.json", "--write") == [f"pytest-hwcloud: {said[0]}"]
        assert lines("r.json", "--write", "--lang", "zh") == [f"pytest-hwcloud：{said[1]}"]
    assert file.read_text() == text
    assert lines("r.json", "--write", "--lang", "zh") == ["iam/x.json：已写入"]
    assert lines("r.json", "--lang", "zh") == ["无需修改：策略已允许报告中缺少的权限"]


def test_wrong_use(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = write("a.json")
    report([file], [LIST])
    file.write_text("{")
    assert cli.run(["policy", "fix", "r.json"]) == 2
    assert capsys.readouterr().err.startswith("pytest-hwcloud: a.json:1: not valid JSON: ")
    file.unlink()
    assert cli.run(["policy", "fix", "r.json"]) == 2
    assert capsys.readouterr().err == "pytest-hwcloud: a.json: no such file\n"
    for bad in ("{", "[]", '{"format": "pytest-hwcloud report", "version": 1, "findings": [{}], "tests": []}'):
        Path("bad.json").write_text(bad)
        assert cli.run(["policy", "fix", "bad.json"]) == 2
        assert capsys.readouterr().err.startswith("pytest-hwcloud: bad.json: ")
