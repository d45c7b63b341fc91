"""`pytest-hwcloud help [TOPIC]`: the guide, as it lies in the package."""

from __future__ import annotations

import argparse
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cloud.identity import unknown
from pytest_hwcloud.commands import UsageError

GUIDE = Path(__file__).parents[1] / "guide"
# In the order in which a newcomer reads them.
TOPICS = (
    "start", "migrating", "identities", "recording", "gates", "clients", "fixtures", "children", "permissions",
    "actions", "tables", "coverage", "ci", "rules", "codes", "shell", "reference", "troubleshooting", "limits",
)  # fmt: skip


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount `help`."""
    parser = subparsers.add_parser(
        "help",
        help=texts.say("help.help"),
        description=texts.say("help.description"),
        epilog=texts.say("help.example"),
    )
    parser.add_argument("topic", nargs="?", metavar="TOPIC", help=texts.say("help.topic"))
    parser.add_argument("--lang", choices=texts.LANGUAGES, default=texts.language(), help=texts.say("help.lang"))
    parser.set_defaults(run=show)


def show(args: argparse.Namespace) -> int:
    """Print a page, or the list of pages."""
    if args.topic is None:
        width = max(map(len, there()))
        print(texts.say_in(args.lang, "help.topics"))
        print("\n".join(f"  {topic:<{width}}  {title(topic, args.lang)}" for topic in there()))
        return 0
    if args.topic not in there():
        raise UsageError(
            str(unknown("topic", args.topic, there(), texts.say("names.see", command="pytest-hwcloud help")))
        )
    print(page(args.topic, args.lang), end="")
    return 0


def there() -> list[str]:
    """The topics of this installation."""
    return [topic for topic in TOPICS if (GUIDE / f"{topic}.md").is_file()]


def page(topic: str, language: str) -> str:
    """The text of a page in a language, in English where it is not translated."""
    own = GUIDE / language / f"{topic}.md"
    return (own if own.is_file() else GUIDE / f"{topic}.md").read_text(encoding="utf-8")


def title(topic: str, language: str) -> str:
    """The heading of a page."""
    return page(topic, language).partition("\n")[0].removeprefix("# ")
