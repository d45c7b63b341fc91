"""The sarif report. The schema in data/ is a closed subset, written by hand: the official file is not ours to copy."""

from __future__ import annotations

import json
from dataclasses import replace
from email.message import Message
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from reported import COUNT, MISSING, STALE, UNMAPPED, WIDENED, Ignore, ledger, settings, state

from pytest_hwcloud import texts
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.policies.edit import diff
from pytest_hwcloud.permissions.reports import sarif
from pytest_hwcloud.permissions.reports.overview import overview
from pytest_hwcloud.rules import RULES

SUBSET = json.loads(Path(__file__).with_name("data").joinpath("sarif_subset.json").read_text("utf-8"))


def run_of(found: Ledger) -> dict[str, Any]:
    document = json.loads(sarif.render(overview(settings(), found, state())))
    jsonschema.Draft202012Validator(SUBSET, format_checker=jsonschema.FormatChecker()).validate(document)
    run: dict[str, Any] = document["runs"][0]
    return run


def location(finding: Finding) -> tuple[str, int | None]:
    physical = run_of(ledger([finding]))["results"][0]["locations"][0]["physicalLocation"]
    return physical["artifactLocation"]["uri"], physical.get("region", {}).get("startLine")


def test_a_run_with_and_without_findings_fits_the_standard() -> None:
    assert len(run_of(ledger(ignores=[Ignore(rule="HWP003", match=COUNT)]))["results"]) == 4
    assert run_of(Ledger())["results"] == []


def test_a_misspelt_property_does_not_fit() -> None:
    document = json.loads(sarif.render(overview(settings(), ledger(), state())))
    document["runs"][0]["results"][0]["ruleld"] = "HWP001"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(document, SUBSET)


def test_a_result_points_at_its_rule_its_place_and_its_test() -> None:
    run = run_of(ledger([MISSING]))
    (result,) = run["results"]
    rule = run["tool"]["driver"]["rules"][result["ruleIndex"]]
    assert (rule["id"], rule["name"]) == (result["ruleId"], "MissingPermission")
    assert (
        rule["shortDescription"]["text"] == "missing-permission: the identity's policy does not allow a needed action"
    )
    assert [row["id"] for row in run["tool"]["driver"]["rules"]] == list(RULES)
    assert result["level"] == "error"
    assert result["message"]["text"] == MISSING.text()
    assert result["locations"] == [
        {
            "physicalLocation": {
                "artifactLocation": {"uri": "tests/test_show.py", "uriBaseId": "%SRCROOT%"},
                "region": {"startLine": 14},
            },
            "logicalLocations": [{"fullyQualifiedName": "tests/test_show.py::test_shows", "kind": "function"}],
        }
    ]


def test_fingerprints_stay_when_lines_move_and_tell_two_findings_apart() -> None:
    moved = replace(MISSING, where="tests/test_show.py:99", lines=("call      tests/test_show.py:99",))
    before, after = (run_of(ledger([one]))["results"][0]["partialFingerprints"] for one in (MISSING, moved))
    assert (
        before
        == after
        == {
            "hwcloudFinding/v1": MISSING.fingerprint,
            "primaryLocationLineHash": f"{MISSING.fingerprint}:1",
        }
    )
    both = [
        row["partialFingerprints"]["primaryLocationLineHash"] for row in run_of(ledger([MISSING, moved]))["results"]
    ]
    assert both == [f"{MISSING.fingerprint}:1", f"{MISSING.fingerprint}:2"]


@pytest.mark.parametrize(
    ("finding", "found"),
    [
        (STALE, ("tests/test_inventory.py", 8)),
        (replace(STALE, where="iam/a policy.json"), ("iam/a%20policy.json", None)),
        (WIDENED, ("iam/ci-reader.json", 9)),
        (UNMAPPED, ("tests/test_inventory.py", 20)),
        (replace(UNMAPPED, test="tests/test_gone.py::test_x"), ("tests/test_gone.py", None)),
        (replace(WIDENED, where="", identity="ci-writer"), ("hwcloud.yaml", None)),
    ],
)
def test_every_result_has_a_place_for_a_service_refuses_one_without(
    finding: Finding, found: tuple[str, int | None]
) -> None:
    assert location(finding) == found


