"""hwcloud.yaml: what it gives, and the one clear line for everything that can be wrong in it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from pytest_hwcloud.cloud.endpoints import known_regions
from pytest_hwcloud.cloud.identity import DEFAULT_PROJECT_ID, replay_access_key
from pytest_hwcloud.config import ConfigError, Configuration, live_secrets, load_configuration
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.options import Settings

POLICY = '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:*:list*"]}]}'


def read(folder: Path, text: str, **settings: object) -> Configuration:
    (folder / "iam").mkdir(exist_ok=True)
    (folder / "iam" / "reader.json").write_text(POLICY)
    (folder / "hwcloud.yaml").write_text(text, encoding="utf-8")
    return load_configuration(Settings(config_file=folder / "hwcloud.yaml", **settings))  # type: ignore[arg-type]


def error(folder: Path, text: str, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(folder)
    with pytest.raises(ConfigError) as caught:
        read(folder, text)
    return str(caught.value)


def test_a_run_without_a_file_has_one_identity(tmp_path: Path) -> None:
    found = load_configuration(Settings(config_file=tmp_path / "hwcloud.yaml"))
    assert list(found.identities) == ["default"]
    assert found.identities["default"].projects == {"cn-north-4": DEFAULT_PROJECT_ID}
    assert found.region == "cn-north-4"


def test_identities_have_invented_keys_and_paths_relative_to_the_file(tmp_path: Path) -> None:
    text = """
region: cn-east-3
identities:
  default: {user: ci, projects: {cn-east-3: abc}, policies: [iam/reader.json, "system:ECS ReadOnlyAccess"]}
  auditor:
"""
    found = read(tmp_path, text)
    default = found.identities["default"]
    assert (default.user, default.projects, found.region) == ("ci", {"cn-east-3": "abc"}, "cn-east-3")
    assert default.policies == (str(tmp_path / "iam" / "reader.json"), "system:ECS ReadOnlyAccess")
    assert found.identities["auditor"].user == "auditor"
    assert found.identities["auditor"].ak == replay_access_key("auditor") != default.ak


def test_the_command_line_wins_over_the_file(tmp_path: Path) -> None:
    found = read(tmp_path, "region: cn-east-3\n", region="cn-south-1", region_given=True)
    assert found.region == "cn-south-1"


def test_policies_of_the_command_line_add_up(tmp_path: Path) -> None:
    found = read(
        tmp_path,
        "identities: {default: {policies: [iam/reader.json]}}\n",
        policies=(("default", "/a.json"), ("default", "/b.json")),
    )
    assert [Path(p).name for p in found.identities["default"].policies] == ["reader.json", "a.json", "b.json"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            None,
            "--hwcloud-policy=defualt=iam/v.json: unknown identity 'defualt'; did you mean 'default'?; "
            "a further identity is defined in hwcloud.yaml: identities: {defualt: {}}",
        ),
        (
            "identities: {auditor: {}}\n",
            "--hwcloud-policy=defualt=iam/v.json: unknown identity 'defualt'; did you mean 'default'? "
            "(identities of hwcloud.yaml)",
        ),
    ],
)
def test_a_policy_for_nobody_is_an_error_with_and_without_a_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str | None, message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    if text:
        Path("hwcloud.yaml").write_text(text)
    with pytest.raises(ConfigError) as caught:
        load_configuration(
            Settings(config_file=tmp_path / "hwcloud.yaml", policies=(("defualt", str(tmp_path / "iam/v.json")),))
        )
    assert str(caught.value) == message


def test_literal_keys_of_an_identity_are_known(tmp_path: Path) -> None:
    found = read(tmp_path, "identities:\n  default: {ak: dummy-ak, sk: dummy-sk}\n  other: {ak: '${A}', sk: '${B}'}\n")
    assert found.identities["default"].literal_keys == (("dummy-ak", "dummy-sk"),)
    assert found.identities["other"].literal_keys == ()
    assert "dummy-sk" not in repr(found)
    state = CloudState(found.replayed, region="cn-north-4")
    key = state.key("dummy-ak")
    assert key is not None
    assert (key.identity.name, key.sk) == ("default", "dummy-sk")
    assert state.by_ak(replay_access_key("default")) == found.replayed["default"]


def test_a_replayed_identity_has_a_project_in_every_region(tmp_path: Path) -> None:
    text = "identities:\n  default: {projects: {cn-east-3: '0123'}}\n  other: {domain_id: abc}\n"
    replayed = read(tmp_path, text).replayed
    assert set(known_regions()) <= set(replayed["default"].projects)
    assert replayed["default"].project("cn-east-3").id == "0123"
    # The same on every machine: sha256 of account and region.
    assert replayed["default"].project("cn-south-1").id == "1b66afb556df8415c3cd747e15862a50"
    assert replayed["other"].project("cn-south-1").id != replayed["default"].project("cn-south-1").id


def test_policies_granted_on_a_part_of_the_account(tmp_path: Path) -> None:
    text = """
identities:
  default:
    bound: iam/reader.json
    policies:
      - iam/reader.json
      - {policy: iam/reader.json, project: cn-north-4, group: ops}
      - {policy: iam/reader.json, scope: domain}
      - {policy: "system:ECS ReadOnlyAccess", enterprise_project: abc}
