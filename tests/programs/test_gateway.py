"""The gateway: other processes are answered through the same gates, cassettes, journal and checks."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Suite = Callable[..., pytest.RunResult]

HOST = "ecs.cn-north-4.myhuaweicloud.com"
PROJECT = "05041fffa40025702f6dc009cc6f8f33"
LIST = f"https://{HOST}/v1/{PROJECT}/cloudservers/detail"
HEAD = f"""
import asyncio, json, os, subprocess, sys, threading, time
import pytest

HOST, LIST = "{HOST}", "{LIST}"
SIGN = "from pytest_hwcloud import sign; headers = sign('GET', url, {{}}, b'', ak=os.environ['HUAWEICLOUD_SDK_AK'], sk=os.environ['HUAWEICLOUD_SDK_SK'])"
START = f"import os, sys; url = {{LIST!r}}; {{SIGN}}\\n"
BY_REQUESTS = START + "import requests; r = requests.get(url, headers=headers); print(r.status_code, r.text)"
BY_URLLIB = START + '''
import urllib.request, urllib.error
try: r = urllib.request.urlopen(urllib.request.Request(url, headers=headers))
except urllib.error.HTTPError as error: r = error
print(r.status, r.read().decode())'''
BY_HTTP_CLIENT = START + '''
import http.client
c = http.client.HTTPSConnection({HOST!r}); c.request("GET", url[url.index("/v1"):], headers=headers)
r = c.getresponse(); print(r.status, r.read().decode())'''
BY_HTTPX = START + "import httpx; r = httpx.get(url, headers=headers); print(r.status_code, r.text)"
BY_HTTPX_WITHOUT_ENVIRONMENT = START + "import httpx; r = httpx.Client(trust_env=False).get(url, headers=headers); print(r.status_code, r.text)"
BY_URLLIB3 = START + "import urllib3; r = urllib3.request('GET', url, headers=headers); print(r.status, r.data.decode())"
BY_AIOHTTP = START + '''
import aiohttp, asyncio
async def main():
    async with aiohttp.ClientSession() as s, s.get(url, headers=headers) as r: print(r.status, await r.text())
asyncio.run(main())'''
BY_SDK = f'''
from huaweicloudsdkcore.auth.credentials import BasicCredentials
from huaweicloudsdkecs.v2 import EcsClient, ListServersDetailsRequest
from huaweicloudsdkecs.v2.region.ecs_region import EcsRegion
client = EcsClient.new_builder().with_credentials(BasicCredentials()).with_region(EcsRegion.value_of("cn-north-4")).build() if False else None
import os
credentials = BasicCredentials(os.environ["HUAWEICLOUD_SDK_AK"], os.environ["HUAWEICLOUD_SDK_SK"])
client = EcsClient.new_builder().with_credentials(credentials).with_region(EcsRegion.value_of("cn-north-4")).build()
print(200, client.list_servers_details(ListServersDetailsRequest()).to_json_object())'''

def python(code, gateway, **options):
    return subprocess.run([sys.executable, "-c", code], env=gateway.env, capture_output=True, text=True, **options)
"""

CLIENTS = (
    HEAD
    + """
CLIENTS = {name: code for name, code in globals().items() if name.startswith("BY_")}

@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.requires_permission("ecs:cloudServers:list", optional=["iam:projects:listProjects"])
@pytest.mark.parametrize("client", CLIENTS)
def test_client(hwcloud, hwcloud_gateway, client):
    done = python(CLIENTS[client], hwcloud_gateway)
    assert done.stdout.startswith("200 ") and "count" in done.stdout, done.stderr
    hwcloud.assert_called("ecs:cloudServers:list", times=1)
    exchange = hwcloud.exchanges[-1]
    assert (exchange.identity, exchange.source) == ("default", "success/list-servers")
    assert exchange.where[0] == __file__
    assert hwcloud_gateway.refused == []

@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.parametrize("client", CLIENTS)
def test_denied(hwcloud, hwcloud_gateway, client):
    with hwcloud.deny("ecs:cloudServers:list"), hwcloud.refused("Ecs.0110", gate="authorization"):
        python(CLIENTS[client], hwcloud_gateway)
"""
)


def test_python_clients_with_proxy_variables_and_without(suite: Suite) -> None:
    suite(CLIENTS, "-rf").assert_outcomes(passed=16)


@pytest.mark.extended
def test_two_workers_have_gateways_of_their_own(suite: Suite) -> None:
    source = (
        CLIENTS
        + """
