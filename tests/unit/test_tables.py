"""The compiled facts are what the sources say, and tables of a project's own are checked key by key."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from pytest_hwcloud.cloud.calls import actions, calls, tables
from pytest_hwcloud.cloud.calls.project_tables import TableError
from pytest_hwcloud.cloud.endpoints import base_url, regions, service_scope
from pytest_hwcloud.cloud.policies.policy import Policy

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "tests" / "facts" / "sources"
OPERATIONS = [line.split("\t") for line in (SOURCES / "operations.tsv").read_text(encoding="utf-8").splitlines()[1:]]
SERVICES = sorted({name for name, *_ in OPERATIONS} | {"cci"})  # CCI is documented and has no SDK package

TABLE = """\
service: ddm
scope: regional
endpoint: https://ddm.{region}.cloud.example
action_aliases: {'ddm:cluster:listClusters': ['ddm:cluster:list']}
apis:
  - method: get
    path: /v1.0/{project_id}/clusters
    operation: ListClusters
    actions: [ddm:cluster:list]
    identity_actions: ['ddm:cluster:listClusters']
  - {method: POST, path: '/v1.0/{project_id}/clusters/{id}/action', operation: Restart,
     actions: ['ddm:cluster:restart'],
     discriminator: {body_key: restart}, dependencies: ['vpc:vpcs:list'],
     when: {'vpc:vpcs:list': [{has: restart.vpc}, when it has a VPC]}}
  - {method: GET, path: /v1.0/version, operation: Version, required: false}
