"""`pytest-hwcloud cassettes list | show NAME | scan PATH... | scrub PATH...`."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.commands import UsageError

if TYPE_CHECKING:  # a command loads what it needs, not what the others need
    from pytest_hwcloud.cassettes.interaction import Interaction
    from pytest_hwcloud.cassettes.rescrub import Rewritten
    from pytest_hwcloud.cassettes.scan import Hidden
    from pytest_hwcloud.cassettes.tape import Tape

Clean = Callable[[str], str]
_PATIENCE, _PAUSE = 1.0, 0.1  # seconds without a sign on the terminal, and between two signs
_SHOWN = 160  # characters of a text in the diff


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Register the command."""
    command = subparsers.add_parser("cassettes", help=_say("help"))
    actions = command.add_subparsers(required=True, metavar="ACTION")
    for name, function in (("list", list_library), ("show", show), ("scan", scan_files), ("scrub", scrub_files)):
        about = _say(f"{name}-help")
        parser = actions.add_parser(name, help=about, description=about)
        parser.add_argument("--json", action="store_true", help=_say("json"))
        parser.set_defaults(run=function)
        if name == "show":
            parser.add_argument("name", metavar="NAME", help=_say("name"))
        if name in ("scan", "scrub"):
            parser.add_argument("paths", nargs="+", metavar="PATH", help=_say("paths"))
            parser.add_argument("--keep", action="append", default=[], metavar="GLOB", help=_say("keep"))
        if name == "scan":
            parser.add_argument("--secrets-only", action="store_true", help=_say("secrets-only"))
        if name == "scrub":
            parser.add_argument("-y", "--write", action="store_true", help=_say("write"))


def list_library(args: argparse.Namespace) -> int:
    """The shipped cassettes, one a line: name, and what the last call heard."""
    from pytest_hwcloud.cassettes import library
    from pytest_hwcloud.cassettes.tape import Tape

    rows = []
    for name in library.names():
        tape = Tape.load(library.root() / f"{name}.yaml")
        rows.append({"name": name, "happens": [_outcome(tape[i]) for i in range(len(tape))], **_plain(tape)})
    if args.json:
        print(json.dumps(rows, indent=2, ensure_ascii=False))
        return 0
    width = max((len(str(row["name"])) for row in rows), default=0)
    for row in rows:
        happens = row["happens"]
        assert isinstance(happens, list)
        print(f"{row['name']:<{width}}  {_say('then').join(happens)}")
    return 0


def show(args: argparse.Namespace) -> int:
    """The calls and answers of one cassette; of one that is not shipped, without what scrub takes out."""
    from pytest_hwcloud.cassettes import library

    tape = _named(args.name)
    clean: Clean = str if library.name_of(tape.path) else _cleaner(tape)
    if args.json:
        rows = [_row(tape[i], clean) for i in range(len(tape))]
        print(json.dumps({"name": tape.name, **_plain(tape), "interactions": rows}, indent=2, ensure_ascii=False))
        return 0
    print(tape.name)
    for key, value in tape.metadata.items():
        print(f"  {key}: {_told(value)}")
    for position in range(len(tape)):
        one = tape[position]
        print(f"\n{position + 1}. {one.method} {clean(one.uri)}")
        print(f"   {_outcome(one)}")
        for line in _text(one, clean).splitlines():
            print(f"   {line}")
    return 0


def _told(value: object) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_told(one)}" for key, one in value.items() if one is not None)
    return _say("yes" if value else "no") if isinstance(value, bool) else str(value)


def _cleaner(tape: Tape) -> Clean:
    """Takes out of any text what the whole cassette gives away: a password of the request may stand in an answer."""
    from pytest_hwcloud.cassettes.scan import entry_of
    from pytest_hwcloud.secrets.scrubber import Scrubber

    scrubber = Scrubber()
    for position in range(len(tape)):
        entry = entry_of(tape[position])
        scrubber.request(entry.request)
        if entry.answer:
            scrubber.answer(entry.answer)
    return scrubber.text


