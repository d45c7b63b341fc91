"""`pytest-hwcloud run … -- COMMAND`: any program against the replayed cloud, without a test around it.

The program becomes the one test of a pytest run of its own, so that cassettes, gates, findings and reports are those
of any other run. What this command says goes to standard error; standard output is the program's.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from importlib.util import find_spec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_hwcloud import texts
from pytest_hwcloud.commands.errors import UsageError

if TYPE_CHECKING:
    from pytest_hwcloud.journal import Exchange

NOT_FOUND, NOT_EXECUTABLE = 127, 126
_SIGNALLED = 128
_QUIET = ("cacheprovider", "warnings", "unraisableexception", "threadexception", "faulthandler", "logging")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command."""
    parser = subparsers.add_parser(
        "run",
        help="run any program against the replayed cloud",
        usage="pytest-hwcloud run [--cassette NAME]… [--identity NAME] [--policy FILE] [--deny ACTION]… "
        "[--report FORMAT:PATH]… -- COMMAND…",
        description="Runs any program (a test runner, a script, terraform plan) against the replayed cloud, and prints "
        "what it called and needed.",
        epilog="Exit code: the program's; if that is 0, then 1 for a call that is not recorded or an open finding. "
        "2 for wrong use, 127 for a command that is not found. Needs the extra: pip install 'pytest-hwcloud[gateway]'.",
    )
    parser.add_argument(
        "--cassette",
        metavar="NAME",
        action="append",
        default=[],
        help="a cassette of the library, a file, or a name in the cassette folder; repeatable",
    )
    parser.add_argument("--identity", metavar="NAME", help="the identity of hwcloud.yaml whose keys the program gets")
    parser.add_argument(
        "--policy", metavar="[IDENTITY=]FILE", action="append", default=[], help="the policy to judge by; repeatable"
    )
    parser.add_argument("--deny", metavar="ACTION", action="append", default=[], help="refuse this action; repeatable")
    parser.add_argument(
        "--report", metavar="FORMAT:PATH", action="append", default=[], help="json, sarif, md or html; repeatable"
    )
    parser.add_argument(
        "--record", action="store_true", help="call the real cloud with the program, and record what is missing"
    )
    parser.add_argument("--lang", choices=texts.LANGUAGES, default="en", help="language of what is printed")
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help="the program and its arguments")
    parser.set_defaults(run=run)


def run(arguments: argparse.Namespace) -> int:
    """Run the program; its exit status, or 1 for an unrecorded call or an open finding."""
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command:
        raise UsageError(texts.say_in(arguments.lang, "gateway.run_no_command"))
    if find_spec("trustme") is None:
        raise UsageError(texts.say_in(arguments.lang, "gateway.missing_extra"))
    names, folder = _cassettes(arguments.cassette)
    program = _Program(command, names, arguments.identity, arguments.deny)
    before = os.environ.get("PYTEST_DISABLE_PLUGIN_AUTOLOAD")
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        return _status(program, list(_options(arguments, folder)))
    finally:
        if before is None:
            os.environ.pop("PYTEST_DISABLE_PLUGIN_AUTOLOAD", None)
        else:
            os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = before


def _status(program: _Program, options: Sequence[str]) -> int:
    import pytest

    code = int(pytest.main(list(options), plugins=[program]))
    if code == pytest.ExitCode.USAGE_ERROR:  # pytest has said what is wrong
        return 2
    if program.problem:
        raise UsageError(program.problem)
    if program.status is None:
        raise UsageError(texts.say("gateway.run_not_started"))
    return program.status or int(code != 0)


def _options(arguments: argparse.Namespace, folder: Path | None) -> Iterator[str]:
    yield from ("-s", "--noconftest", "-o", "addopts=", "-o", "python_functions=test", "-p", "hwcloud")
    for name in _QUIET:
        yield from ("-p", f"no:{name}")
    yield from (
        f"--hwcloud-lang={arguments.lang}",
        "--hwcloud-permissions=enforce",
        "-o",
        "hwcloud_cassette_checks=off",
    )
    yield from (f"--hwcloud-policy={policy}" for policy in arguments.policy)
    yield from (f"--hwcloud-report={report}" for report in arguments.report)
    if folder is not None:
        yield from ("-o", f"hwcloud_cassette_dir={folder}")


def _cassettes(given: Sequence[str]) -> tuple[list[str], Path | None]:
    """The names for the marker, and the folder that they are relative to where one of them is a file elsewhere."""
    files = {name: Path(name).resolve() for name in given if Path(name).suffix and Path(name).is_file()}
    if not files:
        return list(given), None
    folder = Path(os.path.commonpath([str(file.parent) for file in files.values()]))
    return [files[name].relative_to(folder).as_posix() if name in files else name for name in given], folder


