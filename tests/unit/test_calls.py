"""What a call needs: every documented call is found, look-alikes are told apart, nothing is guessed."""

from __future__ import annotations

import re

import pytest

from pytest_hwcloud.cloud.calls import tables
from pytest_hwcloud.cloud.calls.actions import all_actions, names
from pytest_hwcloud.cloud.calls.calls import Call, Dependency, nearest_calls, needs, services
from pytest_hwcloud.cloud.calls.request_tests import describe
from pytest_hwcloud.cloud.endpoints import base_url, regions

PROJECT = "05041fffa40025702f6dc009cc6f8f33"
ECS = f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{PROJECT}"
NOVA = f"https://ecs.cn-north-4.myhuaweicloud.com/v2.1/{PROJECT}"
EVS = f"https://evs.cn-north-4.myhuaweicloud.com/v2/{PROJECT}"
IAM = "https://iam.cn-north-4.myhuaweicloud.com"
RDS = "https://rds.cn-north-4.myhuaweicloud.com/v3/p"
GROUP = "https://as.cn-north-4.myhuaweicloud.com/autoscaling-api/v1/p/scaling_group/g/action"
TAGS = "https://tms.myhuaweicloud.com/v1.0/predefine_tags"
# Calls on which documents list several permissions, and nothing in a request is documented to tell which one holds.
UNDECIDED = {
    ("cci", "/apis/cci/v2/namespaces/{namespace}/secrets/{name}"),
    ("dli", "/v1.0/{project_id}/authorization"),
    ("dli", "/v1.0/{project_id}/databases"),
    ("dli", "/v1.0/{project_id}/databases/{database_name}/tables/{table_name}/preview"),
    ("dli", "/v1.0/{project_id}/jobs/submit-job"),
    ("dli", "/v1.0/{project_id}/user-authorization"),
    ("ges", "/v1.0/{project_id}/graphs/{graph_id}/action"),
}
IN_PATH = re.compile(r"\{project_?[iI]d\}")
ROWS = [row for name in services() for row in tables.read(name)[1]]


def body_of(test: dict) -> dict:
    """A body that passes the discriminator of a row."""
    test = test["any"][0] if "any" in test else test
    body: dict = {}
    for key in [k for k in [test.get("body_key")] if k]:
        body[key if isinstance(key, str) else key[0]] = {}
    for path, value in test.get("body", {}).items():
        *outer, last = path.split(".")
        place = body
        for key in outer:
            place = place.setdefault(key, {})
        place[last] = value
    return body | ({test["has"]: "x"} if "has" in test else {})


def login(*methods: str) -> dict:
    return {"auth": {"identity": {"methods": list(methods)}}}


def url_of(row: tables.Row) -> str:
    test = row.more.discriminator
    known = regions(row.service)
    base = base_url(row.service, "cn-north-4" if "cn-north-4" in known or not known else known[-1])
    if test.get("host") == "bucket":
        base = base.replace("https://", "https://my-bucket.")
    path = IN_PATH.sub(PROJECT, row.template)
    path = re.sub(r"\{(api_)?version\}|(?<=^/)\{version_id\}$", "v2", path)
    query = [*test.get("query", ()), *(f"{name}={value}" for name, value in test.get("query_value", {}).items())]
    return base + re.sub(r"\{\w+\}", "q1w2e3", path) + ("?" + "&".join(query) if query else "")


def ask(row: tables.Row) -> Call:
    test = row.more.discriminator
    body = body_of(test) if {"body", "body_key", "has", "not", "any"} & set(test) else None
    return needs(row.method, url_of(row), body, {test["header"]: "/b/k"} if "header" in test else None)


@pytest.mark.parametrize("service", services())
def test_every_documented_call_is_found(service):
    for row in tables.read(service)[1]:
        call = ask(row)
        place = f"{row.method} {row.template} {describe(row.more.discriminator)}"
        if not call.known and (service, row.template) in UNDECIDED:
            assert row.title in (call.operation, *call.candidates), place
            continue
        if call.service != row.service:  # the same call of another service at the same host
            assert f"{row.service} {row.title}" in call.also, place
            assert not row.documented or (call.actions, call.service) == (row.actions, "vpc"), place  # quotas of both
            continue
        assert (call.documented, call.known, call.template) == (True, row.documented, row.template), place
        assert (
            row.title == call.operation or not row.operation or row.operation in call.candidates or not call.operation
        ), place
        assert call.identity_actions == row.identity, place
        assert set(call.actions) <= set(row.actions), place
        assert call.actions == row.actions or row.more.when, place
        assert call.required is not row.more.free, place
        own = service in ("projectman", "identitycenterstore") or service.startswith("codearts")
        assert call.project == (PROJECT if IN_PATH.search(row.template) and not own else None), place


