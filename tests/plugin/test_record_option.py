"""Record, replay, rewrite, live and verify through the plugin, against the cloud on loopback."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest
from loopback.cloud import REAL, Cloud

from pytest_hwcloud.interceptors import router
from pytest_hwcloud.options import Settings
from pytest_hwcloud.run import recording

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
    router.leave()


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
            '  record again: pytest --hwcloud-mode=record --hwcloud-record=all "test_it.py::test_session"',
            "hwcloud verified: 1 answer, 1 differ",
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


def test_a_new_cassette_of_a_marker_is_recorded_by_all_its_tests(
    run: Run, pytester: pytest.Pytester, cloud: Cloud
) -> None:
    source = """
    import pytest

    @pytest.mark.hwcloud_cassette("team/servers", "success/list-servers")
    @pytest.mark.parametrize("n", range(3))
    def test_it(hwcloud, hwcloud_session, n):
        url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
        assert hwcloud_session.get(f"{url}?n={n}").json()["count"] == 2
        assert hwcloud_session.get(url).json()["count"] == 8
    """
    refused = run(source)
    refused.stdout.fnmatch_lines(["test_it.py:*: @pytest.mark.hwcloud_cassette: unknown cassette 'team/servers'*"])
    run(source, "--hwcloud-mode=record").assert_outcomes(passed=3)
    assert {name: text.count("- request:") for name, text in cassettes(pytester).items()} == {"team/servers.yaml": 3}
    run(source).assert_outcomes(passed=3)
    seen = len(cloud.seen)
    run(source, "--hwcloud-mode=record", "--hwcloud-record=all").assert_outcomes(passed=3)
    assert len(cloud.seen) == seen + 3  # the shipped one is not recorded anew
    assert cassettes(pytester)["team/servers.yaml"].count("- request:") == 3


def test_a_misspelt_shipped_cassette_is_not_recorded(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    source = """
    import pytest

    @pytest.mark.hwcloud_cassette("network/dns-failures")
    def test_it(hwcloud): pass
    """
    result = run(source, "--hwcloud-mode=record")
    result.stdout.fnmatch_lines(["*unknown cassette 'network/dns-failures'; did you mean 'network/dns-failure'?*"])
    assert cassettes(pytester) == {}


def test_a_shipped_failure_stays_one_in_record_mode(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    source = """
    import pytest, requests

    @pytest.mark.hwcloud_cassette("network/dns-failure")
    def test_it(hwcloud, hwcloud_session):
        with pytest.raises(requests.ConnectionError):
            hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
        assert hwcloud.exchanges[0].source == "network/dns-failure"
    """
    for record in ("missing", "all"):
        run(source, "--hwcloud-mode=record", f"--hwcloud-record={record}").assert_outcomes(passed=1)
    assert cloud.seen == []
    assert cassettes(pytester) == {}


FIXTURES = """
import pytest, requests
from pytest_hwcloud import AkSkAuth
from pytest_hwcloud.plugin import run_of

def count(request, query):
    who = run_of(request.config).state.identity("default")
    url = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{who.projects['cn-north-4']}/cloudservers/detail?{query}"
    return requests.get(url, auth=AkSkAuth(who.ak, who.sk)).json()["count"]

@pytest.fixture(scope="session", autouse=True)
def first(request):
    assert count(request, "first") == 2
    yield
    assert count(request, "last") == 2

@pytest.fixture(scope="module", params=["a", "b"])
def rows(request):
    return count(request, f"rows={request.param}")

@pytest.fixture(scope="module")
def broken(request):
    assert count(request, "broken") == 3

class Rows:
    @pytest.fixture(scope="class")
    def own(self, request):
        return count(request, f"own={request.cls.__name__}")

    def test_own(self, hwcloud, own):
        assert own == 2