class _Program:
    """The plugin of the run: collects the program as its one test, and prints what came of it."""

    def __init__(
        self, command: Sequence[str], cassettes: Sequence[str], identity: str | None, denied: Sequence[str]
    ) -> None:
        self.command, self.cassettes, self.identity, self.denied = list(command), cassettes, identity, tuple(denied)
        self.status: int | None = None
        self.problem = ""

    def pytest_plugin_registered(self, plugin: object, plugin_name: str, manager: Any) -> None:
        if plugin_name == "terminalreporter":  # nothing of pytest's own is printed
            manager.unregister(plugin)

    def pytest_collection(self, session: Any) -> bool:
        import pytest
        from _pytest.runner import collect_one_node

        module = ModuleType("program")
        module.test_program = self._test(pytest)  # type: ignore[attr-defined]

        class Program(pytest.Module):
            def _getobj(self) -> ModuleType:
                return module

        report = collect_one_node(Program.from_parent(session, path=Path.cwd() / "program"))
        if report.failed:
            self.problem = str(report.longrepr).partition(": ")[2] or str(report.longrepr)
            return True
        session.items = list(session.genitems(report.result[0])) if report.result else []
        session.testscollected = len(session.items)
        session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=session.items)
        return True

    def _test(self, pytest: Any) -> Any:
        def test_program(hwcloud: Any, hwcloud_gateway: Any) -> None:
            with ExitStack() as stack:
                if self.denied:
                    stack.enter_context(hwcloud.deny(*self.denied))
                self.status = self._run(hwcloud_gateway.environment(self.identity))
            _tell(hwcloud)

        if self.cassettes:
            test_program = pytest.mark.hwcloud_cassette(*self.cassettes)(test_program)
        if self.identity:
            test_program = pytest.mark.hwcloud_identity(self.identity)(test_program)
        return test_program

    def _run(self, environment: dict[str, str]) -> int:
        sys.stdout.flush()
        try:
            process = subprocess.Popen(self.command, env={**os.environ, **environment})
        except FileNotFoundError:
            print(texts.say("gateway.run_not_found", command=self.command[0]), file=sys.stderr)
            return NOT_FOUND
        except OSError as error:
            print(f"pytest-hwcloud: {self.command[0]}: {error.strerror or error}", file=sys.stderr)
            return NOT_EXECUTABLE
        while True:
            try:
                status = process.wait()
            except KeyboardInterrupt:  # the program has the same signal and decides
                continue
            return status if status >= 0 else _SIGNALLED - status

    def pytest_runtest_logreport(self, report: Any) -> None:
        if report.failed and self.status is not None:
            again = f"pytest-hwcloud run --record … -- {self.command[0]} …"
            text = report.longreprtext.rstrip()
            if report.nodeid in text.partition("\n")[0]:  # findings, which the summary shows
                return
            print(text.replace(f'pytest --hwcloud-mode=record "{report.nodeid}"', again), file=sys.stderr)
        elif report.failed:
            self.problem = report.longreprtext.strip().removeprefix("hwcloud: ")

    def pytest_sessionfinish(self, session: Any) -> None:
        if self.status is None:
            return
        from _pytest.terminal import TerminalReporter

        reporter = TerminalReporter(session.config, file=sys.stderr)
        session.config.hook.pytest_terminal_summary(
            terminalreporter=reporter, exitstatus=session.exitstatus, config=session.config
        )


def _tell(hwcloud: Any) -> None:
    """What the program called, what that needs, and why something was refused."""
    exchanges: list[Exchange] = hwcloud.exchanges
    refused = [one for one in exchanges if one.failure is not None or one.fault]
    print(texts.say("gateway.run_calls", n=len(exchanges), refused=len(refused)), file=sys.stderr)
    rows: dict[tuple[str, str, str], int] = {}
    for one in exchanges:
        outcome = str(one.status or one.fault or texts.say("gateway.run_unrecorded"))
        row = outcome, one.call.label, ", ".join(one.call.actions)
        rows[row] = rows.get(row, 0) + 1
    width = max((len(outcome) for outcome, _, _ in rows), default=0)
    for (outcome, call, actions), count in rows.items():
        times = f" × {count}" if count > 1 else ""
        print(f"  {outcome:<{width}}  {call}{times}" + (f"  ({actions})" if actions else ""), file=sys.stderr)
    needs = sorted({action for one in exchanges for action in one.call.actions})
    if needs:
        print(texts.say("gateway.run_needs", actions=", ".join(needs)), file=sys.stderr)
    explained = dict.fromkeys(str(found) for one in refused if (found := hwcloud.explain(one)) is not None)
    for text in explained:
        print(text, file=sys.stderr)
