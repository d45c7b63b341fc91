"""The md report, to the letter, and GitHub's annotations."""

from __future__ import annotations

import textwrap
from dataclasses import replace
from pathlib import Path

import pytest
from reported import COUNT, MISSING, PAGES, SHOW, STALE, WIDENED, Ignore, ledger, settings, state

from pytest_hwcloud.permissions.ledger import Ledger
from pytest_hwcloud.permissions.reports import annotations, markdown
from pytest_hwcloud.permissions.reports.overview import overview


def report(found: Ledger, lang: str = "en") -> str:
    return markdown.render(overview(settings(lang=lang), found, state()))


WHOLE = """\
<!-- pytest-hwcloud: permissions -->
### Permissions of the tests: 4 findings

**Needs more**

- **HWP001** missing-permission · `ecs:cloudServers:showServer` · identity `ci-writer`
  - `tests/test_show.py:14`
  - 1 test: `tests/test_show.py::test_shows`
  - fix: `iam/ci-writer.json: add "ecs:cloudServers:showServer" to statement 2`
  <details><summary>details</summary>

  ```text
  HWP001 missing-permission  ecs:cloudServers:showServer   identity ci-writer
    call      GET ecs /v1/{project_id}/cloudservers/{server_id}      tests/test_show.py:14
    decision  deny (implicit): no statement allows it; 2 statements looked at
    fix       iam/ci-writer.json: add "ecs:cloudServers:showServer" to statement 2
  ```

  </details>

**May do more**

- **HWP009** widened-policy · `ecs:cloudServers:delete` · identity `default` · cause: `policy`
  - `iam/ci-reader.json:9`

**Cannot tell**

- **HWP011** unmapped-call
  - 1 test: `tests/test_inventory.py::test_pages[a|b]`
- proof: inconclusive · `ecs:cloudServers:list` · `tests/test_inventory.py::test_pages[a|b]`
  - `the test skips itself when it is <refused>`

**To mend**

- **HWP003** stale-marker · `ecs:servers:list`
  - `tests/test_inventory.py:8`
  - 1 test: `tests/test_inventory.py::test_counts_servers`
"""


def test_the_whole_comment() -> None:
    assert report(ledger()) == WHOLE


PATCHED = """\
  ```text
  HWP001 missing-permission  ecs:cloudServers:showServer   identity ci-writer
    fix       iam/w.json: add
  ```
  ```diff
  --- iam/w.json
  +++ ./iam/w.json
  @@ -1,2 +1,2 @@
   {
  -"ecs:*:get*"
  +"ecs:*:get*", "ecs:*:list*"
  \\ No newline at end of file
  ```
  ```text
    accept    pytest --hwcloud-lock=update
  ```
"""


def test_a_patch_is_a_diff_that_the_service_colours() -> None:
    rows = PATCHED.partition("```diff\n")[2].partition("  ```")[0].splitlines()
    patch = "\n".join(f"            {row.removeprefix('  ')}" for row in rows)
    healing = f"fix       iam/w.json: add\n{patch}\n  accept    pytest --hwcloud-lock=update"
    assert PATCHED in report(ledger([replace(MISSING, lines=(healing,))]))


def test_the_paragraphs_of_findings_are_in_chinese_too() -> None:
    text = report(ledger([MISSING]), "zh")
    assert '  - 处理：`iam/ci-writer.json：在第 2 条语句中加上 "ecs:cloudServers:showServer"`\n' in text
    assert "  HWP001 missing-permission（缺少权限）  ecs:cloudServers:showServer   身份 ci-writer\n" in text
    assert "    判定      deny（隐式）：没有匹配的允许语句（共检查 2 条语句）\n" in text


def test_in_chinese() -> None:
    assert report(ledger([WIDENED]), "zh") == textwrap.dedent(
        """\
        <!-- pytest-hwcloud: permissions -->
        ### 测试所需的权限：1 个权限问题

        **权限扩大**

        - **HWP009** widened-policy · `ecs:cloudServers:delete` · 身份 `default` · 原因：`policy`
          - `iam/ci-reader.json:9`

        **无法判断**

        - 验证：无定论 · `ecs:cloudServers:list` · `tests/test_inventory.py::test_pages[a|b]`
          - `the test skips itself when it is <refused>`
        """
    )


