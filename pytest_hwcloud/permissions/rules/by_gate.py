"""Calls that no policy was asked about: HWP005, HWP006, HWP011."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from pytest_hwcloud.permissions.finding import Finding, labelled
from pytest_hwcloud.permissions.wording import placed

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
    token = f"token of {row['token_scope']} {row['token_id']}" if row["token_scope"] else "a token of another scope"
    kind = {"regional": "a regional", "global": "a global"}.get(row["service_scope"], "")
    parts = [token]
    if kind and row["token_scope"] != {"regional": "project", "global": "domain"}[row["service_scope"]]:
        parts.append(f"{row['service'].upper()} is {kind} service")
    if row["project"]:
        name = f" ({row['project_name']})" if row["project_name"] else ""
        parts.append(f"the URL names project {row['project']}{name}")
    return ", ".join(parts)


def _answer(row: Row) -> str:
    return " ".join(text for text in (row["status"], row["code"], row["message"]) if text)


def _not_missing(row: Row) -> str:
    if row["allowed"]:
        number = f" (statement {row['statement']})" if row["statement"] else ""
        return f"not a missing permission: identity {row['identity']} may do {row['action']}{number}"
    return "not a missing permission: the scope of the token is looked at before any policy"


def _other_token(row: Row) -> str:
    if row["service_scope"] == "global":
        return "ask for a token with auth.scope.domain (hwcloud_token(domain=True)), or sign with AK/SK"
    if row["project_name"]:
        name = row["project_name"]
        return (
            f'ask for a token with auth.scope.project.name = "{name}" (hwcloud_token(project="{name}")), '
            "or sign with AK/SK"
        )
    return "ask for a token of the project in the URL (auth.scope.project.id), or sign with AK/SK"


def _authentication(record: TestRecord, row: Row) -> Finding:
    fix = _CREDENTIAL.get(row["credential"], _CREDENTIAL["none"])
    note = "not a missing permission: the call never got past the gateway, and no policy was asked"
    return Finding(
        rule="HWP006",
        action=row["action"],
        identity=row["identity"],
        test=record.nodeid,
        where=row["where"] or record.place,
        detail=f"identity {row['identity'] or 'unknown'}",
        lines=(
            labelled("call", placed(row["call"], row["where"])),
            labelled("answer", _answer(row)),
            labelled("note", note),
            labelled("fix", fix),
        ),
        fix=fix,
    )


_CREDENTIAL = {
    "none": "send credentials: hwcloud_session signs with AK/SK, hwcloud_token() gives a token",
    "token": "send a token that IAM issued and that has not expired: hwcloud_token()",
    "aksk": "sign with the right access key and secret key, with the clock right: hwcloud_session",
}
_RULES = {"scope": _scope, "authentication": _authentication}


def _unmapped(record: TestRecord, row: Row) -> Finding:
    fix = (
        "send what tells the operations apart"
        if row["why"]
        else "say what it needs in a table of the project: `actions: [extra-actions.yaml]` in hwcloud.yaml"
    )
    lines = [labelled("why", row["why"])] if row["why"] else []
    lines += [labelled("row", row["row"])] if row.get("row") else []
    return Finding(
        rule="HWP011",
        action=row["call"],
        identity=row["identity"],
        test=record.nodeid,
        where=row["where"] or record.place,
        detail="no table says what it needs",
        lines=(*([labelled("call", row["where"])] if row["where"] else []), *lines, labelled("fix", fix)),
        fix=fix,
    )
