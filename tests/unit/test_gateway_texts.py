# ruff: noqa: E501  (a Chinese sign takes two columns)
"""What is said about other programs, by what really goes wrong, to the letter and in both languages."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.endpoints import STANDING_FOR
from pytest_hwcloud.cloud.signing.algorithms import sign
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.gateway import upstream
from pytest_hwcloud.gateway.certificates import Authority
from pytest_hwcloud.gateway.children import Children, Gateway, refused_text
from pytest_hwcloud.gateway.forks import Parent
from pytest_hwcloud.gateway.messages import Malformed, Reader, read_answer
from pytest_hwcloud.gateway.port import Caller
from pytest_hwcloud.gateway.services import Answering, Refusing, resigned
from pytest_hwcloud.interceptors.network_block import NetworkBlocked
from pytest_hwcloud.usercode.call_site import CallSite
from pytest_hwcloud.usercode.late_threads import LATE, LateThread

HOST, HERE = "ecs.cn-north-4.myhuaweicloud.com", "127.0.0.1:4711"
URL = f"https://{HOST}/v1/x"


@pytest.fixture(params=texts.LANGUAGES)
def lang(request: pytest.FixtureRequest) -> Iterator[int]:
    """0 for English, 1 for Chinese."""
    texts.use(request.param)
    yield texts.LANGUAGES.index(request.param)
    texts.use("en")


def said(error: type[BaseException], call: Callable[[], object]) -> str:
    with pytest.raises(error) as caught:
        call()
    return str(caught.value)


def test_the_guard(lang: int) -> None:
    caller = Caller(program="node app.js", where=CallSite(("/elsewhere/test_x.py", 12)))
    assert (
        refused_text(f"{HOST}:443", caller)
        == (
            f"""hwcloud: blocked a child process that called {HOST}:443: in replay mode no cloud test reaches a cloud host
  program    node app.js
  started    /elsewhere/test_x.py:12
  fix        answer it from the cassettes: start it with env=hwcloud_gateway.env (fixture hwcloud_gateway);
             or answer every child: --hwcloud-children=answer (both need the extra gateway);
             --hwcloud-children=off lets children reach the real cloud""",
            f"""hwcloud：已阻止子进程访问 {HOST}:443：回放模式下云测试不会访问华为云主机
  程序       node app.js
  启动位置   /elsewhere/test_x.py:12
  处理       由录制内容响应：启动时使用 env=hwcloud_gateway.env（fixture hwcloud_gateway）；
             或响应所有子进程：--hwcloud-children=answer（两者都需要附加组件 gateway）；
             --hwcloud-children=off 允许子进程访问真实的华为云""",
        )[lang]
    )
    unknown = refused_text(HOST, Caller()).splitlines()
    assert unknown[1] == ("  program    a program", "  程序       某个程序")[lang]


def answering() -> Answering:
    return Answering(object(), lambda: None, (), 0, lambda ak: None)  # type: ignore[arg-type]


def test_hosts_that_are_turned_away(lang: int) -> None:
    assert (
        answering().refusal("example.com", 443, Caller())
        == (
            "hwcloud: the gateway turned example.com:443 away: it answers hosts of Huawei Cloud only\n"
            "  fix        if example.com belongs to the cloud, add it to the ini option hwcloud_hosts; else let the program "
            "call it directly: NO_PROXY=example.com",
            "hwcloud：网关拒绝转发 example.com:443：它只响应华为云的主机\n"
            "  处理       如果 example.com 属于华为云，请将其加入 ini 选项 hwcloud_hosts；否则让程序直接访问："
            "NO_PROXY=example.com",
        )[lang]
    )
    metadata = (
        "hwcloud: the program found no keys and asked the metadata service of a server (169.254.169.254), which is not "
        "answered here\n"
        "  fix        give it keys: env=hwcloud_gateway.env has HUAWEICLOUD_SDK_AK and HUAWEICLOUD_SDK_SK of the test's "
        "identity;\n"
        "             or let it be answered, as on a server with an agency: fixture hwcloud_metadata",
        "hwcloud：该程序没有找到密钥，因此访问了云服务器的元数据服务（169.254.169.254）；此处不予响应\n"
        "  处理       请为其提供密钥：env=hwcloud_gateway.env 含有测试身份的 HUAWEICLOUD_SDK_AK 和 HUAWEICLOUD_SDK_SK；\n"
        "             或使用 fixture hwcloud_metadata，像绑定了委托的云服务器那样响应",
    )[lang]
    refusing = Refusing((), lambda host, port, caller: "")
    for service in (answering(), refusing):
        assert service.refusal("169.254.169.254", 80, Caller()) == metadata


def test_signatures_that_cannot_be_made_again(lang: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STANDING_FOR, HERE, HOST)
    signed = sign("GET", URL, {"Host": HERE}, b"", ak="A" * 20, sk="x")
    request = Request("GET", URL, {name.lower(): value for name, value in signed.items()})
    assert (
        said(ValueError, lambda: resigned(request, b"", lambda ak: None))
        == (
            f"hwcloud: a request to {HERE}, which stands for {HOST}, is signed with a key that is no identity of this run, "
            "so it cannot be signed for the real host\n"
            "  fix        use the keys of env=hwcloud_gateway.env, or let the program call the host itself, through the "
            "proxy of the same variables",
            f"hwcloud：发往 {HERE}（代表 {HOST}）的请求使用了不属于本次运行任何身份的密钥签名，因此无法为真实主机重新签名\n"
            "  处理       请使用 env=hwcloud_gateway.env 中的密钥，或让程序通过同一组变量中的代理直接访问该主机",
        )[lang]
    )
    for url, header in ((URL, "AWS4-HMAC-SHA256 Credential=x"), (f"{URL}?a=b&X-Amz-Signature=0", "")):
        amazon = Request("GET", url, {"host": HERE, "authorization": header})
        assert (
            said(ValueError, partial(resigned, amazon, b"", lambda ak: None))
            == (
                f"hwcloud: the signature of this request holds {HERE}, which stands for {HOST}: it cannot be passed on to "
                "the real host\n  fix        let the program call the host itself, through the proxy of "
                "env=hwcloud_gateway.env",
                f"hwcloud：该请求的签名包含 {HERE}（代表 {HOST}）：无法转发到真实主机\n"
                "  处理       请让程序通过 env=hwcloud_gateway.env 中的代理直接访问该主机",
            )[lang]
        )


def test_a_wrong_signature_is_passed_on_as_it_is_and_a_right_one_made_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(STANDING_FOR, HERE, HOST)
    for key, again in (("right", True), ("wrong", False)):
        signed = sign("POST", URL, {"Host": HERE, "Content-Type": "text/plain"}, b"body", ak="A" * 20, sk=key)
        headers = {name.lower(): value for name, value in signed.items()}
        lines = [f"{name}: {value}" for name, value in signed.items()]
        raw = "\r\n".join(["POST /v1/x HTTP/1.1", *lines, "", "body"]).encode()
        found = resigned(Request("POST", URL, headers, b"body"), raw, lambda ak: "right").decode()
        assert f"\r\nHost: {HOST}\r\n" in found
        assert found.endswith("\r\n\r\nbody")
        assert (signed["Authorization"] not in found) is again
        if again:
            whole = {"Host": HOST, "Content-Type": "text/plain", "X-Sdk-Date": signed["X-Sdk-Date"]}
            assert sign("POST", URL, whole, b"body", ak="A" * 20, sk=key)["Authorization"] in found
    plain = Request("GET", URL, {"host": HOST})
    assert resigned(plain, b"as it came", lambda ak: None) == b"as it came"


def test_after_the_test(lang: int, monkeypatch: pytest.MonkeyPatch) -> None:
    children = Children("refuse", ())
    try:
        gateway = Gateway(children, None, shared=False)
        gateway.close()
        closed = ("this gateway is closed: its test is over", "该网关已关闭：所属的测试已经结束")[lang]
        assert said(RuntimeError, lambda: gateway.url) == closed
    finally:
        children.close()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM)
    with ours, theirs:
        parent = Parent(_Silent(), ours, "test_x")
        ours.close()
        assert (
            said(NetworkBlocked, lambda: parent.answer(Request("GET", f"{URL}?secret=1")))
            == (
                f"hwcloud: a forked process called {URL} when its test was over, or when the process that runs the tests was "
                "gone; nobody answers it",
                f"hwcloud：fork 出的进程访问了 {URL}，但所属测试已经结束，或运行测试的进程已经退出；没有响应",
            )[lang]
        )
    monkeypatch.setattr(LATE, "calls", {})
    late = LateThread(thread=threading.Thread(name="poller"), frame=None, test="test_x.py::test_a")  # type: ignore
    assert (
        said(NetworkBlocked, lambda: late.answer(Request("GET", URL)))
        == (
            f"hwcloud: thread 'poller' called {HOST} when its test was over: test_x.py::test_a\n"
            "  fix        end the thread with its test, or wait for it there",
            f"hwcloud：线程 'poller' 在所属测试结束后访问了 {HOST}：test_x.py::test_a\n"
            "  处理       请在测试内结束该线程，或在测试内等待其结束",
        )[lang]
    )


class _Silent:
    hosts, offline = (), True

    def answer(self, request: Request) -> None: ...
    def heard(self, *_: Any) -> None: ...
    def failed(self, *_: Any) -> None: ...


BROKEN = {
    b"x" * (257 << 10): ("a head without an end", "消息头没有结束"),
    b"GET / HT": ("closed in the middle of a head", "连接在消息头中途关闭"),
    b"what is this\r\n\r\n": ("not an HTTP/1.1 message: 'what is this'", "不是 HTTP/1.1 消息：'what is this'"),
    b"POST / HTTP/1.1\r\nContent-Length: 9\r\n\r\nx": ("closed in the middle of a body", "连接在消息体中途关闭"),
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n5": (
        "closed in the middle of a chunk",
        "连接在分块中途关闭",
    ),
    b"POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n": ("a chunk without a size", "分块没有长度"),
}


@pytest.mark.parametrize("raw", BROKEN, ids=range(len(BROKEN)))
def test_messages_that_are_none(lang: int, raw: bytes) -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        sender = threading.Thread(target=lambda: (theirs.sendall(raw), theirs.shutdown(socket.SHUT_WR)))
        sender.start()

        def read() -> bytes:
            reader = Reader(ours)
            head = reader.head()
            assert head is not None
            return reader.body(head.headers)

        told = said(Malformed, read)
        ours.close()
        sender.join()
    assert told == BROKEN[raw][lang]


def test_a_server_that_says_nothing(lang: int) -> None:
    ours, theirs = socket.socketpair()
    with ours:
        theirs.close()
        told = said(ConnectionResetError, lambda: read_answer(Reader(ours), Request("GET", URL)))
    assert told == ("closed without an answer", "连接关闭，没有响应")[lang]


PROXIES = {
    b"HTTP/1.1 407 Proxy Authentication Required\r\n\r\n": (
        "the proxy refused a tunnel to example.com:443: 407 Proxy Authentication Required",
        "代理拒绝建立到 example.com:443 的隧道：407 Proxy Authentication Required",
    ),
    b"": ("the proxy refused a tunnel to example.com:443: closed", "代理拒绝建立到 example.com:443 的隧道：连接已关闭"),
    b"SSH-2.0\r\n\r\n": (
        "the proxy does not speak HTTP: not an HTTP/1.1 message: 'SSH-2.0'",
        "该代理不是 HTTP 代理：不是 HTTP/1.1 消息：'SSH-2.0'",
    ),
}


@pytest.mark.parametrize("answer", PROXIES, ids=range(len(PROXIES)))
def test_a_proxy_of_the_user_that_does_not_help(lang: int, answer: bytes) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            line, _ = server.accept()
            with line:
                line.recv(1000)
                line.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        proxies = upstream.Proxies(https=f"http://127.0.0.1:{server.getsockname()[1]}")
        told = said(OSError, lambda: upstream.connect("example.com", 443, proxies, tunnel=True))
        thread.join()
    assert told == PROXIES[answer][lang]
    socks = upstream.Proxies(https="socks5://127.0.0.1:1")
    assert (
        said(OSError, lambda: upstream.connect("example.com", 443, socks, tunnel=True))
        == (
            "proxy socks5://127.0.0.1: only http and https proxies can be chained",
            "代理 socks5://127.0.0.1：只能串联 http 和 https 代理",
        )[lang]
    )


@pytest.mark.parametrize("proxy", ["http://[::1", "http://", "http://me:geheim@h:port", "h:99999", "http://h:0", "//"])
def test_a_proxy_that_is_no_url_is_told_by_its_variable(lang: int, proxy: str) -> None:
    wrong = upstream.Proxies.of({"all_proxy": proxy})
    for tunnel, variable in ((True, "https_proxy"), (False, "http_proxy")):
        assert (
            said(OSError, lambda tunnel=tunnel: upstream.connect("example.com", 443, wrong, tunnel=tunnel))
            == (
                f"environment variable {variable} (or all_proxy): the URL of a proxy is expected,"
                " for instance http://127.0.0.1:3128",
                f"环境变量 {variable}（或 all_proxy）：应为代理的 URL，例如 http://127.0.0.1:3128",
            )[lang]
        )


def test_without_the_extra(lang: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pytest_hwcloud.gateway.certificates.find_spec", lambda name: None)
    assert (
        said(RuntimeError, Authority)
        == (
            "the gateway needs the extra: pip install 'pytest-hwcloud[gateway]'",
            "网关需要安装附加组件：pip install 'pytest-hwcloud[gateway]'",
        )[lang]
    )


def test_answer_without_the_extra_ends_the_run_at_once(
    lang: int, run: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pytest_hwcloud.run.programs.find_spec", lambda name: None)
    language = f"--hwcloud-lang={texts.LANGUAGES[lang]}"
    result = run("def test_x(hwcloud): pass\n", "--hwcloud-children=answer", language)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    wanted = (
        "hwcloud: the gateway needs the extra: pip install 'pytest-hwcloud[gateway]'",
        "hwcloud：网关需要安装附加组件：pip install 'pytest-hwcloud[gateway]'",
    )[lang]
    assert wanted in result.stderr.str()


LATE_SUITE = """
import socket, threading
GO = threading.Event()
def poll():
    GO.wait()
    try: socket.create_connection(("ecs.cn-north-4.myhuaweicloud.com", 443))
    except Exception: pass
