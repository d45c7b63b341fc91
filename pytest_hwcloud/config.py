"""hwcloud.yaml, the command line and the environment → the identities of a run."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.endpoints import WrongEndpoint, base_url, check_environment, known_regions
from pytest_hwcloud.cloud.identity import (
    Identity,
    PlacedPolicy,
    UnknownName,
    default_identity,
    is_key_text,
    replay_access_key,
    replay_project_id,
    replay_secret_key,
    unknown,
)
from pytest_hwcloud.files import reading
from pytest_hwcloud.options import CATALOGUE, Settings
from pytest_hwcloud.secrets.field_names import kind_of

if TYPE_CHECKING:
    from pytest_hwcloud.files.yaml_reader import Located

_TOP = ("region", "identities", "actions", "ignores", "recording")
_IDENTITY = (
    "user",
    "domain",
    "domain_id",
    "projects",
    "ak",
    "sk",
    "security_token",
    "password",
    "policies",
    "bound",
    "context",
)
_PLACES = {"project": "project", "enterprise_project": "enterprise"}
_SECRET = tuple(key for key in _IDENTITY if kind_of(key))  # access key, secret key, token, password
_LONGEST_NUMBER, _LONGEST_SHOWN = 4096, 60  # bits of a number, characters of a value, that a message shows
_VARIABLE = re.compile(r"\$\{(\w+)\}")


class ConfigError(ValueError):
    """hwcloud.yaml cannot be used; the text names file, line and key."""


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """A finding that the project accepts until a date."""

    rule: str
    match: str
    reason: str
    until: str
    place: str


@dataclass(frozen=True, kw_only=True)
class Configuration:
    """hwcloud.yaml, or its defaults. secrets: the identities' own key texts, with ${VAR} not yet replaced."""

    region: str = "cn-north-4"
    identities: Mapping[str, Identity] = field(default_factory=lambda: {"default": default_identity()})
    secrets: Mapping[str, Mapping[str, str]] = field(default_factory=dict, repr=False)
    actions: tuple[Path, ...] = ()
    ignores: tuple[Ignore, ...] = ()
    keep: tuple[str, ...] = ()  # globs of what a recording may hold although it looks like a secret
    file: Path | None = None

    @property
    def replayed(self) -> dict[str, Identity]:
        """The identities as every machine replays them, with a project in every region."""
        return {name: replay_identity(identity) for name, identity in self.identities.items()}


def load_configuration(settings: Settings) -> Configuration:
    """Read hwcloud.yaml if there is one, and add the policies of the command line; ConfigError for anything wrong."""
    try:
        check_environment()
    except WrongEndpoint as error:
        raise ConfigError(str(error)) from None
    file = settings.config_file
    if reading.exists(file):
        found = _parse(file)
    elif settings.config_given:
        raise ConfigError(texts.say("config.no-file", file=os.path.relpath(file)))
    else:
        found = Configuration(region=settings.region)
    region = settings.region if settings.region_given else found.region
    try:
        base_url("ecs", region)
    except UnknownName as error:
        raise ConfigError(texts.say("config.region-option", problem=error)) from None
    catalogue = file.parent / CATALOGUE
    beside = os.path.lexists(catalogue) and catalogue not in found.actions
    actions = (catalogue, *found.actions) if beside else found.actions
    identities = _with_policies(found, settings.policies)
    return replace(found, region=region, identities=identities, actions=actions)


def _with_policies(found: Configuration, policies: tuple[tuple[str, str], ...]) -> dict[str, Identity]:
    identities = dict(found.identities)
    for name, policy in policies:
        if name not in identities:
            raise ConfigError(_unknown_identity(name, policy, found))
        identities[name] = replace(identities[name], policies=(*identities[name].policies, policy))
    return identities


def _unknown_identity(name: str, policy: str, found: Configuration) -> str:
    option = f"--hwcloud-policy={name}={policy if policy.startswith('system:') else os.path.relpath(policy)}"
    problem = unknown("identity", name, dict(found.identities))
    if found.file is not None:
        return texts.say("config.policy-of-nobody", option=option, problem=problem, file=os.path.relpath(found.file))
    return texts.say("config.policy-without-file", option=option, problem=problem, name=name)


