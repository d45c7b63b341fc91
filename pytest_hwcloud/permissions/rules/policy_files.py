"""Findings about the policies of the run themselves: HWP010 and HWP017. They belong to no test."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.policies.system_policies import PREFIX
from pytest_hwcloud.permissions.finding import Finding, labelled

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.permissions.policies.lint import Remark


def judge_policies(state: CloudState, root: Path | None = None) -> list[Finding]:
    """What is wrong with the policy files, each file once."""
    held: dict[str, list[str]] = {}
    for name, rights in sorted(state.rights.items()):
        for document in rights.documents:
            if document.text is not None and not document.source.startswith(PREFIX):
                held.setdefault(document.source, []).append(name)
    return [finding for source, names in held.items() for finding in _of_file(source, names, root or Path())]


def _of_file(source: str, names: list[str], root: Path) -> Iterator[Finding]:
    from pytest_hwcloud.permissions.policies.lint import lint_file

    for remark in lint_file(source):
        if remark.id in ("HWP010", "HWP017"):
            yield _finding(remark, source.removeprefix(f"{root.as_posix()}/"), names[0])


def _finding(remark: Remark, file: str, identity: str) -> Finding:
    number = f"statement {(remark.statement or 0) + 1}"
    place = f"{file}:{remark.line}" if remark.line else file
    lines: tuple[str, ...] = ()
    if remark.id == "HWP017":
        action, detail, fix = f"{file} {number}", remark.text, f"take {number} out of {file}"
    else:
        action, _, why = remark.text.partition(": " if ": " in remark.text else " covers ")
        detail, lines, fix = (
            f"in {place}, {number}",
            (labelled("why", why or remark.text),),
            f"mend the name in {place}",
        )
    return Finding(
        rule=remark.id,
        action=action,
        identity=identity,
        where=place,
        detail=detail,
        lines=(*lines, labelled("fix", fix)),
        fix=fix,
    )
