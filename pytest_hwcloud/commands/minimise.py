"""`pytest-hwcloud policy minimise`: the smallest policy for what the lock, or the report of a run, states as needed."""

from __future__ import annotations

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.commands import UsageError
from pytest_hwcloud.commands.actions import with_tables

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.lock.minimise import Minimal
    from pytest_hwcloud.permissions.lock.model import Lock

_LOCK = "hwcloud-permissions.yaml"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command below `policy`."""
    parser = commands.add_parser("minimise", help=texts.say("minimise.help"))
    parser.add_argument("--identity", metavar="NAME", help=texts.say("minimise.identity"))
    parser.add_argument("--grammar", choices=("1.1", "5.0"), default="1.1", help=texts.say("minimise.grammar"))
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--lock", metavar="FILE", default=_LOCK, help=texts.say("minimise.lock", file=_LOCK))
    source.add_argument("--run", metavar="FILE", dest="report", help=texts.say("minimise.run"))
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--output", metavar="FOLDER", help=texts.say("minimise.output"))
    shown.add_argument("--policy", metavar="POLICY", dest="only", help=texts.say("minimise.only"))
    shown.add_argument("--json", action="store_true", help=texts.say("minimise.json"))
    parser.set_defaults(run=with_tables(run))


def run(arguments: argparse.Namespace) -> int:
    """Print the policies as JSON; what else there is to know goes to standard error."""
    from pytest_hwcloud.permissions.lock.minimise import minimise

    lock = _needs(arguments)
    identity = arguments.identity or _only(lock)
    _known(lock, identity, arguments.report or arguments.lock)
    policies = minimise(lock, identity, arguments.grammar)
    if arguments.json:
        print(json.dumps(_data(lock, identity, policies), ensure_ascii=False, indent=2))
        return 0
    if arguments.output:
        _write(Path(arguments.output), policies)
    else:
        _print(policies, arguments)
    for note in _notes(lock, identity, policies, "run" if arguments.report else "lock"):
        print(texts.say("minimise.note", text=note), file=sys.stderr)
    return 0


def _print(policies: list[Minimal], arguments: argparse.Namespace) -> None:
    """One document, so that `> file` makes a valid one; where the others are goes to standard error."""
    from pytest_hwcloud.cloud.identity import unknown

    by_name = {policy.name: policy for policy in policies}
    chosen = arguments.only or policies[0].name
    if chosen not in by_name:
        raise UsageError(str(unknown("policy", chosen, list(by_name), "")))
    for number, policy in enumerate(policies, 1):
        if policy.name == chosen:
            head = texts.say("minimise.policy", number=number, n=len(policies), name=chosen, words=policy.words)
            print(head, file=sys.stderr, flush=True)
            print(json.dumps(policy.document, ensure_ascii=False, indent=2), flush=True)
    others = [name for name in by_name if name != chosen]
    if others and not arguments.only:
        given = {"--identity": arguments.identity, "--grammar": arguments.grammar, "--lock": arguments.lock}
        given["--run"] = arguments.report
        usual = {"--grammar": "1.1", "--lock": _LOCK, "--identity": None, "--run": None}
        options = [f"{name}={value}" for name, value in given.items() if value != usual[name]]
        command = shlex.join(["pytest-hwcloud", "policy", "minimise", *options, f"--policy={others[0]}"])
        told = texts.say("minimise.more", n=len(others), names=", ".join(others), command=command)
        print(texts.say("minimise.note", text=told), file=sys.stderr)


def _write(folder: Path, policies: list[Minimal]) -> None:
    """Each policy in a separate file. Nothing is written where one of them would replace another document."""
    from pytest_hwcloud.files import reading
    from pytest_hwcloud.files.atomic import write_whole

    files = {folder / f"{policy.name.replace('/', '_')}.json": policy for policy in policies}
    contents = {file: json.dumps(one.document, ensure_ascii=False, indent=2) + "\n" for file, one in files.items()}
    for file, content in contents.items():
        try:
            same = not reading.exists(file) or reading.read_text(file) == content
        except reading.UnusableFile:
            same = False
        if not same:
            raise UsageError(texts.say("minimise.exists", file=file.as_posix()))
    for file, content in contents.items():
        try:
            folder.mkdir(parents=True, exist_ok=True)
            write_whole(file, content)
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or str(error)
            raise UsageError(texts.say("minimise.not-written", file=file.as_posix(), reason=reason)) from None
        print(texts.say("minimise.written", file=file.as_posix(), words=files[file].words), flush=True)


def _needs(arguments: argparse.Namespace) -> Lock:
    from pytest_hwcloud.permissions.lock.lockfile import read
    from pytest_hwcloud.permissions.lock.model import LockError
    from pytest_hwcloud.permissions.reports.reading import UnreadableReport, lock_of

    try:
        return lock_of(Path(arguments.report)) if arguments.report else read(Path(arguments.lock))
    except (LockError, UnreadableReport) as error:
        raise UsageError(str(error)) from None


def _only(lock: Lock) -> str:
    """The identity that is meant when none is named."""
    needing = [name for name in lock.identities if lock.needed_by(name)] or ["default"]
    if len(needing) > 1:
        raise UsageError(texts.say("minimise.several", names=", ".join(sorted(needing))))
    return needing[0]


def _known(lock: Lock, identity: str, file: str) -> None:
    from pytest_hwcloud.cloud.identity import unknown

    if identity not in lock.identities:
        raise UsageError(
            str(unknown("identity", identity, list(lock.identities), texts.say("names.of-file", file=file)))
        )
    if not lock.needed_by(identity):
        raise UsageError(texts.say("minimise.needs-nothing", file=file, identity=identity))


def _data(lock: Lock, identity: str, policies: list[Minimal]) -> dict[str, object]:
    rows = [
        {"name": one.name, "scope": one.scope, "version": one.version, "document": one.document} for one in policies
    ]
    return {"identity": identity, "policies": rows, "unmapped": sorted(lock.unmapped)}


def _notes(lock: Lock, identity: str, policies: list[Minimal], source: str) -> list[str]:
    from pytest_hwcloud.permissions.lock.minimise import undistinguished

    versions = sorted({one.version for one in policies})
    notes = []
    if len(versions) > 1:
        shown = texts.say("minimise.and").join(versions)
        notes.append(texts.say("minimise.both", identity=identity, versions=shown))
    granted = [action for one in policies if one.version == "5.0" for action in one.actions]
    for call, names in undistinguished(lock, identity, granted):
        notes.append(texts.say(f"minimise.undistinguished-{source}", names=", ".join(names), call=call))
    if lock.unmapped:
        names = sorted(lock.unmapped)
        notes.append(texts.say(f"minimise.unmapped-{source}", n=len(names), names=", ".join(names)))
    return notes
