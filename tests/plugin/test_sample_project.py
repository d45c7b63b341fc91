"""A project with three identities and 40 tests: each change of policy or code gives its findings and no other."""

from __future__ import annotations

import json
import subprocess

import pytest
from sample_project import Sample, copy, load_sdk

ENFORCE, UPDATE = "--hwcloud-permissions=enforce", "--hwcloud-lock=update"
CLEAN = (0, [])


@pytest.fixture(scope="module")
def sdk() -> None:
    load_sdk()


@pytest.fixture
def sample(sdk: None, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> Sample:
    return copy(pytester, monkeypatch)


def test_clean_serial_and_distributed(sample: Sample) -> None:
    sample.lock.unlink()
    serial = sample.run(ENFORCE, UPDATE)
    serial.result.assert_outcomes(passed=40)
    assert (serial.code, serial.rows) == CLEAN
    text = sample.lock.read_text()
    sample.lock.unlink()
    distributed = sample.run_distributed(ENFORCE, UPDATE)
    distributed.result.assert_outcomes(passed=40)
    assert (distributed.code, distributed.rows) == CLEAN
    assert sample.lock.read_text() == text
    assert distributed.data["tests"] == serial.data["tests"]


# the policy is broken

VOLUMES = [
    "tests/test_retries.py::test_asks_again",
    "tests/test_volumes.py::TestAll::test_size_by_type",
    "tests/test_volumes.py::TestAll::test_unattached",
]
LOST_ROWS = [
    *(("HWP001", "evs:volumes:list", "viewer", test) for test in VOLUMES),
    ("HWP007", "evs:volumes:list", "viewer", ""),
]
LOST = """\
HWP001 missing-permission  evs:volumes:list   identity viewer
  call      GET evs /v2/{project_id}/cloudvolumes/detail      inventory/volumes.py:38
  decision  deny (implicit): no statement allows it; 2 statements looked at
              1 allow ecs:*:get* ecs:cloudServers:list* ecs:cloudServers:showServerTags  no
              2 allow evs:volumes:get vpc:*:get* vpc:vpcs:list                           no
  tests     3 tests: tests/test_retries.py::test_asks_again · tests/test_volumes.py::TestAll::test_size_by_type \
· ::TestAll::test_unattached
  fix       iam/viewer.json: add "evs:volumes:list" to statement 2

HWP007 lost-permission  evs:volumes:list   identity viewer   cause: policy iam/viewer.json
  was       allowed by "evs:volumes:list" (statement 2)
  breaks    3 tests: tests/test_retries.py::test_asks_again · tests/test_volumes.py::TestAll::test_size_by_type \
· ::TestAll::test_unattached
  call      GET evs /v2/{project_id}/cloudvolumes/detail      inventory/volumes.py:38
  now       deny (implicit): no statement allows it; 2 statements looked at      iam/viewer.json
  fix       iam/viewer.json:14: add "evs:volumes:list" to statement 2
            --- iam/viewer.json
            +++ ./iam/viewer.json
            @@ -14,7 +14,8 @@
                   "Action": [
                     "vpc:*:get*",
                     "vpc:vpcs:list",
            -        "evs:volumes:get"
            +        "evs:volumes:get",
            +        "evs:volumes:list"
                   ]
                 }
               ]
  accept    pytest --hwcloud-permissions=enforce --hwcloud-lock=update
"""
FORMATS = tuple(f"--hwcloud-report={kind}:out/permissions.{kind}" for kind in ("md", "html", "sarif"))


def break_policy(sample: Sample) -> None:
    sample.change("iam/viewer.json", '        "evs:volumes:list",\n', "")


def test_a_broken_policy_and_its_reports(sample: Sample) -> None:
    break_policy(sample)
    broken = sample.check(*FORMATS, "--tb=no")  # without tracebacks the summary has every word
    broken.result.assert_outcomes(passed=37, failed=3)
    assert (broken.code, broken.rows) == (1, LOST_ROWS)
    assert broken.causes == {"HWP007 evs:volumes:list": "policy iam/viewer.json:14"}
    assert LOST in broken.text
    _check_markdown(sample.read("out/permissions.md"))
    _check_sarif(json.loads(sample.read("out/permissions.sarif")), broken.findings)
    _check_html(sample.read("out/permissions.html"))
    subprocess.run(["patch", "-p0"], input=broken.patch(), text=True, cwd=sample.path, check=True, capture_output=True)
    healed = sample.check()
    assert (healed.code, healed.rows) == CLEAN


def _check_markdown(text: str) -> None:
    shown = text.splitlines()
    assert shown[1] == "### Permissions of the tests: 4 findings"
    assert [line for line in shown if line.startswith("**")] == ["**Needs more**", "**May do less**"]
    assert [line for line in shown if line.startswith("- ")] == [
        "- **HWP001** missing-permission · `evs:volumes:list` · identity `viewer`",
        "- **HWP007** lost-permission · `evs:volumes:list` · identity `viewer` · cause: `policy`",
    ]


def _check_sarif(log: dict[str, list[dict[str, list[dict[str, object]]]]], findings: list[dict[str, object]]) -> None:
    (run,) = log["runs"]
    assert [row["ruleId"] for row in run["results"]] == ["HWP001"] * 3 + ["HWP007"]
    places = [row["locations"][0]["physicalLocation"] for row in run["results"]]  # type: ignore[index]
    assert [(one["artifactLocation"]["uri"], one["region"]["startLine"]) for one in places] == [
        *[("inventory/volumes.py", 38)] * 3,
        ("iam/viewer.json", 17),
    ]
    prints = [next(iter(row["partialFingerprints"].values())) for row in run["results"]]  # type: ignore[attr-defined]
    assert prints == [row["fingerprint"] for row in findings]


def _check_html(text: str) -> None:
    assert text.startswith("<!doctype html>")
    assert all(name in text for name in (*VOLUMES, "evs:volumes:list", "HWP001", "HWP007", "viewer", "operator"))


def test_a_broken_policy_and_the_proof_distributed(sample: Sample) -> None:
    break_policy(sample)
    files = [f"tests/test_{name}.py" for name in ("volumes", "retries", "report")]  # which spare the workers the SDK
    broken = sample.run_distributed(ENFORCE, "--hwcloud-lock=check", "--hwcloud-prove=all", "--tb=no", *files)
    broken.result.assert_outcomes(passed=4, failed=3)
    assert (broken.code, broken.rows) == (1, LOST_ROWS)
    own = f"  accept    pytest {' '.join(files)} --hwcloud-permissions=enforce --hwcloud-prove=all "
    assert LOST.replace("  accept    pytest --hwcloud-permissions=enforce ", own) in broken.text
    assert "\nhwcloud proof: 4 proved\nhwcloud proof of scope: 6 proved\n" in broken.text


def test_a_broken_policy_seen_by_tests_that_do_not_need_it(sample: Sample) -> None:
    """The lock knows who does. Of the one call that makes tags and takes them away, only the making is granted."""
    sample.change("iam/operator.json", ',\n        "ecs:cloudServers:reboot"', "")
    broken = sample.check("tests/test_volumes.py", "tests/test_report.py")
    broken.result.assert_outcomes(passed=6)
    assert (broken.code, broken.rows) == (1, [("HWP007", "ecs:cloudServers:reboot", "operator", "")])
    assert "  breaks    1 test: tests/test_power.py::test_switch[reboot]\n" in broken.text


def test_a_broken_fixture_breaks_every_test_that_has_it(sample: Sample) -> None:
    sample.change("iam/viewer.json", '        "vpc:vpcs:list",\n', "")
    broken = sample.check("tests/test_networks.py")
    broken.result.assert_outcomes(passed=4, errors=4)
    known = [
        f"TestKnown::test_{row}" for row in ("names", *(f"subnets[vpc-{n}]" for n in ("empty-0", "live-2", "test-1")))
    ]
    assert (broken.code, broken.rows) == (
        1,
        [
            *(("HWP001", "vpc:vpcs:list", "viewer", f"tests/test_networks.py::{name}") for name in known),
            ("HWP007", "vpc:vpcs:list", "viewer", ""),
        ],
    )


# the code needs more

LIMITS = """\
- request:
    method: GET
    uri: https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/limits
    body: null
    headers: {}
  response:
    status:
      code: 200
      message: OK
    headers:
      Content-Type:
      - application/json
    body:
      string: '{"absolute": {"maxTotalInstances": 200, "totalInstancesUsed": 8}}'
"""
CALL = '    requests.get(f"{base}/cloudservers/limits", auth=auth, timeout=30).raise_for_status()\n'
NEW = """\
HWP002 undeclared-permission  ecs:cloudServerQuotas:get   used by GET ecs /v1/{project_id}/cloudservers/limits
  call      GET ecs /v1/{project_id}/cloudservers/limits      inventory/report.py:17
  fix       @pytest.mark.requires_permission("ecs:cloudServers:list", "ecs:cloudServerQuotas:get", scope="project")

HWP008 new-permission  ecs:cloudServerQuotas:get   identity auditor   cause: code inventory/report.py:17
  call      GET ecs /v1/{project_id}/cloudservers/limits      inventory/report.py:17
  needs     2 tests: tests/test_report.py::test_summary · ::test_summary_with_keys
  now       allowed by "ecs:*:get*" (statement 1)      system:ECS ReadOnlyAccess
  accept    pytest --hwcloud-permissions=enforce --hwcloud-lock=update
"""


def test_a_further_call(sample: Sample) -> None:
    """One test with a marker, one without; the policy allows it."""
    for name in ("test_summary", "test_summary_with_keys"):
        sample.add(f"tests/cassettes/test_report/{name}.yaml", LIMITS)
    sample.change("inventory/report.py", "    servers = answer", CALL + "    servers = answer")
    more = sample.check("--tb=no")
    more.result.assert_outcomes(passed=39, failed=1)
    assert (more.code, more.rows) == (
        1,
        [
            ("HWP002", "ecs:cloudServerQuotas:get", "auditor", "tests/test_report.py::test_summary"),
            ("HWP008", "ecs:cloudServerQuotas:get", "auditor", ""),
        ],
    )
    assert more.causes == {"HWP008 ecs:cloudServerQuotas:get": "code inventory/report.py:17"}
    assert NEW in more.text


# the policy allows more

WIDER = """\
HWP009 widened-policy  evs:volumes:*   identity viewer   cause: policy iam/viewer.json
  gains     9 actions: evs:volumes:attach, evs:volumes:create, evs:volumes:delete and 6 more
  was       denied
  now       allowed by "evs:volumes:*" (statement 2)      iam/viewer.json:12
  used      by no test of this run
  fix       iam/viewer.json:18: put "evs:volumes:get" in place of "evs:volumes:*" in statement 2
            --- iam/viewer.json
            +++ ./iam/viewer.json
            @@ -15,7 +15,7 @@
                     "vpc:*:get*",
                     "vpc:vpcs:list",
                     "evs:volumes:list",
            -        "evs:volumes:*"
            +        "evs:volumes:get"
                   ]
                 }
               ]
  accept    pytest --hwcloud-permissions=enforce --hwcloud-lock=update
"""


def test_a_wider_wildcard(sample: Sample) -> None:
    sample.change("iam/viewer.json", '"evs:volumes:get"', '"evs:volumes:*"')
    wider = sample.check()
    wider.result.assert_outcomes(passed=40)
    assert (wider.code, wider.rows) == (1, [("HWP009", "evs:volumes:*", "viewer", "")])
    assert wider.causes == {"HWP009 evs:volumes:*": "policy iam/viewer.json:12"}
    assert WIDER in wider.text
    assert wider.result.outlines[-1] == "hwcloud: exit status 1: 1 permission finding (HWP009), permissions enforce"


OVER = """\
HWP018 over-permission  ecs:cloudServers:start   identity viewer
  call      POST ecs /v1/{project_id}/cloudservers/action      inventory/power.py:34
  decision  allow: statement 1 of iam/viewer.json
  fix       iam/viewer.json: take "ecs:cloudServers:start" out of statement 1, or deny it
"""


def test_a_wildcard_that_allows_what_a_test_wants_refused(sample: Sample) -> None:
    sample.change("iam/viewer.json", '"ecs:cloudServers:list*"', '"ecs:cloudServers:*"')
    wider = sample.check("-k", "viewer_starts")
    assert (wider.code, wider.rows) == (
        1,
        [
            ("HWP009", "ecs:cloudServers:*", "viewer", ""),
            ("HWP018", "ecs:cloudServers:start", "viewer", "tests/test_power.py::test_viewer_starts_nothing"),
        ],
    )
    assert wider.causes == {"HWP009 ecs:cloudServers:*": "policy iam/viewer.json:4"}
    assert OVER in wider.text


# what is no difference


def test_what_only_looks_different(sample: Sample) -> None:
    viewer, operator = (json.loads(sample.read(f"iam/{name}.json")) for name in ("viewer", "operator"))
    viewer["Statement"].reverse()
    viewer["Statement"][0]["Action"].reverse()
    (sample.path / "iam/viewer.json").write_text(json.dumps(viewer))
    (sample.path / "iam/operator.json").write_text(json.dumps(operator, indent="\t\t") + "\n\n")
    first, text = '"""The servers of a project."""\n', sample.read("inventory/servers.py")
    (sample.path / "inventory/servers.py").write_text(text.replace(first, first + "\n" * 30))
    (sample.path / "tests/test_retries.py").rename(sample.path / "tests/test_patience.py")
    cassettes = sample.path / "tests" / "cassettes"
    (cassettes / "test_retries").rename(cassettes / "test_patience")
    same = sample.check()
    same.result.assert_outcomes(passed=40)
    assert (same.code, same.rows) == CLEAN