def test_an_ignored_finding_is_suppressed_with_its_reason() -> None:
    run = run_of(ledger([STALE], ignores=[Ignore(rule="HWP003", match=COUNT, reason="ticket 7")]))
    assert run["results"][0]["suppressions"] == [
        {"kind": "external", "status": "accepted", "justification": "ticket 7"}
    ]


def test_every_rule_brings_its_paragraph_in_the_language_of_the_run() -> None:
    for lang, label, sentence in (
        ("en", "meaning", "the test passes even when the permission is denied"),
        ("zh", texts.say_in("zh", "help.rule-meaning"), texts.say_in("zh", "rules.HWP004.meaning")),
    ):
        document = json.loads(sarif.render(overview(settings(lang=lang), ledger(), state())))
        jsonschema.Draft202012Validator(SUBSET).validate(document)
        rules = {row["id"]: row for row in document["runs"][0]["tool"]["driver"]["rules"]}
        page = rules["HWP004"]["help"]["markdown"].splitlines()
        assert page[0] == f"- **{label}**: {sentence}"
        assert page[-2:] == ["", "`pytest-hwcloud explain HWP004`"]
        assert r"optional=\[…\]" in page[2]
        assert rules["HWP004"]["help"]["text"] == "\n".join(RULES["HWP004"].lines(lang))
        assert rules["HWP004"]["fullDescription"]["text"].startswith(f"{sentence}\n")
        assert not any("helpUri" in row for row in rules.values())  # the package names no address


def test_with_an_address_of_the_package_rules_lead_to_it(monkeypatch: pytest.MonkeyPatch) -> None:
    named = Message()
    named["Project-URL"] = "Homepage, https://example.com/home"
    named["Project-URL"] = "Documentation, https://example.com/rules"
    monkeypatch.setattr(sarif, "metadata", lambda _: named)
    driver = run_of(ledger([MISSING]))["tool"]["driver"]
    assert driver["informationUri"] == "https://example.com/rules"
    assert driver["rules"][0]["helpUri"] == "https://example.com/rules#hwp001-missing-permission"


@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_a_patch_is_a_fix_and_the_place_is_its_line(ends: str) -> None:
    old = ends.join(["{", '  "Version": "1.1",', '  "Action": [', '    "a:b:c"', "  ]", "}", ""])
    new = old.replace('    "a:b:c"', f'    "a:b:c",{ends}    "d:e:f"').replace("1.1", "5.0")
    patch = diff(old, new, "iam/ci reader.json")
    run = run_of(ledger([replace(WIDENED, where="tests/t.py:3", patch=patch, fix="add d:e:f")]))
    (result,) = run["results"]
    ((fix,), artifact) = result["fixes"], {"uri": "iam/ci%20reader.json", "uriBaseId": "%SRCROOT%"}
    (change,) = fix["artifactChanges"]
    assert (fix["description"]["text"], change["artifactLocation"]) == ("add d:e:f", artifact)
    assert result["locations"][0]["physicalLocation"] == {"artifactLocation": artifact, "region": {"startLine": 2}}
    lines = old.split("\n")
    for row in reversed(change["replacements"]):
        first, last = row["deletedRegion"]["startLine"] - 1, row["deletedRegion"]["endLine"] - 1
        lines[first:last] = row["insertedContent"]["text"].split("\n")[:-1]
    assert "\n".join(lines) == new


def test_a_finding_without_a_patch_has_no_fix() -> None:
    assert "fixes" not in run_of(ledger([STALE]))["results"][0]
