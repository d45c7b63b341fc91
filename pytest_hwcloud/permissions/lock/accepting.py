"""Accepting a run into the lock: the command that does it, and what it must not lose without a word.

An update that would take the policy or all grants of an identity out of the lock writes nothing, unless the command
line names a policy of that identity: then whoever types it has seen it.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.options import policy_of
from pytest_hwcloud.permissions.lock.model import UPDATE, Held, Lock, LockError

if TYPE_CHECKING:
    import pytest

_NOT_REPEATED = ("--hwcloud-lock", "--hwcloud-report")
_WITHOUT_VALUE = ("--hwcloud-verify",)
_MOST = 10


class Refused(LockError):
    """The update would lose something: nothing was written."""


def command(config: pytest.Config) -> str:
    """`pytest tests --hwcloud-policy=iam/r.json --hwcloud-lock=update`: the run's own files and options."""
    given = [str(argument) for argument in config.invocation_params.args]
    files = [name for name in getattr(config.option, "file_or_dir", None) or () if name in given]
    head, _, update = UPDATE.partition(" ")
    return shlex.join([head, *files, *_own_options(given), update])


def _own_options(given: Sequence[str]) -> Iterator[str]:
    rest = iter(given)
    for argument in rest:
        name, sign, value = argument.partition("=")
        if argument in ("-o", "--override-ini", "-c", "--config-file", "--rootdir"):
            value = next(rest, "")
            if argument not in ("-o", "--override-ini") or value.startswith("hwcloud_"):
                yield from (argument, value)
        elif name.startswith("--hwcloud-") and name not in _WITHOUT_VALUE:
            value = value if sign else next(rest, "")
            if name not in _NOT_REPEATED:
                yield f"{name}={value}"
        elif argument.startswith(("-ohwcloud_", "--override-ini=hwcloud_", "--config-file=", "--rootdir=")):
            yield argument


def named_identities(config: pytest.Config) -> set[str]:
    """The identities whose policy the command line names."""
    given = list(_own_options([str(argument) for argument in config.invocation_params.args]))
    values = [text.partition("=")[2] for text in given if text.startswith("--hwcloud-policy=")]
    return {policy_of(value)[0] for value in values}


def repeated(text: str, config: pytest.Config) -> str:
    """A message whose command makes the lock again: with the run's own options."""
    return text.replace(UPDATE, command(config))


def refuse_losses(before: Lock, after: Lock, named: Collection[str]) -> None:
    """Refused, with a line for each loss, if the update would take a policy or all grants of an identity away."""
    lost = [
        text
        for identity, held in sorted(before.identities.items())
        if identity not in named
        for text in _losses(identity, held, after.identities.get(identity, Held()))
    ]
    if lost:
        way_out = texts.say("permissions.lock.name-policy", command=UPDATE)
        raise Refused("\n".join([texts.say("permissions.lock.refused", file=before.file), *lost, way_out]))


def _losses(identity: str, before: Held, after: Held) -> Iterator[str]:
    gone = sorted(before.policies.keys() - after.policies.keys())
    for file in gone:
        yield texts.say("permissions.lock.loses-policy", identity=identity, file=file)
    allowed = _allowing(before)
    if allowed and not _allowing(after) and not gone:
        files = ", ".join(sorted(before.policies))
        yield texts.say("permissions.lock.loses-grants", identity=identity, file=files, n=len(allowed))


def _allowing(held: Held) -> list[str]:
    return [line for line in held.grants if line.startswith("allow ")]


def dropped(before: Lock, after: Lock) -> Iterator[str]:
    """One line for each thing that the update took out, ten of a kind at most: policies, grants, tests, needs."""
    for identity, held in sorted(before.identities.items()):
        now = after.identities.get(identity, Held())
        files = sorted(held.policies.keys() - now.policies.keys())
        yield from _some(texts.say("lock.policy-gone", identity=identity, file=file) for file in files)
        grants = _no_more(held.grants, now.grants)
        yield from _some(texts.say("lock.grant-gone", identity=identity, grant=grant) for grant in grants)
    tests = sorted(_needs(before) - _needs(after))
    for name in tests[:_MOST]:
        yield texts.say("permissions.lock.test-gone", test=name)
    if len(tests) > _MOST:
        yield texts.say("permissions.lock.more-tests-gone", n=len(tests) - _MOST)
    if not tests:  # else it is clear why
        needed = sorted(_pairs(before) - _pairs(after))
        yield from _some(texts.say("lock.need-gone", identity=name, action=action) for name, action in needed)


def _no_more(before: Sequence[str], after: Sequence[str]) -> Iterator[str]:
    """The grants of before that no grant of after covers; of a line that is covered in part, the rest of it."""
    from pytest_hwcloud.cloud.patterns import covers
    from pytest_hwcloud.permissions.policies.grant_lines import statement

    wide = [statement(line) for line in after if line.startswith("allow ")]
    for line in before:
        if line in after:
            continue
        said = statement(line)
        actions = said.pop("Action", None)
        if said["Effect"] != "Allow" or not isinstance(actions, list):
            yield line
            continue
        held = [
            str(pattern)
            for one in wide
            if all(said.get(key) == value for key, value in one.items() if key != "Action")
            for pattern in _listed(one.get("Action"))
        ]
        lost = [name for name in actions if not any(covers(pattern, name) for pattern in held)]
        written = f"allow {' '.join(actions)}"
        if lost:
            yield f"allow {' '.join(lost)}{line[len(written) :]}" if line.startswith(written) else line


def _listed(value: object) -> list[object]:
    return value if isinstance(value, list) else []


def _some(lines: Iterable[str]) -> Iterator[str]:
    told = list(lines)
    yield from told[:_MOST]
    if len(told) > _MOST:
        yield texts.say("lock.more-gone", n=len(told) - _MOST)


def _pairs(lock: Lock) -> set[tuple[str, str]]:
    """(identity, action) of every need."""
    return {(name, action) for name in lock.identities for action in lock.needed_by(name)}


def _needs(lock: Lock) -> set[str]:
    return {test for need in lock.permissions.values() for test in need.tests}


def unknown_here(lock: Lock, run: Lock, identities: Collection[str]) -> Iterator[str]:
    """What the lock knows and this run does not have: identities, and policies of those that it has."""
    for name, held in sorted(lock.identities.items()):
        if name not in identities:
            yield texts.say("permissions.lock.other-identity", file=lock.file, identity=name)
            continue
        here = run.identities.get(name, Held()).policies
        for policy in sorted(held.policies.keys() - here.keys()) if here else ():
            yield texts.say("permissions.lock.other-policy", file=lock.file, identity=name, policy=policy)
