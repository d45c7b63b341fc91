"""What the plugin's own tests share: a scratch project that never sees the machine's credentials or proxies."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest

import pytest_hwcloud.cloud.calls.catalogue
import pytest_hwcloud.cloud.failures.exceptions
import pytest_hwcloud.explanations.advice
import pytest_hwcloud.explanations.notes

# pytester forgets after each run what was imported during it; what is imported here stays, and a run takes a tenth.
import pytest_hwcloud.files.yaml_reader
import pytest_hwcloud.gates.authorization
import pytest_hwcloud.gates.denials
import pytest_hwcloud.interceptors.cloud_session
import pytest_hwcloud.interceptors.import_hook
import pytest_hwcloud.interceptors.requests_adapter
import pytest_hwcloud.permissions.checks
import pytest_hwcloud.permissions.display
import pytest_hwcloud.permissions.hooks
import pytest_hwcloud.permissions.observe
import pytest_hwcloud.permissions.rules.judge_test
import pytest_hwcloud.permissions.run_end
import pytest_hwcloud.run.expectations
import pytest_hwcloud.run.hwcloud
import pytest_hwcloud.run.markers
import pytest_hwcloud.run.recording
import pytest_hwcloud.run.run  # noqa: F401
from pytest_hwcloud import texts

sys.dont_write_bytecode = False  # else pytest rewrites the asserts of our modules again in every run of pytester's

FOREIGN = ("HUAWEICLOUD_", "HW_", "OS_", "HC_", "OBS_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
    import os

    for name in list(os.environ):
        if name.startswith(FOREIGN) or name in ("GITHUB_ACTIONS", "CI", "REQUESTS_CA_BUNDLE"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path_factory.getbasetemp()))
    texts.use("en")  # a run in this process may have spoken another language


@pytest.fixture
def run(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Write a test file and run it: run("def test_x(hwcloud): …", "--hwcloud-lang=zh"). Only our plugin is loaded."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def runs(source: str, *arguments: str, name: str = "test_it") -> pytest.RunResult:
        pytester.makepyfile(**{name: source})
        if not Path(pytester.path, "tox.ini").exists():
            pytester.makeini("[pytest]\n")
        return pytester.runpytest_inprocess("-p", "hwcloud", *arguments)

    return runs