def test_no_cloud_test(): pass
def test_rows(hwcloud, rows): assert rows == 2
class TestA(Rows): pass
class TestB(Rows): pass
def test_broken(hwcloud, broken): pass
"""


@pytest.mark.filterwarnings("ignore:Class-scoped fixture")
def test_fixtures_of_every_kind(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    run(FIXTURES, "--hwcloud-mode=record").assert_outcomes(passed=5, errors=1)
    calls = {name: text.count("- request:") for name, text in cassettes(pytester).items()}
    assert calls == {
        "test_it/TestA.own.yaml": 1,
        "test_it/TestB.own.yaml": 1,
        "test_it/first.yaml": 2,  # set up for a test that is no cloud test
        "test_it/rows[a].yaml": 1,
        "test_it/rows[b].yaml": 1,
    }  # and not of the one that failed
    seen = len(cloud.seen)
    replayed = run(FIXTURES, "--deselect", "test_it.py::test_broken")
    replayed.assert_outcomes(passed=5, deselected=1)
    assert len(cloud.seen) == seen
    assert "hwcloud cassettes" not in replayed.stdout.str()


def test_half_a_file_is_told_and_can_be_written_anew(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    source = SUITE.partition("def test_token")[0]
    run(source, "--hwcloud-mode=record")
    file = pytester.path / "cassettes" / "test_it" / "test_session.yaml"
    whole = file.read_text()
    file.write_text(whole[:220])  # YAML all the same, in the middle of a URL
    told = run(source, "--hwcloud-mode=record")
    told.assert_outcomes(passed=1, errors=1)
    told.stdout.fnmatch_lines(
        [
            "hwcloud: *test_session.yaml: interactions[[]0].response: an interaction needs a response or a fault. "
            "It was left as it is, and the new recording is in test_session.new.yaml: "
            "repair or delete test_session.yaml, or rename the new file to it"
        ]
    )
    assert file.read_text() == whole[:220]
    file.with_name("test_session.new.yaml").unlink()
    half = whole[:135]
    file.write_text(half)
    told = run(source, "--hwcloud-mode=record")
    told.assert_outcomes(failed=1)
    told.stdout.fnmatch_lines(
        ["*test_session.yaml: *; it is left as it is: repair or delete it, or write it anew with --hwcloud-record=all"]
    )
    assert file.read_text() == half
    run(source, "--hwcloud-mode=record", "--hwcloud-record=all").assert_outcomes(passed=1)
    run(source).assert_outcomes(passed=1)
    file.write_text("")
    run(source, "--hwcloud-mode=record").assert_outcomes(passed=1)
    run(source).assert_outcomes(passed=1)


def test_what_looks_like_a_secret_is_told_once_and_can_be_kept(
    run: Run, pytester: pytest.Pytester, cloud: Cloud
) -> None:
    odd = "Zq9fH2kLmN4pQrS6tUvWxYz1aBcDeFgHiJkLmNo3"
    cloud.answers["GET /v1/{id}/cloudservers/detail"] = lambda request: (200, {"images": [{"sum": odd}]}, {})
    source = SUITE.partition("def test_token")[0]
    told = run(source, "--hwcloud-mode=record")
    told.assert_outcomes(passed=1, errors=1)
    told.stdout.fnmatch_lines(
        [
            "hwcloud: *test_session.yaml: not written, the recording may hold secrets:",
            "  GET https://*/cloudservers/detail answer body $.images[[]0].sum: a secret key (SK) (Zq…, 40 characters)",
            '  what is no secret can be kept, in hwcloud.yaml: recording: {keep: [[]"$.images[[]0].sum"]}',
        ],
        consecutive=True,
    )
    assert "During handling" not in told.stdout.str()
    assert cassettes(pytester) == {}
    Path(pytester.path, "hwcloud.yaml").write_text("recording: {keep: ['$.images[*].sum']}\n")
    run(source, "--hwcloud-mode=record").assert_outcomes(passed=1)
    assert odd in cassettes(pytester)["test_it/test_session.yaml"]


@pytest.mark.parametrize("mode", ["record", "live"])
@pytest.mark.parametrize("what", ["deny", "grant"])
def test_rights_are_the_cloud_s_own_when_it_is_called(run: Run, cloud: Cloud, mode: str, what: str) -> None:
    result = run(
        f"def test_it(hwcloud):\n    with hwcloud.{what}('ecs:cloudServers:list'): pass\n", f"--hwcloud-mode={mode}"
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            f"hwcloud.{what}(...) changes rights in replay only; this run is in {mode} mode "
            "(the real cloud keeps its own policies)"
        ]
    )


def test_a_generated_password_is_in_no_report(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    source = """
    def test_it(hwcloud, hwcloud_session):
        answer = hwcloud_session.post(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/action"), json={"os-start": {}})
        made = answer.json()["adminPass"]
        print("it is", made)
        assert made == "other", answer.text
    """
    result = run(source, "--hwcloud-mode=record", "-l", "--junitxml=report.xml")
    result.assert_outcomes(failed=1)
    told = result.stdout.str() + result.stderr.str() + Path(pytester.path, "report.xml").read_text()
    assert "it is ***" in told
    assert "Gen3rated" not in told
    assert cassettes(pytester) == {}


@pytest.mark.parametrize("used", [True, False], ids=["by another test", "by itself"])
def test_a_password_that_live_mode_heard_is_in_no_report(
    run: Run, pytester: pytest.Pytester, cloud: Cloud, used: bool
) -> None:
    """What was heard is read for secrets when a report comes, or the test that heard it ends."""
    source = """
    import pytest

    @pytest.fixture(scope="session")
    def made(hwcloud_shared):
        session = hwcloud_shared.session()
        url = hwcloud_shared.url("ecs", "/v1/{project_id}/cloudservers/action")
        return session.post(url, json={"os-start": {}}).json()["adminPass"]
    """
    source += "\n    def test_first(hwcloud, made):\n        assert made\n" if used else ""
    source += """
    def test_it(hwcloud, made):
        print("it is", made)
        assert made == "other"
    """
    result = run(source, "--hwcloud-mode=live", "-l", "--junitxml=report.xml")
    result.assert_outcomes(failed=1, passed=int(used))
    told = result.stdout.str() + result.stderr.str() + Path(pytester.path, "report.xml").read_text()
    assert "it is ***" in told
    assert "Gen3rated" not in told


def test_live_mode_without_a_cassette(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    source = SUITE.partition("def test_token")[0]
    run(source, "--hwcloud-mode=live").assert_outcomes(passed=1)
    assert cassettes(pytester) == {}
    verified = run(source, "--hwcloud-mode=live", "--hwcloud-verify")
    verified.assert_outcomes(passed=1, errors=1)
    verified.stdout.fnmatch_lines(["  GET https://*/cloudservers/detail: not in the recording"])


HARD_CODED = """
def test_it(hwcloud, hwcloud_session):
    url = "https://ecs.cn-north-4.myhuaweicloud.com/v1/%s/cloudservers/detail"
    assert hwcloud_session.get(url).json()["count"] == 2
"""


def test_a_real_project_id_in_the_code_and_both_ways_out(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    real = REAL.projects["cn-north-4"]
    source = HARD_CODED % real
    run(source, "--hwcloud-mode=record").assert_outcomes(passed=1)
    replayed = run(source)
    replayed.assert_outcomes(failed=1)
    replayed.stdout.fnmatch_lines(
        [
            f"*  ids        {real} is no id of this run: recordings carry the ids of the "
            "identity default (05041fffa40025702f6dc009cc6f8f33) in place of the real ones",
            "*  either     take the id in the code from hwcloud.credentials().project_id or hwcloud.url(…)*",
        ]
    )
    mended = source.replace(real, "{hwcloud.credentials().project_id}").replace('"https', 'f"https')
    run(mended).assert_outcomes(passed=1)
    pytester.makefile(".yaml", hwcloud=f"identities: {{default: {{projects: {{cn-north-4: {real}}}}}}}")
    run(source, "--hwcloud-mode=record").assert_outcomes(passed=1)
    run(source).assert_outcomes(passed=1)


KEY_LINES = [
    ("en", "identity  default (access key QXJ7… of HUAWEICLOUD_SDK_AK) · AK/SK"),
    ("zh", "身份    default（访问密钥 QXJ7…，来自 HUAWEICLOUD_SDK_AK） · AK/SK"),
]


@pytest.mark.parametrize(("lang", "line"), KEY_LINES)
@pytest.mark.parametrize("mode", ["record", "live"])
def test_a_refusal_of_the_real_cloud_names_the_key_and_its_place(
    run: Run, cloud: Cloud, monkeypatch: pytest.MonkeyPatch, mode: str, lang: str, line: str
) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "wrong" * 8)
    source = SUITE.partition("def test_token")[0]
    result = run(source, f"--hwcloud-mode={mode}", f"--hwcloud-lang={lang}")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E *{line}"])
    assert "ci-reader" not in result.stdout.str()


TALLIED = """
import pytest
LIST = "/v1/{project_id}/cloudservers/detail"

@pytest.mark.parametrize("n", [1, 2])
def test_good(hwcloud, hwcloud_session, n):
    for _ in range(n):
        assert hwcloud_session.get(hwcloud.url("ecs", LIST)).ok

def test_bad(hwcloud, hwcloud_session):
    assert hwcloud_session.get(hwcloud.url("ecs", LIST)).status_code == 500
"""


def test_the_end_of_a_recording_says_what_was_written_and_what_is_next(
    run: Run, pytester: pytest.Pytester, cloud: Cloud
) -> None:
    wanted = [
        r"hwcloud recorded: 2 cassettes written \(3 calls, \d+ values masked\) · 1 dropped, its test failed: "
        r"test_it\.py::test_bad",
        r"  next      look through cassettes/test_it, commit it, and run pytest without --hwcloud-mode: it replays",
    ]
    serial = run(TALLIED, "--hwcloud-mode=record")
    serial.assert_outcomes(passed=2, failed=1)
    serial.stdout.re_match_lines(wanted, consecutive=True)
    again = run(TALLIED, "--hwcloud-mode=record", "-k", "good")
    again.stdout.re_match_lines([r"hwcloud recorded: 0 cassettes written \(0 calls, \d+ values masked\) · 2 kept$"])
    again.stdout.no_fnmatch_line("  next *")
    chinese = run(TALLIED, "--hwcloud-mode=record", "--hwcloud-record=all", "--hwcloud-lang=zh")
    chinese.stdout.re_match_lines(
        [
            r"hwcloud 录制：已写入 2 个录制文件（3 次调用，\d+ 个值已脱敏） · 1 个因测试失败而丢弃："
            r"test_it\.py::test_bad",
            r"  下一步    检查 cassettes/test_it 并提交，然后不带 --hwcloud-mode 运行 pytest 即可回放",
        ],
        consecutive=True,
    )


def test_what_workers_recorded_is_summed_and_no_secret_is_counted_twice() -> None:
    one = recording.Tally(written={"a.yaml": 2}, kept=["b.yaml"], masked={"1", "2"}, compared=1)
    other = recording.Tally(written={"a.yaml": 1, "b.yaml": 1}, dropped=["t.py::x"], masked={"2"}, differ=1)
    one.merge(recording.Tally(**other.to_dict() | {"masked": set(other.masked)}))  # type: ignore[arg-type]
    assert one == recording.Tally(
        written={"a.yaml": 3, "b.yaml": 1},
        kept=["b.yaml"],
        dropped=["t.py::x"],
        masked={"1", "2"},
        compared=1,
        differ=1,
    )
    assert one.lines(Settings(mode="record"))[0] == (
        "hwcloud recorded: 2 cassettes written (4 calls, 2 values masked) · 1 dropped, its test failed: t.py::x"
    )


def test_progress_of_a_recording_is_told_once_a_second_and_on_a_terminal_only(pytestconfig: pytest.Config) -> None:
    now, written = [0.0], list[str]()
    progress = recording.Progress(pytestconfig, clock=lambda: now[0])
    for isatty in (False, True):
        plugins = {"terminalreporter": SimpleNamespace(isatty=isatty, write_line=written.append)}
        progress._plugin = plugins.get  # type: ignore[assignment]
        for _ in range(10):
            now[0] += 0.3
            progress.add()
    assert written == [f"hwcloud recording: {calls} calls so far" for calls in (11, 15, 19)]


ON_A_TERMINAL = """
import socket
from pytest_hwcloud.permissions.proof import results
from pytest_hwcloud.run import recording

recording._EVERY = results._EVERY = 0.0
real = socket.getaddrinfo

def look_up(host, port, *args, **kwargs):
    if not str(host).endswith("myhuaweicloud.com"):
        return real(host, port, *args, **kwargs)
    return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", {port}))]

socket.getaddrinfo = look_up
"""


def on_a_terminal(folder: Path, *options: str) -> list[str]:
    """The lines of a run whose standard output is a real terminal of 120 columns, without its colours."""
    import pty
    import termios

    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (24, 120))
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-p", "no:asyncio", *options]
    with subprocess.Popen(command, cwd=folder, stdin=theirs, stdout=theirs, stderr=theirs) as child:
        os.close(theirs)
        heard = b""
        with suppress(OSError):  # Linux reports the end of the other side as an error
            while more := os.read(ours, 65536):
                heard += more
        assert child.wait() == 0, heard.decode()
    os.close(ours)
    return re.sub(r"\x1b\[[0-9;]*m", "", heard.decode()).replace("\r\n", "\n").split("\n")


@pytest.mark.skipif(os.name == "nt", reason="no pty")
@pytest.mark.usefixtures("cloud")
def test_the_progress_of_recording_and_proof_has_its_own_lines_on_a_real_terminal(
    pytester: pytest.Pytester, shared: Cloud
) -> None:
    pytester.makeconftest(ON_A_TERMINAL.replace("{port}", str(shared.port)))
    pytester.makepyfile(test_it=SUITE.partition("def test_token")[0] + "\ntest_again = test_session\n")
    recorded = on_a_terminal(pytester.path, "--hwcloud-mode=record")
    assert [line for line in recorded if re.fullmatch(r"hwcloud recording: \d calls? so far", line)] != []
    proved = on_a_terminal(pytester.path, "--hwcloud-prove=all", "--hwcloud-lang=zh")
    assert [line for line in proved if line.startswith("hwcloud 验证：目前")] == [
        f"hwcloud 验证：目前 {n} 个测试 · {n} 个已验证" for n in (1, 2)
    ]


SKIPPING = """
import pytest, requests

@pytest.fixture
def servers(hwcloud, hwcloud_session):
    return hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")).json()["count"]

def test_in_the_call(servers):
    if servers < 9:
        pytest.skip("too few servers")

@pytest.fixture
def many(servers):
    if servers < 9:
        pytest.skip("too few servers")

def test_in_a_fixture(many):
    pass

def test_expected(servers):
    pytest.xfail("too few servers")
"""


def test_what_a_test_asked_before_it_skipped_is_kept(run: Run, pytester: pytest.Pytester, cloud: Cloud) -> None:
    run(SKIPPING, "--hwcloud-mode=record").assert_outcomes(skipped=2, xfailed=1)
    names = ["test_it/test_expected.yaml", "test_it/test_in_a_fixture.yaml", "test_it/test_in_the_call.yaml"]
    assert list(cassettes(pytester)) == names
    seen = len(cloud.seen)
    run(SKIPPING).assert_outcomes(skipped=2, xfailed=1)
    assert len(cloud.seen) == seen
