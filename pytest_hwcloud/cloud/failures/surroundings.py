"""What stands around a failure in a text: the head of its answer, and the call that was made before it."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import islice
from urllib.parse import urlsplit

from pytest_hwcloud.cloud.endpoints import is_cloud_host
from pytest_hwcloud.cloud.failures.bodies import ErrorBody
from pytest_hwcloud.cloud.failures.classify import failure_of, service_of
from pytest_hwcloud.cloud.failures.failure import Failure

Found = tuple[int, int, Failure]
_HEAD = 3000  # characters from the head of an answer, or from its call, to its body
_NEAR = 400  # characters from a status that stands in ordinary words
_MOST = 200

_RESPONSE = re.compile(r"\bHTTP/[\d.]{1,3} (?P<status>[1-5]\d\d)\b", re.IGNORECASE)
_NAMES = (
    "Bad Request|Unauthorized|Forbidden|Not Found|Method Not Allowed|Conflict|Precondition Failed|Too Many Requests"
    "|Internal Server Error|Bad Gateway|Service Unavailable|Gateway Time-?out"
)
_STATUS = re.compile(
    rf"\b(?P<named>[45]\d\d)[ `']{{1,2}}(?:{_NAMES})\b"
    r"|\bstatus ?(?:code)?[`'\"]?\s?(?:[:=]|=>)?\s?[`'\"]?(?P<status>[45]\d\d)\b"
    r"|\bresponse ?code[:=]? ?(?P<response>[45]\d\d)\b|\bResponse \[(?P<python>[45]\d\d)\]"
    r"|\w(?:Error|Exception)\((?P<error>[45]\d\d)\)|(?:返回|状态码)[:： 为]{0,3}(?P<chinese>[45]\d\d)(?!\d)"
    r"|(?:->|=>|→)\s{0,2}(?P<arrow>[45]\d\d)\b",
    re.IGNORECASE,
)
_ID = re.compile(
    r"(?:x-request-id|x-openstack-request-id|x-obs-request-id|x-amz-request-id)['\"]?: ?['\"]?([\w-]{6,80})", re.I
)
_METHOD = r"(?P<method>GET|PUT|POST|PATCH|DELETE|HEAD)"
_CALLS = tuple(
    re.compile(pattern, re.IGNORECASE)
    for pattern in (
        rf"\b{_METHOD}[ `'\",]{{1,4}}(?P<url>https?://[^\s`'\",\])>]{{1,2000}})",
        rf"\b{_METHOD} (?P<path>/[^\s]{{0,2000}}) HTTP/[\d.]{{1,3}}\s?>?\s?Host: ?(?P<host>[\w.-]{{1,255}})",
        rf"method['\"]?: ?['\"]{_METHOD}['\"],\s{{1,8}}['\"]?url['\"]?: ?['\"](?P<url>https?://[^\s'\"]{{1,2000}})",
        r"--\d{4}-\d\d-\d\d \d\d:\d\d:\d\d--\s{1,3}(?P<url>https?://\S{1,2000})",
    )
)


def placed(found: list[Found], flat: str) -> list[Found]:
    """The failures with status, request id and call of what was printed before each of them."""
    heads = [(match.start(), match.end(), match) for match in islice(_RESPONSE.finditer(flat), _MOST)]
    near = list(islice(_STATUS.finditer(flat), _MOST))
    matches = [match for pattern in _CALLS for match in islice(pattern.finditer(flat), _MOST)]
    calls = [(match.start(), call) for match in sorted(matches, key=re.Match.start) if (call := _call(match))]
    if not (heads or near or calls):
        return found
    written: list[Found] = []
    before = 0
    for start, end, failure in sorted(found, key=lambda one: one[0]):
        failure = _headed(failure, flat, (before, start), heads)
        if failure.status is None:
            told = [match for match in near if max(before, start - _NEAR) <= match.start() and match.end() <= start + 1]
            failure = replace(failure, status=_number(told[-1])) if told else failure
        mine = [call for at, call in calls if max(before, start - _HEAD) <= at < start]
        written.append((start, end, _called(failure, mine[-1]) if mine and not failure.url else failure))
        before = end
    return written


def _headed(
    failure: Failure, flat: str, place: tuple[int, int], heads: list[tuple[int, int, re.Match[str]]]
) -> Failure:
    """The failure with the content of the last head of an answer that stands between the one before and it."""
    before, start = place
    mine = [(end, match) for at, end, match in heads if before <= at and start - _HEAD <= end <= start]
    if not mine or mine[-1][1]["status"] < "400":
        return failure
    end, match = mine[-1]
    identifier = _ID.search(flat[end:start])
    request_id = failure.request_id or (identifier[1] if identifier else None)
    return replace(failure, status=failure.status or int(match["status"]), request_id=request_id)


def _number(match: re.Match[str]) -> int:
    return int(next(value for value in match.groups() if value))


def _call(match: re.Match[str]) -> tuple[str | None, str] | None:
    """Method and URL of a call to the cloud; None for another host's."""
    fields = match.groupdict()
    url = fields.get("url") or f"https://{fields['host']}{fields['path']}"
    try:
        host = urlsplit(url).hostname or ""
    except ValueError:
        return None
    method = fields.get("method")
    return (method.upper() if method else None, url.rstrip(".,;)")) if is_cloud_host(host) else None


def _called(failure: Failure, call: tuple[str | None, str]) -> Failure:
    method, url = call
    service = failure.service or service_of(ErrorBody(code=None, message=""), url)
    return replace(failure, method=method, url=url, service=service)


def heads_alone(flat: str) -> list[Failure]:
    """Answers with a request id of which a text has the head and no body that could be read."""
    found = []
    for match in islice(_RESPONSE.finditer(flat), _MOST):
        identifier = _ID.search(flat[match.end() : match.end() + _HEAD]) if match["status"] >= "400" else None
        if identifier:
            body = ErrorBody(code=None, message="")
            found.append(failure_of(body, status=int(match["status"]), request_id=identifier[1]))
    return found
