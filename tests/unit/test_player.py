"""Gates before the recorded answer, the identities after it, and a clear text where there is nothing."""

import re

import pytest
import requests
from replaying import HOST, LIST, PROJECT, entry, replaying, signed, state, tape

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.nearest import masked_url
from pytest_hwcloud.cloud.identity import DEFAULT_DOMAIN_ID
from pytest_hwcloud.cloud.tokens import Scope
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.gates.cloud_state import CloudState
from pytest_hwcloud.interceptors.cloud_session import CloudSession
from pytest_hwcloud.interceptors.router import NotRecorded
from pytest_hwcloud.journal import CURRENT
from pytest_hwcloud.replay.player import Player

REFUSED = '{"error": {"message": "no", "code": "Ecs.0110"}}'


@pytest.fixture
def file(tmp_path):
    return tmp_path / "c.yaml"


def session(cloud, auth=None):
    made = CloudSession()
    made.auth = auth or signed(cloud)
    return made


def last():
    return CURRENT.journal.exchanges[-1]


def test_a_call_that_passes_gets_the_recorded_answer_and_is_written_down(file):
    cloud = state()
    with replaying(tape(file, entry(body='{"count": 8}')), cloud=cloud):
        assert session(cloud).get(LIST).json() == {"count": 8}
        said = last()
    assert (said.source, said.identity, said.credential, said.gate, said.failure) == (
        "c",
        "default",
        "aksk",
        None,
        None,
    )
    assert said.where[0] == __file__


def test_a_refusal_of_a_gate_takes_the_place_of_a_recorded_success(file):
    cloud = state()
    with replaying(tape(file, entry(), repeat_last=True), cloud=cloud):
        answer = requests.get(LIST)
        assert (answer.status_code, answer.json()["error_code"]) == (401, "APIGW.0301")
        assert (last().source, last().gate) == ("gate", "authentication")


def test_a_recorded_refusal_of_the_same_or_an_earlier_gate_is_given_instead(file):
    cloud = state()
    recorded = '{"error_msg": "Incorrect IAM authentication information: x-auth-token not found", '
    recorded += '"error_code": "APIGW.0301", "request_id": "7775eaa6b4bbe5934e565349bd27c298"}'
    with replaying(tape(file, entry(body=recorded, status=401)), cloud=cloud):
        assert requests.get(LIST).json()["request_id"] == "7775eaa6b4bbe5934e565349bd27c298"
        assert (last().source, last().gate) == ("c", "authentication")


def test_a_recorded_refusal_of_a_later_gate_is_not(file):
    cloud = state()
    with replaying(tape(file, entry(body=REFUSED, status=403)), cloud=cloud):
        assert requests.get(LIST).json()["error_code"] == "APIGW.0301"


def test_a_refusal_counts_as_played(file):
    cloud = state()
    made = tape(file, entry(body="1"), entry(body="2"))
    with replaying(made, cloud=cloud):
        requests.get(LIST)
        assert session(cloud).get(LIST).text == "2"
    assert made.unplayed == []


def test_the_gate_of_a_recorded_refusal_is_read_from_the_answer(file):
    cloud = state()
    with replaying(tape(file, entry(body=REFUSED, status=403)), cloud=cloud):
        session(cloud).get(LIST)
        assert (last().gate, last().failure.code) == ("authorization", "Ecs.0110")


def test_a_token_of_another_project_is_refused_without_any_recording(file):
    cloud = state()
    token = cloud.issue(cloud.identity("default"), Scope("project", PROJECT, "cn-north-4"))
    with replaying(tape(file), cloud=cloud) as player:
        answer = session(cloud, token).get(LIST.replace(PROJECT, "0" * 32))
        assert answer.json()["error"]["code"] == "Common.0018"
        assert last().gate == "scope"
    assert player.unrecorded == []


def test_the_identities_answer_iam_where_no_cassette_does(file):
    cloud = state()
    url = "https://iam.myhuaweicloud.com/v3/projects?name=cn-north-4"
    with replaying(tape(file), cloud=cloud):
        assert session(cloud).get(url).json()["projects"][0]["id"] == PROJECT
        assert last().source == "identity service"
    with replaying(tape(file.with_name("iam.yaml"), entry(url, '{"projects": []}')), cloud=cloud):
        assert session(cloud).get(url).json() == {"projects": []}
        assert last().source == "iam"


def test_the_first_tape_that_has_an_answer_left_gives_it(file):
    cloud = state()
    first, second = tape(file, entry(body="1")), tape(file.with_name("d.yaml"), entry(body="2"), repeat_last=True)
    with replaying(first, second, cloud=cloud):
        assert [session(cloud).get(LIST).text for _ in range(3)] == ["1", "2", "2"]


