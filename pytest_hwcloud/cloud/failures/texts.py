"""Pasted text: a bare code, an error body, a traceback, a log. Lines may be broken inside messages."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace

from pytest_hwcloud.cloud import codes
from pytest_hwcloud.cloud.failures.bodies import ErrorBody, read_hidden, read_refusal
from pytest_hwcloud.cloud.failures.classify import actions_in, failure_of, wording
from pytest_hwcloud.cloud.failures.failure import Failure
from pytest_hwcloud.cloud.failures.formats import LIMIT, decode_text, xml_error
from pytest_hwcloud.cloud.failures.network import fault_in, host_in, network_failure

_ATTEMPTS = 200  # objects of a text that are tried, so that broken brackets cannot make the reading slow
_WINDOW = 50_000
Found = tuple[int, int, Failure]  # where in the text, from and to, and what

# Texts that stand for their code where a client dropped it (older SDKs did while they looked up the project id).
_KNOWN_TEXTS = tuple(
    (re.compile(pattern), code, status)
    for pattern, code, status in (
        (r"Incorrect IAM authentication information", "APIGW.0301", 401),
        (r"Incorrect app authentication information", "APIGW.0303", 401),
        (r"The throttling threshold has been reached", "APIGW.0308", 429),
        (r"The token must be updated", "APIGW.0307", 401),
        (r"The API does not exist or has not been published", "APIGW.0101", 404),
        (r"[tT]enantId in token is not the same with in URL", "Common.0018", 400),
        (r"urlTenantId is not equal tokenTenantId", "VPC.0007", None),
        (r"do not have the required roles, forbidden to perform this action", "Ecs.0110", 403),
        (r"too many 429 error responses", "429", 429),
        (r"No project id found", "No project id found", None),
        (r"Multiple project ids found", "Multiple project ids found", None),
        (r"No domain id found", "Failed to get domain id", None),
        (r"Failed to get project id of region '[^']{1,60}', X-IAM-Trace-Id", "No project id found", None),
        (r"credential type error, supported credential type", "credential type error", None),
        (r"is not in the following supported regions of service", "unsupported region", None),
    )
)
_CODE = re.compile(rf"(?<![\w.-]){codes.CODE_SHAPE.pattern}(?![\w-])")
_LABELLED = re.compile(r"(?:errorCode|error_code|<Code>|\bCode)['\"]?\s{0,3}[:=]?\s{0,3}['\"]?([A-Z][A-Za-z]{3,40})\b")
_STATUS_LINE = re.compile(
    r"\b(\d{3}) (?:Client|Server) Error: [^\n]{0,80}? for url: (\S{1,2000})"
    r"|(?:Client|Server) error '(\d{3}) [^'\n]{0,60}' for url '([^'\s]{1,2000})'"
)
_DENIAL = re.compile(r"Policy (?:doesn['’]?t|does not) allow|(?:User: \S{1,200} )?is not authorized to perform")
_HEX_ID = re.compile(r"[0-9a-f]{32}|[0-9A-F]{32}|req-[0-9a-f-]{36}")


def read_text(text: str) -> Failure | None:
    """The failure that a text tells of; of several the first."""
    return next(iter(read_all(text)), None)


def read_all(text: str, *, quoted: bool = False) -> list[Failure]:
    """Every failure that a text tells of, each once, in the order of the text.

    quoted: the text is an exception's own, so that a bare code or a network word in it is no evidence.
    """
    text = text[:LIMIT]
    whole = _whole(text, quoted)
    if whole is not None:
        return [whole]
    flat = unwrapped(text)
    found = [*_sdk_texts(flat), *_objects(flat), *_xml(flat)]
    found += _outside(found, _known_texts(flat))
    if not quoted:
        found += _outside(found, _bare_codes(text, flat))
        found += _outside(found, _labelled(flat))
    found += _outside(found, _denials(flat))
    found += [one for one in _status_lines(flat) if quoted is False or one[2].status]
    failures = _once([one for _, _, one in sorted(found, key=lambda piece: piece[0])])
    return failures or ([] if quoted else _network(text))


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
    value = decode_text(stripped) if stripped[:1] in "{[<" and stripped else None
    return _of_value(value) if isinstance(value, (dict, list)) else None


def _exact_code(text: str) -> codes.Entry | None:
    return codes.entry(text) or (codes.entry(text, family="client-network") if " " in text else None)


def _of_value(value: object) -> Failure | None:
    body = read_hidden(value) or (_refusal_object(value) if isinstance(value, dict) else None)
    return failure_of(body) if body else None


def _refusal_object(value: dict[object, object]) -> ErrorBody | None:
    """A body without a code whose words are those of a refusal."""
    body = read_refusal(value)
    return body if body and set(map(str, value)) & {"error", "NeutronError"} and wording(body.message) else None


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


def _sdk_texts(flat: str) -> Iterator[Found]:
    """The texts of huaweicloudsdkcore's exceptions. Messages have commas in them, so the field names are the marks."""
    start = flat.find("status_code:")
    while start >= 0:
        following = flat.find("status_code:", start + 12)
        piece = flat[start : min(following if following >= 0 else len(flat), start + _WINDOW)]
        end, failure = _sdk_text(piece)
        if failure:
            yield start, start + end, failure
        start = following


