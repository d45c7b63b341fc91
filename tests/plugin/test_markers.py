"""Markers with wrong arguments fail the collection of their module, each with one line."""

from __future__ import annotations

from collections.abc import Callable

import pytest

Run = Callable[..., pytest.RunResult]


WRONG = [
    (
        'hwcloud_cassette("sucess/list-servers")',
        "unknown cassette 'sucess/list-servers'; did you mean 'success/list-servers'? (shipped, or files under *)",
    ),
    ("hwcloud_cassette()", 'name a cassette, for instance "authorization/aksk-without-permission"'),
    ("hwcloud_cassette(3)", "cassette name must be a string, not 3"),
    ('hwcloud_cassette("../../etc/passwd")', "*the path '../../etc/passwd' leads out of the cassette folder"),
    (
        'hwcloud_identity("auditr")',
        "unknown identity 'auditr'; known: default (identities of this run, hwcloud.yaml)",
    ),
    ("hwcloud_identity()", "missing a required argument: 'name'"),
    ('requires_permission(action="ecs:cloudServers:list")', "got an unexpected keyword argument 'action'"),
    ("requires_permission()", 'name an action, for instance "ecs:cloudServers:list"'),
    (
        'requires_permission("ecs:cloudServers:lst")',
        "HWP010 unknown-action ecs:cloudServers:lst: no such action is documented; did you mean ecs:cloudServers:list?",
    ),
    (
        'requires_permission("tms:resourceTags:*")',
        "tms:resourceTags:[*]: a marker names actions one by one, wildcards are for policies; it covers *",
    ),
    (
        'requires_permission("ecs:cloudServers:list", any_of="ecs:cloudServers:get")',
        "any_of is a list of action names, not 'ecs:cloudServers:get'; write any_of=['ecs:cloudServers:get']",
    ),
    (
        'requires_permission("ecs:cloudServers:list", scope="region")',
        "scope is 'project' or 'domain', not 'region'",
    ),
    ('denied_permission("ecs:cloudServers:list", cod="x")', "got an unexpected keyword argument 'cod'"),
    ('denied_permission("ecs:cloudServers:list", code=5)', "code must be a string, not 5"),
    ("denied_permission(\"ecs:cloudServers:list\", code=['a'])", "code must be a string, not ['a']"),
    ("denied_permission()", 'name an action, for instance "ecs:cloudServers:list"'),
    ('denied_permission("ecs:cloudServers:list", identity=3)', "identity must be a string, not 3"),
    ('denied_permission("ecs:cloudServers:list", any_of=["a:b:c"])', "got an unexpected keyword argument 'any_of'"),
    ('requires_permission("ecs:cloudServers:list", reason=5)', "reason must be a string, not 5"),
    ('requires_permission("ecs:cloudServers:list", code="x")', "got an unexpected keyword argument 'code'"),
    (
        'requires_permission("ecs:cloudServers:list", identity="nobody")',
        "unknown identity 'nobody'; known: default (identities of this run, hwcloud.yaml)",
    ),
    (
        'requires_permission("ecs:cloudServers:list", scope=["project"])',
        "scope is 'project' or 'domain', not ['project']",
    ),
    ('requires_permission("ecs:cloudServers:list", scope="")', "scope is 'project' or 'domain', not ''"),
    ("requires_permission(None)", "action must be a string, not None"),
    ("requires_permission(['a:b:c'])", "action must be a string, not ['a:b:c']"),
    ("requires_permission(any_of=[3])", "action must be a string, not 3"),
    ("requires_permission(any_of={})", 'name an action, for instance "ecs:cloudServers:list"'),
    ("requires_permission(any_of=None)", "any_of is a list of action names, not None"),
    ("requires_permission(optional=3)", "optional is a list of action names, not 3"),
    ('requires_permission(optional=b"ecs")', "action must be a string, not 101"),
    (
        'requires_permission(any_of=iter(["a:b:c"]))',
        "any_of is a list of action names, not <list_iterator object at *>",
    ),
    (
        "requires_permission(any_of=iter(int, 1))",
        "any_of is a list of action names, not <callable_iterator object at *>",
    ),
    ("requires_permission(list(range(5000)))", "action must be a string, not [[]0, 1, 2, *..."),
    ("requires_permission(type('Bad', (), {'__repr__': lambda self: 1 / 0})())", "action must be a string, not <Bad>"),
    (
        'requires_permission("ecs:cloudServers:list ")',
        "'ecs:cloudServers:list ' is no action: only letters, digits, '-', '_', '.' and '[*]' may stand in it",
    ),
    ('requires_permission("ecs:cloudServers:list\\n")', "'ecs:cloudServers:list\\n' is no action: only letters, *"),
    ('requires_permission("ecs:cloudServers:\\ud800")', "'ecs:cloudServers:\\ud800' is no action: only letters, *"),
    (
        'requires_permission("ecs：cloudServers：list")',
        "'ecs：cloudServers：list' is no action: service:type:operation has two colons",
    ),
    ('requires_permission("::")', "'::' is no action: the service is empty (only the middle part may be)"),
    ('requires_permission("")', "'' is no action: service:type:operation has two colons"),
    (
        'requires_permission("x" * 5000)',
        f"'{'x' * 197}...' is no action: service:type:operation has two colons",
    ),
    ("requires_permission", 'name an action, for instance "ecs:cloudServers:list"'),
    (
        'requires_permission("ecs:cloudServers:list", any_of=["ecs:cloudServers:lst"])',
        "HWP010 unknown-action ecs:cloudServers:lst: no such action is documented; did you mean ecs:cloudServers:list?",
    ),
    ('hwcloud_identity("")', "unknown identity ''; known: default (identities of this run, hwcloud.yaml)"),
    (
        'hwcloud_identity("\\ud800")',
        "unknown identity '\\ud800'; known: default (identities of this run, hwcloud.yaml)",
    ),
    ('hwcloud_identity(b"default")', "name must be a string, not b'default'"),
    ('hwcloud_identity("default", name="x")', "multiple values for argument 'name'"),
    (
        'hwcloud_identity("x" * 5000)',
        f"unknown identity '{'x' * 197}...'; known: default (identities of this run, hwcloud.yaml)",
    ),
    ("hwcloud_identity(type('Bad', (), {'__repr__': lambda self: 1 / 0})())", "name must be a string, not <Bad>"),
    ("hwcloud_cassette(None)", "cassette name must be a string, not None"),
    ('hwcloud_cassette(b"x")', "cassette name must be a string, not b'x'"),
    ('hwcloud_cassette("\\ud800")', "*cassettes: '\\ud800' is no name of a cassette"),
    ('hwcloud_cassette("a\\nb")', "unknown cassette 'a\\nb'; known: *"),
]


