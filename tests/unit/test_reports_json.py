"""The json report: its documented form, and what it says."""

from __future__ import annotations

import json
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from reported import COUNT, DOUBT, MISSING, PAGES, SHOW, Ignore, ledger, settings, state

from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.reports import json_report
from pytest_hwcloud.permissions.reports.overview import overview
from pytest_hwcloud.rules import RULES


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(
        files("pytest_hwcloud.permissions.reports").joinpath("schema.json").read_text("utf-8")
    )
    return found


def report(found: Ledger) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(json_report.render(overview(settings(), found, state())))
    return document


def test_the_schema_is_one_and_the_report_fits_it(schema: dict[str, Any]) -> None:
    jsonschema.Draft202012Validator.check_schema(schema)
    jsonschema.Draft202012Validator(schema).validate(report(ledger(ignores=[Ignore(rule="HWP003", match=COUNT)])))
    jsonschema.Draft202012Validator(schema).validate(report(Ledger()))


@pytest.mark.parametrize("key", ["findings", "tests", "identities"])
def test_the_schema_refuses_what_it_does_not_describe(schema: dict[str, Any], key: str) -> None:
    document = report(ledger())
    document[key][0]["new"] = 1
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(schema).validate(document)


def test_the_schema_knows_every_rule_and_the_version(schema: dict[str, Any]) -> None:
    assert schema["$defs"]["finding"]["properties"]["rule"]["enum"] == list(RULES)
    assert schema["properties"]["version"]["const"] == json_report.VERSION
    assert schema["properties"]["format"]["const"] == json_report.FORMAT


def test_every_value_of_the_form_is_described(schema: dict[str, Any]) -> None:
    document = report(ledger())
    for name, row in (("finding", document["findings"][0]), ("test", document["tests"][0])):
        assert list(schema["$defs"][name]["properties"]) == list(row)
    assert list(schema["$defs"]["use"]["properties"]) == list(document["tests"][0]["uses"][0])


def test_a_finding_is_told_with_its_place_and_fingerprint() -> None:
    assert report(ledger([MISSING]))["findings"] == [
        {
            "rule": "HWP001",
            "name": "missing-permission",
            "level": "error",
            "action": "ecs:cloudServers:showServer",
            "identity": "ci-writer",
            "test": SHOW,
            "place": {"file": "tests/test_show.py", "line": 14},
            "cause": "",
            "head": "HWP001 missing-permission  ecs:cloudServers:showServer   identity ci-writer",
            "lines": list(MISSING.lines),
            "fix": MISSING.fix,
            "ignored": "",
            "fingerprint": MISSING.fingerprint,
        }
    ]


def test_summary_run_and_identities() -> None:
    document = report(ledger(ignores=[Ignore(rule="HWP003", match=COUNT)], complete=True))
    assert document["summary"] == {
        "findings": 3,
        "ignored": 1,
        "rules": {"HWP001": 1, "HWP009": 1, "HWP011": 1},
        "outcomes": {"failed": 1, "passed": 2},
        "proof": {"inconclusive": 1, "proved": 1},
        "calls": {},
    }
    assert document["run"]["complete"] is True
    assert document["run"]["collected"] == 3
    assert [row["name"] for row in document["identities"]] == ["ci-writer", "default"]
    assert document["identities"][1]["policies"] == [{"source": "policy document", "version": "1.1", "statements": 1}]


def test_a_use_says_what_was_needed_decided_and_refused() -> None:
    (row,) = [test for test in report(ledger())["tests"] if test["nodeid"] == SHOW]
    assert row["uses"] == [
        {
            "identity": "ci-writer",
            "action": "ecs:cloudServers:showServer",
            "call": "GET ecs /v1/{project_id}/cloudservers/{server_id}",
            "place": {"file": "tests/test_show.py", "line": 14},
            "phase": "call",
            "fixture": "",
            "credential": "aksk",
            "dependency": False,
            "resource": "",
            "verdict": "deny",
            "policy": "",
            "statement": None,
            "reason": "",
            "refused": True,
            "gate": "authorization",
            "code": "Ecs.0110",
            "expected": False,
            "injected": False,
        }
    ]


def test_a_proof_without_a_verdict_says_why() -> None:
    doubts = {test["nodeid"]: test["doubts"] for test in report(ledger())["tests"]}
    assert doubts == {SHOW: {}, COUNT: {}, PAGES: {"ecs:cloudServers:list": DOUBT}}


def test_a_test_is_a_line_and_its_text_is_readable() -> None:
    text = json_report.render(overview(settings(), ledger(), state()))
    assert [line for line in text.splitlines() if line.startswith('{"nodeid": ') and PAGES in line] != []
    assert text.startswith('{\n"format": "pytest-hwcloud report",\n"version": 1,\n')
    assert text.endswith("}\n]\n}\n")
