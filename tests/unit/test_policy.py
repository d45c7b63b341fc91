"""Policies: the decision table, the words of decisions, the documents that are refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pytest_hwcloud.cloud.policies.policy import Policy, PolicyError

TABLE = yaml.safe_load((Path(__file__).parent / "data" / "decisions.yaml").read_text(encoding="utf-8"))


def _cases():
    for group in TABLE:
        document = {"Version": group.get("version", "1.1"), "Statement": group["statements"]}
        for number, (action, effect, *more) in enumerate(group["ask"], 1):
            statement, known = [*more, None, None][:2] if more else (None, None)
            yield pytest.param(document, action, effect, statement, known or {}, id=f"{group['name']} {number}")


CASES = list(_cases())


@pytest.mark.parametrize(("document", "action", "effect", "statement", "known"), CASES)
def test_decision_table(document, action, effect, statement, known):
    decision = Policy.load(document).decide(action, **known)
    assert (decision.effect, decision.statement) == (effect, statement), decision.reason
    assert bool(decision) is (effect == "allow")
    assert decision.explicit is (effect == "deny" and statement is not None)


def test_the_table_is_large_and_each_group_cites_its_source():
    assert sum(len(group["ask"]) for group in TABLE) >= 150
    assert all(len(group["source"]) > 15 for group in TABLE)


@pytest.mark.parametrize(("document", "action", "effect", "statement", "known"), CASES)
def test_the_bare_yes_or_no_agrees(document, action, effect, statement, known):
    if "context" not in known and known.get("resource"):
        asker = Policy.load(document).asker()
        assert asker(action, known["resource"]) is (effect == "allow")
        assert asker(action, known["resource"]) is (effect == "allow")  # remembered


def policy(*statements, version="1.1", name=None):
    return Policy.load({"Version": version, "Statement": list(statements)}, name=name)


READER = {"Effect": "Allow", "Action": ["ecs:*:list*"]}
STARTER = {"Effect": "Allow", "Action": ["ecs:cloudServers:start"]}


def test_reason_of_an_allow():
    decision = policy(STARTER, READER, name="iam/reader.json").decide("ecs:cloudServers:list")
    assert decision.reason == 'allowed by "ecs:*:list*" (statement 2 of iam/reader.json)'
    assert decision.policy == "iam/reader.json"


def test_reason_of_an_explicit_deny():
    decision = policy(READER, {"Effect": "Deny", "NotAction": ["vpc:*:*"]}, version="5.0").decide(
        "ecs:cloudServers:list"
    )
    assert decision.reason == 'denied by NotAction "vpc:*:*" (statement 2 of policy document)'


def test_reason_of_an_implicit_deny_and_what_came_closest():
    decision = policy(READER, STARTER, name="iam/ci-writer.json").decide("ecs:cloudServers:showServer")
    assert decision.reason == "no statement allows it; 2 statements looked at"
    assert decision.considered == 2
    assert [(entry.statement, entry.effect, entry.text, entry.why) for entry in decision.nearest] == [
        (0, "allow", "ecs:*:list*", 'no: "showServer" and its alias "get" do not match'),
        (1, "allow", "ecs:cloudServers:start", "no"),
    ]


def test_reason_of_an_unknown():
    decision = policy({**STARTER, "Condition": {"Bool": {"g:MFAPresent": ["true"]}}}).decide("ecs:cloudServers:start")
    assert decision.reason == (
        'allowed by "ecs:cloudServers:start" (statement 1 of policy document)'
        " if Bool g:MFAPresent true holds (g:MFAPresent is not known: give it with --context g:MFAPresent=VALUE,"
        " or as context: of the identity in hwcloud.yaml)"
    )
    limited = policy(READER, {**STARTER, "Effect": "Deny", "Resource": ["ecs:*:*:instance:a"]}, STARTER)
    assert limited.decide("ecs:cloudServers:start").reason == (
        'denied by "ecs:cloudServers:start" (statement 2 of policy document)'
        ' if the resource, which was not given, meets Resource "ecs:*:*:instance:a"'
    )


def test_why_a_statement_that_names_the_action_did_not_count():
    statements = [
        {**STARTER, "Resource": ["ecs:*:*:instance:a"]},
        {**STARTER, "Condition": {"StringEquals": {"g:UserName": ["alice"]}}},
        {"Effect": "Allow", "NotAction": ["ecs:*:*"]},
    ]
    decision = policy(*statements, version="5.0").decide(
        "ecs:cloudServers:start", resource="ecs:r:acc:instance:b", context={"g:UserName": "bob"}
    )
    assert [entry.why for entry in decision.nearest] == [
        'no: ecs:r:acc:instance:b does not meet Resource "ecs:*:*:instance:a"',
        "no: the condition StringEquals g:UserName alice is not met",
        "no: NotAction leaves it out",
    ]


def test_the_nearest_of_many_are_few_and_in_their_order():
    many = [{"Effect": "Allow", "Action": [f"vpc:type{number}:list"]} for number in range(40)]
    nearest = policy(*many, STARTER, READER).decide("ecs:cloudServers:stop").nearest
    assert len(nearest) == 5
    assert [entry.statement for entry in nearest][-2:] == [40, 41]


def test_combine_pools_statements_and_keeps_their_places():
    left, right = policy(READER, name="a.json"), policy(READER, STARTER, name="b.json")
    both = Policy.combine([left, right])
    decision = both.decide("ecs:cloudServers:start")
    assert (decision.policy, decision.statement) == ("b.json", 1)
    assert (both.name, both.version, len(both.statements)) == ("a.json + b.json", "1.1", 3)
    assert repr(both) == "Policy('a.json + b.json', 3 statements)"


def test_decisions_about_the_time_are_not_remembered():
    soon = policy({**STARTER, "Condition": {"DateLessThan": {"g:CurrentTime": ["2999-01-01T00:00:00Z"]}}})
    assert soon.decide("ecs:cloudServers:start") is not soon.decide("ecs:cloudServers:start")
    always = policy(STARTER)
    assert always.decide("ecs:cloudServers:start") is always.decide("ecs:cloudServers:start")


def test_memory_of_decisions_is_bounded():
    from pytest_hwcloud.cloud.policies import policy as module

    asked = policy({**STARTER, "Resource": ["ecs:*:*:instance:*"]})
    for number in range(module._REMEMBERED + 10):
        assert asked.decide("ecs:cloudServers:start", resource=f"ecs:r:a:instance:{number}")
    assert len(asked._memo) <= module._REMEMBERED


def test_decisions_compare_by_effect_and_statement():
    assert policy(READER).decide("ecs:cloudServers:list") == policy(READER).decide(
        "ecs:cloudServers:listServersDetails"
    )
    assert len({policy(READER).decide("vpc:vpcs:list"), policy(READER).decide("vpc:vpcs:get")}) == 1
    assert policy(READER).decide("vpc:vpcs:list") != "deny"
    assert repr(policy().decide("vpc:vpcs:list")) == (
        "Decision('deny', statement=None, policy=None, reason='no statement allows it; 0 statements looked at')"
    )


def test_a_wrapped_role_has_its_own_name(tmp_path):
    document = {"Version": "1.1", "Statement": [READER]}
    file = tmp_path / "role.json"
    file.write_text(json.dumps({"role": {"display_name": "reader", "type": "XA", "policy": document}}))
    loaded = Policy.load(file)
    assert (loaded.name, loaded.source) == ("reader", file.as_posix())
    assert loaded.decide("ecs:cloudServers:list")


def test_system_policy_by_name():
    assert Policy.load("system:ecs readonlyaccess").name == "system:ECS ReadOnlyAccess"


_CONDITION = '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["a:b:c"],\n"Condition": '
WRONG = [
    ("{", "{file}:1: not valid JSON: Expecting property name enclosed in double quotes"),
    ("[]", "{file}:1: a policy document is a JSON object"),
    (
        '{"Statement": []}',
        '{file}:1: Version: is missing; write "1.0" (role), "1.1" (policy) or "5.0" (identity policy)',
    ),
    (
        '{\n"Version": "2.0", "Statement": []}',
        '{file}:2: Version: \'2.0\' is unknown; write "1.0" (role), "1.1" (policy) or "5.0" (identity policy)',
    ),
    ('{"Version": "1.1"}', '{file}:1: Statement: is missing: "Statement": [{"Effect": …, "Action": […]}]'),
    (
        '{"Version": "1.1",\n "Statement": {}}',
        '{file}:2: Statement: must be a list: "Statement": [{"Effect": …, "Action": […]}]',
    ),
    (
        '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["a:b"]},\n\n{"Effect": "Permit"}]}',
        '{file}:3: statement 2: Effect: \'Permit\' is unknown; write "Allow" or "Deny"',
    ),
    (
        '{"Version": "1.1", "Statement": [\n{"Effect": "Allow"}]}',
        '{file}:2: statement 1: Action: is missing: "Action": ["service:type:operation"]',
    ),
    (
        '{"Version": "1.1", "Statement": [\n{"Effect": "Allow",\n"Actions": ["a:b:c"]}]}',
        "{file}:3: statement 1: Actions: unknown key, did you mean 'Action'?",
    ),
    (
        '{"Version": "5.0", "Statement": [{"Effect": "Allow", "Action": ["a:b:c"],\n"NotAction": ["a:b:c"]}]}',
        "{file}:2: statement 1: NotAction: Action and NotAction exclude each other in a statement",
    ),
    (
        '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["a:b:c"],\n"Resource": []}]}',
        "{file}:2: statement 1: Resource: must be a list of texts",
    ),
    (
        '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["a:b:c",\n"a:b:c:d"]}]}',
        "{file}:2: statement 1: Action: 'a:b:c:d' has more than three parts (service:type:operation)",
    ),
    (
        _CONDITION + '{\n"StringEqual": {"k": ["v"]}}}]}',
        "{file}:3: statement 1: Condition.StringEqual: unknown operator, did you mean 'StringEquals'?",
    ),
    (
        _CONDITION + '{"NumberEquals":\n{"g:MFAAge":\n["x"]}}}]}',
        "{file}:4: statement 1: Condition.NumberEquals.g:MFAAge: 'x' is no value that NumberEquals can compare",
    ),
    (
        '{"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["a:b:c"],\n"Action": ["d:e:f"]}]}',
        "{file}:2: Action: given twice in one object; only one would count",
    ),
    (
        '{"Version": "1.0", "Statement": [], "Depends": ["Tenant Guest"]}',
        "{file}:1: Depends: must be a list of {catalog, display_name}",
    ),
    ('{"Version": "1.1", "Statement": [7]}', '{file}:1: statement 1: must be an object: {"Effect": …, "Action": […]}'),
    ("[" * 100_000, "{file}:1: nested too deeply"),
]


@pytest.mark.parametrize(("text", "message"), WRONG, ids=range(len(WRONG)))
def test_a_wrong_document_names_its_place(tmp_path, text, message):
    file = tmp_path / "policy.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(PolicyError) as caught:
        Policy.load(file)
    assert str(caught.value) == message.replace("{file}", file.as_posix())
    assert caught.value.file == file.as_posix()


def test_an_error_carries_its_place_as_data(tmp_path):
    file = tmp_path / "policy.json"
    file.write_text('{"Version": "1.1", "Statement": [\n{"Effect": "Allow", "Action": ["a:b:c"], "Condition": []}]}')
    with pytest.raises(PolicyError) as caught:
        Policy.load(file)
    assert (caught.value.line, caught.value.statement, caught.value.key) == (2, 0, "Condition")


def test_a_wrong_dict_has_no_line():
    with pytest.raises(PolicyError, match=r"^policy document: statement 1: Effect: is missing; write"):
        policy({"Action": ["a:b:c"]})


def test_a_missing_file_and_one_that_is_no_text(tmp_path):
    with pytest.raises(PolicyError, match=r"nope\.json: no such file$"):
        Policy.load(tmp_path / "nope.json")
    (tmp_path / "image.json").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(
        PolicyError, match=r"image\.json: line 1 is not UTF-8 text \(byte 0xff\); save the file as UTF-8$"
    ):
        Policy.load(tmp_path / "image.json")
    with pytest.raises(PolicyError, match="is a folder; name the policy file in it"):
        Policy.load(tmp_path)


def test_a_byte_order_mark_is_no_error(tmp_path):
    file = tmp_path / "policy.json"
    file.write_text('\ufeff{"Version": "1.1", "Statement": []}', encoding="utf-8")
    assert not Policy.load(file).decide("a:b:c")
