"""The pieces of a pasted text that describe a failure: SDK texts, objects, XML, known sentences, codes, HTTP lines."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from urllib.parse import urlsplit

from pytest_hwcloud.cloud.endpoints import is_cloud_host
from pytest_hwcloud.cloud.failures import codes
from pytest_hwcloud.cloud.failures.bodies import ErrorBody, is_of_another_cloud, read_hidden, read_refusal
from pytest_hwcloud.cloud.failures.classify import actions_in, failure_of, wording
from pytest_hwcloud.cloud.failures.failure import FailedCall, Failure
from pytest_hwcloud.cloud.failures.formats import XML_ERROR, decode_text, xml_error

ATTEMPTS = 200  # objects of a text that are tried, so that broken brackets cannot make the reading slow
WINDOW = 50_000
PRINTED = 5000  # characters of an object as Python prints it
MOST = 500  # pieces of one kind that are looked at, and failures that are reported
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
CODE = re.compile(rf"(?<![\w.-]){codes.CODE_SHAPE.pattern}(?![\w-])")
_LABELLED = re.compile(r"(?:errorCode|error_code|<Code>|\bCode)['\"]?\s{0,3}[:=]?\s{0,3}['\"]?([A-Z][A-Za-z]{3,40})\b")
_STATUS_LINE = re.compile(
    r"\b(\d{3}) (?:Client|Server) Error: [^\n]{0,80}? for url: (\S{1,2000})"
    r"|(?:Client|Server) error '(\d{3}) [^'\n]{0,60}' for url '([^'\s]{1,2000})'"
)
_DENIAL = re.compile(r"Policy (?:doesn['’]?t|does not) allow|(?:User: \S{1,200} )?is not authorized to perform")


def of_value(value: object) -> Failure | None:
    body = read_hidden(value) or (refusal_object(value) if isinstance(value, dict) else None)
    return failure_of(body, status=_status_in(value)) if body else None


_STATUS_KEYS = ("status_code", "statusCode", "httpStatusCode", "http_status_code", "http_status", "status", "Status")


def _status_in(value: object) -> int | None:
    """The HTTP status that an SDK prints beside the fields of the body."""
    found = next((value[key] for key in _STATUS_KEYS if key in value), None) if isinstance(value, dict) else None
    number = int(found) if isinstance(found, int) or (isinstance(found, str) and found.isdecimal()) else 0
    return number if 400 <= number <= 599 else None


def refusal_object(value: dict[object, object]) -> ErrorBody | None:
    """A body without a code whose words are those of a refusal."""
    if is_of_another_cloud(value.get("error")):
        return None
    body = read_refusal(value)
    return body if body and set(map(str, value)) & {"error", "NeutronError"} and wording(body.message) else None


def sdk_texts(flat: str) -> Iterator[Found]:
    """The texts of huaweicloudsdkcore's exceptions. Messages have commas in them, so the field names are the marks."""
    start = flat.find("status_code:")
    while start >= 0:
        following = flat.find("status_code:", start + 12)
        piece = flat[start : min(following if following >= 0 else len(flat), start + WINDOW)]
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


def objects(flat: str) -> Iterator[Found]:
    """JSON objects, and Python's way to print them."""
    decoder, at, tries = json.JSONDecoder(strict=False), 0, 0
    for start in re.finditer(r"\{\s{0,40}(['\"])", flat):
        if start.start() < at or tries >= ATTEMPTS:
            continue
        tries += 1
        window = flat[start.start() : start.start() + WINDOW]
        value, length = _object(decoder, window, start[1])
        failure = of_value(value) if length else None
        if failure:
            at = start.start() + length
            yield start.start(), at, failure


def _object(decoder: json.JSONDecoder, window: str, quote: str) -> tuple[object, int]:
    try:
        if quote == '"':
            return decoder.raw_decode(window)
        length = _closing(window[:PRINTED], 1) + 1
        return ast.literal_eval(window[:length]), length
    except (ValueError, SyntaxError, RecursionError, MemoryError, TypeError):
        return None, 0


def xml(flat: str) -> Iterator[Found]:
    for opened in islice(XML_ERROR.finditer(flat), MOST):
        start = opened.start()
        end = flat.find("</Error>", start)
        end = end + 8 if end >= 0 else min(len(flat), start + WINDOW)
        fields = xml_error(flat[start:end])
        body = read_refusal(fields) if fields else None
        if body:
            yield start, end, failure_of(body)


def known_texts(flat: str) -> Iterator[Found]:
    for pattern, code, status in _KNOWN_TEXTS:
        told: set[str] = set()
        for found in islice(pattern.finditer(flat), MOST * 4):
            message = _sentence(flat, found.start())
            if message in told:
                continue
            told.add(message)
            family = None if codes.CODE_SHAPE.fullmatch(code) else "client-network"
            body = ErrorBody(code=code, message=message)
            yield found.start(), found.end(), failure_of(body, status=status, family=family)


def _sentence(flat: str, start: int) -> str:
    """The message that begins at a place: up to the bracket or quotation mark that closes it."""
    piece = flat[start : start + 2000]
    ends = [at for mark in (" }", '"', "'}", "Traceback (", "\n") if (at := piece.find(mark)) > 0]
    framed = _FRAME.search(piece)
    ends += [framed.start()] if framed else []
    return piece[: min(ends, default=600)].strip().rstrip("}").strip()


_FRAME = re.compile(r"\s+at [\w.$<>/]+\(|\s+Caused by: |\s\.\.\. \d+ more|\s\|")


def bare_codes(flat: str) -> Iterator[Found]:
    """Codes of the catalogue, and unknown ones of the gateways, that stand alone in a text; each once."""
    told: set[str] = set()
    for found in CODE.finditer(flat):
        code = found[0]
        if code.lower() in told:
            continue
        told.add(code.lower())
        if codes.entry(code) is not None or _GATEWAY_LIKE.match(code):
            yield found.start(), found.end(), failure_of(ErrorBody(code=code, message=""))


_GATEWAY_LIKE = re.compile(r"API(?:GW|G|C)\.\d{4}$")


def labelled(flat: str) -> Iterator[Found]:
    for found in _LABELLED.finditer(flat):
        if codes.entry(found[1]):
            yield found.start(), found.end(), failure_of(ErrorBody(code=found[1], message=""))


def denials(flat: str) -> Iterator[Found]:
    for found in _DENIAL.finditer(flat):
        message = _sentence(flat[found.start() : found.start() + 400], 0)
        if actions_in(message):
            yield found.start(), found.start() + len(message), failure_of(ErrorBody(code=None, message=message))


def status_lines(flat: str) -> Iterator[Found]:
    for found in _STATUS_LINE.finditer(flat):
        status, url = int(found[1] or found[3]), found[2] or found[4]
        if 400 <= status <= 599 and is_of_the_cloud(url):
            failure = failure_of(ErrorBody(code=None, message=""), status=status, call=FailedCall(url=url))
            yield found.start(), found.end(), failure


def is_of_the_cloud(url: str) -> bool:
    """Whether a URL can be the cloud's: its hosts, bare addresses, and this machine, where a gateway may listen."""
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return False
    return is_cloud_host(host) or not re.search(r"\.[a-z]{2,}$", host)
