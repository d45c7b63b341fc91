"""`pytest-hwcloud policy fix REPORT`: the patch of the policies that allows what a run was refused."""

from __future__ import annotations

import argparse
import json
import os
import sys
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.commands import UsageError
from pytest_hwcloud.commands.actions import with_tables


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command below `policy`."""
    parser = commands.add_parser("fix", help=texts.say("policy_fix.help"))
    parser.add_argument("report", metavar="REPORT", help=texts.say("policy_fix.report"))
    shown = parser.add_mutually_exclusive_group()
    shown.add_argument("--write", action="store_true", help=texts.say("policy_fix.write"))
    shown.add_argument("--json", action="store_true", help=texts.say("policy.json"))
    parser.set_defaults(run=with_tables(run))


def run(arguments: argparse.Namespace) -> int:
    """Print one patch, or write the files. Exit code 1: something is left that no edit of these files allows."""
    from pytest_hwcloud.cloud.policies.documents import PolicyError
    from pytest_hwcloud.permissions.policies import edit
    from pytest_hwcloud.permissions.policies.fix import fixes
    from pytest_hwcloud.permissions.reports.reading import UnreadableReport, missing_of

    try:
        report = Path(arguments.report)
        made = fixes(missing_of(report), report.parent)
        changes = made.changes()
    except (UnreadableReport, PolicyError) as error:
        raise UsageError(str(error)) from None
    left = [texts.say("policy_fix.unhealed", identity=identity, action=action) for identity, action in made.unhealed]
    if arguments.json:
        rows = [{"file": file, "patch": edit.diff(old, new, _shown(file))} for file, old, new in changes]
        unhealed = [{"identity": identity, "action": action} for identity, action in made.unhealed]
        print(json.dumps({"patches": rows, "unhealed": unhealed}, ensure_ascii=False, indent=2))
        return 1 if left else 0
    for file, old, new in changes:
        shown = _shown(file)
        if arguments.write:
            _write(file, new)
            print(texts.say("policy_fix.written", file=shown), flush=True)
        elif shown.startswith("../") or os.path.isabs(shown):
            left.append(texts.say("policy_fix.outside", file=shown))
        else:
            print(edit.diff(old, new, shown), end="", flush=True)
    if not changes and not left:
        print(texts.say("policy_fix.nothing"), file=sys.stderr)
    for line in left:
        print(texts.say("cli.line", text=line), file=sys.stderr)
    return 1 if left else 0


def _shown(file: str) -> str:
    """A file as `git apply` takes it in this folder."""
    return Path(os.path.relpath(file)).as_posix()


def _write(file: str, content: str) -> None:
    from pytest_hwcloud.files.atomic import write_whole

    try:
        write_whole(Path(os.path.realpath(file)), content)
    except OSError as error:
        said = texts.say("policy_fix.not-written", file=_shown(file), reason=error.strerror)
        raise UsageError(said) from None
