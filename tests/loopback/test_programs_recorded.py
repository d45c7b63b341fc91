"""Record mode through the gateway: the traffic of other programs becomes a cassette, which then answers them."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from loopback.cloud import REAL, REGION, Cloud
from loopback.conftest import secrets_of

from pytest_hwcloud.commands import cli
from pytest_hwcloud.secrets.encodings import spellings

# Logs in with the password and lists the servers with the token, as curl and Node do it in the guides of the services.
LOGIN = {
    "auth": {
        "identity": {
            "methods": ["password"],
            "password": {"user": {"name": "USER", "password": "PASS", "domain": {"name": "ACCOUNT"}}},
        },
        "scope": {"project": {"name": REGION}},
    }
}
NODE = f"""
(async () => {{
  const e = process.env;
  let login = JSON.stringify({json.dumps(LOGIN)});
  login = login.replace("USER", e.OS_USERNAME).replace("PASS", e.OS_PASSWORD).replace("ACCOUNT", e.OS_USER_DOMAIN_NAME);
  const token = await fetch("https://iam.{REGION}.myhuaweicloud.com/v3/auth/tokens",
    {{method: "POST", body: login, headers: {{"Content-Type": "application/json"}}}});
  const headers = {{"X-Auth-Token": token.headers.get("x-subject-token")}};
  const url = `https://ecs.{REGION}.myhuaweicloud.com/v1/${{e.HUAWEICLOUD_SDK_PROJECT_ID}}/cloudservers/detail?limit=2`;
  const answer = await fetch(url, {{headers}});
  const body = await answer.json();
  console.log(answer.status, body.count, body.servers[0].tenant_id === e.HUAWEICLOUD_SDK_PROJECT_ID);
}})();
"""
CURL = (
    f"""
token=$(curl -s -D - -o /dev/null https://iam.{REGION}.myhuaweicloud.com/v3/auth/tokens \
  -d '{json.dumps(LOGIN)}' | sed -n 's/^[Xx]-[Ss]ubject-[Tt]oken: //p' | tr -d '\\r')
curl -s --compressed -H "X-Auth-Token: $token" \
  https://ecs.{REGION}.myhuaweicloud.com/v1/$HUAWEICLOUD_SDK_PROJECT_ID/cloudservers/detail | grep -o '"count": 2'
""".replace("USER", "'\"$OS_USERNAME\"'")
    .replace("PASS", "'\"$OS_PASSWORD\"'")
    .replace("ACCOUNT", "'\"$OS_USER_DOMAIN_NAME\"'")
)
SDK = f"""
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion
import os
credentials = BasicCredentials(os.environ["HUAWEICLOUD_SDK_AK"], os.environ["HUAWEICLOUD_SDK_SK"])
client = EcsClient.new_builder().with_credentials(credentials).with_region(EcsRegion.value_of("{REGION}")).build()
print(client.list_servers_details(ListServersDetailsRequest()).count)
"""
SUITE = f"""
import os, subprocess, sys
import pytest

HOST, PATH = "ecs.{REGION}.myhuaweicloud.com", "/v1/PROJECT/cloudservers/detail?limit=1&marker=a%2fb"
SIGNED = '''
import os, sys
from pytest_hwcloud import sign
url = sys.argv[1] + sys.argv[2].replace("PROJECT", os.environ["HUAWEICLOUD_SDK_PROJECT_ID"])
headers = sign("GET", url, {{}}, b"", ak=os.environ["HUAWEICLOUD_SDK_AK"], sk=os.environ["HUAWEICLOUD_SDK_SK"])
'''
CLIENTS = {{
    "requests": "import requests; r = requests.get(url, headers=headers); print(r.status_code, r.json()['count'])",
    "http.client": "import http.client, json; c = http.client.HTTPSConnection(sys.argv[1][8:]); "
    "c.request('GET', url[len(sys.argv[1]):], headers=headers); r = c.getresponse(); "
    "print(r.status, json.loads(r.read())['count'])",
}}

def python(gateway, client, base, **more):
    command = [sys.executable, "-c", SIGNED + CLIENTS[client], base, PATH]
    return subprocess.run(command, env={{**gateway.env, **more}}, capture_output=True, text=True)

def test_signed(hwcloud, hwcloud_gateway):
    done = python(hwcloud_gateway, "requests", "https://" + HOST)
    assert done.stdout == "200 2\\n", done.stderr
    assert [exchange.status for exchange in hwcloud.exchanges] == [200]
    assert hwcloud.exchanges[0].where[0] == __file__

def test_signed_for_the_port_of_one_host(hwcloud, hwcloud_gateway):
    done = python(hwcloud_gateway, "http.client", hwcloud_gateway.endpoint("ecs"))
    assert done.stdout == "200 2\\n", done.stderr

def test_curl(hwcloud, hwcloud_gateway, shell):
    assert shell("sh", "-c", os.environ["CURL"]) == '"count": 2\\n'

def test_node(hwcloud, hwcloud_gateway, shell):
    assert shell("node", "-e", os.environ["NODE"]) == "200 2 true\\n"