@pytest.mark.parametrize("service", services())
def test_every_action_is_found_by_its_calls_and_names_them(service):
    for row in tables.read(service)[1]:
        for action in (*row.actions, *row.identity):
            found = [need.label for need in nearest_calls(action.upper())]
            assert f"{row.method} {service} {row.template}" in found


def test_no_call_is_answered_by_a_row_of_another_service():
    assert {row.service for row in ROWS} == set(services())
    assert all(
        ask(row).region == "cn-north-4" for row in ROWS if row.service in ("ecs", "vpc", "eip", "sfsturbo", "kms")
    )


@pytest.mark.parametrize(
    ("url", "operation", "actions", "newer"),
    [
        (
            f"{ECS}/cloudservers/detail",
            "ListServersDetails",
            "ecs:cloudServers:list",
            "ecs:cloudServers:listServersDetails",
        ),
        (f"{NOVA}/servers/detail", "NovaListServersDetails", "ecs:servers:list", None),
        (f"{NOVA}/servers", "NovaListServers", "ecs:servers:list", None),
        (f"{ECS}/cloudservers/d1", "ShowServer", "ecs:cloudServers:showServer", "ecs:cloudServers:showServer"),
        ("https://vpc.cn-north-4.myhuaweicloud.com/v1/p/vpcs", "ListVpcs", "vpc:vpcs:list", None),
        ("https://vpc.cn-north-4.myhuaweicloud.com/v1/p/publicips", "ListPublicips", "vpc:publicIps:list", None),
        (f"{EVS}/cloudvolumes/detail", "ListVolumes", "evs:volumes:list", None),
        (TAGS, "ListPredefineTags", *["tms:predefineTags:list"] * 2),
        (f"{IAM}/v3/users", "KeystoneListUsers", "iam:users:listUsers", None),
    ],
)
def test_look_alikes_are_told_apart(url, operation, actions, newer):
    call = needs("get", url)
    assert (call.operation, call.actions) == (operation, (actions,))
    assert call.identity_actions == ((newer,) if newer else ())


@pytest.mark.parametrize(
    "path",
    [
        "/cloudservers/detail/",
        "//cloudservers//detail",
        "/cloudservers/detail?limit=1&offset=2",
        "/cloudservers/detail#x",
        "/%63loudservers/detail",
    ],
)
def test_paths_are_read_as_servers_read_them(path):
    assert needs("GET", ECS + path).operation == "ListServersDetails"


@pytest.mark.parametrize("placeholder", ["{project_id}", "%7Bproject_id%7D"])
def test_a_placeholder_stands_for_a_project(placeholder):
    call = needs("GET", f"https://ecs.cn-north-4.myhuaweicloud.com/v1/{placeholder}/cloudservers/detail")
    assert (call.operation, call.project) == ("ListServersDetails", None)


@pytest.mark.parametrize(
    ("url", "body", "operation", "actions"),
    [
        (
            f"{ECS}/cloudservers/action",
            b'{"os-start": {"servers": []}}',
            "BatchStartServers",
            ["ecs:cloudServers:start"],
        ),
        (f"{ECS}/cloudservers/action", '{"os-stop": {}}', "BatchStopServers", ["ecs:cloudServers:stop"]),
        (f"{ECS}/cloudservers/action", {"reboot": {}}, "BatchRebootServers", ["ecs:cloudServers:reboot"]),
        (f"{NOVA}/servers/1/action", {"rebuild": {}}, None, ["ecs:servers:rebuild"]),
        (
            f"{NOVA}/servers/1/action",
            {"addSecurityGroup": {}},
            "NovaAssociateSecurityGroup",
            ["ecs:securityGroups:use"],
        ),
        (f"{EVS}/volumes/1/action", {"os-extend": {}}, None, ["evs:volumes:extend", "evs:volumes:get"]),
        (f"{EVS}/volumes/1/action", {"os-unreserve": {}}, None, ["evs:volumes:attach"]),
        (f"{IAM}/v3/auth/tokens", login("assume_role"), "KeystoneCreateAgencyToken", ["iam:tokens:assume"]),
        (f"{IAM}/v3/auth/tokens", login("totp", "password"), "KeystoneCreateUserTokenByPasswordAndMfa", []),
        (f"{RDS}/instances", {"name": "x"}, "CreateInstance", ["rds:instance:create"]),
        (f"{RDS}/instances", {"restore_point": {}}, "CreateRestoreInstance", ["rds:instance:create"]),
        (GROUP, {"action": "pause"}, "PauseScalingGroup", ["as:groups:action"]),
        (f"{TAGS}/action", b'{"action": "delete"}', "DeletePredefineTags", ["tms:predefineTags:delete"]),
    ],
)
def test_the_body_decides(url, body, operation, actions):
    call = needs("POST", url, body)
    assert call.known
    assert (call.operation, list(call.actions)) == (operation, actions)


