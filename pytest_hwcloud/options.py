"""Command line and ini of pytest, read into one frozen Settings. Imports nothing but pytest: idle runs load it.

Named tuples, which are made faster than dataclasses: every run of every project that has the plugin loads this.
"""

from __future__ import annotations

import contextlib
import json
import os
from functools import cache
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
    default: str | None = None
    many: bool = False
    switch: bool = False
    metavar: str | None = None

    @property
    def ini(self) -> str:
        return "hwcloud_" + self.flag.replace("-", "_")


OPTIONS = (
    _Option(flag="mode", default="replay"),
    _Option(flag="policy", many=True, metavar="[IDENTITY=]FILE"),
    _Option(flag="permissions", default="report"),
    _Option(flag="lock", default="off"),
    _Option(flag="prove", default="off"),
    _Option(flag="report", many=True, metavar="FORMAT:PATH"),
    _Option(flag="lang", default="en"),
    _Option(flag="region", default="cn-north-4", metavar="REGION"),
    _Option(flag="record", default="missing"),
    _Option(flag="children", default="refuse"),
    _Option(flag="verify", switch=True),
)
INI_ONLY: tuple[tuple[str, Literal["string", "args", "bool", "int"], object], ...] = (
    ("hwcloud_config", "string", ""),
    ("hwcloud_cassette_dir", "string", "cassettes"),
    ("hwcloud_lockfile", "string", "hwcloud-permissions.yaml"),
    ("hwcloud_hosts", "args", []),
    ("hwcloud_cassette_checks", "string", "report"),
    ("hwcloud_max_age", "int", 0),
    ("hwcloud_env", "bool", False),
)
MARKERS = (
    "hwcloud_cassette(*names)",
    "requires_permission(*actions, any_of=(), optional=(), scope=None, identity=None, reason=None)",
    "denied_permission(*actions, code=None, identity=None)",
    "hwcloud_identity(name)",
)


MARKS = frozenset(line.partition("(")[0] for line in MARKERS)
MARKED = pytest.StashKey[tuple[pytest.Mark, ...]]()  # on a cloud test: its markers of ours when it was looked at


def own_marks(item: pytest.Item) -> tuple[pytest.Mark, ...]:
    """The markers of a test that are ours, or meant to be; the nearest first."""
    return tuple(
        [
            mark
            for node in item.iter_parents()
            for mark in node.own_markers
            if mark.name in MARKS or is_misspelt_marker(mark.name, item.config)
        ]
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

    return get_close_matches(name, sorted(MARKS), 1, 0.8)


@cache
def _phrases(language: str) -> dict[str, str]:
    # Read here and not by `texts`: every run of every project registers options and shows a header.
    with open(os.path.join(os.path.dirname(__file__), "texts", language, "option_help.json"), "rb") as file:
        found: dict[str, str] = json.load(file)
    return found


def help_of(name: str, language: str = "en", default: str | None = None) -> str:
    """The --help text of an option or ini key, by its ini name."""
    said = _phrases(language)
    return said["default"].format(help=said[name], value=default) if default is not None else said[name]


def marker_lines(language: str = "en") -> list[str]:
    """The --markers text of ours: `name(arguments): meaning`."""
    said = _phrases(language)
    return [f"{line}: {said['marker_' + line.partition('(')[0]]}" for line in MARKERS]


def add_options(parser: pytest.Parser) -> None:
    """Register every option with its ini twin."""
    group = parser.getgroup("hwcloud", _phrases("en")["group"])
    for option in OPTIONS:
        _add_flag(group, option)
        kind: Literal["bool", "linelist", "string"] = (
            "bool" if option.switch else "linelist" if option.many else "string"
        )
        default: object = [] if option.many else False if option.switch else ""
        parser.addini(option.ini, help_of(option.ini), type=kind, default=default)
    for name, shape, value in INI_ONLY:
        parser.addini(name, help_of(name), type=shape, default=value)


def _add_flag(group: pytest.OptionGroup, option: _Option) -> None:
    name, dest, text = f"--hwcloud-{option.flag}", option.ini, help_of(option.ini, default=option.default)
    if option.switch:
        group.addoption(name, dest=dest, action="store_true", default=None, help=text)
    elif option.many:
        group.addoption(name, dest=dest, action="append", default=None, metavar=option.metavar, help=text)
    elif option.flag in CHOICES:
        group.addoption(name, dest=dest, choices=CHOICES[option.flag], default=None, help=text)
    else:
        group.addoption(name, dest=dest, default=None, metavar=option.metavar, help=text)


def translate_help(config: pytest.Config, language: str) -> None:
    """Put the help of the registered options into this language; called where help was asked for.

    Options are registered before the language is known, and pytest has no public way to change their help: with a
    version that keeps it elsewhere, it stays English.
    """
    defaults = {option.ini: option.default for option in OPTIONS}
    with contextlib.suppress(AttributeError, TypeError):
        parser = config._parser
        for action in parser.optparser._actions:
            if action.dest in defaults:
                action.help = help_of(action.dest, language, defaults[action.dest])
        for group in parser.optparser._action_groups:
            if group.title == _phrases("en")["group"]:
                group.title = _phrases(language)["group"]
        for name in [*defaults, *(name for name, *_ in INI_ONLY)]:
            _, *rest = parser._inidict[name]
            parser._inidict[name] = (help_of(name, language), *rest)


def read_settings(config: pytest.Config) -> Settings:
    """Command line over ini over defaults; pytest.UsageError for a value that is none of the legal ones."""
    config_ini = str(_ini(config, "hwcloud_config"))
    base = config.inipath.parent if config.inipath else config.rootpath
    values = {option.flag: _value(config, option) for option in OPTIONS}
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
        hosts=tuple(_host(config, str(host)) for host in _texts(config, "hwcloud_hosts")),
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
    """The value in the file or of -o, as it is shown: pytest has no public way to ask for it."""
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
    """An absolute path; a link that leads to itself stays as it is and is reported by whoever opens it."""
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


def policy_of(text: str) -> tuple[str, str]:
    """(identity, policy) of a value of --hwcloud-policy."""
    name, sign, rest = text.partition("=")
    own = sign and "/" not in name and "\\" not in name and not name.startswith("system:")
    return (name, rest) if own else ("default", text)


def _policy(config: pytest.Config, text: str, base: Path) -> tuple[str, str]:
    name, rest = policy_of(text)
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


def _host(config: pytest.Config, text: str) -> str:
    """A glob of host names; what has a scheme, a port or a path would never match one."""
    if not text or set(text) & set("/:@# \t\r\n\0"):
        raise _wrong(config, "no-host", value=ascii(text))
    return text


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
    said = _phrases(settings.lang)

    def part(name: str, value: str = "") -> str:
        return said[f"header_{name}"].format(value=value)

    parts = [
        settings.mode if settings.mode != "record" else f"record {settings.record}",
        part("region", region),
        part("identities", ", ".join(identities)),
        part("policy", ", ".join(policies)) if policies else part("no_policy"),
        part("permissions", settings.permissions),
        *(part(name, value) for name, value in (("lock", settings.lock), ("prove", settings.prove)) if value != "off"),
        *([part("verify")] if settings.verify else []),
    ]
    return said["header"].format(parts=" · ".join(parts))
