"""`pytest-hwcloud actions list | refresh`: the known actions, and IAM's own catalogue as a table of the project.

`refresh` only reads: `GET /v5/authorization-schemas/…`, and with --policies `GET /v3/roles` and `GET /v5/policies…`.
"""

from __future__ import annotations

import argparse
import difflib
import json
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.commands import UsageError

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.calls.catalogue import ServiceSchema
    from pytest_hwcloud.commands.iam_client import IamClient

_SOURCE = "GET /v5/authorization-schemas/services/{service_code}"
_CODE = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]*")
_POLICY_FILES = ("roles", "policies")


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the two commands."""
    parser = subparsers.add_parser("actions", help=texts.say("actions.help"))
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    _mount_list(commands)
    _mount_refresh(commands)


def _mount_list(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "list", help=texts.say("actions.list-help"), description=texts.say("actions.list-about")
    )
    parser.add_argument("pattern", metavar="PATTERN", nargs="?", help=texts.say("actions.pattern"))
    parser.add_argument("--service", metavar="S", help=texts.say("actions.service"))
    parser.add_argument("--table", metavar="FILE", action="append", default=[], help=texts.say("actions.table"))
    parser.add_argument("--json", action="store_true", help=texts.say("actions.json"))
    parser.set_defaults(run=run_list)


def _mount_refresh(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    from pytest_hwcloud.options import CATALOGUE

    parser = commands.add_parser(
        "refresh", help=texts.say("actions.refresh-help"), description=texts.say("actions.refresh-about")
    )
    parser.add_argument("services", metavar="SERVICE", nargs="*", help=texts.say("actions.services"))
    parser.add_argument("--output", metavar="FILE", default=CATALOGUE, help=texts.say("actions.output"))
    parser.add_argument("--from", metavar="FOLDER", dest="folder", help=texts.say("actions.from"))
    parser.add_argument("--check", action="store_true", help=texts.say("actions.check"))
    parser.add_argument("--policies", action="store_true", help=texts.say("actions.policies"))
    parser.add_argument("--region", metavar="REGION", help=texts.say("actions.region"))
    parser.add_argument("--json", action="store_true", help=texts.say("actions.json"))
    parser.set_defaults(run=run_refresh)


# list -------------------------------------------------------------------------------------------------------------


def run_list(arguments: argparse.Namespace) -> int:
    """Print the known actions of a pattern or a service; 1 if there is none."""
    from pytest_hwcloud.cloud.calls import actions, calls
    from pytest_hwcloud.cloud.calls.project_tables import TableError

    use_tables(arguments.table)
    try:
        names = actions.all_actions(arguments.service)
        if arguments.pattern:
            names = tuple(name for name in names if _matches(arguments.pattern, name))
        if not names:
            raise _Nothing(arguments.pattern, arguments.service)
        found = [_entry(name) for name in names]
    except TableError as error:
        raise UsageError(str(error)) from None
    except _Nothing as nothing:
        print("[]" if arguments.json else str(nothing), file=sys.stdout if arguments.json else sys.stderr)
        return 1
    finally:
        calls.clear_tables()
    if arguments.json:
        print(json.dumps(found, ensure_ascii=False, indent=2))
    else:
        print("\n".join(line for entry in found for line in _shown(entry)))
    return 0


class _Nothing(Exception):
    """No action answers the question; the message names what may be meant."""

    def __init__(self, pattern: str | None, service: str | None) -> None:
        from pytest_hwcloud.cloud.calls import actions, tables

        known = sorted({name.partition(":")[0].lower() for name in actions.all_actions()})
        if service and service.lower() not in known:
            if service.lower() in tables.shipped():
                text = texts.say("actions.undocumented-service", service=service)
            else:
                text = texts.say("actions.unknown-service", service=service) + _near(service.lower(), known)
        else:
            near = actions.suggest(pattern) if pattern and pattern.count(":") == 2 else None
            guess = texts.say("actions.meant", name=near) if near else ""
            text = texts.say("actions.none", pattern=pattern or service) + guess
        super().__init__(text)


def _near(name: str, known: list[str]) -> str:
    near = difflib.get_close_matches(name, known, 1, 0.6)
    return texts.say("actions.meant", name=near[0]) if near else ""


def use_tables(files: list[str]) -> None:
    """The tables of the project, as a run has them: of hwcloud.yaml and beside it; then those that are named."""
    from pytest_hwcloud.cloud.calls import calls
    from pytest_hwcloud.cloud.calls.project_tables import TableError

    try:
        for file in [*_of_the_project(), *map(Path, files)]:
            calls.add_table(file)
    except TableError as error:
        calls.clear_tables()
        raise UsageError(str(error)) from None


def _of_the_project() -> list[Path]:
    from pytest_hwcloud.options import CATALOGUE, Settings

    if not os.path.lexists("hwcloud.yaml"):
        return [Path(CATALOGUE)] if os.path.lexists(CATALOGUE) else []
    from pytest_hwcloud.config import ConfigError, load_configuration

    try:
        return list(load_configuration(Settings()).actions)
    except ConfigError as error:
        raise UsageError(str(error)) from None


def with_tables(command: Callable[[argparse.Namespace], int]) -> Callable[[argparse.Namespace], int]:
    """A command that knows the calls and actions of the project's tables, too."""

    def run(arguments: argparse.Namespace) -> int:
        from pytest_hwcloud.cloud.calls import calls

        use_tables([])
        try:
            return command(arguments)
        finally:
            calls.clear_tables()

    return run


