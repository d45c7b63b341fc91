"""Pasted text: a bare code, an error body, a traceback, a log. Lines may be broken inside messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from pytest_hwcloud.cloud.failures import client_texts, codes, text_patterns
from pytest_hwcloud.cloud.failures.bodies import ErrorBody
from pytest_hwcloud.cloud.failures.classify import failure_of
from pytest_hwcloud.cloud.failures.failure import Failure
from pytest_hwcloud.cloud.failures.formats import LIMIT, decode_text
from pytest_hwcloud.cloud.failures.network import fault_in, host_in, network_failure
from pytest_hwcloud.cloud.failures.text_patterns import CODE, MOST, PRINTED, Found

_EXACT = (
    text_patterns.sdk_texts,
    client_texts.sentences,
    text_patterns.objects,
    text_patterns.xml,
    client_texts.labelled_fields,
)
_LAYERS = 3  # of escapes, as a log of a log writes them
_HEAD = 3000  # characters from the head of a printed answer to its body
_QUOTED = (text_patterns.known_texts, text_patterns.denials)
_LOOSE = (text_patterns.known_texts, text_patterns.bare_codes, text_patterns.labelled, text_patterns.denials)
_STATUS = re.compile(r"(?:HTTP )?[45]\d\d", re.IGNORECASE)
_HEX_ID = re.compile(r"[0-9a-f]{32}|[0-9A-F]{32}|req-[0-9a-f-]{36}")


def read_text(text: str) -> Failure | None:
    """The failure that a text tells of; of several the first."""
    return next(iter(read_all(text)), None)


def read_all(text: str, *, quoted: bool = False) -> list[Failure]:
    """Every failure that a text tells of, each once, in the order of the text.

    quoted: the text is an exception's own, so that a bare code or a network word in it is no evidence.
    """
    text = client_texts.plain(text[:LIMIT])
    whole = _whole(text, quoted)
    if whole is not None:
        return [whole]
    text, flat, found = _layer(text, quoted)
    for finder in _QUOTED if quoted else _LOOSE:
        found += _outside(found, islice(finder(flat), MOST))
    if not quoted:
        found = _with_lines(found, text)
        found += _outside(found, _network(text, flat))
    found += islice(text_patterns.status_lines(flat), MOST)
    failures = _once([one for _, _, one in sorted(found, key=lambda piece: piece[0])])
    return failures or ([] if quoted else _documented(flat))


def _layer(text: str, quoted: bool) -> tuple[str, str, list[Found]]:
    """The text with as many escapes taken off as it needs to be read, in one line, with what is exact in it."""
    flat = unwrapped(text)
    best = text, flat, _exact(flat, quoted)
    for _ in range(_LAYERS):
        inner = client_texts.unescaped(text)
        if inner is None:
            break
        text, flat = inner, unwrapped(inner)
        found = _exact(flat, quoted)
        if _worth(found) > _worth(best[2]):
            best = text, flat, found
    return best


def _worth(found: list[Found]) -> int:
    return sum(client_texts.is_worded(one) for _, _, one in found)


def _exact(flat: str, quoted: bool) -> list[Found]:
    found: list[Found] = []
    for finder in _EXACT:
        pieces = _outside(found, islice(finder(flat), MOST))
        found += [piece for piece in pieces if not quoted or piece[2].code or piece[2].url]
    heads = list(client_texts.response_heads(flat))
    return [(start, end, _headed(one, start, heads)) for start, end, one in found] if heads else found


def _headed(failure: Failure, start: int, heads: list[tuple[int, int, str | None]]) -> Failure:
    """The failure with status and request id of the answer's head that was printed before its body."""
    near = [head for head in heads if 0 <= start - head[0] <= _HEAD]
    if failure.status is not None or not near:
        return failure
    _, status, request_id = near[-1]
    return replace(failure, status=status, request_id=failure.request_id or request_id)


def _documented(flat: str) -> list[Failure]:
    """A text without code that the catalogue knows as a code's message; the longest that stands in it."""
    if len(flat) > PRINTED:
        return []
    found = codes.by_message(flat)
    if found is None:
        return []
    entry, message = found
    family = None if codes.CODE_SHAPE.fullmatch(entry.code) else entry.family
    body = ErrorBody(code=entry.code, message=message)
    return [failure_of(body, status=entry.status[0] if len(entry.status) == 1 else None, family=family)]


def unwrapped(text: str) -> str:
    """The text in one line. A hard wrap keeps the blank it broke at; after punctuation there was none."""
    lines = text.splitlines()
    parts = []
    for number, line in enumerate(lines):
        follows = lines[number + 1].lstrip() if number + 1 < len(lines) else ""
        parts.append(line.strip() if number else line.rstrip())
        if line[-1:].isspace() or not _breaks_inside(line.rstrip(), follows):
            parts.append(" ")
    return "".join(parts).strip()


def _breaks_inside(line: str, follows: str) -> bool:
    last, first = line[-1:], follows[:1]
    if last in "|-/_.=:":
        return bool(first) and not first.isspace() and (last not in ".:" or first.isdigit() or first == "/")
    return last == "" or first == "|"


