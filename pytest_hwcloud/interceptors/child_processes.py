"""Where a test starts another process: every way of the standard library, patched while cloud tests run.

Who decides what the process gets sits in `CHILDREN.starting`, set by the run; nothing is loaded before the first one.
Imported by processes that multiprocessing starts, so it imports as little as it can.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from pytest_hwcloud.interceptors.patching import Patch

Environment = Mapping[Any, Any]


class Starting(Protocol):
    """Asked for each process that starts."""

    def __call__(self, arguments: object, given: Environment | None, /) -> dict[str, str] | None:
        """Its environment; None: the one that it would have had."""


class Children:
    """What happens to the processes that a test starts, and to its forks; None and empty while nothing is to happen."""

    def __init__(self) -> None:
        self.starting: Starting | None = None
        self.before_fork: Callable[[], None] | None = None
        self.after_fork: Callable[[bool], None] | None = None  # called with: is this the child?
        self._registered = False

    def watch_forks(self) -> None:
        """Have `before_fork` and `after_fork` called; once for a process, Python cannot unregister."""
        if not self._registered and hasattr(os, "register_at_fork"):
            self._registered = True
            os.register_at_fork(
                before=lambda: self.before_fork() if self.before_fork else None,
                after_in_parent=lambda: self.after_fork(False) if self.after_fork else None,
                after_in_child=lambda: self.after_fork(True) if self.after_fork else None,
            )


CHILDREN = Children()
_ENVIRON = threading.RLock()
_POSITION_OF_ENV = 9  # of Popen's arguments behind the first


def subprocess_patches() -> Iterator[Patch]:
    """subprocess in every form, and with it os.popen and asyncio."""
    import subprocess

    yield Patch(subprocess.Popen, "__init__", _popen)


def _popen(patch: Patch) -> object:
    def __init__(self: Any, args: Any, *rest: Any, **named: Any) -> None:  # noqa: N807
        __tracebackhide__ = True
        starting = CHILDREN.starting
        if starting is not None:
            positional = len(rest) > _POSITION_OF_ENV
            found = starting(args, rest[_POSITION_OF_ENV] if positional else named.get("env"))
            if found is not None and positional:
                rest = (*rest[:_POSITION_OF_ENV], found, *rest[_POSITION_OF_ENV + 1 :])
            elif found is not None:
                named["env"] = found
        patch.original(self, args, *rest, **named)

    return __init__


def fork_exec_patches() -> Iterator[Patch]:
    """What subprocess is built on; joblib's loky and others call it themselves."""
    import _posixsubprocess

    yield Patch(_posixsubprocess, "fork_exec", _fork_exec)


_ENV_OF_FORK_EXEC = 5  # its position


def _fork_exec(patch: Patch) -> object:
    def fork_exec(args: Any, *rest: Any) -> Any:
        position = _ENV_OF_FORK_EXEC - 1
        given = None if rest[position] is None else dict(pair.split(b"=", 1) for pair in rest[position] if b"=" in pair)
        found = CHILDREN.starting(args, given) if CHILDREN.starting else None
        if found is not None:
            pairs = [os.fsencode(name) + b"=" + os.fsencode(value) for name, value in found.items()]
            rest = (*rest[:position], pairs, *rest[position + 1 :])
        return patch.original(args, *rest)

    return fork_exec


def loop_patches(loop: type[object]) -> Iterator[Patch]:
    """The child processes of an event loop that has its own, as uvloop does."""
    for name in ("subprocess_exec", "subprocess_shell"):
        yield Patch(loop, name, _of_loop)


def _of_loop(patch: Patch) -> object:
    async def start(self: Any, factory: Any, *args: Any, **named: Any) -> Any:
        command = args[0] if patch.attribute == "subprocess_shell" else args
        found = CHILDREN.starting(command, named.get("env")) if CHILDREN.starting else None
        return await patch.original(self, factory, *args, **(named if found is None else named | {"env": found}))

    return start


