"""A test with its proof: the ordinary protocol, its reports held back until the proof has run."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from _pytest.runner import runtestprotocol

from pytest_hwcloud.permissions.record import TestRecord

if TYPE_CHECKING:
    from pytest_hwcloud.permissions.session import PermissionChecks


def protocol(checks: PermissionChecks, item: pytest.Item, nextitem: pytest.Item | None) -> None:
    """Run the test, prove its permissions, and only then report: the proof travels with the test's last report."""
    from pytest_hwcloud.permissions.proof import prove

    hook = item.ihook
    hook.pytest_runtest_logstart(nodeid=item.nodeid, location=item.location)
    reports: list[Any] = runtestprotocol(item, log=False, nextitem=nextitem)
    last = reports[-1]
    if getattr(last, "hwcloud", None) is not None:
        record = TestRecord.from_dict(last.hwcloud)
        record.proof = prove(item, checks.run, record, nextitem)
        last.hwcloud = record.to_dict()
    for report in reports:
        hook.pytest_runtest_logreport(report=report)
    hook.pytest_runtest_logfinish(nodeid=item.nodeid, location=item.location)
