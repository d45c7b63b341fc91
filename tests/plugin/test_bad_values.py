"""Values that a user can get wrong in hwcloud.yaml, the ini file and on the command line: one line, exit status 4.

The line names the file as the user wrote it, the line, the key and what would be right. One run a row, in process.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

import pytest

Run = Callable[..., pytest.RunResult]
TEST = "def test_it(hwcloud):\n    pass\n"
ECS = "unknown region {}; did you mean 'cn-north-4'? (regions of service 'ecs')"
NAME = "the name of an identity has no = ( ) , and no control characters, and no blank at its ends"
MAPPING = "a mapping is expected, not {}"
PLACED = "write {policy: FILE} with one of project: NAME, enterprise_project: ID, scope: domain or scope: projects"
DEFAULT = "identities: {default: {%s}}"

# hwcloud.yaml -> what is said after its name.
YAML: dict[str, str] = {
    "[]": ":1: a mapping is expected, not a list",
    "false": ":1: a mapping is expected, not false",
    "region: 5": ":1: region: a text is expected, not 5; put it in quotes",
    "region:": ":1: region: a text is expected, not nothing; put it in quotes",
    "region: true": ":1: region: a text is expected, not true; put it in quotes",
    "\nregion: cn-nroth-4": f":2: region: {ECS.format(repr('cn-nroth-4'))}",
    "region: ' cn-north-4'": f":1: region: {ECS.format(repr(' cn-north-4'))}",
    "region: cn-north-4\nregion: cn-north-1": ":2: region: given twice",
    "region: cn-north-4\n---\nregion: x": ":2: not valid YAML: one document is expected, this file has more",
    "regoin: cn-north-4": ":1: regoin: unknown key 'regoin'; did you mean 'region'?",
    "identities: []": f":1: identities: {MAPPING.format('a list')}",
    "identities: false": f":1: identities: {MAPPING.format('false')}",
    "identities: {default: []}": f":1: identities.default: {MAPPING.format('a list')}",
    "identities: {5: {}}": ":1: identities: the key 5 must be a text (put it in quotes)",
    "identities: {'': {}}": f":1: identities.: {NAME}",
    "identities: {'a=b': {}}": f":1: identities.a=b: {NAME}",
    "identities: {' a': {}}": f":1: identities. a: {NAME}",
    "identities: {'a (b)': {}}": f":1: identities.a (b): {NAME}",
    DEFAULT % "user: [a]": ":1: identities.default.user: a text is expected, not a list; put it in quotes",
    DEFAULT % "domain_id: 12345": ":1: identities.default.domain_id: a text is expected, not 12345; put it in quotes",
    DEFAULT % "projects: []": f":1: identities.default.projects: {MAPPING.format('a list')}",
    DEFAULT % "projects: {cn-north-4: null}": ":1: identities.default.projects.cn-north-4: a text is expected,"
    " not nothing; put it in quotes",
    DEFAULT % "ak: AAAA": ":1: identities.default.ak: an access key needs both ak and sk; sk is missing",
    "identities:\n  default: {ak: AAAA, sk: a}\n  b: {ak: AAAA, sk: b}": ":3: identities.b.ak: identity 'default' has"
    " this access key already; an access key belongs to one identity",
    DEFAULT % "policies: x.json": ":1: identities.default.policies: a list is expected, not 'x.json'",
    DEFAULT % "policies: {}": ":1: identities.default.policies: a list is expected, not a mapping",
    DEFAULT % "policies: [5]": ":1: identities.default.policies[0]: a text is expected, not 5; put it in quotes",
    DEFAULT % "policies: [no.json]": ":1: identities.default.policies[0]: no such file: no.json"
    " (paths are relative to hwcloud.yaml)",
    DEFAULT % "policies: [.]": ":1: identities.default.policies[0]: is a folder, not a file: ."
    " (paths are relative to hwcloud.yaml)",
    DEFAULT % "policies: [pipe]": ":1: identities.default.policies[0]: is a pipe, a socket or a device, not a regular"
    " file: pipe (paths are relative to hwcloud.yaml)",
    DEFAULT % "policies: [loop]": ":1: identities.default.policies[0]: is a link that leads to itself: loop"
    " (paths are relative to hwcloud.yaml)",
    DEFAULT % "policies: [{}]": f":1: identities.default.policies[0]: {PLACED}",
    DEFAULT % "policies: [{policy: 'system:ECS ReadOnlyAccess', scope: mars}]": ":1: identities.default.policies[0]: "
    + PLACED,
    DEFAULT % "policies: [{policy: 'system:ECS ReadOnlyAccess', project: cn-noth-4}]": ":1: identities.default."
    "policies[0].project: unknown project 'cn-noth-4'; did you mean 'cn-north-4'? (projects of identity 'default',"
    " hwcloud.yaml)",
    DEFAULT % "bound: [a]": ":1: identities.default.bound: a text is expected, not a list; put it in quotes",
    DEFAULT % "context: [a]": f":1: identities.default.context: {MAPPING.format('a list')}",
    DEFAULT % "context: {MFAPresent: true}": ":1: identities.default.context.MFAPresent: 'MFAPresent' is no condition"
    " key; it has a prefix, for instance 'g:MFAPresent' or obs:max-keys",
    DEFAULT % "context: {g:MFAPresent: perhaps}": ":1: identities.default.context.g:MFAPresent: g:MFAPresent: true or"
    " false is expected, not 'perhaps'",
    DEFAULT % "context: {G:mfaage: [1, old]}": ":1: identities.default.context.G:mfaage: G:mfaage: a number is"
    " expected, not 'old'",
    DEFAULT % "context: {g:SourceIp: 10.0.0}": ":1: identities.default.context.g:SourceIp: g:SourceIp: an IP address is"
    " expected, not '10.0.0'",
    DEFAULT % "context: {g:CurrentTime: soon}": ":1: identities.default.context.g:CurrentTime: g:CurrentTime: a time"
    " (2026-05-31T12:00:00Z) is expected, not 'soon'",
    DEFAULT % "context: {g:CurrentTime: 2026-99-01}": ":1: not valid YAML: '2026-99-01' is no timestamp",
    "ignores: {a: 1}": ":1: ignores: a list is expected, not a mapping",
    "ignores: [5]": ":1: ignores[0]: a mapping is expected, not 5",
    "ignores: [{rule: HWP001, match: x}]": ":1: ignores[0]: reason, until missing; an ignore has rule, match (a glob),"
    " reason and until (a date)",
    "ignores: [{rule: HWP999, match: x, reason: y, until: 2099-01-01}]": ":1: ignores[0].rule: unknown rule 'HWP999';"
    " did you mean 'HWP019'?",
    "ignores: [{rule: HWP001, match: 5, reason: y, until: 2099-01-01}]": ":1: ignores[0].match: a text is expected,"
    " not 5; put it in quotes",
    "ignores: [{rule: HWP001, match: x, reason: y, until: soon}]": ":1: ignores[0].until: 'soon' is no date; write"
    " YYYY-MM-DD",
    "ignores: [{rule: HWP001, match: x, reason: y, until: 2099-01-01, why: z}]": ":1: ignores[0].why: unknown key"
    " 'why'; known: match, reason, rule, until",
    "actions: x": ":1: actions: a list is expected, not 'x'",
    "actions: [.]": ":1: actions[0]: is a folder, not a file: . (paths are relative to hwcloud.yaml)",
    "recording: [a]": ":1: recording: a mapping is expected, not a list",
    "recording: {keep: 5}": ":1: recording.keep: a list is expected, not 5",
    "a: " + "[" * 5000: ":1: nested deeper than 100 levels",
    "region: a\x07b": ":1: not valid YAML: control characters are not allowed (character 9)",
    'region: "\\ud800"': ":1: not valid YAML: found invalid Unicode character escape code",
    "a: &a [*a]": ":1: alias *a has no anchor before it, or is inside it",
    "region: " + "9" * 5000: ":1: not valid YAML: '9999999999999999999999999999999999999...' is no int",
    "identities: !!set {a, b}": ":1: could not determine a constructor for the tag 'tag:yaml.org,2002:set': only plain"
    " YAML is read, no tags",
}

# Arguments of the run -> the whole line.
OPTIONS: dict[str, str] = {
    "--hwcloud-policy=no.json": "hwcloud: no.json: no such file",
    "--hwcloud-policy=": "--hwcloud-policy '': write [IDENTITY=]FILE, for instance auditor=iam/auditor.json",
    "--hwcloud-policy==x.json": "--hwcloud-policy '=x.json': write [IDENTITY=]FILE, for instance"
    " auditor=iam/auditor.json",
    "--hwcloud-policy=system:Nope": "hwcloud: system:Nope: no such system policy is documented",
    "--hwcloud-region=cn-nroth-4": f"hwcloud: --hwcloud-region (hwcloud_region): {ECS.format(repr('cn-nroth-4'))}",
    "--hwcloud-report=json": "--hwcloud-report 'json': write FORMAT:PATH, FORMAT one of json, sarif, md, html",
    "--hwcloud-report=pdf:x": "--hwcloud-report 'pdf:x': write FORMAT:PATH, FORMAT one of json, sarif, md, html",
    "--hwcloud-report=md:a\0b": "option hwcloud_report = 'a\\x00b': no file can have this name",
    "-ohwcloud_hosts=https://x.example": "option hwcloud_hosts = 'https://x.example': a host name or a glob is"
    " expected, for instance *.example.com, without scheme, port and path",
    "-ohwcloud_hosts=x.example:443": "option hwcloud_hosts = 'x.example:443': a host name or a glob is expected, for"
    " instance *.example.com, without scheme, port and path",
    "-ohwcloud_env=maybe": "ini option hwcloud_env = 'maybe': true or false is expected",
    "-ohwcloud_max_age=1e400": "ini option hwcloud_max_age = '1e400': a whole number of days up to 36500 is expected,"
    " 0 for never",
    "-ohwcloud_mode=play": "ini option hwcloud_mode = 'play': choose from replay, record, live",
    "-ohwcloud_config=no.yaml": "hwcloud: no.yaml: no such file (ini option hwcloud_config)",
    "-ohwcloud_config=pipe": "hwcloud: pipe: is a pipe, a socket or a device, not a regular file",
}

ENDPOINT = (
    "hwcloud: environment variable {} = {}: an endpoint is expected, for instance"
    " https://ecs.cn-north-4.myhuaweicloud.com (several are separated by commas)"
)
ECS_HERE, IAM_HERE = "HUAWEICLOUD_SDK_REGION_ECS_CN_NORTH_4", "HUAWEICLOUD_SDK_IAM_ENDPOINT"
KEYS = {"HUAWEICLOUD_SDK_AK": "A" * 20, "HUAWEICLOUD_SDK_SK": "s" * 40}
TERRAFORM = {"HW_ACCESS_KEY": "A" * 20, "HW_SECRET_KEY": "s" * 40}
ODD_KEY, ODD_SECRET = (
    "a key has printable ASCII characters without blanks, commas and =",
    "a secret key or token has printable ASCII characters without blanks",
)

# An endpoint of the environment -> how the line shows it.
ENDPOINTS: dict[str, str] = {
    "http://[::1": "'http://[::1'",
    "http://[zz]": "'http://[zz]'",
    "https://a b.example": "'https://a b.example'",
    " ": "' '",
    "https://": "'https://'",
    "ftp://ecs.example": "'ftp://ecs.example'",
    "ecs.example:99999": "'ecs.example:99999'",
    "ecs.example:port": "'ecs.example:port'",
    "ecs.example:": "'ecs.example:'",
    "::::": "'::::'",
    "a\x01b": "'a\\x01b'",
    "https://ecs.example,": "'https://ecs.example,'",
    "https://ecs.example?token=geheim": "'https://ecs.example'",
    "https://ecs.example/#a": "'https://ecs.example/#a'",
    "https://me:geheim@ecs.example": "'https://***@ecs.example'",
    "me:ge/heim@ecs.example": "'***@ecs.example'",
    "x" * 300 + ":": "'" + "x" * 57 + "...'",
    "cn north 4\n": "'cn north 4\\n'",
    "\udcff": "'\\udcff'",
}
# Variables of a run in live mode -> the line.
LIVE: list[tuple[dict[str, str], str]] = [
    (KEYS | {"HUAWEICLOUD_SDK_AK": "A B"}, f"HUAWEICLOUD_SDK_AK: {ODD_KEY}"),
    (KEYS | {"HUAWEICLOUD_SDK_AK": "A,B"}, f"HUAWEICLOUD_SDK_AK: {ODD_KEY}"),
    (KEYS | {"HUAWEICLOUD_SDK_AK": "AK\r"}, f"HUAWEICLOUD_SDK_AK: {ODD_KEY}"),
    (KEYS | {"HUAWEICLOUD_SDK_AK": " "}, f"HUAWEICLOUD_SDK_AK: {ODD_KEY}"),
    (KEYS | {"HUAWEICLOUD_SDK_SK": "geheim\n"}, f"HUAWEICLOUD_SDK_SK: {ODD_SECRET}"),
    (KEYS | {"HUAWEICLOUD_SDK_SK": "密钥"}, f"HUAWEICLOUD_SDK_SK: {ODD_SECRET}"),
    (KEYS | {"HUAWEICLOUD_SDK_SECURITY_TOKEN": "a\nX-Y: z"}, f"HUAWEICLOUD_SDK_SECURITY_TOKEN: {ODD_SECRET}"),
    (KEYS | {"HUAWEICLOUD_SDK_PROJECT_ID": "../x"}, "HUAWEICLOUD_SDK_PROJECT_ID: an id has letters, digits, - and _"),
    (KEYS | {"HUAWEICLOUD_SDK_DOMAIN_ID": "a b"}, "HUAWEICLOUD_SDK_DOMAIN_ID: an id has letters, digits, - and _"),
    (
        {"HUAWEICLOUD_SDK_SK": "geheim"},
        "HUAWEICLOUD_SDK_SK is set, but HUAWEICLOUD_SDK_AK is not: an access key needs both",
    ),
    (TERRAFORM | {"HW_ACCESS_KEY": "\udcff"}, f"HW_ACCESS_KEY: {ODD_KEY}"),
    (TERRAFORM | {"HW_SECRET_KEY": "a\tb"}, f"HW_SECRET_KEY: {ODD_SECRET}"),
    (TERRAFORM | {"HW_SECURITY_TOKEN": " a"}, f"HW_SECURITY_TOKEN: {ODD_SECRET}"),
    (TERRAFORM | {"HW_PROJECT_ID": "a?b"}, "HW_PROJECT_ID: an id has letters, digits, - and _"),
    (TERRAFORM | {"HW_DOMAIN_ID": "\n"}, "HW_DOMAIN_ID: an id has letters, digits, - and _"),
    ({"HW_ACCESS_KEY": "A" * 20}, "HW_ACCESS_KEY is set, but HW_SECRET_KEY is not: an access key needs both"),
]


@pytest.fixture
def project(pytester: pytest.Pytester) -> pytest.Pytester:
    os.mkfifo(pytester.path / "pipe")
    (pytester.path / "loop").symlink_to("loop")
    (pytester.path / "broken.json").write_text('{"Version": "1.1"')
    return pytester


def errors(result: pytest.RunResult) -> list[str]:
    """What the run says, with nothing from inside."""
    assert result.ret == pytest.ExitCode.USAGE_ERROR, result.stdout.str()
    text = result.stdout.str() + result.stderr.str()
    assert "INTERNALERROR" not in text
    assert "Traceback" not in text
    return [line.removeprefix("ERROR: ") for line in result.errlines if line.startswith("ERROR: ")]


def told(run: Run, rows: Mapping[str, str], make: Callable[[str], list[str]]) -> dict[str, list[str]]:
    """The rows whose line is another one than it should be, with what was said."""
    found = {row: errors(run(TEST, *make(row))) for row in rows}
    return {row: lines for row, lines in found.items() if lines != [rows[row]]}


def test_hwcloud_yaml(run: Run, project: pytest.Pytester) -> None:
    def write(text: str) -> list[str]:
        project.path.joinpath("hwcloud.yaml").write_text(text)
        return []

    assert told(run, {text: f"hwcloud: hwcloud.yaml{said}" for text, said in YAML.items()}, write) == {}


@pytest.mark.parametrize("data", ["region: cn-north-4".encode("utf-16"), b"region: caf\xe9", bytes(range(256))])
def test_hwcloud_yaml_that_is_no_text(run: Run, project: pytest.Pytester, data: bytes) -> None:
    project.path.joinpath("hwcloud.yaml").write_bytes(data)
    (line,) = errors(run(TEST))
    assert line.startswith("hwcloud: hwcloud.yaml: line ")
    assert line.endswith("; save the file as UTF-8")


def test_a_bound_is_read_also_where_it_bounds_nothing(run: Run, project: pytest.Pytester) -> None:
    project.path.joinpath("hwcloud.yaml").write_text(DEFAULT % "bound: broken.json")
    assert errors(run(TEST)) == ["hwcloud: broken.json:1: not valid JSON: Expecting ',' delimiter"]


def test_options_and_ini(run: Run, project: pytest.Pytester) -> None:
    assert told(run, OPTIONS, lambda option: [option]) == {}


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("/dev/zero", "is a pipe, a socket or a device, not a regular file"),
        ("pipe", "is a pipe, a socket or a device, not a regular file"),
        ("loop", "is a link that leads to itself"),
        (".", "is a folder, not a file"),
    ],
)
def test_a_profile_that_is_no_file_is_not_waited_for(
    run: Run, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, name: str, said: str
) -> None:
    for variable in [key for key in os.environ if key.startswith(("HUAWEICLOUD_SDK_", "HW_"))]:
        monkeypatch.delenv(variable)
    monkeypatch.setenv("HUAWEICLOUD_SDK_CREDENTIALS_FILE", name)
    (line,) = errors(run(TEST, "--hwcloud-mode=live"))
    assert line.startswith("hwcloud: ")
    assert said in line


@pytest.mark.parametrize("variable", [ECS_HERE, IAM_HERE])
def test_an_endpoint_in_the_environment(
    run: Run, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, variable: str
) -> None:
    def set_it(value: str) -> list[str]:
        monkeypatch.setenv(variable, value)
        return []

    rows = list(ENDPOINTS)[variable == IAM_HERE :: 2]  # one checks both: each value by one of them
    assert told(run, {row: ENDPOINT.format(variable, ENDPOINTS[row]) for row in rows}, set_it) == {}
    for value in (
        "",
        "http://127.0.0.1:9001, http://127.0.0.1:9002",
        "http://[::1]:80/",
        "a_b.internal",
        "caf\u00e9.fr/x",
    ):
        monkeypatch.setenv(variable, value)
        assert run(TEST).ret == 0


def test_an_endpoint_that_a_test_sets(run: Run, project: pytest.Pytester) -> None:
    """Set within the test, it is that test's error: one line, with no frame of the plugin."""
    lines = f"monkeypatch.setenv({ECS_HERE!r}, 'http://[::1')\n    hwcloud.url('ecs', '/v1')"
    result = run(f"def test_it(hwcloud, monkeypatch):\n    {lines}\n", "--tb=short")
    result.assert_outcomes(failed=1)
    said = ENDPOINT.format(ECS_HERE, "'http://[::1'").removeprefix("hwcloud: ")
    assert any(line.startswith("E ") and line.endswith(said) for line in result.outlines)
    assert "pytest_hwcloud/" not in result.stdout.str()


