"""Rights: where grants count, what roles depend on, the service control policy as the bound."""

from __future__ import annotations

import pytest

from pytest_hwcloud.cloud.policies.policy import Policy
from pytest_hwcloud.cloud.policies.rights import Grant, Place, Rights


def allow(*actions, version="1.1", name=None, effect="Allow", depends=()):
    document = {"Version": version, "Statement": [{"Effect": effect, "Action": list(actions)}]}
    if depends:
        document["Depends"] = [{"catalog": "BASE", "display_name": name} for name in depends]
    return Policy.load(document, name=name)


LIST = "vpc:vpcs:list"
HERE = {"scope": "project", "project_id": "p1"}
OTHER = {"scope": "project", "project_id": "p2"}
DOMAIN = {"scope": "domain"}
ENTERPRISE = {**HERE, "enterprise_project": "e1", "enterprise_level": True}

# iam.md 4: "The grant counts only in the project of the token/request"; for global services "the grant must be on the
# global scope"; "only actions whose table row says Enterprise Project √ take effect there".
PLACES = [
    ("everywhere", None, HERE, "allow"),
    ("everywhere", None, DOMAIN, "allow"),
    ("everywhere", None, {"scope": "unknown"}, "allow"),
    ("domain", None, DOMAIN, "allow"),
    ("domain", None, HERE, "deny"),
    ("domain", None, {"scope": "unknown"}, "unknown"),
    ("projects", None, HERE, "allow"),
    ("projects", None, OTHER, "allow"),
    ("projects", None, DOMAIN, "deny"),
    ("project", "p1", HERE, "allow"),
    ("project", "p1", OTHER, "deny"),
    ("project", "p1", DOMAIN, "deny"),
    ("project", "p1", {"scope": "project"}, "unknown"),
    ("project", "p1", {"scope": "unknown", "project_id": "p2"}, "deny"),
    ("enterprise", "e1", ENTERPRISE, "allow"),
    ("enterprise", "e1", {**ENTERPRISE, "enterprise_project": "e2"}, "deny"),
    ("enterprise", "e1", {**ENTERPRISE, "enterprise_project": None}, "unknown"),
    ("enterprise", "e1", {**ENTERPRISE, "enterprise_level": False}, "deny"),
    ("enterprise", "e1", {**ENTERPRISE, "enterprise_level": None}, "unknown"),
]


@pytest.mark.parametrize(("on", "target", "place", "effect"), PLACES)
def test_a_grant_counts_where_it_was_given(on, target, place, effect):
    rights = Rights.of([Grant(policy=allow(LIST), on=on, target=target)])
    assert rights.decide(LIST, Place(**place)).effect == effect


def test_what_is_not_known_of_a_place_is_said():
    rights = Rights.of([Grant(policy=allow(LIST, name="eps.json"), on="enterprise", target="e1")])
    assert rights.decide(LIST, Place(**HERE)).reason == (
        'allowed by "vpc:vpcs:list" (statement 1 of eps.json)'
        " if the action takes effect in enterprise projects and the enterprise project of the call is e1"
    )


def test_a_deny_of_another_project_does_not_count():
    rights = Rights.of([allow(LIST), Grant(policy=allow(LIST, effect="Deny"), on="project", target="p2")])
    assert rights.decide(LIST, Place(**HERE)).effect == "allow"
    assert rights.decide(LIST, Place(**OTHER)).effect == "deny"
    assert rights.decide(LIST, Place(scope="project")).effect == "unknown"


def test_identity_policies_count_everywhere():
    rights = Rights.of([Grant(policy=allow(LIST, version="5.0"), on="project", target="p1")])
    assert rights.decide(LIST, Place(**OTHER))


def test_several_policies_and_groups_pool():
    rights = Rights.of(
        [allow("vpc:vpcs:get"), Grant(policy=allow(LIST, name="b.json"), on="projects", group="readers")]
    )
    decision = rights.decide(LIST, Place(**HERE))
    assert (decision.effect, decision.policy) == ("allow", "b.json")
    assert len(rights.policies) == 2
    assert repr(rights) == "Rights(policy document, b.json)"


def test_no_policy_at_all_allows_nothing():
    assert Rights.of([]).decide(LIST).effect == "deny"


@pytest.mark.parametrize(
    ("on", "target", "text"),
    [
        ("region", None, "a grant is on one of everywhere, domain, projects, project, enterprise, not 'region'"),
        ("project", None, "a grant on 'project' needs the id of one"),
        ("domain", "p1", "a grant on 'domain' has no target"),
    ],
)
def test_a_wrong_grant(on, target, text):
    with pytest.raises(ValueError) as caught:
        Grant(policy=allow(LIST), on=on, target=target)
    assert str(caught.value) == text


# iam.md 1: the depended-on roles must also be granted ("only then does it take effect").