def _sdk_text(piece: str) -> tuple[int, Failure | None]:
    marks = [piece.find(mark) for mark in ("request_id:", "error_code:", "error_msg:")]
    if -1 in marks or marks != sorted(marks):
        return 0, None
    closed = piece.find("encoded_authorization_message:", marks[2])
    end = closed if closed >= 0 else _closing(piece, marks[2])
    status = re.sub(r"\D", "", piece[12 : marks[0]])[:3]
    request_id = "".join(piece[marks[0] + 11 : marks[1]].split()).strip(",")
    code = "".join(piece[marks[1] + 11 : marks[2]].split()).strip(",")
    message = piece[marks[2] + 10 : end].strip().rstrip(",").strip()
    encoded = piece[closed + 30 : piece.find("}", closed)].strip() if closed >= 0 else ""
    return end, _sdk_failure(code, int(status or 0) or None, message, request_id, encoded)


def _sdk_failure(code: str, status: int | None, message: str, request_id: str, encoded: str) -> Failure:
    body: ErrorBody | None = ErrorBody(code=code, message=message)
    family = None
    if code == str(status):
        swallowed = "too many 429 error responses" in message
        body = None if swallowed else read_refusal(decode_text(message))
        family = (
            "client-network"
            if swallowed
            else "keystone"
            if body is None and code in ("400", "401", "403", "404")
            else None
        )
        body = body or ErrorBody(code=code, message=message)
    elif "{" in message:
        body = read_refusal({"error_code": code, "error_msg": message})
    assert body is not None
    body = replace(body, encoded=encoded if encoded not in ("", "None") else None)
    known_id = request_id if request_id not in ("", "None") else None
    return failure_of(body, status=status, request_id=known_id, family=family)


def _closing(piece: str, start: int) -> int:
    """Where the brace closes that an SDK text opened; inner braces of a JSON message are skipped."""
    depth = 1
    for found in re.finditer(r"[{}]", piece[start:]):
        depth += 1 if found[0] == "{" else -1
        if not depth:
            return start + found.start()
    return len(piece)


def _objects(flat: str) -> Iterator[Found]:
    """JSON objects, and Python's way to print them."""
    decoder, at, tries = json.JSONDecoder(strict=False), 0, 0
    for start in re.finditer(r"\{\s{0,40}(['\"])", flat):
        if start.start() < at or tries >= _ATTEMPTS:
            continue
        tries += 1
        window = flat[start.start() : start.start() + _WINDOW]
        value, length = _object(decoder, window, start[1])
        failure = _of_value(value) if length else None
        if failure:
            at = start.start() + length
            yield start.start(), at, failure


def _object(decoder: json.JSONDecoder, window: str, quote: str) -> tuple[object, int]:
    try:
        if quote == '"':
            return decoder.raw_decode(window)
        length = _closing(window, 1) + 1
        return ast.literal_eval(window[:length]) if length <= 5000 else None, length
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None, 0


