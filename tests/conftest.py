"""What the plugin's own tests share: a scratch project that never sees the machine's credentials or proxies."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from pkgutil import walk_packages

import pytest

import pytest_hwcloud
import pytest_hwcloud.interceptors.cloud_session
import pytest_hwcloud.interceptors.import_hook
import pytest_hwcloud.interceptors.requests_adapter
import pytest_hwcloud.run.expectations
import pytest_hwcloud.run.hwcloud
import pytest_hwcloud.run.markers
import pytest_hwcloud.run.recording
import pytest_hwcloud.run.run
from pytest_hwcloud import texts

# pytester forgets after each run what was imported during it; what is imported here stays, and a run takes a tenth.
# All of these rooms: a module whose asserts pytest rewrites deep inside a test can meet CPython 3.11's "AST constructor
# recursion depth mismatch" once a test before it has exhausted the stack.
for _room in ("cassettes", "cloud", "commands", "explanations", "files", "gates", "permissions", "secrets"):
    for _module in walk_packages([str(Path(pytest_hwcloud.__file__).parent / _room)], f"pytest_hwcloud.{_room}."):
        import_module(_module.name)

# The compiled parts of cryptography know only the classes that were imported first. The tour runs without the package.
with suppress(ImportError):
    import_module("trustme")

# Coverage is measured in the workers; starting it in each of a thousand programs would take longer than the programs.
if "PYTEST_XDIST_WORKER" in os.environ:
    for _name in ("COVERAGE_PROCESS_START", "COVERAGE_PROCESS_CONFIG"):
        os.environ.pop(_name, None)

sys.dont_write_bytecode = False  # else pytest rewrites the asserts of our modules again in every run of pytester's

FOREIGN = ("HUAWEICLOUD_", "HW_", "OS_", "HC_", "OBS_", "HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> None:
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
