"""A decoded error body of any of the shapes that Huawei Cloud sends → its code, message and details."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from itertools import islice

from pytest_hwcloud.cloud.failures.codes import CODE_SHAPE
from pytest_hwcloud.cloud.failures.formats import DEPTH, embedded

CODE_KEYS = ("error_code", "errorCode", "errCode", "code", "http_code")
TEXT_KEYS = (
    "error_msg", "errorMsg", "errMsg", "errorMessage", "externalMessage", "message", "error_message", "fail_reason",
    "detail", "details",
)  # fmt: skip
ID_KEYS = ("request_id", "requestId", "RequestId", "id")
ENCODED_KEYS = ("encoded_authorization_message", "encoded_auth_msg")
DETAIL_KEYS = ("host_id", "resource", "request_time", "server_time", "max_allowed_skew_milliseconds", "title", "type")
LIST_KEYS = ("fail", "failure", "failures", "errors", "results", "sub_jobs")  # where failures hide in a success
NOVA_FAULTS = {
    "itemNotFound", "badRequest", "computeFault", "conflictingRequest", "forbidden", "unauthorized", "overLimit",
    "badMethod", "serviceUnavailable", "notImplemented", "buildInProgress", "serverCapacityUnavailable", "cinderFault",
}  # fmt: skip
SUCCESSES = {
    "",
    "0",
    "200",
    "201",
    "202",
    "204",
    "ok",
    "success",
    "null",
    "none",
    "sys.0202",
}  # SYS.0202: a dry run went well
MOST = 50  # nested failures kept


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorBody:
    """The fields of one object of a body. style: "", "keystone", "nova" or "neutron"."""

    code: str | None
    message: str
    style: str = ""
    request_id: str | None = None
    encoded: str | None = None
    details: Mapping[str, str] = field(default_factory=dict)
    causes: tuple[ErrorBody, ...] = ()


def is_dry_run(value: object) -> bool:
    """Whether the body is the "error" that reports a successful dry run (SYS.0202)."""
    return isinstance(value, Mapping) and str(value.get("error_code") or value.get("code")) == "SYS.0202"


def read_refusal(value: object) -> ErrorBody | None:
    """The content of a refusal's body (status 400 and above); None if nothing readable."""
    found = _all(value)
    complete = [body for body in found if body.code and body.message]
    return _assemble(complete[0] if complete else found[0], found) if found else None


def read_hidden(value: object) -> ErrorBody | None:
    """The failure in a body that came with a success, or without a status; None for ordinary data."""
    if is_dry_run(value) or not _tells_failure(value):
        return None
    found = [body for body in _all(value) if body.code]
    return _assemble(found[0], found) if found else None


def _assemble(first: ErrorBody, found: list[ErrorBody]) -> ErrorBody:
    others = tuple(body for body in found if body is not first and body.code and _words(body) != _words(first))[:MOST]
    encoded = first.encoded or next((body.encoded for body in found if body.encoded), None)
    request_id = first.request_id or next((body.request_id for body in found if body.request_id), None)
    return replace(first, causes=first.causes + others, encoded=encoded, request_id=request_id)


def _words(body: ErrorBody) -> tuple[str | None, str]:
    return (body.code or "").lower(), body.message


def _tells_failure(value: object) -> bool:
    """Whether a body without a refusing status is one of the shapes in which failures come."""
    if isinstance(value, list):
        return any(isinstance(item, Mapping) and _tells_failure(item) for item in value[:MOST])
    if not isinstance(value, Mapping):
        return False
    if str(value.get("status")).upper() in ("SUCCESS", "RUNNING", "INIT") and "job_id" in value:
        return False
    if _is_error(value) or "NeutronError" in value:
        return True
    if any(_lists_errors(value.get(key)) for key in LIST_KEYS):
        return True
    return any(isinstance(value.get(key), Mapping) and _is_error(value[key]) for key in ("error", *NOVA_FAULTS))


def _lists_errors(value: object) -> bool:
    return isinstance(value, list) and any(
        isinstance(item, Mapping) and _code(item) and not _is_plain_code(item) for item in value[:1000]
    )


def _is_plain_code(item: Mapping[str, object]) -> bool:
    return not any(item.get(key) for key in CODE_KEYS[:3]) and not CODE_SHAPE.fullmatch(_code(item) or "")