@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.parametrize("number", range(8))
def test_worker(hwcloud, hwcloud_gateway, number):
    assert python(BY_HTTP_CLIENT, hwcloud_gateway).stdout.startswith("200 ")
    hwcloud.assert_called("ecs:cloudServers:list", times=1)
"""
    )
    result = suite(source, "-p", "xdist.plugin", "-n", "2", "-k", "worker or denied", "-rf")
    result.assert_outcomes(passed=16)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_and_every_way_in(suite: Suite) -> None:
    source = (
        HEAD
        + """
@pytest.mark.hwcloud_cassette("authentication/token-missing")
def test_in(hwcloud, hwcloud_gateway):
    def curl(*arguments, **more):
        return subprocess.check_output(["curl", "-s", *arguments], env={**hwcloud_gateway.env, **more}, text=True)
    url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
    port = hwcloud_gateway.url.rpartition(":")[2]
    wanted = '"error_code": "APIGW.0301"'
    assert wanted in curl(url).replace('":"', '": "')
    # TLS at once, the host by its name
    assert wanted in curl("--connect-to", f"::127.0.0.1:{port}", url, HTTPS_PROXY="", https_proxy="").replace('":"', '": "')
    # plain HTTP, absolute and with the host of its header
    plain = url.replace("https://", "http://")
    assert curl("-o", "-", "-w", "%{http_code}", plain).endswith(("401", "400"))
    assert curl("--proxytunnel", "-w", "%{http_code}", plain).endswith(("401", "400"))
    # the port of one host
    endpoint = hwcloud_gateway.endpoint("ecs")
    assert wanted in curl(url.replace("https://" + HOST, endpoint)).replace('":"', '": "')
    assert hwcloud_gateway.endpoint("ecs") == endpoint != hwcloud_gateway.endpoint("vpc")
    assert {exchange.url.split("/")[2] for exchange in hwcloud.exchanges} == {HOST}

def test_not_recorded(hwcloud, hwcloud_gateway):
    import xml.etree.ElementTree as xml
    def curl(url): return subprocess.check_output(["curl", "-s", "-H", "X-Auth-Token: x", url], env=hwcloud_gateway.env)
    assert json.loads(curl("https://ecs.cn-north-4.myhuaweicloud.com/v1/y"))["error_code"] == "HWCLOUD.NotRecorded"
    assert xml.fromstring(curl("https://b.obs.cn-north-4.myhuaweicloud.com/y"))[0].text == "HWCloudNotRecorded"

def test_other_hosts(hwcloud, hwcloud_gateway):
    assert subprocess.run(["curl", "-s", "https://example.com/"], env=hwcloud_gateway.env).returncode != 0
    text = subprocess.check_output(["curl", "-s", "http://example.com/"], env=hwcloud_gateway.env, text=True)
    assert text == (
        "hwcloud: the gateway turned example.com:80 away: it answers hosts of Huawei Cloud only\\n"
        "  fix        if example.com belongs to the cloud, add it to the ini option hwcloud_hosts; else let the program "
        "call it directly: NO_PROXY=example.com\\n"
    )
    assert hwcloud_gateway.refused == ["example.com:443", "example.com:80"]
"""
    )
    result = suite(source, "-o", "hwcloud_cassette_checks=off", "-rf")
    result.assert_outcomes(passed=2, failed=1)
    text = result.stdout.str()
    assert "FAILED test_it.py::test_not_recorded - " in text
    assert "hwcloud: no recorded answer for GET https://ecs.cn-north-4.myhuaweicloud.com/v1/y" in text
    assert "hwcloud: no recorded answer for GET https://b.obs.cn-north-4.myhuaweicloud.com/y" in text


WHERE = (
    HEAD
    + """
