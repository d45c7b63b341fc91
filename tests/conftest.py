"""What the plugin's own tests share: a scratch project that never sees the machine's credentials or proxies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

FOREIGN = ("HUAWEICLOUD_", "HW_", "OS_", "HC_", "OBS_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(FOREIGN) or name in ("GITHUB_ACTIONS", "CI", "REQUESTS_CA_BUNDLE"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))


@pytest.fixture
def run(pytester: pytest.Pytester) -> Callable[..., pytest.RunResult]:
    """Write a test file and run it: run('''def test_x(hwcloud): …''', '--hwcloud-lang=zh')."""

    def runs(source: str, *arguments: str, name: str = "test_it") -> pytest.RunResult:
        pytester.makepyfile(**{name: source})
        if not Path(pytester.path, "pytest.ini").exists():
            pytester.makeini("[pytest]\n")
        return pytester.runpytest_inprocess("-p", "no:asyncio", *arguments)

    return runs
