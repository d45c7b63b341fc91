"""--hwcloud-permissions: what findings do, also those about policies; ignores; whose call it was; with xdist."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from permission_project import HEAD, Run, answer, cassette, heads, policy, section

from pytest_hwcloud.files import reading

LISTED = HEAD + '@pytest.mark.hwcloud_cassette("success/list-servers")\n'
WANTS = '@pytest.mark.requires_permission("ecs:cloudServers:list")\n'
CALL = "def test_it(hwcloud):\n    get(hwcloud)\n"
STALE = LISTED + '@pytest.mark.requires_permission("ecs:cloudServers:list", "vpc:ports:get")\n' + CALL


def test_findings_about_a_policy_fail_the_run_and_no_test(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/r.json", ("ecs:*:list*", "ecs:cloudServers:lst"), ("ecs:cloudServers:list",))
    source = LISTED + WANTS + CALL
    result = run(source, f"--hwcloud-policy={file}")
    assert result.ret == 0
    assert section(result) == (
        "HWP010 unknown-action  ecs:cloudServers:lst   in iam/r.json:1, statement 1\n"
        "  why       no such action is documented; did you mean ecs:cloudServers:list?\n"
        "  fix       correct the name in iam/r.json:1\n"
        "\n"
        "HWP017 inert-statement  iam/r.json statement 2   "
        "it changes nothing: statement 1 allows the same actions everywhere\n"
        "  fix       take statement 2 out of iam/r.json"
    )
    result = run(source, f"--hwcloud-policy={file}", "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=1)
    assert result.ret == 1
    assert result.stdout.lines[-1] == (
        "hwcloud: exit status 1: 2 permission findings (HWP010, HWP017), permissions enforce"
    )


def test_an_ignore_hides_a_finding_until_its_day(run: Run, pytester: pytest.Pytester) -> None:
    ignore = "ignores:\n  - {{rule: HWP003, match: 'test_it.py::test_i*', reason: in work, until: '{}'}}\n"
    pytester.path.joinpath("hwcloud.yaml").write_text(ignore.format("2999-01-01"))
    result = run(STALE, "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=1)
    assert (section(result), result.ret) == ("ignored: 1 permission finding (HWP003), by hwcloud.yaml", 0)
    pytester.path.joinpath("hwcloud.yaml").write_text(ignore.format("2020-01-01"))
    result = run(STALE)
    result.assert_outcomes(passed=1)
    assert heads(result) == ["HWP003 vpc:ports:get"]
    assert result.ret == 1
    assert result.stdout.lines[-1] == (
        "hwcloud: hwcloud.yaml:2: the ignore of HWP003 for 'test_it.py::test_i*' ended on 2020-01-01 (in work): "
        "correct what it covers, or give it a new date"
    )


FIXTURES = (
    HEAD
    + """
import requests

ECS = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers"


def signed():
    from pytest_hwcloud.cloud.signing.aksk import AkSkAuth
    from pytest_hwcloud.cloud.identity import default_identity
    who = default_identity()
    return AkSkAuth(who.ak, who.sk)


@pytest.fixture(scope="module")
def servers():
    return requests.get(ECS + "/detail", auth=signed()).json()


@pytest.fixture(scope="module")
def server():
    requests.get(ECS + "/1ab", auth=signed())
    yield
    requests.get(ECS + "/detail", auth=signed())


@pytest.fixture
def temporary(hwcloud):
    get(hwcloud)
    yield
    get(hwcloud, SHOW)


pytestmark = pytest.mark.hwcloud_cassette("both")

"""
)
BOTH = '@pytest.mark.requires_permission("ecs:cloudServers:list", "ecs:cloudServers:showServer")\n'


@pytest.fixture
def both(pytester: pytest.Pytester) -> None:
    cassette(pytester.path, "both", answer(), answer("/v1/{project_id}/cloudservers/1ab"))


@pytest.mark.usefixtures("both")
def test_calls_of_a_cached_fixture_belong_to_every_test_that_has_it(run: Run) -> None:
    source = FIXTURES + (
        WANTS + "def test_first(servers):\n    pass\n\n" + WANTS + "def test_second(servers):\n    pass\n\n"
        '@pytest.mark.requires_permission("ecs:cloudServers:showServer")\n'
        "def test_third(servers, hwcloud):\n    get(hwcloud, SHOW)\n\n" + WANTS + "def test_fourth():\n    pass\n"
        "\n" + WANTS + 'def test_fifth(request):\n    request.getfixturevalue("servers")\n'
    )
    result = run(source)
    result.assert_outcomes(passed=5)
    assert heads(result) == ["HWP003 ecs:cloudServers:list", "HWP002 ecs:cloudServers:list"]
    assert "test_it.py::test_fourth" not in section(result)
    run(source, "--hwcloud-permissions=enforce").assert_outcomes(passed=3, failed=2)


@pytest.mark.usefixtures("both")
def test_calls_of_the_cleaning_up_count(run: Run) -> None:
    source = (
        FIXTURES
        + BOTH
        + "def test_own(temporary):\n    pass\n\n"
        + BOTH
        + ("def test_wider(server):\n    pass\n\ndef test_last():\n    pass\n")
    )
    result = run(source, "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=3)
    assert (section(result), result.ret) == ("", 0)
    less = source.replace('"ecs:cloudServers:list", ', "")
    result = run(less, "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=2, failed=1)
    assert heads(result) == ["HWP002 ecs:cloudServers:list"]
    assert "2 tests: test_it.py::test_own · ::test_wider" in section(result)
    more = source.replace('Server")\ndef test_own', 'Server", "vpc:ports:get")\ndef test_own')
    result = run(more, "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=3, errors=1)
    assert heads(result) == ["HWP003 vpc:ports:get"]


@pytest.mark.usefixtures("both")
def test_each_row_of_a_wider_fixture_has_its_own_calls(run: Run) -> None:
    fixture = (
        '@pytest.fixture(scope="module", params=["calls", "", (1, 2)])\ndef row(request):\n'
        '    if request.param != "":\n        requests.get(ECS + "/detail", auth=signed())\n\n'
    )
    result = run(FIXTURES + fixture + WANTS + "def test_it(row):\n    pass\n", "--hwcloud-permissions=enforce")
    result.assert_outcomes(passed=2, failed=1)
    assert heads(result) == ["HWP003 ecs:cloudServers:list"]


THREADS = """
import asyncio
import threading

