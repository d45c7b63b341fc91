"""The guard: a program that a replayed cloud test starts reaches no cloud host, and the test says who tried."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest

Suite = Callable[..., pytest.RunResult]

HOST = "ecs.cn-north-4.myhuaweicloud.com"
HEAD = f"""
import asyncio, http.client, multiprocessing, os, pty, subprocess, sys, threading
import pytest

HOST = "{HOST}"
URL = "https://" + HOST + "/v1/x"
# swallows what it meets, as programs do
BY_REQUESTS = "import requests\\ntry: requests.get('" + URL + "')\\nexcept Exception: pass"
BY_SOCKET = "import socket\\ntry: socket.create_connection(('" + HOST + "', 443))\\nexcept OSError: pass"
PYTHON = [sys.executable, "-c", BY_SOCKET]
REQUESTS = [sys.executable, "-c", BY_REQUESTS]
"""

WAYS = (
    HEAD
    + """
import shlex
from concurrent.futures import ProcessPoolExecutor
from os import posix_spawn as start, system
from subprocess import Popen

def call(number=0):
    connection = http.client.HTTPSConnection(HOST, timeout=5)
    try:
        connection.request("GET", "/v1/x")
    except OSError:
        pass

def run(hwcloud): subprocess.run(REQUESTS)
def run_in_another_folder(hwcloud): subprocess.run(PYTHON, cwd="/")
def run_isolated(hwcloud): subprocess.run([sys.executable, "-I", "-c", BY_REQUESTS])
def run_without_its_variables(hwcloud): subprocess.run([sys.executable, "-E", "-c", BY_REQUESTS])
def run_in_a_session_of_its_own(hwcloud): subprocess.run(["nohup", *PYTHON], start_new_session=True)
def run_another_executable(hwcloud): subprocess.run(["x", *PYTHON[1:]], executable=sys.executable)
def popen_imported_by_name(hwcloud): Popen(PYTHON).wait()
def system_imported_by_name(hwcloud): system(shlex.join(PYTHON))
def posix_spawn_imported_by_name(hwcloud): os.waitpid(start(sys.executable, PYTHON, os.environ), 0)
def run_with_an_environment(hwcloud): subprocess.run(PYTHON, env={"PATH": os.environ["PATH"]})
def run_with_bytes(hwcloud): subprocess.run(PYTHON, env={b"PATH": os.environb[b"PATH"]})
def check_output(hwcloud): subprocess.check_output(PYTHON)
def popen_with_positional_arguments(hwcloud):
    subprocess.Popen(PYTHON, -1, None, None, None, None, None, True, False, None, {"PATH": os.environ["PATH"]}).wait()
def by_socket(hwcloud): subprocess.run([sys.executable, "-c", BY_SOCKET])
def no_proxy(hwcloud): subprocess.run(REQUESTS, env={**os.environ, "NO_PROXY": "*,.myhuaweicloud.com", "no_proxy": "*"})
def shell(hwcloud): subprocess.run(f'"{sys.executable}" -c "$CODE"', shell=True, env={**os.environ, "CODE": BY_SOCKET})
def os_popen(hwcloud): os.popen(f"'{sys.executable}' -c \\"import os; exec(os.environ['CODE'])\\"").close()
def os_system(hwcloud): os.system(f"'{sys.executable}' -c \\"import os; exec(os.environ['CODE'])\\"")
def os_spawn(hwcloud): os.spawnv(os.P_WAIT, sys.executable, PYTHON)
def os_spawnle(hwcloud): os.spawnle(os.P_WAIT, sys.executable, *PYTHON, {"PATH": os.environ["PATH"]})
def posix_spawn(hwcloud): os.waitpid(os.posix_spawn(sys.executable, PYTHON, {"PATH": os.environ["PATH"]}), 0)
def asyncio_exec(hwcloud):
    async def start():
        await (await asyncio.create_subprocess_exec(*PYTHON)).wait()
    asyncio.run(start())
def asyncio_shell(hwcloud):
    async def start():
        await (await asyncio.create_subprocess_shell(f"'{sys.executable}' -c \\"import os; exec(os.environ['CODE'])\\"")).wait()
    asyncio.run(start())
def a_thread(hwcloud):
    thread = threading.Thread(target=subprocess.run, args=(PYTHON,))
    thread.start()
    thread.join()
