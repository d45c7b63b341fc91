"""Who can call: the identities of a run (IAM users with their account, projects, keys and policies)."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches

from pytest_hwcloud import texts

DEFAULT_DOMAIN_ID = (
    "0503dda878000fed0f75c0096d70a960"  # the guide's own account and project, so that its examples replay
)
DEFAULT_PROJECT_ID = "05041fffa40025702f6dc009cc6f8f33"
DEFAULT_REGION = "cn-north-4"
_LISTED = 12  # names that a message shows where none is near


class UnknownName(ValueError):
    """A name (identity, project, region, cassette …) that the run does not know; the text has the nearest one."""


def is_key_text(value: str) -> bool:
    """Whether a text can be an access key or a secret key: printable ASCII without blanks, commas and =."""
    return value.isascii() and value.isprintable() and not re.search(r"[\s,=]", value)


def unknown(kind: str, name: str, known: Mapping[str, object] | list[str], hint: str = "") -> UnknownName:
    """The error for an unknown name: what, the nearest, and what there is.

    kind: a key `names.kind-…`, else an option that stands as it is. hint: a text that follows at once.
    """
    check_text(_kind(kind), name)
    names = sorted(known)
    near = get_close_matches(name, names, 20)
    swapped = [one for one in near if sorted(one) == sorted(name)]  # two letters swapped is the likeliest slip
    if near:
        guess = texts.say("names.meant", name=(swapped or near)[0])
    else:
        guess = texts.say("names.known", names=_some(names)) if names else texts.say("names.none-known")
    return UnknownName(f"{texts.say('names.unknown', kind=_kind(kind), name=name)}{guess}{hint}")


def check_text(what: str, value: object) -> None:
    """TypeError for what is to be a name, or a path, and is no text."""
    if not isinstance(value, str):
        raise TypeError(texts.say("names.no-text", what=what, given=repr(value)[:100]))


def _kind(name: str) -> str:
    key = f"kind-{name}"
    known = key in texts.phrases(texts.language(), "names")
    return texts.say(f"names.{key}") if known else texts.say("names.kind-option", option=name)


def _some(names: list[str]) -> str:
    more = len(names) - _LISTED
    listed = ", ".join(names[:_LISTED])
    return texts.say("names.and-more", names=listed, more=more) if more > 0 else listed


def replay_access_key(name: str) -> str:
    """The invented AK of an identity: 20 characters, the same on every machine, recognisable as no real key."""
    return "HWCTEST" + hashlib.sha256(b"ak:" + name.encode()).hexdigest()[:13].upper()


def replay_secret_key(name: str) -> str:
    """The invented SK of an identity: 40 characters, the same on every machine."""
    return "hwctestsecret" + hashlib.sha256(b"sk:" + name.encode()).hexdigest()[:27]


def replay_project_id(domain_id: str, region: str) -> str:
    """The id of an account's project in a region that hwcloud.yaml does not name: the same on every machine."""
    return hashlib.sha256(f"project:{domain_id}:{region}".encode()).hexdigest()[:32]


@dataclass(frozen=True, slots=True)
class Project:
    """A project of an account: its id and name (a region's own project has the region's name)."""

    id: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedPolicy:
    """A policy granted on a part of the account. on: domain, projects, project or enterprise; target: its id."""

    policy: str
    on: str
    target: str | None = None
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Identity:
    """An IAM user. Replay identities have invented keys; record and live mode fill in the real ones."""

    name: str = "default"
    user: str = "ci-reader"
    domain: str = "example-corp"
    domain_id: str = DEFAULT_DOMAIN_ID
    projects: Mapping[str, str] = field(default_factory=lambda: {DEFAULT_REGION: DEFAULT_PROJECT_ID})
    derived: frozenset[str] = field(default=frozenset(), repr=False)  # regions whose project is not configured
    ak: str = field(default="", repr=False)
    sk: str = field(default="", repr=False)
    security_token: str | None = field(default=None, repr=False)
    password: str | None = field(default=None, repr=False)
    policies: tuple[str, ...] = ()  # files, or system:NAME; they count everywhere
    placed_policies: tuple[PlacedPolicy, ...] = ()
    key_source: str = field(default="", repr=False)  # record and live mode: where the key was found
    literal_keys: tuple[tuple[str, str], ...] = field(default=(), repr=False)  # (ak, sk) of hwcloud.yaml, in plain text
    bound: str | None = None  # the service control policy of the account's organization
    context: Mapping[str, object] = field(default_factory=dict, hash=False)  # condition keys that are known of it

    @property
    def user_id(self) -> str:
        """The id of the IAM user: 32 hex digits made from the account and the user name."""
        return hashlib.sha256(f"user:{self.domain_id}:{self.user}".encode()).hexdigest()[:32]

    def project(self, reference: str) -> Project:
        """The project with this name or id; UnknownName if the identity has none such."""
        if reference in self.projects:
            return Project(self.projects[reference], reference)
        for name, project_id in self.projects.items():
            if project_id == reference:
                return Project(project_id, name)
        named = [name for name in self.projects if name not in self.derived]  # what somebody wrote is likelier meant
        known = named if get_close_matches(reference, named) else list(self.projects)
        raise unknown("project", reference, known, texts.say("names.of-identity", name=self.name))


def default_identity(name: str = "default") -> Identity:
    """The identity of a run without hwcloud.yaml."""
    return Identity(name=name, ak=replay_access_key(name), sk=replay_secret_key(name))
