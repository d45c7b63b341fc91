"""Names of actions: shapes, spellings, aliases, patterns, suggestions."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pytest_hwcloud.cloud.calls import actions

KNOWN = actions.all_actions()
any_name = st.sampled_from(KNOWN)
modest = settings(max_examples=200, deadline=None, derandomize=True)


def scramble(name: str, seed: int) -> str:
    return "".join(c.upper() if (seed >> i % 30) & 1 else c.lower() for i, c in enumerate(name))


def test_every_documented_name_is_there():
    assert len(KNOWN) > 900
    assert actions.is_known("ecs:servers:list")
    assert actions.is_known("ECS:CLOUDSERVERS:LIST")
    assert not actions.is_known("ecs:cloudServers:lists")


def test_known_names_parse_and_suggest_nothing():
    for name in KNOWN:
        assert str(actions.parse(name, wildcards=False)) == name
        assert actions.names(name)[0] == name
        assert actions.suggest(name) is None


def test_empty_middle_part_is_legal():
    assert actions.parse("sts::decodeAuthorizationMessage") == actions.Action("sts", "", "decodeAuthorizationMessage")
    assert actions.is_known("iam::listAccessKeys")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("ecs", "'ecs' is no action: service:type:operation has two colons"),
        (
            "ecs:cloudServers/list",
            "'ecs:cloudServers/list' is no action: service:type:operation has two colons; "
            "did you mean 'ecs:cloudServers:list'?",
        ),
        (":x:list", "':x:list' is no action: the service is empty (only the middle part may be)"),
        ("ecs:x:", "'ecs:x:' is no action: the operation is empty (only the middle part may be)"),
        ("ecs:x:li st", "'ecs:x:li st' is no action: only letters, digits, '-', '_', '.' and '*' may stand in it"),
        ("ecs:nothing:*", "'ecs:nothing:*' is a pattern; name the actions one by one (no known action matches it)"),
        (
            "tms:predefineTags:*",
            "'tms:predefineTags:*' is a pattern; name the actions one by one; it covers tms:predefineTags:create, "
            "tms:predefineTags:delete, tms:predefineTags:list, tms:predefineTags:update",
        ),
    ],
)
def test_wrong_names_are_refused_with_a_way_out(text, message):
    with pytest.raises(actions.ActionError) as error:
        actions.parse(text, wildcards=False)
    assert str(error.value) == message


def test_patterns_are_read_where_they_may_be():
    assert actions.parse("ecs:*:get*").wildcard
    assert not actions.parse("ecs:servers:get").wildcard


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("ecs:cloudServer:list", "ecs:cloudServers:list"),
        ("esc:cloudServers:list", "ecs:cloudServers:list"),
        ("ecs:cloudServers:resizes", "ecs:cloudServers:resize"),
        ("ecs:server:list", "ecs:servers:list"),
        ("vpc:publicIp:get", "vpc:publicIps:get"),
        ("eip:publicIp:get", "eip:publicIps:get"),
        ("vpd:publicIps:get", "vpc:publicIps:get"),
        ("dss:pool:list", None),
        ("completely:else:where", None),
        ("ecs:servers:list", None),
    ],
)
def test_did_you_mean(typed, meant):
    assert actions.suggest(typed) == meant


@modest
@given(any_name, any_name, st.integers(0, 2**30))
def test_same_is_symmetric_and_blind_to_case(a, b, seed):
    assert actions.same(a, b) == actions.same(b, a)
    assert actions.same(a, scramble(a, seed))
    assert actions.same(scramble(a, seed), b) == actions.same(a, b)
    assert actions.canonical(scramble(a, seed)) == actions.canonical(a)


def test_one_canonical_name():
    for name in KNOWN:
        there = actions.canonical(name)
        assert actions.canonical(there) == there
        assert actions.same(name, there)
        assert actions.is_known(there)


def test_an_alias_of_an_alias_is_no_news():
    for name in KNOWN:
        spellings = {n.lower() for n in actions.names(name)}
        for other in actions.names(name):
            assert {n.lower() for n in actions.names(other)} <= spellings


def test_the_two_names_of_the_guide_are_one():
    assert actions.same("ecs:cloudServers:listServersDetails", "ECS:cloudservers:list")
    assert actions.canonical("ecs:cloudservers:listserversdetails") == "ecs:cloudServers:list"
    assert actions.names("ecs:cloudServers:listServersDetails") == (
        "ecs:cloudServers:listServersDetails",
        "ecs:cloudServers:list",
    )


def test_a_broad_old_name_allows_the_finer_ones_and_is_none_of_them():
    assert "ecs:cloudServers:get" in actions.names("ecs:cloudServers:showServer")
    assert actions.names("ecs:cloudServers:get") == ("ecs:cloudServers:get",)
    assert not actions.same("ecs:cloudServers:get", "ecs:cloudServers:showServer")
    assert not actions.same("ecs:cloudServers:listServerGroups", "ecs:cloudServers:list")
    assert actions.names("ecs:cloudServers:list") == ("ecs:cloudServers:list",)  # it opens more than its heir does


def test_names_with_one_use_allow_each_other():
    assert set(actions.names("iam::createAccessKey")) == set(actions.names("iam:credentials:createCredential"))
    assert actions.canonical("iam::createAccessKey") == "iam:credentials:createCredential"
    assert actions.canonical("elb:recycleBin:get") == "elb:recycleBin:show"


def test_patterns_cover_what_they_say():
    assert actions.expand("evs:backupTags:get*") == ("evs:backupTags:get", "evs:backupTags:getById")
    assert actions.expand("ECS:servers:LIST") == ("ecs:servers:list",)
    assert actions.expand("*") == KNOWN
    assert set(actions.expand("ecs:*")) == set(actions.all_actions("ecs"))
    assert actions.expand("no:such:thing") == ()


def test_access_levels_where_documented():
    assert actions.access_level("ecs:cloudServers:listServersDetails") == "list"
    assert actions.access_level("ecs:cloudservers:list") == "list"
    assert actions.access_level("ecs:servers:list") is None


def test_unknown_names_stay_as_they_are():
    assert actions.canonical("my:own:Thing") == "my:own:Thing"
    assert actions.names("my:own:Thing") == ("my:own:Thing",)
    assert actions.tables_of("vpc:publicIps:get") == ("cci", "dds", "eip", "vpc")
    assert actions.tables_of("my:own:Thing") == ("my",)
