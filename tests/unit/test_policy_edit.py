"""The smallest edit of a policy: it heals, it keeps the file as it is written, and its patch applies."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from lock_world import LIST, SHOW, World

from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Rights
from pytest_hwcloud.files import json_edit
from pytest_hwcloud.permissions.policies import edit as policy_edit
from pytest_hwcloud.permissions.policies import grant_lines
from pytest_hwcloud.permissions.policies.edit import Edit, Pattern

WAYS = [["git", "apply"], ["patch", "-p0"], ["patch", "-p1"]]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "iam").mkdir()
    return tmp_path


def allow(folder: Path, text: str, action: str = "ecs:cloudServers:list", call: str = LIST) -> Edit | None:
    file = folder / "iam" / "x.json"
    file.write_bytes(text.encode())
    return policy_edit.allow(Rights.of([Policy.load(str(file))]), action, [call], folder)


def applied(folder: Path, edit: Edit, command: list[str]) -> bytes:
    """The file after the patch, indented as the terminal shows it if `patch` reads it."""
    before = edit.file.read_bytes()
    patch = edit.patch if command[0] == "git" else "".join(f"    {row}" for row in edit.patch.splitlines(keepends=True))
    subprocess.run(command, input=patch.encode(), cwd=folder, check=True, capture_output=True)
    after = edit.file.read_bytes()
    edit.file.write_bytes(before)
    return after


ONE_LINE = '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:*:get*"]}]}\n'
LAID_OUT = json.dumps(json.loads(ONE_LINE), indent=4) + "\n"
TABS = json.dumps(json.loads(ONE_LINE), indent="\t")
WRAPPED = json.dumps({"role": {"display_name": "x", "policy": json.loads(ONE_LINE)}}, indent=2) + "\n"
SINGLE = '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": "ecs:*:get*"}]}\n'


@pytest.mark.skipif(not all(map(shutil.which, ("git", "patch"))), reason="needs git and patch")
@pytest.mark.parametrize(
    "text", [ONE_LINE, LAID_OUT, TABS, WRAPPED, SINGLE, LAID_OUT.replace("\n", "\r\n"), "\ufeff" + LAID_OUT]
)
def test_the_patch_applies_and_heals(folder: Path, text: str) -> None:
    edit = allow(folder, text)
    assert edit is not None
    results = {applied(folder, edit, command) for command in (WAYS[:1] if "\r" in text else WAYS)}
    (after,) = results
    edit.file.write_bytes(after)
    assert Policy.load(str(edit.file)).decide("ecs:cloudServers:list")
    added = after.decode().replace('"ecs:cloudServers:list"', "")
    assert [c for c in added if c not in ' \n\t\r,[]"'] == [c for c in text if c not in ' \n\t\r,[]"']
    assert after.count(b"\r\n") in (0, after.count(b"\n"))


@pytest.mark.parametrize(
    ("statements", "words"),
    [
        (
            [{"Effect": "Allow", "Action": ["ecs:*:list*"]}, {"Effect": "Allow", "Action": ["ecs:cloudServers:start"]}],
            'iam/x.json:1: add "ecs:cloudServers:showServer" to statement 2',
        ),
        (
            [{"Effect": "Allow", "Action": ["ecs:*:list*"], "Resource": ["ecs:*:*:instance:a"]}],
            'iam/x.json:1: add a statement: allow "ecs:cloudServers:showServer"',
        ),
        (
            [
                {"Effect": "Allow", "Action": ["ecs:*:*"]},
                {"Effect": "Deny", "Action": ["a:b:c", "ecs:cloudServers:get"]},
            ],
            'iam/x.json:1: remove "ecs:cloudServers:get" from statement 2',
        ),
        ([{"Effect": "Allow", "Action": ["ecs:*:*"]}, {"Effect": "Deny", "Action": ["ecs:*:get*"]}], None),
        ([{"Effect": "Allow", "Action": ["iam:*:*"]}], None),
    ],
)  # fmt: skip
def test_which_edit(folder: Path, statements: list[object], words: str | None) -> None:
    document = json.dumps({"Version": "1.1", "Statement": statements})
    edit = allow(folder, document, "ecs:cloudServers:showServer", SHOW)
    assert (edit.words if edit else None) == words


def test_the_words_of_version_5(folder: Path) -> None:
    document = {"Version": "5.0", "Statement": [{"Effect": "Allow", "Action": ["ecs:cloudServers:showServer"]}]}
    edit = allow(folder, json.dumps(document))
    assert edit is not None
    assert edit.words == 'iam/x.json:1: add "ecs:cloudServers:listServersDetails" to statement 1'


def test_a_system_policy_is_not_edited(folder: Path) -> None:
    rights = Rights.of([Policy.load("system:ECS ReadOnlyAccess")])
    assert not rights.decide("ecs:cloudServers:start")
    assert policy_edit.allow(rights, "ecs:cloudServers:start", [], folder) is None


def test_two_policies_the_right_one_is_edited(folder: Path) -> None:
    world = World(folder)
    files = [world.policy(["tms:*:list*"], name="tms"), world.policy(["ecs:*:get*"], name="ecs")]
    edit = policy_edit.allow(
        Rights.of([Policy.load(str(file)) for file in files]), "ecs:cloudServers:list", [LIST], folder
    )
    assert edit is not None
    assert edit.words.startswith("iam/ecs.json:")


def test_narrowing_keeps_what_is_good(folder: Path) -> None:
    file = World(folder).policy(["ecs:*:*", "tms:*:list*"])
    rights = Rights.of([Policy.load(str(file))])
    (document,) = rights.documents
    pattern = Pattern(document=document, statement=document.statements[0], text="ecs:*:*")
    old = ("allow ecs:*:get* ecs:*:list* tms:*:list*",)

    def good(edited: Rights) -> bool:
        return not edited.decide("ecs:cloudServers:delete") and bool(edited.decide("ecs:cloudServers:list"))

    edit = policy_edit.narrow(rights, pattern, old, good, folder)
    assert edit is not None
    assert edit.words == 'iam/reader.json:7: put "ecs:*:get*", "ecs:*:list*" in place of "ecs:*:*" in statement 1'
    assert "+        " in edit.patch


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ('{"a": []}', ("a",), '{"a": ["x"]}'),
        ('{"a": [ ]}', ("a",), '{"a": ["x"]}'),
        ('{"a": ["y","z"]}', ("a",), '{"a": ["y","z","x"]}'),
        ('{"a": [\n  "y"\n]}', ("a",), '{"a": [\n  "y",\n  "x"\n]}'),
        ('{"a": "y"}', ("a",), '{"a": ["y", "x"]}'),
    ],
)
def test_append(text: str, path: tuple[str, ...], expected: str) -> None:
    assert json_edit.append(text, path, "x") == expected


@pytest.mark.parametrize(
    ("text", "index", "expected"),
    [
        ('["a", "b", "c"]', 0, '["b", "c"]'),
        ('["a", "b", "c"]', 2, '["a", "b"]'),
        ('[\n "a",\n "b"\n]', 1, '[\n "a"\n]'),
        ('["a"]', 0, "[]"),
    ],
)
def test_remove(text: str, index: int, expected: str) -> None:
    assert json_edit.remove(text, (), index) == expected


@pytest.mark.parametrize(
    "statement",
    [
        {"Effect": "Allow", "Action": ["ecs:*:get*", "ecs:*:list*"]},
        {"Effect": "Deny", "NotAction": ["iam:*:*"]},
        {"Effect": "Allow", "Action": ["obs:object:GetObject"], "Resource": ["obs:*:*:object:b/a c", "if"]},
        {"Effect": "Allow", "Action": ["obs:*:*"], "NotResource": ["obs:*:*:bucket:b"]},
        {"Effect": "Allow", "Action": ["ecs:*:*"], "Condition": {"StringEquals": {"g:UserName": ["a on b", "if {}"]}}},
        {"Effect": "Allow", "Action": ["identity:assume role", "if", "on"]},
        {"Effect": "Allow", "Action": ["ecs:*:*"], "Principal": {"IAM": ["x"]}},
    ],
)  # fmt: skip
@pytest.mark.parametrize("version", ["1.0", "1.1", "5.0"])
def test_a_grant_line_says_the_whole_statement(statement: dict[str, object], version: str) -> None:
    depends = {"Depends": [{"catalog": "BASE", "display_name": "Tenant Guest"}]} if version == "1.0" else {}
    policy = Policy.load({"Version": version, "Statement": [statement], **depends})
    (line,) = grant_lines.lines(Rights.of([policy]))
    (document,) = grant_lines.policy([line]).documents
    assert (document.version == "1.0", bool(document.depends)) == (version == "1.0", version == "1.0")
    assert grant_lines.lines(Rights.of([Policy([document])])) == (line,)
    assert {key: sorted(value) if isinstance(value, list) else value for key, value in statement.items()} == (
        grant_lines.statement(line)
    )