def _is_error(value: Mapping[str, object]) -> bool:
    code, text = _code(value), _message(value)
    if not code or not (text or any(value.get(key) for key in CODE_KEYS[:3])):
        return False
    if code.isdecimal():
        if is_of_another_cloud(value):
            return False
        return 400 <= int(code[:9]) <= 599 or bool(value.get("error_code")) or len(code) == 4
    return bool(CODE_SHAPE.fullmatch(code) or CODE_SHAPE.fullmatch(text) or _is_named(code, value))


def is_of_another_cloud(value: object) -> bool:
    """Whether an error's number stands beside a name in capitals, such as PERMISSION_DENIED: no API of ours does so."""
    told = value.get("status") if isinstance(value, Mapping) and "title" not in value else None
    return isinstance(told, str) and told.replace("_", "").isupper()


def _is_named(code: str, value: Mapping[str, object]) -> bool:
    from pytest_hwcloud.cloud.failures.codes import entry

    return bool(value.get("error_code") or value.get("errorCode")) or entry(code) is not None


def _all(value: object) -> list[ErrorBody]:
    """Every object of the body that describes a failure, in the order of the document."""
    return list(islice(_walk(value, "", DEPTH), MOST * 4))


def _walk(value: object, name: str, depth: int) -> Iterator[ErrorBody]:
    if depth <= 0:
        return
    if isinstance(value, Mapping):
        body = _own(value, name)
        if body is not None:
            yield body
        for key, child in value.items():
            if isinstance(child, (Mapping, list)) and key != "success":
                yield from _walk(child, str(key), depth - 1)
    elif isinstance(value, list):
        for child in value:
            yield from _walk(child, name, depth - 1)


def _own(value: Mapping[str, object], name: str) -> ErrorBody | None:
    """The fields of this object, without its children."""
    code, message = _code(value), _message(value)
    if code and message and CODE_SHAPE.fullmatch(message) and not CODE_SHAPE.fullmatch(code):
        code, message = message, code  # one page of the ECS reference prints them the other way round
    if not code and (begun := _BEGUN.match(message)) and _is_known(begun[1]):
        code, message = begun[1], begun[2]
    style = _style(value, name, code)
    if style == "neutron":
        code = str(value.get("type") or "NeutronError")
    if (code or "").lower() in SUCCESSES:
        code = None
    if not code and not message:
        return None
    details = {key: text for key in DETAIL_KEYS if isinstance(text := value.get(key), str) and text}
    if style == "nova":
        details["type"] = name
    body = ErrorBody(code=code, message=message, style=style, details=details, request_id=_request_id(value))
    return _unwrapped(replace(body, encoded=_first(value, ENCODED_KEYS)))


_BEGUN = re.compile(rf"({CODE_SHAPE.pattern}): (.+)", re.DOTALL)  # a log's words: VPC.0010: Rbac check failed


def _is_known(code: str) -> bool:
    from pytest_hwcloud.cloud.failures.codes import entry

    return entry(code) is not None


def _unwrapped(body: ErrorBody) -> ErrorBody:
    """The same, with the JSON text that some services put into a message read as a nested failure."""
    inner = embedded(body.message) if "{" in body.message else None
    nested = next(iter(_walk(inner, "", 4)), None) if inner is not None else None
    return replace(body, message=nested.message or body.message, causes=(nested,)) if nested else body


def _style(value: Mapping[str, object], name: str, code: str | None) -> str:
    if name == "NeutronError" or (not code and "type" in value and "detail" in value):
        return "neutron"
    if name in NOVA_FAULTS and isinstance(value.get("code"), int):
        return "nova"
    return "keystone" if isinstance(value.get("code"), int) and name == "error" else ""


def _code(value: Mapping[str, object]) -> str | None:
    for key in CODE_KEYS:
        found = value.get(key)
        if isinstance(found, str) and found.strip():
            return found.strip()[:200]
        if isinstance(found, int) and not isinstance(found, bool) and abs(found) < 10**12:
            return str(found)
    return None


def _message(value: Mapping[str, object]) -> str:
    return _first(value, TEXT_KEYS) or ""


def _first(value: Mapping[str, object], keys: tuple[str, ...]) -> str | None:
    return next((text for key in keys if isinstance(text := value.get(key), str) and text.strip()), None)


def _request_id(value: Mapping[str, object]) -> str | None:
    return _first(value, ID_KEYS[:3])
