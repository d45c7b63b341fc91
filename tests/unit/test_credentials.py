"""Live credentials: where they are looked for, in which order, and what is said when there are none."""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from pytest_hwcloud.cloud.credentials import MissingCredentials, live_identities, require
from pytest_hwcloud.cloud.identity import DEFAULT_PROJECT_ID, Identity, default_identity

SDK = {"HUAWEICLOUD_SDK_AK": "A" * 20, "HUAWEICLOUD_SDK_SK": "s" * 40, "HUAWEICLOUD_SDK_PROJECT_ID": "p" * 32}
HW = {"HW_ACCESS_KEY": "B" * 20, "HW_SECRET_KEY": "t" * 40, "HW_USER_NAME": "olga", "HW_USER_PASSWORD": "pw"}


def found(
    home: Path, environ: Mapping[str, str] = {}, given: Mapping[str, str] = {}, name: str = "default"
) -> Identity:
    identities = {name: default_identity(name)}
    return live_identities(identities, lambda _: given, "cn-north-4", environ, home)[name]


def profile(home: Path, text: str) -> Path:
    file = home / ".huaweicloud" / "credentials"
    file.parent.mkdir()
    file.write_text(text)
    return file


def test_hwcloud_yaml_comes_first(tmp_path: Path) -> None:
    one = found(tmp_path, {**SDK, **HW}, {"ak": "Y" * 20, "sk": "y" * 40})
    assert (one.ak, one.sk, one.password) == ("Y" * 20, "y" * 40, None)
    assert one.projects == {"cn-north-4": DEFAULT_PROJECT_ID}


def test_then_the_variables_of_the_sdk(tmp_path: Path) -> None:
    one = found(tmp_path, {**SDK, **HW})
    assert (one.ak, one.projects) == ("A" * 20, {"cn-north-4": "p" * 32})


def test_then_the_variables_of_terraform(tmp_path: Path) -> None:
    profile(tmp_path, "[basic]\nak = CCC\nsk = ccc\n")
    one = found(tmp_path, HW)
    assert (one.ak, one.user, one.password) == ("B" * 20, "olga", "pw")


def test_then_the_profile_of_the_sdk(tmp_path: Path) -> None:
    profile(
        tmp_path, "[basic_test]\nak = CCC\nsk = c%%c\nproject_id = pp\n[global]\nak = DDD\nsk = d\ndomain_id = dd\n"
    )
    one = found(tmp_path)
    assert (one.ak, one.sk, one.projects["cn-north-4"], one.domain_id) == ("CCC", "c%c", "pp", "dd")


def test_another_profile_file(tmp_path: Path) -> None:
    file = tmp_path / "mine.ini"
    file.write_text("[global]\nak = DDD\nsk = d\n")
    assert found(tmp_path, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(file)}).ak == "DDD"


def test_other_identities_never_take_the_environment(tmp_path: Path) -> None:
    one = found(tmp_path, {**SDK, **HW}, name="auditor")
    assert (one.ak, one.sk) == ("", "")
    with pytest.raises(MissingCredentials) as error:
        require(one)
    assert str(error.value) == (
        "identity 'auditor' has no credentials, and record and live mode call the real cloud: "
        "set ak and sk under identities: auditor: in hwcloud.yaml"
    )


def test_none_at_all(tmp_path: Path) -> None:
    with pytest.raises(MissingCredentials) as error:
        found(tmp_path)
    assert str(error.value) == (
        "identity 'default' has no credentials, and record and live mode call the real cloud: set ak and sk under "
        "identities: default: in hwcloud.yaml, or HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK (or HW_ACCESS_KEY and "
        "HW_SECRET_KEY) in the environment, or a profile in ~/.huaweicloud/credentials"
    )


@pytest.mark.parametrize(
    ("environ", "given", "text"),
    [
        ({"HUAWEICLOUD_SDK_AK": "A"}, {}, "HUAWEICLOUD_SDK_AK is set, but HUAWEICLOUD_SDK_SK is not"),
        ({"HW_SECRET_KEY": "A"}, {}, "HW_SECRET_KEY is set, but HW_ACCESS_KEY is not"),
        (
            SDK,
            {"ak": "A"},
            "identities: default: ak in hwcloud.yaml is set, but identities: default: sk in hwcloud.yaml is not",
        ),
    ],
)
def test_keys_of_two_sources_are_never_mixed(
    tmp_path: Path, environ: dict[str, str], given: dict[str, str], text: str
) -> None:
    with pytest.raises(MissingCredentials) as error:
        found(tmp_path, environ, given)
    assert str(error.value) == f"{text}: an access key needs both"


def test_a_wrong_profile(tmp_path: Path) -> None:
    file = profile(tmp_path, "ak = 1\n")
    with pytest.raises(MissingCredentials) as error:
        found(tmp_path)
    assert str(error.value) == f"{file}:1: is no profile file of the SDK (sections [basic], [global])"
    missing = tmp_path / "no.ini"
    with pytest.raises(MissingCredentials, match=r"no\.ini: cannot be read"):
        found(tmp_path, {"HUAWEICLOUD_SDK_CREDENTIALS_FILE": str(missing)})


def test_a_password_alone_will_do(tmp_path: Path) -> None:
    assert require(found(tmp_path, {}, {"password": "pw"})).password == "pw"


def test_nobody_is_asked_over_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("the metadata address was asked")

    monkeypatch.setattr(socket, "create_connection", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    with pytest.raises(MissingCredentials):
        found(tmp_path)


def test_keys_are_not_shown(tmp_path: Path) -> None:
    one = found(tmp_path, {**SDK, **HW})
    assert "s" * 40 not in repr(one)


def test_ids_that_the_file_does_not_say_come_from_where_the_same_key_is(tmp_path: Path) -> None:
    given = {"ak": SDK["HUAWEICLOUD_SDK_AK"], "sk": "s" * 40}
    one = found(tmp_path, {**SDK, "HUAWEICLOUD_SDK_DOMAIN_ID": "d" * 32}, given)
    assert (one.projects, one.domain_id) == ({"cn-north-4": "p" * 32}, "d" * 32)
    own = replace(default_identity(), projects={"cn-north-4": "a" * 32}, domain_id="b" * 32)
    live = live_identities({"default": own}, lambda _: given, "cn-north-4", SDK, tmp_path)["default"]
    assert (live.projects, live.domain_id) == ({"cn-north-4": "a" * 32}, "b" * 32)