def _whole(text: str, quoted: bool) -> Failure | None:
    """The failure if the whole text is one body or one code."""
    stripped = text.strip()
    if not quoted and len(stripped) <= 100:
        if entry := _exact_code(stripped):
            return failure_of(ErrorBody(code=entry.code, message=""), family=entry.family)
        if codes.CODE_SHAPE.fullmatch(stripped) and codes.families(stripped):
            return failure_of(ErrorBody(code=stripped, message=""))
        if _STATUS.fullmatch(stripped):
            return failure_of(ErrorBody(code=None, message=""), status=int(stripped[-3:]))
    value = decode_text(stripped) if stripped[:1] in "{[<" and stripped else None
    return text_patterns.of_value(value) if isinstance(value, (dict, list)) else None


def _exact_code(text: str) -> codes.Entry | None:
    return codes.entry(text) or (codes.entry(text, family="client-network") if " " in text else None)


def _outside(found: list[Found], more: Iterator[Found]) -> list[Found]:
    """The pieces that do not lie inside others."""
    spans = sorted((start, end) for start, end, _ in found)
    kept, at = [], 0
    for piece in sorted(more, key=lambda one: one[0]):
        while at < len(spans) and spans[at][1] <= piece[0]:
            at += 1
        if at == len(spans) or piece[1] <= spans[at][0]:
            kept.append(piece)
    return kept


def _with_lines(found: list[Found], text: str) -> list[Found]:
    """Bare codes with what stands beside them: the rest of their line, or the lines that `print` wrote around them."""
    bare = {one.code.lower(): one for _, _, one in found if one.code and not one.message}
    lines = text.splitlines()
    told: dict[str, Failure] = {}
    for number, line in enumerate(lines):
        for match in CODE.finditer(line[:PRINTED]) if bare else ():
            name = match[0].lower()
            if name in bare and name not in told:
                told[name] = _in_line(match[0], lines, number, match.end())
    return [
        (start, end, told.get((one.code or "").lower(), one) if not one.message else one) for start, end, one in found
    ]


def _in_line(code: str, lines: list[str], number: int, end: int) -> Failure:
    line = lines[number]
    alone = line.strip() == code
    message = (lines[number + 1] if number + 1 < len(lines) else "") if alone else line[end : end + 500]
    before = [near.strip() for near in lines[max(0, number - 2) : number]] if alone else []
    status = next((int(near) for near in before if re.fullmatch(r"[45]\d\d", near)), None)
    request_id = next((near for near in before if _HEX_ID.fullmatch(near)), None)
    body = ErrorBody(code=code, message=message.strip(" \t:,;-·\"'}])"))
    return failure_of(body, status=status, request_id=request_id)


def _network(text: str, flat: str) -> Iterator[Found]:
    """Lines of an error that got no answer; each fault once."""
    told: set[str] = set()
    for line in [line for line in text.splitlines() if _ERROR.search(line[:PRINTED])][: MOST * 4] or [text[:PRINTED]]:
        fault = fault_in(line)
        if fault and fault not in told:
            told.add(fault)
            words = _network_words(line)
            start = max(flat.find(words), 0)
            yield (
                start,
                start + len(words),
                network_failure(
                    fault, words, host=host_in(line) or host_in(text[:PRINTED] if len(text) <= PRINTED else "")
                ),
            )


_ERROR = re.compile(
    r"Err(?:or|no)|Exception|error:|failed|dial tcp|x509|timeout|timed out|curl: \(|could not|refused|getaddrinfo",
    re.IGNORECASE,
)


def _network_words(line: str) -> str:
    """The words of the fault, short."""
    found = re.search(r"\[Errno -?\d{1,6}\] [\w ]{1,80}|Read timed out\.[^\n]{0,40}|\[SSL[^\n]{0,120}", line)
    return found[0].strip() if found else " ".join(line[:200].split())


def _once(failures: list[Failure]) -> list[Failure]:
    """Each failure once: the same answer is told several times by the exceptions that wrapped each other."""
    kept: list[Failure] = []
    for failure in failures[: MOST * 4]:
        same = next((number for number, other in enumerate(kept) if _same(other, failure)), None)
        if same is None:
            kept.append(failure)
        else:
            kept[same] = _richer(kept[same], failure)
    return kept


def _same(one: Failure, other: Failure) -> bool:
    if not one.code or not other.code:
        return bool(one.status and one.status == other.status) or (one.message == other.message != "")
    if one.code.lower() != other.code.lower():
        return False
    if one.request_id and other.request_id:
        return one.request_id == other.request_id
    first, second = codes.normal(one.message), codes.normal(other.message)
    return first.startswith(second) or second.startswith(first) or first in second or second in first


def _richer(one: Failure, other: Failure) -> Failure:
    best, rest = (one, other) if _weight(one) >= _weight(other) else (other, one)
    return replace(
        best,
        request_id=best.request_id or rest.request_id,
        status=best.status or rest.status,
        url=best.url or rest.url,
        service=best.service or rest.service,
    )


def _weight(failure: Failure) -> tuple[bool, bool, int]:
    return bool(failure.code), bool(failure.request_id), len(failure.message)
