"""The replayed cloud: identities, tokens, rights and the lock-out."""

from __future__ import annotations

import contextlib
import threading
from datetime import UTC, timedelta

import pytest
from clock import NOW, Clock

from pytest_hwcloud.cloud.identity import Identity, UnknownName, default_identity
from pytest_hwcloud.cloud.tokens import domain_scope
from pytest_hwcloud.gates.cloud_state import CloudState

AUDITOR = Identity(name="auditor", user="auditor", ak="AUDITORAK", sk="sk")


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(clock: Clock) -> CloudState:
    return CloudState({"default": default_identity(), "auditor": AUDITOR}, region="cn-north-4", clock=clock)


def test_identities_by_name_and_key(state: CloudState) -> None:
    assert state.identity("auditor") is AUDITOR
    assert state.by_ak("AUDITORAK") is AUDITOR
    assert state.by_ak(state.identity("default").ak) is state.identity("default")
    assert state.by_ak("AKOFANOTHERCLOUD") is None
    with pytest.raises(UnknownName, match=r"unknown identity 'auditer'; did you mean 'auditor'"):
        state.identity("auditer")


def test_an_identity_without_keys_is_found_by_none() -> None:
    assert CloudState({"x": Identity(name="x")}, region="cn-north-4").by_ak("") is None


def test_the_stand_in_is_the_default_or_the_first() -> None:
    assert CloudState(region="cn-north-4").stand_in == "default"
    assert CloudState({"z": AUDITOR, "a": AUDITOR}, region="cn-north-4").stand_in == "z"


def test_the_clock_is_utc() -> None:
    state = CloudState(region="cn-north-4")
    assert state.clock().tzinfo is UTC


def test_an_issued_token_is_known_and_fresh(state: CloudState) -> None:
    me = state.identity("default")
    token = state.issue(me, domain_scope(me))
    assert state.token(token.value) is token
    assert state.token("MIIX") is None
    assert (token.issued_at, token.expires_at) == (NOW, NOW + timedelta(hours=24))
    assert state.issue(me, domain_scope(me)).value != token.value
    assert token.value not in repr(token)


def test_rights_are_frozen_when_a_token_is_issued(state: CloudState) -> None:
    before, after = object(), object()
    state.set_rights("default", before)  # type: ignore[arg-type]
    me = state.identity("default")
    token = state.issue(me, domain_scope(me))
    state.set_rights("default", after)  # type: ignore[arg-type]
    assert token.rights is before
    assert state.issue(me, domain_scope(me)).rights is after
    state.set_rights("default", None)
    assert state.issue(me, domain_scope(me)).rights is None
    assert state.rights_version == 3


def test_a_grant_counts_for_signatures_at_once_and_for_new_tokens_only(state: CloudState) -> None:
    me = state.identity("default")
    old = state.issue(me, domain_scope(me))
    with state.grant(["ecs:cloudServers:list"]) as grant:
        assert state.granted_to(None) == (grant,)
        assert state.granted_to(old) == ()
        new = state.issue(me, domain_scope(me))
        assert state.granted_to(new) == (grant,)
    assert state.granted_to(None) == ()
    assert state.granted_to(new) == (grant,)  # its rights were frozen inside the block


def test_a_denial_holds_inside_its_block_even_if_the_block_fails(state: CloudState) -> None:
    with state.deny(["ecs:cloudServers:list"], request_id="r1") as outer:
        with contextlib.suppress(KeyError), state.deny(["ecs:cloudServers:list"], request_id="r1"):
            assert len(state.denied) == 2
            raise KeyError
        assert state.denied == [outer]  # the same actions twice: each block ends its own
        assert (outer.actions, outer.request_id) == (("ecs:cloudServers:list",), "r1")
    assert state.denied == []
    assert state.rights_version == 4


def test_the_sixth_failure_in_a_row_locks_a_key_for_five_minutes(state: CloudState, clock: Clock) -> None:
    for _ in range(5):
        state.fail("AK")
    assert not state.locked("AK")
    state.fail("AK")
    assert state.locked("AK")
    assert not state.locked("OTHER")
    clock.now += timedelta(minutes=4, seconds=59)
    assert state.locked("AK")
    clock.now += timedelta(seconds=1)
    assert not state.locked("AK")
    state.fail("AK")
    assert not state.locked("AK")  # the row began anew


def test_a_success_ends_the_row(state: CloudState) -> None:
    for _ in range(5):
        state.fail("AK")
    state.succeed("AK")
    state.fail("AK")
    assert not state.locked("AK")


def test_a_new_test_does_not_inherit_failures(state: CloudState) -> None:
    for _ in range(6):
        state.fail("AK")
    state.begin_test()
    assert not state.locked("AK")


def test_failures_from_threads_all_count(state: CloudState) -> None:
    threads = [threading.Thread(target=state.fail, args=("AK",)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert state.locked("AK")


def test_a_temporary_key_belongs_to_its_identity(state: CloudState) -> None:
    key = state.issue_key(AUDITOR, timedelta(minutes=15))
    assert state.by_ak(key.ak) is AUDITOR
    assert key.expires_at == NOW + timedelta(minutes=15)
    assert key.sk not in repr(key)
    assert key.token is not None
    assert key.token not in repr(key)