"""


@pytest.fixture
def table(tmp_path):
    """Writes a table; whatever was added is forgotten afterwards."""

    def write(text: str) -> Path:
        path = tmp_path / "extra-actions.yaml"
        path.write_text(text, encoding="utf-8")
        return path

    yield write
    calls.clear_tables()


def test_all_services_have_a_table():
    assert list(tables.shipped()) == list(calls.services()) == SERVICES
    assert len(SERVICES) == 133
    documented = [name for name in SERVICES if any(row.documented for row in tables.read(name)[1])]
    assert len(documented) == 47  # of the 50 tables of permissions three name no action that a call needs
    # of 6,771 entries some are halves of others, and some stand for several permissions
    assert sum(len(tables.read(name)[1]) for name in SERVICES) == 14158


@pytest.mark.parametrize("service", SERVICES)
def test_rows_are_well_formed(service):
    for row in tables.read(service)[1]:
        assert row.template.startswith("/")
        assert row.title
        for name in (*row.actions, *row.identity):
            assert actions.is_known(name)
            assert not actions.parse(name).wildcard
        for name in row.more.when:
            assert name in (*row.actions, *row.dependencies)


def test_no_operation_of_the_official_sdks_is_taken_for_one_of_another_service_or_scope():
    together = {}
    for service, _, operation, method, template in OPERATIONS:
        together.setdefault((method, re.sub(r"\{\w+\}", "{}", template)), set()).add(f"{service} {operation}")
    wrong = []
    for service, _, operation, method, template in OPERATIONS:
        region = (*(r for r in regions(service) if r == "cn-north-4"), *regions(service))[0]
        base = base_url(service, region)
        base = base.replace("https://obs.", "https://bucket.obs.")
        path = re.sub(r"^(/\w+)?/\{(api_)?version(_id)?\}$", r"\1/v2", template)
        call = calls.needs(method, base + re.sub(r"\{\w+\}", "q1w2", path))
        names = {f"{call.service} {name}" for name in (call.operation, *call.candidates)} | {*call.also}
        alike = together[method, re.sub(r"\{\w+\}", "{}", template)]
        if call.scope != service_scope(service) or not (names & alike or service in ("obs", "ges")):
            wrong.append((service, operation, call))
        elif f"{service} {operation}" not in names and service not in ("obs", "ges"):  # told apart in the query
            wrong.append((service, operation, names))
    assert wrong == []


def test_only_the_service_in_question_is_loaded():
    script = (
        "from pytest_hwcloud.cloud.calls import calls, tables\n"
        "calls.needs('GET', 'https://tms.myhuaweicloud.com/v1.0/tags')\n"
        "print(tables._file.cache_info().currsize, *calls._TABLES)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True)
    assert done.stdout == "1 ('tms',)\n"


def test_a_table_of_the_project(table):
    calls.add_table(table(TABLE))
    call = calls.needs("GET", "https://ddm.eu-de.cloud.example/v1.0/p1/clusters/")
    assert (call.label, call.region, call.scope) == ("GET ddm /v1.0/{project_id}/clusters", "eu-de", "regional")
    assert call.actions == ("ddm:cluster:list",)
    assert call.named_by("DDM:cluster:listClusters")
    assert actions.is_known("ddm:cluster:restart")
    assert actions.names("ddm:cluster:listClusters") == ("ddm:cluster:listClusters", "ddm:cluster:list")
    assert "ddm" in calls.services()
    assert [need.label for need in calls.nearest_calls("ddm:cluster:list")] == ["GET ddm /v1.0/{project_id}/clusters"]
    calls.clear_tables()
    assert not actions.is_known("ddm:cluster:restart")
    assert calls.needs("GET", "https://ddm.eu-de.cloud.example/v1.0/p1/clusters").service is None


def test_a_table_of_the_project_also_serves_a_documented_host(table):
    calls.add_table(table(TABLE))
    url = "https://ddm.cn-north-4.myhuaweicloud.com/v1.0/p1/clusters/c1/action"
    call = calls.needs("POST", url, {"restart": {}})
    assert (call.operation, call.dependencies, call.conditional) == ("Restart", (), ())
    assert calls.needs("POST", url, {"restart": {"vpc": "v"}}).dependencies == ("vpc:vpcs:list",)
    assert calls.needs("POST", url, {"stop": {}}).candidates == ("Restart",)
    free = calls.needs("GET", "https://ddm.cn-north-4.myhuaweicloud.com/v1.0/version")
    assert (free.mapped, free.required) == (True, False)


def test_a_table_of_the_project_goes_before_the_shipped_one(table):
    text = (
        "service: ecs\napis:\n  - {method: GET, path: '/v1/{p}/jobs/{j}', operation: Mine, actions: [ecs:jobs:show]}\n"
    )
    calls.add_table(table(text))
    call = calls.needs("GET", "https://ecs.cn-north-4.myhuaweicloud.com/v1/x/jobs/1")
    assert (call.operation, call.actions) == ("Mine", ("ecs:jobs:show",))


@pytest.mark.parametrize(
    ("old", "new", "line", "key", "text"),
    [
        ("service: ddm\n", "", 1, "service", "is missing"),
        ("scope: regional", "scope: local", 2, "scope", "'local' is neither 'regional' nor 'global'"),
        ("method: get", "method: FETCH", 6, "apis[0].method", "'FETCH' is no HTTP method; use one of GET,"),
        ("/v1.0/{project_id}/clusters\n", "v1.0/clusters\n", 7, "apis[0].path", "'v1.0/clusters' is no path template"),
        ("operation: ListClusters", "operaton: ListClusters", 8, "apis[0].operaton", "unknown key; known: actions,"),
        ("[ddm:cluster:list]", "ddm:cluster:list", 9, "apis[0].actions", "must be a list of actions, not str"),
        ("[ddm:cluster:list]", "[ddm:cluster]", 9, "apis[0].actions[0]", "'ddm:cluster' is no action: service:type:op"),
        ("{body_key: restart}", "{bodykey: restart}", 13, "apis[1].discriminator.bodykey", "unknown key; known: any,"),
        ("{body_key: restart}", "{body: restart}", 13, "apis[1].discriminator.body", "has the wrong type (str)"),
        ("https://ddm.{region}", "ddm.{region}", 3, "endpoint", "must be a URL such as https://dws."),
        ("when it has a VPC]", "]", 14, "apis[1].when.vpc:vpcs:list", "must be [test, words], for instance"),
        ("apis:", "apps:", 5, "apps", "unknown key; known: action_aliases, apis, endpoint, scope, service"),
    ],
)
def test_wrong_tables_name_file_line_and_key(table, old, new, line, key, text):
    path = table(TABLE.replace(old, new, 1))
    with pytest.raises(TableError) as error:
        calls.add_table(path)
    assert (error.value.file, error.value.line, error.value.key) == (str(path), line, key)
    assert str(error.value).startswith(f"{path}:{line}: {key}: {text}")


def test_a_table_that_cannot_be_read(table, tmp_path):
    with pytest.raises(TableError, match=r"missing\.yaml:1: cannot be read: No such file or directory"):
        calls.add_table(tmp_path / "missing.yaml")
    with pytest.raises(TableError, match=r"extra-actions\.yaml:2: "):
        calls.add_table(table("service: x\napis: ]\n"))
    with pytest.raises(TableError, match=r"extra-actions\.yaml:1: must be a mapping, not list"):
        calls.add_table(table("- 1\n"))
    with pytest.raises(TableError, match=r"extra-actions\.yaml:2: apis: must be a list of calls"):
        calls.add_table(table("service: x\napis: []\n"))


ALIASES = """\
service: ddm
apis:
  - {method: GET, path: "/v1.0/{project_id}/clusters", actions: [ddm:cluster:list],
     identity_actions: [ddm:clusters:list]}
  - {method: GET, path: "/v1.0/{project_id}/a", actions: [ddm:cluster:get], identity_actions: [ddm:clusters:show]}
  - {method: GET, path: "/v1.0/{project_id}/b", actions: [ddm:cluster:get], identity_actions: [ddm:clusters:showB]}
