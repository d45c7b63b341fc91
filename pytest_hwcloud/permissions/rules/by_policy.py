"""The policies' decisions on the uses: HWP001, HWP012, HWP014, HWP015."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions.finding import Finding, calls, decision, labelled, of_identity
from pytest_hwcloud.permissions.record import TestRecord, Use
from pytest_hwcloud.permissions.rules import fixes
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.gates.cloud_state import CloudState


def judge(record: TestRecord, state: CloudState, root: Path) -> Iterator[Finding]:
    """The findings about what the identities of a test may do. A refusal that was asked for is none."""
    for rule, is_meant, lines in _RULES:
        meant = [use for use in record.uses if is_meant(use) and not use.implicit]
        for uses in _grouped([use for use in meant if not (use.refused and use.expected)]):
            use, told = uses[0], lines(uses, record)
            fix = _FIX.get(rule, fixes.policy)(use, state, root)
            yield Finding(
                rule=rule,
                action=use.action,
                identity=use.identity,
                test=record.nodeid,
                where=use.where or record.place,
                detail=of_identity(use.identity),
                lines=(*told, labelled("fix", fix)),
                fix=fix,
                block="" if use.dependency else use.action,
            )


def _grouped(uses: Sequence[Use]) -> Iterator[list[Use]]:
    groups: dict[tuple[str, str], list[Use]] = {}
    for use in uses:
        groups.setdefault((use.action, use.identity), []).append(use)
    yield from groups.values()


def _is_missing(use: Use) -> bool:
    return use.verdict == "deny" and not use.dependency and not use.outlived


def _is_outlived(use: Use) -> bool:
    return use.outlived and use.verdict == "deny"


def _is_open(use: Use) -> bool:
    return use.verdict == "unknown" and not use.outlived


def _is_dependency(use: Use) -> bool:
    return use.verdict == "deny" and use.dependency


def _decided(uses: Sequence[Use], record: TestRecord) -> list[str]:
    return [*calls(uses), *decision(uses[0])]


def _depending(uses: Sequence[Use], record: TestRecord) -> list[str]:
    own = dict.fromkeys(use.action for use in record.uses if use.call == uses[0].call and not use.dependency)
    needs = labelled("needs", Phrase("findings.depending", actions=", ".join(own)))
    return [*calls(uses), needs, *decision(uses[0])]


def _older(uses: Sequence[Use], record: TestRecord) -> list[str]:
    return [*calls(uses), labelled("token", Phrase("findings.issued-before"))]


_RULES: tuple[tuple[str, Callable[[Use], bool], Callable[[Sequence[Use], TestRecord], list[str]]], ...] = (
    ("HWP001", _is_missing, _decided),
    ("HWP012", _is_dependency, _depending),
    ("HWP014", _is_open, _decided),
    ("HWP015", _is_outlived, _older),
)


def _known(use: Use, state: CloudState, root: Path) -> str:
    """How to give what is missing, where giving it would decide."""
    ways: list[str] = []
    if use.missing:
        keys = ", ".join(f'"{key}": …' for key in use.missing)
        ways.append(Phrase("findings.fix-context", identity=use.identity, keys=keys))
    if use.resource_missing:
        ways.append(Phrase("findings.fix-resource", action=use.action))
    if len(ways) == 2:
        return Phrase("findings.fix-both", one=ways[0], other=ways[1])
    return ways[0] if ways else Phrase("findings.fix-undecidable", identity=use.identity)


def _newer(use: Use, state: CloudState, root: Path) -> str:
    return Phrase("findings.fix-old-token")


_FIX: dict[str, Callable[[Use, CloudState, Path], str]] = {"HWP014": _known, "HWP015": _newer}