def _matches(pattern: str, name: str) -> bool:
    """As a pattern of a policy; a text without colons is looked for anywhere in the name."""
    from pytest_hwcloud.cloud.patterns import covers

    return covers(pattern, name) if ":" in pattern else covers(f"*{pattern.strip('*')}*", name)


def _entry(action: str) -> dict[str, object]:
    """What is known of an action: level, calls, aliases, source."""
    from pytest_hwcloud.cloud.calls import actions, calls, project_tables, tables

    def sources(method: str, service: str, template: str) -> list[str]:
        return tables.sources(service, method, template)

    needs = [need for need in calls.nearest_calls(action) if action.lower() in _own(need)]
    described = project_tables.described(action)
    from_project = described is not None or any(
        action.lower() in {name.lower() for name in (*row.actions, *row.identity)}
        for table in project_tables.tables()
        for row in table.rows
    )
    cited = [text for need in needs for text in sources(*need.label.split(" ", 2))]
    elsewhere = actions.source_of(action) if not cited else None
    cited += [elsewhere] if elsewhere else []
    source = list(dict.fromkeys([*(_files(action) if from_project else ()), *cited]))
    return {
        "action": action,
        "level": actions.access_level(action),
        "calls": [need.label for need in needs],
        "operations": list(dict.fromkeys(need.operation for need in needs)),
        "aliases": list(actions.names(action)[1:]),
        "resources": list(described.resources) if described else [],
        "conditions": list(described.conditions) if described else [],
        "source": source,
    }


def _own(need: object) -> set[str]:
    from pytest_hwcloud.cloud.calls.calls import Need

    assert isinstance(need, Need)
    return {name.lower() for name in (*need.actions, *need.identity_actions)}


def _files(action: str) -> Iterator[str]:
    from pytest_hwcloud.cloud.calls import project_tables

    for table in project_tables.tables():
        names = {*table.actions, *(name for row in table.rows for name in (*row.actions, *row.identity))}
        if action.lower() in {name.lower() for name in names}:
            yield table.file


def _shown(entry: Mapping[str, object]) -> Iterator[str]:
    level = str(entry["level"] or "").replace("_", " ")
    yield f"{entry['action']}" + (f"  ({level})" if level else "")
    for key in ("calls", "aliases", "resources", "conditions", "source"):
        listed = entry[key]
        assert isinstance(listed, list)
        for index, item in enumerate(listed):
            label = "" if index else texts.say(f"actions.label-{key}")
            yield f"  {label}{' ' * (10 - texts.columns(label))} {item}".rstrip()


# refresh ----------------------------------------------------------------------------------------------------------


def run_refresh(arguments: argparse.Namespace) -> int:
    """Write, or with --check compare, the catalogue; 1 if --check finds a difference."""
    from pytest_hwcloud.cloud.calls.catalogue import SchemaError
    from pytest_hwcloud.files.atomic import write_whole

    output = Path(arguments.output)
    for name in arguments.services:
        if not _CODE.fullmatch(name):
            raise UsageError(texts.say("actions.bad-code", name=repr(name)))
    old = _old_text(output)
    source = _Saved(Path(arguments.folder)) if arguments.folder else _Live(arguments, output)
    try:
        schemas = source.schemas([name.lower() for name in arguments.services])
        policies = source.policies() if arguments.policies else None
    except SchemaError as error:
        raise UsageError(str(error)) from None
    new = _text(old, schemas, policies, keep=bool(arguments.services))
    changed = _undated(new) != _undated(old or "")
    if changed and not arguments.check:
        try:
            write_whole(output, new)
        except OSError as error:
            raise UsageError(texts.say("actions.not-written", file=output, reason=error.strerror)) from None
    if arguments.json:
        print(json.dumps(_summary(output, changed, schemas, policies), ensure_ascii=False, indent=2))
    else:
        _report(output, changed, schemas, policies, arguments.check)
        if arguments.check and changed:
            print("\n".join(_difference(old or "", new, str(output))))
    return 1 if arguments.check and changed else 0