action_aliases: {ddm:clusters:showB: [ddm:all:get]}
"""


def test_the_names_in_a_row_of_a_project_are_aliases(table):
    url = "https://ddm.cn-north-4.myhuaweicloud.com/v1.0/p/clusters"
    policies = {
        name: Policy.load({"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": [name]}]})
        for name in ("ddm:cluster:list", "ddm:clusters:list", "ddm:all:get", "ddm:cluster:get", "ddm:clusters:show")
    }
    assert not policies["ddm:cluster:list"].decide("ddm:clusters:list")
    calls.add_table(table(ALIASES))
    assert calls.needs("GET", url).spellings == {"ddm:cluster:list", "ddm:clusters:list"}
    assert actions.canonical("DDM:clusters:list") == "ddm:cluster:list"
    assert actions.same("ddm:clusters:list", "ddm:cluster:list")
    fresh = {name: Policy(policy.documents) for name, policy in policies.items()}
    assert fresh["ddm:cluster:list"].decide("ddm:clusters:list")
    assert fresh["ddm:clusters:list"].decide("ddm:cluster:list")
    # two 5.0 names for one 1.1 name: it opens both, neither opens it
    assert fresh["ddm:cluster:get"].decide("ddm:clusters:show")
    assert not fresh["ddm:clusters:show"].decide("ddm:cluster:get")
    assert actions.canonical("ddm:clusters:show") == "ddm:clusters:show"
    assert actions.names("ddm:clusters:showB") == ("ddm:clusters:showB", "ddm:cluster:get", "ddm:all:get")
    calls.clear_tables()
    assert not Policy(fresh["ddm:cluster:list"].documents).decide("ddm:clusters:list")
    assert actions.canonical("ddm:clusters:list") == "ddm:clusters:list"


def test_a_look_up_parses_one_line_of_a_table_and_the_same_one_again_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """What makes the first look-up quick, however large a service is (times: `tests/benchmarks/bench8_needs.py`)."""
    parsed: list[bytes] = []

    class Counting:
        @staticmethod
        def loads(text: bytes) -> object:
            parsed.append(text)
            return json.loads(text)

    calls.needs("GET", "https://iam.myhuaweicloud.com/v3/users")  # the endpoints are loaded once a process
    asked = {}
    for service in SERVICES:
        rows = tables.read(service)[1]
        sizes = [(row.method, len(row.parts)) for row in rows]
        row = max(rows, key=lambda row: sizes.count((row.method, len(row.parts))))
        region = (*(r for r in regions(service) if r == "cn-north-4"), *regions(service), "cn-north-4")[0]
        asked[service] = row.method, base_url(service, region) + re.sub(r"\{\w+\}", "q1w2", row.template)
    monkeypatch.setattr(tables, "json", Counting)
    lines = {}
    for service, ask in asked.items():
        calls.clear_tables()
        tables._file.cache_clear()
        parsed.clear()
        calls.needs(*ask)
        files = sum(text.startswith(b"{") for text in parsed)
        lines[service] = files, len(parsed) - files
        parsed.clear()
        calls.needs(*ask)
        assert parsed == [], service
    # A file has a head; services at one host are looked up together, a line of each.
    assert {service: n for service, n in lines.items() if n[1] > n[0]} == {}
    assert max(files for files, _ in lines.values()) < 6
