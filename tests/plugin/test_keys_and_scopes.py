"""Keys in the environment, the shared cloud of wider fixtures, tests that become cloud tests while they are run."""

from __future__ import annotations

import os

import aiohttp  # what is imported here stays imported in every run below
import httpx
import huaweicloudsdkobs.v1
import obs
import pytest
from permission_project import HEAD, Run, policy

assert all((aiohttp, httpx, huaweicloudsdkobs, obs))

KEYS = """
import os
import pytest

FAMILIES = ("HUAWEICLOUD_SDK_", "HW_", "OS_", "AWS_", "OBS_")

def keys():
    return {name: value for name, value in os.environ.items() if name.startswith(FAMILIES)}
"""
WANTED = {
    "HUAWEICLOUD_SDK_AK", "HUAWEICLOUD_SDK_SK", "HUAWEICLOUD_SDK_PROJECT_ID", "HUAWEICLOUD_SDK_DOMAIN_ID",
    "HW_ACCESS_KEY", "HW_SECRET_KEY", "HW_REGION_NAME", "HW_PROJECT_ID", "HW_DOMAIN_ID", "HW_DOMAIN_NAME",
    "OBS_ACCESS_KEY_ID", "OBS_SECRET_ACCESS_KEY", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY",
    "OS_AUTH_URL", "OS_USERNAME", "OS_PASSWORD", "OS_USER_DOMAIN_NAME", "OS_PROJECT_NAME", "OS_PROJECT_ID",
    "OS_REGION_NAME", "OS_IDENTITY_API_VERSION",
}  # fmt: skip


