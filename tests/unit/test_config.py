"""hwcloud.yaml: what it gives, and the one clear line for everything that can be wrong in it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pytest_hwcloud.cloud.identity import DEFAULT_PROJECT_ID, replay_access_key
from pytest_hwcloud.config import ConfigError, Configuration, live_secrets, load_configuration
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


def test_a_policy_for_an_identity_without_a_file_makes_the_identity(tmp_path: Path) -> None:
    found = load_configuration(Settings(config_file=tmp_path / "no.yaml", policies=(("viewer", "/v.json"),)))
    assert found.identities["viewer"].user == "viewer"


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
            "unknown project 'cn-north-3'; did you mean 'cn-north-4'? (projects of identity 'default', hwcloud.yaml)",
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


def test_a_folder_in_its_place_is_as_good_as_none(tmp_path: Path) -> None:
    os.mkdir(tmp_path / "hwcloud.yaml")
    assert list(load_configuration(Settings(config_file=tmp_path / "hwcloud.yaml")).identities) == ["default"]


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
