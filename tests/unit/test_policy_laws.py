"""The laws of policies: a further Deny never allows more, a further Allow never denies more, order is nothing."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.cloud.policies.policy import Policy

RANK = {"deny": 0, "unknown": 1, "allow": 2}
WORD = st.sampled_from(["ecs", "vpc", "*", "cloudServers", "get", "list*", "showServer", "?et", "delete"])
NAMES = [
    "ecs:cloudServers:showServer",
    "ecs:cloudServers:get",
    "vpc:vpcs:list",
    "iam::listAccessKeys",
    "ECS:servers:Get",
]
PATTERN = st.one_of(st.builds("{}:{}:{}".format, WORD, WORD, WORD), st.sampled_from([*NAMES, "*", "ecs:*", "*:*:*"]))
RESOURCE = st.sampled_from(["*", "ecs:*:*:instance:a", "ecs:*:*:instance:*", "ecs:r:acc:instance:a?", "vpc:*:*:vpc:*"])
CONDITION = st.sampled_from(
    [
        {"StringEquals": {"g:UserName": ["alice"]}},
        {"StringNotEquals": {"g:UserName": ["alice"]}},
        {"StringEqualsIfExists": {"g:UserName": ["bob"]}},
        {"Null": {"g:MFAAge": ["true"]}},
        {"ForAnyValue:StringMatch": {"g:TagKeys": ["a*"]}},
        {"ForAllValues:StringEquals": {"g:TagKeys": ["a"]}, "Bool": {"g:MFAPresent": ["true"]}},
    ]
)
CONTEXT = st.fixed_dictionaries(
    {},
    optional={
        "g:UserName": st.sampled_from(["alice", "bob", None]),
        "g:TagKeys": st.lists(st.sampled_from(["a", "b"]), max_size=2),
        "g:MFAPresent": st.booleans(),
        "g:MFAAge": st.integers(0, 3),
    },
)


@st.composite
def statement(draw, effects=("Allow", "Deny")):
    made = {"Effect": draw(st.sampled_from(effects))}
    made[draw(st.sampled_from(["Action", "Action", "NotAction"]))] = draw(st.lists(PATTERN, min_size=1, max_size=3))
    if draw(st.booleans()):
        made[draw(st.sampled_from(["Resource", "NotResource"]))] = draw(st.lists(RESOURCE, min_size=1, max_size=2))
    if draw(st.booleans()):
        made["Condition"] = draw(CONDITION)
    return made


QUESTION = st.tuples(
    st.sampled_from([*NAMES, "ecs:cloudServers:listServersDetails", "ecs:cloudServers:deleteServers", "x:y:z"]),
    st.sampled_from([None, "*", "ecs:r:acc:instance:a", "ecs:r:acc:instance:ab", "vpc:r:acc:vpc:x"]),
    CONTEXT,
)
LAW = settings(max_examples=150, deadline=None, derandomize=True)


def effect(statements, question):
    action, resource, context = question
    policy = Policy.load({"Version": "5.0", "Statement": statements})
    return policy.decide(action, resource=resource, context=context).effect


@LAW
@given(st.lists(statement(), max_size=4), statement(effects=("Deny",)), QUESTION)
def test_a_further_deny_never_allows_more(statements, deny, question):
    assert RANK[effect([*statements, deny], question)] <= RANK[effect(statements, question)]


@LAW
@given(st.lists(statement(), max_size=4), statement(effects=("Allow",)), QUESTION)
def test_a_further_allow_never_denies_more(statements, allow, question):
    assert RANK[effect([*statements, allow], question)] >= RANK[effect(statements, question)]


@LAW
@given(st.lists(statement(), min_size=1, max_size=5), st.randoms(use_true_random=False), QUESTION)
def test_order_and_files_change_nothing(statements, random, question):
    shuffled = random.sample(statements, len(statements))
    cut = random.randint(0, len(shuffled))
    files = [Policy.load({"Version": "5.0", "Statement": part}) for part in (shuffled[cut:], shuffled[:cut])]
    action, resource, context = question
    assert Policy.combine(files).decide(action, resource=resource, context=context).effect == effect(
        statements, question
    )


@LAW
@given(st.lists(statement(), max_size=4), QUESTION)
def test_words_can_be_made_of_every_decision(statements, question):
    action, resource, context = question
    decision = Policy.load({"Version": "5.0", "Statement": statements}).decide(
        action, resource=resource, context=context
    )
    assert decision.reason
    assert len(decision.nearest) == min(5, len(statements))
    named = [entry for entry in decision.nearest if entry.statement == decision.statement]
    assert all(entry.why.startswith("yes" if decision.effect != "unknown" else "perhaps") for entry in named)


@LAW
@given(PATTERN, st.sampled_from(NAMES))
def test_letter_case_never_matters_in_actions(pattern, name):
    answers = {
        effect([{"Effect": "Allow", "Action": [p]}], (n, None, {}))
        for p in (pattern, pattern.upper())
        for n in (name, name.upper())
    }
    assert len(answers) == 1


@pytest.mark.parametrize("context", [{}, {"g:UserName": "alice"}, {"g:UserName": None}])
def test_more_knowledge_only_settles_what_was_unknown(context):
    statements = [{"Effect": "Allow", "Action": ["ecs:*:*"], "Condition": {"StringEquals": {"g:UserName": ["alice"]}}}]
    before = effect(statements, (NAMES[0], None, {}))
    assert before == "unknown"
    assert effect(statements, (NAMES[0], None, context)) in ({"unknown"} if not context else {"allow", "deny"})
