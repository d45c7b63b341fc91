"""`pytest-hwcloud explain CODE` and `… explain -`: the explanations at the shell."""

from __future__ import annotations

import argparse
import json
import re
import sys
from typing import TYPE_CHECKING

from pytest_hwcloud import texts
from pytest_hwcloud.commands import UsageError

if TYPE_CHECKING:
    from pytest_hwcloud.explanations.explanation import Explanation

LIMIT = 4_000_000  # characters of standard input
_RULE = re.compile(r"HWP\d+", re.IGNORECASE)


def add(subparsers: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Mount the command."""
    parser = subparsers.add_parser("explain", help=texts.say("explain.help"))
    parser.add_argument("code", metavar="CODE", nargs="+", help=texts.say("explain.code"))
    parser.add_argument("--lang", choices=texts.LANGUAGES, default="en", help=texts.say("explain.lang"))
    parser.add_argument("--json", action="store_true", help=texts.say("explain.json"))
    parser.set_defaults(run=run)


def run(args: argparse.Namespace) -> int:
    """Explain what was given. Exit code 0: explained; 1: the text describes no failure; 2: an unknown code."""
    if all(_RULE.fullmatch(word) for word in args.code):
        return _rules(args)
    source, text = _text(args.code)
    if source != "-":
        _refuse_unknown_codes(args.code)
    explained = explanations(text, args.lang)
    if source != "-" and len(args.code) > 1:
        apart = [explanations(word, args.lang) for word in args.code]
        if all(apart):  # several codes; else the words of one message
            explained = [one for several in apart for one in several]
    if not explained and source != "-":
        explained = _by_words(text, args.lang)
    if not explained and source != "-":
        raise UsageError(_unknown(text))
    if args.json:
        print(json.dumps([one.to_dict() for one in explained], ensure_ascii=False, indent=2))
    elif explained:
        print("\n\n".join(map(str, explained)))
    else:
        print(texts.say("explain.nothing"))
    return 0 if explained else 1


def _refuse_unknown_codes(words: list[str]) -> None:
    """Codes and nothing else: UsageError for the first that no table has and whose number tells no gate either.

    With a message, a status or a body beside it there is something to explain, whatever the code.
    """
    from pytest_hwcloud.cloud import failures
    from pytest_hwcloud.cloud.failures import codes

    if not all(codes.CODE_SHAPE.fullmatch(word) for word in words):
        return
    for word in words:
        told = failures.read_all(word)
        if codes.entry(word) is None and all(one.gate == "service" for one in told):
            raise UsageError(_unknown(word))


def _rules(args: argparse.Namespace) -> int:
    """Print what each rule means, an example, the fix, and how to ignore it."""
    from pytest_hwcloud.cloud.identity import unknown
    from pytest_hwcloud.rules import RULES

    names = [word.upper() for word in args.code]
    for name in names:
        if name not in RULES:
            raise UsageError(
                str(unknown("rule", name, list(RULES), texts.say("names.see", command="pytest-hwcloud help rules")))
            )
    if args.json:
        print(json.dumps([RULES[name].to_dict(args.lang) for name in names], ensure_ascii=False, indent=2))
    else:
        print("\n\n".join("\n".join(RULES[name].lines(args.lang)) for name in names))
    return 0


def explanations(text: str, lang: str) -> list[Explanation]:
    """Every failure that the text describes, explained once each, the root cause first."""
    from pytest_hwcloud.cloud import failures
    from pytest_hwcloud.explanations.explanation import explain

    return [one for failure in failures.read_all(text) if (one := explain(failure, lang))]


def _by_words(text: str, lang: str) -> list[Explanation]:
    """The explanation of a message that no table has, by its words: only of what was given as a message."""
    from pytest_hwcloud.cloud.failures.bodies import ErrorBody
    from pytest_hwcloud.cloud.failures.classify import failure_of, wording
    from pytest_hwcloud.explanations.explanation import explain

    if wording(text) is None:
        return []
    found = explain(failure_of(ErrorBody(code=None, message=text.strip())), lang)
    return [found] if found else []


def _text(words: list[str]) -> tuple[str, str]:
    if words != ["-"]:
        return "argument", " ".join(words)
    try:
        return "-", sys.stdin.buffer.read(LIMIT).decode("utf-8", "replace")
    except (OSError, AttributeError) as error:
        raise UsageError(texts.say("explain.unreadable", reason=error)) from None


def _unknown(text: str) -> str:
    from difflib import get_close_matches

    from pytest_hwcloud.cloud.failures import codes

    spelled = {name.partition("/")[2].lower(): name.partition("/")[2] for name in codes.all_codes()}
    near = [name for name in get_close_matches(text.lower(), list(spelled), 1, 0.8) if name != text.lower()]
    guess = texts.say("explain.meant", code=spelled[near[0]]) if near else texts.say("explain.way-out")
    return texts.say("explain.unknown", code=text[:100]) + guess