def scan_files(args: argparse.Namespace) -> int:
    """What hides in the cassettes under the paths; 1 if there is anything."""
    from pytest_hwcloud.cassettes.scan import scan

    keep, looked = _keep(args), _Looked(args.paths)
    found: list[Hidden] = []
    cookies = tapes = 0

    def look(tape: Tape) -> None:
        nonlocal cookies, tapes
        tapes += 1
        for hidden in scan(tape, keep):
            if hidden.kind == "cookies":
                cookies += int(hidden.text)
            elif hidden.kind == "broken":
                looked.broken.append(str(hidden))
            elif hidden.kind == "secret" or not args.secrets_only:
                found.append(hidden)

    looked.each(look)
    status = 2 if looked.broken else int(bool(found))
    if args.json:
        rows = {"cassettes": tapes, "found": [asdict(one) for one in found]}
        more = {"broken": looked.broken, "other_files": looked.others, "firewall_cookies": cookies}
        print(json.dumps({**rows, **more}, indent=2))
        return status
    for hidden in found:
        kind = _say(f"kind-{hidden.kind}")
        print(f"{kind}{' ' * (8 - texts.columns(kind))} {hidden}")
    secrets = sum(one.kind == "secret" for one in found)
    refusals = len(found) - secrets
    counts = {"secrets": _say("secrets", n=secrets), "refusals": _say("refusals", n=refusals)}
    total = _say("total", cassettes=_say("cassettes", n=tapes), **counts)
    print(_say("total-way-out", total=total, way_out=_say("way-out")) if secrets else total)
    if cookies:
        print(_say("cookies", n=cookies))
    looked.tell()
    return status


def scrub_files(args: argparse.Namespace) -> int:
    """Show what scrubbing changes, or do it (--write); 1 if secrets are still in a file afterwards."""
    from pytest_hwcloud.cassettes import rescrub

    keep = _keep(args)
    looked = _Looked(args.paths)
    dirty: list[Rewritten] = []
    left: list[str] = []
    tapes = 0

    def look(tape: Tape) -> None:
        nonlocal tapes
        plan = rescrub.rewritten(tape.path)
        if plan.changes and not args.json:
            looked.clear()
            _print_plan(plan)
        if plan.changes and args.write and plan.merged is None:
            rescrub.write(plan)
        left.extend(rescrub.left_in(plan, keep))
        tapes += 1
        if plan.changes:
            dirty.append(replace(plan, old="", new=""))  # thousands of files are not kept in memory

    looked.each(look)
    refused = [plan for plan in dirty if plan.merged]
    if args.json:
        rows = [
            {"file": str(plan.path), "changes": [asdict(one) for one in plan.changes], "refused": plan.merged}
            for plan in dirty
        ]
        whole = {"written": args.write, "files": rows, "left": left, "broken": looked.broken}
        print(json.dumps(whole, indent=2, ensure_ascii=False))
    else:
        for line in left:
            print(_say("still-there", place=line))
        for plan in refused:
            first, second = plan.merged or (0, 0)
            print(_say("merged", file=plan.path, first=first, second=second))
        print(_verdict(tapes, len(dirty), len(refused), args.write))
        looked.tell()
    return 2 if looked.broken else int(bool(left or refused or (dirty and not args.write)))


def _keep(args: argparse.Namespace) -> list[str]:
    from pytest_hwcloud.secrets.allowlist import problem_of

    for glob in args.keep:
        if problem := problem_of(glob):
            raise UsageError(texts.say("secrets.keep-option", problem=problem))
    return list(args.keep)


def _verdict(files: int, dirty: int, refused: int, written: bool) -> str:
    if not dirty:
        return _say("nothing", cassettes=_say("cassettes", n=files))
    aside = _say("aside", n=refused) if refused else ""
    changed = _say("cassettes", n=dirty - refused)
    return texts.say(
        f"cassettes.{'rewritten' if written else 'would-rewrite'}", cassettes=changed, n=files, aside=aside
    )


def _print_plan(plan: Rewritten) -> None:
    print(plan.path)
    for (number, call), changes in groupby(plan.changes, lambda one: (one.interaction, one.call)):
        print("  " + (_say("plan-interaction", number=number, call=call) if number else _say("plan-metadata")))
        moved = False
        for change in changes:
            print(f"    - {change.place}: {_short(change.before)}")
            print(f"    + {change.place}: {_short(change.after)}")
            moved = moved or change.place == "request.uri"
        if moved:
            print(f"    {_say('plan-url')}")


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN // 2]} … {line[-_SHOWN // 2 :]}"


