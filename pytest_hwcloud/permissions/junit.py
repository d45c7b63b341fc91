"""Findings in JUnit: a property of their test, and one failing test case for what fails the run and no test.

A job that is red because of its findings would otherwise show a test tab that is all green.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING
from xml.etree import ElementTree

import pytest
from _pytest.junitxml import _NodeReporter, mangle_test_address, xml_key

from pytest_hwcloud.permissions import display

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.checks import Checks
    from pytest_hwcloud.permissions.finding import Finding

PROPERTY = "hwcloud_finding"
CASE = "hwcloud::permissions"  # class and name of the test case


def add_properties(report: pytest.TestReport, findings: Iterable[Finding]) -> None:
    """One property for each open finding; plain texts, so that they travel from a worker of xdist."""
    report.user_properties += [(PROPERTY, finding.head) for finding in findings if not finding.ignored]


def add_late_properties(checks: Checks) -> None:
    """The same for what was found after the test had been reported: proofs of wider fixtures, shared markers."""
    xml = checks.config.stash.get(xml_key, None)
    late = [finding for finding in checks.ledger.open if finding.test] if xml is not None else []
    if xml is None or not late:
        return
    cases = {(case.get("classname"), case.get("name")): case for case in map(_element, xml.node_reporters_ordered)}
    for finding in late:
        *classes, name = mangle_test_address(finding.test)
        case = cases.get((".".join([*([xml.prefix] if xml.prefix else []), *classes]), name))
        if case is None or any(one.get("value") == finding.head for one in case.iter("property")):
            continue
        properties = case.find("properties")
        if properties is None:
            case.insert(0, properties := ElementTree.Element("properties"))
        ElementTree.SubElement(properties, "property", name=PROPERTY, value=finding.head)


def _element(reporter: _NodeReporter) -> ElementTree.Element:
    return reporter.to_xml()  # of a finished test: the element that will be written


def add_case(checks: Checks) -> None:
    """The failing test case of a run that its findings fail; none where every one of them failed its test."""
    xml = checks.config.stash.get(xml_key, None)
    if xml is None:
        return
    records = checks.ledger.records.items()
    failed = {nodeid for nodeid, record in records if record.outcome in ("failed", "error")}
    of_run = [finding for finding in checks.ledger.failing if finding.test not in failed] if checks.verdict else []
    if not of_run and checks.errors == checks.verdict:
        return
    text = "\n\n".join([*display.summary(of_run, checks.settings.lang), *checks.errors])
    for when, outcome, longrepr in (("call", "failed", text), ("teardown", "passed", None)):
        xml.pytest_runtest_logreport(
            pytest.TestReport(
                nodeid=CASE,
                location=("hwcloud", None, "permissions"),
                keywords={},
                outcome=outcome,  # type: ignore[arg-type]
                longrepr=longrepr,
                when=when,  # type: ignore[arg-type]
            )
        )
