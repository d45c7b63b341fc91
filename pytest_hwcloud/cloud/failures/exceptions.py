"""Exceptions of every client library: the one raised, what it came from, and what it carries."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from io import BytesIO

from pytest_hwcloud.cloud.failures.bodies import ErrorBody, read_refusal
from pytest_hwcloud.cloud.failures.classify import failure_of
from pytest_hwcloud.cloud.failures.codes import entry
from pytest_hwcloud.cloud.failures.failure import FailedCall, Failure
from pytest_hwcloud.cloud.failures.formats import decode_text
from pytest_hwcloud.cloud.failures.network import chain, fault_of, host_in, network_failure, proxy_of, quietly
from pytest_hwcloud.cloud.failures.pasted_text import read_all
from pytest_hwcloud.cloud.failures.responses import (
    call_of,
    headers_of,
    read_answer,
    read_response,
    request_id_in,
)

_SILENT = {
    "AssertionError",
    "Failed",
    "Skipped",
    "KeyboardInterrupt",
    "SystemExit",
    "StopIteration",
}  # their texts quote others
_HTTP_STATUS = re.compile(r"\(HTTP (\d{3})\)|^(\d{3}):? (?:Client|Server) Error")
_UNREADABLE = "Unrecognized schema in response body."  # keystoneauth's words where it lost code and text


def read_exception(error: BaseException) -> Failure | None:
    """The failure that an exception describes, from itself first and then from what it came from; None if none does."""
    errors = list(chain(error))
    told = [found for one in errors if (found := _carried(one)) is not None]
    if told:
        return _merged(told)
    fault = fault_of(errors)
    return _network(errors, fault) if fault else None


def _carried(error: BaseException) -> Failure | None:
    """What one exception carries: an answer, the fields of one, or a text that quotes one."""
    client = type(error).__name__
    found = _from_response(error) or _from_sdk(error) or _from_answer(error) or _from_status(error) or _from_text(error)
    return replace(found, client=client) if found else None


def _from_response(error: BaseException) -> Failure | None:
    response = quietly(error, "response")
    if isinstance(response, Mapping):
        return _from_botocore(response)
    return read_response(response) if response is not None else None


def _from_botocore(response: Mapping[str, object]) -> Failure | None:
    """botocore's ClientError: the fields of the body, and the metadata of the answer."""
    told, metadata = response.get("Error"), response.get("ResponseMetadata")
    if not isinstance(told, Mapping) or not told.get("Code"):
        return None
    answer = metadata if isinstance(metadata, Mapping) else {}
    status, code = answer.get("HTTPStatusCode"), str(told["Code"])
    body = ErrorBody(code=None if code == str(status) else code, message=str(told.get("Message") or ""))
    request_id = told.get("RequestId") or answer.get("RequestId")
    family = "obs" if body.code and entry(body.code, family="obs") else None
    found = failure_of(
        replace(body, message="" if body.message.lower() in _PHRASES and not body.code else body.message),
        status=status if isinstance(status, int) else None,
        request_id=str(request_id) if request_id else None,
        family=family,
    )
    return replace(found, service=found.service or ("obs" if family else None))


def _from_answer(error: BaseException) -> Failure | None:
    """urllib's HTTPError, which is the answer itself: its body stays readable for the program that caught it."""
    code = quietly(error, "code")
    if not isinstance(code, int) or not 400 <= code <= 599 or not hasattr(error, "fp") or not hasattr(error, "hdrs"):
        return None
    headers = headers_of(error)
    call = FailedCall(*call_of(error), reason=str(quietly(error, "msg") or ""))
    return read_answer(code, headers, _peeked(error), call)


_LONGEST_BODY = 1_000_000


def _peeked(error: BaseException) -> bytes:
    opened = quietly(error, "fp")
    if opened is None or not hasattr(opened, "read") or quietly(opened, "closed") is True:
        return b""
    try:
        length = int(headers_of(error).get("content-length", "0"))
        data = bytes(opened.read()) if length < _LONGEST_BODY else b""
        again = BytesIO(data)
        for name in ("read", "readline", "readlines", "readinto"):  # tempfile's wrapper keeps the methods it gave out
            vars(error).pop(name, None)
        vars(error).update(fp=again, file=again)
    except (OSError, ValueError, TypeError):
        return b""
    return data


