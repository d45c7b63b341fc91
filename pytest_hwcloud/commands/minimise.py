"""`pytest-hwcloud policy minimise`: the smallest policy for what the lock, or the report of a run, says is needed."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.commands.actions import with_tables
from pytest_hwcloud.commands.errors import UsageError

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.lock.minimise import Minimal
    from pytest_hwcloud.permissions.lock.model import Lock

_LOCK = "hwcloud-permissions.yaml"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command below `policy`."""
    parser = commands.add_parser("minimise", help="the smallest policy for what the lock or a run needs")
    parser.add_argument("--identity", metavar="NAME", help="the identity (default: the one that needs something)")
    parser.add_argument("--grammar", choices=("1.1", "5.0"), default="1.1", help="the version to write (default: 1.1)")
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--lock", metavar="FILE", default=_LOCK, help=f"the lockfile (default: {_LOCK})")
    source.add_argument("--run", metavar="FILE", dest="report", help="in its place a run: --hwcloud-report=json:FILE")
    parser.add_argument("--json", action="store_true", help="plain data for machines")
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
    for number, policy in enumerate(policies, 1):
        print(f"policy {number} of {len(policies)}: {policy.name}: {policy.words}", file=sys.stderr, flush=True)
        print(json.dumps(policy.document, ensure_ascii=False, indent=2), flush=True)
    for note in _notes(lock, identity, policies, "run" if arguments.report else "lock"):
        print(f"note: {note}", file=sys.stderr)
    return 0


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
        raise UsageError(
            f"several identities need something: {', '.join(sorted(needing))}; choose with --identity NAME"
        )
    return needing[0]


def _known(lock: Lock, identity: str, file: str) -> None:
    from pytest_hwcloud.cloud.identity import unknown

    if identity not in lock.identities:
        raise UsageError(
            str(unknown("identity", identity, list(lock.identities), texts.say("names.of-file", file=file)))
        )
    if not lock.needed_by(identity):
        raise UsageError(f"{file}: identity {identity} needs nothing, and IAM takes no policy without a statement")


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
        notes.append(
            f"not every need has a name in one grammar: identity {identity} holds both {' and '.join(versions)}"
        )
    granted = [action for one in policies if one.version == "5.0" for action in one.actions]
    for call, names in undistinguished(lock, identity, granted):
        notes.append(f"the {source} does not say which of {', '.join(names)} is needed by {call}: take out what is not")
    if lock.unmapped:
        count = len(lock.unmapped)
        calls = f"{count} call{'' if count == 1 else 's'}"
        notes.append(
            f"no table says what {calls} of the {source} need{'s' * (count == 1)}: {', '.join(sorted(lock.unmapped))}"
        )
    return notes
