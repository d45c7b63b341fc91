"""One cassette in memory: an index instead of a scan, entries read only when they are asked for."""

from __future__ import annotations

import json
import os
import threading
from collections import deque
from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes import parsed_cache, plain_yaml
from pytest_hwcloud.cassettes.interaction import (
    FAULTS,
    CassetteError,
    Interaction,
    fault_of,
    from_plain,
    read_interaction,
    read_json,
    read_yaml,
)
from pytest_hwcloud.cassettes.parsed_cache import Parsed
from pytest_hwcloud.cassettes.request_key import digest, key_of, nearest_key, parts
from pytest_hwcloud.cloud.wire import Request
from pytest_hwcloud.secrets.request_lookup import cleaned_body, cleaned_url, has_masked, is_masked

__all__ = ["FAULTS", "CassetteError", "Interaction", "Tape"]

_MISSING = b"\n  missing: "  # a part of the body came: no fault in place of an answer (interaction.fault_of)
_SMALL = 32 << 10  # bytes; a plain cassette below is read again faster than a cache is looked up


class Tape:
    """A cassette that answers. Each recorded answer is given once, in order, as vcrpy does it.

    The last one is given again and again if the cassette has `metadata: {repeat_last: true}`, as the shipped ones do,
    if the entry has `repeat_last: true`, or if it is a fault (a host stays unreachable). With
    `metadata: {allow_playback_repeats: true}` the first one is, as with vcrpy's option of that name.
    """

    def __init__(self, path: Path, parsed: Parsed, name: str | None = None) -> None:
        self.path = path
        self.name = name or path.stem
        self.metadata: Mapping[str, object] = parsed.metadata
        self._parsed = parsed
        self._index = parsed.index
        self._repeat = self._flag("repeat_last")
        self._again = self._flag("allow_playback_repeats")
        claim = parsed.metadata.get("expects")
        if claim is not None and not isinstance(claim, Mapping):
            raise CassetteError(texts.say("cassettes.no-claim", value=claim), path=path, key="metadata.expects")
        self._waiting: dict[str, deque[int]] = {}
        self._bodies: dict[str, dict[str | bytes, deque[int]]] = {}
        self._read: dict[int, Interaction] = {}
        self._lock = threading.Lock()

    def _flag(self, name: str) -> bool:
        value = self.metadata.get(name)
        if value is not None and not isinstance(value, bool):
            raise CassetteError(texts.say("cassettes.no-flag", value=value), path=self.path, key=f"metadata.{name}")
        return bool(value)

    @classmethod
    def load(
        cls,
        path: Path | str,
        cache_dir: Path | None = None,
        name: str | None = None,
        found: os.stat_result | None = None,
    ) -> Tape:
        """Read a cassette; CassetteError for anything that is none.

        cache_dir: where its parsed form may be kept. found: the result of `stat` for the file.
        """
        path = path if isinstance(path, Path) else Path(path)
        try:
            stat = found or path.stat()
            parsed = _parsed(path, stat.st_size, stat.st_mtime_ns, stat.st_ino, cache_dir)
        except OSError as why:
            raise CassetteError(texts.say("cassettes.unreadable", reason=why.strerror or why), path=path) from why
        return cls(path, parsed, name)

    def __len__(self) -> int:
        return len(self._parsed.ends) - 1

    def __repr__(self) -> str:
        return f"Tape({self.name!r}, {len(self)} recorded)"

    @property
    def keys(self) -> Mapping[str, list[int]]:
        """Key of tape_index → positions of the interactions recorded under it."""
        return self._index

    def take(self, request: Request) -> Interaction | None:
        """The next answer recorded for this request, which then counts as played; None if there is none (left)."""
        with self._lock:
            interaction = self._next(request)
            if interaction is not None:
                interaction.played += 1
            return interaction

    def peek(self, request: Request) -> Interaction | None:
        """What take would give, without playing it."""
        with self._lock:
            return self._next(request, keep=True)

    def nearest(self, request: Request) -> Interaction | None:
        """The recorded request that is most like this one."""
        key = nearest_key(self._index, key_of(request.method, request.url))
        return None if key is None else self[self._index[key][0]]

    @property
    def hosts(self) -> set[str]:
        """The hosts that it has answers of, with their ports where they have one."""
        return {parts(key)[2] for key in self._index}

    def fault_of(self, host: str) -> Interaction | None:
        """The fault that every call to this host meets; None if one of them is answered, or the faults differ."""
        if not self._parsed.faults:
            return None
        entries = [self[p] for key, positions in self._index.items() if parts(key)[2] == host for p in positions]
        kinds = {entry.fault for entry in entries}
        return entries[-1] if len(kinds) == 1 and None not in kinds else None

    def recorded(self, request: Request) -> int:
        """How often exactly this request was recorded, played or not."""
        return len(self._index.get(key_of(request.method, request.url), ()))

    @property
    def unplayed(self) -> list[Interaction]:
        """The interactions that were not requested, in the order of the file."""
        return [self[i] for i in range(len(self)) if not (i in self._read and self._read[i].played)]

    @property
    def unplayed_count(self) -> int:
        """How many interactions were not requested; reads none of them."""
        return len(self) - sum(1 for interaction in self._read.values() if interaction.played)

    @property
    def played_positions(self) -> list[int]:
        """The positions of the interactions that were asked for; reads none that was not."""
        return sorted(position for position, one in self._read.items() if one.played)

    def never_asked(self, wanted: Callable[[str], bool]) -> Interaction | None:
        """The first interaction at a host that is wanted whose request was not made; None if there is none."""
        played = set(self.played_positions)
        for key, positions in self._index.items():
            if played.isdisjoint(positions) and wanted(parts(key)[2]):
                return self[positions[0]]
        return None

    def __getitem__(self, position: int) -> Interaction:
        found = self._read.get(position)
        if found is None:
            found = self._read.setdefault(position, self._interaction(position))
        return found

    @cached_property
    def _has_masked(self) -> bool:
        return has_masked(self._index)

    def _next(self, request: Request, keep: bool = False) -> Interaction | None:
        key = key_of(request.method, request.url)
        if key not in self._index and self._has_masked:
            key = key_of(request.method, cleaned_url(request.url))
        positions = self._index.get(key) or self._dead_host(key)
        if positions is None:
            return None
        waiting = self._waiting.get(key)
        if waiting is None:
            waiting = self._waiting[key] = deque(positions)
        last = positions[-1]
        if request.body and len(positions) > 1:
            same = self._with_body(key, positions, request.body)
            if same is not None:
                waiting, last = same
        while waiting:
            interaction = self[waiting[0] if keep else waiting.popleft()]
            if not interaction.played:
                return interaction
            if keep:
                waiting.popleft()
        if self._again and not self[last].fault:
            return self[positions[0]]
        interaction = self[last]
        return interaction if self._repeat or interaction.repeat or interaction.fault else None

    def _dead_host(self, key: str) -> list[int] | None:
        """A request that is not recorded, to a host that only ever failed: it fails in the same way."""
        if not self._parsed.faults:
            return None
        host = parts(key)[2]
        found = [positions for known, positions in self._index.items() if parts(known)[2] == host]
        dead = set(self._parsed.faults)
        return found[0][-1:] if found and all(p in dead for positions in found for p in positions) else None

    def _with_body(self, key: str, positions: list[int], body: bytes) -> tuple[deque[int], int] | None:
        """The answers recorded for exactly this body, where different ones were recorded; None: go by the order."""
        groups = self._bodies.get(key)
        if groups is None:
            groups = self._bodies[key] = {}
            for position in positions:
                groups.setdefault(digest(self[position].body), deque()).append(position)
        same = groups.get(digest(body)) if len(groups) > 1 else None
        if same is None and len(groups) > 1 and any(is_masked(self[position].body) for position in positions):
            same = groups.get(digest(cleaned_body(body)))
        if same is None:
            return None
        while len(same) > 1 and self[same[0]].played:
            same.popleft()
        return deque(same), same[-1]

    def _interaction(self, position: int) -> Interaction:
        parsed = self._parsed
        start, end = parsed.ends[position], parsed.ends[position + 1]
        if parsed.plain and (entry := plain_yaml.read_recorded(parsed.blob, start, end)) is not None:
            return from_plain(entry, position)
        return read_interaction(self._document(parsed.blob[start:end]), position, self.path)

    def _document(self, entry: bytes) -> object:
        if not self._parsed.plain:
            return json.loads(entry)
        try:
            return plain_yaml.read_entry(entry)
        except plain_yaml.NotPlain:
            entries = read_yaml(entry, self.path)
            return entries[0] if isinstance(entries, list) else entries


