"""Five newcomers, each with no more than README and guide: the commands and snippets are taken from the pages."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from permission_project import LIST, answer, cassette, heads

from pytest_hwcloud.commands import cli
from pytest_hwcloud.commands.help import GUIDE

Run = Callable[..., pytest.RunResult]
README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
POLICY = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:*:get*", "ecs:*:list*"]}]}
CLOUD = "https://ecs.cn-north-4.myhuaweicloud.com"


def blocks(page: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page, re.S | re.M)


def page(topic: str, capsys: pytest.CaptureFixture[str], lang: str = "en") -> str:
    """What `pytest-hwcloud help TOPIC` shows."""
    assert cli.run(["help", topic, "--lang", lang]) == 0
    return capsys.readouterr().out


def test_a_suite_that_comes_from_pytest_recording(
    run: Run, pytester: pytest.Pytester, capsys: pytest.CaptureFixture[str]
) -> None:
    """One sed of the page moves the tests, the cassettes stay byte for byte, and a scan says what lies in them."""
    guide = page("migrating", capsys)
    (sed,) = (block.strip() for block in blocks(guide, "shell") if block.startswith("sed"))
    folder = pytester.mkdir("tests")
    keys = {"Authorization": ["SDK-HMAC-SHA256 Access=AKIDOFSOMEBODY, SignedHeaders=host, Signature=" + "0f" * 32]}
    recorded = answer()
    recorded["request"]["headers"] = keys  # type: ignore[index]
    (folder / "cassettes" / "test_old").mkdir(parents=True)
    file = folder / "cassettes" / "test_old" / "test_lists.yaml"
    file.write_text(json.dumps({"version": 1, "interactions": [recorded]}), encoding="utf-8")
    before = file.read_bytes()
    (folder / "test_old.py").write_text(
        "import os, pytest, requests\nfrom pytest_hwcloud import AkSkAuth\n\n@pytest.mark.vcr()\ndef test_lists():\n"
        f"    url = '{CLOUD}{LIST}'.format(project_id='05041fffa40025702f6dc009cc6f8f33')\n"
        "    keys = os.environ['HUAWEICLOUD_SDK_AK'], os.environ['HUAWEICLOUD_SDK_SK']\n"
        "    assert requests.get(url, auth=AkSkAuth(*keys)).json() == {'servers': []}\n",
        encoding="utf-8",
    )
    subprocess.run(sed, shell=True, check=True, cwd=pytester.path)
    assert '@pytest.mark.usefixtures("hwcloud")' in (folder / "test_old.py").read_text(encoding="utf-8")
    pytester.makeini("[pytest]\nhwcloud_env = true\n")
    pytester.runpytest_inprocess("-p", "hwcloud", "tests").assert_outcomes(passed=1)
    assert file.read_bytes() == before
    assert cli.run(["cassettes", "scan", str(folder)]) == 1
    assert "1 secret" in capsys.readouterr().out
    assert cli.run(["cassettes", "scrub", "--write", str(folder)]) == 0
    assert cli.run(["cassettes", "scan", str(folder)]) == 0
    assert b"0f0f0f" not in file.read_bytes()
    pytester.runpytest_inprocess("-p", "hwcloud", "tests").assert_outcomes(passed=1)


def test_a_permission_check_in_ci(run: Run, pytester: pytest.Pytester) -> None:
    """The README's test, policy and CI command; then code that needs more, and the way out that the run prints."""
    (source,) = (one for one in blocks(README, "python") if "requires_permission" in one)
    (workflow,) = blocks(README, "yaml")
    command = re.search(r"- run: pytest (.*)", workflow)
    assert command
    arguments = command[1].split()
    (folder := pytester.path / "iam").mkdir()
    (folder / "ci-reader.json").write_text(json.dumps(POLICY), encoding="utf-8")
    lost = run(source, *arguments, name="test_inventory")
    assert lost.ret == 1  # there is no lock yet, and the last line says how to make it
    (advice,) = re.findall(r"pytest (--hwcloud\S.*--hwcloud-lock=update\S*)", "\n".join(lost.outlines + lost.errlines))
    assert run(source, *advice.split(), name="test_inventory").ret == 0
    assert run(source, *arguments, name="test_inventory").ret == 0
    more = source.replace('"ecs:cloudServers:list"', '"ecs:cloudServers:list", "vpc:vpcs:list"') + (
        '    hwcloud_session.get(hwcloud.url("vpc", "/v1/{project_id}/vpcs"))\n'
    )
    cassette(pytester.path, "vpcs", answer("/v1/{project_id}/vpcs", base=CLOUD.replace("ecs", "vpc")))
    more = more.replace('"success/list-servers")', '"success/list-servers", "vpcs")')
    red = run(more, *arguments, name="test_inventory")
    assert red.ret == 1
    assert {"HWP001 vpc:vpcs:list", "HWP008 vpc:vpcs:list"} <= set(heads(red))
    widened = {**POLICY, "Statement": [*POLICY["Statement"], {"Effect": "Allow", "Action": ["vpc:vpcs:list"]}]}  # type: ignore[misc]
    (folder / "ci-reader.json").write_text(json.dumps(widened), encoding="utf-8")
    told = run(more, *arguments, name="test_inventory").stdout.str()
    accept = re.search(r"accept    pytest (.*)", told)
    assert accept
    run(more, *accept[1].split(), name="test_inventory")
    assert run(more, *arguments, name="test_inventory").ret == 0


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_a_first_refusal(run: Run, lang: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The failure names code, call, need and fix; the code explains itself at the shell, and the page of its gate."""
    source = blocks(README, "python")[0].replace(', hwcloud.refused("Ecs.0110", gate="authorization")', "")
    result = run(
        source.replace("        hwcloud_session.get", "        assert hwcloud_session.get") + "",
        f"--hwcloud-lang={lang}",
    )
    text = result.stdout.str()
    for part in ("Ecs.0110", "HTTP 403", "GET https://ecs.cn-north-4.myhuaweicloud.com", "ecs:cloudServers:list"):
        assert part in text
    label = {"en": "cause", "zh": "原因"}[lang]
    assert re.search(rf"^E +{label} ", text, re.M)
    assert cli.run(["explain", "Ecs.0110", "--lang", lang]) == 0
    assert "Ecs.0110" in capsys.readouterr().out
    assert "authorization" in page("gates", capsys, lang)


def test_async_httpx_as_the_page_of_clients_says(run: Run) -> None:
    pytest.importorskip("httpx")
    guide = (GUIDE / "clients.md").read_text(encoding="utf-8")
    assert "| httpx (sync, async) | yes | yes | `AkSkAuth`, `Token` |" in guide
    result = run(
        """
        import asyncio
        import httpx, pytest
        from pytest_hwcloud import AkSkAuth

        async def count(url, auth):
            async with httpx.AsyncClient(auth=auth) as client:
                response = await client.get(url)
                response.raise_for_status()
                return response.json()["count"]

        @pytest.fixture
        def url(hwcloud):
            return hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")

        @pytest.mark.hwcloud_cassette("success/list-servers")
        def test_keys(hwcloud, url):
            keys = hwcloud.credentials()
            assert asyncio.run(count(url, AkSkAuth(keys.ak, keys.sk))) == 8

        @pytest.mark.hwcloud_cassette("success/list-servers")
        def test_token(hwcloud_project_token, url):
            assert asyncio.run(count(url, hwcloud_project_token)) == 8

        @pytest.mark.hwcloud_cassette("success/list-servers")
        def test_wrong_key(hwcloud, url):
            assert asyncio.run(count(url, AkSkAuth(hwcloud.credentials().ak, "a-wrong-secret-key"))) == 8
        """
    )
    result.assert_outcomes(passed=2, failed=1)
    result.stdout.fnmatch_lines(["E *hwcloud: refused at authentication: APIGW.0301 (HTTP 401) from the API gateway"])


@pytest.mark.extended
def test_a_large_repository_with_workers(run: Run, pytester: pytest.Pytester) -> None:
    """Sixty tests in six files: the same lock, the same findings and one group a cause, serial and with two workers."""
    (folder := pytester.path / "iam").mkdir()
    (folder / "ci-reader.json").write_text(json.dumps(POLICY), encoding="utf-8")
    head = (
        'import pytest\nLIST = "/v1/{project_id}/cloudservers/detail"\n'
        'pytestmark = [pytest.mark.hwcloud_cassette("success/list-servers"),'
        ' pytest.mark.requires_permission("ecs:cloudServers:list")]\n'
    )
    test = "def test_{}(hwcloud, hwcloud_session):\n    assert hwcloud_session.get(hwcloud.url('ecs', LIST)).ok\n"
    files = {f"test_{name}": head + "".join(test.format(n) for n in range(10)) for name in "abcdef"}
    pytester.makepyfile(**files)
    workers = ("-p", "xdist", "-n", "2")
    policy = "--hwcloud-policy=iam/ci-reader.json"
    lock = pytester.path / "hwcloud-permissions.yaml"
    written = []
    for more in ((), workers):
        lock.unlink(missing_ok=True)
        pytester.runpytest_inprocess("-p", "hwcloud", policy, "--hwcloud-lock=update", *more).assert_outcomes(passed=60)
        written.append(lock.read_bytes())
    assert written[0] == written[1]
    (folder / "ci-reader.json").write_text(json.dumps(POLICY).replace(', "ecs:*:list*"', ""), encoding="utf-8")
    arguments = (policy, "--hwcloud-permissions=enforce", "--hwcloud-lock=check", "-q")
    lines = [pytester.runpytest_inprocess("-p", "hwcloud", *arguments, *more).outlines for more in ((), workers)]
    for shown in lines:
        at = next(number for number, line in enumerate(shown) if "hwcloud: why tests failed" in line)
        assert shown[at + 1] == "Ecs.0110 · authorization · 60 tests"
        assert shown[at + 12] == "  … and 50 more"
        found = [line for line in shown if line.startswith(("HWP001 missing", "HWP007 lost"))]
        assert found[-2:] == [
            "HWP001 missing-permission  ecs:cloudServers:list   identity default",
            "HWP007 lost-permission  ecs:cloudServers:list   cause: policy iam/ci-reader.json",
        ]