def _from_sdk(error: BaseException) -> Failure | None:
    """huaweicloudsdkcore's ServiceResponseException. Where it could not read a body, the body is its message."""
    code, status = quietly(error, "error_code"), quietly(error, "status_code")
    if not isinstance(status, int) or not hasattr(error, "error_code"):
        return None
    message = str(quietly(error, "error_msg") or "")
    body = _sdk_body(code, status, message)
    if isinstance(encoded := quietly(error, "encoded_auth_msg"), str):
        body = replace(body, encoded=encoded)
    request_id = quietly(error, "request_id")
    family = {"keystone": "keystone", "swallowed": "client-network"}.get(body.style)
    return failure_of(body, status=status, request_id=str(request_id) if request_id else None, family=family)


def _sdk_body(code: object, status: int, message: str) -> ErrorBody:
    if isinstance(code, int):
        return ErrorBody(code=str(code), message=message, style="keystone" if code in (400, 401, 403, 404, 500) else "")
    if code != str(status):
        return read_refusal({"error_code": code, "error_msg": message}) or ErrorBody(code=None, message=message)
    if "too many 429 error responses" in message:
        return ErrorBody(code="429", message="too many 429 error responses", style="swallowed")
    return read_refusal(decode_text(message)) or ErrorBody(code=None, message=message[:500])


def _from_status(error: BaseException) -> Failure | None:
    """keystoneauth's and aiohttp's exceptions, which keep status and URL but no body."""
    status = quietly(error, "http_status") or (quietly(error, "status") if hasattr(error, "request_info") else None)
    if not isinstance(status, int) or not 400 <= status <= 599:
        return None
    message = str(quietly(error, "message") or "").replace(_UNREADABLE, "").strip()
    headers = headers_of(error)
    request_id = quietly(error, "request_id") or request_id_in(headers)
    method, url = call_of(error)
    if not url and isinstance(own := quietly(error, "url"), str):
        url, method = own, str(quietly(error, "method") or "") or None
    body = ErrorBody(code=None, message="" if message.lower() in _PHRASES else message)
    call = FailedCall(method, url)
    return failure_of(body, status=status, request_id=str(request_id) if request_id else None, call=call)


_PHRASES = {"unauthorized", "forbidden", "bad request", "not found", "http error", "error"}


def _from_text(error: BaseException) -> Failure | None:
    """A text that quotes an answer, such as SdkException's "Failed to get project id of region …, ClientRequest…"."""
    if type(error).__name__ in _SILENT or isinstance(error, (OSError, EOFError)):
        return None
    text = _words(error)
    found = read_all(text, quoted=True)
    coded = next((failure for failure in found if failure.code or failure.gate != "network"), None)
    if coded:
        return coded
    status = _HTTP_STATUS.search(text[:2000])
    if not status or not type(error).__module__.startswith(("openstack", "keystone", "otcextensions")):
        return None
    return failure_of(ErrorBody(code=None, message=text[: status.start()].strip()), status=int(status[1] or status[2]))


def _words(error: BaseException) -> str:
    try:
        return str(quietly(error, "error_msg") or error)
    except Exception:
        return ""


def _merged(told: list[Failure]) -> Failure:
    """The most exact failure of a chain, completed from others that describe the same answer."""
    best = next((found for found in told if _exact(found)), None) or next((f for f in told if f.code), told[0])
    for other in told:
        if other is best or (other.status and best.status and other.status != best.status):
            continue
        best = replace(
            best,
            status=best.status or other.status,
            request_id=best.request_id or other.request_id,
            method=best.method or other.method,
            url=best.url or other.url,
            service=best.service or other.service,
            causes=best.causes or (other.causes if other.code == best.code else ()),
            details=_details(best.details, other.details),
        )
    return replace(best, client=told[0].client)


def _exact(found: Failure) -> bool:
    return found.code is not None and found.family != "client-network"


def _details(first: Mapping[str, str], second: Mapping[str, str]) -> Mapping[str, str]:
    return {**second, **first}


def _network(errors: list[BaseException], fault: str) -> Failure:
    calls = [call_of(error) for error in errors]
    method, url = next((call for call in calls if call[1]), (None, None))
    texts = [_words(error) for error in errors]
    host = next((found for text in texts if (found := host_in(text))), None)
    failure = network_failure(fault, texts[0], host=host, method=method, url=url)
    failure = replace(failure, client=type(errors[0]).__name__)
    proxy = proxy_of([*(type(error).__name__ for error in errors), *texts])
    return replace(failure, fault="proxy", kind="network", details={"proxy": proxy}) if proxy is not None else failure
