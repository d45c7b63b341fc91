"""What a request shows, and tests on it: which operation is this, does a dependency hold for this request?

A test is a mapping, all parts of which must hold:

    body_key: os-start            the body is an object with this key (a list: with one of these keys)
    body: {action: create}        a value in the body; dots lead inwards; lists are compared without order
    has: server.publicip.eip      the body has something there
    text: enterprise_project      the body contains this text
    query: [acl]                  the query has all of these parameters
    query_value: {action_id: x}   a query parameter has this value
    param: {resource_type: vol}   a parameter of the path has this value
    header: x-obs-copy-source     the request has this header
    host: bucket                  the host (or path) names an OBS bucket; `service`: it names none
    words: when a view is created a document's words for what no request shows: never decided
    not: {...}    any: [{...}]    the opposite; one of several tests
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl

from pytest_hwcloud import texts
from pytest_hwcloud.texts import Phrase

Test = Mapping[str, object]
Body = bytes | str | Mapping[str, object] | Sequence[object] | None
_MISSING: Final = object()


@dataclass(slots=True)
class Observed:
    """The parts of one request that tests look at. body None: not given (which is not the same as an empty body)."""

    body: Body = None
    query: frozenset[str] = frozenset()
    params: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] | None = None
    bucket: str | None = None
    query_text: str = ""
    _parsed: object = _MISSING

    @property
    def unseen(self) -> bool:
        """True where the body was not shown."""
        return self.body is None

    @property
    def document(self) -> object:
        """The body as plain data; {} where it is no JSON."""
        if self._parsed is _MISSING:
            self._parsed = _parse(self.body)
        return self._parsed

    @property
    def text(self) -> str:
        """The body as text."""
        if isinstance(self.body, bytes):
            return self.body.decode("utf-8", "replace")
        return self.body if isinstance(self.body, str) else json.dumps(self.body, ensure_ascii=False, default=str)


def _parse(body: Body) -> object:
    if not isinstance(body, (bytes, bytearray, str)):
        return dict(body) if isinstance(body, Mapping) else body
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return {}


def holds(test: Test, seen: Observed) -> bool | None:
    """Does the request pass the test? None: it would be in the body, and the body was not shown."""
    verdict: bool | None = True
    for kind, value in test.items():
        match _KINDS[kind](value, seen):
            case False:
                return False
            case None:
                verdict = None
    return verdict


def _body_key(wanted: object, seen: Observed) -> bool | None:
    if seen.unseen:
        return None
    document = seen.document
    if not isinstance(document, dict):
        return False
    return any(key in document for key in wanted) if isinstance(wanted, list) else wanted in document


def _body(wanted: object, seen: Observed) -> bool | None:
    if seen.unseen:
        return None
    assert isinstance(wanted, Mapping)
    return all(_equal(at(seen.document, str(path)), value) for path, value in wanted.items())


def _equal(found: object, wanted: object) -> bool:
    if isinstance(wanted, list) and isinstance(found, list):
        return sorted(map(str, found)) == sorted(map(str, wanted))
    if isinstance(wanted, str) and isinstance(found, str):
        return found.lower() == wanted.lower()
    return found == wanted


def at(document: object, path: str) -> object:
    """The value at `server.publicip.eip`, or None."""
    for key in path.split("."):
        document = document.get(key) if isinstance(document, Mapping) else None
    return document


def _has(path: object, seen: Observed) -> bool | None:
    return None if seen.unseen else at(seen.document, str(path)) is not None


def _text(wanted: object, seen: Observed) -> bool | None:
    return None if seen.unseen else str(wanted) in seen.text


def _query(wanted: object, seen: Observed) -> bool | None:
    assert isinstance(wanted, list)
    return seen.query.issuperset(wanted)


def _query_value(wanted: object, seen: Observed) -> bool | None:
    assert isinstance(wanted, Mapping)
    given = dict(parse_qsl(seen.query_text, keep_blank_values=True))
    return all(_equal(given.get(str(name)), value) for name, value in wanted.items())


def _param(wanted: object, seen: Observed) -> bool | None:
    assert isinstance(wanted, Mapping)
    return all(seen.params.get(name) == value for name, value in wanted.items())


def _header(name: object, seen: Observed) -> bool | None:
    return any(str(name).lower() == key.lower() for key in seen.headers or ())


def _host(wanted: object, seen: Observed) -> bool | None:
    return (wanted == "bucket") == (seen.bucket is not None)


def _not(test: object, seen: Observed) -> bool | None:
    assert isinstance(test, Mapping)
    verdict = holds(test, seen)
    return None if verdict is None else not verdict


def _any(tests: object, seen: Observed) -> bool | None:
    assert isinstance(tests, list)
    verdicts = [holds(test, seen) for test in tests]
    return True if True in verdicts else None if None in verdicts else False


def _unseen(_: object, __: Observed) -> bool | None:
    return None


_KINDS: dict[str, Callable[[object, Observed], bool | None]] = {
    "body_key": _body_key,
    "body": _body,
    "has": _has,
    "text": _text,
    "query": _query,
    "query_value": _query_value,
    "param": _param,
    "header": _header,
    "host": _host,
    "words": _unseen,
    "not": _not,
    "any": _any,
}
KINDS: dict[str, type | tuple[type, ...]] = {
    "body_key": (str, list),
    "body": dict,
    "has": str,
    "text": str,
    "query": list,
    "query_value": dict,
    "param": dict,
    "header": str,
    "host": str,
    "words": str,
    "not": dict,
    "any": list,
}


def describe(test: Test) -> str:
    """The test in a few words: `body key os-start`, `body action = create`, `query ?acl`."""
    return texts.joined("requests.and", [said for kind, value in test.items() if (said := _words(kind, value))])


def _words(kind: str, value: object) -> str:
    match kind, value:
        case "body_key", list(keys):
            return Phrase("requests.body-key", keys=texts.joined("requests.or", keys))
        case "body_key", key:
            return Phrase("requests.body-key", keys=key)
        case (("body" | "param" | "query_value"), Mapping()):
            key = f"requests.{kind.replace('_', '-')}"
            rows = [Phrase(key, name=name, value=_short(item)) for name, item in value.items()]
            return texts.joined("requests.and", rows)
        case "query", list(keys):
            return Phrase("requests.query", keys="&".join(keys))
        case (("header" | "has"), name):
            return Phrase(f"requests.{kind}", name=name)
        case "text", text:
            return Phrase("requests.contains", text=text)
        case "words", words:
            return str(words)
        case "not", Mapping() as test:
            return Phrase("requests.not", test=describe(test))
        case "any", list(tests):
            return texts.joined("requests.or", [describe(test) for test in tests])
    return ""


def _short(value: object) -> str:
    return "+".join(map(str, value)) if isinstance(value, list) else str(value)
