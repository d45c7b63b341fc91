"""The project's catalogue of actions beside hwcloud.yaml is used without being named."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from plugin.permission_project import answer, cassette

from pytest_hwcloud.cloud.calls.calls import clear_tables


@pytest.fixture(autouse=True)
def _forgotten() -> Iterator[None]:
    yield
    clear_tables()


CATALOGUE = """\
# written by: pytest-hwcloud actions reCATALOGUE
version: 1
date: 2026-01-02
services:
- service: dcs
  code: dcs
  scope: regional
  actions:
    dcs:thing:list: {level: list, aliases: [dcs:things:list]}
  apis:
  - {method: GET, path: "/v2/{project_id}/instances", operation: ListInstances, identity_actions: [dcs:thing:list]}
"""
TEST = """
    from pytest_hwcloud import needs
    from pytest_hwcloud.cloud.calls.project_tables import catalogue_version

    def test_it(hwcloud):
        call = needs("GET", hwcloud.url("dcs", "/v2/{project_id}/instances"))
        assert call.identity_actions == IDENTITY
        assert (catalogue_version() or "").partition(" ")[0] == VERSION
"""


def suite(pytester: pytest.Pytester, identity: str, version: str) -> None:
    pytester.makepyfile(TEST.replace("IDENTITY", identity).replace("VERSION", version))


def test_it_is_used_by_itself(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("hwcloud-actions.yaml").write_text(CATALOGUE)
    suite(pytester, '("dcs:thing:list",)', '"hwcloud-actions.yaml"')
    pytester.runpytest("-p", "hwcloud").assert_outcomes(passed=1)


def test_without_it_the_shipped_table_speaks(pytester: pytest.Pytester) -> None:
    suite(pytester, "()", '""')
    pytester.runpytest("-p", "hwcloud").assert_outcomes(passed=1)


def test_a_table_named_in_hwcloud_yaml_goes_before_it(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("hwcloud-actions.yaml").write_text(CATALOGUE)
    pytester.path.joinpath("hwcloud.yaml").write_text("actions: [mine.yaml]\n")
    pytester.path.joinpath("mine.yaml").write_text(
        "service: dcs\napis:\n- {method: GET, path: '/v2/{project_id}/instances', operation: ListInstances,"
        " identity_actions: ['dcs:my:list']}\n"
    )
    suite(pytester, '("dcs:my:list",)', '"hwcloud-actions.yaml"')
    pytester.runpytest("-p", "hwcloud").assert_outcomes(passed=1)


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        (CATALOGUE.replace("level: list", "level: most"), ":9: services[0].actions.dcs:thing:list.level: 'most' is no"),
        (CATALOGUE.replace("GET", "FETCH"), ":11: services[0].apis[0].method: 'FETCH' is no HTTP method; use one of"),
        ("services: [\n", ":2: "),
        ("services: 7\n", ":1: services: must be a list of tables"),
        ("- 1\n", ":1: must be a mapping, not list"),
    ],
)
def test_a_broken_one_is_an_error_before_any_test(pytester: pytest.Pytester, broken: str, message: str) -> None:
    pytester.path.joinpath("hwcloud-actions.yaml").write_text(broken)
    suite(pytester, "()", '""')
    result = pytester.runpytest("-p", "hwcloud")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    said = result.stderr.str()
    assert f"hwcloud-actions.yaml{message}" in said
    assert "INTERNALERROR" not in said + result.stdout.str()


def test_a_folder_of_its_name_is_an_error(pytester: pytest.Pytester) -> None:
    pytester.path.joinpath("hwcloud-actions.yaml").mkdir()
    suite(pytester, "()", '""')
    result = pytester.runpytest("-p", "hwcloud")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert "hwcloud-actions.yaml:1: cannot be read: it is no regular file" in result.stderr.str()


LOCKED = """
    import pytest

    @pytest.mark.hwcloud_cassette("dcs")
    def test_it(hwcloud, hwcloud_session):
        assert hwcloud_session.get(hwcloud.url("dcs", "/v2/{project_id}/instances")).ok
"""


def test_the_lock_notes_its_version_and_a_changed_catalogue_is_told_from_changed_code(
    pytester: pytest.Pytester,
) -> None:
    pytester.makepyfile(test_dcs=LOCKED)
    base = "https://dcs.cn-north-4.myhuaweicloud.com"
    cassette(pytester.path, "dcs", answer("/v2/{project_id}/instances", base=base))
    file, lock = pytester.path / "hwcloud-actions.yaml", pytester.path / "hwcloud-permissions.yaml"
    file.write_text(CATALOGUE)
    pytester.runpytest_subprocess("-p", "hwcloud", "--hwcloud-lock=update").assert_outcomes(passed=1)
    first = lock.read_text()
    assert re.search(r"(?m)^version: 1\ncatalogue: hwcloud-actions\.yaml [0-9a-f]{12}\nidentities:", first)
    file.write_text(CATALOGUE.replace("date: 2026-01-02", "date: 2026-03-04"))
    pytester.runpytest_subprocess("-p", "hwcloud", "--hwcloud-lock=update").assert_outcomes(passed=1)
    assert lock.read_text() == first  # another day is no other catalogue
    changed = "actions: ['dcs:other:list'], identity_actions: [dcs:thing:list]"
    file.write_text(CATALOGUE.replace("identity_actions: [dcs:thing:list]", changed))
    result = pytester.runpytest_subprocess("-p", "hwcloud", "--hwcloud-lock=check", "--hwcloud-permissions=enforce")
    said = result.stdout.str()
    assert "HWP008 new-permission" in said
    assert "dcs:other:list" in said
    assert "cause: catalogue GET dcs /v2/{project_id}/instances" in said
    pytester.runpytest_subprocess("-p", "hwcloud", "--hwcloud-lock=update").assert_outcomes(passed=1)
    assert lock.read_text().splitlines()[2] != first.splitlines()[2]
