"""Names of actions: `service:type:operation`, in the two grammars (1.1 and 5.0) and in any letter case.

Three questions about two names, and they are different ones:

* `same(a, b)`: are they two spellings of one permission? Only the letter case differs, or one is a 5.0 name and the
  only heir of the other, a 1.1 name (`ecs:cloudServers:listServersDetails`, `ecs:cloudServers:list`). Symmetric and
  transitive, as both have one `canonical` name.
* `names(a)`: which names in a statement allow `a`? One way only: whoever may `ecs:cloudServers:get` (the old, broad
  name) may also `ecs:cloudServers:showServer`, but not the other way round. Each of them opens every call needing `a`.
* does a marker speak of a call? A question to the call (`Call.named_by`), which knows its names and their aliases.

A call may be allowed in either grammar (`Call.ways`): to ask for its 1.1 action alone would refuse a policy that names
the 5.0 one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import lru_cache
from heapq import nlargest
from itertools import pairwise
from pathlib import Path

from pytest_hwcloud.cloud.endpoints import service_scope
from pytest_hwcloud.cloud.patterns import ANY, glob, wild
from pytest_hwcloud.texts import say

FACTS = Path(__file__).parents[1] / "facts"
_PART = re.compile(r"[A-Za-z0-9_.*?-]*")


class ActionError(ValueError):
    """A text that is no action name, or no single action; the message gives the reason and what is correct."""


@dataclass(frozen=True, slots=True)
class Action:
    """One action name in its parts; `type` may be empty (`sts::decodeAuthorizationMessage`)."""

    service: str
    type: str
    operation: str

    def __str__(self) -> str:
        return f"{self.service}:{self.type}:{self.operation}"

    @property
    def wildcard(self) -> bool:
        """True for a pattern."""
        return "*" in str(self) or "?" in str(self)


@dataclass(slots=True)
class _Index:
    """The content of facts/actions.json, keyed by the name in lower case."""

    documented: dict[str, str]
    canonical: dict[str, str]
    spellings: dict[str, list[str]]
    levels: dict[str, str]
    tables: dict[str, list[str]]
    own: dict[str, str] = field(default_factory=dict)  # names of the project's own tables
    own_spellings: dict[str, list[str]] = field(default_factory=dict)
    own_canonical: dict[str, str] = field(default_factory=dict)
    own_levels: dict[str, str] = field(default_factory=dict)
    revision: int = 0  # grows with every change of the four


@lru_cache(maxsize=1)
def _index() -> _Index:
    data = json.loads((FACTS / "actions.json").read_bytes())
    documented = {name.lower(): name for name in data["names"]}
    return _Index(documented, data["canonical"], data["spellings"], data["levels"], data["tables"])


def parse(text: str, *, wildcards: bool = True) -> Action:
    """The parts of an action name. ActionError for another shape, and for a pattern where `wildcards` is False."""
    parts = text.strip().split(":")
    if len(parts) != 3:
        raise ActionError(say("names.colons", text=text) + _guess(text))
    if not parts[0] or not parts[2]:
        raise ActionError(say("names.no-operation" if parts[0] else "names.no-service", text=text))
    if not all(_PART.fullmatch(part) for part in parts):
        raise ActionError(say("names.letters", text=text))
    action = Action(*parts)
    if action.wildcard and not wildcards:
        raise ActionError(_covers(str(action)))
    return action


def _guess(text: str) -> str:
    near = suggest(text)
    return say("names.meant", name=near) if near else ""


def _covers(pattern: str) -> str:
    found = expand(pattern)
    if not found:
        return say("names.pattern-of-none", pattern=pattern)
    shown = ", ".join(found[:5])
    if len(found) > 5:
        return say("names.pattern-of-many", pattern=pattern, shown=shown, more=len(found) - 5)
    return say("names.pattern", pattern=pattern, shown=shown)


def canonical(action: str) -> str:
    """The one spelling of a permission: the 1.1 name where there is one, else the 5.0 name; unknown names as given."""
    key, index = action.lower(), _index()
    found = index.canonical.get(key) or index.own_canonical.get(key) or index.documented.get(key)
    return found or index.own.get(key) or action


def same(a: str, b: str) -> bool:
    """True where both are spellings of one permission."""
    return a.lower() == b.lower() or canonical(a).lower() == canonical(b).lower()


def names(action: str) -> tuple[str, ...]:
    """The names any of which, in a statement, speaks of this action: itself, then its aliases (see the module)."""
    key, index = action.lower(), _index()
    own = index.documented.get(key) or index.own.get(key) or action
    others = (*index.spellings.get(key, ()), *index.own_spellings.get(key, ()))
    return (own, *(name for name in others if name.lower() != key))


def is_known(action: str) -> bool:
    """True where a document names this action (or a table of the project), in any letter case."""
    index = _index()
    return action.lower() in index.documented or action.lower() in index.own


@lru_cache(maxsize=1)
def _cited() -> tuple[list[str], dict[str, int]]:
    data = json.loads((FACTS / "action_sources.json").read_bytes())
    return data["texts"], data["names"]


def source_of(action: str) -> str | None:
    """Where a name was read that no documented call needs (an alias, a former name, a permission of the console)."""
    texts, names = _cited()
    at = names.get(action.lower())
    return None if at is None else texts[at]


def is_documented(action: str) -> bool:
    """True where a document names this action, in any letter case."""
    return action.lower() in _index().documented


def suggest(action: str) -> str | None:
    """The known action that was probably meant; None for a known name.

    It is one of the same service, or where there is no such service, of one that is spelt alike.
    """
    key = action.lower().strip()
    services = _by_service(revision())
    service, _, rest = key.partition(":")
    if key in services.get(service, {}):
        return None
    operation = ":" + rest.rpartition(":")[2]
    exists = service in services or service_scope(service) != "unknown"
    near = [service] if exists else get_close_matches(service, services, 12, 0.6)
    inside = {name: row for one in near for name, row in services.get(one, {}).items()}
    pairs = _pairs(key)
    closest = nlargest(_COMPARED, inside, key=lambda name: len(pairs & inside[name][1]))
    for pool in ([name for name in inside if name.endswith(operation)], closest):  # the same operation goes first
        if found := get_close_matches(key, pool, 1, 0.75):
            return inside[found[0]][0]
    return None


_COMPARED = 16  # names that share most pairs of letters with a wrong one, and are compared letter by letter


@lru_cache(maxsize=1)
def _by_service(_: int) -> dict[str, dict[str, tuple[str, frozenset[str]]]]:
    """Service -> known name (lower case) -> as it is written, and its pairs of letters."""
    found: dict[str, dict[str, tuple[str, frozenset[str]]]] = {}
    for name, written in {**_index().documented, **_index().own}.items():
        found.setdefault(name.partition(":")[0], {})[name] = written, _pairs(name)
    return found


def _pairs(text: str) -> frozenset[str]:
    return frozenset(map("".join, pairwise(text)))


def expand(text: str) -> tuple[str, ...]:
    """All known actions that a pattern covers, sorted; a whole name covers itself if it is known."""
    wanted = text.strip().lower()
    service, colon, _ = wanted.partition(":")
    among = all_actions(service) if colon and not wild(service) else all_actions()
    if wanted in ANY:
        return among
    matches = glob(wanted)
    return tuple(name for name in among if matches(name.lower()))


def covers_any(pattern: str) -> bool:
    """Whether a pattern of one service's actions covers a known one."""
    wanted = pattern.strip().lower()
    text, known = _lower_case(wanted.partition(":")[0], revision())
    if not all(part in text for part in re.split(r"[*?]+", wanted)):  # of thousands of patterns most end here
        return False
    return any(map(glob(wanted), known))


