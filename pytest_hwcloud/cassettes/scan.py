"""What hides in cassettes of any origin: secrets, and refusals that were recorded as if they were answers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pytest_hwcloud.cassettes.interaction import CassetteError, Interaction
from pytest_hwcloud.cassettes.rendering import Entry
from pytest_hwcloud.cassettes.tape import Tape
from pytest_hwcloud.cloud import failures
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.secrets import detector
from pytest_hwcloud.secrets.allowlist import without_kept
from pytest_hwcloud.secrets.detector import Suspicion

SUFFIXES = (".yaml", ".yml", ".json")
_ITEM = re.compile(r"(?m)^[ ]*- (?=request:|response:|recorded_at:|fault:)")
_REFUSED = frozenset({"authentication", "scope", "authorization"})
_SOME_DAY = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, kw_only=True)
class Hidden:
    """kind: "secret" or "refusal". line: where the interaction begins, None if the notation has no such line."""

    file: str
    line: int | None
    kind: str
    text: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.text}" if self.line else f"{self.file}: {self.text}"


def files_of(paths: Sequence[str]) -> Iterator[tuple[Path, bool]]:
    """The cassette files under these paths, and whether each was named itself; FileNotFoundError for a wrong path."""
    for text in paths:
        path = Path(text)
        if path.is_dir():
            yield from ((file, False) for file in sorted(path.rglob("*")) if _is_candidate(file, path))
        elif path.exists():
            yield path, True
        else:
            raise FileNotFoundError(text)


def _is_candidate(file: Path, base: Path) -> bool:
    inside = file.relative_to(base).parts
    return file.suffix in SUFFIXES and file.is_file() and not any(part.startswith(".") for part in inside)


def open_tape(file: Path, named: bool) -> Tape | None:
    """The cassette; None for another YAML or JSON file that only lies in the folder. CassetteError if it was named."""
    try:
        return Tape.load(file, name=str(file))
    except CassetteError:
        if named or _claims_to_be_one(file):
            raise
        return None


def _claims_to_be_one(file: Path) -> bool:
    try:
        text = file.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return re.search(r"""(?m)^\s*["']?interactions["']?\s*:""", text) is not None


def scan(tape: Tape, keep: Sequence[str] = ()) -> list[Hidden]:
    """The secrets and refusals in a cassette, in the order of the file. keep: globs of what is no secret."""
    lines = lines_of(tape)
    found = [
        Hidden(file=tape.name, line=None, kind="secret", text=str(one))
        for key, value in tape.metadata.items()
        for one in detector.suspicions(str(value), f"metadata {key}")
    ]
    for position in range(len(tape)):
        interaction = tape[position]
        found += (
            Hidden(file=tape.name, line=lines[position], kind="secret", text=str(one))
            for one in without_kept(inspect(entry_of(interaction)), keep)
        )
        refusal = _refusal(interaction)
        if refusal:
            found.append(Hidden(file=tape.name, line=lines[position], kind="refusal", text=refusal))
    return found


def inspect(entry: Entry, known: Sequence[str] = ()) -> list[Suspicion]:
    """What in an entry still looks like a secret, with the call in front of the place."""
    request, answer = entry.request, entry.answer
    call = f"{request.method} {request.url.partition('?')[0]}"
    found = detector.suspicions(request.url, "request URL", known)
    found += detector.in_headers(request.headers, "request", known)
    found += detector.in_body(request.body, "request body", known)
    if answer is not None:
        found += detector.in_headers(answer.headers, "answer", known)
        found += detector.in_body(answer.body, "answer body", known)
        found += detector.suspicions(answer.reason, "answer reason", known)
    return [replace(one, place=f"{call} {one.place}") for one in found]


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
    code = f" {failure.code}" if failure and failure.code else ""
    gate = f" at {failure.gate}" if failure and failure.gate in _REFUSED else ""
    return f"{interaction.method} {interaction.uri.partition('?')[0]} was refused{gate}: {answer.status}{code}"
