"""What lint finds in policy documents: exact lines."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable

import pytest

from pytest_hwcloud.cloud.policies.documents import PolicyError
from pytest_hwcloud.cloud.policies.system_policies import names
from pytest_hwcloud.permissions.policies import lint as lint_module
from pytest_hwcloud.permissions.policies.lint import Remark, lint_file

LIST = {"Effect": "Allow", "Action": ["ecs:cloudServers:list"]}


def lint(tmp_path, *statements, version="1.1"):
    """What is found, as `id statement: text`."""
    file = tmp_path / "p.json"
    file.write_text(json.dumps({"Version": version, "Statement": list(statements)}, indent=1))
    return [f"{found.id} {found.statement}: {found.text}" for found in lint_file(str(file))]


CASES = [
    ([LIST], []),
    (
        [{**LIST, "Action": ["ecs:cloudServers:lst"]}],
        [
            "HWP017 0: none of its actions is documented, so it applies to no known call",
            "HWP010 0: ecs:cloudServers:lst: no such action is documented; did you mean ecs:cloudServers:list?",
        ],
    ),
    (
        [{**LIST, "Action": ["ecs:cloudServers:list", "ecs:*:zap*"]}],
        ["HWP010 0: ecs:*:zap* covers no documented action"],
    ),
    (
        [{**LIST, "Action": ["ecs:cloudServers:list", "dss:pool:list"]}],
        ["HWP010 0: dss:pool:list: no action of service 'dss' is documented here"],
    ),
    ([{**LIST, "Action": ["ecs:cloudServers:list", "dss:*:list"]}], []),
    (
        [LIST, {**LIST, "Effect": "Deny", "Action": ["ecs:*:*"]}],
        ["HWP017 0: it can never allow anything: statement 2 denies the same actions everywhere"],
    ),
    (
        [{**LIST, "Action": ["ecs:*:*"]}, {**LIST, "Condition": {"Bool": {"g:MFAPresent": "true"}}}],
        ["HWP017 1: it changes nothing: statement 1 allows the same actions everywhere"],
    ),
    ([LIST, LIST], ["HWP017 1: it changes nothing: statement 1 allows the same actions everywhere"]),
    (
        [LIST, {**LIST, "Action": ["ecs:*:list"]}],
        ["HWP017 0: it changes nothing: statement 2 allows the same actions everywhere"],
    ),
    (
        [{**LIST, "Resource": ["ecs:*:*:instance:a"]}, {**LIST, "Effect": "Deny", "Resource": ["ecs:*:*:instance:b"]}],
        [
            'HWP017 0: its actions have no resource-level authorization, which only Resource "*" covers',
            'HWP017 1: its actions have no resource-level authorization, which only Resource "*" covers',
        ],
    ),
    (
        [{**LIST, "Condition": {"DateLessThan": {"g:CurrentTime": "2020-01-01T00:00:00Z"}}}],
        ["HWP017 0: its condition DateLessThan g:CurrentTime 2020-01-01T00:00:00Z lies in the past"],
    ),
    ([], ["grammar None: Statement: is empty; a policy has at least one statement"]),
    (
        [{"Effect": "Deny", "NotAction": ["ecs:*:*"], "Sid": "s", "NotResource": ["*"]}],
        [
            "grammar 0: Sid: the grammar of version 1.x has no Sid",
            "grammar 0: NotResource: the grammar of version 1.x has no NotResource",
        ],
    ),
    (
        [{"Effect": "Allow", "Action": "ecs:cloudServers:start", "Resource": "ecs:*:*:instance:a"}],
        [
            'grammar 0: Action: the grammar writes a list: ["ecs:cloudServers:start"]',
            'grammar 0: Resource: the grammar writes a list: ["ecs:*:*:instance:a"]',
        ],
    ),
    (
        [{**LIST, "Action": ["ecs:cloudServers:list", "ecs:*", "ecs:cloudServers:?tart", "e*:cloudServers:list"]}],
        [
            "grammar 0: Action: ecs:*: an action of version 1.1 has three parts: service:type:operation",
            "grammar 0: Action: ecs:cloudServers:?tart: only * is documented as a wildcard of actions",
            "grammar 0: Action: e*:cloudServers:list: a service name has no wildcard in it",
        ],
    ),
    (
        [{"Effect": "Allow", "Action": ["ecs:cloudServers:start"], "Resource": ["instance:a"]}],
        ["grammar 0: Resource: instance:a: a resource has five parts: service:region:account:type:path"],
    ),
    (
        [{"Effect": "Allow", "Action": ["iam:agencies:assume"], "Resource": {"uri": ["/iam/agencies/a"]}}],
        [],
    ),
    (
        [{**LIST, "Condition": {"StringLike": {"g:UserName": "ci-*"}}}],
        ["grammar 0: Condition: StringLike means contains, and takes * and ? literally; use StringMatch"],
    ),
    (
        [LIST, {"Effect": "Allow", "Action": ["iam:users:listUsers"]}],
        ["grammar None: global and project-level services need two policies: iam is global, ecs is not"],
    ),
    (
        [{**LIST, "Principal": {"IAM": ["acc"]}}],
        ["grammar 0: Principal: stands in the trust policy of an agency, not in what an identity holds"],
    ),
]


@pytest.mark.parametrize(("statements", "expected"), CASES, ids=range(len(CASES)))
def test_findings(tmp_path, statements, expected):
    assert sorted(lint(tmp_path, *statements)) == sorted(expected)


LIMITS = [
    ([LIST] * 9, "9 statements, at most 8 (IAM.1028)"),
    ([{**LIST, "Action": ["ecs:cloudServers:list"] * 101}], "101 actions, at most 100 (IAM.1033)"),
    ([{**LIST, "Resource": ["*"] * 11}], "11 resources, at most 10 (IAM.1040)"),
    (
        [{**LIST, "Action": ["ecs:cloudServers:list", f"ecs:x:{'y' * 130}"]}],
        "ecs:x:yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy… has 136 characters, at most 128 (IAM.1034)",
    ),
    (
        [{**LIST, "Resource": ["*", f"ecs:*:*:instance:{'y' * 1500}"]}],
        "ecs:*:*:instance:yyyyyyyyyyyyyyyyyyyyyyy… has 1517 characters, at most 1500 (IAM.1042)",
    ),
    (
        [{**LIST, "Condition": {"StringEquals": {"g:UserName": ["y" * 1025]}}}],
        f"{'y' * 40}… has 1025 characters, at most 1024 (IAM.1056)",
    ),
    ([{**LIST, "Condition": {"StringEquals": {f"k{n}": "v" for n in range(11)}}}], "11 keys, at most 10 (IAM.1054)"),
    (
        [{**LIST, "Action": [f"ecs:t{n}:{'x' * 70}" for n in range(90)]}],
        "7341 characters without white space, at most 6144 (IAM.1021)",
    ),
]


@pytest.mark.parametrize(("statements", "text"), LIMITS, ids=range(len(LIMITS)))
def test_limits(tmp_path, statements, text):
    assert [line.partition(": ")[2] for line in lint(tmp_path, *statements) if line.startswith("limit")] == [text]


def test_not_action_is_of_1_1_and_not_of_roles(tmp_path):
    statement = {"Effect": "Deny", "NotAction": ["VPC:*:*", "Evs:volumes:List"]}
    assert lint(tmp_path, statement) == []
    assert lint(tmp_path, statement, version="1.0") == [
        "grammar 0: NotAction: the grammar of version 1.x has no NotAction"
    ]


BUCKET = (
    "Version: this is the policy of an OBS bucket (it has a Principal): OBS attaches it to the bucket and judges by it;"
    ' what an identity holds says "1.0" (role), "1.1" (policy) or "5.0" (identity policy)'
)
AWS = (
    'Version: \'2012-10-17\' is the version of an AWS policy; write "1.0" (role), "1.1" (policy)'
    ' or "5.0" (identity policy) and the actions of Huawei Cloud'
)


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            {
                "Statement": [
                    {"Effect": "Deny", "Principal": {"ID": ["*"]}, "Action": ["PutObject"], "Resource": ["b/*"]}
                ]
            },
            BUCKET,
        ),
        ({"Statement": [{"Effect": "Allow", "NotPrincipal": "*", "Action": "Get*"}], "Version": "2008-10-17"}, BUCKET),
        ({"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["s3:GetObject"]}]}, AWS),
    ],
)
def test_policies_of_buckets_and_of_other_clouds_are_recognised(tmp_path, document, said):
    file = tmp_path / "p.json"
    file.write_text(json.dumps(document))
    assert [remark.text for remark in lint_file(str(file))] == [said]


def counted(work: Callable[[], list[Remark]]) -> tuple[list[Remark], int]:
    """What it finds, and how many functions are called for it: the same on every machine."""
    made = 0

    def count(*_: object) -> None:
        nonlocal made
        made += 1

    sys.setprofile(count)
    try:
        found = work()
    finally:
        sys.setprofile(None)
    return found, made // 2  # a call and its return


def test_thousands_of_actions_are_compared_through_the_index(tmp_path, monkeypatch):
    """Statements are not compared each with each, and no unknown name is looked for among all names."""
    calls = []
    monkeypatch.setattr(lint_module.actions, "suggest", lambda name: calls.append(name))
    rows = [{"Effect": "Allow", "Action": [f"zz{n}:things:list", f"ecs:things:l{n}"]} for n in range(2500)]
    found, made = counted(lambda: lint(tmp_path, *rows))
    assert len(found) == 7502
    assert made < 3_000_000  # each with each are more than twelve million
    assert len(calls) == 100


@pytest.mark.parametrize("pattern", ["ecs:*:list{}*", "ecs:c{}*:l*st{}", "ecs:cloud*:{}*", "*:cloud{}*:list*"])
def test_thousands_of_statements_with_wildcards(pattern):
    """They are not compared each with each."""
    actions = [[pattern.format(n, n)] for n in range(5000)]
    text = json.dumps({"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": names} for names in actions]})
    found, made = counted(lambda: lint_file("p.json", text=text.replace("}, {", "},\n{")))
    assert made < 3_000_000
    assert {remark.line for remark in found if remark.statement == 4999} <= {5000}
    repeated = {remark.statement for remark in found if "it changes nothing" in remark.text}
    assert not (repeated or "{}*" in pattern.rpartition(":")[2]) or repeated >= {10, 4999}


def test_lines_and_the_whole_text(tmp_path):
    file = tmp_path / "p.json"
    action = '"ecs:cloudServers:list",\n"ecs:cloudServers:lst"'
    document = '{"Version": "1.1",\n"Statement": [\n{"Effect": "Allow",\n"Action": [\n' + action + "]}]}"
    file.write_text('{"role": {"display_name": "r", "policy": ' + document + "}}")
    (remark,) = lint_file(str(file))
    assert str(remark) == (
        f"{file}:6: HWP010 unknown-action  statement 1: ecs:cloudServers:lst: no such action is documented;"
        " did you mean ecs:cloudServers:list?"
    )


def test_a_document_that_cannot_be_judged_is_one_grammar_error(tmp_path):
    file = tmp_path / "p.json"
    file.write_text('{"Version": "1.1", "Statement": [\n{"Effect": "Permit", "Action": ["a:b:c"]}]}')
    (remark,) = lint_file(str(file))
    assert str(remark) == f'{file}:2: grammar  statement 1: Effect: \'Permit\' is unknown; write "Allow" or "Deny"'


def test_every_grammar_error_of_a_file_is_told(tmp_path):
    file = tmp_path / "p.json"
    file.write_text(
        '{"Version": "9", "Foo": 1, "Statement": [\n'
        '{"Effect": "Permit", "Action": "a:b:c:d", "Condition": []},\n'
        '{"Effect": "Allow", "Action": ["ecs:*:get*"]},\n'
        "5,\n"
        '{"efect": "Allow", "Action": ["a:b:c"], "NotAction": ["a:b:c"], "Resource": []}]}'
    )
    assert [str(remark).removeprefix(f"{file}:") for remark in lint_file(str(file))] == [
        "1: grammar  Foo: unknown key; known: Version, Statement, Depends",
        '1: grammar  Version: \'9\' is unknown; write "1.0" (role), "1.1" (policy) or "5.0" (identity policy)',
        '2: grammar  statement 1: Effect: \'Permit\' is unknown; write "Allow" or "Deny"',
        "2: grammar  statement 1: Action: 'a:b:c:d' has more than three parts (service:type:operation)",
        "2: grammar  statement 1: Condition: must be an object: {operator: {key: [values]}}",
        '4: grammar  statement 3: must be an object: {"Effect": …, "Action": […]}',
        "5: grammar  statement 4: efect: unknown key, did you mean 'Effect'?",
        '5: grammar  statement 4: Effect: is missing; write "Allow" or "Deny"',
        "5: grammar  statement 4: NotAction: Action and NotAction exclude each other in a statement",
        "5: grammar  statement 4: Resource: must be a list of texts",
    ]


@pytest.mark.parametrize(("statement", "said"), [("", "is missing"), (', "Statement": {}', "must be a list")])
def test_a_document_without_statements_is_one_error_more(tmp_path, statement, said):
    file = tmp_path / "p.json"
    file.write_text(f'{{"role": {{"policy": {{"Depends": 1{statement}}}}}}}')
    found = [remark.text.partition(";")[0].partition(': "')[0] for remark in lint_file(str(file))]
    assert found == ["Version: is missing", f"Statement: {said}", "Depends: must be a list of {catalog, display_name}"]


def test_what_cannot_be_read_is_wrong_use(tmp_path):
    with pytest.raises(PolicyError, match="no such file"):
        lint_file(str(tmp_path / "nope.json"))


def test_identity_policies_may_have_what_the_old_grammar_has_not(tmp_path):
    assert lint(tmp_path, {"Effect": "Deny", "NotAction": ["ecs:*:*"], "Sid": "s"}, version="5.0") == []


@pytest.mark.parametrize("name", names(with_content=True))
def test_system_policies_have_no_grammar_error(name):
    assert [remark.text for remark in lint_file(f"system:{name}") if remark.id in ("grammar", "limit")] == []


@pytest.mark.parametrize(("version", "found"), [("1.1", 1), ("5.0", 0)])
def test_a_resource_type_that_only_5_0_has_is_not_inert_there(tmp_path, version, found):
    one = {"Effect": "Allow", "Action": ["ecs:cloudServers:updateMetadata"], "Resource": ["ecs:*:*:instance:abc"]}
    assert len(lint(tmp_path, one, version=version)) == found
