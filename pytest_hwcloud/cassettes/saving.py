"""Puts rendered interactions into a cassette file: whole or not at all, and nothing of what others record is lost.

Each save takes the cassette's lock, reads what is there, adds, writes a temporary name beside it and renames. So
threads, xdist workers and other processes add to one file, and a process killed at any moment leaves the old file or
the new one.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.interaction import CassetteError, read_interaction, read_yaml
from pytest_hwcloud.cassettes.rendering import HEADER, OPENING, moment, page
from pytest_hwcloud.files.atomic import locked, make_folder, sweep, write_whole

_ITEM = re.compile(r"(?m)^- ")
_END = re.compile(r'  recorded_at: "([^"]+)"\n\Z')


def save(
    path: Path, items: Sequence[str], *, since: datetime | None = None, metadata: Mapping[str, str] | None = None
) -> None:
    """Add rendered items to the cassette; with `since`, first drop what was recorded before (a rewrite).

    CassetteError on a disk error, or if what is there is no whole cassette (the new items are then in NAME.new.yaml).
    """
    try:
        make_folder(path.parent)
        with locked(path):
            sweep(path)
            try:
                text = _merged(path, items, since, metadata)
            except CassetteError as error:
                spare = path.with_suffix(".new" + path.suffix)
                write_whole(spare, page(items, metadata))
                problem = texts.say("cassettes.kept-aside", problem=error.problem, spare=spare.name, name=path.name)
                raise CassetteError(problem, path=path, line=error.line, key=error.key) from None
            write_whole(path, text)
    except OSError as error:
        problem = texts.say("cassettes.unwritable", reason=error.strerror or error)
        raise CassetteError(problem, path=path) from error


def _merged(path: Path, items: Sequence[str], since: datetime | None, metadata: Mapping[str, str] | None) -> str:
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return page(items, metadata)
    except UnicodeDecodeError:
        raise CassetteError(texts.say("cassettes.not-text"), path=path) from None
    if not text.strip():
        return page(items, metadata)  # vcrpy: like no cassette
    ours = _own_items(text)
    if ours is None and since is not None and text.startswith(HEADER):
        ours = []  # a file of ours that is not complete: it is rewritten
    if ours is None:
        head, old = _foreign_items(path, text)
    else:
        head, old = text[: text.index(OPENING)] if ours else HEADER + "version: 1\n", ours
    if since is not None:
        start = moment(since)
        old = [item for item in old if (found := _END.search(item)) and found[1] >= start]
        head = page((), metadata).removesuffix("interactions: []\n")
    every = [*old, *items]
    return head + (OPENING + "".join(every) if every else "interactions: []\n")


def _own_items(text: str) -> list[str] | None:
    """The items of a cassette that we wrote and that is whole; None for anything else."""
    if not text.startswith(HEADER):
        return None
    if text.endswith("\ninteractions: []\n"):
        return []
    _, found, body = text.partition("\n" + OPENING)
    starts = [match.start() for match in _ITEM.finditer(body)]
    items = [body[start:end] for start, end in itertools.pairwise([*starts, len(body)])]
    whole = found and items and starts[0] == 0 and all(_END.search(item) for item in items)
    return items if whole else None


def _foreign_items(path: Path, text: str) -> tuple[str, list[str]]:
    """Head and items of any other vcrpy cassette, each item as separate YAML; CassetteError if it is none."""
    import yaml

    document = read_yaml(text, path)
    interactions = document.get("interactions") if isinstance(document, dict) else None
    if not isinstance(document, dict) or not isinstance(interactions, list):
        raise CassetteError(texts.say("cassettes.no-list"), path=path)
    for index, interaction in enumerate(interactions):
        read_interaction(interaction, index, path)  # half a file may still be YAML

    def dumped(value: object) -> str:
        dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
        return str(yaml.dump(value, Dumper=dumper, sort_keys=False, allow_unicode=True))

    rest = {key: value for key, value in document.items() if key not in ("interactions", "version")}
    head = "version: 1\n" + (dumped(rest) if rest else "")
    return head, [dumped([interaction]) for interaction in interactions]
