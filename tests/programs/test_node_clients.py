"""Real clients for Node: Huawei Cloud's SDK, the OBS SDK, fetch, undici, axios and https, answered, explained, refused.

They are installed from the registry of npm into a folder beside pytest's temporary ones, once a machine.
"""

from __future__ import annotations

import getpass
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.extended,
    pytest.mark.skipif(shutil.which("node") is None or shutil.which("npm") is None, reason="Node is not installed"),
]
Suite = Callable[..., pytest.RunResult]

PACKAGES = (
    "@huaweicloud/huaweicloud-sdk-core@3.1.211",
    "@huaweicloud/huaweicloud-sdk-ecs@3.1.172",
    "uuid@9.0.1",  # which the SDK's core requires and does not name
    "esdk-obs-nodejs@3.26.8",
    "undici@6.29.1",
    "axios@1.21.1",
)
ECS, OBS = "https://ecs.cn-north-4.myhuaweicloud.com", "https://obs.cn-north-4.myhuaweicloud.com"
LIST = f"{ECS}/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"
SDK = """
const core = require("@huaweicloud/huaweicloud-sdk-core");
const ecs = require("@huaweicloud/huaweicloud-sdk-ecs/v2/public-api");
const e = process.env;
let keys = new core.BasicCredentials().withAk(e.HUAWEICLOUD_SDK_AK).withSk(e.HUAWEICLOUD_SDK_SK);
"""
CALL = """
const client = builder.withCredential(keys).build();
client.listServersDetails(new ecs.ListServersDetailsRequest()).then(
  answer => console.log(answer.httpStatusCode, answer.count),
  error => { console.log(error.httpStatusCode, error.errorCode); process.exitCode = 3; });
"""
PROGRAMS = {
    "sdk": SDK + f"keys = keys.withProjectId(e.HUAWEICLOUD_SDK_PROJECT_ID);"
    f"const builder = ecs.EcsClient.newBuilder().withEndpoint('{ECS}');" + CALL,
    "sdk-region": SDK + "const builder = ecs.EcsClient.newBuilder().withRegion(ecs.EcsRegion.CN_NORTH_4);" + CALL,
    "fetch": f"fetch('{LIST}').then(async r => console.log(r.status, (await r.json()).error_code));",
    "undici": f"require('undici').request('{LIST}').then("
    "async r => console.log(r.statusCode, (await r.body.json()).error_code));",
    "axios": f"require('axios').get('{LIST}').catch(e => console.log(e.response.status, e.response.data.error_code));",
    "https": f"require('https').get('{LIST}', r => console.log(r.statusCode));",  # leaves the answer unread
}
OBS_PROGRAM = f"""
const ObsClient = require("esdk-obs-nodejs");
const e = process.env;
const server = "{OBS}";
const client = new ObsClient({{access_key_id: e.OBS_ACCESS_KEY_ID, secret_access_key: e.OBS_SECRET_ACCESS_KEY, server}});
setTimeout(() => client.listBuckets({{}}).then(  // a call at once would find the client half made
  answer => console.log(answer.CommonMsg.Status, answer.InterfaceResult.Buckets[0].BucketName)), 50);
"""
BUCKETS = """
interactions:
- request: {method: HEAD, uri: 'https://obs.cn-north-4.myhuaweicloud.com/?apiversion', body: null, headers: {}}
  response: {status: {code: 200, message: OK}, headers: {x-obs-api: ['3.0']}, body: {string: ''}}
- request: {method: GET, uri: 'https://obs.cn-north-4.myhuaweicloud.com/', body: null, headers: {}}
  response:
    status: {code: 200, message: OK}
    headers: {Content-Type: [application/xml]}
    body:
      string: >-
        <?xml version="1.0" encoding="UTF-8"?><ListAllMyBucketsResult xmlns="http://obs.myhwclouds.com/doc/2015-06-30/">
        <Owner><ID>x</ID></Owner><Buckets><Bucket><Name>logs</Name><CreationDate>2021-09-02T01:17:00.000Z</CreationDate>
        <Location>cn-north-4</Location></Bucket></Buckets></ListAllMyBucketsResult>
version: 1
"""


@pytest.fixture(scope="module")
def modules() -> Path:
    """The folder with the packages; a skip where the registry cannot be reached."""
    folder = Path(tempfile.gettempdir()) / f"pytest-hwcloud-node-of-{getpass.getuser()}"
    done = folder / "installed"
    if not (done.is_file() and done.read_text() == str(PACKAGES)):
        command = ["npm", "install", "--no-audit", "--no-fund", "--prefix", str(folder), *PACKAGES]
        try:
            made = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        except subprocess.TimeoutExpired:
            pytest.skip("npm install took more than two minutes")
        if made.returncode:
            pytest.skip(f"npm cannot install the packages: {made.stderr.strip().splitlines()[:1]}")
        done.write_text(str(PACKAGES))
    return folder / "node_modules"


SUITE = """
import subprocess
import pytest

PROGRAMS = {programs!r}
OBS = {obs!r}

def node(code, **options):
    return subprocess.run(["node", "-e", code], capture_output=True, text=True, timeout=60, **options)

@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.parametrize("name", PROGRAMS)
def test_answered(hwcloud, hwcloud_gateway, name):
    done = node(PROGRAMS[name], env=hwcloud_gateway.env)
    wanted = "200 8" if "sdk" in name else "401" if name == "https" else "401 APIGW.0301"
    assert done.stdout == wanted + "\\n", done.stderr
    assert hwcloud_gateway.refused == []

def test_obs(hwcloud, hwcloud_gateway):
    done = node(OBS, env=hwcloud_gateway.env)
    assert done.stdout == "200 logs\\n", done.stderr

@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.parametrize("name", ["sdk", "sdk-region"])
def test_explained(hwcloud, hwcloud_gateway, name):
    with hwcloud.deny("ecs:cloudServers:list"):
        done = node(PROGRAMS[name], env=hwcloud_gateway.env)
    assert done.returncode == 0

@pytest.mark.parametrize("name", [*PROGRAMS, "obs"])
def test_refused(hwcloud, hwcloud_env, name):
    node(PROGRAMS.get(name, OBS))
"""


def test_node_clients(pytester: pytest.Pytester, suite: Suite, modules: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NODE_PATH", str(modules))
    folder = pytester.mkdir("cassettes") / "test_it"
    folder.mkdir()
    (folder / "test_obs.yaml").write_text(BUCKETS)
    source = SUITE.format(programs=PROGRAMS, obs=OBS_PROGRAM)
    result = suite(source, "-rf", "-o", "hwcloud_cassette_checks=off", "--hwcloud-permissions=off")
    result.assert_outcomes(passed=len(PROGRAMS) + 1, failed=2 + len(PROGRAMS) + 1)
    text = result.stdout.str()
    assert text.count("hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs") == 2
    for host in (ECS, OBS):
        assert f"hwcloud: blocked a child process that called {host[8:]}:443: in replay mode" in text
    failed = [line for line in result.outlines if line.startswith("FAILED test_it.py::test_refused")]
    assert [line for line in failed if "NetworkBlocked " not in line] == []