def _parse(file: Path) -> Configuration:
    from pytest_hwcloud.files.yaml_reader import LocatedError, load  # a run without hwcloud.yaml loads no YAML

    shown = os.path.relpath(file)
    try:
        return _configuration(load(reading.read_text(file), shown), file)
    except reading.UnusableFile as error:
        raise ConfigError(f"{shown}: {error}") from None
    except (LocatedError, UnknownName) as error:
        raise ConfigError(str(error)) from None


def _configuration(document: Located, file: Path) -> Configuration:
    top = _mapping(document, document.value, (), _TOP)
    rows = _mapping(document, top.get("identities"), ("identities",))
    identities = {name: _identity(document, name, row, file.parent) for name, row in rows.items()}
    identities.setdefault("default", default_identity())
    secrets = {
        name: {k: str(v) for k, v in row.items() if k in _SECRET} for name, row in rows.items() if isinstance(row, dict)
    }
    _refuse_shared_keys(document, identities)
    return Configuration(
        region=_region(document, top),
        identities=identities,
        secrets=secrets,
        actions=tuple(
            _file(document, name, ("actions", i), file.parent)
            for i, name in enumerate(_list(document, top, "actions", ()))
        ),
        ignores=tuple(_ignore(document, row, i) for i, row in enumerate(_list(document, top, "ignores", ()))),
        keep=_keep(document, top),
        file=file,
    )


def _region(document: Located, top: Mapping[str, object]) -> str:
    region = _text(document, top.get("region", "cn-north-4"), ("region",))
    try:
        base_url("ecs", region)
    except UnknownName as error:
        raise document.error(("region",), str(error)) from None
    return region


def _identity(document: Located, name: str, row: object, base: Path) -> Identity:
    place = ("identities", name)
    if not name.isprintable() or name != name.strip() or not name or set(name) & set("=(),"):
        raise document.error(place, texts.say("config.no-identity-name"))
    found = _mapping(document, row, place, _IDENTITY)
    plain = {key: _text(document, found[key], (*place, key)) for key in ("user", "domain", "domain_id") if key in found}
    projects = _mapping(document, found.get("projects"), (*place, "projects"))
    for key in _SECRET:
        if not isinstance(found.get(key, ""), str):  # the value is not shown: it may be the secret itself
            raise document.error((*place, key), texts.say("config.no-secret-text"))
    ids = {region: _text(document, value, (*place, "projects", region)) for region, value in projects.items()}
    ids = ids or dict(default_identity(name).projects)
    identity = replace(default_identity(name), **{"user": name, **plain} if name != "default" else plain)  # type: ignore[arg-type]
    identity = replace(identity, projects=ids, literal_keys=_literal_keys(document, found, place))
    rows = [(row, (*place, "policies", i)) for i, row in enumerate(_list(document, found, "policies", place))]
    return replace(
        identity,
        policies=tuple(_policy(document, row, path, base) for row, path in rows if not isinstance(row, dict)),
        placed_policies=tuple(
            _placed(document, row, path, base, identity) for row, path in rows if isinstance(row, dict)
        ),
        bound=_policy(document, found["bound"], (*place, "bound"), base) if "bound" in found else None,
        context=_context(document, found.get("context"), (*place, "context")),
    )


def _literal_keys(
    document: Located, found: Mapping[str, object], place: tuple[str | int, ...]
) -> tuple[tuple[str, str], ...]:
    """The key pair that stands in hwcloud.yaml itself: dummy keys of the program under test. Empty for variables."""
    given = {key: str(found[key]) for key in ("ak", "sk") if found.get(key) and not _VARIABLE.search(str(found[key]))}
    if "ak" in given and not found.get("sk"):
        raise document.error((*place, "ak"), texts.say("config.half-a-key"))
    for key, value in given.items():
        if not is_key_text(value):
            raise document.error((*place, key), texts.say("config.no-key-text"))
    return ((given["ak"], given["sk"]),) if len(given) == 2 else ()