def _xml(flat: str) -> Iterator[Found]:
    start = flat.find("<Error>")
    while start >= 0:
        end = flat.find("</Error>", start)
        end = end + 8 if end >= 0 else min(len(flat), start + _WINDOW)
        fields = xml_error(flat[start:end])
        body = read_refusal(fields) if fields else None
        if body:
            yield start, end, failure_of(body)
        start = flat.find("<Error>", end)


def _known_texts(flat: str) -> Iterator[Found]:
    for pattern, code, status in _KNOWN_TEXTS:
        for found in pattern.finditer(flat):
            message = _sentence(flat, found.start())
            family = None if codes.CODE_SHAPE.fullmatch(code) else "client-network"
            body = ErrorBody(code=code, message=message)
            yield found.start(), found.end(), failure_of(body, status=status, family=family)


def _sentence(flat: str, start: int) -> str:
    """The message that begins at a place: up to the bracket or quotation mark that closes it."""
    piece = flat[start : start + 2000]
    ends = [at for mark in (" }", '"', "'}", "Traceback (", "\n") if (at := piece.find(mark)) > 0]
    return piece[: min(ends, default=600)].strip().rstrip("}").strip()


def _bare_codes(text: str, flat: str) -> Iterator[Found]:
    """Codes of the catalogue that stand alone in a log line, or in lines of their own as `print` left them."""
    lines = text.splitlines()
    told = {
        found[0].lower(): (number, found.end())
        for number, line in enumerate(lines)
        for found in _CODE.finditer(line[:5000])
    }
    for found in _CODE.finditer(flat):
        entry = codes.entry(found[0])
        if entry is None and not _GATEWAY_LIKE.match(found[0]):
            continue
        number, end = told.get(found[0].lower(), (-1, 0))
        yield found.start(), found.end(), _in_line(found[0], lines, number, end)


_GATEWAY_LIKE = re.compile(r"API(?:GW|G|C)\.\d{4}$")


def _in_line(code: str, lines: list[str], number: int, end: int) -> Failure:
    if number < 0:
        return failure_of(ErrorBody(code=code, message=""))
    line = lines[number]
    alone = line.strip() == code
    message = (lines[number + 1] if number + 1 < len(lines) else "") if alone else line[end : end + 500]
    before = [near.strip() for near in lines[max(0, number - 2) : number]] if alone else []
    status = next((int(near) for near in before if re.fullmatch(r"[45]\d\d", near)), None)
    request_id = next((near for near in before if _HEX_ID.fullmatch(near)), None)
    return failure_of(
        ErrorBody(code=code, message=message.strip(" \t:,;-·\"'}])")), status=status, request_id=request_id
    )


def _labelled(flat: str) -> Iterator[Found]:
    for found in _LABELLED.finditer(flat):
        if codes.entry(found[1]):
            yield found.start(), found.end(), failure_of(ErrorBody(code=found[1], message=""))


def _denials(flat: str) -> Iterator[Found]:
    for found in _DENIAL.finditer(flat):
        message = _sentence(flat[found.start() : found.start() + 400], 0)
        if actions_in(message):
            yield found.start(), found.start() + len(message), failure_of(ErrorBody(code=None, message=message))


def _status_lines(flat: str) -> Iterator[Found]:
    for found in _STATUS_LINE.finditer(flat):
        status, url = int(found[1] or found[3]), found[2] or found[4]
        if 400 <= status <= 599:
            yield found.start(), found.end(), failure_of(ErrorBody(code=None, message=""), status=status, url=url)


def _network(text: str) -> list[Failure]:
    fault = fault_in(text) or fault_in(unwrapped(text))
    return [network_failure(fault, _network_words(text), host=host_in(text))] if fault else []


def _network_words(text: str) -> str:
    """The words around the fault, short."""
    found = re.search(r"\[Errno -?\d{1,6}\] [\w ]{1,80}|Read timed out\.[^\n]{0,40}|\[SSL[^\n]{0,120}", text[:20_000])
    return found[0].strip() if found else " ".join(text[:200].split())


def _once(failures: list[Failure]) -> list[Failure]:
    """Each failure once: the same answer is told several times by the exceptions that wrapped each other."""
    kept: list[Failure] = []
    for failure in failures:
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
