"""The wall in the process: every library's way to a cloud host ends before a name is looked up or a packet is sent.

The runs have no network where the kernel allows it, and where strace is installed their system calls are counted.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from pathlib import Path

import pytest
from programs.conftest import isolation

Suite = Callable[..., pytest.RunResult]
HOST = "ecs.cn-north-4.myhuaweicloud.com"

HEAD = f"""
import _socket, asyncio, http.client, importlib.util, socket, ssl, threading, urllib.request
from socket import create_connection, getaddrinfo, getfqdn, gethostbyaddr, gethostbyname
from socket import gethostbyaddr as resolve, socket as Socket
from _socket import getaddrinfo as in_c
import pytest

HOST = "{HOST}"
BYTES = HOST.encode()
URL = "https://" + HOST + "/v1/x"
"""
STANDARD = """
def reach_gethostbyaddr(): gethostbyaddr(HOST)
def reach_another_name(): resolve(HOST)
def reach_c_getaddrinfo_early(): in_c(HOST, 443)
def reach_gethostbyname_early(): gethostbyname(HOST)
def reach_gethostbyname_ex(): socket.gethostbyname_ex(HOST)
def reach_getfqdn(): getfqdn(HOST)
def reach_getaddrinfo_early(): getaddrinfo(HOST, 443)
def reach_getaddrinfo_by_name(): getaddrinfo(port=443, host=HOST)
def reach_create_connection_early(): create_connection((HOST, 443))
def reach_c_getaddrinfo(): _socket.getaddrinfo(HOST, 443)
def reach_c_gethostbyname(): _socket.gethostbyname(HOST)
def reach_socket_early(): _connect(Socket(), "connect")
def reach_c_socket(): _connect(_socket.socket(), "connect")
def reach_c_socket_type(): _connect(_socket.SocketType(), "connect_ex")
def reach_capitals_and_a_dot(): getaddrinfo(HOST.upper() + ".", 443)
def reach_datagram():
    with socket.socket(type=socket.SOCK_DGRAM) as made: made.sendto(b"x", (HOST, 53))
def reach_fast_open():
    with Socket() as made: made.sendto(b"x", getattr(socket, "MSG_FASTOPEN", 0), (HOST, 443))
def reach_sendmsg():
    with Socket() as made: made.sendmsg([b"x"], [], getattr(socket, "MSG_FASTOPEN", 0), (HOST, 443))
def reach_handshake_in_memory():
    ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=HOST)
def reach_handshake_of_bytes():
    ssl.create_default_context().wrap_bio(ssl.MemoryBIO(), ssl.MemoryBIO(), server_hostname=BYTES)
def reach_handshake_of_a_subclass():
    class Context(ssl.SSLContext): pass
    ours, theirs = socket.socketpair()
    with ours, theirs: Context(ssl.PROTOCOL_TLS_CLIENT).wrap_socket(ours, server_hostname=HOST)
def reach_certificate(): ssl.get_server_certificate((HOST, 443))
def reach_loop_getaddrinfo(): asyncio.run(_in_loop(lambda loop: loop.getaddrinfo(HOST, 443)))
def reach_loop_connection(): asyncio.run(_in_loop(lambda loop: asyncio.open_connection(HOST, 443, ssl=True)))
def reach_loop_sock_connect():
    with Socket() as made:
        made.setblocking(False)
        asyncio.run(_in_loop(lambda loop: loop.sock_connect(made, (HOST, 443))))
def reach_loop_datagram():
    asyncio.run(_in_loop(lambda loop: loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(HOST, 53))))
def reach_plain_http_by_a_proxy(): _by_proxy(lambda port: urllib.request.build_opener(
    urllib.request.ProxyHandler({"http": f"http://127.0.0.1:{port}"})).open("http://" + HOST + "/v1/x"))
def reach_absolute_request(): _by_proxy(lambda port: http.client.HTTPConnection("127.0.0.1", port).request("GET", "http://" + HOST + "/v1"))
def test_tunnels_are_answered_and_no_proxy_hears_of_them(hwcloud):
    _by_proxy(_tunnel)
    _by_proxy(lambda port: _tunnel(port, http.client.HTTPConnection))
    assert [exchange.status for exchange in hwcloud.exchanges] == [401, 401]

def _tunnel(port, kind=http.client.HTTPSConnection):
    connection = kind("127.0.0.1", port, timeout=5)
    connection.set_tunnel(HOST, 443)
    try: connection.request("GET", "/v1/x")
    finally: connection.close()

