"""One recorded request with what came back, read from a cassette in any of vcrpy's spellings."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from pytest_hwcloud import texts
from pytest_hwcloud.cassettes.plain_yaml import Recorded
from pytest_hwcloud.cloud.transfer_coding import KEPT, opened
from pytest_hwcloud.cloud.wire import Answer

FAULTS = ("dns", "connection-refused", "connection-reset", "connect-timeout", "read-timeout", "tls")


class CassetteError(ValueError):
    """A cassette that cannot be used: the text has file, line and key where they are known, and what is wrong."""

    def __init__(
        self, problem: str, *, path: Path | str | None = None, line: int | None = None, key: str | None = None
    ) -> None:
        self.problem, self.path, self.line, self.key = problem, path, line, key
        place = f"{path}:{line}" if line else str(path or texts.say("cassettes.a-cassette"))
        super().__init__(f"{place}: {f'{key}: ' if key else ''}{problem}")


def read_json(text: str | bytes, path: Path) -> object:
    """The document of a JSON text; CassetteError for a key that is given twice, ValueError for what is no JSON."""

    def members(pairs: list[tuple[str, object]]) -> dict[str, object]:
        made = dict(pairs)
        if len(made) < len(pairs):
            from pytest_hwcloud import texts

            names = [key for key, _ in pairs]
            doubled = next(key for key in made if names.count(key) > 1)
            raise CassetteError(texts.say("files.given-twice"), path=path, key=doubled)
        return made

    return json.loads(text, object_pairs_hook=members)


@dataclass(slots=True, kw_only=True)
class Interaction:
    """One entry of a cassette. index: its position in the file, from 0. Exactly one of answer and fault is set."""

    index: int
    method: str
    uri: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)
    answer: Answer | None = None
    fault: str | None = None
    recorded_at: str | None = None
    repeat: bool = False
    abandoned: bool = False  # a read-timeout that was the client's own giving up
    played: int = 0


def read_yaml(text: str | bytes, path: Path) -> object:
    """The document of a YAML text; CassetteError (file, line) for broken, dangerous or oversized ones."""
    from pytest_hwcloud.files.yaml_reader import LocatedError, read_cassette_yaml  # only for what is not plain

    try:
        return read_cassette_yaml(text, str(path))
    except LocatedError as why:
        raise CassetteError(why.problem, path=path, line=why.line) from why


def read_interaction(document: object, index: int, path: Path) -> Interaction:
    """The interaction in one entry of `interactions:`; CassetteError names the key that is wrong."""
    here = f"interactions[{index}]"
    entry = _mapping(document, path, here)
    request = _mapping(entry.get("request"), path, f"{here}.request")
    response = entry.get("response")
    fault = fault_of(entry, index, path)
    if fault is None and not isinstance(response, Mapping):
        raise CassetteError(texts.say("cassettes.no-response"), path=path, key=f"{here}.response")
    return Interaction(
        index=index,
        method=str(request["method"]).upper(),
        uri=str(request["uri"]),
        headers={name.lower(): value for name, value in _headers(request.get("headers"), path, here).items()},
        body=_body(request.get("body"), path, f"{here}.request.body"),
        answer=None if fault else _answer(_mapping(response, path, here), path, f"{here}.response", entry),
        fault=fault,
        recorded_at=str(entry["recorded_at"]) if entry.get("recorded_at") else None,
        repeat=bool(entry.get("repeat_last")),
        abandoned=bool(entry.get("abandoned")),
    )


def from_plain(entry: Recorded, index: int) -> Interaction:
    """The interaction in an entry that the quick reader has read as a whole."""
    fields = entry.answer_headers
    written = Answer(
        entry.status,
        {name: values[0] if len(values) == 1 else ", ".join(values) for name, values in fields.items()},
        entry.answer_body.encode(),
        entry.reason,
        repeated={name: values for name, values in fields.items() if len(values) > 1},
    )
    return Interaction(
        index=index,
        method=entry.method,
        uri=entry.uri,
        headers={name.lower(): ", ".join(values) for name, values in entry.headers.items()},
        body=entry.body.encode(),
        answer=_read_codings(written, entry.coding),
        recorded_at=entry.recorded_at,
    )


def fault_of(entry: Mapping[str, object], index: int, path: Path) -> str | None:
    """The fault of an entry (in place of its response, or inside it); CassetteError for an unknown one.

    None where a part of the body came: the client meets the end of the connection when it has read so far.
    """
    response = entry.get("response")
    if entry.get("missing") and isinstance(response, Mapping):
        return None
    fault = entry.get("fault") or (response.get("fault") if isinstance(response, Mapping) else None)
    if fault is None or fault in FAULTS:
        return None if fault is None else str(fault)
    problem = texts.say("cassettes.unknown-fault", fault=fault, known=", ".join(FAULTS))
    raise CassetteError(problem, path=path, key=f"interactions[{index}].fault")


def _mapping(value: object, path: Path, key: str) -> Mapping[str, object]:
    if not isinstance(value, Mapping):
        raise CassetteError(texts.say("cassettes.no-mapping", type=type(value).__name__), path=path, key=key)
    return value


def _headers(value: object, path: Path, key: str) -> dict[str, str]:
    return {str(name): _one(values) for name, values in _mapping(value or {}, path, f"{key}.headers").items()}


def _as_mapping(value: object) -> object:
    """Headers as a mapping where they are a list: of pairs, or of lines as http.client had them in Python 2."""
    if not isinstance(value, list):
        return value
    found: dict[str, list[object]] = {}
    for one in value:
        pair = [part.strip() for part in one.split(":", 1)] if isinstance(one, str) else one
        if not isinstance(pair, (list, tuple)) or len(pair) != 2 or not isinstance(pair[0], str):
            return value
        found.setdefault(pair[0], []).append(pair[1])
    return found


def _one(values: object) -> str:
    if values.__class__ is list and len(values) == 1 and values[0].__class__ is str:
        return values[0]  # as nearly every header is
    if isinstance(values, bytes):
        return values.decode("latin-1")
    if isinstance(values, str) or not isinstance(values, Iterable):
        return "" if values is None else str(values)
    return ", ".join(_one(value) for value in values)


def _repeated(value: object) -> dict[str, tuple[str, ...]]:
    """The headers whose values are several."""
    if not isinstance(value, Mapping):
        return {}
    found = {name: values for name, values in value.items() if isinstance(values, (list, tuple)) and len(values) > 1}
    return {str(name): tuple(_one(one) for one in values) for name, values in found.items()}


def _body(value: object, path: Path, key: str) -> bytes:
    match value:
        case None:
            return b""
        case bytes():
            return value
        case str():
            return value.encode("utf-8", "surrogateescape")
        case {"base64_string": inner}:
            return _base64(_body(inner, path, key), path, key)
        case {"encoding": "base64", "string": inner}:
            return _base64(_body(inner, path, key), path, key)
        case {"encoding": str() as encoding, "string": str() as text}:  # as VCR for Ruby writes it
            return _encoded(text, encoding)
        case {"string": inner}:
            return _body(inner, path, key)
        case {} if not value:
            return b""
        case list() | tuple() if all(isinstance(part, (str, bytes)) for part in value):
            return b"".join(_body(part, path, key) for part in value)
    if callable(read := getattr(value, "read", None)):
        return _body(read(), path, key)
    raise CassetteError(texts.say("cassettes.body-type", type=type(value).__name__), path=path, key=key)


def _base64(text: bytes, path: Path, key: str) -> bytes:
    try:
        return base64.b64decode(b"".join(text.split()), validate=True)
    except (binascii.Error, ValueError) as why:
        raise CassetteError(texts.say("cassettes.broken-base64", reason=why), path=path, key=key) from why


def _encoded(text: str, encoding: str) -> bytes:
    try:
        return text.encode(encoding)
    except (LookupError, UnicodeError):
        return text.encode("utf-8", "surrogateescape")


def _code(value: object) -> object:
    """The code of a status; some tools write it as a text."""
    if isinstance(value, str) and len(value) == 3 and value.isdecimal() and value.isascii():
        return int(value)
    return value


def _answer(response: Mapping[str, object], path: Path, key: str, entry: Mapping[str, object]) -> Answer:
    """entry: beside the answer the coding in which it came, and how much of it."""
    given = _as_mapping(response.get("headers"))
    headers = _headers(given, path, key)
    if "status_code" in response:  # what vcrpy wrote for httpx before 8.2
        code, reason, content = _code(response["status_code"]), "", response.get("content")
    else:
        status = _mapping(response.get("status"), path, f"{key}.status")
        code, reason, content = _code(status.get("code")), str(status.get("message") or ""), response.get("body")
    if isinstance(code, bool) or not isinstance(code, int) or not 100 <= code <= 999:
        problem = texts.say("cassettes.no-number", value=repr(code))
        raise CassetteError(problem, path=path, key=f"{key}.status.code")
    missing = entry.get("missing")
    written = Answer(
        code,
        headers,
        _body(content, path, f"{key}.body"),
        reason,
        repeated=_repeated(given),
        missing=missing if isinstance(missing, int) else 0,
        protocol=str(entry.get("protocol") or ""),
    )
    return _read_codings(written, str(entry.get("coding") or ""))


def _read_codings(written: Answer, said: str) -> Answer:
    """The answer that stands in a cassette, opened. said: the coding that the entry names itself."""
    low = {name.lower(): name for name in written.headers}
    if "content-encoding" not in low and "transfer-encoding" not in low and "connection" not in low and not said:
        return written  # nearly every one
    carried = written.headers[low["transfer-encoding"]].lower() if "transfer-encoding" in low else ""
    headers = {name: value for name, value in written.headers.items() if name.lower() != "transfer-encoding"}
    kept, body, coding = (headers, written.body, "") if said == KEPT else opened(headers, written.body)
    framing = "chunked" if "chunked" in carried else ""
    low = {name.lower(): name for name in kept}
    if not framing and "content-length" not in low and kept.get(low.get("connection", ""), "").lower() == "close":
        framing = "close"
        del kept[low["connection"]]
    packed, coding = written.body if coding else b"", said or coding
    return replace(written, headers=kept, body=body, coding=coding, framing=framing, packed=packed)