@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
class TestExplained:
    def test_check(self, hwcloud_gateway):
        subprocess.run([sys.executable, "-c", "import sys\\n" + BY_REQUESTS + "; sys.exit(1)"], env=hwcloud_gateway.env, check=True)
    def test_returncode(self, hwcloud_gateway):
        done = subprocess.run([sys.executable, "-c", BY_REQUESTS + "; sys.exit(3)"], env=hwcloud_gateway.env)
        assert done.returncode == 0
    def test_output(self, hwcloud_gateway):
        out = subprocess.run([sys.executable, "-c", BY_REQUESTS], env=hwcloud_gateway.env, capture_output=True).stdout
        assert b'"count": 8' in out
    def test_request_id_in_a_log(self, hwcloud_gateway, tmp_path):
        with open(tmp_path / "log", "w") as log:
            subprocess.run([sys.executable, "-c", BY_REQUESTS + "; print('request', '1c1d07572cb568467f65515a2353f3a9')"], env=hwcloud_gateway.env, stdout=log)
        text = (tmp_path / "log").read_text()
        assert "done" in text
    def test_popen_and_poll(self, hwcloud_gateway):
        process = subprocess.Popen([sys.executable, "-c", BY_REQUESTS + "; sys.exit(3)"], env=hwcloud_gateway.env, stdout=subprocess.DEVNULL)
        while process.poll() is None:
            time.sleep(0.02)
        assert process.returncode == 0
    def test_asyncio(self, hwcloud_gateway):
        async def start():
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", BY_REQUESTS + "; sys.exit(3)", env=hwcloud_gateway.env)
            await process.wait()
            return process
        process = asyncio.run(start())
        assert process.returncode == 0
    def test_helper_thread(self, hwcloud_gateway):
        found = []
        def start(): found.append(subprocess.run([sys.executable, "-c", BY_REQUESTS + "; sys.exit(3)"], env=hwcloud_gateway.env))
        thread = threading.Thread(target=start); thread.start(); thread.join()
        assert found[0].returncode == 0
    def test_service(self, hwcloud_gateway):
        code = START + '''
import http.server, requests
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200 if requests.get(url, headers=headers).ok else 502); self.end_headers()
    def log_message(self, *args): pass
server = http.server.HTTPServer(("127.0.0.1", 0), Handler); print(server.server_port, flush=True); server.handle_request()
'''
        with subprocess.Popen([sys.executable, "-c", code], env=hwcloud_gateway.env, stdout=subprocess.PIPE) as service:
            port = int(service.stdout.readline())
            import requests
            answer = requests.get(f"http://127.0.0.1:{port}/")
        assert answer.status_code == 200

@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
class TestInnocent:
    def test_expected_and_another_failure(self, hwcloud, hwcloud_gateway):
        with hwcloud.refused("Ecs.0110"):
            python(BY_REQUESTS, hwcloud_gateway)
        assert 1 + 1 == 3
    def test_another_program(self, hwcloud, hwcloud_gateway):
        python(BY_REQUESTS, hwcloud_gateway)
        other = subprocess.run([sys.executable, "-c", "raise SystemExit(4)"], env=hwcloud_gateway.env)
        assert other.returncode == 0
"""
)


def test_a_failing_assertion_about_a_program_is_explained_by_the_refusal_that_it_met(suite: Suite) -> None:
    result = suite(WHERE, "-rf", "-o", "hwcloud_cassette_checks=off", "--hwcloud-permissions=off")
    result.assert_outcomes(failed=10)
    text = result.stdout.str()
    explained = [
        part.split()[0] for part in text.split("\n_")[1:] if "hwcloud: refused at authorization: Ecs.0110" in part
    ]
    assert text.count("E   ") >= 10
    sections = {}
    for part in text.split("____ ")[1:]:
        sections[part.split(" ")[0]] = "hwcloud: refused at authorization: Ecs.0110 (HTTP 403) from ecs" in part
    assert explained is not None
    assert {name: told for name, told in sections.items() if not told} == {
        "TestInnocent.test_expected_and_another_failure": False,
        "TestInnocent.test_another_program": False,
    }


FAULTS = (
    HEAD
    + """
import socket
KINDS = ["dns", "connection-refused", "connection-reset", "connect-timeout", "read-timeout", "tls"]
BY_PROXY = "import requests\\ntry: requests.get(%r, timeout=0.7)\\nexcept Exception as error: print(type(error).__name__, str(error))"
DIRECTLY = "import http.client\\ntry:\\n c = http.client.HTTPSConnection(%r, timeout=0.7); c.request('GET', '/v1/x'); c.getresponse()\\nexcept Exception as error: print(type(error).__name__, str(error))"
WANTED = {
    "dns": ("502 Name or service not known", "gaierror [Errno -2] Name or service not known"),
    "connection-refused": ("502 Connection refused", "ConnectionRefusedError [Errno 111] Connection refused"),
    "connection-reset": (("ConnectionError", "ProxyError"), ("ConnectionResetError", "RemoteDisconnected")),
    "connect-timeout": (("ReadTimeout", "ConnectTimeout"), "TimeoutError"),
    "read-timeout": ("ReadTimeout", "TimeoutError The read operation timed out"),
    "tls": ("SSLError", "SSLCertVerificationError [SSL: CERTIFICATE_VERIFY_FAILED]"),
}

