"""The findings of one test, from its record; and those of the policies, which belong to no test: HWP010, HWP017."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.cloud.policies.system_policies import PREFIX
from pytest_hwcloud.permissions.finding import Finding, labelled
from pytest_hwcloud.permissions.rules import by_gate, by_marker, by_policy, unjudged_calls
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.cloud.policies.documents import Document
    from pytest_hwcloud.gates.cloud_state import CloudState
    from pytest_hwcloud.permissions.policies.lint import Remark
    from pytest_hwcloud.permissions.record import TestRecord


def judge_policies(state: CloudState, root: Path | None = None) -> list[Finding]:
    """What is wrong with the policy files, each file once."""
    held: dict[str, tuple[Document, str]] = {}  # of a file: its content, and the first identity that holds it
    for name, rights in sorted(state.rights.items()):
        for document in rights.documents:
            if document.text is not None and not document.source.startswith(PREFIX):
                held.setdefault(document.source, (document, name))
    return [finding for document, name in held.values() for finding in _of_file(document, name, root or Path())]


def _of_file(document: Document, identity: str, root: Path) -> Iterator[Finding]:
    from pytest_hwcloud.permissions.policies.lint import lint

    for remark in lint(document):
        if remark.id in ("HWP010", "HWP017"):
            yield _finding(remark, document.source.removeprefix(f"{root.as_posix()}/"), identity)


def _finding(remark: Remark, file: str, identity: str) -> Finding:
    number = (remark.statement or 0) + 1
    place = f"{file}:{remark.line}" if remark.line else file
    if remark.id == "HWP017":
        fix = Phrase("findings.fix-statement", n=number, file=file)
        return Finding(
            rule=remark.id,
            action=Phrase("findings.statement", file=file, n=number),
            identity=identity,
            where=place,
            detail=remark.text,
            lines=(labelled("fix", fix),),
            fix=fix,
        )
    fix = Phrase("findings.fix-name", place=place)
    name, why = remark.about
    return Finding(
        rule=remark.id,
        action=name,
        identity=identity,
        where=place,
        detail=Phrase("findings.in-statement", place=place, n=number),
        lines=(labelled("why", why), labelled("fix", fix)),
        fix=fix,
    )


# Within a paragraph the findings stand in this order (display).
ORDER = ("HWP001", "HWP015", "HWP003", "HWP002")


def judge(record: TestRecord, state: CloudState, root: Path | None = None) -> list[Finding]:
    """Everything that is wrong with the permissions of a test. root: where the test files are, for lines of markers."""
    where = root or Path()
    found = [
        *by_marker.judge(record, state, where),
        *by_policy.judge(record, state, where),
        *by_gate.judge(record),
        *unjudged_calls.judge(record),
    ]
    return sorted(found, key=_order)


def _order(finding: Finding) -> tuple[int, str]:
    return (ORDER.index(finding.rule) if finding.rule in ORDER else len(ORDER), finding.rule)