def _connect(made, method):
    try: getattr(made, method)((HOST, 443))
    finally: made.close()

async def _in_loop(call): await call(asyncio.get_running_loop())

def _by_proxy(call):
    '''A proxy that would go on to the cloud: it must never hear of it.'''
    heard = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        def serve():
            line, _ = server.accept()
            with line: heard.append(line.recv(100)); line.sendall(b"HTTP/1.1 200 OK\\r\\n\\r\\n")
        thread = threading.Thread(target=serve); thread.start()
        try: call(server.getsockname()[1])
        finally:
            with Socket() as last: last.connect_ex(server.getsockname())
            thread.join()
            assert not any(HOST.encode() in one for one in heard), heard
"""
ANYIO = """
import anyio
def reach_anyio(): anyio.run(anyio.connect_tcp, HOST, 443)
def reach_anyio_tls():
    async def call():
        from anyio.streams.tls import TLSStream
        one, other = anyio.create_memory_object_stream(1)
        await TLSStream.wrap(anyio.streams.stapled.StapledByteStream(one, other), hostname=HOST)
    anyio.run(call)
"""
UVLOOP = """
import uvloop
def _uv(call):
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner: runner.run(_in_loop(call))
def reach_uvloop_getaddrinfo(): _uv(lambda loop: loop.getaddrinfo(HOST, 443))
def reach_uvloop_getaddrinfo_of_bytes(): _uv(lambda loop: loop.getaddrinfo(BYTES, 443))
def reach_uvloop_connection(): _uv(lambda loop: loop.create_connection(asyncio.Protocol, HOST, 443))
def reach_uvloop_open(): _uv(lambda loop: asyncio.open_connection(host=HOST, port=443, ssl=True))
def reach_uvloop_handshake():
    async def call(loop):
        ours, theirs = socket.socketpair()
        with ours, theirs: await loop.create_connection(asyncio.Protocol, sock=ours, ssl=True, server_hostname=HOST)
    _uv(call)
def reach_uvloop_datagram(): _uv(lambda loop: loop.create_datagram_endpoint(asyncio.DatagramProtocol, remote_addr=(HOST, 53)))
def reach_uvloop_sock_connect():
    async def call(loop):
        with Socket() as made:
            made.setblocking(False); await loop.sock_connect(made, (HOST, 443))
    _uv(call)
"""
PYCURL = """
import pycurl
from pycurl import Curl
def _perform(curl, method, value, option=pycurl.URL):
    try: getattr(curl, method)(option, value); curl.perform()
    finally: curl.close()
def reach_pycurl(): _perform(pycurl.Curl(), "setopt", URL)
def reach_pycurl_bytes(): _perform(pycurl.Curl(), "setopt", b" " + URL.encode())
def reach_pycurl_early(): _perform(Curl(), "setopt", URL)
def reach_pycurl_string(): _perform(Curl(), "setopt_string", URL)
def reach_pycurl_without_a_scheme(): _perform(Curl(), "setopt", HOST + ":8080/x")
"""
CURL_CFFI = """
import curl_cffi
from curl_cffi import requests as impersonating
def reach_curl_cffi(): impersonating.get(URL)
def reach_curl_cffi_async():
    async def call():
        async with impersonating.AsyncSession() as session: await session.get(URL)
    asyncio.run(call())
"""
TAIL = """
REACHES = {name: value for name, value in list(globals().items()) if name.startswith("reach_")}

@pytest.mark.parametrize("reach", REACHES)
def test(hwcloud, reach):
    with pytest.raises(Exception) as caught: REACHES[reach]()
    if type(caught.value).__name__ not in ("NetworkBlocked", "NotRecorded"): raise caught.value
