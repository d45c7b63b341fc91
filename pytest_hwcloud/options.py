"""Command line and ini of pytest, read into one frozen Settings. Imports nothing but pytest.

Named tuples, which are made faster than dataclasses: every run of every project that has the plugin loads this.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Literal, NamedTuple

import pytest

CHOICES: dict[str, tuple[str, ...]] = {
    "mode": ("replay", "record", "live"),
    "permissions": ("report", "off", "enforce"),
    "lock": ("off", "check", "update"),
    "prove": ("off", "changed", "all"),
    "lang": ("en", "zh"),
    "record": ("missing", "all"),
    "children": ("refuse", "answer", "off"),
}
CATALOGUE = "hwcloud-actions.yaml"  # beside hwcloud.yaml: IAM's own catalogue of actions as a table of the project
_MOST_DAYS = 36_500
REPORT_FORMATS = ("json", "sarif", "md", "html")


class Settings(NamedTuple):
    """What a run was asked to do. Paths are absolute."""

    mode: str = "replay"
    policies: tuple[tuple[str, str], ...] = ()  # (identity name, file)
    permissions: str = "report"
    lock: str = "off"
    prove: str = "off"
    reports: tuple[tuple[str, Path], ...] = ()  # (format, file)
    lang: str = "en"
    region: str = "cn-north-4"
    region_given: bool = False  # on the command line or in the ini, so it wins over hwcloud.yaml
    record: str = "missing"
    verify: bool = False
    children: str = "refuse"
    config_file: Path = Path("hwcloud.yaml")
    config_given: bool = False
    cassette_dir: str = "cassettes"
    lockfile: Path = Path("hwcloud-permissions.yaml")
    hosts: tuple[str, ...] = ()
    cassette_checks: str = "report"
    env: bool = False  # every cloud test has the keys of its identity in the environment
    max_age: int | None = None  # days after which a recording is reported
    root: Path = Path(".")

    def asks_for_more_than_replay(self) -> bool:
        """Whether the run must be set up at once, so that a wrong file is an error before any test runs."""
        eager = (
            self.policies,
            self.reports,
            self.config_given,
            self.mode != "replay",
            self.lock != "off",
            self.prove != "off",
        )
        found = (self.config_file, self.config_file.with_name(CATALOGUE))
        return any(eager) or any(map(os.path.lexists, found))


class _Option(NamedTuple):
    flag: str
    help: str
    default: str | None = None
    many: bool = False
    switch: bool = False
    metavar: str | None = None

    @property
    def ini(self) -> str:
        return "hwcloud_" + self.flag.replace("-", "_")


_OPTIONS = (
    _Option(
        flag="mode",
        help="replay: no cloud test reaches the cloud; record: real calls, written to cassettes; live: real calls",
        default="replay",
    ),
    _Option(
        flag="policy",
        help="policy document (JSON, or system:NAME) that the identity is judged by; repeatable",
        many=True,
        metavar="[IDENTITY=]FILE",
    ),
    _Option(
        flag="permissions",
        help="what a permission finding does: off, report (summary), enforce (failed test)",
        default="report",
    ),
    _Option(
        flag="lock",
        help="compare what the run needed with hwcloud-permissions.yaml (check), or write it (update)",
        default="off",
    ),
    _Option(flag="prove", help="deny each needed permission in turn and demand that the test notices", default="off"),
    _Option(
        flag="report",
        help="write a report of the findings: json, sarif, md or html; repeatable",
        many=True,
        metavar="FORMAT:PATH",
    ),
    _Option(flag="lang", help="language of explanations", default="en"),
    _Option(flag="region", help="region when a call does not name one", default="cn-north-4", metavar="REGION"),
    _Option(
        flag="record",
        help="record mode: keep what is there and add what is missing, or write all anew",
        default="missing",
    ),
    _Option(
        flag="children",
        help="what a program that a replayed cloud test starts meets at cloud hosts: refuse (the test fails), answer "
        "(as through the gateway) or off",
        default="refuse",
    ),
    _Option(flag="verify", help="live mode: compare the answers with the recording and report drift", switch=True),
)
_INI_ONLY: tuple[tuple[str, str, Literal["string", "args", "bool", "int"], object], ...] = (
    ("hwcloud_config", "configuration file of the plugin (default: hwcloud.yaml beside the ini file)", "string", ""),
    ("hwcloud_cassette_dir", "folder of the tests' own cassettes, beside each test file", "string", "cassettes"),
    ("hwcloud_lockfile", "lockfile of needed permissions", "string", "hwcloud-permissions.yaml"),
    ("hwcloud_hosts", "further cloud hosts, as globs", "args", []),
    ("hwcloud_cassette_checks", "unused, unplayed and old cassettes: report, off or enforce", "string", "report"),
    ("hwcloud_max_age", "days after which a recording is reported as old (0: never)", "int", 0),
    (
        "hwcloud_env",
        "every cloud test has the keys of its identity in the environment, as with the fixture",
        "bool",
        False,
    ),
)
MARKERS = (
    "hwcloud_cassette(*names): answer this test's calls from these cassettes: names of the shipped library "
    "(authentication/token-missing) or paths relative to the cassette folder of the test",
    "requires_permission(*actions, any_of=(), optional=(), scope=None, identity=None, reason=None): the test needs all "
    "these actions (and one of any_of), such as ecs:cloudServers:list; scope is 'project' or 'domain'",
    "denied_permission(*actions, code=None, identity=None): negative test: the calls that need these actions must be "
    "refused at the authorization gate, with this code if given",
    "hwcloud_identity(name): the identity of hwcloud.yaml that the fixtures use in this test",
)


def is_misspelt_marker(name: str, config: pytest.Config) -> bool:
    """Whether a marker is meant for this plugin and is not one of its: hwcloud_…, or nearly the name of one.

    A marker that the project registers is the project's.
    """
    if not name.startswith("hwcloud") and "permission" not in name:
        return False
    known = {line.partition(":")[0].partition("(")[0].strip() for line in config.getini("markers")}
    return name not in known and (name.startswith("hwcloud") or bool(near_markers(name)))


def near_markers(name: str) -> list[str]:
    """The marker of ours that such a name was meant to be; empty if there is none."""
    from difflib import get_close_matches

    return get_close_matches(name, [line.partition("(")[0] for line in MARKERS], 1, 0.8)


def add_options(parser: pytest.Parser) -> None:
    """Register every option with its ini twin."""
    group = parser.getgroup("hwcloud", "Huawei Cloud (pytest-hwcloud)")
    for option in _OPTIONS:
        _add_flag(group, option)
        kind: Literal["bool", "linelist", "string"] = (
            "bool" if option.switch else "linelist" if option.many else "string"
        )
        parser.addini(option.ini, option.help, type=kind, default=[] if option.many else False if option.switch else "")
    for name, text, shape, default in _INI_ONLY:
        parser.addini(name, text, type=shape, default=default)


def _add_flag(group: pytest.OptionGroup, option: _Option) -> None:
    name, dest = f"--hwcloud-{option.flag}", option.ini
    if option.switch:
        group.addoption(name, dest=dest, action="store_true", default=None, help=option.help)
    elif option.many:
        group.addoption(name, dest=dest, action="append", default=None, metavar=option.metavar, help=option.help)
    elif option.flag in CHOICES:
        group.addoption(
            name,
            dest=dest,
            choices=CHOICES[option.flag],
            default=None,
            help=f"{option.help} (default: {option.default})",
        )
    else:
        group.addoption(
            name, dest=dest, default=None, metavar=option.metavar, help=f"{option.help} (default: {option.default})"
        )


def read_settings(config: pytest.Config) -> Settings:
    """Command line over ini over defaults; pytest.UsageError for a value that is none of the legal ones."""
    config_ini = str(_ini(config, "hwcloud_config"))
    base = config.inipath.parent if config.inipath else config.rootpath
    values = {option.flag: _value(config, option) for option in _OPTIONS}
    here = config.invocation_params.dir
    given = config.getoption("hwcloud_policy")
    _refuse_without_its_mode(config, str(values["mode"]))
    return Settings(
        **{name: str(values[name]) for name in (*CHOICES, "region")},
        policies=tuple(_policy(config, text, here if given else base) for text in _many(config, "policy")),
        reports=tuple(_report(config, text, here) for text in _many(config, "report")),
        region_given=bool(config.getoption("hwcloud_region") or _ini(config, "hwcloud_region")),
        verify=bool(values["verify"]),
        config_file=_path(config, base, config_ini or "hwcloud.yaml", "hwcloud_config"),
        config_given=bool(config_ini),
        cassette_dir=_plain(config, str(_ini(config, "hwcloud_cassette_dir")), "hwcloud_cassette_dir") or "cassettes",
        lockfile=_named_path(config, base, str(_ini(config, "hwcloud_lockfile")), "hwcloud_lockfile"),
        hosts=tuple(str(host) for host in _texts(config, "hwcloud_hosts")),
        cassette_checks=_cassette_checks(config),
        env=bool(_ini(config, "hwcloud_env")),
        max_age=_days(config),
        root=config.rootpath,
    )


def _wrong(config: pytest.Config, key: str, **values: object) -> pytest.UsageError:
    """The error for a value that cannot be used, in the language of the run."""
    from pytest_hwcloud import texts  # loaded for an error only

    try:
        language = str(config.getoption("hwcloud_lang") or config.getini("hwcloud_lang"))
    except (TypeError, ValueError, pytest.UsageError):
        language = texts.LANGUAGES[0]
    return pytest.UsageError(
        texts.say_in(language if language in texts.LANGUAGES else texts.LANGUAGES[0], f"options.{key}", **values)
    )


_KINDS = {"hwcloud_max_age": "number", "hwcloud_env": "switch", "hwcloud_verify": "switch"}
_KINDS |= dict.fromkeys(("hwcloud_policy", "hwcloud_report", "hwcloud_hosts"), "list")


def _ini(config: pytest.Config, name: str) -> object:
    """The value of an ini option; pytest.UsageError naming it for a value of another type."""
    try:
        return config.getini(name)
    except (TypeError, ValueError, pytest.UsageError):  # which of them depends on the version of pytest
        raise _wrong(config, f"no-{_KINDS.get(name, 'text')}", name=name, value=_written(config, name)) from None


def _written(config: pytest.Config, name: str) -> str:
    """What the file or -o says, as it is shown: pytest has no public way to ask for it."""
    held = getattr(config, "_inicfg", None) or config.inicfg
    value = getattr(held.get(name), "value", held.get(name))
    for override in getattr(config, "_override_ini", None) or config.getoption("override_ini") or ():
        key, _, text = override.partition("=")
        value = text if key == name else value
    try:
        shown = repr(value)
    except ValueError:  # an integer of more than 4,300 digits
        shown = "…"
    return shown if len(shown) <= 60 else f"{shown[:57]}..."


def _value(config: pytest.Config, option: _Option) -> object:
    value = config.getoption(option.ini)
    if value is None:
        value = _ini(config, option.ini) or option.default
    legal = CHOICES.get(option.flag)
    if legal and value not in legal:
        raise _wrong(config, "no-choice", name=option.ini, value=repr(value), legal=", ".join(legal))
    return value


def _many(config: pytest.Config, flag: str) -> list[str]:
    given = config.getoption(f"hwcloud_{flag}")
    return [str(text) for text in (given if given is not None else _texts(config, f"hwcloud_{flag}"))]


def _texts(config: pytest.Config, name: str) -> list[object]:
    found = _ini(config, name)
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise _wrong(config, "no-list", name=name, value=_written(config, name))
    return found


def _refuse_without_its_mode(config: pytest.Config, mode: str) -> None:
    """On the command line an option that its mode does not read is a slip."""
    if config.getoption("hwcloud_verify") and mode != "live":
        raise _wrong(config, "without-mode", option="--hwcloud-verify", needed="live", mode=mode)
    if config.getoption("hwcloud_record") is not None and mode != "record":
        option = f"--hwcloud-record={config.getoption('hwcloud_record')}"
        raise _wrong(config, "without-mode", option=option, needed="record", mode=mode)


def _path(config: pytest.Config, base: Path, text: str, option: str) -> Path:
    """An absolute path; a link that leads to itself stays as it is and is told by whoever opens it."""
    whole = base / _plain(config, text, option)
    try:
        return whole.resolve()
    except (OSError, RuntimeError):
        return Path(os.path.abspath(whole))


def _named_path(config: pytest.Config, base: Path, text: str, option: str) -> Path:
    """The same under the name that the user wrote: a link is not followed."""
    return Path(os.path.realpath(base), _plain(config, text, option))


def _plain(config: pytest.Config, text: str, option: str) -> str:
    if "\0" in text:
        raise _wrong(config, "no-path", name=option, value=ascii(text))
    return text


def _policy(config: pytest.Config, text: str, base: Path) -> tuple[str, str]:
    name, sign, rest = text.partition("=")
    if not sign or "/" in name or "\\" in name or name.startswith("system:"):
        name, rest = "default", text
    if not rest or not name:
        raise _wrong(config, "no-policy", value=repr(text))
    if rest.startswith("system:"):
        return name, rest
    return name, str(_path(config, base, rest, "hwcloud_policy"))


def _report(config: pytest.Config, text: str, base: Path) -> tuple[str, Path]:
    kind, sign, path = text.partition(":")
    if kind not in REPORT_FORMATS or not sign or not path:
        raise _wrong(config, "no-report", value=repr(text), formats=", ".join(REPORT_FORMATS))
    return kind, _path(config, base, path, "hwcloud_report")


def _cassette_checks(config: pytest.Config) -> str:
    value, legal = str(_ini(config, "hwcloud_cassette_checks")), CHOICES["permissions"]
    if value not in legal:
        raise _wrong(config, "no-choice", name="hwcloud_cassette_checks", value=repr(value), legal=", ".join(legal))
    return value


def _days(config: pytest.Config) -> int | None:
    days = _ini(config, "hwcloud_max_age")
    if not isinstance(days, int) or not 0 <= days <= _MOST_DAYS:
        raise _wrong(config, "no-number", name="hwcloud_max_age", value=_written(config, "hwcloud_max_age"))
    return days or None


def header(settings: Settings) -> str:
    """The header line of a run with nothing but defaults."""
    return header_line(settings, settings.region, ["default"], [])


def header_line(settings: Settings, region: str, identities: list[str], policies: list[str]) -> str:
    """`hwcloud: replay · region … · identities … · policy … · permissions …`: what is in force, always."""
    parts = [
        settings.mode if settings.mode != "record" else f"record {settings.record}",
        f"region {region}",
        f"identities {', '.join(identities)}",
        f"policy {', '.join(policies)}" if policies else "no policy",
        f"permissions {settings.permissions}",
        *(f"{name} {value}" for name, value in (("lock", settings.lock), ("prove", settings.prove)) if value != "off"),
        *(["verify"] if settings.verify else []),
    ]
    return "hwcloud: " + " · ".join(parts)
