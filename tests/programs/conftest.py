"""Programs outside the test process: real children, and no network to escape to where the kernel allows it."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

# In a network namespace of its own a process has a loopback device that is down, and nothing else.
WITHOUT_NETWORK = """
import fcntl, os, socket, struct, sys
with socket.socket() as any_socket:
    flags = struct.unpack("16sh", fcntl.ioctl(any_socket, 0x8913, struct.pack("16sh", b"lo", 0)))[1]
    fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", flags | 1))
os.execv(sys.executable, [sys.executable, *sys.argv[1:]])
"""


@cache
def isolation() -> tuple[str, ...]:
    """The command line that takes the network away; empty where the kernel does not allow it."""
    unshare = shutil.which("unshare")
    if unshare is None or subprocess.run([unshare, "-rn", "true"], capture_output=True, check=False).returncode:
        return ()
    return (unshare, "-rn", sys.executable, "-c", WITHOUT_NETWORK)


@pytest.fixture
def suite(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Callable[..., pytest.RunResult]:
    """Write a test file and run it in a process of its own, without a network, every warning an error."""
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")

    def runs(source: str, *arguments: str, name: str = "test_it") -> pytest.RunResult:
        pytester.makepyfile(**{name: source})
        if not Path(pytester.path, "tox.ini").exists():
            pytester.makeini("[pytest]\nfilterwarnings = error\n")
        start = isolation() or (sys.executable,)
        return pytester.run(*start, "-m", "pytest", "-p", "hwcloud", "-p", "no:cacheprovider", "-q", *arguments)

    return runs