def os_patches() -> Iterator[Patch]:
    """os.system, os.posix_spawn, os.spawn*, and exec in a forked child."""
    yield Patch(os, "system", _inheriting)
    for name in ("posix_spawn", "posix_spawnp"):
        if hasattr(os, name):
            yield Patch(os, name, _posix_spawn)
    if sys.platform == "win32":
        yield from (Patch(os, name, _spawn) for name in ("spawnv", "spawnve") if hasattr(os, name))
    else:
        yield from (Patch(os, name, _spawn) for name in ("spawnv", "spawnve", "spawnvp", "spawnvpe"))
        yield Patch(os, "execve", _execve)


def _inheriting(patch: Patch) -> object:
    """For what takes no environment: this process has the child's for the moment of its start."""

    def start(command: Any) -> Any:
        with _environ(CHILDREN.starting(command, None) if CHILDREN.starting else None):
            return patch.original(command)

    return start


def _posix_spawn(patch: Patch) -> object:
    def posix_spawn(path: Any, argv: Any, env: Any, **named: Any) -> Any:
        found = CHILDREN.starting(argv, env) if CHILDREN.starting else None
        return patch.original(path, argv, env if found is None else found, **named)

    return posix_spawn


def _spawn(patch: Patch) -> object:
    """The four that the others end in. Those without an environment run with this process's own."""

    def spawn(mode: Any, file: Any, args: Any, *env: Any) -> Any:
        found = CHILDREN.starting(args, env[0] if env else None) if CHILDREN.starting else None
        if found is None or env:
            return patch.original(mode, file, args, *([found] if found is not None else env))
        with _environ(found):
            return patch.original(mode, file, args)

    return spawn


def _execve(patch: Patch) -> object:
    """Only a forked child replaces itself and goes on being a child: pty, pexpect, daemons."""

    def execve(path: Any, argv: Any, env: Any) -> Any:
        found = CHILDREN.starting(argv, env) if CHILDREN.starting and in_fork() else None
        return patch.original(path, argv, env if found is None else found)

    return execve


_PROCESS = os.getpid()


def in_fork() -> bool:
    """Whether this is a fork of the process that runs the tests."""
    return os.getpid() != _PROCESS


@contextmanager
def _environ(found: Mapping[str, str] | None) -> Iterator[None]:
    if found is None:
        yield
        return
    with _ENVIRON:
        before = {name: os.environ.get(name) for name in found if os.environ.get(name) != found[name]}
        os.environ.update({name: found[name] for name in before})
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    os.environ.pop(name, None)
                else:
                    os.environ[name] = value


def multiprocessing_patches() -> Iterator[Patch]:
    """The start methods spawn and forkserver: the interpreter that they start."""
    from multiprocessing import util

    yield Patch(util, "spawnv_passfds", _spawnv_passfds)


def _spawnv_passfds(patch: Patch) -> object:
    def spawnv_passfds(path: Any, args: Any, passfds: Any) -> Any:
        with _environ(CHILDREN.starting(args, None) if CHILDREN.starting else None):
            return patch.original(path, args, passfds)

    return spawnv_passfds


def forkserver_patches() -> Iterator[Patch]:
    """A fork server may be older than the test: its children are informed when they arrive."""
    from multiprocessing import popen_forkserver

    yield Patch(popen_forkserver.Popen, "_launch", _launch)


def _launch(patch: Patch) -> object:
    def launch(self: Any, process: Any) -> Any:
        found = CHILDREN.starting([sys.executable], None) if CHILDREN.starting else None
        if found is not None:
            process._hwcloud = Arrival(found)
        try:
            return patch.original(self, process)
        finally:
            vars(process).pop("_hwcloud", None)

    return launch


class Arrival:
    """Rides on a process object to the child; unpickled there, it does what the environment does to a new process."""

    def __init__(self, environment: Mapping[str, str]) -> None:
        self.environment = environment

    def __reduce__(self) -> tuple[object, tuple[dict[str, str]]]:
        changed = {name: value for name, value in self.environment.items() if os.environ.get(name) != value}
        return arrive, (changed,)


def arrive(changed: Mapping[str, str]) -> None:
    """In the child: take the variables, and run the file that every new Python program preloads."""
    os.environ.update(changed)
    folder = changed.get("PYTHONPATH", "").partition(os.pathsep)[0]
    file = os.path.join(folder, "sitecustomize.py")
    if folder and os.path.isfile(file):
        import runpy

        runpy.run_path(file, run_name="hwcloud_preload")
