"""The scenarios of the permission checks under `-n 2`: the same findings, verdicts, lock and exit as in one process.

What each says, word by word, is tested with the rule, the proof and the lock; here all stand in one project.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from permission_project import HEAD, LIST, Run, answer, cassette, policy, section
from test_prove_option import EXPECTING, INCONCLUSIVE, NOTICING

ACTION = "ecs:cloudServers:list"
DECLARED = f'@pytest.mark.requires_permission("{ACTION}")\n'
SHOWN = '@pytest.mark.requires_permission("ecs:cloudServers:showServer")\n'
AUDITOR = '@pytest.mark.hwcloud_identity("auditor")\n'
CALL = "def test_it(hwcloud):\n    assert get(hwcloud).ok\n"
SHOW = "def test_it(hwcloud):\n    get(hwcloud, SHOW)\n"
LIMITS, QUOTA = "/v1/{project_id}/cloudservers/limits", "ecs:cloudServerQuotas:get"
START = "/v1/{project_id}/cloudservers/action"

# permission-checks.md section 4: name -> the test, and the findings it gives
ROWS = {
    "proved": (DECLARED + CALL, []),
    "passes_when_denied": (DECLARED + CALL.replace("assert ", "").replace(".ok", ""), [f"HWP004 {ACTION}"]),
    "not_allowed": (SHOWN + SHOW, ["HWP001 ecs:cloudServers:showServer"]),
    "never_used": (
        '@pytest.mark.requires_permission("ecs:servers:list")\n' + CALL,
        [f"HWP002 {ACTION}", "HWP003 ecs:servers:list"],
    ),
    "not_declared": (
        DECLARED + f'def test_it(hwcloud):\n    assert get(hwcloud).ok and get(hwcloud, "{LIMITS}").ok\n',
        [f"HWP002 {QUOTA}"],
    ),
    "neither_declared_nor_allowed": (
        DECLARED + CALL + "    get(hwcloud, SHOW)\n",
        ["HWP001 ecs:cloudServers:showServer", "HWP002 ecs:cloudServers:showServer"],
    ),
    "undecidable": (AUDITOR + DECLARED + CALL, [f"HWP014 {ACTION}"]),
    "allowed_though_denied": (
        f'@pytest.mark.denied_permission("{ACTION}")\ndef test_it(hwcloud):\n    get(hwcloud)\n',
        [f"HWP018 {ACTION}"],
    ),
    "retried": (DECLARED + CALL + "    assert get(hwcloud).ok\n", []),
    "skipped": ("@pytest.mark.skip\n" + DECLARED + CALL, []),
    "xfail": ("@pytest.mark.xfail(run=False)\n" + DECLARED + CALL, []),
    "raises": (
        SHOWN
        + SHOW.replace("    get", "    with pytest.raises(Exception):\n        get")[:-1]
        + ".raise_for_status()\n",
        [],
    ),
    "ambiguous_body": (
        f'def test_it(hwcloud):\n    hwcloud.session().post(hwcloud.url("ecs", "{START}"), json={{"what": 1}})\n',
        ["HWP011 POST"],
    ),
    "scope": (
        "def test_it(hwcloud, hwcloud_domain_token):\n    get(hwcloud, auth=hwcloud_domain_token)\n",
        ["HWP005"],
    ),
    "keys": (
        'def test_it(hwcloud):\n    import requests\n    requests.get(hwcloud.url("ecs", LIST))\n',
        [f"HWP006 {ACTION}"],
    ),
}


def _modules() -> dict[str, str]:
    found = {name: source for name, (source, _) in ROWS.items()}
    found |= {f"noticing_{name}": "def test_it(hwcloud):\n" + body for name, body in NOTICING.items()}
    found |= {f"doubted_{name}": body for name, (body, _) in INCONCLUSIVE.items()}
    found |= {f"wanted_{name}": body for name, body in EXPECTING.items()}
    head = HEAD + 'pytestmark = pytest.mark.hwcloud_cassette("all.yaml")\n\n'
    return {f"test_{name.replace('-', '_')}": head + source for name, source in found.items()}


OLD = """\
# written by: pytest --hwcloud-lock=update
version: 1
identities:
  default:
    policies: {iam/r.json: "1.1"}
    grants:
      - allow ecs:cloudServers:list ecs:cloudServers:showServer
permissions:
  ecs:cloudServers:list:
    calls: ["GET ecs /v1/{project_id}/cloudservers/detail"]
    tests:
      test_proved.py::test_it: proved
  ecs:cloudServers:showServer:
    calls: ["GET ecs /v1/{project_id}/cloudservers/{server_id}"]
    tests:
      test_not_allowed.py::test_it: proved
unmapped: {}
"""
OF_THE_RUN = [
    "HWP007 ecs:cloudServers:showServer",
    f"HWP008 {ACTION}",  # of the auditor
    f"HWP008 {QUOTA}",
    "HWP009",  # the auditor is new
    f"HWP009 {QUOTA}",
]


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    answers = [answer(path, body={"count": 8, "servers": []}) for path in (LIST, LIMITS)]
    shown = answer("/v1/{project_id}/cloudservers/1ab")
    cassette(pytester.path, "all", *answers, shown, answer(START, method="POST"))
    policy(pytester.path, "iam/r.json", (ACTION, QUOTA))
    condition = {"IpAddress": {"g:SourceIp": ["10.0.0.0/8"]}}
    policy(pytester.path, "iam/auditor.json", {"Effect": "Allow", "Action": [ACTION], "Condition": condition})
    config = "identities: {default: {policies: [iam/r.json]}, auditor: {policies: [iam/auditor.json]}}\n"
    Path("hwcloud.yaml").write_text(config)
    Path("hwcloud-permissions.yaml").write_text(OLD)
    pytester.makeini("[pytest]\n")
    pytester.makepyfile(**_modules())
    return pytester.path


REPORTS = tuple(f"--hwcloud-report={kind}:out/r.{kind}" for kind in ("json", "md", "sarif", "html"))
OPTIONS = ("--hwcloud-prove=all", "--hwcloud-lock=check", *REPORTS)


def test_every_scenario_in_one_process_and_in_two(run: Run, project: Path, pytester: pytest.Pytester) -> None:
    alone = pytester.runpytest_inprocess("-p", "hwcloud", *OPTIONS)
    findings = _findings()
    assert {name: rows for name, rows in findings.items() if name} == {
        name: sorted(rows) for name, (_, rows) in ROWS.items() if rows
    }
    assert findings[""] == sorted(OF_THE_RUN)
    told, reports = section(alone), _reports()
    both = pytester.runpytest_subprocess("-p", "hwcloud", "-p", "xdist", "-n2", *OPTIONS)
    assert (section(both), _reports()) == (told, reports)
    assert both.parseoutcomes() == alone.parseoutcomes()
    assert (both.ret, Path("hwcloud-permissions.yaml").read_text()) == (alone.ret, OLD)


def _reports() -> dict[str, bytes]:
    found = {file.name: file.read_bytes() for file in Path("out").iterdir()}
    for name in found:
        Path("out", name).unlink()
    return found


def _findings() -> dict[str, list[str]]:
    """Scenario -> rule and action of its findings, "" for those of the run."""
    found: dict[str, list[str]] = {}
    report: dict[str, Any] = json.loads(Path("out/r.json").read_text())
    for row in report["findings"]:
        name = row["test"].partition(".py")[0].removeprefix("test_")
        found.setdefault(name, []).append(f"{row['rule']} {row['action'].partition(' ')[0]}".rstrip())
    return {name: sorted(rows) for name, rows in found.items()}