def _old_text(output: Path) -> str | None:
    """The catalogue that is there; UsageError for a file that this command has not written."""
    try:
        text = output.read_text(encoding="utf-8") if output.exists() else None
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else texts.say("tables.not-utf8")
        raise UsageError(f"{output}: {texts.say('tables.unreadable', reason=reason)}") from None
    if text and not text.startswith("# written by: pytest-hwcloud actions refresh\n"):
        raise UsageError(texts.say("actions.not-ours", file=output))
    return text


def _text(old: str | None, schemas: list[ServiceSchema], policies: Mapping[str, object] | None, *, keep: bool) -> str:
    """The new file: the services that were read, and of the old one what was not asked for (`keep`)."""
    from pytest_hwcloud.cloud.calls.catalogue import write

    fresh = write(schemas, policies or {}, source=_SOURCE, date=f"{datetime.now(UTC):%Y-%m-%d}")
    if not old:
        return fresh
    head, blocks, tail = _parts(fresh)
    old_head, old_blocks, old_tail = _parts(old)
    if keep:
        blocks = {**{code: text for code, text in old_blocks.items() if code not in blocks}, **blocks}
    if policies is None:
        tail = old_tail
    if blocks and not head.endswith("services:\n"):
        head = head.replace("services: []\n", "services:\n")
    text = head + "".join(blocks[code] for code in sorted(blocks)) + tail
    date = re.search(r"^date: .*$", old_head, re.MULTILINE)
    if date and _undated(text) == _undated(old):
        return re.sub(r"^date: .*$", date[0], text, count=1, flags=re.MULTILINE)
    return text


def _parts(text: str) -> tuple[str, dict[str, str], str]:
    """Head, tables by service code, and policies of a catalogue, each as it is written."""
    head, *rest = re.split(r"(?m)(?=^- service:|^policies:)", text)
    tail = rest.pop() if rest and rest[-1].startswith("policies:") else ""
    blocks: dict[str, str] = {}
    for block in rest:
        if code := re.search(r"(?m)^  code: (.*)$", block):
            blocks[code[1]] = blocks.get(code[1], "") + block
    return head, blocks, tail


def _undated(text: str) -> str:
    return re.sub(r"(?m)^date: .*\n", "", text)


def _difference(old: str, new: str, name: str) -> Iterator[str]:
    """What changes, line by line, below the service it is in."""
    rows = difflib.unified_diff(_undated(old).splitlines(), _undated(new).splitlines(), name, name, lineterm="", n=0)
    yield from (row for row in rows if not row.startswith("@@"))


def _summary(
    output: Path, changed: bool, schemas: list[ServiceSchema], policies: Mapping[str, object] | None
) -> dict[str, object]:
    services = [
        {
            "code": schema.code,
            "schema": schema.version,
            "actions": len(schema.actions),
            "operations": len(schema.operations),
            "met": len(schema.met),
            "unmatched": schema.unmatched,
            "ambiguous": schema.ambiguous,
            "ignored": schema.ignored,
        }
        for schema in schemas
    ]
    found: dict[str, object] = {"file": str(output), "changed": changed, "services": services}
    return found if policies is None else {**found, "policies": sorted(policies)}


def _report(
    output: Path, changed: bool, schemas: list[ServiceSchema], policies: Mapping[str, object] | None, check: bool
) -> None:
    for schema in schemas:
        counts = {"actions": len(schema.actions), "met": len(schema.met), "all": len(schema.operations)}
        print(texts.say("actions.read", code=schema.code, **counts))
        if schema.unmatched:
            print(texts.say("actions.unmatched", names=", ".join(schema.unmatched)))
        for name, labels in schema.ambiguous.items():
            print(texts.say("actions.ambiguous", name=name, calls=", ".join(labels)))
        if schema.ignored:
            print(texts.say("actions.ignored", names=", ".join(schema.ignored)))
    if policies is not None:
        print(texts.say("actions.policies-read", n=len(policies)))
    state = ("would-change" if check else "written") if changed else "unchanged"
    print(texts.say(f"actions.{state}", file=output))


