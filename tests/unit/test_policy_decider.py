"""Thousands of random policies and questions, answered by the evaluator and by a decider written from the documents.

The two agree. Where they may differ: a question about several keys that nobody gave can be decided by the values of
these keys taken together; the evaluator then says unknown, never the opposite. HWCLOUD_DECISIONS=N asks N questions.
"""

from __future__ import annotations

import os
import random

import pytest

from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.policies.policy import Policy
from tests.unit import policy_decider

ROUNDS = max(1, int(os.environ.get("HWCLOUD_DECISIONS", "6000")) // 1000)
ACTIONS = [
    "ecs:cloudServers:list",
    "ecs:cloudServers:listServersDetails",
    "ecs:cloudServers:showServer",
    "vpc:vpcs:list",
    "obs:object:GetObject",
    "iam::listAccessKeys",
]
WORDS = ["ecs", "vpc", "obs", "*", "cloudServers", "list", "list*", "get", "*Server*", "?pcs", "GetObject", "LIST*"]
RESOURCES = [None, "*", "ecs:cn-north-4:acc:instance:a", "ecs:cn-north-4:acc:instance:A/b", "obs:*:*:object:b/k"]
PATTERNS = [
    "*",
    "ecs:*:*:instance:a",
    "ecs:*:*:instance:*",
    "ECS:*:acc:Instance:A/?",
    "obs:*:*:object:b/*",
    "*:*:*:*:*",
]
STRINGS = ["alice", "Alice", "bob", "a*", "*ce", "?ob", "*"]


def condition(rng):
    quantifier = rng.choice(["", "", "", "ForAllValues:", "ForAnyValue:"])
    suffix = rng.choice(["", "", "IfExists"])
    match rng.randrange(7):
        case 0:
            return {"Null": {rng.choice(["g:UserName", "g:MFAAge", "g:TagKeys"]): [rng.choice(["true", "false"])]}}
        case 1:
            return {f"Bool{suffix}": {"g:MFAPresent": [rng.choice(["true", "false"])]}}
        case 2:
            order = rng.choice(
                ["Equals", "NotEquals", "LessThan", "LessThanEquals", "GreaterThan", "GreaterThanEquals"]
            )
            return {f"Number{order}{suffix}": {"g:MFAAge": [str(rng.randrange(3))]}}
        case 3:
            order = rng.choice(["LessThan", "GreaterThan"])
            return {f"Date{order}": {"g:CurrentTime": [rng.choice(["1999-01-01T00:00:00Z", "2999-01-01T00:00:00Z"])]}}
        case 4:
            return {"StringEquals": {"g:ServiceName": [rng.choice(["ecs", "vpc", "obs"])]}}
    stem = rng.choice(["Equals", "EqualsIgnoreCase", "Match", "StartWith", "EndWith"])
    key = "g:TagKeys" if quantifier else "g:UserName"
    values = rng.sample(STRINGS, rng.randint(1, 2))
    return {f"{quantifier}String{rng.choice(['', 'Not'])}{stem}{suffix}": {key: values}}


def statement(rng):
    made = {"Effect": rng.choice(["Allow", "Allow", "Deny"])}
    patterns = [":".join(rng.choice(WORDS) for _ in range(3)) for _ in range(2)]
    named = rng.sample([*ACTIONS, *patterns, "*", "ecs:*", "*:*:*"], rng.randint(1, 3))
    made[rng.choice(["Action", "Action", "Action", "NotAction"])] = named
    if rng.random() < 0.4:
        made[rng.choice(["Resource", "NotResource"])] = rng.sample(PATTERNS, rng.randint(1, 2))
    if rng.random() < 0.6:
        made["Condition"] = condition(rng)
    return made


def context(rng):
    possible = {
        "g:UserName": [["alice"], ["bob"], ["Alice"], None],
        "g:MFAAge": [["0"], ["2"], None],
        "g:MFAPresent": [["true"], ["FALSE"]],
        "g:TagKeys": [["alice"], ["bob", "Alice"], [], None],
        "G:CurrentTime": [["2020-01-01T00:00:00Z"]],
    }
    return {key: rng.choice(values) for key, values in possible.items() if rng.random() < 0.5}


@pytest.mark.parametrize("seed", range(ROUNDS))
def test_the_evaluator_and_the_decider_agree(seed):
    rng = random.Random(seed)
    vague = asked = 0
    for _ in range(250):
        statements = [statement(rng) for _ in range(rng.randint(1, 4))]
        document = {"Version": "5.0", "Statement": statements}
        policy = Policy.load(document)
        for _ in range(4):
            action, resource, known = rng.choice(ACTIONS), rng.choice(RESOURCES), context(rng)
            known.setdefault("g:CurrentTime", ["2020-01-01T00:00:00Z"])
            aliases = [name for name in actions.names(action) if name.lower() != action.lower()]
            expected = policy_decider.decide(statements, action, aliases=aliases, resource=resource, context=known)
            found = policy.decide(action, resource=resource, context=known)
            asked += 1
            if found.effect != expected:
                assert found.effect == "unknown", (document, action, resource, known, expected, found.reason)
                vague += 1
    assert vague <= asked // 100, f"{vague} of {asked} questions are unknown although every case has one answer"


def test_the_decider_itself():
    """Sentences of the documents, so that a fault of both is not taken for agreement."""
    allow = {"Effect": "Allow", "Action": ["ecs:*:get*"]}
    deny = {"Effect": "Deny", "Action": ["ECS:*:*"], "Condition": {"Bool": {"g:MFAPresent": ["false"]}}}
    ask = policy_decider.decide
    assert ask([allow], "ecs:cloudServers:get") == "allow"
    assert ask([allow], "ecs:cloudServers:list") == "deny"
    assert ask([allow, deny], "ecs:cloudServers:get") == "unknown"
    assert ask([allow, deny], "ecs:cloudServers:get", context={"g:MFAPresent": True}) == "allow"
    assert ask([allow, deny], "ecs:cloudServers:get", context={"g:mfapresent": False}) == "deny"
    assert ask([{**allow, "Resource": ["ecs:*:*:instance:a"]}], "ecs:x:get", resource="ecs:r:d:instance:a") == "allow"
    assert ask([{**allow, "Resource": ["ecs:*:*:instance:a"]}], "ecs:x:get") == "unknown"
    assert ask([{**allow, "Resource": ["ecs:*:*:instance:a"]}], "ecs:x:get", resource="*") == "deny"