def test_silent_without_findings_whatever_the_proof_says_and_if_all_are_ignored() -> None:
    assert report(ledger([])) == ""
    assert report(ledger([STALE], ignores=[Ignore(rule="stale-marker", match="ecs:servers:*")])) == ""


def test_what_differs_only_in_its_test_is_one_point() -> None:
    found = [replace(STALE, test=f"tests/test_a.py::test_{n}", where=f"tests/test_a.py:{n}") for n in range(1, 8)]
    assert report(ledger(found)).split("**To mend**\n\n")[1] == (
        "- **HWP003** stale-marker · `ecs:servers:list`\n"
        "  - 7 tests: `tests/test_a.py::test_1`, `tests/test_a.py::test_2`, `tests/test_a.py::test_3`, "
        "`tests/test_a.py::test_4`, `tests/test_a.py::test_5`, … and 2 more\n"
    )


def test_every_rule_has_its_part_of_the_comment() -> None:
    from pytest_hwcloud.rules import GROUPS, RULES

    assert {rule.group for rule in RULES.values()} == set(GROUPS)


def test_nothing_in_a_name_becomes_markup() -> None:
    found = replace(
        STALE,
        action="`x`",
        test="t.py::test_x[</details><img src=x> @someone\n# big]",
        lines=("```", "<script>alert(1)</script>"),
    )
    text = report(ledger([found]))
    assert "`` `x` ``" in text
    assert "`t.py::test_x[</details><img src=x> @someone # big]`" in text
    assert "  ````text\n" in text


def test_a_comment_is_never_longer_than_the_service_takes() -> None:
    found = [replace(MISSING, action=f"ecs:things:do{n}", lines=("x" * 900,)) for n in range(100)]
    text = report(ledger(found))
    told = text.count("- **HWP001**")
    assert len(text) < 60_200
    assert text.endswith(f"\n… and {100 - told} more: see the html or json report\n")


def test_an_annotation_stands_at_the_line_and_escapes_what_the_runner_would_read() -> None:
    hard = replace(STALE, detail="100% of a:b,c\r\nsecond line", where="tests/a,b:c.py:8", test="")
    assert annotations(ledger([hard])) == [
        "::error file=tests/a%2Cb%3Ac.py,line=8,title=HWP003 stale-marker::"
        "ecs:servers:list 100%25 of a:b,c second line: declared, never used by the test."
    ]


def test_annotations_of_a_run_are_sorted_and_each_has_a_file_if_there_is_one() -> None:
    found = ledger(ignores=[Ignore(rule="HWP003", match=COUNT)])
    assert annotations(found, "warning") == [
        "::warning file=tests/test_show.py,line=14,title=HWP001 missing-permission::"
        f"ecs:cloudServers:showServer identity ci-writer · {SHOW}: "
        "the identity's policy does not allow a needed action. "
        'Fix: iam/ci-writer.json: add "ecs:cloudServers:showServer" to statement 2',
        "::warning file=iam/ci-reader.json,line=9,title=HWP009 widened-policy::"
        "ecs:cloudServers:delete: since the lock: the policy allows actions that it did not allow.",
        "::warning file=tests/test_inventory.py,line=20,title=HWP011 unmapped-call::"
        f"GET cce /v9/clusters · {PAGES}: no table says what this call needs.",
    ]


@pytest.mark.parametrize("where", ["", "system:ECS ReadOnlyAccess"])
def test_an_annotation_without_a_file_names_none(where: str) -> None:
    assert annotations(ledger([replace(WIDENED, where=where)])) == [
        "::error title=HWP009 widened-policy::"
        "ecs:cloudServers:delete: since the lock: the policy allows actions that it did not allow."
    ]


def test_annotations_name_files_as_the_checkout_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_WORKSPACE", str(tmp_path))
    (line,) = annotations(ledger([WIDENED]), root=tmp_path / "backend")
    assert line.startswith("::error file=backend/iam/ci-reader.json,line=9,")


def test_annotations_hold_no_secret() -> None:
    found = ledger([replace(WIDENED, detail="key-of-the-run", where="key-of-the-run.json:1")])
    (line,) = annotations(found, mask=lambda text: text.replace("key-of-the-run", "***"))
    assert "key-of-the-run" not in line
    assert "file=***.json" in line