@pytest.mark.parametrize(
    "body", [None, b"", b"{}", b"not json", b'["os-start"]', {"os-restart": {}}, {"os-start": {}, "reboot": {}}]
)
def test_an_undecided_call_is_never_guessed(body):
    call = needs("POST", f"{ECS}/cloudservers/action", body)
    assert (call.known, call.mapped, call.operation, call.actions) == (False, False, None, ())
    assert set(call.candidates) <= {"BatchRebootServers", "BatchStartServers", "BatchStopServers"}
    assert len(call.candidates) >= 2
    assert call.decided_by == "body key reboot | body key os-start | body key os-stop"


def test_operations_that_need_the_same_are_known_without_the_body():
    call = needs("POST", GROUP)
    assert (call.known, call.operation, call.actions) == (True, None, ("as:groups:action",))
    assert call.candidates == ("PauseScalingGroup", "ResumeScalingGroup")
    other = needs("POST", GROUP, {"action": "?"})
    assert not other.known


@pytest.mark.parametrize(
    ("body", "dependencies", "conditional"),
    [
        ({"server": {"publicip": {"eip": {"iptype": "5_bgp"}}}}, ["vpc:publicIps:create"], []),
        ({"server": {"publicip": {"id": "1"}}}, ["vpc:publicIps:update"], []),
        ({"server": {"name": "x"}}, [], []),
        (b"", [], []),
        (None, [], ["vpc:publicIps:create", "vpc:publicIps:update"]),
    ],
)
def test_dependencies_hold_for_the_request_that_shows_them(body, dependencies, conditional):
    call = needs("POST", f"{ECS}/cloudservers", body)
    assert call.actions == ("ecs:cloudServers:createServers",)
    assert (list(call.dependencies), [d.action for d in call.conditional]) == (dependencies, conditional)


def test_what_no_request_shows_stays_conditional():
    call = needs("POST", "https://sfs-turbo.cn-north-4.myhuaweicloud.com/v1/p/sfs-turbo/shares", {})
    assert call.conditional == (Dependency("vpc:*:*", "documented as a pattern; which of its actions is not said"),)
    assert call.dependencies == ()
    call = needs("POST", f"{ECS}/cloudservers/1/attachvolume", {})
    assert call.dependencies == ("evs:volumes:use",)


@pytest.mark.parametrize(
    ("kind", "actions"),
    [
        ("volumes", ("evs:volumeTags:list",)),
        ("snapshots", ("evs:snapshotTags:list",)),
        ("others", ("evs:volumeTags:list", "evs:backupTags:list", "evs:snapshotTags:list")),
    ],
)
def test_the_path_decides_which_actions_are_meant(kind, actions):
    assert needs("GET", f"{EVS}/os-vendor-tags/{kind}").actions == actions


OBS = "obs.cn-north-4.myhuaweicloud.com"


@pytest.mark.parametrize(
    ("method", "url", "actions"),
    [
        ("GET", f"https://{OBS}/", "obs:bucket:ListAllMyBuckets"),
        ("GET", f"https://b.{OBS}/", "obs:bucket:ListBucket"),
        ("GET", f"https://{OBS}/b?prefix=x", "obs:bucket:ListBucket"),
        ("GET", f"https://b.{OBS}/?versions", "obs:bucket:ListBucketVersions"),
        ("GET", f"https://b.{OBS}/?acl", "obs:bucket:GetBucketAcl"),
        ("GET", f"https://b.{OBS}/a/b/c.txt", "obs:object:GetObject"),
        ("GET", f"https://{OBS}/b/a/c.txt?acl", "obs:object:GetObjectAcl"),
        ("GET", f"https://b.{OBS}/k?versionId=1", "obs:object:GetObjectVersion"),
        ("GET", f"https://b.{OBS}/k?acl&versionId=1", "obs:object:GetObjectVersionAcl"),
        ("PUT", f"https://b.{OBS}/k", "obs:object:PutObject"),
        ("PUT", f"https://b.{OBS}/k?partNumber=1&uploadId=2", "obs:object:PutObject"),
        ("PUT", f"https://b.{OBS}/", "obs:bucket:CreateBucket"),
        ("PUT", f"https://b.{OBS}/?inventory&id=1", "obs:bucket:PutBucketInventoryConfiguration"),
        ("DELETE", f"https://b.{OBS}/k", "obs:object:DeleteObject"),
        ("DELETE", f"https://b.{OBS}/k?uploadId=1", "obs:object:AbortMultipartUpload"),
    ],
)
def test_obs_is_decided_by_bucket_and_sub_resource(method, url, actions):
    assert needs(method, url).actions == (actions,)


