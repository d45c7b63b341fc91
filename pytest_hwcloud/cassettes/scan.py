"""What hides in cassettes of any origin: secrets, and refusals that were recorded as if they were answers."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.interaction import CassetteError, Interaction
from pytest_hwcloud.cassettes.rendering import Entry
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud import failures
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.secrets import detector
from pytest_hwcloud.secrets.allowlist import without_kept
from pytest_hwcloud.secrets.detector import Suspicion
from pytest_hwcloud.secrets.scrubber import Scrubber

_TOOLS = frozenset(
    (".git", ".hg", ".svn", ".venv", ".tox", ".nox", ".mypy_cache", ".ruff_cache", ".pytest_cache", "__pycache__")
)  # folders of version control and of caches
SUFFIXES = (".yaml", ".yml", ".json")
_ITEM = re.compile(r"(?m)^[ ]*- (?=request:|response:|recorded_at:|fault:)")
_TODAY = "a value that recordings mask"
UNREADABLE = "a text that cannot be read"  # in a coding whose library is not installed
_TEXT = re.compile(r"(?i)^text/|json|xml|form-urlencoded|javascript|yaml")
_PIECE = 1 << 20  # bytes that are read at once
_MOST = 50  # lines of one body that are reported
_REFUSED = frozenset({"authentication", "scope", "authorization"})
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """kind: "secret", "refusal", "broken" or "cookies" (of firewalls; the text is their number).

    line: where the interaction begins, None if the notation has no such line.
    """

    file: str
    line: int | None
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


def files_of(paths: Sequence[str]) -> Iterator[tuple[Path, bool]]:
    """The files under these paths, each once, and whether it was named itself.

    FileNotFoundError for a wrong path, OSError for one that is neither a file nor a folder, such as a pipe.
    """
    seen: set[str] = set()
    for text in paths:
        path = Path(text)
        if path.is_dir():
            found = [(file, False) for file in _below(path)]
        elif path.is_file():
            found = [(path, True)]
        elif path.exists():
            raise OSError(text)
        else:
            raise FileNotFoundError(text)
        for file, named in found:
            if (real := os.path.realpath(file)) not in seen:
                seen.add(real)
                yield file, named


def _below(folder: Path) -> Iterator[Path]:
    for base, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name not in _TOOLS)
        yield from (file for name in sorted(files) if (file := Path(base, name)).is_file())


def open_tape(file: Path, named: bool) -> Tape | None:
    """The cassette; None for another file that only lies in the folder. CassetteError for a broken one.

    A cassette may have any name. Another file is one without interactions, or that is no YAML and does
    not look like a cassette by its ending either, such as a README that shows one.
    """
    if not named and not _speaks_of_interactions(file):
        return None
    try:
        return Tape.load(file, name=str(file))
    except CassetteError:
        if named or (file.suffix in SUFFIXES and _claims_to_be_one(file)):
            raise
        return None


def _speaks_of_interactions(file: Path) -> bool:
    try:
        with open(file, "rb") as opened:
            kept = b""
            while piece := opened.read(_PIECE):
                if b"interactions" in kept + piece:
                    return True
                kept = piece[-len(b"interactions") :]
    except OSError:
        return file.suffix in SUFFIXES  # reported when it is opened
    return False


def _claims_to_be_one(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return True
    return re.search(r"""(?m)^\s*\{?\s*["']?interactions["']?\s*:""", text) is not None


def scan(tape: Tape, keep: Sequence[str] = ()) -> list[Hidden]:
    """The secrets and refusals in a cassette, in the order of the file. keep: globs of what is no secret.

    A kind "broken" is an interaction that cannot be read; "cookies" counts those that only firewalls set.
    """
    lines = lines_of(tape)
    found = [
        Hidden(file=tape.name, line=None, kind="secret", text=described(one))
        for key, value in tape.metadata.items()
        for one in detector.suspicions(str(value), texts.say("secrets.at-metadata", key=key))
    ]
    for position in range(len(tape)):
        try:
            interaction = tape[position]
        except CassetteError as error:
            text = f"{error.key}: {error.problem}" if error.key else error.problem
            found.append(Hidden(file=tape.name, line=lines[position], kind="broken", text=text))
            continue
        entry = entry_of(interaction)
        suspicions = inspect(entry)
        suspicions += _masked_today(entry, {one.place for one in suspicions})
        found += (
            Hidden(file=tape.name, line=lines[position], kind="secret", text=described(one))
            for one in without_kept(suspicions, keep)
        )
        found += (
            Hidden(file=tape.name, line=lines[position], kind="cookies", text=str(count))
            for headers in (entry.request.headers, entry.answer.headers if entry.answer else {})
            for name, value in headers.items()
            if (count := detector.firewall_cookies(name, value))
        )
        refusal = _refusal(interaction)
        if refusal:
            found.append(Hidden(file=tape.name, line=lines[position], kind="refusal", text=refusal))
    return found


def inspect(entry: Entry, known: Sequence[str] = ()) -> list[Suspicion]:
    """What in an entry still looks like a secret, with the call in front of the place."""
    request, answer = entry.request, entry.answer
    call = f"{request.method} {request.url.partition('?')[0]}"
    found = detector.suspicions(request.url, texts.say("secrets.request URL"), known)
    found += detector.in_headers(request.headers, texts.say("secrets.request"), known, places=_places())
    found += detector.in_body(request.body, texts.say("secrets.request body"), known, places=_places())
    if answer is not None:
        found += detector.in_headers(answer.headers, texts.say("secrets.answer"), known, places=_places())
        found += detector.in_body(answer.body, texts.say("secrets.answer body"), known, places=_places())
        found += detector.suspicions(answer.reason, texts.say("secrets.answer reason"), known)
        coding = answer.header("content-encoding")
        if coding and _TEXT.search(answer.header("content-type") or "") and not detector.is_text(answer.body):
            here = texts.say("secrets.answer body")
            found.append(Suspicion(kind=UNREADABLE, place=here, shown=f"Content-Encoding: {coding}"))
    return [replace(one, place=f"{call} {one.place}") for one in found]


def _places() -> dict[str, str]:
    said = texts.phrases(texts.language(), "secrets")
    return {name: str(said[name]) for name in detector.PLACES}


def described(one: Suspicion) -> str:
    """A suspicion as a line in the language of the run: where, what, how it is wrapped."""
    said = {"place": one.place, "kind": _named(one.kind), "shown": _shown(one)}
    if not one.wrapped:
        return texts.say("secrets.suspicion", **said)
    return texts.say(
        "secrets.suspicion-wrapped", layers=texts.say("secrets.inside").join(map(_named, one.wrapped)), **said
    )


def _shown(one: Suspicion) -> str:
    """Two letters and the length, in the language of the run; what is no value stays."""
    if one.shown != detector.shown(one.value):
        return one.shown
    if "…" not in one.shown:
        return texts.say("cassettes.characters", n=len(one.value))
    return texts.say("secrets.shown", start=one.value[:2], n=len(one.value))


def _named(kind: str) -> str:
    """What a kind or a layer is called: its own name is the key."""
    named = "a value named"
    if kind.startswith(named):
        return texts.say(f"secrets.{named}", name=kind.removeprefix(named).strip())
    return texts.say(f"secrets.{kind}") if kind in texts.phrases(texts.language(), "secrets") else kind


def _masked_today(entry: Entry, told: set[str]) -> list[Suspicion]:
    """What the recorder would mask today, and the detector did not report: an older version may have let it through."""
    request, answer = entry.request, entry.answer
    call = f"{request.method} {request.url.partition('?')[0]}"
    pairs = [(f"{call} {texts.say('secrets.request URL')}", request.url, Scrubber().url(request.url))]
    for side, headers in (("request", request.headers), ("answer", answer.headers if answer else {})):
        place = f"{call} {texts.say(f'secrets.{side}')}"
        pairs += [
            (texts.say("secrets.at-header", place=place, name=name), value, Scrubber().header(name, value))
            for name, value in headers.items()
            if not detector.firewall_cookies(name, value)
        ]
    found = [
        Suspicion(kind=_TODAY, place=place, shown=detector.shown(before), value=before)
        for place, before, after in pairs
        if before != after and place not in told
    ]
    bodies = [(texts.say("secrets.request body"), request.body, request.headers.get("content-type", ""))]
    if answer is not None:
        bodies.append((texts.say("secrets.answer body"), answer.body, answer.header("content-type") or ""))
    for place, body, content_type in bodies:
        clean = Scrubber().body(body, content_type)  # one each: what is only echoed is not reported twice
        if clean != body:
            found += _differences(f"{call} {place}", body, clean, told)
    return found


def _differences(place: str, before: bytes, after: bytes, told: set[str]) -> Iterator[Suspicion]:
    try:
        pairs = list(_leaves(json.loads(before), json.loads(after), "$"))
    except (ValueError, RecursionError):
        lines = zip(before.decode("latin-1").split("\n"), after.decode("latin-1").split("\n"), strict=False)
        pairs = [
            (texts.say("secrets.line", number=number), one)
            for number, (one, other) in enumerate(lines, 1)
            if one != other
        ][:_MOST]
    for where, value in pairs:
        if f"{place} {where}" not in told and place not in told:
            yield Suspicion(kind=_TODAY, place=f"{place} {where}", shown=detector.shown(value), value=value)


def _leaves(before: object, after: object, path: str) -> Iterator[tuple[str, str]]:
    if before == after:
        return
    match before, after:
        case dict(), dict():
            for key, value in before.items():
                yield from _leaves(value, after.get(key), f"{path}.{key}")
        case list(), list():
            for index, (one, other) in enumerate(zip(before, after, strict=False)):
                yield from _leaves(one, other, f"{path}[{index}]")
        case _:
            yield path, str(before)


def entry_of(interaction: Interaction) -> Entry:
    """A recorded interaction as one that could be written."""
    request = Request(interaction.method, interaction.uri, interaction.headers, interaction.body)
    return Entry(request=request, answer=interaction.answer, fault=interaction.fault, recorded_at=_SOME_DAY)


def lines_of(tape: Tape) -> list[int | None]:
    """The line on which each interaction begins, where the file is YAML with one item after the other."""
    text = tape.path.read_text(encoding="utf-8", errors="replace")
    starts = [match.start() for match in _ITEM.finditer(text)]
    if len(starts) != len(tape):
        return [None] * len(tape)
    return [text.count("\n", 0, start) + 1 for start in starts]


def _refusal(interaction: Interaction) -> str | None:
    answer = interaction.answer
    if answer is None or answer.status < 400:
        return None
    failure = failures.read(answer.body) if answer.body else None
    if answer.status not in (401, 403) and (failure is None or failure.gate not in _REFUSED):
        return None
    outcome = f"{answer.status} {failure.code}" if failure and failure.code else str(answer.status)
    call = f"{interaction.method} {interaction.uri.partition('?')[0]}"
    if failure is None or failure.gate not in _REFUSED:
        return texts.say("cassettes.was-refused", call=call, outcome=outcome)
    return texts.say("cassettes.was-refused-at", call=call, gate=failure.gate, outcome=outcome)