"""


def escapes(trace: str) -> list[str]:
    """The system calls that would have left the machine: to a name server, or to any address that is not loopback."""
    calls = re.findall(r"^.*(?:connect|sendto|sendmsg|sendmmsg)\(.*sin6?_port.*$", trace, re.M)
    return [call for call in calls if not re.search(r'inet_addr\("127\.|"::1"|"0\.0\.0\.0"', call)]


def check(pytester: pytest.Pytester, suite: Suite, source: str, *arguments: str) -> None:
    """Each reach of a suite is blocked, its test fails for it, and nothing left the machine."""
    pytester.makepyfile(test_it=source)
    count = len(re.findall(r"^def reach_", source, re.M))
    strace = shutil.which("strace")
    if strace is not None and not subprocess.run([strace, "-f", "true"], capture_output=True, check=False).returncode:
        start = [strace, "-f", "-qq", "-e", "trace=connect,sendto,sendmsg,sendmmsg", "-o", "trace", *isolation()]
        start += [] if isolation() else [sys.executable]
        run = ["-m", "pytest", "-p", "hwcloud", "-p", "no:cacheprovider", "-q", "-rf", *arguments]
        result = pytester.run(*start, *run)
        assert escapes(Path("trace").read_text()) == []
    else:
        result = suite(source, "-rf", *arguments)
    result.assert_outcomes(failed=count, passed=source.count("\ndef test_"))
    told = [line for line in result.outlines if line.startswith("FAILED")]
    assert len(told) == count
    assert [line for line in told if " - NetworkBlocked" not in line] == []


LIBRARIES = {"anyio": ANYIO, "uvloop": UVLOOP, "pycurl": PYCURL, "curl_cffi": CURL_CFFI}


def test_no_name_is_looked_up_and_no_packet_sent(pytester: pytest.Pytester, suite: Suite) -> None:
    """By the standard library, and by libraries with a network of their own, as far as they are installed."""
    installed = [source for name, source in LIBRARIES.items() if find_spec(name) is not None]
    check(pytester, suite, "".join((HEAD, STANDARD, *installed, TAIL)))


@pytest.mark.skipif(find_spec("pycurl") is None or find_spec("pytest_recording") is None, reason="not installed")
def test_pycurl_where_pytest_recording_has_put_an_object_in_its_place(pytester: pytest.Pytester, suite: Suite) -> None:
    """pytest-recording replaces the module when pytest starts."""
    wrapped = "\ndef test_wrapped(): assert type(pycurl).__name__ == 'PyCurlWrapper'\n"
    check(pytester, suite, HEAD + PYCURL + wrapped + TAIL, "-p", "pytest_recording.plugin")


PROXIED = """

class Proxy:
    def __init__(self):
        self.heard, self.server = [], socket.create_server(("127.0.0.1", 0))
        self.url = "http://127.0.0.1:%d" % self.server.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
    def serve(self):
        while True:
            try: line, _ = self.server.accept()
            except OSError: return
            with line:
                self.heard.append(line.recv(300)); line.sendall(b"HTTP/1.1 200 OK\\r\\nContent-Length: 0\\r\\n\\r\\n")

@pytest.fixture
def proxy():
    found = Proxy()
    yield found
    found.server.close()
    assert found.heard == []  # neither a tunnel to the cloud nor a request for it

def requests(url, proxy):
    import requests; return requests.get(url, proxies={"https": proxy, "http": proxy}).status_code
def urllib3(url, proxy):
    import urllib3; return urllib3.ProxyManager(proxy).request("GET", url, retries=False).status
def by_opener(url, proxy):
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({"https": proxy, "http": proxy}))
    try: opener.open(url)
    except OSError as error: error.close(); return error.status
def httpx(url, proxy):
    import httpx
    with httpx.Client(proxy=proxy) as client: return client.get(url).status_code
def httpx_mounted(url, proxy):
    import httpx
    with httpx.Client(mounts={"all://": httpx.HTTPTransport(proxy=proxy)}) as client: return client.get(url).status_code
def httpcore(url, proxy):
    import httpcore
    with httpcore.HTTPProxy(proxy) as pool: return pool.request("GET", url).status
def aiohttp(url, proxy):
    import aiohttp
    async def call():
        async with aiohttp.ClientSession() as session, session.get(url, proxy=proxy) as answer: return answer.status
    return asyncio.run(call())
CLIENTS = [requests, urllib3, by_opener, httpx, httpx_mounted, httpcore, aiohttp]

@pytest.mark.parametrize("scheme", ["https", "http"])
@pytest.mark.parametrize("client", CLIENTS, ids=lambda client: client.__name__)
def test_answered(hwcloud, proxy, client, scheme):
    if (client, scheme) == (by_opener, "http"): pytest.skip("blocked, as reach_plain_http_by_a_proxy is")
    assert client(scheme + "://" + HOST + "/v1/x", proxy.url) == 401
    assert [exchange.status for exchange in hwcloud.exchanges] == [401]
"""


@pytest.mark.extended
def test_clients_with_a_proxy_are_answered_and_the_proxy_never_hears_of_it(suite: Suite) -> None:
    suite(HEAD + PROXIED, "-rf").assert_outcomes(passed=13, skipped=1)