def a_pty(hwcloud):
    child, terminal = pty.fork()
    if child == 0:
        os.execv(sys.executable, PYTHON)
    os.waitpid(child, 0)
    os.close(terminal)
def a_grandchild(hwcloud):
    subprocess.run([sys.executable, "-c", "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]])", BY_SOCKET])
def fork_and_exec(hwcloud):
    child = os.fork()
    if child == 0:
        os.execvpe(sys.executable, PYTHON, {"PATH": os.environ["PATH"]})
    os.waitpid(child, 0)
def fork_exec_of_c(hwcloud):
    import _posixsubprocess, inspect
    reading, writing = os.pipe()
    more = () if sys.version_info >= (3, 14) else (False,)
    started = _posixsubprocess.fork_exec(PYTHON, [os.fsencode(sys.executable)], True, (writing,), None, [b"A=b"],
        -1, -1, -1, -1, -1, -1, reading, writing, False, False, -1, None, None, None, -1, None, *more)
    os.waitpid(started, 0)
    os.close(reading); os.close(writing)
def uvloop_exec(hwcloud): _uvloop(lambda: asyncio.create_subprocess_exec(*PYTHON, env={"PATH": os.environ["PATH"]}))
def uvloop_shell(hwcloud): _uvloop(lambda: asyncio.create_subprocess_shell(shlex.join(PYTHON)))
def _uvloop(start):
    import uvloop
    async def run(): await (await start()).wait()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner: runner.run(run())
def pool_spawn(hwcloud): _pool("spawn")
def pool_forkserver(hwcloud): _pool("forkserver")
def _pool(method):
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context(method)) as pool: list(pool.map(call, [1]))
def spawn(hwcloud): _process("spawn")
def forkserver(hwcloud): _process("forkserver")

def _process(method):
    process = multiprocessing.get_context(method).Process(target=call)
    process.start()
    process.join()
    process.close()

@pytest.fixture(autouse=True)
def code(monkeypatch):
    monkeypatch.setenv("CODE", BY_SOCKET)

WAYS = [way for name, way in list(globals().items()) if getattr(way, "__code__", None) and way.__code__.co_varnames[:1] == ("hwcloud",)]

@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_way(hwcloud, way):
    way(hwcloud)
"""
)


def test_every_way_to_start_a_program_is_guarded(suite: Suite) -> None:
    result = suite(WAYS, "-rf")
    without = 0 if find_spec("uvloop") else 2
    result.assert_outcomes(failed=34)
    text = result.stdout.str()
    assert text.count(f"hwcloud: blocked a child process that called {HOST}:443: in replay mode") == 34 - without
    assert "called after the test" not in text


def test_the_text_says_who_called_what_from_which_line_and_the_ways_out(suite: Suite) -> None:
    source = HEAD + (
        "def test_script(hwcloud, tmp_path):\n"
        "    (tmp_path / 'sync.py').write_text(BY_REQUESTS)\n"
        "    subprocess.run([sys.executable, str(tmp_path / 'sync.py'), '--token=s3cret'])\n"
    )
    result = suite(source)
    lines = result.stdout.lines
    begin = next(number for number, line in enumerate(lines) if line.startswith("hwcloud: blocked"))
    program = Path(sys.executable).name
    line = next(n for n, text in enumerate(Path("test_it.py").read_text().splitlines(), 1) if "--token" in text)
    assert lines[begin : begin + 6] == [
        f"hwcloud: blocked a child process that called {HOST}:443: in replay mode no cloud test reaches a cloud host",
        f"  program    {program} sync.py",
        f"  started    test_it.py:{line}",
        "  fix        answer it from the cassettes: start it with env=hwcloud_gateway.env (fixture hwcloud_gateway);",
        "             or answer every child: --hwcloud-children=answer (both need the extra gateway);",
        "             --hwcloud-children=off lets children reach the real cloud",
    ]
    assert "s3cret" not in result.stdout.str()


UNTOUCHED = (
    HEAD
    + """
def names(environment=None):
    out = subprocess.run([sys.executable, "-c", "import os; print(*os.environ)"], capture_output=True, text=True, env=environment).stdout
    return set(out.split())

def test_plain_before():
    assert not {"HTTPS_PROXY", "HWCLOUD_CHILD", "NODE_OPTIONS"} & names()