def test_obs_copies_and_sub_resources_that_no_table_has():
    copy = needs("PUT", f"https://b.{OBS}/k", b"", {"X-Obs-Copy-Source": "/c/k"})
    assert needs("PUT", f"https://b.{OBS}/k", b"", {"Host": "b"}).operation == "PutObject"
    assert (copy.operation, copy.actions) == ("CopyObject", ("obs:object:GetObject", "obs:object:PutObject"))
    assert needs("PUT", f"https://b.{OBS}/k?website").known is False
    assert needs("POST", f"https://b.{OBS}/?delete", b"<Object><VersionId>1</VersionId></Object>").actions == (
        "obs:object:DeleteObjectVersion",
    )


@pytest.mark.parametrize(
    ("method", "url", "label"),
    [
        ("DELETE", f"{ECS}/cloudservers/d1", "DELETE ecs /v1/{project_id}/cloudservers/d1"),
        ("GET", f"{ECS}/things/0a1b2c3d-0000-4000-8000-0a1b2c3d4e5f/7", "GET ecs /v1/{project_id}/things/{id}/{id}"),
        ("GET", "https://ddm.cn-north-4.myhuaweicloud.com/v1.0/x/clusters", "GET ddm /v1.0/x/clusters"),
        ("GET", "https://example.com/a", "GET ? /a"),
        ("GET", "no url at all", "GET ? /no url at all"),
        ("GET", "", "GET ? /"),
        ("GET", "https://evs.cn-north-4.myhuaweicloud.com/nonsense", "GET evs /nonsense"),
    ],
)
def test_calls_that_no_table_knows(method, url, label):
    call = needs(method, url)
    assert (call.label, call.known, call.mapped, call.actions, call.candidates) == (label, False, False, (), ())


def test_three_states_of_a_documented_call():
    free = needs("GET", "https://evs.cn-north-4.myhuaweicloud.com/v1/p/jobs/1")
    assert (free.known, free.mapped, free.required, free.actions) == (True, True, False, ())
    silent = needs("GET", f"{ECS}/jobs/1")
    assert (silent.operation, silent.documented, silent.known, silent.mapped) == ("ShowJob", True, False, False)
    assert silent.required
    named = needs("GET", f"{ECS}/cloudservers/detail")
    assert (named.access_level, named.enterprise_project, named.resource_level) == ("list", True, False)


def test_either_grammar_opens_a_call():
    call = needs("GET", f"{ECS}/cloudservers/detail")
    assert call.ways == (("ecs:cloudServers:list",), ("ecs:cloudServers:listServersDetails",))
    assert needs("GET", f"{ECS}/cloudservers/d1").ways == (("ecs:cloudServers:showServer",),)


def test_a_marker_speaks_of_a_call_in_any_spelling():
    show = needs("GET", f"{ECS}/cloudservers/d1")
    assert show.named_by("ECS:cloudservers:showserver")
    assert show.named_by("ecs:cloudServers:get")
    groups = needs("GET", f"{ECS}/cloudservers/os-server-groups")
    assert groups.named_by("ecs:cloudServers:list")
    assert groups.named_by("ecs:cloudServers:listServerGroups")
    assert not groups.named_by("ecs:cloudServers:listServersDetails")
    assert not needs("GET", f"{ECS}/cloudservers/detail").named_by("ecs:servers:list")


def test_every_spelling_that_allows_an_action_opens_all_its_calls():
    needing: dict[str, list[Call]] = {}
    for row in ROWS:
        call = ask(row) if len(row.actions) + len(row.identity) else None
        for way in call.ways if call else ():
            if len(way) == 1:
                needing.setdefault(way[0].lower(), []).append(call)
    for action in all_actions():
        for name in names(action):
            assert all(call.named_by(name) for call in needing.get(action.lower(), ())), (action, name)


def test_the_trap_of_the_guide():
    nova = [need.label for need in nearest_calls("ecs:servers:list")]
    assert nova[:2] == ["GET ecs /v2.1/{project_id}/servers", "GET ecs /v2.1/{project_id}/servers/detail"]
    assert (
        nearest_calls("ecs:cloudServers:listServersDetails")[0].label
        == "GET ecs /v1.1/{project_id}/cloudservers/detail"
    )
    listed = {need.operation: need for need in nearest_calls("ecs:cloudServers:list")}
    assert listed["ListServersDetails"].identity_actions == ("ecs:cloudServers:listServersDetails",)
    assert nearest_calls("no:such:action") == []


def test_the_same_question_has_the_same_answer_object():
    url = f"{ECS}/cloudservers/action"
    assert needs("POST", url, b'{"os-start": 1}') is needs("POST", url, b'{"os-start": 2}')
    assert needs("GET", f"{ECS}/cloudservers/a") is needs("GET", f"{ECS}/cloudservers/b")
    assert needs("GET", f"{ECS}/jobs/1").project == PROJECT
    assert needs("GET", "https://ecs.cn-south-1.myhuaweicloud.com/v1/other/jobs/1").project == "other"
