"""`pytest-hwcloud actions refresh` with live keys: IAM's authorization schemas, read from the cloud on loopback."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
from loopback.cloud import REAL, Cloud

from pytest_hwcloud.cloud.calls import calls, project_tables
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.commands import iam_client
from pytest_hwcloud.commands.cli import run

IAM = "https://iam.cn-north-4.myhuaweicloud.com"
REGISTERED = "GET /v5/authorization-schemas/registered-services"
SERVICE = "GET /v5/authorization-schemas/services/"


def schema(code: str, **more: object) -> dict[str, object]:
    """An answer about an invented service, or about dcs with operations of its SDK."""
    template = f"{code}:<region>:<account-id>:thing:<thing-id>"
    link = {"urn_template": template, "required": True, "condition_keys": ["g:ResourceTag/<tag-key>"]}
    return {
        "version": "v1.0",
        "actions": [
            {"name": f"{code}:thing:list", "access_level": "List", "aliases": [f"{code}:things:list"]},
            {"name": f"{code}:thing:get", "access_level": "Read", "resources": [link], "permission_only": False},
        ],
        "resources": [{"type_name": "thing", "urn_template": template}],
        "conditions": [{"key": f"{code}:Color", "value_type": "string", "multi_valued": True}],
        "operations": [
            {"operation_id": "ListInstances", "operation_action": f"{code}:thing:list", "dependent_actions": None},
            {
                "operation_id": "showInstance",
                "operation_action": f"{code}:thing:get",
                "dependent_actions": ["vpc:vpcs:get"],
            },
        ],
        **more,
    }


@pytest.fixture
def iam(cloud: Cloud, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Cloud:
    """IAM with three invented services and dcs on two pages, and this folder as the project."""
    cloud.give_credentials(monkeypatch)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(iam_client.time, "sleep", lambda seconds: waits.append(seconds))
    waits.clear()
    pages = {"": (["acme", "bolt"], "page/2="), "page/2=": (["cog", "dcs"], "")}

    def registered(request: Request) -> tuple[int, object, dict[str, str]]:
        marker = parse_qs(urlsplit(request.url).query).get("marker", [""])[0]
        codes, following = pages[marker]
        info = {"current_count": len(codes), **({"next_marker": following} if following else {})}
        return 200, {"service_codes": codes, "page_info": info}, {}

    cloud.answers[REGISTERED] = registered
    for code in ("acme", "bolt", "cog", "dcs"):
        answers(cloud, SERVICE + code, schema(code))
    return cloud


waits: list[float] = []


def answers(cloud: Cloud, route: str, body: object, status: int = 200, headers: dict[str, str] | None = None) -> None:
    cloud.answers[route] = lambda request: (status, body, headers or {})


def refresh(*arguments: str) -> int:
    return run(["actions", "refresh", *arguments])


def test_named_services_are_read_over_all_pages_and_written(
    iam: Cloud, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert refresh("dcs", "acme") == 0
    out, err = capsys.readouterr()
    assert err == "reading dcs (1 of 2)\nreading acme (2 of 2)\n"
    assert out.splitlines() == [
        "dcs: actions: 2, operations met with calls of the SDKs: 2 of 2",
        "acme: actions: 2, operations met with calls of the SDKs: 0 of 2",
        "  met with no call: ListInstances, showInstance",
        "hwcloud-actions.yaml: written",
    ]
    assert {method for method, _ in iam.seen} == {"GET"}
    assert [urlsplit(url).path.rpartition("/")[2] for _, url in iam.seen] == [
        *("registered-services", "registered-services", "dcs", "acme")
    ]
    text = (tmp_path / "hwcloud-actions.yaml").read_text()
    assert re.sub(r"(?m)^date: \d{4}-\d\d-\d\d$", "date: TODAY", text) == (
        """\
# written by: pytest-hwcloud actions refresh
version: 1
source: GET /v5/authorization-schemas/services/{service_code}
date: TODAY
services:
- service: acme
  code: acme
  scope: regional
  schema: v1.0
  resources:
    thing: acme:<region>:<account-id>:thing:<thing-id>
  conditions:
    acme:Color: {type: string, multi_valued: true}
  actions:
    acme:thing:get: {level: read, resources: [thing*], conditions: [g:ResourceTag/<tag-key>]}
    acme:thing:list: {level: list, aliases: [acme:things:list]}
  apis: []
  unmatched:
    ListInstances: acme:thing:list
    showInstance: acme:thing:get
