"""HWP020: look-ups that a client made by itself. They are needs of the identity, reported once a run and not by test.

Where a policy refuses or cannot decide such a look-up, HWP001 or HWP014 is reported once, too, with the same way out.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions import display
from pytest_hwcloud.permissions.finding import Finding, decision, labelled, of_identity, places
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.ledger import Ledger
    from pytest_hwcloud.permissions.record import Use

_SETTINGS = (("/v3/projects", "project"), ("/v3/auth/domains", "domain"), ("/v3/regions", "region"))
_REFUSED = {"deny": "HWP001", "unknown": "HWP014"}
Row = Mapping[str, str]


def findings(ledger: Ledger) -> Iterator[Finding]:
    """Those of a whole run."""
    rows: dict[tuple[str, str], list[tuple[str, Row]]] = {}
    for nodeid, record in sorted(ledger.records.items()):
        for row in record.lookups:
            rows.setdefault((row["identity"], row["call"]), []).append((nodeid, row))
    uses: dict[tuple[str, str], list[Use]] = {}
    for _, use in ledger.attributed():
        if use.implicit:
            uses.setdefault((use.identity, use.call), []).append(use)
    for key, found in sorted(rows.items()):
        made = uses.get(key, [])
        refused = [use for use in made if use.verdict in _REFUSED and not use.expected and not use.outlived]
        if refused:
            yield _refused(refused, found)
        yield _implicit(made, found)


def _way_out(call: str) -> str:
    kind = next((kind for path, kind in _SETTINGS if call.endswith(path)), "other")
    return Phrase(f"permissions.implicit.{kind}.fix")


def _implicit(made: Sequence[Use], found: Sequence[tuple[str, Row]]) -> Finding:
    identity, call = found[0][1]["identity"], found[0][1]["call"]
    tests = list(dict.fromkeys(nodeid for nodeid, _ in found))
    fix = _way_out(call)
    return Finding(
        rule="HWP020",
        action=made[0].action if made else call,
        identity=identity,
        where=found[0][1]["where"],
        detail=of_identity(identity) if identity else "",
        lines=(
            *places([(call, row["where"]) for _, row in found]),
            labelled("note", Phrase("permissions.implicit.note")),
            labelled("tests", display.counted(tests)),
            labelled("fix", fix),
        ),
        fix=fix,
    )


def _refused(refused: Sequence[Use], found: Sequence[tuple[str, Row]]) -> Finding:
    use = refused[0]
    fix = _way_out(use.call)
    return Finding(
        rule=_REFUSED[use.verdict],
        action=use.action,
        identity=use.identity,
        where=use.where or found[0][1]["where"],
        detail=of_identity(use.identity),
        lines=(
            *places([(use.call, row["where"]) for _, row in found]),
            *decision(use),
            labelled("note", Phrase("permissions.implicit.note")),
            labelled("fix", fix),
        ),
        fix=fix,
    )