def in_thread(hwcloud):
    thread = threading.Thread(target=get, args=(hwcloud,))
    thread.start()
    thread.join()

def in_loop(hwcloud):
    async def main():
        await asyncio.gather(asyncio.to_thread(get, hwcloud), asyncio.to_thread(get, hwcloud))
    asyncio.run(main())

def by_sdk(hwcloud):
    from huaweicloudsdkecs.v2 import EcsAsyncClient, ListServersDetailsRequest
    hwcloud.client(EcsAsyncClient).list_servers_details_async(ListServersDetailsRequest()).result()

@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.requires_permission("ecs:cloudServers:list", "vpc:ports:get")
@pytest.mark.parametrize("way", [in_thread, in_loop, by_sdk])
def test_it(hwcloud, way):
    way(hwcloud)
"""


def test_calls_of_threads_loops_and_the_async_client_belong_to_their_test(run: Run) -> None:
    result = run(HEAD + THREADS)
    result.assert_outcomes(passed=3)
    assert heads(result) == ["HWP003 vpc:ports:get"]
    assert "3 tests: test_it.py::test_it[*] (3)" in section(result)


SUITE = (
    HEAD
    + """
class TestServers:
    pytestmark = [
        pytest.mark.hwcloud_cassette("success/list-servers"),
        pytest.mark.requires_permission("ecs:cloudServers:list", "vpc:ports:get"),
    ]

    def test_a(self, hwcloud):
        get(hwcloud)

    def test_b(self):
        pass


@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.requires_permission("ecs:servers:list")
@pytest.mark.parametrize("page", range(3))
def test_trap(hwcloud, page):
    get(hwcloud)


@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.denied_permission("ecs:cloudServers:list")
def test_denied(hwcloud):
    get(hwcloud)


@pytest.mark.skip
@pytest.mark.requires_permission("ecs:servers:list")
def test_skipped():
    pass
"""
)


def test_the_same_text_serial_and_distributed(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    serial = run(SUITE)
    distributed = run(SUITE, "-p", "xdist", "-n", "1")  # a worker costs more than the suite
    distributed.assert_outcomes(passed=6, skipped=1)
    assert section(distributed) == section(serial)
    assert heads(serial) == [
        "HWP018 ecs:cloudServers:list",
        "HWP003 ecs:servers:list",
        "HWP002 ecs:cloudServers:list",
        "HWP003 vpc:ports:get",
    ]
    enforced = run(SUITE, "-p", "xdist", "-n", "2", "--hwcloud-permissions=enforce")
    enforced.assert_outcomes(passed=2, failed=4, skipped=1)
    assert [line for line in section(enforced).splitlines() if line[:3] == "HWP"] == [
        line for line in section(serial).splitlines() if line[:3] == "HWP"
    ]
    assert enforced.ret == 1
    assert enforced.stdout.lines[-1] == (
        "hwcloud: exit status 1: 8 permission findings (HWP002, HWP003, HWP018), permissions enforce"
    )


def test_a_policy_file_is_read_once_a_run(run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """By rules, lock, proof and reports together, and for two identities that hold it."""
    reads = Counter[str]()
    read_bytes = reading.read_bytes

    def counting(path: str, *, most: int = reading.MOST) -> bytes:
        reads[Path(path).name] += 1
        return read_bytes(path, most=most)

    monkeypatch.setattr(reading, "read_bytes", counting)
    file = policy(pytester.path, "iam/r.json", ("ecs:*:get*",), ("ecs:*:get*",))
    pytester.path.joinpath("hwcloud.yaml").write_text(
        f"identities:\n  default:\n    policies: [{file}]\n  other:\n    policies: [{file}]\n", encoding="utf-8"
    )
    source = HEAD + '@pytest.mark.hwcloud_cassette("success/list-servers")\ndef test_it(hwcloud):\n    get(hwcloud)\n'
    reports = [f"--hwcloud-report={kind}:out.{kind}" for kind in ("json", "html", "sarif", "md")]
    result = run(source, "--hwcloud-prove=all", "--hwcloud-lock=update", *reports)
    result.assert_outcomes(passed=1)
    assert heads(result) == ["HWP001 ecs:cloudServers:list", "HWP017 iam/r.json"]
    assert reads["r.json"] == 1
