"""Calls that no policy was asked about: HWP005, HWP006, HWP011."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.permissions.finding import Finding, labelled, of_identity, placed
from pytest_hwcloud.texts import Phrase

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.record import TestRecord

Row = Mapping[str, str]


def judge(record: TestRecord) -> Iterator[Finding]:
    """The findings about refusals before any policy, and about calls that no table knows."""
    for row in {(row["gate"], row["code"], row["call"]): row for row in reversed(record.refusals)}.values():
        if not row["expected"] and row["gate"] in _RULES:
            yield _RULES[row["gate"]](record, row)
    if record.declared or any(use.verdict for use in record.uses) or any(row["judged"] for row in record.open_calls):
        for row in record.open_calls:
            yield _unmapped(record, row)


def _scope(record: TestRecord, row: Row) -> Finding:
    fix = _other_token(row)
    return Finding(
        rule="HWP005",
        identity=row["identity"],
        test=record.nodeid,
        where=row["where"] or record.place,
        detail=_mismatch(row),
        lines=(labelled("answer", _answer(row)), labelled("note", _not_missing(row)), labelled("fix", fix)),
        fix=fix,
    )


def _mismatch(row: Row) -> str:
    parts = [Phrase("findings.other-token")]
    if row["token_scope"]:
        kind = Phrase(f"decisions.scope-{row['token_scope']}")
        parts = [Phrase("findings.token-of", kind=kind, id=row["token_id"])]
    fitting = {"regional": "project", "global": "domain"}.get(row["service_scope"])
    if fitting and row["token_scope"] != fitting:
        parts.append(Phrase(f"findings.service-{row['service_scope']}", service=row["service"].upper()))
    if row["project_name"]:
        parts.append(Phrase("findings.url-names-known", id=row["project"], name=row["project_name"]))
    elif row["project"]:
        parts.append(Phrase("findings.url-names", id=row["project"]))
    return texts.joined("findings.comma", parts)


def _answer(row: Row) -> str:
    return " ".join(text for text in (row["status"], row["code"], row["message"]) if text)


def _not_missing(row: Row) -> str:
    if row["allowed"]:
        values = {name: row[name] for name in ("identity", "action", "statement")}
        return Phrase(f"findings.not-missing{'-by' * bool(row['statement'])}", **values)
    return Phrase("findings.not-missing-scope")


def _other_token(row: Row) -> str:
    if row["service_scope"] == "global":
        return Phrase("findings.fix-domain-token")
    if row["project_name"]:
        return Phrase("findings.fix-project-token", name=row["project_name"])
    return Phrase("findings.fix-token-of-url")


def _authentication(record: TestRecord, row: Row) -> Finding:
    fix = Phrase(f"findings.fix-send-{row['credential'] if row['credential'] in ('token', 'aksk') else 'none'}")
    return Finding(
        rule="HWP006",
        action=row["action"],
        identity=row["identity"],
        test=record.nodeid,
        where=row["where"] or record.place,
        detail=of_identity(row["identity"]),
        lines=(
            labelled("call", placed(row["call"], row["where"])),
            labelled("answer", _answer(row)),
            labelled("note", Phrase("findings.not-missing-authentication")),
            labelled("fix", fix),
        ),
        fix=fix,
    )


_RULES = {"scope": _scope, "authentication": _authentication}


def _unmapped(record: TestRecord, row: Row) -> Finding:
    fix = Phrase("findings.fix-ambiguous" if row["why"] else "findings.fix-unmapped")
    lines = [labelled("why", row["why"])] if row["why"] else []
    lines += [labelled("row", row["row"])] if row.get("row") else []
    return Finding(
        rule="HWP011",
        action=row["call"],
        identity=row["identity"],
        test=record.nodeid,
        where=row["where"] or record.place,
        detail=Phrase("findings.unmapped"),
        lines=(*([labelled("call", row["where"])] if row["where"] else []), *lines, labelled("fix", fix)),
        fix=fix,
    )
