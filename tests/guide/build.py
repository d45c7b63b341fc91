"""Write the generated pages of the guide from the code: rules, codes, reference.

python tests/guide/build.py            write what changed
python tests/guide/build.py --check    only say what would change (exit status 1 if anything would)
"""

from __future__ import annotations

import inspect
import sys
from pathlib import Path

import pytest_hwcloud
from pytest_hwcloud import options, texts
from pytest_hwcloud.cloud.failures import codes
from pytest_hwcloud.rules import RULES

GUIDE = Path(pytest_hwcloud.__file__).parent / "guide"
MADE = "<!-- Made by tests/guide/build.py from the code; do not edit. -->"


def rules(language: str) -> str:
    """One section a rule."""
    head = {"en": "# Rules HWP001 to HWP020", "zh": "# 规则 HWP001 至 HWP020"}[language]
    said = {
        "en": "What the permission checks find. `pytest-hwcloud explain HWP004` shows one of them.",
        "zh": "权限检查会报告的问题。`pytest-hwcloud explain HWP004` 显示其中一条。",
    }[language]
    parts = [head, MADE, said]
    for rule in RULES.values():
        row = rule.to_dict(language)
        title = f"## {rule.id} {rule.name}" + (f"（{row['title']}）" if language == "zh" else "")
        rows = [
            f"- **{texts.say_in(language, f'help.rule-{key}')}**: {_cell(row[key])}"
            for key in ("meaning", "example", "fix", "ignore")
        ]
        parts.append("\n".join([title, "", *rows]))
    return "\n\n".join(parts) + "\n"


CODES = {
    "en": (
        "# Error codes",
        "`pytest-hwcloud explain CODE` shows cause and fix of a code, with the texts that are known of it;\n"
        "`explain -` reads a whole body, log or traceback.",
        "| family | codes | for instance |",
    ),
    "zh": (
        "# 错误码",
        "`pytest-hwcloud explain CODE --lang zh` 显示错误码的原因和处理方法，以及该错误码的已知消息；\n"
        "`explain -` 读取整个消息体、日志或异常信息。",
        "| 类别 | 错误码数 | 例如 |",
    ),
}


def codes_page(language: str) -> str:
    """The families of codes, and how to look one up."""
    families: dict[str, list[str]] = {}
    for name in codes.all_codes():
        family, _, code = name.partition("/")
        families.setdefault(family, []).append(code)
    rows = [
        f"| `{family}` | {len(found)} | {', '.join(f'`{c}`' for c in found[:3])} … |"
        for family, found in families.items()
    ]
    title, said, head = CODES[language]
    return "\n".join([title, "", MADE, "", said, "", head, "|---|---|---|", *rows, ""])


REFERENCE = {
    "en": (
        "# Reference", "## Options", "| option | ini | default | meaning |",
        "## Ini only", "| key | default | meaning |", "## Markers", "## Python",
    ),
    "zh": (
        "# 参考", "## 选项", "| 选项 | ini | 默认值 | 含义 |",
        "## 仅限 ini", "| 键 | 默认值 | 含义 |", "## 标记", "## Python（英文）",
    ),
}  # fmt: skip


def reference(language: str) -> str:
    """Options, ini keys, markers, and the names of the package."""
    title, listed, option_head, ini, ini_head, markers, python = REFERENCE[language]
    parts = [title, "", MADE, "", listed, "", option_head, "|---|---|---|---|"]
    for option in options.OPTIONS:
        values = options.CHOICES.get(option.flag)
        shown = f"--hwcloud-{option.flag}" + (
            f" {{{','.join(values)}}}" if values else f" {option.metavar}" if option.metavar else ""
        )
        said = _cell(options.help_of(option.ini, language))
        parts.append(f"| `{shown}` | `{option.ini}` | {option.default or ''} | {said} |")
    parts += ["", ini, "", ini_head, "|---|---|---|"]
    for name, _, default in options.INI_ONLY:
        parts.append(f"| `{name}` | {default or ''} | {_cell(options.help_of(name, language))} |")
    parts += ["", markers, ""]
    for text in options.marker_lines(language):
        call, _, meaning = text.partition("): ")
        parts.append(f"- `{call})`: {meaning}")
    parts += ["", python, ""]
    for name in sorted(pytest_hwcloud.__all__):
        found = getattr(pytest_hwcloud, name)
        parts += [
            f"### {name}",
            "",
            "```text",
            f"{name}{_signature(found)}",
            "```",
            "",
            inspect.getdoc(found) or "",
            "",
        ]
        if inspect.isclass(found):
            for method, function in vars(found).items():
                doc = inspect.getdoc(function)
                if not method.startswith("_") and doc and not isinstance(function, (str, tuple, int)):
                    parts.append(f"- `{method}{_signature(getattr(found, method))}`: {doc.partition(chr(10))[0]}")
            parts.append("")
    return "\n".join(parts).rstrip() + "\n"


def _signature(found: object) -> str:
    try:
        return str(inspect.signature(found)).replace("'", "")  # type: ignore[arg-type]
    except (TypeError, ValueError):
        return ""


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("{", "{").strip()


def pages() -> dict[str, str]:
    """Path below the guide -> text."""
    return {
        "rules.md": rules("en"),
        "zh/rules.md": rules("zh"),
        "codes.md": codes_page("en"),
        "zh/codes.md": codes_page("zh"),
        "reference.md": reference("en"),
        "zh/reference.md": reference("zh"),
    }


def changed() -> list[str]:
    """The pages that are not as they would be made."""
    return [
        name
        for name, text in pages().items()
        if not (GUIDE / name).is_file() or (GUIDE / name).read_text(encoding="utf-8") != text
    ]


if __name__ == "__main__":
    stale = changed()
    if "--check" not in sys.argv:
        for page in stale:
            (GUIDE / page).parent.mkdir(exist_ok=True)
            (GUIDE / page).write_text(pages()[page], encoding="utf-8")
    print("\n".join(stale) or "nothing to change")
    sys.exit(1 if stale and "--check" in sys.argv else 0)