@pytest.mark.parametrize("kind", KINDS)
def test_fault(hwcloud, hwcloud_gateway, kind):
    for code, wanted in zip((BY_PROXY % f"https://{HOST}/v1/x", DIRECTLY % HOST), WANTED[kind]):
        told = python(code, hwcloud_gateway).stdout
        assert any(part in told for part in ((wanted,) if isinstance(wanted, str) else wanted)), (kind, told)
        assert hwcloud.exchanges[-1].fault == kind
        assert hwcloud.exchanges[-1].gate == "network"
        assert hwcloud.exchanges[-1].where[0] == __file__
"""
)


def test_six_faults_true_to_life(suite: Suite, pytester: pytest.Pytester) -> None:
    folder = pytester.mkdir("cassettes") / "test_it"
    folder.mkdir()
    for kind in ("dns", "connection-refused", "connection-reset", "connect-timeout", "read-timeout", "tls"):
        request = f"{{method: GET, uri: 'https://{HOST}/v1/x', body: null, headers: {{}}}}"
        (folder / f"test_fault[{kind}].yaml").write_text(
            f"interactions:\n- request: {request}\n  fault: {kind}\nversion: 1\n"
        )
    suite(FAULTS, "-rf").assert_outcomes(passed=6)


def test_left_over_programs_meet_a_closed_door_and_tests_share_nothing(suite: Suite) -> None:
    source = (
        HEAD
        + """
SLEEPER = START + '''
import http.client, time
while not os.path.exists("go"): time.sleep(0.02)
try: http.client.HTTPSConnection(url.split("/")[2], timeout=5).connect(); found = "connected"
except OSError as error: found = type(error).__name__
with open("found", "w") as file: file.write(found)
os.rename("found", "done")'''
URLS = []

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_starts(hwcloud_gateway):
    URLS.append(hwcloud_gateway.url)
    global left
    left = subprocess.Popen([sys.executable, "-c", SLEEPER], env=hwcloud_gateway.env)

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_other(hwcloud, hwcloud_gateway):
    assert hwcloud_gateway.url not in URLS
    open("go", "w").close()
    left.wait()
    with open("done") as found:
        assert found.read() == "ConnectionRefusedError"
    assert hwcloud.exchanges == []
"""
    )
    suite(source, "-o", "hwcloud_cassette_checks=off").assert_outcomes(passed=2)


def test_the_shared_gateway_answers_as_the_test_that_runs(suite: Suite) -> None:
    source = (
        HEAD
        + """
SERVICE = START + '''
import requests
session = requests.Session()
for line in sys.stdin: print(session.get(url, headers=headers).status_code, flush=True)'''

