"""Live credentials, found where the ecosystem keeps them: hwcloud.yaml, HUAWEICLOUD_SDK_*, HW_*, the SDK's profile.

The first source that has an access key is used whole; keys of two sources are never mixed. The metadata address of a
server (169.254.169.254) is never asked.
"""

from __future__ import annotations

import configparser
import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.identity import DEFAULT_DOMAIN_ID, DEFAULT_PROJECT_ID, Identity, is_key_text
from pytest_hwcloud.files.reading import UnusableFile, read_text

# field of the identity (or project_id) → name in the environment or profile
_SDK = {
    "ak": "HUAWEICLOUD_SDK_AK",
    "sk": "HUAWEICLOUD_SDK_SK",
    "security_token": "HUAWEICLOUD_SDK_SECURITY_TOKEN",
    "project_id": "HUAWEICLOUD_SDK_PROJECT_ID",
    "domain_id": "HUAWEICLOUD_SDK_DOMAIN_ID",
}
_HW = {
    "ak": "HW_ACCESS_KEY",
    "sk": "HW_SECRET_KEY",
    "security_token": "HW_SECURITY_TOKEN",
    "project_id": "HW_PROJECT_ID",
    "domain_id": "HW_DOMAIN_ID",
    "domain": "HW_DOMAIN_NAME",
    "user": "HW_USER_NAME",
    "password": "HW_USER_PASSWORD",
}
_PROFILE = ("ak", "sk", "security_token", "project_id", "domain_id")
PROFILE_VARIABLE = "HUAWEICLOUD_SDK_CREDENTIALS_FILE"

Source = tuple[str, dict[str, str], Mapping[str, str]]  # where, the fields found, what each is called there


class MissingCredentials(ValueError):
    """Record and live mode need credentials that were not given; the message names the places for them."""


def live_identities(
    identities: Mapping[str, Identity],
    given: Callable[[str], Mapping[str, str]],
    region: str,
    environ: Mapping[str, str] | None = None,
    home: Path | None = None,
) -> dict[str, Identity]:
    """The identities with their real keys. given(name): the identity's own keys of hwcloud.yaml, variables replaced.

    Only `default` may take its keys from the environment: else two identities would be the same user. Another one
    without keys gets empty ones, and `require` raises when a test uses it. MissingCredentials if `default` has none.
    """
    environ, home = os.environ if environ is None else environ, home or Path.home()
    found = {name: _live(identity, dict(given(name)), region, environ, home) for name, identity in identities.items()}
    if "default" in found and len(found) == 1:
        require(found["default"])
    return found


def require(identity: Identity) -> Identity:
    """The identity itself if it can call the cloud; MissingCredentials if it has neither keys nor a password."""
    if identity.ak or identity.password:
        return identity
    if identity.name != "default":
        raise MissingCredentials(texts.say("config.no-credentials", name=identity.name))
    sdk, hw = (texts.say("config.two-variables", ak=names["ak"], sk=names["sk"]) for names in (_SDK, _HW))
    raise MissingCredentials(texts.say("config.no-credentials-default", name=identity.name, sdk=sdk, hw=hw))


def _live(identity: Identity, own: dict[str, str], region: str, environ: Mapping[str, str], home: Path) -> Identity:
    kinds = ("ak", "sk", "password")
    ours = {field: texts.say("config.key-in-file", name=identity.name, field=field) for field in kinds}
    sources: list[Source] = [("hwcloud.yaml", own, ours)]
    if identity.name == "default":
        sources += _sources(environ, home)
    for _, fields, names in sources:
        if _is_whole(fields, names) or fields.get("password"):
            _check(fields, names)
            whole = {**_ids(identity, sources, region, fields.get("ak")), **own, **fields}
            return _filled(replace(identity, key_source=names["ak" if "ak" in fields else "password"]), whole, region)
    return replace(identity, ak="", sk="", security_token=None, password=None)


def _ids(identity: Identity, sources: list[Source], region: str, ak: str | None) -> dict[str, str]:
    """The ids that are not in hwcloud.yaml, from a place that has the same key: else the guide's would be called."""
    missing = []
    if identity.projects.get(region, DEFAULT_PROJECT_ID) == DEFAULT_PROJECT_ID:
        missing.append("project_id")
    if identity.domain_id == DEFAULT_DOMAIN_ID:
        missing.append("domain_id")
    found = (
        (field, fields[field])
        for field in missing
        for _, fields, _ in sources
        if field in fields and fields.get("ak") == ak
    )
    return dict(reversed(list(found)))


def _sources(environ: Mapping[str, str], home: Path) -> Iterator[Source]:
    for where, names in (("HUAWEICLOUD_SDK_*", _SDK), ("HW_*", _HW)):
        yield where, {field: environ[name] for field, name in names.items() if environ.get(name)}, names
    named = environ.get(PROFILE_VARIABLE)
    file = Path(named) if named else home / ".huaweicloud" / "credentials"
    if named or file.is_file():
        yield (
            str(file),
            _profile(file),
            {field: texts.say("config.key-in-profile", field=field, file=file) for field in _PROFILE},
        )


def _is_whole(fields: Mapping[str, str], names: Mapping[str, str]) -> bool:
    has, lacks = (("ak", "sk") if "ak" in fields else ("sk", "ak")) if {"ak", "sk"} & set(fields) else ("", "")
    if has and lacks not in fields:
        raise MissingCredentials(texts.say("config.half-credentials", there=names[has], missing=names[lacks]))
    return bool(has)


def _check(fields: Mapping[str, str], names: Mapping[str, str]) -> None:
    """MissingCredentials for what cannot be a key, a token or an id; the value itself is not said."""
    for field, value in fields.items():
        match field:
            case "ak" if not is_key_text(value):
                problem = "odd-key"
            case "sk" | "security_token" if not is_key_text(re.sub("[,=]", "", value)):
                problem = "odd-secret"
            case "project_id" | "domain_id" if not re.fullmatch(r"[A-Za-z0-9_-]+", value):
                problem = "odd-id"
            case _:
                continue
        raise MissingCredentials(texts.say(f"config.{problem}", place=names[field]))


def _profile(file: Path) -> dict[str, str]:
    parser = configparser.RawConfigParser()
    try:
        parser.read_string(read_text(file))
    except UnusableFile as error:
        raise MissingCredentials(texts.say("config.profile-unreadable", file=file, reason=error)) from None
    except configparser.Error as error:
        line = getattr(error, "lineno", None)
        place = f"{file}:{line}" if line else str(file)
        raise MissingCredentials(texts.say("config.no-profile", place=place)) from None
    found: dict[str, str] = {}
    for kind in ("basic", "global"):  # sections may be called basic, basic_test, global …
        section = next((name for name in parser.sections() if name.startswith(kind)), None)
        for field in _PROFILE if section else ():
            value = parser.get(section or "", field, fallback="").replace("%%", "%")  # as the SDK wants % written
            if value:
                found.setdefault(field, value)
    return found


def _filled(identity: Identity, fields: Mapping[str, str], region: str) -> Identity:
    projects = dict(identity.projects)
    if "project_id" in fields:
        projects[region] = fields["project_id"]
    return replace(
        identity,
        ak=fields.get("ak", ""),
        sk=fields.get("sk", ""),
        security_token=fields.get("security_token"),
        password=fields.get("password"),
        projects=projects,
        user=fields.get("user", identity.user),
        domain=fields.get("domain", identity.domain),
        domain_id=fields.get("domain_id", identity.domain_id),
    )