class _Saved:
    """Answers in a folder: `{service_code}.json`, and for --policies `roles.json` and `policies.json`."""

    def __init__(self, folder: Path) -> None:
        if not folder.is_dir():
            raise UsageError(texts.say("actions.no-folder", folder=folder))
        self.folder = folder

    def schemas(self, codes: list[str]) -> list[ServiceSchema]:
        """The schemas of the named services, or of every file."""
        from pytest_hwcloud.cloud.calls.catalogue import read

        there = sorted(file.stem for file in self.folder.glob("*.json") if file.stem not in _POLICY_FILES)
        if not there:
            raise UsageError(texts.say("actions.empty-folder", folder=self.folder))
        for code in codes:
            if code not in there:
                guess = _near(code, there)
                raise UsageError(texts.say("actions.not-in-folder", folder=self.folder, code=code) + guess)
        return [read(code, self._json(code), str(self.folder / f"{code}.json")) for code in codes or there]

    def policies(self) -> dict[str, object]:
        """The documents of system policies in the saved answers."""
        from pytest_hwcloud.commands.iam_client import identity_policies, roles

        names = [name for name in _POLICY_FILES if (self.folder / f"{name}.json").is_file()]
        if not names:
            raise UsageError(texts.say("actions.no-policies", folder=self.folder))
        found: dict[str, object] = {}
        for name in names:
            where = str(self.folder / f"{name}.json")
            answer = self._json(name)
            pages = answer if isinstance(answer, list) else [answer]
            for page in pages:
                for key, document in (roles if name == "roles" else identity_policies)(page, where):
                    found.setdefault(key if key not in found else f"{key} (5.0)", document)
        return found

    def _json(self, name: str) -> object:
        file = self.folder / f"{name}.json"
        try:
            return json.loads(file.read_bytes())
        except OSError as error:
            raise UsageError(f"{file}: {texts.say('tables.unreadable', reason=error.strerror)}") from None
        except (ValueError, RecursionError) as error:
            line = getattr(error, "lineno", 1)
            raise UsageError(f"{file}:{line}: {texts.say('actions.no-json')}") from None


class _Live:
    """IAM itself, called with the keys that record mode would use."""

    def __init__(self, arguments: argparse.Namespace, output: Path) -> None:
        self.output, self.region = output, arguments.region
        self._client: IamClient | None = None

    @property
    def client(self) -> IamClient:
        if self._client is None:
            from pytest_hwcloud.commands.iam_client import connect

            self._client = connect(self.region)
        return self._client

    def schemas(self, codes: list[str]) -> list[ServiceSchema]:
        """The schemas of the named services, or of those that lock and catalogue name."""
        from pytest_hwcloud.cloud.calls.catalogue import read

        wanted = codes or self._known_here()
        registered = self.client.service_codes()
        by_name = {code.lower(): code for code in registered}
        found = []
        for number, code in enumerate(dict.fromkeys(self._registered(code, by_name) for code in wanted), 1):
            total = len(wanted)
            print(texts.say("actions.reading", code=code, number=number, total=total), file=sys.stderr, flush=True)
            answer, where = self.client.schema(by_name[code])
            found.append(read(code, answer, where))
        return found

    def _registered(self, code: str, known: Mapping[str, str]) -> str:
        """The code under which IAM knows a service: its own name, or that of its host (kafka is dms)."""
        from pytest_hwcloud.cloud.endpoints import host_labels

        for name in (code, *host_labels(code)):
            if name in known:
                return name
        raise UsageError(texts.say("actions.not-registered", code=code) + _near(code, sorted(known)))

    def _known_here(self) -> list[str]:
        """The services that the lock names in its actions and calls, and those of the catalogue that is there."""
        from pytest_hwcloud.options import Settings
        from pytest_hwcloud.permissions.lock.lockfile import read
        from pytest_hwcloud.permissions.lock.model import LockError

        lock = Settings().lockfile
        found: set[str] = set(_parts(_old_text(self.output) or "")[1])
        if lock.is_file():
            try:
                locked = read(lock)
            except LockError as error:
                raise UsageError(str(error)) from None
            found |= {action.partition(":")[0].lower() for action in locked.permissions}
            found |= {label.split()[1].lower() for label in locked.unmapped if len(label.split()) == 3}
        if not found - {"?"}:
            raise UsageError(texts.say("actions.which", lock=lock))
        return sorted(found - {"?"})

    def policies(self) -> dict[str, object]:
        """The documents of the system policies of both kinds."""
        print(texts.say("actions.reading-policies"), file=sys.stderr, flush=True)
        found = dict(self.client.roles())
        for name, document in self.client.identity_policies():
            found[name if name not in found else f"{name} (5.0)"] = document
        return found