@pytest.fixture(scope="module")
def service(hwcloud_gateway_shared):
    with subprocess.Popen([sys.executable, "-c", SERVICE], env=hwcloud_gateway_shared.env, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        yield process
        process.stdin.close()

def ask(service):
    service.stdin.write("go\\n"); service.stdin.flush()
    return service.stdout.readline().strip()

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_allowed(hwcloud, service):
    assert ask(service) == "200"
    hwcloud.assert_called("ecs:cloudServers:list", times=1)

@pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
def test_refused(hwcloud, service):
    with hwcloud.refused("Ecs.0110"):
        assert ask(service) == "403"
"""
    )
    suite(source, "-rf", "-p", "xdist.plugin").assert_outcomes(passed=2)


def test_answer_answers_every_child_and_brings_no_keys(suite: Suite) -> None:
    source = (
        HEAD
        + """
@pytest.mark.hwcloud_cassette("success/list-servers")
def test_signed(hwcloud):
    keys = hwcloud.credentials()
    env = {**os.environ, "HUAWEICLOUD_SDK_AK": keys.ak, "HUAWEICLOUD_SDK_SK": keys.sk}
    assert subprocess.check_output([sys.executable, "-c", BY_HTTP_CLIENT], env=env).startswith(b"200 ")
    assert subprocess.check_output([sys.executable, "-c", BY_REQUESTS], env=env).startswith(b"200 ")
    assert [exchange.where[1] for exchange in hwcloud.exchanges] == [first + 4, first + 5]

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_no_keys(hwcloud):
    code = "import os; print([name for name in os.environ if name.endswith(('_AK', 'ACCESS_KEY_ID'))])"
    assert subprocess.check_output([sys.executable, "-c", code], text=True) == "[]\\n"

first = test_signed.__code__.co_firstlineno
"""
    )
    suite(source, "--hwcloud-children=answer", "-rf").assert_outcomes(passed=2)


METADATA = (
    HEAD
    + """
ASK = "import sys, urllib.request, urllib.error\\ntry: r = urllib.request.urlopen(sys.argv[1])\\nexcept urllib.error.HTTPError as error: r = error\\nprint(r.read().decode())"
KEYS = "http://169.254.169.254/openstack/latest/securitykey"

def ask(env):
    env["NO_PROXY"] = env["no_proxy"] = ",".join(one for one in env["NO_PROXY"].split(",") if one)
    return subprocess.check_output([sys.executable, "-c", ASK, KEYS], env=env, text=True)

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_answered(hwcloud, hwcloud_metadata, hwcloud_gateway):
    assert "169.254.169.254" not in hwcloud_gateway.env["NO_PROXY"]
    keys = json.loads(ask(hwcloud_gateway.env))["credential"]
    env = {**hwcloud_gateway.env, "HUAWEICLOUD_SDK_AK": keys["access"], "HUAWEICLOUD_SDK_SK": keys["secret"]}
    code = START.replace("{}", "{'X-Security-Token': '" + keys["securitytoken"] + "'}") + BY_HTTP_CLIENT[len(START):]
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True)
    assert done.stdout.startswith("200 "), done.stderr
    assert hwcloud.exchanges[-1].identity == "default"

def test_closed(hwcloud, hwcloud_gateway):
    assert ask(hwcloud_gateway.env) == (
        "hwcloud: the program found no keys and asked the metadata service of a server (169.254.169.254), which is not answered here\\n"
        "  fix        give it keys: env=hwcloud_gateway.env has HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK of the test's identity;\\n"
        "             or let it be answered, as on a server with an agency: fixture hwcloud_metadata\\n\\n"
    )
    assert hwcloud_gateway.refused == ["169.254.169.254:80"]

def test_closed_to_a_program_that_nobody_answers(hwcloud):
    told = subprocess.check_output([sys.executable, "-c", ASK, KEYS], text=True)
    assert told.startswith("hwcloud: the program found no keys and asked the metadata service of a server (169.254.169.254)")
"""
)


def test_the_metadata_service_gives_keys_where_a_test_asks_for_them_and_else_says_what_to_do(
    suite: Suite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_PROXY", "169.254.169.254,.example.com")
    suite(METADATA, "-rf", "-o", "hwcloud_cassette_checks=off").assert_outcomes(passed=3)


def test_keys_of_somebody_else_do_not_stand_beside_those_of_the_identity(
    run: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("OS_CLOUD", "OS_TOKEN", "AWS_PROFILE", "HW_SECURITY_TOKEN", "HUAWEICLOUD_SDK_SECURITY_TOKEN"):
        monkeypatch.setenv(name, "of-somebody-else")
    monkeypatch.setenv("AWS_PAGER", "cat")
    source = """
def test_env(hwcloud, hwcloud_gateway, hwcloud_env):
    assert "of-somebody-else" not in hwcloud_gateway.env.values()
    assert hwcloud_gateway.env["AWS_PAGER"] == "cat"
    assert hwcloud_env.items() <= hwcloud_gateway.env.items()
    assert "SK" not in str({name for name in hwcloud_gateway.environment(credentials=False) if name.startswith("HUAWEI")})
"""
    run(source, "-p", "no:cacheprovider").assert_outcomes(passed=1)


def test_a_wrong_value_of_the_option_is_an_error_that_names_it(suite: Suite, pytester: pytest.Pytester) -> None:
    result = suite("def test_x(hwcloud): pass\n", "-o", "hwcloud_children=maybe")
    assert result.ret == 4
    assert "ini option hwcloud_children = 'maybe': choose from refuse, answer, off" in result.stderr.str()


def test_without_the_extra_fixture_and_answer_say_how_to_install_it(suite: Suite) -> None:
    hidden = "import sys; sys.modules['trustme'] = None\n"
    result = suite(hidden + "def test_x(hwcloud_gateway): pass\n")
    result.assert_outcomes(errors=1)
    assert "hwcloud: the gateway needs the extra: pip install 'pytest-hwcloud[gateway]'" in result.stdout.str()


@pytest.mark.extended
@pytest.mark.skipif(shutil.which("javac") is None, reason="no JDK is installed")
def test_a_jvm_is_led_here_and_trusts_the_certificate(suite: Suite, pytester: pytest.Pytester) -> None:
    Path(pytester.path, "Call.java").write_text(
        """import java.net.*; import java.net.http.*;