@lru_cache(maxsize=64)
def _lower_case(service: str, _: int) -> tuple[str, tuple[str, ...]]:
    """The names of a service in lower case: as one text, and one by one."""
    known = tuple(name.lower() for name in all_actions(service))
    return "\n".join(known), known


def access_level(action: str) -> str | None:
    """`list`, `read`, `write`, `tagging` or `permission_management` where it is documented."""
    key, index = action.lower(), _index()
    return index.own_levels.get(key) or index.levels.get(key)


def all_actions(service: str | None = None) -> tuple[str, ...]:
    """All known action names (of one service), sorted without regard to case."""
    every, of_service = _all(revision())
    return of_service.get(service.lower(), ()) if service else every


@lru_cache(maxsize=1)
def _all(_: int) -> tuple[tuple[str, ...], dict[str, tuple[str, ...]]]:
    """All names, and those of each service."""
    index = _index()
    every = tuple(sorted((*index.documented.values(), *index.own.values()), key=str.lower))
    of_service: dict[str, list[str]] = {}
    for name in every:
        of_service.setdefault(name.partition(":")[0].lower(), []).append(name)
    return every, {service: tuple(names) for service, names in of_service.items()}


def tables_of(action: str) -> tuple[str, ...]:
    """The services whose tables can hold calls that need this action (calls of `eip` need `vpc:publicIps:get`)."""
    prefix = action.partition(":")[0].lower()
    return tuple(_index().tables.get(prefix, (prefix,)))


def learn(
    found: Iterable[str],
    aliases: Mapping[str, Sequence[str]],
    heirs: Mapping[str, str],
    levels: Mapping[str, str],
) -> None:
    """Take in the action names of the tables of the project, and the further names that allow them.

    heirs: 5.0 name -> the one 1.1 name that it is another spelling of. levels: name -> access level.
    """
    index = _index()
    index.revision += 1
    index.own_canonical.update({name.lower(): old for name, old in heirs.items()})
    index.own_levels.update({name.lower(): level for name, level in levels.items()})
    every = {*found, *aliases, *(name for others in aliases.values() for name in others)}
    index.own.update({name.lower(): name for name in every if name.lower() not in index.documented})
    index.own_spellings.update({name.lower(): list(others) for name, others in aliases.items()})


def forget() -> None:
    """Drop the names that were taken in."""
    index = _index()
    index.revision += 1
    for taken in (index.own, index.own_spellings, index.own_canonical, index.own_levels):
        taken.clear()


def revision() -> int:
    """A number that changes with the names that the project's own tables bring."""
    return _index().revision