def _refuse_shared_keys(document: Located, identities: Mapping[str, Identity]) -> None:
    owners: dict[str, str] = {}
    for name, identity in identities.items():
        for ak, _ in identity.literal_keys:
            if owners.setdefault(ak, name) != name:
                problem = texts.say("config.shared-key", other=owners[ak])
                raise document.error(("identities", name, "ak"), problem)


def _context(document: Located, given: object, place: tuple[str | int, ...]) -> dict[str, object]:
    """Condition keys and their values; a list for a key with several, nothing (or []) for one that is never there."""
    from pytest_hwcloud.cloud.policies import conditions

    found = _mapping(document, given, place)
    for key, value in found.items():
        if ":" not in key:
            near = f"g:{key}"
            raise document.error((*place, key), texts.say("policies.context_key", key=key, near=near))
        items = value if isinstance(value, list) else [value]
        if not all(isinstance(item, str | int | float | date | None) for item in items) or (
            isinstance(value, list) and None in value
        ):
            raise document.error((*place, key), texts.say("policies.context_value", key=key))
        if wrong := conditions.misfit(key, value):
            problem = texts.say(f"policies.context_{wrong[0]}", key=key, value=_shown(wrong[1]))
            raise document.error((*place, key), problem)
    return found


def _placed(
    document: Located, row: dict[str, object], path: tuple[str | int, ...], base: Path, identity: Identity
) -> PlacedPolicy:
    """`{policy: FILE, project: cn-north-4}`: a policy that counts in a part of the account."""
    found = _mapping(document, row, path, ("policy", *_PLACES, "scope", "group"))
    values = {key: _text(document, value, (*path, key)) for key, value in found.items()}
    places = [key for key in (*_PLACES, "scope") if key in values]
    if "policy" not in values or len(places) != 1 or values.get("scope", "domain") not in ("domain", "projects"):
        raise document.error(path, texts.say("config.placed-policy"))
    policy = _policy(document, values["policy"], (*path, "policy"), base)
    on = values.get("scope") or _PLACES[places[0]]
    target = values.get("enterprise_project")
    if on == "project":
        try:
            target = replay_identity(identity).project(values["project"]).id
        except UnknownName as error:
            raise document.error((*path, "project"), str(error)) from None
    return PlacedPolicy(policy=policy, on=on, target=target, group=values.get("group"))


def _policy(document: Located, value: object, path: tuple[str | int, ...], base: Path) -> str:
    text = _text(document, value, path)
    if text.startswith("system:"):
        return text
    return str(_file(document, text, path, base))


def _file(document: Located, value: object, path: tuple[str | int, ...], base: Path) -> Path:
    written = _text(document, value, path)
    try:
        file = (base / written).resolve()
        problem = reading.problem(file)
    except (OSError, RuntimeError, ValueError):  # a link that leads to itself, a NUL
        file, problem = base, reading.problem(base / written)
    if problem:
        raise document.error(
            path, texts.say("config.no-policy-file", file=_plain(written), problem=problem, document=document.file)
        )
    return file


def _plain(text: str) -> str:
    """A text of the user's as one printable line."""
    return text if text.isprintable() else ascii(text)[1:-1]


def _ignore(document: Located, row: object, index: int) -> Ignore:
    keys = ("rule", "match", "reason", "until")
    path: tuple[str | int, ...] = ("ignores", index)
    found = _mapping(document, row, path, keys)
    missing = [key for key in keys if not found.get(key)]
    if missing:
        raise document.error(path, texts.say("config.ignore-lacks", keys=", ".join(missing)))
    _check_rule(document, str(found["rule"]), path)
    until = str(found["until"])
    try:
        date.fromisoformat(until if re.fullmatch(r"\d{4}-\d\d-\d\d", until) else "")
    except ValueError:
        raise document.error((*path, "until"), texts.say("config.no-date", value=_shown(until))) from None
    values = {key: until if key == "until" else _text(document, found[key], (*path, key)) for key in keys}
    return Ignore(**values, place=f"{document.file}:{document.line(path)}")


