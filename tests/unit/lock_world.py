"""A small run by hand, for the tests of the lock: records, policies and the cloud they were judged in."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pytest_hwcloud.cloud.identity import default_identity
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Rights
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.options import Settings
from pytest_hwcloud.permissions.finding import Finding
from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.lock import lockfile
from pytest_hwcloud.permissions.record import TestRecord, Use

LIST = "GET ecs /v1/{project_id}/cloudservers/detail"
SHOW = "GET ecs /v1/{project_id}/cloudservers/{server_id}"
TAGS = "GET tms /v1.0/predefine_tags"
ACTIONS = {LIST: "ecs:cloudServers:list", SHOW: "ecs:cloudServers:showServer", TAGS: "tms:predefineTags:list"}


def use(call: str = LIST, verdict: str = "allow", **more: object) -> Use:
    """One use of the action of a call."""
    values: dict[str, object] = {"action": ACTIONS.get(call, call), "call": call, "where": "tests/test_a.py:5", **more}
    return Use(verdict=verdict, **values)  # type: ignore[arg-type]


def record(nodeid: str, *uses: Use, outcome: str = "passed", **more: object) -> TestRecord:
    """The record of one test."""
    return TestRecord(nodeid=nodeid, uses=list(uses), outcome=outcome, **more)  # type: ignore[arg-type]


def full(*records: TestRecord) -> Ledger:
    """A full green run."""
    return Ledger(records, complete=True)


def part(*records: TestRecord, collected: Sequence[str] = (), deselected: Sequence[str] = ()) -> Ledger:
    """A run of some tests only."""
    return Ledger(records, collected=collected, deselected=deselected)


class World:
    """A folder with policies and a lock."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.settings = Settings(lockfile=folder / "hwcloud-permissions.yaml", root=folder)

    @property
    def path(self) -> Path:
        return self.settings.lockfile

    def policy(
        self, *statements: Mapping[str, object] | Sequence[str], name: str = "reader", version: str = "1.1"
    ) -> Path:
        """Write iam/NAME.json; a list of actions is an Allow."""
        rows = [row if isinstance(row, Mapping) else {"Effect": "Allow", "Action": list(row)} for row in statements]
        file = self.folder / "iam" / f"{name}.json"
        file.parent.mkdir(exist_ok=True)
        file.write_text(json.dumps({"Version": version, "Statement": rows}, indent=2) + "\n")
        return file

    def state(self, **policies: Sequence[Path | str] | Path) -> CloudState:
        """The cloud in which these identities hold these policies."""
        held = {name: [files] if isinstance(files, Path) else list(files) for name, files in policies.items()}
        rights = {name: Rights.of([Policy.load(str(file)) for file in files]) for name, files in held.items()}
        identities = {name: default_identity(name) for name in ("default", *held)}
        return CloudState(identities, region="cn-north-4", rights=rights)

    def update(self, ledger: Ledger, state: CloudState | None = None) -> str:
        """Write the lock; its text."""
        lockfile.update(ledger, state or self.state(), self.settings)
        return self.path.read_text()

    def check(self, ledger: Ledger, state: CloudState | None = None) -> list[Finding]:
        """Compare with the lock."""
        return lockfile.check(ledger, state or self.state(), self.settings)
