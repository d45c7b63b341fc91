"""Record, replay, rewrite, live and verify through the plugin, against the cloud on loopback."""

from __future__ import annotations

import stat
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from loopback.cloud import REAL, Cloud

from pytest_hwcloud.replay import route

Run = Callable[..., pytest.RunResult]
SUITE = """
import pytest, requests
LIST = "/v1/{project_id}/cloudservers/detail"

def test_session(hwcloud, hwcloud_session):
    response = hwcloud_session.get(hwcloud.url("ecs", LIST))
    assert response.status_code == 200
    assert hwcloud.credentials().project_id in response.url

def test_token(hwcloud, hwcloud_project_token):
    hwcloud.assert_ok(requests.get(hwcloud.url("ecs", LIST), auth=hwcloud_project_token))
"""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("cloud")) as found:
        yield found


@pytest.fixture
def cloud(shared: Cloud, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    shared.seen.clear()
    shared.answers.clear()
    shared.throttled.clear()
    shared.reachable(monkeypatch)
    shared.give_credentials(monkeypatch)
    yield shared
    route.leave()


def config(pytester: pytest.Pytester) -> None:
    Path(pytester.path, "hwcloud.yaml").write_text(
        "identities:\n  default:\n    user: ci-reader\n    domain: example-corp\n"
        "    ak: ${HUAWEICLOUD_SDK_AK}\n    sk: ${HUAWEICLOUD_SDK_SK}\n    password: ${HW_USER_PASSWORD}\n"
    )


def cassettes(pytester: pytest.Pytester) -> dict[str, str]:
    found = sorted(Path(pytester.path, "cassettes").rglob("*.yaml"))
    return {file.relative_to(pytester.path / "cassettes").as_posix(): file.read_text() for file in found}


def test_record_then_replay_without_cloud_and_credentials(
    run: Run, pytester: pytest.Pytester, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = SUITE.partition("def test_token")[0]
    recorded = run(source, "--hwcloud-mode=record")
    recorded.assert_outcomes(passed=1)
    recorded.stdout.fnmatch_lines(["hwcloud: record missing · region cn-north-4 · *"])
    files = cassettes(pytester)
    assert list(files) == ["test_it/test_session.yaml"]
    for secret in (REAL.ak, REAL.sk, REAL.projects["cn-north-4"], REAL.domain_id):
        assert secret not in files["test_it/test_session.yaml"]
        assert secret not in recorded.stdout.str()
    for name in ("HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_PROJECT_ID", "HUAWEICLOUD_SDK_DOMAIN_ID"):
        monkeypatch.delenv(name)
    seen = len(cloud.seen)
    run(source).assert_outcomes(passed=1)
    assert len(cloud.seen) == seen


def test_a_failed_test_keeps_no_recording(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    result = run(SUITE.replace("== 200", "== 201").partition("def test_token")[0], "--hwcloud-mode=record")
    result.assert_outcomes(failed=1)
    assert cassettes(pytester) == {}


def test_an_expected_refusal_is_kept(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    source = """
    import pytest, requests

    @pytest.mark.xfail(raises=requests.HTTPError, strict=True)
    def test_it(hwcloud):
        requests.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")).raise_for_status()
    """
    run(source, "--hwcloud-mode=record").assert_outcomes(xfailed=1)
    assert "APIGW.0301" in cassettes(pytester)["test_it/test_it.yaml"]
    run(source).assert_outcomes(xfailed=1)


def test_missing_is_recorded_and_all_is_rewritten(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    source = SUITE.partition("def test_token")[0]
    run(source, "--hwcloud-mode=record")
    before, seen = cassettes(pytester), len(cloud.seen)
    run(source, "--hwcloud-mode=record").assert_outcomes(passed=1)
    assert cassettes(pytester) == before
    assert len(cloud.seen) == seen
    run(source, "--hwcloud-mode=record", "--hwcloud-record=all").assert_outcomes(passed=1)
    assert len(cloud.seen) == seen + 1
    assert list(cassettes(pytester)) == list(before)


def test_live_writes_nothing_and_verify_tells_drift(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    source = SUITE.partition("def test_token")[0].replace("assert response.status_code == 200", "")
    run(source, "--hwcloud-mode=record").assert_outcomes(passed=1)
    before = cassettes(pytester)
    run(source, "--hwcloud-mode=live", "--hwcloud-verify").assert_outcomes(passed=1)
    cloud.answers["GET /v1/{id}/cloudservers/detail"] = lambda request: (
        403,
        {"error": {"message": "do not have the required roles", "code": "Ecs.0110"}},
        {},
    )
    drifted = run(source, "--hwcloud-mode=live", "--hwcloud-verify")
    drifted.assert_outcomes(passed=1, errors=1)
    drifted.stdout.fnmatch_lines(
        [
            "hwcloud: the cloud no longer answers as recorded in cassettes/test_it/test_session.yaml",
            "  GET https://ecs.cn-north-4.myhuaweicloud.com/*/cloudservers/detail*status*200*403*",
            "  record again: pytest --hwcloud-mode=record --hwcloud-record=all",
        ]
    )
    assert cassettes(pytester) == before


def test_no_credentials_is_one_line(run: Run, cloud: Cloud, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HUAWEICLOUD_SDK_AK")
    monkeypatch.delenv("HUAWEICLOUD_SDK_SK")
    result = run("def test_it(hwcloud): pass", "--hwcloud-mode=record")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(
        ["ERROR: hwcloud: identity 'default' has no credentials, and record and live mode call the real cloud: *"]
    )


def test_an_unset_variable_is_one_line(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    config(pytester)
    run("def test_it(hwcloud): pass").assert_outcomes(passed=1)
    result = run("def test_it(hwcloud): pass", "--hwcloud-mode=live")
    result.stderr.fnmatch_lines(
        [
            "ERROR: hwcloud: hwcloud.yaml:7: identities.default.password: environment variable HW_USER_PASSWORD "
            "is not set (needed in record and live mode)"
        ]
    )


def test_a_folder_that_cannot_be_written(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    Path(pytester.path, "cassettes").write_text("in the way\n")
    result = run(SUITE.partition("def test_token")[0], "--hwcloud-mode=record")
    result.assert_outcomes(passed=1, errors=1)
    result.stdout.fnmatch_lines(["hwcloud: *cassettes*"])
    assert "Traceback" not in result.stdout.str()


WIDER = """
import pytest, requests

@pytest.fixture(scope="module")
def servers(request):
    from pytest_hwcloud import AkSkAuth
    from pytest_hwcloud.plugin import run_of
    who = run_of(request.config).state.identity("default")
    url = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{who.projects['cn-north-4']}/cloudservers/detail"
    found = requests.get(url, auth=AkSkAuth(who.ak, who.sk))
    yield found.json()["servers"]
    requests.get(url + "?limit=1", auth=AkSkAuth(who.ak, who.sk)).raise_for_status()

def test_one(hwcloud, servers):
    assert servers

def test_two(hwcloud, servers):
    assert servers
"""


def test_a_wider_fixture_has_a_cassette_of_its_own(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    run(WIDER, "--hwcloud-mode=record").assert_outcomes(passed=2)
    assert list(cassettes(pytester)) == ["test_it/servers.yaml"]
    seen = len(cloud.seen)
    run(WIDER).assert_outcomes(passed=2)
    run(WIDER, "-k", "two").assert_outcomes(passed=1, deselected=1)
    assert len(cloud.seen) == seen


def test_cassettes_are_private_to_no_one(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    run(SUITE.partition("def test_token")[0], "--hwcloud-mode=record")
    file = pytester.path / "cassettes" / "test_it" / "test_session.yaml"
    assert stat.S_IMODE(file.stat().st_mode) & 0o444 == 0o444


def test_a_token_is_asked_for_with_the_password(
    run: Run, pytester: pytest.Pytester, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path(pytester.path, "hwcloud.yaml").write_text(
        f"identities:\n  default:\n    user: {REAL.user}\n    domain: {REAL.domain}\n    domain_id: {REAL.domain_id}\n"
        f"    projects: {{cn-north-4: {REAL.projects['cn-north-4']}}}\n"
        "    ak: ${HUAWEICLOUD_SDK_AK}\n    sk: ${HUAWEICLOUD_SDK_SK}\n    password: ${HW_USER_PASSWORD}\n"
    )
    monkeypatch.setenv("HW_USER_PASSWORD", str(REAL.password))
    recorded = run(SUITE, "--hwcloud-mode=record")
    recorded.assert_outcomes(passed=2)
    assert str(REAL.password) not in "".join(cassettes(pytester).values()) + recorded.stdout.str()
    run(SUITE).assert_outcomes(passed=2)
