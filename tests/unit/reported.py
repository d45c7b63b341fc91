"""One small run that the tests of the reports share: three tests, two identities, findings of every kind of place."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from pytest_hwcloud.cloud.identity import default_identity
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Rights
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.options import Settings
from pytest_hwcloud.permissions.finding import Finding, labelled, of_identity, placed
from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.record import Declaration, TestRecord, Use
from pytest_hwcloud.texts import Phrase

ROOT = Path("/project")
SHOW = "tests/test_show.py::test_shows"
COUNT = "tests/test_inventory.py::test_counts_servers"
PAGES = "tests/test_inventory.py::test_pages[a|b]"
DOUBT = "the test skips itself when it is <refused>"
POLICY = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:*:get*", "ecs:*:list*"]}]}

FIX = Phrase("findings.fix-add", file="iam/ci-writer.json", action="ecs:cloudServers:showServer", n=2)
MISSING = Finding(
    rule="HWP001",
    action="ecs:cloudServers:showServer",
    identity="ci-writer",
    test=SHOW,
    where="tests/test_show.py:14",
    detail=of_identity("ci-writer"),
    lines=(
        labelled("call", placed("GET ecs /v1/{project_id}/cloudservers/{server_id}", "tests/test_show.py:14")),
        labelled("decision", Phrase("decisions.deny", reason=Phrase("decisions.none", n=2))),
        labelled("fix", FIX),
    ),
    fix=FIX,
)
STALE = Finding(rule="HWP003", action="ecs:servers:list", test=COUNT, where="tests/test_inventory.py:8")
WIDENED = Finding(
    rule="HWP009", action="ecs:cloudServers:delete", identity="default", where="iam/ci-reader.json:9", cause="policy"
)
UNMAPPED = Finding(rule="HWP011", test=PAGES, detail="GET cce /v9/clusters")


@dataclass(frozen=True, kw_only=True)
class Ignore:
    """Like config.Ignore."""

    rule: str
    match: str
    reason: str = "ticket 7"
    until: str = "2999-01-01"
    place: str = "hwcloud.yaml:3"


def use(action: str, **more: object) -> Use:
    """A use of the guide's call."""
    given: dict[str, object] = {
        "call": "GET ecs /v1/{project_id}/cloudservers/detail",
        "where": "tests/test_inventory.py:12",
        "verdict": "allow",
        "policy": "iam/ci-reader.json",
        "statement": 0,
        "credential": "aksk",
    }
    return Use(action=action, **{**given, **more})  # type: ignore[arg-type]


def records() -> list[TestRecord]:
    """The records, not in order."""
    refused = use(
        "ecs:cloudServers:showServer",
        call="GET ecs /v1/{project_id}/cloudservers/{server_id}",
        identity="ci-writer",
        where="tests/test_show.py:14",
        verdict="deny",
        policy="",
        statement=-1,
        refused=True,
        gate="authorization",
        code="Ecs.0110",
        request_id="1c1d07572cb568467f65515a2353f3a9",
    )
    listed = use("ecs:cloudServers:list")
    marker = Declaration(kind="requires", actions=("ecs:servers:list",), place="tests/test_inventory.py:8", node=COUNT)
    return [
        TestRecord(nodeid=SHOW, place="tests/test_show.py:11", identity="ci-writer", outcome="failed", uses=[refused]),
        TestRecord(
            nodeid=COUNT,
            place="tests/test_inventory.py:8",
            outcome="passed",
            uses=[listed],
            declared=[marker],
            proof={"ecs:cloudServers:list": "proved"},
        ),
        TestRecord(
            nodeid=PAGES,
            place="tests/test_inventory.py:20",
            outcome="passed",
            uses=[replace(listed, fixture="tests::servers", phase="setup")],
            unmapped=["GET cce /v9/clusters"],
            fixtures=["tests::servers"],
            proof={"ecs:cloudServers:list": "inconclusive"},
            doubts={"ecs:cloudServers:list": DOUBT},
        ),
    ]


def ledger(
    findings: Iterable[Finding] = (MISSING, STALE, WIDENED, UNMAPPED), ignores: Iterable[Ignore] = (), **more: bool
) -> Ledger:
    """The ledger with these findings, those of tests in their records."""
    found, rows = list(findings), records()
    for row in rows:
        row.findings = [finding.to_dict() for finding in found if finding.test == row.nodeid]
    own = {row.nodeid for row in rows}
    return Ledger(rows, run_findings=[one for one in found if one.test not in own], ignores=tuple(ignores), **more)


def state(policy: dict[str, object] | None = None) -> CloudState:
    """Two identities, one with a policy."""
    identities = {name: replace(default_identity(name), user=f"user-{name}") for name in ("default", "ci-writer")}
    return CloudState(identities, region="cn-north-4", rights={"default": Rights.of([Policy.load(policy or POLICY)])})


def settings(*reports: tuple[str, Path], lang: str = "en", root: Path = ROOT) -> Settings:
    """Settings with these reports."""
    return Settings(reports=reports, lang=lang, root=root, config_file=root / "hwcloud.yaml")
