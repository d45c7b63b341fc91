"""Colour, width and titles of what is written into a terminal."""

from __future__ import annotations

import io

import pytest
from _pytest._io import TerminalWriter

from pytest_hwcloud.texts import columns, terminal

TEXT = """\
HWP001 missing-permission  ecs:cloudServers:list
  cause     the caller is known, but the user or its groups lack the role or the action of this service
  原因      调用者身份已确认，但其用户、用户组或 Token 缺少 ECS 的角色或操作权限。本次运行依据 r.json 判定。
            --- iam/r.json
            -  "ecs:*:get*" and a long row of a patch which must stay in one piece to be copied
            +  "ecs:*:list*"
  accept    pytest --hwcloud-lock=update --hwcloud-policy=iam/a-very-long-name-of-a-policy.json tests/"""


class Screen:
    def __init__(self, *, tty: bool, colour: bool) -> None:
        self.isatty, self.file = tty, io.StringIO()
        self.writer = TerminalWriter(self.file)
        self.writer.hasmarkup = self.hasmarkup = colour

    def write(self, content: str, *, flush: bool = False, **markup: bool) -> None:
        self.writer.write(content, flush=flush, **markup)

    def write_line(self, line: str, **markup: bool) -> None:
        self.writer.line(line, **markup)

    def write_sep(self, sep: str, title: str | None = None, fullwidth: int | None = None, **markup: bool) -> None:
        self.writer.sep(sep, title, fullwidth, **markup)


def test_in_a_file_lines_are_as_they_are() -> None:
    screen = Screen(tty=False, colour=False)
    terminal.write(screen, TEXT, 60)
    assert screen.file.getvalue() == TEXT + "\n"


def test_a_terminal_wraps_below_the_text_and_leaves_patches_and_commands() -> None:
    screen = Screen(tty=True, colour=False)
    terminal.write(screen, TEXT, 60)
    assert screen.file.getvalue().splitlines() == [
        "HWP001 missing-permission  ecs:cloudServers:list",
        "  cause     the caller is known, but the user or its groups",
        "            lack the role or the action of this service",
        "  原因      调用者身份已确认，但其用户、用户组或 Token 缺少",
        "            ECS 的角色或操作权限。本次运行依据 r.json 判定。",
        *TEXT.splitlines()[3:],
    ]


@pytest.mark.parametrize("width", [20, 40, 41, 79, 200])
def test_wrapping_loses_nothing_and_keeps_the_width(width: int) -> None:
    for line in TEXT.splitlines()[:3]:
        rows = list(terminal.wrapped(line, width))
        assert "".join("".join(rows).split()) == "".join(line.split())
        assert width < 40 or all(columns(row) <= width for row in rows)
        assert not any(row.lstrip().startswith(("，", "。", "、")) for row in rows)


def test_a_word_longer_than_the_terminal_is_not_torn() -> None:
    line = f"  call      GET https://{'x' * 80}"
    assert list(terminal.wrapped(line, 60)) == ["  call      GET", f"            https://{'x' * 80}"]


def test_colours() -> None:
    screen = Screen(tty=False, colour=True)
    terminal.write(screen, TEXT, 60)
    shown = screen.file.getvalue().splitlines()
    assert shown[0] == "\x1b[1mHWP001\x1b[0m missing-permission  ecs:cloudServers:list"
    assert shown[1].startswith("  \x1b[2mcause\x1b[0m     the caller")
    assert [row[:5] for row in shown[4:6]] == ["\x1b[31m", "\x1b[32m"]
    assert shown[6].startswith("  \x1b[2maccept\x1b[0m    pytest ")


@pytest.mark.parametrize("title", ["hwcloud permissions", "hwcloud 权限", "hwcloud：测试失败的原因"])
def test_a_title_is_as_wide_as_the_terminal(title: str) -> None:
    screen = Screen(tty=True, colour=False)
    terminal.section(screen, title, 80)
    assert columns(screen.file.getvalue().rstrip("\n")) in (78, 79, 80)