@lru_cache(maxsize=64)
def _parsed(path: Path, size: int, mtime_ns: int, inode: int, cache_dir: Path | None) -> Parsed:
    """The parsed form of a file as it is now: from this process, from the cache, or read again."""
    if cache_dir is None or size <= _SMALL:
        return read_cassette(_content(path, size), path)
    stat = path.stat()
    if found := parsed_cache.load(cache_dir, path, stat):
        return found
    content = path.read_bytes()
    parsed = read_cassette(content, path)
    parsed_cache.save(cache_dir, path, stat, content, parsed)
    return parsed


def _content(path: Path, size: int) -> bytes:
    """The bytes of a small file, with as few calls to the system as there can be."""
    file = os.open(path, os.O_RDONLY | getattr(os, "O_BINARY", 0))
    try:
        content = os.read(file, size + 1)
    finally:
        os.close(file)
    return content if len(content) == size else path.read_bytes()  # it grew meanwhile, or comes in parts


def read_cassette(content: bytes, path: Path) -> Parsed:
    """Read the bytes of a cassette: JSON, the plain form, or any YAML."""
    if not content.strip():
        return _from_document(None, path)
    if content.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{":
        try:
            return _from_document(read_json(content, path), path)
        except (json.JSONDecodeError, UnicodeDecodeError, RecursionError):
            pass  # a YAML flow mapping looks like it
    try:
        return _from_plain(plain_yaml.split(content), content, path)
    except (plain_yaml.NotPlain, UnicodeDecodeError):
        return _from_document(read_yaml(content, path), path)


def _from_plain(plain: plain_yaml.Plain, content: bytes, path: Path) -> Parsed:
    frame = _frame(plain.frame, path)
    if not (isinstance(frame, dict) or frame is None) or (isinstance(frame, dict) and "interactions" in frame):
        raise plain_yaml.NotPlain
    for position, fault in plain.fault.items():
        fault_of({"fault": fault}, position, path)
    index: dict[str, list[int]] = {}
    for position, (method, uri) in enumerate(plain.keys):
        index.setdefault(key_of.__wrapped__(method, uri), []).append(position)
    return Parsed(
        metadata=_metadata(frame or {}, path),
        index=index,
        ends=plain.spans,
        blob=content,
        faults=sorted(p for p in plain.fault if _MISSING not in content[plain.spans[p] : plain.spans[p + 1]]),
        plain=True,
    )


def _frame(frame: bytes, path: Path) -> object:
    try:
        return plain_yaml.read_frame(frame)
    except plain_yaml.NotPlain:
        pass
    try:
        return read_yaml(frame, path)
    except CassetteError:
        raise plain_yaml.NotPlain from None  # reading the whole file gives the right line


def _from_document(document: object, path: Path) -> Parsed:
    """None (an empty file, or only comments) has no interactions, as vcrpy takes it for no cassette."""
    if document is None:
        return Parsed(metadata={}, index={}, ends=[0], blob=b"", faults=[], plain=False)
    if isinstance(document, list) and document and all(isinstance(one, dict) and "request" in one for one in document):
        document = {"interactions": document}  # what vcrpy wrote before its first version
    if not isinstance(document, Mapping) or not isinstance(document.get("interactions"), list):
        raise CassetteError(texts.say("cassettes.no-cassette"), path=path)
    index: dict[str, list[int]] = {}
    ends, entries, faults = [0], [], []
    for position, entry in enumerate(document["interactions"]):
        method, uri = _method_and_uri(entry, position, path)
        if fault_of(entry, position, path):
            faults.append(position)
        index.setdefault(key_of.__wrapped__(method.upper(), uri), []).append(position)
        entries.append(_as_json(entry, position, path))
        ends.append(ends[-1] + len(entries[-1]))
    metadata = _metadata(document, path)
    return Parsed(metadata=metadata, index=index, ends=ends, blob=b"".join(entries), faults=faults, plain=False)


def _metadata(document: Mapping[object, object], path: Path) -> dict[str, object]:
    found = document.get("metadata") or {}
    if not isinstance(found, Mapping):
        raise CassetteError(texts.say("cassettes.must-be-mapping"), path=path, key="metadata")
    return {str(key): value for key, value in found.items()}


def _method_and_uri(entry: object, position: int, path: Path) -> tuple[str, str]:
    request = entry.get("request") if isinstance(entry, Mapping) else None
    if not isinstance(request, Mapping):
        key = f"interactions[{position}].request"
        raise CassetteError(texts.say("cassettes.no-request"), path=path, key=key)
    method, uri = request.get("method"), request.get("uri")
    for key, value in (("method", method), ("uri", uri)):
        if not isinstance(value, str) or not value:
            where = f"interactions[{position}].request.{key}"
            raise CassetteError(texts.say("cassettes.must-be-text"), path=path, key=where)
    return str(method), str(uri)


def _as_json(entry: object, position: int, path: Path) -> bytes:
    try:
        return json.dumps(entry, ensure_ascii=False, default=parsed_cache.plain_value).encode("utf-8", "surrogatepass")
    except (TypeError, ValueError, RecursionError) as why:
        problem = texts.say("cassettes.no-plain-value", reason=why)
        raise CassetteError(problem, path=path, key=f"interactions[{position}]") from why


def drop_memory() -> None:
    """Forget the cassettes read in this process (for measurements)."""
    _parsed.cache_clear()


def file_name(path: Path) -> str:
    """How a cassette of the user's own is called in messages: relative to where the run was started, if inside."""
    try:
        return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else os.fspath(path)
    except OSError:
        return os.fspath(path)
