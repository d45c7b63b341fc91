"""Pasted text: a bare code, an error body, a traceback, a log. Lines may be broken inside messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

from pytest_hwcloud.cloud.failures import client_texts, codes, layers, surroundings, text_patterns
from pytest_hwcloud.cloud.failures.bodies import ErrorBody
from pytest_hwcloud.cloud.failures.classify import failure_of, wording
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
_BESIDE = 1500  # characters between a client's message about an answer and its body
_LAYERS = 3  # of escapes, as a log of a log writes them
_QUOTED = (text_patterns.known_texts, text_patterns.denials)
_LOOSE = (text_patterns.known_texts, text_patterns.bare_codes, text_patterns.labelled, text_patterns.denials)
_STATUS = re.compile(r"(?:HTTP )?[45]\d\d", re.IGNORECASE)
_HEX_ID = re.compile(r"[0-9a-f]{32}|[0-9A-F]{32}|req-[0-9a-f-]{36}")


def read_text(text: str) -> Failure | None:
    """The failure that a text describes; of several the first."""
    return next(iter(read_all(text)), None)


def read_all(text: str, *, quoted: bool = False) -> list[Failure]:
    """Every failure that a text describes, each once, in the order of the text.

    quoted: the text is an exception's own, so that a bare code or a network word in it is no evidence.
    """
    text = layers.plain(text[:LIMIT])
    whole = _whole(text, quoted)
    if whole is not None:
        return [whole]
    text, flat, found = _layer(text, quoted)
    for finder in _QUOTED if quoted else _LOOSE:
        found += _outside(found, islice(finder(flat), MOST))
    if not quoted:
        found = _with_lines(found, text)
        found += _outside(found, _network(text, flat))
    found += _outside(found, islice(text_patterns.status_lines(flat), MOST))
    found = _adjacent(surroundings.placed(found, flat))
    failures = _once([one for _, _, one in sorted(found, key=lambda piece: piece[0])])
    return failures or ([] if quoted else surroundings.heads_alone(flat) or _documented(flat))


def _layer(text: str, quoted: bool) -> tuple[str, str, list[Found]]:
    """The text with as many escapes taken off as it needs to be read, in one line, with what is exact in it."""
    flat = layers.unwrapped(text)
    best = text, flat, _exact(flat, quoted)
    for _ in range(_LAYERS):
        inner = layers.unescaped(text)
        if inner is None:
            break
        text, flat = inner, layers.unwrapped(inner)
        found = _exact(flat, quoted)
        if _worth(found) > _worth(best[2]):
            best = text, flat, found
    return best


def _worth(found: list[Found]) -> float:
    """How much was read; words that still have escapes in them count less."""
    worded = [one for _, _, one in found if client_texts.is_worded(one)]
    return len(worded) - 0.5 * any(re.search(r"\\[ntr\"'u\\]", one.message) for one in worded)


def _adjacent(found: list[Found]) -> list[Found]:
    """One failure where a client prints the status and the URL, and the body of that answer stands beside it."""
    kept: list[Found] = []
    for start, end, failure in sorted(found, key=lambda piece: piece[0]):
        if kept and start - kept[-1][1] <= _BESIDE and (one := _one_answer(kept[-1][2], failure)) is not None:
            kept[-1] = kept[-1][0], max(end, kept[-1][1]), one
        else:
            kept.append((start, end, failure))
    return kept


def _one_answer(first: Failure, second: Failure) -> Failure | None:
    """Both as one, if one of them is no more than the HTTP status of the other."""
    for head, body in ((first, second), (second, first)):
        if head.code or head.message or head.status is None or head.gate == "network":
            continue
        entry = codes.entry(body.code) if body.code else None
        known = entry.status if entry else ()
        apart = body.url and head.url and body.url != head.url
        if body.status not in (None, head.status) or apart or (known and head.status not in known):
            continue
        if body.request_id and head.request_id and body.request_id != head.request_id:
            continue
        return replace(
            body,
            status=head.status,
            method=body.method or head.method,
            url=body.url or head.url,
            service=body.service or head.service,
            request_id=body.request_id or head.request_id,
        )
    return None


def _exact(flat: str, quoted: bool) -> list[Found]:
    found: list[Found] = []
    for finder in _EXACT:
        pieces = _outside(found, islice(finder(flat), MOST))
        found += [piece for piece in pieces if not quoted or piece[2].code or piece[2].url]
    return found


def _documented(flat: str) -> list[Failure]:
    """A text without code that the catalogue knows as a code's message; the longest that stands in it."""
    if len(flat) > PRINTED:
        return []
    found = codes.by_message(flat)
    if found is None:  # the message of several codes: its meaning is reported, and no code
        worded = wording(flat) is not None and codes.is_message(flat)
        return [failure_of(ErrorBody(code=None, message=flat))] if worded else []
    entry, message = found
    family = None if codes.CODE_SHAPE.fullmatch(entry.code) else entry.family
    body = ErrorBody(code=entry.code, message=message)
    return [failure_of(body, status=entry.status[0] if len(entry.status) == 1 else None, family=family)]