def test_starts(hwcloud):
    global thread
    thread = threading.Thread(target=poll, name="poller")
    thread.start()
def test_next(hwcloud):
    GO.set(); thread.join()
"""


def test_the_end_of_a_run_names_what_was_called_late(lang: int, run: Callable[..., pytest.RunResult]) -> None:
    result = run(LATE_SUITE, f"--hwcloud-lang={texts.LANGUAGES[lang]}", "-p", "no:cacheprovider")
    assert result.ret == 1
    lines = [line.strip("= ") for line in result.outlines]
    title = ("hwcloud: called after the test", "hwcloud：测试结束后的调用")[lang]
    begin = lines.index(title)
    assert lines[begin + 1 : begin + 3] == [
        (
            "test_it.py::test_starts: thread 'poller' called ecs.cn-north-4.myhuaweicloud.com:443 when its test was over; "
            "it was refused",
            "test_it.py::test_starts：线程 'poller' 在所属测试结束后访问了 ecs.cn-north-4.myhuaweicloud.com:443，已拒绝",
        )[lang],
        (
            "The run fails because of these calls: end the thread or program with its test, or wait for it there.",
            "由于上述调用，本次运行失败：请在测试内结束该线程或程序，或在测试内等待其结束。",
        )[lang],
    ]


def test_a_port_that_cannot_be_opened(
    lang: int, run: Callable[..., pytest.RunResult], monkeypatch: pytest.MonkeyPatch
) -> None:
    def create_server(*_: object, **__: object) -> None:
        raise RuntimeError("A test tried to use socket.socket.")

    monkeypatch.setattr("pytest_hwcloud.gateway.port.socket.create_server", create_server)
    source = "def test_x(hwcloud_gateway): pass\n"
    result = run(source, f"--hwcloud-lang={texts.LANGUAGES[lang]}", "-p", "no:cacheprovider")
    result.assert_outcomes(errors=1)
    wanted = (
        "hwcloud: the gateway cannot open a port on 127.0.0.1: A test tried to use socket.socket.\n"
        "  fix        if pytest-socket is used, allow it: --allow-hosts=127.0.0.1, or @pytest.mark.enable_socket",
        "hwcloud：网关无法在 127.0.0.1 上打开端口：A test tried to use socket.socket.\n"
        "  处理       如果使用了 pytest-socket，请放行：--allow-hosts=127.0.0.1，或 @pytest.mark.enable_socket",
    )[lang]
    assert wanted in result.stdout.str()
