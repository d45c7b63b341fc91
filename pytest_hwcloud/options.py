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
        return any(eager) or self.config_file.is_file() or os.path.lexists(self.config_file.with_name(CATALOGUE))


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
_INI_ONLY: tuple[tuple[str, str, Literal["string", "args"], object], ...] = (
    ("hwcloud_config", "configuration file of the plugin (default: hwcloud.yaml beside the ini file)", "string", ""),
    ("hwcloud_cassette_dir", "folder of the tests' own cassettes, beside each test file", "string", "cassettes"),
    ("hwcloud_lockfile", "lockfile of needed permissions", "string", "hwcloud-permissions.yaml"),
    ("hwcloud_hosts", "further cloud hosts, as globs", "args", []),
    ("hwcloud_cassette_checks", "unused, unplayed and old cassettes: report, off or enforce", "string", "report"),
    ("hwcloud_max_age", "days after which a recording is reported as old (0: never)", "string", "0"),
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
    config_ini = str(config.getini("hwcloud_config"))
    base = config.inipath.parent if config.inipath else config.rootpath
    values = {option.flag: _value(config, option) for option in _OPTIONS}
    here = config.invocation_params.dir
    given = config.getoption("hwcloud_policy")
    return Settings(
        **{name: str(values[name]) for name in (*CHOICES, "region")},
        policies=tuple(_policy(text, here if given else base) for text in _many(config, "policy")),
        reports=tuple(_report(text, here) for text in _many(config, "report")),
        region_given=bool(config.getoption("hwcloud_region") or config.getini("hwcloud_region")),
        verify=bool(values["verify"]),
        config_file=(base / (config_ini or "hwcloud.yaml")).resolve(),
        config_given=bool(config_ini),
        cassette_dir=str(config.getini("hwcloud_cassette_dir")) or "cassettes",
        lockfile=(base / str(config.getini("hwcloud_lockfile"))).resolve(),
        hosts=tuple(str(host) for host in config.getini("hwcloud_hosts")),
        cassette_checks=_cassette_checks(str(config.getini("hwcloud_cassette_checks"))),
        max_age=_days(str(config.getini("hwcloud_max_age"))),
        root=config.rootpath,
    )


def _value(config: pytest.Config, option: _Option) -> object:
    value = config.getoption(option.ini)
    if value is None:
        value = config.getini(option.ini) or option.default
    legal = CHOICES.get(option.flag)
    if legal and value not in legal:
        raise pytest.UsageError(f"ini option {option.ini} = {value!r}: choose from {', '.join(legal)}")
    return value


def _many(config: pytest.Config, flag: str) -> list[str]:
    given = config.getoption(f"hwcloud_{flag}")
    return [str(text) for text in (given if given is not None else config.getini(f"hwcloud_{flag}"))]


def _policy(text: str, base: Path) -> tuple[str, str]:
    name, sign, rest = text.partition("=")
    if not sign or "/" in name or "\\" in name or name.startswith("system:"):
        name, rest = "default", text
    if not rest or not name:
        raise pytest.UsageError(
            f"--hwcloud-policy {text!r}: write [IDENTITY=]FILE, for instance auditor=iam/auditor.json"
        )
    return name, rest if rest.startswith("system:") else str((base / rest).resolve())


def _report(text: str, base: Path) -> tuple[str, Path]:
    kind, sign, path = text.partition(":")
    if kind not in REPORT_FORMATS or not sign or not path:
        raise pytest.UsageError(
            f"--hwcloud-report {text!r}: write FORMAT:PATH, FORMAT one of {', '.join(REPORT_FORMATS)}"
        )
    return kind, (base / path).resolve()


def _cassette_checks(text: str) -> str:
    if text not in CHOICES["permissions"]:
        legal = ", ".join(CHOICES["permissions"])
        raise pytest.UsageError(f"ini option hwcloud_cassette_checks = {text!r}: choose from {legal}")
    return text


def _days(text: str) -> int | None:
    if not text.isdigit():
        raise pytest.UsageError(f"ini option hwcloud_max_age = {text!r}: a whole number of days, 0 for never")
    return int(text) or None


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