"""
    default = read(tmp_path, text).identities["default"]
    assert default.policies == (default.bound,)
    assert [(one.on, one.target, one.group) for one in default.placed_policies] == [
        ("project", DEFAULT_PROJECT_ID, "ops"),
        ("domain", None, None),
        ("enterprise", "abc", None),
    ]


def test_variables_are_read_in_live_mode_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    found = read(tmp_path, "identities:\n  default: {ak: '${SOME_AK}', sk: '${SOME_SK}'}\n")
    monkeypatch.setenv("SOME_AK", "theak")
    monkeypatch.delenv("SOME_SK", raising=False)
    with pytest.raises(ConfigError) as caught:
        live_secrets(found, "default")
    assert str(caught.value) == (
        "hwcloud.yaml:2: identities.default.sk: environment variable SOME_SK is not set "
        "(needed in record and live mode)"
    )
    monkeypatch.setenv("SOME_SK", "thesk")
    assert live_secrets(found, "default") == {"ak": "theak", "sk": "thesk"}
    assert "theak" not in repr(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("regoin: x\n", "hwcloud.yaml:1: regoin: unknown key 'regoin'; did you mean 'region'?"),
        ("region: 4\n", "hwcloud.yaml:1: region: a text is expected, not 4; put it in quotes"),
        (
            "identities:\n  default:\n    usr: x\n",
            "hwcloud.yaml:3: identities.default.usr: unknown key 'usr'; did you mean 'user'?",
        ),
        ("identities: [a]\n", "hwcloud.yaml:1: identities: a mapping is expected, not a list"),
        (
            "identities:\n  default:\n    projects: {cn-north-4: 5}\n",
            "hwcloud.yaml:3: identities.default.projects.cn-north-4: a text is expected, not 5; put it in quotes",
        ),
        (
            "identities:\n  default:\n    policies: [iam/none.json]\n",
            "hwcloud.yaml:3: identities.default.policies[0]: no such file: iam/none.json "
            "(paths are relative to hwcloud.yaml)",
        ),
        (
            "identities:\n  default:\n    sk: 12345678\n",
            "hwcloud.yaml:3: identities.default.sk: a text is expected; put it in quotes, or write ${VARIABLE}",
        ),
        ("region: a\nregion: b\n", "hwcloud.yaml:2: region: given twice"),
        (
            "region: !!python/object/apply:os.system [true]\n",
            "hwcloud.yaml:1: could not determine a constructor for the tag "
            "'tag:yaml.org,2002:python/object/apply:os.system': only plain YAML is read, no tags",
        ),
        ("a: [\n", "hwcloud.yaml:2: not valid YAML: did not find expected node content"),
        (
            "ignores:\n  - rule: HWP009\n",
            "hwcloud.yaml:2: ignores[0]: match, reason, until missing; an ignore has rule, match (a glob), reason and "
            "until (a date)",
        ),
        (
            "ignores:\n  - {rule: HWP099, match: '*', reason: x, until: 2027-01-31}\n",
            "hwcloud.yaml:2: ignores[0].rule: unknown rule 'HWP099'; did you mean 'HWP019'?",
        ),
        (
            "ignores:\n  - {rule: widened-polcy, match: '*', reason: x, until: 2027-01-31}\n",
            "hwcloud.yaml:2: ignores[0].rule: unknown rule 'widened-polcy'; did you mean 'widened-policy'?",
        ),
        (
            "ignores:\n  - {rule: HWP009, match: '*', reason: x, until: '2027-13-31'}\n",
            "hwcloud.yaml:2: ignores[0].until: '2027-13-31' is no date; write YYYY-MM-DD",
        ),
        (
            "ignores:\n  - {rule: HWP009, match: '*', reason: x, until: soon}\n",
            "hwcloud.yaml:2: ignores[0].until: 'soon' is no date; write YYYY-MM-DD",
        ),
        (
            "identities:\n  default:\n    policies: [{policy: iam/reader.json}]\n",
            "hwcloud.yaml:3: identities.default.policies[0]: write {policy: FILE} with one of project: NAME, "
            "enterprise_project: ID, scope: domain or scope: projects",
        ),
        (
            "identities:\n  default:\n    policies: [{policy: iam/reader.json, project: cn-north-3}]\n",
            "hwcloud.yaml:3: identities.default.policies[0].project: unknown project 'cn-north-3'; "
            "did you mean 'cn-north-4'? (projects of identity 'default', hwcloud.yaml)",
        ),
        (
            "region: 2026-99-99\n",
            "hwcloud.yaml:1: not valid YAML: '2026-99-99' is no timestamp",
        ),
        (
            "region: !!timestamp soon\n",
            "hwcloud.yaml:1: not valid YAML: 'soon' is no timestamp",
        ),
        (
            f"region: 0x{'f' * 5000}\n",
            "hwcloud.yaml:1: region: a text is expected, not a number of more than 1,000 digits; put it in quotes",
        ),
        (
            f"region: {'9' * 5000}\n",
            f"hwcloud.yaml:1: not valid YAML: '{'9' * 37}...' is no int",
        ),
        (
            'identities:\n  default:\n    policies: ["a\\0b"]\n',
            "hwcloud.yaml:3: identities.default.policies[0]: no file can have this name (it holds a NUL or a character "
            "that is no text): a\\x00b (paths are relative to hwcloud.yaml)",
        ),
        (
            "identities:\n  default:\n    policies: [iam]\n",
            "hwcloud.yaml:3: identities.default.policies[0]: is a folder, not a file: iam "
            "(paths are relative to hwcloud.yaml)",
        ),
        (
            "ignores:\n  - {rule: HWP009, match: '*', reason: x, until: '2027-02-30'}\n",
            "hwcloud.yaml:2: ignores[0].until: '2027-02-30' is no date; write YYYY-MM-DD",
        ),
        (
            "identities:\n  a: {ak: one, sk: two}\n  b: {ak: one, sk: two}\n",
            "hwcloud.yaml:3: identities.b.ak: identity 'a' has this access key already; "
            "an access key belongs to one identity",
        ),
        (
            "identities:\n  a: {ak: one}\n",
            "hwcloud.yaml:2: identities.a.ak: an access key needs both ak and sk; sk is missing",
        ),
        (
            "identities:\n  a: {ak: 'a b', sk: two}\n",
            "hwcloud.yaml:2: identities.a.ak: a key has printable ASCII characters without blanks, commas and =",
        ),
        ("1: x\n", "hwcloud.yaml:1: the key 1 must be a text (put it in quotes)"),
        ("recording: [x]\n", "hwcloud.yaml:1: recording: a mapping is expected, not a list"),
        ("recording:\n  kep: []\n", "hwcloud.yaml:2: recording.kep: unknown key 'kep'; did you mean 'keep'?"),
        ("recording:\n  keep: x\n", "hwcloud.yaml:2: recording.keep: a list is expected, not 'x'"),
        (
            "recording:\n  keep:\n    - $.rows[*].etag\n    - '$.*'\n",
            "hwcloud.yaml:4: recording.keep[1]: '$.*' would keep almost anything; "
            "write at least 2 characters that are no *",
        ),
    ],
)
def test_a_wrong_file_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, text: str, message: str) -> None:
    assert error(tmp_path, text, monkeypatch) == message


def test_an_alias_bomb_is_refused_quickly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = ["a0: &a0 [x]"] + [f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]" for i in range(1, 20)]
    text = error(tmp_path, "\n".join(rows), monkeypatch)
    assert text == "hwcloud.yaml:13: more than 100 aliases; write the values out"


def test_a_configured_file_must_exist(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"cloud\.yaml: no such file \(ini option hwcloud_config\)"):
        load_configuration(Settings(config_file=tmp_path / "cloud.yaml", config_given=True))


def _folder(file: Path) -> None:
    file.mkdir()


def _pipe(file: Path) -> None:
    os.mkfifo(file)


def _dangling(file: Path) -> None:
    file.symlink_to("nowhere.yaml")


def _loop(file: Path) -> None:
    file.symlink_to(file.name)


def _endless(file: Path) -> None:
    file.symlink_to("/dev/zero")


def _latin(file: Path) -> None:
    file.write_bytes(b"region: cn-north-4\nidentities: {default: {user: caf\xe9}}\n")


def _large(file: Path) -> None:
    with open(file, "wb") as opened:
        opened.truncate((16 << 20) + 1)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (_folder, "hwcloud.yaml: is a folder, not a file"),
        (_pipe, "hwcloud.yaml: is a pipe, a socket or a device, not a regular file"),
        (_dangling, "hwcloud.yaml: is a link to a file that does not exist"),
        (_loop, "hwcloud.yaml: is a link that leads to itself"),
        (_endless, "hwcloud.yaml: is a pipe, a socket or a device, not a regular file"),
        (_latin, "hwcloud.yaml: line 2 is not UTF-8 text (byte 0xe9); save the file as UTF-8"),
        (_large, "hwcloud.yaml: larger than 16 MB"),
    ],
)
def test_what_is_no_file_of_text_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, make: Callable[[Path], None], message: str
) -> None:
    monkeypatch.chdir(tmp_path)
    make(tmp_path / "hwcloud.yaml")
    with pytest.raises(ConfigError) as caught:
        load_configuration(Settings(config_file=tmp_path / "hwcloud.yaml"))
    assert str(caught.value) == message


def test_yaml_that_was_imported_a_second_time_is_read_all_the_same() -> None:
    """pytester forgets what a run imported; libyaml's module does not, and its events are then of another class."""
    import subprocess
    import sys

    source = (
        "import sys, yaml\n"
        "for name in [name for name in sys.modules if name.split('.')[0] in ('yaml', '_yaml')]: del sys.modules[name]\n"
        "from pytest_hwcloud.files.yaml_reader import load\n"
        "print(load('a: {b: 1}', 'x').value)\n"
    )
    done = subprocess.run([sys.executable, "-c", source], capture_output=True, text=True, check=True)
    assert done.stdout == "{'a': {'b': 1}}\n"
