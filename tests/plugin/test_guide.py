"""The guide: every example runs, every option, fixture and command that it names is there, nothing is stale."""

from __future__ import annotations

import json
import re
import shlex
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import yaml

from pytest_hwcloud import texts
from pytest_hwcloud.commands import help as guide
from pytest_hwcloud.commands.cli import run as command
from pytest_hwcloud.rules import RULES

with suppress(ImportError):
    import trustme  # noqa: F401 - pytester forgets what a run imports, and cryptography cannot be loaded twice

ROOT = Path(__file__).parents[2]
PAGES = sorted(guide.GUIDE.rglob("*.md"))
IDS = [page.relative_to(guide.GUIDE).as_posix() for page in PAGES]
READER = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:*:get*", "ecs:*:list*"]}]}
Run = Callable[..., pytest.RunResult]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text(encoding="utf-8"), re.S | re.M)


@pytest.fixture
def project(pytester: pytest.Pytester) -> Path:
    (pytester.path / "iam").mkdir()
    (pytester.path / "iam" / "ci-reader.json").write_text(json.dumps(READER))
    return pytester.path


@pytest.mark.parametrize(
    ("page", "number"),
    [
        pytest.param(page, number, id=f"{name}-{number}")
        for page, name in zip(PAGES, IDS, strict=True)
        for number in range(len(blocks(page, "python")))
    ],
)
def test_python_examples_pass(run: Run, page: Path, number: int) -> None:
    source = blocks(page, "python")[number]
    if "huaweicloudsdkecs" in source:
        pytest.importorskip("huaweicloudsdkecs")
    if "hwcloud_gateway" in source:
        pytest.importorskip("trustme")
    run(source).assert_outcomes(passed=source.count("def test_"))


@pytest.mark.usefixtures("project")
@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_console_examples_print_what_stands_below_them(capsys: pytest.CaptureFixture[str], page: Path) -> None:
    for block in blocks(page, "console"):
        for part in re.split(r"^\$ ", block, flags=re.M)[1:]:
            line, *wanted = part.splitlines()
            program, *arguments = shlex.split(line)
            assert program == "pytest-hwcloud"
            command(arguments)
            shown = capsys.readouterr().out.splitlines()
            assert shown[: len(wanted)] == wanted


@pytest.mark.parametrize("page", PAGES, ids=IDS)
def test_yaml_examples_are_yaml(page: Path) -> None:
    for block in blocks(page, "yaml"):
        yaml.safe_load(block)


def test_the_example_of_hwcloud_yaml_is_valid(run: Run, project: Path) -> None:
    (example,) = (one for one in blocks(guide.GUIDE / "identities.md", "yaml") if "identities:" in one)
    (project / "hwcloud.yaml").write_text(example)
    run("def test_it(hwcloud): assert hwcloud.identity('auditor').user == 'auditor'").assert_outcomes(passed=1)


def test_options_and_fixtures_that_are_named_exist(run: Run) -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    shown = run("", "--help").stdout.str()
    known = shown + run("", "--fixtures").stdout.str()
    assert [name for name in sorted(set(re.findall(r"--hwcloud-[a-z]+", text))) if name not in shown] == []
    names = set(re.findall(r"`(hwcloud_[a-z_]+)", text)) - {"hwcloud_cassette", "hwcloud_identity"}
    assert [name for name in sorted(names) if name not in known] == []


def test_commands_that_are_named_exist(capsys: pytest.CaptureFixture[str]) -> None:
    text = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    with pytest.raises(SystemExit):
        command(["--help"])
    shown = capsys.readouterr().out
    named = set(re.findall(r"pytest-hwcloud ([a-z]+)", text))
    assert named
    assert [name for name in sorted(named) if name not in shown] == []


def test_pre_commit_hooks_call_commands_that_exist(capsys: pytest.CaptureFixture[str]) -> None:
    (block,) = (one for one in blocks(guide.GUIDE / "ci.md", "yaml") if "repo: local" in one)
    for hook in yaml.safe_load(block)["repos"][0]["hooks"]:
        _, *arguments = shlex.split(hook["entry"])
        with pytest.raises(SystemExit) as stopped:
            command([*arguments, "--help"])
        assert stopped.value.code == 0
        shown = capsys.readouterr().out
        assert all(argument in shown for argument in arguments if argument.startswith("--"))


@pytest.mark.skipif(not (ROOT / "tests" / "guide").is_dir(), reason="not in a checkout")
def test_generated_pages_are_current(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(ROOT / "tests" / "guide")
    import build

    try:
        assert build.changed() == []
    finally:
        del sys.modules["build"]


def test_topics_are_listed_in_both_languages(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["help"]) == 0
    english = capsys.readouterr().out.splitlines()
    assert english[:2] == [
        "pytest-hwcloud help TOPIC shows a page of the guide:",
        "  start            Start in five minutes",
    ]
    assert command(["help", "--lang", "zh"]) == 0
    chinese = capsys.readouterr().out.splitlines()
    assert chinese[:2] == ["pytest-hwcloud help TOPIC 显示使用指南中的一页：", "  start            五分钟入门"]
    assert len(english) == len(chinese) == 1 + len(guide.there())


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_topic_prints_its_page(capsys: pytest.CaptureFixture[str], language: str) -> None:
    for topic in guide.there():
        assert command(["help", topic, "--lang", language]) == 0
        assert capsys.readouterr().out == guide.page(topic, language)


def test_every_page_is_a_topic() -> None:
    assert {page.stem for page in PAGES} == set(guide.there())


def test_an_unknown_topic_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["help", "gats"]) == 2
    assert (
        capsys.readouterr().err == "pytest-hwcloud: unknown topic 'gats'; did you mean 'gates'? (pytest-hwcloud help)\n"
    )


def test_a_rule_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["explain", "hwp004"]) == 0
    assert capsys.readouterr().out == (
        "HWP004 swallowed-denial\n"
        "  meaning  the test passes even when the permission is denied\n"
        "  example  ecs:cloudServers:list is denied by the proof, the program catches the 403 and returns an empty "
        "list, and the test still passes.\n"
        "  fix      Assert on what the call gives, or let the program raise; if the permission is optional, declare it "
        "with optional=[…].\n"
        '  ignore   in hwcloud.yaml: ignores: [{rule: HWP004, match: "*", reason: …, until: 2027-01-31}]\n'
    )
    assert command(["explain", "HWP014", "--lang", "zh"]) == 0
    assert capsys.readouterr().out == (
        "HWP014 undecidable（无法判定）\n"
        "  含义  判定取决于未知的内容\n"
        "  示例  语句仅在 g:MFAPresent 为 true 时生效，而没有任何信息说明其取值。\n"
        "  处理  提供该信息：hwcloud.yaml 中身份的 context:，或 policy check 的 --context KEY=VALUE。\n"
        '  忽略  在 hwcloud.yaml 中：ignores: [{rule: HWP014, match: "*", reason: …, until: 2027-01-31}]\n'
    )


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_every_rule_is_explained_also_as_json(capsys: pytest.CaptureFixture[str], language: str) -> None:
    assert command(["explain", *RULES, "--lang", language, "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["rule"] for row in found] == list(RULES)
    assert all(row[key] for row in found for key in ("name", "level", "title", "meaning", "example", "fix", "ignore"))


def test_an_unknown_rule_names_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    assert command(["explain", "HWP044"]) == 2
    assert capsys.readouterr().err == (
        "pytest-hwcloud: unknown rule 'HWP044'; did you mean 'HWP014'? (pytest-hwcloud help rules)\n"
    )
