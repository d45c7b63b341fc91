"""hwcloud-permissions.yaml: what the tests needed and what the policies granted, committed, so that a change is seen.

`check` compares a run with it, `update` writes it. A partial run touches only the tests that ran and deletes nothing;
what is stale goes in a full green run.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.files.atomic import locked, sweep, write_whole
from pytest_hwcloud.files.reading import UnusableFile, exists, read_text
from pytest_hwcloud.permissions.lock.accepting import dropped, refuse_losses, unknown_here
from pytest_hwcloud.permissions.lock.check import differences
from pytest_hwcloud.permissions.lock.comparison import Comparison, canonical
from pytest_hwcloud.permissions.lock.format import parse
from pytest_hwcloud.permissions.lock.format import text as as_text
from pytest_hwcloud.permissions.lock.from_run import make
from pytest_hwcloud.permissions.lock.merge import merge
from pytest_hwcloud.permissions.lock.model import UPDATE, Lock, LockError

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.options import Settings
    from pytest_hwcloud.permissions.finding import Finding
    from pytest_hwcloud.permissions.ledger import Ledger


_MOST = 64 << 20  # bytes of a lock


def read(path: Path) -> Lock:
    """The lock in a file; LockError with file, line and key if there is none or it cannot be used."""
    shown = os.path.relpath(path)
    try:
        content = read_text(path, most=_MOST)
    except UnusableFile as error:
        if not exists(path):
            raise LockError(texts.say("lock.no-file", file=shown, command=UPDATE)) from None
        raise LockError(texts.say("permissions.lock.unusable", file=shown, reason=error, command=UPDATE)) from None
    return parse(content, shown)


def write(
    path: Path, lock: Lock, ledger: Ledger | None = None, allowed: Callable[[Lock, Lock], None] | None = None
) -> Lock:
    """Merge the needs of a run into what the file holds now, and write it in one step; what was written.

    ledger: the run, which knows what was left out; None: nothing is deleted. allowed: raises if the old lock must not
    become the new one.
    """
    shown, path = os.path.relpath(path), Path(os.path.realpath(path))  # a link stays one
    try:
        with locked(path):
            sweep(path)
            old = read(path) if exists(path) else Lock()
            merged = merge(old, lock, ledger)
            if allowed is not None:
                allowed(old, merged)
            content = as_text(merged)
            if not exists(path) or path.read_bytes() != content.encode():
                write_whole(path, content, durable=True)
    except OSError as error:
        kind = "unwritable-kept" if exists(path) else "unwritable"
        raise LockError(texts.say(f"lock.{kind}", file=shown, reason=error.strerror)) from None
    return merged


def from_ledger(ledger: Ledger, state: CloudState, base: Path | None = None) -> Lock:
    """What a run needed and what its identities hold. base: the folder that policy files are shown relative to."""
    return make(ledger, state, base or Path.cwd())


def check(
    ledger: Ledger, state: CloudState, settings: Settings, accept: str = UPDATE, lines: list[str] | None = None
) -> list[Finding]:
    """HWP007, HWP008 and HWP009: what is different from the lock, and why.

    accept: the command that takes the run into the lock. lines: takes in what of the lock this run cannot see.
    """
    base = settings.lockfile.parent
    old, new = read(settings.lockfile), from_ledger(ledger, state, base)
    if lines is not None:
        lines += unknown_here(old, new, state.identities)
    found = differences(Comparison(old=canonical(old), new=new, ledger=ledger, state=state, base=base, accept=accept))
    if lines is not None and not found:
        lines.append(texts.say("lock.holds", file=os.path.relpath(settings.lockfile), count=_count(new)))
    return found


def update(ledger: Ledger, state: CloudState, settings: Settings, named: Collection[str] = frozenset()) -> str:
    """Write the lock; the lines for the terminal. named: the identities whose policy the command line names.

    Refused if an identity would lose its policy or all its grants without being named.
    """
    path = settings.lockfile
    existed = exists(path)
    before = read(path) if existed else Lock()
    mine = from_ledger(ledger, state, path.parent)
    after = write(path, mine, ledger, lambda old, new: refuse_losses(old, new, named))
    done = _done(os.path.relpath(path), before if existed else None, after)
    return "\n".join([done, *dropped(before, after)])


def _count(lock: Lock) -> str:
    permissions = texts.say("lock.permissions", n=len(lock.permissions))
    return texts.say("lock.count", permissions=permissions, tests=texts.say("lock.tests", n=len(_tests(lock))))


def _done(file: str, before: Lock | None, after: Lock) -> str:
    count = _count(after)
    if before is None or before == after:
        return texts.say("lock.written" if before is None else "lock.unchanged", file=file, count=count)
    gained, lost = (
        after.permissions.keys() - before.permissions.keys(),
        before.permissions.keys() - after.permissions.keys(),
    )
    changes = " ".join(f"{sign}{len(names)}" for sign, names in (("+", gained), ("-", lost)) if names)
    return texts.say(f"lock.updated{'-permissions' if changes else ''}", file=file, count=count, changes=changes)


def _tests(lock: Lock) -> set[str]:
    return {test for need in lock.permissions.values() for test in need.tests}


def problem(path: Path) -> str:
    """Why this file cannot be used as a lock, before any test runs; "" if it can."""
    try:
        read(path)
    except LockError as error:
        return str(error)
    return ""