public class Call { public static void main(String[] a) throws Exception {
  var connection = (HttpURLConnection) new URL(a[0]).openConnection();
  var client = HttpClient.newBuilder().proxy(ProxySelector.getDefault()).build();
  var answer = client.send(HttpRequest.newBuilder(URI.create(a[0])).build(), HttpResponse.BodyHandlers.ofString());
  System.out.println(connection.getResponseCode() + " " + answer.statusCode());
} }
"""
    )
    source = (
        HEAD
        + """
@pytest.mark.hwcloud_cassette("authentication/token-missing")
def test_java(hwcloud, hwcloud_gateway):
    done = subprocess.run(["java", "Call.java", LIST], env=hwcloud_gateway.env, capture_output=True, text=True)
    assert done.stdout == "401 401\\n", done.stderr
    assert len(hwcloud.exchanges) == 2
"""
    )
    suite(source, "-o", "hwcloud_cassette_checks=off").assert_outcomes(passed=1)


FORKS = (
    HEAD
    + """
import multiprocessing, http.client
def listed(session, queue): queue.put(session.get(LIST).status_code)
def raw(queue):
    c = http.client.HTTPSConnection(HOST)
    try:
        c.request("GET", "/v1/never", headers={"X-Auth-Token": "x"}); queue.put(c.getresponse().status)
    except Exception as error: queue.put(type(error).__name__)

def fork(*arguments, target=listed, count=1):
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    made = [context.Process(target=target, args=(*arguments, queue)) for _ in range(count)]
    for one in made: one.start()
    for one in made: one.join()
    return [queue.get() for _ in made]

@pytest.mark.requires_permission("ecs:cloudServers:list")
@pytest.mark.hwcloud_cassette("success/list-servers")
def test_reach_the_journal(hwcloud, hwcloud_session):
    assert fork(hwcloud_session, count=3) == [200, 200, 200]
    hwcloud.assert_called("ecs:cloudServers:list", times=3)
    assert {exchange.where for exchange in hwcloud.exchanges} == {(__file__, listed.__code__.co_firstlineno)}
    assert hwcloud_session.get(LIST).ok

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_denied(hwcloud, hwcloud_session):
    with hwcloud.deny("ecs:cloudServers:list"), hwcloud.refused("Ecs.0110"):
        assert fork(hwcloud_session) == [403]

def test_unrecorded(hwcloud):
    assert fork(target=raw) == ["NotRecorded"]

def test_grandchild(hwcloud):
    code = "import socket\\ntry: socket.create_connection(('" + HOST + "', 443))\\nexcept OSError: pass"
    fork(target=lambda queue: queue.put(subprocess.call([sys.executable, "-c", code], env={"PATH": os.environ["PATH"]})))
"""
)


def test_forks_are_answered_in_place_and_their_calls_reach_the_journal(suite: Suite) -> None:
    result = suite(FORKS, "-rf")
    result.assert_outcomes(passed=2, failed=2)
    text = result.stdout.str()
    assert f"hwcloud: no recorded answer for GET https://{HOST}/v1/never" in text
    assert f"hwcloud: blocked a child process that called {HOST}:443" in text


def test_no_file_holds_the_key_of_the_authority(tmp_path: Path) -> None:
    from pytest_hwcloud.gateway.certificates import Authority

    authority = Authority()
    try:
        folder = Path(authority.ca).parent
        assert authority.truststore.is_file()
        assert {file.name for file in folder.iterdir()} == {"ca.pem", "truststore.p12"}
        assert b"PRIVATE" not in authority.ca.read_bytes()
        listed = subprocess.run(
            [
                shutil.which("keytool") or sys.executable,
                "-list",
                "-keystore",
                str(authority.truststore),
                "-storepass",
                "changeit",
            ],
            capture_output=True,
            text=True,
            check=False,
        )
        assert shutil.which("keytool") is None or "trustedCertEntry" in listed.stdout
    finally:
        authority.close()
    assert not folder.exists()