- service: dcs
  code: dcs
  scope: regional
  schema: v1.0
  resources:
    thing: dcs:<region>:<account-id>:thing:<thing-id>
  conditions:
    dcs:Color: {type: string, multi_valued: true}
  actions:
    dcs:thing:get: {level: read, resources: [thing*], conditions: [g:ResourceTag/<tag-key>]}
    dcs:thing:list: {level: list, aliases: [dcs:things:list]}
  apis:
  - {method: GET, path: "/v2/{project_id}/instances", operation: ListInstances, identity_actions: [dcs:thing:list]}
"""
        '  - {method: GET, path: "/v2/{project_id}/instances/{instance_id}", operation: ShowInstance,'
        " identity_actions: [dcs:thing:get], dependencies: [vpc:vpcs:get]}\n"
    )
    for secret in (REAL.ak, REAL.sk):
        assert secret not in text + out + err


def test_a_busy_iam_is_asked_again(iam: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    iam.throttled[REGISTERED] = 2
    times = iter([503, 200])

    def sometimes(request: Request) -> tuple[int, object, dict[str, str]]:
        status = next(times)
        return status, schema("bolt") if status == 200 else {}, {"Retry-After": "7"}

    iam.answers[SERVICE + "bolt"] = sometimes
    assert refresh("bolt") == 0
    assert waits == [1.0, 2.0, 7.0]
    assert "hwcloud-actions.yaml: written" in capsys.readouterr().out


def test_an_iam_that_stays_busy_is_given_up_and_nothing_is_written(
    iam: Cloud, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    iam.throttled[REGISTERED] = 100
    assert refresh("bolt") == 2
    assert waits == [1.0, 2.0, 4.0, 8.0, 16.0]
    said = capsys.readouterr().err
    url = f"{IAM}/v5/authorization-schemas/registered-services"
    assert said.startswith(f"pytest-hwcloud: {url}: no answer after 6 tries: hwcloud: ")
    assert "APIGW.0308" in said
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (b"<html>busy</html>", "{url}: the answer is no JSON (application/json)"),
        ([], "{url}: $ is no object"),
        ({"services": []}, "{url}: no authorization schema: it has no lists `actions` and `operations`"),
        (
            schema("acme", actions=[{"name": "acme:thing"}]),
            "{url}: actions[0].name: 'acme:thing' is no action: service",
        ),
        (schema("acme", actions=[7]), "{url}: actions[0] is no object"),
        (
            schema("acme", actions=[{"name": "acme:a:b", "access_level": "all"}]),
            "{url}: actions[0].access_level: 'all' is no access level; known: list, read, write, tagging, perm",
        ),
        (schema("acme", operations=[{"operation_id": "A"}]), "{url}: operations[0].operation_action: '' is no action"),
        (
            schema("acme", operations=[{"operation_id": "A", "operation_action": "acme:*:list"}]),
            "{url}: operations[0].operation_action: 'acme:*:list' is a pattern",
        ),
        (schema("acme", resources=[{"type_name": "x"}]), "{url}: resources[0].urn_template is missing, or no text"),
        (
            schema("acme", actions=[{"name": "acme:a:b", "resources": [{"urn_template": "thing"}]}]),
            "{url}: actions[0].resources[0].urn_template: 'thing' is no URN template with five parts",
        ),
        (schema("acme", conditions={}), "{url}: conditions is no list"),
        (
            schema("acme", resources=[{"type_name": "x", "urn_template": "x"}]),
            "{url}: resources[0].urn_template: 'x' is no URN template with five parts",
        ),
        (
            schema("acme", actions=[{"name": "acme:a:b"}, {"name": "ACME:a:b", "access_level": "read"}]),
            "{url}: actions[1]: action ACME:a:b stands there twice, and differs",
        ),
        (
            schema("acme", operations=[{"operation_id": "A", "operation_action": f"acme:a:{n}"} for n in "bc"]),
            "{url}: operations[1]: operation A stands there twice, with different actions",
        ),
    ],
)
def test_a_broken_answer_is_named_and_nothing_is_written(
    iam: Cloud, capsys: pytest.CaptureFixture[str], tmp_path: Path, answer: object, message: str
) -> None:
    answers(iam, SERVICE + "acme", answer)
    assert refresh("bolt", "acme") == 2
    url = f"{IAM}/v5/authorization-schemas/services/acme"
    assert f"\npytest-hwcloud: {message.format(url=url)}" in capsys.readouterr().err
    assert not list(tmp_path.iterdir())


def test_a_file_that_cannot_be_written(iam: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    assert refresh("acme", "--output", "missing/actions.yaml") == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.endswith("pytest-hwcloud: missing/actions.yaml: cannot be written: No such file or directory\n")


def test_unknown_fields_are_told(iam: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    odd = schema("cog", limits={}, operations=[{"operation_id": "A", "operation_action": "cog:a:b", "since": 1}])
    answers(iam, SERVICE + "cog", odd)
    assert refresh("cog") == 0
    assert "  fields not read: limits, operations.since" in capsys.readouterr().out.splitlines()


def test_pages_that_do_not_end(iam: Cloud, capsys: pytest.CaptureFixture[str]) -> None:
    answers(iam, REGISTERED, {"service_codes": ["acme"], "page_info": {"next_marker": "again"}})
    assert refresh("acme") == 2
    assert capsys.readouterr().err == (
        f"pytest-hwcloud: {IAM}/v5/authorization-schemas/registered-services: the pages do not end: a page marker came"
        " twice\n"
    )


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("acne", "IAM has no service code 'acne'; did you mean 'acme'?"),
        ("zzzzzz", "IAM has no service code 'zzzzzz'"),
        ("../x", "'../x' is no service code; it is a word such as dcs"),
    ],
)
def test_a_service_that_iam_does_not_know(
    iam: Cloud, capsys: pytest.CaptureFixture[str], code: str, message: str
) -> None:
    assert refresh(code) == 2
    assert capsys.readouterr().err == f"pytest-hwcloud: {message}\n"


def test_the_services_of_the_lock(iam: Cloud, capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert refresh() == 2
    lock = tmp_path / "hwcloud-permissions.yaml"
    assert capsys.readouterr().err == (
        f"pytest-hwcloud: name services: there is neither a lock {lock.name} nor a catalogue that names any\n"
    )
    lock.write_text(
        "# written by: pytest --hwcloud-lock=update\nversion: 1\nidentities: {}\npermissions:\n  dcs:instance:list:\n"
        "    calls: [GET dcs /v2/{project_id}/instances]\n    tests:\n      tests/test_a.py::test_a: used\n"
        "unmapped:\n  GET bolt /v1/things: [tests/test_a.py::test_a]\n"
    )
    assert refresh() == 0
    assert capsys.readouterr().err == "reading bolt (1 of 2)\nreading dcs (2 of 2)\n"


def test_a_refusal_is_explained(
    iam: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HUAWEICLOUD_SDK_SK", "s" * 40)
    assert refresh("acme") == 2
    said = capsys.readouterr().err
    assert said.startswith(f"pytest-hwcloud: {IAM}/v5/authorization-schemas/registered-services: refused: hwcloud: ")
    assert "refused at authentication: APIGW.0301" in said
    assert "s" * 40 not in said


def test_without_keys(iam: Cloud, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AK", "SK"):
        monkeypatch.delenv(f"HUAWEICLOUD_SDK_{name}")
    assert refresh("acme") == 2
    assert "identity 'default' has no credentials" in capsys.readouterr().err


def test_check_says_what_would_change_and_writes_nothing(
    iam: Cloud, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert refresh("acme", "bolt") == 0
    file = tmp_path / "hwcloud-actions.yaml"
    before = file.read_bytes()
    assert refresh("acme", "--check") == 0
    capsys.readouterr()
    answers(iam, SERVICE + "acme", schema("acme", version="v1.1"))
    assert refresh("acme", "--check") == 1
    assert capsys.readouterr().out.splitlines()[2:] == [
        "hwcloud-actions.yaml: would change:",
        "--- hwcloud-actions.yaml",
        "+++ hwcloud-actions.yaml",
        "-  schema: v1.0",
        "+  schema: v1.1",
    ]
    assert file.read_bytes() == before
    assert refresh("acme") == 0  # the other service stays
    assert b"code: bolt" in file.read_bytes()


def test_the_same_answers_give_the_same_bytes_on_another_day(
    iam: Cloud, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert refresh("acme", "dcs") == 0
    file = tmp_path / "hwcloud-actions.yaml"
    file.write_text(re.sub(r"(?m)^date: .*$", "date: 2001-02-03", file.read_text()))
    before = file.read_bytes()
    capsys.readouterr()
    assert refresh("dcs", "acme") == 0
    assert capsys.readouterr().out.splitlines()[-1] == "hwcloud-actions.yaml: unchanged"
    assert file.read_bytes() == before


def test_system_policies_of_both_kinds(iam: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["acme:things:list"]}]}
    newer = {"Version": "5.0", "Statement": [{"Effect": "Allow", "Action": ["acme:thing:get"]}]}
    own = {"display_name": "ours", "policy": document, "domain_id": REAL.domain_id}
    rows = [{"display_name": "ACME Viewer", "policy": document, "domain_id": None}, own]
    answers(iam, "GET /v3/roles", {"roles": rows})
    listed = [{"policy_name": "ACMEReader", "policy_id": "p1", "default_version_id": "v3"}]
    answers(iam, "GET /v5/policies", {"policies": listed, "page_info": {"current_count": 1}})
    answers(iam, "GET /v5/policies/p1/versions/v3", {"policy_version": {"document": json.dumps(newer)}})
    assert refresh("acme", "--policies") == 0
    assert "2 system policies with their documents" in capsys.readouterr().out
    calls.add_table(tmp_path / "hwcloud-actions.yaml")
    try:
        assert Policy.load("system:ACME Viewer").decide("acme:things:list")
        assert Policy.load("system:acmereader").decide("acme:thing:get")
        assert project_tables.catalogue_version() is not None
    finally:
        calls.clear_tables()
    assert refresh("acme") == 0  # without --policies those that are there stay
    assert "ACMEReader" in (tmp_path / "hwcloud-actions.yaml").read_text()


def test_a_foreign_file_is_not_overwritten(iam: Cloud, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.yaml"
    file.write_text("service: acme\n")
    assert refresh("acme", "--output", "mine.yaml") == 2
    assert capsys.readouterr().err == (
        "pytest-hwcloud: mine.yaml: not written by `pytest-hwcloud actions refresh`; choose another --output, or move"
        " it away\n"
    )
    assert file.read_text() == "service: acme\n"


def saved(folder: Path, **answers: object) -> Path:
    folder.mkdir()
    for name, answer in answers.items():
        (folder / f"{name}.json").write_text(answer if isinstance(answer, str) else json.dumps(answer))
    return folder


def test_saved_answers_need_no_network_and_no_keys(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = saved(tmp_path / "answers", acme=schema("acme"), dcs=schema("dcs"))
    assert refresh("--from", "answers") == 0
    whole = (tmp_path / "hwcloud-actions.yaml").read_bytes()
    assert refresh("--from", "answers", "acme", "--output", "other.yaml", "--json") == 0
    told = json.loads(capsys.readouterr().out.partition("written\n")[2])
    assert told["file"] == "other.yaml"
    assert [service["code"] for service in told["services"]] == ["acme"]
    assert refresh("--from", "answers", "dcs", "--output", "other.yaml") == 0
    assert (tmp_path / "other.yaml").read_bytes() == whole
    (folder / "bolt.json").write_text('{\n"actions": ]')
    capsys.readouterr()
    assert refresh("--from", "answers") == 2
    assert capsys.readouterr().err == "pytest-hwcloud: answers/bolt.json:2: no JSON\n"
    assert refresh("--from", "answers", "dsc") == 2
    assert capsys.readouterr().err == "pytest-hwcloud: answers: no answer dsc.json; did you mean 'dcs'?\n"
    assert refresh("--from", "nowhere") == 2
    assert capsys.readouterr().err == "pytest-hwcloud: nowhere: no such folder (--from)\n"
    assert refresh("--from", "answers", "acme", "--policies") == 2
    assert capsys.readouterr().err == (
        "pytest-hwcloud: answers: neither roles.json nor policies.json is there (--policies)\n"
    )


@pytest.fixture
def forgotten() -> Callable[[], None]:
    yield calls.clear_tables  # type: ignore[misc]
    calls.clear_tables()


def test_the_catalogue_wins_over_the_shipped_table(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forgotten: Callable[[], None]
) -> None:
    monkeypatch.chdir(tmp_path)
    saved(tmp_path / "answers", dcs=schema("dcs"))
    url = "https://dcs.cn-north-4.myhuaweicloud.com/v2/05041fffa40025702f6dc009cc6f8f33/instances"
    before = calls.needs("GET", url), calls.needs("GET", url + "/q1w2")
    assert [call.actions for call in before] == [("dcs:instance:list",), ("dcs:instance:get",)]
    assert refresh("--from", "answers") == 0
    calls.add_table(tmp_path / "hwcloud-actions.yaml")
    listed, shown = calls.needs("GET", url), calls.needs("GET", url + "/q1w2")
    assert (listed.actions, listed.identity_actions, listed.access_level) == (
        ("dcs:instance:list",),
        ("dcs:thing:list",),
        "list",
    )
    assert listed.named_by("DCS:things:list")
    assert (shown.operation, shown.identity_actions, shown.dependencies) == (
        "ShowInstance",
        ("dcs:thing:get",),
        ("vpc:vpcs:get",),
    )
    (thing,) = shown.resources
    assert (thing.name, thing.required) == ("thing", True)
    assert thing.urn({"thing_id": "t1"}, region="cn-north-4", account="acc") == "dcs:cn-north-4:acc:thing:t1"
    assert thing.urn({}, region="cn-north-4", account="acc") == "dcs:cn-north-4:acc:thing:<thing-id>"
    assert shown.condition_keys == ("g:ResourceTag/<tag-key>",)
    forgotten()
    assert (calls.needs("GET", url), calls.needs("GET", url + "/q1w2")) == before