def test_answered_without_the_fixture(hwcloud, hwcloud_env):
    command = [sys.executable, "-c", SIGNED + CLIENTS["requests"], "https://" + HOST, PATH]
    assert subprocess.check_output(command, text=True) == "200 2\\n"
    assert [exchange.status for exchange in hwcloud.exchanges] == [200]

@pytest.fixture
def shell(hwcloud_gateway):
    return lambda *command: subprocess.run(command, env=hwcloud_gateway.env, stdout=subprocess.PIPE, text=True).stdout

def test_key_of_somebody_else(hwcloud, hwcloud_gateway):
    if os.environ.get("REPLAY"): pytest.skip()
    done = python(hwcloud_gateway, "requests", hwcloud_gateway.endpoint("ecs"), HUAWEICLOUD_SDK_AK="A" * 20)
    assert "JSONDecodeError" in done.stderr
    command = ["curl", "-s", "-H", "Authorization: AWS4-HMAC-SHA256 Credential=x", hwcloud_gateway.endpoint("ecs")]
    out = subprocess.check_output(command, env=hwcloud_gateway.env, text=True)
    number = hwcloud_gateway.endpoint("ecs").rpartition("/")[2]
    assert out == (
        f"hwcloud: the signature of this request holds {{number}}, which stands for {{HOST}}: "
        "it cannot be passed on to the real host\\n"
        "  fix        let the program call the host itself, through the proxy of env=hwcloud_gateway.env\\n"
    )
"""


@pytest.fixture
def own_cloud(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[Cloud]:
    with Cloud(tmp_path_factory.mktemp("own-cloud")) as cloud:
        cloud.reachable(monkeypatch)
        monkeypatch.setenv("NODE", NODE)
        monkeypatch.setenv("CURL", CURL)
        yield cloud


def give_everything(monkeypatch: pytest.MonkeyPatch) -> None:
    """The account's keys and password in the environment, as Terraform reads them."""
    for name, value in {
        "HW_ACCESS_KEY": REAL.ak,
        "HW_SECRET_KEY": REAL.sk,
        "HW_PROJECT_ID": REAL.projects[REGION],
        "HW_DOMAIN_ID": REAL.domain_id,
        "HW_DOMAIN_NAME": REAL.domain,
        "HW_USER_NAME": REAL.user,
        "HW_USER_PASSWORD": REAL.password or "",
    }.items():
        monkeypatch.setenv(name, value)


def check_clean(folder: Path) -> list[str]:
    names = sorted(path.name for path in (folder / "cassettes").rglob("*.yaml"))
    for path in (folder / "cassettes").rglob("*.yaml"):
        text = path.read_text()
        assert [secret for secret in secrets_of(REAL) for one in spellings(secret) if one in text] == []
        assert "MIIE" not in text
        assert "127.0.0.1" not in text
    return names


def test_what_programs_called_is_recorded_and_answers_them_afterwards(
    pytester: pytest.Pytester, own_cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(test_suite=SUITE)
    missing = [name for name in ("node", "curl") if shutil.which(name) is None]
    more = [part for name in missing for part in ("--deselect", f"test_suite.py::test_{name}")]
    with monkeypatch.context() as context:
        give_everything(context)
        recorded = pytester.runpytest_inprocess(
            "-p", "hwcloud", "--hwcloud-mode=record", "--hwcloud-children=answer", *more
        )
    recorded.assert_outcomes(passed=6 - len(missing), deselected=len(missing))
    names = check_clean(pytester.path)
    assert len(names) == 5 - len(missing)
    calls = {url.partition("?")[2] for _, url in own_cloud.seen if "cloudservers" in url}
    assert "limit=1&marker=a%2fb" in calls  # the bytes of the client, whose signature is over them
    own_cloud.seen.clear()
    monkeypatch.setenv("REPLAY", "1")
    replayed = pytester.runpytest_inprocess("-p", "hwcloud", "--hwcloud-children=answer", *more)
    replayed.assert_outcomes(passed=5 - len(missing), skipped=1, deselected=len(missing))
    assert own_cloud.seen == []


def test_the_run_command_records_and_replays(
    tmp_path: Path, own_cloud: Cloud, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    program = ("--", sys.executable, "-c", SDK)
    with monkeypatch.context() as context:
        give_everything(context)
        before = dict(os.environ)
        assert cli.run(["run", "--record", "--cassette", "cassettes/servers.yaml", "--", "sh", "-c", "exit 4"]) == 4
        assert "hwcloud: nothing was recorded: the program ended with status 4" in capfd.readouterr().err
        assert not Path("cassettes").exists()
        assert cli.run(["run", "--record", "--cassette", "cassettes/servers.yaml", *program]) == 0
        assert os.environ == before
    assert capfd.readouterr().out == "2\n"
    assert check_clean(tmp_path) == ["servers.yaml"]
    own_cloud.seen.clear()
    assert cli.run(["run", "--cassette", "cassettes/servers.yaml", *program]) == 0
    assert capfd.readouterr().out == "2\n"
    assert own_cloud.seen == []
