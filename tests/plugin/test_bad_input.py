"""Bad input in a user's project: one clear line that names the thing, the place and the way out; no traceback."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., pytest.RunResult]

LIST = "https://ecs.cn-north-4.myhuaweicloud.com/v1/05041fffa40025702f6dc009cc6f8f33/cloudservers/detail"
HEAD = f"version: 1\ninteractions:\n- request: {{method: GET, uri: '{LIST}', body: null, headers: {{}}}}\n"
TEST = """
import pytest

@pytest.mark.hwcloud_cassette("it")
def test_it(hwcloud, hwcloud_session):
    hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
"""
BOMB = "a: &a [x,x,x,x,x,x,x,x,x]\n" + "".join(
    f"{new}: &{new} [{','.join([f'*{old}'] * 9)}]\n" for old, new in zip("abcdefghi", "bcdefghij", strict=True)
)


def cassette(pytester: pytest.Pytester, text: str | bytes) -> None:
    file = pytester.mkdir("cassettes") / "it.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())


def shown(result: pytest.RunResult, *lines: str) -> None:
    """These lines, and nothing from inside: no internal error, no frame of the plugin or of what it stands on."""
    result.stdout.fnmatch_lines([line.replace("[", "[[]") for line in lines])
    text = result.stdout.str() + result.stderr.str()
    for inside in ("INTERNALERROR", "Traceback", "pytest_hwcloud/", "site-packages/requests"):
        assert inside not in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"interactions: [\n", ":2: broken YAML: did not find expected node content"),
        (b"interactions:\n\t- a\n", ":2: broken YAML: found character that cannot start any token"),
        (b"- a\n- b\n", ": not a cassette: a mapping with the list `interactions` is expected"),
        (b"on: push\njobs: {}\n", ": not a cassette: a mapping with the list `interactions` is expected"),
        (
            b"\xff\xfe\x00\x01\x80",
            ": not a text file: incomplete UTF-16 character at position 4; a cassette is YAML in UTF-8",
        ),
        (
            BOMB + "interactions: *j\n",
            ":7: the aliases of this file stand for more than 1,000,000 values (a YAML bomb?)",
        ),
        (
            "interactions: !!python/object/apply:os.system ['touch PWNED']\n",
            ":1: python object 'python/object/apply:os.system' is refused; a cassette holds only plain values",
        ),
        (
            HEAD.replace("body: null", "body: !!python/object/apply:os.system ['touch PWNED']") + "  fault: dns\n",
            ":3: python object 'python/object/apply:os.system' is refused; a cassette holds only plain values",
        ),
        (
            HEAD + "  fault: dsn\n",
            ": interactions[0].fault: unknown fault 'dsn'; known: "
            "dns, connection-refused, connection-reset, connect-timeout, read-timeout, tls",
        ),
    ],
    ids=["open", "tab", "list", "other yaml", "binary", "bomb", "python", "python inside", "fault"],
)
def test_a_cassette_that_is_none(run: Run, pytester: pytest.Pytester, text: str | bytes, message: str) -> None:
    cassette(pytester, text)
    result = run(TEST)
    result.assert_outcomes(failed=1)
    shown(result, f"*cassettes/it.yaml{message}")
    assert not Path(pytester.path, "PWNED").exists()


@pytest.mark.parametrize("body", ["{call}", "try:\n        {call}\n    except Exception:\n        pass"])
@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("", "interactions[0].response: an interaction needs a response or a fault"),
        (
            "  response: {status: {code: ok}, headers: {}, body: {string: x}}\n",
            "interactions[0].response.status.code: must be a number, not 'ok'",
        ),
    ],
)
def test_a_wrong_interaction_fails_also_where_the_code_swallows_it(
    run: Run, pytester: pytest.Pytester, body: str, entry: str, message: str
) -> None:
    cassette(pytester, HEAD + entry)
    head, call = TEST.rsplit("    ", 1)
    result = run(head + "    " + body.replace("{call}", call.strip()) + "\n")
    result.assert_outcomes(failed=1)
    shown(result, f"*cassettes/it.yaml: {message}")


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("it.yaml/../../secret", "*cassettes: the path 'it.yaml/../../secret' leads out of the cassette folder"),
        ("..\\\\secret", "*cassettes: the path '..\\\\secret' leads out of the cassette folder"),
        ("/etc/hostname", "*cassettes: the path '/etc/hostname' leads out of the cassette folder"),
        ("link", "*cassettes: the path 'link.yaml' leads out of the cassette folder"),
        ("", "*cassettes: '' is no name of a cassette"),
        ("x" * 5000, f"*cassettes: '{'x' * 80}' is no name of a cassette"),
        ("nul\\0", "*cassettes: 'nul*' is no name of a cassette"),
        ("folder", "unknown cassette 'folder'; known: * and 2 more (shipped, or files under *cassettes)"),
    ],
)
def test_a_cassette_name_that_leads_nowhere(run: Run, pytester: pytest.Pytester, name: str, message: str) -> None:
    folder = pytester.mkdir("cassettes")
    (folder / "folder.yaml").mkdir()
    (pytester.path / "secret").write_text(HEAD + "  fault: dns\n")
    (folder / "link.yaml").symlink_to(pytester.path / "secret")
    result = run(TEST.replace('"it"', f'"{name}"'))
    result.assert_outcomes(errors=1)
    shown(result, f"test_it.py:3: @pytest.mark.hwcloud_cassette: {message}")


@pytest.mark.parametrize(
    ("mark", "message"),
    [
        ("requires_permission(any_of=3)", "any_of is a list of action names, not 3"),
        ('requires_permission("ecs")', "'ecs' is no action: service:type:operation has two colons"),
        ('hwcloud_identity("a", "b")', "too many positional arguments"),
        ("hwcloud_identity(None)", "name must be a string, not None"),
        ('hwcloud_cassette(name="it")', "got an unexpected keyword argument 'name'"),
        ('hwcloud_cassette(["it"])', "cassette name must be a string, not ['it']"),
    ],
)
def test_a_marker_with_a_wrong_argument(run: Run, mark: str, message: str) -> None:
    result = run(f"import pytest\n\n@pytest.mark.{mark}\ndef test_it(hwcloud):\n    pass\n")
    result.assert_outcomes(errors=1)
    shown(result, f"test_it.py:3: @pytest.mark.{mark.partition('(')[0]}: {message}")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("identities:\n  default:\n    usr: x\n", "3: identities.default.usr: unknown key 'usr'; did you mean 'user'?"),
        ("identities: [a]\n", "1: identities: a mapping is expected, not a list"),
        ("region: cn-north-4\n  x: 1\n", "2: *"),
        ("region: !!python/name:os.system\n", "1: *"),
        (BOMB, "*: *"),
    ],
)
def test_a_wrong_hwcloud_yaml(run: Run, pytester: pytest.Pytester, text: str, message: str) -> None:
    Path(pytester.path, "hwcloud.yaml").write_text(text)
    result = run("def test_it(hwcloud): pass")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([f"ERROR: hwcloud: hwcloud.yaml:{message}"])
    shown(result)


def test_an_unset_variable_is_nothing_in_replay(run: Run, pytester: pytest.Pytester) -> None:
    Path(pytester.path, "hwcloud.yaml").write_text(
        "identities: {default: {ak: '${NOT_SET}', sk: '${NOT_SET_EITHER}'}}\n"
    )
    result = run("def test_it(hwcloud):\n    assert hwcloud.credentials().ak.startswith('HWCTEST')\n")
    result.assert_outcomes(passed=1)


def test_an_unset_variable_is_one_line_in_live_mode(run: Run, pytester: pytest.Pytester) -> None:
    Path(pytester.path, "hwcloud.yaml").write_text(
        "identities: {default: {ak: '${NOT_SET}', sk: '${NOT_SET_EITHER}'}}\n"
    )
    result = run("def test_it(hwcloud): pass", "--hwcloud-mode=live")
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines(["ERROR: hwcloud: hwcloud.yaml:1: identities.default.ak: *NOT_SET is not set*"])
    shown(result)


WRONG_USE = {
    'hwcloud.token(project="cn-noth-4")': "unknown project 'cn-noth-4'; did you mean 'cn-north-4'? *",
    'hwcloud.token(domain="example")': "unknown domain 'example'; did you mean 'example-corp'? *",
    'hwcloud.url("ecs", "/v1", region="cn-nroth-4")': "*unknown region 'cn-nroth-4'*; did you mean 'cn-north-4'?*",
    'hwcloud.session("nobody")': "unknown identity 'nobody'; known: default *",
    'hwcloud.deny("ecs:*:*").__enter__()': "hwcloud.deny: ecs:*:*: a marker names actions one by one*",
    "AkSkAuth('', 'x')": "the AK is missing or not a key: visible ASCII without blanks and commas is expected",
    "AkSkAuth('A' * 20, '')": "the SK is missing*",
    "AkSkAuth('A' * 20, 'x', algorithm='SDK-HMAC-SHA512')": "*SDK-HMAC-SHA512*",
}


@pytest.mark.parametrize("call", WRONG_USE)
def test_wrong_use_in_a_test(run: Run, call: str) -> None:
    result = run(f"from pytest_hwcloud import AkSkAuth\n\ndef test_it(hwcloud):\n    {call}\n", "--tb=line")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"*: {WRONG_USE[call].replace('[', '[[]')}"])
    assert "INTERNALERROR" not in result.stdout.str()


def test_netrc_proxies_and_a_key_with_odd_characters(
    run: Run, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = Path(pytester.path, "netrc")
    netrc.write_text("default login me password geheim\n")
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    result = run(
        r"""
        import http.server, threading
        import pytest, requests
        from pytest_hwcloud import AkSkAuth

        LIST = "/v1/{project_id}/cloudservers/detail"

        @pytest.mark.hwcloud_cassette("success/list-servers")
        @pytest.mark.parametrize("client", ["session", "requests"])
        def test_signed(hwcloud, client):
            keys = hwcloud.credentials()
            auth = AkSkAuth(keys.ak, keys.sk)
            get = hwcloud.session().get if client == "session" else lambda url: requests.get(url, auth=auth)
            response = get(hwcloud.url("ecs", LIST))
            assert response.json()["count"] == 8
            assert response.request.headers["Authorization"].startswith("SDK-HMAC-SHA256 Access=" + keys.ak)

        @pytest.mark.hwcloud_cassette("success/list-servers")
        def test_odd_key(hwcloud):
            odd = AkSkAuth(hwcloud.credentials().ak, "s%k'\"\\ \té华\n$(x)")
            with hwcloud.refused("APIGW.0301", gate="authentication") as refusal:
                requests.get(hwcloud.url("ecs", LIST), auth=odd)
            assert "华" not in str(refusal.explanation)

        class Door(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                self.send_response(204)
                self.end_headers()

            def log_message(self, *args):
                pass

        def test_loopback_is_not_proxied(hwcloud_session, monkeypatch):
            monkeypatch.setenv("NO_PROXY", "127.0.0.1")
            with http.server.HTTPServer(("127.0.0.1", 0), Door) as server:
                thread = threading.Thread(target=server.handle_request)
                thread.start()
                assert hwcloud_session.get(f"http://127.0.0.1:{server.server_port}/").status_code == 204
                thread.join()
        """
    )
    result.assert_outcomes(passed=4)


EXPECTED = {
    'hwcloud.assert_called("esc:cloudServers:list")': "AssertionError: * never called",
    'hwcloud.assert_called("ecs:cloudServers:lst")': "  name      HWP010 unknown-action ecs:cloudServers:lst: "
    "no such action is documented; did you mean ecs:cloudServers:list?",
    'hwcloud.assert_called("GET ecs")': "  name      'GET ecs' is no action: service:type:operation has two colons",
    'hwcloud.refused(gate="authorisation")': "*UnknownName: unknown gate 'authorisation'; "
    "did you mean 'authorization'? (hwcloud.refused(gate='authorisation'))",
    "hwcloud.assert_ok(None)": "TypeError: hwcloud.assert_ok(None): a response is expected",
    'hwcloud.refused("Common.0018").__exit__(None, None, None)': "AssertionError: hwcloud.refused('Common.0018'): "
    "no call was made in the block",
}


@pytest.mark.parametrize("call", EXPECTED)
def test_an_expectation_that_cannot_come_true(run: Run, call: str) -> None:
    source = TEST.replace('"it"', '"success/list-servers"')
    result = run(f"{source}    {call}\n", "--tb=short")
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines([f"E   {EXPECTED[call]}".replace("[", "[[]")])


def test_a_failed_expectation_ends_at_the_line_of_the_test(run: Run) -> None:
    source, call = TEST.replace('"it"', '"success/list-servers"'), "    hwcloud_s"
    result = run(source.replace(call, f"    with hwcloud.refused('Ecs.0110'):\n    {call}"), "--tb=short")
    result.assert_outcomes(failed=1)
    text = result.stdout.str()
    assert "hwcloud.refused('Ecs.0110'): no call in the block was refused" in text
    assert "contextlib" not in text
    assert "pytest_hwcloud" not in text