def test_a_role_without_the_roles_it_depends_on_is_undecided():
    role = allow("DNS:Zone:*", version="1.0", name="DNS Administrator", depends=["Tenant Guest", "VPC Administrator"])
    decision = Rights.of([role]).decide("dns:zone:list")
    assert decision.effect == "unknown"
    assert decision.reason.endswith("if Tenant Guest and VPC Administrator, on which it depends, are granted")
    guest, vpc = (
        allow("*:*:Get*", version="1.0", name="system:Tenant Guest"),
        allow("vpc:*:*", name="VPC administrator"),
    )
    assert Rights.of([role, guest]).decide("dns:zone:list").effect == "unknown"
    assert Rights.of([role, guest, vpc]).decide("dns:zone:list").effect == "allow"


# iam.md 4: SCP grants nothing, only bounds; effective = identity ∩ SCP; an explicit Deny in any type wins.


@pytest.mark.parametrize(
    ("own", "bound", "effect", "policy"),
    [
        (allow(LIST, name="own"), allow("vpc:*:*", version="5.0", name="scp"), "allow", "own"),
        (allow(LIST, name="own"), allow("ecs:*:*", version="5.0", name="scp"), "deny", None),
        (allow(LIST, name="own"), allow(LIST, version="5.0", name="scp", effect="Deny"), "deny", "scp"),
        (allow("ecs:*:*", name="own"), allow("*:*:*", version="5.0", name="scp"), "deny", None),
        (allow(LIST, name="own", effect="Deny"), allow("*:*:*", version="5.0", name="scp"), "deny", "own"),
    ],
)
def test_a_service_control_policy_bounds(own, bound, effect, policy):
    decision = Rights.of([own], bound=bound).decide(LIST)
    assert (decision.effect, decision.policy) == (effect, policy)


def test_the_bound_is_named_and_may_be_undecided():
    scp = Policy.load(
        {
            "Version": "5.0",
            "Statement": [
                {"Effect": "Allow", "Action": ["*:*:*"]},
                {"Effect": "Deny", "Action": [LIST], "Condition": {"Bool": {"g:MFAPresent": "false"}}},
            ],
        },
        name="scp",
    )
    rights = Rights.of([allow(LIST)], bound=scp)
    decision = rights.decide(LIST)
    assert decision.effect == "unknown"
    assert decision.reason.startswith("the service control policy bounds it: denied by")
    assert rights.decide(LIST, context={"g:MFAPresent": "true"})
    assert repr(rights) == "Rights(policy document; bound scp)"


def test_a_grant_makes_new_rights_and_leaves_the_old_ones():
    old = Rights.of([allow(LIST)])
    new = old.granting(["ecs:cloudServers:start"])
    assert new.decide("ecs:cloudServers:start")
    assert not old.decide("ecs:cloudServers:start")
    assert new.decide("ecs:cloudServers:start").policy == "hwcloud.grant"


@pytest.mark.parametrize(
    ("versions", "grammar"), [(["1.1"], "1.1"), (["5.0"], "5.0"), (["5.0", "1.1"], "1.1"), ([], "1.1")]
)
def test_grammar_of_an_identity(versions, grammar):
    assert Rights.of([allow(LIST, version=version) for version in versions]).grammar == grammar


def test_what_the_rights_ask_of_a_request():
    plain, limited = Rights.of([allow(LIST)]), {"Effect": "Allow", "Action": [LIST]}
    assert not plain.conditional
    assert not plain.about_resources
    on = Policy.load({"Version": "1.1", "Statement": [{**limited, "Resource": ["vpc:*:*:vpc:a"]}]})
    when = Policy.load({"Version": "1.1", "Statement": [{**limited, "Condition": {"Bool": {"g:MFAPresent": "true"}}}]})
    assert Rights.of([on]).about_resources
    assert Rights.of([when]).conditional
    assert Rights.of([allow(LIST)], bound=when).conditional


# what a denial says of a grant that does not count where the call is made
ELSEWHERE = [
    ("domain", None, HERE, "granted on the domain, which counts for global services only"),
    ("projects", None, DOMAIN, "granted on all projects, which does not count for global services"),
    ("project", "p1", DOMAIN, "granted on project p1, which does not count for global services"),
    ("project", "p1", OTHER, "granted on project p1 only"),
    ("enterprise", "e1", {**ENTERPRISE, "enterprise_project": "e2"}, "granted on enterprise project e1 only"),
    (
        "enterprise",
        "e1",
        {**ENTERPRISE, "enterprise_level": False},
        "granted on enterprise project e1, where this action takes no effect",
    ),
]


@pytest.mark.parametrize(("on", "target", "place", "text"), ELSEWHERE)
def test_a_grant_elsewhere_is_named_in_the_denial(on, target, place, text):
    rights = Rights.of([Grant(policy=allow(LIST), on=on, target=target), allow("ecs:*:*")])
    decision = rights.decide(LIST, Place(**place))
    assert decision.reason == "no statement allows it; 2 statements looked at"
    assert [entry.why for entry in decision.nearest] == ["no", f"no: {text}"]
    assert decision.considered == 2