class _Looked:
    """The cassettes under some paths. broken: what cannot be read, a line each. others: files that are no cassettes."""

    def __init__(self, paths: list[str]) -> None:
        from pytest_hwcloud.cassettes.scan import files_of

        try:
            self._files = list(files_of(paths))
        except FileNotFoundError as error:
            raise UsageError(_say("no-such-path", path=error)) from None
        except OSError as error:
            raise UsageError(_say("no-file", path=error)) from None
        self.broken: list[str] = []
        self.others = 0
        self._shown = False

    def each(self, look: Callable[[Tape], None]) -> None:
        """Look into one after the other; what fails in one hides no other. On a terminal the progress is shown."""
        from pytest_hwcloud.cassettes.interaction import CassetteError
        from pytest_hwcloud.cassettes.scan import open_tape

        last = time.monotonic() + _PATIENCE - _PAUSE
        for number, (file, named) in enumerate(self._files):
            if sys.stderr.isatty() and time.monotonic() - last > _PAUSE:
                print(f"\r{number}/{len(self._files)}", end="", file=sys.stderr, flush=True)
                last, self._shown = time.monotonic(), True
            try:
                tape = open_tape(file, named)
                if tape is None:
                    self.others += 1
                else:
                    look(tape)
            except CassetteError as error:
                self.broken.append(str(error))
            except Exception as error:  # whatever a file does to a parser: the others are reported all the same
                self.broken.append(_say("unexpected", path=file, error=f"{type(error).__name__}: {error}"[:_SHOWN]))
        self.clear()

    def clear(self) -> None:
        """Take the progress off the line, before anything is printed."""
        if self._shown:
            print("\r" + " " * 20 + "\r", end="", file=sys.stderr, flush=True)
            self._shown = False

    def tell(self) -> None:
        """What was no cassette, and what should have been one."""
        for line in self.broken:
            print(texts.say("cli.line", text=line), file=sys.stderr)
        if self.others:
            print(_say("others", n=self.others))
        if self.broken:
            print(_say("broken", n=len(self.broken)))


def _say(name: str, **values: object) -> str:
    return texts.say(f"cassettes.{name}", **values)


def _named(name: str) -> Tape:
    from pytest_hwcloud.cassettes import library
    from pytest_hwcloud.cassettes.interaction import CassetteError
    from pytest_hwcloud.cassettes.tape import Tape
    from pytest_hwcloud.cloud.identity import unknown

    path = library.shipped(name) or (Path(name) if Path(name).is_file() else None)
    if path is None:
        raise UsageError(str(unknown("cassette", name, list(library.names()), texts.say("names.shipped-or-file"))))
    try:
        return Tape.load(path, name=name)
    except CassetteError as error:
        raise UsageError(str(error)) from None


def _outcome(one: Interaction) -> str:
    if one.answer is None:
        return _say("no-answer", fault=one.fault)
    from pytest_hwcloud.cloud import failures

    failure = failures.read(one.answer.body) if one.answer.status >= 400 and one.answer.body else None
    return f"{one.answer.status} {failure.code}" if failure and failure.code else str(one.answer.status)


def _text(one: Interaction, clean: Clean) -> str:
    if one.answer is None:
        return ""
    from pytest_hwcloud.files.json_lossless import laid_out

    text = clean(one.answer.body.decode(errors="replace"))
    laid = laid_out(text)
    return text if laid is None else laid


def _row(one: Interaction, clean: Clean) -> dict[str, object]:
    row: dict[str, object] = {"method": one.method, "url": clean(one.uri), "outcome": _outcome(one)}
    if one.answer is None:
        return {**row, "fault": one.fault}
    return {**row, "body": clean(one.answer.body.decode(errors="replace"))}


def _plain(tape: Tape) -> dict[str, object]:
    return {"metadata": json.loads(json.dumps(dict(tape.metadata), default=str))} if tape.metadata else {}
