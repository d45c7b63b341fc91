"""The laws of policies: what may be written otherwise and says the same, and what a change can never do."""

from __future__ import annotations

import re
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.cloud.calls import actions
from pytest_hwcloud.cloud.patterns import ActionIndex, glob
from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.permissions.lock.minimise import minimise
from pytest_hwcloud.permissions.lock.model import Entry, Lock, Permission
from pytest_hwcloud.permissions.policies import lint
from pytest_hwcloud.permissions.policies.diff import compare

RANK = {"deny": 0, "unknown": 1, "allow": 2}
WORD = st.sampled_from(["ecs", "vpc", "*", "cloudServers", "get", "list*", "showServer", "?et", "delete"])
LETTERS = st.text("ab:", max_size=7)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.text("ab:*?", max_size=8), LETTERS)
def test_a_pattern_means_what_its_expression_means(pattern: str, text: str) -> None:
    expression = "".join({"*": ".*", "?": "."}.get(letter, letter) for letter in pattern)
    assert glob(pattern)(text) == (re.fullmatch(expression, text) is not None)


def test_many_patterns_are_found_as_if_tried_one_by_one() -> None:
    random = Random(13)

    def text(letters: str) -> str:
        words = ("".join(random.choices(letters, k=random.randint(1, 6))) for _ in range(2))
        return ":".join((random.choice(["s", "s", "t", letters[-1]]), *words))

    for _ in range(20):
        patterns = sorted({text("abc*") for _ in range(90)})
        index = ActionIndex((pattern, pattern) for pattern in patterns)
        for action in [*(text("abc") for _ in range(20)), *random.sample(patterns, 10)]:
            assert sorted(set(index.find(action))) == [one for one in patterns if glob(one)(action)]


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
LAW = settings(max_examples=60, deadline=None, derandomize=True, database=None)
STATEMENTS = st.lists(statement(), min_size=1, max_size=4)


def load(statements):
    return Policy.load({"Version": "5.0", "Statement": list(statements)})


def ask(policy, question):
    action, resource, context = question
    return policy.decide(action, resource=resource, context=context).effect


def effect(statements, question):
    return ask(load(statements), question)


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
    for one in shuffled:
        for key in one.keys() - {"Effect", "Condition"}:
            one[key] = random.sample(one[key], len(one[key]))
    files = [load(part) for part in (shuffled[cut:], shuffled[:cut])]
    assert ask(Policy.combine(files), question) == effect(statements, question)


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


def _with(one, **changes):
    return {**one, **changes}


@LAW
@given(STATEMENTS, QUESTION)
def test_a_statement_said_twice_or_in_parts_says_the_same(statements, question):
    expected = effect(statements, question)
    assert effect([*statements, *statements], question) == expected
    for key in ("Action", "Resource"):  # alternatives; NotAction and NotResource are not
        parts = [_with(one, **{key: [item]}) for one in statements for item in one.get(key, [None]) if item]
        rest = [one for one in statements if key not in one]
        assert effect([*parts, *rest], question) == expected
    # `Resource` absent is `Resource: *`.
    named = [one if {"Resource", "NotResource"} & one.keys() else _with(one, Resource=["*"]) for one in statements]
    assert effect(named, question) == expected


@LAW
@given(STATEMENTS, st.integers(0, 20), st.integers(0, 20), QUESTION)
def test_a_wider_wildcard_allows_no_less_and_denies_no_less(statements, which, place, question):
    """Action only: what NotAction names more, it takes away."""
    at = which % len(statements)
    one = statements[at]
    if "Action" not in one:
        return
    parts = one["Action"][0].split(":")
    parts[place % len(parts)] = "*"
    wider = [*statements]
    wider[at] = _with(one, Action=[":".join(parts), *one["Action"][1:]])
    before, after = RANK[effect(statements, question)], RANK[effect(wider, question)]
    assert after >= before if one["Effect"] == "Allow" else after <= before


@LAW
@given(STATEMENTS, QUESTION, CONTEXT)
def test_a_further_fact_never_makes_a_known_answer_another(statements, question, more):
    action, resource, context = question
    before = effect(statements, question)
    after = effect(statements, (action, resource, {**more, **context}))
    assert before in ("unknown", after)
    if resource is None:
        for given_resource in ("*", "ecs:r:acc:instance:a"):
            assert before in ("unknown", effect(statements, (action, given_resource, context)))