def test_a_call_that_nothing_answers_is_remembered_also_where_the_code_swallows_it(file):
    cloud = state()
    with replaying(tape(file), cloud=cloud) as player:
        with pytest.raises(NotRecorded) as caught:
            session(cloud).get(LIST)
        assert last().source == "not recorded"
    assert player.unrecorded == [caught.value]
    assert caught.value.request.url == LIST


def text_of(cloud, url, *tapes, **options):
    with replaying(*tapes, cloud=cloud, **options), pytest.raises(NotRecorded) as caught:
        session(cloud).get(url)
    return str(caught.value)


def test_the_text_sets_the_nearest_recording_beside_the_request(file):
    cloud = state()
    url = f"https://ecs.cn-east-3.myhuaweicloud.com/v1/{'a' * 32}/cloudservers/detail?limit=5"
    made = tape(file, entry(f"{HOST}/v1/{PROJECT}/os-keypairs"), entry(body=REFUSED, status=403))
    assert text_of(cloud, url, made).splitlines() == [
        f"hwcloud: no recorded answer for GET {url}",
        "  operation  ecs ListServersDetails",
        "  looked in  c (2 recorded, 0 played)",
        "  nearest    number 2 of c, would have answered 403 Ecs.0110",
        "                      asked                                 recorded",
        "             method   GET                                   GET",
        "             service  ecs                                   ecs",
        "           * region   cn-east-3                             cn-north-4",
        f"           * project  {'a' * 32}      {PROJECT}",
        "             path     /v1/{project_id}/cloudservers/detail  /v1/{project_id}/cloudservers/detail",
        "           * query    limit=5                               -",
        f"  ids        {'a' * 32} is no id of this run: recordings carry the ids of the identity default in place of "
        "the real ones",
        "  either     take the id in the code from hwcloud.credentials().project_id or hwcloud.url(…); the recording "
        "then fits",
        "  or         name the real id in hwcloud.yaml, "
        f"identities: {{default: {{projects: {{cn-east-3: {'a' * 32}}}}}}}, and record it:",
        '             pytest --hwcloud-mode=record "tests/test_x.py::test_y"',
    ]


REAL_PROJECT, REAL_DOMAIN = "7d" * 16, "e0" * 16
WAYS = {
    (f"{HOST}/v1/{REAL_PROJECT}/cloudservers/detail", "project_id", PROJECT): "projects: {cn-north-4: "
    + "7d" * 16
    + "}",
    (f"{HOST}/v1/{REAL_PROJECT}/cloudservers/x", "project_id", PROJECT): "projects: {cn-north-4: " + "7d" * 16 + "}",
    (f"{HOST}/v2/servers?project_id={REAL_PROJECT}", "project_id", PROJECT): "projects: {cn-north-4: "
    + "7d" * 16
    + "}",
    (f"https://iam.myhuaweicloud.com/v3/domains/{REAL_DOMAIN}", "domain_id", DEFAULT_DOMAIN_ID): "domain_id: "
    + "e0" * 16,
}


@pytest.mark.parametrize(("asked", "setting"), WAYS.items())
def test_a_real_id_in_the_code_is_told_with_both_ways_out(file, asked, setting, monkeypatch):
    url, kind, other = asked
    made = tape(
        file,
        entry(),
        entry(f"{HOST}/v2/servers?project_id={PROJECT}"),
        entry(f"https://iam.myhuaweicloud.com/v3/domains/{DEFAULT_DOMAIN_ID}"),
    )
    ours = url.rpartition("=")[2][:32] if "=" in url else re.search("[0-9a-f]{32}", url)[0]
    told = [
        f"  ids        {ours} is no id of this run: recordings carry the ids of the identity default ({other}) in "
        "place of the real ones",
        f"  either     take the id in the code from hwcloud.credentials().{kind} or hwcloud.url(…); the recording then "
        "fits",
        f"  or         name the real id in hwcloud.yaml, identities: {{default: {{{setting}}}}}, and record it:",
        '             pytest --hwcloud-mode=record "tests/test_x.py::test_y"',
    ]
    assert text_of(state(), url, made).splitlines()[-4:] == told
    monkeypatch.setattr(texts._Run, "language", "zh")
    assert text_of(state(), url, made).splitlines()[-4:-1] == [
        f"  ID         {ours} 不是本次运行的 ID：录制文件以身份 default 的 ID（{other}）代替真实 ID",
        f"  方法一     在代码中从 hwcloud.credentials().{kind} 或 hwcloud.url(…) 取得 ID，录制文件即可匹配",
        f"  方法二     在 hwcloud.yaml 中写入真实 ID：identities: {{default: {{{setting}}}}}，并录制：",
    ]