def test_keys_in_the_environment(run: Run, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in [key for key in os.environ if key.startswith(("HUAWEICLOUD_SDK_", "HW_"))]:
        monkeypatch.delenv(variable)
    found = []
    for variables, said in LIVE:
        with monkeypatch.context() as here:
            for name, value in variables.items():
                here.setenv(name, value)
            lines = errors(run(TEST, "--hwcloud-mode=live"))
        if lines != [f"hwcloud: {said}"]:
            found.append((variables, lines))
    assert found == []


@pytest.mark.parametrize("kind", ["pipe", "folder", "text"])
def test_a_table_of_actions_is_named_as_it_was_written(run: Run, project: pytest.Pytester, kind: str) -> None:
    table = project.path / "hwcloud-actions.yaml"
    {"pipe": os.mkfifo, "folder": os.mkdir, "text": lambda path: path.write_text("hi")}[kind](table)
    (line,) = errors(run(TEST))
    assert line.startswith("hwcloud: hwcloud-actions.yaml:1: ")


@pytest.mark.parametrize(
    ("metadata", "said"),
    [
        ("{repeat_last: maybe}", "metadata.repeat_last: true or false is expected, not 'maybe'"),
        ("{repeat_last: 5}", "metadata.repeat_last: true or false is expected, not 5"),
        ("{allow_playback_repeats: [a]}", "metadata.allow_playback_repeats: true or false is expected, not ['a']"),
        ("{expects: x}", "metadata.expects: a mapping is expected, for instance {code: Ecs.0110}, not 'x'"),
    ],
)
def test_the_metadata_of_a_cassette(run: Run, project: pytest.Pytester, metadata: str, said: str) -> None:
    project.path.joinpath("cassettes").mkdir()
    project.path.joinpath("cassettes", "c.yaml").write_text(f"version: 1\nmetadata: {metadata}\ninteractions: []\n")
    call = 'hwcloud.session().get(hwcloud.url("ecs", "/"))'
    result = run(f"import pytest\n@pytest.mark.hwcloud_cassette('c')\n{TEST.replace('pass', call)}")
    assert f"cassettes/c.yaml: {said}\n" in result.stdout.str()
    assert "Traceback" not in result.stdout.str()
    chinese = run(
        f"import pytest\n@pytest.mark.hwcloud_cassette('c')\n{TEST.replace('pass', call)}", "--hwcloud-lang=zh"
    )
    for english, words in (
        ("true or false is expected, not ", "应为 true 或 false，而不是 "),
        ("a mapping is expected, for instance {code: Ecs.0110}, not ", "应为映射，例如 {code: Ecs.0110}，而不是 "),
    ):
        said = said.replace(english, words)
    assert f"cassettes/c.yaml: {said}\n" in chinese.stdout.str()


def test_a_report_for_a_pipe_that_nobody_reads_does_not_wait(run: Run, project: pytest.Pytester) -> None:
    result = run(TEST, "--hwcloud-report=json:pipe")
    assert result.ret == pytest.ExitCode.TESTS_FAILED
    assert "hwcloud: pipe: the json report cannot be written: No such device or address" in result.outlines


def test_in_chinese(run: Run, project: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    project.path.joinpath("hwcloud.yaml").write_text("identities: {'a=b': {}}")
    said = "身份名称不能含有 = ( ) , 或控制字符，首尾也不能有空格"
    assert errors(run(TEST, "--hwcloud-lang=zh")) == [f"hwcloud：hwcloud.yaml:1: identities.a=b: {said}"]
    project.path.joinpath("hwcloud.yaml").write_text(DEFAULT % "context: {g:MFAPresent: x}")
    said = "identities.default.context.g:MFAPresent: g:MFAPresent：应为 true 或 false，而不是 'x'"
    assert errors(run(TEST, "--hwcloud-lang=zh")) == [f"hwcloud：hwcloud.yaml:1: {said}"]
    project.path.joinpath("hwcloud.yaml").unlink()
    monkeypatch.setenv(IAM_HERE, "a b")
    said = f"hwcloud：环境变量 {IAM_HERE} = 'a b'：应为终端节点，例如 https://ecs.cn-north-4.myhuaweicloud.com（多个终端节点以英文逗号分隔）"
    assert errors(run(TEST, "--hwcloud-lang=zh")) == [said]
    monkeypatch.delenv(IAM_HERE)
    for name, value, said in (
        ("AK", "a b", "密钥只能由可打印的 ASCII 字符组成，不能包含空格、逗号和等号"),
        ("SK", "a b", "秘密访问密钥和 Token 只能由可打印的 ASCII 字符组成，不能包含空格"),
        ("PROJECT_ID", "a b", "ID 只能由字母、数字、- 和 _ 组成"),
    ):
        with monkeypatch.context() as here:
            for variable, right in (KEYS | {f"HUAWEICLOUD_SDK_{name}": value}).items():
                here.setenv(variable, right)
            lines = errors(run(TEST, "--hwcloud-lang=zh", "--hwcloud-mode=live"))
        assert lines == [f"hwcloud：HUAWEICLOUD_SDK_{name}：{said}"]
    said = "选项 hwcloud_hosts = 'a/b'：应为主机名或通配表达式，例如 *.example.com，不含协议、端口和路径"
    assert errors(run(TEST, "--hwcloud-lang=zh", "-ohwcloud_hosts=a/b")) == [said]