def _whole(text: str, quoted: bool) -> Failure | None:
    """The failure if the whole text is one body or one code."""
    stripped = text.strip()
    if not quoted and len(stripped) <= 100:
        if entry := _exact_code(stripped):
            return failure_of(ErrorBody(code=entry.code, message=""), family=entry.family)
        if codes.CODE_SHAPE.fullmatch(stripped) and codes.families(stripped):
            return failure_of(ErrorBody(code=stripped, message=""))
        spelled = "".join(stripped.split()) if stripped.istitle() else ""
        if entry := codes.entry(spelled, family="obs") if spelled else None:  # OBS's message for AccessDenied
            return replace(failure_of(ErrorBody(code=entry.code, message=stripped)), service="obs")
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
    message = (lines[number + 1] if number + 1 < len(lines) else "") if alone else _rest(line, code, end)
    before = [near.strip() for near in lines[max(0, number - 2) : number]] if alone else []
    status = next((int(near) for near in before if re.fullmatch(r"[45]\d\d", near)), None)
    request_id = next((near for near in before if _HEX_ID.fullmatch(near)), None)
    named = _REQUEST.search(line, end)
    request_id = request_id or (named[1] if named else None)
    body = ErrorBody(code=code, message=message.strip(" \t:,;-·\"'}])）。，；、"))
    return failure_of(body, status=status, request_id=request_id)


def _rest(line: str, code: str, end: int) -> str:
    """The words behind a code, up to the quotation mark that stood before the code; nothing of other codes."""
    rest = line[end : end + 500]
    before = line[end - len(code) - 1 : end - len(code)]
    if before in "\"'" and before:
        rest = rest.partition(before)[0]
    rest = _REQUEST.sub("", rest)
    return "" if CODE.search(rest) else rest


_REQUEST = re.compile(
    r"\s*[(\[]?\brequest(?:[ _-]?id)?[:= ]{1,2}([0-9a-fA-F]{32}|req-[0-9a-f-]{36})[)\]]?", re.IGNORECASE
)


def _network(text: str, flat: str) -> Iterator[Found]:
    """Lines of an error that got no answer; each fault once."""
    told: set[str] = set()
    for line in [line for line in text.splitlines() if _ERROR.search(line[:PRINTED])][: MOST * 4] or [text[:PRINTED]]:
        fault = fault_in(line)
        if fault and fault not in told and not _is_elsewhere(line, text):
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


_ADDRESS = re.compile(
    r"(?:https?://|\bto (?:host )?|\bdial tcp |ECONNREFUSED |ETIMEDOUT |host=')([\w.-]{1,255}|\[[0-9a-f:]+\])"
    r"(?::(\d{1,5}))?(?![\w.])",
    re.IGNORECASE,
)


def _is_elsewhere(line: str, text: str) -> bool:
    """Whether a line is about a connection to something else: a host that is no cloud's, or a port of this machine."""
    from pytest_hwcloud.cloud.endpoints import is_cloud_host

    hosts = [(found[1].strip("."), found[2]) for found in _ADDRESS.finditer(line[:PRINTED])]
    hosts = [(host, port) for host, port in hosts if "." in host or host == "localhost" or host[:1] == "["]
    named = [host for host in [host_in(line), *(host for host, _ in hosts)] if host]
    if (
        not hosts
        or any(is_cloud_host(host) for host in named)
        or re.search("proxy|huawei", text[:PRINTED], re.IGNORECASE)
    ):
        return False
    return all(not _IP.fullmatch(host) or _IS_LOCAL.match(host) or (port or "443") != "443" for host, port in hosts)


_IP, _IS_LOCAL = re.compile(r"\d{1,3}(?:\.\d{1,3}){3}|\[.*"), re.compile(r"127\.|\[::1\]")
_ERROR = re.compile(
    r"Err(?:or|no)|Exception|error:|failed|dial tcp|x509|timeout|timed out|curl: \(|could not|refused|getaddrinfo"
    r"|: EOF\b|ECONN",
    re.IGNORECASE,
)


def _network_words(line: str) -> str:
    """The words of the fault, short."""
    found = re.search(r"\[Errno -?\d{1,6}\] [\w ]{1,80}|Read timed out\.[^\n]{0,40}|\[SSL[^\n]{0,120}", line)
    return found[0].strip() if found else " ".join(line[:200].split())


def _once(failures: list[Failure]) -> list[Failure]:
    """Each failure once: the same answer is reported several times by the exceptions that wrapped each other."""
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
        first, second = codes.normal(one.message), codes.normal(other.message)
        begins = min(len(first), len(second)) >= 15 and (first.startswith(second) or second.startswith(first))
        return bool(one.status and one.status == other.status) or begins or (one.message == other.message != "")
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
