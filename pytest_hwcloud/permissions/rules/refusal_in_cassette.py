"""HWP013: a test is green although a call of it was answered with a recorded refusal that nobody asked for.

Asked for is what the record says so of (pytest.raises, hwcloud.refused, denied_permission), what the cassette claims
(`metadata.expects`, as the shipped ones do), and what the test shows any sign of: the code or status of the refusal in
its source or in that of the functions and fixtures it uses, a word such as "denied" in the test, an assertion that the
answer is not ok. A call that was answered at last (a retry with a new token) is no finding. In doubt there is none.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import pytest

from pytest_hwcloud.permissions.finding import Finding, labelled, placed
from pytest_hwcloud.permissions.record import TestRecord
from pytest_hwcloud.permissions.rules.negative_tests import Row, shows_a_sign
from pytest_hwcloud.texts import Phrase

Claims = Callable[[pytest.Item], Mapping[str, Mapping[str, object]]]

_GATES = ("authentication", "scope", "authorization")
_OURS = ("gate", "identity service", "not recorded", "live")  # sources that are no cassette


def judge(record: TestRecord, item: pytest.Item, claims: Claims) -> Iterator[Finding]:
    """The findings of a test that passed. claims: cassette -> what its metadata says it is about."""
    if record.outcome != "passed":
        return
    answered = {use.call for use in record.uses if not use.refused}
    rows = [row for row in record.refusals if _is_recorded(row) and not row["expected"] and row["call"] not in answered]
    for row in {(row["source"], row["code"], row["call"]): row for row in reversed(rows)}.values():
        if not _claimed(row, claims(item)) and not shows_a_sign(row, item):
            yield _finding(record, row)


def _is_recorded(row: Row) -> bool:
    return row["gate"] in _GATES and row["source"] not in _OURS and not row["injected"]


def _claimed(row: Row, claims: Mapping[str, Mapping[str, object]]) -> bool:
    expects = claims.get(row["source"], {})
    said = {str(value).lower() for value in expects.values()}
    return row["code"].lower() in said or row["status"] in said


def _finding(record: TestRecord, row: Row) -> Finding:
    sign = f"code: {row['code']}" if row["code"] else f"status: {row['status']}"
    fix = Phrase("findings.fix-record-again", cassette=row["source"])
    answer = " ".join(text for text in (row["status"], row["code"], row["message"]) if text)
    return Finding(
        rule="HWP013",
        action=row["action"],
        identity=row["identity"] or record.identity,
        test=record.nodeid,
        where=row["where"] or record.place,
        detail=Phrase("findings.cassette", cassette=row["source"]),
        lines=(
            labelled("call", placed(row["call"], row["where"])),
            labelled("answer", answer),
            labelled("note", Phrase("findings.unnoticed-recorded", test=record.nodeid)),
            labelled("fix", fix),
            labelled("fix", Phrase("findings.fix-claim", sign=sign)),
        ),
        fix=fix,
    )