@pytest.fixture
def foreign(monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Another user's keys in the environment of the run."""
    for name in [name for name in os.environ if name.startswith(("HUAWEICLOUD_SDK_", "HW_", "OS_", "AWS_", "OBS_"))]:
        monkeypatch.delenv(name)
    given = {
        "HUAWEICLOUD_SDK_AK": "another-ak", "HUAWEICLOUD_SDK_SECURITY_TOKEN": "another-token",
        "OS_TENANT_NAME": "theirs",
        "OS_CLOUD": "prod", "HW_PROFILE": "prod", "AWS_SESSION_TOKEN": "another-session", "AWS_PROFILE": "prod",
        "AWS_CA_BUNDLE": "/ca.pem",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    return given


def test_the_fixture_puts_the_keys_of_the_identity_into_the_environment(run: Run, foreign: dict[str, str]) -> None:
    body = f"""
BEFORE = keys()

def test_with(hwcloud_env, hwcloud):
    found = keys()
    assert found.pop("AWS_CA_BUNDLE") == "/ca.pem"  # no key, and children need it
    assert found == hwcloud_env
    assert set(found) == {WANTED!r}
    who = hwcloud.credentials()
    assert (found["HUAWEICLOUD_SDK_AK"], found["HW_SECRET_KEY"]) == (who.ak, who.sk)
    assert found["OS_AUTH_URL"] == "https://iam.cn-north-4.myhuaweicloud.com/v3"
    assert found["OS_PROJECT_ID"] == found["HUAWEICLOUD_SDK_PROJECT_ID"] == who.project_id
    os.environ["HW_LEFT"] = "behind"

def test_without(hwcloud):
    assert keys() == BEFORE == {foreign!r}
"""
    run(KEYS + body).assert_outcomes(passed=2)


def test_with_the_ini_option_every_cloud_test_has_them(
    run: Run, pytester: pytest.Pytester, foreign: dict[str, str]
) -> None:
    (pytester.path / "hwcloud.yaml").write_text("identities: {auditor: {}}\n")
    pytester.makeini("[pytest]\nhwcloud_env = true\n")
    body = """
@pytest.fixture
def made():
    return keys()["HUAWEICLOUD_SDK_AK"]

@pytest.mark.hwcloud_identity("auditor")
def test_auditor(made, hwcloud):
    assert made == os.environ["AWS_ACCESS_KEY_ID"] == hwcloud.identity("auditor").ak

def test_default(hwcloud):
    assert os.environ["AWS_ACCESS_KEY_ID"] == hwcloud.identity("default").ak

def test_no_cloud_test():
    assert os.environ["HUAWEICLOUD_SDK_AK"] == "another-ak"
"""
    run(KEYS + body).assert_outcomes(passed=3)


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("[pytest]\nhwcloud_env = perhaps\n", "ini option hwcloud_env = 'perhaps': true or false is expected"),
        (
            "[pytest]\nhwcloud_max_age = -1\n",
            "ini option hwcloud_max_age = '-1': a whole number of days up to 36500 is expected, 0 for never",
        ),
    ],
)
def test_a_wrong_value_of_an_ini_option_names_it(run: Run, pytester: pytest.Pytester, ini: str, message: str) -> None:
    pytester.makeini(ini)
    result = run("def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert f"ERROR: {message}" in result.stderr.str()


DAYS = "a whole number of days up to 36500 is expected, 0 for never"
NATIVE = [
    ("hwcloud_max_age = 90", ""),
    ("hwcloud_env = true", ""),
    ("hwcloud_region = 'cn-east-3'", ""),
    ("hwcloud_hosts = ['*.example.com']", ""),
    ("hwcloud_max_age = 'soon'", f"ini option hwcloud_max_age = 'soon': {DAYS}"),
    ("hwcloud_max_age = 100000000000000000000", f"ini option hwcloud_max_age = {10**20}: {DAYS}"),
    ("hwcloud_env = 'yes'", "ini option hwcloud_env = 'yes': true or false is expected"),
    ("hwcloud_region = 4", "ini option hwcloud_region = 4: a text is expected"),
    ("hwcloud_mode = ['live']", "ini option hwcloud_mode = ['live']: a text is expected"),
    ("hwcloud_policy = 'iam/x.json'", "ini option hwcloud_policy = 'iam/x.json': a list of texts is expected"),
    ("hwcloud_hosts = [1]", "ini option hwcloud_hosts = [1]: a list of texts is expected"),
    ("hwcloud_verify = 'no'", "ini option hwcloud_verify = 'no': true or false is expected"),
    ('hwcloud_config = "a\\u0000b"', "option hwcloud_config = 'a\\x00b': no file can have this name"),
    ('hwcloud_lockfile = "a\\u0000b"', "option hwcloud_lockfile = 'a\\x00b': no file can have this name"),
    ('hwcloud_policy = ["a\\u0000b"]', "option hwcloud_policy = 'a\\x00b': no file can have this name"),
]  # fmt: skip


@pytest.mark.parametrize(("line", "message"), NATIVE)
def test_native_values_of_pyproject(run: Run, pytester: pytest.Pytester, line: str, message: str) -> None:
    (pytester.path / "tox.ini").unlink(missing_ok=True)
    (pytester.path / "pyproject.toml").write_text(f"[tool.pytest]\n{line}\n")
    result = run("def test_it(hwcloud): pass")
    if not message:
        result.assert_outcomes(passed=1)
    else:
        assert (result.ret, result.stderr.str().strip()) == (pytest.ExitCode.USAGE_ERROR, f"ERROR: {message}")


@pytest.mark.parametrize(
    ("option", "message"),
    [
        ("--hwcloud-verify", "--hwcloud-verify needs --hwcloud-mode=live; this run is in replay mode"),
        ("--hwcloud-record=all", "--hwcloud-record=all needs --hwcloud-mode=record; this run is in replay mode"),
    ],
)
def test_an_option_without_its_mode_is_an_error(run: Run, option: str, message: str) -> None:
    result = run("def test_it(): pass", option)
    assert (result.ret, result.stderr.str().strip()) == (pytest.ExitCode.USAGE_ERROR, f"ERROR: {message}")


def test_a_program_with_keys_of_its_own_is_the_identity_that_has_them(run: Run, pytester: pytest.Pytester) -> None:
    file = policy(pytester.path, "iam/reader.json", ("vpc:*:list*",))
    (pytester.path / "hwcloud.yaml").write_text(
        f"identities:\n  default: {{ak: dummy-ak, sk: dummy-sk, policies: [{file}]}}\n"
    )
    body = """
import requests
from pytest_hwcloud import AkSkAuth

@pytest.mark.hwcloud_cassette("success/list-servers")
@pytest.mark.parametrize("sk", ["dummy-sk", "another-sk"])
def test_it(hwcloud, sk):
    url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
    answer = requests.get(url, auth=AkSkAuth("dummy-ak", sk))
    call, = hwcloud.exchanges
    assert call.identity == "default"
    assert (answer.status_code, call.gate) == ((403, "authorization") if sk == "dummy-sk" else (401, "authentication"))
"""
    run(HEAD + body).assert_outcomes(passed=2)


def test_wider_fixtures_share_a_cloud(run: Run, pytester: pytest.Pytester) -> None:
    policy(pytester.path, "iam/reader.json", ("vpc:*:list*",))
    (pytester.path / "hwcloud.yaml").write_text("identities: {judged: {policies: [iam/reader.json]}}\n")
    body = """
@pytest.fixture(scope="session")
def session(hwcloud_shared):
    return hwcloud_shared.session()

@pytest.fixture(scope="module")
def judged(hwcloud_shared):
    token = hwcloud_shared.token(identity="judged")
    assert (token.identity, hwcloud_shared.credentials("judged").region) == ("judged", "cn-north-4")
    return hwcloud_shared.session("judged")

@pytest.mark.hwcloud_cassette("success/list-servers")
def test_answered(session, judged, hwcloud):
    url = hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
    assert session.get(url).status_code == 200
    refused = judged.get(url)
    assert refused.status_code == 403
    assert [e.identity for e in hwcloud.exchanges] == ["default", "judged"]
    assert "ecs:cloudServers:list" in str(hwcloud.explain(refused))

def test_is_a_cloud_test_by_its_fixture(hwcloud_shared):
    assert repr(hwcloud_shared) == "<hwcloud: replay, identity default, region cn-north-4>"
    assert hwcloud_shared.url("ecs", "/v1/x") == "https://ecs.cn-north-4.myhuaweicloud.com/v1/x"
    assert hwcloud_shared.explain("Ecs.0110").code == "Ecs.0110"
"""
    run(HEAD + body).assert_outcomes(passed=2)


GET = """
import requests

def answer():
    return requests.get("https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail",
                        headers={"X-Auth-Token": "x"})
"""
NAMED = 'hwcloud_cassette("authentication/token-undecryptable")'
BECOMING = {
    "hook": """
def test_it():
    assert answer().status_code == 401
""",
    "pytestmark": f"""
pytestmark = [pytest.mark.{NAMED}]
def test_it():
    assert answer().status_code == 401
""",
    "class": f"""
class TestAll:
    pytestmark = pytest.mark.{NAMED}
    def test_it(self):
        assert answer().status_code == 401
""",
    "parametrize": f"""
@pytest.mark.parametrize("n", [pytest.param(1, marks=pytest.mark.{NAMED})])
def test_it(n):
    assert answer().status_code == 401
""",
    "test": """
def test_it(request):
    session = request.getfixturevalue("hwcloud_session")
    with pytest.raises(Exception, match="cassettes/test_it/test_it.yaml"):
        session.get("https://ecs.cn-north-4.myhuaweicloud.com/v1/x")
""",
    "fixture": """
@pytest.fixture
def cloud(request):
    return request.getfixturevalue("hwcloud")

def test_it(cloud):
    assert cloud.session().auth
    assert cloud.exchanges == []
""",
}


@pytest.mark.parametrize("way", [way for way in BECOMING if way not in ("hook", "test")])
def test_a_cloud_test_is_seen_wherever_it_becomes_one(run: Run, way: str) -> None:
    run("import pytest\n" + GET + BECOMING[way]).assert_outcomes(passed=1)


def test_markers_that_a_hook_adds_after_collection_count(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        f"import pytest\ndef pytest_collection_modifyitems(items):\n"
        f"    for item in items:\n        item.add_marker(pytest.mark.{NAMED})\n"
    )
    both = BECOMING["hook"] + "\ndef test_cloud(hwcloud):\n    assert answer().status_code == 401\n"
    run("import pytest\n" + GET + both).assert_outcomes(passed=2)


def test_a_wrong_marker_that_a_hook_adds_is_one_line(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeconftest(
        "import pytest\ndef pytest_collection_modifyitems(items):\n"
        "    for item in items:\n        item.add_marker(pytest.mark.requires_permission('ecs:cloudServer:list'))\n"
    )
    result = run("def test_it(): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    assert (
        "ERROR: test_it.py:1: @pytest.mark.requires_permission: HWP010 unknown-action ecs:cloudServer:list: "
        "no such action is documented; did you mean ecs:cloudServers:list?"
    ) in result.stderr.str()


def test_a_fixture_that_a_test_asks_for_while_it_runs_makes_it_a_cloud_test(run: Run) -> None:
    body = """
def test_swallows(request):
    session = request.getfixturevalue("hwcloud_session")
    try:
        session.get("https://ecs.cn-north-4.myhuaweicloud.com/v1/x")
    except Exception:
        pass

def test_refused(request):
    cloud = request.getfixturevalue("hwcloud")
    cloud.assert_ok(answer())

def test_plain():
    pass
"""
    result = run("import pytest\n" + GET + body)
    result.assert_outcomes(passed=1, failed=2)
    text = result.stdout.str()
    assert "NotRecorded" in text or "not recorded" in text
    assert "test_it.py::test_swallows" in text


def test_a_wider_fixture_that_asks_while_it_is_made_reaches_every_test_that_has_it(run: Run) -> None:
    body = """
@pytest.fixture(scope="session")
def cloud(request):
    return request.getfixturevalue("hwcloud_shared")

@pytest.mark.parametrize("n", [1, 2])
def test_it(cloud, n):
    try:
        cloud.session().get("https://ecs.cn-north-4.myhuaweicloud.com/v1/x")
    except Exception as error:
        assert type(error).__name__ == "NotRecorded"
    else:
        raise AssertionError("answered")
"""
    result = run("import pytest\n" + body)
    result.assert_outcomes(failed=2)
    assert "answered" not in result.stdout.str()


def test_the_names_for_annotations() -> None:
    from pytest_hwcloud import Exchange, HwCloud, Identity

    assert [one.__module__ for one in (HwCloud, Exchange, Identity)] == [
        "pytest_hwcloud.run.hwcloud",
        "pytest_hwcloud.journal",
        "pytest_hwcloud.cloud.identity",
    ]


CLIENTS = """
import pickle, copy, threading
import pytest

pytestmark = pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")

def url(hwcloud):
    return hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail")
"""
RAISED = {
    "urllib": """
import urllib.request
def test_it(hwcloud):
    signed = __import__("pytest_hwcloud").sign("GET", url(hwcloud), {}, b"", ak=hwcloud.credentials().ak,
                                               sk=hwcloud.credentials().sk)
    with hwcloud.refused("Ecs.0110", gate="authorization") as refusal:
        urllib.request.urlopen(urllib.request.Request(url(hwcloud), headers=signed))
    assert refusal.status == 403
    assert b"Ecs.0110" in refusal.error.read()
""",
    "httpx": """
import httpx
def test_it(hwcloud):
    signed = __import__("pytest_hwcloud").sign("GET", url(hwcloud), {}, b"", ak=hwcloud.credentials().ak,
                                               sk=hwcloud.credentials().sk)
    with hwcloud.refused("Ecs.0110", gate="authorization"):
        httpx.get(url(hwcloud), headers=signed).raise_for_status()
""",
    "aiohttp": """
import asyncio, aiohttp
def test_it(hwcloud):
    signed = __import__("pytest_hwcloud").sign("GET", url(hwcloud), {}, b"", ak=hwcloud.credentials().ak,
                                               sk=hwcloud.credentials().sk)
    async def ask():
        async with aiohttp.ClientSession(raise_for_status=True) as session:
            await session.get(url(hwcloud), headers=signed)
    with hwcloud.refused("Ecs.0110", gate="authorization"):
        asyncio.run(ask())
""",
    "own class": """
class Refused(Exception): pass
def test_it(hwcloud):
    with hwcloud.refused("Ecs.0110"):
        answer = hwcloud.session().get(url(hwcloud))
        raise Refused(f"servers: HTTP {answer.status_code}, Ecs.0110")
""",
}


@pytest.mark.parametrize("client", RAISED)
def test_refused_catches_what_a_client_raises(run: Run, client: str) -> None:
    run(CLIENTS + RAISED[client]).assert_outcomes(passed=1)


def test_refused_lets_other_errors_through(run: Run) -> None:
    body = """
def test_it(hwcloud):
    with pytest.raises(KeyError):
        with hwcloud.refused("Ecs.0110"):
            hwcloud.session().get(url(hwcloud)).json()["servers"]
"""
    run(CLIENTS + body).assert_outcomes(passed=1)


def test_sessions_and_tokens_are_copied_and_pickled(run: Run) -> None:
    body = """
import requests
@pytest.mark.parametrize("again", [copy.deepcopy, copy.copy, lambda one: pickle.loads(pickle.dumps(one))])
def test_it(hwcloud, hwcloud_session, hwcloud_project_token, again):
    hwcloud_session.headers["X-Own"] = "kept"
    session = again(hwcloud_session)
    assert session.headers["X-Own"] == "kept"
    assert session.get(url(hwcloud)).status_code == 403
    assert set(session.adapters) == {"https://", "http://"}
    session.mount("https://own.example.com", requests.adapters.HTTPAdapter())
    session.close()
    token = again(hwcloud_project_token)
    assert token == hwcloud_project_token and token.value not in repr(token)
    assert [e.identity for e in hwcloud.exchanges] == ["default"]
"""
    run(CLIENTS + body).assert_outcomes(passed=3)


def test_clients_of_both_obs_sdks(run: Run) -> None:
    body = """
import obs
from huaweicloudsdkobs.v1 import ObsClient, ObsAsyncClient

def test_new(hwcloud):
    for kind in (ObsClient, ObsAsyncClient):
        client = hwcloud.client(kind, region="cn-east-3")
        assert client._credentials.ak == hwcloud.credentials().ak
        assert [endpoint for endpoint in client._endpoints] == ["https://obs.cn-east-3.myhuaweicloud.com"]

def test_old(hwcloud):
    client = hwcloud.client(obs.ObsClient)
    assert client.server == "obs.cn-north-4.myhuaweicloud.com"

def test_none(hwcloud):
    with pytest.raises(TypeError, match="a client class of the official SDK is expected"):
        hwcloud.client(dict)
"""
    run("import pytest\n" + body).assert_outcomes(passed=3)


def test_a_call_of_a_wider_fixture_without_cassette_names_the_fixture(run: Run) -> None:
    body = """
@pytest.fixture(scope="module")
def servers(hwcloud_shared):
    return hwcloud_shared.session().get("https://ecs.cn-north-4.myhuaweicloud.com/v1/x")

def test_it(servers):
    pass
"""
    result = run("import pytest\n" + body)
    result.assert_outcomes(errors=1)
    assert (
        "the fixture servers made this call: its own cassette is cassettes/test_it/servers.yaml, which does not exist; "
        "record it once with the tests that use it"
    ) in result.stdout.str()
