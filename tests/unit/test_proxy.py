"""A proxy that refuses: it is named with the variable that it came from, and the cloud was never asked."""

from __future__ import annotations

import socket

import pytest
import requests

from pytest_hwcloud import explain


@pytest.fixture
def closed() -> str:
    """host:port where nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return f"127.0.0.1:{server.getsockname()[1]}"


def test_a_proxy_is_named_with_its_variable(monkeypatch: pytest.MonkeyPatch, closed: str) -> None:
    for name in (
        "https_proxy",
        "HTTPS_PROXY",
        "all_proxy",
        "ALL_PROXY",
        "http_proxy",
        "HTTP_PROXY",
        "no_proxy",
        "NO_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("https_proxy", f"http://user:invented-password@{closed}")
    with pytest.raises(requests.exceptions.ProxyError) as caught:
        requests.get("https://ecs.cn-north-4.myhuaweicloud.com/v1/x", timeout=5)
    found = str(explain(caught.value))
    lines = found.splitlines()
    assert lines[0] == "hwcloud: no answer at network: proxy refused (ecs.cn-north-4.myhuaweicloud.com)"
    assert (
        f"  cause     The proxy {closed} (https_proxy) refused or broke the connection; the cloud was never asked."
        in lines
    )
    assert (
        "  fix       Start the proxy, or correct the variable that names it; "
        "NO_PROXY lists hosts that are asked directly." in lines
    )
    assert "invented-password" not in found


@pytest.mark.parametrize("url", ["https://[ecs].myhuaweicloud.com/v1/a", "https://a[b]c/x", "http://[::1/x"])
def test_a_url_that_is_none_is_explained_all_the_same(url: str) -> None:
    answer = requests.Response()
    answer.status_code, answer.url = 403, url
    answer._content = b'{"error":{"code":"Ecs.0110","message":"forbidden"}}'
    found = explain(answer)
    assert found is not None
    assert found.code == "Ecs.0110"
