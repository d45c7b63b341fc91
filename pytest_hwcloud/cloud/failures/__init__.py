"""Failures from anything: answers, exceptions, bodies, tracebacks, bare codes → one Failure. Never raises."""

from __future__ import annotations

from collections.abc import Mapping

from pytest_hwcloud.cloud.failures.failure import Failure

__all__ = ["Failure", "read", "read_all", "read_exchange"]


def read(obj: object) -> Failure | None:
    """The failure that an object describes; None if it describes none. Of several in one text the first."""
    try:
        return _read(obj)
    except Exception:
        return None  # a reader of foreign objects must not be the second failure of a test


def read_all(text: str) -> list[Failure]:
    """Every failure in a pasted text, each once, the more exact cause before what it caused."""
    from pytest_hwcloud.cloud.failures.pasted_text import read_all as all_in

    try:
        return _flat(all_in(text))
    except Exception:
        return []


def read_exchange(exchange: object) -> Failure | None:
    """The failure of one exchange of the journal: its fault, or the refusal in its answer."""
    try:
        return _read_exchange(exchange)
    except Exception:
        return None


def _read(obj: object) -> Failure | None:
    match obj:
        case None | bool() | int() | float():
            return None
        case Failure():
            return obj
        case BaseException():
            from pytest_hwcloud.cloud.failures.exceptions import read_exception

            return read_exception(obj)
        case str():
            from pytest_hwcloud.cloud.failures.pasted_text import read_text

            return read_text(obj)
        case dict() if type(obj).__name__ == "GetResult":
            return _read_object(obj)
        case bytes() | bytearray() | memoryview() | Mapping() | list() | tuple():
            return _read_body(list(obj) if isinstance(obj, tuple) else obj)
    return _read_object(obj)


def _read_body(body: object) -> Failure | None:
    from pytest_hwcloud.cloud.failures.bodies import read_hidden
    from pytest_hwcloud.cloud.failures.classify import failure_of
    from pytest_hwcloud.cloud.failures.formats import decode

    value = decode(body)
    if isinstance(value, str):
        return _read(value)
    found = read_hidden(value)
    return failure_of(found) if found else _refusal(value)


def _refusal(value: object) -> Failure | None:
    from pytest_hwcloud.cloud.failures.classify import failure_of
    from pytest_hwcloud.cloud.failures.text_patterns import refusal_object

    body = refusal_object(value) if isinstance(value, dict) else None
    return failure_of(body) if body else None


def _read_object(obj: object) -> Failure | None:
    from pytest_hwcloud.cloud.failures.responses import is_obs_result, read_response

    if is_obs_result(obj):
        return read_response(obj)
    if hasattr(obj, "request") and hasattr(obj, "answer"):
        return _read_exchange(obj)
    failure = getattr(obj, "failure", None)
    return failure if isinstance(failure, Failure) else read_response(obj)


def _read_exchange(exchange: object) -> Failure | None:
    from pytest_hwcloud.cloud.failures.failure import FailedCall
    from pytest_hwcloud.cloud.failures.network import network_failure
    from pytest_hwcloud.cloud.failures.responses import headers_of, read_answer

    request, answer = getattr(exchange, "request", None), getattr(exchange, "answer", None)
    method, url = getattr(request, "method", None), getattr(request, "url", None)
    fault = getattr(exchange, "fault", None)
    if fault:
        return network_failure(fault, "", method=method, url=url)
    if answer is None:
        return None
    return read_answer(answer.status, headers_of(answer), answer.body, FailedCall(method, url, answer.reason))


def _flat(failures: list[Failure]) -> list[Failure]:
    """Causes before what they caused, each once."""
    flat: dict[tuple[str | None, str, str | None], Failure] = {}
    for failure in failures:
        for one in (*_flat(list(failure.causes)), failure):
            flat.setdefault((one.code, one.message, one.request_id), one)
    return list(flat.values())