def test_cloud(hwcloud):
    assert {"HTTPS_PROXY", "HWCLOUD_CHILD", "NODE_OPTIONS"} <= names({"PATH": os.environ["PATH"]})
    assert "HTTPS_PROXY" not in os.environ

def test_plain_after():
    assert not {"HTTPS_PROXY", "HWCLOUD_CHILD", "NODE_OPTIONS"} & names()
"""
)


def test_only_children_of_cloud_tests_see_a_variable_and_off_lets_them_alone(suite: Suite) -> None:
    suite(UNTOUCHED).assert_outcomes(passed=3)
    suite(UNTOUCHED, "--hwcloud-children=off").assert_outcomes(passed=2, failed=1)


OTHERS = (
    HEAD
    + """
import socketserver
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    def do_GET(self):
        body = f"{self.server.name} {self.path}".encode()
        self.server.seen.append((self.path, self.headers.get("Proxy-Authorization")))
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
    def do_CONNECT(self):
        self.server.seen.append((self.path, self.headers.get("Proxy-Authorization")))
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"")
        self.close_connection = True
    def log_message(self, *args): pass

@pytest.fixture
def server():
    made = []
    def start(name, address="127.0.0.1"):
        one = ThreadingHTTPServer((address, 0), Handler)
        one.name, one.seen, one.daemon_threads = name, [], True
        thread = threading.Thread(target=one.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        made.append((one, thread))
        return one
    yield start
    for one, thread in made:
        one.shutdown(); one.server_close(); thread.join()

def get(url, **environment):
    code = "import requests, sys; print(requests.get(sys.argv[1]).text)"
    return subprocess.run([sys.executable, "-c", code, url], capture_output=True, text=True, env={**os.environ, **environment}).stdout.strip()

def test_loopback(hwcloud, server):
    assert get(f"http://127.0.0.1:{server('plain').server_port}/a?b=c") == "plain /a?b=c"

def test_another_host(hwcloud, server):
    assert get(f"http://127.0.0.2:{server('plain', '127.0.0.2').server_port}/a?b=c") == "plain /a?b=c"

def test_another_host_through_a_tunnel(hwcloud, server):
    one = server("plain", "127.0.0.2")
    code = "import http.client, os, sys; from urllib.parse import urlsplit\\n"
    code += "c = http.client.HTTPConnection(urlsplit(os.environ['HTTPS_PROXY']).netloc); c.set_tunnel('127.0.0.2', int(sys.argv[1]))\\n"
    code += "c.request('GET', '/t'); print(c.getresponse().read().decode())"
    found = subprocess.check_output([sys.executable, "-c", code, str(one.server_port)], text=True)
    assert found == "plain /t\\n"

def test_the_users_own_proxy_is_kept(hwcloud, server):
    proxy = server("proxy")
    found = get("http://somewhere.example/x", HTTP_PROXY=f"http://me:pass@127.0.0.1:{proxy.server_port}")
    assert found == "proxy http://somewhere.example/x"
    assert proxy.seen == [("http://somewhere.example/x", "Basic bWU6cGFzcw==")]

def test_the_users_own_proxy_gets_tunnels(hwcloud, server):
    proxy = server("proxy")
    get("https://somewhere.example/x", HTTPS_PROXY=f"http://me:pass@127.0.0.1:{proxy.server_port}")
    assert ("somewhere.example:443", "Basic bWU6cGFzcw==") in proxy.seen

def test_the_users_own_proxy_never_sees_the_cloud(hwcloud, server):
    proxy = server("proxy")
    try:
        get(URL, HTTPS_PROXY=f"http://127.0.0.1:{proxy.server_port}")
    finally:
        assert proxy.seen == []
"""
)


def test_other_hosts_pass_and_the_users_own_proxy_stays_in_the_chain(suite: Suite) -> None:
    result = suite(OTHERS, "-rf")
    result.assert_outcomes(passed=5, failed=1)
    assert "FAILED test_it.py::test_the_users_own_proxy_never_sees_the_cloud - " in result.stdout.str()


LEFT_OVER = (
    HEAD
    + """
import time
SLEEPER = "import time\\nwhile True:\\n try:\\n  open('go'); break\\n except OSError: time.sleep(0.02)\\n" + BY_SOCKET + "\\nopen('done', 'w')"

def test_starts(hwcloud):
    subprocess.Popen([sys.executable, "-c", SLEEPER])

def test_plain():
    open("go", "w").close()
    for _ in range(500):
        if os.path.exists("done"):
            break
        time.sleep(0.02)
    time.sleep(0.1)
"""
)


def test_a_program_that_outlives_its_test_is_refused_and_told_at_the_end(suite: Suite) -> None:
    result = suite(LEFT_OVER, "-W", "ignore")
    text = result.stdout.str()
    assert "hwcloud: called after the test" in text
    assert f"test_it.py::test_starts: python -c called {HOST}:443 when its test was over; it was refused" in (
        text.replace("python3 -c", "python -c").replace("python3.11 -c", "python -c")
    )
    assert result.ret == 1


WIDER = (
    HEAD
    + """
SERVICE = "import sys\\nfor line in sys.stdin:\\n exec(sys.argv[1])\\n print('called', flush=True)"

@pytest.fixture(scope="module")
def service():
    process = subprocess.Popen([sys.executable, "-c", SERVICE, BY_SOCKET], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    yield process
    process.stdin.close(); process.wait(); process.stdout.close()

def ask(service):
    service.stdin.write("go\\n"); service.stdin.flush()
    assert service.stdout.readline() == "called\\n"

def test_first(hwcloud, service): pass
def test_second(hwcloud, service): ask(service)
def test_third(hwcloud, service): pass
"""
)


def test_a_service_of_a_wider_fixture_fails_the_test_that_made_it_call(suite: Suite) -> None:
    result = suite(WIDER, "-rf")
    result.assert_outcomes(passed=2, failed=1)
    assert "FAILED test_it.py::test_second - " in result.stdout.str()


@pytest.mark.skipif(shutil.which("node") is None, reason="Node is not installed")
def test_node_programs_are_guarded_whatever_client_they_use(suite: Suite) -> None:
    clients = {
        "fetch": f"fetch('https://{HOST}/v1').catch(() => 0)",
        "https": f"require('https').get('https://{HOST}/v1').on('error', () => 0)",
        "http": f"require('http').get('http://{HOST}/v1', r => r.resume()).on('error', () => 0)",
        "net": f"require('net').connect(443, '{HOST}').on('error', () => 0).end('x')",
    }
    source = HEAD + f"CLIENTS = {clients!r}\n" + (
        "@pytest.mark.parametrize('client', CLIENTS)\n"
        "def test_node(hwcloud, client): subprocess.run(['node', '-e', CLIENTS[client]])\n"
    )  # fmt: skip
    suite(source).assert_outcomes(failed=4)


@pytest.mark.skipif(shutil.which("curl") is None, reason="curl is not installed")
def test_curl_is_guarded(suite: Suite) -> None:
    suite(HEAD + "def test_curl(hwcloud): subprocess.run(['curl', '-s', URL])\n").assert_outcomes(failed=1)


def test_the_users_sitecustomize_runs_and_node_options_are_kept(suite: Suite) -> None:
    source = (
        HEAD
        + """
def test_chain(hwcloud, tmp_path):
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.mine = 1")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path), "NODE_OPTIONS": "--no-warnings"}
    code = "import os, sys; print(sys.mine, os.environ['NODE_OPTIONS'].split()[0])"
    assert subprocess.check_output([sys.executable, "-c", code], env=environment, text=True) == "1 --no-warnings\\n"
"""
    )
    suite(source).assert_outcomes(passed=1)


def test_a_run_without_children_loads_nothing_of_it(suite: Suite) -> None:
    source = (
        HEAD
        + """
@pytest.mark.hwcloud_cassette("success/list-servers")
def test_call(hwcloud, hwcloud_session):
    assert hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")).ok
    assert [name for name in sys.modules if name.startswith("pytest_hwcloud.gateway")] == []
    assert not [thread.name for thread in threading.enumerate() if thread.name.startswith("hwcloud")]
"""
    )
    suite(source).assert_outcomes(passed=1)


def test_under_xdist_the_late_calls_of_a_worker_are_told(suite: Suite) -> None:
    result = suite(LEFT_OVER, "-p", "xdist.plugin", "-n", "1", "-W", "ignore")
    assert result.ret == 1
    assert "hwcloud: called after the test" in result.stdout.str()