@pytest.mark.parametrize(
    "url",
    [
        f"{HOST}/v1/{PROJECT}/cloudservers/{'b' * 32}",  # the id of a server that is not recorded
        f"{HOST}/v1/{'c' * 32}/other",  # a cassette made elsewhere has this project
    ],
)
def test_an_id_that_is_nobodys_is_no_reason(file, url):
    made = tape(file, entry(f"{HOST}/v1/{PROJECT}/cloudservers/{'d' * 32}"), entry(f"{HOST}/v1/{'c' * 32}/flavors"))
    assert "is no id of this run" not in text_of(state(), url, made)


def test_the_text_says_where_a_recording_would_lie(file, monkeypatch):
    cloud = state()
    monkeypatch.chdir(file.parent)
    own = file.parent / "cassettes" / "test_x" / "test_y.yaml"
    assert text_of(cloud, LIST, own_path=own).splitlines() == [
        f"hwcloud: no recorded answer for GET {LIST}",
        "  operation  ecs ListServersDetails",
        "  looked in  cassettes/test_x/test_y.yaml (no such file yet)",
        '  record     pytest --hwcloud-mode=record "tests/test_x.py::test_y"',
    ]


def test_the_text_calls_no_other_id_a_project(file):
    cloud = state()
    iam = "https://iam.cn-north-4.myhuaweicloud.com/v3/users"
    text = text_of(cloud, f"{iam}/{'b' * 32}/groups", tape(file, entry(f"{iam}/{'a' * 32}/groups")))
    assert f"           * path     /v3/users/{'b' * 32}/groups  /v3/users/{'a' * 32}/groups" in text.splitlines()
    assert "project" not in text


def test_the_text_says_when_everything_was_played(file):
    cloud = state()
    made = tape(file, entry(), entry())
    for _ in range(2):
        made.take(Request("GET", LIST))
    assert "nearest    the same request in c: recorded 2 times, and played as often already" in text_of(
        cloud, LIST, made
    )


def test_the_text_names_the_fault_that_comes_nearest(file):
    cloud = state()
    made = tape(file, entry(fault="tls"), entry(f"{HOST}/other"))
    assert "would have failed with the fault tls" in text_of(cloud, LIST + "?limit=1", made)


def test_the_text_holds_no_secret(file):
    cloud = CloudState(region="cn-north-4")
    who = cloud.identity("default")
    url = f"{LIST}?AWSAccessKeyId=AKIDAKIDAKIDAKID&Signature=s1gn&x-token=t0ken&note={who.sk}&limit=1"
    text = text_of(cloud, url, tape(file, entry(LIST + "?Signature=old")))
    for secret in ("AKIDAKID", "s1gn", "t0ken", who.sk, "Signature=old"):
        assert secret not in text
    assert "limit=1" in text


def test_user_and_password_of_a_url_are_not_shown():
    assert masked_url("https://me:secret@h.com/p?password=a&b=c") == "https://h.com/p?password=***&b=c"


def test_a_long_url_is_cut_in_the_comparison(file):
    text = text_of(state(), LIST + "?q=" + "a" * 4000, tape(file, entry()))
    assert max(map(len, text.splitlines()[1:])) < 300


def test_hosts_of_nobody_s_cloud_are_not_the_player_s(file):
    from pytest_hwcloud.interceptors.router import CURRENT_ROUTER

    with replaying(tape(file), hosts=["*.cloud.test"]) as player:
        found = [
            CURRENT_ROUTER.of(h) for h in ("ecs.cloud.test", "ecs.cn-north-4.myhuaweicloud.com:443", "example.com")
        ]
    assert found == [player, player, None]


def test_a_fault_is_written_down_with_the_network_gate(file):
    cloud = state()
    with replaying(tape(file, entry(fault="dns")), cloud=cloud):
        with pytest.raises(requests.ConnectionError):
            session(cloud).get(LIST)
        assert (last().gate, last().fault, last().answer, last().source) == ("network", "dns", None, "c")


def test_a_player_without_tapes_needs_no_journal():
    before, CURRENT.journal = CURRENT.journal, None
    try:
        with pytest.raises(NotRecorded, match=r"pytest --hwcloud-mode=record$"):
            Player([], state()).answer(Request("GET", LIST, {"x-auth-token": "unknown"}))
    finally:
        CURRENT.journal = before