KNOWN = {"g:UserName": "alice", "g:TagKeys": ["a"], "g:MFAPresent": True, "g:MFAAge": 1}
HOLDING = {"StringEquals": {"g:UserName": ["alice"]}, "ForAllValues:StringEquals": {"g:TagKeys": ["a"]}}
FAILING = {"StringEquals": {"g:UserName": ["bob"]}}


@LAW
@given(STATEMENTS, st.lists(st.sampled_from([True, False, None]), min_size=4, max_size=4), QUESTION)
def test_a_condition_that_is_decided_is_as_none_or_as_no_statement(statements, decided, question):
    bare = [{key: value for key, value in one.items() if key != "Condition"} for one in statements]
    asked = [
        one if holds is None else _with(one, Condition=HOLDING if holds else FAILING)
        for one, holds in zip(bare, decided, strict=False)
    ]
    plain = [one for one, holds in zip(bare, decided, strict=False) if holds is not False]
    action, resource, _ = question
    assert effect(asked, (action, resource, KNOWN)) == effect(plain, (action, resource, KNOWN))


@LAW
@given(STATEMENTS, QUESTION)
def test_names_of_statements_and_of_files_change_nothing(statements, question):
    named = [_with(one, Sid=f"s{number}") for number, one in enumerate(statements)]
    one = Policy.load({"Version": "5.0", "Statement": named}, name="one")
    other = Policy.load({"role": {"display_name": "x", "policy": {"Version": "5.0", "Statement": statements}}})
    assert ask(one, question) == ask(other, question) == effect(statements, question)


@LAW
@given(STATEMENTS, QUESTION)
def test_versions_judge_what_they_share_alike(statements, question):
    shared = [{k: v for k, v in one.items() if k not in ("NotResource", "NotAction")} for one in statements]
    shared = [one for one in shared if "Action" in one]
    older = Policy.load({"Version": "1.1", "Statement": shared})
    assert ask(older, question) == effect(shared, question)


FEW = settings(LAW, max_examples=12)


@settings(LAW, max_examples=4)
@given(STATEMENTS, STATEMENTS)
def test_a_difference_reads_backwards_and_one_with_itself_is_empty(old, new):
    opposite = {
        "gained": "lost",
        "lost": "gained",
        "widened": "narrowed",
        "narrowed": "widened",
        "gained under conditions": "lost under conditions",
        "lost under conditions": "gained under conditions",
        "changed conditions": "changed conditions",
    }
    assert not compare(load(old), load(old))
    forth, back = compare(load(old), load(new)), compare(load(new), load(old))
    for kind, other in opposite.items():
        assert forth.of(kind) == back.of(other)
    for action in forth.of("gained"):
        assert (load(old).decide(action).effect, load(new).decide(action).effect) == ("deny", "allow")


@FEW
@given(st.lists(statement(), min_size=2, max_size=4))
def test_a_statement_that_lint_calls_redundant_changes_nothing(statements):
    document = Policy.load({"Version": "5.0", "Statement": statements}).documents[0]
    inert = {
        remark.statement
        for remark in lint.lint(document)
        if remark.id == "HWP017" and ("changes nothing" in remark.text or "never allow" in remark.text)
    }
    for number in inert:
        rest = [one for index, one in enumerate(statements) if index != number]
        for name in [*NAMES, "ecs:cloudServers:listServersDetails"]:
            for resource in (None, "*", "ecs:r:acc:instance:a"):
                for context in ({}, KNOWN):
                    asked = (name, resource, context)
                    assert effect(statements, asked) == effect(rest, asked)


@FEW
@given(st.lists(st.sampled_from(actions.all_actions()), min_size=1, max_size=30, unique=True))
def test_the_smallest_policy_allows_what_is_needed_and_nothing_else(needed):
    names = sorted({actions.canonical(name) for name in needed})
    lock = Lock(permissions={name: Permission(tests={"t.py::t": (Entry(),)}, calls=frozenset()) for name in names})
    policies = minimise(lock)
    together = Policy.combine(Policy.load(one.document) for one in policies)
    assert all(together.decide(name) for name in names)
    granted = {name.lower() for one in policies for name in one.actions}
    for name in actions.all_actions()[::7]:
        if together.decide(name):
            assert granted & {spelled.lower() for spelled in actions.names(name)}
    for one in policies:  # each alone is needed
        others = Policy.combine(Policy.load(other.document) for other in policies if other is not one)
        assert not all(others.decide(name) for name in names)
