"""The README is true: snippets run, shell lines print what stands below them, its commands are those of CI."""

from __future__ import annotations

import fnmatch
import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml

Run = Callable[..., pytest.RunResult]
ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
READER = {"Version": "1.1", "Statement": [{"Effect": "Allow", "Action": ["ecs:*:get*", "ecs:*:list*"]}]}


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.S | re.M)


def output_of(name: str) -> list[str]:
    found = re.search(rf"<!-- output of: {name} -->\n```text\n(.*?)```", README, re.S)
    assert found, name
    return found[1].splitlines()


def same(shown: str, wanted: str) -> bool:
    pattern = re.sub(r"([*?\[])", r"[\1]", wanted).replace("…", "*")
    return fnmatch.fnmatchcase(shown, pattern)


def assert_shown(lines: list[str], wanted: list[str]) -> None:
    starts = [i for i, line in enumerate(lines) if same(line, wanted[0])]
    assert any(len(lines) >= i + len(wanted) and all(map(same, lines[i : i + len(wanted)], wanted)) for i in starts), (
        "\n".join(lines)
    )


@pytest.fixture
def policies(pytester: pytest.Pytester) -> Path:
    (pytester.path / "iam").mkdir()
    file = pytester.path / "iam" / "ci-reader.json"
    file.write_text(json.dumps(READER))
    return file


@pytest.mark.parametrize("snippet", blocks("python"))
def test_python_snippets_pass(run: Run, snippet: str) -> None:
    if "huaweicloudsdkecs" in snippet:
        pytest.importorskip("huaweicloudsdkecs")
    result = run(snippet)
    result.assert_outcomes(passed=snippet.count("def test_"))


def test_the_refusal_reads_as_shown(run: Run) -> None:
    result = run(
        """
        import pytest

        @pytest.mark.hwcloud_cassette("authorization/aksk-without-permission")
        def test_it(hwcloud, hwcloud_session):
            response = hwcloud_session.get(hwcloud.url("ecs", "/v1/{project_id}/cloudservers/detail"))
            assert response.status_code == 200
        """
    )
    lines = [line for line in result.stdout.lines if "^^^" not in line]
    assert_shown(lines, output_of("readme-refused"))


@pytest.mark.usefixtures("policies")
def test_a_lost_permission_reads_as_shown(run: Run, policies: Path) -> None:
    (snippet,) = (one for one in blocks("python") if "requires_permission" in one)
    arguments = ("--hwcloud-policy=iam/ci-reader.json", "--hwcloud-permissions=enforce")
    run(snippet, *arguments, name="test_inventory").assert_outcomes(passed=1)
    policies.write_text(json.dumps(READER).replace(', "ecs:*:list*"', ""))
    result = run(snippet, *arguments, name="test_inventory")
    result.assert_outcomes(failed=1)
    assert_shown(result.stdout.lines, output_of("readme-lost"))


def test_ci_snippets_are_yaml_and_name_real_options(run: Run) -> None:
    for block in blocks("yaml"):
        yaml.safe_load(block)
    shown = run("", "--help").stdout.str()
    options = set(re.findall(r"--hwcloud-[a-z]+", README))
    assert options
    assert [option for option in sorted(options) if option not in shown] == []


@pytest.mark.parametrize("title", ["Try it", "Test it"])
def test_the_two_commands_are_one_line_each(title: str) -> None:
    found = re.search(rf"^## {title}\n.*?```shell\n(.*?)```", README, re.S | re.M)
    assert found
    assert len(found[1].strip().splitlines()) == 1
    if title == "Test it":
        assert found[1].strip() in (ROOT / ".ci" / "run").read_text().splitlines()
