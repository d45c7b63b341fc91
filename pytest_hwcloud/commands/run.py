"""`pytest-hwcloud run … -- COMMAND`: any program against the replayed cloud, without a test around it.

The program becomes the one test of a separate pytest run, so that cassettes, gates, findings and reports are those
of any other run. The messages of this command go to standard error; standard output is the program's.
"""

from __future__ import annotations

import argparse
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from functools import cache
from importlib.util import find_spec
from io import StringIO
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes import library
from pytest_hwcloud.commands import UsageError

if TYPE_CHECKING:
    from pytest_hwcloud.journal import Exchange

NOT_FOUND, NOT_EXECUTABLE = 127, 126
_SIGNALLED = 128
_PASSED_ON = ("SIGTERM", "SIGHUP")  # a terminal sends SIGINT to the program as well
_OF_PYTEST = ("PYTEST_ADDOPTS", "PYTEST_PLUGINS")  # meant for the user's own runs of pytest
_QUIET = ("cacheprovider", "warnings", "unraisableexception", "threadexception", "faulthandler", "logging")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command."""
    parser = subparsers.add_parser(
        "run",
        help=_say("help"),
        usage="pytest-hwcloud run [--cassette NAME]… [--identity NAME] [--policy FILE] [--deny ACTION]… "
        "[--report FORMAT:PATH]… [--record] -- COMMAND…",
        description=_say("description"),
        epilog=_say("codes"),
    )
    for option, metavar in (
        ("cassette", "NAME"),
        ("policy", "[IDENTITY=]FILE"),
        ("deny", "ACTION"),
        ("report", "FORMAT:PATH"),
    ):
        parser.add_argument(f"--{option}", metavar=metavar, action="append", default=[], help=_say(option))
    parser.add_argument("--identity", metavar="NAME", help=_say("identity"))
    parser.add_argument("--record", action="store_true", help=_say("record"))
    parser.add_argument("--lang", choices=texts.LANGUAGES, default="en", help=_say("lang"))
    parser.add_argument("command", metavar="COMMAND", nargs=argparse.REMAINDER, help=_say("command"))
    parser.set_defaults(run=run)


def _say(name: str) -> str:
    return texts.say(f"run_command.{name}")


def run(arguments: argparse.Namespace) -> int:
    """Run the program; its exit status, or 1 for an unrecorded call or an open finding."""
    command = arguments.command[1:] if arguments.command[:1] == ["--"] else arguments.command
    if not command or command[0].startswith("--"):
        raise UsageError(texts.say("gateway.run_no_command"))
    if find_spec("trustme") is None:
        raise UsageError(texts.say("gateway.missing_extra"))
    if arguments.record and not arguments.cassette:
        raise UsageError(texts.say("gateway.run_record_where"))
    if arguments.record and arguments.deny:
        raise UsageError(texts.say("gateway.run_record_deny"))
    names, folder = _cassettes(arguments.cassette, new=arguments.record)
    environment = dict(os.environ)
    program = _Program(command, names, arguments, environment)
    with _alone(environment):
        return _status(program, list(_options(arguments, folder)))


@contextmanager
def _alone(before: Mapping[str, str]) -> Iterator[None]:
    """While pytest runs here, nothing of the user's own runs of pytest reaches it."""
    for name in _OF_PYTEST:
        os.environ.pop(name, None)
    os.environ["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _status(program: _Program, options: Sequence[str]) -> int:
    import pytest

    code = int(pytest.main(list(options), plugins=[program]))
    if code == pytest.ExitCode.USAGE_ERROR:  # pytest has reported the error
        return 2
    if program.problem:
        raise UsageError(program.problem)
    if program.status is None:
        raise UsageError(texts.say("gateway.run_not_started"))
    return program.status or int(code != 0)


def _options(arguments: argparse.Namespace, folder: Path | None) -> Iterator[str]:
    """The command line of the run. What the project's ini file sets for its tests is not meant for a program."""
    yield from ("-s", "--noconftest", "-p", "hwcloud")
    ini = ["addopts=", "required_plugins=", "python_functions=test", "hwcloud_cassette_checks=off"]
    ini += [f"hwcloud_cassette_dir={folder}"] if folder is not None else []
    for value in ini:
        yield from ("-o", value)
    for name in _QUIET:
        yield from ("-p", f"no:{name}")
    yield from (
        f"--hwcloud-lang={arguments.lang}",
        f"--hwcloud-mode={'record' if arguments.record else 'replay'}",
        "--hwcloud-permissions=enforce",
        "--hwcloud-lock=off",
        "--hwcloud-prove=off",
    )
    yield from (f"--hwcloud-policy={policy}" for policy in arguments.policy)
    yield from (f"--hwcloud-report={report}" for report in arguments.report)


def _cassettes(given: Sequence[str], *, new: bool) -> tuple[list[str], Path | None]:
    """The names for the marker, and the folder that they are relative to where one of them is a file elsewhere.

    new: what ends like a cassette is a file also before it exists.
    """
    files = {name: Path(name).resolve() for name in given if _is_file(name, new)}
    if not files:
        return list(given), None
    folder = Path(os.path.commonpath([str(file.parent) for file in files.values()]))
    return [files[name].relative_to(folder).as_posix() if name in files else name for name in given], folder


def _is_file(name: str, new: bool) -> bool:
    path = Path(name)
    return bool(path.suffix) and (os.path.isfile(path) or (new and path.suffix in (".yaml", ".yml", ".json")))


class _Program:
    """The plugin of the run: collects the program as its one test, and prints what came of it."""

    def __init__(
        self,
        command: Sequence[str],
        cassettes: Sequence[str],
        arguments: argparse.Namespace,
        environment: Mapping[str, str],
    ) -> None:
        self.command, self.cassettes, self.environment = list(command), cassettes, dict(environment)
        self.identity, self.denied, self.recording = arguments.identity, tuple(arguments.deny), arguments.record
        self.status: int | None = None
        self.started = False
        self.problem = ""

    def pytest_plugin_registered(self, plugin: object, plugin_name: str, manager: Any) -> None:
        if plugin_name == "terminalreporter" and not isinstance(plugin, _reporter()):
            config: Any = plugin.config  # type: ignore[attr-defined]
            manager.unregister(plugin)
            manager.register(_reporter()(config), plugin_name)

    def pytest_collection(self, session: Any) -> bool:
        import pytest
        from _pytest.runner import collect_one_node

        from pytest_hwcloud.gateway.children import program_of

        module, name = ModuleType("program"), program_of(self.command)
        module.test_program = self._test(pytest)  # type: ignore[attr-defined]
        place = Path(next(filter(os.path.isfile, self.command[1:]), name)).absolute()

        class Command(pytest.Function):  # findings and reports name the program where a test would stand
            nodeid = name

            def reportinfo(self) -> tuple[Path, int, str]:
                return place, 0, name

        class Program(pytest.Module):
            def _getobj(self) -> ModuleType:
                return module

            def collect(self) -> Iterator[Any]:
                yield Command.from_parent(self, name="test_program", callobj=module.test_program)

        report = collect_one_node(Program.from_parent(session, path=Path.cwd() / "program"))
        if report.failed:
            self.problem = _of_options(str(report.longrepr).partition(": ")[2] or str(report.longrepr))
            return True
        session.items = list(session.genitems(report.result[0])) if report.result else []
        session.testscollected = len(session.items)
        session.config.hook.pytest_collection_modifyitems(session=session, config=session.config, items=session.items)
        return True

    def _test(self, pytest: Any) -> Any:
        from pytest_hwcloud.journal import CURRENT

        def test_program(hwcloud: Any, hwcloud_gateway: Any) -> None:
            CURRENT.journal.command = self._again()  # type: ignore[union-attr]
            with ExitStack() as stack:
                wrong = _denying(stack, hwcloud, self.denied)
                if wrong:
                    pytest.fail(wrong, pytrace=False)
                self.status = self._run(hwcloud_gateway.added_to(self.environment, self.identity))
            if self.started:
                _tell(hwcloud)
            if self.recording and self.status:
                pytest.fail(texts.say("gateway.run_not_kept", status=self.status), pytrace=False)

        if self.cassettes:
            test_program = pytest.mark.hwcloud_cassette(*self.cassettes)(test_program)
        if self.identity:
            test_program = pytest.mark.hwcloud_identity(self.identity)(test_program)
        return test_program

    def _again(self) -> str:
        """The command that records what is missing. No argument of the program is shown, as any may be a secret."""
        from pytest_hwcloud.gateway.children import program_of

        name = next((name for name in self.cassettes if not library.shipped(name)), "NAME")
        more = " …" if len(self.command) > len(program_of(self.command).split()) else ""
        return f"pytest-hwcloud run --record --cassette {name} -- {program_of(self.command)}{more}"

    def _run(self, environment: dict[str, str]) -> int:
        sys.stdout.flush()
        try:
            process = subprocess.Popen(self.command, env=environment)
        except OSError as error:
            print(_not_started(self.command[0], error), file=sys.stderr)
            return NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_EXECUTABLE
        self.started = True
        with _passing_on(process):
            while True:
                try:
                    status = process.wait()
                except KeyboardInterrupt:  # the program has the same signal and decides
                    continue
                return status if status >= 0 else _SIGNALLED - status

    def pytest_runtest_logreport(self, report: Any) -> None:
        text = report.longreprtext.rstrip() if report.failed else ""
        if report.failed and self.status is None:
            self.problem = text.strip().removeprefix(texts.say("run.error", problem=""))
        elif text and report.nodeid not in text.partition("\n")[0]:  # else it is findings, which the summary shows
            print(text, file=sys.stderr)


@cache
def _reporter() -> type[Any]:
    """pytest's reporter, silent but for what the plugins write at the end of a run, which goes to standard error."""
    import pytest
    from _pytest.config import create_terminal_writer
    from _pytest.terminal import TerminalReporter

    class Reporter(TerminalReporter):  # type: ignore[misc]
        def __init__(self, config: pytest.Config) -> None:
            super().__init__(config, StringIO())

        def pytest_internalerror(self, excrepr: object) -> bool:
            print(excrepr, file=sys.stderr)
            return True

        @pytest.hookimpl(wrapper=True)
        def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> Iterator[None]:  # type: ignore[override]
            yield
            if exitstatus != pytest.ExitCode.USAGE_ERROR:
                self._tw = create_terminal_writer(self.config, sys.stderr)
                self.config.hook.pytest_terminal_summary(
                    terminalreporter=self, exitstatus=exitstatus, config=self.config
                )

        def pytest_terminal_summary(self) -> Iterator[None]:  # type: ignore[override]
            return iter(())

        def pytest_unconfigure(self) -> None:
            """Nothing is left to write."""

    return Reporter


def _denying(stack: ExitStack, hwcloud: Any, actions: Sequence[str]) -> str:
    """Refuse these actions until the stack is left; what is wrong with one of them."""
    try:
        if actions:
            stack.enter_context(hwcloud.deny(*actions))
    except ValueError as error:
        return str(error).replace("hwcloud.deny", "--deny")
    return ""


def _of_options(text: str) -> str:
    """What is wrong with a marker, in terms of the option that it stands for."""
    for marker, option in (("hwcloud_cassette", "--cassette"), ("hwcloud_identity", "--identity")):
        text = text.replace(f"@pytest.mark.{marker}", option)
    return text


def _not_started(program: str, error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return texts.say("gateway.run_not_found", command=program)
    return texts.say("gateway.run_not_executable", command=program, error=error.strerror or error)


@contextmanager
def _passing_on(process: subprocess.Popen[bytes]) -> Iterator[None]:
    """What would end this process ends the program instead; its status is then ours."""
    before = {}
    for name in _PASSED_ON:
        number = getattr(signal, name, None)
        if number is not None:
            before[number] = signal.signal(number, lambda received, _: process.send_signal(received))
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


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
    width = max((texts.columns(outcome) for outcome, _, _ in rows), default=0)
    for (outcome, call, actions), count in rows.items():
        times = f" × {count}" if count > 1 else ""
        shown = outcome + " " * (width - texts.columns(outcome))
        print(f"  {shown}  {call}{times}" + (f"  ({actions})" if actions else ""), file=sys.stderr)
    needs = sorted({action for one in exchanges for action in one.call.actions})
    if needs:
        print(texts.say("gateway.run_needs", actions=", ".join(needs)), file=sys.stderr)
    explained = dict.fromkeys(str(found) for one in refused if (found := hwcloud.explain(one)) is not None)
    for text in explained:
        print(text, file=sys.stderr)