def _check_rule(document: Located, rule: str, path: tuple[str | int, ...]) -> None:
    from pytest_hwcloud.rules import RULES

    names = [name for rule in RULES.values() for name in (rule.id, rule.name)]
    if rule.lower() not in map(str.lower, names):
        raise document.error((*path, "rule"), str(unknown("rule", rule, names)))


def _keep(document: Located, top: Mapping[str, object]) -> tuple[str, ...]:
    """`recording: {keep: ["$.images[*].checksum"]}`."""
    place = ("recording", "keep")
    found = _mapping(document, top.get("recording"), ("recording",), ("keep",))
    given = _list(document, found, "keep", ("recording",))
    globs = tuple(_text(document, value, (*place, index)) for index, value in enumerate(given))
    if globs:
        from pytest_hwcloud.secrets.allowlist import problem_of

        for index, glob in enumerate(globs):
            if problem := problem_of(glob):
                raise document.error((*place, index), problem)
    return globs


def _mapping(
    document: Located, value: object, path: tuple[str | int, ...], legal: tuple[str, ...] = ()
) -> dict[str, object]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise document.error(path, texts.say("config.no-mapping", value=_shown(value)))
    for key in value:
        if not isinstance(key, str):
            raise document.error(path, texts.say("config.no-text-key", key=_shown(key)))
        if legal and key not in legal:
            problem = str(unknown("key", key, list(legal)))
            raise document.error((*path, key), problem)
    return value


def _list(document: Located, found: Mapping[str, object], key: str, place: tuple[str | int, ...]) -> list[object]:
    value = found.get(key)
    if value is None:
        return []
    if not isinstance(value, list):
        raise document.error((*place, key), texts.say("config.no-list", value=_shown(value)))
    return value


def _text(document: Located, value: object, path: tuple[str | int, ...]) -> str:
    if not isinstance(value, str):
        raise document.error(path, texts.say("config.no-text", value=_shown(value)))
    return value


def _shown(value: object) -> str:
    match value:
        case dict() | list() | None:
            return texts.say(f"config.kind-{type(value).__name__}")
        case bool():
            return "true" if value else "false"
        case int() if value.bit_length() > _LONGEST_NUMBER:
            return texts.say("config.kind-huge")
    shown = ascii(value) if isinstance(value, str) and not value.isprintable() else repr(value)
    return shown if len(shown) <= _LONGEST_SHOWN else f"{shown[: _LONGEST_SHOWN - 3]}..."


def resolve(text: str, *, place: str) -> str:
    """Replace ${VAR}; ConfigError naming the variable if it is not set. Only called in record and live mode."""

    def value(match: re.Match[str]) -> str:
        found = os.environ.get(match[1])
        if not found:
            raise ConfigError(f"{place}: {texts.say('config.no-variable', name=match[1])}")
        return found

    return _VARIABLE.sub(value, text)


def live_secrets(configuration: Configuration, name: str) -> dict[str, str]:
    """The identity's own keys of hwcloud.yaml with variables replaced; empty where the file gives none."""
    given = configuration.secrets.get(name, {})
    return {key: resolve(text, place=_place(configuration, ("identities", name, key))) for key, text in given.items()}


def _place(configuration: Configuration, path: tuple[str, ...]) -> str:
    from pytest_hwcloud.files.yaml_reader import dotted, load

    if configuration.file is None:
        return dotted(path)[:-2]
    shown = os.path.relpath(configuration.file)
    line = load(reading.read_text(configuration.file), shown).line(path)
    return f"{shown}:{line}: {dotted(path)[:-2]}"


def replay_identity(identity: Identity) -> Identity:
    """The same identity with the invented keys that every machine has, and a project in every known region."""
    derived = [region for region in known_regions() if region not in identity.projects]
    return replace(
        identity,
        ak=replay_access_key(identity.name),
        sk=replay_secret_key(identity.name),
        projects={**identity.projects, **{name: replay_project_id(identity.domain_id, name) for name in derived}},
        derived=frozenset(derived),
    )
