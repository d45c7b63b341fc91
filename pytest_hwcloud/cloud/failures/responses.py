"""Answers of every client library, distinguished by what they have, not by what they are: nothing is imported."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from pytest_hwcloud.cloud.failures.bodies import ErrorBody, is_dry_run, read_hidden, read_refusal
from pytest_hwcloud.cloud.failures.classify import failure_of
from pytest_hwcloud.cloud.failures.failure import FailedCall, Failure
from pytest_hwcloud.cloud.failures.formats import decode
from pytest_hwcloud.cloud.failures.network import quietly

REQUEST_ID_HEADERS = (
    "x-request-id", "x-obs-request-id", "x-amz-request-id", "x-openstack-request-id", "x-compute-request-id",
    "x-iam-trace-id", "x-cff-request-id",
)  # fmt: skip
_UNREAD_LIMIT = 1_000_000  # a streamed body is read for the explanation only if it declares to be this small

_UNKNOWN_CALL = FailedCall()


def read_response(response: object) -> Failure | None:
    """The failure in an answer object; None if it is no answer, or a success."""
    status = _status(response)
    if status is None:
        return None
    if is_obs_result(response):
        return _obs_result(response, status)
    headers = headers_of(response)
    call = FailedCall(*call_of(response), reason=_text(response, "reason"))
    return read_answer(status, headers, _body(response, headers), call)


def read_answer(
    status: int, headers: Mapping[str, str], body: object, call: FailedCall = _UNKNOWN_CALL
) -> Failure | None:
    """The failure in an answer's status, headers (names in lower case) and body; None for a success."""
    value = decode(body, headers.get("content-type", ""))
    if status < 400:
        found = read_hidden(value) if status not in (304,) else None
        if found is None:
            return None
    elif is_dry_run(value):
        return None
    else:
        found = read_refusal(value) or ErrorBody(code=None, message=_plain(value))
    found = _with_headers(found, headers)
    return failure_of(found, status=status, request_id=request_id_in(headers), call=call)


def request_id_in(headers: Mapping[str, str]) -> str | None:
    """The request id of the headers, whichever service wrote them."""
    return next((headers[name] for name in REQUEST_ID_HEADERS if headers.get(name)), None)


def _with_headers(body: ErrorBody, headers: Mapping[str, str]) -> ErrorBody:
    extra = {"server": headers.get("server"), "host_id": headers.get("x-obs-id-2") or headers.get("x-amz-id-2")}
    details = {key: value for key, value in extra.items() if value} | dict(body.details)
    return ErrorBody(
        code=body.code or headers.get("x-obs-error-code"),
        message=body.message or headers.get("x-obs-error-message", ""),
        style=body.style, request_id=body.request_id, encoded=body.encoded, details=details, causes=body.causes,
    )  # fmt: skip


def _plain(value: object) -> str:
    """The words of a body that is no error object: a short plain text, or the title of an HTML page."""
    if not isinstance(value, str):
        return ""
    if value[:1] == "<":
        start = value[:20_000].lower().find("<title>")
        end = value[:20_000].lower().find("</title>", start + 7) if start >= 0 else -1
        return " ".join(value[start + 7 : end].split())[:200] if end > 0 else ""
    return " ".join(value[:500].split())


def _status(response: object) -> int | None:
    for name in ("status_code", "status", "code"):
        value = getattr(response, name, None)
        if isinstance(value, int) and not isinstance(value, bool) and 100 <= value <= 599:
            return int(value) if _looks_answered(response) else None
    return None


def _looks_answered(response: object) -> bool:
    return any(hasattr(response, name) for name in ("headers", "header", "raw_content"))


def headers_of(response: object) -> dict[str, str]:
    """The headers of an answer, names in lower case."""
    headers = next((found for name in ("headers", "header", "hdrs") if (found := quietly(response, name))), ())
    if callable(headers):
        return {}
    pairs = headers.items() if hasattr(headers, "items") else headers if isinstance(headers, Iterable) else ()
    return {_str(pair[0]).lower(): _str(pair[1]) for pair in pairs if isinstance(pair, tuple) and len(pair) == 2}


def _str(value: object) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else str(value)


def call_of(response: object) -> tuple[str | None, str | None]:
    """Method and URL of the call that got this answer."""
    request = quietly(response, "request") or quietly(response, "request_info")
    method = quietly(request, "method") or quietly(response, "method")
    url = quietly(request, "real_url") or quietly(request, "url") or quietly(response, "url")
    return (str(method) if method else None), (str(url) if url else None)


def _body(response: object, headers: Mapping[str, str]) -> object:
    raw = quietly(response, "raw_content")
    if raw is not None:
        return raw
    if hasattr(response, "_body") and not hasattr(response, "getheaders"):
        return quietly(response, "_body") or b""  # aiohttp: what has been read; reading more needs its loop
    if quietly(response, "_content") is False and not _is_small(headers):
        return b""  # requests, streamed
    for name in ("content", "data", "body"):
        value = quietly(response, name)
        if isinstance(value, (bytes, str)):
            return value
    return b""


def _is_small(headers: Mapping[str, str]) -> bool:
    length = headers.get("content-length", "")
    return length.isdecimal() and int(length[:12]) < _UNREAD_LIMIT


def is_obs_result(obj: object) -> bool:
    """Whether this is what esdk-obs-python returns, for success and failure alike: a dict that has any attribute."""
    return type(obj).__name__ == "GetResult" and isinstance(quietly(obj, "status"), int)


def _obs_result(result: object, status: int) -> Failure | None:
    if status < 300:
        return None
    headers = headers_of(result)  # the SDK takes the prefix x-obs- off the names
    code = _text(result, "errorCode") or headers.get("error-code")
    message = _text(result, "errorMessage") or headers.get("error-message", "")
    details = {"host_id": text} if (text := _text(result, "hostId")) else {}
    request_id = _text(result, "requestId") or headers.get("request-id") or request_id_in(headers)
    body = ErrorBody(code=code, message=message, details=details)
    found = failure_of(body, status=status, request_id=request_id, call=FailedCall(reason=_text(result, "reason")))
    return replace(found, service="obs")


def _text(owner: object, name: str) -> str:
    value = quietly(owner, name)
    return value if isinstance(value, str) else ""