def test_a_wrong_argument_is_one_line(run: Run, pytester: pytest.Pytester) -> None:
    """One run with a module for each: a run costs more than all the modules."""
    for number, (mark, _) in enumerate(WRONG, 1):
        pytester.makepyfile(
            **{f"test_{number}": f"import pytest\n\n@pytest.mark.{mark}\ndef test_x(hwcloud):\n    pass\n"}
        )
    result = run("", name="test_0")
    result.assert_outcomes(errors=len(WRONG))
    for number, (mark, message) in enumerate(WRONG, 1):
        escaped = message if "[*]" in message or "[[]" in message else message.replace("[", "[[]")
        result.stdout.fnmatch_lines([f"test_{number}.py:3: @pytest.mark.{mark.partition('(')[0]}: {escaped}"])
    assert "Traceback" not in result.stdout.str()


def test_a_service_without_a_table_is_not_guessed_about(run: Run) -> None:
    result = run(
        """
        import pytest

        @pytest.mark.requires_permission("live:domains:list")
        def test_it():
            pass
        """
    )
    result.assert_outcomes(passed=1)


def test_all_markers_are_registered_and_explained(run: Run) -> None:
    result = run("", "--markers")
    result.stdout.fnmatch_lines(
        [
            "@pytest.mark.hwcloud_cassette(*names): *",
            "@pytest.mark.requires_permission(*actions, any_of=(), optional=(), scope=None, identity=None, *",
            "@pytest.mark.denied_permission(*actions, code=None, identity=None): *",
            "@pytest.mark.hwcloud_identity(name): *",
        ]
    )


def test_a_wrong_marker_under_xdist(run: Run, pytester: pytest.Pytester) -> None:
    result = run(
        'import pytest\n\n@pytest.mark.hwcloud_identity("nobody")\ndef test_it(hwcloud):\n    pass\n',
        "-p",
        "xdist",
        "-n1",
    )
    result.stdout.fnmatch_lines(["test_it.py:3: @pytest.mark.hwcloud_identity: unknown identity 'nobody'; *"])
    assert result.ret != 0


# Without a fixture of ours such a test would call the real cloud, with no more than pytest's warning.
MISSPELT = [
    (
        'hwcloud_casette("success/list-servers")',
        "no such marker; did you mean hwcloud_cassette? "
        "A marker of your own begins otherwise, or is registered under `markers` in the ini file",
    ),
    (
        'require_permission("ecs:cloudServers:list")',
        "no such marker; did you mean requires_permission? "
        "A marker of your own begins otherwise, or is registered under `markers` in the ini file",
    ),
    (
        "hwcloud",
        "no such marker; known: denied_permission, hwcloud_cassette, hwcloud_identity, requires_permission. "
        "A marker of your own begins otherwise, or is registered under `markers` in the ini file",
    ),
]
LET = "-Wignore::pytest.PytestUnknownMarkWarning"


def test_a_misspelt_marker_is_one_line(run: Run, pytester: pytest.Pytester) -> None:
    for number, (mark, _) in enumerate(MISSPELT, 1):
        pytester.makepyfile(**{f"test_{number}": f"import pytest\n\n@pytest.mark.{mark}\ndef test_x():\n    pass\n"})
    result = run("", LET, name="test_0")
    result.assert_outcomes(errors=len(MISSPELT))
    for number, (mark, message) in enumerate(MISSPELT, 1):
        result.stdout.fnmatch_lines([f"test_{number}.py:3: @pytest.mark.{mark.partition('(')[0]}: {message}"])
    chinese = run("", LET, "--hwcloud-lang=zh", name="test_0")
    chinese.stdout.fnmatch_lines(
        [
            "test_1.py:3：@pytest.mark.hwcloud_casette：没有这个标记；是否应为 hwcloud_cassette？"
            "自定义标记请使用其他前缀，或在 ini 文件的 `markers` 中注册"
        ]
    )


def test_a_marker_that_the_project_registers_is_its_own(run: Run, pytester: pytest.Pytester) -> None:
    pytester.makeini("[pytest]\nmarkers =\n    hwcloud_slow: calls much\n    require_permission(name): of our own\n")
    marks = "@pytest.mark.hwcloud_slow\n@pytest.mark.require_permission('x')\n@pytest.mark.file_permissions\n"
    result = run(f"import pytest\n\n{marks}def test_x():\n    pass\n", LET)
    result.assert_outcomes(passed=1)
